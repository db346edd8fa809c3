"""How the topological loss matches two diagrams: which points it moves, and where."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgb
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from pytopo.diagram import Diagram
from pytopo.options import flag, whole_number
from pytopo.plot.diagrams import draw_ground
from pytopo.plot.legend import (
    COLOURS,
    OUTLINE,
    feature_name,
    given_or_new,
    mark_handle,
    point_handle,
)
from pytopo.plot.marks import Role, roles_of
from pytopo.plot.span import share, span_of

if TYPE_CHECKING:  # plots of diagrams do without torch
    from pytopo.loss.explanation import Explanation

# Areas of squares by dimension, one inside the other: the points of a binary target coincide.
_NESTED = np.array([110, 55, 20])
_CROWDED = 500  # points; more are drawn small, and as pixels in a vector graphic


def matching(
    explanation: "Explanation",
    ax: Axes | None = None,
    *,
    flipped: bool = False,
    top: int = 20,
) -> Axes:
    """Draw what the topological loss does to each point of a prediction.

    Points are those of the prediction, open squares those of the target.  A line leads from
    point to fix to its match, a thin one from a point to remove to the diagonal; a square that
    has no match is crossed.  The essential components lie on the dashed line;
    they are matched too, but not counted.

    Parameters
    ----------
    explanation : Explanation
        Of one image and channel; see `pytopo.TopologicalLoss.explain`.
    ax : Axes or None
        Where to draw; ``None`` for a new figure.
    flipped : bool
        Draw 1 - birth and 1 - death, as Hu et al. (2019) do: the clear features of a
        likelihood, swept downwards, are then in the upper left corner.
    top : int
        How many lines to draw of either kind, for the points that cost most; if there are more
        points, the legend says so.

    Raises
    ------
    TypeError, ValueError
        If ``flipped`` is not a bool, or ``top`` not a whole number of at least 0.

    Examples
    --------
    A ring with a gap of likelihood 0.7, and a speck:

    >>> import torch, pytopo
    >>> truth = torch.zeros(1, 1, 5, 5)
    >>> truth[..., :3, :3] = 1
    >>> truth[..., 1, 1] = 0
    >>> likelihood = truth.clone()
    >>> likelihood[0, 0, 0, 1], likelihood[0, 0, 4, 4] = 0.7, 0.2
    >>> (explanation,) = pytopo.TopologicalLoss().explain(likelihood, truth)
    >>> ax = pytopo.plot.matching(explanation)
    >>> [text.get_text() for text in ax.get_legend().get_texts()][2:]
    ['to fix: 1', 'to remove: 1', 'target']
    """
    flipped, top = flag(flipped, "flipped"), whole_number(top, "top")
    roles = roles_of(explanation, top)
    ax = given_or_new(ax)
    found, target = explanation.prediction, explanation.target
    if flipped:
        found, target = _flipped(found), _flipped(target)
    span = span_of(found.birth, found.death, target.birth, target.death)
    places = [
        np.column_stack([span.place(d.birth), span.place(d.death)]) for d in (found, target)
    ]

    # From the bottom up: lines, points of the prediction, squares of the target.
    draw_ground(ax, found, span)
    removed = _removed_points(explanation, found)
    _draw_moves(ax, explanation, (found, target), roles, removed, places)
    _draw_points(ax, found, removed, places[0])
    _draw_squares(ax, target, explanation.missing, places[1])
    if flipped:
        ax.set(xlabel="1 \N{MINUS SIGN} birth", ylabel="1 \N{MINUS SIGN} death")
    ax.legend(
        handles=[
            *(point_handle(COLOURS[d], feature_name(d, found)) for d in found.dims),
            *_role_handles(explanation),
        ],
        loc="upper left" if found.superlevel else "lower right",
        title=_lines_title(max(len(role.rows) for role in roles), top),
        title_fontsize="small", fontsize="small", alignment="left",
    )  # fmt: skip
    return ax


def _lines_title(points: int, top: int) -> str | None:
    """Return what the legend says of lines that are not drawn."""
    if points <= top:
        return None
    return f"lines for the {top} of each kind\nthat cost most" if top else "no lines"


def _flipped(diagram: Diagram) -> Diagram:
    """Return the diagram of 1 - image, swept the other way; its pixels are the same."""
    return replace(
        diagram, birth=1 - diagram.birth, death=1 - diagram.death,
        superlevel=not diagram.superlevel,
    )  # fmt: skip


# ---- points to remove --------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Removed:
    """The points that go to the diagonal, least persistent first, so the clearest lie on top.

    Attributes
    ----------
    rows : (k,) int64
        Rows of the prediction.
    alpha : (k,) float64
        How opaque: there may be thousands in noise, and the clear ones are to stand out.
    """

    rows: NDArray[np.int64]
    alpha: NDArray[np.float64]


def _removed_points(explanation: "Explanation", found: Diagram) -> _Removed:
    rows = explanation.remove[np.argsort(found.persistence[explanation.remove])]
    persistence = found.persistence[rows].astype(np.float64)
    faintest = 0.6 if len(rows) < 200 else 0.2
    clarity = share(persistence, 0, persistence.max(initial=0))
    return _Removed(rows, faintest + (0.8 - faintest) * clarity)


# ---- artists -----------------------------------------------------------------------------


def _draw_moves(
    ax: Axes,
    explanation: "Explanation",
    diagrams: tuple[Diagram, Diagram],
    roles: tuple[Role, Role],
    removed: _Removed,
    places: list[NDArray],
) -> None:
    """Draw a line from the points that cost most to where the loss pulls them."""
    point, square = places
    found, target = diagrams
    to_fix, to_remove = (role.best for role in roles)
    # A point (b, d) to remove goes to the nearest point of the diagonal: (m, m), m = (b + d)/2.
    chosen = np.isin(removed.rows, to_remove)
    start = point[removed.rows[chosen]]
    diagonal = np.repeat(start.mean(axis=1, keepdims=True), 2, axis=1)
    shades = _shades(found, removed.rows[chosen], removed.alpha[chosen])
    _draw_lines(ax, start, diagonal, shades, width=0.6)

    # A point to fix goes to its match.  So does the essential component, which is matched too.
    essential = [np.flatnonzero(d.essential) for d in (found, target)]  # of one row, or none
    fix = explanation.fix[np.isin(explanation.fix[:, 0], to_fix)]
    row, match = np.concatenate([fix, np.column_stack(essential)]).T
    _draw_lines(ax, point[row], square[match], _shades(found, row, 0.8), width=1.3)


def _draw_points(ax: Axes, found: Diagram, removed: _Removed, place: NDArray) -> None:
    """Draw the points of the prediction: those to remove small, on top of them the others."""
    crowded = len(found) > _CROWDED
    kept = np.setdiff1d(np.arange(len(found)), removed.rows)
    small = 4 if crowded else 12
    for rows, area, alpha, edge in (
        (removed.rows, small, removed.alpha, "none"),
        (kept, 34, 0.9, "white"),
    ):
        x, y = place[rows].T
        ax.scatter(
            x, y, area, _shades(found, rows, alpha), ec=edge, lw=0.6, zorder=4,
            rasterized=crowded,
        )  # fmt: skip


def _draw_squares(
    ax: Axes, target: Diagram, missing: NDArray[np.int64], place: NDArray
) -> None:
    """Draw the points of the target as open squares, and a cross over what has no match."""
    x, y = place.T
    ax.scatter(
        x, y, _NESTED[target.dim], marker="s", fc="none", lw=1.4,
        ec=_shades(target, slice(None), 1), path_effects=OUTLINE, zorder=5,
        rasterized=len(target) > _CROWDED,
    )  # fmt: skip
    x, y = place[missing].T
    ax.scatter(x, y, 40, "black", marker="x", lw=1.4, zorder=6)


def _draw_lines(ax: Axes, start: NDArray, end: NDArray, colours: NDArray, width: float) -> None:
    """Draw a line from each start to its end, (n, 2) both."""
    ax.add_collection(
        LineCollection(
            list(np.stack([start, end], axis=1)), colors=colours, linewidths=width, zorder=3,
            rasterized=len(start) > _CROWDED,
        ),
        autolim=False,
    )  # fmt: skip


def _shades(
    diagram: Diagram, rows: NDArray[np.int64] | slice, alpha: NDArray | float
) -> NDArray[np.float64]:
    """Return the colour of the dimension of each row, with this opacity, (n, 4)."""
    rgb = np.array([to_rgb(colour) for colour in COLOURS])[diagram.dim[rows]]
    return np.column_stack([rgb, np.broadcast_to(alpha, len(rgb))])


def _role_handles(explanation: "Explanation") -> list[Line2D]:
    """Return the entries of the legend for the lines and squares of a matching."""
    fix, remove, missing = (
        len(rows) for rows in (explanation.fix, explanation.remove, explanation.missing)
    )
    finite = np.count_nonzero(~explanation.prediction.essential)
    in_place = finite - fix - remove
    handles = [
        Line2D([], [], color="0.3", lw=1.3, marker="o", mec="white", label=f"to fix: {fix}"),
        Line2D([], [], color="0.5", lw=0.6, marker="o", ms=3, label=f"to remove: {remove}"),
    ]
    handles += [point_handle("0.3", f"in place: {in_place}")] if in_place else []
    handles += [mark_handle("0.3", "target", "s", hollow=True)]
    handles += [mark_handle("k", f"missing: {missing}", "x")] if missing else []
    return handles
