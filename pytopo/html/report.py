"""The two reports: of a diagram, and of what the topological loss does to one."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pytopo.diagram import FEATURES, Diagram
from pytopo.html.controls import VIEWS
from pytopo.html.cuts import cuts_of
from pytopo.html.page import Report, Target, fitting_image, page
from pytopo.html.points import Kind, Points
from pytopo.html.regions import regions_of
from pytopo.order import checked_image
from pytopo.plot import COLOURS
from pytopo.plot.marks import costs

if TYPE_CHECKING:  # reports of diagrams do without torch
    from pytopo.loss.explanation import Explanation

MARKERS = ("circle", "square", "triangle")
ROLES = {"in place": "hex", "to fix": "circle", "to remove": "plus"}
TO_FIX, TO_REMOVE = 1, 2
MARKED = (
    "Purple is what has entered at the threshold; points in the purple quadrant are alive, and "
    "their pixels are marked: filled where they are born, hollow where they die."
)


def diagram_report(
    image: ArrayLike,
    diagram: Diagram,
    *,
    title: str = "Persistence diagram",
    note: str = "",
    cut: float = 0.0,
    view: str = "regions",
) -> Report:
    """Make an interactive report of an image and its persistence diagram.

    Parameters
    ----------
    image : array_like, (W,), (H, W) or (D, H, W)
        The image of the diagram.
    diagram : Diagram
    title : str
        Shown as it is: what looks like HTML in it does nothing.
    note : str
        A line under the title.
    cut : float
        The least persistence of a point that is shown at first, and of a feature that has a
        region.  If these are more than 500, the page starts with the most persistent ones.
    view : {"regions", "threshold"}
        What the image shows at first: regions, or what has entered at the threshold.

    Raises
    ------
    TypeError, ValueError
        If the image is not the one that the diagram is of, or has more than 2**24 pixels; if
        the cut is not a number of at least 0, or the view is neither.

    Examples
    --------
    >>> import numpy as np, pytopo
    >>> ring = np.array([[0, 0, 0], [0, 9, 0], [0, 0, 0]])
    >>> diagram_report(ring, pytopo.persistence(ring), title="A ring")
    <Report: A ring>
    """
    if view not in VIEWS:
        raise ValueError(f"view is {view!r}; expected {' or '.join(map(repr, VIEWS))}")
    values = fitting_image(image, diagram)
    kinds = [
        Kind(f"{_singular(diagram, d)} (dim {d})", COLOURS[d], MARKERS[d]) for d in diagram.dims
    ]
    kind = np.searchsorted(diagram.dims, diagram.dim)
    points = Points(diagram, kinds, kind, always=np.zeros(len(diagram), bool))
    cuts = cuts_of(points, cut)
    regions = regions_of(checked_image(image), points, cuts)
    return page(
        values, points, cuts, regions, title=title, note=note, caption=MARKED, view=view
    )


def loss_report(
    likelihood: ArrayLike,
    explanation: "Explanation",
    *,
    title: str = "Topological loss",
    note: str = "",
    cut: float = 0.0,
) -> Report:
    """Make an interactive report of what the topological loss does to a likelihood.

    Parameters
    ----------
    likelihood : array_like, (H, W) or (D, H, W)
        What was explained, one image and channel of it.
    explanation : Explanation
        See `pytopo.TopologicalLoss.explain`.
    title : str
        Shown as it is: what looks like HTML in it does nothing.
    note : str
        A line under the title.
    cut : float
        The least persistence of a point that is shown at first, and of a feature that has a
        region.  If these are more than 500, the page starts with the most persistent ones.

    Raises
    ------
    TypeError, ValueError
        If the likelihood is not what was explained, or has more than 2**24 pixels; if the cut
        is not a number of at least 0.

    Examples
    --------
    A ring with a gap of likelihood 0.7:

    >>> import torch, pytopo
    >>> truth = torch.zeros(1, 1, 5, 5)
    >>> truth[..., :3, :3] = 1
    >>> truth[..., 1, 1] = 0
    >>> likelihood = truth.clone()
    >>> likelihood[0, 0, 0, 1] = 0.7
    >>> (explanation,) = pytopo.TopologicalLoss().explain(likelihood, truth)
    >>> loss_report(likelihood[0, 0], explanation)
    <Report: Topological loss>
    """
    found, target = explanation.prediction, explanation.target
    values = fitting_image(likelihood, found, "likelihood")
    kinds = [
        Kind(f"{_singular(found, d)} {role}", COLOURS[d], marker)
        for role, marker in ROLES.items()
        for d in found.dims
    ]
    roles = _roles(explanation)
    goal, width = _goals(explanation)
    points = Points(
        found,
        kinds,
        kind=roles * len(found.dims) + np.searchsorted(found.dims, found.dim),
        always=roles == TO_FIX,
        goal=goal,
        width=width,
        remark=_remarks(explanation),
    )
    caption = (
        f"{MARKED} Those to fix are marked at every threshold. Open squares are the points "
        "of the ground truth, crossed if nothing is matched to them; a line leads from each "
        "point to where the loss pulls it."
    )
    cuts = cuts_of(points, cut)
    return page(
        values, points, cuts, regions_of(values, points, cuts),
        title=title, note=note, caption=caption, view="threshold",
        target=Target(target, explanation.missing),
    )  # fmt: skip


def _roles(explanation: "Explanation") -> NDArray[np.int64]:
    """Return what happens to each point, as an index of `ROLES`, (n,)."""
    roles = np.zeros(len(explanation.prediction), np.int64)
    roles[explanation.fix[:, 0]] = TO_FIX
    roles[explanation.remove] = TO_REMOVE
    return roles


def _goals(explanation: "Explanation") -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """Return where the loss pulls each point, (n, 2), and the width of that line, (n,)."""
    found, target = explanation.prediction, explanation.target
    goal = np.full((len(found), 2), np.nan)
    row, match = explanation.fix.T
    goal[row] = np.stack([target.birth[match], target.death[match]], axis=1)
    goal[found.essential, 0] = target.birth[target.essential]
    goal[found.essential, 1] = found.death[found.essential]
    # A point to remove goes straight to the diagonal, half-way between birth and death.
    removed = explanation.remove
    goal[removed] = ((found.birth[removed] + found.death[removed]) / 2)[:, None]
    width = np.full(len(found), 1.8, np.float32)
    width[removed] = 0.7
    return goal, width


def _remarks(explanation: "Explanation") -> list[str]:
    """Return what to say of each point: where the loss pulls it, and what it costs."""
    target, cost = explanation.target, costs(explanation)
    remarks = [""] * len(explanation.prediction)
    for row, match in explanation.fix.tolist():
        birth, death = target.birth[match], target.death[match]
        remarks[row] = f"; expected: {birth:.6g} to {death:.6g}, costs {cost[row]:.4g}"
    for row in explanation.remove.tolist():
        remarks[row] = f"; expected: none, costs {cost[row]:.4g}"
    return remarks


def _singular(diagram: Diagram, dim: int) -> str:
    return FEATURES[len(diagram.shape)][dim].removesuffix("s")
