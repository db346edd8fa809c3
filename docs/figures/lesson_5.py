"""Lesson 5: the persistence diagram."""

import numpy as np
from drawing import IMAGE, em_patch, pixels
from matplotlib.figure import Figure

import pytopo


def three_pictures() -> Figure:
    """The diagram of the image, its barcode, and its Betti numbers."""
    figure = Figure((10.5, 3.7), layout="constrained")
    axes = figure.subplots(1, 3)
    diagram = pytopo.persistence(IMAGE)
    for ax, draw in zip(
        axes, (pytopo.plot.diagram, pytopo.plot.barcode, pytopo.plot.betti_curve)
    ):
        draw(diagram, ax)
    return figure


def stability() -> Figure:
    """The image, the same with noise of at most 1, and both diagrams."""
    figure = Figure((10.5, 3.5), layout="constrained")
    axes = figure.subplots(1, 3, width_ratios=(1, 1, 1.25))
    noisy = IMAGE + np.random.default_rng(0).uniform(-1, 1, IMAGE.shape).round(1)
    for ax, image, text in zip(axes, (IMAGE, noisy), ("{}", "{:.1f}")):
        ax.axis("off")
        pixels(ax, image, text=text, size=10)
    axes[0].set_title("image", fontsize=10)
    axes[1].set_title("with noise of at most 1", fontsize=10)
    first, second = (pytopo.persistence(x).select(finite=True) for x in (IMAGE, noisy))
    ax, low, high = axes[2], 4, 22
    ax.fill([low, high, high], [low, low, high], "0.94", zorder=0)
    ax.plot([low, high], [low, high], color="0.4", lw=1, zorder=1)
    for d, birth, death in zip(first.dim, first.birth, first.death):
        colour = pytopo.plot.COLOURS[d]
        ax.fill(
            birth + np.array([-1, 1, 1, -1]), death + np.array([-1, -1, 1, 1]),
            color=colour, alpha=0.2, lw=0,
        )  # fmt: skip
        ax.plot(birth, death, "o", color=colour)
    for d, birth, death in zip(second.dim, second.birth, second.death):
        ax.plot(birth, death, "D", color=pytopo.plot.COLOURS[d], mec="black", ms=5)
    ax.set(xlim=(low, high), ylim=(low, high), aspect="equal", xlabel="birth", ylabel="death")
    ax.set(xticks=range(5, high, 5), yticks=range(5, high, 5))
    ax.set_title("no point moves by more than 1", fontsize=10)
    return figure


def micrograph() -> Figure:
    """The micrograph, its diagram, and its Betti numbers."""
    figure = Figure((11, 3.9), layout="constrained")
    axes = figure.subplots(1, 3)
    patch = em_patch()
    diagram = pytopo.persistence(patch)
    axes[0].imshow(patch, cmap="gray")
    axes[0].set(xticks=[], yticks=[])
    pytopo.plot.diagram(diagram, axes[1])
    pytopo.plot.betti_curve(diagram, axes[2])
    return figure
