"""Bits of a number: loops that the compiler knows as one instruction each."""

import numpy as np

from pytopo.kernels.jit import njit


@njit(cache=True, nogil=True)
def count_ones(bits):
    """Return how many bits of an integer >= 0 are set."""
    count = 0
    while bits != 0:
        bits &= bits - 1
        count += 1
    return count


@njit(cache=True, nogil=True)
def lowest_one(bits):
    """Return the position of the lowest set bit of an integer > 0."""
    return count_ones((bits & -bits) - 1)


@njit(cache=True, nogil=True)
def highest_one(word):
    """Return the position of the highest set bit of a uint64; -1 for zero."""
    count = -1
    while word != 0:
        word >>= np.uint64(1)
        count += 1
    return count
