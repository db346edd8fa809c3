"""A checkpoint: the network, its weights, and what else training needs to resume.

A file holds plain tensors, numbers and text, is written beside its place and renamed, and is
loaded without running any code that a file from elsewhere may hold (`pytopo.models.saved`).
"""

import io
import os
from typing import Any

import torch
from torch import nn

from pytopo import models
from pytopo.files import replacing
from pytopo.models.saved import load_saved
from pytopo.notes import one_line

FORMAT = 1  # of the file; increased when an older reader would misunderstand it


def save_checkpoint(path: str | os.PathLike[str], state: dict[str, Any]) -> None:
    """Write a checkpoint, whole or not at all.

    Parameters
    ----------
    path : path-like
    state : dict
        ``network`` (``name`` and ``options`` for `pytopo.models.build`), ``weights`` (its
        state dict), and whatever else is needed to resume.
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
    name, expected = one_line(os.fsdecode(path)), "a checkpoint of pytopo train"
    state = load_saved(path, expected)
    if not isinstance(state, dict) or not {"format", "network", "weights"} <= state.keys():
        raise ValueError(f"{name}: not {expected}")
    if state["format"] != FORMAT:
        raise ValueError(
            f"{name}: a checkpoint of format {state['format']!r}; expected {FORMAT}, train "
            "again"
        )
    return state


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
        raise ValueError(f"{name!r} is not a weight of it")
    for name, tensor in expected.items():
        if name not in weights:
            raise ValueError(f"{name} is missing")
        if weights[name].shape != tensor.shape:
            raise ValueError(
                f"{name} has shape {tuple(weights[name].shape)}; expected {tuple(tensor.shape)}"
            )
