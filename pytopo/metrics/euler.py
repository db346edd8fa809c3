"""The Euler characteristic of masks: cells counted with alternating signs.

    vertices - edges + squares  =  components - holes             in 2D
                       - cubes  =  components - tunnels + voids   in 3D

One number, without any labelling.  Errors of different dimensions may cancel in it: a component
too many and a hole too many leave it as it is.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pytopo.metrics.inputs import checked_mask, checked_masks
from pytopo.options import checked_construction, flag


def euler_characteristic(
    mask: ArrayLike, *, construction: str = "V", frame: bool = False
) -> int:
    """Return the Euler characteristic of a mask, the alternating sum of its Betti numbers.

    Parameters are those of `pytopo.metrics.betti_numbers`, and so are the errors.

    Examples
    --------
    >>> euler_characteristic([[1, 1, 1, 0, 1], [1, 0, 1, 0, 1], [1, 1, 1, 0, 1]])
    1
    """
    checked = checked_mask(mask, "mask")
    checked_construction(construction)
    return euler_number(framed(checked) if flag(frame, "frame") else checked, construction)


def euler_error(
    prediction: ArrayLike,
    target: ArrayLike,
    *,
    construction: str = "V",
    frame: bool = False,
    ignore: ArrayLike | None = None,
    ignore_index: int | None = None,
) -> int:
    """Return by how much the Euler characteristics of two masks differ.

    Parameters are those of `pytopo.metrics.betti_error`, and so are the errors.

    Examples
    --------
    A component and a hole are missing, and the error is 0:

    >>> target = np.array([[1, 1, 1, 0, 1], [1, 0, 1, 0, 1], [1, 1, 1, 0, 1]])
    >>> euler_error(np.ones((3, 5)), target), euler_error(np.zeros((3, 5)), target)
    (0, 1)
    """
    masks = checked_masks(prediction, target, ignore, ignore_index)
    checked_construction(construction)
    numbers = [
        euler_number(framed(mask) if frame else mask, construction)
        for mask in masks.filled(flag(frame, "frame"))
    ]
    return abs(numbers[0] - numbers[1])


def framed(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return a mask with one layer of foreground around it."""
    return np.pad(mask, 1, constant_values=True)


def euler_number(mask: NDArray[np.bool_], construction: str) -> int:
    """Count vertices - edges + squares - cubes of a mask."""
    behind = int(construction == "T")  # the points on the far side of the last pixels
    return euler_number_behind(np.pad(mask, (1, behind)), construction)


def euler_number_behind(
    mask: NDArray[np.bool_], construction: str, axes: int | None = None
) -> int:
    """Count cells behind the first layer of pixels of each axis, one axis after the other.

    Along an axis a cell is a point or an interval.  In V pixels are points, and an interval
    is present if both its ends are; in T pixels are intervals, and a point is present if one
    of its two intervals is.  ``axes`` is how many axes are left; None for all.
    """
    axes = mask.ndim if axes is None else axes
    if axes == 0:
        return int(np.count_nonzero(mask))
    axis = axes - 1
    own = mask[(slice(None),) * axis + (slice(1, None),)]
    before = mask[(slice(None),) * axis + (slice(None, -1),)]
    if construction == "V":
        points, intervals = own, own & before
    else:
        points, intervals = own | before, own
    return euler_number_behind(points, construction, axis) - euler_number_behind(
        intervals, construction, axis
    )
