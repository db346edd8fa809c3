"""Images of any size that `pytopo bench tiles` reads: pixels are made where they are read.

image[0:2048, 4096:6144]    blocks of random numbers that the window touches -> blur
                            -> window.  The same pixels whatever the windows are
"""

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

KINDS = ("smooth", "membranes", "noise")
BLOCK = 512  # pixels along each side of a block of random numbers
STRIP = 256  # rows that are made together
MARGIN = 8  # pixels around a window that the blur looks at: four standard deviations of 2
DEVIATION = 0.0407  # of the blurred numbers: that of uniform ones, by 4 sqrt(pi)


@dataclass(frozen=True)
class MadeImage:
    """An image of 8 bits that takes no memory, like those of `pytopo.cli.bench_images`.

    Attributes
    ----------
    kind : {"smooth", "membranes", "noise"}
    shape : tuple of 2 int
    """

    kind: str
    shape: tuple[int, int]

    dtype = np.dtype(np.uint8)
    ndim = 2

    def __getitem__(self, window: tuple[slice, slice]) -> NDArray[np.uint8]:
        """Make a window, two slices without steps."""
        rows, columns = (some.indices(n)[:2] for some, n in zip(window, self.shape))
        out = np.empty((rows[1] - rows[0], columns[1] - columns[0]), np.uint8)
        for start in range(*rows, STRIP):
            stop = min(start + STRIP, rows[1])
            out[start - rows[0] : stop - rows[0]] = self._made(((start, stop), columns))
        return out

    def _made(self, box: tuple[tuple[int, int], ...]) -> NDArray[np.uint8]:
        if self.kind == "noise":
            return (255 * _random(0, box)).astype(np.uint8)
        blurred = gaussian_filter(_random(0, _with_margin(box)), 2, truncate=MARGIN / 2)
        field = blurred[MARGIN:-MARGIN, MARGIN:-MARGIN]
        if self.kind == "membranes":
            faint = _random(1, box) - 1
            field = np.exp(-(((field - 0.5) / DEVIATION / 0.4) ** 2) + 0.1 * faint)
        return (255 * field).astype(np.uint8)


def _with_margin(box: tuple[tuple[int, int], ...]) -> tuple[tuple[int, int], ...]:
    return tuple((start - MARGIN, stop + MARGIN) for start, stop in box)


def _random(seed: int, box: tuple[tuple[int, int], ...]) -> NDArray[np.float32]:
    """Return uniform numbers, the same for a pixel in whatever box it lies."""
    out = np.empty([stop - start for start, stop in box], np.float32)
    blocks = [range(start // BLOCK, -(-stop // BLOCK)) for start, stop in box]
    for row in blocks[0]:
        for column in blocks[1]:
            extents = [
                (max(start, at * BLOCK), min(stop, (at + 1) * BLOCK))
                for (start, stop), at in zip(box, (row, column))
            ]
            here = tuple(slice(a - s, b - s) for (a, b), (s, _) in zip(extents, box))
            there = tuple(
                slice(a - at * BLOCK, b - at * BLOCK)
                for (a, b), at in zip(extents, (row, column))
            )
            out[here] = _block(seed, row, column)[there]
    return out


@functools.lru_cache(maxsize=16)
def _block(seed: int, row: int, column: int) -> NDArray[np.float32]:
    numbers = np.random.default_rng([seed, row + 1, column + 1])  # -1 lies in the margin
    return numbers.random((BLOCK, BLOCK), np.float32)
