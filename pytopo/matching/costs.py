"""What it costs to move a point to another or to the diagonal, and what a pair gains.

A cost is a distance in the ground norm, raised to the power ``order``; with both 2 it is a
squared Euclidean distance, and the cost to the diagonal is (death - birth)^2 / 2.
"""

import numpy as np
from numpy.typing import NDArray

BLOCK = 2**16  # how many entries of a cost matrix are computed together


def cost_of(move: NDArray, order: float, ground: float) -> NDArray:
    """Return the cost of moves (..., 2): their ground norm to the power of order."""
    move = np.abs(move)
    birth, death = move[..., 0], move[..., 1]
    if order == ground:  # exact for whole numbers, so that ties stay ties
        return birth**order + death**order
    # The longer coordinate is factored out: no power of a number above 1 can overflow.
    long, short = np.maximum(birth, death), np.minimum(birth, death)
    ratio = np.divide(short, long, out=np.zeros_like(long), where=long > 0)
    return (long * (1 + ratio**ground) ** (1 / ground)) ** order


def costs_to_diagonal(points: NDArray, order: float, ground: float) -> NDArray:
    """Return the cost of moving points to the middle of birth and death, (n,)."""
    half = (points[:, 1:] - points[:, :1]) / 2
    return cost_of(np.concatenate([half, half], axis=1), order, ground)


def costs_between(first: NDArray, second: NDArray, order: float, ground: float) -> NDArray:
    """Return the cost of moving each point to each other, (n, m)."""
    costs = np.empty((len(first), len(second)))
    step = max(1, BLOCK // max(1, len(second)))
    for start in range(0, len(first), step):
        rows = slice(start, start + step)
        costs[rows] = cost_of(first[rows, None] - second, order, ground)
    return costs


def gains_of_pairs(first: NDArray, second: NDArray, order: float, ground: float) -> NDArray:
    """Return what each pair saves compared with sending both to the diagonal, (n, m)."""
    gains = costs_between(first, second, order, ground)
    np.subtract(costs_to_diagonal(first, order, ground)[:, None], gains, out=gains)
    gains += costs_to_diagonal(second, order, ground)
    return gains
