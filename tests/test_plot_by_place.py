"""Pictures of Betti matchings."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.collections import PathCollection
from matplotlib.colors import to_hex
from matplotlib.patches import PathPatch

import pytopo
from pytopo import plot
from pytopo.plot.outlines import TINTS

RINGS = np.array([[0, 0, 0, 9, 0, 0, 0], [0, 9, 0, 9, 0, 8, 0], [0, 0, 0, 9, 0, 0, 0]])
ONE = RINGS.copy()
ONE[:, 4:] = 9


@pytest.fixture
def ax():
    yield plt.figure().subplots()
    plt.close("all")


def areas(ax, hatched):
    """Left, top, right and bottom of what is filled, or hatched, by its colour."""
    return {
        to_hex(patch.get_edgecolor()).upper(): patch.get_path().get_extents().extents.tolist()
        for patch in ax.patches
        if isinstance(patch, PathPatch) and (patch.get_hatch() is not None) == hatched
    }


def seeds(ax):
    """Return where features begin, as (column, row), by colour."""
    return {
        to_hex(colour).upper(): place.tolist()
        for dots in ax.collections
        if isinstance(dots, PathCollection)
        for place, colour in zip(dots.get_offsets(), dots.get_facecolors())
    }


def test_features_that_match_are_filled_and_those_that_do_not_are_hatched(ax):
    m = pytopo.betti_matching(RINGS, ONE, dims=1)
    assert plot.betti_matching(RINGS, m, ax) is ax
    assert areas(ax, hatched=False) == {TINTS[0]: [0.5, 0.5, 1.5, 1.5]}
    assert areas(ax, hatched=True) == {"#000000": [4.5, 0.5, 5.5, 1.5]}
    assert seeds(ax) == {TINTS[0]: [1, 1], "#000000": [5, 1]}


def test_the_second_image_is_drawn_with_its_own_features(ax):
    m = pytopo.betti_matching(ONE, RINGS, dims=1)
    plot.betti_matching(RINGS, m, ax, second=True)
    assert seeds(ax) == {TINTS[0]: [1, 1], "#000000": [5, 1]}


def test_features_that_match_have_the_same_colour_in_both_images(ax):
    first, second = RINGS[:, ::-1].copy(), RINGS.copy()
    first[1, 1] = 7  # the left ring is weaker in the first image, the right one in the second
    m = pytopo.betti_matching(first, second, dims=1)
    plot.betti_matching(first, m, ax)
    other = plot.betti_matching(second, m, plt.figure().subplots(), second=True)
    assert areas(ax, hatched=False) == areas(other, hatched=False)
    assert len(areas(ax, hatched=False)) == 2


def test_more_pairs_than_colours_are_numbered_from_the_most_persistent(ax):
    row = np.tile([0, 9], 9)[None].repeat(2, 0)
    row[:, 2::2] += np.arange(1, 9)  # births 0 to 8
    m = pytopo.betti_matching(row, row, dims=0)
    plot.betti_matching(row, m, ax)
    numbers = {text.xy[0]: text.get_text() for text in ax.texts}
    assert numbers == {2 * k: str(k) for k in range(1, 9)}
    few = plot.betti_matching(row, m, plt.figure().subplots(), top=7)
    assert len(few.texts) == 0


def test_the_legend_says_how_many_are_marked_of_how_many(ax):
    noise = np.random.default_rng(0).random((2, 12, 12))
    m = pytopo.betti_matching(*noise, dims=0)
    plot.betti_matching(noise[0], m, ax, top=2)
    texts = [text.get_text() for text in ax.get_legend().get_texts()]
    assert texts == [
        "components (dim 0)",
        f"matched: 2 of {len(m.pairs) - 1}",
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
