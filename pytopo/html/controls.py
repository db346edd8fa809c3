"""The sliders and the texts of a page, and the few lines of JavaScript between them.

    view          -> regions in the image, or what has entered at the threshold
    threshold     -> what has entered of the image, Betti numbers, which points are alive
    persistence   -> which points and regions are shown, and how many are hidden
    section       -> which section of a volume
    feature       -> the points one by one, most persistent first: for keyboards

Python computes everything that depends on a slider, for each of its stops; the scripts only
look it up.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bokeh.document import Document
from bokeh.models import (
    BoxAnnotation,
    CategoricalSlider,
    Div,
    Model,
    RadioButtonGroup,
    Slider,
    Slope,
)

from pytopo.diagram import FEATURES, Diagram
from pytopo.html.cuts import Cuts
from pytopo.html.marks import AT_REST
from pytopo.html.pixels import Picture
from pytopo.html.points import Points, Sources, betti_numbers
from pytopo.html.regions import Regions
from pytopo.html.scripts import script
from pytopo.html.stops import Stops
from pytopo.plot.span import Span

HINT = "Hover over a point, a pixel mark or a region, tap it, or move the slider of features."
VIEWS = ("regions", "threshold")
_SAID = {"role": "status", "aria-live": "polite"}
_HANDLES = """  /* for fingers, and for the dark */
    .noUi-target { background: var(--ground); border-color: var(--line); box-shadow: none; }
    .noUi-horizontal .noUi-handle { width: 24px; height: 24px; top: -9px; right: -12px; }
    .noUi-handle { background: var(--handle); border-color: var(--text); box-shadow: none; }
    .noUi-handle:focus-visible { outline: 3px solid #0072b2; }
    .bk-slider-title { margin-bottom: 0.5rem; }
"""

_BUTTONS = """
    .bk-btn { background: var(--ground); color: var(--text); border-color: var(--line);
              font-size: 15px; }
    .bk-btn.bk-active { background: var(--handle); font-weight: bold; }
    .bk-btn:focus-visible { outline: 3px solid #0072b2; }
"""


@dataclass(frozen=True, eq=False)
class Drawing:
    """The two figures of a page, and what they are drawn from: all that the sliders change.

    Attributes
    ----------
    points : Points
    sources : Sources
    picture : Picture
        The figure to the left.
    quadrant : (BoxAnnotation, list of str)
        In the figure to the right, the quadrant of what is alive; see `plane`.
    cut : Slope
        In the figure to the right, the line of the points that are just persistent enough.
    thresholds : Stops
    cuts : Cuts
    regions : Regions or None
    places : Span
        Where values lie on an axis.
    """

    points: Points
    sources: Sources
    picture: Picture
    quadrant: tuple[BoxAnnotation, list[str]]
    cut: Slope
    thresholds: Stops
    cuts: Cuts
    regions: Regions | None
    places: Span


@dataclass(frozen=True, eq=False)
class Controls:
    """What to move and what to read, by the name it has in the page."""

    view: RadioButtonGroup | None
    threshold: CategoricalSlider
    persistence: CategoricalSlider
    section: Slider | None
    feature: Slider
    betti: Div
    hidden: Div
    chosen: Div

    def models(self) -> list[Model]:
        """Return those that there are."""
        return [model for model in vars(self).values() if model is not None]


def controls(document: Document, drawing: Drawing, view: str) -> Controls:
    """Return the sliders of a page, connected to everything that they move.

    Parameters
    ----------
    document : Document
        Shows what the sliders say once it is loaded.
    drawing : Drawing
    view : {"regions", "threshold"}
        What the image shows at first, if there are regions.
    """
    diagram, thresholds, places = drawing.points.diagram, drawing.thresholds, drawing.places
    cuts = drawing.cuts
    middle = thresholds.nearest((places.low + places.high) / 2)
    sections = diagram.shape[0] if drawing.picture.section is not None else 0
    made = Controls(
        view=_choice(VIEWS, VIEWS.index(view)) if drawing.regions is not None else None,
        threshold=_stop_slider("threshold", thresholds, middle),
        persistence=_stop_slider("persistence at least", cuts.levels, cuts.at_first),
        section=_slider("section", 0, sections - 1, sections // 2) if sections > 1 else None,
        feature=_slider(
            "feature, most persistent first", 0, max(len(drawing.points.rows), 1), 0
        ),
        betti=_text("betti"),
        hidden=_text("hidden"),
        chosen=_text("chosen", HINT),
    )
    _connect_persistence(document, drawing, made)
    _connect_threshold(drawing, made)
    _connect_feature(drawing, made)
    return made


# ---- connections: a slider moves, a script runs ------------------------------------------


def _connect_persistence(document: Document, drawing: Drawing, made: Controls) -> None:
    """Let the sliders of persistence and section decide which points and pixels are there."""
    shown = drawing.cuts.shown.tolist()
    side = -1 if drawing.points.diagram.superlevel else 1
    thin = script(
        "thin",
        persistence=made.persistence,
        section=made.section,
        feature=made.feature,
        hidden=made.hidden,
        here=drawing.picture.section,
        every=drawing.sources.every,
        points=drawing.sources.shown,
        shown=shown,
        hidden_texts=_hidden_texts(drawing.points, shown),
        cut=drawing.cut,
        intercepts=(side * drawing.cuts.levels.values).tolist(),
        outlines=drawing.regions.sections if drawing.regions is not None else None,
    )
    for slider in filter(None, (made.persistence, made.section)):
        slider.js_on_change("value", thin)
    document.js_on_event("document_ready", thin)  # the first time without a slider


def _connect_threshold(drawing: Drawing, made: Controls) -> None:
    """Let the threshold decide what has entered and is alive, if the view is of that."""
    thresholds, sources = drawing.thresholds, drawing.sources
    show = script(
        "show",
        view=made.view,
        threshold=made.threshold,
        betti=made.betti,
        alive=drawing.picture.alive,
        regions=drawing.picture.regions,
        at_rest=AT_REST,
        entered=drawing.picture.entered,
        boxes=[*drawing.picture.boxes, drawing.quadrant],
        points=sources.shown,
        bright=sources.bright,
        places=drawing.places.place(thresholds.values).tolist(),
        betti_texts=_betti_texts(drawing.points.diagram, thresholds),
    )
    made.threshold.js_on_change("value", show)
    if made.view is not None:
        made.view.js_on_change("active", show)
    sources.shown.js_on_change("data", show)  # other points are shown: some of them alive


def _connect_feature(drawing: Drawing, made: Controls) -> None:
    """Let the slider of features choose a point, and what is chosen move the slider."""
    points = drawing.sources.shown
    about = {"points": points, "feature": made.feature, "section": made.section}
    made.feature.js_on_change("value", script("choose", **about))
    points.selected.js_on_change(
        "indices", script("chosen", **about, chosen=made.chosen, hint=HINT)
    )


# ---- what they look like -----------------------------------------------------------------


def _stop_slider(title: str, stops: Stops, stop: int) -> CategoricalSlider:
    labels = stops.labels
    return CategoricalSlider(
        title=title, categories=labels, value=labels[stop], **_look(title)
    )  # fmt: skip


def _slider(title: str, start: int, end: int, value: int) -> Slider:
    return Slider(title=title, start=start, end=end, value=value, step=1, **_look(title))


def _choice(labels: Sequence[str], active: int) -> RadioButtonGroup:
    return RadioButtonGroup(
        labels=list(labels), active=active, name="view", stylesheets=[_BUTTONS],
        html_attributes={"role": "group", "aria-label": "what the image shows"},
    )  # fmt: skip


def _look(title: str) -> dict[str, Any]:
    return {
        "name": title.split()[0].rstrip(","),
        "sizing_mode": "stretch_width",
        "stylesheets": [_HANDLES],
        "html_attributes": {"role": "group", "aria-label": title},
    }


def _text(name: str, text: str = "") -> Div:
    return Div(name=name, text=text, sizing_mode="stretch_width", html_attributes=_SAID)


# ---- words -------------------------------------------------------------------------------


def _betti_texts(diagram: Diagram, thresholds: Stops) -> list[str]:
    """Return what is alive at each stop of the threshold."""
    names = [FEATURES[len(diagram.shape)][d] for d in diagram.dims]
    return [
        f"Betti numbers at {label}: {', '.join(map(counted, numbers, names))}"
        for label, numbers in zip(
            thresholds.labels, betti_numbers(diagram, thresholds).tolist()
        )
    ]


def _hidden_texts(points: Points, numbers: Sequence[int]) -> list[str]:
    """Return how many points each stop of the persistence shows, and which it hides."""
    names = [points.kinds[k].name for k in points.kind[points.rows]]
    total = len(points.diagram)
    left_out = total - len(names)
    remark = f" ({left_out:,} less persistent ones are not in this page)" if left_out else ""
    texts = []
    for shown in numbers:
        gone = Counter(names[shown:])
        what = ", ".join(
            counted(gone[kind.name], kind.name) for kind in points.kinds if gone[kind.name]
        )
        hidden = f"{len(names) - shown:,} hidden: {what}" if what else "none hidden"
        texts.append(f"{shown:,} of {total:,} points shown, {hidden}{remark}")
    return texts


def counted(number: int, name: str) -> str:
    """Return a number and the name of what it counts, given in the singular or the plural.

    Examples
    --------
    >>> counted(1, "holes"), counted(2, "hole to fix")
    ('1 hole', '2 holes to fix')
    """
    first, *rest = name.split(" ", 1)
    first = first.removesuffix("s") + ("" if number == 1 else "s")
    return " ".join([f"{number:,}", first, *rest])
