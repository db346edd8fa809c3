"""Matching by rank, where all points of a target coincide, as those of a binary image do.

Send all points to the diagonal.  Then matching a point p with a goal q, a point of the target,
saves

    gain(p, q) = cost(p, diagonal) + cost(q, diagonal) - cost(p, q)

which is the same for all goals of a group: the k goals go to the k points of largest gain.
Most points are near the diagonal and gain nothing, and most others gain less than the worst of
the best k.  That one is the root of a heap, so one comparison rejects them.  The reference
implementation is `pytopo.match`, which sorts the points of one diagram by gain.
"""

import numpy as np

from pytopo.kernels.jit import njit


@njit(cache=True, nogil=True)
def rank_groups(start, points, goal_start, goals, every_goal, out_partner):
    """Match the points of each group with its goals, if the goals coincide.

    Parameters
    ----------
    start, goal_start : (groups + 1,) int64
        Where the points, and the goals, of each group begin; the last entry is their number.
    points, goals : (n, 2), (m, 2) float64
        Birth and death.  The death of at most one goal of a group is infinite; then that of
        one point is, too, and they are matched.
    every_goal : bool
        Match as many points as there are goals, including those whose gain is negative.
    out_partner : (n,) int64
        Receives the goal of each point, where it has one.

    Returns
    -------
    differ : (groups,) bool
        Groups whose finite goals do not coincide; their finite points are not matched.
    """
    differ = np.zeros(start.size - 1, np.bool_)
    best_gain = np.empty(len(goals), np.float64)
    best_row = np.empty(len(goals), np.int64)
    for group in range(start.size - 1):
        # Do the finite goals coincide?  One of them stands for all; the essential one is apart.
        first, stop = goal_start[group], goal_start[group + 1]
        example, essential = -1, -1
        for goal in range(first, stop):
            if np.isinf(goals[goal, 1]):
                essential = goal
            elif example == -1:
                example = goal
            elif goals[goal, 0] != goals[example, 0] or goals[goal, 1] != goals[example, 1]:
                differ[group] = True

        # Keep the points of largest gain in a heap, one place for each finite goal.  An empty
        # place has row -1, and the gain that a point must exceed to be matched at all.
        count = stop - first - (essential != -1)
        gains, rows = best_gain[first : first + count], best_row[first : first + count]
        gains[:] = -np.inf if every_goal else 0.0
        rows[:] = -1
        for row in range(start[group], start[group + 1]):
            if np.isinf(points[row, 1]):
                out_partner[row] = essential
            elif count > 0 and not differ[group]:
                gain = gain_of(points[row], goals[example])
                if gain > gains[0]:  # more than the worst of the best
                    replace_worst(gain, row, gains, rows)

        # All finite goals are equal, so the points in the heap take them in any order.
        goal = first
        for row in rows:
            if goal == essential:
                goal += 1
            if row != -1:
                out_partner[row] = goal
            goal += 1
    return differ


@njit(cache=True, nogil=True)
def gain_of(point, goal):
    """Return what matching two points saves compared with sending both to the diagonal.

    Parameters
    ----------
    point, goal : (2,) float64
        Birth and death.
    """
    to_diagonal = ((point[1] - point[0]) ** 2 + (goal[1] - goal[0]) ** 2) / 2
    return to_diagonal - (point[0] - goal[0]) ** 2 - (point[1] - goal[1]) ** 2


@njit(cache=True, nogil=True)
def replace_worst(gain, row, out_gains, out_rows):
    """Put a point into a heap in place of the worst one.

    Parameters
    ----------
    gain : float
        More than the first of ``out_gains``.
    row : int
        Larger than those in the heap, so that of equal gains it is the worst.
    out_gains : (k,) float64
        A heap: each entry i is no better than entries 2i + 1 and 2i + 2, so the first is the
        worst of all.  At least one.
    out_rows : (k,) int64
        The points of these gains; of equal gains, the larger row is worse.
    """
    # The root is free.  Sift down: as long as a child is worse than the new gain, the worse of
    # the two children moves up into the free place.
    i, below = 0, 1
    while below < out_gains.size:
        beside = below + 1
        if beside < out_gains.size and (
            out_gains[beside] < out_gains[below]
            or (out_gains[beside] == out_gains[below] and out_rows[beside] > out_rows[below])
        ):
            below = beside
        if out_gains[below] >= gain:
            break
        out_gains[i] = out_gains[below]
        out_rows[i] = out_rows[below]
        i, below = below, 2 * below + 1
    out_gains[i] = gain
    out_rows[i] = row
