"""The fast algorithm for images of one and two axes: only saddles are looked at.

The reference implementation is ``complex``, ``lower_star`` and ``reduction``: the same pairs,
pixel for pixel.  How the neighbours that come before a pixel are connected
(`pytopo.morse.links_2d`) says what the pixel does:

    no arc         it creates a component: a minimum
    one arc        its cells are paired among themselves: columns that need not be built
    more           it merges components or closes loops: a saddle
    full circle    it fills a hole: a maximum

Components.  Every pixel but a minimum points to an earlier neighbour.  Following pointers
leads to a minimum, so the pointers are a union-find forest that nobody had to build.  The
saddles in order merge the components of the minima that their arcs lead to, and the younger
dies: that is `pytopo.kernels.kruskal`, and the reduction of the edge columns.

Holes are components of what is *not* there yet, so they are the same upside down: pointers
lead to later neighbours, up to the maxima, and the exterior is one more maximum, which never
enters.  The saddles in descending order merge the components of the maxima that the arcs of
later neighbours lead to.  Seen from below, at that moment a loop closes around the lower of
the two.

A saddle of k arcs makes k - 1 *merge events*, each of which may merge two components.  One set
of kernels does both sweeps; ``flip`` is 0 for components and 255, all bits of a set of
neighbours, for holes.  Pixels are flat indices into an array with a layer of exterior around
it.  It may hold several images on top of each other, then every ``stride``-th row is exterior.
`docs/lesson-6-fast-2d.md` has the drawings.
"""

import numpy as np

from pytopo.kernels.bits import count_of_even
from pytopo.kernels.jit import njit
from pytopo.kernels.v_paths import UNKNOWN, follow_2d

CHUNK = 4096  # pixels that are looked at together: a multiple of 8 that a near cache holds


@njit(cache=True, nogil=True)
def spare_arcs(there):
    """Count the arcs of a set of neighbours beyond the first, from its bits.

    An arc is a chain of side neighbours (even bits), linked by the corners (odd bits) between
    them.  Each link makes one arc of two, so there are as many arcs as sides less links:

        # # .    bits 4 5 6: two sides, one link: one arc, none to spare
        # p .
        . # .    bit 2: a third side without a link: a second arc, one to spare

    In a full circle four links make the difference 0: one arc, and none to spare.

    Parameters
    ----------
    there : uint8
        A bit for each of the eight directions.

    Returns
    -------
    count : uint8
        0 to 3.
    """
    side = there & 0b01010101
    # A corner that is there with the sides before and behind it: the byte is turned by one
    # place both ways, so that each corner meets its two neighbours on the circle.
    link = there & (there >> 1 | there << 7) & (there << 1 | there >> 7) & 0b10101010
    # All sums are made bytes again, so that one vector instruction does dozens of pixels.
    arcs = np.uint8(count_of_even(side) - count_of_even(link >> 1))
    return np.uint8(arcs - (arcs > 0))


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
    eights = counts.view(np.uint64)  # eight counts are all 0 if the number is
    for e in range(eights.size):
        if eights[e] != 0:
            for j in range(8 * e, 8 * e + 8):
                out_index[k] = first + j  # written always, kept if it counts: no branch
                out_index[k + 1] = first + j
                out_index[k + 2] = first + j
                k += np.int64(counts[j])
    return k


@njit(cache=True, nogil=True)
def saddles(earlier, first, stop, flip):
    """List the saddles of some rows, each as often as it has arcs beyond the first.

    One entry is one merge event.

    Parameters
    ----------
    earlier : (H, W) uint8
        Which neighbours come before each pixel; `REGULAR` in the exterior.
    first, stop : int
        Rows to look at, 0 <= first <= stop <= H.
    flip : int
        0 if arcs of earlier neighbours go through sides, 255 if those of later ones do.
        (A circle that is cut into k arcs has k gaps, so either number will do.)

    Returns
    -------
    saddle : (n_merges,) int32
        Ascending.
    """
    width = earlier.shape[1]
    # A row of n pixels may hold 3n/2 merge events.  But take the rows above and below as well:
    # that is an image in which the pixels of these rows have the same neighbours, and in an
    # image each merge event ends the component of a minimum or creates the hole of a maximum,
    # and no pixel is both.
    saddle = np.empty((stop - first + 2) * width + 3, np.int32)
    counts = np.empty(CHUNK, np.uint8)
    pixels = earlier.reshape(-1)
    k = np.int64(0)  # a bare 0 is a type of its own, for which to compile all once more
    for start in range(first * width, stop * width, CHUNK):
        some = pixels[start : min(start + CHUNK, stop * width)]
        # First count the merge events of all pixels of the chunk, in vector instructions,
        # and then list the few that have some.
        for j in range(some.size):
            counts[j] = spare_arcs(np.uint8(some[j] ^ flip))
        counts[some.size :] = 0
        k = append_repeated(counts, start, saddle, k)
    return saddle[:k].copy()


@njit(cache=True, nogil=True)
def extrema(earlier, first, stop, flip, reach):
    """List the minima (``flip`` 0) or maxima (255) of some rows.

    Parameters
    ----------
    earlier : (H, W) uint8
        Which neighbours come before each pixel; `REGULAR` in the exterior.
    first, stop : int
        Rows to look at, 0 <= first <= stop <= H.
    flip : int
        0 or 255.
    reach : int
        The directions in which a pixel is connected: 0b01010101 sides, 0b11111111 all.

    Returns
    -------
    extremum : (n_extrema,) int32
        Ascending.
    """
    width = earlier.shape[1]
    # Of two pixels side by side one comes first, so of each two at most one is a minimum and
    # at most one a maximum: of a whole row half, rounded up, for which the two columns of
    # exterior leave room.
    extremum = np.empty((stop - first) * width // 2 + 3, np.int32)
    at_extremum = np.uint8(flip & reach)  # none of these neighbours is earlier; or all are
    counts = np.empty(CHUNK, np.uint8)
    pixels = earlier.reshape(-1)
    k = np.int64(0)
    for start in range(first * width, stop * width, CHUNK):
        some = pixels[start : min(start + CHUNK, stop * width)]
        for j in range(some.size):
            counts[j] = np.uint8(some[j] & reach) == at_extremum
        counts[some.size :] = 0
        k = append_repeated(counts, start, extremum, k)
    return extremum[:k].copy()


@njit(cache=True, nogil=True)
def number_extrema(extremum, number, exterior, stride, first, stop, out_root):
    """Note the numbers of extrema at their pixels, for some rows.

    Parameters
    ----------
    extremum : (n,) int32
        The extrema of these rows, as `extrema` lists them.
    number : int
        That of the first of them; the others count on.
    exterior : int
        The number of the exterior.
    stride : int
        Distance of the rows of exterior; divides H - 1.
    first, stop : int
        Rows to fill, 0 <= first <= stop <= H.
    out_root : (H, W) int32
        Receives the numbers in these rows, and -1 where there is none.
    """
    width = out_root.shape[1]
    for i in range(first, stop):
        out_root[i] = exterior if i % stride == 0 else UNKNOWN
        out_root[i, 0] = exterior
        out_root[i, width - 1] = exterior
    pixels = out_root.reshape(-1)
    for k in range(extremum.size):
        pixels[extremum[k]] = number + k


@njit(cache=True, nogil=True)
def joined_extrema(saddle, earlier, onward, across, out_root):
    """Find the two extrema that each merge event leads to.

    Parameters
    ----------
    saddle : (n_merges,) int32
        As `saddles` lists them.
    earlier : (n,) uint8
        Which neighbours come before each pixel.
    onward : (256,) int64
        By set of earlier neighbours, the step to the neighbour to follow.
    across : (256, 4) int64
        By set of earlier neighbours, the step to a neighbour in each arc.
    out_root : (n,) int32
        Numbers of the extrema, as `number_extrema` fills it; `follow_2d` writes to it.

    Returns
    -------
    ends : (n_merges, 2) int32
        Numbers of two extrema.  The merge events of a saddle share their first.
    """
    ends = np.empty((saddle.size, 2), np.int32)
    arc = 0
    for k in range(saddle.size):
        p = np.int64(saddle[k])
        # Merge event number a of a saddle is that of its arc a with its arc 0.
        if k > 0 and saddle[k - 1] == saddle[k]:
            arc += 1
            ends[k, 0] = ends[k - 1, 0]
        else:
            arc = 1
            ends[k, 0] = follow_2d(p + across[earlier[p], 0], earlier, onward, out_root)
        ends[k, 1] = follow_2d(p + across[earlier[p], arc], earlier, onward, out_root)
    return ends


@njit(cache=True, nogil=True)
def closing_loops(saddle, younger):
    """Keep the saddles that closed a loop: the others do not create any hole.

    At each merge event of a saddle either a component dies or a loop closes.  A saddle at which
    as many components die as it has merge events closes no loop.

    Parameters
    ----------
    saddle : (n_merges,) int32
        Ascending.
    younger : (n_merges,) int32
        Of the components, as `pytopo.kernels.kruskal.merge` fills it.

    Returns
    -------
    saddle : (n_kept,) int32
        All merge events of the saddles that are left.
    """
    n = saddle.size
    kept = np.empty(n, np.int32)
    count = 0
    first = 0
    while first < n:
        # From first to stop - 1: the merge events of one saddle.
        stop = first
        closes = False
        while stop < n and saddle[stop] == saddle[first]:
            closes = closes or younger[stop] == UNKNOWN  # merged nothing: closed a loop
            stop += 1
        for k in range(first, stop):
            kept[count] = saddle[k]  # written always, kept if it counts: no branch
            count += closes
        first = stop
    return kept[:count].copy()


@njit(cache=True, nogil=True)
def off_the_sides(saddle, height, width):
    """Keep the saddles of an array that lie in none of its outermost lines of pixels.

    Parameters
    ----------
    saddle : (n_merges,) int32
    height, width : int
        Shape of the array, a layer of exterior included.

    Returns
    -------
    saddle : (n_kept,) int32
    """
    kept = np.empty(saddle.size, np.int32)
    count = 0
    columns = np.uint32(width)
    for p in saddle:
        kept[count] = p  # written always, kept if it counts: no branch
        i, j = np.uint32(p) // columns, np.uint32(p) % columns
        count += (i > 1) & (i < height - 2) & (j > 1) & (j < width - 2)
    return kept[:count].copy()


@njit(cache=True, nogil=True)
def saddles_of_sides(earlier, flip):
    """List the saddles of the outermost lines of pixels of an array, as `saddles` does.

    Parameters
    ----------
    earlier : (H, W) uint8
        With a layer of exterior.
    flip : int
        As in `saddles`.

    Returns
    -------
    saddle : (n_merges,) int32
        Ascending.
    """
    height, width = earlier.shape
    saddle = np.empty(6 * (height + width), np.int32)
    count = 0
    for i in range(1, height - 1):
        is_side = i == 1 or i == height - 2
        step = 1 if is_side else max(1, width - 3)  # of other rows the two ends
        for j in range(1, width - 1, step):
            for _ in range(spare_arcs(np.uint8(earlier[i, j] ^ flip))):
                saddle[count] = i * width + j
                count += 1
    return saddle[:count].copy()
