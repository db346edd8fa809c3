"""Regions in an image: tinted, and outlined along the sides of their pixels."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgb
from numpy.typing import ArrayLike, NDArray

from pytopo.plot.images import draw_pixels
from pytopo.plot.legend import given_or_new
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
    >>> len(ax.collections[0].get_segments())  # sides of pixels that are part of an outline
    11
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
    tint = np.zeros((*found.shape, 4))
    tint[..., :3] = palette[(found - 1) % len(TINTS)]
    tint[..., 3] = np.where(found > 0, OPACITY, 0)
    ax.imshow(tint, origin="upper", aspect=ax.get_aspect())
    segments, label = outlines_of(found)
    ax.add_collection(
        LineCollection(list(segments), colors=palette[(label - 1) % len(TINTS)], lw=1.2)
    )
    return ax


def outlines_of(labels: NDArray) -> tuple[NDArray[np.float64], NDArray]:
    """Return the sides of pixels between two labels, (k, 2, 2) as x, y; and whose they are."""
    padded = np.pad(labels, 1)
    segments, owners = [], []
    for axis in (0, 1):
        first, second = (
            (padded[:-1], padded[1:]) if axis == 0 else (padded[:, :-1], padded[:, 1:])
        )
        row, column = np.nonzero(first != second)
        # Without the padding, the side lies half a pixel behind the first of the two.
        y, x = row - 1.0, column - 1.0
        if axis == 0:
            ends = np.stack([x - 0.5, y + 0.5, x + 0.5, y + 0.5], axis=1)
        else:
            ends = np.stack([x + 0.5, y - 0.5, x + 0.5, y + 0.5], axis=1)
        segments.append(ends.reshape(-1, 2, 2))
        here = first[row, column]
        owners.append(np.where(here > 0, here, second[row, column]))
    return np.concatenate(segments), np.concatenate(owners)
