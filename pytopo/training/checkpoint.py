"""A checkpoint: the network, its weights, and what else training needs to go on.

A file holds plain tensors, numbers and text, is written beside its place and renamed, and is
loaded with ``weights_only=True``: no code of a stranger's file is run.
"""

import io
import os
import pickle
import warnings
import zipfile
from typing import Any

import torch
from torch import nn

from pytopo import models
from pytopo.files import replacing
from pytopo.notes import one_line

FORMAT = 1  # of the file; raised when an older reader would misunderstand it


def save_checkpoint(path: str | os.PathLike[str], state: dict[str, Any]) -> None:
    """Write a checkpoint, whole or not at all.

    Parameters
    ----------
    path : path-like
    state : dict
        ``network`` (``name`` and ``options`` for `pytopo.models.build`), ``weights`` (its
        state dict), and whatever else is needed to go on.
    """
    # Into memory first: where a write fails, torch's own writer hides why.
    content = io.BytesIO()
    torch.save({"format": FORMAT, **state}, content)
    with replacing(path, "wb") as stream:
        stream.write(content.getbuffer())


def load_checkpoint(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read a checkpoint onto the CPU.

    Raises
    ------
    FileNotFoundError
        If there is none.
    ValueError
        If the file is damaged, holds more than tensors and numbers, or is not a checkpoint
        of pytopo.
    """
    name = one_line(os.fsdecode(path))
    if not os.path.isfile(path):
        raise FileNotFoundError(f"{name}: no such file; expected a checkpoint of pytopo train")
    try:
        with warnings.catch_warnings():  # what is no checkpoint may be other things to torch
            warnings.simplefilter("ignore")
            state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch, zipfile and pickle each have their own
        raise ValueError(
            f"{name}: damaged, or not a checkpoint of pytopo train: {_reason(path, error)}"
        ) from None
    if not isinstance(state, dict) or not {"format", "network", "weights"} <= state.keys():
        raise ValueError(f"{name}: not a checkpoint of pytopo train")
    if state["format"] != FORMAT:
        raise ValueError(
            f"{name}: a checkpoint of format {state['format']!r}; expected {FORMAT}, train "
            "again"
        )
    return state


def _reason(path: str | os.PathLike[str], error: Exception) -> str:
    """What may be said of a file that torch cannot load: its own words are for programmers."""
    if os.path.getsize(path) == 0:
        return "an empty file"
    if zipfile.is_zipfile(path) and isinstance(error, pickle.UnpicklingError):
        return "it holds something else than tensors, numbers and text, which is never loaded"
    if isinstance(error, (OSError, RuntimeError)):
        return one_line(str(error))[:100]
    return "no file of torch.save"


def load_network(path: str | os.PathLike[str]) -> nn.Module:
    """Build the network of a checkpoint, with its weights, ready to predict.

    Raises
    ------
    FileNotFoundError, ValueError
        As `load_checkpoint`; ValueError too if the weights do not fit the network.
    """
    state = load_checkpoint(path)
    network = network_of(state, os.fsdecode(path))
    return network.eval()


def network_of(state: dict[str, Any], name: str) -> nn.Module:
    """Build the network that a checkpoint describes; ``name`` is that of its file.

    Raises
    ------
    ValueError
        If there is no such network, or the weights do not fit it.
    """
    try:
        described = state["network"]["name"], state["network"]["options"]
        with torch.device("meta"):  # shapes alone: a file may claim more than memory holds
            expected = models.build(described[0], **described[1]).state_dict()
        _check_shapes(state["weights"], expected)
        network = models.build(described[0], **described[1])
        network.load_state_dict(state["weights"])
    except (AttributeError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise ValueError(one_line(f"{name}: its weights fit no network: {error}")) from None
    return network


def _check_shapes(weights: dict[str, Any], expected: dict[str, torch.Tensor]) -> None:
    for name in weights.keys() - expected.keys():
        raise ValueError(f"{name!r} is no weight of it")
    for name, tensor in expected.items():
        if name not in weights:
            raise ValueError(f"{name} is missing")
        if weights[name].shape != tensor.shape:
            came, want = tuple(weights[name].shape), tuple(tensor.shape)
            raise ValueError(f"{name} has shape {came}; expected {want}")
