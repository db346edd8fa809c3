"""Lesson 7: matching with the diagonal."""

import numpy as np
from drawing import COMPONENT, HOLE, LIKELIHOOD, TRUTH, em_patch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

import pytopo

TITLE, COLOUR = ("components", "holes"), (COMPONENT, HOLE)


def ways() -> Figure:
    """The points of the likelihood, and where each may go: to the target or the diagonal."""
    figure = Figure((8.6, 4.2), layout="constrained")
    axes = figure.subplots(1, 2)
    found = pytopo.persistence(LIKELIHOOD, superlevel=True).select(finite=True)
    for ax, dim in zip(axes, (0, 1)):
        points = found.points(dim)
        targets = pytopo.persistence(TRUTH, superlevel=True).select(finite=True).points(dim)
        _draw_square(ax)
        _draw_ways(ax, points, targets, COLOUR[dim])
        ax.set_title(TITLE[dim], fontsize=11)
    return figure


def gain() -> Figure:
    """For each place of a point, what it gains by being the match of the target (1, 0)."""
    figure = Figure((5.2, 4.4), layout="constrained")
    ax = figure.subplots()
    birth, death = np.meshgrid(np.linspace(0, 1, 201), np.linspace(0, 1, 201))
    gain = (birth - death) - 2 * ((birth + death) / 2 - 0.5) ** 2
    gain[death > birth] = np.nan
    shades = ax.pcolormesh(birth, death, gain, cmap="PuOr", vmin=-1, vmax=1, rasterized=True)
    ax.contour(birth, death, gain, [0], colors="black")
    for persistence in (0.2, 0.5):
        ax.plot([persistence, 1], [0, 1 - persistence], "--", color="0.4", lw=1)
    ax.plot(0.6, 0.24, "o", color=HOLE, mec="white", ms=9)
    ax.plot(0.2, 0.05, "o", mfc="white", mec=HOLE, mew=2, ms=8)
    ax.annotate("(0.6, 0.24): matched", (0.6, 0.24), (0.56, 0.3), fontsize=9)
    ax.annotate("(0.2, 0.05): not matched", (0.2, 0.05), (0.02, 0.55), fontsize=9,
                arrowprops={"arrowstyle": "-"})  # fmt: skip
    ax.set(xlabel="birth", ylabel="death", aspect="equal")
    figure.colorbar(shades, ax=ax, label="gain")
    return figure


def micrograph() -> Figure:
    """The micrograph against itself with more noise: what is matched."""
    figure = Figure((9.6, 4.4), layout="constrained")
    axes = figure.subplots(1, 2)
    patch = em_patch() / 255
    noise = np.random.default_rng(0).normal(0, 0.05, patch.shape)
    for ax, dim in zip(axes, (0, 1)):
        first, second = (
            pytopo.persistence(x, min_persistence=0.08).select(finite=True).points(dim)
            for x in (patch, patch + noise)
        )
        m = pytopo.match(second, first)
        ax.axline((0.5, 0.5), slope=1, color="0.7")
        for i, j in m.pairs:
            ax.plot(*np.stack([second[i], first[j]]).T, color="0.6", lw=0.7)
        ax.plot(*second.T, ".", color=COLOUR[dim], ms=4, label="with more noise")
        ax.plot(*first.T, "s", mfc="none", color="black", ms=5, label="micrograph")
        ax.set(title=TITLE[dim], xlabel="birth", ylabel="death", aspect="equal")
        ax.legend(fontsize=9, loc="lower right")
    return figure


def _draw_square(ax: Axes) -> None:
    ax.fill([0, 1, 0], [0, 1, 1], color="0.92", lw=0)
    ax.plot([0, 1], [0, 1], color="0.5", lw=1)
    ax.set(xlim=(-0.05, 1.05), ylim=(-0.05, 1.05), aspect="equal")
    ax.set(xlabel="birth", ylabel="death")


def _draw_ways(ax: Axes, points: NDArray, targets: NDArray, colour: str) -> None:
    m = pytopo.match(points, targets)
    for i, (birth, death) in enumerate(points):
        middle = (birth + death) / 2
        to_target = i in m.pairs[:, 0]
        _draw_way(ax, (birth, death), (middle, middle), chosen=not to_target)
        for target in targets:
            _draw_way(ax, (birth, death), tuple(target), chosen=to_target)
            _draw_way(ax, tuple(target), (0.5, 0.5), chosen=not to_target)
        ax.annotate(
            f"({birth:.2f}, {death:.2f})", (birth, death), (-4, -14),
            textcoords="offset points", ha="right", fontsize=9,
        )  # fmt: skip
    ax.plot(*points.T, "o", color=colour, ms=9)
    ax.plot(*targets.T, "s", mfc="none", color=colour, ms=12, mew=2)


def _draw_way(
    ax: Axes, start: tuple[float, float], end: tuple[float, float], chosen: bool
) -> None:
    """Draw one way with its squared length; the one that is taken as an arrow."""
    length = (end[0] - start[0]) ** 2 + (end[1] - start[1]) ** 2
    style = {"arrowstyle": "-|>" if chosen else "-", "lw": 2 if chosen else 1}
    style |= {"ls": "-" if chosen else ":", "color": "black" if chosen else "0.5"}
    ax.annotate("", end, start, arrowprops=style)
    middle = ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
    ax.annotate(f"{length:.3f}", middle, (4, 4), textcoords="offset points", fontsize=8)
