"""Notes: what was done to an input, or what is doubtful about it.

A note is one sentence.  Commands print it on stderr; in Python it is a warning with a category
of its own, so that it can be silenced, or turned into an error, without affecting others:

    warnings.simplefilter("error", pytopo.InputWarning)
"""

import warnings
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


class InputWarning(UserWarning):
    """Something was dropped, converted or is doubtful about an input."""


class CacheWarning(RuntimeWarning):
    """Compiled kernels cannot be kept on disk, so every process compiles them again."""


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


def number_text(value: "float | np.number") -> str:
    """Return a number with as many digits as distinguish it from every other of its dtype.

    For messages that quote a value: one a rounding error above 1 must not read "1".

    Parameters
    ----------
    value : bool, int, float or NumPy scalar
        NumPy scalars keep their dtype: a float32 needs fewer digits.

    Examples
    --------
    >>> import numpy as np
    >>> number_text(1.0000002), number_text(1.0), number_text(255)
    ('1.0000002', '1', '255')
    >>> number_text(np.float32(0.1)), number_text(0.1 + 0.2), number_text(-np.inf)
    ('0.1', '0.30000000000000004', '-inf')
    """
    return str(value).removesuffix(".0")


def one_line(text: str) -> str:
    """Return text that may quote a file on one line, without control characters.

    Examples
    --------
    >>> one_line("damaged:\\n\\x1b[2J")
    'damaged: ?[2J'
    """
    return "".join(c if c.isprintable() else "?" for c in " ".join(text.split()))
