"""Where a diagram is cut: the stops of the slider of persistence, and at which it starts.

Rows of a page are sorted, most persistent first, so the number k of the points above a level
says which: the first k.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pytopo.html.points import Points
from pytopo.html.stops import Stops, stops_of
from pytopo.options import at_least

SHOWN_AT_FIRST = 500


@dataclass(frozen=True, eq=False)
class Cuts:
    """The persistences at which a page can be cut, ascending.

    Attributes
    ----------
    levels : Stops
    shown : (n,) int64
        How many points each level shows.
    at_first : int
        The stop of the slider when the page is opened.
    """

    levels: Stops
    shown: NDArray[np.int64]
    at_first: int

    @property
    def least(self) -> float:
        """The persistence at which the page is cut at first."""
        return float(self.levels.values[self.at_first])


def cuts_of(points: Points, cut: float = 0.0) -> Cuts:
    """Return the stops of the slider of persistence.

    Parameters
    ----------
    points : Points
    cut : float
        Where to start, if no more than `SHOWN_AT_FIRST` points are above it; else at the first
        stop that shows no more.

    Raises
    ------
    TypeError, ValueError
        If the cut is not a number of at least 0.
    """
    asked = at_least(cut, "cut", 0)
    diagram = points.diagram
    persistence = diagram.persistence[points.rows]
    finite = persistence[np.isfinite(persistence)]
    levels = stops_of(np.append(finite, 0).astype(diagram.birth.dtype))  # 0 shows all
    least = levels.values.dtype.type(min(asked, float(levels.values[-1])))
    levels = replace(levels, values=np.unique(np.append(levels.values, least)))
    # searchsorted expects ascending values: count p >= level as -p <= -level.
    shown = np.searchsorted(-persistence, -levels.values, side="right")
    few = shown <= max(SHOWN_AT_FIRST, shown.min())
    return Cuts(levels, shown, int(np.argmax(few & (levels.values >= least))))
