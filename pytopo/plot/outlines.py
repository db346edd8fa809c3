"""Regions in an image: tinted, and outlined along the sides of their pixels."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgb
from numpy.typing import ArrayLike, NDArray

from pytopo.plot.images import draw_pixels
from pytopo.plot.legend import TINTS, given_or_new
from pytopo.plot.reduced import draw_tints, reduced_labels
from pytopo.plot.span import span_of

OPACITY = 0.35
SPECK = 80  # so many of them, side by side, are as wide as the image


def regions(labels: ArrayLike, image: ArrayLike, ax: Axes | None = None) -> Axes:
    """Draw an image, and over it its regions, each in a colour.

    There are seven colours, so features whose labels differ by seven look the same.

    Parameters
    ----------
    labels : array_like of integers, (H, W)
        As from `pytopo.regions`; 0 is left as it is.
    image : array_like, (H, W)
        What was labelled.
    ax : Axes or None
        Where to draw; ``None`` for a new figure.

    Raises
    ------
    TypeError
        If labels are no integers.
    ValueError
        If there are not two axes, or labels and image differ in shape.

    Examples
    --------
    >>> import numpy as np, pytopo
    >>> image = np.array([[1, 1, 1, 1, 1, 1],
    ...                   [1, 9, 8, 4, 7, 1],
    ...                   [1, 1, 1, 1, 1, 1]])
    >>> labels, diagram = pytopo.regions(image, 1, min_persistence=3)
    >>> ax = pytopo.plot.regions(labels, image)
    >>> [len(ring) for ring in ax.collections[0].get_segments()]  # the corners of two outlines
    [5, 5]
    """
    found, values = np.asarray(labels), np.asarray(image)
    if found.dtype.kind not in "iu":
        raise TypeError(f"labels has dtype {found.dtype}; expected integers")
    if found.ndim != 2 or found.shape != values.shape:
        raise ValueError(
            f"labels has shape {found.shape} and image {values.shape}; expected the same (H, W)"
            " (of a volume draw a section: labels[k], image[k])"
        )
    ax = given_or_new(ax)
    draw_pixels(ax, values, span_of(values))
    palette = np.array([to_rgb(colour) for colour in TINTS])
    paint(ax, found, palette[np.arange(found.max(initial=0)) % len(TINTS)])
    return ax


def paint(ax: Axes, labels: NDArray, colours: NDArray[np.float64]) -> None:
    """Tint and outline regions in an image that is drawn already.

    What is too small to be outlined stays without tint: see `_without_specks`.

    Parameters
    ----------
    ax : Axes
    labels : (H, W) ndarray of integers
        0 is left as it is.
    colours : (k, 3) float64
        Of the labels 1 to k.
    """
    tints = np.zeros((len(colours) + 1, 4), np.uint8)
    tints[1:, :3] = np.round(255 * colours)
    tints[1:, 3] = round(255 * OPACITY)
    draw_tints(ax, np.maximum(labels, 0), tints)
    few, (down, right) = reduced_labels(labels)
    rings, label = outlines_of(_without_specks(few))
    segments = [(ring + 0.5) * (right, down) - 0.5 for ring in rings]
    width = np.clip(600 / max(few.shape), 0.6, 1.5)
    ax.add_collection(LineCollection(segments, colors=colours[label - 1], lw=width))


def _without_specks(labels: NDArray) -> NDArray:
    """Return labels whose gaps are filled, if they are small beside the picture.

    Noise makes many gaps in a region, and the outlines of all of them would hide it.
    """
    from scipy.ndimage import label, maximum, maximum_filter

    gaps, _ = label(labels == 0)
    size = np.bincount(gaps.ravel())
    size[0] = labels.size  # the regions
    small = size < (max(labels.shape) / SPECK) ** 2
    if not small.any():
        return labels
    around = np.zeros(len(size), labels.dtype)
    around[small] = maximum(maximum_filter(labels, 3), gaps, np.flatnonzero(small))
    return np.where(small[gaps], around[gaps], labels)


def outlines_of(labels: NDArray) -> tuple[list[NDArray[np.floating]], NDArray]:
    """Return the rings around regions as x, y, around whole numbers; and whose they are."""
    from pytopo.features.polygons import outlines  # here: features bring the kernels

    rings = [
        (ring - 0.5, label)
        for label, polygons in outlines(labels).items()
        for polygon in polygons
        for ring in polygon
    ]
    return [ring for ring, _ in rings], np.array([label for _, label in rings], labels.dtype)
