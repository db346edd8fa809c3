"""Kruskal's algorithm on a part of an image: what is certain there, and what stays open.

A part knows all of its own pixels and nothing of those beyond the sides that it shares with
other parts.  Pixels on these sides are *met*: other parts contain them too, or lead to them.

    part    a --5-- b --7-- c|      a, b, c extrema; at 5 and 7 saddles merge them
                             |      b has no met pixel.  At 5 it dies, a is elder: certain
                  shared side       c is met.  At 7 it dies here, but what it has merged with
                                    beyond the side may be elder than a: open

At a merge event the younger of two components dies for certain if it has no met pixel: then
it is complete, and the elder can only turn out to be elder still.  If it has one, the event
stays *open*: it is kept as the triplet (younger, saddle, elder), and the elder is met from then
on.  Triplets of all parts together connect what the image connects, and are far fewer than its
pixels.  `docs/large.md` has the proof.

Smirnov and Morozov (2017), "Triplet merge trees", section 3.
"""

import numpy as np

from pytopo.kernels.jit import njit
from pytopo.kernels.union_find import find
from pytopo.kernels.v_paths import UNKNOWN


@njit(cache=True, nogil=True)
def merge_part(order, ends, key, flip, met, before, reached, out_younger):
    """Merge the components of a part, and list what stays open.

    Met pixels that are no extrema are events as well: from then on their component is met.

    Parameters
    ----------
    order : (n,) int32
        Merge events in ascending order of their saddles.
    ends : (n_events, 2) int32
        Numbers of the two extrema that each leads to.
    key : (m,) int32 or int64
        Keys of the extrema, equal ones in the order of their numbers; the last one is the
        exterior, which is the eldest.
    flip : int
        0: ascending, and the component with the later minimum is the younger.  Otherwise
        descending, and the one with the earlier maximum is.
    met : (m,) bool
        Which extrema are met pixels.
    before : (k,) int64
        Of each other met pixel, how many events of the sweep come before it; ascending.
    reached : (k,) int32
        The extremum in whose component it is.
    out_younger : (n_events,) int32
        Receives for each event the extremum that dies there for certain, -1 if none does.

    Returns
    -------
    event : (n_open,) int32
        What stays open, in the order of the sweep: a merge event, or -1 - j for met pixel j.
    younger, elder : (n_open,) int32
        Extrema; the younger is -1 for a met pixel.
    last : int
        The extremum of the component that is left, the exterior if it was reached.
    """
    n = order.size
    in_order = np.empty((n, 2), np.int32)  # gathered at once, while nothing waits for it
    for t in range(n):
        k = order[n - 1 - t] if flip else order[t]
        in_order[t, 0] = ends[k, 0]
        in_order[t, 1] = ends[k, 1]

    parent = np.arange(key.size).astype(np.int32)
    met = met.copy()
    event = np.empty(key.size + before.size, np.int32)
    younger = np.empty(event.size, np.int32)
    elder = np.empty(event.size, np.int32)
    n_open = 0
    out_younger[:] = UNKNOWN
    t = 0
    for j in range(before.size + 1):
        stop = before[j] if j < before.size else n
        while t < stop:
            one, other = in_order[t, 0], in_order[t, 1]
            t += 1
            if one == other:
                continue
            one, other = find(parent, one), find(parent, other)
            if one == other:
                continue
            k = order[n - t] if flip else order[t - 1]
            # Now `one` is earlier than `other`, by key and then by number.
            if key[other] < key[one] or (key[other] == key[one] and other < one):
                one, other = other, one
            old, young = (other, one) if flip else (one, other)
            parent[young] = old
            if not met[young]:
                out_younger[k] = young
                continue
            met[old] = True
            event[n_open], younger[n_open], elder[n_open] = k, young, old
            n_open += 1
        if j < before.size:
            root = find(parent, reached[j])
            met[root] = True
            event[n_open], younger[n_open], elder[n_open] = -1 - j, UNKNOWN, root
            n_open += 1
    last = find(parent, np.int32(0))
    return event[:n_open].copy(), younger[:n_open].copy(), elder[:n_open].copy(), last


@njit(cache=True, nogil=True)
def merge_triplets(ends, met):
    """Merge the components of several parts, which are known by their triplets.

    Parameters
    ----------
    ends : (n, 2) int32
        Two pixels that are connected from a merge event on; the events are in order.
    met : (m,) bool
        Which pixels are met.  They are numbered by age, the eldest first.

    Returns
    -------
    younger : (n,) int32
        The pixel whose component dies, -1 if the two are connected already.
    elder : (n,) int32
        The pixel that it is merged with if the event stays open; -1 if it is certain.
    """
    parent = np.arange(met.size).astype(np.int32)
    met = met.copy()
    younger = np.full(len(ends), UNKNOWN, np.int32)
    elder = np.full(len(ends), UNKNOWN, np.int32)
    for k in range(len(ends)):
        old, young = find(parent, ends[k, 0]), find(parent, ends[k, 1])
        if old == young:
            continue
        if young < old:
            old, young = young, old
        parent[young] = old
        younger[k] = young
        if met[young]:
            elder[k] = old
            met[old] = True
    return younger, elder


@njit(cache=True, nogil=True)
def events_before(order, saddle, pixel, keys, flip):
    """Count the merge events of the sweep that come before each of some pixels.

    Parameters
    ----------
    order, saddle : (n,), (n_events,) int32
        Merge events in ascending order, and where their saddles are.
    pixel : (k,) int32
    keys : (size,) int32 or int64
        Of all pixels; equal ones in the order of their indices.
    flip : int
        As in `merge_part`.

    Returns
    -------
    before : (k,) int64
        Those at the pixel itself included.
    """
    before = np.empty(pixel.size, np.int64)
    for j in range(pixel.size):
        p = pixel[j]
        low, high = 0, order.size
        while low < high:
            middle = (low + high) // 2
            s = saddle[order[middle]]
            ahead = keys[s] < keys[p] or (keys[s] == keys[p] and s < p)
            if ahead or (s == p and not flip):
                low = middle + 1
            else:
                high = middle
        before[j] = order.size - low if flip else low
    return before


@njit(cache=True, nogil=True)
def places_in_image(index, array, offset, part, corner, image):
    """Turn indices into the array of a part into pixels of the whole image.

    Parameters
    ----------
    index : (n,) int32
        Flat indices into the array, whose margin holds the exterior and the frame.
    array, part, image : tuple of 3 int
        Shapes of the array, of the part without the margin, and of the whole image; an image
        of two axes has one plane.
    offset : tuple of 3 int
        Where in the array the first pixel of the part lies.
    corner : tuple of 3 int
        Where in the image it lies.

    Returns
    -------
    local : (n,) int64
        Flat indices into the part; for what is beyond it, of the nearest pixel.
    pixel : (n,) int64
        Flat indices into the image; beyond it, -1 - the index with one more layer around it.
    """
    local, pixel = np.empty(index.size, np.int64), np.empty(index.size, np.int64)
    rows, columns = np.uint32(array[1]), np.uint32(array[2])
    # An image of two axes has no layer in front of its only plane.
    around = 0 if image[0] == 1 and array[0] == 1 else 1
    for n in range(index.size):
        p = np.uint32(index[n])
        line = p // columns
        x = np.int64(p % columns) - offset[2]
        y = np.int64(line % rows) - offset[1]
        z = np.int64(line // rows) - offset[0]
        inside = 0 <= x < part[2] and 0 <= y < part[1] and 0 <= z < part[0]
        i, j, k = z + corner[0], y + corner[1], x + corner[2]
        if inside:
            pixel[n] = (i * image[1] + j) * image[2] + k
        else:
            plane = i + around
            pixel[n] = -1 - ((plane * (image[1] + 2) + j + 1) * (image[2] + 2) + k + 1)
        x = min(max(x, 0), part[2] - 1)
        y = min(max(y, 0), part[1] - 1)
        z = min(max(z, 0), part[0] - 1)
        local[n] = (z * part[1] + y) * part[2] + x
    return local, pixel
