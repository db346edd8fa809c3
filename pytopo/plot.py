"""Pictures of images and their diagrams, drawn into Axes of yours or a new figure.

    image        where features are born and where they die
    diagram      one dot a feature: birth to the right, death upwards
    barcode      one bar a feature, from birth to death
    betti_curve  how many features are alive at each threshold
    matching     what the topological loss wants of each dot
    critical     at which pixels it wants that

Every function takes ``ax=None`` and returns the Axes.  A dimension has the same colour
everywhere, ``COLOURS``.  Infinite values lie on a dashed line beside the finite ones.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np
from matplotlib import patheffects
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgb
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator, ScalarFormatter
from matplotlib.transforms import ScaledTranslation
from numpy.typing import ArrayLike, NDArray

from pytopo.diagram import FEATURES, Diagram

if TYPE_CHECKING:  # plots of diagrams do without torch
    from pytopo.loss import Explanation

__all__ = ["COLOURS", "barcode", "betti_curve", "critical", "diagram", "image", "matching"]

# Blue, vermilion and green of Okabe and Ito: told apart by colour-blind eyes, and on grey.
COLOURS = ("#0072B2", "#D55E00", "#009E73")

# Areas of squares, by dimension: those of a binary target all lie in one corner.
_NESTED = np.array([110, 55, 20])

_HUGE = 1e100  # beyond it lies infinity: Matplotlib multiplies coordinates


def diagram(diagram: Diagram, ax: Axes | None = None, *, dots: int = 500) -> Axes:
    """Draw a persistence diagram.

    A feature is a dot, the larger the more persistent; the essential component lies on a
    dashed line, and nothing can lie in the grey half.

    Parameters
    ----------
    diagram : Diagram
    ax : Axes or None
        Where to draw; ``None`` for a new figure.
    dots : int
        How many of each dimension to draw as dots, the most persistent.  The others are
        drawn as a density of small squares, the darker the more there are (logarithmic),
        so a million points cost no more than a thousand.

    Examples
    --------
    >>> import numpy as np, pytopo
    >>> ring = np.array([[0, 0, 0], [0, 9, 0], [0, 0, 0]])
    >>> ax = pytopo.plot.diagram(pytopo.persistence(ring))
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['components (dim 0): 1, 1 essential', 'holes (dim 1): 1']
    """
    ax = _axes(ax)
    span = _span_of(diagram.birth, diagram.death)
    birth, death = span.place(diagram.birth), span.place(diagram.death)
    persistence = np.minimum(diagram.persistence.astype(np.float64), _HUGE)
    longest = persistence[persistence < _HUGE].max(initial=0)
    for d in diagram.dims:
        rows = _most_persistent(diagram, diagram.dim == d)
        _draw_density(ax, birth[rows[dots:]], death[rows[dots:]], span, COLOURS[d])
        # The dots get smaller down to persistence 0, or to that of the first left out.
        shortest = persistence[rows[dots:]].max(initial=0)
        rows = rows[:dots][::-1]  # the most persistent on top
        area = 3 + 47 * _share(persistence[rows], shortest, longest)
        ax.scatter(
            birth[rows], death[rows], area, COLOURS[d], alpha=0.85, lw=0.08 * np.sqrt(area),
            ec="white", zorder=3, label=_counts(diagram, d), rasterized=shortest > 0,
        )  # fmt: skip
    _draw_ground(ax, diagram, span)
    crowded = any(np.count_nonzero(diagram.dim == d) > dots for d in diagram.dims)
    how = f"{dots} most persistent of a dimension as dots,\nthe others as a density"
    ax.legend(
        handles=[_dot(COLOURS[d], _counts(diagram, d)) for d in diagram.dims],
        loc="upper left" if diagram.superlevel else "lower right",
        title=how if crowded else None,
        title_fontsize="small", fontsize="small", alignment="left",
    )  # fmt: skip
    return ax


def barcode(diagram: Diagram, ax: Axes | None = None, *, top: int = 50) -> Axes:
    """Draw a barcode: a bar from birth to death for each feature.

    Bars of one dimension lie together, the longest on top.  An arrow means that the bar
    goes on for ever.

    Parameters
    ----------
    diagram : Diagram
    ax : Axes or None
        Where to draw; ``None`` for a new figure.
    top : int
        How many bars of each dimension to draw, the longest; the legend counts the rest.

    Examples
    --------
    >>> import numpy as np, pytopo
    >>> ring = np.array([[0, 0, 0], [0, 9, 0], [0, 0, 0]])
    >>> ax = pytopo.plot.barcode(pytopo.persistence(ring))
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['components (dim 0): 1, 1 essential', 'holes (dim 1): 1']
    """
    ax = _axes(ax)
    span = _span_of(diagram.birth, diagram.death)
    birth, death = span.place(diagram.birth), span.place(diagram.death)
    chosen = {d: _most_persistent(diagram, diagram.dim == d)[:top] for d in diagram.dims}
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
            Line2D([], [], color=COLOURS[d], lw=4, label=_counts(diagram, d) + remark)
        )
    ax.set(
        xlabel=_sweep("threshold", diagram),
        xlim=span.limits(),
        ylim=(-1, max(height - 1, 1)),
        yticks=[],
    )
    _legend_below(ax, handles[::-1], columns=1)
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
    ax = _axes(ax)
    span = _span_of(chosen.birth, chosen.death)
    for d in chosen.dims:
        threshold, count = _betti_steps(chosen, d, span)
        ax.step(
            threshold, count, COLOURS[d], where="pre" if diagram.superlevel else "post",
            label=_feature(d, diagram),
        )  # fmt: skip
    ax.set(xlabel=_sweep("threshold", diagram), ylabel="Betti number", xlim=span.limits())
    ax.set_ylim(bottom=0)
    ax.yaxis.set_major_locator(MaxNLocator(integer=True))
    handles = [
        Line2D([], [], color=COLOURS[d], label=_feature(d, diagram)) for d in chosen.dims
    ]
    _legend_below(ax, handles, columns=len(handles))
    return ax


def image(
    image: ArrayLike,
    diagram: Diagram,
    ax: Axes | None = None,
    *,
    top: int = 10,
    section: int | None = None,
) -> Axes:
    """Draw an image, and over it the pixels where features are born and die.

    A disc marks the birth, a triangle the death, a line joins them.  The essential
    component has only a birth, and what happens in the frame is not marked.

    Parameters
    ----------
    image : array_like, (W,), (H, W) or (D, H, W)
        The image of the diagram.  One axis is drawn as a curve, of three axes a section.
    diagram : Diagram
    ax : Axes or None
        Where to draw; ``None`` for a new figure.
    top : int
        How many features to mark, the most persistent; of a volume, the most persistent
        of those that are born or die in the section.
    section : int or None
        Which section of a volume, counted from 0; ``None`` for the one in the middle.

    Raises
    ------
    ValueError
        If the image has not the shape that the diagram is of, or not that section.

    Examples
    --------
    >>> import numpy as np, pytopo
    >>> ring = np.array([[0, 0, 0], [0, 9, 0], [0, 0, 0]])
    >>> ax = pytopo.plot.image(ring, pytopo.persistence(ring))
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['components (dim 0)', 'holes (dim 1)', 'birth', 'death']
    """
    values, section = _checked_section(np.asarray(image), diagram, section, "image")
    ax = _axes(ax)
    birth, death = diagram.birth_index, diagram.death_index
    born, dies = birth[:, 0] >= 0, death[:, 0] >= 0
    if section is not None:
        ax.set_title(f"section {section} of {diagram.shape[0]}")
        born, dies = birth[:, 0] == section, death[:, 0] == section
        birth, death = birth[:, 1:], death[:, 1:]

    locate = _draw_curve(ax, values, diagram) if values.ndim == 1 else _draw_pixels(ax, values)
    rows = _most_persistent(diagram, born | dies)[:top]
    for d in diagram.dims:
        of_d = rows[diagram.dim[rows] == d]
        _draw_features(
            ax, locate(birth[of_d]), locate(death[of_d]), born[of_d], dies[of_d], COLOURS[d]
        )
    shown = [d for d in diagram.dims if d in diagram.dim[rows]]
    handles = [_dot(COLOURS[d], _feature(d, diagram)) for d in shown]
    handles += [_dot("0.3", "birth")] if born[rows].any() else []
    handles += [_dot("0.3", "death", hollow=True)] if dies[rows].any() else []
    if handles:
        _legend_below(ax, handles, columns=len(handles))
    return ax


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
    ax = _axes(ax)
    found, wanted = explanation.prediction, explanation.target
    if flipped:
        found, wanted = _flipped(found), _flipped(wanted)
    span = _span_of(found.birth, found.death, wanted.birth, wanted.death)
    dot, square = (
        np.column_stack([span.place(d.birth), span.place(d.death)]) for d in (found, wanted)
    )
    _draw_ground(ax, found, span)

    fix = np.concatenate([explanation.fix, _essential_pair(found, wanted)])
    remove = explanation.remove[np.argsort(found.persistence[explanation.remove])]
    to_diagonal = np.repeat(dot[remove].mean(axis=1, keepdims=True), 2, axis=1)
    persistence = found.persistence[remove].astype(np.float64)
    faintest = 0.6 if len(remove) < 200 else 0.2
    clear = faintest + (0.8 - faintest) * _share(persistence, 0, persistence.max(initial=0))
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
        x, y, _NESTED[wanted.dim], marker="s", fc="none", lw=1.4,
        ec=_shades(wanted, slice(None), 1), path_effects=_OUTLINE, zorder=5,
        rasterized=len(wanted) > 500,
    )  # fmt: skip
    x, y = square[explanation.missing].T
    ax.scatter(x, y, 40, "black", marker="x", lw=1.4, zorder=6)
    if flipped:
        ax.set(xlabel="1 \N{MINUS SIGN} birth", ylabel="1 \N{MINUS SIGN} death")
    ax.legend(
        handles=[
            *(_dot(COLOURS[d], _feature(d, found)) for d in found.dims),
            *_role_handles(explanation),
        ],
        loc="upper left" if found.superlevel else "lower right",
        fontsize="small", alignment="left",
    )  # fmt: skip
    return ax


def critical(
    likelihood: ArrayLike,
    explanation: "Explanation",
    ax: Axes | None = None,
    *,
    top: int = 20,
    section: int | None = None,
) -> Axes:
    """Draw a likelihood, and over it the pixels at which the topological loss pulls.

    Circles are the pixels of dots to fix, crosses those of dots to remove: filled where the
    feature is born, hollow where it dies, and joined by a line.  What happens in the frame
    is not marked.

    Parameters
    ----------
    likelihood : array_like, (H, W) or (D, H, W)
        What was explained, one image and channel of it.  Of a volume a section is drawn.
    explanation : Explanation
        See `pytopo.TopologicalLoss.explain`.
    ax : Axes or None
        Where to draw; ``None`` for a new figure.
    top : int
        How many dots to mark of either kind, those that cost most; the legend says of how
        many.
    section : int or None
        Which section of a volume, counted from 0; ``None`` for the one in the middle.

    Raises
    ------
    ValueError
        If the likelihood has not the shape of what was explained, or not that section.

    Examples
    --------
    A ring with a gap of likelihood 0.7: the hole is born at the gap.

    >>> import torch, pytopo
    >>> truth = torch.zeros(1, 1, 5, 5)
    >>> truth[..., :3, :3] = 1
    >>> truth[..., 1, 1] = 0
    >>> likelihood = truth.clone()
    >>> likelihood[0, 0, 0, 1] = 0.7
    >>> (explanation,) = pytopo.TopologicalLoss().explain(likelihood, truth)
    >>> ax = pytopo.plot.critical(likelihood[0, 0], explanation)
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['holes (dim 1)', 'to fix: 1', 'birth', 'death']
    """
    found, wanted = explanation.prediction, explanation.target
    values, section = _checked_section(np.asarray(likelihood), found, section, "likelihood")
    ax = _axes(ax)
    birth, death = found.birth_index, found.death_index
    born, dies = birth[:, 0] >= 0, death[:, 0] >= 0
    if section is not None:
        ax.set_title(f"section {section} of {found.shape[0]}")
        born, dies = birth[:, 0] == section, death[:, 0] == section
        birth, death = birth[:, 1:], death[:, 1:]

    row, match = explanation.fix.T
    far = (found.birth[row] - wanted.birth[match]) ** 2
    far = far + (found.death[row] - wanted.death[match]) ** 2
    fix = row[np.argsort(-far, kind="stable")]
    remove = explanation.remove
    remove = remove[np.argsort(-found.persistence[remove], kind="stable")]

    locate = _draw_pixels(ax, values)
    handles: list[Line2D] = []
    shown = []
    for marker, words, rows in (("X", "to remove", remove), ("o", "to fix", fix)):
        here = rows[(born | dies)[rows]]
        best = here[:top]
        for d in found.dims:
            of_d = best[found.dim[best] == d]
            _draw_features(
                ax, locate(birth[of_d]), locate(death[of_d]), born[of_d], dies[of_d],
                COLOURS[d], markers=(marker, marker), inside="white",
            )  # fmt: skip
        if len(best):
            counted = f"{len(best)} of {len(here)}" if len(best) < len(here) else len(best)
            handles.insert(0, _mark("0.3", f"{words}: {counted}", marker))
        shown.append(best)
    marked = np.concatenate(shown)
    handles[:0] = [_dot(COLOURS[d], _feature(d, found)) for d in sorted({*found.dim[marked]})]
    handles += [_mark("0.3", "birth", "s")] if born[marked].any() else []
    handles += [_mark("0.3", "death", "s", hollow=True)] if dies[marked].any() else []
    if handles:
        _legend_below(ax, handles, columns=(len(handles) + 1) // 2 if len(handles) > 4 else 4)
    return ax


# ---- numbers to places: infinite values lie beside the finite ones -----------------------


@dataclass(frozen=True)
class _Span:
    """The range of the finite among some values, never empty."""

    low: float
    high: float

    @property
    def gap(self) -> float:
        """How far beside the finite values the infinite ones lie."""
        return 0.1 * (self.high - self.low)

    def place(self, values: NDArray) -> NDArray[np.float64]:
        """Return where values lie on an axis: themselves, if they are finite."""
        return np.clip(values.astype(np.float64), self.low - self.gap, self.high + self.gap)

    def limits(self, minus: bool = False, plus: bool = False) -> tuple[float, float]:
        """Return limits of an axis, with room for -inf and +inf where it is wanted."""
        room = self.gap / 2
        return self.low - room - self.gap * minus, self.high + room + self.gap * plus


def _span_of(*arrays: NDArray) -> _Span:
    values = np.concatenate([values.ravel().astype(np.float64) for values in arrays])
    values = values[np.abs(values) < _HUGE]
    if not values.size:
        return _Span(0, 1)
    low, high = values.min(), values.max()
    if high - low <= 1e-12 * max(-low, high, 1e-90):
        half = max(0.5, 1e-3 * abs(low))
        low, high = low - half, high + half
    return _Span(float(low), float(high))


class _Ticks(MaxNLocator):
    """Ticks at round numbers of a span, and at infinity where that is wanted."""

    def __init__(self, span: _Span, infinite: list[float], integer: bool = False) -> None:
        super().__init__(nbins=6, steps=[1, 2, 2.5, 5, 10], integer=integer)
        self._span, self._infinite = span, infinite
        self._slack = 0 if integer else span.gap / 4

    def tick_values(self, vmin: float, vmax: float) -> Sequence[float]:
        ticks = np.asarray(super().tick_values(vmin, vmax))
        low, high = self._span.low - self._slack, self._span.high + self._slack
        inside = (ticks >= low) & (ticks <= high)
        return ticks[inside].tolist() + self._infinite


class _TickLabels(ScalarFormatter):
    """Labels for these ticks, with no more decimals than the finite ones need."""

    def __init__(self, span: _Span) -> None:
        super().__init__()
        self._span = span

    def set_locs(self, locs: ArrayLike) -> None:
        super().set_locs([x for x in np.asarray(locs) if not self._infinity(x)])

    def __call__(self, x: float, pos: int | None = None) -> str:
        return self._infinity(x) or super().__call__(x, pos)

    def _infinity(self, x: float) -> str:
        if x < self._span.low - self._span.gap / 2:
            return "\N{MINUS SIGN}∞"
        return "∞" if x > self._span.high + self._span.gap / 2 else ""


# ---- diagrams ----------------------------------------------------------------------------


def _draw_ground(ax: Axes, diagram: Diagram, span: _Span) -> None:
    """Draw what lies under the dots, and set up the axes: equal, with the same limits."""
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
        xlabel=_sweep("birth", diagram), ylabel=_sweep("death", diagram),
    )  # fmt: skip
    for axis, infinite in ((ax.xaxis, upright), (ax.yaxis, across)):
        axis.set_major_locator(_Ticks(span, infinite))
        axis.set_major_formatter(_TickLabels(span))


def _draw_density(ax: Axes, birth: NDArray, death: NDArray, span: _Span, colour: str) -> None:
    """Draw many dots as an image of small squares."""
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


def _cell_edges(values: NDArray, span: _Span, most: int = 400) -> NDArray[np.float64]:
    """Cut a span, with its infinities, into about as many equal cells as asked for.

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


def _share(values: NDArray, low: float, high: float) -> NDArray[np.float64]:
    """Return how far values are on the way from low to high, 0 to 1; 1 where there is none."""
    if not high > low:
        return np.ones(len(values))
    with np.errstate(over="ignore"):
        return np.clip((values - low) / (high - low), 0, 1)


# ---- matchings -------------------------------------------------------------------------------


def _flipped(diagram: Diagram) -> Diagram:
    """Return the diagram of 1 - image, swept the other way; its pixels are the same."""
    return replace(
        diagram, birth=1 - diagram.birth, death=1 - diagram.death,
        superlevel=not diagram.superlevel,
    )  # fmt: skip


def _essential_pair(found: Diagram, wanted: Diagram) -> NDArray[np.int64]:
    """Return the rows of both essential components, (1, 2), or (0, 2) if dim 0 is left out."""
    return np.column_stack([np.flatnonzero(found.essential), np.flatnonzero(wanted.essential)])


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
    handles += [_dot("0.3", f"in place: {in_place}")] if in_place else []
    square = _mark("0.3", "target", "s", hollow=True)
    handles += [square]
    handles += [_mark("k", f"missing: {missing}", "x")] if missing else []
    return handles


# ---- curves and bars ---------------------------------------------------------------------


def _betti_steps(
    diagram: Diagram, dim: int, span: _Span
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
    ax: Axes, span: _Span, birth: NDArray, death: NDArray, y: NDArray, colour: str
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


# ---- images ------------------------------------------------------------------------------

_Locate = Callable[[NDArray[np.int64]], NDArray]  # coordinates of pixels (k, ndim) to (x, y)
_OUTLINE = [patheffects.withStroke(linewidth=3, foreground="white")]


def _checked_section(
    values: NDArray, diagram: Diagram, section: int | None, name: str
) -> tuple[NDArray, int | None]:
    """Return what to draw of an image, and which section of a volume that is."""
    if values.shape != diagram.shape:
        raise ValueError(
            f"{name} has shape {values.shape}; wanted {diagram.shape}, the shape of the "
            "image that the diagram is of"
        )
    if section is not None and not (values.ndim == 3 and 0 <= section < len(values)):
        raise ValueError(f"an image of shape {values.shape} has no section {section!r}")
    if values.ndim < 3:
        return values, None
    section = len(values) // 2 if section is None else section
    return values[section], section


def _draw_pixels(ax: Axes, values: NDArray) -> _Locate:
    """Draw a grey image; return what turns rows and columns into places."""
    span = _span_of(values)
    height, width = values.shape
    ribbon = max(height, width) > 20 * min(height, width)
    ax.imshow(
        span.place(values), cmap="gray", vmin=span.low, vmax=span.high, origin="upper",
        aspect="auto" if ribbon else "equal",
    )  # fmt: skip
    room = 0.02 * max(height, width)  # for the marks of pixels at the border
    ax.set(
        xlabel="column", ylabel="row",
        xlim=(-0.5 - room, width - 0.5 + room), ylim=(height - 0.5 + room, -0.5 - room),
    )  # fmt: skip
    ax.spines[:].set_visible(False)
    ax.add_patch(Rectangle((-0.5, -0.5), width, height, fill=False, ec="0.6", lw=0.8))
    for axis, length in ((ax.xaxis, width), (ax.yaxis, height)):
        axis.set_major_locator(_Ticks(_Span(0, length - 1), [], integer=True))
    return lambda index: index[:, ::-1]


def _draw_curve(ax: Axes, values: NDArray, diagram: Diagram) -> _Locate:
    """Draw an image of one axis as the function that its construction makes of it."""
    span = _span_of(values)
    height = span.place(values)
    style = "steps-mid" if diagram.construction == "T" else "default"
    ax.plot(height, color="0.3", lw=1, drawstyle=style)
    ax.set(xlabel="column", ylabel="value")
    ax.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
    return lambda index: np.column_stack([index[:, 0], height[index[:, 0]]])


def _draw_features(
    ax: Axes,
    birth: NDArray,
    death: NDArray,
    born: NDArray,
    dies: NDArray,
    colour: str,
    markers: tuple[str, str] = ("o", "^"),
    inside: str = "none",
) -> None:
    """Mark births and deaths at (x, y) and join those that are both there."""
    both = born & dies
    gap = np.full((np.count_nonzero(both), 2), np.nan)
    path = np.stack([birth[both], death[both], gap], axis=1).reshape(-1, 2)
    ax.plot(*path.T, color=colour, lw=1.2, path_effects=_OUTLINE, zorder=3)
    x, y = birth[born].T
    ax.scatter(x, y, 36, colour, marker=markers[0], edgecolor="white", lw=1, zorder=4)
    x, y = death[dies].T
    ax.scatter(
        x, y, 48 if inside == "none" else 30, marker=markers[1], facecolor=inside,
        edgecolor=colour, lw=1.4, path_effects=_OUTLINE, zorder=5,
    )  # fmt: skip


# ---- words -------------------------------------------------------------------------------


def _feature(dim: int, diagram: Diagram) -> str:
    return f"{FEATURES[len(diagram.shape)][dim]} (dim {dim})"


def _counts(diagram: Diagram, dim: int) -> str:
    of_dim = diagram.dim == dim
    essential = np.count_nonzero(diagram.essential & of_dim)
    remark = f", {essential} essential" if essential else ""
    return f"{_feature(dim, diagram)}: {np.count_nonzero(of_dim)}{remark}"


def _sweep(quantity: str, diagram: Diagram) -> str:
    if not diagram.superlevel:
        return quantity
    return (
        f"{quantity} (falling)" if quantity == "threshold" else f"{quantity} (threshold falls)"
    )


# ---- shared ------------------------------------------------------------------------------


def _axes(ax: Axes | None) -> Axes:
    return plt.subplots(layout="constrained")[1] if ax is None else ax


def _most_persistent(diagram: Diagram, chosen: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the rows of the chosen points, most persistent first."""
    rows = np.flatnonzero(chosen)
    return rows[np.argsort(-diagram.persistence[rows], kind="stable")]


def _dot(colour: str, label: str, hollow: bool = False) -> Line2D:
    return _mark(colour, label, "^" if hollow else "o", hollow)


def _mark(colour: str, label: str, marker: str, hollow: bool = False) -> Line2D:
    return Line2D(
        [], [], ls="", color=colour, label=label,
        marker=marker, mfc="none" if hollow else colour,
    )  # fmt: skip


def _legend_below(ax: Axes, handles: list[Line2D], columns: int) -> None:
    """Put a legend under the label of the x axis, whatever the size of the axes."""
    down = ScaledTranslation(0, -36 / 72, ax.figure.dpi_scale_trans)
    ax.legend(
        handles=handles, loc="upper center", bbox_to_anchor=(0.5, 0), ncols=columns,
        bbox_transform=ax.transAxes + down, frameon=False, fontsize="small",
        handlelength=1.2, handletextpad=0.6, columnspacing=1.2, borderpad=0,
    )  # fmt: skip
