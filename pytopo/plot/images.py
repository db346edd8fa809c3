"""Images, and over them the pixels where features are born and die."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike, NDArray

from pytopo.diagram import Diagram
from pytopo.plot.legend import (
    COLOURS,
    OUTLINE,
    dot_handle,
    feature_name,
    given_or_new,
    legend_below,
    mark_handle,
    most_persistent,
)
from pytopo.plot.span import Span, Ticks, span_of

if TYPE_CHECKING:  # plots of diagrams do without torch
    from pytopo.loss import Explanation

_Locate = Callable[[NDArray[np.int64]], NDArray]  # coordinates of pixels (k, ndim) to (x, y)


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
    ax = given_or_new(ax)
    birth, death = diagram.birth_index, diagram.death_index
    born, dies = birth[:, 0] >= 0, death[:, 0] >= 0
    if section is not None:
        ax.set_title(f"section {section} of {diagram.shape[0]}")
        born, dies = birth[:, 0] == section, death[:, 0] == section
        birth, death = birth[:, 1:], death[:, 1:]

    locate = _draw_curve(ax, values, diagram) if values.ndim == 1 else _draw_pixels(ax, values)
    rows = most_persistent(diagram, born | dies)[:top]
    for d in diagram.dims:
        of_d = rows[diagram.dim[rows] == d]
        _draw_features(
            ax, locate(birth[of_d]), locate(death[of_d]), born[of_d], dies[of_d], COLOURS[d]
        )
    shown = [d for d in diagram.dims if d in diagram.dim[rows]]
    handles = [dot_handle(COLOURS[d], feature_name(d, diagram)) for d in shown]
    handles += [dot_handle("0.3", "birth")] if born[rows].any() else []
    handles += [dot_handle("0.3", "death", hollow=True)] if dies[rows].any() else []
    if handles:
        legend_below(ax, handles, columns=len(handles))
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
    ax = given_or_new(ax)
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
            handles.insert(0, mark_handle("0.3", f"{words}: {counted}", marker))
        shown.append(best)
    marked = np.concatenate(shown)
    handles[:0] = [
        dot_handle(COLOURS[d], feature_name(d, found)) for d in sorted({*found.dim[marked]})
    ]
    handles += [mark_handle("0.3", "birth", "s")] if born[marked].any() else []
    handles += [mark_handle("0.3", "death", "s", hollow=True)] if dies[marked].any() else []
    if handles:
        legend_below(ax, handles, columns=(len(handles) + 1) // 2 if len(handles) > 4 else 4)
    return ax


# ---- pixels ------------------------------------------------------------------------------


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
    span = span_of(values)
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
        axis.set_major_locator(Ticks(Span(0, length - 1), [], integer=True))
    return lambda index: index[:, ::-1]


def _draw_curve(ax: Axes, values: NDArray, diagram: Diagram) -> _Locate:
    """Draw an image of one axis as the function that its construction makes of it."""
    span = span_of(values)
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
    ax.plot(*path.T, color=colour, lw=1.2, path_effects=OUTLINE, zorder=3)
    x, y = birth[born].T
    ax.scatter(x, y, 36, colour, marker=markers[0], edgecolor="white", lw=1, zorder=4)
    x, y = death[dies].T
    ax.scatter(
        x, y, 48 if inside == "none" else 30, marker=markers[1], facecolor=inside,
        edgecolor=colour, lw=1.4, path_effects=OUTLINE, zorder=5,
    )  # fmt: skip
