"""Matching all groups of a batch at once gives what matching them one by one gives."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytopo.group_matching import match_groups
from pytopo.matching import match

CORNER = (0.0, 1.0)
coordinates = st.integers(0, 4).map(lambda k: k / 4)
points = st.lists(st.tuples(coordinates, coordinates), max_size=4)
# Either side may be empty; truths are corners only, or anything.
groups = st.tuples(points, st.one_of(points, st.integers(0, 4).map(lambda k: [CORNER] * k)))


def flat(lists):
    rows = np.array([p for some in lists for p in some], np.float64).reshape(-1, 2)
    return rows, np.repeat(np.arange(len(lists)), [len(some) for some in lists])


@given(st.lists(groups, min_size=1, max_size=5), st.booleans())
def test_groups_are_matched_as_each_would_be_alone(batch, every_second):
    first, first_group = flat([a for a, _ in batch])
    second, second_group = flat([b for _, b in batch])
    pairs = match_groups(first, first_group, second, second_group, every_second=every_second)
    assert (first_group[pairs[:, 0]] == second_group[pairs[:, 1]]).all()
    assert len(set(pairs[:, 0])) == len(set(pairs[:, 1])) == len(pairs)
    for g, (a, b) in enumerate(batch):
        mine = pairs[first_group[pairs[:, 0]] == g]
        want = match(a, b, every_second=every_second)
        moved = ((first[mine[:, 0]] - second[mine[:, 1]]) ** 2).sum()
        gone = [
            rows[np.setdiff1d(np.flatnonzero(group == g), mine[:, side])]
            for side, (rows, group) in enumerate(((first, first_group), (second, second_group)))
        ]
        cost = moved + sum(((p[:, 1] - p[:, 0]) ** 2 / 2).sum() for p in gone)
        assert cost == pytest.approx(want.cost)
        assert len(mine) == len(want.pairs) or not every_second


def test_equal_gains_go_to_the_first_row():
    first = np.array([[0.5, 0.9], [0.1, 0.9], [0.1, 0.9], [0.1, 0.9]])
    second = np.array([CORNER, CORNER])
    pairs = match_groups(first, np.zeros(4, int), second, np.zeros(2, int))
    assert pairs.tolist() == [[1, 0], [2, 1]]


def test_nothing_is_matched_with_nothing():
    empty, none = np.empty((0, 2)), np.empty(0, int)
    assert match_groups(empty, none, empty, none).shape == (0, 2)
    assert match_groups(np.array([CORNER]), np.zeros(1, int), empty, none).shape == (0, 2)
    assert match_groups(empty, none, np.array([CORNER]), np.zeros(1, int)).shape == (0, 2)
