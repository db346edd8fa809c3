"""The order of integer keys: key and index side by side in one integer, sorted by bytes.

A radix sort deals entries out by one digit, the last, then by the one before, and so on.  Each
digit is a pass over all that an entry holds.  So here an entry is a single integer, and digits
are bytes, whose 256 places stay in the fastest cache:

    | distance of the key from the least one |  index  |      64 bits
    | four leading bytes |   the rest        |

Only the leading bytes are sorted that way.  Of a few million numbers hardly two agree in all
of these, and those that do are neighbours then, so insertion sort is enough.  It compares the
keys themselves, whose last bits may have had no room beside the index.
"""

import numpy as np

from pytopo.kernels.bits import highest_one
from pytopo.kernels.jit import njit

LEADING_BYTES = 4  # of a key: sorted by counting, the others by insertion


@njit(cache=True, nogil=True)
def sorted_order(keys):
    """Return the stable ascending order of some keys.

    Parameters
    ----------
    keys : (n,) int32 or int64
        Less than 2^31 of them.

    Returns
    -------
    order : (n,) int32
        ``keys[order]`` ascends; equal keys by index.

    Examples
    --------
    >>> sorted_order(np.array([3, 1, 1])).tolist()
    [1, 2, 0]
    """
    order = np.empty(keys.size, np.int32)
    if keys.size == 0:
        return order
    # How many bits do keys and indices take, and how many do not fit into 64?
    least = largest = keys[0]
    for key in keys:
        least, largest = min(least, key), max(largest, key)
    sign = np.uint64(2**63)  # inverted, so that without a sign negative keys come first too
    least_bits, largest_bits = np.uint64(least) ^ sign, np.uint64(largest) ^ sign
    key_bits = highest_one(largest_bits - least_bits) + 1
    index_bits = highest_one(np.uint64(keys.size - 1)) + 1
    lost_bits = max(0, key_bits + index_bits - 64)

    # Key and index side by side.
    entries = np.empty(keys.size, np.uint64)
    for i in range(keys.size):
        distance = (np.uint64(keys[i]) ^ sign) - least_bits
        entries[i] = distance >> np.uint64(lost_bits) << np.uint64(index_bits) | np.uint64(i)
    n_bytes = min(LEADING_BYTES, (key_bits - lost_bits + 7) // 8)
    lowest = max(index_bits, key_bits - lost_bits + index_bits - 8 * n_bytes)
    entries = sort_bytes(entries, lowest, n_bytes)
    index = np.uint64((1 << index_bits) - 1)
    for t in range(keys.size):
        order[t] = entries[t] & index
    if lowest > index_bits or lost_bits > 0:  # some bits of the keys were not sorted by
        for t in range(keys.size):
            entries[t] >>= np.uint64(lowest)
        sort_runs(entries, keys, order)
    return order


@njit(cache=True, nogil=True)
def sort_bytes(entries, lowest, n_bytes):
    """Sort numbers by some of their bytes, the last one first.

    Parameters
    ----------
    entries : (n,) uint64
        Used as work space.
    lowest : int
        The first bit of the last byte.
    n_bytes : int
        How many bytes; ``lowest + 8 * n_bytes < 72``.

    Returns
    -------
    entries : (n,) uint64
        Ascending in the bits from ``lowest`` on; those that agree in them as they were.
    """
    # Count the digits at every place in one pass: sums of counts are where each digit begins.
    place = np.zeros((n_bytes, 256), np.int64)
    for k in range(n_bytes):
        shift = np.uint64(lowest + 8 * k)
        for entry in entries:
            place[k, (entry >> shift) & np.uint64(255)] += 1

    # Then deal the entries out, one pass for each place; equal digits stay as they were.
    dealt = np.empty(entries.size, np.uint64)
    for k in range(n_bytes):
        shift = np.uint64(lowest + 8 * k)
        free = 0
        for digit in range(256):
            count = place[k, digit]
            place[k, digit] = free
            free += count
        for entry in entries:
            digit = (entry >> shift) & np.uint64(255)
            dealt[place[k, digit]] = entry
            place[k, digit] += 1
        entries, dealt = dealt, entries
    return entries


@njit(cache=True, nogil=True)
def sort_runs(leading, keys, out_order):
    """Sort by all bits what is in order by its leading ones.

    Insertion sort within runs that agree in those: one pass, as long as runs are short.  In
    long runs entries move in long steps first, in further passes (Shell sort, 1959).

    Parameters
    ----------
    leading : (n,) uint64
        Leading bits of ``keys[out_order]``; ascending.
    keys : (n,) int32 or int64
    out_order : (n,) int32
        A stable order by leading bits; receives the one by keys.
    """
    # The longest run says how long the first steps are: 1, 4, 13, 40, ...
    start = 0
    longest = 0
    for t in range(leading.size):
        if leading[t] != leading[start]:
            start = t
        longest = max(longest, t - start + 1)
    step = 1
    while 3 * step + 1 < longest:
        step = 3 * step + 1
    while step > 0:
        for t in range(step, leading.size):
            # Later entries of the same run move on by a step, until i has its place.
            i = out_order[t]
            place = t
            while place >= step and leading[place - step] == leading[t]:
                j = out_order[place - step]
                if keys[j] < keys[i] or (keys[j] == keys[i] and j < i):
                    break
                out_order[place] = j
                place -= step
            out_order[place] = i
        step //= 3
