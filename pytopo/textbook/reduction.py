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
        return sparse(start, self.rows[source])


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
    killer, begin, end, rows = reduce_columns(filtration.start, filtration.rows, visit)

    born = np.flatnonzero(killer != -1)
    pairs = np.column_stack([born, killer[born]])
    stays = np.ones(killer.size, bool)
    stays[pairs] = False
    return Reduction(pairs, np.flatnonzero(stays), begin, end, rows)
