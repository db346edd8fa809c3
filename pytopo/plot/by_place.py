"""Which features of two images are in the same place, over one of the images."""

from dataclasses import dataclass
from itertools import compress
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from numpy.typing import ArrayLike, NDArray

from pytopo.diagram import Diagram
from pytopo.options import flag, whole_number
from pytopo.plot.areas import (
    area_handle,
    draw_seeds,
    label_images,
    paint,
    seeds_of,
    seeds_seen,
)
from pytopo.plot.images import checked_section, draw_pixels, marks_of
from pytopo.plot.legend import OUTLINE, feature_name, given_or_new, legend_below, mark_handle
from pytopo.plot.marks import some_of
from pytopo.plot.outlines import TINTS
from pytopo.plot.span import span_of

if TYPE_CHECKING:
    from pytopo.matching.by_place import BettiMatching

MARKERS = ("o", "s", "^")  # by dimension, because colours are those of the pairs


def betti_matching(
    image: ArrayLike,
    matching: "BettiMatching",
    ax: Axes | None = None,
    *,
    second: bool = False,
    top: int = 20,
    section: int | None = None,
) -> Axes:
    """Draw one of two images, and over it which of its features match.

    Features that match are filled, and have the same colour in both images; features without
    match are hatched.  There are seven colours; more than seven pairs are numbered, too.  Each
    feature has a mark where it begins, a component at its birth and all others at their death,
    unless that is in the frame.  Tunnels of volumes have a mark only, and the essential
    components, which match, are left out.

    Parameters
    ----------
    image : array_like, (H, W) or (D, H, W)
        The first of the images that were matched.  Of a volume a section is drawn.
    matching : "BettiMatching"
    ax : Axes or None
        Where to draw; ``None`` for a new figure.
    second : bool
        ``image`` is the second of the images.
    top : int
        How many features to draw of either kind, the most persistent; the legend says of how
        many.
    section : int or None
        Which section of a volume, counted from 0; ``None`` for the one in the middle.

    Raises
    ------
    TypeError
        If ``top`` is not a whole number, or ``second`` is no bool.
    ValueError
        If ``top`` is negative, or the image has not the shape of those that were matched, or
        not that section.

    Examples
    --------
    Two rings, of which the second image has one:

    >>> import numpy as np, pytopo
    >>> rings = np.array([[0, 0, 0, 9, 0, 0, 0], [0, 9, 0, 9, 0, 8, 0], [0, 0, 0, 9, 0, 0, 0]])
    >>> one = rings.copy()
    >>> one[:, 4:] = 9
    >>> m = pytopo.betti_matching(rings, one, dims=1)
    >>> ax = pytopo.plot.betti_matching(rings, m)
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['holes (dim 1)', 'matched: 1', 'not matched: 1']
    """
    top = whole_number(top, "top")
    side = int(flag(second, "second"))
    diagram = (matching.first, matching.second)[side]
    values, section = checked_section(np.asarray(image), diagram, section, "image")
    if values.ndim == 1:
        raise ValueError(f"image has shape {values.shape}; expected (H, W) or (D, H, W)")
    ax = given_or_new(ax)
    if section is not None:
        ax.set_title(f"section {section} of {diagram.shape[0]}")
    marks = marks_of(diagram, section, draw_pixels(ax, values, span_of(values)))
    chosen = _chosen(matching, side, seeds_seen(marks), top)
    colours = [TINTS[(number - 1) % len(TINTS)] for number in chosen.numbers]
    black = ["black"] * len(chosen.single)
    for rows, tints in ((chosen.matched, colours), (chosen.single, black)):
        # What has no match lies over what has, and takes no pixels from it.
        for labels in label_images(np.asarray(image), diagram, rows, matching.pairs[:, side]):
            seen = labels if section is None else labels[section]
            paint(ax, seen, tints, hatched=tints is black, ground=0.5)
    rows = np.concatenate([chosen.matched, chosen.single])
    for dim in diagram.dims:
        of_dim = diagram.dim[rows] == dim
        tints = list(compress(colours + black, of_dim))
        draw_seeds(ax, marks, rows[of_dim], MARKERS[dim], tints)
    if len(chosen.matched) > len(TINTS):
        _number(ax, seeds_of(marks, chosen.matched), chosen.numbers)
    handles = _handles(diagram, rows, chosen)
    if handles:
        legend_below(ax, handles, columns=2 if len(handles) > 3 else len(handles))
    return ax


@dataclass(frozen=True)
class _Chosen:
    """Which features of an image are drawn, the most persistent first.

    Attributes
    ----------
    matched, single : (k,) and (m,) int64
        Rows of those that have a match, and of those that have none.
    numbers : list of int
        Of the pairs, from 1; the same for both images.
    counts : (str, str)
        How many those are, and of how many.
    """

    matched: NDArray[np.int64]
    single: NDArray[np.int64]
    numbers: list[int]
    counts: tuple[str, str]


def _chosen(matching: "BettiMatching", side: int, seen: NDArray[np.bool_], top: int) -> _Chosen:
    """Choose features of one image that begin in the picture."""
    diagram = (matching.first, matching.second)[side]
    alone = (matching.first_only, matching.second_only)[side]
    order, number = _pairs_by_persistence(matching)
    pairs = order[seen[matching.pairs[order, side]]]
    single = alone[seen[alone]]
    single = single[np.argsort(-diagram.persistence[single], kind="stable")]
    return _Chosen(
        matching.pairs[pairs[:top], side],
        single[:top],
        number[pairs[:top]].tolist(),
        (some_of(pairs[:top], pairs), some_of(single[:top], single)),
    )


def _handles(diagram: Diagram, rows: NDArray[np.int64], chosen: _Chosen) -> list[Artist]:
    """Return the entries of the legend."""
    handles: list[Artist] = [
        mark_handle("0.3", feature_name(dim, diagram), MARKERS[dim])
        for dim in diagram.dims
        if dim in diagram.dim[rows]
    ]
    matched, single = chosen.counts
    if len(chosen.matched):
        handles.append(area_handle("0.3", f"matched: {matched}"))
    if len(chosen.single):
        handles.append(area_handle("black", f"not matched: {single}", hatched=True))
    return handles


def _pairs_by_persistence(
    matching: "BettiMatching",
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the order of the pairs, the most persistent first, and the number of each, from 1.

    The essential components are not in that order: they are everywhere.
    """
    first, second = matching.first, matching.second
    i, j = matching.pairs.T
    order = np.argsort(-(first.persistence[i] + second.persistence[j]), kind="stable")
    order = order[~first.essential[i[order]]]
    number = np.zeros(len(i), np.int64)
    number[order] = 1 + np.arange(len(order))
    return order, number


def _number(ax: Axes, places: NDArray, numbers: list[int]) -> None:
    """Write the numbers of pairs beside the marks of their features."""
    for place, number in zip(places, numbers):
        ax.annotate(
            str(number), place, (3, 3), textcoords="offset points", fontsize=7,
            path_effects=OUTLINE, zorder=5,
        )  # fmt: skip
