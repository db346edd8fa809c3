"""Wasserstein and bottleneck distance: the cost of the best matching, in other norms.

`docs/lesson-7-matching.md` has the pictures.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching

from pytopo.matching.assignment import equal_points, optimal_matching
from pytopo.matching.costs import costs_between, costs_to_diagonal
from pytopo.matching.points import points_of
from pytopo.options import at_least


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
        one, ``inf`` the larger coordinate; also for distances to the diagonal.

    Returns
    -------
    float
        ``inf`` if the diagrams have different numbers of infinite points of a kind.

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
    first, second = points_of(first, "first"), points_of(second, "second")
    apart = _infinite_apart(first, second)
    first, second = (p[np.isfinite(p).all(axis=1)] for p in (first, second))
    if np.isinf(order):
        return max(_bottleneck(first, second, ground), float(apart.max(initial=0)))
    cost = optimal_matching(first, second, False, order, ground).cost + (apart**order).sum()
    return float(cost ** (1 / order))


def bottleneck(first: ArrayLike, second: ArrayLike) -> float:
    """Compute the bottleneck distance of two diagrams: the longest move, in maximum norm.

    Exact up to the rounding of one subtraction.

    Parameters
    ----------
    first, second : array_like, (n, 2) and (m, 2)
        Birth and death; infinite points as in `wasserstein`.

    Returns
    -------
    float
        ``inf`` if the diagrams have different numbers of infinite points of a kind.

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


def _bottleneck(first: NDArray, second: NDArray, ground: float) -> float:
    """Return the least reach within which all finite points can be matched.

    It is one of the distances, and no larger than the largest distance to the diagonal.
    """
    if equal_points(first, second) is not None:
        return 0.0
    diagonal, other_diagonal = (costs_to_diagonal(p, 1, ground) for p in (first, second))
    apart = costs_between(first, second, 1, ground)
    most = max(diagonal.max(initial=0), other_diagonal.max(initial=0))
    reaches = np.unique(np.concatenate([[0], diagonal, other_diagonal, apart[apart < most]]))
    # Binary search: whatever is possible within a reach is possible within a larger one.
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

    Rows and columns may be checked separately: if one matching covers the far rows, and one
    the far columns, then there is one that covers both (Mendelsohn and Dulmage, "Some
    generalizations of the problem of distinct representatives", 1958).
    """
    if not near[far].any(axis=1).all():
        return False
    partner = maximum_bipartite_matching(csr_array(near[far]), perm_type="column")
    return bool((partner >= 0).all())


def _infinite_apart(first: NDArray, second: NDArray) -> NDArray:
    """Return how far infinite points are apart, paired in order; inf where kinds differ."""
    far, other = _infinite_in_order(first), _infinite_in_order(second)
    if len(far) != len(other):
        return np.array([np.inf])
    with np.errstate(invalid="ignore"):  # inf - inf
        return np.where(far == other, 0, np.abs(far - other)).sum(axis=1)


def _infinite_in_order(points: NDArray) -> NDArray:
    """Return the infinite points sorted by kind, then by their finite coordinates.

    They are of one kind if the same coordinates are infinite, with the same sign.  (inf, inf)
    is on the diagonal, and left out.
    """
    far = points[np.isinf(points).any(axis=1) & (points[:, 0] != points[:, 1])]
    kind = np.where(np.isinf(far), np.sign(far), 0)
    return far[np.lexsort((far[:, 1], far[:, 0], kind[:, 1], kind[:, 0]))]
