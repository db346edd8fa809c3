"""An array becomes a total order of its pixels, on which alone its persistence depends.

Pixels are sorted by value and, where values are equal, by flat index.  After that no
algorithm compares values again, so ties cannot make two algorithms differ:

    values   3 1 1        order (pixel at each time)   1 2 0
                          rank  (time of each pixel)   2 0 1

A frame is one more layer of pixels around the image, all of one value, which enter
directly before the image pixels of that value.  See `docs/conventions.md`.

The textbook algorithm takes the order itself (`total_order`).  The fast algorithm sorts few of
the pixels, and takes keys: integers that compare like the pixels (`fill_keys`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pytopo.kernels.keys import float_keys
from pytopo.options import integer, real, unmasked

FRAME = -2  # stands for the frame where a pixel is given by its flat index


def checked_image(image: ArrayLike, name: str = "image") -> NDArray:
    """Return ``image`` as an array whose pixels can be ordered.

    Parameters
    ----------
    image : array_like, (W,), (H, W) or (D, H, W)
        Any real dtype and memory layout; not copied if it is an array.
    name : str
        What an error calls it.

    Raises
    ------
    TypeError
        If the values are not booleans, integers or floats, or some are masked.
    ValueError
        If there are no axes or more than three, no pixel, or a NaN.
    """
    values = checked_values(image, name)
    if not 1 <= values.ndim <= 3:
        raise ValueError(
            f"{name} has shape {values.shape}, {values.ndim} axes; expected (W,), (H, W) or "
            "(D, H, W) (for several images: persistence_batch)"
        )
    if values.size == 0:
        raise ValueError(f"{name} has shape {values.shape} and no pixel; expected at least one")
    return values


def checked_values(image: ArrayLike, name: str) -> NDArray:
    """Return an array of any shape whose values can be ordered; errors as `checked_image`."""
    values = unmasked(image, name)
    if values.dtype.kind not in "biuf":
        raise TypeError(
            f"{name} has dtype {values.dtype}; expected booleans, integers or floats"
        )
    if values.dtype.kind == "f" and values.size and np.isnan(values.max()):  # NaN is greatest
        missing = np.unravel_index(np.isnan(values).argmax(), values.shape)
        where = ", ".join(str(i) for i in missing)
        raise ValueError(f"{name}[{where}] is NaN; a filtration needs ordered values")
    return values


def value_dtype(values: NDArray) -> type[np.floating]:
    """Return the dtype of births and deaths: float32 stays, everything else is float64."""
    return np.float32 if values.dtype.newbyteorder("=") == np.float32 else np.float64


def frame_value(
    values: NDArray, frame: float | bool | None, superlevel: bool
) -> int | np.floating | None:
    """Return the value of the frame in a form that compares exactly with ``values``.

    ``None`` means no frame.  ``True`` means the value of the earliest pixel.  A float is
    rounded to the dtype of births and deaths, and becomes an integer if it is a whole
    number, because Python integers compare exactly with every integer dtype.

    Raises
    ------
    TypeError
        If ``frame`` is neither a boolean, a real number nor None.
    ValueError
        If ``frame`` is NaN, or finite and too large for the dtype of births and deaths.
    """
    if isinstance(frame, np.ndarray) and frame.ndim == 0:
        frame = frame[()]
    if frame is None or frame is False or (isinstance(frame, np.bool_) and not frame):
        return None
    if isinstance(frame, (bool, np.bool_)):
        earliest = values.max() if superlevel else values.min()
        frame = int(earliest) if values.dtype == bool else earliest.item()
    dtype = value_dtype(values)
    with np.errstate(over="ignore"):
        number = real(frame)
        if number is None:
            raise TypeError(f"frame is {frame!r}; expected a number, True, False or None")
        value = dtype(number)
    whole = integer(frame)
    if np.isnan(value):
        raise ValueError("frame is NaN; a filtration needs ordered values")
    if np.isinf(value) and (whole is not None or np.isfinite(number)):
        raise ValueError(f"frame is {frame!r}, which {dtype.__name__} cannot hold")
    if values.dtype.kind == "f":
        return value
    if whole is not None:
        return whole
    return int(value) if value.is_integer() else value


@dataclass(frozen=True, eq=False)
class PixelOrder:
    """When each pixel enters, for an image or for an image with its frame.

    Attributes
    ----------
    rank : (W,), (H, W) or (D, H, W) int64
        Time at which each pixel enters; each axis is 2 longer if there is a frame.
    pixel : (n,) int64
        Flat index in the image of each flat index of ``rank``; -2 in the frame.
    """

    rank: NDArray[np.int64]
    pixel: NDArray[np.int64]


def total_order(
    values: NDArray, superlevel: bool = False, frame: int | np.floating | None = None
) -> PixelOrder:
    """Sort the pixels by value, ties by pixel index; the frame before its equals.

    Parameters
    ----------
    values : (W,), (H, W) or (D, H, W) ndarray
        Real and without NaN, as `checked_image` returns it.
    superlevel : bool
        Sort by descending value.  Ties are still by ascending pixel index.
    frame : int, numpy float or None
        Value of the frame as `frame_value` returns it.

    Examples
    --------
    >>> import numpy as np
    >>> total_order(np.array([3, 1, 1])).rank
    array([2, 0, 1])
    >>> total_order(np.array([3, 1, 1]), superlevel=True).rank
    array([0, 1, 2])
    >>> total_order(np.array([3, 1, 1]), frame=1).rank
    array([0, 4, 2, 3, 1])
    """
    order = np.argsort(_ascending_keys(values.ravel(), superlevel), kind="stable")
    rank = np.empty(values.shape, np.int64)
    rank.ravel()[order] = np.arange(values.size)
    pixel = np.arange(values.size).reshape(values.shape)
    if frame is not None:
        before = int(np.count_nonzero(values > frame if superlevel else values < frame))
        rank, pixel = _framed(rank, pixel, before)
    return PixelOrder(rank, pixel.ravel())


def _ascending_keys(values: NDArray, superlevel: bool) -> NDArray:
    """Return keys whose ascending order is the order of the pixels; exact for every dtype."""
    if not superlevel:
        return values
    return -values if values.dtype.kind == "f" else ~values  # ~x = -x - 1 cannot overflow


def _framed(
    rank: NDArray[np.int64], pixel: NDArray[np.int64], before: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pad both arrays by one layer whose pixels enter after the first ``before`` pixels."""
    pixel = np.pad(pixel, 1, constant_values=FRAME)
    in_frame = pixel == FRAME
    n_frame = int(np.count_nonzero(in_frame))
    rank = np.pad(np.where(rank < before, rank, rank + n_frame), 1)
    rank[in_frame] = before + np.arange(n_frame)
    return rank, pixel


def key_dtype(dtype: np.dtype) -> type[np.signedinteger]:
    """Return the integer type that holds the keys of images of a dtype."""
    narrow = dtype.itemsize <= 2 or (dtype.kind == "f" and dtype.itemsize == 4)
    return np.int32 if narrow else np.int64


def key_needs_no_other(dtype: np.dtype) -> bool:
    """Return whether `fill_keys` without frames may be called for parts of an image.

    It may not where a key is a rank among all values.
    """
    return dtype.itemsize < 8 or dtype.newbyteorder("=") == np.float64


def fill_keys(
    values: NDArray,
    superlevel: bool,
    frames: Sequence[int | np.floating | None],
    out_keys: NDArray[np.signedinteger],
) -> None:
    """Write integers that compare like the pixels, for the algorithm that sorts few of them.

    Equal pixels have equal keys, and the caller breaks ties.  A frame gets a key between the
    pixels before it and its equals.

    Parameters
    ----------
    values : (B, H, W) ndarray
        Images, real and without NaN.
    superlevel : bool
        As in `total_order`.
    frames : sequence of B
        The frame of each image as `frame_value` returns it; None for all or for none.
    out_keys : (B, H, W) int32 or int64, as `key_dtype` says
        Receives the keys, which are less than the largest integer.  With frames it is
        larger than the images, by 2 along each axis that has a frame.
    """
    top, left = ((m - n) // 2 for m, n in zip(out_keys.shape[1:], values.shape[1:]))
    height, width = values.shape[1:]
    keys = out_keys[:, top : top + height, left : left + width]
    _fill_image_keys(values, superlevel, keys)
    for image, frame, inner, outer in zip(values, frames, keys, out_keys):
        if frame is not None:
            insert_frame_key(image, frame, superlevel, inner, outer)


def insert_frame_key(
    image: NDArray,
    frame: int | np.floating,
    superlevel: bool,
    out_inner: NDArray[np.signedinteger],
    out_keys: NDArray[np.signedinteger],
) -> None:
    """Write the key of the frame around the keys of an image, and make room for it.

    Parameters
    ----------
    image : ndarray
        Real and without NaN.
    frame : int or numpy float
        As `frame_value` returns it.
    superlevel : bool
        As in `total_order`.
    out_inner : ndarray of the shape of the image
        The part of ``out_keys`` that holds its keys.  Receives larger keys for the pixels
        that do not come before the frame.
    out_keys : ndarray of int32 or int64, larger by 2 along each axis that has a frame
        Receives the key of the frame outside ``out_inner``.

    Examples
    --------
    >>> keys = np.array([0, 5, 7, 9, 0], np.int32)
    >>> insert_frame_key(np.array([5, 7, 9]), 7, False, keys[1:-1], keys)
    >>> keys
    array([ 7,  5,  8, 10,  7], dtype=int32)
    """
    border = make_room_for_frame(image, frame, superlevel, out_inner)
    moved = out_inner.copy()
    out_keys[...] = border
    out_inner[...] = moved


def make_room_for_frame(
    image: NDArray,
    frame: int | np.floating,
    superlevel: bool,
    out_keys: NDArray[np.signedinteger],
) -> int:
    """Return the key of a frame, which that of no pixel is from then on.

    Parameters
    ----------
    image, frame, superlevel
        As in `insert_frame_key`.
    out_keys : ndarray of int32 or int64, of the shape of the image
        Its keys.  Receives larger ones for the pixels that do not come before the frame.
    """
    # Pixels from the frame's value on move up by one, and the frame takes the free key.
    after = image <= frame if superlevel else image >= frame
    border = int(out_keys[after].min() if after.any() else out_keys.max() + 1)
    out_keys += after
    return border


def _fill_image_keys(
    values: NDArray, superlevel: bool, out_keys: NDArray[np.signedinteger]
) -> None:
    """Write the keys of images without a frame, in the way that their dtype allows."""
    invert = -1 if superlevel else 0
    values = values.astype(values.dtype.newbyteorder("="), copy=False)
    if values.dtype == np.float16:
        values = values.astype(np.float32)
    if values.dtype in (np.float32, np.float64):
        bits = values.view(out_keys.dtype)
        float_keys(bits, 8 * bits.itemsize - 1, np.iinfo(bits.dtype).max, invert, out_keys)
    elif values.dtype == np.longdouble or _near_the_largest(values):
        ranks = np.unique(values, return_inverse=True)[1].reshape(values.shape)
        out_keys[...] = ranks ^ invert
    elif values.dtype == np.uint64:
        out_keys[...] = (values ^ np.uint64(2**63)).view(np.int64) ^ invert
    else:
        out_keys[...] = values
        if superlevel:
            np.invert(out_keys, out=out_keys)


def _near_the_largest(values: NDArray) -> bool:
    """Return whether 64-bit integers leave no room for a frame and the exterior above them."""
    if values.dtype.itemsize < 8:
        return False
    info = np.iinfo(values.dtype)
    return bool(values.max() > info.max - 2 or values.min() < info.min + 2)
