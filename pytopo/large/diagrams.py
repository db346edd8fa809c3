"""``persistence`` of an image that need not fit into memory, by the loop or by Dask."""

from collections.abc import Callable, Iterable
from os import PathLike
from typing import Any

from pytopo.diagram import Diagram
from pytopo.large.loop import Collector, checked_sweep, sweep_tiles
from pytopo.large.parts import DiagramParts, discard


def persistence(
    source: Any,
    dims: int | Iterable[int] | None = None,
    *,
    superlevel: bool = False,
    construction: str = "V",
    frame: float | bool | None = None,
    min_persistence: float = 0.0,
    tile: int | None = None,
    folder: str | PathLike[str] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Diagram | DiagramParts:
    """Compute the persistence diagram of an image that may be larger than memory.

    The same points as `pytopo.persistence`, pixel for pixel.

    Parameters
    ----------
    source : array_like, (H, W) or (D, H, W)
        Anything with ``shape``, ``dtype`` and slices: an array, a memory map, an HDF5 data
        set, a zarr array.  Of a `dask.array` the chunks are the tiles, and its scheduler does
        the work (extra ``dask``).
    dims : int, iterable of int or None
        0, components; and the number of axes - 1, holes of an image and voids of a volume.
        ``None`` for both.  Tunnels need the whole volume: `pytopo.persistence`.
    superlevel, construction, frame, min_persistence
        As in `pytopo.persistence`.
    tile : int or None
        Pixels along each side of a tile; by default 2048, in volumes 160.
    folder : path-like or None
        Write the points to parts in this folder, which must be new or empty, instead of
        keeping them in memory.  If the work ends with an error, the folder is removed.
    progress : function or None
        Called with the number of tiles that are done and of all, after each.

    Returns
    -------
    Diagram, or DiagramParts with ``folder``

    Raises
    ------
    TypeError, ValueError
        As in `pytopo.persistence`; NaN is named by its pixel in the whole image.  ValueError
        also if ``dims`` has 1 for a volume, or the folder is not empty.
    MemoryError
        If there are more points than can be kept: ``folder`` helps.
    OSError
        If the source cannot be read or the folder cannot be written.

    References
    ----------
    Smirnov and Morozov (2017), "Triplet merge trees".  Morozov and Weber (2013), "Distributed
    merge trees", doi:10.1145/2442516.2442526.

    Examples
    --------
    >>> import numpy as np, pytopo, pytopo.large
    >>> image = np.random.default_rng(0).integers(0, 256, (50, 70), np.uint8)
    >>> pytopo.large.persistence(image, tile=16) == pytopo.persistence(image)
    True
    """
    sweep = checked_sweep(source, dims, superlevel, construction, frame, min_persistence)
    collector = Collector(sweep, folder)
    try:
        if hasattr(source, "__dask_graph__"):
            from pytopo.large.tasks import persistence_of_chunks

            ends = persistence_of_chunks(source, sweep, tile, collector, progress)
        else:
            ends = sweep_tiles(source, sweep, tile, collector.take, progress)
        return collector.finished(ends)
    except BaseException:
        if collector.folder is not None:
            discard(collector.folder)
        raise
