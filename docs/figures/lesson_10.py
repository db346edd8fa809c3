"""Lesson 10: a ring, two lids and a filling, in 27 voxels."""

import numpy as np
from drawing import HOLE, ORANGE, SKY, panels, pixels
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from numpy.typing import NDArray

from pytopo.plot import COLOURS

VOID = COLOURS[2]
VOLUME = np.array(
    [
        [[9, 10, 11], [16, 25, 12], [15, 14, 13]],
        [[1, 2, 3], [8, 27, 4], [7, 6, 5]],
        [[17, 18, 19], [24, 26, 20], [23, 22, 21]],
    ]
)
ROLES = {25: ORANGE, 26: ORANGE, 27: VOID}  # lids and filling


def sections() -> Figure:
    """The numbers, section by section."""
    figure, axes = panels(1, 3, 2.3)
    for k, ax in enumerate(axes[0]):
        colours = np.array([[_colour(value) for value in row] for row in VOLUME[k]])
        pixels(ax, VOLUME[k], colours)
        ax.set_title(f"plane {k}", fontsize=10)
    return figure


def sweep() -> Figure:
    """What is there at four thresholds."""
    figure = Figure((9, 2.9), layout="constrained")
    stories = {
        8: "a ring: (1, 1, 0)",
        24: "a tube: (1, 1, 0)",
        25: "a cup: (1, 0, 0)",
        26: "a box: (1, 0, 1)",
    }
    for k, (threshold, story) in enumerate(stories.items()):
        ax = figure.add_subplot(1, 4, k + 1, projection="3d")
        there = threshold >= VOLUME
        colours = np.empty(there.shape, object)
        for place in np.ndindex(*there.shape):
            colours[place] = (*_colour(VOLUME[place]), 0.75)
        filled, painted = (a.transpose(2, 1, 0)[:, ::-1, ::-1] for a in (there, colours))
        ax.voxels(filled, facecolors=painted, edgecolor="0.4", linewidth=0.5)
        ax.view_init(elev=38, azim=-62)
        ax.set(xlim=(0, 3), ylim=(0, 3), zlim=(0, 3), box_aspect=(1, 1, 1))
        ax.set_axis_off()
        ax.set_title(f"threshold {threshold}\n{story}", fontsize=10)
    return figure


def links() -> Figure:
    """The neighbours that come before the voxels 8, 25 and 27, as parts of an octahedron."""
    figure = Figure((9, 3.2), layout="constrained")
    for k, (value, story) in enumerate(
        {
            8: "voxel 8: two corners,\nit closes a ring",
            25: "voxel 25: a circle,\nit fills a ring",
            27: "voxel 27: a sphere,\nit fills a void",
        }.items()
    ):
        ax = figure.add_subplot(1, 3, k + 1, projection="3d", computed_zorder=False)
        _draw_link(ax, tuple(np.argwhere(value == VOLUME)[0]))
        ax.set_title(story, fontsize=10)
    return figure


def _draw_link(ax, place: tuple[int, ...]) -> None:
    """Draw the octahedron around a voxel; what comes before the voxel in colour."""
    corners = [sign * np.eye(3, dtype=int)[axis] for axis in range(3) for sign in (-1, 1)]
    for corner in corners:
        there = _earlier(place, corner)
        x, y, z = _turned(corner)
        ax.plot([x], [y], [z], "o", ms=9, color=SKY if there else "0.85", zorder=3)
    for a in range(6):
        for b in range(a + 1, 6):
            if not np.any(corners[a] + corners[b]):
                continue
            there = _earlier(place, corners[a], corners[b])
            ends = np.array([_turned(corners[a]), _turned(corners[b])]).T
            ax.plot(*ends, color=HOLE if there else "0.85", lw=3 if there else 1)
    ax.view_init(elev=22, azim=-55)
    ax.set_box_aspect((1, 1, 1), zoom=1.3)
    ax.set_axis_off()


def _earlier(place: tuple[int, ...], *steps: NDArray) -> bool:
    """Return whether the cell that the steps span comes in with the voxel."""
    value = VOLUME[place]
    reached = [np.array(place) + step for step in steps]
    reached.append(np.array(place) + sum(steps))
    return all(((at >= 0) & (at < 3)).all() and VOLUME[tuple(at)] < value for at in reached)


def _turned(corner: NDArray) -> tuple[float, float, float]:
    plane, row, column = corner
    return column, -row, -plane


def _colour(value: int) -> tuple[float, float, float]:
    if value in ROLES:
        return to_rgb(ROLES[value])
    return to_rgb(SKY) if value <= 8 else to_rgb("0.85")
