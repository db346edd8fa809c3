"""Mod-2 reduction: by hand, against dense elimination, and with the clearing shortcut."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import constructions, images

from pytopo.kernels.reduction import (
    add_mod_2,
    grown,
    highest_dimension_first,
    left_to_right,
    reduce_columns,
)
from pytopo.textbook import lower_star_filtration, reduce_filtration

RING = np.array([[0, 0, 0], [0, 9, 0], [0, 0, 0]])


def triangle():
    """Return the filled triangle: vertices 0 1 2, edges 01 02 12, the face."""
    columns = [[], [], [], [0, 1], [0, 2], [1, 2], [3, 4, 5]]
    start = np.cumsum([0] + [len(c) for c in columns])
    return start, np.concatenate(columns).astype(np.int64)


@pytest.mark.parametrize("visit", [[0, 1, 2, 3, 4, 5, 6], [6, 3, 4, 5, 0, 1, 2]])
def test_a_triangle_has_one_cycle_and_its_face_fills_it(visit):
    pivot, begin, end, reduced = reduce_columns(*triangle(), np.array(visit))
    assert pivot.tolist() == [-1, 3, 4, -1, -1, 6, -1]
    assert [reduced[b:e].tolist() for b, e in zip(begin, end)] == [
        [], [], [], [0, 1], [0, 2], [], [3, 4, 5],
    ]  # fmt: skip


@given(st.sets(st.integers(0, 30)), st.sets(st.integers(0, 30)))
def test_adding_columns_is_the_symmetric_difference(first, second):
    padded = np.array(sorted(first) + [99, 99])
    out = np.full(len(first) + len(second), -1)
    count = add_mod_2(padded, len(first), np.array(sorted(second), np.int64), out)
    assert out[:count].tolist() == sorted(first ^ second)


def test_room_grows_at_least_twofold_and_keeps_what_is_there():
    small = np.array([1, 2, 3])
    assert grown(small, 3) is small
    assert grown(small, 4)[:3].tolist() == [1, 2, 3]
    assert grown(small, 4).size == 6
    assert grown(small, 50).size == 50


def test_columns_are_visited_by_dimension_and_within_it_from_left_to_right():
    dimension = np.array([0, 0, 1, 0, 1, 2], np.uint8)
    assert left_to_right(dimension).tolist() == [0, 1, 2, 3, 4, 5]
    assert highest_dimension_first(dimension).tolist() == [5, 2, 4, 0, 1, 3]


@given(images(), constructions, st.sampled_from([None, True]))
def test_clearing_changes_neither_the_pairs_nor_the_matrix(image, construction, frame):
    f = lower_star_filtration(image, construction=construction, frame=frame)
    plain, twisted = (reduce_filtration(f, clearing=c) for c in (False, True))
    assert np.array_equal(plain.pairs, twisted.pairs)
    assert np.array_equal(plain.essential, twisted.essential)
    assert not (plain.reduced() != twisted.reduced()).nnz


@given(images(max_axes=2), constructions)
def test_the_pairs_are_those_of_the_ranks_of_submatrices(image, construction):
    """Pairing lemma, Edelsbrunner and Harer VII.1: ranks of lower left minors decide."""
    f = lower_star_filtration(
        image[:3, :3] if image.ndim > 1 else image, construction=construction
    )
    rank = _ranks_mod_2(f.boundary().toarray().astype(bool))
    change = rank[:-1, 1:] - rank[1:, 1:] - rank[:-1, :-1] + rank[1:, :-1]
    assert np.argwhere(change == 1).tolist() == reduce_filtration(f).pairs.tolist()


def _ranks_mod_2(matrix):
    """Return in (i, j) the rank of the rows from i on of the first j columns."""
    n = len(matrix)
    rank = np.zeros((n + 1, n + 1), int)
    for i in range(n):
        independent = []  # columns, and in front of each a number that only it begins with
        for j, column in enumerate(matrix[i:].T):
            bits = int("".join("01"[int(x)] for x in column), 2)
            for other in independent:
                bits = min(bits, bits ^ other)
            if bits:
                independent.append(bits)
            rank[i, j + 1] = len(independent)
    return rank


@given(images(), constructions)
def test_each_cell_is_born_dies_or_stays_once(image, construction):
    f = lower_star_filtration(image, construction=construction)
    r = reduce_filtration(f)
    assert sorted([*r.pairs.ravel(), *r.essential]) == list(range(f.cell.size))
    assert (f.dimension[r.pairs[:, 1]] == f.dimension[r.pairs[:, 0]] + 1).all()
    assert f.dimension[r.essential].tolist() == [0]


@given(images(), constructions)
def test_the_cycle_of_a_pair_is_closed_and_its_last_cell_is_the_birth(image, construction):
    f = lower_star_filtration(image, construction=construction)
    r = reduce_filtration(f)
    boundary = f.boundary().astype(int)
    for i, j in r.pairs.tolist():
        cycle = r.cycle(j)
        assert cycle.max() == i
        assert not (boundary[:, cycle].sum(axis=1) % 2).any()


def test_the_cycle_of_the_ring_goes_around_its_hole():
    f = lower_star_filtration(RING)
    r = reduce_filtration(f)
    (j,) = (j for i, j in r.pairs if f.dimension[i] == 1 and f.pixel[i] != f.pixel[j])
    around = {tuple(c) for c in f.coordinates(r.cycle(j)).tolist()}
    assert around == {(0, 1), (0, 3), (1, 0), (1, 4), (3, 0), (3, 4), (4, 1), (4, 3)}
