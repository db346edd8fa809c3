"""Metrics: what becomes of pixels without ground truth."""

import numpy as np
from drawing import SKY, panels, pixels
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

TRUTH = np.zeros((7, 9), int)
TRUTH[[0, 3, 6]] = TRUTH[:, [0, 8]] = 1
IGNORED = np.zeros(TRUTH.shape, bool)
IGNORED[:, 4:6] = True
PREDICTION = TRUTH.copy()
PREDICTION[3, 4] = 0  # a gap, where nobody knows better


def ignored() -> Figure:
    """A ground truth with an ignored strip, a prediction, and what is compared of both."""
    figure, axes = panels(1, 4, 3.0)
    figure.set_size_inches(12, 2.9)
    _draw(axes[0, 0], np.where(IGNORED, "?", TRUTH.astype(str)), TRUTH, "ground truth")
    _draw(axes[0, 1], PREDICTION, PREDICTION, "prediction, with a gap")
    for ax, value, title in zip(axes[0, 2:], (0, 1), ("without a frame", "frame=True")):
        filled = np.where(IGNORED, value, PREDICTION)
        _draw(ax, filled, filled, f"both, {title}")
    axes[0, 3].add_patch(Rectangle((-0.8, -0.8), 9.6, 7.6, fill=False, ec="0.25", lw=6))
    for ax in axes[0]:
        ax.set(xlim=(-1.1, 9.1), ylim=(7.1, -1.1))
    return figure


def _draw(ax: Axes, text: NDArray, mask: NDArray, title: str) -> None:
    """Draw a mask, foreground dark, with the ignored strip in colour."""
    shades = np.where(mask[..., None] == 1, 0.25, 1.0) * np.ones(3)
    colours = np.where(IGNORED[..., None], 0.45 * shades + 0.55 * np.array(to_rgb(SKY)), shades)
    if text.dtype.kind == "U":
        colours = np.where(IGNORED[..., None], np.array(to_rgb(SKY)), colours)
    pixels(ax, text, colours, size=9)
    ax.set_title(title, fontsize=10)
