"""Which ids of a label image mean background, where there is no segment.

Ids are names of segments; which of them name none is one rule, for the metrics, for training
data and for the commands alike:

    volumes/labels/neuron_ids of a CREMI file   2**64 - 1: as in CREMI's evaluation, where
                                                0 is a neuron
    everything else                             0, and 2**64 - 1, which CREMI's scripts write

`docs/metrics.md` explains it with examples.
"""

import re
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from pytopo.options import integers

CREMI_BACKGROUND = (2**64 - 1,)
BACKGROUND = (0, 2**64 - 1)


def checked_background(background: int | Iterable[int]) -> tuple[int, ...]:
    """Return the ids that mean background as a tuple of Python integers.

    Parameters
    ----------
    background : int or iterable of int
        One id, several, or none: ``()``.

    Raises
    ------
    TypeError
        If they are not whole numbers.

    Examples
    --------
    >>> checked_background(-1), checked_background(np.array([0, 7])), checked_background(())
    ((-1,), (0, 7), ())
    """
    ids = integers(background)
    if ids is None:
        raise TypeError(f"background is {background!r}; expected an integer, or several")
    return tuple(ids)


def parsed_background(text: str) -> tuple[int, ...]:
    """Return the ids that a text lists: ``0``, ``0,-1``, or ``none``.

    Raises
    ------
    ValueError
        If the text is anything else.

    Examples
    --------
    >>> parsed_background("0,-1"), parsed_background("none")
    ((0, -1), ())
    """
    if text.strip().lower() == "none":
        return ()
    parts = text.split(",")
    if not all(re.fullmatch(r"\s*-?[0-9]{1,20}\s*", part) for part in parts):
        raise ValueError(f"background {text!r}; expected integers, like 0,-1, or none")
    return tuple(int(part) for part in parts)


def background_text(background: Iterable[int], dtype: np.dtype) -> str:
    """Return those ids that a dtype can hold as text.

    Examples
    --------
    >>> background_text(BACKGROUND, np.dtype("int64"))
    '0'
    >>> background_text(BACKGROUND, np.dtype("uint64"))
    '0 or 2^64 - 1'
    """
    ids = stored_ids(background, dtype).tolist()
    return " or ".join("2^64 - 1" if id == 2**64 - 1 else str(id) for id in ids) or "none"


def stored_ids(background: Iterable[int], dtype: np.dtype) -> NDArray:
    """Return those of the ids that a dtype can hold, as an array of that dtype.

    A negative id of an unsigned dtype counts from its end, as ``numpy.uint64(-1)`` did: -1
    is the largest.

    Examples
    --------
    >>> stored_ids((0, -1, 2**64 - 1), np.dtype("uint64"))
    array([                   0, 18446744073709551615], dtype=uint64)
    >>> stored_ids((0, -1, 2**64 - 1), np.dtype("int32"))
    array([-1,  0], dtype=int32)
    """
    if dtype.kind == "b":
        dtype = np.dtype("uint8")
    info = np.iinfo(dtype)
    ids = [id + int(info.max) + 1 if id < 0 <= info.min else id for id in background]
    held = sorted({id for id in ids if info.min <= id <= info.max})
    return np.array(held, dtype.newbyteorder("="))


def is_background(ids: NDArray, background: Iterable[int]) -> NDArray[np.bool_]:
    """Return where ids mean background.

    Parameters
    ----------
    ids : ndarray of integers or bools
    background : iterable of int
        As `checked_background` returns it.

    Examples
    --------
    >>> is_background(np.array([0, 5, 2**64 - 1], np.uint64), CREMI_BACKGROUND)
    array([False, False,  True])
    """
    found = np.zeros(ids.shape, bool)
    for label in stored_ids(background, ids.dtype):
        found |= ids == label
    return found


def background_notes(
    ids: NDArray, background: tuple[int, ...], option: str = "background="
) -> tuple[str, ...]:
    """Return notes on ids whose background is taken by default, where that is doubtful.

    Parameters
    ----------
    ids : ndarray of integers
        All pixels, or each id once.
    background : tuple of int
        The default that is taken, `BACKGROUND` or `CREMI_BACKGROUND`.
    option : str
        The option that names the background: ``background=`` or ``--background``; after an
        equals sign ids are a list.

    Examples
    --------
    >>> background_notes(np.array([0, 3], np.uint64), CREMI_BACKGROUND, "--background ")
    ('id 0 is a segment, as in the evaluation of CREMI; --background 0 makes it background',)
    >>> background_notes(np.array([0, 3]), BACKGROUND)
    ()
    """
    has_zero, cremi = bool((ids == 0).any()), 0 not in background
    start, end = ("[", "]") if option.endswith("=") else ("", "")  # in Python, and in TOML
    if cremi and has_zero:
        return (
            f"id 0 is a segment, as in the evaluation of CREMI; {option}{start}0{end} makes it "
            "background",
        )
    largest = ids.dtype == np.uint64 and bool((ids == np.uint64(2**64 - 1)).any())
    if largest and has_zero and not cremi:
        return (
            f"ids 0 and {2**64 - 1} are background; in the evaluation of CREMI 0 is a segment, "
            f"{option}{start}{2**64 - 1}{end}",
        )
    if ids.dtype.kind == "i" and bool((ids < 0).any()):
        least = int(ids.min())
        return (f"id {least} is a segment; {option}{start}0,{least}{end} makes it background",)
    return ()
