"""Matching two diagrams: which point becomes which, and which go to the diagonal.

A point may be matched to a point of the other diagram or to the diagonal, where its feature
has no persistence.  The textbook builds that into one square matrix (`textbook_match`); `match`
finds the same optimum in a smaller problem.  Send all points to the diagonal first; then
matching p with q *gains*

    gain(p, q) = cost(p, diagonal) + cost(q, diagonal) - cost(p, q)

and the optimum is the set of pairs of largest total gain.  Pairs without gain are not needed,
and if m points compete, each needs only its m best partners to choose from.  If all points of
one side coincide, as in the diagram of a binary image, the optimum is a ranking by gain.

The reference implementation is `pytopo.matching.textbook`.  For pictures see
`docs/lesson-7-matching.md`.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import linear_sum_assignment
from scipy.sparse import csr_array
from scipy.sparse.csgraph import min_weight_full_bipartite_matching

from pytopo.matching.costs import cost_of, costs_to_diagonal, gains_of_pairs
from pytopo.matching.points import finite_points
from pytopo.options import flag

# Where few of many pairs gain, SciPy's sparse algorithm is the faster of the two.
SPARSE_SIZE = 2**19  # entries of the matrix, at least
SPARSE_SHARE = 0.2  # of them gain, at most


@dataclass(frozen=True, eq=False)
class Matching:
    """Which points of two diagrams are matched with each other, and which with the diagonal.

    Attributes
    ----------
    pairs : (k, 2) int64
        Rows of the first and of the second diagram, ascending in the first.
    first_only, second_only : (n - k,), (m - k,) int64
        Rows that are matched to the diagonal, ascending.
    cost : float
        Sum of the squared distances of the pairs, and of all other points to the diagonal.
    """

    pairs: NDArray[np.int64]
    first_only: NDArray[np.int64]
    second_only: NDArray[np.int64]
    cost: float


def match(first: ArrayLike, second: ArrayLike, *, every_second: bool = False) -> Matching:
    """Match two diagrams at the least sum of squared distances.

    Parameters
    ----------
    first, second : array_like, (n, 2) and (m, 2)
        Birth and death of finite points, both sublevel or both superlevel.  ``[]`` is a
        diagram without points.
    every_second : bool
        Send no point of ``second`` to the diagonal while a point of ``first`` is unmatched:
        the best of the matchings with min(n, m) pairs.

    Returns
    -------
    Matching
        Where several are equally good, always the same one.

    Raises
    ------
    TypeError
        If a diagram is not made of numbers, or ``every_second`` is not a bool.
    ValueError
        If a diagram has another shape, or a point that is NaN, infinite or beyond 1e150.

    References
    ----------
    Hu, Li, Samaras, Chen (2019), "Topology-preserving deep image segmentation", section 2.2.

    Examples
    --------
    A clear point is matched, a weak one goes to the diagonal:

    >>> m = match([[0.1, 0.9], [0.4, 0.6]], [[0, 1]])
    >>> m.pairs
    array([[0, 0]])
    >>> m.first_only
    array([1])
    >>> round(m.cost, 6)
    0.04
    """
    every_second = flag(every_second, "every_second")
    first, second = (
        finite_points(first, "first"),
        finite_points(second, "second"),
    )
    return optimal_matching(first, second, every_second, order=2, ground=2)


def optimal_matching(
    first: NDArray, second: NDArray, every: bool, order: float, ground: float
) -> Matching:
    """Match finite points at the least sum of costs."""
    equal = equal_points(first, second)
    if equal is not None:
        # A point on the diagonal gains nothing from its equal.
        pairs = equal if every else equal[costs_to_diagonal(first, order, ground) > 0]
    elif len(first) == 0 or len(second) == 0:
        pairs = np.empty((0, 2), np.int64)
    elif len(first) < len(second):
        pairs = _best_pairs(first, second, every, order, ground)
    else:
        pairs = _best_pairs(second, first, every, order, ground)[:, ::-1]
    pairs = pairs[np.argsort(pairs[:, 0])]

    first_only = _left_over(len(first), pairs[:, 0])
    second_only = _left_over(len(second), pairs[:, 1])
    cost = cost_of(first[pairs[:, 0]] - second[pairs[:, 1]], order, ground).sum()
    cost += costs_to_diagonal(first[first_only], order, ground).sum()
    cost += costs_to_diagonal(second[second_only], order, ground).sum()
    return Matching(pairs, first_only, second_only, float(cost))


def equal_points(first: NDArray, second: NDArray) -> NDArray[np.int64] | None:
    """Return which row of one diagram equals which of the other, (n, 2), or None.

    It is None unless both hold the same points equally often, in whatever order.

    Examples
    --------
    >>> equal_points(np.array([[0, 4], [1, 2]]), np.array([[1, 2], [0, 4]])).tolist()
    [[0, 1], [1, 0]]
    """
    if first.shape != second.shape:
        return None
    rows, others = (np.lexsort(points.T[::-1]) for points in (first, second))
    if not np.array_equal(first[rows], second[others]):
        return None
    pairs = np.empty((len(first), 2), np.int64)
    pairs[rows] = np.column_stack([rows, others])
    return pairs


def _best_pairs(
    few: NDArray, many: NDArray, every: bool, order: float, ground: float
) -> NDArray[np.int64]:
    """Return the pairs (row of few, row of many) of largest total gain, (k, 2).

    If ``every`` is set, of ``len(few)`` pairs, whatever their gain.
    """
    if (few == few[0]).all():
        best = _largest(gains_of_pairs(few[:1], many, order, ground)[0], len(few), every)
        return np.column_stack([np.arange(len(best)), best])
    if (many == many[0]).all():
        best = _largest(gains_of_pairs(few, many[:1], order, ground)[:, 0], len(many), every)
        return np.column_stack([best, np.arange(len(best))])
    return _assignment(gains_of_pairs(few, many, order, ground), every)


def _largest(gain: NDArray, count: int, every: bool) -> NDArray[np.int64]:
    """Return where the largest gains are, ascending; of equals the earlier."""
    best = np.argsort(-gain, kind="stable")[:count]
    return np.sort(best if every else best[gain[best] > 0])


def _assignment(gain: NDArray, every: bool) -> NDArray[np.int64]:
    """Return the pairs (i, j) of largest total gain in a wide matrix, (k, 2)."""
    few_gain = np.count_nonzero(gain > 0) < SPARSE_SHARE * gain.size
    if gain.size >= SPARSE_SIZE and few_gain and not every:
        return _sparse_assignment(gain)
    columns = _contenders(gain, every)
    gain = gain[:, columns]
    if not every:
        # A pair with a negative gain counts as one of gain 0, and is dropped below.
        np.maximum(gain, 0, out=gain)
    i, j = linear_sum_assignment(gain, maximize=True)
    if not every:
        i, j = i[gain[i, j] > 0], j[gain[i, j] > 0]
    return np.column_stack([i, columns[j]])


def _sparse_assignment(gain: NDArray) -> NDArray[np.int64]:
    """Return the pairs (i, j) of largest total gain, looking at those that gain only.

    In two grey images most points are near the diagonal and gain with a few others, nearby.
    """
    m, n = gain.shape
    i, j = np.nonzero(gain > 0)
    # Every row is paired: with a column in which it gains, or with one of its own, in which it
    # gains nothing.  What is added to all of them does not change the optimum; a stored zero
    # would be no pair.
    weight = np.concatenate([gain[i, j], np.zeros(m)]) + gain.max(initial=1)
    alone = np.arange(m), n + np.arange(m)
    rows, columns = np.concatenate([i, alone[0]]), np.concatenate([j, alone[1]])
    pairs = csr_array((weight, (rows, columns)), shape=(m, n + m))
    i, j = min_weight_full_bipartite_matching(pairs, maximize=True)
    return np.column_stack([i, j])[j < n]


def _contenders(gain: NDArray, every: bool) -> NDArray[np.int64]:
    """Return the columns that an optimal assignment of m rows may need, ascending.

    A row needs only its m largest gains: if it is paired with another column, one of these m
    is free, because the other m - 1 rows cannot have taken them all.
    """
    m, n = gain.shape
    needed = gain >= np.partition(gain, n - m, axis=1)[:, n - m, None]
    if not every:
        needed &= gain > 0
    return np.flatnonzero(needed.any(axis=0))


def _left_over(count: int, taken: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the rows that are not among those taken, ascending."""
    left = np.ones(count, bool)
    left[taken] = False
    return np.flatnonzero(left)
