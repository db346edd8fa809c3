"""TopoScore and the score of the Vesuvius Challenge: by hand, and beside other programs."""

import importlib.util
import math
import sys
import types

import numpy as np
import pytest
import skimage.metrics
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage

from pytopo.metrics import BettiMatchingError, betti_numbers, topo_score, vesuvius_score

RING = np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]], bool)
GAP = np.zeros((3, 1), bool)


@pytest.fixture
def three_rings():
    return np.hstack([RING, GAP, RING, GAP, RING])


def noise(seed, shape, sigma=1.0):
    rng = np.random.default_rng(seed)
    return ndimage.gaussian_filter(rng.standard_normal(shape), sigma) > 0


# ---- TopoScore ------------------------------------------------------------------------------


def test_a_mask_against_itself_scores_1(three_rings):
    found = topo_score(three_rings, three_rings)
    assert (found.score, found.f1) == (1.0, (1.0, 1.0))
    assert found.features == BettiMatchingError((2, 3), (0, 0), (0, 0))


def test_the_f1_of_each_dimension_is_weighted(three_rings):
    prediction = three_rings.copy()
    prediction[0, [1, 5]] = False  # two of three rings are open
    prediction[:, 8:] = False  # and the third is missing
    found = topo_score(prediction, three_rings)
    assert found.features == BettiMatchingError((1, 0), (0, 0), (1, 3))
    assert found.f1 == (2 / 3, 0.0)
    assert found.score == pytest.approx(0.34 * (2 / 3) / (0.34 + 0.33))
    heavy = topo_score(prediction, three_rings, weights={0: 1, 1: 3})
    assert heavy.score == pytest.approx((2 / 3) / 4)
    assert topo_score(prediction, three_rings, dims=0).score == pytest.approx(2 / 3)
    assert topo_score(prediction, three_rings, dims=(1,)).score == 0


def test_a_dimension_without_features_does_not_count():
    found = topo_score(RING, RING)
    assert math.isnan(found.f1[0])
    assert found.score == found.f1[1] == 1
    nothing = np.zeros((3, 3), bool)
    assert topo_score(nothing, nothing).score == 1


def test_false_features_cost_more_the_more_there_are(three_rings):
    target = ndimage.binary_fill_holes(three_rings)
    one = target.copy()
    one[1, 1] = False
    assert topo_score(one, target).f1[1] == 0.5 / 1.5
    assert topo_score(three_rings, target).f1[1] == 0.5 / 3.5
    assert topo_score(three_rings, np.zeros_like(target)).features.false == (2, 3)


def test_features_of_pieces_are_added(three_rings):
    """Cut into columns 0 to 5 and 6 to 10, and rows 0 to 1 and 2, no ring is whole."""
    found = topo_score(three_rings, three_rings, pieces=2)
    assert found.features.matched[1] == 0
    quarters = [three_rings[rows, columns] for rows, columns in (
        (slice(2), slice(6)), (slice(2), slice(6, None)),
        (slice(2, None), slice(6)), (slice(2, None), slice(6, None)),
    )]  # fmt: skip
    assert found.features.matched[0] == sum(betti_numbers(q)[0] - 1 for q in quarters)
    assert topo_score(RING, RING, pieces=99).score == 1


def test_weights_of_dimensions_without_features_do_not_matter():
    only_holes = {0: 1.0, 1: 0.0}
    assert topo_score(RING, RING, weights=only_holes).score == 1
    broken = RING.copy()
    broken[0, 1] = False
    assert topo_score(broken, RING, weights=only_holes).score == 0


@pytest.mark.parametrize(
    "weights", [{0: 1}, {0: -1, 1: 1}, {0: 0, 1: 0}, {0: math.nan, 1: 1}, 3]
)
def test_weights_that_are_none_are_refused(weights):
    with pytest.raises(ValueError, match=r"weights is .*; expected"):
        topo_score(RING, RING, weights=weights)
    with pytest.raises(ValueError, match="pieces is 0; expected a whole number of at least 1"):
        topo_score(RING, RING, pieces=0)


@settings(max_examples=30)
@given(
    st.one_of(
        st.tuples(st.integers(2, 7), st.integers(2, 7)),
        st.tuples(st.integers(2, 3), st.integers(2, 3), st.integers(2, 3)),
    ).flatmap(lambda shape: hnp.arrays(bool, (2, *shape)))
)
def test_scores_are_shares_and_the_same_the_other_way_round(pair):
    found, turned = topo_score(*pair), topo_score(*pair[::-1])
    assert 0 <= found.score <= 1
    counts = zip(found.features.matched, found.features.false, found.features.missed)
    for (matched, false, missed), one, other in zip(counts, found.f1, turned.f1):
        if matched + false and matched + missed:
            assert one == other == 2 * matched / (2 * matched + false + missed)
        else:
            assert math.isnan(one) == (false + missed == 0)


def test_counts_are_those_of_the_program_of_the_challenge(monkeypatch):
    """Its matching is a part of topolosses; sublevel, foreground 0, without essential ones."""
    found = importlib.util.find_spec("topolosses")
    if found is None:
        pytest.skip("topolosses is not installed")
    (folder,) = found.submodule_search_locations
    monkeypatch.syspath_prepend(f"{folder}/losses/betti_matching/src")
    peer = pytest.importorskip("betti_matching")
    for seed in range(20):
        shape = (17, 14) if seed % 2 else (7, 8, 6)
        pair = noise(seed, shape, 0.7), noise(seed + 99, shape, 0.7) | noise(seed, shape, 0.7)
        theirs = peer.compute_matching(*(np.where(mask, 0.0, 1.0) for mask in pair))
        ours = topo_score(*pair).features
        assert ours.matched == tuple(theirs.num_matched)
        assert ours.false == tuple(theirs.num_unmatched_input1)
        assert ours.missed == tuple(theirs.num_unmatched_input2)


# ---- the score of the challenge -------------------------------------------------------------


@pytest.fixture
def surface_dice(monkeypatch):
    """MONAI, which says that two thirds of the surface agree, and keeps what it was given."""
    calls = []

    def compute_surface_dice(first, second, **options):
        calls.append((first.numpy()[0, 0], second.numpy()[0, 0], options))
        return first.new_tensor([[2 / 3]], dtype=float)

    monai = types.ModuleType("monai")
    monai.metrics = types.ModuleType("monai.metrics")
    monai.metrics.compute_surface_dice = compute_surface_dice
    monkeypatch.setitem(sys.modules, "monai", monai)
    monkeypatch.setitem(sys.modules, "monai.metrics", monai.metrics)
    return calls


def test_the_score_is_the_mean_of_three(surface_dice):
    first, second = noise(0, (9, 10, 11)), noise(1, (9, 10, 11))
    found = vesuvius_score(first, second)
    assert found.topo == topo_score(first, second, pieces=2)
    labels = [ndimage.label(mask, np.ones((3, 3, 3)))[0] for mask in (first, second)]
    either = first | second
    split, merge = skimage.metrics.variation_of_information(
        labels[1][either], labels[0][either]
    )
    assert (found.voi.split, found.voi.merge) == pytest.approx((split, merge))
    assert found.voi_score == pytest.approx(1 / (1 + 0.3 * (split + merge)))
    expected = 0.3 * found.topo.score + 0.35 * 2 / 3 + 0.35 * found.voi_score
    assert found.score == pytest.approx(expected)
    ((one, other, options),) = surface_dice
    assert np.array_equal(one, first)
    assert np.array_equal(other, second)
    assert options == {
        "class_thresholds": [2.0],
        "spacing": [1.0, 1.0, 1.0],
        "include_background": True,
        "use_subvoxels": True,
    }


def test_ignored_voxels_are_background_in_both(surface_dice):
    target = np.uint8(noise(0, (6, 7, 8)))
    target[2] = 2
    prediction = np.uint8(target != 0)
    found = vesuvius_score(prediction, target, ignore_index=2)
    assert (found.topo.score, found.voi.total) == (1, 0)
    assert not surface_dice[0][0][2].any()
    assert not surface_dice[0][1][2].any()


def test_empty_volumes_have_no_surface(surface_dice):
    empty, full = np.zeros((2, 4, 4, 4), bool)
    full[1:3, 1:3, 1:3] = True
    assert vesuvius_score(empty, empty).score == pytest.approx(1)
    assert vesuvius_score(empty, full).surface_dice == 0
    assert not surface_dice


def test_without_monai_there_is_no_surface_dice_and_no_score(monkeypatch):
    for name in ("monai", "monai.metrics"):
        monkeypatch.setitem(sys.modules, name, None)
    cube = np.ones((3, 3, 3), bool)
    found = vesuvius_score(cube, cube)
    assert (found.surface_dice, found.score, found.voi_score) == (None, None, 1)
    with pytest.raises(ValueError, match=r"prediction has shape \(3, 3\); expected a volume"):
        vesuvius_score(RING, RING)


@pytest.mark.filterwarnings("default")  # what MONAI warns of while it is imported is its own
def test_the_surface_dice_of_monai():
    pytest.importorskip("monai")
    sheet, near, far = np.zeros((3, 12, 12, 12), bool)
    sheet[2], near[3], far[9] = True, True, True
    assert vesuvius_score(sheet, sheet).surface_dice == pytest.approx(1)
    assert vesuvius_score(near, sheet).surface_dice == pytest.approx(1)
    assert vesuvius_score(far, sheet).surface_dice < 0.1
