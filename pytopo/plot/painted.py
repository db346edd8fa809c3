"""An image, and in it the features that stand out: their pixels, painted."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.patches import Patch
from numpy.typing import ArrayLike, NDArray

from pytopo.diagram import FEATURES, Diagram
from pytopo.options import at_least, whole_number
from pytopo.plot.images import draw_pixels
from pytopo.plot.legend import (
    COLOURS,
    feature_colours,
    feature_name,
    given_or_new,
    has_own_colours,
    legend_below,
    standing_out,
)
from pytopo.plot.outlines import OPACITY, paint
from pytopo.plot.span import span_of


def features(
    image: ArrayLike,
    diagram: Diagram,
    ax: Axes | None = None,
    *,
    cut: float,
    top: int | None = None,
) -> Axes:
    """Draw an image, and paint the pixels of the features that stand out.

    Up to seven features have a colour each, more of them that of their dimension.  They have it
    in `pytopo.plot.diagram` too, called with the same `cut` and `top`.

    Components are painted over holes.  The component that never dies would be the whole image;
    it is painted as it is when most of the others are there.

    Parameters
    ----------
    image : array_like, (H, W)
        The image of the diagram.
    diagram : Diagram
        With all its points of at least this persistence.
    ax : Axes or None
        Where to draw; ``None`` for a new figure.
    cut : float
        The least persistence that stands out, as from `pytopo.features.suggested_cut`.
    top : int or None
        Paint no more features than this, the most persistent; the legend says of how many.

    Raises
    ------
    TypeError
        If `cut` is not a number, or `top` not a whole number.
    ValueError
        If `cut` or `top` is negative, or the image has not two axes, or not the shape that the
        diagram is of.

    Examples
    --------
    >>> import numpy as np, pytopo
    >>> image = np.array([[1, 1, 1, 1, 1, 1],
    ...                   [1, 9, 8, 4, 7, 1],
    ...                   [1, 1, 1, 1, 1, 1]])
    >>> ax = pytopo.plot.features(image, pytopo.persistence(image, 1), cut=3)
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['hole, 8', 'hole, 3']
    """
    cut = at_least(cut, "cut", 0)
    top = None if top is None else whole_number(top, "top")
    values = np.asarray(image)
    if values.ndim != 2 or values.shape != diagram.shape:
        raise ValueError(
            f"image has shape {values.shape}; expected (H, W), the same as the image that the "
            f"diagram is of: {diagram.shape}"
        )
    from pytopo.features.basins import labels_of  # pictures of diagrams do without numba

    ax = given_or_new(ax)
    draw_pixels(ax, values, span_of(values))
    rows = standing_out(diagram, cut, top)
    colour = dict(zip(rows.tolist(), feature_colours(diagram, rows)))
    for d in reversed(diagram.dims):
        of_d = np.flatnonzero((diagram.dim == d) & (diagram.persistence >= cut))
        kept = np.where(np.isin(of_d, rows), np.arange(1, len(of_d) + 1), 0)
        labels = np.append(0, kept)[labels_of(values, diagram.select(d, cut))]
        for number, row in enumerate(of_d.tolist(), 1):
            if diagram.essential[row]:
                labels[(labels == number) & ~_essential_mask(values, diagram, row, cut)] = 0
        colours = [to_rgb(colour.get(row, "k")) for row in of_d.tolist()]
        paint(ax, labels, np.array(colours).reshape(-1, 3))
    handles = _handles(diagram, cut, rows, colour)
    if handles:
        legend_below(ax, handles, columns=min(len(handles), 4))
    return ax


def _essential_mask(
    values: NDArray, diagram: Diagram, row: int, cut: float
) -> NDArray[np.bool_]:
    """Return the component that never dies, as it is when most of what stands out is there."""
    from pytopo.features.mask import feature_mask

    sign = -1.0 if diagram.superlevel else 1.0
    above = diagram.persistence >= cut
    births, deaths = np.sort(sign * diagram.birth[above]), np.sort(sign * diagram.death[above])
    alive = np.arange(1, len(births) + 1) - np.searchsorted(deaths, births, "right")
    threshold = sign * births[alive.argmax()]
    return feature_mask(values, diagram, row, threshold=threshold)


def _handles(
    diagram: Diagram, cut: float, rows: NDArray[np.int64], colour: dict[int, str]
) -> list[Patch]:
    """Return the entries of the legend: of each feature, or of each dimension."""
    names = FEATURES[2]
    if has_own_colours(diagram, rows):
        return [
            _patch(colour[row], f"{names[diagram.dim[row]][:-1]}{_size_text(diagram, row)}")
            for row in rows.tolist()
        ]
    handles = []
    for d in diagram.dims:
        marked = np.count_nonzero(diagram.dim[rows] == d)
        there = np.count_nonzero((diagram.dim == d) & (diagram.persistence >= cut))
        number = f"{marked}" if marked == there else f"{marked} of {there} are marked"
        if there:
            handles.append(_patch(COLOURS[d], f"{feature_name(d, diagram)}: {number}"))
    return handles


def _size_text(diagram: Diagram, row: int) -> str:
    return ", essential" if diagram.essential[row] else f", {diagram.persistence[row]:.4g}"


def _patch(colour: str, label: str) -> Patch:
    return Patch(fc=(*to_rgb(colour), OPACITY), ec=colour, lw=1.2, label=label)
