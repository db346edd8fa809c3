"""A plain loop over the tiles of an image that need not fit into memory.

    source[0:2048, 0:2048]  -> region, points  \\
    source[0:2048, 2048:]   -> region, points  /  -> region, points   ...   -> Diagram, or parts
                                                                               in a folder

One tile is in memory at a time, and of the others their regions, of which there are as many as
the grid of tiles has levels.  A `dask.array` goes through the same recursion, noted as tasks:
`pytopo.large.tasks`.
"""

import math
from collections.abc import Callable, Iterable
from itertools import accumulate
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytopo.diagram import Diagram
from pytopo.images.readers.memory import free_memory
from pytopo.large.ages import EARLIEST, Box, Points, Sweep, joined, settled
from pytopo.large.gluing import merged
from pytopo.large.grid import divided
from pytopo.large.parts import DiagramParts, open_parts, rows_in_order, write_index, write_part
from pytopo.large.pieces import region_in_pieces
from pytopo.large.tiles import Region
from pytopo.options import at_least, checked_construction, flag, integers, whole_number
from pytopo.order import FRAME, frame_value

TILE = 2048  # pixels along each axis of an image
TILE_3D = 160  # about as many voxels
MOST_TILES = 10**7
CHECKED = 2**22  # points that arrive between two looks at the memory that is left
SORTED = 80  # bytes that a point takes to be put in order, beside its own


def sweep_tiles(
    source: Any,
    sweep: Sweep,
    tile: int | None,
    take: Callable[[str, Points], None],
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Any, Any]:
    """Go through the tiles of a source, one at a time.

    Parameters
    ----------
    source, sweep, tile, progress
        As of `pytopo.large.persistence`.
    take : function
        Called with the points that each tile and each union finish, and a name for them.

    Returns
    -------
    ends : tuple of 2 numbers
        Values of the earliest and of the latest pixel.
    """
    side = tile_side(tile, sweep.shape)
    chunks = tuple(chunk_lengths(n, side) for n in sweep.shape)
    done, count = 0, math.prod(map(len, chunks))

    def region(at: tuple[int, ...]) -> Region:
        nonlocal done
        box = box_of(chunks, at)
        values = read_box(source, box, sweep)
        found, points = region_in_pieces(values, [start for start, _ in box], sweep)
        take(part_name("tile", box), points)
        done += 1
        if progress:
            progress(done, count)
        return found

    def union(first: Region, second: Region, axis: int) -> Region:
        found, points = merged(first, second, axis, sweep)
        take(part_name("seam", found.box), points)
        return found

    return divided([len(lengths) for lengths in chunks], region, union).ends


def read_box(source: Any, box: Box, sweep: Sweep) -> NDArray:
    """Read a box of pixels.

    Raises
    ------
    ValueError
        If what comes has another shape: the source is not what it says.
    """
    values = np.asarray(source[tuple(slice(*extent) for extent in box)])
    shape = tuple(stop - start for start, stop in box)
    if values.shape != shape:
        raise ValueError(f"source returned shape {values.shape} for a box of shape {shape}")
    return values.astype(sweep.dtype, copy=False)


# ---- options -------------------------------------------------------------------------------


def checked_sweep(
    source: Any,
    dims: int | Iterable[int] | None,
    superlevel: bool,
    construction: str,
    frame: float | bool | None,
    min_persistence: float,
) -> Sweep:
    """Return the options of a sweep, checked; errors as `pytopo.large.persistence`."""
    if not hasattr(source, "shape") or not hasattr(source, "dtype"):
        source = np.asarray(source)
    shape, dtype = tuple(source.shape), np.dtype(source.dtype)
    if len(shape) not in (2, 3):
        raise ValueError(
            f"source has shape {shape}, {len(shape)} axes; expected (H, W) or (D, H, W)"
        )
    if any(n != n for n in shape):  # NaN: Dask's word for unknown
        raise ValueError(
            f"source has shape {shape}; expected known sizes, as after "
            "source.compute_chunk_sizes()"
        )
    if min(shape) < 1:
        raise ValueError(f"source has shape {shape}; expected sizes of at least 1")
    if dtype.kind not in "biuf" or dtype.itemsize > 8:
        raise TypeError(
            f"source has dtype {dtype}; expected booleans, integers or floats of up to 64 bits"
        )
    flag(superlevel, "superlevel")
    checked_construction(construction)
    around: Any = EARLIEST
    if not isinstance(frame, (bool, np.bool_)) or not frame:
        around = frame_value(np.empty(0, dtype), frame, superlevel)
    return Sweep(
        tuple(int(n) for n in shape),
        dtype.newbyteorder("="),
        _checked_dims(dims, len(shape)),
        bool(superlevel),
        construction,
        around,
        at_least(min_persistence, "min_persistence", 0),
    )


def _checked_dims(dims: int | Iterable[int] | None, ndim: int) -> tuple[int, ...]:
    possible = (0, ndim - 1)
    if dims is None:
        return possible
    found = integers(dims)
    if not found or not set(found) <= set(possible):
        tunnels = (
            " (tunnels need the whole volume; their number at a threshold is what "
            "pytopo.large.betti_numbers returns)"
        )
        raise ValueError(
            f"dims is {dims!r}; expected some of {possible} for {ndim} axes"
            + (tunnels if ndim == 3 else "")
        )
    return tuple(sorted(set(found)))


def tile_side(tile: int | None, shape: tuple[int, ...]) -> int:
    """Return the side of tiles, checked."""
    side = TILE if len(shape) == 2 else TILE_3D
    if tile is not None:
        side = whole_number(tile, "tile", 1)
    if side ** len(shape) >= 2**30:
        raise ValueError(f"tile is {tile}; expected tiles of less than 2^30 pixels")
    count = math.prod(-(-n // side) for n in shape)
    if count > MOST_TILES:
        raise ValueError(
            f"shape {shape} makes {count} tiles of {side} pixels a side; expected at most "
            f"{MOST_TILES}, by larger tiles"
        )
    return side


def chunk_lengths(n: int, side: int) -> tuple[int, ...]:
    """Divide an axis into tiles of a side; the last one may be shorter.

    Examples
    --------
    >>> chunk_lengths(10, 4)
    (4, 4, 2)
    """
    return (side,) * (n // side) + ((n % side,) if n % side else ())


def box_of(chunks: tuple[tuple[int, ...], ...], at: tuple[int, ...]) -> Box:
    """Return where the tile of a place in the grid lies."""
    starts = [list(accumulate(lengths, initial=0)) for lengths in chunks]
    return tuple((s[i], s[i + 1]) for s, i in zip(starts, at))


def part_name(kind: str, box: Box) -> str:
    """Return the name of the file of the points that a box finishes."""
    return "-".join([kind, *(f"{start}_{stop}" for start, stop in box)]) + ".npz"


# ---- results -------------------------------------------------------------------------------


class Collector:
    """Takes the points of tiles and unions, in memory or in a folder.

    Parameters
    ----------
    sweep : Sweep
    folder : path-like or None
        New or empty; the parts are written there.
    """

    def __init__(self, sweep: Sweep, folder: str | PathLike[str] | None) -> None:
        self._sweep = sweep
        self.folder = None if folder is None else new_folder(folder)
        self._parts: list[Points] = []
        self._counts: dict[str, int] = {}
        self._held = self._checked = 0

    def take(self, name: str, points: Points) -> None:
        """Take some points, of a part with a name of its own."""
        if self.folder is None:
            self.note(name, 0, points)
            return
        known, unknown = without_unknown(points, self._sweep)
        written = 0
        if known.dim.size:
            written = write_part(self.folder, name, diagram_of(known, None, self._sweep))
        self.note(name, written, unknown)

    def note(self, name: str, written: int, points: Points) -> None:
        """Take note of a part that has been written, and take the points that have not."""
        if written:
            self._counts[name] = written
        self._parts.append(points)
        self._held += points.dim.size
        if self._held - self._checked >= CHECKED:
            self._checked = self._held
            self._refuse_too_many()

    def _refuse_too_many(self) -> None:
        """Stop before the system does, which would end the process without a word."""
        needed, free = self._held * SORTED, free_memory()
        if needed > free:
            raise MemoryError(
                f"{self._held:,} points so far take {needed / 1e9:.1f} GB more to be put in "
                f"order, and {free / 1e9:.1f} GB are left; write them to a folder, or leave "
                "out those of little persistence by min_persistence"
            )

    def finished(self, ends: tuple[Any, Any]) -> Diagram | DiagramParts:
        """Return everything, once the values of the earliest and latest pixel are known."""
        rest = [settled(part, ends, self._sweep) for part in self._parts]
        columns = rows_in_order(rest, math.prod(self._sweep.shape))
        whole = diagram_of(Points(*columns), ends, self._sweep)
        if self.folder is None:
            return whole
        missing = [name for name in self._counts if not (self.folder / name).exists()]
        if missing:
            raise FileNotFoundError(
                f"{self.folder}: {len(missing)} of {len(self._counts)} parts are not here, "
                f"like {missing[0]}; workers on other machines need a folder that all share"
            )
        self._counts["rest.npz"] = write_part(self.folder, "rest.npz", whole)
        write_index(self.folder, dict(sorted(self._counts.items())), whole.frame)
        return open_parts(self.folder)


def new_folder(folder: str | PathLike[str]) -> Path:
    """Create a folder for parts.

    Raises
    ------
    ValueError
        If there is something in it.
    """
    path = Path(folder)
    path.mkdir(parents=True, exist_ok=True)
    if any(path.iterdir()):
        raise ValueError(f"{path}: not empty; expected a new folder for the parts")
    return path


def without_unknown(points: Points, sweep: Sweep) -> tuple[Points, Points]:
    """Separate points whose values no tile knows: in a frame of the earliest value."""
    if not isinstance(sweep.frame, str):
        return points, joined([], sweep)
    waits = (points.birth_pixel == FRAME) | (points.death_pixel == FRAME)
    return points.some(~waits), points.some(waits)


def diagram_of(points: Points, ends: tuple[Any, Any] | None, sweep: Sweep) -> Diagram:
    """Return points as a diagram of the whole image.

    A frame of the earliest value has no value yet without ``ends``, and no point lies there.
    """
    frame = sweep.frame
    if isinstance(frame, str):
        frame = None if ends is None else points.birth.dtype.type(ends[0])
    return Diagram(
        *points,
        shape=sweep.shape,
        superlevel=sweep.superlevel,
        construction=sweep.construction,
        frame=None if frame is None else float(frame),
        dims=sweep.dims,
    )
