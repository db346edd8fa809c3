"""The lower-star filtration: all cells in the order in which their pixels enter.

A pixel enters together with the cells it owns, its lower star.  Inside a star vertices come
before edges, and edges before squares, so every cell comes after all of its faces:

    time          pixel t - 1          pixel t                         pixel t + 1
                ---------------+-------------------------------------+-------------
    cells        ...           | vertex, edges, squares, cubes       | ...

Edelsbrunner and Harer (2010), "Computational Topology", VI.3 (lower star) and VII.1
(compatible ordering).
"""

import numpy as np

from pytopo.kernels.jit import njit


@njit(cache=True, nogil=True)
def lower_star_order(rank, owner, dimension):
    """Sort the cells by (rank of the owning pixel, dimension, cell).

    The pixels are sorted already, so counting is enough: one bucket for each pair of
    pixel and dimension, filled in the order of the cells.  Linear time.

    Parameters
    ----------
    rank : (n_pixels,) int64
        When each pixel comes: a permutation of ``range(n_pixels)``.
    owner : (n_cells,) int64
        Pixel with which each cell enters.
    dimension : (n_cells,) uint8
        Dimension of each cell, 0 to 3.

    Returns
    -------
    filtration : (n_cells,) int64
        Cells in filtration order.
    position : (n_cells,) int64
        Its inverse: ``filtration[position[cell]] == cell``.
    """
    n_cells = owner.size

    # First pass: count the cells of each bucket, one entry late.  Sums then turn the counts
    # into the positions at which the buckets start.
    bucket_start = np.zeros(4 * rank.size + 1, np.int64)  # dimensions 0 to 3, and an end
    for cell in range(n_cells):
        bucket_start[4 * rank[owner[cell]] + dimension[cell] + 1] += 1
    for bucket in range(1, bucket_start.size):
        bucket_start[bucket] += bucket_start[bucket - 1]

    # Second pass: each cell goes to the next free place of its bucket.
    filtration = np.empty(n_cells, np.int64)
    position = np.empty(n_cells, np.int64)
    for cell in range(n_cells):
        bucket = 4 * rank[owner[cell]] + dimension[cell]
        place = bucket_start[bucket]
        bucket_start[bucket] += 1
        filtration[place] = cell
        position[cell] = place
    return filtration, position
