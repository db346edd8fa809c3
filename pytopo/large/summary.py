"""What a diagram that may be larger than memory looks like: counts, curves, what stands out.

parts -> counts, span of values            one pass
      -> Betti numbers, histogram          another one
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pytopo.diagram import Diagram

FINE = 1000  # bins of the histogram by which a cut is found


class Summary(NamedTuple):
    """A diagram in numbers.

    Attributes
    ----------
    dims : tuple of int
    counts, essential : dict of int to int
        Points of each dimension, and how many of them are essential.
    thresholds : (k,) float64
    betti : (k, n_dims) int64
        How many features of each dimension are alive at each threshold.
    edges : (m + 1,) float64
    histogram : (m, n_dims) int64
        How many points have a persistence between two edges; essential ones none.
    """

    dims: tuple[int, ...]
    counts: dict[int, int]
    essential: dict[int, int]
    thresholds: NDArray[np.float64]
    betti: NDArray[np.int64]
    edges: NDArray[np.float64]
    histogram: NDArray[np.int64]


class _Spans(NamedTuple):
    low: float
    high: float
    longest: float


def summary_of(parts: Iterable[Diagram], thresholds: int = 9, bins: int = 10) -> Summary:
    """Summarise a diagram that is read part by part, twice.

    Parameters
    ----------
    parts : iterable of Diagram
        At least one, of one image; a `DiagramParts`, or a list of one diagram.
    thresholds : int
        How many, evenly spaced between the lowest and the highest value of a point.
    bins : int
        How many of equal width the histogram of persistence has.

    Examples
    --------
    >>> import numpy as np, pytopo
    >>> d = pytopo.persistence(np.array([[0, 8, 4, 8, 6]]))
    >>> s = summary_of([d], thresholds=3, bins=2)
    >>> s.counts, s.thresholds.tolist(), s.betti[:, 0].tolist()
    ({0: 3, 1: 0}, [2.0, 4.0, 6.0], [1, 2, 3])
    >>> s.edges.tolist(), s.histogram[:, 0].tolist()
    ([0.0, 2.0, 4.0], [0, 2])
    """
    dims: tuple[int, ...] = ()
    counts: dict[int, int] = {}
    essential: dict[int, int] = {}
    spans = []
    for part in parts:
        dims = part.dims
        for d in dims:
            of_dim = part.dim == d
            counts[d] = counts.get(d, 0) + int(of_dim.sum())
            essential[d] = essential.get(d, 0) + int((of_dim & part.essential).sum())
        spans.append(_spans_of(part))
    low = min((span.low for span in spans), default=np.inf)
    high = max((span.high for span in spans), default=-np.inf)
    longest = max((span.longest for span in spans), default=0.0)
    if not low <= high:
        low, high = 0.0, 0.0
    levels = np.unique(np.linspace(low, high, thresholds + 2)[1:-1])
    edges = np.linspace(0, longest or 1.0, bins + 1)
    betti = np.zeros((levels.size, len(dims)), np.int64)
    histogram = np.zeros((bins, len(dims)), np.int64)
    for part in parts:
        for k, d in enumerate(dims):
            of_dim = part.dim == d
            histogram[:, k] += np.histogram(part.persistence[of_dim], edges)[0]
            betti[:, k] += _alive(part.birth[of_dim], part.death[of_dim], part, levels)
    return Summary(dims, counts, essential, levels, betti, edges, histogram)


def _spans_of(part: Diagram) -> _Spans:
    values = np.concatenate([part.birth, part.death]).astype(np.float64)
    values = values[np.isfinite(values)]
    persistence = part.persistence[np.isfinite(part.persistence)]
    return _Spans(
        float(values.min(initial=np.inf)),
        float(values.max(initial=-np.inf)),
        float(persistence.max(initial=0)),
    )


def _alive(
    birth: NDArray, death: NDArray, part: Diagram, levels: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Count the points that are alive at each threshold, as `Diagram.betti` does."""
    if part.superlevel:
        birth, death, levels = -birth, -death, -levels
    born = np.searchsorted(np.sort(birth), levels, "right")
    dead = np.searchsorted(np.sort(death), levels, "right")
    return born - dead


def cut_for(parts: Iterable[Diagram], summary: Summary, most: int) -> float:
    """Return a persistence that no more than so many points have; 0 if all are so few.

    A round part of the largest persistence, not the least that would do.  Infinite if more
    points than that are essential.

    Parameters
    ----------
    parts : iterable of Diagram
        What was summarised.
    summary : Summary
    most : int
    """
    if sum(summary.counts.values()) <= most:
        return 0.0
    edges = np.linspace(0, summary.edges[-1], FINE + 1)
    above = np.full(FINE, sum(summary.essential.values()))
    for part in parts:
        found = np.histogram(part.persistence, edges)[0]
        above += found[::-1].cumsum()[::-1]
    few = np.flatnonzero(above <= most)
    return float(edges[few[0]]) if few.size else np.inf
