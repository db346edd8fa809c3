"""The fast algorithm for what is one band: from its critical pixels to pairs, in one call.

    saddles, extrema -> order, numbers -> ends of merge events -> Kruskal -> pairs of pixels

A call from Python costs some microseconds, and on several threads, which take turns in
Python, more: as much as a kernel takes for a small image.  So all kernels that look at lists
only are called from here.  `pytopo.morse.pairs_2d` takes the same steps for an image of several
bands, each for all bands, because a band needs what the others have found.
"""

import numpy as np

from pytopo.kernels.gather import taken
from pytopo.kernels.jit import njit
from pytopo.kernels.kruskal import merge
from pytopo.kernels.merge_pairs import component_pairs, hole_pairs, note_deaths
from pytopo.kernels.sorting import sorted_order
from pytopo.kernels.sweep_2d import closing_loops, joined_extrema, number_extrema
from pytopo.kernels.v_paths import UNKNOWN


@njit(cache=True, nogil=True)
def paired_pixels(keys, stride, earlier, saddle, minimum, maximum, onward, across, out_root):
    """Pair the pixels of an image, or of images on top of each other.

    Parameters
    ----------
    keys : (H, W) int32 or int64
    stride : int
    earlier : (H, W) uint8
        As in `pytopo.kernels.links_2d.earlier_neighbours`.
    saddle : (n_merges,) int32
        Merge events as `pytopo.kernels.sweep_2d.saddles` lists them.
    minimum, maximum : (n,) int32
        As `extrema` lists them; no minima if components are not required, no maxima if holes
        are not.
    onward : (2, 256) int64
    across : (2, 256, 4) int64
        For components and for holes, as the kernels of `pytopo.kernels.sweep_2d` take them.
    out_root : (H, W) int32
        Receives numbers of extrema.

    Returns
    -------
    component, hole : (n, 2) int32
        Pairs as `component_pairs` and `hole_pairs` list them; none if not required.
    """
    flat_keys = keys.reshape(-1)
    component = hole = np.empty((0, 2), np.int32)
    order = sorted_order(taken(flat_keys, saddle))
    if minimum.size > 0:
        younger = merged(
            keys, stride, earlier, saddle, order, minimum, 0, onward[0], across[0], out_root
        )
        death = deaths(saddle, younger, minimum.size)
        component = component_pairs(minimum, death, flat_keys)
        # Saddles at which only components died need no second sweep.
        kept = closing_loops(saddle, younger)
        saddle, order = kept, order_of_kept(order, saddle, kept)
    if maximum.size > 0:
        younger = merged(
            keys, stride, earlier, saddle, order, maximum, 255, onward[1], across[1], out_root
        )
        hole = hole_pairs(maximum, saddle, younger, flat_keys)
    return component, hole


@njit(cache=True, nogil=True)
def merged(keys, stride, earlier, saddle, order, extremum, flip, onward, across, out_root):
    """Merge the components of all extrema, and note which dies at each merge event.

    Parameters
    ----------
    keys, stride, earlier
        As in `paired_pixels`.
    saddle : (n_merges,) int32
        As `pytopo.kernels.sweep_2d.saddles` lists them, or some saddles of that list.
    order : (n_merges,) int32
        The ascending order of their keys.
    extremum : (n,) int32
        The minima, or the maxima.
    flip : int
        0 for minima, 255 for maxima.
    onward : (256,) int64
    across : (256, 4) int64
        Those of the minima, or of the maxima.
    out_root : (H, W) int32
        Receives numbers of extrema.

    Returns
    -------
    younger : (n_merges,) int32
        Number of the extremum whose component dies at each merge event, or `UNKNOWN`.
    """
    # From the arcs of each saddle down to two minima, or up to two maxima.
    flat_keys = keys.reshape(-1)
    first, stop, exterior = np.int64(0), len(keys), extremum.size
    number_extrema(extremum, first, exterior, stride, first, stop, out_root)
    ends = joined_extrema(saddle, earlier.reshape(-1), onward, across, out_root.reshape(-1))

    # Kruskal: each extremum is a tree by itself, and the exterior is the eldest of all.
    key = np.empty(exterior + 1, keys.dtype)
    parent = np.empty(exterior + 1, np.int32)
    for k in range(exterior):
        key[k], parent[k] = flat_keys[extremum[k]], k
    # Row 0 is exterior and has the largest key.
    key[exterior], parent[exterior] = flat_keys[0] if flip else ~flat_keys[0], exterior
    younger = np.empty(saddle.size, np.int32)
    younger[:] = UNKNOWN
    merge(order, ends, key, np.int64(flip), first, exterior, parent, younger)
    return younger


@njit(cache=True, nogil=True)
def deaths(saddle, younger, n_minima):
    """Return the saddle at which each component dies.

    Parameters
    ----------
    saddle, younger : (n_merges,) int32
        As `merged` takes and returns them.
    n_minima : int

    Returns
    -------
    death : (n_minima,) int32
        `UNKNOWN` for a component that never dies.
    """
    death = np.empty(n_minima, np.int32)
    death[:] = UNKNOWN
    note_deaths(saddle, younger, death)
    return death


@njit(cache=True, nogil=True)
def order_of_kept(order, saddle, kept):
    """Return the order of the merge events that are kept, from that of all.

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
    # Both lists of saddles ascend: go through them side by side.
    place = np.empty(saddle.size, np.int32)
    count = 0
    for k in range(saddle.size):
        place[k] = UNKNOWN
        if count < kept.size and kept[count] == saddle[k]:
            place[k] = count
            count += 1
    # The others keep their order.
    some = np.empty(kept.size, np.int32)
    count = 0
    for k in order:
        if place[k] != UNKNOWN:
            some[count] = place[k]
            count += 1
    return some
