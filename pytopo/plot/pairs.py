"""Two diagrams in one picture, and lines between the points that match."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgba_array
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike, NDArray

from pytopo.diagram import Diagram
from pytopo.options import whole_number
from pytopo.plot.diagrams import draw_ground
from pytopo.plot.legend import (
    COLOURS,
    OUTLINE,
    feature_name,
    given_or_new,
    mark_handle,
    point_handle,
)
from pytopo.plot.span import HUGE, Span, span_of

_CROWDED = 500  # points; more are drawn small, and as pixels in a vector graphic


def matched_diagrams(
    first: Diagram,
    second: Diagram,
    pairs: ArrayLike,
    ax: Axes | None = None,
    *,
    top: int = 20,
    names: Sequence[str] = ("first", "second"),
) -> Axes:
    """Draw two diagrams, and which of their points match.

    Points of the first diagram are discs, those of the second open squares.  A line leads from
    a point to its match, a thin one from a point without match to the diagonal, for the points
    that are farthest from there.  The essential components lie on the dashed line, and are not
    counted.

    Parameters
    ----------
    first, second : Diagram
    pairs : array_like, (k, 2)
        Rows of the diagrams that match, as in `pytopo.BettiMatching`; `pytopo.match` counts the
        points that it was given.
    ax : Axes or None
        Where to draw; ``None`` for a new figure.
    top : int
        How many lines to draw of either kind, the longest; if there are more, the legend says
        so.
    names : two of str
        What the legend calls the diagrams.

    Raises
    ------
    TypeError
        If ``top`` is not a whole number.
    ValueError
        If ``top`` is negative, or ``pairs`` has another shape.

    Examples
    --------
    >>> import numpy as np, pytopo
    >>> ring = np.array([[0, 0, 0], [0, 9, 0], [0, 0, 0]])
    >>> first, second = (pytopo.persistence(x, 1) for x in (ring, ring + ring // 3))
    >>> ax = pytopo.plot.matched_diagrams(first, second, [[0, 0]])
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['holes (dim 1)', 'first: 1', 'second: 1', 'matched: 1']
    """
    top = whole_number(top, "top")
    rows = np.asarray(pairs, np.int64)
    if rows.ndim != 2 or rows.shape[1] != 2:
        raise ValueError(f"pairs has shape {rows.shape}; expected (k, 2), rows of the diagrams")
    ax = given_or_new(ax)
    span = span_of(first.birth, first.death, second.birth, second.death)
    places = [_places(d, span) for d in (first, second)]
    draw_ground(ax, first if len(first) else second, span)
    alone = [np.setdiff1d(np.arange(len(d)), side) for d, side in zip((first, second), rows.T)]
    _draw_pairs(ax, first, rows, places, top)
    for diagram, left, place in zip((first, second), alone, places):
        _draw_alone(ax, diagram, left, place, top)
    _draw_points(ax, (first, second), places)

    def count(diagram: Diagram) -> int:
        return int(np.count_nonzero(~diagram.essential))

    matched = np.count_nonzero(~first.essential[rows[:, 0]])
    dims = sorted({*first.dims, *second.dims})
    some = first if len(first.shape) >= len(second.shape) else second
    handles = [point_handle(COLOURS[dim], feature_name(dim, some)) for dim in dims]
    handles += [
        mark_handle("0.3", f"{names[0]}: {count(first)}", "o"),
        mark_handle("0.3", f"{names[1]}: {count(second)}", "s", hollow=True),
        Line2D([], [], color="0.3", lw=1.2, label=f"matched: {matched}"),
    ]
    if single := sum(map(len, alone)):
        handles.append(Line2D([], [], color="0.5", lw=0.5, label=f"to the diagonal: {single}"))
    many = max(len(rows), *map(len, alone)) > top
    title = f"lines for the {top} of each kind\nthat are farthest" if top else "no lines"
    ax.legend(
        handles=handles, loc="upper left" if some.superlevel else "lower right",
        title=title if many else None,
        title_fontsize="small", fontsize="small", alignment="left",
    )  # fmt: skip
    return ax


def _places(diagram: Diagram, span: Span) -> NDArray[np.float64]:
    return np.column_stack([span.place(diagram.birth), span.place(diagram.death)])


def _draw_pairs(
    ax: Axes, first: Diagram, rows: NDArray[np.int64], places: list[NDArray], top: int
) -> None:
    """Draw lines between points that match, the longest."""
    ends = np.stack([place[side] for place, side in zip(places, rows.T)], axis=1)
    far = np.argsort(-((ends[:, 0] - ends[:, 1]) ** 2).sum(axis=1), kind="stable")[:top]
    colours = [COLOURS[dim] for dim in first.dim[rows[far, 0]]]
    lines = LineCollection(
        list(ends[far]), colors=colours, lw=1.2, zorder=5, path_effects=OUTLINE
    )
    ax.add_collection(lines, autolim=False)


def _draw_alone(
    ax: Axes, diagram: Diagram, left: NDArray[np.int64], place: NDArray, top: int
) -> None:
    """Draw lines from points without match to the diagonal, the longest."""
    persistence = np.minimum(diagram.persistence[left].astype(np.float64), HUGE)
    left = left[np.argsort(-persistence, kind="stable")][:top]
    start = place[left]
    end = np.repeat(start.mean(axis=1, keepdims=True), 2, axis=1)
    colours = [COLOURS[dim] for dim in diagram.dim[left]]
    ax.add_collection(
        LineCollection(
            list(np.stack([start, end], axis=1)), colors=colours, lw=0.5, zorder=3
        ),
        autolim=False,
    )  # fmt: skip


def _draw_points(ax: Axes, diagrams: tuple[Diagram, Diagram], places: list[NDArray]) -> None:
    """Draw the points of the first diagram as discs, and over them squares for the second."""
    crowded = max(map(len, diagrams)) > _CROWDED
    for diagram, place, marker in zip(diagrams, places, "os"):
        colours = to_rgba_array(list(COLOURS))[diagram.dim]
        hollow = marker == "s"
        x, y = place.T
        ax.scatter(
            x, y, (5 if crowded else 20) * (2 if hollow else 1), marker=marker,
            fc="none" if hollow else colours, ec=colours if hollow else "none",
            lw=0.5 if crowded else 1, alpha=0.6 if crowded else 0.9, zorder=4,
            rasterized=crowded,
        )  # fmt: skip
