"""What the topological loss wants of each dot of a diagram."""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgb
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from pytopo.diagram import Diagram
from pytopo.options import flag
from pytopo.plot.diagrams import draw_ground
from pytopo.plot.legend import (
    COLOURS,
    OUTLINE,
    dot_handle,
    feature_name,
    given_or_new,
    mark_handle,
)
from pytopo.plot.span import share, span_of

if TYPE_CHECKING:  # plots of diagrams do without torch
    from pytopo.loss.explanation import Explanation

# Areas of squares, by dimension: those of a binary target all lie in one corner.
_NESTED = np.array([110, 55, 20])


def matching(
    explanation: "Explanation", ax: Axes | None = None, *, flipped: bool = False
) -> Axes:
    """Draw what the topological loss wants of each dot of a prediction.

    Dots are those of the prediction, open squares those of the target.  A line leads from
    each dot to fix to its match, a thin one from each dot to remove to the diagonal; a
    square that has no match is crossed.  The essential components lie on the dashed line;
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
    flipped = flag(flipped, "flipped")
    ax = given_or_new(ax)
    found, expected = explanation.prediction, explanation.target
    if flipped:
        found, expected = _flipped(found), _flipped(expected)
    span = span_of(found.birth, found.death, expected.birth, expected.death)
    dot, square = (
        np.column_stack([span.place(d.birth), span.place(d.death)]) for d in (found, expected)
    )
    draw_ground(ax, found, span)

    fix = np.concatenate([explanation.fix, _essential_pair(found, expected)])
    remove = explanation.remove[np.argsort(found.persistence[explanation.remove])]
    to_diagonal = np.repeat(dot[remove].mean(axis=1, keepdims=True), 2, axis=1)
    persistence = found.persistence[remove].astype(np.float64)
    faintest = 0.6 if len(remove) < 200 else 0.2
    clear = faintest + (0.8 - faintest) * share(persistence, 0, persistence.max(initial=0))
    _draw_ways(ax, dot[remove], to_diagonal, _shades(found, remove, clear), 0.6)
    _draw_ways(ax, dot[fix[:, 0]], square[fix[:, 1]], _shades(found, fix[:, 0], 0.8), 1.3)

    crowded = len(found) > 500
    small = 4 if crowded else 12
    rest = np.setdiff1d(np.arange(len(found)), remove)
    for rows, area, alpha, edge in ((remove, small, clear, "none"), (rest, 34, 0.9, "white")):
        x, y = dot[rows].T
        ax.scatter(
            x, y, area, _shades(found, rows, alpha), ec=edge, lw=0.6, zorder=4,
            rasterized=crowded,
        )  # fmt: skip
    x, y = square.T
    ax.scatter(
        x, y, _NESTED[expected.dim], marker="s", fc="none", lw=1.4,
        ec=_shades(expected, slice(None), 1), path_effects=OUTLINE, zorder=5,
        rasterized=len(expected) > 500,
    )  # fmt: skip
    x, y = square[explanation.missing].T
    ax.scatter(x, y, 40, "black", marker="x", lw=1.4, zorder=6)
    if flipped:
        ax.set(xlabel="1 \N{MINUS SIGN} birth", ylabel="1 \N{MINUS SIGN} death")
    ax.legend(
        handles=[
            *(dot_handle(COLOURS[d], feature_name(d, found)) for d in found.dims),
            *_role_handles(explanation),
        ],
        loc="upper left" if found.superlevel else "lower right",
        fontsize="small", alignment="left",
    )  # fmt: skip
    return ax


def _flipped(diagram: Diagram) -> Diagram:
    """Return the diagram of 1 - image, swept the other way; its pixels are the same."""
    return replace(
        diagram, birth=1 - diagram.birth, death=1 - diagram.death,
        superlevel=not diagram.superlevel,
    )  # fmt: skip


def _essential_pair(found: Diagram, expected: Diagram) -> NDArray[np.int64]:
    """Return the rows of both essential components, (1, 2), or (0, 2) if dim 0 is left out."""
    return np.column_stack(
        [np.flatnonzero(found.essential), np.flatnonzero(expected.essential)]
    )


def _shades(
    diagram: Diagram, rows: NDArray[np.int64] | slice, alpha: NDArray | float
) -> NDArray[np.float64]:
    """Return the colour of the dimension of each row, as opaque as asked for, (n, 4)."""
    rgb = np.array([to_rgb(colour) for colour in COLOURS])[diagram.dim[rows]]
    return np.column_stack([rgb, np.broadcast_to(alpha, len(rgb))])


def _draw_ways(ax: Axes, start: NDArray, end: NDArray, colours: NDArray, width: float) -> None:
    """Draw a line from each start to its end, (n, 2) both."""
    ways = list(np.stack([start, end], axis=1))
    ax.add_collection(
        LineCollection(
            ways, colors=colours, linewidths=width, zorder=3,
            rasterized=len(start) > 500,
        ),
        autolim=False,
    )  # fmt: skip


def _role_handles(explanation: "Explanation") -> list[Line2D]:
    """Return what a legend says of the lines and squares of a matching."""
    fix, remove, missing = (
        len(rows) for rows in (explanation.fix, explanation.remove, explanation.missing)
    )
    finite = np.count_nonzero(~explanation.prediction.essential)
    in_place = finite - fix - remove
    handles = [
        Line2D([], [], color="0.3", lw=1.3, marker="o", mec="white", label=f"to fix: {fix}"),
        Line2D([], [], color="0.5", lw=0.6, marker="o", ms=3, label=f"to remove: {remove}"),
    ]
    handles += [dot_handle("0.3", f"in place: {in_place}")] if in_place else []
    square = mark_handle("0.3", "target", "s", hollow=True)
    handles += [square]
    handles += [mark_handle("k", f"missing: {missing}", "x")] if missing else []
    return handles
