"""A large tile in pieces that fit into the cache: regions of their own, merged at once.

    +-------+-------+
    | piece | piece |
    +-------+-------+  ->  the region of the tile
    | piece | piece |
    +-------+-------+

Kruskal's algorithm accesses memory at random, in a tile of 2048 x 2048 pixels behind every
cache; in the pieces it does not, and the memory that it takes is that of one piece.
"""

from collections.abc import Sequence

from numpy.typing import NDArray

from pytopo.large.ages import Points, Sweep, joined
from pytopo.large.gluing import merged
from pytopo.large.grid import divided
from pytopo.large.tiles import Region, region_of_tile

PIECE = 1024  # pixels, about, along each side of a piece of an image; volumes stay whole


def region_in_pieces(
    values: NDArray, corner: Sequence[int], sweep: Sweep
) -> tuple[Region, Points]:
    """Return what `pytopo.large.tiles.region_of_tile` does, whose arguments these are."""
    if values.ndim == 3:
        return region_of_tile(values, corner, sweep)
    cuts = [equal_cuts(n) for n in values.shape]
    parts = []

    def piece(at: tuple[int, ...]) -> Region:
        extents = [(some[i], some[i + 1]) for some, i in zip(cuts, at)]
        where = [c + start for c, (start, _) in zip(corner, extents)]
        region, points = region_of_tile(
            values[tuple(slice(*extent) for extent in extents)], where, sweep
        )
        parts.append(points)
        return region

    def union(first: Region, second: Region, axis: int) -> Region:
        region, points = merged(first, second, axis, sweep)
        parts.append(points)
        return region

    region = divided([len(some) - 1 for some in cuts], piece, union)
    return region, parts[0] if len(parts) == 1 else joined(parts, sweep)


def equal_cuts(n: int) -> list[int]:
    """Return where pieces begin that divide a side into equal parts, and where the last ends.

    Examples
    --------
    >>> equal_cuts(1200), equal_cuts(2048)
    ([0, 1200], [0, 1024, 2048])
    """
    count = max(1, round(n / PIECE))
    return [n * k // count for k in range(count + 1)]
