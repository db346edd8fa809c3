"""The sliders and the texts of a page, and the few lines of JavaScript between them.

    threshold     -> what has entered of the image, Betti numbers, which points are alive
    persistence   -> which points are shown, and how many are hidden
    section       -> which section of a volume
    feature       -> the points one by one, most persistent first: for keyboards

Python computes everything that depends on a slider, for each of its stops; the scripts only
look it up.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from bokeh.document import Document
from bokeh.models import BoxAnnotation, CategoricalSlider, Div, Model, Slider

from pytopo.diagram import FEATURES, Diagram
from pytopo.html.pixels import Picture
from pytopo.html.points import Points, Sources, betti_numbers
from pytopo.html.scripts import script
from pytopo.html.stops import Stops, stops_of
from pytopo.plot.span import Span

SHOWN_AT_FIRST = 500
HINT = "Hover over a point or a pixel mark, tap it, or move the slider of features."
_SAID = {"role": "status", "aria-live": "polite"}
_HANDLES = """  /* for fingers, and for the dark */
    .noUi-target { background: var(--ground); border-color: var(--line); box-shadow: none; }
    .noUi-horizontal .noUi-handle { width: 24px; height: 24px; top: -9px; right: -12px; }
    .noUi-handle { background: var(--handle); border-color: var(--text); box-shadow: none; }
    .noUi-handle:focus-visible { outline: 3px solid #0072b2; }
    .bk-slider-title { margin-bottom: 0.5rem; }
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
    thresholds : Stops
    places : Span
        Where values lie on an axis.
    """

    points: Points
    sources: Sources
    picture: Picture
    quadrant: tuple[BoxAnnotation, list[str]]
    thresholds: Stops
    places: Span


@dataclass(frozen=True, eq=False)
class Controls:
    """What to move and what to read, by the name it has in the page."""

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


def controls(document: Document, drawing: Drawing) -> Controls:
    """Return the sliders of a page, connected to everything that they move.

    Parameters
    ----------
    document : Document
        Shows what the sliders say once it is loaded.
    drawing : Drawing
    """
    diagram, thresholds, places = drawing.points.diagram, drawing.thresholds, drawing.places
    levels, shown = persistence_levels(drawing.points)
    at_first = int(np.argmax(shown <= max(SHOWN_AT_FIRST, shown.min())))
    middle = thresholds.nearest((places.low + places.high) / 2)
    sections = diagram.shape[0] if drawing.picture.section is not None else 0
    made = Controls(
        threshold=_stop_slider("threshold", thresholds, middle),
        persistence=_stop_slider("persistence at least", levels, at_first),
        section=_slider("section", 0, sections - 1, sections // 2) if sections > 1 else None,
        feature=_slider(
            "feature, most persistent first", 0, max(len(drawing.points.rows), 1), 0
        ),
        betti=_text("betti"),
        hidden=_text("hidden"),
        chosen=_text("chosen", HINT),
    )
    _connect_persistence(document, drawing, made, shown.tolist())
    _connect_threshold(drawing, made)
    _connect_feature(drawing, made)
    return made


def persistence_levels(points: Points) -> tuple[Stops, np.ndarray]:
    """Return the stops of the slider of persistence, and how many points each shows.

    Rows are sorted, most persistent first, so the number k of the points above a level says
    which: the first k.
    """
    diagram = points.diagram
    persistence = diagram.persistence[points.rows]
    finite = persistence[np.isfinite(persistence)]
    levels = stops_of(np.append(finite, 0).astype(diagram.birth.dtype))  # 0 shows all
    # searchsorted expects ascending values: count p >= level as -p <= -level.
    return levels, np.searchsorted(-persistence, -levels.values, side="right")


# ---- connections: a slider moves, a script runs ------------------------------------------


def _connect_persistence(
    document: Document, drawing: Drawing, made: Controls, shown: list[int]
) -> None:
    """Let the sliders of persistence and section decide which points and pixels are there."""
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
    )
    for slider in filter(None, (made.persistence, made.section)):
        slider.js_on_change("value", thin)
    document.js_on_event("document_ready", thin)  # the first time without a slider


def _connect_threshold(drawing: Drawing, made: Controls) -> None:
    """Let the threshold decide what has entered, and which points are alive."""
    thresholds, sources = drawing.thresholds, drawing.sources
    show = script(
        "show",
        threshold=made.threshold,
        betti=made.betti,
        entered=drawing.picture.entered,
        boxes=[*drawing.picture.boxes, drawing.quadrant],
        points=sources.shown,
        bright=sources.bright,
        places=drawing.places.place(thresholds.values).tolist(),
        betti_texts=_betti_texts(drawing.points.diagram, thresholds),
    )
    made.threshold.js_on_change("value", show)
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
