"""The sliders and the texts of a page, and the few lines of JavaScript between them.

threshold     -> what has entered of the image, Betti numbers, which dots are alive
persistence   -> which dots are there, and how many are not
section       -> which section of a volume
feature       -> the dots one by one, most persistent first: for keyboards
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from bokeh.document import Document
from bokeh.models import (
    BoxAnnotation,
    CategoricalSlider,
    ColumnDataSource,
    Div,
    Model,
    Slider,
)

from pytopo.diagram import FEATURES, Diagram
from pytopo.html.dots import Dots, betti_numbers
from pytopo.html.pixels import Picture
from pytopo.html.scripts import script
from pytopo.html.stops import Stops, stops_of
from pytopo.plot.span import Span

SHOWN_AT_FIRST = 500
HINT = "Point at a dot or a pixel mark, tap it, or move the slider of features."
_SAID = {"role": "status", "aria-live": "polite"}
_HANDLES = """  /* for fingers, and for the dark */
    .noUi-target { background: var(--ground); border-color: var(--line); box-shadow: none; }
    .noUi-horizontal .noUi-handle { width: 24px; height: 24px; top: -9px; right: -12px; }
    .noUi-handle { background: var(--handle); border-color: var(--text); box-shadow: none; }
    .noUi-handle:focus-visible { outline: 3px solid #0072b2; }
    .bk-slider-title { margin-bottom: 0.5rem; }
"""


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


def controls(
    document: Document,
    dots: Dots,
    picture: Picture,
    quadrant: tuple[BoxAnnotation, list[str]],
    every: ColumnDataSource,
    shown: ColumnDataSource,
    bright: ColumnDataSource,
    thresholds: Stops,
    places: Span,
) -> Controls:
    """Return the sliders of a page, connected to everything that they move.

    Parameters
    ----------
    document : Document
        Shows what the sliders say once it is loaded.
    dots : Dots
    picture : Picture
    quadrant : (BoxAnnotation, list of str)
        Of what is alive.
    every, shown, bright : ColumnDataSource
        All dots, those that are drawn, and those of them that are drawn brightly.
    thresholds : Stops
    places : Span
    """
    diagram, rows = dots.diagram, dots.rows
    persistence = diagram.persistence[rows]
    depths = stops_of(
        np.append(persistence[np.isfinite(persistence)], 0).astype(diagram.birth.dtype)
    )
    above = np.searchsorted(-persistence, -depths.values, side="right")
    first = int(np.argmax(above <= max(SHOWN_AT_FIRST, above.min())))

    sections = diagram.shape[0] if picture.section is not None else 0
    middle = thresholds.nearest((places.low + places.high) / 2)
    made = Controls(
        threshold=_stop_slider("threshold", thresholds, middle),
        persistence=_stop_slider("persistence at least", depths, first),
        section=_slider("section", 0, sections - 1, sections // 2) if sections > 1 else None,
        feature=_slider("feature, most persistent first", 0, max(len(rows), 1), 0),
        betti=_text("betti"),
        hidden=_text("hidden"),
        chosen=_text("chosen", HINT),
    )
    thin = script(
        "thin",
        persistence=made.persistence,
        section=made.section,
        feature=made.feature,
        hidden=made.hidden,
        here=picture.section,
        every=every,
        dots=shown,
        shown=above.tolist(),
        hidden_texts=_hidden_texts(dots, above.tolist()),
    )
    for slider in filter(None, (made.persistence, made.section)):
        slider.js_on_change("value", thin)
    document.js_on_event("document_ready", thin)

    show = script(
        "show",
        threshold=made.threshold,
        betti=made.betti,
        entered=picture.entered,
        boxes=[*picture.boxes, quadrant],
        dots=shown,
        bright=bright,
        places=places.place(thresholds.values).tolist(),
        betti_texts=_betti_texts(diagram, thresholds),
    )
    made.threshold.js_on_change("value", show)
    shown.js_on_change("data", show)

    about = {"dots": shown, "feature": made.feature, "section": made.section}
    made.feature.js_on_change("value", script("choose", **about))
    shown.selected.js_on_change(
        "indices", script("chosen", **about, chosen=made.chosen, hint=HINT)
    )
    return made


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


def _hidden_texts(dots: Dots, above: Sequence[int]) -> list[str]:
    """Return how many dots are there at each stop of the persistence, and what is not."""
    names = [dots.kinds[k].name for k in dots.kind[dots.rows]]
    total = len(dots.diagram)
    left_out = total - len(names)
    remark = f" ({left_out:,} less persistent ones are not in this page)" if left_out else ""
    texts = []
    for shown in above:
        gone = Counter(names[shown:])
        what = ", ".join(
            counted(gone[kind.name], kind.name) for kind in dots.kinds if gone[kind.name]
        )
        hidden = f"{len(names) - shown:,} hidden: {what}" if what else "none hidden"
        texts.append(f"{shown:,} of {total:,} dots shown, {hidden}{remark}")
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
