"""The fast algorithm for images of one and two axes, from values to pairs of pixels.

    values -> keys -> earlier neighbours -> saddles, extrema -> pairs of pixels
              integers  one byte per pixel

The reference implementation is `pytopo.textbook`.  This gives the same pairs, but puts nothing
into a matrix that the neighbours of a pixel decide by themselves, and sorts nothing but
saddles.  The idea is in `pytopo/kernels/sweep_2d.py`, the derivation in
`docs/lesson-6-fast-2d.md`.

The steps, for each band of rows:

    1. earlier_neighbours, saddles, extrema     what each pixel does
    2. number_extrema, joined_extrema           V-paths: the two ends of each merge event
    3. merge                                    Kruskal: who dies at which saddle
    4. component_pairs, closing_loops           pairs, and the saddles that create holes
    5. steps 2 and 3 upside down, hole_pairs    for holes

A small image is one band, and one kernel takes steps 2 to 5, `pytopo.kernels.one_band`.  In a
large one, `_pairs_of_bands`, each step is taken for all bands before the next, on several
threads.

Several images of one shape are one stacked array: one row of exterior keeps them apart.

    exterior  exterior  exterior
    exterior  image 0  exterior
    exterior  exterior  exterior
    exterior  image 1  exterior
    exterior  exterior  exterior
"""

from __future__ import annotations  # of functions inside functions, they take time in each call

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from itertools import accumulate, pairwise
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from pytopo.kernels.gather import taken
from pytopo.kernels.kruskal import foreign_merges, merge, merges_of_band
from pytopo.kernels.links_2d import earlier_neighbours
from pytopo.kernels.merge_pairs import component_pairs, hole_pairs, note_deaths
from pytopo.kernels.one_band import paired_pixels
from pytopo.kernels.pixels import pixels_of_pairs
from pytopo.kernels.sorting import sorted_order
from pytopo.kernels.sweep_2d import (
    closing_loops,
    extrema,
    joined_extrema,
    number_extrema,
    saddles,
)
from pytopo.kernels.v_paths import UNKNOWN
from pytopo.morse.links_2d import MEMBER, TOWARD, arc_table
from pytopo.morse.workspace import Workspace, workspace
from pytopo.order import fill_keys, key_dtype, key_needs_no_other
from pytopo.threads import Workers

SIDES, ALL = 0b01010101, 0b11111111
BAND_PIXELS = 2**19  # of a band of a large image, whose lists fit into the cache of a core
THREAD_PIXELS = 2**15  # of a band at least, so that it is worth a thread

Result = TypeVar("Result")


class Rows(NamedTuple):
    """Points of several images, sorted by image, then by dimension."""

    image: NDArray[np.int32]
    dim: NDArray[np.int8]
    birth_pixel: NDArray[np.int64]
    death_pixel: NDArray[np.int64]

    def take(self, which: NDArray | slice) -> Rows:
        """Return some of the rows, by number or by mask."""
        return Rows(
            self.image[which], self.dim[which], self.birth_pixel[which], self.death_pixel[which]
        )


def pixel_pairs(
    images: NDArray,
    frames: Sequence[int | np.floating | None],
    dims: tuple[int, ...],
    superlevel: bool,
    construction: str,
    threads: int,
) -> Rows:
    """Pair the pixels of images of one shape.

    Parameters
    ----------
    images : (B, W) or (B, H, W) ndarray
        C-contiguous, without NaN.
    frames : sequence of B
        The frame of each image as `pytopo.order.frame_value` returns it; None for all or for
        none.
    dims : tuple of int
        Dimensions of homology.
    superlevel, construction
        As in `pytopo.persistence`.
    threads : int
        Number of threads to use for these images together.

    Returns
    -------
    Rows
        One row a pair of different keys; pixels are -1 for never and -2 for the frame.
        Without frames the rows of an image and dimension ascend by birth pixel, then death
        pixel.
    """
    count, width = len(images), images.shape[-1]
    height = 1 if images.ndim == 2 else images.shape[1]
    left = 1 if frames[0] is None else 2  # exterior, and frame
    top = 1 if images.ndim == 2 else left  # a row has its frame at its ends only
    stride = height + 2 * top - 1

    stack = images.reshape(count, height, width)
    with workspace() as space, Workers(threads) as workers:
        keys = space.empty((count * stride + 1, width + 2 * left), key_dtype(images.dtype))
        _fill_tall_keys(stack, frames, superlevel, top, workers, keys)
        found = _stacked_pairs(keys, stride, dims, construction, workers, space)

        # NumPy allocates what is large in large pages, Numba does not.
        whole = np.concatenate([pairs for bands in found for pairs in bands])
        stops = np.cumsum([0] + [sum(len(pairs) for pairs in bands) for bands in found])
        image, dim = np.empty(len(whole), np.int32), np.empty(len(whole), np.int8)
        pixel = np.empty((2, len(whole)), np.int64)

        def fill_rows(some: slice) -> None:
            mine = np.clip(stops, some.start, some.stop) - some.start
            out = image[some], dim[some], pixel[0, some], pixel[1, some]
            layout = height, width, top, left
            pixels_of_pairs(whole[some], np.array(dims, np.int8), mine, layout, *out)

        # The rows of one image come as its pairs do, so that parts of them are parts of those.
        parts = workers.threads if count == 1 else 1
        bounds = [len(whole) * k // parts for k in range(parts + 1)]
        workers.each(fill_rows, map(slice, bounds[:-1], bounds[1:]))
    return Rows(image, dim, pixel[0], pixel[1])


def _fill_tall_keys(
    images: NDArray,
    frames: Sequence[int | np.floating | None],
    superlevel: bool,
    top: int,
    workers: Workers,
    out_keys: NDArray[np.signedinteger],
) -> None:
    """Write the keys of images on top of each other, with rows of exterior between."""
    count, height, width = images.shape
    stride = height + 2 * top - 1
    # The largest integer is later than every pixel: the exterior never enters.
    out_keys[::stride] = out_keys[:, :1] = out_keys[:, -1:] = np.iinfo(out_keys.dtype).max
    blocks = out_keys[1:].reshape(count, stride, -1)[:, :-1, 1:-1]
    parts = count == 1 and frames[0] is None and key_needs_no_other(images.dtype)
    if workers.threads > 1 and parts:

        def fill(rows: tuple[int, int]) -> None:
            some = slice(*rows)
            fill_keys(images[:, some], superlevel, frames, blocks[:, some])

        workers.each(fill, _bands(height, width, workers.threads))
    else:
        fill_keys(images, superlevel, frames, blocks)


def _bands(height: int, width: int, threads: int) -> list[tuple[int, int]]:
    """Divide rows into bands: one to begin with, more where they pay."""
    pixels = height * width
    # As many as fit into the cache, or as there are threads, and then a multiple of those.
    count = max(1, pixels // BAND_PIXELS)
    if threads > 1:
        count = max(count, min(threads, pixels // THREAD_PIXELS))
        count += -count % threads if count > threads else 0
    count = min(count, height)
    return [(height * k // count, height * (k + 1) // count) for k in range(count)]


class _Image(NamedTuple):
    """What all steps read of the stacked array."""

    keys: NDArray[np.signedinteger]
    stride: int
    earlier: NDArray[np.uint8]
    root: NDArray[np.int32]
    arcs: Arcs
    bands: list[tuple[int, int]]
    workers: Workers
    space: Workspace

    def on_bands(self, function: Callable[..., Result], *each: Iterable) -> list[Result]:
        """Call a function for each band, with its entries of some lists, on the threads."""
        return self.workers.each(lambda some: function(*some), zip(*each))


def _stacked_pairs(
    keys: NDArray,
    stride: int,
    dims: tuple[int, ...],
    construction: str,
    workers: Workers,
    space: Workspace,
) -> list[list[NDArray[np.int32]]]:
    """Pair the pixels of a stacked array, for each dimension and band."""
    height, width = keys.shape
    earlier, root = space.empty(keys.shape, np.uint8), space.empty(keys.shape, np.int32)
    bands, arcs = _bands(height, width, workers.threads), arcs_of(construction, width)
    image = _Image(keys, stride, earlier, root, arcs, bands, workers, space)

    def critical(rows: tuple[int, int]) -> list[NDArray[np.int32]]:
        # Step 1: what each pixel does.
        earlier_neighbours(keys, stride, *rows, earlier)
        found = [
            extrema(earlier, *rows, flip, reach) if dim in dims else np.empty(0, np.int32)
            for dim, (flip, reach) in enumerate(zip(arcs.flip, arcs.reach))
        ]
        return [saddles(earlier, *rows, arcs.through_sides), *found]

    saddle, minimum, maximum = (list(each) for each in zip(*image.on_bands(critical, bands)))
    if len(bands) == 1:
        critical_pixels = saddle[0], minimum[0], maximum[0]
        tables = arcs.onward, arcs.across
        pairs = paired_pixels(keys, stride, earlier, *critical_pixels, *tables, root)
        return [[pairs[dim]] for dim in dims]
    return _pairs_of_bands(image, dims, saddle, minimum, maximum)


def _pairs_of_bands(
    image: _Image,
    dims: tuple[int, ...],
    saddle: list[NDArray[np.int32]],
    minimum: list[NDArray[np.int32]],
    maximum: list[NDArray[np.int32]],
) -> list[list[NDArray[np.int32]]]:
    """Pair critical pixels, listed by band, for each dimension and band."""
    flat_keys = image.keys.reshape(-1)
    found = []
    if 0 in dims:
        # Steps 2 and 3: at which merge event does which component die?
        younger = _merged(image, 0, saddle, minimum)
        # Step 4.  A component may die at a saddle of another band.
        numbers = _ranges(minimum)
        death = image.space.full(numbers[-1][1], UNKNOWN, np.int32)
        image.on_bands(lambda *some: note_deaths(*some, death), saddle, younger)
        deaths = [death[slice(*mine)] for mine in numbers]
        pairs = image.on_bands(lambda *some: component_pairs(*some, flat_keys), minimum, deaths)
        found.append(pairs)
        saddle = image.on_bands(closing_loops, saddle, younger)
    if 1 in dims:
        # Step 5: the same upside down.
        younger = _merged(image, 1, saddle, maximum)
        everywhere = np.concatenate(maximum)
        pairs = image.on_bands(
            lambda *some: hole_pairs(everywhere, *some, flat_keys), saddle, younger
        )
        found.append(pairs)
    return found


def _merged(
    image: _Image, dim: int, saddle: list[NDArray[np.int32]], extremum: list[NDArray[np.int32]]
) -> list[NDArray[np.int32]]:
    """Return which component dies at each merge event of each band: steps 2 and 3."""
    keys, earlier, root = (a.reshape(-1) for a in (image.keys, image.earlier, image.root))
    flip, onward, across = (table[dim] for table in image.arcs[2:])
    # Extrema and merge events are numbered through all bands: each band has a range of both.
    numbers, merges = _ranges(extremum), _ranges(saddle)
    exterior, n_merges = numbers[-1][1], merges[-1][1]
    ends = image.space.empty((n_merges, 2), np.int32)
    eldest = int(keys[0]) if dim else ~int(keys[0])  # row 0 is exterior: the largest key
    key = image.space.full(exterior + 1, eldest, keys.dtype)

    def number(some: NDArray, mine: tuple[int, int], rows: tuple[int, int]) -> None:
        number_extrema(some, mine[0], exterior, image.stride, *rows, image.root)
        key[slice(*mine)] = taken(keys, some)

    def follow(some: NDArray, own: tuple[int, int]) -> None:
        ends[slice(*own)] = joined_extrema(some, earlier, onward, across, root)

    # Step 2.  All extrema are numbered before the first V-path: it may lead to another band.
    image.on_bands(number, extremum, numbers, image.bands)
    image.on_bands(follow, saddle, merges)

    # Step 3: what is certain, band by band, and then what is left and what is foreign, at once.
    parent = np.arange(exterior + 1, dtype=np.int32)
    younger = image.space.full(n_merges, UNKNOWN, np.int32)
    pixel = np.concatenate(saddle)

    def in_order(some: NDArray[np.int32]) -> NDArray[np.int32]:
        return taken(some, sorted_order(taken(keys, taken(pixel, some))))

    def foreign_of_band(own: tuple[int, int], mine: tuple[int, int]) -> NDArray[np.int32]:
        return own[0] + foreign_merges(ends[slice(*own)], *mine, exterior)

    def settle(own: tuple[int, int], mine: tuple[int, int]) -> NDArray[np.int32]:
        order = in_order(merges_of_band(*own, foreign, ends, *mine))
        return merge(order, ends, key, flip, *mine, parent, younger)

    foreign = np.concatenate(image.on_bands(foreign_of_band, merges, numbers))
    left = np.concatenate([foreign, *image.on_bands(settle, merges, numbers)])
    left.sort()
    merge(in_order(left), ends, key, flip, 0, exterior, parent, younger)
    return [younger[slice(*own)] for own in merges]


def _ranges(arrays: list[NDArray]) -> list[tuple[int, int]]:
    """Return where each array begins and ends in the concatenation of all."""
    return list(pairwise(accumulate((a.size for a in arrays), initial=0)))


class Arcs(NamedTuple):
    """How V and T differ, for components and for holes; see `pytopo.kernels.sweep_2d`."""

    through_sides: int  # ``flip`` of the neighbours that are connected through sides
    reach: NDArray[np.int64]  # (2,): the directions in which a pixel is connected
    flip: NDArray[np.int64]  # (2,): 0 for components, 255 for holes
    onward: NDArray[np.int64]  # (2, 256): the step along the V-path, by earlier neighbours
    across: NDArray[np.int64]  # (2, 256, 4): the step to each arc


@cache
def arcs_of(construction: str, width: int) -> Arcs:
    """Return how arcs are read in V or T, for an array of a width."""
    corners = [construction == "T", construction == "V"]  # of components, of holes
    # Arcs of later neighbours, for holes, by the set of earlier ones: later is not earlier, so
    # row s of that table is row 255 - s.
    tables = np.stack([arc_table(corners[0]), arc_table(corners[1])[::-1]])
    step = np.array([1, width + 1, width, width - 1, -1, -width - 1, -width, -width + 1])
    return Arcs(
        through_sides=255 if corners[0] else 0,
        reach=np.where(corners, ALL, SIDES),
        flip=np.array([0, 255]),
        onward=step[tables[:, :, TOWARD]],
        across=step[tables[:, :, MEMBER:]],
    )
