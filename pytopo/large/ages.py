"""When a pixel comes, in numbers that mean the same in every tile.

Inside a tile the fast algorithm compares keys that may depend on what else is in the tile.
Pixels that leave it need an *age*, a pair of 64-bit integers: a key of their value, and their
index in the whole image.  Ages compare like the pixels in the order of the whole image:

    value 0.5 at pixel 7  ->  (key of 0.5, 7)      before      (key of 0.5, 9)

The frame comes before its equals, so its pixels have negative indices.  Holes and voids are
swept the other way round, with both numbers inverted.
"""

import math
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pytopo.diagram import ESSENTIAL
from pytopo.kernels.keys import float_keys
from pytopo.order import FRAME, value_dtype

FIRST, LAST = np.iinfo(np.int64).min, np.iinfo(np.int64).max  # of ages: eldest, and never
EARLIEST = "earliest"  # a frame with the value of the earliest pixel, which no tile knows

Box = tuple[tuple[int, int], ...]  # first and behind the last pixel, along each axis


class Sweep(NamedTuple):
    """What is asked of an image, the same for all of its tiles; checked.

    Attributes
    ----------
    shape : tuple of 2 or 3 int
        Of the whole image.
    dtype : numpy.dtype
    dims : tuple of int
        0, and the number of axes - 1, or one of them.
    superlevel : bool
    construction : {"V", "T"}
    frame : int, numpy float, "earliest" or None
        As `pytopo.order.frame_value` returns it; "earliest" for True.
    min_persistence : float
    """

    shape: tuple[int, ...]
    dtype: np.dtype
    dims: tuple[int, ...]
    superlevel: bool = False
    construction: str = "V"
    frame: Any = None
    min_persistence: float = 0.0


class Ages(NamedTuple):
    """Keys and pixels, (n,) int64 each; in the frame negative, or behind those of the image."""

    key: NDArray[np.int64]
    pixel: NDArray[np.int64]

    def some(self, which: NDArray) -> "Ages":
        """Return some of the ages, by number or by mask."""
        return Ages(self.key[which], self.pixel[which])


def keys_of(values: NDArray, superlevel: bool) -> NDArray[np.int64]:
    """Return integers that sort like values of an image, whatever else is in it.

    Examples
    --------
    >>> keys_of(np.array([3, 1, 2], np.uint8), superlevel=True).tolist()
    [-4, -2, -3]
    """
    if values.dtype.kind == "f":
        wide = values.astype(np.float32 if values.dtype.itemsize == 4 else np.float64)
        bits = wide.view(np.int32 if values.dtype.itemsize == 4 else np.int64)
        keys = np.empty((1, 1, bits.size), bits.dtype)
        magnitude = 2 ** (8 * bits.itemsize - 1) - 1
        float_keys(bits.reshape(1, 1, -1), 8 * bits.itemsize - 1, magnitude, -superlevel, keys)
        return keys.reshape(values.shape).astype(np.int64)
    if values.dtype == np.uint64:
        keys = (values ^ np.uint64(2**63)).view(np.int64)
    else:
        keys = values.astype(np.int64)
    return ~keys if superlevel else keys


def values_of(keys: NDArray[np.int64], dtype: np.dtype, superlevel: bool) -> NDArray:
    """Return the values of some keys, in the dtype of births and deaths.

    Examples
    --------
    >>> keys = keys_of(np.array([-0.5, 2.0]), superlevel=False)
    >>> values_of(keys, np.dtype(float), superlevel=False)
    array([-0.5,  2. ])
    """
    keys = ~keys if superlevel else keys
    if dtype.kind == "f":
        single = dtype.itemsize == 4
        bits = keys.astype(np.int32) if single else keys.copy()
        bits ^= (bits >> (8 * bits.itemsize - 1)) & np.iinfo(bits.dtype).max
        return bits.view(np.float32 if single else np.float64)
    if dtype == np.uint64:
        return (keys.view(np.uint64) ^ np.uint64(2**63)).astype(np.float64)
    return keys.astype(np.float64)


class FramePlace(NamedTuple):
    """Where the frame comes among the pixels.

    Attributes
    ----------
    key : int
        It comes directly before the pixels of this key,
    behind : bool
        or behind all of them.
    equal : bool
        Whether pixels of that key have the value of the frame.
    value : float
        NaN if no tile knows it.
    """

    key: int
    behind: bool
    equal: bool
    value: float


@cache
def frame_place(sweep: Sweep) -> FramePlace:
    """Return where the frame of a sweep comes; it has one."""
    frame, dtype, down = sweep.frame, sweep.dtype, sweep.superlevel
    if isinstance(frame, str):
        return FramePlace(FIRST, False, False, math.nan)
    value = float(value_dtype(np.empty(0, dtype))(frame))
    if dtype.kind == "f":
        exact = np.array([value], np.float32 if dtype.itemsize == 4 else np.float64)
        return FramePlace(int(keys_of(exact, down)[0]), False, True, value)
    # The first whole number in the order of the sweep that is not before the frame.
    low, high = (0, 1) if dtype.kind == "b" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    if isinstance(frame, int):
        nearest = frame
    elif math.isinf(value):
        nearest = high + 1 if value > 0 else low - 1
    else:
        nearest = math.floor(value) if down else math.ceil(value)
    behind = nearest < low if down else nearest > high
    inside = min(max(int(nearest), int(low)), int(high))
    of_dtype = np.array([inside], np.uint8 if dtype.kind == "b" else dtype)
    equal = not behind and inside == frame
    return FramePlace(int(keys_of(of_dtype, down)[0]), behind, equal, value)


def index_in_frame(pixel: NDArray[np.int64], sweep: Sweep) -> NDArray[np.int64]:
    """Return the second number of the age of frame pixels: negative, or behind the image.

    Parameters
    ----------
    pixel : (n,) int64
        -1 - the index with a layer around the image, as
        `pytopo.kernels.open_branches.places_in_image` returns it.
    """
    layered = math.prod(n + 2 for n in sweep.shape)
    behind = frame_place(sweep).behind
    return -1 - pixel + (math.prod(sweep.shape) if behind else -layered)


def coordinates(pixel: NDArray[np.int64], sweep: Sweep) -> tuple[NDArray[np.int64], ...]:
    """Return the coordinates of pixels; in the frame one of them is -1 or the extent."""
    size, layered = math.prod(sweep.shape), math.prod(n + 2 for n in sweep.shape)
    in_frame = (pixel < 0) | (pixel >= size)
    index = np.unravel_index(np.where(in_frame, 0, pixel), sweep.shape)
    if in_frame.any():
        framed = pixel[in_frame]
        place = np.where(framed < 0, framed + layered, framed - size)
        of_frame = np.unravel_index(place, tuple(n + 2 for n in sweep.shape))
        for all_of_axis, some in zip(index, of_frame):
            all_of_axis[in_frame] = some - 1
    return index


class Points(NamedTuple):
    """Rows of a diagram, in no order; NaN for the value of a frame that no tile knows."""

    dim: NDArray[np.int8]
    birth: NDArray[np.floating]
    death: NDArray[np.floating]
    birth_pixel: NDArray[np.int64]
    death_pixel: NDArray[np.int64]

    def some(self, which: NDArray) -> "Points":
        """Return some of the rows, by number or by mask."""
        return Points(
            self.dim[which],
            self.birth[which],
            self.death[which],
            self.birth_pixel[which],
            self.death_pixel[which],
        )


def points_of(dim: int, node: Ages, saddle: Ages, sweep: Sweep) -> Points:
    """Return the points of extrema whose components end at saddles.

    Parameters
    ----------
    dim : int
    node, saddle : Ages
        Both numbers inverted unless ``dim`` is 0; a saddle of `LAST` never comes.

    Returns
    -------
    Points
        Without those of equal values, and of less persistence than is asked for.
    """
    never = saddle.pixel == LAST
    equal = (node.key == saddle.key) & ~never
    if dim > 0:
        node, saddle = Ages(~node.key, ~node.pixel), Ages(~saddle.key, ~saddle.pixel)
    values, pixels, framed = [], [], []
    for key, pixel in (node, saddle):
        value = values_of(key, sweep.dtype, sweep.superlevel)
        in_frame = np.zeros(pixel.size, bool)
        if sweep.frame is not None:
            in_frame = (pixel < 0) | (pixel >= math.prod(sweep.shape))
            value[in_frame] = frame_place(sweep).value
        values.append(value)
        pixels.append(np.where(in_frame, FRAME, pixel))
        framed.append(in_frame)
    if sweep.frame is not None and not frame_place(sweep).equal:
        equal &= framed[0] == framed[1]  # the frame has the key of other values
    values[1][never] = -math.inf if sweep.superlevel else math.inf
    pixels[1][never] = ESSENTIAL
    if dim > 0:
        values, pixels = values[::-1], pixels[::-1]
    kept = ~equal & ~_too_short(values[0], values[1], sweep)
    dims = np.full(np.count_nonzero(kept), dim, np.int8)
    return Points(dims, *(v[kept] for v in values), *(p[kept] for p in pixels))


def _too_short(birth: NDArray, death: NDArray, sweep: Sweep) -> NDArray[np.bool_]:
    """Return which points have too little persistence, as far as that is known."""
    with np.errstate(invalid="ignore", over="ignore"):
        return np.abs(death - birth) < sweep.min_persistence


def joined(parts: list[Points], sweep: Sweep) -> Points:
    """Put the points of several parts one after the other."""
    value = value_dtype(np.empty(0, sweep.dtype))
    pixel = np.empty(0, np.int64)
    empty = np.empty(0, value)
    none = Points(np.empty(0, np.int8), empty, empty, pixel, pixel)
    return Points(*map(np.concatenate, zip(none, *parts)))


def settled(points: Points, ends: tuple[Any, Any], sweep: Sweep) -> Points:
    """Fill in the value of a frame that no tile knew, once all of them are known.

    Parameters
    ----------
    points : Points
    ends : tuple of 2 numbers
        The values of the earliest and of the latest pixel of the image.
    sweep : Sweep
    """
    if not isinstance(sweep.frame, str):
        return points
    value = points.birth.dtype.type(ends[0])
    birth = np.where(points.birth_pixel == FRAME, value, points.birth)
    death = np.where(points.death_pixel == FRAME, value, points.death)
    kept = ~_too_short(birth, death, sweep)
    if ends[0] == ends[1]:  # what the frame alone encloses is filled at its own value
        kept &= points.dim == 0
    return points._replace(birth=birth, death=death).some(kept)
