"""Matching many pairs of diagrams at once: all images and dimensions of a batch.

The reference implementation is `pytopo.match`, which matches one pair.  If the targets of a
batch are binary, the points of each coincide, and the optimum is a ranking by gain, which one
kernel call computes for all groups.  Groups whose points do not coincide are left to ``match``.
"""

import numpy as np
from numpy.typing import NDArray

from pytopo.kernels.ranking import rank_groups
from pytopo.matching.assignment import match

DIAGONAL = -1  # the partner of a point that has none


def match_groups(
    start: NDArray[np.int64],
    points: NDArray[np.float64],
    goal_start: NDArray[np.int64],
    goals: NDArray[np.float64],
    *,
    every_goal: bool = False,
) -> NDArray[np.int64]:
    """Match the points of each group on its own.

    Parameters
    ----------
    start, goal_start : (groups + 1,) int64
        Where the points, and the goals, of each group begin; the last entry is their number.
    points, goals : (n, 2), (m, 2) float64
        Birth and death.  At most one goal of a group has an infinite death; then one point
        has, too, and they are matched with each other.
    every_goal : bool
        As ``every_second`` of `pytopo.match`.

    Returns
    -------
    partner : (n,) int64
        Row of the goal of each point, -1 for the diagonal.

    Examples
    --------
    >>> points = np.array([[0.1, 0.9], [0.4, 0.5], [0.2, 0.7]])
    >>> goals = np.array([[0.0, 1.0], [0.0, 1.0]])
    >>> match_groups(np.array([0, 2, 3]), points, np.array([0, 1, 2]), goals)
    array([ 0, -1,  1])
    """
    partner = np.full(len(points), DIAGONAL)
    differ = rank_groups(start, points, goal_start, goals, every_goal, partner)
    for g in np.flatnonzero(differ):
        mine = start[g] + np.flatnonzero(np.isfinite(points[start[g] : start[g + 1], 1]))
        other = goal_start[g] + np.flatnonzero(
            np.isfinite(goals[goal_start[g] : goal_start[g + 1], 1])
        )
        pairs = match(points[mine], goals[other], every_second=every_goal).pairs
        partner[mine[pairs[:, 0]]] = other[pairs[:, 1]]
    return partner
