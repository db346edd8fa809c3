"""Regions in an image: tinted, and outlined along the sides of their pixels."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgb
from numpy.typing import ArrayLike, NDArray

from pytopo.plot.images import draw_pixels
from pytopo.plot.legend import given_or_new
from pytopo.plot.reduced import draw_tints
from pytopo.plot.span import span_of

# Told apart by all readers, in an order in which neighbours differ (Okabe and Ito 2008).
TINTS = ("#E69F00", "#56B4E9", "#009E73", "#F0E442", "#0072B2", "#D55E00", "#CC79A7")
OPACITY = 0.3


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
    tints = np.append(np.zeros((1, 4)), np.insert(palette, 3, OPACITY, axis=1), axis=0)
    draw_tints(ax, np.where(found > 0, (found - 1) % len(TINTS) + 1, 0), tints)
    segments, label = _outlines(found)
    ax.add_collection(
        LineCollection(list(segments), colors=palette[(label - 1) % len(TINTS)], lw=1.2)
    )
    return ax


def _outlines(labels: NDArray) -> tuple[list[NDArray[np.floating]], NDArray]:
    """Return the rings around regions as x, y, around whole numbers; and whose they are."""
    from pytopo.features.polygons import outlines  # here: features bring the kernels

    rings = [
        (ring - 0.5, label)
        for label, polygons in outlines(labels).items()
        for polygon in polygons
        for ring in polygon
    ]
    return [ring for ring, _ in rings], np.array([label for _, label in rings], labels.dtype)
