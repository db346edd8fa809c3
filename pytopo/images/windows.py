"""An image that stays in its file, of which windows are read when they are asked for.

    Windows("volume.h5:/raw[100:200]")[3, 0:64]  ->  volume.h5:/raw[103, 0:64]

Small images are read once and kept, so that nothing is read twice.
"""

import math
import os

import numpy as np

from pytopo.images.image import image_shape, open_image
from pytopo.images.readers.address import Pick, parsed_address
from pytopo.images.readers.memory import allowing

KEPT = 2**28  # bytes that are kept in memory; also of a few planes that are read together
WIDEST = 8  # bytes of a value, at most
ANY_SIZE = 2**62

Key = int | slice | tuple[int | slice, ...]


class Windows:
    """An image with a shape, a dtype and slices, each of which is read from its file.

    Parameters
    ----------
    path : str or path-like
        As `pytopo.read_image` takes it.  Of .npy, HDF5 and TIFF a window is all that is read.
    raw : bool
        As of `pytopo.read_image`.

    Attributes
    ----------
    shape : tuple of 1 to 3 int
    dtype, stored_dtype : numpy.dtype
        Of what slices return, and of the values in the file.
    notes : tuple of str
        What was dropped or converted in the first window.

    Raises
    ------
    OSError, TypeError, ValueError
        As `pytopo.read_image`, also when a window is read.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.save(f"{folder}/x.npy", np.arange(20.0).reshape(4, 5))
    ...     windows = Windows(f"{folder}/x.npy[1:]")
    ...     windows.shape, windows[0:2, 3:5]
    ((3, 5), array([[ 8.,  9.],
           [13., 14.]]))
    """

    def __init__(self, path: str | os.PathLike[str], *, raw: bool = False) -> None:
        self._address = parsed_address(os.fsdecode(path))
        self._raw = raw
        with allowing(ANY_SIZE):  # the whole is never read, if it is large
            self.shape = image_shape(path)
        self._planes: tuple[range, np.ndarray] = (range(0), np.empty(0))
        self._whole: np.ndarray | None = None
        if math.prod(self.shape) * WIDEST <= KEPT:
            first = open_image(path, raw=raw)
            self._whole = first.array
        else:
            first = open_image(self._text(tuple(slice(0, 1) for _ in self.shape)), raw=raw)
        self.dtype, self.notes = first.array.dtype, first.notes
        self.stored_dtype = first.stored_dtype or self.dtype

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: Key) -> np.ndarray:
        if self._whole is not None:
            return self._whole[key]
        picks = key if isinstance(key, tuple) else (key,)
        bounds = [_bounds(pick, n) for pick, n in zip(picks, self.shape)]
        shape = (*(len(b) for b in bounds), *self.shape[len(bounds) :])
        slices = tuple(slice(b.start, b.stop, b.step) for b in bounds)
        if 0 in shape:
            return np.empty(shape, self.dtype)[_ints_dropped(picks)]
        found = open_image(self._text(slices), raw=self._raw).array
        if found.shape != shape:
            raise self._address.refusal(
                f"a window of shape {shape} came as {found.shape}; expected a smaller file, "
                "or one of .npy, HDF5 or TIFF with rows and columns as its last axes"
            )
        return found[_ints_dropped(picks)]

    def plane(self, k: int) -> np.ndarray:
        """Return a plane of a volume; a few that follow are read with it, and kept."""
        if self._whole is not None:
            return self._whole[k]
        if k not in self._planes[0]:
            several = max(KEPT // (math.prod(self.shape[1:]) * WIDEST), 1)
            numbers = range(k, min(k + several, len(self)))
            self._planes = (range(0), np.empty(0))  # not both at once
            self._planes = (numbers, self[numbers.start : numbers.stop])
        numbers, planes = self._planes
        return planes[k - numbers.start]

    def _text(self, window: tuple[slice, ...]) -> str:
        """Return the address of a window."""
        try:
            picks = placed(self._address.picks, window, len(self.shape))
        except ValueError as error:
            raise self._address.refusal(str(error)) from None
        return f"{self._address.unsliced}[{', '.join(map(_pick_text, picks))}]"


def placed(
    picks: tuple[Pick, ...], window: tuple[slice, ...], axes: int
) -> tuple[int | slice, ...]:
    """Return the slice of a window of what a slice has left.

    Parameters
    ----------
    picks : tuple of int, slice or Ellipsis
        Of what is stored; no start is negative.
    window : tuple of slice
        Of the first axes that are left, with start and stop.
    axes : int
        That are left.

    Raises
    ------
    ValueError
        If a start is negative: what is stored may have any length.

    Examples
    --------
    >>> placed((slice(10, 20), 5, slice(0, 99, 3)), (slice(2, 4), slice(1, 3)), 2)
    (slice(12, 14, 1), 5, slice(3, 7, 3))
    """
    given = [pick for pick in picks if isinstance(pick, slice)]
    implied = (slice(None),) * (axes - len(given))
    gap = picks.index(...) if ... in picks else len(picks)
    stored = [*picks[:gap], *implied, *picks[gap + 1 :]]
    left = iter((*window, *(slice(None) for _ in range(axes - len(window)))))
    return tuple(_inside(p, next(left)) if isinstance(p, slice) else p for p in stored)  # type: ignore[misc]


def _inside(pick: slice, window: slice) -> slice:
    """Return a slice of what a slice takes."""
    if window == slice(None):
        return pick
    start, step = pick.start or 0, pick.step or 1
    if start < 0:
        raise ValueError(
            f"a slice that starts at {start}, of a large image; expected one that counts from 0"
        )
    inner = window.step or 1
    last = window.start + (window.stop - 1 - window.start) // inner * inner
    return slice(start + window.start * step, start + last * step + 1, step * inner)


def _bounds(pick: int | slice, length: int) -> range:
    if isinstance(pick, slice):
        return range(*pick.indices(length))
    k = range(length)[pick]
    return range(k, k + 1)


def _ints_dropped(picks: tuple[int | slice, ...]) -> tuple[int | slice, ...]:
    return tuple(0 if not isinstance(pick, slice) else slice(None) for pick in picks)


def _pick_text(pick: int | slice) -> str:
    if not isinstance(pick, slice):
        return str(pick)
    return ":".join("" if n is None else str(n) for n in (pick.start, pick.stop, pick.step))
