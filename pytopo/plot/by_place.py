"""Which features of two images are in the same place, over one of the images."""

from collections.abc import Sequence
from itertools import compress
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from numpy.typing import ArrayLike, NDArray

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
from pytopo.plot.marks import Marks, some_of
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
    unless that is in the frame.  Tunnels of volumes have a mark only, and the essential components, which
    match, are left out.

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
    diagram = matching.second if side else matching.first
    alone = matching.second_only if side else matching.first_only
    values, section = checked_section(np.asarray(image), diagram, section, "image")
    if values.ndim == 1:
        raise ValueError(f"image has shape {values.shape}; expected (H, W) or (D, H, W)")
    ax = given_or_new(ax)
    if section is not None:
        ax.set_title(f"section {section} of {diagram.shape[0]}")
    marks = marks_of(diagram, section, draw_pixels(ax, values, span_of(values)))
    begins = seeds_seen(marks)

    order, numbers = _pairs_by_persistence(matching)
    pairs = order[begins[matching.pairs[order, side]]]
    matched = matching.pairs[pairs, side]
    single = alone[begins[alone]]
    single = single[np.argsort(-diagram.persistence[single], kind="stable")]
    shown, left = matched[:top], single[:top]
    colours = [TINTS[(numbers[i] - 1) % len(TINTS)] for i in pairs[:top].tolist()]
    colours += ["black"] * len(left)

    rows = np.concatenate([shown, left])
    for labels in label_images(np.asarray(image), diagram, rows, matching.pairs[:, side]):
        part = labels if section is None else labels[section]
        paint(ax, np.where(part <= len(shown), part, 0), colours)
        paint(ax, np.where(part > len(shown), part, 0), colours, hatched=True)
    if len(shown) > len(TINTS):
        _number(ax, marks, shown, [numbers[i] for i in pairs[:top].tolist()])
    for dim in diagram.dims:
        of_dim = diagram.dim[rows] == dim
        draw_seeds(ax, marks, rows[of_dim], MARKERS[dim], list(compress(colours, of_dim)))
    handles: list[Artist] = [
        mark_handle("0.3", feature_name(dim, diagram), MARKERS[dim])
        for dim in diagram.dims
        if dim in diagram.dim[rows]
    ]
    if len(matched):
        handles.append(area_handle("0.3", f"matched: {some_of(shown, matched)}"))
    if len(single):
        text = f"not matched: {some_of(left, single)}"
        handles.append(area_handle("black", text, hatched=True))
    if handles:
        legend_below(ax, handles, columns=2 if len(handles) > 3 else len(handles))
    return ax


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


def _number(ax: Axes, marks: Marks, rows: NDArray[np.int64], numbers: Sequence[int]) -> None:
    """Write the numbers of pairs beside the marks of their features."""
    places = seeds_of(marks, rows)
    for place, number in zip(places, numbers):
        ax.annotate(
            str(number), place, (3, 3), textcoords="offset points", fontsize=7,
            path_effects=OUTLINE, zorder=5, annotation_clip=True,
        )  # fmt: skip
