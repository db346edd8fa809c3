"""Marks of critical pixels: where features are born and die, in the colour of their dimension.

`Marks` holds where the pixels of a diagram lie in a picture, and which of them it shows at
all.  Several pictures of one image share a legend.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from pytopo.diagram import Diagram
from pytopo.plot.legend import (
    COLOURS,
    OUTLINE,
    feature_name,
    mark_handle,
    point_handle,
)

if TYPE_CHECKING:  # plots of diagrams do without torch
    from pytopo.loss.explanation import Explanation


@dataclass(frozen=True)
class Marks:
    """Where the critical pixels of a diagram lie in a picture, one row a point.

    Attributes
    ----------
    diagram : Diagram
    birth, death : (n, 2) ndarray
        Places (x, y).
    born, dies : (n,) bool
        Whether that happens in the picture at all; elsewhere the place means nothing.
    """

    diagram: Diagram
    birth: NDArray
    death: NDArray
    born: NDArray[np.bool_]
    dies: NDArray[np.bool_]

    @property
    def seen(self) -> NDArray[np.bool_]:
        """Which points have a pixel in the picture, (n,)."""
        return self.born | self.dies

    def draw(
        self,
        ax: Axes,
        rows: NDArray[np.int64],
        markers: tuple[str, str] = ("o", "^"),
        inside: str = "none",
        scale: float = 1,
    ) -> None:
        """Mark births and deaths of some points, and connect those that are both there.

        The areas of the marks are multiplied by ``scale``.
        """
        for d in self.diagram.dims:
            of_d = rows[self.diagram.dim[rows] == d]
            birth, death = self.birth[of_d], self.death[of_d]
            born, dies, colour = self.born[of_d], self.dies[of_d], COLOURS[d]
            both = born & dies
            gap = np.full((np.count_nonzero(both), 2), np.nan)
            path = np.stack([birth[both], death[both], gap], axis=1).reshape(-1, 2)
            ax.plot(*path.T, color=colour, lw=1.2 * scale, path_effects=OUTLINE, zorder=3)
            x, y = birth[born].T
            ax.scatter(
                x,
                y,
                36 * scale,
                colour,
                marker=markers[0],
                edgecolor="white",
                lw=scale,
                zorder=4,
            )
            x, y = death[dies].T
            ax.scatter(
                x, y, scale * (48 if inside == "none" else 30), marker=markers[1],
                facecolor=inside, edgecolor=colour, lw=1.4 * scale, path_effects=OUTLINE,
                zorder=5,
            )  # fmt: skip


def feature_handles(
    diagram: Diagram, rows: NDArray[np.int64], pictures: Sequence[Marks]
) -> list[Line2D]:
    """Return the entries of a legend for the marks of some points in one or more pictures."""
    handles = dimension_handles(diagram, rows)
    if any(marks.born[rows].any() for marks in pictures):
        handles.append(point_handle("0.3", "birth"))
    if any(marks.dies[rows].any() for marks in pictures):
        handles.append(point_handle("0.3", "death", hollow=True))
    return handles


def dimension_handles(diagram: Diagram, rows: NDArray[np.int64]) -> list[Line2D]:
    """Return the entries of a legend for the dimensions of some points."""
    return [
        point_handle(COLOURS[d], feature_name(d, diagram))
        for d in diagram.dims
        if d in diagram.dim[rows]
    ]


def costs(explanation: "Explanation") -> NDArray[np.float64]:
    """Return what each point of a prediction adds to the loss, (n,).

    That is its squared distance to its match, or to the diagonal if it is to be removed.
    Points that are in place add nothing; the essential component is left at 0.
    """
    found, target = explanation.prediction, explanation.target
    cost = np.zeros(len(found))
    row, match = explanation.fix.T
    cost[row] = (found.birth[row] - target.birth[match]) ** 2
    cost[row] += (found.death[row] - target.death[match]) ** 2
    cost[explanation.remove] = found.persistence[explanation.remove] ** 2 / 2
    return cost


@dataclass(frozen=True)
class Role:
    """The points that the loss fixes, or those that it removes.

    Attributes
    ----------
    words, marker : str
        In the legend.
    rows : (n,) int64
        Rows of the prediction.
    best : (k,) int64
        Those that cost most, in that order.
    """

    words: str
    marker: str
    rows: NDArray[np.int64]
    best: NDArray[np.int64]


def roles_of(
    explanation: "Explanation", top: int, seen: NDArray[np.bool_] | None = None
) -> tuple[Role, Role]:
    """Return the points to fix and those to remove, if they are seen in a picture."""
    cost = costs(explanation)

    def role(words: str, marker: str, rows: NDArray[np.int64]) -> Role:
        here = rows if seen is None else rows[seen[rows]]
        best = here[np.argsort(-cost[here], kind="stable")][:top]
        return Role(words, marker, here, best)

    fix, remove = explanation.fix[:, 0], explanation.remove
    return role("to fix", "o", fix), role("to remove", "X", remove)


def draw_critical(
    axes: Sequence[Axes],
    pictures: Sequence[Marks],
    explanation: "Explanation",
    top: int,
    painted: bool = False,
) -> list[Line2D]:
    """Mark the points to fix and to remove in one or more pictures.

    Where the features are painted, too, marks are smaller, and the legend says how.

    Returns the entries of a legend for the marks of all pictures.
    """
    found = explanation.prediction
    seen = np.any([marks.seen for marks in pictures], axis=0)
    roles = roles_of(explanation, top, seen)
    handles: list[Line2D] = []
    for role in roles[::-1]:  # what to fix lies on top
        for ax, marks in zip(axes, pictures):
            markers = (role.marker, role.marker)
            marks.draw(ax, role.best, markers, "white", 0.6 if painted else 1)
    for role, how in zip(roles, (" (filled)", " (hatched)")):
        if len(role.best):
            words = role.words + how * painted
            text = f"{words}: {some_of(role.best, role.rows)}"
            handles.append(mark_handle("0.3", text, role.marker))
    marked = np.concatenate([role.best for role in roles[::-1]])
    handles[:0] = dimension_handles(found, marked)
    if any(marks.born[marked].any() for marks in pictures):
        handles.append(mark_handle("0.3", "birth", "s"))
    if any(marks.dies[marked].any() for marks in pictures):
        handles.append(mark_handle("0.3", "death", "s", hollow=True))
    return handles


def some_of(shown: NDArray[np.int64], rows: NDArray[np.int64]) -> str:
    """Return how many are shown, and of how many if those are not all.

    Examples
    --------
    >>> some_of(np.arange(2), np.arange(5)), some_of(np.arange(5), np.arange(5))
    ('2 of 5', '5')
    """
    return f"{len(shown)} of {len(rows)}" if len(shown) < len(rows) else f"{len(rows)}"
