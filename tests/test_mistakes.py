"""Mistakes that would train, or score, in silence: each is one line that says what would do."""

import re
import warnings

import numpy as np
import pytest
import torch
from torch import nn

import pytopo
from pytopo import SegmentationLoss, TopologicalLoss, metrics
from pytopo.loss import topological_loss

RNG = torch.Generator().manual_seed(0)
TRUTH = torch.zeros(1, 1, 6, 6)
TRUTH[..., 1:5, 1:5] = 1
TRUTH[..., 2:4, 2:4] = 0  # 24 pixels of background, 12 of a ring
LIKELIHOOD = 0.8 * TRUTH + 0.1
LOGITS = 10 * TRUTH - 5
SEVERAL = torch.randn(1, 3, 6, 6, generator=RNG)
CLASSES = (torch.arange(36) % 3).reshape(1, 6, 6)
MARKED = torch.where(torch.arange(6) == 0, -1.0, TRUTH)
IDS = torch.arange(36).reshape(1, 1, 6, 6) // 6 * 7

ONE_HOT = "one channel a class (one-hot) or target > 0 for ids"
SEGMENT = "or one segment of a label image, labels == 1"
THRESHOLD = "threshold a likelihood, like likelihood > 0.5"
HOLDS = "target holds {}; expected 0 to 1: {}"
OF_LOGITS = "logits become likelihoods with sigmoid=True, or softmax=True over channels"


def losses(**options):
    """Return the three ways to the loss, all of likelihoods or of logits."""
    return [
        lambda *pair: topological_loss(*pair, **options),
        TopologicalLoss(**options),
        TopologicalLoss(matching="betti", **options),
    ]


def error_of(function, *arguments):
    """Return the message of the error that a call raises: one line."""
    with pytest.raises((ValueError, TypeError)) as found:
        function(*arguments)
    text = str(found.value)
    assert "\n" not in text
    return text


def warning_of(function, *arguments):
    """Return the message of the only warning of a call; None if there is none."""
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        function(*arguments)
    assert [w.category for w in found] in ([], [pytopo.InputWarning])
    return str(found[0].message) if found else None


# ---- losses ---------------------------------------------------------------------------------


def test_a_forgotten_sigmoid():
    expected = (
        f"prediction holds values from -5 to 5; expected likelihoods from 0 to 1: {OF_LOGITS}"
    )
    for loss in losses():
        assert error_of(loss, LOGITS, TRUTH) == expected


def test_a_sigmoid_too_many():
    expected = (
        "prediction: lies in [0, 1], like likelihoods, and its sigmoid is taken; expected "
        "logits, what comes before the sigmoid of the network"
    )
    for loss in (*losses(sigmoid=True), SegmentationLoss(0.1)):
        assert warning_of(loss, LIKELIHOOD, TRUTH) == expected
        assert warning_of(loss, LOGITS, TRUTH) is None
        assert warning_of(loss, torch.zeros_like(TRUTH), TRUTH) is None  # an untrained layer
    shares = SEVERAL.softmax(1)
    for loss in (*losses(softmax=True), SegmentationLoss(0.1, softmax=True)):
        assert warning_of(loss, shares, CLASSES) == expected.replace("sigmoid", "softmax")
        assert warning_of(loss, SEVERAL, CLASSES) is None
        assert warning_of(loss, SEVERAL.sigmoid(), CLASSES) is None


def test_an_image_of_0_to_255():
    image = (TRUTH * 200 + 20).round()
    expected = (
        "prediction holds values from 20 to 220; expected likelihoods from 0 to 1: prediction "
        f"/ 255 for grey values of 0 to 255; {OF_LOGITS}"
    )
    for loss in losses():
        assert error_of(loss, image, TRUTH) == expected
        assert error_of(loss, image.byte(), TRUTH) == (
            "prediction has dtype torch.uint8; expected floats, prediction / 255 for grey "
            "values of 0 to 255"
        )
    for loss in (*losses(sigmoid=True), SegmentationLoss(0.1)):
        assert warning_of(loss, image, TRUTH) == (
            "prediction: is never negative and far above 1, like an image of 0 to 255, and its "
            "sigmoid is taken; expected logits, which are negative where there is no foreground"
        )
    for loss in losses(softmax=True):  # a softmax does not see what is added to all channels
        assert warning_of(loss, SEVERAL + 200, CLASSES) is None


@pytest.mark.parametrize(
    ("target", "held", "advice"),
    [
        (TRUTH * 255, "0 (24 pixels), 255 (12)", "target / 255"),
        ((TRUTH * 255).byte(), "0 (24 pixels), 255 (12)", "target / 255"),
        (
            MARKED,
            "-1 (6 pixels), 0 (18), 1 (12)",
            "ignore_index=-1 leaves those pixels out",
        ),
        (
            torch.where(MARKED < 0, 255.0, MARKED),
            "0 (18 pixels), 1 (12), 255 (6)",
            "ignore_index=255 leaves those pixels out",
        ),
        (
            IDS,
            "0 (6 pixels), 7 (6), 14 (6), 21 (6), 28 (6), 35 (6)",
            f"{ONE_HOT}, or target / 255 for grey values",
        ),
        (
            CLASSES[:, None],
            "0 (12 pixels), 1 (12), 2 (12)",
            f"{ONE_HOT}, or target / 2 for grey values",
        ),
        (TRUTH + 1, "1 (24 pixels), 2 (12)", "target == 2 for a mask of the larger value"),
    ],
)
def test_a_target_outside_0_to_1(target, held, advice):
    expected = HOLDS.format(held, advice)
    for loss in losses():
        assert error_of(loss, LIKELIHOOD, target) == expected
    for loss in (TopologicalLoss(sigmoid=True), SegmentationLoss(0.1)):
        assert error_of(loss, LOGITS, target) == expected
        assert error_of(loss.prepare, target) == expected


def test_class_indices_that_are_none():
    text = (
        "target holds values from {} in one channel; expected class indices from 0 to 2, whole "
        "numbers"
    )
    marks = "; ignore_index={} leaves those pixels out"
    for loss in (*losses(softmax=True), SegmentationLoss(0.1, softmax=True)):
        for target, held, mark in (
            (CLASSES.masked_fill(CLASSES == 1, -1), "-1 to 2", -1),
            (CLASSES.masked_fill(CLASSES == 1, 255), "0 to 255", 255),
            (IDS[:, 0], "0 to 35", None),
            (CLASSES + 1, "1 to 3", None),
        ):
            end = "" if mark is None else marks.format(mark)
            assert error_of(loss, SEVERAL, target) == text.format(held) + end


def test_class_indices_where_channels_are_expected():
    text = "target has shape (1, 6, 6); expected {}"
    for loss in (*losses(), SegmentationLoss(0.1)):
        expected = text.format("that of prediction, (1, 1, 6, 6): target.unsqueeze(1)")
        assert error_of(loss, TRUTH, CLASSES) == expected
    expected = text.format(
        "(B, C, H, W) or (B, C, D, H, W), or class indices (B, H, W) with channels=C"
    )
    for loss in (TopologicalLoss(softmax=True), SegmentationLoss(0.1, softmax=True)):
        assert error_of(loss.prepare, CLASSES) == expected
        last = nn.functional.one_hot(CLASSES, 3)
        assert error_of(loss, SEVERAL, last) == (
            "target has shape (1, 6, 6, 3); expected that of prediction, (1, 3, 6, 6), or "
            "class indices of shape (1, 6, 6)"
        )


# ---- metrics --------------------------------------------------------------------------------

OF_MASKS = (
    metrics.betti_error,
    metrics.patch_betti_error,
    metrics.betti_matching_error,
    metrics.topo_score,
    metrics.euler_error,
    metrics.dice,
    metrics.pixel_accuracy,
    metrics.cldice,
)


@pytest.mark.parametrize(
    ("values", "advice"),
    [
        (
            LIKELIHOOD + torch.rand(6, 6, generator=RNG) / 10,
            THRESHOLD,
        ),
        (LOGITS + torch.rand(6, 6, generator=RNG), "threshold logits, like logits > 0"),
        (MARKED, None),
        (IDS, SEGMENT),
        (
            torch.arange(36).reshape(1, 1, 6, 6),
            f"{SEGMENT}, {THRESHOLD}",
        ),
        (CLASSES[:, None], SEGMENT),
    ],
)
def test_what_is_no_mask_is_refused_by_every_metric(values, advice):
    image, mask = values[0, 0].numpy(), TRUTH[0, 0].numpy()
    advice = "or the third value as ignore_index" if advice is None else advice
    for metric in OF_MASKS:
        for pair, name in (((image, mask), "prediction"), ((mask, image), "target")):
            text = error_of(metric, *pair)
            assert re.match(rf"{name} holds -?\d", text)
            assert text.endswith(f"; expected a mask of 0 and one other value, {advice}")


def test_masks_of_0_and_255_are_masks():
    mask = TRUTH[0, 0].numpy()
    for metric in OF_MASKS:
        assert warning_of(metric, np.uint8(mask * 255), mask) is None
        assert warning_of(metric, mask * 255, mask) == (
            "prediction: holds 0 and 255: taken as a mask, 255 is its foreground"
        )


# ---- MONAI ----------------------------------------------------------------------------------


@pytest.mark.filterwarnings("default")  # what MONAI warns of while it is imported is its own
def test_monais_losses_say_the_same():
    pytest.importorskip("monai")
    from pytopo.integrations.monai_losses import DiceTopologicalLoss
    from pytopo.integrations.monai_losses import TopologicalLoss as OfMonai

    for kind in (OfMonai, DiceTopologicalLoss):
        assert error_of(kind(), LOGITS, TRUTH).endswith(f"likelihoods from 0 to 1: {OF_LOGITS}")
        expected = HOLDS.format("0 (24 pixels), 255 (12)", "target / 255")
        assert error_of(kind(sigmoid=True), LOGITS, TRUTH * 255) == expected
        expected = HOLDS.format(
            "-1 (6 pixels), 0 (18), 1 (12)", "ignore_index=-1 leaves those pixels out"
        )
        assert error_of(kind(sigmoid=True), LOGITS, MARKED) == expected
        assert "sigmoid is taken" in warning_of(kind(sigmoid=True), LIKELIHOOD, TRUTH)
    assert error_of(OfMonai(softmax=True), SEVERAL, CLASSES[:, None]) == (
        "target has shape (1, 1, 6, 6); expected (1, 3, 6, 6); to_onehot_y=True takes class "
        "indices"
    )
