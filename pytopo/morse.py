"""The fast route for images of one and two axes, from values to pairs of pixels.

    values -> keys -> earlier neighbours -> saddles, extrema -> pairs of pixels
              integers  one byte a pixel

Twin of `pytopo.textbook`: it gives the same pairs, but puts nothing into a matrix that the
neighbours of a pixel decide by themselves, and sorts nothing but saddles.  The idea is in
`pytopo/kernels/morse.py`, the derivation in `docs/fast-2d.md`.

Several images of one shape are one tall image: one row of outside keeps them apart.

    outside  outside  outside
    outside  image 0  outside
    outside  outside  outside
    outside  image 1  outside
    outside  outside  outside
"""

from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pytopo.arcs import MEMBER, TOWARD, arc_table
from pytopo.kernels.morse import (
    closing_loops,
    component_pairs,
    ends,
    extrema,
    hole_pairs,
    image_rows,
    merge,
    saddles,
)
from pytopo.kernels.neighbours import earlier_neighbours
from pytopo.kernels.sorting import sorted_order
from pytopo.order import fill_keys, key_dtype
from pytopo.threads import on_threads

SIDES, ALL = 0b01010101, 0b11111111


class Rows(NamedTuple):
    """Points of several images, sorted by image, then by dimension."""

    image: NDArray[np.int32]
    dim: NDArray[np.int8]
    birth_pixel: NDArray[np.int64]
    death_pixel: NDArray[np.int64]

    def take(self, which: NDArray) -> "Rows":
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
        Dimensions wanted.
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

    tall = (count * period + 1, width + 2 * left)
    keys = np.full(tall, np.iinfo(key_dtype(images.dtype)).max, key_dtype(images.dtype))
    blocks = keys[1:].reshape(count, period, tall[1])[:, :-1, 1:-1]
    fill_keys(images.reshape(count, height, width), superlevel, frames, blocks)
    found = _tall_pairs(keys, period, dims, construction, threads)

    starts = period * tall[1] * np.arange(count + 1)
    split = np.stack([np.searchsorted(pairs[:, 0], starts) for pairs in found])
    split += np.cumsum([0] + [len(pairs) for pairs in found[:-1]])[:, None]
    whole = np.concatenate(found)
    shape = (height, width, top, left)
    return Rows(*image_rows(whole, np.array(dims, np.int8), split, tall[1], *shape))


def _tall_pairs(
    keys: NDArray, period: int, dims: tuple[int, ...], construction: str, threads: int
) -> list[NDArray[np.int32]]:
    """Pair the pixels of images on top of each other, for each dimension."""
    height, width = keys.shape
    flat_keys = keys.reshape(-1)
    earlier = np.zeros(keys.shape, np.uint8)
    through_sides = 0 if construction == "V" else 255

    def saddles_of_rows(rows: tuple[int, int]) -> NDArray[np.int32]:
        earlier_neighbours(keys, period, *rows, earlier)
        return saddles(earlier, period, *rows, through_sides)

    bands = pairwise(np.linspace(0, height, threads + 1).astype(int).tolist())
    saddle = np.concatenate(on_threads(saddles_of_rows, bands, threads))
    order = sorted_order(flat_keys[saddle])

    def sweep(dim: int, saddle: NDArray, order: NDArray) -> tuple[NDArray, NDArray]:
        how = _sweep(dim, construction, width)
        root = np.empty(keys.size, np.int32)
        extremum = extrema(earlier, period, how.flip, how.reach, root)
        joined = ends(saddle, earlier.reshape(-1), how.onward, how.across, root)
        key = np.append(flat_keys[extremum], np.iinfo(keys.dtype).max)
        return extremum, merge(order, joined, key, how.flip)

    def components() -> tuple[NDArray, NDArray]:
        minimum, victim = sweep(0, saddle, order)
        return component_pairs(minimum, saddle, victim, flat_keys), victim

    def holes(saddle: NDArray, order: NDArray) -> NDArray:
        maximum, victim = sweep(1, saddle, order)
        return hole_pairs(maximum, saddle, victim, flat_keys)

    if dims == (0,):
        return [components()[0]]
    if dims == (1,):
        return [holes(saddle, order)]
    if threads == 1:
        pairs, victim = components()
        return [pairs, holes(*closing_loops(saddle, order, victim))]
    tasks = (lambda: components()[0], lambda: holes(saddle, order))
    return on_threads(lambda task: task(), tasks, threads)


class _Sweep(NamedTuple):
    """What tells components and holes, V and T apart; see `pytopo.kernels.morse`."""

    flip: int
    reach: int
    onward: NDArray[np.int64]
    across: NDArray[np.int64]


@cache
def _sweep(dim: int, construction: str, width: int) -> _Sweep:
    corners = (construction == "T") == (dim == 0)
    table = arc_table(corners)
    if dim == 1:
        table = table[::-1]  # arcs of later neighbours, by the set of earlier ones
    step = np.array([1, width + 1, width, width - 1, -1, -width - 1, -width, -width + 1])
    return _Sweep(
        flip=255 if dim == 1 else 0,
        reach=ALL if corners else SIDES,
        onward=step[table[:, TOWARD]],
        across=step[table[:, MEMBER:]],
    )
