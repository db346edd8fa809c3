"""``feature_mask``: the pixels of one point of a diagram, at its largest.

A component grows until it dies, so its pixels are those that are connected to its birth pixel
just before its death.  A hole or a void shrinks until it is filled, so its pixels are those
that are connected to its death pixel, through what is not there yet, just after its birth:

    1 2 3 2 1       the component that is born at    . . . . .     . . . . .
    2 9 9 8 2       5 and dies at 9, and the hole    . . . . .     . # # # .
    3 9 5 9 3       that is born at 3, when the      . . # . .     . # # # .
    2 9 9 9 2       ring closes                      . . . . .     . # # # .
    1 2 3 2 1                                        . . . . .     . . . . .
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pytopo.diagram import ESSENTIAL, Diagram
from pytopo.features.neighbours import inside, steps, touch_at_corners
from pytopo.features.tunnel import tunnel_mask
from pytopo.kernels.filling import fill
from pytopo.options import integer, real
from pytopo.order import FRAME, checked_image, frame_value, value_dtype


def feature_mask(
    image: ArrayLike, diagram: Diagram, k: int, *, threshold: float | None = None
) -> NDArray[np.bool_]:
    """Return the pixels that a point of a diagram stands for.

    Of a component, these are its pixels just before it dies; of a hole (2D) or a void (3D),
    the pixels inside it just after it is born.  "Before" is meant in the order of the pixels
    (value, then pixel index), so ties are exact.  The component that never dies is all of the
    image at the end.  Of a tunnel of a volume, which has no inside, these are the voxels of
    one closed curve around it.

    Parameters
    ----------
    image : array_like, (W,), (H, W) or (D, H, W)
        The image that the diagram was computed from.
    diagram : Diagram
        Superlevel, construction and frame are taken from it.
    k : int
        Row of the diagram, counted from 0.
    threshold : float or None
        Take the feature as it is at this threshold, at which it must be alive, instead of at
        its largest.  Not for tunnels.

    Returns
    -------
    mask : bool ndarray, of the shape of the image
        Pixels of the frame connect pixels of the image, and are not returned.

    Raises
    ------
    TypeError
        If the image, the diagram or the threshold has the wrong type.
    ValueError
        If the diagram is not one of this image, has no row ``k``, or the feature is not alive
        at the threshold; for tunnels, if there is a threshold, or the volume has more than
        2^18 voxels.

    References
    ----------
    Dey, Hou, Mandal (2020), "Computing minimal persistent cycles: polynomial and hard cases",
    section 1: why holes of codimension 1 have an inside to show, and tunnels a cycle only.

    Examples
    --------
    >>> import numpy as np, pytopo
    >>> image = np.array([[1, 2, 3, 2, 1],
    ...                   [2, 9, 9, 8, 2],
    ...                   [3, 9, 5, 9, 3],
    ...                   [2, 9, 9, 9, 2],
    ...                   [1, 2, 3, 2, 1]])
    >>> d = pytopo.persistence(image).select(min_persistence=3)
    >>> d.points(1)
    array([[3., 9.]])
    >>> pytopo.feature_mask(image, d, 2).astype(int)
    array([[0, 0, 0, 0, 0],
           [0, 1, 1, 1, 0],
           [0, 1, 1, 1, 0],
           [0, 1, 1, 1, 0],
           [0, 0, 0, 0, 0]])
    >>> pytopo.feature_mask(image, d, 2, threshold=8).astype(int).sum()
    np.int64(7)
    """
    values = np.ascontiguousarray(checked_image(image))
    around = checked_origin(values, diagram)
    row = integer(k)
    if row is None or not 0 <= row < len(diagram):
        raise ValueError(f"k is {k!r}; expected a row of the diagram, 0 to {len(diagram) - 1}")
    dim = int(diagram.dim[row])
    if 0 < dim < values.ndim - 1:
        if threshold is not None:
            raise ValueError("a tunnel has no mask at a threshold; expected threshold=None")
        return tunnel_mask(values, diagram, row, around)

    if threshold is None:
        present, frame_present = _present_at_largest(values, diagram, row, around)
    else:
        present, frame_present = _present_at(values, diagram, row, around, threshold)
    seed = int((diagram.birth_pixel if dim == 0 else diagram.death_pixel)[row])
    # A component is flooded through what is present, a hole or a void through what is not.
    open_ = present if dim == 0 else ~present
    if around is not None:
        open_ = np.pad(open_, 1, constant_values=frame_present == (dim == 0))
    place = np.array(np.unravel_index(max(seed, 0), values.shape)) + (around is not None)
    if seed == FRAME:
        place[:] = 0
        last = int(diagram.death_pixel[row])
        if frame_dies_on_the_right(values, last, diagram.superlevel, around):
            place[:] = values.size + 1

    height = np.pad(np.where(open_, np.int32(0), np.int32(1)), 1, constant_values=1)
    before = height.copy()
    fill(
        np.array([np.ravel_multi_index(tuple(place + 1), height.shape)]),
        np.ones(1, np.int32),
        steps(height.shape, touch_at_corners(dim, values.ndim, diagram.construction)),
        height.reshape(-1),
    )
    return inside(height != before, 1 if around is None else 2).copy()


def checked_origin(values: NDArray, diagram: Diagram) -> int | np.floating | None:
    """Return the value of the frame, once the diagram is known to be of the image."""
    if not isinstance(diagram, Diagram):
        raise TypeError(f"diagram is {type(diagram).__name__}; expected a Diagram")
    if values.shape != diagram.shape:
        raise ValueError(
            f"image has shape {values.shape}, and the diagram is of an image of shape "
            f"{diagram.shape}"
        )
    around = frame_value(values, diagram.frame, diagram.superlevel)
    flat = values.reshape(-1).astype(value_dtype(values), copy=False)
    for what in ("birth", "death"):
        pixel, expected = getattr(diagram, f"{what}_pixel"), getattr(diagram, what)
        found = flat[np.maximum(pixel, 0)]
        differs = (pixel >= 0) & (found != expected)
        if differs.any():
            i = int(differs.argmax())
            raise ValueError(
                f"the diagram is not of this image: row {i} has its {what} at {expected[i]:g} "
                f"in pixel {pixel[i]}, where the image is {found[i]:g}"
            )
    return around


def _present_at_largest(
    values: NDArray, diagram: Diagram, row: int, around: int | np.floating | None
) -> tuple[NDArray[np.bool_], bool]:
    """Return which pixels are there, and whether the frame is, when a feature is largest."""
    if diagram.dim[row] == 0:
        last = int(diagram.death_pixel[row])
        if last == ESSENTIAL:
            return np.ones(values.shape, bool), True
        return before(values, last, diagram.superlevel, around)
    # A hole is there once its birth pixel is: just before it, and that pixel.
    pixel = int(diagram.birth_pixel[row])
    present, frame_present = before(values, pixel, diagram.superlevel, around)
    if pixel == FRAME:
        return present, True
    present.reshape(-1)[pixel] = True
    return present, frame_present


def before(
    values: NDArray, pixel: int, superlevel: bool, around: int | np.floating | None
) -> tuple[NDArray[np.bool_], bool]:
    """Tell which pixels come before one, and whether the frame does; all of the frame at once.

    Examples
    --------
    >>> values = np.array([3, 1, 1, 2])
    >>> before(values, 3, superlevel=False, around=2)
    (array([False,  True,  True, False]), True)
    >>> before(values, 2, superlevel=True, around=0)
    (array([ True,  True, False,  True]), False)
    """
    if pixel == FRAME:
        return (values > around if superlevel else values < around), False
    value = values.reshape(-1)[pixel]
    present = values > value if superlevel else values < value
    present.reshape(-1)[:pixel] |= values.reshape(-1)[:pixel] == value
    if around is None:
        return present, False
    return present, bool(around >= value if superlevel else around <= value)


def frame_dies_on_the_right(
    values: NDArray, death_pixel: int, superlevel: bool, around: int | np.floating | None
) -> bool:
    """Tell which component of the frame dies: of one axis it has two, a pixel on either side.

    The one on the right, if it meets the death pixel and is the eldest pixel that comes along.

    Examples
    --------
    >>> frame_dies_on_the_right(np.array([2, 1, 2, 1]), 2, superlevel=False, around=0)
    True
    >>> frame_dies_on_the_right(np.array([2, 1, 2, -1]), 2, superlevel=False, around=0)
    False
    """
    if values.ndim > 1 or death_pixel == ESSENTIAL:
        return False
    right = slice(death_pixel + 1, None)
    present, _ = before(values, death_pixel, superlevel, around)
    elder, _ = before(values, FRAME, superlevel, around)
    return bool(present[right].all() and not elder[right].any())


def _present_at(
    values: NDArray,
    diagram: Diagram,
    row: int,
    around: int | np.floating | None,
    threshold: float,
) -> tuple[NDArray[np.bool_], bool]:
    """Return which pixels are there, and whether the frame is, at a threshold."""
    level = real(threshold)
    if level is None:
        raise TypeError(f"threshold is {threshold!r}; expected a number or None")
    if isinstance(threshold, np.floating):  # compare in its dtype, as `Diagram.betti` does
        level = threshold
    birth, death = diagram.birth[row], diagram.death[row]
    if diagram.superlevel:
        alive = birth >= level and (death < level or diagram.essential[row])
    else:
        alive = birth <= level and (death > level or diagram.essential[row])
    if not alive:
        raise ValueError(
            f"threshold is {threshold!r}, where row {row} is not alive: it is born at "
            f"{birth:g} and dies at {death:g}"
        )
    if diagram.superlevel:
        return values >= level, around is not None and bool(around >= level)
    return values <= level, around is not None and bool(around <= level)
