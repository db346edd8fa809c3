"""Mod-2 reduction of the sorted boundary matrix: which cell kills what which cell began.

Rows and columns are the cells in filtration order; column j holds the faces of cell j.
``low(j)`` is the last row of column j.  Columns are added to columns on their right until
no two have the same ``low``:

    for j from left to right:
        while an earlier column k has low(k) == low(j):
            add column k to column j, modulo 2

A column that ends with low(j) = i says that cell j fills the cycle that cell i closed:
the pair (i, j).  A column that ends empty closes a cycle of its own, and if no later
column ever has it as ``low`` the cycle is essential.

The clearing shortcut changes only the *sequence* in which columns are visited: highest
dimension first.  Then, by the time its turn comes, a column whose cell is already known
as the first of a pair must end empty, and is passed over.

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
            place = end + k  # insertion sort: a column has at most six rows
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
    for d in range(3, -1, -1):
        for j in range(dimension.size):
            if dimension[j] == d:
                visit[count] = j
                count += 1
    return visit


@njit(cache=True, nogil=True)
def add_mod_2(first, n_first, second, out_sum):
    """Add two sorted sparse columns modulo 2: rows they share vanish.

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
        if first[i] == second[j]:
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
    while i < n_first:
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
    """Return ``array``, copied into at least twice the room if ``size`` does not fit."""
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
    killer : (n_cells,) int64
        ``killer[i] == j`` for each pair (i, j), the column with ``low(j) == i``; -1 where
        no visited column has the cell as its ``low``.
    begin, end : (n_cells,) int64
        Reduced column j is ``reduced[begin[j]:end[j]]``; empty if it was not visited.
    reduced : (n_reduced,) int64
        Rows of the reduced columns, ascending within each.
    """
    n_cells = start.size - 1
    killer = np.full(n_cells, -1)
    begin = np.zeros(n_cells, np.int64)
    end = np.zeros(n_cells, np.int64)
    reduced = np.empty(rows.size, np.int64)
    used = 0
    column = np.empty(64, np.int64)  # more room is made where a column needs it
    total = np.empty(64, np.int64)

    for j in visit:
        if killer[j] != -1:  # the clearing shortcut: never true from left to right
            continue

        length = start[j + 1] - start[j]
        column = grown(column, length)
        column[:length] = rows[start[j] : start[j + 1]]
        while length > 0 and killer[column[length - 1]] != -1:
            k = killer[column[length - 1]]
            other = reduced[begin[k] : end[k]]
            total = grown(total, length + other.size)
            length = add_mod_2(column, length, other, total)
            column, total = total, column
        if length > 0:
            killer[column[length - 1]] = j

        reduced = grown(reduced, used + length)
        reduced[used : used + length] = column[:length]
        begin[j] = used
        used += length
        end[j] = used
    return killer, begin, end, reduced[:used].copy()
