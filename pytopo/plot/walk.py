"""The walk through the reduction: the cells, the matrix and the diagram of each step.

    cells             matrix              diagram
    1 --- 2 --- 3     . . # . . # .       |       o
    |     |           . . # . # . .       |  o
    4     19    5     . . . . # . .       | /
    numbers are       the column that     a point when a pair
    pixel values      is reduced          is found

The steps are computed by `pytopo.textbook.walk`; here they are only drawn.
"""

import textwrap
from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

from pytopo.diagram import FEATURES
from pytopo.plot.cells import ENTERED, YELLOW, draw_cells, points_of
from pytopo.plot.diagrams import draw_ground
from pytopo.plot.legend import COLOURS, feature_name, legend_below, mark_handle
from pytopo.plot.span import span_of

if TYPE_CHECKING:  # the other pictures do without numba
    from pytopo.textbook.walk import Step

_BAND = "#FAF7C9"


def steps(
    image: ArrayLike,
    *,
    superlevel: bool = False,
    construction: str = "V",
    frame: float | bool | None = None,
    by: str = "cell",
) -> Iterator[Figure]:
    """Draw the walk through the reduction of a small image, one figure per step.

    Parameters
    ----------
    image : array_like, (W,), (H, W) or (D, H, W)
        Of at most 400 cells, which is about 9 x 9 pixels.
    superlevel, construction, frame
        As in `pytopo.persistence`.
    by : {"cell", "pixel"}
        A step for each cell, or for each pixel with all the cells that it brings in.

    Returns
    -------
    figures : iterator of Figure
        Each is drawn on request; `step` draws one of them.  The last one is the end, with the
        whole diagram.

    Raises
    ------
    TypeError, ValueError
        As `pytopo.textbook.walk.walkthrough`, before anything is drawn.

    Examples
    --------
    >>> import numpy as np, pytopo
    >>> ring = np.array([[0, 0, 0], [0, 9, 0], [0, 0, 0]])
    >>> figures = list(pytopo.plot.steps(ring, by="pixel"))
    >>> len(figures)  # nine pixels and the end
    10
    >>> print(figures[8].texts[0].get_text())
    8 of 9: pixel (1, 1), value 9
    """
    from pytopo.textbook.walk import walkthrough

    walk = walkthrough(image, superlevel=superlevel, construction=construction, frame=frame)
    return map(step_figure, walk.steps(by))


def step(step: "Step", ax: Sequence[Axes] | None = None) -> list[Axes]:
    """Draw one step of a walk through the reduction: cells, matrix, diagram.

    Parameters
    ----------
    step : "Step"
        See `pytopo.textbook.walk.walkthrough`.
    ax : sequence of three Axes or None
        Where to draw; ``None`` for a new figure, which has the story for a heading.

    Returns
    -------
    ax : list of three Axes

    Raises
    ------
    ValueError
        If there are not three Axes.

    Examples
    --------
    >>> from pytopo.textbook.walk import walkthrough
    >>> cells, matrix, diagram = step(walkthrough([0, 2, 1]).steps()[4])
    >>> matrix.get_title()
    'boundary matrix, reduced up to column 4'
    >>> print(cells.figure.texts[1].get_text())
    boundary {1, 2} + column 3 = {0, 1}, low 1: a pair with vertex 1; the component born at 1 \
in (2) dies: point (1, 2)
    """
    if ax is None:
        return step_figure(step).axes
    if len(ax) != 3:
        raise ValueError(
            f"ax has {len(ax)} Axes; expected three, for the cells, the matrix and the diagram"
        )
    cells, matrix, diagram = ax
    draw_cells(cells, step)
    _draw_matrix(matrix, step)
    _draw_diagram(diagram, step)
    return [cells, matrix, diagram]


def step_figure(shown: "Step") -> Figure:
    """Return a new figure of a step, with its story for a heading."""
    figure = Figure(figsize=(13, 5.4), dpi=100)
    axes = figure.subplots(1, 3)
    figure.subplots_adjust(left=0.04, right=0.985, bottom=0.17, top=0.78, wspace=0.16)
    step(shown, axes)
    heading = f"{shown.number} of {shown.last}: {shown.title}"
    figure.text(0.015, 0.97, heading, fontsize="large", fontweight="bold", va="top")
    story = textwrap.shorten(shown.story, 480, placeholder=" …")
    figure.text(0.015, 0.92, "\n".join(textwrap.wrap(story, 165)), va="top")
    return figure


# ---- the matrix --------------------------------------------------------------------------


def _draw_matrix(ax: Axes, step: "Step") -> None:
    """Draw the matrix as far as it is reduced; a square is a 1."""
    walk, n = step.walk, len(step.walk.columns)
    bands = np.ones((n, n, 3))
    for column in step.notable:
        bands[:, list(column.added)] = to_rgb("0.93")
    bands[:, step.first : step.end] = to_rgb(_BAND)
    bands[:, step.end :] = to_rgb("0.98")
    ax.imshow(bands, interpolation="nearest", origin="upper")
    ax.plot([-0.5, n - 0.5], [-0.5, n - 0.5], color="0.8", lw=0.6)
    if n <= 40:
        ax.hlines(np.arange(n) + 0.5, -0.5, n - 0.5, "0.9", lw=0.4)
        ax.vlines(np.arange(n) + 0.5, -0.5, n - 0.5, "0.9", lw=0.4)
    _draw_ones(ax, step, side=max(2, 0.9 * points_of(ax).min() / n))
    ax.set(xlabel="column: cell", ylabel="row: face")
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(MaxNLocator(nbins=10, integer=True))
    ax.set_title(f"boundary matrix, reduced up to column {step.end - 1}", fontsize="medium")
    square = partial(Line2D, [], [], ls="", marker="s", ms=6)
    lows = [
        square(color=COLOURS[d], label=f"low: a {name.removesuffix('s')} ends")
        for d, name in enumerate(FEATURES[walk.image.ndim])
    ]
    cancelled = square(color="k", mfc="none", label="cancelled")
    legend_below(
        ax,
        [*lows, cancelled, Patch(fc="0.9", label="added")],
        columns=3 if len(lows) > 2 else 2,
    )


def _draw_ones(ax: Axes, step: "Step", side: float) -> None:
    """Draw a square for each 1, in points: in colour a low, hollow what has cancelled."""
    walk = step.walk
    place, colours, hollow = [], [], []
    for column in walk.columns[: step.end]:
        now = column.cell >= step.first
        place += [(column.cell, row) for row in column.rows]
        colours += ["k" if now else ENTERED] * len(column.rows)
        if column.rows:  # the last of them is the low
            colours[-1] = COLOURS[walk.feature_of[column.cell].dim]
        if now:
            hollow += [(column.cell, row) for row in set(column.faces) - set(column.rows)]
    for places, face, edge in ((place, colours, "none"), (hollow, "none", "k")):
        x, y = np.reshape(places, (-1, 2)).T
        ax.scatter(x, y, side**2, marker="s", c=face, edgecolors=edge, lw=0.8, zorder=3)


# ---- the diagram -------------------------------------------------------------------------


def _draw_diagram(ax: Axes, step: "Step") -> None:
    """Draw the points of the pairs found so far, and hollow ones for what is alive.

    The death of what is alive is not known yet: its point rises with the threshold.
    """
    walk, diagram = step.walk, step.walk.diagram()
    values = np.array([walk.value(j) for j in range(len(walk.columns))], np.float64)
    span = span_of(values)
    draw_ground(ax, diagram, span)
    never = -np.inf if walk.superlevel else np.inf
    over = not step.columns
    now = never if over else values[step.end - 1]
    place = span.place(np.array([now]))[0]
    if not over:
        ax.axhline(place, color="k", lw=0.8, ls=":", zorder=2)

    for feature in walk.features:
        end = len(walk.columns) if feature.end is None else feature.end
        ended = end < step.end or over
        if feature.begin >= step.end or (ended and not walk.lasts(feature)):
            continue
        death = now if feature.end is None or not ended else values[feature.end]
        x, y = span.place(np.array([values[feature.begin], death]))
        colour = COLOURS[feature.dim]
        ax.scatter(x, y, 70, c=colour if ended else "white", ec=colour, lw=1.6, zorder=5)
        if step.first <= end < step.end:
            ax.scatter(x, y, 260, c=YELLOW, ec="k", lw=1, zorder=4)
    ax.set_title("diagram", fontsize="medium")
    handles = [mark_handle(COLOURS[d], feature_name(d, diagram), "o") for d in diagram.dims] + [
        mark_handle("0.3", "alive", "o", hollow=True)
    ]
    ax.legend(
        handles=handles, fontsize="small",
        loc="upper left" if walk.superlevel else "lower right",
    )  # fmt: skip
