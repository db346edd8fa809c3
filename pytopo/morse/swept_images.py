"""What is kept of images once they are swept: enough to match other images with them.

    image 0      pixels 0 to 99       rows 0 to 4     Images are on top of each other in one
    image 1      pixels 100 to 199    rows 5 to 6     array, so some of them, or several
    image 2      pixels 200 to 299    rows 7 to 12    arrays as one, are a matter of offsets.

A comparison image depends on both images, so it cannot be kept.
"""

from itertools import accumulate
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

NONE = -1
Numbers = NDArray[np.int32]


class SweptImages(NamedTuple):
    """What is kept of images on top of each other, so that others can be matched with them.

    Attributes
    ----------
    stride : int
        Rows of the stacked array from one image to the next.
    earlier : (H, W) uint8
        Which neighbours come before each pixel of the stacked array.
    saddle : (n_merges,) int32
        Those that create holes, as `pytopo.kernels.sweep_2d.closing_loops` keeps them.
    minimum, maximum : (n_minima,), (n_maxima,) int32
    component_row, hole_row : (n_minima,), (n_maxima,) int32
        The row of the component of each minimum, and of the hole that each maximum ends, -1 if
        there is none.
    """

    stride: int
    earlier: NDArray[np.uint8]
    saddle: Numbers
    minimum: Numbers
    maximum: Numbers
    component_row: Numbers
    hole_row: Numbers

    def images(self, first: int, stop: int, row: int) -> "SweptImages":
        """Return some of the images, ``first`` to ``stop - 1``, whose first row is ``row``."""
        size = self.stride * self.earlier.shape[1]

        def own(pixel: Numbers) -> slice:
            return slice(*np.searchsorted(pixel, [first * size, stop * size]))

        minima, maxima = own(self.minimum), own(self.maximum)
        return SweptImages(
            self.stride,
            self.earlier[first * self.stride : stop * self.stride + 1],
            self.saddle[own(self.saddle)],
            self.minimum[minima],
            self.maximum[maxima],
            self.component_row[minima],
            self.hole_row[maxima],
        ).moved(-first * size, -row)

    def moved(self, pixels: int, rows: int) -> "SweptImages":
        """Return the same with other numbers for pixels and rows."""
        return self._replace(
            saddle=self.saddle + np.int32(pixels),
            minimum=self.minimum + np.int32(pixels),
            maximum=self.maximum + np.int32(pixels),
            component_row=_moved(self.component_row, rows),
            hole_row=_moved(self.hole_row, rows),
        )

    def with_rows(self, row: NDArray[np.signedinteger]) -> "SweptImages":
        """Return the same with other rows, by former row; one more entry is for none."""
        return self._replace(
            component_row=row[self.component_row].astype(np.int32),
            hole_row=row[self.hole_row].astype(np.int32),
        )


def _moved(row: Numbers, by: int) -> Numbers:
    return np.where(row == NONE, row, row + np.int32(by))


def joined_sweeps(batches: list[SweptImages], rows: list[int]) -> SweptImages:
    """Return the images of several batches, of ``rows`` rows each, as those of one."""
    earlier = [batch.earlier[:-1] for batch in batches]
    pixels = accumulate((e.size for e in earlier), initial=0)
    starts = accumulate(rows, initial=0)
    moved = [batch.moved(*by) for batch, *by in zip(batches, pixels, starts)]
    return SweptImages(
        batches[0].stride,
        np.concatenate([*earlier, batches[-1].earlier[-1:]]),
        np.concatenate([batch.saddle for batch in moved]),
        np.concatenate([batch.minimum for batch in moved]),
        np.concatenate([batch.maximum for batch in moved]),
        np.concatenate([batch.component_row for batch in moved]),
        np.concatenate([batch.hole_row for batch in moved]),
    )
