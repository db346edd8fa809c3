"""The fast route for images of one and two axes, from values to pairs of pixels.

    values -> keys -> earlier neighbours -> saddles, extrema -> pairs of pixels
              integers  one byte a pixel

Twin of `pytopo.textbook`: it gives the same pairs, but puts nothing into a matrix that the
neighbours of a pixel decide by themselves, and sorts nothing but saddles.  The idea is in
`pytopo/kernels/sweep_2d.py`, the derivation in `docs/fast-2d.md`.

Several images of one shape are one tall image: one row of outside keeps them apart.

    outside  outside  outside
    outside  image 0  outside
    outside  outside  outside
    outside  image 1  outside
    outside  outside  outside
"""

from __future__ import annotations  # of functions inside functions, they take time in each call

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from itertools import accumulate, pairwise
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from pytopo.kernels.gather import taken
from pytopo.kernels.kruskal import foreign_joins, joins_of_band, merge
from pytopo.kernels.links_2d import earlier_neighbours
from pytopo.kernels.one_band import paired_pixels
from pytopo.kernels.sorting import sorted_order
from pytopo.kernels.sweep_2d import (
    UNKNOWN,
    closing_loops,
    component_pairs,
    extrema,
    fill_image_rows,
    hole_pairs,
    joined_extrema,
    note_deaths,
    number_extrema,
    saddles,
)
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

    def take(self, which: NDArray) -> Rows:
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
    left = 1 if frames[0] is None else 2
    top = 1 if images.ndim == 2 else left  # a row has its frame at its ends only
    period = height + 2 * top - 1

    stack = images.reshape(count, height, width)
    with workspace() as space, Workers(threads) as workers:
        tall = (count * period + 1, width + 2 * left)
        keys = space.empty(tall, key_dtype(images.dtype))
        _fill_tall_keys(stack, frames, superlevel, top, workers, keys)
        found = _tall_pairs(keys, period, dims, construction, workers, space)

        # NumPy allocates what is large in large pages, Numba does not.
        whole = np.concatenate([pairs for bands in found for pairs in bands])
        stops = np.cumsum([0] + [sum(len(pairs) for pairs in bands) for bands in found])
        image, dim = np.empty(len(whole), np.int32), np.empty(len(whole), np.int8)
        pixel = np.empty((2, len(whole)), np.int64)

        def fill_rows(some: slice) -> None:
            mine = np.clip(stops, some.start, some.stop) - some.start
            shape = count, tall[1], height, width, top, left
            out = image[some], dim[some], pixel[0, some], pixel[1, some]
            fill_image_rows(whole[some], np.array(dims, np.int8), mine, *shape, *out)

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
    """Write the keys of images on top of each other, with rows of outside between."""
    count, height, width = images.shape
    period = height + 2 * top - 1
    out_keys[::period] = out_keys[:, :1] = out_keys[:, -1:] = np.iinfo(out_keys.dtype).max
    blocks = out_keys[1:].reshape(count, period, -1)[:, :-1, 1:-1]
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
    count = max(1, pixels // BAND_PIXELS)
    if threads > 1:
        count = max(count, min(threads, pixels // THREAD_PIXELS))
        count += -count % threads if count > threads else 0
    count = min(count, height)
    return [(height * k // count, height * (k + 1) // count) for k in range(count)]


class _Image(NamedTuple):
    """What all steps of the tall image look at."""

    keys: NDArray[np.signedinteger]
    period: int
    earlier: NDArray[np.uint8]
    root: NDArray[np.int32]
    arcs: _Arcs
    bands: list[tuple[int, int]]
    workers: Workers
    space: Workspace

    def on_bands(self, function: Callable[..., Result], *each: Iterable) -> list[Result]:
        """Call a function for each band, with its entries of some lists, on the threads."""
        return self.workers.each(lambda some: function(*some), zip(*each))


def _tall_pairs(
    keys: NDArray,
    period: int,
    dims: tuple[int, ...],
    construction: str,
    workers: Workers,
    space: Workspace,
) -> list[list[NDArray[np.int32]]]:
    """Pair the pixels of images on top of each other, for each dimension and band."""
    height, width = keys.shape
    earlier, root = space.empty(keys.shape, np.uint8), space.empty(keys.shape, np.int32)
    bands, arcs = _bands(height, width, workers.threads), _arcs(construction, width)
    image = _Image(keys, period, earlier, root, arcs, bands, workers, space)

    def critical(rows: tuple[int, int]) -> list[NDArray[np.int32]]:
        earlier_neighbours(keys, period, *rows, earlier)
        found = [
            extrema(earlier, *rows, flip, reach) if dim in dims else np.empty(0, np.int32)
            for dim, (flip, reach) in enumerate(zip(arcs.flip, arcs.reach))
        ]
        return [saddles(earlier, *rows, arcs.through_sides), *found]

    saddle, minimum, maximum = (list(each) for each in zip(*image.on_bands(critical, bands)))
    flat_keys = keys.reshape(-1)
    if len(bands) == 1:
        order = sorted_order(taken(flat_keys, saddle[0]))
        critical_pixels = saddle[0], order, minimum[0], maximum[0]
        pairs = paired_pixels(keys, period, earlier, *critical_pixels, *arcs[2:], root)
        return [[pairs[dim]] for dim in dims]

    found = []
    if 0 in dims:
        victim = _merged(image, 0, saddle, minimum)
        numbers = _ranges(minimum)
        death = space.full(numbers[-1][1], UNKNOWN, np.int32)
        image.on_bands(lambda *some: note_deaths(*some, death), saddle, victim)
        deaths = [death[slice(*mine)] for mine in numbers]
        pairs = image.on_bands(lambda *some: component_pairs(*some, flat_keys), minimum, deaths)
        found.append(pairs)
        saddle = image.on_bands(closing_loops, saddle, victim)
    if 1 in dims:
        victim = _merged(image, 1, saddle, maximum)
        everywhere = np.concatenate(maximum)
        pairs = image.on_bands(
            lambda *some: hole_pairs(everywhere, *some, flat_keys), saddle, victim
        )
        found.append(pairs)
    return found


def _merged(
    image: _Image, dim: int, saddle: list[NDArray[np.int32]], extremum: list[NDArray[np.int32]]
) -> list[NDArray[np.int32]]:
    """Return whom each join of each band kills: band by band, and then what is left."""
    keys, earlier, root = (a.reshape(-1) for a in (image.keys, image.earlier, image.root))
    flip, onward, across = (table[dim] for table in image.arcs[2:])
    numbers, joins = _ranges(extremum), _ranges(saddle)
    outside, n_joins = numbers[-1][1], joins[-1][1]
    ends = image.space.empty((n_joins, 2), np.int32)
    eldest = int(keys[0]) if dim else ~int(keys[0])  # row 0 is outside: the largest key
    key = image.space.full(outside + 1, eldest, keys.dtype)

    def number(some: NDArray, mine: tuple[int, int], rows: tuple[int, int]) -> None:
        number_extrema(some, mine[0], outside, image.period, *rows, image.root)
        key[slice(*mine)] = taken(keys, some)

    def lead(some: NDArray, own: tuple[int, int]) -> None:
        ends[slice(*own)] = joined_extrema(some, earlier, onward, across, root)

    image.on_bands(number, extremum, numbers, image.bands)
    image.on_bands(lead, saddle, joins)

    parent = np.arange(outside + 1, dtype=np.int32)
    victim = image.space.full(n_joins, UNKNOWN, np.int32)
    pixel = np.concatenate(saddle)

    def in_order(some: NDArray[np.int32]) -> NDArray[np.int32]:
        return taken(some, sorted_order(taken(keys, taken(pixel, some))))

    def foreign_of_band(own: tuple[int, int], mine: tuple[int, int]) -> NDArray[np.int32]:
        return own[0] + foreign_joins(ends[slice(*own)], *mine, outside)

    def settle(own: tuple[int, int], mine: tuple[int, int]) -> NDArray[np.int32]:
        order = in_order(joins_of_band(*own, foreign, ends, *mine))
        return merge(order, ends, key, flip, *mine, parent, victim)

    foreign = np.concatenate(image.on_bands(foreign_of_band, joins, numbers))
    left = np.concatenate([foreign, *image.on_bands(settle, joins, numbers)])
    left.sort()
    merge(in_order(left), ends, key, flip, 0, outside, parent, victim)
    return [victim[slice(*own)] for own in joins]


def _ranges(arrays: list[NDArray]) -> list[tuple[int, int]]:
    """Return where each array begins and ends if they are one behind the other."""
    return list(pairwise(accumulate((a.size for a in arrays), initial=0)))


class _Arcs(NamedTuple):
    """What tells V and T apart, for components and for holes; see `pytopo.kernels.sweep_2d`."""

    through_sides: int
    reach: NDArray[np.int64]  # (2,)
    flip: NDArray[np.int64]  # (2,)
    onward: NDArray[np.int64]  # (2, 256)
    across: NDArray[np.int64]  # (2, 256, 4)


@cache
def _arcs(construction: str, width: int) -> _Arcs:
    corners = [construction == "T", construction == "V"]  # of components, of holes
    # Arcs of later neighbours, for holes, by the set of earlier ones.
    tables = np.stack([arc_table(corners[0]), arc_table(corners[1])[::-1]])
    step = np.array([1, width + 1, width, width - 1, -1, -width - 1, -width, -width + 1])
    return _Arcs(
        through_sides=255 if corners[0] else 0,
        reach=np.where(corners, ALL, SIDES),
        flip=np.array([0, 255]),
        onward=step[tables[:, :, TOWARD]],
        across=step[tables[:, :, MEMBER:]],
    )
