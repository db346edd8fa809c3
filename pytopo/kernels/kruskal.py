"""Kruskal's algorithm on extrema: joins in order, and the younger of two components dies.

Twin of ``reduce_columns`` for edge columns, in two and three dimensions, and for holes and
voids upside down.  Joins and extrema are numbers; see `pytopo/kernels/sweep_2d.py` for both.

A large image is done in bands of rows, because what belongs to a band fits into a cache, and
bands can be done at the same time.  A *foreign* join leads from one band to another.

    band 0    a --- b     c             a, b, ... extrema, in the bands where they lie
                          |             b-a, d-e are joins of one band
    - - - - - - - - - - - | - - - -     c-d is foreign: a band knows when it comes, and not
    band 1          e --- d             to what, so from then on d's component is *touched*

Of two components in a band the younger dies for certain unless it has been touched: nothing
else can have joined it, and whatever the elder has joined is older still.  A join that is not
certain touches both, and is left for a last pass over all that is left and all that is
foreign.  `docs/fast-2d.md` has the proof.
"""

import numpy as np

from pytopo.kernels.jit import njit
from pytopo.kernels.union_find import find


@njit(cache=True, nogil=True)
def merge(order, ends, key, flip, first, stop, out_parent, out_victim):
    """Join components of a band, or of all, and return the joins that are not certain.

    Parameters
    ----------
    order : (n,) int32
        Joins in ascending order of their saddles: all that lead to an extremum of the band.
    ends : (n_joins, 2) int32
        Numbers of the extrema that each join would join.
    key : (n_extrema + 1,) int32 or int64
        Keys of the extrema, equal ones in the order of their numbers, and of the outside,
        which is the eldest: the least integer if minima are joined, the largest if maxima.
    flip : int
        0: ascending, and the component with the later minimum is the younger.  255:
        descending, and the one with the earlier maximum is.
    first, stop : int
        The extrema of the band; 0 and n_extrema for all, and then every join is certain.
        The outside belongs to every band.
    out_parent : (n_extrema + 1,) int32
        A forest as `find` takes it, at first of trees of one; receives what is joined.
    out_victim : (n_joins,) int32
        Receives for each join by which a component dies the number of its extremum.

    Returns
    -------
    left : (n_left,) int32
        Joins inside the band that are not certain, as they came.
    """
    n, outside = order.size, key.size - 1
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
        if one == other:
            continue
        one_inside = first <= one < stop
        other_inside = first <= other < stop
        if not (one_inside or one == outside) or not (other_inside or other == outside):
            if one_inside:
                touch(find(out_parent, one), first, outside, touched)
            if other_inside:
                touch(find(out_parent, other), first, outside, touched)
            continue
        one, other = find(out_parent, one), find(out_parent, other)
        if one == other:
            continue
        if key[other] < key[one] or (key[other] == key[one] and other < one):
            one, other = other, one
        elder, younger = (other, one) if flip else (one, other)
        k = order[n - 1 - t] if flip else order[t]
        if touched[younger - first]:
            touch(elder, first, outside, touched)
            left[n_left] = k
            n_left += 1
        else:
            out_parent[younger] = elder
            out_victim[k] = younger
    return left[:n_left].copy()


@njit(cache=True, nogil=True)
def touch(root, first, outside, out_touched):
    """Note that a component is not known in full any more; the outside is eldest anyway."""
    if root != outside:
        out_touched[root - first] = True


@njit(cache=True, nogil=True)
def foreign_joins(ends, first, stop, outside):
    """List the joins of a band that lead to an extremum of another band.

    Parameters
    ----------
    ends : (n, 2) int32
        Numbers of the extrema that each of its joins would join.
    first, stop, outside : int
        The extrema of the band, and the outside, which belongs to every band.

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
        away = (one < first) | ((one >= stop) & (one != outside))
        away |= (other < first) | ((other >= stop) & (other != outside))
        count += away & (one != other)
    return foreign[:count].copy()


@njit(cache=True, nogil=True)
def joins_of_band(own, own_stop, foreign, ends, first, stop):
    """List the joins that lead to an extremum of a band: its own, and of others the foreign.

    Parameters
    ----------
    own, own_stop : int
        The joins of the band itself.
    foreign : (n_foreign,) int32
        The foreign joins of all bands, ascending.
    ends : (n_joins, 2) int32
        Numbers of the extrema that each join would join.
    first, stop : int
        The extrema of the band.

    Returns
    -------
    joins : (n,) int32
        Ascending.
    """
    joins = np.empty(own_stop - own + foreign.size, np.int32)
    count = 0
    f = 0
    while f < foreign.size and foreign[f] < own:
        count = append_if_led(foreign[f], ends, first, stop, joins, count)
        f += 1
    for k in range(own, own_stop):
        joins[count] = k
        count += 1
    while f < foreign.size and foreign[f] < own_stop:
        f += 1
    while f < foreign.size:
        count = append_if_led(foreign[f], ends, first, stop, joins, count)
        f += 1
    return joins[:count].copy()


@njit(cache=True, nogil=True)
def append_if_led(k, ends, first, stop, out_joins, count):
    """Append a join at place ``count`` if it leads to an extremum from first to stop - 1."""
    out_joins[count] = k
    led = (first <= ends[k, 0]) & (ends[k, 0] < stop)
    led |= (first <= ends[k, 1]) & (ends[k, 1] < stop)
    return count + led
