"""Lesson 3: the boundary matrix and its reduction, column by column."""

import numpy as np
from drawing import HOLE, IMAGE, em_patch, lows, matrix, panels
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from pytopo import textbook

CORNER = IMAGE[:3, :3]


def boundary() -> Figure:
    figure, ((ax,),) = panels(1, 1, 5.6, title=0)
    f = textbook.lower_star_filtration(CORNER)
    entries = f.boundary().toarray()
    matrix(ax, entries, lows(entries), f.dimension, bold=(15, 24))
    _name_cells(ax, f)
    return figure


def reduced() -> Figure:
    figure, ((ax,),) = panels(1, 1, 5.6, title=0)
    f = textbook.lower_star_filtration(CORNER)
    entries = textbook.reduce_filtration(f, clearing=False).reduced().toarray()
    matrix(ax, entries, lows(entries), f.dimension, bold=(15, 24))
    _name_cells(ax, f)
    return figure


def column_15() -> Figure:
    """The edge between 7 and 10 follows the ring and finds nothing at its end."""
    return _steps(15, 2, 4)


def column_24() -> Figure:
    """The last square takes the other three in, until their boundary is the ring."""
    return _steps(24, 1, 4)


def micrograph() -> Figure:
    """Where the ones are, before and after, in a corner of the micrograph."""
    f = textbook.lower_star_filtration(em_patch()[:12, :12])
    after = textbook.reduce_filtration(f, clearing=False).reduced()
    figure, axes = panels(1, 2, 4.2)
    for ax, entries, when in zip(axes[0], (f.boundary(), after), ("before", "after")):
        ax.spy(entries.toarray(), marker="s", ms=1.2, color="0.3")
        ax.set(xticks=[], yticks=[])
        ax.set_title(f"{when}: {entries.nnz} ones", fontsize=10)
        for side in ax.spines.values():
            side.set_visible(True)
    return figure


def _name_cells(ax: Axes, f: textbook.Filtration) -> None:
    """Number rows and columns; above the columns, the values of their owners."""
    n = f.cell.size
    ax.set_xticks(range(n), [str(CORNER.ravel()[p]) for p in f.pixel], fontsize=7)
    ax.set_yticks(range(n), range(n), fontsize=7)
    ax.xaxis.tick_top()
    ax.tick_params(length=0)
    for j in range(n):
        ax.text(j, n + 0.1, j, ha="center", va="center", fontsize=7, clip_on=False)


def _steps(j: int, rows: int, columns: int) -> Figure:
    """Draw a column as cells of the corner, after each addition."""
    f = textbook.lower_star_filtration(CORNER)
    states = _states(f, j)
    figure, axes = panels(rows, columns, 2.3, title=0.35)
    for ax, (column, added) in zip(axes.ravel(), states):
        _draw_column(ax, f, column, j)
        low = column.max() if column.size else None
        title = f"column {j}" if added is None else f"+ column {added}"
        end = "empty" if low is None else f"low {low}"
        ax.set_title(f"{title}: {end}", fontsize=10)
    return figure


def _states(f: textbook.Filtration, j: int) -> list[tuple[NDArray, int | None]]:
    """Return what column j is after each addition, and which column was added."""
    before = f.boundary().toarray()
    after = textbook.reduce_filtration(f, clearing=False).reduced().toarray()
    low = lows(after[:, :j])
    column = before[:, j].copy()
    states: list[tuple[NDArray, int | None]] = [(np.flatnonzero(column), None)]
    while column.any():
        same = np.flatnonzero(low == np.flatnonzero(column).max())
        if not same.size:
            break
        column = (column + after[:, same[0]]) % 2
        states.append((np.flatnonzero(column), int(same[0])))
    return states


def _draw_column(ax: Axes, f: textbook.Filtration, column: NDArray, j: int) -> None:
    """Draw the rows in which a column has a 1 on the grid of the corner."""
    place = f.coordinates(range(f.cell.size))
    for k in range(f.cell.size):
        y, x = place[k]
        if f.dimension[k] == 1:
            tall, wide = (1, 0) if y % 2 else (0, 1)
            on = k in column
            ax.plot(
                [x - wide, x + wide], [y - tall, y + tall], color=HOLE if on else "0.85",
                lw=5 if on else 1.5, solid_capstyle="round", zorder=2 + on,
            )  # fmt: skip
        if f.dimension[k] == 0:
            on = k in column
            ax.plot(x, y, "o", color=HOLE if on else "0.85", ms=15, zorder=4)
            colour = "white" if on else "0.3"
            ax.text(
                x, y, CORNER[y // 2, x // 2], color=colour, ha="center", va="center",
                fontsize=9, zorder=5,
            )  # fmt: skip
        if k == j and f.dimension[k] == 1:
            ax.plot([x - wide, x + wide], [y - tall, y + tall], color="0.35", lw=2, ls=":")
        if k == j and f.dimension[k] == 2:
            ax.text(x, y, j, color="0.35", ha="center", va="center", fontsize=9)
    ax.set(xlim=(-0.6, 4.6), ylim=(4.6, -0.6), aspect="equal")
