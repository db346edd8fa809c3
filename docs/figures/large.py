"""Larger than memory: what is finished in a tile, what stays open, and why."""

import numpy as np
from drawing import ORANGE, PURPLE, SKY, bare, pixels
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

import pytopo
from pytopo.cli.bench_made import MadeImage
from pytopo.large.ages import Points, Sweep
from pytopo.large.gluing import merged
from pytopo.large.tiles import Region, region_of_tile

LEVELS = {
    "finished in a tile": SKY,
    "where two tiles meet": ORANGE,
    "where two halves meet": PURPLE,
}


def finished() -> Figure:
    """A tile of a row: which components are certain, and which stay open."""
    figure = Figure((8.6, 3.6), layout="constrained")
    ax = figure.subplots()
    row = np.array([9, 3, 8, 5, 7, 2, 6, 4, 5])
    sweep = Sweep((1, row.size + 2), row.dtype, (0,))
    region, points = region_of_tile(row[None], (0, 0), sweep)
    _profile(ax, row)
    _bars(ax, row, zip(points.birth_pixel, points.death_pixel), SKY)
    (branches,) = region.branches
    _bars(ax, row, zip(branches.pixel[:-1], branches.death_pixel), ORANGE)
    ax.axvline(row.size - 0.5, color="0.3", ls="--")
    ax.text(row.size - 0.4, 8.6, "shared side", va="center", fontsize=10)
    ax.set_xlim(-0.8, row.size + 1.2)
    _legend(ax, {SKY: "finished: dies here for certain", ORANGE: "open: the side may decide"})
    return figure


def undecided() -> Figure:
    """The elder without contact to the side is decided by what lies beyond."""
    figure = Figure((10, 3.5), layout="constrained")
    axes = figure.subplots(1, 3, sharey=True, width_ratios=(7, 8, 8))
    here = np.array([9, 2, 7, 4])
    beyond = {
        "in the tile 2 and 4 merge at 7": here,
        "nothing elder beyond: 4 dies at 7": np.array([*here, 8, 6, 9]),
        "1 beyond, reached at 5: 2 dies at 7": np.array([*here, 5, 1, 9]),
    }
    for ax, (title, row) in zip(axes, beyond.items()):
        _profile(ax, row)
        ax.axvline(3.5, color="0.3", ls="--")
        ax.set_title(title, fontsize=10)
        if row is here:
            ax.text(1, 2.3, "elder", ha="center", fontsize=9)
            ax.text(3.7, 2, "younger,\nat the\nshared side", va="center", fontsize=9)
            continue
        d = pytopo.persistence(row, 0)
        finite = d.select(finite=True)
        at_seven = row[finite.death_pixel] == 7
        for which, colour in ((at_seven, ORANGE), (~at_seven, SKY)):
            pairs = zip(finite.birth_pixel[which], finite.death_pixel[which])
            _bars(ax, row, pairs, colour)
    axes[0].set_xlim(-0.8, 6.2)
    return figure


def seam() -> Figure:
    """Two tiles and the seam between them; the pixels at which they meet."""
    figure = Figure((6.2, 3.9), layout="constrained")
    axes = figure.subplots(1, 3, width_ratios=(3.1, 2.1, 3.1))
    random = np.random.default_rng(4)
    image = random.permutation(36).reshape(6, 6) + 1
    parts = {"tile": (0, 3), "seam": (2, 4), "the next tile": (3, 6)}
    met = np.column_stack([_first_of_line(column) for column in image.T])
    for ax, (title, (first, stop)) in zip(axes, parts.items()):
        at_side = np.isin(np.arange(first, stop), (2, 3))
        here = met[:, first:stop] & at_side
        colours = np.where(here[..., None], to_rgb(ORANGE), 0.85)
        pixels(ax, image[:, first:stop], colours, bold=here)
        bare(ax)
        ax.set_title(title, fontsize=10)
    return figure


def levels() -> Figure:
    """An image like electron microscopy in four tiles: where its points are finished."""
    figure = Figure((8.8, 5.3), layout="constrained")
    axes = figure.subplots(1, 2)
    side = 96
    image = MadeImage("membranes", (side, side))[:, :]
    sweep = Sweep(image.shape, image.dtype, (0, 1), min_persistence=40)
    half = side // 2
    found: list[list[Points]] = [[], [], []]
    halves: list[Region] = []
    for row in (0, half):
        regions = []
        for column in (0, half):
            tile = image[row : row + half, column : column + half]
            region, points = region_of_tile(tile, (row, column), sweep)
            regions.append(region)
            found[0].append(points)
        region, points = merged(regions[0], regions[1], 1, sweep)
        halves.append(region)
        found[1].append(points)
    found[2].append(merged(halves[0], halves[1], 0, sweep)[1])
    names = "components, at their minima", "holes, at their maxima"
    for ax, dim, name in zip(axes, (0, 1), names):
        ax.imshow(image, cmap="gray", alpha=0.55)
        for some, colour in zip(found, LEVELS.values()):
            own = np.concatenate([_places(points, dim) for points in some])
            i, j = np.divmod(own, side)
            ax.plot(j, i, "o", color=colour, ms=6, mec="white", mew=0.6)
        ax.axvline(half - 0.5, color="black", ls="--", lw=1)
        ax.axhline(half - 0.5, color="black", lw=1.6)
        bare(ax)
        ax.set_title(name, fontsize=10)
    marks = [Line2D([], [], color=colour, marker="o", ls="") for colour in LEVELS.values()]
    figure.legend(marks, LEVELS, frameon=False, ncols=3, loc="outside lower center")
    return figure


def _places(points: Points, dim: int) -> NDArray[np.int64]:
    """Return the extrema of the points of a dimension."""
    return (points.death_pixel if dim else points.birth_pixel)[points.dim == dim]


def _first_of_line(line: NDArray) -> NDArray[np.bool_]:
    """Tell which pixels of a line come before their neighbours on it."""
    padded = np.pad(line, 1, constant_values=line.max() + 1)
    return (line < padded[:-2]) & (line < padded[2:])


def _profile(ax: Axes, row: NDArray) -> None:
    """Draw a row of pixels as a ground that is flooded from below."""
    ax.bar(np.arange(row.size), row, 1.0, color="0.85", ec="white")
    for j, value in enumerate(row):
        ax.text(j, 0.35, str(value), ha="center", va="center", fontsize=10, color="0.2")
    bare(ax)
    ax.set_ylim(0, 9.4)


def _bars(ax: Axes, row: NDArray, pairs: object, colour: str) -> None:
    """Draw the life of components as bars above their minima, and where they end."""
    for birth, death in pairs:
        ax.plot([birth, birth], [row[birth], row[death]], color=colour, lw=5, zorder=3)
        ax.plot([birth, death], [row[death]] * 2, color=colour, lw=1.5, ls=":", zorder=3)


def _legend(ax: Axes, words: dict[str, str]) -> None:
    lines = [Line2D([], [], color=colour, lw=5) for colour in words]
    ax.legend(
        lines,
        words.values(),
        frameon=False,
        ncols=2,
        loc="upper center",
        bbox_to_anchor=(0.5, -0.01),
    )
