"""Patches: the same in every process, everywhere equally likely, image on ground truth."""

import numpy as np
import pytest
from torch.utils.data import DataLoader

from pytopo.data import ArraySections, CremiVolume, Patches, joined, write_cremi
from pytopo.notes import InputWarning


def numbered(count=3, shape=(9, 11)):
    """Sections in which each pixel has a value of its own, and the ground truth follows it."""
    size = count * shape[0] * shape[1]
    images = np.arange(size, dtype=np.uint16).reshape(count, *shape)
    return ArraySections(images, images % 5 == 0)


def values(image):
    """The integers that a patch of `numbered` sections was made of."""
    return np.rint(image[0] * 65535).astype(int)


def test_image_and_truth_are_of_the_same_place():
    patches = Patches(numbered(), size=4, per_section=2)
    for k in range(40):
        image, truth = patches[k]
        assert image.shape == truth.shape == (1, 4, 4)
        assert image.dtype == truth.dtype == np.float32
        assert np.array_equal(truth[0], values(image) % 5 == 0)


def test_a_patch_of_one_pixel_is_taken_by_a_loader():
    patches = Patches(numbered(), size=1)
    images, truth = next(iter(DataLoader(patches, batch_sampler=[range(32)])))
    assert images.shape == truth.shape == (32, 1, 1, 1)
    stored = values(images.numpy().reshape(1, -1))
    assert np.array_equal(truth.numpy().ravel(), stored % 5 == 0)


def test_without_augmentation_a_patch_is_a_window():
    patches = Patches(numbered(1, (9, 11)), size=4, augment=False)
    for k in range(20):
        patch = values(patches[k][0])
        row, column = divmod(patch[0, 0], 11)
        expected = np.arange(99).reshape(9, 11)[row : row + 4, column : column + 4]
        assert np.array_equal(patch, expected)


def test_all_places_are_equally_likely():
    patches = Patches(numbered(1, (5, 6)), size=3, augment=False)
    corners = [values(patches[k][0])[0, 0] for k in range(2400)]
    counts = np.unique(corners, return_counts=True)
    assert counts[0].tolist() == [0, 1, 2, 3, 6, 7, 8, 9, 12, 13, 14, 15]
    assert ((counts[1] - 200) ** 2 / 200).sum() < 31.3  # chi-square, 11 degrees, 0.1 %


def test_all_symmetries_of_the_square_are_equally_likely():
    square = np.array([[1, 2], [3, 4]])
    eight = {
        turned.tobytes()
        for flip in (square, square.T)
        for turned in (np.rot90(flip, turn) for turn in range(4))
    }
    images = np.array([[[1, 2], [3, 4]]], np.uint16)
    patches = Patches(ArraySections(images, images > 2), size=2)
    seen = [values(patches[k][0]).tobytes() for k in range(1600)]
    assert set(seen) == eight
    counts = np.array([seen.count(one) for one in eight])
    assert ((counts - 200) ** 2 / 200).sum() < 24.4  # chi-square, 7 degrees, 0.1 %


def test_every_epoch_visits_every_section_in_an_order_of_its_own():
    patches = Patches(numbered(6), size=4, per_section=3)
    orders = []
    for epoch in range(4):
        visits = [patches.section_of(k) for k in patches.epoch(epoch)]
        assert [visits[k] for k in range(0, 18, 3)] == visits[1::3] == visits[2::3]
        assert sorted(visits[::3]) == [0, 1, 2, 3, 4, 5]
        assert [values(patches[k][0])[0, 0] // 99 for k in patches.epoch(epoch)] == visits
        orders.append(tuple(visits))
    assert len(set(orders)) > 1


def test_patches_of_one_visit_differ():
    patches = Patches(numbered(1), size=4, per_section=8)
    assert len({patches[k][0].tobytes() for k in range(8)}) > 4


def test_a_patch_depends_on_the_seed_and_its_number_alone():
    one, other = (Patches(numbered(), size=4, seed=7) for _ in range(2))
    forwards = [one[k][0].tobytes() for k in range(30)]
    backwards = [other[k][0].tobytes() for k in reversed(range(30))]
    assert forwards == backwards[::-1]
    assert forwards != [Patches(numbered(), size=4, seed=8)[k][0].tobytes() for k in range(30)]


def test_patches_never_come_to_an_end_but_an_epoch_does():
    patches = Patches(numbered(), size=4, per_section=2)
    assert (len(patches), patches.epoch(2)) == (6, range(12, 18))
    assert len(list(patches)) == 6
    assert patches[10**9][0].shape == (1, 4, 4)
    with pytest.raises(IndexError, match="patch -1"):
        patches[-1]


def test_workers_of_a_loader_change_nothing(tmp_path):
    raw = np.random.default_rng(0).integers(0, 256, (4, 40, 50), np.uint8)
    write_cremi(tmp_path / "a.h5", raw, (raw // 128 + 1).astype(np.uint64))
    patches = Patches(CremiVolume(tmp_path / "a.h5"), size=17, seed=3, per_section=2)
    loaded = []
    for workers in (0, 2):
        context = "fork" if workers else None
        loader = DataLoader(
            patches,
            batch_size=3,
            sampler=patches.epoch(5),
            num_workers=workers,
            multiprocessing_context=context,
        )
        loaded.append([(image.numpy(), truth.numpy()) for image, truth in loader])
    assert [len(batches) for batches in loaded] == [3, 3]
    for alone, shared in zip(*loaded):
        assert np.array_equal(alone, shared)
    assert np.array_equal(loaded[0][0][0][1], patches[41][0])


def test_only_the_window_is_read():
    read = []

    class Watched(ArraySections):
        def _window(self, i, rows, columns):
            read.append((rows.stop - rows.start, columns.stop - columns.start))
            return super()._window(i, rows, columns)

    patches = Patches(Watched(np.zeros((2, 30, 40)), np.zeros((2, 30, 40), bool)), size=5)
    assert read == []
    patches[0]
    assert read == [(5, 5)]


def test_blank_patches_are_allowed():
    image, truth = Patches(ArraySections(np.zeros((1, 65, 65)), np.zeros((1, 65, 65), bool)))[0]
    assert image.shape == (1, 65, 65)
    assert not image.any()
    assert not truth.any()


def test_a_section_smaller_than_a_patch_is_named():
    sections = joined([numbered(2), numbered(1, (9, 7))])
    with pytest.raises(
        ValueError, match=r"section 0 has 9 x 7 pixels; expected at least 8 x 8"
    ):
        Patches(sections, size=8)


@pytest.mark.parametrize(
    ("options", "text"),
    [({"size": 0}, "size=0"), ({"per_section": 0}, "per_section=0"), ({"seed": -1}, "seed=-1")],
)
def test_numbers_out_of_range_are_refused(options, text):
    with pytest.raises(ValueError, match=text):
        Patches(numbered(), **{"size": 4, **options})


def test_no_sections_have_no_patches():
    with pytest.raises(ValueError, match="no sections to cut patches from"):
        Patches(numbered()[:0], size=4)


def test_many_patches_without_membrane_are_reported_once():
    empty = ArraySections(np.zeros((2, 70, 70)), np.zeros((2, 70, 70), bool))
    patches = Patches(empty, size=64, per_section=70)  # 64 of them are 2^18 pixels
    for k in range(63):
        patches[k]
    with pytest.warns(
        InputWarning, match="patches: a ground truth without membrane, in all of 262144"
    ):
        patches[63]
    patches[64]


def test_numbers_of_numpy_are_numbers():
    noise = np.random.default_rng(0).random((3, 300, 400))
    sections = ArraySections(noise, noise > 0.5)
    plain = Patches(sections, size=65, seed=3, per_section=2)
    narrow = Patches(sections, size=np.uint8(65), seed=np.int16(3), per_section=np.uint8(2))
    assert narrow.epoch(np.uint8(100)) == plain.epoch(100)
    for k in (0, 5, 250):
        assert np.array_equal(narrow[np.uint8(k)][0], plain[k][0])
    with pytest.raises(ValueError, match="size=True; expected a whole number"):
        Patches(sections, size=True)
