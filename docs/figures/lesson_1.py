"""Lesson 1: what the sublevel sets of an image are."""

import numpy as np
from drawing import COMPONENT, IMAGE, SKY, em_patch, panels, pixels, tinted
from matplotlib.figure import Figure
from scipy import ndimage

import pytopo


def image() -> Figure:
    figure, ((ax,),) = panels(1, 1, 3.4, title=0)
    pixels(ax, IMAGE, size=15)
    return figure


def sweep() -> Figure:
    diagram = pytopo.persistence(IMAGE)
    thresholds = {
        3: "a component is there",
        8: "a second component is born",
        10: "a loop closes: a hole is born",
        13: "the second component merges",
        19: "the hole is filled",
        25: "all is there",
    }
    figure, axes = panels(2, 3, 2.7, title=0.6)
    for ax, (threshold, event) in zip(axes.ravel(), thresholds.items()):
        there = threshold >= IMAGE
        labels, _ = ndimage.label(there)
        pixels(ax, IMAGE, tinted(labels, [COMPONENT, SKY]), bold=threshold == IMAGE)
        components, holes = diagram.betti(threshold)
        ax.set_title(
            f"threshold {threshold}: components {components}, holes {holes}\n{event}",
            fontsize=9.5,
        )
    return figure


def micrograph() -> Figure:
    patch = em_patch()
    diagram = pytopo.persistence(patch)
    figure, axes = panels(1, 4, 2.6, title=0.5)
    axes[0, 0].imshow(patch, cmap="gray")
    axes[0, 0].set_title("image", fontsize=10)
    for ax, threshold in zip(axes[0, 1:], np.quantile(patch, [0.1, 0.25, 0.4]).astype(int)):
        ax.imshow(patch <= threshold, cmap="Blues", vmax=1.3)
        components, holes = diagram.betti(threshold)
        ax.set_title(
            f"threshold {threshold}\ncomponents {components}, holes {holes}", fontsize=10
        )
    return figure
