"""The fast route for images of one and two axes: only saddles are looked at.

Twin of the textbook in ``complex``, ``lower_star`` and ``reduction``: same pairs, pixel for
pixel.  How the neighbours that come before a pixel hang together (`pytopo.arcs`) says what
the pixel does:

    no arc         it starts a component: a minimum
    one arc        its cells match among themselves: columns that need not be built
    more           it joins components or closes loops: a saddle
    full circle    it fills a hole: a maximum

Components.  Every pixel but a minimum points to an earlier neighbour.  Following pointers
leads to a minimum, so the pointers are a union-find forest that nobody had to build.  The
saddles in order join the minima that their arcs lead to, and the younger dies.  That is
Kruskal's algorithm, and the reduction of the edge columns.

Holes are components of what is *not* there yet, so they are the same upside down: pointers
lead to later neighbours, up to the maxima, and the outside is one more maximum, which never
comes.  The saddles in descending order join the maxima of the arcs of later neighbours.
Seen from below, at that moment a loop closes around the lower of the two.

One set of kernels does both; ``flip`` is 0 for components and 255, all bits of a set of
neighbours, for holes.  Pixels are flat indices into an array with a layer of outside around
it.  It may hold several images on top of each other, then every ``period``-th row is
outside.  `docs/fast-2d.md` has the drawings.
"""

import numpy as np

from pytopo.kernels.jit import njit
from pytopo.kernels.union_find import find

UNKNOWN = -1
SHORT_WAY = 16


@njit(cache=True, nogil=True)
def spare_arcs(there):
    """Count the arcs of a set of neighbours beyond the first, from its bits.

    An arc of side neighbours (even bits) is a chain of them, linked by the corners (odd
    bits) between: there are as many arcs as sides less links, and none in a full circle.
    """
    side = there & 0b01010101
    link = there & (there >> 1 | there << 7) & (there << 1 | there >> 7) & 0b10101010
    arcs = count_bits(side) - count_bits(link >> 1)
    return arcs - (arcs > 0)


@njit(cache=True, nogil=True)
def count_bits(even):
    """Count the bits of a byte that has none at odd places."""
    pairs = (even & 0b00010001) + (even >> 2 & 0b00010001)
    return (pairs & 15) + (pairs >> 4)


@njit(cache=True, nogil=True)
def append_repeated(counts, first, out_index, k):
    """Append ``first + j`` as often as ``counts[j]`` says, from place ``k`` on.

    Most counts are 0, so eight at a time are looked at as one number.

    Parameters
    ----------
    counts : (n,) uint8
        0 to 3 each; n is a multiple of 8.
    first : int
    out_index : (>= k + sum of counts + 3,) int32
        The three places behind the last are scratch space.
    k : int

    Returns
    -------
    k : int
        The place behind the last that was appended.
    """
    eights = counts.view(np.uint64)
    for e in range(eights.size):
        if eights[e] != 0:
            for j in range(8 * e, 8 * e + 8):
                out_index[k] = first + j  # written always, kept if it counts: no branch
                out_index[k + 1] = first + j
                out_index[k + 2] = first + j
                k += np.int64(counts[j])
    return k


@njit(cache=True, nogil=True)
def saddles(earlier, period, first, stop, flip):
    """List the saddles of some rows, each as often as it has arcs beyond the first.

    One entry is one join that the saddle may make.

    Parameters
    ----------
    earlier : (H, W) uint8
        Which neighbours come before each pixel; anything outside.
    period : int
        Distance of the rows of outside; divides H - 1.
    first, stop : int
        Rows to look at, 0 <= first <= stop <= H.
    flip : int
        0 if arcs of earlier neighbours go through sides, 255 if those of later ones do.
        (A circle that is cut into k arcs has k gaps, so either number will do.)

    Returns
    -------
    saddle : (n_joins,) int32
        Ascending.
    """
    width = earlier.shape[1]
    # Each join kills a minimum or bears a maximum, so there are no more of them than pixels.
    saddle = np.empty((stop - first) * width + 3, np.int32)
    counts = np.zeros((width + 7) // 8 * 8, np.uint8)
    k = 0
    for i in range(first, stop):
        if i % period != 0:
            for j in range(1, width - 1):
                counts[j] = spare_arcs(earlier[i, j] ^ flip)
            k = append_repeated(counts, i * width, saddle, k)
    return saddle[:k].copy()


@njit(cache=True, nogil=True)
def extrema(earlier, period, flip, reach, out_root):
    """List the minima (``flip`` 0) or maxima (255), and number them in that order.

    Parameters
    ----------
    earlier : (H, W) uint8
        Which neighbours come before each pixel; anything outside.
    period : int
        Distance of the rows of outside; divides H - 1.
    flip : int
        0 or 255.
    reach : int
        The directions in which a pixel is connected: 0b01010101 sides, 0b11111111 all.
    out_root : (H * W,) int32
        Receives the number of each extremum at its pixel, the number of extrema outside,
        and -1 elsewhere.

    Returns
    -------
    extremum : (n_extrema,) int32
        Ascending.
    """
    height, width = earlier.shape
    extremum = np.empty(height * width // 2 + 3, np.int32)  # no two are side by side
    counts = np.zeros((width + 7) // 8 * 8, np.uint8)
    out_root[:] = UNKNOWN
    k = 0
    for i in range(height):
        if i % period != 0:
            for j in range(1, width - 1):
                counts[j] = (earlier[i, j] ^ flip) & reach == 0
            numbered = k
            k = append_repeated(counts, i * width, extremum, k)
            while numbered < k:
                out_root[extremum[numbered]] = numbered
                numbered += 1

    for i in range(height):
        if i % period != 0:
            out_root[i * width] = k
            out_root[i * width + width - 1] = k
        else:
            out_root[i * width : (i + 1) * width] = k
    return extremum[:k].copy()


@njit(cache=True, nogil=True)
def ends(saddle, earlier, onward, across, out_root):
    """Find the extrema that each join would join.

    Parameters
    ----------
    saddle : (n_joins,) int32
        As `saddles` lists them.
    earlier : (n,) uint8
        Which neighbours come before each pixel.
    onward : (256,) int64
        By set of earlier neighbours, the step to the neighbour to follow.
    across : (256, 4) int64
        By set of earlier neighbours, the step to a neighbour in each arc.
    out_root : (n,) int32
        Numbers of the extrema, as `extrema` fills it.  Pixels on long ways receive theirs,
        so that no long way is gone twice: linear time.

    Returns
    -------
    ends : (n_joins, 2) int32
        Numbers of two extrema.  The joins of a saddle share their first.
    """
    found = np.empty((saddle.size, 2), np.int32)
    arc = 0
    for k in range(saddle.size):
        p = np.int64(saddle[k])
        arc = arc + 1 if k > 0 and saddle[k - 1] == saddle[k] else 1
        found[k, 0] = follow(p + across[earlier[p], 0], earlier, onward, out_root)
        found[k, 1] = follow(p + across[earlier[p], arc], earlier, onward, out_root)
    return found


@njit(cache=True, nogil=True)
def follow(start, earlier, onward, out_root):
    """Follow the pointers from a pixel to its extremum, and mark it, or all of a long way."""
    p = start
    steps = 0
    while out_root[p] == UNKNOWN:
        p += onward[earlier[p]]
        steps += 1
    found = out_root[p]
    out_root[start] = found
    if steps > SHORT_WAY:
        p = start + onward[earlier[start]]
        while out_root[p] == UNKNOWN:
            out_root[p] = found
            p += onward[earlier[p]]
    return found


@njit(cache=True, nogil=True)
def merge(order, ends, key, flip):
    """Join components, saddle by saddle; of two, the younger dies.

    Parameters
    ----------
    order : (n_joins,) int32
        Joins in ascending order of their saddles.
    ends : (n_joins, 2) int32
        Numbers of the extrema that each would join.
    key : (n_extrema,) int32 or int64
        Keys of the extrema, equal ones in the order of their numbers.
    flip : int
        0: ascending, and the component with the later minimum is the younger.  255:
        descending, and the one with the earlier maximum is.

    Returns
    -------
    victim : (n_joins,) int32
        Number of the extremum whose component dies with each join; -1 if its two ends
        were together already.
    """
    n = order.size
    in_order = np.empty((n, 2), np.int32)  # gathered at once, while nothing waits for it
    for t in range(n):
        k = order[n - 1 - t] if flip else order[t]
        in_order[t, 0] = ends[k, 0]
        in_order[t, 1] = ends[k, 1]

    victim = np.full(n, UNKNOWN, np.int32)
    parent = np.arange(key.size).astype(np.int32)
    for t in range(n):
        if in_order[t, 0] == in_order[t, 1]:
            continue
        first = find(parent, in_order[t, 0])
        second = find(parent, in_order[t, 1])
        if first == second:
            continue
        if key[second] < key[first] or (key[second] == key[first] and second < first):
            first, second = second, first
        elder, younger = (second, first) if flip else (first, second)
        parent[younger] = elder
        victim[order[n - 1 - t] if flip else order[t]] = younger
    return victim


@njit(cache=True, nogil=True)
def closing_loops(saddle, order, victim):
    """Keep the saddles that closed a loop: the others have nothing to say about holes.

    A saddle that killed as many components as it has joins bears no hole.

    Parameters
    ----------
    saddle, order, victim : (n_joins,) int32
        Of the components, as the kernels above return them.

    Returns
    -------
    saddle, order : (n_kept,) int32
        All joins of the saddles that are left, and their ascending order.
    """
    n = saddle.size
    kept = np.empty(n, np.int32)
    place = np.full(n, -1, np.int32)  # of each join among those that are kept
    count = 0
    first = 0
    while first < n:
        stop = first
        closes = False
        while stop < n and saddle[stop] == saddle[first]:
            closes = closes or victim[stop] == UNKNOWN
            stop += 1
        for k in range(first, stop):
            if closes:
                kept[count] = saddle[k]
                place[k] = count
                count += 1
        first = stop

    kept_order = np.empty(n, np.int32)
    t = 0
    for k in order:
        kept_order[t] = place[k]  # written always, kept if it counts: no branch
        t += place[k] >= 0
    return kept[:count].copy(), kept_order[:count].copy()


@njit(cache=True, nogil=True)
def component_pairs(minimum, saddle, victim, keys):
    """List the components: born at a minimum, dead at a saddle or never.

    Parameters
    ----------
    minimum, saddle, victim
        As the kernels above return them.
    keys : (n,) int32 or int64
        Keys of all pixels.

    Returns
    -------
    pairs : (n_pairs, 2) int32
        (birth pixel, death pixel), by ascending birth pixel; -1 for never.  Pairs of
        equal keys are left out.
    """
    death = np.full(minimum.size, -1, np.int32)
    for k in range(saddle.size):
        if victim[k] != UNKNOWN:
            death[victim[k]] = saddle[k]
    pairs = np.empty((minimum.size, 2), np.int32)
    count = 0
    for m in range(minimum.size):
        if death[m] == -1 or keys[minimum[m]] != keys[death[m]]:
            pairs[count, 0] = minimum[m]
            pairs[count, 1] = death[m]
            count += 1
    return pairs[:count]


@njit(cache=True, nogil=True)
def hole_pairs(maximum, saddle, victim, keys):
    """List the holes: born at a saddle, filled at a maximum.

    Parameters and result are those of `component_pairs`; pairs ascend by birth pixel, then
    by death pixel.
    """
    pairs = np.empty((saddle.size, 2), np.int32)
    count = 0
    for k in range(saddle.size):
        if victim[k] != UNKNOWN and keys[saddle[k]] != keys[maximum[victim[k]]]:
            birth, death = saddle[k], maximum[victim[k]]
            place = count  # a saddle may be born with up to three holes: insertion sort
            while place > 0 and pairs[place - 1, 0] == birth and pairs[place - 1, 1] > death:
                pairs[place] = pairs[place - 1]
                place -= 1
            pairs[place, 0] = birth
            pairs[place, 1] = death
            count += 1
    return pairs[:count]


@njit(cache=True, nogil=True)
def image_rows(pairs, dims, split, width, image_height, image_width, top, left):
    """Tell the images apart, and turn flat indices into pixels of the image.

    Parameters
    ----------
    pairs : (n, 2) int32
        Pairs of all images and dimensions, as `component_pairs` and `hole_pairs` list them,
        one dimension behind the other.
    dims : (n_dims,) int8
        Which dimensions these are.
    split : (n_dims, n_images + 1) int64
        The pairs of image b and dimension k are ``pairs[split[k, b]:split[k, b + 1]]``.
    width : int
        Width of the array.
    image_height, image_width : int
        Extents of an image without its frame.
    top, left : int
        Rows above and columns left of an image: outside and frame.

    Returns
    -------
    image : (n,) int32
    dim : (n,) int8
    birth_pixel, death_pixel : (n,) int64
        Flat indices into the image, -1 for never, -2 in the frame.  Sorted by image, then
        by dimension, then as they were.
    """
    n = pairs.shape[0]
    image = np.empty(n, np.int32)
    dim = np.empty(n, np.int8)
    pixel = np.empty((2, n), np.int64)
    period = np.uint32(image_height + 2 * top - 1)
    divisor = np.uint32(width)  # 32-bit division takes a third of the time of 64-bit
    row = 0
    for b in range(split.shape[1] - 1):
        for d in range(dims.size):
            for k in range(split[d, b], split[d, b + 1]):
                image[row] = b
                dim[row] = dims[d]
                for side in range(2):
                    p = np.uint32(pairs[k, side])
                    i = np.int64(p // divisor % period) - top
                    j = np.int64(p % divisor) - left
                    if pairs[k, side] == -1:
                        pixel[side, row] = -1
                    elif 0 <= i < image_height and 0 <= j < image_width:
                        pixel[side, row] = i * image_width + j
                    else:
                        pixel[side, row] = -2
                row += 1
    return image, dim, pixel[0], pixel[1]
