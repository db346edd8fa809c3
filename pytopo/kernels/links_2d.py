"""Which of the eight neighbours of a pixel come before it: one byte per pixel.

        5 6 7
        4 p 0        bit d for direction d
        3 2 1        0 to 3: larger index       4 to 7: smaller index

Of two equal pixels the one of smaller index comes first.  So p comes before a neighbour of
larger index unless that one is *strictly* smaller, and each pair needs comparing only once:
the neighbour reads the same answer inverted.
"""

import numpy as np

from pytopo.kernels.jit import njit

# The byte of the exterior: one neighbour, one arc.  Neither saddle nor extremum, however
# neighbours are connected, so no kernel has to leave the exterior out.
REGULAR = 0b00000001


@njit(cache=True, nogil=True)
def earlier_neighbours(keys, stride, first, stop, out_earlier):
    """Find for each pixel of some rows the neighbours that come before it.

    Parameters
    ----------
    keys : (H, W) int32 or int64
        Every ``stride``-th row and the first and last column are the exterior: they hold the
        largest integer, which no pixel has.
    stride : int
        Divides H - 1.
    first, stop : int
        Rows to fill, 0 <= first <= stop <= H.
    out_earlier : (H, W) uint8
        Receives the bytes of these rows, `REGULAR` in the exterior.
    """
    width = keys.shape[1]
    above = np.empty(width, np.uint8)  # row 0 is the exterior, and needs none above it
    here = np.empty(width, np.uint8)
    if 0 < first < stop:  # without rows to fill, the row above may have none below it
        compare_onwards(keys, first - 1, above)
    for i in range(first, min(stop, keys.shape[0] - 1)):
        compare_onwards(keys, i, here)  # bits 0 to 3 of this row
        if i % stride == 0:
            out_earlier[i] = REGULAR
            above, here = here, above
            continue
        out_earlier[i, 0] = REGULAR
        out_earlier[i, width - 1] = REGULAR
        for j in range(1, width - 1):
            # Bits 4 to 7: what the neighbours of smaller index have found out about this
            # pixel, inverted.  Left compared rightwards, its bit 0; and so on.
            behind = (
                (here[j - 1] & 1) | (above[j - 1] & 2) | (above[j] & 4) | (above[j + 1] & 8)
            )
            out_earlier[i, j] = here[j] | ((behind ^ 15) << 4)
        above, here = here, above
    if first < stop == keys.shape[0]:  # the last row is the exterior, and has none below it
        out_earlier[stop - 1] = REGULAR


@njit(cache=True, nogil=True)
def compare_onwards(keys, i, out_bits):
    """Compare the pixels of row ``i`` with their neighbours of larger index, bits 0 to 3.

    Entries at the two ends have no neighbour beyond, and miss those bits.
    """
    width = keys.shape[1]
    row, below = keys[i], keys[i + 1]
    out_bits[0] = (row[1] < row[0]) | (below[1] < row[0]) << 1 | (below[0] < row[0]) << 2
    for j in range(1, width - 1):
        key = row[j]
        out_bits[j] = (
            (row[j + 1] < key)
            | (below[j + 1] < key) << 1
            | (below[j] < key) << 2
            | (below[j - 1] < key) << 3
        )
    j = width - 1
    out_bits[j] = (below[j] < row[j]) << 2 | (below[j - 1] < row[j]) << 3
