"""The fast algorithm for two images and their comparison image: the pairs of both, and matches.

    first   ----.                     .-- its components, its holes, and where these die in c
    c, earliest  > critical pixels ---+-- components of first and second that end together in c
    second  ----'                     '-- its components, its holes, and where these die in c

What `pytopo.kernels.one_band` does to one image is done to the first and to the second, up to
the holes: these come with a second passenger, an extremum of c, so that one union-find says how
each hole ends in its image and how it ends in c.  Of c itself only the components are merged,
each carrying the eldest minimum of the first image and of the second.

Reference implementation: `pytopo.textbook.image_persistence`, by matrices.
"""

import numpy as np

from pytopo.kernels.gather import taken
from pytopo.kernels.jit import njit
from pytopo.kernels.merge_pairs import component_pairs, hole_pairs
from pytopo.kernels.one_band import deaths, merged
from pytopo.kernels.passengers import NONE, boarded, extrema_reached_2d, merge_passengers
from pytopo.kernels.sorting import sorted_order
from pytopo.kernels.sweep_2d import closing_loops, joined_extrema, number_extrema


@njit(cache=True, nogil=True)
def components(keys, stride, earlier, saddle, minimum, onward, across, out_root):
    """Pair the components of an image, and keep the saddles that create holes.

    Parameters
    ----------
    keys, stride, earlier, saddle, minimum, out_root
        As in `pytopo.kernels.one_band.paired_pixels`.
    onward : (256,) int64
    across : (256, 4) int64
        For components, as the kernels of `pytopo.kernels.sweep_2d` take them.

    Returns
    -------
    pairs : (n, 2) int32
        As `component_pairs` lists them.
    number : (n,) int32
        The minimum of each, by number.
    closing : (n_merges,) int32
        The saddles, as `closing_loops` keeps them.
    """
    flat_keys = keys.reshape(-1)
    order = sorted_order(taken(flat_keys, saddle))
    younger = merged(keys, stride, earlier, saddle, order, minimum, 0, onward, across, out_root)
    pairs = component_pairs(minimum, deaths(saddle, younger, minimum.size), flat_keys)
    number = taken(out_root.reshape(-1), pairs[:, 0])
    return pairs, number, closing_loops(saddle, younger)


@njit(cache=True, nogil=True)
def holes(
    keys, stride, earlier, saddle, maximum, c_keys, c_maximum, border, onward, across, out_root
):
    """Find the maximum that ends each hole of an image, and the one of c that does so in c.

    Parameters
    ----------
    keys, stride, earlier, out_root
        As in `pytopo.kernels.one_band.paired_pixels`.
    saddle : (n_merges,) int32
        Those that create holes, as `components` keeps them.
    maximum, c_maximum : (m,), (m_c,) int32
        Of the image, and of c; without any of c only the image is looked at.
    c_keys : (H, W) int32 or int64
    border : int
        As `is_before` takes it.
    onward : (256,) int64
    across : (256, 4) int64
        For holes, as the kernels of `pytopo.kernels.sweep_2d` take them.

    Returns
    -------
    pairs : (n, 2) int32
        As `hole_pairs` lists them.
    number : (n,) int32
        The maximum of each, by number.
    shared : (m_c,) int32
        By maximum of c, the number of the maximum of the image whose hole it ends in c, or
        `NONE`.  Holes whose image bar is empty are left out.
    """
    flat_keys, flat_c, root = keys.reshape(-1), c_keys.reshape(-1), out_root.reshape(-1)
    flat_earlier, flip = earlier.reshape(-1), np.int64(255)
    exterior = maximum.size
    first = np.int64(0)
    number_extrema(maximum, first, exterior, stride, first, len(keys), out_root)
    ends = joined_extrema(saddle, flat_earlier, onward, across, root)
    order = sorted_order(taken(flat_keys, saddle))

    key = with_exterior(flat_keys, maximum, flip)
    c_key = with_exterior(flat_c, c_maximum, flip)
    reached = extrema_reached_2d(c_maximum, flat_earlier, onward, root)
    ending, c_ending = merge_passengers(
        saddle,
        order,
        ends,
        flip,
        key,
        c_key,
        np.arange(exterior + 1).astype(np.int32),
        boarded(reached, c_key, flip, exterior),
    )
    shared = np.full(c_maximum.size, NONE, np.int32)
    for k in range(saddle.size):
        if c_ending[k] != NONE and is_before(flat_keys[saddle[k]], c_key[c_ending[k]], border):
            shared[c_ending[k]] = ending[k]
    pairs = hole_pairs(maximum, saddle, ending, flat_keys)
    return pairs, taken(root, pairs[:, 1]), shared


@njit(cache=True, nogil=True)
def shared_components(
    c_keys, stride, earlier, saddle, c_minimum, keys, minimum, second_keys, second_minimum,
    border, onward, across, out_root,
):  # fmt: skip
    """Find the components of two images that end together in c.

    Parameters
    ----------
    c_keys, stride, earlier, saddle, c_minimum, out_root
        Of c, as in `pytopo.kernels.one_band.paired_pixels`.
    keys, second_keys : (H, W) int32 or int64
    minimum, second_minimum : (m,), (m_second,) int32
        Of the first image and of the second.
    border : int
        As `is_before` takes it.
    onward, across
        As in `components`.

    Returns
    -------
    number : (n, 2) int32
        Numbers of minima of the first image and of the second.  Components whose image bar is
        empty are left out.
    """
    flat_c, root, flat_earlier = c_keys.reshape(-1), out_root.reshape(-1), earlier.reshape(-1)
    flip = first = np.int64(0)
    n = c_minimum.size
    number_extrema(c_minimum, first, n, stride, first, len(c_keys), out_root)
    ends = joined_extrema(saddle, flat_earlier, onward, across, root)
    order = sorted_order(taken(flat_c, saddle))

    key = with_exterior(keys.reshape(-1), minimum, flip)
    second_key = with_exterior(second_keys.reshape(-1), second_minimum, flip)
    reached = extrema_reached_2d(minimum, flat_earlier, onward, root)
    second_reached = extrema_reached_2d(second_minimum, flat_earlier, onward, root)
    off, second_off = merge_passengers(
        saddle,
        order,
        ends,
        flip,
        key,
        second_key,
        boarded(reached, key, flip, n),
        boarded(second_reached, second_key, flip, n),
    )
    number = np.empty((saddle.size, 2), np.int32)
    count = 0
    for k in range(saddle.size):
        if off[k] != NONE and second_off[k] != NONE:
            end = flat_c[saddle[k]]
            number[count, 0], number[count, 1] = off[k], second_off[k]
            lives = is_before(key[off[k]], end, border)
            count += lives and is_before(second_key[second_off[k]], end, border)
    return number[:count].copy()


@njit(cache=True, nogil=True)
def with_exterior(keys, pixel, flip):
    """Return the keys of extrema, and of the exterior, which is the eldest: row 0 has it."""
    some = np.empty(pixel.size + 1, keys.dtype)
    for k in range(pixel.size):
        some[k] = keys[pixel[k]]
    some[-1] = keys[0] if flip else ~keys[0]
    return some


@njit(cache=True, nogil=True)
def is_before(key, other, border):
    """Tell whether a value comes before another, by their keys.

    Parameters
    ----------
    key, other : int
    border : int
        The key of the frame, if pixels have the same value: it has a key of its own before
        theirs.  Otherwise the largest integer.
    """
    return key - (key > border) < other - (other > border)


@njit(cache=True, nogil=True)
def matched_holes(shared, second_shared):
    """List the holes of two images that the same maximum of c ends in c.

    Parameters
    ----------
    shared, second_shared : (m_c,) int32
        As `holes` returns them.

    Returns
    -------
    number : (n, 2) int32
        Numbers of maxima of the first image and of the second.
    """
    number = np.empty((shared.size, 2), np.int32)
    count = 0
    for k in range(shared.size):
        number[count, 0], number[count, 1] = shared[k], second_shared[k]
        count += shared[k] != NONE and second_shared[k] != NONE
    return number[:count].copy()


@njit(cache=True, nogil=True)
def rows_of_pairs(pairs, stops, image_size):
    """Return where each pair is, once all are sorted by image.

    Parameters
    ----------
    pairs : (n, 2) int32
        Of all dimensions, as `pytopo.kernels.pixels.pixels_of_pairs` takes them.
    stops : (n_dims + 1,) int64
        The pairs of dimension k are ``pairs[stops[k]:stops[k + 1]]``.
    image_size : int
        Pixels of the stacked array from one image to the next.

    Returns
    -------
    row : (n,) int32
    """
    row_of = np.empty(len(pairs), np.int32)
    at = stops[:-1].copy()
    row, next_image = 0, image_size
    while row < len(pairs):
        for d in range(at.size):
            while at[d] < stops[d + 1] and pairs[at[d], 0] < next_image:
                row_of[at[d]] = row
                at[d] += 1
                row += 1
        next_image += image_size
    return row_of
