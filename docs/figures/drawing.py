"""How the lessons draw: pixels with their numbers in them, cells, arrows, matrices.

Every figure starts from one of two images: `IMAGE`, the 5x5 image of all lessons, and
`em_patch`, a detail of a synthetic micrograph.  Both have a likelihood and a ground truth
beside them.  A dimension of homology has the colour that it has in `pytopo.plot`, and nothing
else has that colour.
"""

from functools import cache

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap, to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import find_objects, gaussian_filter

from pytopo.data import SyntheticVolume, border_mask, synthetic_volume
from pytopo.plot import COLOURS

IMAGE = np.array(
    [
        [1, 2, 3, 12, 15],
        [4, 19, 5, 14, 8],
        [6, 7, 10, 13, 9],
        [16, 17, 18, 20, 11],
        [21, 22, 23, 24, 25],
    ]
)
LIKELIHOOD = 1 - IMAGE / 25  # how sure a classifier may be of each pixel: dark is membrane
TRUTH = np.zeros((5, 5))
TRUTH[:3, :3] = 1
TRUTH[1, 1] = 0  # the ring, and nothing else

COMPONENT, HOLE = COLOURS[:2]
SKY, ORANGE, PURPLE = "#56B4E9", "#E69F00", "#CC79A7"  # of Okabe and Ito too: no dimension
ABSENT = "0.93"


def em_patch() -> NDArray[np.uint8]:
    """Return the micrograph at the end of each lesson, (64, 64): a cell and its neighbours."""
    volume, window = _section()
    return volume.raw[0][window]


def em_likelihood() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return a likelihood of membrane for the micrograph, and the ground truth, (64, 64) each.

    The likelihood is computed from darkness alone, so it has specks and gaps; the ground
    truth is where two cells meet.
    """
    volume, window = _section()
    dark = gaussian_filter(volume.raw[0].astype(float), 1)[window]
    low, high = np.quantile(dark, [0.1, 0.4])
    likelihood = 1 / (1 + np.exp(6 * (dark - (low + high) / 2) / (high - low)))
    return likelihood, border_mask(volume.neuron_ids[0], 1)[window].astype(float)


@cache
def _section() -> tuple[SyntheticVolume, tuple[slice, slice]]:
    """Return a section, and where in it the largest cell lies that fits into 64x64."""
    volume = synthetic_volume(1, 256, seed=2, noise=0.6, gaps=0.03, clutter=0.5)
    boxes = find_objects(volume.neuron_ids[0].astype(int))
    inside = [
        box
        for box in boxes
        if box and all(s.start > 8 and s.stop < 248 and s.stop - s.start < 56 for s in box)
    ]
    box = max(inside, key=lambda box: np.prod([s.stop - s.start for s in box]))
    middle = [(s.start + s.stop) // 2 for s in box]
    rows, columns = (slice(at, at + 64) for at in (min(max(m - 32, 0), 192) for m in middle))
    return volume, (rows, columns)


def panels(rows: int, columns: int, size: float = 2.6, *, title: float = 0.3) -> tuple:
    """Return a figure and its (rows, columns) square panels, without axes."""
    figure = Figure((columns * size, rows * (size + title)), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False)
    for ax in axes.ravel():
        bare(ax)
    return figure, axes


def bare(ax: Axes) -> None:
    """Take ticks and frame away."""
    ax.set(xticks=[], yticks=[])
    for side in ax.spines.values():
        side.set_visible(False)


def grey(values: ArrayLike) -> NDArray[np.float64]:
    """Return values as shades from dark to light, on [0.25, 1]."""
    values = np.asarray(values, float)
    span = np.ptp(values) or 1.0
    return 0.25 + 0.75 * (values - values.min()) / span


def pulls(gradient: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return purple where descent raises a value, orange where it lowers it, (H, W, 3)."""
    strength = np.abs(gradient[..., None]).clip(0, 1)
    colour = np.where(gradient[..., None] < 0, to_rgb(PURPLE), to_rgb(ORANGE))
    return 0.95 + strength**0.5 * (colour - 0.95)


def pixels(
    ax: Axes,
    image: NDArray,
    colours: NDArray | None = None,
    *,
    text: str = "{}",
    size: float = 11,
    bold: NDArray | None = None,
) -> None:
    """Draw an image with its numbers in the pixels.

    Parameters
    ----------
    ax : Axes
    image : (H, W) ndarray
        The numbers.
    colours : (H, W, 3) ndarray or None
        Of the pixels; ``None`` for shades of grey.
    text : str
        How a number is written.
    size : float
        Of the numbers, in points.
    bold : (H, W) ndarray of bool or None
        Which numbers stand out.
    """
    if colours is None:
        colours = np.repeat(grey(image)[..., None], 3, axis=2)
    ax.imshow(colours, vmin=0, vmax=1)
    for (i, j), value in np.ndenumerate(image):
        light = colours[i, j].mean() > 0.5
        weight = "bold" if bold is not None and bold[i, j] else "normal"
        ax.text(
            j, i, text.format(value), color="black" if light else "white",
            ha="center", va="center", fontsize=size, fontweight=weight,
        )  # fmt: skip
    grid(ax, image.shape)


def grid(ax: Axes, shape: tuple[int, ...], colour: str = "white") -> None:
    """Draw lines between the pixels."""
    height, width = shape
    ax.hlines(np.arange(height + 1) - 0.5, -0.5, width - 0.5, colour, lw=1.5)
    ax.vlines(np.arange(width + 1) - 0.5, -0.5, height - 0.5, colour, lw=1.5)
    ax.set(xlim=(-0.55, width - 0.45), ylim=(height - 0.45, -0.55))


def tinted(labels: NDArray, colours: list[str]) -> NDArray[np.float64]:
    """Return a colour for each label of an image; 0 is what is not there."""
    palette = np.array([to_rgb(colour) for colour in [ABSENT, *colours]])
    return palette[labels]


def outline(ax: Axes, row: float, column: float, colour: str, width: float = 3) -> None:
    """Draw a frame around a pixel."""
    ax.add_patch(
        Rectangle((column - 0.46, row - 0.46), 0.92, 0.92, fill=False, ec=colour, lw=width)
    )


def arrow(ax: Axes, start: ArrayLike, end: ArrayLike, colour: str, bend: float = 0.0) -> None:
    """Draw an arrow between two places, (row, column)."""
    (i, j), (k, m) = start, end
    style = {"arrowstyle": "-|>", "color": colour, "lw": 2, "shrinkA": 9, "shrinkB": 9}
    style["connectionstyle"] = f"arc3,rad={bend}"
    ax.annotate("", (m, k), (j, i), arrowprops=style)


def matrix(
    ax: Axes, entries: NDArray, low: NDArray, dimension: NDArray, bold: tuple[int, ...] = ()
) -> None:
    """Draw a matrix of zeros and ones; the last 1 of each column, its low, in colour.

    Parameters
    ----------
    ax : Axes
    entries : (n, n) ndarray of 0 and 1
    low : (n,) ndarray of int
        Row of the last 1 of each column, -1 for none.
    dimension : (n,) ndarray of int
        Of the cells; a low has the colour of the dimension of its row.
    bold : tuple of int
        Columns to shade.
    """
    shown = entries.astype(int)
    columns = np.flatnonzero(low >= 0)
    shown[low[columns], columns] = 2 + dimension[low[columns]]
    palette = ListedColormap([(0, 0, 0, 0), "0.35", COMPONENT, HOLE])
    n = len(entries)
    for j in bold:
        ax.axvspan(j - 0.5, j + 0.5, color=ORANGE, alpha=0.2, lw=0)
    ax.plot([-0.5, n - 0.5], [-0.5, n - 0.5], color="0.7", lw=0.8)
    ax.imshow(shown, cmap=palette, vmin=0, vmax=3, zorder=2)
    lines = np.arange(n + 1) - 0.5
    ax.hlines(lines, -0.5, n - 0.5, "0.9", lw=0.4, zorder=1)
    ax.vlines(lines, -0.5, n - 0.5, "0.9", lw=0.4, zorder=1)
    ax.set(xlim=(-0.5, n - 0.5), ylim=(n - 0.5, -0.5))


def lows(entries: NDArray) -> NDArray[np.int64]:
    """Return the row of the last 1 of each column, -1 for none."""
    last = len(entries) - 1 - entries[::-1].argmax(axis=0)
    return np.where(entries.any(axis=0), last, -1)
