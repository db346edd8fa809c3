"""Large images are drawn smaller: no picture shows more than a few thousand pixels.

    image (9000, 12000)  ->  means of blocks of 4 x 5  ->  drawn where the image would lie

Axes keep the rows and columns of the image, so marks and outlines stay where they belong.
"""

from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.image import AxesImage
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from pytopo.plot.span import Span

MOST = 2048  # rows and columns that are drawn, up to twice as many
BAND = 2**22  # pixels that are reduced together, about


def draw_grey(ax: Axes, values: NDArray, span: Span, aspect: Literal["auto", "equal"]) -> None:
    """Draw an image (H, W) in grey, infinite values beside the finite ones."""
    steps = _steps(values.shape)
    grey = span.place(values) if steps == (1, 1) else _block_means(values, span, steps)
    picture = ax.imshow(
        grey, cmap="gray", vmin=span.low, vmax=span.high, origin="upper", aspect=aspect,
        extent=_extent(values.shape, steps),
    )  # fmt: skip
    _clip(ax, picture, values.shape)


def draw_tints(ax: Axes, labels: NDArray, tints: NDArray) -> None:
    """Draw the pixels of labels in transparent colours, over an image that is drawn already.

    Parameters
    ----------
    ax : Axes
    labels : (H, W) ndarray of integers
        Rows of `tints`.  Of a block of pixels the one in its middle counts.
    tints : (k, 4) ndarray
        Red, green, blue and opacity.
    """
    few, steps = reduced_labels(labels)
    extent = _extent(labels.shape, steps)
    picture = ax.imshow(tints[few], origin="upper", aspect=ax.get_aspect(), extent=extent)
    _clip(ax, picture, labels.shape)


def reduced_labels(labels: NDArray) -> tuple[NDArray, tuple[int, int]]:
    """Return the label in the middle of each block of pixels, and how large blocks are.

    Examples
    --------
    >>> few, steps = reduced_labels(np.zeros((100, 9000), int))
    >>> few.shape, steps
    ((100, 2250), (1, 4))
    """
    steps = _steps(labels.shape)
    if steps == (1, 1):
        return labels, steps
    rows, columns = (
        np.minimum(np.arange(0, length, step) + step // 2, length - 1)
        for length, step in zip(labels.shape, steps)
    )
    return labels[np.ix_(rows, columns)], steps


def _steps(shape: tuple[int, ...]) -> tuple[int, int]:
    """Return rows and columns of a block; 1 and 1 if all pixels are drawn."""
    height, width = shape
    return max(1, height // MOST), max(1, width // MOST)


def _extent(
    shape: tuple[int, ...], steps: tuple[int, int]
) -> tuple[float, float, float, float]:
    """Return where the blocks lie: the last ones may reach beyond the image."""
    height, width = (step * -(-length // step) for length, step in zip(shape, steps))
    return -0.5, width - 0.5, height - 0.5, -0.5


def _clip(ax: Axes, picture: AxesImage, shape: tuple[int, ...]) -> None:
    """Cut off what lies beyond the image."""
    height, width = shape
    picture.set_clip_path(Rectangle((-0.5, -0.5), width, height, transform=ax.transData))


def _block_means(values: NDArray, span: Span, steps: tuple[int, int]) -> NDArray[np.float32]:
    """Return the mean of each block of pixels, of those that it has at the border."""
    (height, width), (down, right) = values.shape, steps
    columns = np.arange(0, width, right)
    means = np.empty((-(-height // down), len(columns)), np.float32)
    blocks = max(1, BAND // (down * width))  # in a band, one above the other
    for first in range(0, len(means), blocks):
        band = span.place(values[first * down : (first + blocks) * down])
        rows = np.arange(0, len(band), down)
        sums = np.add.reduceat(np.add.reduceat(band, rows, axis=0), columns, axis=1)
        heights = np.diff(np.append(rows, len(band)))
        sizes = heights[:, None] * np.diff(np.append(columns, width))
        means[first : first + len(rows)] = sums / sizes
    return means
