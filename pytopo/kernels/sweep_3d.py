"""Components and voids of a volume: extrema, and the joins that saddles may make.

Twin of the edge and cube columns of ``reduction``, and the counterpart of
`pytopo/kernels/sweep_2d.py`, where two axes are treated alike.  What a voxel does follows from
its lower link (`pytopo.morse.links_3d`), and from what the link leaves free, the upper link:

    lower link empty              a component starts: a minimum
    lower link in k pieces        k - 1 joins of components; one that joins what is together
                                  already starts a tunnel
    upper link in k pieces        k - 1 joins of what is *not* there yet; one that joins two
                                  parts starts a void, any other fills a tunnel
    upper link empty              a void is filled: a maximum

Every voxel but a minimum points to an earlier face neighbour, every voxel but a maximum to a
later neighbour, over corners too.  Both are the lowest bit of the link: as it is, or with
all bits flipped (an edge whose faces are there is missing only if its neighbour is).  So
one set of kernels does both, ``flip`` tells which.

A piece is named by its *lead*, its lowest face or octant.
"""

import numpy as np

from pytopo.kernels.bits import lowest_one
from pytopo.kernels.jit import njit
from pytopo.kernels.reduction import grown

UNKNOWN = -1
SHORT_WAY = 16


@njit(cache=True, nogil=True)
def piece_leads(link, flip, shift, leads):
    """Return the leads of the pieces of a lower (``flip`` 0) or upper link, as a set."""
    return np.int64(leads[link >> 6 & 4095]) & ((link ^ flip) >> shift)


@njit(cache=True, nogil=True)
def extrema_and_joins(links, period, first, stop, flip, shift, leads):
    """List the extrema of some planes, and the joins.

    Parameters
    ----------
    links : (D, H, W) uint32
        Lower links; anything outside.
    period : int
        Distance of the planes of outside; divides D - 1.
    first, stop : int
        Planes to look at, 0 <= first <= stop <= D.
    flip : int
        0 for minima and pieces of lower links, 2^26 - 1 for maxima and upper links.
    shift : int
        Where leads are in a link: bit 0 for faces, 18 for octants.
    leads : (4096,) uint8
        Leads of the pieces by set of edges.

    Returns
    -------
    extremum : (n_extrema,) int32
        Ascending flat indices.
    saddle : (n_joins,) int32
        Ascending, each as often as its link has pieces beyond the first.  There are fewer
        than two joins a voxel (`docs/fast-3d.md`), so 32 bits can number them.
    lead : (n_joins,) uint8
        Lead of that piece; ascending for a saddle.
    """
    height, width = links.shape[1:]
    # Few of all voxels are critical, so room is made row by row: a voxel is one extremum at
    # most, and a link has at most eight pieces, so it makes at most seven joins.
    extremum = np.empty(8 * width, np.int32)
    saddle = np.empty(8 * width, np.int32)
    lead = np.empty(8 * width, np.uint8)
    n_extrema, n_joins = 0, 0
    for z in range(first, stop):
        if z % period == 0:
            continue
        for y in range(1, height - 1):
            row = (z * height + y) * width
            extremum = grown(extremum, n_extrema + width)
            saddle = grown(saddle, n_joins + 7 * width)
            lead = grown(lead, n_joins + 7 * width)
            for x in range(1, width - 1):
                some = piece_leads(np.int64(links[z, y, x]), flip, shift, leads)
                if some == 0:
                    extremum[n_extrema] = row + x
                    n_extrema += 1
                others = some & (some - 1)  # all but the lowest
                while others != 0:
                    saddle[n_joins] = row + x
                    lead[n_joins] = lowest_one(others)
                    n_joins += 1
                    others &= others - 1
    return extremum[:n_extrema].copy(), saddle[:n_joins].copy(), lead[:n_joins].copy()


@njit(cache=True, nogil=True)
def number_extrema(extremum, period, out_root):
    """Number the extrema; outside is one more, the last.

    Parameters
    ----------
    extremum : (n_extrema,) int32
    period : int
    out_root : (D, H, W) int32
        Receives the number of each extremum at its voxel, ``n_extrema`` outside, and -1
        elsewhere.
    """
    depth, height, width = out_root.shape
    outside = extremum.size
    flat = out_root.reshape(-1)
    for row in range(depth * height):  # assignments to slices take long to compile
        z, y = row // height, row % height
        inside = z % period != 0 and 0 < y < height - 1
        for x in range(width):
            flat[row * width + x] = UNKNOWN if inside and 0 < x < width - 1 else outside
    for k in range(extremum.size):
        flat[extremum[k]] = k


@njit(cache=True, nogil=True)
def joined_extrema(saddle, lead, links, flip, shift, leads, members, steps, out_root):
    """Find the extrema that each join would join.

    Parameters
    ----------
    saddle, lead : (n_joins,) int32, uint8
        As `extrema_and_joins` lists them.
    links : (n,) uint32
        Lower links.
    flip, shift, leads
        As in `extrema_and_joins`.
    members : (6,) or (8,) int64
        By lead, the bits of the neighbours of which one or more are in its piece.
    steps : (26,) int64
        Distance in the array of the neighbour of each bit.
    out_root : (n,) int32
        Numbers of the extrema, as `number_extrema` fills it.  Voxels on long ways receive
        theirs, so that no long way is gone twice: linear time.

    Returns
    -------
    ends : (n_joins, 2) int32
        Numbers of two extrema.  The joins of a saddle share their first.
    """
    ends = np.empty((saddle.size, 2), np.int32)
    for k in range(saddle.size):
        p = np.int64(saddle[k])
        link = np.int64(links[p])
        if k > 0 and saddle[k - 1] == saddle[k]:
            ends[k, 0] = ends[k - 1, 0]
        else:
            first = members[lowest_one(piece_leads(link, flip, shift, leads))]
            q = p + steps[lowest_one((link ^ flip) & first)]
            ends[k, 0] = follow(q, links, flip, steps, out_root)
        q = p + steps[lowest_one((link ^ flip) & members[lead[k]])]
        ends[k, 1] = follow(q, links, flip, steps, out_root)
    return ends


@njit(cache=True, nogil=True)
def follow(start, links, flip, steps, out_root):
    """Follow the pointers from a voxel to its extremum, and mark it, or all of a long way."""
    p = start
    taken = 0
    while out_root[p] == UNKNOWN:
        p += steps[lowest_one(np.int64(links[p]) ^ flip)]
        taken += 1
    found = out_root[p]
    out_root[start] = found
    if taken > SHORT_WAY:
        p = start + steps[lowest_one(np.int64(links[start]) ^ flip)]
        while out_root[p] == UNKNOWN:
            out_root[p] = found
            p += steps[lowest_one(np.int64(links[p]) ^ flip)]
    return found
