"""Which pixels touch: flat steps to the neighbours of a pixel, with a margin around the image.

The margin is one layer thick, so that a step from any pixel of the image ends inside the
array, and no kernel has to ask for a border:

    m m m m m
    m . . . m        steps in an array of 5 columns: sides -5, -1, 1, 5;
    m . p . m        with corners -6, -4, 4, 6 as well
    m m m m m
"""

from itertools import product

import numpy as np
from numpy.typing import NDArray


def touch_at_corners(dim: int, ndim: int, construction: str) -> bool:
    """Tell whether the pixels of a feature are neighbours where they share only a corner.

    Components are made of foreground, and holes and voids of background, which is connected
    the other way: see "V and T" in `docs/conventions.md`.

    Parameters
    ----------
    dim : int
        0, or ``ndim - 1``.
    ndim : int
        Number of axes of the image.
    construction : {"V", "T"}

    Examples
    --------
    >>> touch_at_corners(0, 2, "V"), touch_at_corners(1, 2, "V")
    (False, True)
    """
    is_component = dim == 0
    return is_component == (construction == "T")


def steps(shape: tuple[int, ...], corners: bool) -> NDArray[np.int64]:
    """Return the distances, in flat C order, from a pixel to its neighbours.

    Parameters
    ----------
    shape : tuple of int
        Of the array with its margin.
    corners : bool
        Whether to count neighbours that share no side.

    Returns
    -------
    steps : (2,), (4,), (8,), (6,) or (26,) int64

    Examples
    --------
    >>> steps((4, 5), corners=False).tolist()
    [-5, -1, 1, 5]
    """
    stride = np.cumprod((1, *shape[:0:-1]))[::-1]
    offsets = np.array([o for o in product((-1, 0, 1), repeat=len(shape)) if any(o)])
    if not corners:
        offsets = offsets[np.abs(offsets).sum(axis=1) == 1]
    return (offsets @ stride).astype(np.int64)


def inside(margined: NDArray, layers: int = 1) -> NDArray:
    """Return an array without its margin, as a view."""
    return margined[(slice(layers, -layers),) * margined.ndim]
