"""Sets as bits of a number: loops that the compiler knows as one instruction each."""

import numpy as np

from pytopo.kernels.jit import njit


@njit(cache=True, nogil=True)
def count_ones(bits):
    """Return how many bits of an integer >= 0 are set.

    ``bits & bits - 1`` clears the lowest set bit: 0b10100 & 0b10011 = 0b10000.
    """
    count = 0
    while bits != 0:
        bits &= bits - 1
        count += 1
    return count


@njit(cache=True, nogil=True)
def count_of_even(even):
    """Return how many bits of a byte are set, if it has none at odd places.

    Without a loop, and in bytes throughout, so that one vector instruction counts for dozens
    of bytes.  Places next to each other are added up, then the two halves:

        bit       7 6 5 4 3 2 1 0
        even      . d . c . b . a       each of a, b, c, d is 0 or 1
        pairs     . . c+d . . a+b       as two numbers of four bits
        count              a+b+c+d
    """
    pairs = np.uint8((even & 0b00010001) + (even >> 2 & 0b00010001))
    return np.uint8((pairs & 15) + (pairs >> 4))


@njit(cache=True, nogil=True)
def lowest_one(bits):
    """Return the position of the lowest set bit of an integer > 0.

    ``bits & -bits`` is that bit alone, and one less has a one at every place below it.
    """
    return count_ones((bits & -bits) - 1)


@njit(cache=True, nogil=True)
def highest_one(word):
    """Return the position of the highest set bit of a uint64; -1 for zero."""
    count = -1
    while word != 0:
        word >>= np.uint64(1)
        count += 1
    return count
