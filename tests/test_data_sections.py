"""Sections: windows, views, joining, splitting, and what is an image or a ground truth."""

import pickle

import numpy as np
import pytest

from pytopo.data import ArraySections, border_mask, joined, split_blocks
from pytopo.data.borders import Borders
from pytopo.data.sections import unit_image
from pytopo.images.image import read_image
from pytopo.training.prediction import checked_image


def sections(count=4, shape=(6, 8), start=0):
    """Sections whose pixels encode their section and their place in it."""
    places = np.arange(np.prod(shape), dtype=np.uint8).reshape(shape)
    images = [places + start + 50 * i for i in range(count)]
    return ArraySections(images, [image % 3 == 0 for image in images], f"from {start}")


# ---- one sequence ------------------------------------------------------------------------


@pytest.mark.parametrize("top", [True, 1, 255, -1, 0.5, np.uint16(65535)])
def test_a_truth_in_memory_may_have_any_type(top):
    mask = np.array([[0, 1, 1], [0, 0, 1]])
    (section,) = ArraySections(np.zeros((1, 2, 3)), (mask * top)[None])
    assert section.truth.dtype == bool
    assert np.array_equal(section.truth, mask == 1)


def test_a_section_is_an_image_in_the_unit_interval_and_a_truth():
    image, truth = ArraySections(
        np.array([[[0, 51], [102, 255]]], np.uint8), np.array([[[True, False], [False, True]]])
    )[0]
    assert image.dtype == np.float32
    assert image.tolist() == np.float32([[0, 0.2], [0.4, 1]]).tolist()
    assert truth.tolist() == [[True, False], [False, True]]


def test_a_window_is_that_part_of_the_section():
    four = sections()
    image, truth = four.read(-1, slice(1, 4), slice(-3, None))
    assert np.array_equal(image, four[3].image[1:4, 5:8])
    assert np.array_equal(truth, four[3].truth[1:4, 5:8])


@pytest.mark.parametrize("rows", [slice(3, 3), slice(6, None), slice(0, 6, 2), slice(5, 2)])
def test_a_window_without_pixels_or_with_steps_is_refused(rows):
    with pytest.raises(ValueError, match=r"from 0 section 2: the window rows .* 6 x 8 pixels"):
        sections().read(2, rows)


@pytest.mark.parametrize("i", [4, -5])
def test_there_is_no_section_past_the_end(i):
    with pytest.raises(IndexError, match=f"no section {i}; there are 4"):
        sections()[i]


def test_going_through_sections_reads_each_once():
    assert [int(image[0, 0] * 255) for image, _ in sections()] == [0, 50, 100, 150]


def test_what_is_read_can_be_changed_without_changing_the_sections():
    four = sections()
    four[0].image[:] = 0.5
    four[0].truth[:] = True
    assert np.array_equal(four[0].image, sections()[0].image)
    assert np.array_equal(four[0].truth, sections()[0].truth)


@pytest.mark.parametrize(
    ("images", "truths", "error", "text"),
    [
        ([], [], ValueError, "0 images and 0 truths"),
        ([np.zeros((2, 2))], [], ValueError, "1 images and 0 truths"),
        ([np.zeros((2, 3))], [np.zeros((3, 2), bool)], ValueError, r"truth of \(3, 2\)"),
        ([np.zeros((2, 3, 1))], [np.zeros((2, 3, 1), bool)], ValueError, r"same shape \(H"),
        ([np.zeros((0, 3))], [np.zeros((0, 3), bool)], ValueError, r"same shape \(H"),
        ([np.zeros((1, 3))], [[[0, 8, 255]]], ValueError, r"holds 0 \(1 pixel\), 8"),
        ([np.zeros((2, 3))], [np.zeros((2, 3), complex)], TypeError, "has dtype complex128"),
    ],
)  # fmt: skip
def test_arrays_that_are_not_sections_are_refused(images, truths, error, text):
    with pytest.raises(error, match=text):
        ArraySections(images, truths)


# ---- views, joining, splitting -----------------------------------------------------------


def test_a_view_of_a_view_has_the_sections_it_names():
    view = sections(6)[1:][::2]
    assert [view.name(i) for i in range(len(view))] == [
        f"from 0 section {i}" for i in (1, 3, 5)
    ]
    assert view.shape_of(0) == (6, 8)
    assert np.array_equal(view.read(-1, slice(2)).image, sections(6)[5].image[:2])


def test_joined_sections_come_one_after_the_other():
    both = joined([sections(2), sections(3, (7, 9), start=5)])
    assert [both.name(i) for i in range(5)] == [
        "from 0 section 0", "from 0 section 1",
        "from 5 section 0", "from 5 section 1", "from 5 section 2",
    ]  # fmt: skip
    assert [both.shape_of(i) for i in (1, 2)] == [(6, 8), (7, 9)]
    assert both[4].image[0, 0] == np.float32(105 / 255)
    assert both[-5].image[0, 0] == 0


def test_nothing_cannot_be_joined():
    with pytest.raises(ValueError, match="nothing to join"):
        joined([])


@pytest.mark.parametrize(
    ("total", "shares", "counts"),
    [
        (30, (), [21, 5, 4]),
        (125, (), [87, 19, 19]),
        (3, (), [1, 1, 1]),
        (4, (0.1, 0.45, 0.45), [1, 2, 1]),
        (3, (1 / 3, 1 / 3, 1 / 3), [1, 1, 1]),
        (5, (0.8, 0.2, 0), [4, 1, 0]),
    ],
)
def test_blocks_are_contiguous_and_of_the_size_of_their_shares(total, shares, counts):
    numbers = [int(s.image[0, 0] * 255 + 0.5) for s in _numbered(total)]
    blocks = split_blocks(_numbered(total), *shares)
    assert [len(block) for block in blocks] == counts
    assert [int(s.image[0, 0] * 255 + 0.5) for block in blocks for s in block] == numbers


def _numbered(count):
    images = np.arange(count, dtype=np.uint8)[:, None, None]
    return ArraySections(images, np.zeros((count, 1, 1), bool))


def test_blocks_that_would_be_empty_are_refused():
    with pytest.raises(ValueError, match="2 sections for 3 blocks"):
        split_blocks(_numbered(2))


@pytest.mark.parametrize("shares", [(0.5, 0.2, 0.2), (1.2, -0.1, -0.1), (np.nan, 0.5, 0.5)])
def test_shares_that_do_not_make_a_whole_are_refused(shares):
    with pytest.raises(ValueError, match="sum to 1"):
        split_blocks(_numbered(9), *shares)


def test_sections_survive_pickling():
    view = pickle.loads(pickle.dumps(joined([sections(2), sections(2)])[1:3]))
    assert np.array_equal(view[1].image, sections()[0].image)


# ---- images and masks --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stored", "unit"),
    [
        (np.array([False, True]), [0, 1]),
        (np.array([-128, 127], np.int8), [0, 1]),
        (np.array([0, 13107, 65535], ">u2"), [0, 0.2, 1]),
        (np.array([0, 2**32 - 1], np.uint32), [0, 1]),
        (np.array([0, 0.25, 1], np.float64), [0, 0.25, 1]),
    ],
)
def test_pixels_are_scaled_by_the_range_of_their_dtype(stored, unit):
    scaled = unit_image(stored, "here")
    assert scaled.dtype == np.float32
    assert scaled.tolist() == np.float32(unit).tolist()


@pytest.mark.parametrize("value", [213.0, -0.1, np.nan, np.inf])
def test_a_float_out_of_the_unit_interval_is_refused(value):
    with pytest.raises(ValueError, match=r"here: a pixel of a float image is .*\[0, 1\]"):
        unit_image(np.array([0.5, value]), "here")


def test_a_rounding_error_is_clipped_and_more_is_printed_with_its_digits():
    assert unit_image(np.array([-1e-7, 1 + 1e-7]), "here").tolist() == [0, 1]
    with pytest.raises(
        ValueError, match=r"here: a pixel of a float image is 1\.00002; expected"
    ):
        unit_image(np.array([0.5, 1.00002]), "here")


@pytest.mark.parametrize("dtype", ["?", "u1", "i1", "u2", "i2", ">u2", "u4", "i4", "f4", "f8"])
def test_training_scales_images_as_predict_does(tmp_path, dtype):
    stored = np.random.default_rng(0).integers(0, 2**62, (4, 5)).astype(np.int64)
    stored = (stored % 2 if np.dtype(dtype).kind in "?f" else stored).astype(dtype)
    np.save(tmp_path / "image.npy", stored)
    predicted = checked_image(read_image(tmp_path / "image.npy").astype(np.float64))
    assert np.array_equal(unit_image(stored, "here"), predicted)


def test_training_refuses_what_predict_refuses():
    with pytest.raises(ValueError, match=r"here: scaled .* int64, 0 and 255 would be"):
        unit_image(np.array([0, 255]), "here")


def test_complex_pixels_are_refused():
    with pytest.raises(TypeError, match="dtype complex64"):
        unit_image(np.zeros(1, np.complex64), "here")


@pytest.mark.parametrize(
    "label", [[0, 255, 255], [0, 1, 1], [False, True, True], [0.0, 0.5, 0.5]]
)
def test_a_mask_is_true_where_it_is_not_zero(label):
    sections = ArraySections(np.zeros((1, 1, 3)), [np.array([label])])
    assert sections[0].truth.tolist() == [[False, True, True]]


@pytest.mark.parametrize("label", [[0, 1, 2], [254, 255]])
def test_a_label_of_several_values_is_not_a_mask(label):
    image = np.zeros((1, len(label)))
    with pytest.raises(ValueError, match=r"here section 0: truth holds .* ids"):
        ArraySections([image], [np.array([label])], "here")


def test_nan_is_not_a_mask():
    label = np.array([[0, 1, np.nan]])
    with pytest.raises(ValueError, match=r"here section 0: truth\[0, 2\] is nan; expected a m"):
        ArraySections(np.zeros((1, 1, 3)), [label], "here")


# ---- borders -----------------------------------------------------------------------------


def border_by_definition(ids, distance, spacing=(1, 1)):
    """Pixels within a distance of one that has a neighbour of another id, pixel by pixel."""
    height, width = ids.shape
    inside = [(r, c) for r in range(height) for c in range(width)]
    on_border = [
        (r, c)
        for r, c in inside
        for p, q in ((r - 1, c), (r + 1, c), (r, c - 1), (r, c + 1))
        if 0 <= p < height and 0 <= q < width and ids[p, q] != ids[r, c]
    ]
    mask = np.zeros(ids.shape, bool)
    for r, c in inside:
        mask[r, c] = any(
            np.hypot((r - p) * spacing[0], (c - q) * spacing[1]) <= distance
            for p, q in on_border
        )
    return mask


@pytest.mark.parametrize("distance", [0, 1, 1.4, 1.5, 2.9])
@pytest.mark.parametrize("spacing", [(1, 1), (1, 2.5)])
def test_the_border_is_what_its_definition_says(distance, spacing):
    random = np.random.default_rng(3)
    ids = np.kron(random.integers(1, 4, (3, 4)), np.ones((6, 5), int)).astype(np.uint64)
    expected = border_by_definition(ids, distance, spacing)
    assert 0 < expected.sum() < expected.size
    assert np.array_equal(border_mask(ids, distance, spacing), expected)


def test_a_section_of_one_cell_has_no_border():
    assert not border_mask(np.full((5, 5), 7), 3).any()


def test_an_island_of_one_pixel_is_border_with_its_neighbours():
    ids = np.ones((5, 5), int)
    ids[2, 2] = 2
    assert border_mask(ids, 0).astype(int).tolist() == [
        [0, 0, 0, 0, 0],
        [0, 0, 1, 0, 0],
        [0, 1, 1, 1, 0],
        [0, 0, 1, 0, 0],
        [0, 0, 0, 0, 0],
    ]


@pytest.mark.parametrize("dtype", [np.uint64, np.int64, np.uint16])
def test_background_is_membrane_only_where_the_option_says(dtype):
    ids = np.array([[0, 0, 0, 5, 5, 5]], dtype)
    assert Borders(0).membranes(ids, (1, 1)).astype(int).tolist() == [[1, 1, 1, 1, 0, 0]]
    assert Borders(0, background=()).membranes(ids, (1, 1)).astype(int).tolist() == [
        [0, 0, 1, 1, 0, 0]
    ]
    assert Borders(None).membranes(ids, (1, 1)).astype(int).tolist() == [[1, 1, 1, 0, 0, 0]]


def test_the_largest_id_is_background():
    ids = np.array([[5, 5, 2**64 - 1, 2**64 - 1]], np.uint64)
    assert Borders(None).membranes(ids, (1, 1)).tolist() == [[False, False, True, True]]


@pytest.mark.parametrize("distance", [-1, np.nan, np.inf])
def test_a_distance_that_is_none_is_refused(distance):
    with pytest.raises(ValueError, match="border="):
        Borders(distance).checked()


def test_an_unknown_unit_is_refused():
    with pytest.raises(ValueError, match="border_unit='um'; expected 'pixels' or 'nm'"):
        Borders(1, "um").checked()
