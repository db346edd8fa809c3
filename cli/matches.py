"""Two diagrams, or two images, matched in each dimension: by cost or by place.

    by cost     SciPy's assignment; a large one in a child process, after an estimate of its
                time
    by place    Betti matching of the images

An assignment takes a time between the square and the cube of the number of points, and how it
grows depends on the points.  So the estimate matches some of them, drawn at random.
"""

import math
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytopo.cli.child import in_child
from pytopo.cli.report import InputError, reporting_errors, say

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytopo.diagram import Diagram
    from pytopo.matching import BettiMatching, Matching

BYTES = 35  # a pair of points at most, of an assignment and of the bottleneck distance: noise
SAMPLE = 1000  # points of either side that an estimate matches
GROWTH = 2.7  # power of the number of points: 2.6 between sections of tissue, 3 between noise
SOON = 2  # seconds, for which nobody needs an estimate


@dataclass(frozen=True)
class Match:
    """One dimension of two diagrams, matched.

    Attributes
    ----------
    first, second : (n,) and (m,) int64
        Rows of the diagrams: the finite points.
    matching : Matching
        Of these.
    bottleneck : float or None
        Distance of these; None if they are matched by place.
    """

    first: "NDArray"
    second: "NDArray"
    matching: "Matching"
    bottleneck: float | None

    @property
    def wasserstein(self) -> float:
        """Distance of these, of order 2: the root of what the matching costs."""
        return self.matching.cost**0.5

    @property
    def pairs(self) -> "NDArray":
        """Rows of the diagrams that match, (k, 2) int64."""
        import numpy as np

        i, j = self.matching.pairs.T
        return np.column_stack([self.first[i], self.second[j]])


@dataclass(frozen=True)
class Sides:
    """The two diagrams that are matched, and what they are called.

    Attributes
    ----------
    first, second : Diagram
    names : (str, str)
    least : float
        Points of less persistence are left out.
    """

    first: "Diagram"
    second: "Diagram"
    names: tuple[str, str]
    least: float

    def __iter__(self) -> "Iterator[Diagram]":
        return iter((self.first, self.second))

    def points(self, dim: int) -> "tuple[list[NDArray], list[NDArray]]":
        """Return the rows of the finite points of a dimension, and the points, of each side."""
        import numpy as np

        rows, points = [], []
        for path, d in zip(self.names, self):
            finite = np.isfinite(d.birth) & np.isfinite(d.death) & (d.dim == dim)
            infinite = np.count_nonzero((d.dim == dim) & ~finite & ~d.essential)
            if infinite:
                say(f"{path}: {infinite} infinite points of dim {dim} left out")
            rows.append(np.flatnonzero(finite & (d.persistence >= self.least)))
            points.append(np.stack([d.birth[rows[-1]], d.death[rows[-1]]], axis=1))
        return rows, points


# ---- by cost -------------------------------------------------------------------------------


def by_cost(sides: Sides, dims: Iterable[int]) -> dict[int, Match]:
    """Match the finite points of each dimension at the least cost."""
    from pytopo.matching.points import finite_points

    matches = {}
    for dim in dims:
        rows, points = sides.points(dim)
        with reporting_errors():  # values too large to be squared
            points = [finite_points(p, name) for p, name in zip(points, sides.names)]
        try:
            found = _assigned(dim, *points)
        except MemoryError as error:
            reason = str(error) or "not enough memory"
            raise InputError(
                f"{sides.names[0]}: {reason} to match {len(rows[0])} points with "
                f"{len(rows[1])}; leave out small ones with --min-persistence"
            ) from None
        matches[dim] = Match(*rows, *found)
    return matches


def _assigned(dim: int, first: "NDArray", second: "NDArray") -> "tuple[Matching, float]":
    """Match the points of a dimension, in a child process if that may take long."""
    from pytopo.images.readers.memory import machine_memory
    from pytopo.matching.assignment import equal_points

    if len(first) * len(second) <= SAMPLE**2 or equal_points(first, second) is not None:
        return matched(first, second)
    needed, there_is = len(first) * len(second) * BYTES, machine_memory()
    if needed > there_is:
        raise MemoryError(
            f"not enough memory (it may take {needed / 1e9:.1f} GB, and this machine has "
            f"{there_is / 1e9:.1f} GB)"
        )
    seconds = seconds_to_match(first, second)
    if seconds < SOON:
        return matched(first, second)
    about = duration_text(seconds)
    say(f"dim {dim}: about {about} for {len(first):,} x {len(second):,} points")
    return in_child(matched, first, second, name=f"dim {dim}")


def matched(first: "NDArray", second: "NDArray") -> "tuple[Matching, float]":
    """Return the matching of two diagrams at the least cost, and their bottleneck distance."""
    from pytopo.matching import bottleneck, match

    return match(first, second), bottleneck(first, second)


def seconds_to_match(first: "NDArray", second: "NDArray") -> float:
    """Estimate the time that `matched` takes: from some of the points, within a factor of 3."""
    import numpy as np

    import pytopo.matching  # noqa: F401  # now, because that takes time too

    random = np.random.default_rng(0)
    share = SAMPLE / math.sqrt(len(first) * len(second))
    some = [random.permutation(p)[: math.ceil(share * len(p))] for p in (first, second)]
    start = time.perf_counter()
    matched(*some)
    return (time.perf_counter() - start) * share**-GROWTH


def duration_text(seconds: float) -> str:
    """Return a time as text, as rough as an estimate is.

    Examples
    --------
    >>> duration_text(7.4), duration_text(47), duration_text(400), duration_text(10**4)
    ('7 s', '50 s', '7 min', '3 h')
    """
    for limit, length, unit in ((100, 1, "s"), (100 * 60, 60, "min")):
        if seconds < limit:
            number = seconds / length
            return f"{round(number, -1 if number >= 10 else 0):.0f} {unit}"
    return f"{seconds / 3600:,.0f} h"


# ---- by place ------------------------------------------------------------------------------


def by_place(found: "BettiMatching", sides: Sides, dims: Iterable[int]) -> dict[int, Match]:
    """Return which finite points of each dimension are in the same place."""
    import numpy as np

    from pytopo.matching import Matching
    from pytopo.matching.costs import cost_of, costs_to_diagonal

    matches = {}
    for dim in dims:
        rows, points = sides.points(dim)
        numbers = []
        for of_dim, diagram, paired in zip(rows, (found.first, found.second), found.pairs.T):
            number = np.full(len(diagram), -1)
            number[of_dim] = np.arange(len(of_dim))
            numbers.append(number[paired])
        pairs = np.column_stack(numbers)
        pairs = pairs[(pairs >= 0).all(axis=1)]
        alone = [np.setdiff1d(np.arange(len(p)), i) for p, i in zip(points, pairs.T)]
        first, second = (p.astype(np.float64) for p in points)
        cost = cost_of(first[pairs[:, 0]] - second[pairs[:, 1]], 2, 2).sum()
        for side, left in zip((first, second), alone):
            cost += costs_to_diagonal(side[left], 2, 2).sum()
        matches[dim] = Match(*rows, Matching(pairs, *alone, float(cost)), None)
    return matches
