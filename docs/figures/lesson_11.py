"""Lesson 11: what a cut of persistence does to an image."""

import numpy as np
from drawing import COMPONENT, HOLE, IMAGE, grey, panels, pixels
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

import pytopo


def cuts() -> Figure:
    """The image, with the second valley filled, and with the hill in the ring shaved."""
    figure, axes = panels(1, 3, 2.9)
    titles = "the image", "components below 6 filled", "holes below 10 shaved"
    images = IMAGE, pytopo.simplify(IMAGE, 6, dims=0), pytopo.simplify(IMAGE, 10, dims=1)
    for ax, title, image, colour in zip(axes[0], titles, images, (None, COMPONENT, HOLE)):
        shades = np.repeat(
            grey(np.vstack([IMAGE.ravel(), image.ravel()]))[1][:, None], 3, axis=1
        )
        shades = shades.reshape(5, 5, 3)
        moved = image != IMAGE
        if colour is not None:
            shades[moved] = to_rgb(colour)
        pixels(ax, image, shades, bold=moved)
        ax.set_title(title, fontsize=10)
    return figure


def labels() -> Figure:
    """Regions of the image above two cuts."""
    figure, axes = panels(1, 2, 2.9)
    for ax, least in zip(axes[0], (5, 6)):
        found, diagram = pytopo.regions(IMAGE, 0, min_persistence=least)
        palette = np.array([to_rgb(c) for c in ("0.93", "#56B4E9", "#E69F00")])
        pixels(ax, IMAGE, palette[found])
        count = "1 region" if len(diagram) == 1 else f"{len(diagram)} regions"
        ax.set_title(f"least persistence {least}: {count}", fontsize=10)
    return figure
