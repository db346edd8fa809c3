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
    covered : tuple of 2 int
        Rows and columns of the image that it shows; blocks at the end may reach beyond it.
    origin : str
        What it is, in words.
    """

    values: NDArray
    covered: tuple[int, int]
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
        Rows and columns of the picture at most; of a level of a pyramid that is enough, the
        coarsest that has half as many.
    progress : function or None
        Called with the number of boxes that have been read and of all.

    Examples
    --------
    >>> import tempfile, numpy as np, pytopo.large
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.save(f"{folder}/a.npy", np.arange(24, dtype=np.uint8).reshape(4, 6))
    ...     overview(pytopo.large.open_source(f"{folder}/a.npy"), most=3)
    Overview(values=array([[ 3.5,  5.5,  7.5],
           [15.5, 17.5, 19.5]], dtype=float32), covered=(4, 6), origin='means of 2 x 2 pixels')
    """
    height, width = source.shape
    for level in range(len(source.levels) - 1, source.level, -1):
        coarse = source.at_level(level)
        if most / 2 <= max(coarse.shape) <= most:
            name = source.levels[level].name
            return Overview(coarse[:], (height, width), f"level {name}")
    step = math.ceil(max(height, width) / most)
    if step == 1:
        return Overview(source[:], (height, width), "all pixels")
    down, right = math.ceil(height / step), math.ceil(width / step)
    values = np.empty((down, right), np.float32)
    side = max(1, math.isqrt(BOX) // step)  # blocks of a box
    corners = [(r, c) for r in range(0, down, side) for c in range(0, right, side)]
    for done, (r, c) in enumerate(corners, 1):
        box = source[r * step : (r + side) * step, c * step : (c + side) * step]
        values[r : r + side, c : c + side] = _means(box, step)
        if progress:
            progress(done, len(corners))
    covered = down * step, right * step
    return Overview(values, covered, f"means of {step} x {step} pixels")


def _means(values: NDArray, step: int) -> NDArray[np.float32]:
    """Return the means of blocks, of the pixels that they have at the border."""
    rows, columns = (np.arange(0, n, step) for n in values.shape)
    with np.errstate(invalid="ignore", over="ignore"):
        sums = np.add.reduceat(np.add.reduceat(values, rows, 0, np.float64), columns, 1)
    heights = np.minimum(step, values.shape[0] - rows)
    widths = np.minimum(step, values.shape[1] - columns)
    return (sums / (heights[:, None] * widths)).astype(np.float32)
