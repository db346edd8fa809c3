"""Barcodes and Betti curves: what is alive at each threshold."""

from collections.abc import Iterable

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from pytopo.diagram import Diagram
from pytopo.options import whole_number
from pytopo.plot.legend import (
    COLOURS,
    counted,
    feature_name,
    given_or_new,
    legend_below,
    most_persistent,
    sweep_label,
)
from pytopo.plot.span import Span, span_of


def barcode(diagram: Diagram, ax: Axes | None = None, *, top: int = 50) -> Axes:
    """Draw a barcode: a bar from birth to death for each feature.

    Bars of one dimension lie together, the longest on top.  An arrow means that the bar
    never ends.

    Parameters
    ----------
    diagram : Diagram
    ax : Axes or None
        Where to draw; ``None`` for a new figure.
    top : int
        How many bars of each dimension to draw, the longest; the legend counts the rest.

    Raises
    ------
    TypeError, ValueError
        If ``top`` is not a whole number of at least 0.

    Examples
    --------
    >>> import numpy as np, pytopo
    >>> ring = np.array([[0, 0, 0], [0, 9, 0], [0, 0, 0]])
    >>> ax = pytopo.plot.barcode(pytopo.persistence(ring))
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['components (dim 0): 1, 1 essential', 'holes (dim 1): 1']
    """
    top = whole_number(top, "top")
    ax = given_or_new(ax)
    span = span_of(diagram.birth, diagram.death)
    birth, death = span.place(diagram.birth), span.place(diagram.death)
    chosen = {d: most_persistent(diagram, diagram.dim == d)[:top] for d in diagram.dims}
    n_bars = sum(map(len, chosen.values()))
    width = np.clip(160 / max(n_bars, 1), 1, 6)

    height = 0.0
    handles = []
    for d, rows in reversed(chosen.items()):  # dimension 0 on top
        y = height + np.arange(len(rows))[::-1]
        height += len(rows) + 1
        ax.hlines(y, birth[rows], death[rows], COLOURS[d], lw=width)
        _draw_arrows(ax, span, birth[rows], death[rows], y, COLOURS[d])
        left_out = np.count_nonzero(diagram.dim == d) - len(rows)
        remark = f"; {left_out} shorter left out" if left_out else ""
        handles.append(
            Line2D([], [], color=COLOURS[d], lw=4, label=counted(diagram, d) + remark)
        )
    ax.set(
        xlabel=sweep_label("threshold", diagram),
        xlim=span.limits(),
        ylim=(-1, max(height - 1, 1)),
        yticks=[],
    )
    legend_below(ax, handles[::-1], columns=1)
    return ax


def betti_curve(
    diagram: Diagram, ax: Axes | None = None, *, dim: int | Iterable[int] | None = None
) -> Axes:
    """Draw the Betti numbers as functions of the threshold.

    The curves are exact: they step where a feature is born or dies, and at each threshold
    have the height that `Diagram.betti` counts there.

    Parameters
    ----------
    diagram : Diagram
    ax : Axes or None
        Where to draw; ``None`` for a new figure.
    dim : int, iterable of int or None
        Dimensions to draw; ``None`` for all that the diagram has.

    Raises
    ------
    ValueError
        If a dimension was not computed.

    Examples
    --------
    >>> import numpy as np, pytopo
    >>> ax = pytopo.plot.betti_curve(pytopo.persistence(np.array([0, 2, 1])))
    >>> print(ax.lines[0].get_xydata()[1:-1])
    [[0. 1.]
     [1. 2.]
     [2. 1.]]
    """
    chosen = diagram if dim is None else diagram.select(dim)
    ax = given_or_new(ax)
    span = span_of(chosen.birth, chosen.death)
    for d in chosen.dims:
        threshold, count = _betti_steps(chosen, d, span)
        ax.step(
            threshold, count, COLOURS[d], where="pre" if diagram.superlevel else "post",
            label=feature_name(d, diagram),
        )  # fmt: skip
    ax.set(xlabel=sweep_label("threshold", diagram), ylabel="Betti number", xlim=span.limits())
    ax.set_ylim(bottom=0)
    ax.yaxis.set_major_locator(MaxNLocator(integer=True))
    handles = [
        Line2D([], [], color=COLOURS[d], label=feature_name(d, diagram)) for d in chosen.dims
    ]
    legend_below(ax, handles, columns=len(handles))
    return ax


def _betti_steps(
    diagram: Diagram, dim: int, span: Span
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return thresholds and the Betti number at each, from one end of the span to the other.

    Between two thresholds the number is that of the one which the sweep meets first.
    """
    sign = -1 if diagram.superlevel else 1  # as if the threshold rose
    chosen = diagram.dim == dim
    birth = sign * diagram.birth[chosen].astype(np.float64)
    death = sign * diagram.death[chosen].astype(np.float64)
    first, last = sorted(sign * end for end in span.limits())

    event = np.concatenate([birth, death])
    event = np.unique(event[(event > first) & (event < last)])
    threshold = np.concatenate([[first], event, [last]])
    count = np.searchsorted(np.sort(birth), threshold, "right")
    count -= np.searchsorted(np.sort(death), threshold, "right")
    return sign * threshold[::sign], count[::sign]


def _draw_arrows(
    ax: Axes, span: Span, birth: NDArray, death: NDArray, y: NDArray, colour: str
) -> None:
    """Draw an arrow head where a bar leaves the picture."""
    for beyond, edge, marker in (
        (np.less, span.limits()[0], "<"),
        (np.greater, span.limits()[1], ">"),
    ):
        leaves = beyond(birth, edge) | beyond(death, edge)
        if leaves.any():
            ax.plot(
                np.full(leaves.sum(), edge), y[leaves], marker, color=colour, ms=8,
                clip_on=False, zorder=3,
            )  # fmt: skip
