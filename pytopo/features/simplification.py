"""``simplify``: an image without the points of less persistence.

image -> Diagram of one dimension -> basins to fill, or peaks to shave -> image -> ...

A component of little persistence is a shallow basin, and is filled to the value at which it
dies; a hole (a void) is a low peak, and is shaved down to the value at which it is born:

    value |  .       .        .       .         and upside down, with ^ for v
          |   \\     /          \\_____/
          |    \\_v_/               |
          |     birth   ->   death, of the pixels of the basin

One dimension is exact after one pass.  Where both are wanted, filling may delay the birth of a
hole and shaving may hasten the death of a component, so passes alternate until nothing is left
to do.  `docs/regions.md` proves what is promised.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pytopo.features.neighbours import inside, steps, touch_at_corners
from pytopo.kernels.filling import fill
from pytopo.options import at_least, integers
from pytopo.order import FRAME, checked_image, fill_keys, frame_value, key_dtype
from pytopo.pairing import persistence


def simplify(
    image: ArrayLike,
    min_persistence: float,
    dims: int | Iterable[int] | None = None,
    *,
    superlevel: bool = False,
    construction: str = "V",
    frame: float | bool | None = None,
    threads: int | None = 1,
) -> NDArray:
    """Return an image without the features of less persistence.

    What is promised:

    - No point of these dimensions with a persistence below ``min_persistence`` is left, but
      that of the frame's own component (birth pixel -2), which no pixel of the image can move.
    - No pixel moves by ``min_persistence`` or more, so no point of persistence
      2 ``min_persistence`` or more is lost.
    - Of one dimension alone, its points of at least that persistence stay as they are.  Of two
      together, components keep their births and may die earlier, holes and voids keep their
      deaths and may be born later, by less than ``min_persistence``; what falls below it goes.

    Parameters
    ----------
    image : array_like, (W,), (H, W) or (D, H, W)
        As in `pytopo.persistence`.
    min_persistence : float
        Features whose birth and death differ by less than this much are removed.
    dims : int, iterable of int or None
        0, components; and the number of axes - 1, holes of an image and voids of a volume.
        ``None`` for both.  Tunnels of a volume stay.
    superlevel, construction, frame
        As in `pytopo.persistence`, of whose diagram the points are.
    threads : int or None
        Number of threads for the diagrams; ``None`` for as many as there are cores.

    Returns
    -------
    simple : ndarray, of the shape and dtype of the image
        Every value is one of the image or of its frame, so integers stay integers, exactly.

    Raises
    ------
    TypeError
        If the image or an option has the wrong type.
    ValueError
        If the image is not what `pytopo.persistence` takes, an option has an impossible
        value, ``dims`` has 1 for a volume, or the dtype of the image cannot hold the value of
        the frame.

    References
    ----------
    Edelsbrunner, Morozov, Pascucci (2006), "Persistence-sensitive simplification of functions
    on 2-manifolds", doi:10.1145/1137856.1137878.  Attali, Glisse, Hornus, Lazarus, Morozov
    (2009), "Persistence-sensitive simplification of functions on surfaces in linear time".
    Bauer, Lange, Wardetzky (2012), "Optimal topological simplification of discrete functions
    on surfaces", doi:10.1007/s00454-011-9350-z.

    Examples
    --------
    The shallow basin at 3 is filled to 4, the deep one at 0 stays; then the low peak goes too:

    >>> import numpy as np, pytopo
    >>> image = np.array([[9, 9, 9, 9, 9, 9],
    ...                   [9, 3, 4, 0, 0, 9],
    ...                   [9, 9, 9, 0, 2, 9],
    ...                   [9, 9, 9, 9, 9, 9]])
    >>> pytopo.simplify(image, 2, dims=0)[1]
    array([9, 4, 4, 0, 0, 9])
    >>> pytopo.simplify([0, 5, 4, 5, 0, 9, 8, 9], 3)
    array([0, 5, 5, 5, 0, 9, 9, 9])
    """
    values = checked_image(image)
    pending = _checked_dims(dims, values.ndim)
    least = at_least(min_persistence, "min_persistence", 0)
    around = _frame_of_dtype(values, frame, superlevel)
    top = values.ndim - 1

    simple = np.array(values, order="C")
    saddles: dict[int, NDArray[np.int64]] = {}  # of the points that stay, by dimension
    while pending:
        dim = pending.pop(0)
        diagram = persistence(
            simple, dim, superlevel=superlevel, construction=construction,
            frame=_number(around), threads=threads,
        )  # fmt: skip
        small = diagram.persistence < least
        seed, saddle = diagram.birth_pixel, diagram.death_pixel
        if dim == 0:
            small &= seed != FRAME
        else:
            seed, saddle = saddle, seed
        saddles[dim] = saddle[~small & (saddle >= 0)]
        if not small.any():
            continue
        descending = diagram.superlevel == (dim == 0)  # peaks are basins upside down
        corners = touch_at_corners(dim, values.ndim, construction)
        levelled = _levelled(simple, seed[small], saddle[small], descending, corners, around)
        # The points of the other dimension are what they were unless a saddle has moved.  What
        # the frame's own component has lost is not known, so then they are computed again.
        for other in saddles.keys() - {dim}:
            here = saddles[other]
            moved = levelled.reshape(-1)[here] != simple.reshape(-1)[here]
            if around is not None or moved.any():
                pending.append(other)
        simple = levelled
    return simple


def _checked_dims(dims: int | Iterable[int] | None, ndim: int) -> list[int]:
    """Return the dimensions in ascending order, checked."""
    possible = sorted({0, ndim - 1})
    if dims is None:
        return possible
    found = integers(dims)
    if not found or not set(found) <= set(possible):
        tunnels = " (tunnels cannot be filled or shaved)" if ndim == 3 else ""
        raise ValueError(
            f"dims is {dims!r}; expected some of {possible} for an image of {ndim} axes{tunnels}"
        )
    return sorted(set(found))


def _frame_of_dtype(
    values: NDArray, frame: float | bool | None, superlevel: bool
) -> np.generic | None:
    """Return the value of the frame in the dtype of the image: basins are filled to it."""
    around = frame_value(values, frame, superlevel)
    if around is None:
        return None
    with np.errstate(all="ignore"):
        same = np.array(around).astype(values.dtype)[()]
    if same != around:
        raise ValueError(
            f"frame is {frame!r}, which {values.dtype} cannot hold; pixels may have to take it"
        )
    return same


def _number(around: np.generic | None) -> float | None:
    """Return the value of the frame as an option; True would mean something else there."""
    if around is None:
        return None
    return int(around) if around.dtype == bool else around.item()


def _levelled(
    values: NDArray,
    seed: NDArray[np.int64],
    saddle: NDArray[np.int64],
    descending: bool,
    corners: bool,
    around: np.generic | None,
) -> NDArray:
    """Return the image with some basins filled to their saddles.

    Parameters
    ----------
    values : (W,), (H, W) or (D, H, W) ndarray, C-contiguous
    seed, saddle : (n,) int64, n > 0
        The lowest pixel of each basin, and the pixel whose value it takes; -2 in the frame.
    descending : bool
        Whether low means large: then these are peaks, and are shaved.
    corners : bool
        Whether pixels of a basin are neighbours where they share only a corner.
    around : numpy scalar or None
        Value of the frame, in the dtype of the image.
    """
    layers = 1 if around is None else 2
    framed = values if around is None else np.pad(values, 1, constant_values=around)
    height = _heights(framed, descending)

    def place(pixel: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return where pixels lie among the heights."""
        index = np.array(np.unravel_index(np.maximum(pixel, 0), values.shape)) + layers
        index[:, pixel == FRAME] = 1
        return np.ravel_multi_index(tuple(index), height.shape)

    flat = height.reshape(-1)
    level = flat[place(saddle)]
    outermost_first = np.argsort(level, kind="stable")[::-1]
    before = height.copy()
    fill(
        place(seed)[outermost_first], level[outermost_first], steps(height.shape, corners), flat
    )

    # What was raised has the height of a saddle now, and takes its value.
    levels, first = np.unique(level, return_index=True)
    value = values.reshape(-1)[np.maximum(saddle[first], 0)]
    if around is not None:
        value[saddle[first] == FRAME] = around
    raised = inside(height != before, layers)
    simple = values.copy()
    simple[raised] = value[np.searchsorted(levels, inside(height, layers)[raised])]
    return simple


def _heights(values: NDArray, descending: bool) -> NDArray[np.signedinteger]:
    """Return integers that sort like the values, in a margin that is higher than all."""
    dtype = key_dtype(values.dtype)
    height = np.full([n + 2 for n in values.shape], np.iinfo(dtype).max, dtype)
    absent = (1,) * (3 - values.ndim)
    inner = inside(height).reshape(absent + values.shape)  # a view: axes are only added
    fill_keys(values.reshape(absent + values.shape), descending, [None] * inner.shape[0], inner)
    return height
