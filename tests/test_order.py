"""The total order of pixels, the frame, and what is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import images

from pytopo.order import (
    checked_image,
    frame_value,
    insert_frame_key,
    total_order,
    value_dtype,
)


def order_of(image, **options):
    return np.argsort(total_order(np.asarray(image), **options).rank.ravel()).tolist()


def test_equal_pixels_come_by_index():
    assert order_of([3, 1, 1, 2]) == [1, 2, 3, 0]


def test_superlevel_descends_but_equal_pixels_still_come_by_index():
    assert order_of([3, 1, 3, 2], superlevel=True) == [0, 2, 3, 1]


@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "int64"])
def test_the_least_integer_comes_last_in_superlevel(dtype):
    least = np.iinfo(dtype).min
    assert order_of(np.array([least, 0, least + 1], dtype), superlevel=True) == [1, 2, 0]


def test_unsigned_zero_comes_last_in_superlevel():
    assert order_of(np.array([0, 255, 1], np.uint8), superlevel=True) == [1, 2, 0]


@pytest.mark.parametrize("dtype", ["int64", "uint64"])
def test_integers_that_are_one_float_are_distinguished(dtype):
    big = 2**53
    image = np.array([big + 1, big, big + 2], dtype)
    assert order_of(image) == [1, 0, 2]
    assert order_of(image, superlevel=True) == [2, 0, 1]


def test_negative_zero_equals_zero():
    assert order_of([0.0, -0.0, 0.0]) == [0, 1, 2]


def test_infinities_are_values():
    assert order_of([np.inf, 0, -np.inf]) == [2, 1, 0]


def test_big_endian_pixels_are_ordered_by_value():
    assert order_of(np.array([256, 1], ">i2")) == [1, 0]


@given(images(), st.booleans())
def test_the_rank_is_a_permutation_that_sorts_the_values(image, superlevel):
    order = order_of(image, superlevel=superlevel)
    values = [-float(v) if superlevel else float(v) for v in image.ravel()]
    assert order == sorted(range(image.size), key=lambda p: (values[p], p))


def test_the_frame_comes_before_pixels_of_equal_value():
    framed = total_order(np.array([[1, 2, 3]]), frame=2)
    assert framed.rank.shape == (3, 5)
    assert framed.rank[1, 1:4].tolist() == [0, 13, 14]
    assert np.sort(framed.rank[framed.pixel.reshape(3, 5) == -2]).tolist() == list(range(1, 13))
    assert framed.pixel.reshape(3, 5)[1].tolist() == [-2, 0, 1, 2, -2]


@pytest.mark.parametrize("superlevel", [False, True])
@pytest.mark.parametrize("frame", [0, 1, 2, 3, 9])
def test_keys_with_that_of_the_frame_sort_like_the_framed_order(frame, superlevel):
    image = np.array([[1, 3], [2, 3]])
    keys = np.zeros((4, 4), np.int64)
    keys[1:-1, 1:-1] = ~image if superlevel else image
    insert_frame_key(image, frame, superlevel, keys[1:-1, 1:-1], keys)
    rank = total_order(image, superlevel, frame).rank
    assert (np.diff(keys.ravel()[np.argsort(rank, axis=None)]) >= 0).all()
    border = keys[0, 0]
    assert (keys[[0, -1]] == border).all()
    assert (keys[:, [0, -1]] == border).all()
    assert not (keys[1:-1, 1:-1] == border).any()  # ties would be broken by the index


def test_the_frame_comes_before_equals_in_superlevel_too():
    framed = total_order(np.array([[1, 2, 3]]), superlevel=True, frame=2)
    assert framed.rank[1, 1:4].tolist() == [14, 13, 0]


@pytest.mark.parametrize(
    ("frame", "superlevel", "value"),
    [
        (None, False, None),
        (False, False, None),
        (np.False_, False, None),
        (0, False, 0),
        (True, False, 3),
        (True, True, 7),
        (2.0, False, 2),
        (2.5, False, 2.5),
        (np.uint8(4), False, 4),
    ],
)
def test_what_a_frame_of_an_integer_image_means(frame, superlevel, value):
    got = frame_value(np.array([3, 7], np.uint8), frame, superlevel)
    assert got == value
    assert (got is None) == (value is None)


def test_a_frame_of_a_float32_image_is_a_float32():
    got = frame_value(np.zeros(2, np.float32), 0.1, False)
    assert got.dtype == np.float32


def test_a_whole_frame_compares_exactly_with_large_integers():
    values = np.array([2**53, 2**53 + 1, 2**53 + 2])
    assert total_order(values, frame=frame_value(values, 2**53 + 1, False)).rank[1] == 0
    framed = total_order(values, frame=frame_value(values, 2**53 + 1, False))
    assert framed.rank.tolist() == [1, 0, 3, 4, 2]


@pytest.mark.parametrize(
    ("dtype", "want"),
    [("bool", "f8"), ("int64", "f8"), ("f2", "f8"), ("f4", "f4"), (">f4", "f4"), ("f8", "f8")],
)
def test_births_are_float64_except_for_float32_images(dtype, want):
    assert np.dtype(value_dtype(np.zeros(1, dtype))) == np.dtype(want)


@pytest.mark.parametrize(
    ("image", "error", "text"),
    [
        (np.zeros((2, 0)), ValueError, r"image has shape \(2, 0\) and no pixel"),
        (5.0, ValueError, r"image has shape \(\), 0 axes; expected \(W,\), \(H, W\) or"),
        (np.zeros((1, 1, 1, 1)), ValueError, r"image has shape \(1, 1, 1, 1\), 4 axes"),
        (np.array([1j]), TypeError, "image has dtype complex128; expected booleans, integers"),
        (np.array([None]), TypeError, "image has dtype object"),
        (np.array(["a"]), TypeError, "image has dtype <U1"),
        (np.array(["2020"], "M8[Y]"), TypeError, "image has dtype datetime64"),
        (np.ma.array([1, 2], mask=[0, 1]), TypeError, "image has masked pixels; fill them"),
        ([[0, 1], [np.nan, 2]], ValueError, r"image\[1, 0\] is NaN; a filtration needs"),
        (np.array([[[1, np.nan]]], "f2"), ValueError, r"image\[0, 0, 1\] is NaN"),
    ],
)
def test_what_is_no_image_is_refused_by_name(image, error, text):
    with pytest.raises(error, match=text):
        checked_image(image)


@pytest.mark.parametrize(
    ("frame", "error", "text"),
    [
        ("1", TypeError, "frame is '1'; expected a number, True, False or None"),
        (1j, TypeError, "frame is 1j"),
        (np.nan, ValueError, "frame is NaN"),
    ],
)
def test_what_is_no_frame_is_refused(frame, error, text):
    with pytest.raises(error, match=text):
        frame_value(np.zeros(2), frame, False)


def test_an_array_is_not_copied():
    image = np.zeros((3, 4), np.uint8)
    assert checked_image(image) is image
