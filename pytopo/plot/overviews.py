"""A small picture of a large image, and in it the exact pixels of its most persistent features.

overview (512, 512) of an image (32768, 32768)  ->  drawn 32768 rows and columns wide
"""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from pytopo.diagram import Diagram
from pytopo.options import whole_number
from pytopo.plot.images import frame_of_pixels, marks_of
from pytopo.plot.legend import given_or_new, legend_below, most_persistent
from pytopo.plot.marks import feature_handles
from pytopo.plot.span import span_of


def overview(
    values: ArrayLike | None,
    diagram: Diagram,
    ax: Axes | None = None,
    *,
    covered: Sequence[float] | None = None,
    section: int | None = None,
    top: int = 10,
) -> Axes:
    """Draw a small picture of a large image, and over it where features are born and die.

    Marks are those of `pytopo.plot.image`, at the pixels of the image itself.

    Parameters
    ----------
    values : array_like, (h, w), or None
        The image in lower resolution; ``None`` if there is none: an empty rectangle.
    diagram : Diagram
        Of the image in full.
    ax : Axes or None
        Where to draw; ``None`` for a new figure.
    covered : sequence of 2 float or None
        Rows and columns of the image that the picture shows; ``None`` for all of them.
    section : int or None
        Which section of a volume the picture shows, counted from 0.
    top : int
        How many features to mark, the most persistent.

    Raises
    ------
    TypeError
        If ``top`` is not a whole number.
    ValueError
        If ``top`` is negative, if ``values`` has not two axes, or if the diagram is of a
        volume and ``section`` is missing.

    Examples
    --------
    >>> import numpy as np, pytopo
    >>> image = np.random.default_rng(0).random((64, 64))
    >>> ax = pytopo.plot.overview(image[::2, ::2], pytopo.persistence(image))
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['components (dim 0)', 'birth', 'death']
    """
    top = whole_number(top, "top")
    if len(diagram.shape) != 2 + (section is not None):
        raise ValueError(
            f"the diagram is of an image of shape {diagram.shape}; expected two axes, or three "
            "and a section"
        )
    ax = given_or_new(ax)
    height, width = diagram.shape[-2:]
    if values is not None:
        small = np.asarray(values)
        if small.ndim != 2:
            raise ValueError(f"values has shape {small.shape}; expected (h, w)")
        rows, columns = covered or (height, width)
        span = span_of(small)
        ax.imshow(
            span.place(small), cmap="gray", vmin=span.low, vmax=span.high, origin="upper",
            extent=(-0.5, columns - 0.5, rows - 0.5, -0.5),
        )  # fmt: skip
    ax.set_aspect("auto" if max(height, width) > 20 * min(height, width) else "equal")
    locate = frame_of_pixels(ax, (height, width))
    marks = marks_of(diagram, section, locate)
    chosen = most_persistent(diagram, marks.seen)[:top]
    marks.draw(ax, chosen)
    handles = feature_handles(diagram, chosen, [marks])
    if handles:
        legend_below(ax, handles, columns=len(handles))
    return ax
