"""The regions of the features that are persistent enough, as the polygons that Bokeh draws.

Points above the cut -> labels of each dimension -> outlines -> columns xs, ys, by section

A page holds the regions of one cut, the one at which it starts.  The component that never dies
has none in a page: it is what the others leave of the image.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytopo.features import labels_of, outlines
from pytopo.html.cuts import Cuts
from pytopo.html.points import Points

MOST_CORNERS = 2**18  # of outlines in a page: 3 MB


@dataclass(eq=False)
class _Region:
    """The polygons of one feature in one section, in the coordinates of the figure."""

    section: int
    row: int
    xs: list[list[list[float]]]
    ys: list[list[list[float]]]

    @property
    def corners(self) -> int:
        return sum(len(ring) for polygon in self.xs for ring in polygon)


@dataclass(frozen=True, eq=False)
class Regions:
    """What a page paints, at rest and under the pointer.

    Attributes
    ----------
    least : float
        Features have a region from this persistence on.
    number : int
        Features with a region in the page.
    left_out : int
        Those without, because the page would be too large.
    sections : list of dict
        For each section of a volume, or for the image: lists ``rows``, rows of the page, and
        ``xs`` and ``ys``, polygons with holes, whose corners lie at halves.
    """

    least: float
    number: int
    left_out: int
    sections: list[dict[str, list]] = field(default_factory=list)


def regions_of(image: NDArray, points: Points, cuts: Cuts) -> Regions | None:
    """Return the regions of the points that a page shows at first.

    Parameters
    ----------
    image : (W,), (H, W) or (D, H, W) ndarray
        The image of the diagram, ordered as it was there.
    points : Points
    cuts : Cuts

    Returns
    -------
    regions : Regions or None
        None of an image of one axis, which is drawn as a curve.

    Raises
    ------
    ValueError
        If the diagram is not one of this image.
    """
    if image.ndim == 1:
        return None
    depth = image.shape[0] if image.ndim == 3 else 1
    found = _found(image, points, cuts.least)
    corners: Counter[int] = Counter()
    for region in found:
        corners[region.row] += region.corners
    kept = _fitting(corners)
    sections: list[dict[str, list]] = [{"rows": [], "xs": [], "ys": []} for _ in range(depth)]
    for region in found:
        if region.row in kept:
            columns = sections[region.section]
            columns["rows"].append(region.row)
            columns["xs"].append(region.xs)
            columns["ys"].append(region.ys)
    return Regions(cuts.least, len(kept), len(corners) - len(kept), sections)


def _fitting(corners: dict[int, int]) -> set[int]:
    """Return the rows whose outlines fit into a page, the most persistent first.

    Examples
    --------
    >>> sorted(_fitting({1: 2**18 - 50, 2: 100, 3: 30}))
    [1, 3]
    """
    kept, room = set(), MOST_CORNERS
    for row, number in sorted(corners.items()):
        if number <= room:
            kept.add(row)
            room -= number
    return kept


def _found(image: NDArray, points: Points, least: float) -> list[_Region]:
    """Return the regions of all features of at least a persistence, but the essential one."""
    diagram = points.diagram
    row_of = np.full(len(diagram), -1)
    row_of[points.rows] = np.arange(points.rows.size)
    found = []
    for dim in sorted({0, image.ndim - 1} & set(diagram.dims)):
        labels = labels_of(image, diagram.select(dim, least))
        chosen = np.flatnonzero((diagram.dim == dim) & (diagram.persistence >= least))
        for section, of_section in enumerate(labels.reshape(-1, *image.shape[-2:])):
            for label, polygons in outlines(of_section).items():
                row = chosen[label - 1]
                if not diagram.essential[row]:
                    xs, ys = (_coordinates(polygons, axis) for axis in (0, 1))
                    found.append(_Region(section, int(row_of[row]), xs, ys))
    return found


def _coordinates(polygons: list[Any], axis: int) -> list[list[list[float]]]:
    """Return x or y of polygons in the figure, where centres of pixels are at integers."""
    return [[(ring[:-1, axis] - 0.5).tolist() for ring in polygon] for polygon in polygons]
