"""The one reading of masks and labels: what the numbers that are stored mean.

    stored numbers -> mask: 0, and one other value         bool
                   -> ids: integers, some of them          names of segments, and
                      background                            where there is none

A mask is a mask however it was saved: bool, 0 and 1, 0 and 255, 0 and 127, 0 and -1.  Three
values are none, because nobody but the author knows what the third one means.  Ids are names;
which of them name no segment is one rule, for the metrics, for the data of training and for
the commands alike:

    volumes/labels/neuron_ids of a CREMI file   2**64 - 1: as in CREMI's evaluation, where
                                                0 is a neuron
    everything else                             0, and 2**64 - 1, which CREMI's scripts write

`docs/metrics.md` tells it with examples.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pytopo.notes import number_text

CREMI_BACKGROUND = (2**64 - 1,)
BACKGROUND = (0, 2**64 - 1)

IGNORE_LABELS = (255, 65535, -1, -100)  # what is often written where there is no truth
LISTED = 6  # values that a message lists
ROUNDING = 1e-6  # by so much at least a likelihood may leave [0, 1]
LITTLE = 0.1  # of the range of a dtype
FEW = 16  # values of integers; more may be grey as well as ids


# ---- masks -------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Mask:
    """A mask, and what it was read of.

    Attributes
    ----------
    array : bool ndarray
        True in the foreground.
    marked : scalar or None
        The value of the foreground as stored; None if there is no foreground.
    notes : tuple of str
        One sentence if that value is not obvious: neither 1 nor the largest of its dtype.
    """

    array: NDArray[np.bool_]
    marked: Any
    notes: tuple[str, ...] = ()


class Advice(NamedTuple):
    """What to do with values that are no mask; empty where nothing can be done.

    Attributes
    ----------
    ids : str
        If they are ids of segments.
    grey : str
        If they are grey values.
    ignore : str
        If a third value marks pixels without truth.
    """

    ids: str = ""
    grey: str = ""
    ignore: str = ""

    def fitting(self, values: NDArray) -> str:
        """Return the one that fits the distinct values, sorted.

        Examples
        --------
        >>> advice = Advice("say --ids", "take a threshold", "drop 255")
        >>> [advice.fitting(np.array(v)) for v in ([0, 1, 255], [0, 1, 2], [0, 0.2, 0.7])]
        ['drop 255', 'say --ids', 'take a threshold']
        """
        if self.ignore and ignore_label(values) is not None:
            return self.ignore
        if values.dtype.kind == "f":
            return self.grey if values[0] >= 0 and values[-1] <= 1 else ""
        shades = len(values) > FEW or values[-1] in (255, 65535)  # of white, the most
        advice = (self.ids, self.grey if shades else "")
        return ", ".join(filter(None, advice))


def mask_of(values: ArrayLike, name: str = "mask", advice: Advice | None = None) -> Mask:
    """Read a mask: 0, and one other value of any dtype, which is the foreground.

    Parameters
    ----------
    values : array_like of bools or numbers, of any shape
    name : str
        What a message calls them.
    advice : Advice or None
        What would do instead.

    Raises
    ------
    TypeError
        If they are neither bools, integers nor floats, or some are masked.
    ValueError
        If there are two values other than 0, or one that is not finite.

    Examples
    --------
    >>> mask_of(np.array([0, 127, 127], np.int8)).array
    array([False,  True,  True])
    >>> mask_of([0, 8, 8, 255])
    Traceback (most recent call last):
        ...
    ValueError: mask holds 0 (1 pixel), 8 (2), 255 (1); expected a mask of 0 and one other value
    """
    stored = real_values(values, name)
    if stored.dtype.kind == "b":
        return Mask(stored, np.bool_(True) if stored.any() else None)
    foreground = stored != 0
    if not foreground.any():
        return Mask(foreground, None)
    marked = stored.flat[foreground.argmax()]
    if not (np.isfinite(marked) and (foreground == (stored == marked)).all()):
        raise _no_mask(stored, name, advice or Advice())
    return Mask(foreground, marked, _value_notes(stored, marked))


def two_valued(values: NDArray) -> bool:
    """Tell whether values can be a mask: not more than 0 and one finite other value.

    Examples
    --------
    >>> two_valued(np.array([0, 9, 9])), two_valued(np.array([1, 2])), two_valued(np.zeros(3))
    (True, False, True)
    """
    foreground = values != 0
    if not foreground.any():
        return True
    marked = values.flat[foreground.argmax()]
    return bool(np.isfinite(marked) and (foreground == (values == marked)).all())


def _value_notes(stored: NDArray, marked: Any) -> tuple[str, ...]:
    top = np.iinfo(stored.dtype).max if stored.dtype.kind in "iu" else 1
    if marked in (1, top):
        return ()
    shown = number_text(marked)
    held = f"0 and {shown}" if (stored == 0).any() else f"only {shown}"
    return (f"holds {held}: taken as a mask, {shown} is its foreground",)


def _no_mask(stored: NDArray, name: str, advice: Advice) -> ValueError:
    if stored.dtype.kind == "f" and not np.isfinite(stored).all():
        index = np.unravel_index(np.isfinite(stored).argmin(), stored.shape)
        where = ", ".join(str(i) for i in index)
        return ValueError(
            f"{name}[{where}] is {stored[index]}; expected a mask of 0 and one other value"
        )
    fitting = advice.fitting(np.unique(stored))
    text = f"{name} holds {value_counts_text(stored)}; expected a mask of 0 and one other value"
    return ValueError(f"{text}{', ' if fitting else ''}{fitting}")


def ignore_label(values: NDArray) -> int | None:
    """Return the value that looks like a mark for pixels without truth, beside a mask.

    Examples
    --------
    >>> ignore_label(np.array([0, 1, 255])), ignore_label(np.array([0, 8, 255]))
    (255, None)
    """
    held = [int(value) for value in values[:4]] if np.isfinite(values).all() else []
    others = [value for value in held if value not in (0, 1)]
    if len(held) == 3 and len(others) == 1 and others[0] in IGNORE_LABELS:
        return others[0]
    return None


# ---- grey values -------------------------------------------------------------------------


def clipped_to_unit(values: NDArray) -> NDArray | None:
    """Return floats on [0, 1], where what leaves it by a rounding error is clipped.

    Parameters
    ----------
    values : ndarray of floats, of any shape

    Returns
    -------
    values : ndarray of the same dtype, or None
        The same array, or a clipped copy; None if a value is NaN, or outside [0, 1] by more
        than a rounding error.

    Examples
    --------
    >>> clipped_to_unit(np.array([0.5, 1 + 1e-7]))
    array([0.5, 1. ])
    >>> clipped_to_unit(np.array([0.5, 1.00002])) is None
    True
    """
    low, high = values.min(), values.max()
    if low >= 0 and high <= 1:
        return values
    rounding = max(ROUNDING, 2 * float(np.finfo(values.dtype).eps))
    if low >= -rounding and high <= 1 + rounding:  # NaN is neither
        return np.clip(values, 0, 1)
    return None


def range_notes(share: float, dtype: np.dtype | None) -> tuple[str, ...]:
    """Return a note if an image of integers uses little of the range that it is scaled by.

    Parameters
    ----------
    share : float
        Largest minus least value of the scaled image; one value alone uses no range, and is
        not noted.
    dtype : dtype or None
        As stored.

    Examples
    --------
    >>> range_notes(4095 / 65535, np.dtype("uint16"))
    ('uses 6.2% of the range of uint16, by which it is scaled',)
    """
    if dtype is None or dtype.kind not in "iu" or not 0 < share < LITTLE:
        return ()
    return (f"uses {100 * share:.2g}% of the range of {dtype.name}, by which it is scaled",)


# ---- values in words ---------------------------------------------------------------------


def value_counts_text(values: ArrayLike) -> str:
    """List the distinct values with the number of their pixels.

    Parameters
    ----------
    values : array_like of numbers, of any shape

    Examples
    --------
    >>> value_counts_text(np.array([0, 0, 8, 255]))
    '0 (2 pixels), 8 (1), 255 (1)'
    >>> value_counts_text(np.arange(20))
    '0 (1 pixel), 1 (1), 2 (1), 3 (1), 4 (1), 5 (1), ... and 14 more'
    """
    distinct, counts = np.unique(np.asarray(values), return_counts=True)
    parts = [f"{number_text(v)} ({n})" for v, n in zip(distinct[:LISTED], counts.tolist())]
    if parts:
        parts[0] = parts[0][:-1] + (" pixel)" if counts[0] == 1 else " pixels)")
    more = f", ... and {len(distinct) - LISTED} more" if len(distinct) > LISTED else ""
    return ", ".join(parts) + more


def real_values(values: ArrayLike, name: str) -> NDArray:
    """Return an array of bools or real numbers, or say what came.

    Raises
    ------
    TypeError
        If they are something else, or some are masked.
    """
    if np.ma.is_masked(values):
        raise TypeError(f"{name} has masked pixels; fill them first, e.g. {name}.filled(0)")
    array = np.asarray(values)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name} has dtype {array.dtype}; expected booleans or numbers")
    return array


# ---- ids ---------------------------------------------------------------------------------


def checked_background(background: int | Iterable[int]) -> tuple[int, ...]:
    """Return ids that mean background as a tuple of Python integers.

    Parameters
    ----------
    background : int or iterable of int
        One id, several, or none of them: ``()``.

    Raises
    ------
    TypeError
        If they are no whole numbers.

    Examples
    --------
    >>> checked_background(-1), checked_background(np.array([0, 7])), checked_background(())
    ((-1,), (0, 7), ())
    """
    ids = background if isinstance(background, Iterable) else [background]
    several: list[Any] = list(ids)
    for label in several:
        if isinstance(label, (bool, np.bool_)) or not isinstance(label, Integral):
            raise TypeError(f"background is {background!r}; expected an integer, or several")
    return tuple(int(label) for label in several)


def parsed_background(text: str) -> tuple[int, ...]:
    """Return ids that mean background of a text: ``0``, ``0,-1``, or ``none``.

    Raises
    ------
    ValueError
        If it is none of these.

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
    """Return where ids mean no segment.

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
    """Return what is doubtful about ids whose background nobody named.

    Parameters
    ----------
    ids : ndarray of integers
        Those that there are: all pixels, or each id once.
    background : tuple of int
        `BACKGROUND` or `CREMI_BACKGROUND`, whichever is taken.
    option : str
        What names the background: ``background=`` or ``--background``; after an equals
        sign ids are a list.

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
