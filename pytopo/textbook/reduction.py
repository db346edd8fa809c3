"""The reduction: the boundary matrix, reduced column by column, becomes pairs of cells.

Filtration -> reduced boundary matrix -> pairs of cells, representative cycles
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pytopo.kernels.reduction import highest_dimension_first, left_to_right, reduce_columns
from pytopo.options import flag
from pytopo.textbook.filtration import Filtration, sparse

if TYPE_CHECKING:
    from scipy.sparse import csc_array


@dataclass(frozen=True, eq=False)
class Reduction:
    """The reduced boundary matrix and what can be read off it.

    Attributes
    ----------
    pairs : (n_pairs, 2) int64
        Positions (i, j) in the filtration: cell i creates a homology class, and cell j
        destroys it.  Ascending in i.
    essential : (n_essential,) int64
        Positions of the cells whose class is never destroyed.
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
        """Return the positions of the cells of a cycle that becomes a boundary with cell ``j``.

        For a pair (i, j) it represents the class that is born with cell i, which is the last
        of its cells.
        """
        return self.rows[self.begin[j] : self.end[j]]

    def reduced(self) -> "csc_array":
        """Return the reduced matrix as a sparse array of zeros and ones."""
        length = self.end - self.begin
        start = np.concatenate([[0], np.cumsum(length)])
        source = np.repeat(self.begin - start[:-1], length) + np.arange(start[-1])
        return sparse(start, self.rows[source])


def reduce_filtration(filtration: Filtration, *, clearing: bool = True) -> Reduction:
    """Reduce the boundary matrix and pair the cells.

    Parameters
    ----------
    filtration : Filtration
    clearing : bool
        Visit the columns by descending dimension and skip those that must end empty.  The
        pairs and the reduced matrix are the same either way.

    Examples
    --------
    Pixels 0 and 2 create components that merge at the edge that enters last.  By the elder
    rule the younger one, of cell 1, dies.  Vertex 2 and edge 3 enter with the same pixel:

    >>> from pytopo.textbook import lower_star_filtration
    >>> r = reduce_filtration(lower_star_filtration([0, 2, 1]))
    >>> r.pairs
    array([[1, 4],
           [2, 3]])
    >>> r.essential
    array([0])
    """
    schedule = highest_dimension_first if flag(clearing, "clearing") else left_to_right
    visit = schedule(filtration.dimension)
    pivot, begin, end, rows = reduce_columns(filtration.start, filtration.rows, visit)

    # Column pivot[i] has its low in row i: the cell of the row is the creator of a class, the
    # cell of the column its destroyer.  Cells in no pair create the essential classes.
    creators = np.flatnonzero(pivot != -1)
    pairs = np.column_stack([creators, pivot[creators]])
    essential = np.ones(pivot.size, bool)
    essential[pairs] = False
    return Reduction(pairs, np.flatnonzero(essential), begin, end, rows)
