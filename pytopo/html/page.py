"""Everything that belongs to a report becomes one file: no network, no folder beside it."""

import os
from dataclasses import dataclass
from html import escape
from importlib.resources import files

import numpy as np
from bokeh.document import Document
from bokeh.embed import file_html
from bokeh.resources import INLINE
from numpy.typing import ArrayLike, NDArray

from pytopo.diagram import Diagram
from pytopo.files import replacing
from pytopo.html.controls import Drawing, controls, counted
from pytopo.html.cuts import Cuts
from pytopo.html.pixels import picture
from pytopo.html.plane import add_targets, plane
from pytopo.html.points import Points, linked_sources
from pytopo.html.regions import Regions
from pytopo.html.stops import stops_of
from pytopo.order import checked_image
from pytopo.plot.span import span_of

MOST_PIXELS = 2**24
SIGNS = {"circle": "●", "square": "■", "triangle": "▲", "plus": "✖", "hex": "⬢"}


@dataclass(frozen=True, repr=False)
class Report:
    """An interactive page for the browser; a notebook shows it if it is the last value.

    Attributes
    ----------
    title : str
    html : str
        The whole page, with all the data and code that it needs.
    """

    title: str
    html: str

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the page to a file, whole or not at all."""
        with replacing(path) as stream:
            stream.write(self.html)

    def __repr__(self) -> str:
        return f"<Report: {self.title}>"

    def _repr_html_(self) -> str:
        """Show the page in a frame of its own, so that it and the notebook do not interfere."""
        return (
            f'<iframe title="{escape(self.title)}" srcdoc="{escape(self.html)}" '
            'style="width: 100%; height: 900px; border: 0"></iframe>'
        )


class TooLarge(ValueError):
    """The image has more pixels than a page can hold."""


@dataclass(frozen=True)
class Target:
    """The diagram of a target, and the rows of it that nothing is matched to."""

    diagram: Diagram
    missing: NDArray[np.int64]


def fitting_image(image: ArrayLike, diagram: Diagram, name: str = "image") -> NDArray:
    """Return an image as an array, if a page can hold it and it is that of a diagram.

    Raises
    ------
    TypeError, ValueError
        If it is no image or has not the shape that the diagram is of.
    TooLarge
        If it has more than 2**24 pixels.
    """
    values = checked_image(image, name)
    if values.shape != diagram.shape:
        raise ValueError(
            f"{name} has shape {values.shape}; expected {diagram.shape}, that of the diagram"
        )
    if values.size > MOST_PIXELS:
        raise TooLarge(
            f"{name} of {values.size:,} pixels; a page holds {MOST_PIXELS:,}, so take a part, "
            f"like {name.upper()}[0] or {name.upper()}[:512, :512]"
        )
    return values.astype(diagram.birth.dtype)


def page(
    image: NDArray,
    points: Points,
    cuts: Cuts,
    regions: Regions | None,
    *,
    title: str,
    note: str,
    caption: str,
    view: str,
    target: Target | None = None,
) -> Report:
    """Return the report of an image and the points of its diagram.

    Parameters
    ----------
    image : (W,), (H, W) or (D, H, W) ndarray
        As `fitting_image` returns it.
    points : Points
    cuts : Cuts
    regions : Regions or None
    title : str
    note : str
        A line under the title, or nothing.
    caption : str
        A line under the figures.
    view : {"regions", "threshold"}
        What the image shows at first, if there are regions.
    target : Target or None
        The target of a loss, drawn beside the points.
    """
    diagram = points.diagram
    values = [image.ravel(), diagram.birth, diagram.death[~diagram.essential]]
    if diagram.frame is not None:
        values.append(np.array([diagram.frame], image.dtype))
    thresholds = stops_of(np.concatenate(values), falling=diagram.superlevel)
    goals = [target.diagram.birth, target.diagram.death] if target is not None else []
    places = span_of(*values, *goals)

    sources = linked_sources(points.columns(image, thresholds, places))
    left = picture(image, points, sources, thresholds, places)
    right, quadrant, cut = plane(points, sources, places)
    if target is not None:
        add_targets(right, target.diagram, target.missing, places)
    left.figure.name, right.name = "image", "diagram"

    document = Document()
    drawing = Drawing(points, sources, left, quadrant, cut, thresholds, cuts, regions, places)
    made = controls(document, drawing, view)
    for model in (left.figure, right, *made.models()):
        document.add_root(model)
    html = file_html(
        document, INLINE, title,
        template=(files("pytopo.html") / "page.html").read_text(encoding="utf-8"),
        template_variables={
            "note": note,
            "legend": _legend(points, target),
            "view": made.view is not None,
            "sections": made.section is not None,
            "caption": " ".join(filter(None, [caption, _about(regions)])),
        },
    )  # fmt: skip
    return Report(title, html)


def _legend(points: Points, target: Target | None) -> list[dict[str, str]]:
    """Return what each marker is, and how many there are."""
    numbers = np.bincount(points.kind, minlength=len(points.kinds)).tolist()
    items = [
        {"colour": kind.colour, "sign": SIGNS[kind.marker], "text": counted(number, kind.name)}
        for kind, number in zip(points.kinds, numbers)
        if number or target is None
    ]
    if target is not None:
        missing = f", {len(target.missing)} without a match" if len(target.missing) else ""
        text = f"{counted(len(target.diagram), 'point of the ground truth')}{missing}"
        items.append({"colour": "inherit", "sign": "□", "text": text})
    return items


def _about(regions: Regions | None) -> str:
    """Return what the cut hides, and which features have a region in the page."""
    cut = "Points that are less persistent would lie between the dashed line and the diagonal."
    if regions is None or not regions.number:
        return cut
    which = f"{counted(regions.number, 'features')} of persistence {regions.least:.6g} or more"
    others = counted(regions.left_out, "others")
    more = f"; the page has no room for {others}" if regions.left_out else ""
    return f"{cut} Regions are those of {which}{more}."
