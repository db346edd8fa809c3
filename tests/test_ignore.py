"""Ignored pixels: what has no ground truth is nobody's fault, in any metric."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from strategies import constructions

from pytopo import metrics
from pytopo.metrics.evaluation import evaluate

OF_MASKS = (
    metrics.betti_error,
    metrics.patch_betti_error,
    metrics.euler_error,
    metrics.betti_matching_error,
    metrics.topo_score,
    metrics.pixel_accuracy,
    metrics.dice,
    metrics.cldice,
    evaluate,
)
OF_LABELS = (metrics.variation_of_information, metrics.adapted_rand_error)
WALLS = np.zeros((7, 9), np.uint8)
WALLS[[0, 3, 6]] = WALLS[:, [0, 8]] = 1
STRIP = np.zeros(WALLS.shape, bool)
STRIP[:, 4:6] = True
BROKEN = WALLS.copy()
BROKEN[3, 4] = 0  # a gap, in the strip that is ignored


@pytest.fixture
def marked():
    """The ground truth with 255 where there is none."""
    return np.where(STRIP, np.uint8(255), WALLS)


@pytest.mark.parametrize("frame", [False, True])
def test_a_gap_in_an_ignored_strip_is_nobodys_fault(frame):
    assert metrics.betti_error(BROKEN, WALLS, frame=frame).total == 1
    assert metrics.betti_error(BROKEN, WALLS, frame=frame, ignore=STRIP).total == 0
    assert metrics.betti_matching_error(BROKEN, WALLS, frame=frame).total == 1
    assert metrics.betti_matching_error(BROKEN, WALLS, frame=frame, ignore=STRIP).total == 0
    assert metrics.topo_score(BROKEN, WALLS, frame=frame, ignore=STRIP).score == 1
    found = evaluate(BROKEN, WALLS, frame=frame, ignore=STRIP)
    assert (found.pixel_accuracy, found.betti, found.patch_betti, found.voi) == (1, 0, 0, 0)


def test_the_same_gap_beside_the_strip_is_a_fault():
    beside = WALLS.copy()
    beside[3, 2] = 0
    assert metrics.betti_error(beside, WALLS, frame=True, ignore=STRIP).per_dim == (0, 1)
    assert metrics.betti_matching_error(beside, WALLS, frame=True, ignore=STRIP).missed == (
        0,
        1,
    )


def test_ignored_pixels_are_background_and_foreground_with_a_frame():
    """Background cuts the cells open; foreground, and a frame, close four halves of cells."""
    none = metrics.betti_matching_error(WALLS, WALLS, ignore=STRIP)
    assert none.matched == (2, 0)
    framed = metrics.betti_matching_error(WALLS, WALLS, ignore=STRIP, frame=True)
    assert framed.matched == (1, 4)


@pytest.mark.parametrize("metric", OF_MASKS)
def test_a_mark_in_the_target_is_a_mask_of_pixels_to_ignore(metric, marked):
    by_mark = metric(BROKEN, marked, ignore_index=255)
    assert by_mark == metric(BROKEN, WALLS, ignore=STRIP)
    assert metric(BROKEN, WALLS, ignore_index=-1) == metric(BROKEN, WALLS)
    with pytest.raises(
        ValueError, match=r"holds 0 .*, 255 .*or the third value as ignore_index"
    ):
        metric(BROKEN, marked)


@pytest.mark.parametrize("metric", OF_LABELS)
def test_ignored_pixels_of_label_images_do_not_count(metric):
    target = np.array([[1, 1, 2, 2], [1, 1, 2, 2]])
    prediction = np.array([[7, 7, 7, 8], [7, 7, 7, 8]])
    ignore = np.zeros((2, 4), bool)
    ignore[:, 2] = True
    expected = metric(prediction[:, [0, 1, 3]], target[:, [0, 1, 3]])
    assert metric(prediction, target, ignore=ignore) == expected != metric(prediction, target)
    marked = np.where(ignore, -100, target)
    assert metric(prediction, marked, ignore_index=-100) == expected


@settings(max_examples=40)
@given(
    st.tuples(st.integers(2, 6), st.integers(2, 6)).flatmap(
        lambda shape: hnp.arrays(bool, (4, *shape))
    ),
    constructions,
    st.booleans(),
)
def test_what_is_ignored_makes_no_difference(images, construction, frame):
    prediction, target, noise, ignore = images
    ignore[0, 0] = False
    options = {"construction": construction, "frame": frame, "ignore": ignore}
    other = np.where(ignore, noise, prediction)
    for metric in (metrics.betti_error, metrics.betti_matching_error, metrics.euler_error):
        assert metric(prediction, target, **options) == metric(other, target, **options)
        assert metric(target, prediction, **options) == metric(target, other, **options)


@pytest.mark.parametrize(
    ("options", "error", "reason"),
    [
        ({"ignore": STRIP[:3]}, ValueError, r"ignore has shape \(3, 9\); expected that of t"),
        ({"ignore": STRIP * 1}, TypeError, "ignore has dtype int64; expected booleans"),
        ({"ignore": np.ones_like(STRIP)}, ValueError, "every pixel is ignored; expected some"),
        ({"ignore_index": 1.5}, TypeError, "ignore_index is 1.5; expected a whole number$"),
    ],
)
def test_what_cannot_be_ignored_is_refused(options, error, reason):
    with pytest.raises(error, match=reason):
        metrics.dice(BROKEN, WALLS, **options)
    with pytest.raises(error, match=reason):
        metrics.variation_of_information(WALLS, WALLS, **options)
