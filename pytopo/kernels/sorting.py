"""The order of integer keys: key and index side by side in one integer, sorted by bytes.

Sorting by counting deals entries out by one digit, then by the next, and so on.  It pays for
every digit and for everything that an entry carries along.  So here an entry is a single
integer, and digits are bytes, whose 256 places stay in the fastest cache:

    | distance of the key from the least one |  index  |      64 bits
    | four leading bytes |   the rest        |

Only the leading bytes are sorted by counting.  Of a few million numbers hardly two agree in
all of these, and where some do, they are neighbours now, and insertion puts them right.  It
looks at the key itself, whose last bits may have found no room beside the index.
`pytopo.order.sorted_order` packs the keys and calls both.
"""

import numpy as np

from pytopo.kernels.jit import njit

LONG_RUN = 64


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
    place = np.zeros((n_bytes, 256), np.int64)
    for k in range(n_bytes):
        shift = np.uint64(lowest + 8 * k)
        for entry in entries:
            place[k, (entry >> shift) & np.uint64(255)] += 1

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
    """Sort by all bits what is in order by its leading ones: insertion, within short runs.

    Parameters
    ----------
    leading : (n,) uint64
        Leading bits of ``keys[out_order]``; ascending.
    keys : (n,) int32 or int64
    out_order : (n,) int32
        A stable order by leading bits; receives the one by keys.

    Returns
    -------
    done : bool
        False if an entry would have to go far, in a long run: the order is unfinished.
    """
    for t in range(1, leading.size):
        if leading[t] == leading[t - 1]:
            i = out_order[t]
            place = t
            while place > 0 and keys[out_order[place - 1]] > keys[i]:
                out_order[place] = out_order[place - 1]
                place -= 1
                if t - place > LONG_RUN:
                    return False
            out_order[place] = i
    return True
