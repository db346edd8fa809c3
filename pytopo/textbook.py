"""Persistent homology as the textbook tells it, each stage an object to look into.

    image -> Filtration -> Reduction
             cells in      reduced boundary matrix,
             order         pairs of cells, cycles

`pytopo.persistence(..., algorithm="reduction")` runs exactly this.  For lessons and for
representative cycles call it step by step; `docs/lesson-3-reduction.md` does.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pytopo.kernels.complex import cells
from pytopo.kernels.lower_star import lower_star_order
from pytopo.kernels.reduction import (
    boundary_matrix,
    highest_dimension_first,
    left_to_right,
    reduce_columns,
)
from pytopo.options import checked_construction, flag
from pytopo.order import PixelOrder, checked_image, frame_value, total_order

if TYPE_CHECKING:
    from scipy.sparse import csc_array

__all__ = ["Filtration", "Reduction", "lower_star_filtration", "reduce_filtration"]


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
        """Return where cells lie on the doubled grid, one row a cell, (plane, row, column)."""
        return np.column_stack(np.unravel_index(self.cell[np.asarray(position)], self.grid))

    def boundary(self) -> "csc_array":
        """Return the boundary matrix as a sparse array of zeros and ones."""
        return _sparse(self.start, self.rows)


@dataclass(frozen=True, eq=False)
class Reduction:
    """The reduced boundary matrix and what can be read off it.

    Attributes
    ----------
    pairs : (n_pairs, 2) int64
        Positions (i, j) in the filtration: cell j fills the cycle that cell i closed.
        Ascending in i.
    essential : (n_essential,) int64
        Positions of the cells whose cycle is never filled.
    begin, end : (n_cells,) int64
    rows : (n_entries,) int64
        The reduced matrix: column j is ``rows[begin[j]:end[j]]``, ascending.
    """

    pairs: NDArray[np.int64]
    essential: NDArray[np.int64]
    begin: NDArray[np.int64]
    end: NDArray[np.int64]
    rows: NDArray[np.int64]

    def cycle(self, j: int) -> NDArray[np.int64]:
        """Return the positions of the cells of the cycle that cell ``j`` fills.

        For a pair (i, j) this represents the class born with i: the last of its cells is
        i, and at time j it becomes a boundary.
        """
        return self.rows[self.begin[j] : self.end[j]]

    def reduced(self) -> "csc_array":
        """Return the reduced matrix as a sparse array of zeros and ones."""
        length = self.end - self.begin
        start = np.concatenate([[0], np.cumsum(length)])
        source = np.repeat(self.begin - start[:-1], length) + np.arange(start[-1])
        return _sparse(start, self.rows[source])


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
    Three pixels in a row make three vertices and two edges; each edge waits for the later
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


def reduce_filtration(filtration: Filtration, *, clearing: bool = True) -> Reduction:
    """Reduce the boundary matrix and pair the cells.

    Parameters
    ----------
    filtration : Filtration
    clearing : bool
        Visit the columns by descending dimension and pass over those that must end empty.
        The pairs and the reduced matrix are the same either way.

    Examples
    --------
    Pixels 0 and 2 start components that meet in the edge that comes last; the younger,
    cell 1, dies.  Vertex 2 and edge 3 are both brought in by pixel 1:

    >>> r = reduce_filtration(lower_star_filtration([0, 2, 1]))
    >>> r.pairs
    array([[1, 4],
           [2, 3]])
    >>> r.essential
    array([0])
    """
    schedule = highest_dimension_first if flag(clearing, "clearing") else left_to_right
    visit = schedule(filtration.dimension)
    killer, begin, end, rows = reduce_columns(filtration.start, filtration.rows, visit)

    born = np.flatnonzero(killer != -1)
    pairs = np.column_stack([born, killer[born]])
    stays = np.ones(killer.size, bool)
    stays[pairs] = False
    return Reduction(pairs, np.flatnonzero(stays), begin, end, rows)


def _sparse(start: NDArray[np.int64], rows: NDArray[np.int64]) -> "csc_array":
    from scipy.sparse import csc_array

    n = start.size - 1
    return csc_array((np.ones(rows.size, np.int8), rows, start), shape=(n, n))
