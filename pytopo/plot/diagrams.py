"""The persistence diagram: one point per feature, birth to the right, death upwards."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb, to_rgba
from numpy.typing import NDArray

from pytopo.diagram import Diagram
from pytopo.options import at_least, whole_number
from pytopo.plot.legend import (
    COLOURS,
    counted,
    feature_colours,
    given_or_new,
    has_own_colours,
    most_persistent,
    point_handle,
    standing_out,
    sweep_label,
)
from pytopo.plot.multiplicity import higher_beside, write_multiplicity
from pytopo.plot.span import HUGE, Span, TickLabels, Ticks, share, span_of


def diagram(
    diagram: Diagram,
    ax: Axes | None = None,
    *,
    dots: int = 500,
    cut: float | None = None,
    top: int | None = None,
) -> Axes:
    """Draw a persistence diagram.

    A feature is a point, the larger the more persistent; the essential component lies on a
    dashed line, and nothing can lie in the grey half.

    Parameters
    ----------
    diagram : Diagram
    ax : Axes or None
        Where to draw; ``None`` for a new figure.
    dots : int
        How many points of each dimension to draw one by one, the most persistent.  The
        others are drawn as a density of small squares, the darker the more there are
        (logarithmic), so a million points cost no more than a thousand.
    cut : float or None
        The least persistence that stands out: drawn as a line, and what is below it is pale.
        Points have the colours of `pytopo.plot.features`, and where several coincide stands
        how many.
    top : int or None
        No more points than this stand out, the most persistent.

    Raises
    ------
    TypeError, ValueError
        If ``dots`` or ``top`` is not a whole number of at least 0, or ``cut`` not a number of
        at least 0.

    Examples
    --------
    >>> import numpy as np, pytopo
    >>> ring = np.array([[0, 0, 0], [0, 9, 0], [0, 0, 0]])
    >>> ax = pytopo.plot.diagram(pytopo.persistence(ring))
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['components (dim 0): 1, 1 essential', 'holes (dim 1): 1']
    """
    dots = whole_number(dots, "dots")
    ax = given_or_new(ax)
    span = span_of(diagram.birth, diagram.death)
    birth, death = span.place(diagram.birth), span.place(diagram.death)
    places = np.column_stack([birth, death])
    colour, marked = _colours(diagram, cut, top)
    persistence = np.minimum(diagram.persistence.astype(np.float64), HUGE)
    longest = persistence[persistence < HUGE].max(initial=0)
    in_order = {d: most_persistent(diagram, diagram.dim == d) for d in diagram.dims}
    drawn = np.concatenate([np.zeros(0, int), *(rows[:dots] for rows in in_order.values())])
    larger = 1 + 2 * higher_beside(diagram, drawn, places)  # or they would be hidden
    for d, rows in in_order.items():
        _draw_density(ax, birth[rows[dots:]], death[rows[dots:]], span, COLOURS[d])
        # The points get smaller down to persistence 0, or to that of the first left out.
        shortest = persistence[rows[dots:]].max(initial=0)
        rows = rows[:dots][::-1]  # the most persistent on top
        area = larger[rows] * (3 + 47 * share(persistence[rows], shortest, longest))
        ax.scatter(
            birth[rows], death[rows], area, colour[rows], lw=0.08 * np.sqrt(area),
            ec="white", zorder=3, label=counted(diagram, d), rasterized=shortest > 0,
        )  # fmt: skip
    draw_ground(ax, diagram, span)
    write_multiplicity(ax, diagram, marked, places)
    _add_legend(ax, diagram, dots, cut, marked, span)
    return ax


def _colours(
    diagram: Diagram, cut: float | None, top: int | None
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the colour of each point, (n, 4), and the rows of those that stand out."""
    colour = np.array([to_rgba(c, 0.85) for c in COLOURS])[diagram.dim]
    if cut is None:
        return colour, np.zeros(0, np.int64)
    cut = at_least(cut, "cut", 0)
    top = None if top is None else whole_number(top, "top")
    rows = standing_out(diagram, cut, top)
    colour[:, 3] = 0.35
    own = [to_rgba(c, 0.9) for c in feature_colours(diagram, rows)]
    colour[rows] = np.reshape(own, (-1, 4))
    return colour, rows


def _add_legend(
    ax: Axes, diagram: Diagram, dots: int, cut: float | None, marked: NDArray, span: Span
) -> None:
    """Add a legend in the half where nothing can lie, and draw the line of the cut."""
    own = len(marked) == len(diagram) > 0 and has_own_colours(diagram, marked)
    crowded = any(np.count_nonzero(diagram.dim == d) > dots for d in diagram.dims)
    how = f"{dots} most persistent of a dimension as points,\nthe others as a density"
    handles = [
        point_handle("0.4" if own else COLOURS[d], counted(diagram, d, cut or 0))
        for d in diagram.dims
    ]
    if cut and np.isfinite(cut):
        across = np.array([span.low, max(span.high - cut, span.low)])
        ends = (across, across + cut) if not diagram.superlevel else (across + cut, across)
        label = f"cut at persistence {cut:.6g}"
        handles += ax.plot(*ends, color="0.2", lw=1.2, ls=(0, (4, 2)), zorder=2.5, label=label)
    ax.legend(
        handles=handles,
        loc="upper left" if diagram.superlevel else "lower right",
        title=how if crowded else None,
        title_fontsize="small", fontsize="small", alignment="left",
    )  # fmt: skip


def draw_ground(ax: Axes, diagram: Diagram, span: Span) -> None:
    """Draw what lies under the points, and set up the axes: equal, with the same limits."""
    minus, plus = span.low - span.gap, span.high + span.gap
    birth, death = span.place(diagram.birth), span.place(diagram.death)
    across = [place for place in (minus, plus) if place in death]
    upright = [place for place in (minus, plus) if place in birth]
    for place in across:
        ax.axhline(place, color="0.4", lw=1, ls="--", zorder=1)
    for place in upright:
        ax.axvline(place, color="0.4", lw=1, ls="--", zorder=1)

    ends = span.limits(minus in across + upright, plus in across + upright)
    corner = (ends[0], ends[1]) if diagram.superlevel else (ends[1], ends[0])
    ax.fill([ends[0], corner[0], ends[1]], [ends[0], corner[1], ends[1]], "0.94", zorder=0)
    ax.plot(ends, ends, color="0.4", lw=1, zorder=1)

    ax.set(
        xlim=ends, ylim=ends, aspect="equal",
        xlabel=sweep_label("birth", diagram), ylabel=sweep_label("death", diagram),
    )  # fmt: skip
    for axis, infinite in ((ax.xaxis, upright), (ax.yaxis, across)):
        axis.set_major_locator(Ticks(span, infinite))
        axis.set_major_formatter(TickLabels(span))


def _draw_density(ax: Axes, birth: NDArray, death: NDArray, span: Span, colour: str) -> None:
    """Draw many points as an image of small squares."""
    if not len(birth):
        return
    edges = _cell_edges(np.concatenate([birth, death]), span)
    count, _, _ = np.histogram2d(birth, death, bins=(edges, edges))
    shade = np.log1p(count.T) / np.log1p(count.max())
    rgba = np.empty((*shade.shape, 4))
    rgba[..., :3] = to_rgb(colour)
    rgba[..., 3] = np.where(shade > 0, 0.3 + 0.6 * shade, 0)
    ax.imshow(
        rgba, origin="lower", extent=(edges[0], edges[-1]) * 2, interpolation="nearest",
        zorder=2,
    )  # fmt: skip


def _cell_edges(values: NDArray, span: Span, most: int = 400) -> NDArray[np.float64]:
    """Cut a span, with its infinities, into about `most` equal cells.

    If the values are multiples of a step, as those of an 8-bit image are, every cell holds
    equally many of them: otherwise the density would show stripes that are not there.
    """
    low, high = span.limits(minus=True, plus=True)
    finite = np.unique(values[(values >= span.low) & (values <= span.high)])
    steps = np.diff(finite)  # without those that are rounding: float32 knows two 0.3
    step = steps[steps > 1e-5 * (high - low)].min(initial=high - low)
    multiple = (finite - span.low) / step
    if (high - low) / step < 16 * most and np.abs(multiple - multiple.round()).max() < 0.01:
        cell = step * np.ceil((high - low) / step / most)
        first = span.low - step / 2
        first -= cell * np.ceil((first - low) / cell)
        return first + cell * np.arange(np.ceil((high - first) / cell) + 1)
    return np.linspace(low, high, most + 1)
