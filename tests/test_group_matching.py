"""Matching all groups of a batch at once gives what matching them one by one gives."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytopo.matching import match
from pytopo.matching.groups import match_groups

CORNER = (0.0, 1.0)
coordinates = st.integers(0, 4).map(lambda k: k / 4)
points = st.lists(st.tuples(coordinates, coordinates), max_size=4)
# Either side may be empty; goals are corners only, or anything.
groups = st.tuples(points, st.one_of(points, st.integers(0, 4).map(lambda k: [CORNER] * k)))


def flat(lists):
    rows = np.array([p for some in lists for p in some], np.float64).reshape(-1, 2)
    return rows, np.cumsum([0] + [len(some) for some in lists])


@given(st.lists(groups, min_size=1, max_size=5), st.booleans())
def test_groups_are_matched_as_each_would_be_alone(batch, every_goal):
    points, start = flat([a for a, _ in batch])
    goals, goal_start = flat([b for _, b in batch])
    partner = match_groups(start, points, goal_start, goals, every_goal=every_goal)
    for g, (a, b) in enumerate(batch):
        mine = partner[start[g] : start[g + 1]]
        paired, taken = np.flatnonzero(mine >= 0), mine[mine >= 0] - goal_start[g]
        assert ((taken >= 0) & (taken < len(b))).all()
        assert len(set(taken)) == len(taken)
        alone = match(a, b, every_second=every_goal)
        assert paired.tolist() == alone.pairs[:, 0].tolist()
        a, b = (np.reshape(rows, (-1, 2)) for rows in (a, b))
        cost = ((a[paired] - b[taken]) ** 2).sum()
        cost += sum(
            (np.diff(np.delete(rows, some, axis=0), axis=1) ** 2).sum() / 2
            for rows, some in ((a, paired), (b, taken))
        )
        assert cost == pytest.approx(alone.cost)


@given(
    st.lists(st.tuples(coordinates, coordinates), max_size=40),
    st.integers(0, 20),
    st.booleans(),
)
def test_of_many_points_the_best_are_matched_and_of_equal_ones_the_first(a, count, every_goal):
    points, start = flat([a])
    goals, goal_start = flat([[CORNER] * count])
    partner = match_groups(start, points, goal_start, goals, every_goal=every_goal)
    apart = (points[:, 0] - 0) ** 2 + (points[:, 1] - 1) ** 2
    gain = ((points[:, 1] - points[:, 0]) ** 2 + 1) / 2 - apart
    best = np.argsort(-gain, kind="stable")[:count]
    best = best if every_goal else best[gain[best] > 0]
    assert np.flatnonzero(partner >= 0).tolist() == sorted(best)


def test_of_many_equal_points_the_first_are_matched():
    random = np.random.default_rng(0)
    for _ in range(100):
        count = random.integers(1, 13)
        death = random.integers(2, 5, 30) / 4
        points = np.column_stack([np.zeros(30), death])
        goals, goal_start = flat([[CORNER] * count])
        partner = match_groups(np.array([0, 30]), points, goal_start, goals)
        best = np.argsort(-death, kind="stable")[:count]
        assert np.flatnonzero(partner >= 0).tolist() == sorted(best)


def test_essential_points_are_matched_with_each_other():
    essential = (0.3, np.inf)
    points, start = flat([[(0.1, 0.9), essential, (0.2, 0.8)], [essential, (0.5, 0.6)]])
    for corners in (2, 1, 0):
        for place in range(corners + 1):
            of_first = [CORNER] * corners
            of_first.insert(place, (0.7, np.inf))
            goals, goal_start = flat([of_first, [(0.7, np.inf)]])
            partner = match_groups(start, points, goal_start, goals)
            assert partner[1] == place
            assert partner[3] == corners + 1
            others = [k for k in range(corners + 1) if k != place]
            assert sorted(partner[[0, 2]][partner[[0, 2]] >= 0]) == others
            assert partner[4] == -1


def test_groups_of_different_goals_keep_essential_points_apart():
    points, start = flat([[(0.3, np.inf), (0.1, 0.9), (0.4, 0.7)]])
    goals, goal_start = flat([[(0.5, 0.7), (0.2, np.inf), (0.0, 0.9)]])
    assert match_groups(start, points, goal_start, goals).tolist() == [1, 2, 0]


def test_nothing_is_matched_with_nothing():
    none, empty = flat([[]])
    one, start = flat([[CORNER]])
    assert match_groups(empty, none, empty, none).size == 0
    assert match_groups(start, one, empty, none).tolist() == [-1]
    assert match_groups(empty, none, start, one).size == 0
