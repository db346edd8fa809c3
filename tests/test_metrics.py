"""Metrics: by hand, against brute force, against persistence, scikit-image and GUDHI."""

import subprocess
import sys

import gudhi
import numpy as np
import oracles
import pytest
import skimage.metrics
import skimage.morphology
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage
from strategies import constructions, shapes

import pytopo
from pytopo.kernels.contingency import overlaps
from pytopo.metrics import (
    BettiError,
    adapted_rand_error,
    betti_error,
    betti_numbers,
    cldice,
    dice,
    euler_characteristic,
    euler_error,
    patch_betti_error,
    patch_shape,
    pixel_accuracy,
    segments,
    variation_of_information,
)

RING = np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]])
OPEN_RING = np.array([[0, 1, 1], [1, 0, 1], [1, 1, 1]])  # closed over a corner only
CROSS = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]])  # four cells, cut by the border
MASK_METRICS = (betti_error, patch_betti_error, pixel_accuracy, dice)
LABEL_METRICS = (variation_of_information, adapted_rand_error)


def masks():
    return shapes().filter(lambda shape: len(shape) > 1).flatmap(lambda s: hnp.arrays(bool, s))


@st.composite
def two_labels(draw):
    """Two label images of one shape, and of different integer types."""
    shape = draw(shapes().filter(lambda shape: len(shape) > 1))
    labels = st.sampled_from([0, 1, 2, 3, 100])
    return [
        draw(hnp.arrays(np.dtype(dtype), shape, elements=labels))
        for dtype in draw(st.permutations(["uint8", "int64"]))
    ]


def noise(seed, shape=(60, 70), sigma=1.5):
    """A mask of blobs and holes."""
    rng = np.random.default_rng(seed)
    return ndimage.gaussian_filter(rng.standard_normal(shape), sigma) > 0


# ---- Betti numbers ------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int64, np.float32])
def test_a_ring_is_one_component_with_one_hole(dtype):
    assert betti_numbers(RING.astype(dtype)) == (1, 1)


def test_a_ring_over_a_corner_is_closed_in_t_and_open_in_v():
    assert betti_numbers(OPEN_RING) == (1, 0)
    assert betti_numbers(OPEN_RING, construction="T") == (1, 1)
    assert betti_numbers(np.eye(3)) == (3, 0)
    assert betti_numbers(np.eye(3), construction="T") == (1, 0)


def test_a_frame_closes_what_runs_off_the_border():
    assert betti_numbers(CROSS) == (1, 0)
    assert betti_numbers(CROSS, frame=True) == (1, 4)


def test_a_frame_is_foreground_even_around_nothing():
    assert betti_numbers(np.zeros((3, 4)), frame=True) == (1, 1)
    assert betti_numbers(np.zeros((3, 4))) == (0, 0)


def test_a_shell_has_a_void_and_a_tube_a_tunnel():
    shell = np.ones((3, 3, 3), bool)
    shell[1, 1, 1] = False
    assert betti_numbers(shell) == (1, 0, 1)
    assert betti_numbers(RING[None]) == (1, 1, 0)
    open_shell = shell.copy()
    open_shell[0, 1, 1] = False
    assert betti_numbers(open_shell) == (1, 0, 0)


@given(mask=masks(), construction=constructions, frame=st.booleans())
def test_betti_numbers_are_those_of_the_definition(mask, construction, frame):
    padded = np.pad(mask, 1, constant_values=True) if frame else mask
    expected = oracles.betti_numbers(padded, construction)
    assert betti_numbers(mask, construction=construction, frame=frame) == expected


@given(mask=masks(), construction=constructions, frame=st.booleans())
def test_betti_numbers_are_those_of_the_diagram(mask, construction, frame):
    diagram = pytopo.persistence(
        mask.astype(float),
        superlevel=True,
        construction=construction,
        frame=1 if frame else None,
    )
    found = betti_numbers(mask, construction=construction, frame=frame)
    assert found == diagram.betti(0.5)


@given(mask=masks(), construction=constructions)
def test_betti_numbers_are_those_of_gudhi(mask, construction):
    image = np.where(mask, 0.0, 1.0)
    cells = {"vertices" if construction == "V" else "top_dimensional_cells": image}
    complex_ = gudhi.CubicalComplex(**cells)
    complex_.compute_persistence()
    expected = complex_.persistent_betti_numbers(0.5, 0.5)
    expected = (expected + [0] * mask.ndim)[: mask.ndim]
    assert list(betti_numbers(mask, construction=construction)) == expected


@given(mask=masks(), construction=constructions)
def test_holes_are_the_cells_within_a_frame(mask, construction):
    found = betti_numbers(mask, construction=construction, frame=True)
    assert found[-1] == segments(mask, construction=construction).max()


def test_betti_numbers_of_a_real_section_are_those_of_its_diagram(real_data):
    membrane = pytopo.read_image(real_data / "isbi2012/label/0.png") == 0
    for construction in "VT":
        diagram = pytopo.persistence(
            membrane.astype(float), superlevel=True, construction=construction
        )
        assert betti_numbers(membrane, construction=construction) == diagram.betti(0.5)


# ---- Betti number error ---------------------------------------------------------------------


def test_the_error_is_the_difference_in_each_dimension():
    found = betti_error(OPEN_RING, RING)
    assert found == BettiError((0.0, 1.0))
    assert found.total == 1.0
    assert betti_error(OPEN_RING, RING, construction="T").total == 0.0
    assert betti_error(np.zeros((3, 3)), RING, frame=True) == BettiError((0.0, 0.0))


def test_errors_that_cancel_in_the_whole_add_up_in_patches():
    truth = np.zeros((40, 90), bool)
    prediction = truth.copy()
    truth[10, 10] = prediction[30, 80] = True
    assert betti_error(prediction, truth).total == 0
    assert patch_betti_error(prediction, truth, size=20, frame=False).total > 0


def test_patches_lie_at_the_same_places_in_both():
    mask = noise(0)
    assert patch_betti_error(mask, mask, size=20) == BettiError((0.0, 0.0))
    moved = np.roll(mask, 5, axis=1)
    assert patch_betti_error(moved, mask, size=20).total > 0


def test_the_mean_over_patches_is_the_one_by_hand():
    first, second = noise(0), noise(1)
    options = {"construction": "T", "frame": True}
    found = patch_betti_error(first, second, size=30, patches=7, seed=3, **options)
    corners = np.random.default_rng(3).integers(0, [31, 41], (7, 2))
    errors = [
        np.abs(
            np.subtract(
                betti_numbers(first[r : r + 30, c : c + 30], **options),
                betti_numbers(second[r : r + 30, c : c + 30], **options),
            )
        )
        for r, c in corners
    ]
    assert found.per_dim == tuple(np.mean(errors, axis=0))


def test_a_seed_chooses_the_places():
    first, second = noise(0), noise(1)
    errors = [patch_betti_error(first, second, size=20, patches=5, seed=s) for s in (0, 0, 1)]
    assert errors[0] == errors[1]
    assert errors[0] != errors[2]


def test_patches_of_a_framed_cross_have_holes():
    empty = np.zeros((3, 3))
    assert patch_betti_error(CROSS, empty, size=3, frame=True) == BettiError((0.0, 3.0))
    assert patch_betti_error(CROSS, empty, size=3, frame=False) == BettiError((1.0, 0.0))


def test_patches_are_no_larger_than_the_mask():
    assert patch_shape((50, 512), 65) == (50, 65)
    assert patch_betti_error(RING, np.ones((3, 3)), size=65, patches=2).per_dim == (0.0, 1.0)


def test_patches_of_volumes_are_cubes():
    first, second = noise(0, (12, 14, 16)), noise(1, (12, 14, 16))
    found = patch_betti_error(first, second, size=14, patches=3, seed=5)
    corners = np.random.default_rng(5).integers(0, [1, 1, 3], (3, 3))
    errors = [
        np.abs(
            np.subtract(
                *(betti_numbers(m[:, :, k : k + 14], frame=True) for m in (first, second))
            )
        )
        for _, _, k in corners
    ]
    assert found.per_dim == tuple(np.mean(errors, axis=0))


# ---- pixels ---------------------------------------------------------------------------------


def test_accuracy_counts_the_pixels_that_agree():
    assert pixel_accuracy(OPEN_RING, RING) == pytest.approx(8 / 9)
    assert pixel_accuracy(RING, 1 - RING) == 0.0


def test_dice_is_twice_the_overlap_over_the_sum():
    assert dice(OPEN_RING, RING) == pytest.approx(2 * 7 / 15)
    assert dice(RING, 1 - RING) == 0.0
    assert dice(RING, RING) == 1.0


def test_two_empty_masks_agree():
    assert dice(np.zeros((2, 2)), np.zeros((2, 2))) == 1.0


# ---- segments -------------------------------------------------------------------------------


def test_cells_are_what_membranes_separate():
    assert segments(CROSS).tolist() == [[1, 0, 2], [0, 0, 0], [3, 0, 4]]
    assert segments(CROSS).dtype == np.int32
    assert segments(np.ones((2, 2), bool)).max() == 0


def test_a_membrane_over_corners_separates_in_t_only():
    diagonal = np.eye(4, dtype=bool)
    assert segments(diagonal).max() == 1
    assert segments(diagonal, construction="T").max() == 2


# ---- Variation of Information, Rand error ---------------------------------------------------


HALVES = np.array([[1, 1, 2, 2]])
ONE = np.array([[7, 7, 7, 7]])


def test_a_split_in_halves_costs_a_bit():
    found = variation_of_information(HALVES, ONE)
    assert (found.split, found.merge, found.total) == (1.0, 0.0, 1.0)


def test_a_merge_of_halves_costs_a_bit():
    found = variation_of_information(ONE, HALVES)
    assert (found.split, found.merge, found.total) == (0.0, 1.0, 1.0)


def test_a_bit_is_the_logarithm_of_2_in_nats():
    found = variation_of_information(HALVES, ONE, unit="nats")
    assert found.split == pytest.approx(np.log(2))


def test_splits_lower_recall_and_merges_precision():
    split, merge = adapted_rand_error(HALVES, ONE), adapted_rand_error(ONE, HALVES)
    assert (split.precision, split.recall) == (1.0, pytest.approx(1 / 3))
    assert (merge.precision, merge.recall) == (pytest.approx(1 / 3), 1.0)
    assert split.error == merge.error == pytest.approx(0.5)


def test_the_background_of_the_target_is_ignored_and_not_that_of_the_prediction():
    target = np.array([[0, 0, 1, 1, 1, 1]])
    prediction = np.array([[5, 6, 0, 0, 1, 1]])
    assert variation_of_information(prediction, target).split == 1.0
    assert adapted_rand_error(prediction, target).recall == pytest.approx(1 / 3)
    kept = variation_of_information(prediction, target, ignore_background=False)
    assert kept.split == pytest.approx(1.0)
    assert adapted_rand_error(prediction, target, ignore_background=False).recall == 2 / 7


def test_labels_are_names():
    first, second = segments(noise(0)), segments(noise(1))
    renamed = np.where(first == 0, -3, first.astype(np.int64) * 10**15)
    assert variation_of_information(renamed, second).total == pytest.approx(
        variation_of_information(first, second).total, abs=1e-12
    )
    huge = np.array([[2**64 - 1, 2**64 - 2]], np.uint64)  # one number as float64
    assert variation_of_information(huge, np.array([[1, 1]])).split == 1.0


def test_segments_of_single_pixels_have_no_pairs():
    single = np.array([[1, 2, 3]])
    found = adapted_rand_error(single, single)
    assert (found.error, found.precision, found.recall) == (0.0, 1.0, 1.0)
    found = adapted_rand_error(single, np.ones((1, 3), int))
    assert (found.error, found.precision, found.recall) == (1.0, 1.0, 0.0)


@given(two_labels(), st.booleans())
def test_segments_are_compared_as_the_definitions_say(labels, ignore):
    prediction, target = labels
    counted = target != 0 if ignore else np.ones(target.shape, bool)
    if not counted.any():
        return
    found = variation_of_information(prediction, target, ignore_background=ignore)
    expected = oracles.variation_of_information(prediction[counted], target[counted])
    assert (found.split, found.merge) == pytest.approx(expected, abs=1e-12)
    both, predicted, true = oracles.pixel_pairs_together(prediction[counted], target[counted])
    rand = adapted_rand_error(prediction, target, ignore_background=ignore)
    assert rand.error == pytest.approx(
        1 - 2 * both / (predicted + true) if predicted + true else 0
    )
    assert rand.precision == (both / predicted if predicted else 1)
    assert rand.recall == (both / true if true else 1)


@pytest.mark.compiled
@pytest.mark.parametrize("ignore", [False, True])
@pytest.mark.parametrize("shape", [(300, 200), (20, 30, 40)])
def test_segments_are_compared_as_scikit_image_does(ignore, shape):
    ignored = [0] if ignore else []
    for seed in range(5):
        prediction, target = (segments(noise(2 * seed + k, shape)) for k in (0, 1))
        found = variation_of_information(prediction, target, ignore_background=ignore)
        expected = skimage.metrics.variation_of_information(
            target, prediction, ignore_labels=ignored
        )
        assert (found.split, found.merge) == pytest.approx(tuple(expected), abs=1e-9)
        # scikit-image 0.26 calls recall what its documentation calls precision.
        rand = adapted_rand_error(prediction, target, ignore_background=ignore)
        error, recall, precision = skimage.metrics.adapted_rand_error(
            target, prediction, ignore_labels=ignored
        )
        assert (rand.error, rand.precision, rand.recall) == pytest.approx(
            (error, precision, recall), abs=1e-12
        )


def test_a_segment_of_a_whole_volume_is_counted_exactly():
    cells = np.arange(4).repeat(50_000).reshape(400, 500)
    found = adapted_rand_error(np.zeros_like(cells), cells, ignore_background=False)
    assert found.precision == 4 * 50_000 * 49_999 / (200_000 * 199_999)


# ---- the kernel -----------------------------------------------------------------------------


def test_the_table_grows_and_keeps_every_pair():
    rng = np.random.default_rng(0)
    first, second = rng.integers(0, 40, (2, 3000)).astype(np.uint64)
    pairs, counts = overlaps(first, second)
    expected = {}
    for pair in zip(first.tolist(), second.tolist()):
        expected[pair] = expected.get(pair, 0) + 1
    assert len(expected) > 512  # the table has grown several times
    assert dict(zip(map(tuple, pairs.tolist()), counts.tolist())) == expected
    assert list(map(tuple, pairs.tolist())) == list(expected)  # in order of their first pixel


def test_pairs_are_not_confused_by_order_or_high_bits():
    first = np.array([1, 2, 2**32, 0, 2**63, 1], np.uint64)
    second = np.array([2, 1, 0, 2**32, 0, 2], np.uint64)
    pairs, counts = overlaps(first, second)
    assert counts.tolist() == [2, 1, 1, 1, 1]
    assert pairs.tolist()[2:] == [[2**32, 0], [0, 2**32], [2**63, 0]]


def test_no_pixel_has_no_pair():
    pairs, counts = overlaps(np.zeros(0, np.uint64), np.zeros(0, np.uint64))
    assert pairs.shape == (0, 2)
    assert counts.shape == (0,)


@pytest.mark.compiled
def test_the_overlap_is_compiled_for_one_signature():
    check = """
import numpy as np
from pytopo.kernels.contingency import overlaps
from pytopo.metrics import variation_of_information
for dtype in "?bBhHiIqQ":
    for shape in ((3, 4), (2, 3, 4)):
        a = np.ones(shape, dtype)
        b = a.copy()
        b.flags.writeable = False
        variation_of_information(a, b)
        variation_of_information(a.T, b.astype(b.dtype.newbyteorder()).T)
print(len(overlaps.signatures))
"""
    done = subprocess.run(
        [sys.executable, "-c", check], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout == "1\n"


# ---- what is refused ------------------------------------------------------------------------


GREY = RING * 0.5 + np.diag([0.25, 0, 0])
NAN = np.where(RING, 1, np.nan)


@pytest.mark.parametrize(
    ("mask", "error", "reason"),
    [
        (GREY, ValueError, " holds 0 (1 pixel), 0.5 (7), 0.75 (1); expected a mask of 0 and"),
        (RING + 1, ValueError, " holds 1 (1 pixel), 2 (8); expected a mask of 0 and one other"),
        (NAN, ValueError, "[1, 1] is nan; expected a mask"),
        (np.zeros((0, 3)), ValueError, " has shape (0, 3) and no pixel; expected at least one"),
        (np.zeros(3), ValueError, " has shape (3,), 1 axes; expected (H, W) or (D, H, W)"),
        (np.zeros((1, 1, 3, 3)), ValueError, " has shape (1, 1, 3, 3), 4 axes; expected"),
        (RING.astype(complex), TypeError, " has dtype complex128; expected booleans, or 0"),
        (np.array([["a"]]), TypeError, " has dtype <U1; expected booleans, or 0 and 1"),
        (np.ma.masked_equal(RING, 0), TypeError, " has masked pixels; fill them first"),
    ],
)
def test_what_is_no_mask_is_refused(mask, error, reason):
    for metric in MASK_METRICS:
        for argv, name in (((mask, RING), "prediction"), ((RING, mask), "target")):
            with pytest.raises(error) as caught:
                metric(*argv)
            assert str(caught.value).startswith(name + reason)
    for metric, name in ((betti_numbers, "mask"), (segments, "membrane")):
        with pytest.raises(error) as caught:
            metric(mask)
        assert str(caught.value).startswith(name + reason)


@pytest.mark.parametrize("metric", MASK_METRICS + LABEL_METRICS)
def test_shapes_that_differ_are_refused(metric):
    with pytest.raises(ValueError, match=r"prediction has shape \(3, 3\), target \(2, 3\); e"):
        metric(RING, RING[:2])


@pytest.mark.parametrize("metric", LABEL_METRICS)
def test_what_is_no_label_image_is_refused(metric):
    with pytest.raises(TypeError, match="prediction has dtype float64; expected labels of int"):
        metric(RING.astype(float), RING)
    with pytest.raises(
        ValueError, match=r"target has shape .* and no pixel; expected at least"
    ):
        metric(RING, np.zeros((0, 3), int))
    with pytest.raises(ValueError, match="target is 0 everywhere, and no pixel is left to"):
        metric(RING, np.zeros((3, 3), int))
    with pytest.raises(TypeError, match="ignore_background is 1; expected True or False"):
        metric(RING, RING, ignore_background=1)


@pytest.mark.parametrize("metric", [betti_error, patch_betti_error])
def test_options_that_mean_nothing_are_refused(metric):
    with pytest.raises(ValueError, match='construction is \'v\'; expected "V" or "T"'):
        metric(RING, RING, construction="v")
    with pytest.raises(TypeError, match="frame is 1; expected True or False"):
        metric(RING, RING, frame=1)


@pytest.mark.parametrize(
    ("option", "error", "reason"),
    [
        ({"size": 0}, ValueError, "size is 0; expected a whole number of at least 1"),
        ({"size": 65.0}, TypeError, "size is 65.0; expected a whole number"),
        ({"patches": 0}, ValueError, "patches is 0; expected a whole number of at least 1"),
        ({"patches": True}, TypeError, "patches is True; expected a whole number"),
        ({"seed": -1}, ValueError, "seed is -1; expected a whole number of at least 0"),
        ({"seed": None}, TypeError, "seed is None; expected a whole number"),
    ],
)
def test_patches_that_cannot_be_taken_are_refused(option, error, reason):
    with pytest.raises(error, match=reason):
        patch_betti_error(RING, RING, **option)


def test_units_that_are_none_are_refused():
    with pytest.raises(ValueError, match='unit is \'bit\'; expected "bits" or "nats"'):
        variation_of_information(HALVES, ONE, unit="bit")


def test_numbers_of_numpy_are_numbers():
    first, second = noise(0, (300, 90)), noise(1, (300, 90))
    plain = patch_betti_error(first, second, size=65, patches=3, seed=2)
    options = {"size": np.uint8(65), "patches": np.int16(3), "seed": np.uint8(2)}
    assert patch_betti_error(first, second, **options) == plain


def test_background_is_left_out_or_kept_but_not_both():
    target = np.array([[7, 7, 1, 1]])
    assert variation_of_information([[1, 2, 3, 3]], target, background=7).total == 0
    assert variation_of_information([[1, 2, 3, 3]], target).total > 0
    assert variation_of_information([[1, 2, 3, 3]], target, background=()).total > 0
    with pytest.raises(ValueError, match="background is given, and ignore_background=False"):
        variation_of_information(target, target, ignore_background=False, background=7)
    with pytest.raises(ValueError, match="target is 7 or 1 everywhere, and no pixel is left"):
        adapted_rand_error(target, target, background=(7, 1))


# ---- Euler characteristic, clDice -----------------------------------------------------------


@given(mask=masks(), construction=constructions, frame=st.booleans())
def test_the_euler_characteristic_is_the_alternating_sum(mask, construction, frame):
    options = {"construction": construction, "frame": frame}
    numbers = betti_numbers(mask, **options)
    signs = (-1) ** np.arange(len(numbers))
    assert euler_characteristic(mask, **options) == signs @ numbers
    assert euler_error(mask, mask, **options) == 0


def test_the_euler_error_cancels_what_the_betti_error_adds():
    dots, ring = np.zeros((2, 3, 7)), np.zeros((3, 7))
    ring[:, :3] = RING
    assert euler_error(dots[0], ring) == 0
    assert betti_error(dots[0], ring).total == 2
    dots[1, 1, 1::2] = 1
    assert euler_error(dots[1], ring) == 3
    assert euler_error(dots[1], ring, frame=True) == (1 + 3 - 1) - (1 - 2)


def test_cldice_is_the_overlap_of_skeletons_and_masks():
    """Half of a line 3 pixels wide lies in it, but half of its centre line is missing."""
    line = np.zeros((7, 20))
    line[2:5, 3:17] = 1
    assert cldice(line, line) == 1
    half = line.copy()
    half[:, 10:] = 0
    whole, part = (skimage.morphology.skeletonize(m > 0) for m in (line, half))
    precision, sensitivity = line[part].mean(), half[whole].mean()
    assert precision == 1
    expected = 2 * precision * sensitivity / (precision + sensitivity)
    assert cldice(half, line) == cldice(line, half) == pytest.approx(expected)
    assert 0.5 < expected < 0.8
    thick = ndimage.binary_dilation(line)
    assert cldice(thick, line) == pytest.approx(1, abs=0.1)


def test_cldice_of_volumes_and_of_nothing():
    tube = np.zeros((5, 5, 12), bool)
    tube[1:4, 1:4] = True
    apart = np.roll(tube, 1, axis=0) & False
    assert cldice(tube, tube) == 1
    assert cldice(apart, apart) == 1
    assert cldice(tube, apart) == cldice(apart, tube) == 0
    beside = np.zeros_like(tube)
    beside[0, 0] = True
    assert cldice(tube, beside) == 0


def test_cldice_says_what_it_lacks(monkeypatch):
    monkeypatch.setitem(sys.modules, "skimage.morphology", None)
    with pytest.raises(
        ImportError, match="skeletons of scikit-image: pip install scikit-image"
    ):
        cldice(RING, RING)
