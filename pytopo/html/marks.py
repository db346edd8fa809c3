"""Points of a linked source as markers and regions: at rest, hovered over and chosen.

All that is drawn of one source lights up together, wherever it is: Bokeh shares what is hovered
over and what is selected.
"""

from collections.abc import Sequence

import numpy as np
from bokeh.models import (
    ColumnDataSource,
    GlyphRenderer,
    HoverTool,
    MultiPolygons,
    Scatter,
    Segment,
    Selection,
)
from bokeh.plotting import figure
from bokeh.transform import factor_cmap, factor_mark

from pytopo.html.points import Kind
from pytopo.html.scripts import script

TOOLTIP = '<div style="max-width: 24rem; font-size: 0.85rem">@text</div>'
AT_REST = {"fill_alpha": 0.2, "line_alpha": 0.9}  # regions
TURN = np.pi / 4  # turns a plus into a cross; the other markers of a loss are symmetric


def add_marks(
    place: figure,
    source: ColumnDataSource,
    kinds: Sequence[Kind],
    end: tuple[str, str],
    *,
    size: float,
    opaque: float,
    hollow: bool = False,
) -> GlyphRenderer:
    """Draw a marker at two columns of a source.

    Parameters
    ----------
    place : figure
    source : ColumnDataSource
    kinds : sequence of Kind
        What the column "kind" holds.
    end : (str, str)
        The columns x and y.
    size : float
        At rest, in units of the screen.
    opaque : float
        At rest, 0 to 1; the pointer finds a marker that cannot be seen all the same.
    hollow : bool
        Draw the outline only.
    """
    names = [kind.name for kind in kinds]
    colour = factor_cmap("kind", [kind.colour for kind in kinds], names)
    rest = Scatter(
        x=end[0], y=end[1], size=size,
        marker=factor_mark("kind", [kind.marker for kind in kinds], names),
        angle=TURN if any(kind.marker == "plus" for kind in kinds) else 0,
        hit_dilation=1.6,  # for fingers
        fill_color="white" if hollow else colour, fill_alpha=0 if hollow else opaque,
        line_color=colour if hollow else "white", line_alpha=opaque,
        line_width=1.5 if hollow else 0.5,
    )  # fmt: skip
    bright = rest.clone(
        size=max(13, 1.7 * size), fill_alpha=1, line_alpha=1, line_width=2.5 if hollow else 1.5
    )
    return place.add_glyph(
        source, rest, selection_glyph=bright, nonselection_glyph=rest, hover_glyph=bright
    )


def add_lines(
    place: figure,
    source: ColumnDataSource,
    kinds: Sequence[Kind],
    ends: tuple[str, str, str, str],
    *,
    width: float | str,
    at_rest: float,
) -> GlyphRenderer:
    """Draw a line between two places of each point; see `add_marks`.

    Parameters
    ----------
    ends : (str, str, str, str)
        The columns x0, y0, x1 and y1.
    width : float or str
        In units of the screen, or a column.
    at_rest : float
        How opaque a line is that is neither hovered over nor chosen.
    """
    names = [kind.name for kind in kinds]
    rest = Segment(
        x0=ends[0], y0=ends[1], x1=ends[2], y1=ends[3], line_alpha=at_rest, line_width=width,
        line_color=factor_cmap("kind", [kind.colour for kind in kinds], names),
    )  # fmt: skip
    bright = rest.clone(line_alpha=1, line_width=2.5)
    return place.add_glyph(
        source, rest, selection_glyph=bright, nonselection_glyph=rest, hover_glyph=bright
    )


def add_regions(
    place: figure, source: ColumnDataSource, kinds: Sequence[Kind]
) -> GlyphRenderer:
    """Outline the region of each point, and paint it once it is hovered over or chosen."""
    names = [kind.name for kind in kinds]
    colour = factor_cmap("kind", [kind.colour for kind in kinds], names)
    rest = MultiPolygons(
        xs="region_xs", ys="region_ys",
        fill_color=colour, line_color=colour, line_width=1, **AT_REST,
    )  # fmt: skip
    bright = rest.clone(fill_alpha=0.6, line_alpha=1, line_width=2.5)
    return place.add_glyph(
        source, rest, selection_glyph=bright, nonselection_glyph=rest, hover_glyph=bright
    )


def hover_over(
    place: figure,
    source: ColumnDataSource,
    marks: list[GlyphRenderer],
    regions: Sequence[GlyphRenderer] = (),
) -> None:
    """Highlight all that a point has under the pointer, and describe it at its marks."""
    both = script("hover", points=source, both=Selection(), marks=marks, regions=list(regions))
    place.add_tools(
        HoverTool(
            renderers=marks, tooltips=TOOLTIP, limit=3, callback=both, description="Points"
        )
    )
    if regions:  # without a description, which would hide them
        place.add_tools(
            HoverTool(
                renderers=list(regions), tooltips=None, callback=both, description="Regions"
            )
        )
