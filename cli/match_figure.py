"""The figure of `pytopo match`: two diagrams and their matching; by place, the images too."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytopo.cli.files import figure_content
from pytopo.cli.matches import Match, Sides

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from pytopo.matching import BettiMatching

LONGEST = 26  # characters of a name in the title


@dataclass(frozen=True)
class Drawing:
    """What a figure shows.

    Attributes
    ----------
    sides : Sides
    matches : dict of int to Match
        By dimension.
    top : int
        How many features and lines of either kind.
    title : str
    path : str
        Of the figure; it names the kind.
    """

    sides: Sides
    matches: dict[int, Match]
    top: int
    title: str
    path: str


def cost_figure(drawing: Drawing) -> bytes:
    """Return the content of the figure of two diagrams."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.4, 7.6), dpi=150)
    ax = figure.subplots()
    figure.subplots_adjust(left=0.11, right=0.97, bottom=0.08, top=0.89)
    return _finished(figure, ax, drawing)


def place_figure(drawing: Drawing, images: "tuple[NDArray, NDArray]") -> bytes:
    """Return the content of the figure of two images, and of their diagrams."""
    from pytopo import plot
    from pytopo.cli.loss_figure import two_images_axes

    figure, *pictures, right = two_images_axes(images[0].shape[-2:])
    found = _drawn(drawing)
    for letter, image, ax, second in zip("AB", images, pictures, (False, True)):
        plot.betti_matching(image, found, ax, second=second, top=drawing.top)
        ax.set_title(": ".join(filter(None, [letter, ax.get_title()])), fontsize="medium")
    return _finished(figure, right, drawing)


def _finished(figure: "Figure", ax: "Axes", drawing: Drawing) -> bytes:
    """Draw the diagrams, and return the content of the figure."""
    from pytopo import plot

    found = _drawn(drawing)
    plot.matched_diagrams(
        found.first, found.second, found.pairs, ax, top=drawing.top, names=("A", "B")
    )
    ax.set_title(drawing.title, fontsize="medium")
    names = (f"{letter}: {_short(name)}" for letter, name in zip("AB", drawing.sides.names))
    return figure_content(figure, ", ".join(names), drawing.path)


def _short(name: str) -> str:
    """Return the end of a name, so that there is room for two in a title."""
    return name if len(name) <= LONGEST else f"…{name[1 - LONGEST :]}"


def _drawn(drawing: Drawing) -> "BettiMatching":
    """Return what was matched as one matching of diagrams without the rest."""
    import numpy as np

    from pytopo.matching import BettiMatching
    from pytopo.plot.areas import part_of

    sides, matches = drawing.sides, drawing.matches
    pairs = [match.pairs for match in matches.values()]
    essential = [np.flatnonzero(d.essential & np.isin(d.dim, list(matches))) for d in sides]
    if all(map(len, essential)):
        pairs.append(np.column_stack(essential))
    rows = [
        np.sort(np.concatenate([*(getattr(m, side) for m in matches.values()), eldest]))
        for side, eldest in zip(("first", "second"), essential)
    ]
    renumbered = np.concatenate(pairs)
    parts, alone = [], []
    for i, (diagram, chosen) in enumerate(zip(sides, rows)):
        parts.append(part_of(diagram, chosen, tuple(matches)))
        renumbered[:, i] = np.searchsorted(chosen, renumbered[:, i])
        alone.append(np.setdiff1d(np.arange(len(chosen)), renumbered[:, i]))
    return BettiMatching(*parts, renumbered, *alone)
