"""The chunks of a `dask.array`: the same two functions, noted as tasks instead of called.

    chunk        -- region_of_tile -->  region, points     a task a chunk
    two regions  -- merged -->          region, points     what moves: open branches and faces
    points                              gathered at the end, or written by the task

Whichever scheduler Dask has been given does the work: threads, processes, a cluster.  A worker
needs memory for a chunk and the regions that it merges; if one dies, what it did is done again,
with the same result.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import dask
import numpy as np
from dask.delayed import Delayed, delayed
from dask.sizeof import sizeof
from numpy.typing import NDArray

from pytopo.large.ages import Points, Sweep
from pytopo.large.counts import count_of, euler_number_of_tile, with_layer_before
from pytopo.large.gluing import merged
from pytopo.large.grid import divided
from pytopo.large.loop import (
    Collector,
    box_of,
    diagram_of,
    part_name,
    tile_side,
    without_unknown,
)
from pytopo.large.parts import write_part
from pytopo.large.pieces import region_in_pieces
from pytopo.large.scheduling import gathered
from pytopo.large.tiles import Region

SMALL_CHUNK = 512  # chunks of less are put together: their borders would cost more than they do

Part = tuple[str, int, Points]  # name, points that have been written, points that have not


@sizeof.register(Region)  # or Dask takes a region for nothing, and never spills one to disk
def _bytes_of_region(region: Region) -> int:
    return region.nbytes


@sizeof.register(Points)
def _bytes_of_points(points: Points) -> int:
    return sum(column.nbytes for column in points)


def persistence_of_chunks(
    image: Any,
    sweep: Sweep,
    tile: int | None,
    collector: Collector,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Any, Any]:
    """Compute the diagram of a `dask.array`, as `pytopo.large.persistence` describes it.

    Returns
    -------
    ends : tuple of 2 numbers
        Values of the earliest and of the latest pixel.
    """
    parts, ends = noted(image, sweep, tile, collector.folder)
    done, count = 0, (len(parts) + 1) // 2  # there is one union less than tiles

    def tile_done() -> None:
        nonlocal done
        if progress and done < count:  # some schedulers tell of tiles, and then return them
            done += 1
            progress(done, count)

    def take(name: str, written: int, points: Points) -> None:
        collector.note(name, written, points)
        if name.startswith("tile"):
            tile_done()

    def finished(key: str) -> None:
        if key.startswith(f"{_tile.__name__}-"):
            tile_done()

    return gathered(parts, ends, take, finished)


def noted(
    image: Any, sweep: Sweep, tile: int | None, folder: Path | None
) -> tuple[list[Delayed], Delayed]:
    """Note all tasks.

    Parameters
    ----------
    image : dask.array
        Of known chunks.
    sweep : Sweep
    tile : int or None
        Rechunk to tiles of this side.
    folder : Path or None
        Where tasks write the points that they finish.

    Returns
    -------
    parts : list of Delayed
        A name, how many points have been written, and those that have not.
    ends : Delayed
        Values of the earliest and of the latest pixel.
    """
    chunked = _with_fit_chunks(image, tile)
    blocks = chunked.to_delayed()
    place = None if folder is None else str(folder.resolve())
    task_of_tile, task_of_union, item = (
        delayed(function, pure=False) for function in (_tile, _union, _item)
    )
    parts = []

    def split(done: Delayed) -> Delayed:
        # Two keys, so that the region can go when it has been merged.
        parts.append(item(done, 1))
        return item(done, 0)

    def region(at: tuple[int, ...]) -> Delayed:
        return split(task_of_tile(blocks[at], box_of(chunked.chunks, at), sweep, place))

    def union(first: Delayed, second: Delayed, axis: int) -> Delayed:
        return split(task_of_union(first, second, axis, sweep, place))

    whole = divided(chunked.numblocks, region, union)
    return parts, delayed(_ends, pure=False)(whole)


def counts_of_chunks(
    image: Any, sweep: Sweep, tile: int | None
) -> tuple[NDArray[np.int64], int]:
    """Return the counts of features and, in 3D, the Euler number of a `dask.array` of bool."""
    parts, ends = noted(image, sweep, tile, None)
    counts = [delayed(_count, pure=False)(part, sweep) for part in parts]
    numbers = []
    if image.ndim == 3:
        chunked = _with_fit_chunks(image, tile)
        for at in np.ndindex(chunked.numblocks):
            box = box_of(chunked.chunks, at)
            layered = chunked[tuple(slice(*extent) for extent in with_layer_before(box))]
            numbers.append(delayed(euler_number_of_tile, pure=False)(layered, box, sweep))
    found, euler, _ = dask.compute(counts, numbers, ends)
    return np.sum(found, axis=0), sum(euler)


def _with_fit_chunks(image: Any, tile: int | None) -> Any:
    """Return an image whose chunks are tiles: none empty, none tiny without need."""
    if tile is not None:
        return image.rechunk(tile_side(tile, image.shape))
    chunks = tuple(tuple(n for n in lengths if n) for lengths in image.chunks)
    if image.ndim == 2:
        chunks = tuple(_put_together(lengths) for lengths in chunks)
    return image if chunks == image.chunks else image.rechunk(chunks)


def _put_together(lengths: tuple[int, ...]) -> tuple[int, ...]:
    """Put neighbouring chunks together until none is small.

    Examples
    --------
    >>> _put_together((300, 300, 300, 1000))
    (600, 1300)
    """
    found: list[int] = []
    for n in lengths:
        if found and (found[-1] < SMALL_CHUNK):
            found[-1] += n
        else:
            found.append(n)
    if len(found) > 1 and found[-1] < SMALL_CHUNK:
        found[-2:] = [found[-2] + found[-1]]
    return tuple(found)


# ---- the tasks -----------------------------------------------------------------------------


def _tile(
    values: NDArray, box: tuple[tuple[int, int], ...], sweep: Sweep, folder: str | None
) -> tuple[Region, Part]:
    values = np.asarray(values).astype(sweep.dtype, copy=False)
    region, points = region_in_pieces(values, [start for start, _ in box], sweep)
    return region, _kept(part_name("tile", box), points, sweep, folder)


def _union(
    first: Region, second: Region, axis: int, sweep: Sweep, folder: str | None
) -> tuple[Region, Part]:
    region, points = merged(first, second, axis, sweep)
    return region, _kept(part_name("seam", region.box), points, sweep, folder)


def _kept(name: str, points: Points, sweep: Sweep, folder: str | None) -> Part:
    """Write points if they are to be written, and return the others."""
    if folder is None:
        return name, 0, points
    known, unknown = without_unknown(points, sweep)
    written = 0
    if known.dim.size:
        written = write_part(Path(folder), name, diagram_of(known, None, sweep))
    return name, written, unknown


def _count(part: Part, sweep: Sweep) -> NDArray[np.int64]:
    return count_of(part[2], sweep)


def _item(done: tuple, which: int) -> Any:
    return done[which]


def _ends(region: Region) -> tuple[Any, Any]:
    return region.ends
