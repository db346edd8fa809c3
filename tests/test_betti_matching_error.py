"""The Betti matching error: by hand, against labelling, and beside the Betti error."""

import numpy as np
import oracles
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from strategies import constructions, fewer_examples

from pytopo.metrics import (
    BettiMatchingError,
    betti_error,
    betti_matching_error,
    betti_numbers,
)

shapes = st.one_of(
    st.tuples(st.integers(1, 7), st.integers(1, 7)),
    st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(1, 3)),
)
masks = shapes.flatmap(lambda shape: hnp.arrays(bool, (2, *shape)))


@pytest.fixture
def two_rings():
    rings = np.zeros((5, 9), bool)
    rings[1:4, 1:4] = rings[1:4, 5:8] = True
    rings[2, [2, 6]] = False
    return rings


def test_rings_in_two_places_do_not_match_and_make_no_betti_error(two_rings):
    left, right = two_rings.copy(), two_rings.copy()
    left[:, 5:] = right[:, :5] = False
    assert betti_error(left, right).total == 0
    error = betti_matching_error(left, right)
    assert error == BettiMatchingError(matched=(1, 0), false=(0, 1), missed=(0, 1))
    assert (error.per_dim, error.total) == ((0, 2), 2)


def test_a_tunnel_elsewhere_is_a_false_and_a_missed_one(two_rings):
    left, right = np.zeros((2, 3, *two_rings.shape), bool)
    left[1, :, :5] = two_rings[:, :5]
    right[1, :, 5:] = two_rings[:, 5:]
    assert betti_matching_error(left, left | right).matched == (1, 1, 0)
    error = betti_matching_error(left, right)
    assert error == BettiMatchingError((1, 0, 0), (0, 1, 0), (0, 1, 0))
    assert betti_matching_error(left, right, dims=1).per_dim == (2,)


def test_a_ring_that_is_missing_is_missed_with_its_hole(two_rings):
    left = two_rings.copy()
    left[:, 5:] = False
    assert betti_matching_error(left, two_rings) == BettiMatchingError((1, 1), (0, 0), (1, 1))
    assert betti_matching_error(two_rings, left) == BettiMatchingError((1, 1), (1, 1), (0, 0))
    assert betti_matching_error(left, two_rings, dims=1) == BettiMatchingError((1,), (0,), (1,))


def test_nothing_matches_a_mask_without_foreground(two_rings):
    nothing = np.zeros_like(two_rings)
    assert betti_matching_error(two_rings, nothing) == BettiMatchingError(
        (0, 0), (2, 2), (0, 0)
    )
    assert betti_matching_error(nothing, nothing) == BettiMatchingError((0, 0), (0, 0), (0, 0))


def test_a_frame_closes_what_runs_off_the_border():
    line = np.zeros((3, 5), bool)
    line[1] = True
    assert betti_matching_error(line, line).matched == (1, 0)
    assert betti_matching_error(line, line, frame=True).matched == (1, 2)
    gap = line.copy()
    gap[1, 2] = False
    assert betti_matching_error(gap, line, frame=True).per_dim == (0, 1)


def test_values_of_masks_are_read_as_everywhere():
    mask = np.array([[0, 255], [255, 0]], np.uint8)
    assert betti_matching_error(mask, mask > 0).total == 0
    with pytest.raises(ValueError, match="prediction has shape"):
        betti_matching_error(mask, np.ones((3, 3), bool))
    with pytest.raises(ValueError, match="construction is 'W'"):
        betti_matching_error(mask, mask, construction="W")
    with pytest.raises(TypeError, match="frame is 1"):
        betti_matching_error(mask, mask, frame=1)


@fewer_examples
@given(masks, constructions, st.booleans())
def test_features_add_up_to_betti_numbers(pair, construction, frame):
    options = {"construction": construction, "frame": frame}
    error = betti_matching_error(*pair, **options)
    numbers = [np.array(betti_numbers(mask, **options)) for mask in pair]
    assert (np.add(error.matched, error.false) == numbers[0]).all()
    assert (np.add(error.matched, error.missed) == numbers[1]).all()
    assert np.all(np.array(error.per_dim) >= betti_error(*pair, **options).per_dim)
    turned = betti_matching_error(*pair[::-1], **options)
    assert (turned.matched, turned.false) == (error.matched, error.missed)
    assert betti_matching_error(pair[0], pair[0], **options).total == 0


@fewer_examples
@given(masks, constructions, st.booleans())
def test_matches_are_counted_as_by_labelling(pair, construction, frame):
    highest = pair[0].ndim - 1
    found = oracles.matched_features(*pair, True, construction, 1 if frame else None)
    matched = [sum(dim == d for dim, _, _ in found) for d in (0, highest)]
    matched[0] += frame or all(mask.any() for mask in pair)  # the essential ones
    error = betti_matching_error(
        *pair, dims=(0, highest), construction=construction, frame=frame
    )
    assert list(error.matched) == matched
