"""Lesson 12: the image in two tiles."""

import numpy as np
from drawing import COMPONENT, IMAGE, ORANGE, arrow, panels, pixels
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure


def cuts() -> Figure:
    """Cut in front of column 2 and of column 3; pixels of the seam are met by both tiles."""
    figure, axes = panels(1, 2, 3.1)
    stories = "8 dies at 13 inside the right tile", "8 is decided when the tiles are glued"
    for ax, column, story in zip(axes[0], (2, 3), stories):
        colours = np.full((5, 5, 3), 0.93)
        colours[:, column - 1 : column + 1] = to_rgb("#FFF3C4")
        pixels(ax, IMAGE, colours)
        ax.plot([column - 0.5] * 2, [-0.5, 4.5], color=ORANGE, lw=4)
        arrow(ax, (1, 4), (2, 3), COMPONENT)
        ax.set_title(story, fontsize=10)
    return figure
