"""The same in plain Python, to be read: components of an image of two tiles.

    part of the image --kruskal--> finished, open --glued--> finished, open ...

Slow and short, for components, one dimension of one kind of image.  `pytopo.large.tiles` and
`pytopo.large.gluing` are what runs, for holes, voids, frames and all dtypes.
"""

from collections.abc import Iterable, Mapping
from itertools import product

import numpy as np
from numpy.typing import NDArray

Pixel = tuple[int, int]
Age = tuple[float, Pixel]  # by value, then by place
Triplet = tuple[Age, Age, Age]  # younger, death, elder
Pair = tuple[Pixel, Pixel]  # birth, death


def kruskal(
    triplets: Iterable[Triplet], met: Iterable[Age]
) -> tuple[list[Pair], list[Triplet]]:
    """Merge components, and separate what is finished from what stays open.

    Parameters
    ----------
    triplets : iterable of (Age, Age, Age)
        Two nodes, first and last, that are connected from the age between them on.
    met : iterable of Age
        Nodes whose components are not known in full: other parts contain them too.

    Returns
    -------
    finished : list of (Pixel, Pixel)
        Where components are born and die, whatever the rest of the image is like; those that
        die where they are born are left out.
    open : list of (Age, Age, Age)
        Triplets that connect, together with those of other parts, what these connect.

    Examples
    --------
    A row 1 5 2 7 0 whose last pixel lies on a shared side.  The component of 2 dies at 5, of 1
    it is not known: beyond the side its elder may still be found.

    >>> a, b, c = (1, (0, 0)), (2, (0, 2)), (0, (0, 4))
    >>> finished, still_open = kruskal([(a, (5, (0, 1)), b), (b, (7, (0, 3)), c)], met=[c])
    >>> finished
    [((0, 2), (0, 1)), ((0, 0), (0, 3))]
    >>> kruskal([(a, (5, (0, 1)), b), (b, (7, (0, 3)), c)], met=[a, c])[1]
    [((1, (0, 0)), (7, (0, 3)), (0, (0, 4)))]
    """
    root: dict[Age, Age] = {}

    def find(node: Age) -> Age:
        while root.setdefault(node, node) != node:
            node = root[node]
        return node

    unknown = set(met)
    finished, still_open = [], []
    for one, death, other in sorted(triplets, key=lambda triplet: triplet[1]):
        elder, younger = sorted([find(one), find(other)])
        if elder == younger:
            continue
        root[younger] = elder
        if younger not in unknown:
            if younger != death:
                finished.append((younger[1], death[1]))
        else:
            unknown.add(elder)
            still_open.append((younger, death, elder))
    return finished, still_open


def edges(image: NDArray, part: Iterable[Pixel], construction: str = "V") -> list[Triplet]:
    """Return the edges between neighbouring pixels of a part of an image, as triplets.

    Every pixel is a node; an edge is there from the age of its later pixel on.

    Parameters
    ----------
    image : (H, W) ndarray
    part : iterable of (row, column)
    construction : {"V", "T"}
        Whether pixels are neighbours over sides, or over corners as well.

    Examples
    --------
    >>> edges(np.array([[4, 2]]), [(0, 0), (0, 1)])
    [((4, (0, 0)), (4, (0, 0)), (2, (0, 1)))]
    """
    age: Mapping[Pixel, Age] = {p: (image[p].item(), p) for p in part}
    steps = [(0, 1), (1, 0)] + [(1, -1), (1, 1)] * (construction == "T")
    found = []
    for (i, j), (di, dj) in product(age, steps):
        neighbour = i + di, j + dj
        if neighbour in age:
            one, other = age[i, j], age[neighbour]
            found.append((one, max(one, other), other))
    return found


def components_by_two_tiles(
    image: NDArray, column: int, construction: str = "V"
) -> tuple[list[Pair], Age]:
    """Return the components of an image that is cut in front of a column.

    Returns
    -------
    pairs : list of (Pixel, Pixel)
        Birth and death pixel, sorted.
    eldest : Age
        The component that never dies.

    Examples
    --------
    >>> pairs, eldest = components_by_two_tiles(np.array([[1, 5, 2, 7, 0]]), column=3)
    >>> pairs
    [((0, 0), (0, 3)), ((0, 2), (0, 1))]
    >>> eldest
    (0, (0, 4))
    """
    height, width = image.shape
    rows = range(height)
    left, right = list(product(rows, range(column))), list(product(rows, range(column, width)))
    seam = list(product(rows, (column - 1, column)))
    shared = [(image[p].item(), p) for p in seam]  # pixels of the seam are met by both tiles
    pairs, triplets = [], []
    for part in (left, right, seam):
        finished, still_open = kruskal(edges(image, part, construction), shared)
        pairs += finished
        triplets += still_open
    finished, _ = kruskal(triplets, met=[])
    return sorted(pairs + finished), min(
        (value.item(), p) for p, value in np.ndenumerate(image)
    )
