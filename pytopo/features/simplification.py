"""``simplify``: an image without the points of less persistence.

image -> Diagram of one dimension -> basins to fill, or peaks to shave -> image -> ...

A component of little persistence is a shallow basin, and is filled to the value at which it
dies; a hole (a void) is a low peak, and is shaved down to the value at which it is born:

    value |  .       .        .       .         and upside down, with ^ for v
          |   \\     /          \\_____/
          |    \\_v_/               |
          |     birth   ->   death, of the pixels of the basin

One dimension is exact after one pass.  For both, filling may delay the birth of a
hole and shaving may hasten the death of a component, so passes alternate until nothing is left
to do.  `docs/regions.md` proves what is promised.
"""

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pytopo.features.neighbours import inside, steps, touch_at_corners
from pytopo.kernels.filling import fill
from pytopo.options import at_least, integers
from pytopo.order import FRAME, checked_image, frame_value
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

    simple = np.array(values, order="C")
    flat = simple.reshape(-1)
    heights = _Heights(simple, around)
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
        others = {d: flat[saddles[d]] for d in saddles if d != dim}
        descending = diagram.superlevel == (dim == 0)  # peaks are basins upside down
        corners = touch_at_corners(dim, values.ndim, construction)
        heights.fill_basins(seed[small], saddle[small], descending, corners)
        # The points of the other dimension are what they were unless a saddle has moved.  What
        # the frame's own component has lost is not known, so then they are computed again.
        for other, value in others.items():
            if around is not None or (flat[saddles[other]] != value).any():
                pending.append(other)
    return simple


def _checked_dims(dims: int | Iterable[int] | None, ndim: int) -> list[int]:
    """Return the dimensions in ascending order, checked."""
    possible = sorted({0, ndim - 1})
    if dims is None:
        return possible
    found = integers(dims)
    if not found or not set(found) <= set(possible):
        tunnels = " (tunnels can be neither filled nor shaved)" if ndim == 3 else ""
        raise ValueError(
            f"dims is {dims!r}; expected some of {possible} for {ndim} axes{tunnels}"
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
        same: np.generic = np.array([around]).astype(values.dtype)[0]
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


class _Heights:
    """A copy of an image, with a margin, in a dtype that the kernel takes; kept between passes.

    Parameters
    ----------
    image : (W,), (H, W) or (D, H, W) ndarray, C-contiguous
        Receives what is filled.
    around : numpy scalar or None
        Value of the frame, in the dtype of the image.
    """

    def __init__(self, image: NDArray, around: np.generic | None) -> None:
        self.image, self.around = image, around
        self.layers = 1 if around is None else 2
        self.dtype = _working_dtype(image.dtype)
        floats = self.dtype.kind == "f"
        highest = np.inf if floats else np.iinfo(self.dtype).max
        self.turn = np.negative if floats else np.invert  # -x - 1: no overflow
        shape = [n + 2 * self.layers for n in image.shape]
        self.height = np.full(shape, highest, self.dtype)

    def fill_basins(
        self,
        seed: NDArray[np.int64],
        saddle: NDArray[np.int64],
        descending: bool,
        corners: bool,
    ) -> None:
        """Fill basins of the image to their saddles.

        Parameters
        ----------
        seed, saddle : (n,) int64
            The lowest pixel of each basin, and the pixel whose value it takes; -2 in the frame.
        descending : bool
            Whether low means large: then these are peaks, and are shaved.
        corners : bool
            Whether pixels of a basin are neighbours where they share only a corner.
        """
        framed, inner = inside(self.height), inside(self.height, self.layers)
        values_of = _put(self.image, self.around, framed, inner)
        if descending:
            self.turn(framed, out=framed)
        flat = self.height.reshape(-1)
        level = flat[self._place(saddle)]
        outermost_first = np.argsort(level)[::-1]
        start = self._place(seed)[outermost_first]
        fill(start, level[outermost_first], steps(self.height.shape, corners), flat)
        if descending:
            self.turn(inner, out=inner)
        self.image[...] = values_of(inner)

    def _place(self, pixel: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return where pixels lie among the heights."""
        index = np.array(np.unravel_index(np.maximum(pixel, 0), self.image.shape))
        index += self.layers
        index[:, pixel == FRAME] = 1
        return np.ravel_multi_index(tuple(index), self.height.shape)


def _working_dtype(dtype: np.dtype) -> np.dtype:
    """Return one of four dtypes that can be made to sort like another.

    Examples
    --------
    >>> [str(_working_dtype(np.dtype(name))) for name in ("?", "u2", "u4", "f2", "f8")]
    ['int32', 'int32', 'int64', 'float32', 'float64']
    """
    if dtype.kind == "f":
        wide = dtype.itemsize > 8  # longdouble: ranks
        return np.dtype(np.int64 if wide else np.float32 if dtype.itemsize <= 4 else np.float64)
    narrow = dtype.kind == "b" or np.iinfo(dtype).max <= np.iinfo(np.int32).max
    return np.dtype(np.int32 if narrow else np.int64)


def _put(
    image: NDArray, around: np.generic | None, out_framed: NDArray, out_inner: NDArray
) -> Callable[[NDArray], NDArray]:
    """Write numbers that sort like the values of an image and its frame; return the way back.

    Parameters
    ----------
    image : (W,), (H, W) or (D, H, W) ndarray
    around : numpy scalar or None
    out_framed : ndarray, as large as the image with its frame
        Receives the number of the frame, if there is one.
    out_inner : ndarray of the shape of the image
        Its inner part, without the frame; receives the numbers of the image.
    """
    if image.dtype.kind == "f" and image.dtype.itemsize > 8:
        framed = image if around is None else np.pad(image, 1, constant_values=around)
        levels, ranks = np.unique(framed, return_inverse=True)
        out_framed[...] = ranks.reshape(framed.shape)
        return lambda found: levels[found]
    # Unsigned 64-bit integers are shifted by half of their range, which turns the upper bit.
    if image.dtype.kind == "u" and image.dtype.itemsize == 8:
        upper = np.uint64(2**63)
        if around is not None:
            out_framed[...] = int(around) - 2**63
        out_inner[...] = (image ^ upper).astype(np.uint64).view(np.int64)
        return lambda found: found.copy().view(np.uint64) ^ upper
    if around is not None:
        out_framed[...] = around
    out_inner[...] = image
    return lambda found: found
