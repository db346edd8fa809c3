"""Images, and over them the pixels where features are born and die."""

from collections.abc import Callable

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike, NDArray

from pytopo.diagram import Diagram
from pytopo.options import integer, whole_number
from pytopo.plot.legend import given_or_new, legend_below, most_persistent
from pytopo.plot.marks import Marks, feature_handles
from pytopo.plot.reduced import draw_grey
from pytopo.plot.span import Span, Ticks, span_of

_Locate = Callable[[NDArray[np.int64]], NDArray]  # coordinates of pixels (k, ndim) to (x, y)


def image(
    image: ArrayLike,
    diagram: Diagram,
    ax: Axes | None = None,
    *,
    top: int = 10,
    section: int | None = None,
) -> Axes:
    """Draw an image, and over it the pixels where features are born and die.

    A disc marks the birth, a triangle the death, a line connects them.  The essential
    component has only a birth, and what happens in the frame is not marked.

    Parameters
    ----------
    image : array_like, (W,), (H, W) or (D, H, W)
        The image of the diagram.  One axis is drawn as a curve, of three axes a section.
    diagram : Diagram
    ax : Axes or None
        Where to draw; ``None`` for a new figure.
    top : int
        How many features to mark, the most persistent; of a volume, the most persistent
        of those that are born or die in the section.
    section : int or None
        Which section of a volume, counted from 0; ``None`` for the one in the middle.

    Raises
    ------
    TypeError
        If ``top`` is not a whole number.
    ValueError
        If ``top`` is negative, or the image has not the shape that the diagram is of, or not
        that section.

    Examples
    --------
    >>> import numpy as np, pytopo
    >>> ring = np.array([[0, 0, 0], [0, 9, 0], [0, 0, 0]])
    >>> ax = pytopo.plot.image(ring, pytopo.persistence(ring))
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['components (dim 0)', 'holes (dim 1)', 'birth', 'death']
    """
    top = whole_number(top, "top")
    values, section = checked_section(np.asarray(image), diagram, section, "image")
    ax = given_or_new(ax)
    if section is not None:
        ax.set_title(f"section {section} of {diagram.shape[0]}")
    if values.ndim == 1:
        locate = _draw_curve(ax, values, diagram)
    else:
        locate = draw_pixels(ax, values, span_of(values))
    marks = marks_of(diagram, section, locate)
    rows = most_persistent(diagram, marks.seen)[:top]
    marks.draw(ax, rows)
    handles = feature_handles(diagram, rows, [marks])
    if handles:
        legend_below(ax, handles, columns=len(handles))
    return ax


# ---- pixels ------------------------------------------------------------------------------


def checked_section(
    values: NDArray, diagram: Diagram, section: int | None, name: str
) -> tuple[NDArray, int | None]:
    """Return what to draw of an image, and which section of a volume that is."""
    if values.shape != diagram.shape:
        raise ValueError(
            f"{name} has shape {values.shape}; expected {diagram.shape}, the shape of the "
            "image that the diagram is of"
        )
    if section is not None:
        number = integer(section)
        if number is None or not (values.ndim == 3 and 0 <= number < len(values)):
            raise ValueError(f"an image of shape {values.shape} has no section {section!r}")
        return values[number], number
    if values.ndim < 3:
        return values, None
    return values[len(values) // 2], len(values) // 2


def draw_pixels(ax: Axes, values: NDArray, span: Span) -> _Locate:
    """Draw a grey image; return the function from (row, column) to places (x, y)."""
    height, width = values.shape
    ribbon = max(height, width) > 20 * min(height, width)
    draw_grey(ax, values, span, aspect="auto" if ribbon else "equal")
    return frame_of_pixels(ax, (height, width))


def frame_of_pixels(ax: Axes, shape: tuple[int, int]) -> _Locate:
    """Give Axes the limits, labels and border of an image; return what `draw_pixels` does."""
    height, width = shape
    room = 0.02 * max(height, width)  # for the marks of pixels at the border
    ax.set(
        xlabel="column", ylabel="row",
        xlim=(-0.5 - room, width - 0.5 + room), ylim=(height - 0.5 + room, -0.5 - room),
    )  # fmt: skip
    ax.spines[:].set_visible(False)
    ax.add_patch(Rectangle((-0.5, -0.5), width, height, fill=False, ec="0.6", lw=0.8))
    for axis, length in ((ax.xaxis, width), (ax.yaxis, height)):
        axis.set_major_locator(Ticks(Span(0, length - 1), [], integer=True))
    return lambda index: index[:, ::-1]


def _draw_curve(ax: Axes, values: NDArray, diagram: Diagram) -> _Locate:
    """Draw an image of one axis as the function that its construction makes of it."""
    span = span_of(values)
    height = span.place(values)
    style = "steps-mid" if diagram.construction == "T" else "default"
    ax.plot(height, color="0.3", lw=1, drawstyle=style)
    ax.set(xlabel="column", ylabel="value")
    ax.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
    return lambda index: np.column_stack([index[:, 0], height[index[:, 0]]])


def marks_of(diagram: Diagram, section: int | None, locate: _Locate) -> Marks:
    """Return where critical pixels lie in an image, or in a section of a volume."""
    birth, death = diagram.birth_index, diagram.death_index
    if section is None:
        born, dies = birth[:, 0] >= 0, death[:, 0] >= 0
    else:
        born, dies = birth[:, 0] == section, death[:, 0] == section
        birth, death = birth[:, 1:], death[:, 1:]
    birth, death = (locate(np.maximum(index, 0)) for index in (birth, death))
    return Marks(diagram, birth, death, born, dies)
