"""Matching many pairs of diagrams at once: all images and dimensions of a batch.

Twin of `pytopo.matching.match`, which does one.  In a batch of binary truths the points of
each truth coincide, and there the optimum is a ranking by gain; a ranking within groups is
one sort for all of them.  Groups whose points do not coincide are left to ``match``.
"""

import numpy as np
from numpy.typing import NDArray

from pytopo.matching import match


def match_groups(
    first: NDArray,
    first_group: NDArray[np.int64],
    second: NDArray,
    second_group: NDArray[np.int64],
    *,
    every_second: bool = False,
) -> NDArray[np.int64]:
    """Match the points of each group on its own.

    Parameters
    ----------
    first, second : (n, 2), (m, 2) float64
        Birth and death of finite points.
    first_group, second_group : (n,), (m,) int64
        Number of the group of each point, ascending.
    every_second : bool
        As in `pytopo.matching.match`.

    Returns
    -------
    pairs : (k, 2) int64
        Rows of the first and of the second.

    Examples
    --------
    >>> first = np.array([[0.1, 0.9], [0.4, 0.5], [0.2, 0.7]])
    >>> second = np.array([[0.0, 1.0], [0.0, 1.0]])
    >>> match_groups(first, np.array([0, 0, 1]), second, np.array([0, 1])).tolist()
    [[0, 0], [2, 1]]
    """
    groups = 1 + max(first_group.max(initial=-1), second_group.max(initial=-1))
    first_start, second_start = (
        np.searchsorted(g, np.arange(groups + 1)) for g in (first_group, second_group)
    )
    waiting = np.diff(second_start)  # how many points of the second each group has
    if not waiting.any():
        return np.empty((0, 2), np.int64)

    example = second[np.minimum(second_start[:-1], len(second) - 1)]  # one a group
    differs = (second != example[second_group]).any(axis=1)
    alike = np.bincount(second_group, differs, groups) == 0
    ranked = np.flatnonzero(alike[first_group] & (waiting[first_group] > 0))
    pairs = [_ranking(first, first_group, ranked, second_start, example, every_second)]
    for g in np.flatnonzero(~alike):
        mine, other = slice(*first_start[g : g + 2]), slice(*second_start[g : g + 2])
        found = match(first[mine], second[other], every_second=every_second).pairs
        pairs.append(found + [mine.start, other.start])
    return np.concatenate(pairs)


def _ranking(
    first: NDArray,
    group: NDArray[np.int64],
    rows: NDArray[np.int64],
    second_start: NDArray[np.int64],
    example: NDArray,
    every: bool,
) -> NDArray[np.int64]:
    """Pair some points with the points of their groups, the largest gains first."""
    gain = _gains(first[rows], example[group[rows]])
    if not every:  # most points are near the diagonal, and need not be sorted
        rows, gain = rows[gain > 0], gain[gain > 0]
    order = np.lexsort((-gain, group[rows]))  # stable: equal gains by row
    rows = rows[order]
    group = group[rows]
    rank = np.arange(rows.size) - np.searchsorted(group, group)
    paired = rank < np.diff(second_start)[group]
    return np.column_stack([rows[paired], second_start[group[paired]] + rank[paired]])


def _gains(first: NDArray, second: NDArray) -> NDArray:
    """Return what each pair saves against the diagonal, row by row, (n,)."""
    persistence = ((first[:, 1] - first[:, 0]) ** 2 + (second[:, 1] - second[:, 0]) ** 2) / 2
    return persistence - ((first - second) ** 2).sum(axis=1)
