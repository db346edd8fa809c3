"""The figure to the right: birth and death, the quadrant of what is alive, the cut.

At a threshold t those points are alive that are born by then and not dead yet:

    death |  alive  |  /
          |         | /
        t |_________|/        points in the corner have birth <= t < death
          |        /          (superlevel: the mirror image)
          |______/_________
                  t    birth

The cut is parallel to the diagonal, as far from it as a point must be to be shown.
"""

import numpy as np
from bokeh.models import (
    BoxAnnotation,
    ColumnDataSource,
    Label,
    Range1d,
    Scatter,
    Slope,
    Span,
)
from bokeh.plotting import figure

from pytopo.diagram import Diagram
from pytopo.html.marks import add_lines, add_marks, hover_over
from pytopo.html.pixels import ENTERED, new_figure
from pytopo.html.points import Points, Sources
from pytopo.plot import COLOURS
from pytopo.plot.span import Span as Places

AXIS = "#888888"
_NESTED = (17, 12, 7)  # sides by dimension: all squares of a binary target lie in one corner


def plane(
    points: Points, sources: Sources, places: Places
) -> tuple[figure, tuple[BoxAnnotation, list[str]], Slope]:
    """Draw points at birth and death.

    Returns
    -------
    figure : figure
    quadrant : (BoxAnnotation, list of str)
        The quadrant of what is alive, and which of its sides lie at the threshold.
    cut : Slope
        The line of the points that are just persistent enough.
    """
    superlevel = points.diagram.superlevel
    ends = places.limits(minus=True, plus=True)
    place = new_figure(
        x_range=Range1d(*ends), y_range=Range1d(*ends),
        x_axis_label="birth (threshold falls)" if superlevel else "birth",
        y_axis_label="death (threshold falls)" if superlevel else "death",
    )  # fmt: skip
    place.grid.grid_line_alpha = 0.4
    _draw_ground(place, points.diagram, places)

    sides = ["left", "top"] if superlevel else ["right", "bottom"]
    quadrant = BoxAnnotation(fill_color=ENTERED, fill_alpha=0.15, line_color=ENTERED)
    place.add_layout(quadrant)
    cut = Slope(gradient=1, y_intercept=0, line_color=AXIS, line_dash="dashed")
    place.add_layout(cut)
    kinds, at = points.kinds, ("birth", "death")
    if points.goal is not None:
        ends_of_line = (*at, "goal_x", "goal_y")
        add_lines(place, sources.shown, kinds, ends_of_line, width="width", at_rest=0.6)
    faint = 0.3 if points.goal is None else 0.6
    shown = add_marks(place, sources.shown, kinds, at, size=9, opaque=faint)
    add_marks(place, sources.bright, kinds, at, size=9, opaque=1)
    hover_over(place, sources.shown, [shown])
    return place, (quadrant, sides), cut


def add_targets(place: figure, target: Diagram, missing: np.ndarray, places: Places) -> None:
    """Draw the points of a target as open squares, those without a match crossed."""
    source = ColumnDataSource(
        {
            "birth": places.place(target.birth),
            "death": places.place(target.death),
            "colour": [COLOURS[d] for d in target.dim],
            "size": np.array(_NESTED)[target.dim],
        }
    )
    square = Scatter(
        x="birth", y="death", marker="square", size="size",
        line_color="colour", line_width=2, fill_alpha=0,
    )  # fmt: skip
    place.add_glyph(source, square)
    birth, death = places.place(target.birth[missing]), places.place(target.death[missing])
    place.scatter(birth, death, marker="x", size=10, line_color=AXIS, line_width=2)


def _draw_ground(place: figure, diagram: Diagram, places: Places) -> None:
    """Draw the diagonal, and a dashed line where infinite values lie."""
    low, high = places.low - places.gap, places.high + places.gap
    place.line([low, high], [low, high], line_color=AXIS, level="underlay")
    for value, name, inside in ((low, "\N{MINUS SIGN}∞", "bottom"), (high, "∞", "top")):
        if value in places.place(diagram.death):
            place.add_layout(
                Span(location=value, dimension="width", line_color=AXIS, line_dash="dashed")
            )
            x = low - places.gap / 3
            place.add_layout(Label(x=x, y=value, text=name, text_baseline=inside))
        if value in places.place(diagram.birth):
            place.add_layout(
                Span(location=value, dimension="height", line_color=AXIS, line_dash="dashed")
            )
