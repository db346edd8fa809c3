"""The filtration: the cells of an image in the order in which they enter.

image -> total order of the pixels -> cells -> lower-star order -> boundary matrix
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pytopo.kernels.complex import cells
from pytopo.kernels.lower_star import lower_star_order
from pytopo.kernels.reduction import boundary_matrix
from pytopo.options import checked_construction, flag
from pytopo.order import PixelOrder, checked_image, frame_value, total_order

if TYPE_CHECKING:
    from scipy.sparse import csc_array


@dataclass(frozen=True, eq=False)
class Filtration:
    """The cells of an image in the order in which they enter, each after its faces.

    Attributes
    ----------
    grid : tuple of int
        Shape of the doubled grid on which every cell has a place: ``2n - 1`` along an
        axis of n pixels for construction V, ``2n + 1`` for T.  With a frame, n counts it.
    cell : (n_cells,) int64
        Flat index into the doubled grid of the cell at each position.
    dimension : (n_cells,) uint8
        0 vertex, 1 edge, 2 square, 3 cube.
    pixel : (n_cells,) int64
        Flat index of the image pixel with which the cell enters; -2 for the frame.
    start, rows : (n_cells + 1,), (n_entries,) int64
        The boundary matrix: column j holds the positions of the faces of cell j,
        ``rows[start[j]:start[j + 1]]``, ascending.
    """

    grid: tuple[int, ...]
    cell: NDArray[np.int64]
    dimension: NDArray[np.uint8]
    pixel: NDArray[np.int64]
    start: NDArray[np.int64]
    rows: NDArray[np.int64]

    def coordinates(self, position: ArrayLike) -> NDArray[np.int64]:
        """Return where cells lie on the doubled grid, a row (plane, row, column) per cell."""
        return np.column_stack(np.unravel_index(self.cell[np.asarray(position)], self.grid))

    def boundary(self) -> "csc_array":
        """Return the boundary matrix, modulo 2, as a sparse array of zeros and ones."""
        return sparse(self.start, self.rows)


def lower_star_filtration(
    image: ArrayLike,
    *,
    superlevel: bool = False,
    construction: str = "V",
    frame: float | bool | None = None,
) -> Filtration:
    """Build the cubical complex of an image and sort its cells.

    Parameters
    ----------
    image : array_like, (W,), (H, W) or (D, H, W)
        Any real dtype, without NaN.
    superlevel, construction, frame
        As in `pytopo.persistence`.

    Raises
    ------
    TypeError, ValueError
        If the image or an option is not what `pytopo.persistence` takes.

    Examples
    --------
    Three pixels of a line are three vertices and two edges; each edge enters with the later
    of its ends:

    >>> f = lower_star_filtration([0, 2, 1])
    >>> f.dimension
    array([0, 0, 0, 1, 1], dtype=uint8)
    >>> f.pixel
    array([0, 2, 1, 1, 1])
    >>> f.boundary().toarray()
    array([[0, 0, 0, 1, 0],
           [0, 0, 0, 0, 1],
           [0, 0, 0, 1, 1],
           [0, 0, 0, 0, 0],
           [0, 0, 0, 0, 0]], dtype=int8)
    """
    superlevel = flag(superlevel, "superlevel")
    checked_construction(construction)
    values = checked_image(image)
    around = frame_value(values, frame, superlevel)
    return filtration_of_order(total_order(values, superlevel, around), construction)


def filtration_of_order(pixels: PixelOrder, construction: str) -> Filtration:
    """Build the lower-star filtration for an order of the pixels."""
    shape = pixels.rank.shape
    absent = (1,) * (3 - len(shape))
    grid = tuple(2 * n + 1 if construction == "T" else 2 * n - 1 for n in shape)
    grid3 = np.array(absent + grid)

    dimension, owner = cells(
        pixels.rank.reshape(absent + shape), grid3, int(construction == "T")
    )
    cell, position = lower_star_order(pixels.rank.ravel(), owner, dimension)
    start, rows = boundary_matrix(cell, position, grid3)
    return Filtration(grid, cell, dimension[cell], pixels.pixel[owner[cell]], start, rows)


def sparse(start: NDArray[np.int64], rows: NDArray[np.int64]) -> "csc_array":
    """Return a matrix of zeros and ones: column j is one in ``rows[start[j]:start[j + 1]]``."""
    from scipy.sparse import csc_array

    n = start.size - 1
    return csc_array((np.ones(rows.size, np.int8), rows, start), shape=(n, n))
