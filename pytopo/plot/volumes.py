"""Three orthogonal sections through one voxel of a volume, and the critical voxels near them.

The sections share their axes: what is in one lies straight below it, or straight to the right
of it, in another.  Thin lines show where the other two pass.

            column       plane
          .---------.   .-----.
          |     |   |   | |   |
    row   |-----+---|   |-+---|   row
          |     |   |   | |   |
          '---------'   '-----'
          .---------.
    plane |-----+---|
          '---------'
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.font_manager import FontProperties
from matplotlib.gridspec import GridSpec, SubplotSpec
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike, NDArray

from pytopo.diagram import Diagram
from pytopo.options import integers, whole_number
from pytopo.plot.images import draw_pixels
from pytopo.plot.legend import legend_below, most_persistent
from pytopo.plot.marks import Marks, costs, draw_critical, feature_handles
from pytopo.plot.span import span_of

if TYPE_CHECKING:  # plots of diagrams do without torch
    from pytopo.loss.explanation import Explanation

_AXES = ("plane", "row", "column")
_UP_AND_ACROSS = ((1, 2), (0, 2), (1, 0))  # axes of the volume along y and x of its sections
_THINNEST = 1 / 8  # of the longest side; a volume that is thinner is drawn that thick
_ROOM = 0.02  # of the longest side, for the marks of voxels at the border
_LINE = "#F0E442"  # yellow of Okabe and Ito


def sections(
    volume: ArrayLike,
    diagram: Diagram,
    ax: Sequence[Axes] | None = None,
    *,
    at: tuple[int, int, int] | None = None,
    top: int = 10,
    reach: int = 2,
) -> list[Axes]:
    """Draw the three sections through a voxel, and the critical voxels in and beside them.

    A disc marks the birth, a triangle the death, a line connects them where both are there.
    Voxels have equal sides, but for a volume that is very thin.

    Parameters
    ----------
    volume : array_like, (D, H, W)
        The image of the diagram.
    diagram : Diagram
    ax : sequence of three Axes or None
        Where to draw the sections of one plane, one row and one column; ``None`` for a new
        figure.
    at : (plane, row, column) or None
        The voxel, counted from 0; ``None`` for one that shows the most persistent feature
        which is not essential: where a component is born, where a tunnel or void dies.  Of
        equals the one nearest to the middle is taken.
    top : int
        How many features to mark, the most persistent of those that are born or die in
        reach of a section.
    reach : int
        How many voxels beside a section a critical voxel may lie to be marked in it.

    Returns
    -------
    ax : list of three Axes

    Raises
    ------
    TypeError
        If ``top`` or ``reach`` is not a whole number.
    ValueError
        If one of them is negative, if the volume has not three axes or not the shape that the
        diagram is of, if it has no such voxel, or if there are not three Axes.

    Examples
    --------
    A dark shell around a bright voxel is one void, which dies at that voxel:

    >>> import numpy as np, pytopo
    >>> ball = np.pad(np.full((1, 1, 1), 9), 2)
    >>> plane, row, column = pytopo.plot.sections(ball, pytopo.persistence(ball))
    >>> plane.get_title(), row.get_title(), column.get_title()
    ('plane 2', 'row 2', 'column 2')
    """
    top, reach = whole_number(top, "top"), whole_number(reach, "reach")
    values = _checked_volume(np.asarray(volume), diagram, "volume")
    if at is None:
        at = _best_voxel(diagram, np.where(diagram.essential, -1, diagram.persistence))
    at = checked_voxel(at, diagram.shape)
    axes = _given_or_new(ax, diagram.shape)
    pictures = _draw_sections(axes, values, diagram, at, reach)
    rows = most_persistent(diagram, np.any([marks.seen for marks in pictures], axis=0))[:top]
    for section, marks in zip(axes, pictures):
        marks.draw(section, rows)
    _add_legend(axes[1], feature_handles(diagram, rows, pictures), reach)
    return axes


def critical_sections(
    likelihood: ArrayLike,
    explanation: "Explanation",
    ax: Sequence[Axes] | None = None,
    *,
    at: tuple[int, int, int] | None = None,
    top: int = 20,
    reach: int = 2,
) -> list[Axes]:
    """Draw three sections of a likelihood, and the voxels at which the topological loss pulls.

    The marks are those of `critical`, the sections those of `sections`.

    Parameters
    ----------
    likelihood : array_like, (D, H, W)
        What was explained, one image and channel of it.
    explanation : Explanation
        See `pytopo.TopologicalLoss.explain`.
    ax : sequence of three Axes or None
        Where to draw the sections of one plane, one row and one column; ``None`` for a new
        figure.
    at : (plane, row, column) or None
        The voxel, counted from 0; ``None`` for one of the point that costs most: where a
        component is born, where a tunnel or void dies.
    top : int
        How many points to mark of either kind, those that cost most of those in reach of a
        section; the legend says of how many.
    reach : int
        How many voxels beside a section a critical voxel may lie to be marked in it.

    Returns
    -------
    ax : list of three Axes

    Raises
    ------
    TypeError
        If ``top`` or ``reach`` is not a whole number.
    ValueError
        If one of them is negative, if the likelihood has not three axes or not the shape of
        what was explained, if it has no such voxel, or if there are not three Axes.

    Examples
    --------
    >>> import torch, pytopo
    >>> truth = torch.zeros(1, 1, 3, 4, 5)
    >>> likelihood = truth.clone()
    >>> likelihood[0, 0, 1, 2, 3], likelihood[0, 0, 0, 0, 0] = 0.4, 1.0
    >>> (explanation,) = pytopo.TopologicalLoss(0).explain(likelihood, truth)
    >>> axes = pytopo.plot.critical_sections(likelihood[0, 0], explanation)
    >>> [section.get_title() for section in axes]
    ['plane 1', 'row 2', 'column 3']
    """
    top, reach = whole_number(top, "top"), whole_number(reach, "reach")
    found = explanation.prediction
    values = _checked_volume(np.asarray(likelihood), found, "likelihood")
    at = _best_voxel(found, costs(explanation)) if at is None else at
    at = checked_voxel(at, found.shape)
    axes = _given_or_new(ax, found.shape)
    pictures = _draw_sections(axes, values, found, at, reach)
    _add_legend(axes[1], draw_critical(axes, pictures, explanation, top), reach)
    return axes


# ---- which voxel -------------------------------------------------------------------------


def checked_voxel(at: Sequence[int], shape: tuple[int, ...]) -> tuple[int, int, int]:
    """Return a voxel that a volume of this shape has.

    Raises
    ------
    ValueError
        If it is not three integers, or outside the volume.
    """
    index = integers(at)
    if index is None or len(index) != 3 or not all(0 <= i < n for i, n in zip(index, shape)):
        raise ValueError(
            f"a volume of shape {shape} has no voxel {at if index is None else tuple(index)}; "
            f"expected (plane, row, column), from (0, 0, 0) to {tuple(n - 1 for n in shape)}"
        )
    return _triple(index)


def _best_voxel(diagram: Diagram, weight: NDArray) -> tuple[int, int, int]:
    """Return the voxel that shows the point of the largest weight best: inside its feature.

    That is the birth of a component, and the death of a tunnel or void; the other one if
    that is in the frame.  Of equals the one nearest to the middle of the volume is taken.
    """
    component = diagram.dim == 0
    first = np.where(component, diagram.birth_pixel, diagram.death_pixel)
    second = np.where(component, diagram.death_pixel, diagram.birth_pixel)
    pixel = np.where(first >= 0, first, second)
    there = pixel >= 0
    middle = tuple(n // 2 for n in diagram.shape)
    if not there.any():
        return _triple(middle)
    best = pixel[there & (weight == weight[there].max())]
    voxels = np.column_stack(np.unravel_index(best, diagram.shape))
    far = (((voxels - middle) / diagram.shape) ** 2).sum(axis=1)
    return _triple(voxels[far.argmin()].tolist())


def _triple(index: Sequence[int]) -> tuple[int, int, int]:
    plane, row, column = index
    return plane, row, column


# ---- the sections ------------------------------------------------------------------------


def section_axes(place: SubplotSpec, shape: tuple[int, ...]) -> list[Axes]:
    """Put the Axes of the sections of one plane, one row and one column into a figure.

    Parameters
    ----------
    place : SubplotSpec
        The room for the three together, like ``figure.add_gridspec(1, 2)[0]``.
    shape : (D, H, W)
        Shape of the volume.
    """
    depth, height, width = _lengths(shape) + 2 * _ROOM * _lengths(shape).max()
    grid = place.subgridspec(
        2, 2, width_ratios=[width, depth], height_ratios=[height, depth],
        wspace=0.08, hspace=0.16,
    )  # fmt: skip
    figure = grid.figure
    assert figure is not None
    plane = figure.add_subplot(grid[0, 0])
    row = figure.add_subplot(grid[1, 0], sharex=plane)
    column = figure.add_subplot(grid[0, 1], sharey=plane)
    return [plane, row, column]


def _given_or_new(ax: Sequence[Axes] | None, shape: tuple[int, ...]) -> list[Axes]:
    if ax is None:
        import matplotlib.pyplot as plt

        figure = plt.figure(figsize=(7, 6.4))
        whole = GridSpec(1, 1, figure, left=0.11, right=0.97, bottom=0.21, top=0.94)
        return section_axes(whole[0], shape)
    if len(ax) != 3:
        raise ValueError(
            f"ax has {len(ax)} Axes; expected three, for the sections of a plane, a row and a "
            "column"
        )
    return list(ax)


def _checked_volume(values: NDArray, diagram: Diagram, name: str) -> NDArray:
    """Return a volume that has the shape of its diagram."""
    if values.ndim != 3 or values.shape != diagram.shape:
        raise ValueError(
            f"{name} has shape {values.shape}; expected a volume (D, H, W), and the diagram is "
            f"of an image of shape {diagram.shape}"
        )
    return values


def _lengths(shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Return how long the sides of a volume are drawn: in voxels, unless it is very thin."""
    return np.maximum(shape, _THINNEST * max(shape))


def _draw_sections(
    axes: Sequence[Axes], values: NDArray, diagram: Diagram, at: Sequence[int], reach: int
) -> list[Marks]:
    """Draw the three sections; return where the critical voxels in their reach lie."""
    planes = [values[at[0]], values[:, at[1]], values[:, :, at[2]].T]
    span = span_of(*planes)
    birth, death = diagram.birth_index, diagram.death_index
    pictures = []
    for axis, (ax, plane, sides) in enumerate(zip(axes, planes, _UP_AND_ACROSS)):
        locate = draw_pixels(ax, plane, span)
        _lay_out(ax, diagram.shape, sides)
        ax.set_title(f"{_AXES[axis]} {at[axis]}", fontsize="medium", pad=3)
        _draw_cross(ax, [at[i] for i in sides])
        near = [
            (index[:, axis] >= 0) & (abs(index[:, axis] - at[axis]) <= reach)
            for index in (birth, death)
        ]
        places = [locate(index[:, sides]) for index in (birth, death)]
        pictures.append(Marks(diagram, *places, *near))
    plane, row, column = axes
    for ax, anchor in ((plane, "SE"), (row, "NE"), (column, "SW")):  # close to each other
        ax.set_anchor(anchor)
    plane.set_xlabel("")
    column.set_ylabel("")
    plane.tick_params(bottom=False, labelbottom=False)
    column.tick_params(left=False, labelleft=False)
    return pictures


def _lay_out(ax: Axes, shape: tuple[int, ...], sides: tuple[int, int]) -> None:
    """Give a section the limits, the labels and the stretch of two axes of the volume."""
    lengths = _lengths(shape)
    stretch = lengths / shape
    room = _ROOM * lengths.max() / stretch  # in voxels
    low, high = -0.5 - room, np.array(shape) - 0.5 + room
    up, across = sides
    ax.set(
        xlabel=_AXES[across], ylabel=_AXES[up],
        xlim=(low[across], high[across]), ylim=(high[up], low[up]),
        aspect=stretch[up] / stretch[across],
    )  # fmt: skip
    for side, axis in ((across, ax.xaxis), (up, ax.yaxis)):
        locator = axis.get_major_locator()
        assert isinstance(locator, MaxNLocator)
        locator.set_params(nbins=max(3, round(6 * lengths[side] / lengths.max())))


def _draw_cross(ax: Axes, place: list[int]) -> None:
    """Draw thin lines where the other two sections pass through this one."""
    y, x = place
    outline = [withStroke(linewidth=1.4, foreground="0.2", alpha=0.5)]
    ax.axhline(y, color=_LINE, lw=0.6, path_effects=outline, zorder=2)
    ax.axvline(x, color=_LINE, lw=0.6, path_effects=outline, zorder=2)


def _add_legend(ax: Axes, handles: list[Line2D], reach: int) -> None:
    """Add a legend: what is marked, and how far from a section that may lie."""
    if not handles:
        return
    legend_below(ax, handles, columns=3)
    legend = ax.get_legend()
    if legend is not None and reach > 0:
        beside = f"up to {reach} voxel{'s' * (reach > 1)} beside it"
        legend.set_title(f"in a section or {beside}", FontProperties(size="small"))
