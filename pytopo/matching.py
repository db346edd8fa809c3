"""Matching two diagrams: which point becomes which, and which go to the diagonal.

A point may be matched to a point of the other diagram or to the diagonal, where its feature
has no persistence.  The textbook builds that into one square matrix (`textbook_match`).  What
runs (`match`) finds the same optimum in a smaller problem.  Send all points to the diagonal
first; then matching p with q *gains*

    gain(p, q) = cost(p, diagonal) + cost(q, diagonal) - cost(p, q)

and the optimum is the set of pairs of largest total gain.  Pairs without gain are not needed,
and a point with m - 1 rivals needs no more than its m best partners to choose from.  If all
points of one side coincide, as in the diagram of a binary image, the optimum is a ranking by
gain.

Wasserstein and bottleneck distance are the same idea with other costs.  `docs/matching.md`
has the pictures.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import linear_sum_assignment
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching

from pytopo.notes import number_text
from pytopo.options import at_least, flag

__all__ = ["Matching", "bottleneck", "match", "textbook_match", "wasserstein"]

BLOCK = 2**16  # how many entries of a cost matrix are computed together
LIMIT = 1e150  # values below it have finite squares


@dataclass(frozen=True, eq=False)
class Matching:
    """Which points of two diagrams belong together.

    Attributes
    ----------
    pairs : (k, 2) int64
        Rows of the first and of the second diagram, ascending in the first.
    first_only, second_only : (n - k,), (m - k,) int64
        Rows that are matched to the diagonal, ascending.
    cost : float
        Sum of the squared distances of the pairs, and of all others to the diagonal.
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
        Send no point of ``second`` to the diagonal while a point of ``first`` is free: the
        best of the matchings with min(n, m) pairs.

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
    first, second = _finite_points(first, "first"), _finite_points(second, "second")
    return _match(first, second, every_second, order=2, ground=2)


def textbook_match(
    first: ArrayLike, second: ArrayLike, *, every_second: bool = False
) -> Matching:
    """Match two diagrams by the augmented assignment problem.

    The twin of `match`, to be read and to test against: it takes (n + m)^2 numbers.
    """
    every_second = flag(every_second, "every_second")
    first, second = _finite_points(first, "first"), _finite_points(second, "second")
    n, m = len(first), len(second)

    # Every point may also go to the diagonal, so the square matrix has a slot on the
    # diagonal for each point of either side:
    #
    #                second (m)            diagonal (n)
    #   first (n)    |first - second|^2    first to diagonal
    #   diagonal (m) second to diagonal    0
    #
    # With k slots less for either side, at least k points have to be paired.
    k = min(n, m) if every_second else 0
    cost = np.zeros((n + m - k, m + n - k))
    cost[:n, :m] = ((first[:, None] - second) ** 2).sum(axis=2)
    cost[:n, m:] = ((first[:, 1] - first[:, 0]) ** 2 / 2)[:, None]
    cost[n:, :m] = (second[:, 1] - second[:, 0]) ** 2 / 2

    rows, columns = linear_sum_assignment(cost)
    paired = (rows < n) & (columns < m)
    return Matching(
        np.column_stack([rows[paired], columns[paired]]),
        rows[(rows < n) & (columns >= m)],
        np.sort(columns[(rows >= n) & (columns < m)]),
        float(cost[rows, columns].sum()),
    )


def wasserstein(
    first: ArrayLike, second: ArrayLike, *, order: float = 2, ground: float = 2
) -> float:
    """Compute the Wasserstein distance of two diagrams.

    Parameters
    ----------
    first, second : array_like, (n, 2) and (m, 2)
        Birth and death.  Infinite points are paired with infinite points of the same kind,
        in the order of their finite coordinates.
    order : float
        The power to which distances are raised before they are added, at least 1; ``inf``
        for the longest distance instead of a sum.
    ground : float
        The norm of distances, at least 1: 1 the sum of both coordinates, 2 the ordinary
        one, ``inf`` the larger coordinate.  It holds for pairs and for ways to the diagonal.

    Returns
    -------
    float
        ``inf`` if the infinite points of a kind are not equally many.

    Raises
    ------
    TypeError
        If a diagram is not made of numbers, or order or ground is none.
    ValueError
        If a diagram has another shape or a NaN, or order or ground is less than 1.

    References
    ----------
    Edelsbrunner and Harer (2010), "Computational Topology", VIII.2 and VIII.4.

    Examples
    --------
    >>> wasserstein([[0, 4]], [[0, 3]])
    1.0
    >>> wasserstein([[0, 4]], [], order=1, ground=np.inf)
    2.0
    """
    order, ground = at_least(order, "order", 1), at_least(ground, "ground", 1)
    first, second = _points(first, "first"), _points(second, "second")
    apart = _infinite_apart(first, second)
    first, second = (p[np.isfinite(p).all(axis=1)] for p in (first, second))
    if np.isinf(order):
        return max(_bottleneck(first, second, ground), float(apart.max(initial=0)))
    cost = _match(first, second, False, order, ground).cost + (apart**order).sum()
    return float(cost ** (1 / order))


def bottleneck(first: ArrayLike, second: ArrayLike) -> float:
    """Compute the bottleneck distance of two diagrams: the longest way, in maximum norm.

    Exact up to the rounding of one subtraction.

    Parameters
    ----------
    first, second : array_like, (n, 2) and (m, 2)
        Birth and death; infinite points as in `wasserstein`.

    Returns
    -------
    float
        ``inf`` if the infinite points of a kind are not equally many.

    Raises
    ------
    TypeError
        If a diagram is not made of numbers.
    ValueError
        If a diagram has another shape or a NaN.

    References
    ----------
    Edelsbrunner and Harer (2010), "Computational Topology", VIII.2 and VIII.4.

    Examples
    --------
    >>> bottleneck([[0, 4], [1, 2]], [[0, 3]])
    1.0
    """
    return wasserstein(first, second, order=np.inf, ground=np.inf)


# --- what may come in ------------------------------------------------------------------


def _points(points: ArrayLike, name: str) -> NDArray[np.float64]:
    """Return points as (n, 2) float64, or say what is wrong with them."""
    try:
        array = np.asarray(points)
    except ValueError as error:
        raise ValueError(f"{name} has rows of unequal length; wanted (n, 2)") from error
    if array.dtype.kind not in "biuf":
        kind = type(points).__name__ if array.dtype == object else array.dtype
        raise TypeError(f"{name} is made of {kind}; wanted numbers, like diagram.points(1)")
    if array.shape == (0,):
        return np.empty((0, 2))
    if array.ndim != 2 or array.shape[1] != 2:
        raise ValueError(f"{name} has shape {array.shape}; wanted (n, 2), birth and death")
    array = array.astype(np.float64)
    if np.isnan(array).any():
        row = np.isnan(array).any(axis=1).argmax()
        raise ValueError(f"{name}[{row}] is {_text(array[row])}; wanted birth and death")
    return array


def _finite_points(points: ArrayLike, name: str) -> NDArray[np.float64]:
    """Return finite points as (n, 2) float64, or say what is wrong with them."""
    array = _points(points, name)
    beyond = (np.abs(array) >= LIMIT).any(axis=1)
    if beyond.any():
        row = beyond.argmax()
        raise ValueError(
            f"{name}[{row}] is {_text(array[row])}; wanted finite values below {LIMIT:g}, "
            "like those of diagram.select(finite=True)"
        )
    return array


def _text(point: NDArray) -> str:
    return f"({', '.join(map(number_text, point))})"


# --- the optimum -----------------------------------------------------------------------


def _match(
    first: NDArray, second: NDArray, every: bool, order: float, ground: float
) -> Matching:
    """Match finite points at the least sum of costs."""
    if len(first) == 0 or len(second) == 0:
        pairs = np.empty((0, 2), np.int64)
    elif len(first) < len(second):
        pairs = _best_pairs(first, second, every, order, ground)
    else:
        pairs = _best_pairs(second, first, every, order, ground)[:, ::-1]
    pairs = pairs[np.argsort(pairs[:, 0])]

    first_only = _left_over(len(first), pairs[:, 0])
    second_only = _left_over(len(second), pairs[:, 1])
    cost = _cost(first[pairs[:, 0]] - second[pairs[:, 1]], order, ground).sum()
    cost += _to_diagonal(first[first_only], order, ground).sum()
    cost += _to_diagonal(second[second_only], order, ground).sum()
    return Matching(pairs, first_only, second_only, float(cost))


def _best_pairs(
    few: NDArray, many: NDArray, every: bool, order: float, ground: float
) -> NDArray[np.int64]:
    """Return the pairs (row of few, row of many) of largest total gain, (k, 2).

    If ``every`` is set, of ``len(few)`` pairs, whatever their gain.
    """
    if (few == few[0]).all():
        best = _largest(_gains(few[:1], many, order, ground)[0], len(few), every)
        return np.column_stack([np.arange(len(best)), best])
    if (many == many[0]).all():
        best = _largest(_gains(few, many[:1], order, ground)[:, 0], len(many), every)
        return np.column_stack([best, np.arange(len(best))])
    return _assignment(_gains(few, many, order, ground), every)


def _largest(gain: NDArray, count: int, every: bool) -> NDArray[np.int64]:
    """Return where the largest gains are, ascending; of equals the earlier."""
    best = np.argsort(-gain, kind="stable")[:count]
    return np.sort(best if every else best[gain[best] > 0])


def _assignment(gain: NDArray, every: bool) -> NDArray[np.int64]:
    """Return the pairs (i, j) of largest total gain in a wide matrix, (k, 2)."""
    columns = _contenders(gain, every)
    gain = gain[:, columns]
    if not every:
        # To pair without gain is as good as not to pair.
        np.maximum(gain, 0, out=gain)
    i, j = linear_sum_assignment(gain, maximize=True)
    if not every:
        i, j = i[gain[i, j] > 0], j[gain[i, j] > 0]
    return np.column_stack([i, columns[j]])


def _contenders(gain: NDArray, every: bool) -> NDArray[np.int64]:
    """Return the columns that an optimal assignment of m rows may need, ascending.

    A row needs its m largest gains only: paired with any other column, it would find one of
    these m free, because the other m - 1 rows cannot have taken them all.
    """
    m, n = gain.shape
    needed = gain >= np.partition(gain, n - m, axis=1)[:, n - m, None]
    if not every:
        needed &= gain > 0
    return np.flatnonzero(needed.any(axis=0))


def _left_over(count: int, taken: NDArray[np.int64]) -> NDArray[np.int64]:
    left = np.ones(count, bool)
    left[taken] = False
    return np.flatnonzero(left)


# --- costs -----------------------------------------------------------------------------


def _cost(way: NDArray, order: float, ground: float) -> NDArray:
    """Return the cost of ways (..., 2): their ground norm to the power of order."""
    way = np.abs(way)
    birth, death = way[..., 0], way[..., 1]
    if order == ground:  # exact for whole numbers, so that ties stay ties
        return birth**order + death**order
    long, short = np.maximum(birth, death), np.minimum(birth, death)
    ratio = np.divide(short, long, out=np.zeros_like(long), where=long > 0)
    return (long * (1 + ratio**ground) ** (1 / ground)) ** order


def _to_diagonal(points: NDArray, order: float, ground: float) -> NDArray:
    """Return the cost of moving points to the middle of birth and death, (n,)."""
    half = (points[:, 1:] - points[:, :1]) / 2
    return _cost(np.concatenate([half, half], axis=1), order, ground)


def _costs(first: NDArray, second: NDArray, order: float, ground: float) -> NDArray:
    """Return the cost of moving each point to each other, (n, m)."""
    costs = np.empty((len(first), len(second)))
    step = max(1, BLOCK // max(1, len(second)))
    for start in range(0, len(first), step):
        rows = slice(start, start + step)
        costs[rows] = _cost(first[rows, None] - second, order, ground)
    return costs


def _gains(first: NDArray, second: NDArray, order: float, ground: float) -> NDArray:
    """Return what each pair saves against sending both points to the diagonal, (n, m)."""
    gains = _costs(first, second, order, ground)
    np.subtract(_to_diagonal(first, order, ground)[:, None], gains, out=gains)
    gains += _to_diagonal(second, order, ground)
    return gains


# --- the longest way -------------------------------------------------------------------


def _bottleneck(first: NDArray, second: NDArray, ground: float) -> float:
    """Return the least reach within which all finite points can be matched.

    It is the length of one of the ways, and nobody goes farther than to the diagonal.
    """
    diagonal, other_diagonal = (_to_diagonal(p, 1, ground) for p in (first, second))
    apart = _costs(first, second, 1, ground)
    most = max(diagonal.max(initial=0), other_diagonal.max(initial=0))
    reaches = np.unique(np.concatenate([[0], diagonal, other_diagonal, apart[apart < most]]))
    low, high = 0, len(reaches) - 1
    while low < high:
        middle = (low + high) // 2
        reach = reaches[middle]
        near = apart <= reach
        if _covered(near, diagonal > reach) and _covered(near.T, other_diagonal > reach):
            high = middle
        else:
            low = middle + 1
    return float(reaches[low])


def _covered(near: NDArray[np.bool_], far: NDArray[np.bool_]) -> bool:
    """Tell whether all rows that are far from the diagonal find partners that are near.

    The rows and the columns may be asked one after the other: if one matching covers the far
    rows, and one the far columns, then there is one that covers both (Mendelsohn and
    Dulmage, "Some generalizations of the problem of distinct representatives", 1958).
    """
    if not near[far].any(axis=1).all():
        return False
    partner = maximum_bipartite_matching(csr_array(near[far]), perm_type="column")
    return bool((partner >= 0).all())


# --- infinite points -------------------------------------------------------------------


def _infinite_apart(first: NDArray, second: NDArray) -> NDArray:
    """Return how far infinite points are apart, paired in order; inf where kinds differ."""
    far, other = _infinite_in_order(first), _infinite_in_order(second)
    if len(far) != len(other):
        return np.array([np.inf])
    with np.errstate(invalid="ignore"):  # inf - inf
        return np.where(far == other, 0, np.abs(far - other)).sum(axis=1)


def _infinite_in_order(points: NDArray) -> NDArray:
    """Return the infinite points sorted by kind, then by what is finite of them.

    They are of one kind if they are infinite in the same places.  (inf, inf) is on the
    diagonal.
    """
    far = points[np.isinf(points).any(axis=1) & (points[:, 0] != points[:, 1])]
    kind = np.where(np.isinf(far), np.sign(far), 0)
    return far[np.lexsort((far[:, 1], far[:, 0], kind[:, 1], kind[:, 0]))]
