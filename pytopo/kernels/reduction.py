"""Reduction of the sorted boundary matrix modulo 2: which cell destroys which cell's class.

Rows and columns are the cells in filtration order; column j holds the faces of cell j.
``low(j)``, the pivot, is the last row of column j.  Columns are added to columns on their
right until no two have the same ``low``:

    for j from left to right:
        while an earlier column k has low(k) == low(j):
            add column k to column j, modulo 2

A column that ends with low(j) = i makes the pair (i, j): cell i creates a homology class,
and cell j destroys it.  For an edge j this is the elder rule: of the two components that
it merges the younger one dies, because ``low`` is the *last* row.  A column that ends empty
belongs to a creator, and if its cell is the ``low`` of no column the class is essential.

Clearing changes only the *sequence* in which columns are visited: highest dimension first.
Then a column whose cell is already known to be a creator must end empty, and is skipped.

Edelsbrunner and Harer (2010), "Computational Topology", VII.1; Chen and Kerber (2011),
"Persistent homology computation with a twist".
"""

import numpy as np

from pytopo.kernels.complex import faces
from pytopo.kernels.jit import njit


@njit(cache=True, nogil=True)
def boundary_matrix(filtration, position, grid):
    """Write the faces of each cell into a sparse matrix, sorted by the filtration.

    Parameters
    ----------
    filtration, position : (n_cells,) int64
        Cells in filtration order, each after its faces, and the inverse permutation.
    grid : (3,) int64
        Extents of the doubled grid, with product ``n_cells``.

    Returns
    -------
    start : (n_cells + 1,) int64
        Column j is ``rows[start[j]:start[j + 1]]``.
    rows : (n_entries,) int64
        Positions of the faces, ascending within each column.
    """
    n_cells = filtration.size
    start = np.zeros(n_cells + 1, np.int64)
    rows = np.empty(6 * n_cells, np.int64)  # a cube has six faces, the others fewer
    found = np.empty(6, np.int64)
    end = 0
    for j in range(n_cells):
        count = faces(filtration[j], grid, found)
        for k in range(count):
            row = position[found[k]]
            # Insertion sort, as a column has at most six rows: larger rows move down by one.
            place = end + k
            while place > end and rows[place - 1] > row:
                rows[place] = rows[place - 1]
                place -= 1
            rows[place] = row
        end += count
        start[j + 1] = end
    return start, rows[:end].copy()


@njit(cache=True, nogil=True)
def left_to_right(dimension):
    """Visit the columns as the textbook does."""
    return np.arange(dimension.size)


@njit(cache=True, nogil=True)
def highest_dimension_first(dimension):
    """Visit the columns by descending dimension, from left to right within each.

    Parameters
    ----------
    dimension : (n_cells,) uint8
        Dimension of the cell of each column, 0 to 3.

    Returns
    -------
    visit : (n_cells,) int64
        Columns in the sequence in which to reduce them.
    """
    visit = np.empty(dimension.size, np.int64)
    count = 0
    # Four passes, one per dimension, keep the columns of each in their order.
    for d in range(3, -1, -1):
        for j in range(dimension.size):
            if dimension[j] == d:
                visit[count] = j
                count += 1
    return visit


@njit(cache=True, nogil=True)
def add_mod_2(first, n_first, second, out_sum):
    """Add two sorted sparse columns modulo 2: rows that they share vanish.

    Parameters
    ----------
    first : (>= n_first,) int64
        Ascending rows; the first ``n_first`` count.
    second : (n_second,) int64
        Ascending rows.
    out_sum : (>= n_first + n_second,) int64
        Receives the rows of the sum, ascending.

    Returns
    -------
    n_sum : int
        Number of rows of the sum.
    """
    n_second = second.size
    i, j, n_sum = 0, 0, 0
    while i < n_first and j < n_second:
        if first[i] == second[j]:  # 1 + 1 = 0
            i += 1
            j += 1
        elif first[i] < second[j]:
            out_sum[n_sum] = first[i]
            i += 1
            n_sum += 1
        else:
            out_sum[n_sum] = second[j]
            j += 1
            n_sum += 1
    while i < n_first:  # one column has ended: what is left of the other has no partner
        out_sum[n_sum] = first[i]
        i += 1
        n_sum += 1
    while j < n_second:
        out_sum[n_sum] = second[j]
        j += 1
        n_sum += 1
    return n_sum


@njit(cache=True, nogil=True)
def grown(array, size):
    """Return ``array``, copied to one of at least twice its size if ``size`` does not fit."""
    if size <= array.size:
        return array
    larger = np.empty(max(size, 2 * array.size), array.dtype)
    for i in range(array.size):  # a slice would compile the text of its error as well
        larger[i] = array[i]
    return larger


@njit(cache=True, nogil=True)
def reduce_columns(start, rows, visit):
    """Reduce the boundary matrix, one column at a time.

    Parameters
    ----------
    start : (n_cells + 1,) int64
        Column j of the boundary matrix is ``rows[start[j]:start[j + 1]]``.
    rows : (n_entries,) int64
        Ascending within each column.
    visit : (n_visits,) int64
        Columns in the sequence in which to reduce them: every column after all columns
        of its dimension on its left.

    Returns
    -------
    pivot : (n_cells,) int64
        ``pivot[i] == j`` for each pair (i, j), the column with ``low(j) == i``; -1 where
        row i is the ``low`` of no visited column.
    begin, end : (n_cells,) int64
        Reduced column j is ``reduced[begin[j]:end[j]]``; empty if it was not visited.
    reduced : (n_reduced,) int64
        Rows of the reduced columns, ascending within each.
    """
    n_cells = start.size - 1
    pivot = np.full(n_cells, -1)
    begin = np.zeros(n_cells, np.int64)
    end = np.zeros(n_cells, np.int64)
    reduced = np.empty(rows.size, np.int64)
    used = 0
    column = np.empty(64, np.int64)  # six rows to begin with; `grown` makes room for sums
    total = np.empty(64, np.int64)

    for j in visit:
        # Clearing: row j is the low of a column, so cell j is a creator, and its own column
        # must end empty.  From left to right this is never true.
        if pivot[j] != -1:
            continue

        length = start[j + 1] - start[j]
        column = grown(column, length)
        column[:length] = rows[start[j] : start[j + 1]]
        # While a reduced column k has the same low, add it.  The two lows cancel, so the low
        # of the sum is a lower row, until no column has it or nothing is left.
        while length > 0 and pivot[column[length - 1]] != -1:
            k = pivot[column[length - 1]]
            other = reduced[begin[k] : end[k]]
            total = grown(total, length + other.size)
            length = add_mod_2(column, length, other, total)
            column, total = total, column
        # The low is the youngest cell of the cycle that cell j makes a boundary: its creator.
        if length > 0:
            pivot[column[length - 1]] = j

        # Reduced columns lie one behind another, in the sequence in which they are visited.
        reduced = grown(reduced, used + length)
        reduced[used : used + length] = column[:length]
        begin[j] = used
        used += length
        end[j] = used
    return pivot, begin, end, reduced[:used].copy()
