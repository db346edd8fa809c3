"""A likelihood and its ground truth, and over them what the topological loss pulls at."""

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from numpy.typing import ArrayLike, NDArray

from pytopo.diagram import Diagram
from pytopo.options import whole_number
from pytopo.plot.areas import area_handle, draw_seeds, label_images, paint
from pytopo.plot.images import checked_section, draw_pixels, marks_of
from pytopo.plot.legend import COLOURS, given_or_new, legend_below
from pytopo.plot.marks import dimension_handles, draw_critical, roles_of, some_of
from pytopo.plot.span import span_of

if TYPE_CHECKING:  # plots of diagrams do without torch
    from pytopo.loss.explanation import Explanation


def critical(
    likelihood: ArrayLike,
    explanation: "Explanation",
    ax: Axes | None = None,
    *,
    top: int = 20,
    section: int | None = None,
) -> Axes:
    """Draw a likelihood, and over it the features and pixels at which the loss pulls.

    Features to fix are filled, those to remove hatched.  Circles are the critical pixels of the
    former, crosses those of the latter: solid where the feature is born, hollow where it dies,
    and connected by a line.  What happens in the frame is not marked, and in a section of a
    volume there are marks only.

    Parameters
    ----------
    likelihood : array_like, (H, W) or (D, H, W)
        What was explained, one image and channel of it.  Of a volume a section is drawn.
    explanation : Explanation
        See `pytopo.TopologicalLoss.explain`.
    ax : Axes or None
        Where to draw; ``None`` for a new figure.
    top : int
        How many features to draw of either kind, those that cost most; the legend says of how
        many.
    section : int or None
        Which section of a volume, counted from 0; ``None`` for the one in the middle.

    Raises
    ------
    TypeError
        If ``top`` is not a whole number.
    ValueError
        If ``top`` is negative, or the likelihood has not the shape of what was explained, or
        not that section.

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
    ['holes (dim 1)', 'to fix (filled): 1', 'birth', 'death']
    """
    top = whole_number(top, "top")
    found = explanation.prediction
    values, section = checked_section(np.asarray(likelihood), found, section, "likelihood")
    ax = given_or_new(ax)
    if section is not None:
        ax.set_title(f"section {section} of {found.shape[0]}")
    marks = marks_of(found, section, draw_pixels(ax, values, span_of(values)))
    if section is None:
        fix, remove = (role.best for role in roles_of(explanation, top, marks.seen))
        matched = np.setdiff1d(np.arange(len(found)), explanation.remove)
        _paint_both(ax, values, found, fix, remove, matched)
    handles = draw_critical([ax], [marks], explanation, top, painted=section is None)
    if handles:
        legend_below(ax, handles, columns=(len(handles) + 1) // 2 if len(handles) > 4 else 4)
    return ax


def target(
    target: ArrayLike, explanation: "Explanation", ax: Axes | None = None, *, top: int = 20
) -> Axes:
    """Draw a ground truth, and over it what the prediction has in the same place, or lacks.

    Features whose match is to be fixed are filled, those without match hatched, and each has a
    mark where it lives longest.  Meant for
    features that are matched by place (``matching="betti"``): by cost, which of several equal
    features has the match is arbitrary.

    Parameters
    ----------
    target : array_like, (H, W)
        The ground truth of what was explained.
    explanation : Explanation
        See `pytopo.TopologicalLoss.explain`.
    ax : Axes or None
        Where to draw; ``None`` for a new figure.
    top : int
        How many features to draw of either kind: those whose match costs most, and the most
        persistent without match.

    Raises
    ------
    TypeError
        If ``top`` is not a whole number.
    ValueError
        If ``top`` is negative, or the ground truth has not the shape of what was explained, or
        not two axes.

    Examples
    --------
    A ring of which the likelihood has half a ring only:

    >>> import torch, pytopo
    >>> truth = torch.zeros(1, 1, 5, 5)
    >>> truth[..., :3, :3] = 1
    >>> truth[..., 1, 1] = 0
    >>> likelihood = truth.clone()
    >>> likelihood[..., 2] = 0
    >>> (explanation,) = pytopo.TopologicalLoss(matching="betti").explain(likelihood, truth)
    >>> ax = pytopo.plot.target(truth[0, 0], explanation)
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['holes (dim 1)', 'missing: 1']
    """
    top = whole_number(top, "top")
    truth = explanation.target
    values, section = checked_section(np.asarray(target), truth, None, "target")
    if values.ndim != 2 or section is not None:
        raise ValueError(f"target has shape {truth.shape}; expected (H, W)")
    ax = given_or_new(ax)
    marks = marks_of(truth, None, draw_pixels(ax, values, span_of(values)))
    fixed, _ = roles_of(explanation, top)
    partner = dict(explanation.fix.tolist())
    fix = np.array([partner[row] for row in fixed.best.tolist()], np.int64)
    order = np.argsort(-truth.persistence[explanation.missing], kind="stable")
    missing = explanation.missing[order][:top]
    shown = np.concatenate([fix, missing])
    _paint_both(ax, values, truth, fix, missing, np.arange(len(truth)))
    draw_seeds(ax, marks, fix, "o", [COLOURS[d] for d in truth.dim[fix]])
    draw_seeds(ax, marks, missing, "X", [COLOURS[d] for d in truth.dim[missing]])
    handles: list[Artist] = [*dimension_handles(truth, shown)]
    if len(fix):
        handles.append(area_handle("0.3", f"match to fix: {some_of(fix, fixed.rows)}"))
    if len(missing):
        count = some_of(missing, explanation.missing)
        handles.append(area_handle("0.3", f"missing: {count}", hatched=True))
    if handles:
        legend_below(ax, handles, columns=2 if len(handles) == 4 else 3)
    return ax


def _paint_both(
    ax: Axes,
    values: NDArray,
    diagram: Diagram,
    filled: NDArray[np.int64],
    hatched: NDArray[np.int64],
    beside: NDArray[np.int64],
) -> None:
    """Fill some features and hatch others over them, in the colours of their dimensions.

    Features ``beside`` them keep their own pixels, unpainted.
    """
    for rows, is_hatched in ((filled, False), (hatched, True)):
        colours = [COLOURS[d] for d in diagram.dim[rows]]
        for labels in label_images(values, diagram, rows, beside):
            paint(ax, labels, colours, is_hatched)
