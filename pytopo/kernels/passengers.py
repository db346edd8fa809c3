"""Union-find with two passengers: components that merge, each carrying two extrema.

Merging components one after the other is the reduction of a boundary matrix.  Here the
components are those of one image, and what they carry are extrema of two others, or of the
same and one other.  Of either kind a component carries its eldest, and where components
merge, all but the eldest of a kind get off:

    components    A         B         C             A's passengers are the elder of both kinds,
    kind a        2         5         9             so 5 and 7 get off together at the first
    kind b        1         7         3             merge event, 9 and 3 at the second
                  '----o----'         |
                       '------o-------'

Getting off is a row of the reduced matrix, getting off together a pair of image bars that die
in the same place: `pytopo.morse.image_pairs` says which images these are.

A saddle that merges three components or more at the same time makes several merge events, and
who gets off together depends on their order.  The order is that of the passengers of kind a,
the eldest first.  Then the events at a saddle depend on nothing else: exchanging the kinds
exchanges the passengers of each event, and the order of the arcs does not matter.

Reference implementation: `pytopo.textbook.image_persistence`, by matrices.
"""

import numpy as np

from pytopo.kernels.jit import njit
from pytopo.kernels.union_find import find
from pytopo.kernels.v_paths import follow_2d, follow_3d

NONE = -1


@njit(cache=True, nogil=True)
def extrema_reached_2d(pixel, earlier, onward, out_root):
    """Follow the pointers from each of some pixels to an extremum.

    Parameters
    ----------
    pixel : (m,) int32
    earlier, onward, out_root
        As `pytopo.kernels.sweep_2d.joined_extrema` takes them.

    Returns
    -------
    reached : (m,) int32
        Numbers of extrema.
    """
    reached = np.empty(pixel.size, np.int32)
    for k in range(pixel.size):
        reached[k] = follow_2d(np.int64(pixel[k]), earlier, onward, out_root)
    return reached


@njit(cache=True, nogil=True)
def extrema_reached_3d(voxel, links, flip, steps, out_root):
    """Follow the pointers from each of some voxels to an extremum.

    Parameters
    ----------
    voxel : (m,) int32
    links, flip, steps, out_root
        As `pytopo.kernels.sweep_3d.joined_extrema` takes them.

    Returns
    -------
    reached : (m,) int32
        Numbers of extrema.
    """
    reached = np.empty(voxel.size, np.int32)
    for k in range(voxel.size):
        reached[k] = follow_3d(np.int64(voxel[k]), links, flip, steps, out_root)
    return reached


@njit(cache=True, nogil=True)
def is_elder(a, b, key, flip):
    """Tell whether passenger ``a`` is elder than ``b``; `NONE` is younger than all.

    Equal keys are in the order of their numbers.
    """
    if a == NONE or b == NONE:
        return b == NONE and a != NONE
    before = key[a] < key[b] or (key[a] == key[b] and a < b)
    return not before if flip else before


@njit(cache=True, nogil=True)
def boarded(reached, key, flip, n):
    """Let passengers board the components of the extrema that they reach: the eldest of each.

    Parameters
    ----------
    reached : (m,) int32
        By passenger, the number of an extremum, 0 to n.
    key : (m + 1,) int32 or int64
        Of the passengers, and of the exterior, which is the eldest.
    flip : int
        0: the earlier passenger is the elder.  Otherwise the later.
    n : int
        How many extrema there are; n itself is the exterior, which carries the exterior.

    Returns
    -------
    passenger : (n + 1,) int32
        By extremum, the number of a passenger, or `NONE`.
    """
    passenger = np.full(n + 1, NONE, np.int32)
    passenger[n] = reached.size
    for k in range(reached.size):
        if is_elder(k, passenger[reached[k]], key, flip):
            passenger[reached[k]] = k
    return passenger


@njit(cache=True, nogil=True)
def merge_passengers(saddle, order, ends, flip, key_a, key_b, a, b):
    """Merge components, and note the passengers that get off at each merge event.

    Parameters
    ----------
    saddle : (n_events,) int32
        Of each merge event.  Those of one saddle follow each other, and share the first of
        their ends.
    order : (n_order,) int32
        Numbers of the merge events to look at, in ascending order of their saddles, those of
        one saddle by number.
    ends : (n_events, 2) int32
        Numbers of the extrema whose components each would merge, 0 to n.
    flip : int
        0: ``order`` is taken forwards, and the earlier passenger is the elder.  Otherwise
        backwards, and the later is.
    key_a, key_b : (m_a + 1,), (m_b + 1,) int32 or int64
        Of the passengers of either kind, and of the exterior.
    a, b : (n + 1,) int32
        The passengers of each component at first, as `boarded` returns them.

    Returns
    -------
    off_a, off_b : (n_events,) int32
        By merge event, the passenger of either kind that gets off, or `NONE`.  If a saddle
        ends fewer components than it has merge events, the last of them end none.
    """
    n_order = order.size
    off_a, off_b = np.full(saddle.size, NONE, np.int32), np.full(saddle.size, NONE, np.int32)
    parent = np.arange(a.size).astype(np.int32)
    a, b = a.copy(), b.copy()
    root = np.empty(9, np.int32)  # four arcs around a pixel, eight octants around a voxel

    t = 0
    while t < n_order:
        k = order[n_order - 1 - t] if flip else order[t]
        p = saddle[k]
        root[0] = find(parent, ends[k, 0])
        n = 1
        event = k
        while t < n_order and saddle[k] == p:
            n = inserted(root, n, find(parent, ends[k, 1]), a, key_a, flip)
            event = min(event, k)
            t += 1
            if t < n_order:
                k = order[n_order - 1 - t] if flip else order[t]

        whole = root[0]  # whose passenger of kind a is the eldest, and stays
        for i in range(1, n):
            r = root[i]
            if is_elder(b[r], b[whole], key_b, flip):
                b[r], b[whole] = b[whole], b[r]
            off_a[event], off_b[event] = a[r], b[r]
            event += 1
            parent[r] = whole
    return off_a, off_b


@njit(cache=True, nogil=True)
def inserted(root, n, r, a, key_a, flip):
    """Insert a component among some that are sorted by passenger, unless it is one of them.

    Parameters
    ----------
    root : (> n,) int32
        The first n are sorted, the one with the eldest passenger first; one more is written.
    n : int
    r : int
    a, key_a, flip
        As in `merge_passengers`.

    Returns
    -------
    n : int
        How many there are now.
    """
    for i in range(n):
        if root[i] == r:
            return n
    place = n
    while place > 0 and is_elder(a[r], a[root[place - 1]], key_a, flip):
        root[place] = root[place - 1]
        place -= 1
    root[place] = r
    return n + 1
