"""Random changes of patches: as large as they may be, the same again, and switched off."""

import numpy as np
import pytest

from pytopo.data import ArraySections, Patches
from pytopo.data.augmentation import Augmentation
from pytopo.training import TrainingConfig

IMAGE = np.random.default_rng(0).uniform(0.3, 0.7, (40, 50)).astype(np.float32)
TRUTH = np.zeros((40, 50), bool)
TRUTH[10:20, 10:30] = True


def changed(seed=0, image=IMAGE, **options):
    return Augmentation(**options).applied(image, TRUTH, np.random.default_rng(seed))


def test_without_any_change_the_patch_is_returned():
    image, truth = changed()
    assert image is IMAGE
    assert truth is TRUTH


def test_brightness_shifts_all_pixels_alike_and_contrast_stretches_them():
    shifts = []
    for seed in range(20):
        image, truth = changed(seed, brightness=0.2)
        shifts.append(float((image - IMAGE).mean()))
        np.testing.assert_allclose(image - IMAGE, shifts[-1], atol=1e-6)
        assert truth is TRUTH
    assert -0.2 <= min(shifts) < -0.1 < 0.1 < max(shifts) <= 0.2
    ratios = [changed(seed, contrast=0.3)[0].std() / IMAGE.std() for seed in range(20)]
    assert 0.7 <= min(ratios) < 0.85
    assert 1.15 < max(ratios) <= 1.3 + 1e-6


def test_noise_differs_from_pixel_to_pixel_and_stays_in_the_unit_interval():
    deviations = [(changed(seed, noise=0.1)[0] - IMAGE).std() for seed in range(20)]
    assert 0.05 < max(deviations) < 0.11
    image, _ = changed(1, noise=3.0)
    assert (image.min(), image.max(), image.dtype) == (0, 1, np.float32)


def test_image_and_truth_are_bent_together_by_no_more_than_was_said():
    moved = []
    for seed in range(10):
        image, truth = changed(seed, image=TRUTH.astype(np.float32), elastic=3)
        np.testing.assert_array_equal(image > 0.5, truth)
        moved.append((truth != TRUTH).sum())
        assert truth[13:17, 13:27].all()
        assert not truth[:7].any()
        assert not truth[23:].any()
    assert min(moved) > 0


def test_colours_are_bent_together():
    colour = np.stack([TRUTH, ~TRUTH, TRUTH], axis=-1).astype(np.float32)
    image, truth = changed(2, image=colour, elastic=3)
    assert image.shape == (40, 50, 3)
    np.testing.assert_allclose(image[..., 0] + image[..., 1], 1, atol=1e-6)
    np.testing.assert_array_equal(image[..., 2] > 0.5, truth)


def test_a_patch_is_the_same_again_and_lies_where_it_lay():
    sections = ArraySections(IMAGE[None], TRUTH[None])
    plain = Patches(sections, size=17, seed=5)
    noisy = Patches(sections, size=17, seed=5, augmentation=Augmentation(0.1, 0.1, 0.05))
    for k in (0, 3):
        np.testing.assert_array_equal(noisy[k][0], noisy[k][0])
        np.testing.assert_array_equal(noisy[k][1], plain[k][1])
        assert 0 < np.abs(noisy[k][0] - plain[k][0]).max() < 0.5


def test_one_switch_turns_everything_off():
    values = {"brightness": 0.1, "contrast": 0.2, "noise": 0.05, "elastic": 2.0}
    assert TrainingConfig(**values).augmentation == Augmentation(**values)
    assert TrainingConfig(**values, augment=False).augmentation == Augmentation()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"noise": -1.0}, r"noise is -1.0; expected a number from 0 on"),
        ({"contrast": 2.0}, r"contrast is 2.0; expected a number from 0 to 1"),
    ],
)
def test_an_impossible_change_is_refused(values, message):
    with pytest.raises(ValueError, match=message):
        TrainingConfig(**values)
