"""The cells of an image that have entered: vertices, edges, squares, and the values.

In construction V a pixel is a vertex, with its value in a circle; in T it is a square.  The
cells of a volume are drawn plane behind plane, those behind further up.
"""

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from pytopo.diagram import FEATURES
from pytopo.plot.legend import COLOURS, legend_below

if TYPE_CHECKING:  # pictures do without numba
    from pytopo.textbook.walk import Step, Walkthrough

YELLOW = "#F0E442"  # of Okabe and Ito: the cells of this step
ENTERED = "0.55"
_AHEAD = "0.72"

# Corners around the outline of a cell, by its dimension.  Corners are numbered as in binary,
# the column last; two of a cube lie inside.
_AROUND = ([0], [0, 1], [0, 1, 3, 2], [0, 4, 5, 7, 3, 2])


def draw_cells(ax: Axes, step: "Step") -> None:
    """Draw the cells that have entered, and the values of all pixels."""
    walk = step.walk
    outlines = _outlines(walk)
    ends = np.concatenate(outlines)
    low, high = ends.min(axis=0) - 0.45, ends.max(axis=0) + 0.45
    ax.set(xlim=(low[0], high[0]), ylim=(high[1], low[1]), aspect="equal")  # row 0 on top
    unit = min(points_of(ax) / (high - low))  # points from a pixel to the next
    if walk.construction == "V":
        room = diameter = min(28, 0.58 * unit)
    else:
        room, diameter = 0.8 * unit, min(7, 0.2 * unit)

    colours = _colours(step)
    entered = walk.filtration.dimension[: step.end]
    _draw_areas(ax, outlines, np.flatnonzero(entered >= 2), colours)
    _draw_edges(ax, outlines, np.flatnonzero(entered == 1), colours)
    _draw_vertices(ax, outlines, np.flatnonzero(entered == 0), colours, diameter)
    _write_values(ax, outlines, step, room)
    _label(ax, step)


def points_of(ax: Axes) -> NDArray[np.float64]:
    """Return width and height of Axes in points."""
    box = ax.get_window_extent()
    return np.array([box.width, box.height]) * 72 / ax.figure.dpi


# ---- where a cell lies -------------------------------------------------------------------


def _outlines(walk: "Walkthrough") -> list[NDArray[np.float64]]:
    """Return the outline of each cell: of a vertex one place (x, y), of an edge two."""
    grid = walk.filtration.coordinates(np.arange(len(walk.columns)))
    centre = (grid - (walk.construction == "T")) / 2 - (walk.frame is not None)
    return [_outline(c, np.flatnonzero(g % 2)) for c, g in zip(centre, grid)]


def _outline(centre: NDArray, along: NDArray) -> NDArray[np.float64]:
    """Return the outline of a cell that has length 1 along some axes."""
    corners = np.tile(centre, (2 ** len(along), 1))
    corners[:, along] += list(product((-0.5, 0.5), repeat=len(along)))
    return _projected(corners)[_AROUND[len(along)]]


def _projected(points: NDArray) -> NDArray[np.float64]:
    """Return places (x, y) of points (plane, row, column)."""
    plane, row, column = np.pad(points, ((0, 0), (3 - points.shape[1], 0))).T
    return np.column_stack([column + 0.4 * plane, row - 0.3 * plane])


# ---- how it looks ------------------------------------------------------------------------


@dataclass(frozen=True)
class _Colours:
    """How some cells are drawn; the others have entered, and are grey.

    Attributes
    ----------
    glowing : set of int
        The cells that are new or added up.
    line : dict of int to str
        Colours of cycles, and black for the other new cells.
    """

    glowing: set[int]
    line: dict[int, str]


def _colours(step: "Step") -> _Colours:
    glowing = set(range(step.first, step.end))
    line = dict.fromkeys(glowing, "k")
    for column in step.notable:
        glowing |= {*column.chain}
        colour = COLOURS[step.walk.feature_of[column.cell].dim]
        line |= dict.fromkeys(column.rows or column.chain, colour)
    return _Colours(glowing, line)


def _draw_areas(
    ax: Axes, outlines: list[NDArray], cells: NDArray[np.int64], colours: _Colours
) -> None:
    """Draw squares and cubes, a little smaller than they are; new ones have an edge."""
    fills: list[tuple[str, float]] = []
    edges = []
    for j in cells.tolist():
        line = colours.line.get(j, "none")
        edges.append("k" if line == "k" else "none")
        if line not in ("k", "none"):
            fills.append((line, 0.45))
        else:
            fills.append((YELLOW, 0.75) if j in colours.glowing else ("0.5", 0.18))
    shrunk = [0.8 * outlines[j] + 0.2 * outlines[j].mean(axis=0) for j in cells]
    ax.add_collection(
        PolyCollection(shrunk, facecolors=fills, edgecolors=edges, linewidths=2, zorder=1)
    )


def _draw_edges(
    ax: Axes, outlines: list[NDArray], cells: NDArray[np.int64], colours: _Colours
) -> None:
    """Draw edges as lines, on yellow if they glow."""
    glow = [outlines[j] for j in cells.tolist() if j in colours.glowing]
    ax.add_collection(
        LineCollection(glow, colors=YELLOW, linewidths=9, capstyle="round", zorder=2)
    )
    line = [colours.line.get(j, ENTERED) for j in cells.tolist()]
    width = [1.8 if colour == ENTERED else 3.5 for colour in line]
    ax.add_collection(
        LineCollection([outlines[j] for j in cells], colors=line, linewidths=width, zorder=3)
    )


def _draw_vertices(
    ax: Axes,
    outlines: list[NDArray],
    cells: NDArray[np.int64],
    colours: _Colours,
    diameter: float,
) -> None:
    """Draw vertices as circles, yellow if they glow."""
    if not cells.size:
        return
    x, y = np.concatenate([outlines[j] for j in cells]).T
    line = [colours.line.get(j, ENTERED) for j in cells.tolist()]
    ax.scatter(
        x, y, diameter**2, zorder=4, edgecolors=line,
        c=[YELLOW if j in colours.glowing else "white" for j in cells.tolist()],
        linewidths=[1.2 if colour == ENTERED else 2.8 for colour in line],
    )  # fmt: skip


# ---- values and words --------------------------------------------------------------------


def _write_values(ax: Axes, outlines: list[NDArray], step: "Step", room: float) -> None:
    """Write its value into each pixel, fainter as long as it has not entered."""
    walk = step.walk
    dim = 0 if walk.construction == "V" else walk.image.ndim
    pixels = np.flatnonzero(walk.filtration.dimension == dim).tolist()
    values = [walk.value(j) for j in pixels]
    texts = [_short(value, 3) for value in values]
    if 1.45 * room < 6 * max(map(len, texts)):  # the smallest letters that are read with ease
        texts = [_short(value, 2) for value in values]
    above = 0.2 if dim == 1 else 0  # a pixel that is an edge is a line
    for j, text in zip(pixels, texts):
        x, y = outlines[j].mean(axis=0)
        ax.text(
            x, y - above, text, ha="center", va="center_baseline", zorder=6,
            fontsize=np.clip(1.45 * room / len(text), 3, min(11, 0.5 * room)),
            color="k" if j < step.end else _AHEAD,
        )  # fmt: skip


def _short(value: float, digits: int) -> str:
    """Return a value with so many digits, or with all before the point if they are few."""
    whole = len(f"{abs(value):.0f}")
    return f"{value:.{max(digits, whole) if whole <= 6 else digits}g}"


def _label(ax: Axes, step: "Step") -> None:
    """Label the picture: axes, title, legend."""
    walk = step.walk
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0, labelcolor="0.35", labelsize="small")
    ax.set_xlabel("column")
    ax.xaxis.set_major_locator(MaxNLocator(nbins=10, integer=True))
    if walk.image.ndim == 2:
        ax.set_ylabel("row")
        ax.yaxis.set_major_locator(MaxNLocator(nbins=10, integer=True))
    else:
        ax.set_yticks([])
    ax.set_title(f"{step.end} of {len(walk.columns)} cells", fontsize="medium")
    handles = [Patch(fc=YELLOW, ec="0.4", lw=0.5, label="new or added up")]
    handles += [
        Patch(fc=COLOURS[d], label=f"cycle of a {name.removesuffix('s')}")
        for d, name in enumerate(FEATURES[walk.image.ndim])
    ]
    legend_below(ax, handles, columns=2)
