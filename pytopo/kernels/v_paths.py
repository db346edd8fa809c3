"""V-paths: from a pixel along the discrete gradient to the extremum that it leads to.

Every pixel but an extremum points to a neighbour: to an earlier one, and the path leads to a
minimum; or, upside down, to a later one, and it leads to a maximum.  No pointer is stored, the
bits of the neighbours that come before a pixel say where it points.

Paths share their ends, so following each to its extremum could visit a pixel again and again.
A path of more than `LONG` steps therefore marks all its pixels with the extremum it has
found, and later paths stop there: no long path is followed twice, and the time is linear.
"""

import numpy as np

from pytopo.kernels.bits import lowest_one
from pytopo.kernels.jit import njit

UNKNOWN = -1  # no number of an extremum is noted here
LONG = 16


@njit(cache=True, nogil=True)
def follow_2d(start, earlier, onward, out_root):
    """Follow the pointers of an image from a pixel to its extremum.

    Parameters
    ----------
    start : int
    earlier : (n,) uint8
        Which neighbours come before each pixel.
    onward : (256,) int64
        By set of earlier neighbours, the step to the neighbour to follow.
    out_root : (n,) int32
        Numbers of extrema at their pixels; `UNKNOWN` elsewhere.  Receives the number that was
        found at ``start``, and along all of a long path.

    Returns
    -------
    found : int
        Number of the extremum.
    """
    p = start
    n_steps = 0
    while out_root[p] == UNKNOWN:
        p += onward[earlier[p]]
        n_steps += 1
    found = out_root[p]
    out_root[start] = found
    if n_steps > LONG:  # a second time along the path, and mark it
        p = start + onward[earlier[start]]
        while out_root[p] == UNKNOWN:
            out_root[p] = found
            p += onward[earlier[p]]
    return found


@njit(cache=True, nogil=True)
def follow_3d(start, links, flip, steps, out_root):
    """Follow the pointers of a volume from a voxel to its extremum: as `follow_2d`.

    Parameters
    ----------
    start : int
    links : (n,) uint32
        Lower links.  The lowest bit is the neighbour to follow, with all bits flipped if the
        path leads to a maximum.
    flip : int
        0 for minima, 2^26 - 1 for maxima.
    steps : (26,) int64
        Distance in the array of the neighbour of each bit.
    out_root : (n,) int32
        As in `follow_2d`.

    Returns
    -------
    found : int
    """
    p = start
    n_steps = 0
    while out_root[p] == UNKNOWN:
        p += steps[lowest_one(np.int64(links[p]) ^ flip)]
        n_steps += 1
    found = out_root[p]
    out_root[start] = found
    if n_steps > LONG:
        p = start + steps[lowest_one(np.int64(links[start]) ^ flip)]
        while out_root[p] == UNKNOWN:
            out_root[p] = found
            p += steps[lowest_one(np.int64(links[p]) ^ flip)]
    return found
