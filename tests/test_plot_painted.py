"""Pictures of what stands out: the painted image, and the diagram with its cut."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.collections import LineCollection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

import pytopo
from pytopo import plot
from pytopo.plot.legend import TINTS

BLUE, VERMILION, _ = plot.COLOURS
TIMES = "\N{MULTIPLICATION SIGN}"

# A membrane of 1s around cells of 9, 7 and, with a gap of 4, of 8.
CELLS = np.array(
    [
        [1, 1, 1, 1, 1, 1, 1, 1],
        [1, 9, 9, 1, 7, 4, 8, 1],
        [1, 9, 9, 1, 7, 1, 8, 1],
        [1, 1, 1, 1, 1, 1, 1, 1],
    ]
)


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


@pytest.fixture
def ax():
    return Figure().subplots()


def painted(ax, colour):
    """Where a colour is painted, (H, W)."""
    found = np.zeros(CELLS.shape, bool)
    for picture in ax.images[1:]:
        rgba = np.asarray(picture.get_array())
        shade = np.array([round(255 * c) for c in plt.matplotlib.colors.to_rgb(colour)])
        found |= (rgba[..., :3] == shade).all(axis=2) & (rgba[..., 3] > 0)
    return found


def legend(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def texts(ax):
    return [text.get_text() for text in ax.texts]


def test_few_features_have_a_colour_each_that_is_the_same_in_both_pictures(ax):
    d = pytopo.persistence(CELLS, 1)
    assert sorted(d.persistence.tolist()) == [3, 7, 8]
    plot.features(CELLS, d, ax, cut=1)
    right = plot.diagram(d, Figure().subplots(), cut=1)
    in_order = d.sorted()
    for row, tint in zip(range(len(d)), TINTS):
        mask = pytopo.feature_mask(CELLS, in_order, row)
        assert (painted(ax, tint) <= mask).all()
        assert painted(ax, tint)[tuple(in_order.death_index[row])]
        (points,) = right.collections
        place = [in_order.birth[row], in_order.death[row]]
        (at,) = np.flatnonzero((np.asarray(points.get_offsets()) == place).all(axis=1))
        assert to_hex(points.get_facecolor()[at]).upper() == tint
    assert legend(ax)[0] == "hole, 8"


def test_many_features_have_the_colour_of_their_dimension(ax):
    dots = np.zeros((9, 9))
    dots[1::2, 1::2] = 5
    d = pytopo.persistence(dots)
    plot.features(dots, d, ax, cut=2)
    assert legend(ax) == ["components (dim 0): 1", "holes (dim 1): 16"]
    holes = np.asarray(ax.images[1].get_array())
    assert to_hex(holes[1, 1, :3] / 255).upper() == VERMILION
    assert ((holes[..., 3] > 0) == (dots == 5)).all()
    right = plot.diagram(d, Figure().subplots(), cut=2)
    assert [to_hex(c.get_facecolor()[0]).upper() for c in right.collections] == [
        BLUE,
        VERMILION,
    ]


def test_the_legend_says_how_many_are_marked(ax):
    dots = np.zeros((9, 9))
    dots[1::2, 1::2] = 5
    plot.features(dots, pytopo.persistence(dots), ax, cut=5, top=9)
    assert legend(ax) == ["components (dim 0): 1", "holes (dim 1): 8 of 16 are marked"]
    assert np.count_nonzero(np.asarray(ax.images[1].get_array())[..., 3]) == 8


def test_the_component_that_never_dies_is_painted_as_when_most_is_there(ax):
    valleys = np.array([[0, 5, 2, 9, 1, 7, 20, 8]])
    d = pytopo.persistence(valleys, 0)
    assert d.points(0).tolist() == [[0, np.inf], [2, 5], [1, 9], [8, 20]]
    plot.features(valleys, d, ax, cut=1)
    first = ax.images[1].get_array()
    assert to_hex(first[0, 0, :3] / 255).upper() == TINTS[0]
    # Three are there at 2: of the first the pixel of 0; the others reach up to 5, 9 and 20.
    assert (first[0, :, 3] > 0).tolist() == [True, False, True, False, True, True, False, True]
    superlevel = pytopo.persistence(20 - valleys, 0, superlevel=True)
    plot.features(20 - valleys, superlevel, ax, cut=1)
    assert np.array_equal(ax.images[3].get_array(), first)


def test_below_the_cut_nothing_is_painted_and_points_are_pale(ax):
    d = pytopo.persistence(CELLS, 1)
    plot.features(CELLS, d, ax, cut=100)
    assert not np.asarray(ax.images[1].get_array())[..., 3].any()
    assert ax.get_legend() is None
    right = plot.diagram(d, Figure().subplots(), cut=5)
    (points,) = right.collections
    assert np.diff(points.get_offsets()).ravel().tolist() == [3, 7, 8]
    assert points.get_facecolor()[:, 3].tolist() == [0.35, 0.9, 0.9]


@pytest.mark.parametrize("superlevel", [False, True])
def test_the_cut_is_a_line_parallel_to_the_diagonal(ax, superlevel):
    image = -CELLS if superlevel else CELLS
    plot.diagram(pytopo.persistence(image, superlevel=superlevel), ax, cut=2.5)
    (line,) = [line for line in ax.lines if line.get_label() == "cut at persistence 2.5"]
    birth, death = line.get_xydata().T
    assert (death - birth).tolist() == [-2.5 if superlevel else 2.5] * 2
    assert legend(ax)[-1] == "cut at persistence 2.5"


def test_coincident_points_say_how_many_they_are_and_hide_no_other_dimension(ax):
    mask = np.zeros((7, 23), int)
    mask[:, [7, 15]] = 1  # three components
    mask[1::2, 1:6:2] = 1  # and nine holes
    plot.diagram(pytopo.persistence(mask), ax, cut=1)
    assert texts(ax) == [f"{TIMES}2", f"{TIMES}9"]
    assert [text.xy for text in ax.texts] == [(0, 1), (0, 1)]
    components, holes = (c.get_sizes() for c in ax.collections)
    assert (components.min(), components.max()) == (50, 150)  # the essential one is alone
    assert set(holes) == {50}
    assert legend(ax)[:2] == ["components (dim 0): 3, 1 essential", "holes (dim 1): 9"]


def test_points_that_do_not_stand_out_have_no_number(ax):
    dots = np.zeros((9, 9))
    dots[1::2, 1::2] = 5
    plot.diagram(pytopo.persistence(dots), ax, cut=6)
    assert texts(ax) == []
    plot.diagram(pytopo.persistence(dots), ax)
    assert texts(ax) == []


def test_small_gaps_in_a_region_stay_without_an_outline(ax):
    wide = np.full((200, 200), 9)
    wide[0], wide[-1], wide[:, 0], wide[:, -1] = 1, 1, 1, 1
    wide[50, 50] = wide[80:100, 80:100] = 0
    plot.features(wide, pytopo.persistence(wide, 1), ax, cut=2)
    (outlines,) = [c for c in ax.collections if isinstance(c, LineCollection)]
    around, gap = (np.ptp(ring, axis=0).tolist() for ring in outlines.get_segments())
    assert (around, gap) == ([198, 198], [20, 20])
    tint = np.asarray(ax.images[1].get_array())[..., 3] > 0
    assert (tint == (wide == 9)).all()


def test_impossible_options_are_refused(ax):
    d = pytopo.persistence(CELLS)
    with pytest.raises(ValueError, match=r"image has shape \(4, 7\); expected \(H, W\)"):
        plot.features(CELLS[:, 1:], d, ax, cut=1)
    with pytest.raises(ValueError, match="cut is -1; expected a number of at least 0"):
        plot.features(CELLS, d, ax, cut=-1)
    with pytest.raises(TypeError, match=r"top is 1\.5; expected a whole number"):
        plot.diagram(d, ax, cut=1, top=1.5)
