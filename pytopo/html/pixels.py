"""The figure to the left: the image, what has entered of it, where points are born and die.

An image is stored as the stop of the threshold at which each pixel enters, one or two bytes
a pixel.  Its greys are looked up by stop; and what has entered is the same picture once more,
with one colour below the stop of the slider and none above.  Of a volume one section is
shown.  An image of one axis is a curve, and what has entered lies in a shaded half-plane.
"""

from dataclasses import dataclass, field, replace

import numpy as np
from bokeh.models import (
    BasicTicker,
    BoxAnnotation,
    BoxSelectTool,
    CDSView,
    ColumnDataSource,
    CustomJSHover,
    DataRange1d,
    GlyphRenderer,
    HoverTool,
    IndexFilter,
    LinearColorMapper,
    MultiPolygons,
    WheelZoomTool,
)
from bokeh.plotting import figure
from numpy.typing import NDArray

from pytopo.html.marks import add_lines, add_marks, add_regions, hover_over
from pytopo.html.points import Points, Sources
from pytopo.html.stops import Stops
from pytopo.plot.span import Span

ENTERED = "#CC79A7"  # purple of Okabe and Ito, which no dimension has
CLEAR = "#ffffff00"
TOOLS = "pan,box_select,tap,reset,save"


@dataclass(frozen=True, eq=False)
class Picture:
    """A figure, and what the sliders move in it.

    Attributes
    ----------
    figure : figure
    entered : list of LinearColorMapper
        Pixels of a stop below ``low`` are coloured.
    boxes : list of (BoxAnnotation, list of str)
        Boxes whose sides lie at the threshold, and which sides.
    section : IndexFilter or None
        Which section of a volume is shown.
    alive : list of GlyphRenderer
        Where what is alive is born and dies.
    regions : MultiPolygons or None
        What regions look like at rest.
    """

    figure: figure
    entered: list[LinearColorMapper] = field(default_factory=list)
    boxes: list[tuple[BoxAnnotation, list[str]]] = field(default_factory=list)
    section: IndexFilter | None = None
    alive: list[GlyphRenderer] = field(default_factory=list)
    regions: MultiPolygons | None = None


def picture(
    image: NDArray, points: Points, sources: Sources, thresholds: Stops, span: Span
) -> Picture:
    """Draw an image of one, two or three axes, and the regions and critical pixels of points.

    What is alive is marked: a filled marker at the birth, a hollow one at the death.  The
    marks of all shown points are there too, fully transparent: hovering finds them, and then
    they are drawn with the line that connects birth and death.
    """
    if image.ndim == 1:
        drawn = _curve(image, thresholds, span, points.diagram.construction)
    else:
        drawn = _image(image, thresholds)
    place, kinds = drawn.figure, points.kinds
    birth, death = ("birth_x", "birth_y"), ("death_x", "death_y")
    regions = [add_regions(place, sources.shown, kinds)] if image.ndim > 1 else []
    add_lines(place, sources.shown, kinds, (*birth, *death), width=2.0, at_rest=0.0)
    alive = [
        add_marks(place, sources.bright, kinds, end, size=7, opaque=0.9, hollow=hollow)
        for end, hollow in ((birth, False), (death, True))
    ]
    marks = [
        add_marks(place, sources.shown, kinds, end, size=7, opaque=0, hollow=hollow)
        for end, hollow in ((birth, False), (death, True))
    ]
    hover_over(place, sources.shown, marks, regions)
    place.select_one(BoxSelectTool).renderers = marks
    return replace(drawn, alive=alive, regions=regions[0].glyph if regions else None)


def new_figure(**options: object) -> figure:
    """Return a figure of the size and with the tools that both have."""
    wheel = WheelZoomTool()
    place = figure(
        width=600, height=600, sizing_mode="scale_width", tools=TOOLS, active_drag="pan",
        **options,
    )  # fmt: skip
    place.add_tools(wheel)
    place.toolbar.active_scroll = wheel
    place.toolbar.logo = None
    place.toolbar.autohide = False
    return place


def _image(image: NDArray, thresholds: Stops) -> Picture:
    sections = image if image.ndim == 3 else image[None]
    _, height, width = sections.shape
    n = len(thresholds.values)
    stop = thresholds.reached(sections.ravel()).reshape(sections.shape)
    columns = {"stop": list(stop.astype(np.uint8 if n <= 256 else np.uint16))}
    if not thresholds.exact:
        columns["value"] = list(sections.astype(np.float32))

    ribbon = max(height, width) > 20 * min(height, width)
    across, down = (
        DataRange1d(range_padding=0.02),
        DataRange1d(range_padding=0.02, flipped=True),
    )
    place = new_figure(
        x_range=across, y_range=down, match_aspect=not ribbon,
        x_axis_label="column", y_axis_label="row",
    )  # fmt: skip
    place.grid.visible = False
    place.axis.ticker = BasicTicker(min_interval=1, num_minor_ticks=0)

    source = ColumnDataSource(columns)
    here = IndexFilter([len(sections) // 2])
    entered = LinearColorMapper([CLEAR], low=0, high=n, low_color=ENTERED, high_color=CLEAR)
    greys = LinearColorMapper(_greys(thresholds, image), low=-0.5, high=n - 0.5)
    where = {"x": -0.5, "y": -0.5, "dw": width, "dh": height, "source": source}
    shown = place.image("stop", **where, color_mapper=greys, view=CDSView(filter=here))
    place.image(
        "stop", **where, color_mapper=entered, view=CDSView(filter=here), global_alpha=0.55
    )
    across.renderers = down.renderers = [shown]
    place.add_tools(_pixel_hover(shown, thresholds))
    return Picture(place, [entered], section=here if image.ndim == 3 else None)


def _greys(thresholds: Stops, image: NDArray) -> list[str]:
    """Return the grey of each stop: black is the least finite value of the image."""
    finite = image[np.isfinite(image)].astype(np.float64)
    low, high = (finite.min(), finite.max()) if finite.size else (0, 1)
    with np.errstate(over="ignore", invalid="ignore"):
        share = (thresholds.values - low) / (high - low if high > low else 1)
    grey = (255 * np.clip(np.nan_to_num(share), 0, 1)).round().astype(int)
    return [f"#{g:02x}{g:02x}{g:02x}" for g in grey]


def _pixel_hover(shown: object, thresholds: Stops) -> HoverTool:
    """Show row, column and value of the pixel under the pointer."""
    value, formatters = "@value", {}
    if thresholds.exact:
        value = "@stop{custom}"
        labels = CustomJSHover(args={"labels": thresholds.labels}, code="return labels[value]")
        formatters = {"@stop": labels}
    return HoverTool(
        renderers=[shown], tooltips=f"row $y{{0}}, column $x{{0}}: {value}",
        formatters=formatters, attachment="below", description="Pixels",
    )  # fmt: skip


def _curve(image: NDArray, thresholds: Stops, span: Span, construction: str) -> Picture:
    place = new_figure(x_axis_label="column", y_axis_label="value")
    source = ColumnDataSource({"column": np.arange(len(image)), "value": span.place(image)})
    shape = {"x": "column", "y": "value", "source": source, "line_color": "#888888"}
    if construction == "T":
        place.step(**shape, mode="center")
    else:
        place.line(**shape)
    side = "bottom" if thresholds.falling else "top"
    box = BoxAnnotation(fill_color=ENTERED, fill_alpha=0.25, line_color=ENTERED)
    place.add_layout(box)
    return Picture(place, boxes=[(box, [side])])
