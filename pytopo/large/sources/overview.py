"""A small picture of a source: a level of its pyramid, or the means of blocks of pixels."""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pytopo.large.sources.source import Source

MOST = 2048  # rows and columns
BOX = 2**22  # pixels that are read together, about


class Overview(NamedTuple):
    """A small picture.

    Attributes
    ----------
    values : (h, w) ndarray
    covered : tuple of 2 float
        Rows and columns of the image that it shows; blocks at the end may reach beyond it.
    origin : str
        What it is in words, empty if it is all pixels.
    """

    values: NDArray
    covered: tuple[float, float]
    origin: str


def overview(
    source: Source, most: int = MOST, progress: Callable[[int, int], None] | None = None
) -> Overview:
    """Return a small picture of an image.

    Parameters
    ----------
    source : Source
        With two axes.
    most : int
        Rows and columns of the picture at most.  Of a pyramid it is made of the coarsest level
        that has half as many.
    progress : function or None
        Called with the number of boxes that have been read and of all.

    Examples
    --------
    >>> import tempfile, numpy as np, pytopo.large
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.save(f"{folder}/a.npy", np.arange(24, dtype=np.uint8).reshape(4, 6))
    ...     small = overview(pytopo.large.open_source(f"{folder}/a.npy"), most=3)
    >>> small.values
    array([[ 3.5,  5.5,  7.5],
           [15.5, 17.5, 19.5]], dtype=float32)
    >>> small.covered, small.origin
    ((4.0, 6.0), 'means of 2 x 2 pixels')
    """
    used = _coarse(source, most)
    height, width = used.shape
    step = math.ceil(max(height, width) / most)
    down, right = math.ceil(height / step), math.ceil(width / step)
    values = used[:] if step == 1 else _blocks(used, step, (down, right), progress)
    covered = down * step * source.shape[0] / height, right * step * source.shape[1] / width
    words = [f"level {used.levels[used.level].name}"] if used.level != source.level else []
    words += [f"means of {step} x {step} pixels"] if step > 1 else []
    return Overview(values, covered, ", ".join(words))


def _coarse(source: Source, most: int) -> Source:
    """Return the coarsest level that has enough rows or columns."""
    for level in range(len(source.levels) - 1, source.level, -1):
        coarse = source.at_level(level)
        if max(coarse.shape) >= most / 2:
            return coarse
    return source


def _blocks(
    source: Source,
    step: int,
    shape: tuple[int, int],
    progress: Callable[[int, int], None] | None,
) -> NDArray[np.float32]:
    """Return the means of blocks of pixels, reading many blocks at a time."""
    values = np.empty(shape, np.float32)
    side = max(1, math.isqrt(BOX) // step)  # blocks of a box
    corners = [(r, c) for r in range(0, shape[0], side) for c in range(0, shape[1], side)]
    for done, (r, c) in enumerate(corners, 1):
        box = source[r * step : (r + side) * step, c * step : (c + side) * step]
        values[r : r + side, c : c + side] = _means(box, step)
        if progress:
            progress(done, len(corners))
    return values


def _means(values: NDArray, step: int) -> NDArray[np.float32]:
    """Return the means of blocks, of the pixels that they have at the border."""
    rows, columns = (np.arange(0, n, step) for n in values.shape)
    with np.errstate(invalid="ignore", over="ignore"):
        sums = np.add.reduceat(np.add.reduceat(values, rows, 0, np.float64), columns, 1)
    heights = np.minimum(step, values.shape[0] - rows)
    widths = np.minimum(step, values.shape[1] - columns)
    return (sums / (heights[:, None] * widths)).astype(np.float32)
