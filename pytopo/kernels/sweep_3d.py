"""Components and voids of a volume: extrema, and the merge events of saddles.

The reference implementation is the edge and cube columns of ``reduction``; the counterpart,
for images, is `pytopo/kernels/sweep_2d.py`.  What a voxel does follows from its lower link
(`pytopo.morse.links_3d`), and from what the link leaves free, the upper link:

    lower link empty              it creates a component: a minimum
    lower link in k components    k - 1 merge events of components; one that merges nothing,
                                  because all is connected already, creates a tunnel
    upper link in k components    k - 1 merge events of what is *not* there yet; one that
                                  merges two parts creates a void, any other fills a tunnel
    upper link empty              it fills a void: a maximum

Every voxel but a minimum points to an earlier face neighbour, every voxel but a maximum to a
later neighbour, over corners too.  Both are the lowest bit of the link: as it is, or with
all bits flipped (an edge whose faces are there is missing only if its neighbour is).  So
one set of kernels does both, and ``flip`` says which.

A component of a link is named by its *representative*, its lowest face or octant.
"""

import numpy as np

from pytopo.kernels.bits import lowest_one
from pytopo.kernels.jit import njit
from pytopo.kernels.reduction import grown
from pytopo.kernels.v_paths import UNKNOWN, follow_3d


@njit(cache=True, nogil=True)
def representatives(link, flip, shift, by_edges):
    """Return the representatives of the components of a link, as a set.

    Parameters
    ----------
    link : int
        The lower link of a voxel.
    flip, shift, by_edges
        As in `extrema_and_merges`.
    """
    # The table knows the twelve edges only.  A face that is not in the link has no edge there,
    # so the table takes it for a component of its own: the mask removes it.  So it does with
    # the octants that are in the lower link, which are not in the upper one.
    return np.int64(by_edges[link >> 6 & 4095]) & ((link ^ flip) >> shift)


@njit(cache=True, nogil=True)
def extrema_and_merges(links, stride, first, stop, flip, shift, by_edges):
    """List the extrema of some planes, and the merge events.

    Parameters
    ----------
    links : (D, H, W) uint32
        Lower links; anything in the exterior.
    stride : int
        Distance of the planes of exterior; divides D - 1.
    first, stop : int
        Planes to look at, 0 <= first <= stop <= D.
    flip : int
        0 for minima and components of lower links, 2^26 - 1 for maxima and upper links.
    shift : int
        Where representatives are in a link: bit 0 for faces, 18 for octants.
    by_edges : (4096,) uint8
        Representatives of the components by set of edges.

    Returns
    -------
    extremum : (n_extrema,) int32
        Ascending flat indices.
    saddle : (n_merges,) int32
        Ascending, each as often as its link has components beyond the first.  There are fewer
        than two merge events per voxel (`docs/fast-3d.md`), so 32 bits can number them.
    representative : (n_merges,) uint8
        That of the component; ascending for a saddle.
    """
    height, width = links.shape[1:]
    # Few of all voxels are critical, so room is made row by row: a voxel is one extremum at
    # most, and a link has at most eight components, so it makes at most seven merge events.
    extremum = np.empty(8 * width, np.int32)
    saddle = np.empty(8 * width, np.int32)
    representative = np.empty(8 * width, np.uint8)
    n_extrema, n_merges = 0, 0
    for z in range(first, stop):
        if z % stride == 0:
            continue
        for y in range(1, height - 1):
            row = (z * height + y) * width
            extremum = grown(extremum, n_extrema + width)
            saddle = grown(saddle, n_merges + 7 * width)
            representative = grown(representative, n_merges + 7 * width)
            for x in range(1, width - 1):
                some = representatives(np.int64(links[z, y, x]), flip, shift, by_edges)
                if some == 0:  # an empty link
                    extremum[n_extrema] = row + x
                    n_extrema += 1
                # The first component merges with nothing: the voxel joins it.  Each further
                # one is a merge event.
                others = some & (some - 1)  # all but the lowest
                while others != 0:
                    saddle[n_merges] = row + x
                    representative[n_merges] = lowest_one(others)
                    n_merges += 1
                    others &= others - 1
    return (
        extremum[:n_extrema].copy(),
        saddle[:n_merges].copy(),
        representative[:n_merges].copy(),
    )


@njit(cache=True, nogil=True)
def number_extrema(extremum, stride, out_root):
    """Number the extrema; the exterior is one more, the last.

    Parameters
    ----------
    extremum : (n_extrema,) int32
    stride : int
        Distance of the planes of exterior.
    out_root : (D, H, W) int32
        Receives the number of each extremum at its voxel, ``n_extrema`` in the exterior, and
        -1 elsewhere.
    """
    depth, height, width = out_root.shape
    exterior = extremum.size
    flat = out_root.reshape(-1)
    for row in range(depth * height):  # assignments to slices take long to compile
        z, y = row // height, row % height
        inside = z % stride != 0 and 0 < y < height - 1
        for x in range(width):
            flat[row * width + x] = UNKNOWN if inside and 0 < x < width - 1 else exterior
    for k in range(extremum.size):
        flat[extremum[k]] = k


@njit(cache=True, nogil=True)
def joined_extrema(
    saddle, representative, links, flip, shift, by_edges, members, steps, out_root
):
    """Find the two extrema that each merge event leads to.

    Parameters
    ----------
    saddle, representative : (n_merges,) int32, uint8
        As `extrema_and_merges` lists them.
    links : (n,) uint32
        Lower links.
    flip, shift, by_edges
        As in `extrema_and_merges`.
    members : (6,) or (8,) int64
        By representative, the bits of neighbours of which one or more are in its component.
    steps : (26,) int64
        Distance in the array of the neighbour of each bit.
    out_root : (n,) int32
        Numbers of the extrema, as `number_extrema` fills it; `follow_3d` writes to it.

    Returns
    -------
    ends : (n_merges, 2) int32
        Numbers of two extrema.  The merge events of a saddle share their first.
    """
    ends = np.empty((saddle.size, 2), np.int32)
    for k in range(saddle.size):
        p = np.int64(saddle[k])
        link = np.int64(links[p])
        # One end: from some neighbour in the first component of the link.
        if k > 0 and saddle[k - 1] == saddle[k]:
            ends[k, 0] = ends[k - 1, 0]
        else:
            first = members[lowest_one(representatives(link, flip, shift, by_edges))]
            q = p + steps[lowest_one((link ^ flip) & first)]
            ends[k, 0] = follow_3d(q, links, flip, steps, out_root)
        # The other end: from some neighbour in the component of this merge event.
        q = p + steps[lowest_one((link ^ flip) & members[representative[k]])]
        ends[k, 1] = follow_3d(q, links, flip, steps, out_root)
    return ends
