"""Lesson 4: pairs, critical pixels and cycles."""

import numpy as np
from drawing import COMPONENT, HOLE, IMAGE, arrow, em_patch, outline, panels, pixels
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

import pytopo
from pytopo import textbook


def pairs() -> Figure:
    """The pairs of the image: from the pixel of the birth to that of the death."""
    figure, axes = panels(1, 2, 3.6)
    diagram = pytopo.persistence(IMAGE)
    titles = "component: born at 8, merges at 13", "hole: born at 10, filled at 19"
    for d, (ax, title, colour) in enumerate(zip(axes[0], titles, (COMPONENT, HOLE))):
        pixels(ax, IMAGE, size=13)
        (row,) = np.flatnonzero((diagram.dim == d) & ~diagram.essential)
        born, dies = diagram.birth_index[row], diagram.death_index[row]
        outline(ax, *born, colour)
        outline(ax, *dies, colour)
        arrow(ax, born, dies, colour, bend=0.35)
        ax.set_title(title, fontsize=11)
    return figure


def cycle() -> Figure:
    """The cycle that the reduced column of the hole holds, on the image."""
    figure, ((ax,),) = panels(1, 1, 3.6, title=0)
    pixels(ax, IMAGE, size=13)
    f = textbook.lower_star_filtration(IMAGE)
    r = textbook.reduce_filtration(f)
    _draw_cycle(ax, f, _cycle_of_the_longest_hole(IMAGE, f, r), lw=5, gap=0.25)
    return figure


def micrograph() -> Figure:
    """Critical pixels of the most persistent features, and the cycle of the first hole."""
    patch = em_patch()
    figure, axes = panels(1, 2, 4.2, title=0.9)
    diagram = pytopo.persistence(patch).select(finite=True)
    pytopo.plot.image(patch, diagram, axes[0, 0], top=8)
    axes[0, 0].set_title("the 8 most persistent pairs", fontsize=10)
    axes[0, 1].imshow(patch, cmap="gray")
    f = textbook.lower_star_filtration(patch)
    r = textbook.reduce_filtration(f)
    _draw_cycle(axes[0, 1], f, _cycle_of_the_longest_hole(patch, f, r), lw=2)
    axes[0, 1].set_title("the cycle of the most persistent hole", fontsize=10)
    return figure


def _cycle_of_the_longest_hole(
    image: NDArray, f: textbook.Filtration, r: textbook.Reduction
) -> NDArray[np.int64]:
    """Return the edges of the most persistent cycle, positions in the filtration."""
    value = image.ravel()[f.pixel].astype(float)
    holes = r.pairs[f.dimension[r.pairs[:, 0]] == 1]
    longest = (value[holes[:, 1]] - value[holes[:, 0]]).argmax()
    return r.cycle(holes[longest, 1])


def _draw_cycle(
    ax: Axes, f: textbook.Filtration, cycle: NDArray, lw: float, gap: float = 0
) -> None:
    """Draw edges between pixels: on the doubled grid each has a pixel on either side.

    A gap at the ends leaves the numbers in the pixels free.
    """
    for place in f.coordinates(cycle):
        ends = np.array([place // 2, (place + 1) // 2], float)
        ends += gap * np.array([1, -1])[:, None] * (ends[1] - ends[0])
        ax.plot(*ends.T[::-1], color=HOLE, lw=lw, solid_capstyle="round")
