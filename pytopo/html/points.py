"""A diagram becomes the columns of a linked source: one row per point, most persistent first.

Rows are sorted, so the points above a persistence are the first k of every column.

    birth, death             places in the diagram
    birth_x, birth_y, ...    places in the image; NaN where there is no such pixel
    birth_plane, ...         which section of a volume they are in, if it is one
    born, dies               stops of the threshold from which, and before which, it is alive
    always                   bright, whether alive or not
    kind                     determines colour and marker
    text                     the description shown on hover
    region_xs, region_ys     polygons in the image, which a script fills in
    goal_x, goal_y, width    for a loss: where the point is pulled, and the width of that line
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from bokeh.models import ColumnDataSource
from numpy.typing import NDArray

from pytopo.diagram import ESSENTIAL, Diagram, pixel_text
from pytopo.html.stops import Stops
from pytopo.plot.span import Span

MOST = 50_000  # points in a page


@dataclass(frozen=True, eq=False)
class Sources:
    """What the scripts of a page move between: one row per point, the same columns.

    Attributes
    ----------
    every : ColumnDataSource
        All points of the page.
    shown : ColumnDataSource
        Those that are persistent enough: the first rows of ``every``.
    bright : ColumnDataSource
        Those of them that are alive at the threshold; only the columns for markers.
    """

    every: ColumnDataSource
    shown: ColumnDataSource
    bright: ColumnDataSource


@dataclass(frozen=True)
class Kind:
    """A class of points that look alike.

    Attributes
    ----------
    name : str
        Of one point, in the singular.
    colour : str
    marker : str
        A marker of Bokeh.
    """

    name: str
    colour: str
    marker: str


@dataclass(frozen=True, eq=False)
class Points:
    """The points of a diagram as a page draws them.

    Attributes
    ----------
    diagram : Diagram
    kinds : list of Kind
    kind : (n,) int64
        Which of them each row of the diagram is.
    always : (n,) bool
        Which rows are drawn brightly at every threshold.
    goal : (n, 2) float64 or None
        Birth and death to which a loss pulls each row; NaN for none.
    width : (n,) float32 or None
        Width of the line to the goal.
    remark : sequence of str or None
        What to add to the description of each row.
    """

    diagram: Diagram
    kinds: list[Kind]
    kind: NDArray[np.int64]
    always: NDArray[np.bool_]
    goal: NDArray[np.float64] | None = None
    width: NDArray[np.float32] | None = None
    remark: Sequence[str] | None = None

    @property
    def rows(self) -> NDArray[np.int64]:
        """Rows of the diagram that a page holds, most persistent first, (k,)."""
        return np.argsort(-self.diagram.persistence, kind="stable")[:MOST]

    def columns(
        self, image: NDArray, thresholds: Stops, span: Span
    ) -> dict[str, NDArray | list[str]]:
        """Return the columns of the source.

        Parameters
        ----------
        image : (W,), (H, W) or (D, H, W) ndarray
        thresholds : Stops
        span : Span
            Of the image, births and deaths.
        """
        d, rows = self.diagram, self.rows
        columns: dict[str, NDArray | list[str]] = {
            "birth": span.place(d.birth[rows]),
            "death": span.place(d.death[rows]),
            **_ends("birth", d.birth_pixel[rows], image, span),
            **_ends("death", d.death_pixel[rows], image, span),
            "born": thresholds.reached(d.birth[rows]).astype(np.int32),
            "dies": death_stops(d, thresholds)[rows].astype(np.int32),
            "always": self.always[rows].astype(np.uint8),
            "kind": [self.kinds[k].name for k in self.kind[rows]],
            "text": self._texts(rows),
        }
        if self.goal is not None and self.width is not None:
            columns["goal_x"], columns["goal_y"] = span.place(self.goal[rows]).T.copy()
            columns["width"] = self.width[rows]
        return columns

    def _texts(self, rows: NDArray[np.int64]) -> list[str]:
        d = self.diagram
        remark = self.remark or [""] * len(d)
        return [
            f"{self.kinds[self.kind[row]].name}: born {birth:.6g} {_where(birth_index)}, "
            f"{_death(death, death_index)}, persistence {persistence:.6g}{remark[row]}"
            for row, birth, death, persistence, birth_index, death_index in zip(
                rows.tolist(), d.birth[rows], d.death[rows], d.persistence[rows],
                d.birth_index[rows].tolist(), d.death_index[rows].tolist(),
            )
        ]  # fmt: skip


def linked_sources(columns: dict[str, NDArray | list[str]]) -> Sources:
    """Return the sources of a page; scripts fill the shown and the bright points in."""
    drawn = ("birth", "death", "birth_x", "birth_y", "death_x", "death_y", "kind")
    return Sources(
        every=ColumnDataSource(columns),
        shown=ColumnDataSource({name: [] for name in (*columns, "region_xs", "region_ys")}),
        bright=ColumnDataSource({name: [] for name in drawn}),
    )


def death_stops(diagram: Diagram, thresholds: Stops) -> NDArray[np.int64]:
    """Return the stop at which each row is dead, (n,); the essential component never is."""
    dies = thresholds.reached(diagram.death)
    dies[diagram.essential] = len(thresholds.values)
    return dies


def betti_numbers(diagram: Diagram, thresholds: Stops) -> NDArray[np.int64]:
    """Count what is alive at every stop, (stops, dims): as `Diagram.betti` does at one.

    Examples
    --------
    >>> import pytopo
    >>> from pytopo.html.stops import stops_of
    >>> ring = np.array([[0.0, 0, 0], [0, 9, 0], [0, 0, 0]])
    >>> betti_numbers(pytopo.persistence(ring), stops_of(ring))
    array([[1, 1],
           [1, 0]])
    """
    n = len(thresholds.values)
    born, dies = thresholds.reached(diagram.birth), death_stops(diagram, thresholds)
    counts = []
    for dim in diagram.dims:
        of_dim = diagram.dim == dim
        change = np.bincount(born[of_dim], minlength=n + 1)
        change = change - np.bincount(dies[of_dim], minlength=n + 1)
        counts.append(np.cumsum(change[:n]))
    return np.stack(counts, axis=1)


def _ends(end: str, pixel: NDArray[np.int64], image: NDArray, span: Span) -> dict[str, NDArray]:
    """Return the columns of where in the image points are born, or die."""
    inside = pixel >= 0
    index = np.unravel_index(np.maximum(pixel, 0), image.shape)
    x = np.where(inside, index[-1], np.nan).astype(np.float32)
    if image.ndim == 1:
        return {f"{end}_x": x, f"{end}_y": span.place(image[index[-1]])}
    columns = {f"{end}_x": x, f"{end}_y": index[-2].astype(np.float32)}
    if image.ndim == 3:
        columns[f"{end}_plane"] = np.where(inside, index[0], -1).astype(np.int32)
    return columns


def _where(index: list[int]) -> str:
    return "in the frame" if index[0] < 0 else f"at ({pixel_text(index)})"


def _death(death: float, index: list[int]) -> str:
    return "never dies" if index[0] == ESSENTIAL else f"dies {death:.6g} {_where(index)}"
