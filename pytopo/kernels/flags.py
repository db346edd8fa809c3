"""Two flags of a small vector space, and how they lie to each other.

A *flag* is a basis in which the order counts: its first vectors span a line, a plane, and so
on.  Two flags of one space have a basis in common, up to order (the Bruhat decomposition):
each vector of the one then belongs to a vector of the other.  Over two elements a vector is a
set of bits:

    a    01, 10        the first vector of a is the sum of both of b, and 10 is the first of b:
    b    10, 11        so a's first belongs to b's second, and a's second to b's first

This is the reduction of a matrix whose columns are the vectors of the one flag, in coordinates
of the other.

Cohen-Steiner, Edelsbrunner, Harer, Morozov (2009), "Persistent homology for kernels, images,
and cokernels", reduce with two orders in the same way.
"""

import numpy as np

from pytopo.kernels.bits import highest_one
from pytopo.kernels.jit import njit


@njit(cache=True, nogil=True)
def common_basis(start, a, b):
    """Find for each vector of one flag the vector of the other that belongs to it.

    Parameters
    ----------
    start : (n_groups + 1,) int64
        Vectors ``start[g]`` to ``start[g + 1] - 1`` of either flag are bases of one space.
    a, b : (n,) uint8
        The vectors, as sets of bits.

    Returns
    -------
    partner : (n,) int64
        Row of ``b`` for each row of ``a``, of the same group.
    """
    partner = np.empty(a.size, np.int64)
    pivot_vector, pivot_sum = np.zeros(8, np.int64), np.zeros(8, np.int64)
    column = np.zeros(8, np.int64)
    for g in range(start.size - 1):
        first, n = start[g], start[g + 1] - start[g]
        if n == 1:
            partner[first] = first
            continue
        # Echelon form of b, and which vectors of b were added up for each row of it.
        pivot_vector[:] = 0
        for k in range(n):
            vector, total = np.int64(b[first + k]), 1 << k
            while pivot_vector[highest_one(np.uint64(vector))] != 0:
                top = highest_one(np.uint64(vector))
                vector ^= pivot_vector[top]
                total ^= pivot_sum[top]
            top = highest_one(np.uint64(vector))
            pivot_vector[top], pivot_sum[top] = vector, total

        column[:] = 0
        for k in range(n):
            vector, total = np.int64(a[first + k]), np.int64(0)
            while vector != 0:  # into coordinates of b
                top = highest_one(np.uint64(vector))
                vector ^= pivot_vector[top]
                total ^= pivot_sum[top]
            while column[highest_one(np.uint64(total))] != 0:
                total ^= column[highest_one(np.uint64(total))]
            low = highest_one(np.uint64(total))
            column[low] = total
            partner[first + k] = first + low
    return partner
