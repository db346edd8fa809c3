"""Matching by the textbook: the assignment problem, augmented by the diagonal.

The reference implementation of `pytopo.match`, which finds the same optimum in a smaller
problem.
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import linear_sum_assignment

from pytopo.matching.assignment import Matching
from pytopo.matching.points import finite_points
from pytopo.options import flag


def textbook_match(
    first: ArrayLike, second: ArrayLike, *, every_second: bool = False
) -> Matching:
    """Match two diagrams by the augmented assignment problem.

    The reference implementation of `match`, to be read and to test against: it builds a
    matrix of (n + m)^2 numbers.
    """
    every_second = flag(every_second, "every_second")
    first, second = (
        finite_points(first, "first"),
        finite_points(second, "second"),
    )
    n, m = len(first), len(second)

    # Every point may also go to the diagonal, so the square matrix has a place on the
    # diagonal for each point of either side:
    #
    #                second (m)            diagonal (n)
    #   first (n)    |first - second|^2    first to diagonal
    #   diagonal (m) second to diagonal    0
    #
    # With k places fewer on either side, at least k points have to be paired.
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
