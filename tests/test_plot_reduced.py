"""Large images are drawn from fewer pixels, with everything in its place."""

import numpy as np
import pytest
from matplotlib.figure import Figure

import pytopo
from pytopo import plot
from pytopo.plot import reduced
from pytopo.plot.span import span_of


@pytest.fixture(autouse=True)
def few(monkeypatch):
    monkeypatch.setattr(reduced, "MOST", 10)


def drawn(values):
    ax = Figure().subplots()
    reduced.draw_grey(ax, values, span_of(values), "equal")
    return ax.images[0]


def test_a_small_image_is_drawn_pixel_by_pixel():
    values = np.random.default_rng(0).random((19, 7))
    picture = drawn(values)
    np.testing.assert_array_equal(picture.get_array(), values)
    assert picture.get_extent() == [-0.5, 6.5, 18.5, -0.5]


@pytest.mark.parametrize("band", [1, 200, 2**22])
def test_a_large_image_is_drawn_as_means_of_blocks(band, monkeypatch):
    monkeypatch.setattr(reduced, "BAND", band)
    values = np.random.default_rng(0).random((47, 32))
    picture = drawn(values)
    blocks = picture.get_array()
    assert blocks.shape == (12, 11)  # of 4 x 3 pixels
    for i, j in ((0, 0), (3, 5), (11, 2), (4, 10), (11, 10)):
        mean = values[4 * i : 4 * i + 4, 3 * j : 3 * j + 3].mean()
        assert blocks[i, j] == pytest.approx(mean)
    assert picture.get_extent() == [-0.5, 32.5, 47.5, -0.5]  # the last blocks are not full
    corners = picture.get_clip_box().corners()[[0, 3]]
    inside = picture.axes.transData.inverted().transform(corners)
    np.testing.assert_allclose(inside, [[-0.5, 46.5], [31.5, -0.5]])


def test_infinite_values_lie_beside_the_finite_ones():
    values = np.zeros((20, 20))
    values[:2, :2], values[2:4, :2], values[19, 19] = np.inf, -np.inf, 1
    blocks = drawn(values).get_array()
    assert blocks[:2, 0].tolist() == pytest.approx([1.1, -0.1])
    assert blocks[9, 9] == pytest.approx(0.25)


def test_a_ribbon_keeps_its_few_rows():
    blocks = drawn(np.arange(100.0).reshape(2, 50)).get_array()
    np.testing.assert_allclose(blocks, np.arange(100).reshape(2, 10, 5).mean(axis=2))


def test_marks_stay_at_their_pixels():
    image = np.zeros((50, 60))
    image[20:33, 40:55] = 5
    image[30, 44] = 9
    image[26, 50] = 1
    ax = plot.image(image, pytopo.persistence(image, superlevel=True))
    places = np.concatenate([marks.get_offsets() for marks in ax.collections])
    assert [44, 30] in places.tolist()
    assert [50, 26] in places.tolist()
    assert ax.get_xlim() == pytest.approx((-1.7, 60.7))


def test_regions_are_tinted_where_they_lie():
    labels = np.zeros((40, 44), int)
    labels[9:25, 13:29] = 3
    ax = plot.regions(labels, np.zeros((40, 44)))
    tint = ax.images[1].get_array()
    assert tint.shape == (10, 11, 4)
    assert (tint[..., 3] > 0).sum() == 16
    assert (tint[2:6, 3:7, 3] > 0).all()
    (outline,) = ax.collections
    corners = np.concatenate(outline.get_segments())
    # Along the blocks that are drawn, of 4 x 4 pixels, of which the middle one counts.
    assert corners.min(axis=0).tolist() == [11.5, 7.5]
    assert corners.max(axis=0).tolist() == [27.5, 23.5]


def test_the_span_of_many_values_is_found_in_parts(monkeypatch):
    monkeypatch.setattr("pytopo.plot.span.BLOCK", 3)
    values = np.array([4, np.inf, 2, 5, -np.inf, 3, 7, 1e200])
    span = span_of(values, np.array([[1.5, 2]]))
    assert (span.low, span.high) == (1.5, 7)
    assert span_of(np.array([])) == span_of(np.array([np.inf]))
