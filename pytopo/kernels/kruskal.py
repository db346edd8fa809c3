"""Kruskal's algorithm on extrema: merge events in order, and the elder rule.

The reference implementation is ``reduce_columns``, for edge columns in two and three
dimensions, and for holes and voids upside down.  Merge events and extrema are numbers; see
`pytopo/kernels/sweep_2d.py` for both.

*The elder rule*: when two components merge, the younger dies and the elder goes on.  In the
order of the pixels the elder is the one with the earlier minimum.  Holes are components of
what is not there yet, swept in the reversed order, so there the one with the later maximum is
the elder: in that sweep it came first.

A large image is done in bands of rows, because what belongs to a band fits into a cache, and
bands can be done at the same time.  A *foreign* merge event leads from one band to another.

    band 0    a --- b     c             a, b, ... extrema, in the bands where they lie
                          |             b-a, d-e are merge events of one band
    - - - - - - - - - - - | - - - -     c-d is foreign: a band knows when it comes, but not
    band 1          e --- d             what d merges with, so then d's component is *touched*

Of two components in a band the younger dies for certain unless it has been touched: nothing
else can have merged with it, and whatever the elder has merged with is older still.  A merge
event that is not certain touches both, and is left for a last pass over all that is left and
all that is foreign.  `docs/lesson-6-fast-2d.md` has the proof.
"""

import numpy as np

from pytopo.kernels.jit import njit
from pytopo.kernels.union_find import find


@njit(cache=True, nogil=True)
def merge(order, ends, key, flip, first, stop, out_parent, out_younger):
    """Merge components of a band, or of all, and return the events that are not certain.

    Parameters
    ----------
    order : (n,) int32
        Merge events in ascending order of their saddles: all that lead to an extremum of the
        band.
    ends : (n_merges, 2) int32
        Numbers of the two extrema that each merge event leads to.
    key : (n_extrema + 1,) int32 or int64
        Keys of the extrema, equal ones in the order of their numbers, and of the exterior,
        which is the eldest: the least integer for minima, the largest for maxima.
    flip : int
        0: ascending, and the component with the later minimum is the younger.  255:
        descending, and the one with the earlier maximum is.
    first, stop : int
        The extrema of the band; 0 and n_extrema for all, and then every event is certain.
        The exterior belongs to every band.
    out_parent : (n_extrema + 1,) int32
        A forest as `find` takes it, at first of trees of one; receives the merged ones.
    out_younger : (n_merges,) int32
        Receives for each event at which a component dies the number of its extremum; others
        are left as they are.

    Returns
    -------
    left : (n_left,) int32
        Merge events inside the band that are not certain, as they came.
    """
    n, exterior = order.size, key.size - 1
    in_order = np.empty((n, 2), np.int32)  # gathered at once, while nothing waits for it
    for t in range(n):
        k = order[n - 1 - t] if flip else order[t]
        in_order[t, 0] = ends[k, 0]
        in_order[t, 1] = ends[k, 1]

    touched = np.zeros(stop - first, np.bool_)
    left = np.empty(n, np.int32)
    n_left = 0
    for t in range(n):
        one, other = in_order[t, 0], in_order[t, 1]
        if one == other:  # both arcs lead to one extremum: a loop closes
            continue

        # A foreign event: this band does not know what lies at its other end by now.
        one_inside = first <= one < stop
        other_inside = first <= other < stop
        if not (one_inside or one == exterior) or not (other_inside or other == exterior):
            if one_inside:
                touch(find(out_parent, one), first, exterior, touched)
            if other_inside:
                touch(find(out_parent, other), first, exterior, touched)
            continue

        one, other = find(out_parent, one), find(out_parent, other)
        if one == other:  # connected already: a loop closes
            continue
        # Now `one` is earlier than `other`, by key and then by number.
        if key[other] < key[one] or (key[other] == key[one] and other < one):
            one, other = other, one
        # The elder rule: the earlier minimum is the elder.  Maxima are met from the last to
        # the first, so of two maxima the later one is.
        elder, younger = (other, one) if flip else (one, other)
        k = order[n - 1 - t] if flip else order[t]
        if touched[younger - first]:
            touch(elder, first, exterior, touched)
            left[n_left] = k
            n_left += 1
        else:
            out_parent[younger] = elder
            out_younger[k] = younger
    return left[:n_left].copy()


@njit(cache=True, nogil=True)
def touch(root, first, exterior, out_touched):
    """Note that a component is not known in full any more; the exterior is eldest anyway."""
    if root != exterior:
        out_touched[root - first] = True


@njit(cache=True, nogil=True)
def foreign_merges(ends, first, stop, exterior):
    """List the merge events of a band that lead to an extremum of another band.

    Parameters
    ----------
    ends : (n, 2) int32
        Numbers of the two extrema that each of its merge events leads to.
    first, stop, exterior : int
        The extrema of the band, and the exterior, which belongs to every band.

    Returns
    -------
    foreign : (n_foreign,) int32
        Ascending places in ``ends``.
    """
    foreign = np.empty(ends.shape[0], np.int32)
    count = 0
    for k in range(ends.shape[0]):
        foreign[count] = k  # written always, kept if it counts: no branch
        one, other = ends[k, 0], ends[k, 1]
        away = (one < first) | ((one >= stop) & (one != exterior))
        away |= (other < first) | ((other >= stop) & (other != exterior))
        count += away & (one != other)  # a loop concerns no other band
    return foreign[:count].copy()


@njit(cache=True, nogil=True)
def merges_of_band(own, own_stop, foreign, ends, first, stop):
    """List the merge events that lead to an extremum of a band: its own and foreign ones.

    Parameters
    ----------
    own, own_stop : int
        The merge events of the saddles of the band itself.
    foreign : (n_foreign,) int32
        The foreign ones of all bands, ascending.
    ends : (n_merges, 2) int32
        Numbers of the two extrema that each merge event leads to.
    first, stop : int
        The extrema of the band.

    Returns
    -------
    merges : (n,) int32
        Ascending.
    """
    merges = np.empty(own_stop - own + foreign.size, np.int32)
    count = 0
    f = 0
    # Foreign ones of the bands before,
    while f < foreign.size and foreign[f] < own:
        count = append_if_it_leads(foreign[f], ends, first, stop, merges, count)
        f += 1
    # all of this band, foreign or not,
    for k in range(own, own_stop):
        merges[count] = k
        count += 1
    while f < foreign.size and foreign[f] < own_stop:
        f += 1
    # and foreign ones of the bands behind.
    while f < foreign.size:
        count = append_if_it_leads(foreign[f], ends, first, stop, merges, count)
        f += 1
    return merges[:count].copy()


@njit(cache=True, nogil=True)
def append_if_it_leads(k, ends, first, stop, out_merges, count):
    """Append a merge event at place ``count`` if it leads to an extremum of a band.

    Returns
    -------
    count : int
        One more, if it does.
    """
    out_merges[count] = k  # written always, kept if it counts: no branch
    leads = (first <= ends[k, 0]) & (ends[k, 0] < stop)
    leads |= (first <= ends[k, 1]) & (ends[k, 1] < stop)
    return count + leads
