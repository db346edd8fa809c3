"""What the stored numbers of a mask mean: 0, and one other value, which is the foreground.

    0 and 1, 0 and 255, 0 and 127, 0 and -1, bools   ->  a mask, bool
    0, 1 and 255                                     ->  refused

A mask is the same mask however it was saved.  Three values are none, because only its author
knows what the third one means.  `docs/metrics.md` explains it with examples.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pytopo.images.background import (
    BACKGROUND,
    CREMI_BACKGROUND,
    background_notes,
    background_text,
    checked_background,
    is_background,
    parsed_background,
    stored_ids,
)
from pytopo.images.scaling import LITTLE, ROUNDING, clipped_to_unit, range_notes
from pytopo.notes import number_text
from pytopo.options import unmasked

__all__ = [
    "BACKGROUND",
    "CREMI_BACKGROUND",
    "IGNORE_LABELS",
    "LITTLE",
    "ROUNDING",
    "Advice",
    "Mask",
    "background_notes",
    "background_text",
    "checked_background",
    "clipped_to_unit",
    "ignore_label",
    "is_background",
    "mask_of",
    "parsed_background",
    "range_notes",
    "real_values",
    "stored_ids",
    "two_valued",
    "value_counts_text",
]

IGNORE_LABELS = (255, 65535, -1, -100)  # often written where there is no ground truth
LISTED = 6  # values that a message lists
FEW = 16  # values of integers; more may be grey as well as ids


@dataclass(frozen=True, eq=False)
class Mask:
    """A mask, and what is to be said about the values that it was read from.

    Attributes
    ----------
    array : bool ndarray
        True in the foreground.
    marked : scalar or None
        The value of the foreground as stored; None if there is no foreground.
    notes : tuple of str
        One sentence if that value is unusual: neither 1 nor the largest of its dtype.
    """

    array: NDArray[np.bool_]
    marked: Any
    notes: tuple[str, ...] = ()


class Advice(NamedTuple):
    """What to do with values that are not a mask; empty where nothing can be done.

    Attributes
    ----------
    ids : str
        If they are ids of segments.
    grey : str
        If they are grey values.
    ignore : str
        If a third value marks pixels without ground truth.
    logits : str
        If they are logits.
    """

    ids: str = ""
    grey: str = ""
    ignore: str = ""
    logits: str = ""

    def fitting(self, values: NDArray) -> str:
        """Return the advice that fits the sorted distinct values.

        Examples
        --------
        >>> advice = Advice("say --ids", "take a threshold", "drop 255")
        >>> [advice.fitting(np.array(v)) for v in ([0, 1, 255], [0, 1, 2], [0, 0.2, 0.7])]
        ['drop 255', 'say --ids', 'take a threshold']
        """
        if self.ignore and ignore_label(values) is not None:
            return self.ignore
        if values.dtype.kind == "f":
            if values[0] < 0 < values[-1] and len(values) > 2:
                return self.logits
            return self.grey if values[0] >= 0 and values[-1] <= 1 else ""
        shades = len(values) > FEW or values[-1] in (255, 65535)  # 255 and 65535 are white
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
        What a message suggests instead.

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
    marked = _only_value(stored, foreground)
    if marked is None:
        raise _no_mask(stored, name, advice or Advice())
    return Mask(foreground, marked, _value_notes(stored, marked))


def two_valued(values: NDArray) -> bool:
    """Return whether values can be a mask: at most 0 and one other value, which is finite.

    Examples
    --------
    >>> two_valued(np.array([0, 9, 9])), two_valued(np.array([1, 2])), two_valued(np.zeros(3))
    (True, False, True)
    """
    foreground = values != 0
    return not foreground.any() or _only_value(values, foreground) is not None


def _only_value(values: NDArray, foreground: NDArray[np.bool_]) -> Any:
    """Return the finite value of all of the foreground; None if there are several values."""
    first = values.flat[foreground.argmax()]
    one = np.isfinite(first) and (foreground == (values == first)).all()
    return first if one else None


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
    """Return the value, beside those of a mask, that seems to mark pixels without ground truth.

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
    """Return an array of bools or real numbers.

    Raises
    ------
    TypeError
        If they are something else, or some are masked.
    """
    array = unmasked(values, name)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name} has dtype {array.dtype}; expected booleans or numbers")
    return array
