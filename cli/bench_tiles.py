"""``pytopo bench tiles``: what tiles keep open, what moves, memory, and the cost model.

    a grid of tiles -> bytes and open branches of every region that is merged    measured
    some tiles      -> estimated cost                                            beside it
    some tiles of images of 10^8, 10^10 and 10^12 pixels -> estimated cost

The time beside that of the whole image is in `pytopo.cli.contests`.
"""

import math
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np

from pytopo.cli.bench_made import KINDS, MadeImage
from pytopo.cli.goals import goal_of

Row = dict[str, object]

SIDES = 10**4, 10**5, 10**6
TILE = 2048


def tile_sides(size: int) -> tuple[int, int]:
    """Return the sides of the tiles that are measured: 1024 and 2048, less in small images."""
    return min(size // 4, TILE // 2), min(size // 2, TILE)


def tile_rows(size: int) -> Iterator[Row]:
    """Yield what is open and moves, memory, and what is estimated.

    Parameters
    ----------
    size : int
        Side of the images that are measured.
    """
    small, large = tile_sides(size)
    for kind in KINDS:
        yield from _open_rows(kind, size, small)
        yield from _model_rows(kind, size, large)
    for kind in KINDS:
        for tile in (small, large):
            yield from _memory_rows(kind, size, tile)
    for kind in KINDS:
        for side in SIDES:
            yield from _large_rows(kind, side)


def _open_rows(kind: str, size: int, tile: int) -> Iterator[Row]:
    """Yield the open branches and the bytes of regions, after each level of the grid."""
    from pytopo.large.cost import pixels_of_sides
    from pytopo.large.gluing import merged
    from pytopo.large.grid import divided
    from pytopo.large.loop import box_of, checked_sweep, chunk_lengths, read_box
    from pytopo.large.tiles import Region, region_of_tile

    image = MadeImage(kind, (size, size))
    sweep = checked_sweep(image, None, False, "V", None, 0.0)
    chunks = (chunk_lengths(size, tile),) * 2
    levels: dict[int, list[tuple[int, int, int]]] = {}

    def noted(region: Region) -> Region:
        tiles = round(np.prod([stop - start for start, stop in region.box]) / tile**2)
        branches = sum(some.elder.size for some in region.branches)
        found = branches, region.nbytes, pixels_of_sides(region.box, sweep.shape)
        levels.setdefault(tiles, []).append(found)
        return region

    def tile_at(at: tuple[int, ...]) -> Region:
        box = box_of(chunks, at)
        return noted(
            region_of_tile(read_box(image, box, sweep), [start for start, _ in box], sweep)[0]
        )

    divided(
        [len(lengths) for lengths in chunks],
        tile_at,
        lambda first, second, axis: noted(merged(first, second, axis, sweep)[0]),
    )
    for tiles, found in sorted(levels.items()):
        branches, moved, sides = np.sum(found, axis=0)
        if sides == 0:  # the whole image has nothing open
            continue
        job = f"{size}x{size} {kind} uint8, regions of {tiles} tiles of {tile}"
        yield _row(job, "open branches per pixel of their sides", branches / sides)
        yield _row(job, "bytes moved per pixel of their sides", moved / sides)


def _model_rows(kind: str, size: int, tile: int) -> Iterator[Row]:
    """Yield what is estimated for an image from some of its tiles, beside what it takes."""
    from pytopo.large.cost import estimated_cost
    from pytopo.large.loop import checked_sweep, sweep_tiles

    image = MadeImage(kind, (size, size))[:, :]
    sweep = checked_sweep(image, None, False, "V", None, 0.0)
    cost = estimated_cost(image, sweep, tile, pairs=2)
    sizes: list[int] = []
    before = time.process_time()
    sweep_tiles(image, sweep, tile, lambda _, points: sizes.append(points.dim.size))
    seconds = time.process_time() - before
    job = f"{size}x{size} {kind} uint8, tiles of {tile}"
    yield off(job, "CPU time", cost.cpu_seconds, seconds)
    yield off(job, "points", cost.points, sum(sizes))


def _memory_rows(kind: str, size: int, tile: int) -> Iterator[Row]:
    """Yield the peak memory of a sweep that writes its points to a folder."""
    from pytopo.cli.report import say
    from pytopo.large.cost import estimated_cost
    from pytopo.large.loop import checked_sweep

    job = f"{size}x{size} {kind} uint8, tiles of {tile}"
    memory = _peak_memory(kind, size, tile)
    if memory is None:
        say(f"{job}: this system does not report peak memory, left out")
        return
    image = MadeImage(kind, (size, size))
    sweep = checked_sweep(image, None, False, "V", None, 0.0)
    cost = estimated_cost(image, sweep, tile, pairs=2)
    yield _row(job, "peak MB beside the interpreter", memory / 1e6)
    yield _row(job, "peak bytes per pixel of a tile", memory / tile**2)
    yield off(job, "peak memory", cost.memory, memory)


def _peak_memory(kind: str, size: int, tile: int) -> int | None:
    from pytopo.cli.stopwatch import peak_memory

    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "image.h5")
        image = MadeImage(kind, (size, size))
        with h5py.File(path, "w") as file:  # of a memory map the system counts what was read
            data = file.create_dataset("image", image.shape, image.dtype)
            for row in range(0, size, tile):
                data[row : row + tile] = image[row : row + tile, :]
        return peak_memory(
            "import h5py; import pytopo.large\n"
            f"source = h5py.File({path!r})['image']\n"
            "pytopo.large.persistence(source[:64, :64], tile=32)",
            f"pytopo.large.persistence(source, tile={tile}, folder={folder + '/parts'!r})",
        )


def _large_rows(kind: str, side: int) -> Iterator[Row]:
    """Yield the estimated cost of an image that nobody has."""
    from pytopo.large.cost import estimated_cost
    from pytopo.large.loop import checked_sweep

    image = MadeImage(kind, (side, side))
    cost = estimated_cost(image, checked_sweep(image, None, False, "V", None, 0.0), TILE, 4)
    job = f"{side**2:.0e} pixels, {kind} uint8, tiles of {TILE}, estimated"
    yield _row(job, "CPU hours", cost.cpu_seconds / 3600)
    yield _row(job, "MB of memory of a worker", cost.memory / 1e6)
    yield _row(job, "GB moved to merge", cost.moved / 1e9)
    yield _row(job, "GB of points", cost.points * 33 / 1e9)


def off(job: str, what: str, estimated: float, measured: float) -> Row:
    """Return a row that says by which factor an estimate is too large, or too small."""
    known = estimated > 0 and measured > 0
    factor = max(estimated / measured, measured / estimated) if known else math.inf
    return _row(job, f"{what}, factor between estimate and result", factor)


def _row(job: str, against: str, value: float) -> Row:
    return {
        "job": job,
        "against": against,
        "ratio": float(value),
        "goal": goal_of(job, against),
    }
