"""Labels that mark pixels without ground truth.

    stored   0   1  255        and 255 is named
    truth    0   1   -1        int8; without such values the truth is bool

Whoever learns from a truth or evaluates against it leaves -1 out (``ignore_index=-1``).
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from pytopo.images.background import checked_background, is_background
from pytopo.images.masks import Advice, Mask, mask_of

IGNORED = -1  # in a truth
Truth = NDArray[np.bool_] | NDArray[np.int8]

MASK_ADVICE = Advice(
    ids="or ids of cells with ids=True (data.ids)",
    grey="or a mask of it: membrane as 1 and all else 0",
    ignore="or the third value to ignore: ignore=255 (data.ignore=[255])",
)


def checked_ignored(ignore: int | Iterable[int] | None) -> tuple[int, ...]:
    """Return the values of labels that mark pixels without ground truth; none for None.

    Raises
    ------
    TypeError
        If they are not integers.
    """
    return () if ignore is None else checked_background(ignore)


def read_mask(stored: NDArray, where: str, ignore: tuple[int, ...]) -> tuple[Truth, Mask]:
    """Read a mask with pixels to ignore.

    Parameters
    ----------
    stored : ndarray
    where : str
        Its name in messages.
    ignore : tuple of int
        Values of pixels without ground truth.

    Returns
    -------
    truth : ndarray of bool, or of int8 if values are named
    mask : Mask
        What is to be said about the values.

    Examples
    --------
    >>> read_mask(np.array([0, 1, 255], np.uint8), "here", (255,))[0]
    array([ 0,  1, -1], dtype=int8)
    """
    if not ignore:
        mask = mask_of(stored, where, MASK_ADVICE)
        return mask.array, mask
    is_whole = stored.dtype.kind in "biu"
    ignored = is_background(stored, ignore) if is_whole else np.isin(stored, ignore)
    mask = mask_of(np.where(ignored, stored.dtype.type(0), stored), where, MASK_ADVICE)
    return marked(mask.array, ignored), mask


def marked(truth: NDArray[np.bool_], ignored: NDArray[np.bool_]) -> NDArray[np.int8]:
    """Return a truth with its ignored pixels marked."""
    return np.where(ignored, np.int8(IGNORED), truth.astype(np.int8))


def inverted(truth: Truth) -> Truth:
    """Return a truth whose foreground is the background; ignored pixels stay.

    Examples
    --------
    >>> inverted(np.array([0, 1, -1], np.int8))
    array([ 1,  0, -1], dtype=int8)
    """
    return ~truth if truth.dtype == bool else marked(truth == 0, truth == IGNORED)
