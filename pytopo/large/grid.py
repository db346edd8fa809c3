"""The grid of tiles: regions are merged two by two until one is left.

0 1 2 3 | 4 5 6 7        halves of halves, along the longer side: a region is merged a
0 1 | 2 3                logarithmic number of times, and a plain loop holds one tile and
0 | 1                    a logarithmic number of regions at a time
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

R = TypeVar("R")


def divided(
    counts: Sequence[int],
    tile: Callable[[tuple[int, ...]], R],
    merge: Callable[[R, R, int], R],
) -> R:
    """Merge a grid of tiles two by two.

    Parameters
    ----------
    counts : sequence of int
        Tiles along each axis.
    tile : function
        From the place of a tile in the grid to its region.
    merge : function
        From two regions, the second behind the first along an axis, to their union.

    Examples
    --------
    >>> divided((1, 3), lambda at: str(at[1]), lambda a, b, axis: f"({a}{b})")
    '(0(12))'
    """

    return _region_of(tuple((0, n) for n in counts), tile, merge)


def _region_of(
    box: tuple[tuple[int, int], ...],
    tile: Callable[[tuple[int, ...]], R],
    merge: Callable[[R, R, int], R],
) -> R:
    # No function inside `divided`: one that calls itself would keep alive what it has seen.
    extents = [stop - start for start, stop in box]
    axis = extents.index(max(extents))
    if extents[axis] == 1:
        return tile(tuple(start for start, _ in box))
    start, stop = box[axis]
    middle = (start + stop) // 2
    first = _region_of((*box[:axis], (start, middle), *box[axis + 1 :]), tile, merge)
    second = _region_of((*box[:axis], (middle, stop), *box[axis + 1 :]), tile, merge)
    return merge(first, second, axis)
