"""Things, not points: masks, regions, and images without the small features."""

import numpy as np
from drawing import COMPONENT, HOLE, IMAGE, ORANGE, bare, panels, pixels, tinted
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from scipy.ndimage import gaussian_filter

import pytopo
from pytopo.data import synthetic_volume


def masks() -> Figure:
    """The three points of the image of the lessons, as pixels."""
    figure, axes = panels(1, 3, 2.9)
    diagram = pytopo.persistence(IMAGE)
    titles = "component 1 to inf", "component 8 to 13", "hole 10 to 19"
    for k, (ax, title) in enumerate(zip(axes[0], titles)):
        mask = pytopo.feature_mask(IMAGE, diagram, k)
        colour = HOLE if diagram.dim[k] == 1 else COMPONENT
        colours = 0.5 * tinted(mask.astype(int), [colour]) + 0.5
        pixels(ax, IMAGE, colours, bold=mask)
        ax.set_title(title, fontsize=10)
    return figure


def cells() -> Figure:
    """A section of a synthetic volume, and the holes of its sublevel sets as labels."""
    figure, axes = panels(1, 3, 3.4)
    section = gaussian_filter(synthetic_volume(1, 160, seed=3).raw[0].astype(float), 1.5)
    axes[0, 0].imshow(section, cmap="gray")
    axes[0, 0].set_title("a section, smoothed", fontsize=10)
    for ax, least in zip(axes[0, 1:], (10, 40)):
        labels, diagram = pytopo.regions(section, 1, min_persistence=least, frame=True)
        pytopo.plot.regions(labels, section, ax)
        ax.set(xticks=[], yticks=[], xlabel="", ylabel="")
        ax.set_title(f"holes of persistence >= {least}: {len(diagram)}", fontsize=10)
    return figure


def profile() -> Figure:
    """A row of pixels, its persistence, and the same without small components."""
    figure = Figure((9.5, 3.4), layout="constrained")
    axes = figure.subplots(1, 2, width_ratios=(2.2, 1))
    values = np.array([7, 4, 5, 3, 6, 1, 2, 1.5, 4.5, 8, 6.5, 7, 2, 5, 4.2, 5.6, 9])
    simple = pytopo.simplify(values, 2)
    ax = axes[0]
    ax.fill_between(np.arange(values.size), values, simple, color=ORANGE, alpha=0.4, lw=0)
    ax.plot(simple, color=ORANGE, lw=3, label="simplify(image, 2)")
    ax.plot(values, "o-", color="0.2", lw=1, ms=4, label="image")
    ax.set(xlabel="pixel", ylabel="value")
    ax.legend(frameon=False)
    diagram = pytopo.persistence(values)
    ax = pytopo.plot.diagram(diagram, axes[1])
    ax.get_legend().remove()
    low, high = ax.get_xlim()
    ax.plot([low, high - 2], [low + 2, high], ":", color=to_rgb("0.3"))
    ax.set_title("what lies below the line is filled", fontsize=10)
    return figure


def delay() -> Figure:
    """Filling a basin delays the hole in it; shaving makes a pit shallow."""
    basin = np.array(
        [
            [9, 9, 9, 9, 9, 9, 9],
            [9, 1, 1, 1, 9, 0, 9],
            [9, 1, 8, 1, 4, 0, 9],
            [9, 1, 1, 3, 9, 0, 9],
            [9, 9, 9, 9, 9, 9, 9],
        ]
    )
    crest = np.array(
        [
            [0, 0, 0, 0, 0, 0, 0],
            [0, 9, 9, 9, 0, 0, 0],
            [0, 9, 2, 9, 5, 20, 0],
            [0, 9, 8, 9, 0, 0, 0],
            [0, 0, 0, 0, 0, 0, 0],
        ]
    )
    figure = Figure((9, 4.9), layout="constrained")
    axes = figure.subplots(2, 3)
    for row, image, first in zip(axes, (basin, crest), (0, 1)):
        steps = image, pytopo.simplify(image, 5, dims=first), pytopo.simplify(image, 5)
        words = "image", "dims=0" if first == 0 else "dims=1", "both"
        for ax, step, title in zip(row, steps, words):
            bare(ax)
            changed = step != image
            pixels(ax, step, 0.5 * tinted(changed.astype(int), [ORANGE]) + 0.5, bold=changed)
            ax.set_title(title, fontsize=10)
    return figure
