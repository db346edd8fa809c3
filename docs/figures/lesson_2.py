"""Lesson 2: cells and the order in which they come."""

import numpy as np
from drawing import ABSENT, IMAGE, ORANGE, em_patch, panels
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

import pytopo
from pytopo import textbook

CORNER = IMAGE[:3, :3]
SHADE = ("#0072B2", "#56B4E9", "#BFE3F7")  # vertices, edges, squares


def corner() -> Figure:
    """Cells of the corner with the values of their owners, V and T."""
    figure, axes = panels(1, 2, 4.2)
    for ax, construction in zip(axes[0], "VT"):
        f = textbook.lower_star_filtration(CORNER, construction=construction)
        _draw_cells(
            ax, f, [str(CORNER.ravel()[p]) for p in f.pixel], np.ones(f.cell.size, bool)
        )
        what = "vertices" if construction == "V" else "squares"
        ax.set_title(f"{construction}: pixels are {what}", fontsize=11)
    return figure


def order() -> Figure:
    """Cells of the corner, numbered as they enter."""
    figure, ((ax,),) = panels(1, 1, 4.2, title=0)
    f = textbook.lower_star_filtration(CORNER)
    _draw_cells(ax, f, [str(j) for j in range(f.cell.size)], np.ones(f.cell.size, bool))
    return figure


def closing() -> Figure:
    """The image at thresholds 7 and 10: when does the ring close?"""
    figure, axes = panels(2, 2, 3.6)
    for row, construction in zip(axes, "VT"):
        diagram = pytopo.persistence(IMAGE, construction=construction)
        f = textbook.lower_star_filtration(IMAGE, construction=construction)
        value = IMAGE.ravel()[f.pixel]
        for ax, threshold in zip(row, (7, 10)):
            _draw_cells(ax, f, [""] * f.cell.size, value <= threshold)
            _write_numbers(ax, IMAGE, construction, threshold)
            components, holes = diagram.betti(threshold)
            ax.set_title(
                f"{construction}, threshold {threshold}: components {components}, "
                f"holes {holes}",
                fontsize=10,
            )
    return figure


def micrograph() -> Figure:
    patch = em_patch()
    threshold = int(np.quantile(patch, 0.12))
    mask = patch <= threshold
    figure, axes = panels(1, 3, 3.0, title=0.55)
    axes[0, 0].imshow(patch, cmap="gray")
    axes[0, 0].set_title("image", fontsize=10)
    for ax, construction in zip(axes[0, 1:], "VT"):
        components, holes = pytopo.persistence(patch, construction=construction).betti(
            threshold
        )
        ax.imshow(mask, cmap="Blues", vmax=1.3)
        touching = _only_over_a_corner(mask)
        i, j = np.nonzero(touching)
        ax.plot(j + 0.5, i + 0.5, "o", color=ORANGE, ms=4)
        ax.set_title(
            f"{construction}, threshold {threshold}\ncomponents {components}, holes {holes}",
            fontsize=10,
        )
    return figure


def _only_over_a_corner(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Tell at which corners between four pixels two touch that share no side."""
    a, b, c, d = mask[:-1, :-1], mask[:-1, 1:], mask[1:, :-1], mask[1:, 1:]
    return (a & d & ~b & ~c) | (b & c & ~a & ~d)


def _draw_cells(ax: Axes, f: textbook.Filtration, texts: list[str], there: NDArray) -> None:
    """Draw cells where they lie on the doubled grid, with a text in each."""
    place = f.coordinates(range(f.cell.size))
    for d in (2, 1, 0):
        for k in np.flatnonzero(f.dimension == d):
            i, j = place[k]
            colour = SHADE[d] if there[k] else ABSENT
            _draw_cell(ax, i, j, colour, there[k])
            light = d > 0 or not there[k]
            ax.text(
                j, i, texts[k], ha="center", va="center", fontsize=10,
                color="black" if light else "white", zorder=5,
            )  # fmt: skip
    height, width = f.grid
    ax.set(xlim=(-0.8, width - 0.2), ylim=(height - 0.2, -0.8), aspect="equal")


def _draw_cell(ax: Axes, i: int, j: int, colour: str, there: bool) -> None:
    """Draw one cell: a disc, a bar or a square, according to its coordinates."""
    tall, wide = (0.78 if i % 2 else 0.2), (0.78 if j % 2 else 0.2)
    if i % 2 == 0 and j % 2 == 0:
        ax.plot(j, i, "o", color=colour, ms=15 if there else 8, zorder=4)
        return
    x, y = [j - wide, j + wide, j + wide, j - wide], [i - tall, i - tall, i + tall, i + tall]
    ax.fill(x, y, color=colour, zorder=2 + (i % 2 != j % 2), lw=0)


def _write_numbers(ax: Axes, image: NDArray, construction: str, threshold: int) -> None:
    """Write the values of the pixels on their own cells."""
    for (i, j), value in np.ndenumerate(image):
        top = int(construction == "T")
        there = value <= threshold
        light = construction == "T" or not there
        ax.text(
            2 * j + top, 2 * i + top, value, ha="center", va="center", fontsize=9,
            color="black" if light else "white", zorder=6,
            fontweight="bold" if there else "normal",
        )  # fmt: skip
