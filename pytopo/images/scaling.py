"""Grey values on [0, 1]: integers by the range of their dtype, floats as they are.

uint8   0 ... 255         ->  0 ... 1     the range of the dtype, not of the image, so
uint16  0 ... 65535       ->  0 ... 1     that equal values of two images stay equal
float   0 ... 1           ->  as stored, and rounding errors outside [0, 1] are clipped
"""

import numpy as np
from numpy.typing import NDArray

ROUNDING = 1e-6  # how far a likelihood may always leave [0, 1] by rounding
LITTLE = 0.1  # of the range of a dtype


def scaled(stored: np.ndarray) -> np.ndarray:
    """Put integers and bools on [0, 1] by the range of their dtype; floats stay as they are.

    Parameters
    ----------
    stored : ndarray of bools or real numbers

    Returns
    -------
    values : ndarray
        float32 up to 16 bits, float64 above.

    Raises
    ------
    ValueError
        If two values of 64 bits would become one.

    Examples
    --------
    >>> scaled(np.array([0, 51, 255], np.uint8))
    array([0. , 0.2, 1. ], dtype=float32)
    """
    if stored.dtype.kind == "f":
        return stored
    if stored.dtype.itemsize == 8:
        _refuse_merging(np.unique(stored))
    return _unit(stored)


def _unit(stored: np.ndarray) -> np.ndarray:
    """Return integers and bools on [0, 1]; the ends of the range of their dtype are 0 and 1."""
    unit = stored.astype(np.float32 if stored.dtype.itemsize <= 2 else np.float64)
    if stored.dtype.kind == "b":
        return unit
    low, high = int(np.iinfo(stored.dtype).min), int(np.iinfo(stored.dtype).max)
    np.subtract(unit, float(low), out=unit)
    return np.divide(unit, float(high - low), out=unit)


def _refuse_merging(values: np.ndarray) -> None:
    """Refuse sorted `values` of which scaling would make two equal."""
    # Rounding keeps their order, so it is enough to compare neighbours.
    merged = np.flatnonzero(np.diff(_unit(values)) == 0)
    if merged.size:
        one, other = values[merged[0]], values[merged[0] + 1]
        raise ValueError(
            f"scaled to [0, 1] by the range of {values.dtype.name}, {one} and {other} would be "
            "one value"
        )


def clipped_to_unit(values: NDArray) -> NDArray | None:
    """Return floats on [0, 1]: values outside it by no more than a rounding error are clipped.

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
    """Return a note if an image of integers uses little of the range by which it is scaled.

    Parameters
    ----------
    share : float
        Largest minus least value of the scaled image; for a constant image, 0, there is no
        note.
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
