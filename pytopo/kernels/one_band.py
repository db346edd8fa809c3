"""The fast route for what is one band: from its critical pixels to pairs, in one call.

    sorted saddles, extrema -> numbers -> ends of joins -> merge -> pairs of pixels

A call from Python costs some microseconds, and on several threads, which take turns in
Python, more: as much as a kernel takes for a small image.  So all kernels that look at lists
only are called from here.  `pytopo.morse.pairs_2d` takes the same steps for an image of several
bands, each for all bands, because a band needs what the others have found.
"""

import numpy as np

from pytopo.kernels.jit import njit
from pytopo.kernels.kruskal import merge
from pytopo.kernels.sweep_2d import (
    UNKNOWN,
    closing_loops,
    component_pairs,
    hole_pairs,
    joined_extrema,
    note_deaths,
    number_extrema,
)


@njit(cache=True, nogil=True)
def paired_pixels(
    keys, period, earlier, saddle, order, minimum, maximum, flip, onward, across, out_root
):
    """Pair the pixels of an image, or of images on top of each other.

    Parameters
    ----------
    keys : (H, W) int32 or int64
    period : int
    earlier : (H, W) uint8
        As in `pytopo.kernels.links_2d.earlier_neighbours`.
    saddle : (n_joins,) int32
        Joins as `pytopo.kernels.sweep_2d.saddles` lists them.
    order : (n_joins,) int32
        The stable ascending order of their keys.
    minimum, maximum : (n,) int32
        As `extrema` lists them; no minima if components are not asked for, no
        maxima if holes are not.
    flip : (2,) int64
    onward : (2, 256) int64
    across : (2, 256, 4) int64
        For components and for holes, as the kernels of `pytopo.kernels.sweep_2d` take them.
    out_root : (H, W) int32
        Receives numbers of extrema.

    Returns
    -------
    component, hole : (n, 2) int32
        Pairs as `component_pairs` and `hole_pairs` list them; none if not asked for.
    """
    flat_keys, flat_root = keys.reshape(-1), out_root.reshape(-1)
    component = hole = np.empty((0, 2), np.int32)
    for dim in range(2):
        extremum = maximum if dim else minimum
        if extremum.size == 0:
            continue
        first, stop, outside = np.int64(0), len(keys), extremum.size
        number_extrema(extremum, first, outside, period, first, stop, out_root)
        ends = joined_extrema(saddle, earlier.reshape(-1), onward[dim], across[dim], flat_root)

        key = np.empty(outside + 1, keys.dtype)
        parent = np.empty(outside + 1, np.int32)
        for k in range(outside):
            key[k], parent[k] = flat_keys[extremum[k]], k
        # Row 0 is outside and has the largest key.
        key[outside], parent[outside] = flat_keys[0] if dim else ~flat_keys[0], outside
        victim = np.empty(saddle.size, np.int32)
        victim[:] = UNKNOWN
        merge(order, ends, key, flip[dim], first, outside, parent, victim)

        if dim == 0:
            death = np.empty(outside, np.int32)
            death[:] = UNKNOWN
            note_deaths(saddle, victim, death)
            component = component_pairs(extremum, death, flat_keys)
            kept = closing_loops(saddle, victim)
            saddle, order = kept, order_of_kept(order, saddle, kept)
        else:
            hole = hole_pairs(extremum, saddle, victim, flat_keys)
    return component, hole


@njit(cache=True, nogil=True)
def order_of_kept(order, saddle, kept):
    """Return the order of the joins that are kept, from that of all.

    Parameters
    ----------
    order : (n,) int32
        A permutation of ``range(n)``.
    saddle : (n,) int32
        Ascending.
    kept : (m,) int32
        As `closing_loops` returns it: all entries of ``saddle`` of some values.

    Returns
    -------
    order : (m,) int32
        A permutation of ``range(m)``.
    """
    place = np.empty(saddle.size, np.int32)
    count = 0
    for k in range(saddle.size):
        place[k] = UNKNOWN
        if count < kept.size and kept[count] == saddle[k]:
            place[k] = count
            count += 1
    some = np.empty(kept.size, np.int32)
    count = 0
    for k in order:
        if place[k] != UNKNOWN:
            some[count] = place[k]
            count += 1
    return some
