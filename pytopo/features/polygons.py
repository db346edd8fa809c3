"""``outlines``: labelled regions as polygons with holes, exactly along the sides of pixels.

labels -> parts, whose pixels share sides -> directed sides -> rings -> polygons

Pixel (row r, column c) is the square from x = c, y = r to x = c + 1, y = r + 1, so corners have
whole numbers.  A region is always on the same hand of its sides, each of which ends where
the next one starts:

    (0,0)> > >(2,0)       right along the top, down on the right, left, up: in numbers the area
      ^  1   1  v         of an outer ring is positive, as GeoJSON wants it.  That is counter-
      ^  1 (1,1)<(2,1)    clockwise where y points up, and clockwise on a screen, where rows
    (0,2)<(1,2)           count down.  Holes go the other way.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

Polygon = list[NDArray[np.int64]]  # rings of corners (x, y): the outer one, then the holes

# To the pixel beyond a side, and where the side starts and ends, as (row, column): the sides
# that lead right, down, left and up.
RIGHT, DOWN, LEFT, UP = range(4)
SIDES = {
    RIGHT: ((-1, 0), (0, 0), (0, 1)),
    DOWN: ((0, 1), (0, 1), (1, 1)),
    LEFT: ((1, 0), (1, 1), (1, 0)),
    UP: ((0, -1), (1, 0), (0, 0)),
}


def outlines(labels: ArrayLike) -> dict[int, list[Polygon]]:
    """Return the outline of each labelled region, as polygons with holes.

    The polygons cover the pixels of a region exactly, and no ring touches itself: pixels that
    share only a corner are in two polygons that share that point, unless they are connected
    along sides elsewhere.  So a region is a valid multipolygon, whichever pixels the
    construction takes for neighbours.

    Parameters
    ----------
    labels : array_like of integers, (H, W)
        As from `pytopo.regions`.  What is not positive belongs to no region.

    Returns
    -------
    polygons : dict of int to list of list of (n, 2) int64
        The polygons of each label, labels ascending; of a polygon its outer ring, and then its
        holes.  A ring is a list of corners (x, y), in pixels: pixel (row r, column c) is
        the square from (c, r) to (c + 1, r + 1).  It turns at each of them, and ends where it
        started.  By the shoelace formula outer rings have a positive area and holes a
        negative one.

    Raises
    ------
    TypeError
        If labels are no integers.
    ValueError
        If there are not two axes.

    Examples
    --------
    >>> import numpy as np
    >>> found = outlines(np.array([[5, 5, 5],
    ...                            [5, 0, 5],
    ...                            [5, 5, 5]]))
    >>> [ring.tolist() for ring in found[5][0]]  # doctest: +NORMALIZE_WHITESPACE
    [[[0, 0], [3, 0], [3, 3], [0, 3], [0, 0]],
     [[1, 2], [2, 2], [2, 1], [1, 1], [1, 2]]]
    """
    found = np.asarray(labels)
    if found.dtype.kind not in "iu":
        raise TypeError(f"labels has dtype {found.dtype}; expected integers")
    if found.ndim != 2:
        raise ValueError(
            f"labels has shape {found.shape}; expected (H, W) (of a volume take a section)"
        )
    sides = _sides_of(found)
    width = found.shape[1] + 1
    following = _following(sides)
    turns = np.empty(following.size, bool)  # at the start of a side
    turns[following] = sides.direction[following] != sides.direction

    # A part comes with its topmost, leftmost side, which is one of its outer ring.
    parts: dict[int, Polygon] = {}
    label_of_part: dict[int, int] = {}
    for ring in _rings(following):
        corner = sides.start[ring[turns[ring]]]
        corner = np.append(corner, corner[0])
        part = int(sides.part[ring[0]])
        parts.setdefault(part, []).append(np.stack([corner % width, corner // width], axis=1))
        label_of_part[part] = int(sides.label[ring[0]])
    polygons: dict[int, list[Polygon]] = {label: [] for label in sorted(label_of_part.values())}
    for part, polygon in parts.items():
        polygons[label_of_part[part]].append(polygon)
    return polygons


def _parts(labels: NDArray) -> NDArray[np.int64]:
    """Number the parts of equal label whose pixels are connected along sides, (H, W)."""
    starts = np.ones(labels.shape, bool)  # of runs, within rows
    starts[:, 1:] = labels[:, 1:] != labels[:, :-1]
    run = np.cumsum(starts).reshape(labels.shape) - 1
    # Two runs touch for the first time where one of them starts.
    touch = (labels[1:] == labels[:-1]) & (starts[1:] | starts[:-1])
    above, below = run[:-1][touch], run[1:][touch]
    size = np.count_nonzero(starts)
    graph = coo_array((np.ones(above.size, bool), (above, below)), shape=(size, size))
    _, part = connected_components(graph, directed=False)
    return part.astype(np.int64)[run]


class _Sides(NamedTuple):
    """The sides of pixels at which a region ends, each directed; four arrays, (n,) each.

    Attributes
    ----------
    part, label
        Whose side it is.
    start, end
        Corners, as flat indices into a grid of H + 1 rows and W + 1 columns.
    direction
        RIGHT, DOWN, LEFT or UP.
    """

    part: NDArray[np.int64]
    label: NDArray
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    direction: NDArray[np.int64]


def _sides_of(labels: NDArray) -> _Sides:
    """Return the sides of all regions: those that lead right first, by rows."""
    height, width = labels.shape
    part = _parts(labels)
    padded = np.pad(np.where(labels > 0, part, -1), 1, constant_values=-1)
    found = []
    for direction, (beyond, start, end) in SIDES.items():
        down, right = 1 + beyond[0], 1 + beyond[1]
        other = padded[down : down + height, right : right + width]
        row, column = np.nonzero((labels > 0) & (part != other))
        ends = [(row + r) * (width + 1) + column + c for r, c in (start, end)]
        of_side = part[row, column], labels[row, column]
        found.append((*of_side, *ends, np.full(row.size, direction)))
    return _Sides(*map(np.concatenate, zip(*found)))


def _following(sides: _Sides) -> NDArray[np.int64]:
    """Return for each side the one of the same part that starts where it ends, (n,).

    Where two pixels of a part share only a corner, two sides start.  The one that turns left
    leads from pixel to pixel, and the background on either side gets rings of its own:

            | a |      down the right side of a, and on along the top of b; never back
            |___|___   around a, because a ring would come to this corner twice
                | b |
                |___|
    """
    corners = int(sides.end.max(initial=0)) + 1
    order = np.argsort(sides.part * corners + sides.start, kind="stable")
    key = (sides.part * corners + sides.start)[order]
    place = np.searchsorted(key, sides.part * corners + sides.end)
    following = order[place]
    another = np.minimum(place + 1, key.size - 1)
    second = order[another]
    is_left = sides.direction[second] == (sides.direction - 1) % 4
    take = (another > place) & (key[another] == key[place]) & is_left
    return np.where(take, second, following)


def _rings(following: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """Yield the cycles of a permutation, each from its least element, in their order."""
    then = following.tolist()
    seen = bytearray(len(then))
    for first in range(len(then)):
        ring, side = [], first
        while not seen[side]:
            seen[side] = True
            ring.append(side)
            side = then[side]
        if ring:
            yield np.array(ring)
