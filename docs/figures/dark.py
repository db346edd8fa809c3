"""A figure for dark pages: greys turn around, and colours and images stay.

white paper, black text  ->  dark paper, light text
a colour, an image       ->  the same; so is text that is written on an image
"""

import numpy as np
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import Collection
from matplotlib.colors import to_rgba, to_rgba_array
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke
from matplotlib.text import Annotation, Text
from mpl_toolkits.mplot3d.art3d import Poly3DCollection
from numpy.typing import ArrayLike, NDArray

PAPER = 0.07  # of the site's dark theme


def turned(colours: ArrayLike) -> NDArray[np.float64]:
    """Return colours with white turned into paper and black into nearly white.

    Examples
    --------
    >>> turned("white").round(2).tolist(), turned("black").round(2).tolist()
    ([[0.07, 0.07, 0.07, 1.0]], [[0.93, 0.93, 0.93, 1.0]])
    >>> turned("#0072B2").round(2).tolist()
    [[0.0, 0.45, 0.7, 1.0]]
    """
    found = to_rgba_array(colours)
    grey = np.ptp(found[:, :3], axis=1) < 0.02
    found[grey, :3] = 1 - PAPER - (1 - 2 * PAPER) * found[grey, :3]
    return found


def darken(figure: Figure) -> None:
    """Turn the greys of a figure around, in place."""
    figure.draw_without_rendering()  # tick labels are made when they are needed
    texts = [text for text in figure.findobj(Text) if text.get_visible() and text.get_text()]
    for artist in figure.findobj():
        _darken(artist)
    light = _lightness_below(figure, texts)
    for text, below in zip(texts, light):
        written = np.vstack([to_rgba(text.get_color()), turned(text.get_color())])
        apart = np.abs(written[:, :3].mean(axis=1) - below)
        colour = written[apart.argmax()]
        text.set_color(colour)
        if text.get_path_effects():  # an outline, which a light text would vanish in
            text.set_path_effects([withStroke(linewidth=3, foreground=_contrast(colour))])


def _contrast(colour: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return paper for a light colour, white for a dark one."""
    return turned("white")[0] if colour[:3].mean() > 0.5 else np.ones(4)


def _lightness_below(figure: Figure, texts: list[Text]) -> list[float]:
    """Return how light it is where texts are written, from 0 to 1."""
    canvas = FigureCanvasAgg(figure)
    for text in texts:
        text.set_alpha(0)
    canvas.draw()
    drawn = np.asarray(canvas.buffer_rgba())[..., :3].mean(axis=2) / 255
    light = []
    for text in texts:
        text.set_alpha(None)
        box = text.get_window_extent(canvas.get_renderer())
        rows = slice(max(int(len(drawn) - box.y1), 0), max(int(len(drawn) - box.y0), 1))
        columns = slice(max(int(box.x0), 0), max(int(box.x1), 1))
        part = drawn[rows, columns]
        light.append(float(np.median(part)) if part.size else PAPER)
    return light


def _darken(artist: Artist) -> None:
    if isinstance(artist, Annotation) and artist.arrow_patch is not None:
        _darken(artist.arrow_patch)
    if isinstance(artist, Line2D):
        face, edge = artist.get_markerfacecolor(), artist.get_markeredgecolor()
        artist.set_color(turned(artist.get_color())[0])  # and with it what is not set
        if to_rgba(face)[3]:
            artist.set_markerfacecolor(turned(face)[0])
        if to_rgba(edge)[3]:
            artist.set_markeredgecolor(turned(edge)[0])
    elif isinstance(artist, Patch):
        face, edge = artist.get_facecolor(), artist.get_edgecolor()
        artist.set_facecolor(turned(face)[0])
        artist.set_edgecolor(turned(edge)[0])
    elif isinstance(artist, Poly3DCollection):
        pass  # a solid: its faces are shaded, and come in another order than they were given
    elif isinstance(artist, Collection) and artist.get_array() is None:
        face, edge = artist.get_facecolor(), artist.get_edgecolor()
        artist.set_facecolor(turned(face))
        artist.set_edgecolor(turned(edge))
