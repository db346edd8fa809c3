"""Lesson 6: why most columns never need to be built."""

import numpy as np
from drawing import IMAGE, ORANGE, PURPLE, SKY, arrow, em_patch, outline, panels, pixels
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from pytopo.morse.links_2d import COUNT, TOWARD, arc_table
from pytopo.order import total_order

# Where the neighbour in each direction lies: (row, column), see pytopo/morse/links_2d.py.
STEP = ((0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1))
MINIMUM, REGULAR, SADDLE, MAXIMUM = "minimum", "regular", "saddle", "maximum"
COLOUR = {MINIMUM: SKY, REGULAR: "0.8", SADDLE: ORANGE, MAXIMUM: PURPLE}


def lower_stars() -> Figure:
    """All 256 sets of earlier neighbours, coloured by what the pixel in the middle does."""
    figure, ((ax,),) = panels(1, 1, 7.2, title=0.4)
    picture = np.zeros((16 * 4 + 1, 16 * 4 + 1, 4))  # between the stars is paper
    for there in range(256):
        row, column = (4 * n + 1 for n in divmod(there, 16))
        picture[row : row + 3, column : column + 3] = to_rgba("0.95")
        for d, (i, j) in enumerate(STEP):
            if there >> d & 1:
                picture[row + 1 + i, column + 1 + j] = to_rgba("0.35")
        picture[row + 1, column + 1] = to_rgba(COLOUR[_kind(there)])
    ax.imshow(picture)
    kinds = [_kind(there) for there in range(256)]
    handles = [
        Line2D([], [], marker="s", ls="", color=colour, label=f"{kind}: {kinds.count(kind)}")
        for kind, colour in COLOUR.items()
    ]
    figure.legend(handles=handles, loc="outside upper center", ncols=4, fontsize=10)
    return figure


def pointers() -> Figure:
    """Every pixel points to an earlier neighbour, and upside down to a later one."""
    figure, axes = panels(1, 2, 4.0, title=0.35)
    earlier = _earlier(IMAGE)
    words = "down to the minima (V: sides)", "up to the maxima (sides and corners)"
    for ax, corners, title in zip(axes[0], (False, True), words):
        table = arc_table(corners)[::-1] if corners else arc_table(corners)
        pixels(ax, IMAGE, size=11)
        for (i, j), there in np.ndenumerate(earlier):
            kind = _kind(there)
            if kind in (MINIMUM, MAXIMUM) and (kind == MAXIMUM) == corners:
                outline(ax, i, j, COLOUR[kind])
            elif table[there, COUNT]:
                di, dj = STEP[table[there, TOWARD]]
                arrow(ax, (i, j), (i + di, j + dj), COLOUR[MAXIMUM if corners else MINIMUM])
            if kind == SADDLE:
                outline(ax, i, j, COLOUR[SADDLE])
        ax.set(xlim=(-1.3, 5.3), ylim=(5.3, -1.3))
        ax.set_title(title, fontsize=10)
    return figure


def micrograph() -> Figure:
    """Which pixels of the micrograph are critical."""
    patch = em_patch()
    earlier = _earlier(patch)
    kinds = np.array([_kind(there) for there in earlier.ravel()]).reshape(patch.shape)
    figure, axes = panels(1, 2, 4.0, title=0.7)
    for ax in axes[0]:
        ax.imshow(patch, cmap="gray")
    handles = []
    for kind in (MINIMUM, SADDLE, MAXIMUM):
        i, j = np.nonzero(kinds == kind)
        axes[0, 1].plot(j, i, ".", color=COLOUR[kind], ms=4)
        share = f"{kind}: {(kinds == kind).mean():.1%}"
        handles.append(Line2D([], [], marker="o", ls="", color=COLOUR[kind], label=share))
    regular = f"regular: {(kinds == REGULAR).mean():.1%}"
    handles.append(Line2D([], [], marker="o", ls="", color="0.5", label=regular))
    figure.legend(handles=handles, loc="outside upper center", ncols=4, fontsize=10)
    return figure


def _kind(there: int) -> str:
    """Say what a pixel with these earlier neighbours does, in construction V."""
    arcs = arc_table(corners=False)[there, COUNT]
    if there == 255:
        return MAXIMUM
    return (MINIMUM, REGULAR)[arcs] if arcs < 2 else SADDLE


def _earlier(image: NDArray) -> NDArray[np.int64]:
    """Return for each pixel the set of its earlier neighbours, one byte."""
    rank = np.pad(total_order(image).rank, 1, constant_values=image.size)
    inner = rank[1:-1, 1:-1]
    earlier = np.zeros(image.shape, np.int64)
    height, width = rank.shape
    for d, (i, j) in enumerate(STEP):
        earlier |= (rank[1 + i : height - 1 + i, 1 + j : width - 1 + j] < inner) << d
    return earlier
