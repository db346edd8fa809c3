"""Pictures of what the loss pulls at: features filled or hatched, and few lines."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib.collections import LineCollection
from matplotlib.patches import PathPatch

import pytopo
from pytopo import plot
from pytopo.plot.areas import label_images, paint

# Two rings, the left one with a gap of 0.7; in the corner a speck of 0.3.
TRUTH = np.zeros((7, 9))
TRUTH[1:4, 1:4] = TRUTH[1:5, 5:8] = 1
TRUTH[2, 2] = TRUTH[2:4, 6] = 0
LIKELIHOOD = TRUTH.copy()
LIKELIHOOD[1, 2], LIKELIHOOD[6, 0] = 0.7, 0.3


@pytest.fixture
def ax():
    yield plt.figure().subplots()
    plt.close("all")


def explained(likelihood, truth, **options):
    images = (torch.tensor(a)[None, None] for a in (likelihood, truth))
    (explanation,) = pytopo.TopologicalLoss(**options).explain(*images)
    return explanation


def painted(ax, hatched):
    """Left, top, right and bottom of what is filled, or of what is hatched."""
    patches = [patch for patch in ax.patches if isinstance(patch, PathPatch)]
    return [
        patch.get_path().get_extents().extents.tolist()
        for patch in patches
        if (patch.get_hatch() is not None) == hatched
    ]


def legend(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_what_to_fix_is_filled_and_what_to_remove_hatched(ax):
    plot.critical(LIKELIHOOD, explained(LIKELIHOOD, TRUTH), ax)
    assert painted(ax, hatched=False) == [[1.5, 1.5, 2.5, 2.5]]
    assert painted(ax, hatched=True) == [[-0.5, 5.5, 0.5, 6.5]]


def test_features_beyond_the_top_are_not_painted(ax):
    plot.critical(LIKELIHOOD, explained(LIKELIHOOD, TRUTH), ax, top=0)
    assert painted(ax, hatched=False) == painted(ax, hatched=True) == []


def test_the_truth_shows_whose_match_is_to_fix_and_what_is_missing(ax):
    likelihood = LIKELIHOOD.copy()
    likelihood[:, 6:] = 0
    plot.target(TRUTH, explained(likelihood, TRUTH, matching="betti"), ax)
    assert painted(ax, hatched=False) == [[1.5, 1.5, 2.5, 2.5]]
    assert painted(ax, hatched=True) == [[5.5, 1.5, 6.5, 3.5]]
    assert legend(ax) == ["holes (dim 1)", "match to fix: 1", "missing: 1"]


def test_the_truth_of_another_shape_or_of_a_volume_is_refused(ax):
    with pytest.raises(ValueError, match=r"target has shape \(2, 2\); expected \(7, 9\)"):
        plot.target(TRUTH[:2, :2], explained(LIKELIHOOD, TRUTH), ax)
    volume = np.stack([TRUTH, TRUTH])
    with pytest.raises(ValueError, match=r"target has shape \(2, 7, 9\); expected \(H, W\)"):
        plot.target(volume, explained(volume, volume, dims=0), ax)


def test_features_beside_those_that_are_labelled_keep_their_pixels():
    row = np.array([[9, 0, 4, 1, 6, 2, 9]])
    d = pytopo.persistence(row, 0)
    (first,), (second,) = (np.flatnonzero(d.birth == value) for value in (1, 2))
    (alone,) = label_images(row, d, np.array([second]))
    (beside,) = label_images(row, d, np.array([second]), np.array([first]))
    assert alone.tolist() == beside.tolist() == [[0, 0, 0, 0, 0, 1, 0]]
    third = np.array([[9, 0, 7, 1, 6, 2, 9]])  # here the basin of 2 merges into that of 1
    d = pytopo.persistence(third, 0)
    (first,), (second,) = (np.flatnonzero(d.birth == value) for value in (1, 2))
    (alone,) = label_images(third, d, np.array([first]))
    (beside,) = label_images(third, d, np.array([first]), np.array([second]))
    assert alone.tolist() == [[0, 0, 0, 1, 1, 1, 0]]
    assert beside.tolist() == [[0, 0, 0, 1, 1, 0, 0]]


def test_labels_of_two_dimensions_are_numbered_together():
    d = pytopo.persistence(LIKELIHOOD, superlevel=True).select(finite=True)
    rows = np.arange(len(d))[::-1]
    images = label_images(LIKELIHOOD, d, rows)
    assert len(images) == 2
    for labels in images:
        for i in np.unique(labels[labels > 0]):
            mask = pytopo.feature_mask(LIKELIHOOD, d, int(rows[i - 1]))
            assert np.array_equal(labels == i, mask)


def test_pixels_of_the_foreground_of_a_mask_have_no_part_in_its_holes():
    """The frame closes the hole before the pixel in the middle comes, of the same value."""
    mask = np.zeros((3, 3))
    mask[1, 1] = 1
    d = pytopo.persistence(mask, 1, superlevel=True, frame=1)
    assert pytopo.feature_mask(mask, d, 0).all()
    (labels,) = label_images(mask, d, np.array([0]))
    assert labels.tolist() == (1 - mask).tolist()
    dark = pytopo.persistence(1 - mask, 1, frame=0)
    (labels,) = label_images(1 - mask, dark, np.array([0]))
    assert labels.tolist() == (1 - mask).tolist()


def test_tunnels_and_the_essential_component_have_no_area():
    volume = np.zeros((3, 3, 3))
    volume[:, 1, 1] = 9
    d = pytopo.persistence(volume)
    assert label_images(volume, d, np.arange(len(d))) == []


def test_every_feature_is_outlined_in_its_colour(ax):
    labels = np.array([[1, 1, 0], [0, 2, 2]])
    plot.image(labels, pytopo.persistence(labels), ax, top=0)
    paint(ax, labels, ["red", "blue"])
    patches = [patch for patch in ax.patches if isinstance(patch, PathPatch)]
    assert [patch.get_facecolor()[:3] for patch in patches] == [(1, 0, 0), (0, 0, 1)]
    (sides,) = [c for c in ax.collections if isinstance(c, LineCollection)]
    first, second = (ring.tolist() for ring in sides.get_segments())
    assert sorted(map(tuple, first))[::4] == [(-0.5, -0.5), (1.5, 0.5)]
    assert sorted(map(tuple, second))[::4] == [(0.5, 0.5), (2.5, 1.5)]
    assert sides.get_colors()[:, :3].tolist() == [[1, 0, 0], [0, 0, 1]]


def test_lines_are_drawn_for_what_costs_most_and_the_legend_says_so(ax):
    likelihood = LIKELIHOOD.copy()
    likelihood[6, 8], likelihood[1, 6] = 0.1, 0.9
    explanation = explained(likelihood, TRUTH)
    assert (len(explanation.fix), len(explanation.remove)) == (2, 2)
    plot.matching(explanation, ax, top=1)
    remove, fix = (c.get_segments() for c in ax.collections if isinstance(c, LineCollection))
    assert np.allclose(remove, [[[0.3, 0], [0.15, 0.15]]])
    assert np.allclose(fix[0], [[0.7, 0], [1, 0]])
    assert len(fix) == 2  # with that of the essential component
    title = ax.get_legend().get_title().get_text()
    assert title == "lines for the 1 of each kind\nthat cost most"
    assert "to fix: 2" in legend(ax)
