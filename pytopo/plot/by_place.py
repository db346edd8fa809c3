"""Which features of two images are in the same place, over one of the images."""

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from pytopo.options import flag, whole_number
from pytopo.plot.images import checked_section, draw_pixels, marks_of
from pytopo.plot.legend import given_or_new, legend_below, mark_handle
from pytopo.plot.marks import dimension_handles
from pytopo.plot.span import span_of

if TYPE_CHECKING:
    from pytopo.matching.by_place import BettiMatching


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

    Discs and triangles are births and deaths of features that match, crosses those of
    features that do not.  Birth and death are joined by a line; what happens in the frame is
    not marked.

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
        How many features to mark of either kind, the most persistent; the legend says of how
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
    shown, handles = [], []
    for rows, markers, name in (
        (matching.pairs[:, side], ("o", "^"), "matched"),
        (alone, ("X", "X"), "not matched"),
    ):
        seen = rows[marks.seen[rows]]
        drawn = seen[np.argsort(-diagram.persistence[seen], kind="stable")][:top]
        marks.draw(ax, drawn, markers)
        shown.append(drawn)
        if len(seen):
            count = f"{len(drawn)} of {len(seen)}" if len(drawn) < len(seen) else len(seen)
            handles.append(mark_handle("0.3", f"{name}: {count}", markers[0]))
    handles = [*dimension_handles(diagram, np.concatenate(shown)), *handles]
    if handles:
        legend_below(ax, handles, columns=len(handles))
    return ax
