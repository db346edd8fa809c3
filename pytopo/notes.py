"""Remarks on what was done to an input, or what is doubtful about it.

A note is one sentence.  Commands print it on stderr; in Python it is a warning of a category
of its own, so that it can be silenced, or turned into an error, without touching others:

    warnings.simplefilter("error", pytopo.InputWarning)
"""

import warnings
from collections.abc import Iterable


class InputWarning(UserWarning):
    """Something was dropped, converted or is doubtful about an input."""


def warn_of(notes: Iterable[str], where: str = "", stacklevel: int = 2) -> None:
    """Raise each note as a warning.

    Parameters
    ----------
    notes : iterable of str
    where : str
        What the notes are about, such as a path.
    stacklevel : int
        As in `warnings.warn`, counted from the caller of this function.

    Examples
    --------
    >>> with warnings.catch_warnings(record=True) as said:
    ...     warnings.simplefilter("always")
    ...     warn_of(["alpha channel dropped"], "cells.png")
    >>> str(said[0].message)
    'cells.png: alpha channel dropped'
    """
    for note in notes:
        text = f"{where}: {note}" if where else note
        warnings.warn(text, InputWarning, stacklevel=stacklevel + 1)
