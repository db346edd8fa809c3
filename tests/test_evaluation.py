"""Evaluations: every number is that of its metric, means, and what cleaning removes."""

import json
from dataclasses import asdict, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage
from strategies import constructions, shapes

from pytopo import metrics
from pytopo.metrics.evaluation import cleaned, evaluate, mean_evaluation

RING = np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]])
OPTIONS = {"patch": 12, "patches": 5, "seed": 2}


def noise(seed, shape=(40, 50)):
    rng = np.random.default_rng(seed)
    return ndimage.gaussian_filter(rng.standard_normal(shape), 1.5) > 0


# ---- evaluate -------------------------------------------------------------------------------


@pytest.mark.parametrize("frame", [False, True])
@pytest.mark.parametrize("construction", ["V", "T"])
@pytest.mark.parametrize("shape", [(40, 50), (10, 12, 14)])
def test_each_number_is_that_of_its_metric(shape, construction, frame):
    prediction, truth = noise(0, shape), noise(1, shape)
    found = evaluate(prediction, truth, construction=construction, frame=frame, **OPTIONS)
    topology = {"construction": construction, "frame": frame}
    whole = metrics.betti_error(prediction, truth, **topology)
    local = metrics.patch_betti_error(prediction, truth, size=12, patches=5, seed=2, **topology)
    cells = [metrics.segments(m, construction=construction) for m in (prediction, truth)]
    information = metrics.variation_of_information(*cells, ignore_background=True)
    betti = {f"betti_{d}": e for d, e in enumerate(whole.per_dim)}
    patches = {f"patch_betti_{d}": e for d, e in enumerate(local.per_dim)}
    assert found.row() == {
        "pixel_accuracy": metrics.pixel_accuracy(prediction, truth),
        "dice": metrics.dice(prediction, truth),
        **betti,
        "betti": whole.total,
        **patches,
        "patch_betti": local.total,
        "voi_split": information.split,
        "voi_merge": information.merge,
        "voi": information.total,
        "adapted_rand": metrics.adapted_rand_error(*cells).error,
    }


def test_a_perfect_prediction_has_no_error():
    truth = noise(0)
    found = evaluate(truth, truth, **OPTIONS).row()
    assert found.pop("pixel_accuracy") == found.pop("dice") == 1.0
    assert set(found.values()) == {0.0}  # all others are errors


def test_known_cells_replace_those_between_membranes():
    truth = np.array([[1, 1, 1, 1], [0, 0, 0, 0]])
    cells = np.array([[0, 0, 0, 0], [1, 1, 2, 2]])
    assert evaluate(truth, truth).voi == 0.0
    assert evaluate(truth, truth, labels=cells).voi_merge == 1.0


def test_the_numbers_are_plain_and_go_into_json():
    found = evaluate(noise(0), noise(1), **OPTIONS)
    assert json.loads(json.dumps(found.row())) == found.row()
    assert {type(value) for value in found.row().values()} == {float}


def test_the_prediction_comes_first():
    line = np.zeros((5, 9), bool)
    line[:, 4] = True
    found = evaluate(line, np.zeros((5, 9), bool), **OPTIONS)
    assert found.voi_split > 0
    assert found.voi_merge == 0


@pytest.mark.parametrize(
    ("prediction", "truth", "reason"),
    [
        (RING * 0.5 + 0.5, RING, r"prediction holds 0.5 \(1 pixel\), 1 \(8\); expected a mask"),
        (RING, RING[:2], r"prediction has shape \(3, 3\), target \(2, 3\); expected the same"),
        (RING, np.ones((3, 3)), "truth has no cell, it is membrane everywhere; expected some"),
    ],
)
def test_what_cannot_be_evaluated_is_refused(prediction, truth, reason):
    with pytest.raises(ValueError, match=reason):
        evaluate(prediction, truth)


# ---- mean -----------------------------------------------------------------------------------


def test_the_mean_is_taken_of_each_number():
    truth = noise(0)
    found = [evaluate(noise(seed), truth, **OPTIONS) for seed in (1, 2, 3)]
    mean = mean_evaluation(found).row()
    for name, value in mean.items():
        assert value == pytest.approx(np.mean([f.row()[name] for f in found]))
    assert "betti_2" not in mean


def test_the_mean_of_volumes_has_voids():
    found = evaluate(noise(0, (9, 9, 9)), noise(1, (9, 9, 9)), **OPTIONS)
    other = replace(found, betti_2=found.betti_2 + 2)
    assert mean_evaluation([found, other]).betti_2 == found.betti_2 + 1
    assert asdict(mean_evaluation([found])) == asdict(found)


def test_there_is_no_mean_of_nothing_or_of_mixed_kinds():
    with pytest.raises(
        ValueError, match="no evaluation to take the mean of; expected at least"
    ):
        mean_evaluation([])
    flat = evaluate(RING, RING)
    with pytest.raises(ValueError, match="evaluations of images and of volumes; expected one"):
        mean_evaluation([flat, replace(flat, betti_2=0.0, patch_betti_2=0.0)])


# ---- cleaned --------------------------------------------------------------------------------


def test_specks_go_and_small_holes_are_filled():
    mask = np.zeros((7, 12), bool)
    mask[0:5, 0:5] = True
    mask[1:4, 1:4] = False  # a cell of 9
    mask[4, 2] = True
    mask[0:3, 6:9] = True
    mask[1, 7] = False  # a hole of 1
    mask[6, 10:12] = True  # a speck of 2
    assert cleaned(mask, smallest=2)[6, 10:12].all()  # not fewer than 2
    expected = mask.copy()
    expected[6, 10:12] = False
    expected[1, 7] = True
    assert cleaned(mask, smallest=3).tolist() == expected.tolist()
    expected[1:4, 1:4] = True
    assert cleaned(mask, smallest=10).tolist()[:5] == [
        [*row[:6], *[False] * 6] for row in expected.tolist()[:5]
    ]


def test_specks_go_before_holes_are_filled():
    ring = np.zeros((7, 7), bool)
    ring[2:5, 2:5] = True
    ring[3, 3] = False
    assert not cleaned(ring, smallest=9).any()


def test_corners_connect_in_t():
    diagonal = np.eye(5, dtype=bool)
    assert not cleaned(diagonal, smallest=2).any()
    assert cleaned(diagonal, smallest=2, construction="T").sum() == 5


def test_nothing_is_smaller_than_1():
    mask = noise(0)
    kept = cleaned(mask, smallest=1)
    assert kept.tolist() == mask.tolist()
    assert not np.shares_memory(kept, mask)


@given(
    mask=shapes().filter(lambda s: len(s) > 1).flatmap(lambda s: hnp.arrays(bool, s)),
    smallest=st.integers(0, 9),
    construction=constructions,
)
def test_nothing_small_is_left(mask, smallest, construction):
    kept = cleaned(mask, smallest=smallest, construction=construction)
    sides = ndimage.generate_binary_structure(mask.ndim, 1)
    corners = np.ones_like(sides)
    connected = (sides, corners) if construction == "V" else (corners, sides)
    for part, structure in zip((kept, ~kept), connected):
        labels, n = ndimage.label(part, structure)
        sizes = [(labels == k).sum() for k in range(1, n + 1)]
        assert all(size >= min(smallest, mask.size) for size in sizes)
    again = cleaned(kept, smallest=smallest, construction=construction)
    assert again.tolist() == kept.tolist()


@pytest.mark.parametrize(
    ("options", "error", "reason"),
    [
        ({"smallest": -1}, ValueError, "smallest is -1; expected a whole number of at least 0"),
        ({"smallest": 2.5}, TypeError, "smallest is 2.5; expected a whole number"),
        ({"smallest": 2, "construction": "X"}, ValueError, "construction is 'X'; expected"),
    ],
)
def test_options_of_cleaning_are_checked(options, error, reason):
    with pytest.raises(error, match=reason):
        cleaned(RING, **options)
    with pytest.raises(ValueError, match=r"mask holds 0.5 \(1 pixel\), 1 \(8\); expected"):
        cleaned(RING * 0.5 + 0.5, smallest=2)
