"""Pictures of Betti matchings."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

import pytopo
from pytopo import plot

RINGS = np.array([[0, 0, 0, 9, 0, 0, 0], [0, 9, 0, 9, 0, 8, 0], [0, 0, 0, 9, 0, 0, 0]])
ONE = RINGS.copy()
ONE[:, 4:] = 9


@pytest.fixture
def ax():
    yield plt.figure().subplots()
    plt.close("all")


def marks(ax):
    """Return where discs and triangles, and where crosses lie, as sorted (column, row)."""
    round_ones, crosses = [], []
    for dots in ax.collections:
        corners = len(dots.get_paths()[0].vertices)  # a thick cross has 13, a triangle 4
        (crosses if corners == 13 else round_ones).extend(dots.get_offsets().tolist())
    return sorted(round_ones), sorted(crosses)


def test_features_that_match_and_those_that_do_not_have_other_marks(ax):
    m = pytopo.betti_matching(RINGS, ONE, dims=1)
    assert plot.betti_matching(RINGS, m, ax) is ax
    assert marks(ax) == ([[1, 1], [2, 2]], [[5, 1], [6, 2]])


def test_the_second_image_is_drawn_with_its_own_features(ax):
    m = pytopo.betti_matching(ONE, RINGS, dims=1)
    plot.betti_matching(RINGS, m, ax, second=True)
    assert marks(ax) == ([[1, 1], [2, 2]], [[5, 1], [6, 2]])


def test_the_legend_says_how_many_are_marked_of_how_many(ax):
    noise = np.random.default_rng(0).random((2, 12, 12))
    m = pytopo.betti_matching(*noise, dims=0)
    plot.betti_matching(noise[0], m, ax, top=2)
    texts = [text.get_text() for text in ax.get_legend().get_texts()]
    assert texts == [
        "components (dim 0)",
        f"matched: 2 of {len(m.pairs)}",
        f"not matched: 2 of {len(m.first_only)}",
    ]


def test_of_a_volume_a_section_is_drawn(ax):
    volume = np.stack([ONE, RINGS, RINGS])
    m = pytopo.betti_matching(volume, volume, dims=0)
    plot.betti_matching(volume, m, ax, section=1)
    assert ax.get_title() == "section 1 of 3"
    assert np.array_equal(ax.images[0].get_array(), RINGS)


def test_an_image_of_another_shape_is_an_error(ax):
    m = pytopo.betti_matching(RINGS, ONE)
    with pytest.raises(ValueError, match=r"image has shape \(2, 2\); expected \(3, 7\)"):
        plot.betti_matching(np.zeros((2, 2)), m, ax)
    row = pytopo.betti_matching([0, 1], [1, 0])
    with pytest.raises(ValueError, match=r"image has shape \(2,\); expected \(H, W\)"):
        plot.betti_matching([0, 1], row, ax)
