"""The fast route for images of one and two axes: only saddles are looked at.

Twin of the textbook in ``complex``, ``lower_star`` and ``reduction``: same pairs, pixel for
pixel.  How the neighbours that come before a pixel are connected (`pytopo.morse.links_2d`)
says what the pixel does:

    no arc         it starts a component: a minimum
    one arc        its cells match among themselves: columns that need not be built
    more           it joins components or closes loops: a saddle
    full circle    it fills a hole: a maximum

Components.  Every pixel but a minimum points to an earlier neighbour.  Following pointers
leads to a minimum, so the pointers are a union-find forest that nobody had to build.  The
saddles in order join the minima that their arcs lead to, and the younger dies: that is
`pytopo.kernels.kruskal`, and the reduction of the edge columns.

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

UNKNOWN = -1
SHORT_WAY = 16
CHUNK = 4096  # pixels that are looked at together: a multiple of 8 that a near cache holds


@njit(cache=True, nogil=True)
def spare_arcs(there):
    """Count the arcs of a set of neighbours beyond the first, from its bits.

    An arc of side neighbours (even bits) is a chain of them, linked by the corners (odd
    bits) between: there are as many arcs as sides less links, and none in a full circle.

    Parameters
    ----------
    there : uint8
        A bit for each of the eight directions.

    Returns
    -------
    count : uint8
        Sums are made bytes again, so that one instruction does for dozens of pixels.
    """
    side = there & 0b01010101
    link = there & (there >> 1 | there << 7) & (there << 1 | there >> 7) & 0b10101010
    arcs = np.uint8(count_bits(side) - count_bits(link >> 1))
    return np.uint8(arcs - (arcs > 0))


@njit(cache=True, nogil=True)
def count_bits(even):
    """Count the bits of a byte that has none at odd places."""
    pairs = np.uint8((even & 0b00010001) + (even >> 2 & 0b00010001))
    return np.uint8((pairs & 15) + (pairs >> 4))


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
def saddles(earlier, first, stop, flip):
    """List the saddles of some rows, each as often as it has arcs beyond the first.

    One entry is one join that the saddle may make.

    Parameters
    ----------
    earlier : (H, W) uint8
        Which neighbours come before each pixel; `REGULAR` outside.
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
    # A row of n pixels may hold 3n/2 joins.  But take the rows above and below as well: that
    # is an image in which the pixels of these rows have the same neighbours, and in an image
    # each join kills a minimum or bears a maximum, and no pixel is both.
    saddle = np.empty((stop - first + 2) * width + 3, np.int32)
    counts = np.empty(CHUNK, np.uint8)
    pixels = earlier.reshape(-1)
    k = np.int64(0)  # a bare 0 is a type of its own, for which to compile all once more
    for start in range(first * width, stop * width, CHUNK):
        some = pixels[start : min(start + CHUNK, stop * width)]
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
        Which neighbours come before each pixel; `REGULAR` outside.
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
    # at most one a maximum: of a whole row half, rounded up, for which the columns outside
    # leave room.
    extremum = np.empty((stop - first) * width // 2 + 3, np.int32)
    at_extremum = np.uint8(flip & reach)
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
def number_extrema(extremum, number, outside, period, first, stop, out_root):
    """Note the numbers of extrema at their pixels, for some rows.

    Parameters
    ----------
    extremum : (n,) int32
        The extrema of these rows, as `extrema` lists them.
    number : int
        That of the first of them; the others count on.
    outside : int
        The number of the outside.
    period : int
        Distance of the rows of outside; divides H - 1.
    first, stop : int
        Rows to fill, 0 <= first <= stop <= H.
    out_root : (H, W) int32
        Receives the numbers in these rows, and -1 where there is none.
    """
    width = out_root.shape[1]
    for i in range(first, stop):
        out_root[i] = outside if i % period == 0 else UNKNOWN
        out_root[i, 0] = outside
        out_root[i, width - 1] = outside
    pixels = out_root.reshape(-1)
    for k in range(extremum.size):
        pixels[extremum[k]] = number + k


@njit(cache=True, nogil=True)
def joined_extrema(saddle, earlier, onward, across, out_root):
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
        Numbers of the extrema, as `number_extrema` fills it.  Pixels on long ways receive
        theirs, so that no long way is gone twice: linear time.

    Returns
    -------
    ends : (n_joins, 2) int32
        Numbers of two extrema.  The joins of a saddle share their first.
    """
    ends = np.empty((saddle.size, 2), np.int32)
    arc = 0
    for k in range(saddle.size):
        p = np.int64(saddle[k])
        if k > 0 and saddle[k - 1] == saddle[k]:
            arc += 1
            ends[k, 0] = ends[k - 1, 0]
        else:
            arc = 1
            ends[k, 0] = follow(p + across[earlier[p], 0], earlier, onward, out_root)
        ends[k, 1] = follow(p + across[earlier[p], arc], earlier, onward, out_root)
    return ends


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
def closing_loops(saddle, victim):
    """Keep the saddles that closed a loop: the others have nothing to say about holes.

    A saddle that killed as many components as it has joins bears no hole.

    Parameters
    ----------
    saddle : (n_joins,) int32
        Ascending.
    victim : (n_joins,) int32
        Of the components, as `pytopo.kernels.kruskal.merge` fills it.

    Returns
    -------
    saddle : (n_kept,) int32
        All joins of the saddles that are left.
    """
    n = saddle.size
    kept = np.empty(n, np.int32)
    count = 0
    first = 0
    while first < n:
        stop = first
        closes = False
        while stop < n and saddle[stop] == saddle[first]:
            closes = closes or victim[stop] == UNKNOWN
            stop += 1
        for k in range(first, stop):
            kept[count] = saddle[k]  # written always, kept if it counts: no branch
            count += closes
        first = stop
    return kept[:count].copy()


@njit(cache=True, nogil=True)
def note_deaths(saddle, victim, out_death):
    """Note for each component the saddle at which it dies.

    Parameters
    ----------
    saddle : (n_joins,) int32
    victim : (n_joins,) int32
        As `pytopo.kernels.kruskal.merge` fills it.
    out_death : (n_minima,) int32
        By number of the minimum; the others are left as they are.
    """
    for k in range(saddle.size):
        if victim[k] != UNKNOWN:
            out_death[victim[k]] = saddle[k]


@njit(cache=True, nogil=True)
def component_pairs(minimum, death, keys):
    """List the components: born at a minimum, dead at a saddle or never.

    Parameters
    ----------
    minimum, death : (n_minima,) int32
        Some minima, and the saddles that `note_deaths` notes for them; -1 for none.
    keys : (n,) int32 or int64
        Keys of all pixels.

    Returns
    -------
    pairs : (n_pairs, 2) int32
        (birth pixel, death pixel), by ascending birth pixel; -1 for never.  Pairs of
        equal keys are left out.
    """
    pairs = np.empty((minimum.size, 2), np.int32)  # each is born once
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

    Parameters
    ----------
    maximum : (n_maxima,) int32
    saddle, victim : (n_joins,) int32
        Some joins, ascending, and what `pytopo.kernels.kruskal.merge` fills in for them.
    keys : (n,) int32 or int64
        Keys of all pixels.

    Returns
    -------
    pairs : (n_pairs, 2) int32
        As `component_pairs`, by ascending birth pixel, then death pixel.
    """
    pairs = np.empty((saddle.size, 2), np.int32)  # each join bears one hole at most
    count = 0
    for k in range(saddle.size):
        if victim[k] != UNKNOWN and keys[saddle[k]] != keys[maximum[victim[k]]]:
            birth, death = saddle[k], maximum[victim[k]]
            place = count  # a saddle bears three holes at most, in 3D seven: insertion sort
            while place > 0 and pairs[place - 1, 0] == birth and pairs[place - 1, 1] > death:
                pairs[place, 0], pairs[place, 1] = birth, pairs[place - 1, 1]
                place -= 1
            pairs[place, 0] = birth
            pairs[place, 1] = death
            count += 1
    return pairs[:count]


@njit(cache=True, nogil=True)
def fill_image_rows(
    pairs, dims, stops, n_images, width, image_height, image_width, top, left,
    out_image, out_dim, out_birth, out_death,
):  # fmt: skip
    """Tell the images apart, and turn flat indices into pixels of the image.

    Parameters
    ----------
    pairs : (n, 2) int32
        Pairs of all images and dimensions, as `component_pairs` and `hole_pairs` list them,
        one dimension behind the other.
    dims : (n_dims,) int8
        Which dimensions these are.
    stops : (n_dims + 1,) int64
        The pairs of dimension k are ``pairs[stops[k]:stops[k + 1]]``.
    n_images : int
        How many images lie on top of each other.
    width : int
        Width of the array.
    image_height, image_width : int
        Extents of an image without its frame.
    top, left : int
        Rows above and columns left of an image: outside and frame.

    out_image : (n,) int32
    out_dim : (n,) int8
    out_birth, out_death : (n,) int64
        Receive the images, the dimensions and the pixels: flat indices into the image, -1
        for never, -2 in the frame.  Sorted by image, then by dimension, then as they were.
    """
    period = np.uint32(image_height + 2 * top - 1)
    divisor = np.uint32(width)  # 32-bit division takes a third of the time of 64-bit
    at = np.empty(dims.size, np.int64)
    for d in range(dims.size):
        at[d] = stops[d]
    row = 0
    for b in range(n_images):
        next_image = (b + 1) * np.int64(period) * width
        for d in range(dims.size):
            first = at[d]
            while at[d] < stops[d + 1] and pairs[at[d], 0] < next_image:
                at[d] += 1
            for k in range(first, at[d]):
                out_image[row] = b
                out_dim[row] = dims[d]
                for side, out_pixel in enumerate((out_birth, out_death)):
                    p = np.uint32(pairs[k, side])
                    i = np.int64(p // divisor % period) - top
                    j = np.int64(p % divisor) - left
                    if pairs[k, side] == -1:
                        out_pixel[row] = -1
                    elif 0 <= i < image_height and 0 <= j < image_width:
                        out_pixel[row] = i * image_width + j
                    else:
                        out_pixel[row] = -2
                row += 1
