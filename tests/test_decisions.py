"""Decisions of an experiment: each clean-up is tuned on validation, by two criteria."""

import numpy as np

from pytopo.metrics.decision import Decision
from pytopo.training.config import config_of
from pytopo.training.decision import (
    ACCURACY_LOSS,
    CLEANUPS,
    DECISIONS,
    Predicted,
    decisions_of,
    scores,
)

CONFIG = config_of({"training": {"size": 33}})


def a_wall_with_a_gap_and_a_speck(speck):
    """Two walls that cross: a gap in one is weak, and a speck of 9 pixels lies beside."""
    truth = np.zeros((70, 70), bool)
    truth[20, :] = truth[:, 30] = True
    likelihood = np.where(truth, 0.95, 0.0).astype(np.float32)
    likelihood[20, 40:45] = 0.42  # open at thresholds above 0.42
    likelihood[49:54, 49:54] = speck - 0.25
    likelihood[50:53, 50:53] = speck
    return Predicted(likelihood, truth)


def test_each_cleanup_takes_the_decision_with_the_least_error():
    predicted = a_wall_with_a_gap_and_a_speck(0.9)
    chosen = decisions_of([predicted], CONFIG)
    assert list(chosen) == list(DECISIONS)
    assert chosen["plain"] == Decision(0.5, 0, 0.0)
    # the speck is brighter than the gap, so a threshold alone keeps one of them
    by_threshold, by_size, by_persistence = (
        chosen[f"{cleanup} by matching"] for cleanup in CLEANUPS
    )
    assert (by_threshold.smallest, by_threshold.min_persistence) == (0, 0)
    assert (by_size.threshold, by_size.smallest) == (0.1, 50)
    assert by_persistence.min_persistence == 0
    errors = {
        name: scores([predicted], [decision], CONFIG)[0].matching.sum()
        for name, decision in chosen.items()
    }
    assert errors["size by matching"] == 0 < errors["persistence by matching"]
    np.testing.assert_array_equal(by_size.mask(predicted.likelihood), predicted.truth)


def test_a_line_that_hardly_stands_out_goes_by_persistence():
    truth = np.zeros((70, 70), bool)
    truth[:, 30] = True
    likelihood = np.where(truth, 0.9, 0.2).astype(np.float32)
    likelihood[5:60, 31:60] = 0.45
    likelihood[20:32, 50] = 0.7  # 0.25 above what is around it
    likelihood[30, 30] = 0.55
    chosen = decisions_of([Predicted(likelihood, truth)], CONFIG)
    assert chosen["persistence by matching"] == Decision(0.5, min_persistence=0.3)


def test_one_criterion_pays_little_accuracy_and_the_other_any():
    truth = np.zeros((70, 70), bool)
    truth[:, 30] = True
    likelihood = np.where(truth, 0.9, 0.0).astype(np.float32)
    likelihood[:, 27:34] = np.maximum(likelihood[:, 27:34], 0.35)
    likelihood[30:35, 30] = 0.35  # a gap that only low thresholds close, beside many pixels
    predicted = Predicted(likelihood, truth)
    chosen = decisions_of([predicted], CONFIG)

    def accuracy(decision):
        return (decision.mask(predicted.likelihood) == truth).mean()

    best = max(accuracy(decision) for decision in CLEANUPS["threshold"])
    for cleanup in CLEANUPS:
        assert accuracy(chosen[f"{cleanup} by betti"]) >= best - ACCURACY_LOSS
    assert chosen["threshold by matching"].threshold <= 0.3
    assert accuracy(chosen["threshold by matching"]) < best - ACCURACY_LOSS


def test_patches_of_the_matching_error_tile_a_section():
    truth = np.zeros((70, 70), bool)
    truth[:, 35] = True
    likelihood = truth.astype(np.float32)
    likelihood[:2, :2], likelihood[60, 60] = 0, 1  # one speck, in one of 3 x 3 patches
    (found,) = scores([Predicted(likelihood, truth)], [Decision()], CONFIG)
    assert found.matching.tolist() == [1 / 9, 0.0]


def test_the_plain_decision_is_the_threshold():
    likelihood = np.array([[0.5, 0.51], [0.2, 0.9]], np.float32)
    np.testing.assert_array_equal(
        Decision().mask(likelihood, "V"), [[False, True], [False, True]]
    )
