"""Files that torch saved: tensors, numbers and text are read, and no code in them is run."""

import os
import pickle
import warnings
import zipfile
from typing import Any

import torch

from pytopo.notes import one_line


def load_saved(path: str | os.PathLike[str], expected: str) -> Any:
    """Read a file of ``torch.save`` onto the CPU, with ``weights_only=True``.

    Parameters
    ----------
    path : path-like
    expected : str
        What the file should be, for messages, like "a checkpoint of pytopo train".

    Raises
    ------
    FileNotFoundError
        If there is none.
    ValueError
        If the file is damaged, or holds anything but tensors, numbers and text.
    """
    name = one_line(os.fsdecode(path))
    if not os.path.isfile(path):
        raise FileNotFoundError(f"{name}: no such file; expected {expected}")
    try:
        with warnings.catch_warnings():  # torch warns of some files before it refuses them
            warnings.simplefilter("ignore")
            return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch, zipfile and pickle each have their own
        raise ValueError(
            f"{name}: damaged, or not {expected}: {_reason(path, error)}"
        ) from None


def _reason(path: str | os.PathLike[str], error: Exception) -> str:
    """Return why torch cannot load a file, in words for its user and not for programmers."""
    if os.path.getsize(path) == 0:
        return "an empty file"
    if zipfile.is_zipfile(path) and isinstance(error, pickle.UnpicklingError):
        return "it holds something other than tensors, numbers and text, which is never loaded"
    if isinstance(error, (OSError, RuntimeError)):
        return one_line(str(error))[:100]
    return "not a file of torch.save"
