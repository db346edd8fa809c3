"""How many points of a diagram lie in one place, written beside it."""

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from pytopo.diagram import Diagram
from pytopo.plot.legend import COLOURS, OUTLINE

MOST = 5  # numbers in a diagram
ROOM = (0.07, 0.04)  # of a number, as a part of the axes


def write_multiplicity(
    ax: Axes, diagram: Diagram, rows: NDArray[np.int64], places: NDArray[np.float64]
) -> None:
    """Write beside coincident points how many there are, of each dimension in its colour.

    The largest numbers are written, as far as there is room.

    Parameters
    ----------
    ax : Axes
        With its limits.
    diagram : Diagram
    rows : (k,) int64
        The points to count.
    places : (n, 2) float64
        Where each point of the diagram lies.
    """
    where, group = np.unique(places[rows], axis=0, return_inverse=True)
    number = np.bincount(group.ravel(), minlength=len(where))
    room = np.array(ROOM) * np.ptp(ax.get_xlim())
    written = np.zeros((0, 2))
    for i in np.argsort(-number, kind="stable"):
        if number[i] == 1 or len(written) >= MOST:
            break
        dims = diagram.dim[rows[group.ravel() == i]]
        found = sorted(set(dims.tolist()))
        wanted = where[i] - [[0, room[1] * line] for line in range(len(found))]
        if (np.abs(written[:, None] - wanted) < room).all(axis=2).any():
            continue
        written = np.concatenate([written, wanted])
        for line, d in enumerate(found):
            ax.annotate(
                f"\N{MULTIPLICATION SIGN}{np.count_nonzero(dims == d)}", where[i],
                (7, -11 * line), textcoords="offset points", ha="left", va="center",
                fontsize="small", fontweight="bold", color=COLOURS[d], path_effects=OUTLINE,
                zorder=6,
            )  # fmt: skip


def higher_beside(
    diagram: Diagram, rows: NDArray[np.int64], places: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Count for some points in how many higher dimensions another of them is in the same place.

    Parameters
    ----------
    diagram : Diagram
    rows : (k,) int64
    places : (n, 2) float64
        Where each point of the diagram lies.

    Returns
    -------
    count : (n,) int64
        0 for all other points.
    """
    count = np.zeros(len(diagram), np.int64)
    _, group = np.unique(places[rows], axis=0, return_inverse=True)
    group, dim = group.ravel(), diagram.dim[rows]
    for d in diagram.dims[1:]:
        count[rows] += np.isin(group, group[dim == d]) & (dim < d)
    return count
