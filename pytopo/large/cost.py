"""What the diagram of a large image will cost, from a sample of its tiles.

    pairs of neighbouring tiles -> CPU time, points, open branches of each
                                -> CPU time of merging, for a pixel of their sides
    the grid of tiles           -> how many pixels of sides are merged, and at once at most

Tiles cost what they cost in the sample.  A union costs what its two regions have kept, and that
is proportional to the sides that they share with others: `docs/large.md`.
"""

import math
import time
from typing import Any, NamedTuple

import numpy as np

from pytopo.large.ages import Box, Sweep
from pytopo.large.gluing import merged
from pytopo.large.grid import divided
from pytopo.large.loop import box_of, chunk_lengths, read_box, tile_side
from pytopo.large.pieces import PIECE, region_in_pieces
from pytopo.large.tiles import shared_sides
from pytopo.order import key_dtype

POINT_BYTES = 33  # in a part: dimension, two values, two pixels
WORK = 8  # bytes a pixel of a piece, and one of its keys
WORK_OF_POINT = 70  # bytes a point of a piece: its merge events in order, and the point itself
GLUE = 6  # times the bytes of two regions: what gluing them takes


class Cost(NamedTuple):
    """What the diagram of an image costs.

    Attributes
    ----------
    tiles : int
    cpu_seconds : float
        Of all tiles and unions on this machine; without reading, and without writing.
    memory : float
        Bytes that a worker takes at its peak, beside the interpreter and its libraries.
    moved : float
        Bytes of all regions that are merged: what moves between workers, at most.
    points : float
        That are written, with 33 bytes each.
    parts : float
        In which they are: of the tiles and unions that finish any.
    """

    tiles: int
    cpu_seconds: float
    memory: float
    moved: float
    points: float
    parts: float


class Borders(NamedTuple):
    """Pixels of the shared sides of the regions that are merged: of all, and of two at most.

    And between which tiles lies the seam of each union: how many pairs of them.
    """

    total: int
    most: int
    pairs: list[int]


def estimated_cost(source: Any, sweep: Sweep, tile: int | None = None, pairs: int = 16) -> Cost:
    """Estimate what the diagram of an image costs.

    Parameters
    ----------
    source, tile
        As of `pytopo.large.persistence`, not a `dask.array`.
    sweep : Sweep
        As `pytopo.large.loop.checked_sweep` returns it.
    pairs : int
        How many pairs of neighbouring tiles to look at, spread over the image.

    Examples
    --------
    >>> image = np.random.default_rng(0).integers(0, 256, (200, 300), np.uint8)
    >>> cost = estimated_cost(image, Sweep(image.shape, image.dtype, (0, 1)), 50)
    >>> cost.tiles, 15000 < cost.points < 25000
    (24, True)
    """
    side = tile_side(tile, sweep.shape)
    chunks = tuple(chunk_lengths(n, side) for n in sweep.shape)
    in_grid = tuple(map(len, chunks))
    count = math.prod(in_grid)
    found = [_of_pair(source, chunks, at, sweep) for at in _spread(in_grid, pairs)]
    seen = _Seen(*np.sum(found, axis=0).tolist())
    borders = merged_borders(chunks, sweep.shape)
    of_side, n = seen.region_bytes / max(seen.sides, 1), math.prod(sweep.shape)
    sides, pixels = borders.total / max(seen.sides, 1), n / seen.pixels
    # A seam between many tiles finishes nothing if it does so between no two of them.
    silent = 1 - seen.unions_with_points / len(found)
    of_unions = sum(1 - silent**pairs for pairs in borders.pairs)
    return Cost(
        tiles=count,
        cpu_seconds=pixels * seen.tile_seconds + sides * seen.union_seconds,
        memory=_of_tile(side, sweep, seen.points / seen.pixels) + GLUE * of_side * borders.most,
        moved=of_side * borders.total,
        points=pixels * seen.points,
        parts=count * seen.tiles_with_points / seen.tiles + of_unions,
    )


def _of_tile(side: int, sweep: Sweep, density: float) -> float:
    """Return the bytes that a tile takes at its peak; the density is of points, per pixel."""
    ndim = len(sweep.shape)
    tile = side**ndim
    piece = min(side, PIECE) ** ndim if ndim == 2 else tile
    working = WORK + np.dtype(key_dtype(sweep.dtype)).itemsize + WORK_OF_POINT * density
    # The points of all pieces wait until the last is done, and then are put together.
    waiting = 2 * POINT_BYTES * density * (tile - piece)
    return tile * sweep.dtype.itemsize + working * piece + waiting


class _Seen(NamedTuple):
    """What was seen of some tiles and unions."""

    tiles: int
    pixels: int
    tile_seconds: float
    points: int
    tiles_with_points: int
    region_bytes: int
    sides: int
    union_seconds: float
    unions_with_points: int


def _spread(in_grid: tuple[int, ...], pairs: int) -> list[tuple[int, ...]]:
    """Return places in a grid: all, or some at random but always the same."""
    count = math.prod(in_grid)
    some = np.arange(count)
    if count > pairs:
        some = np.random.default_rng(0).choice(count, pairs, replace=False)
    return [tuple(map(int, at)) for at in zip(*np.unravel_index(some, in_grid))]


def _of_pair(
    source: Any, chunks: tuple[tuple[int, ...], ...], at: tuple[int, ...], sweep: Sweep
) -> _Seen:
    """Measure a tile and the next along the last axis, if there is one."""
    column = at[-1] if at[-1] + 1 < len(chunks[-1]) else max(at[-1] - 1, 0)
    neighbours = {(*at[:-1], column), (*at[:-1], min(column + 1, len(chunks[-1]) - 1))}
    regions, pixels, counts, seconds = [], 0, [], 0.0
    for place in sorted(neighbours):
        box = box_of(chunks, place)
        values = read_box(source, box, sweep)
        before = time.process_time()
        region, points = region_in_pieces(values, [start for start, _ in box], sweep)
        seconds += time.process_time() - before
        regions.append(region)
        counts.append(points.dim.size)
        pixels += values.size
    before, of_union = time.process_time(), 0
    if len(regions) == 2:
        of_union = merged(regions[0], regions[1], len(at) - 1, sweep)[1].dim.size
    return _Seen(
        tiles=len(regions),
        pixels=pixels,
        tile_seconds=seconds,
        points=sum(counts) + of_union,
        tiles_with_points=sum(count > 0 for count in counts),
        region_bytes=sum(region.nbytes for region in regions),
        sides=sum(pixels_of_sides(region.box, sweep.shape) for region in regions),
        union_seconds=time.process_time() - before,
        unions_with_points=int(of_union > 0),
    )


def merged_borders(chunks: tuple[tuple[int, ...], ...], shape: tuple[int, ...]) -> Borders:
    """Count the pixels of the sides of all regions that are merged, and of two at most.

    Examples
    --------
    >>> merged_borders(((4,), (3, 3, 3)), (4, 9))
    Borders(total=20, most=12, pairs=[1, 1])
    """
    total, most, seams = 0, 0, []

    def union(first: Box, second: Box, axis: int) -> Box:
        nonlocal total, most
        pixels = pixels_of_sides(first, shape) + pixels_of_sides(second, shape)
        total, most = total + pixels, max(most, pixels)
        along = [
            -(-(stop - start) // lengths[0]) for (start, stop), lengths in zip(first, chunks)
        ]
        seams.append(math.prod(along) // along[axis])
        return (*first[:axis], (first[axis][0], second[axis][1]), *first[axis + 1 :])

    divided([len(lengths) for lengths in chunks], lambda at: box_of(chunks, at), union)
    return Borders(total, most, seams)


def pixels_of_sides(box: Box, shape: tuple[int, ...]) -> int:
    """Count the pixels of the sides of a box that it shares with others."""
    extent = [stop - start for start, stop in box]
    across = [math.prod(extent) // n for n in extent]
    return sum(across[k // 2] for k, shared in enumerate(shared_sides(box, shape)) if shared)
