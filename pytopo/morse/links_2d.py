"""How the neighbours of a pixel are connected: the one table of the fast algorithm in 2D.

The neighbours of a pixel that are there already form arcs around it.  Directions are
numbered around the pixel, and a set of neighbours is one byte, bit d for direction d:

        5 6 7
        4 p 0        even: side neighbours      odd: corner neighbours
        3 2 1        0 to 3: larger index       4 to 7: smaller index

Which neighbours are connected depends on the connectivity of what they belong to:

    through sides                         through sides and corners
        # # .    one arc: the sides are       . # .    one arc: the sides touch at the
        # p .    linked by the corner         # p .    corner point, whether or not the
        . . .    between them                 . . .    corner pixel is there

        . # .    two arcs                     # . .    two arcs: corners count as
        # p .                                 . p .    neighbours too
        . . .                                 . . #

`docs/lesson-6-fast-2d.md` shows what follows from the number of arcs.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

# Columns of the table.
COUNT, TOWARD, MEMBER = 0, 1, 2


@cache
def arc_table(corners: bool) -> NDArray[np.uint8]:
    """Tabulate the arcs of all 256 sets of neighbours.

    Parameters
    ----------
    corners : bool
        Whether neighbours are connected through corners too, or through sides only.

    Returns
    -------
    table : (256, 6) uint8
        For each set: the number of arcs, 0 to 4; the direction to follow to get to one of
        the neighbours; one direction in each arc.

    Examples
    --------
    Right, below and the corner between them, and left on its own:

    >>> arc_table(corners=False)[0b00010111].tolist()
    [2, 2, 2, 4, 0, 0]
    """
    table = np.zeros((256, 6), np.uint8)
    for there in range(256):
        runs = _runs([_is_member(there, d, corners) for d in range(8)])
        if runs:
            table[there, COUNT] = len(runs)
            table[there, TOWARD] = _middle(max(runs, key=len), there)
            for k, run in enumerate(runs):
                table[there, MEMBER + k] = _middle(run, there)
    return table


def _is_member(there: int, d: int, corners: bool) -> bool:
    """Return whether direction ``d`` is part of an arc, as a neighbour or as a link."""
    present = bool(there >> d & 1)
    # Odd directions, the corners, lie between two sides.
    if d % 2 == 0:
        return present
    links = bool(there >> (d - 1) & 1 and there >> (d + 1) % 8 & 1)
    return present or links if corners else present and links


def _runs(member: list[bool]) -> list[list[int]]:
    """Return the maximal runs of members around the circle of eight directions."""
    if all(member):
        return [list(range(8))]
    starts = [d for d in range(8) if member[d] and not member[d - 1]]
    runs = []
    for d in starts:
        run = []
        while member[d % 8]:
            run.append(d % 8)
            d += 1
        runs.append(run)
    return runs


def _middle(run: list[int], there: int) -> int:
    """Return the side neighbour nearest to the middle of a run, or its only corner."""
    sides = [d for d in run if d % 2 == 0]
    return sides[len(sides) // 2] if sides else run[0]
