"""Features as pixels: the mask of one point, and labels of many."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles import feature_masks, region_labels
from scipy import ndimage
from strategies import constructions, frames, images, images_without_ties

import pytopo
from pytopo.kernels.basins import flood

CELLS = np.array(
    [
        [1, 1, 1, 1, 1, 1, 1],
        [1, 9, 8, 4, 7, 6, 1],
        [1, 9, 8, 3, 7, 6, 1],
        [1, 1, 1, 1, 1, 1, 1],
    ]
)
small_images = st.one_of(images(), images_without_ties()).filter(lambda a: a.size <= 24)


def keyed(diagram):
    """Return the points of one dimension as (start pixel, end pixel), as the oracles do."""
    birth, death = diagram.birth_pixel.tolist(), diagram.death_pixel.tolist()
    return list(zip(birth, death) if diagram.dims == (0,) else zip(death, birth))


def differences(image, min_persistence, **options):
    """Yield what differs from brute force: masks of all points, labels of persistent ones."""
    oracle = [options[name] for name in ("superlevel", "construction", "frame")]
    for dim in sorted({0, image.ndim - 1}):
        every = pytopo.persistence(image, dim, **options)
        masks = feature_masks(image, *oracle, from_above=dim > 0)
        if sorted(masks) != sorted(keyed(every)):
            yield "points", dim, sorted(masks), keyed(every)
        for k, key in enumerate(keyed(every)):
            mask = pytopo.feature_mask(image, every, k)
            if not np.array_equal(mask, masks[key]):
                yield "mask", dim, k, mask, masks[key]
        labels, diagram = pytopo.regions(image, dim, min_persistence=min_persistence, **options)
        if diagram != every.select(dim, min_persistence):
            yield "diagram", dim, diagram, every
        expected = region_labels(image, *oracle, dim > 0, keyed(diagram))
        if labels.dtype != np.int32 or not np.array_equal(labels, expected):
            yield "labels", dim, labels, expected


@settings(max_examples=60)  # labelling once a pixel takes its time
@given(small_images, st.sampled_from([0, 1, 2, 5]), st.booleans(), constructions, frames)
def test_masks_and_labels_are_those_of_labelling_at_every_time(
    image, least, superlevel, construction, frame
):
    options = {"superlevel": superlevel, "construction": construction, "frame": frame}
    assert list(differences(image, least, **options)) == []


# --- the mask of one point -------------------------------------------------------------


def mask_text(mask):
    return ["".join(".#"[pixel] for pixel in row) for row in mask.astype(int)]


def test_a_hole_is_largest_when_it_is_born():
    d = pytopo.persistence(CELLS, 1)
    assert d.points(1).tolist() == [[4, 7], [1, 9]]
    first, second = (d.death.tolist().index(v) for v in (9, 7))
    assert mask_text(pytopo.feature_mask(CELLS, d, first)) == [
        ".......", ".#####.", ".#####.", ".......",
    ]  # fmt: skip
    assert mask_text(pytopo.feature_mask(CELLS, d, second)) == [
        ".......", "....##.", "....##.", ".......",
    ]  # fmt: skip
    assert mask_text(pytopo.feature_mask(CELLS, d, first, threshold=7)) == [
        ".......", ".##....", ".##....", ".......",
    ]  # fmt: skip


def test_a_component_is_largest_before_it_dies():
    image = np.array([[0, 1, 5, 2, 3, 9]])
    d = pytopo.persistence(image, 0)
    assert mask_text(pytopo.feature_mask(image, d, 1)) == ["...##."]
    assert mask_text(pytopo.feature_mask(image, d, 1, threshold=2)) == ["...#.."]
    assert mask_text(pytopo.feature_mask(image, d, 0)) == ["######"]
    assert mask_text(pytopo.feature_mask(image, d, 0, threshold=4)) == ["##...."]
    assert mask_text(pytopo.feature_mask(image, d, 0, threshold=5)) == ["#####."]


def test_bright_things_have_masks_in_superlevel():
    image = 9 - np.array([[0, 1, 5, 2, 3, 9]])
    d = pytopo.persistence(image, 0, superlevel=True)
    assert mask_text(pytopo.feature_mask(image, d, 1)) == ["...##."]
    assert mask_text(pytopo.feature_mask(image, d, 0, threshold=5)) == ["##...."]


@given(small_images, constructions, frames, st.booleans())
def test_at_its_birth_a_mask_is_there_and_grows_until_the_death(
    image, construction, frame, superlevel
):
    options = {"superlevel": superlevel, "construction": construction, "frame": frame}
    d = pytopo.persistence(image, 0, **options)
    for k in np.flatnonzero(d.birth_pixel >= 0):
        largest = pytopo.feature_mask(image, d, k)
        at_birth = pytopo.feature_mask(image, d, k, threshold=d.birth[k])
        assert at_birth.flat[d.birth_pixel[k]]
        assert (at_birth <= largest).all()
        levels = image[largest]
        assert (levels.max() if superlevel else levels.min()) == d.birth[k]


def test_a_frame_connects_pixels_and_is_not_returned():
    image = np.array([[1, 9, 1], [9, 9, 9], [1, 9, 0]])
    d = pytopo.persistence(image, 0, frame=1)
    assert d.birth_pixel.tolist() == [8]  # 0, and all the 1s through the frame
    d = pytopo.persistence(image, 0, frame=2)
    masks = {int(d.birth[k]): pytopo.feature_mask(image, d, k) for k in range(len(d))}
    assert masks[0].all()
    corners = [np.flatnonzero(pytopo.feature_mask(image, d, k)) for k in range(3)]
    assert [c.tolist() for c in corners] == [[0], [2], [6]]  # each until the frame comes


def test_of_one_axis_the_frame_is_two_pixels():
    row = np.array([4, 7, 3, 9, 1])  # 2 | 4 7 3 9 1 | 2
    d = pytopo.persistence(row, 0, frame=2)
    masks = {
        (int(d.birth[k]), int(d.death_pixel[k])): pytopo.feature_mask(row, d, k).tolist()
        for k in range(len(d))
    }
    assert masks == {
        (1, -1): [True] * 5,
        (2, 3): [True, True, True, False, False],  # on the left: on the right 1 is older
        (3, 1): [False, False, True, False, False],
    }
    row = np.array([4, 7, 1])  # here the frame on the right belongs to the 1, and the left dies
    d = pytopo.persistence(row, 0, frame=2)
    (k,) = np.flatnonzero(d.birth_pixel == -2)
    assert pytopo.feature_mask(row, d, k).tolist() == [True, False, False]
    row = np.array([1, 7, 4])
    d = pytopo.persistence(row, 0, frame=2)
    (k,) = np.flatnonzero(d.birth_pixel == -2)
    assert pytopo.feature_mask(row, d, k).tolist() == [False, False, True]
    assert pytopo.regions(row, 0, min_persistence=1, frame=2)[0].tolist() == [2, 2, 1]


@pytest.mark.parametrize("construction", ["V", "T"])
@pytest.mark.parametrize("frame", [None, 2])
def test_the_voxels_of_a_tunnel_go_around_it(construction, frame):
    volume = np.full((3, 5, 5), 9)
    volume[1, 1:4, 1:4] = 1
    volume[1, 2, 2] = 9
    volume[1, 1, 1] = 0
    d = pytopo.persistence(volume, 1, construction=construction, frame=frame)
    (k,) = np.flatnonzero(d.birth <= 1)
    mask = pytopo.feature_mask(volume, d, k)
    assert (volume[mask] <= 1).all()
    assert not mask[1, 2, 2]
    ring = mask[1, 1:4, 1:4]
    assert ring.sum() == mask.sum() >= 4
    assert ndimage.binary_fill_holes(ring)[1, 1] != ring[1, 1]


def test_every_tunnel_of_noise_has_voxels_that_were_there_at_its_birth():
    volume = np.random.default_rng(0).permutation(4 * 5 * 6).reshape(4, 5, 6)
    for construction in "VT":
        d = pytopo.persistence(volume, 1, construction=construction, superlevel=True)
        for k in range(len(d)):
            mask = pytopo.feature_mask(volume, d, k)
            assert volume[mask].min() == d.birth[k]
            near = ndimage.generate_binary_structure(3, 1 if construction == "V" else 3)
            # A cycle over Z/2 may be several closed curves, each of four voxels at least.
            labels, count = ndimage.label(mask, near)
            if construction == "V":
                assert np.bincount(labels.ravel())[1:].min() >= 4, count


def test_tunnels_of_the_same_two_voxels_are_told_apart():
    volume = np.array(
        [
            [[1, 1, 1], [0, 2, 1], [0, 2, 2]],
            [[2, 1, 2], [1, 1, 0], [2, 0, 0]],
            [[0, 1, 0], [0, 0, 2], [1, 2, 0]],
        ]
    )
    d = pytopo.persistence(volume, 1)
    assert d.birth_pixel.tolist() == [13, 13]
    assert d.death_pixel.tolist() == [4, 4]
    first, second = (pytopo.feature_mask(volume, d, k) for k in (0, 1))
    assert first.flat[13]
    assert second.flat[13]
    assert not np.array_equal(first, second)


def test_what_is_no_feature_of_the_image_is_refused():
    d = pytopo.persistence(CELLS)
    cases = [
        (CELLS.T, d, 0, None, r"image has shape \(7, 4\), and the diagram is of .*\(4, 7\)"),
        (CELLS + 1, d, 0, None, "not of this image: row 0 has its birth at 1 in pixel 0"),
        (CELLS, d, len(d), None, "k is 3; expected a row of the diagram, 0 to 2"),
        (CELLS, d, -1, None, "k is -1"),
        (CELLS, d, True, None, "k is True"),
        (CELLS, d, 1, 20, "threshold is 20, where row 1 is not alive: it is born at"),
        (CELLS, d, 0, 0.5, "where row 0 is not alive"),
        (CELLS, d, 0, np.nan, "where row 0 is not alive"),
    ]
    for image, diagram, k, threshold, message in cases:
        with pytest.raises(ValueError, match=message):
            pytopo.feature_mask(image, diagram, k, threshold=threshold)
    with pytest.raises(TypeError, match="diagram is tuple; expected a Diagram"):
        pytopo.feature_mask(CELLS, (), 0)
    with pytest.raises(TypeError, match="threshold is '1'; expected a number or None"):
        pytopo.feature_mask(CELLS, d, 0, threshold="1")


def test_tunnels_have_their_limits(monkeypatch):
    volume = np.full((3, 3, 3), 9)
    volume[1] = 1
    volume[1, 1, 1] = 9
    d = pytopo.persistence(volume, 1)
    with pytest.raises(ValueError, match="no mask at a threshold"):
        pytopo.feature_mask(volume, d, 0, threshold=5)
    monkeypatch.setattr("pytopo.features.tunnel.MOST_VOXELS", 26)
    with pytest.raises(ValueError, match="at most 26 voxels, and the image has 27"):
        pytopo.feature_mask(volume, d, 0)


# --- labels of many --------------------------------------------------------------------


def test_cells_are_labelled_and_membranes_are_not():
    labels, d = pytopo.regions(CELLS, 1, min_persistence=3)
    assert d.death.tolist() == [7, 9]
    assert labels.tolist() == [
        [0, 0, 0, 0, 0, 0, 0],
        [0, 2, 2, 2, 1, 1, 0],
        [0, 2, 2, 2, 1, 1, 0],
        [0, 0, 0, 0, 0, 0, 0],
    ]
    labels, d = pytopo.regions(CELLS, 1, min_persistence=3.5)
    assert (labels > 0).sum() == 10
    assert d.death.tolist() == [9]


def test_a_component_reaches_until_it_dies_and_the_essential_one_everywhere():
    image = np.array([[0, 1, 5, 2, 3, 9]])
    labels, _ = pytopo.regions(image, 0, min_persistence=3)
    assert labels.tolist() == [[1, 1, 1, 2, 2, 0]]  # 9 is beyond what the second reaches
    labels, _ = pytopo.regions(image, 0, min_persistence=4)
    assert labels.tolist() == [[1, 1, 1, 1, 1, 1]]


@given(small_images, constructions, frames, st.booleans(), st.sampled_from([0, 1, 3]))
def test_a_region_is_connected_and_lies_in_the_mask_of_its_feature(
    image, construction, frame, superlevel, least
):
    options = {"superlevel": superlevel, "construction": construction, "frame": frame}
    for dim in {0, image.ndim - 1}:
        labels, d = pytopo.regions(image, dim, min_persistence=least, **options)
        seeds = [start for start, _ in keyed(d)]
        for k, seed in enumerate(seeds):
            mask, region = pytopo.feature_mask(image, d, k), labels == k + 1
            assert (region <= mask).all()
            assert seed < 0 or region.flat[seed]
            if np.count_nonzero([other >= 0 and mask.flat[other] for other in seeds]) == 1:
                assert frame is not None or np.array_equal(region, mask)
            at_corners = (construction == "T") == (dim == 0)
            near = ndimage.generate_binary_structure(image.ndim, 3 if at_corners else 1)
            assert frame is not None or ndimage.label(region, near)[1] <= 1


def test_the_cells_of_a_likelihood_are_what_lies_between_its_membranes():
    volume = pytopo.data.synthetic_volume(1, 128, seed=1)
    cells = volume.neuron_ids[0]
    walls = pytopo.data.border_mask(cells, 1)
    noise = np.random.default_rng(0).random(cells.shape)
    image = np.where(walls, 0.2, 0.8) + 0.1 * noise
    labels, d = pytopo.regions(image, 1, min_persistence=0.3, frame=True)
    inside, count = ndimage.label(~walls, np.ones((3, 3)))
    assert count <= len(d)
    for k in range(1, count + 1):
        found = np.unique(labels[inside == k])
        assert found.size == 1
        assert found[0] > 0
    assert np.unique(labels[~walls]).size == count


@settings(max_examples=40)
@given(images(), st.booleans(), constructions, frames)
def test_labels_of_a_diagram_are_those_of_its_regions(image, superlevel, construction, frame):
    options = {"superlevel": superlevel, "construction": construction, "frame": frame}
    everything = pytopo.persistence(image, **options)
    for dim in {0, image.ndim - 1}:
        labels, diagram = pytopo.regions(image, dim, min_persistence=2, **options)
        assert everything.select(dim, 2) == diagram
        assert np.array_equal(pytopo.features.labels_of(image, diagram), labels)


def test_labels_of_a_diagram_are_checked():
    d = pytopo.persistence(CELLS)
    with pytest.raises(ValueError, match=r"of dims=\(0, 1\); expected one dimension, 0 or 1"):
        pytopo.features.labels_of(CELLS, d)
    with pytest.raises(ValueError, match="the diagram is not of this image: row 0"):
        pytopo.features.labels_of(CELLS + 1, d.select(1))


@pytest.mark.parametrize(
    ("image", "dim", "message"),
    [
        (np.zeros((3, 3, 3)), 1, r"dim is 1; expected 0 or 2 .*\(tunnels have no inside"),
        (np.zeros((3, 3)), 2, "dim is 2; expected 0 or 1 for an image of shape"),
        (np.zeros(3), 1, "dim is 1; expected 0 for an image of shape"),
        (np.zeros((3, 3)), None, "dim is None"),
        (np.zeros((3, 3)), (0, 1), r"dim is \(0, 1\)"),
    ],
)
def test_a_dimension_without_inside_is_refused(image, dim, message):
    with pytest.raises(ValueError, match=message):
        pytopo.regions(image, dim, min_persistence=0)


def test_options_of_regions_are_checked():
    with pytest.raises(ValueError, match="min_persistence is -1"):
        pytopo.regions(CELLS, 1, min_persistence=-1)
    with pytest.raises(TypeError, match="superlevel is 'no'"):
        pytopo.regions(CELLS, 1, min_persistence=1, superlevel="no")
    with pytest.raises(ValueError, match="construction is 'X'"):
        pytopo.regions(CELLS, 1, min_persistence=1, construction="X")
    with pytest.raises(TypeError, match="min_persistence"):
        pytopo.regions(CELLS, 1)


@pytest.mark.compiled
def test_all_images_share_one_compiled_kernel():
    for dtype in ("?", "u1", "i8", "f2", "f4", "f8"):
        for shape in ((5,), (3, 4), (2, 3, 4)):
            image = np.arange(np.prod(shape)).reshape(shape).astype(dtype)
            pytopo.regions(image, 0, min_persistence=0, frame=True)
            pytopo.regions(image.T, len(shape) - 1, min_persistence=0)
    assert len(flood.signatures) == 1


# --- drawn -----------------------------------------------------------------------------


def test_regions_are_tinted_and_outlined_along_their_pixels():
    labels, _ = pytopo.regions(CELLS, 1, min_persistence=3)
    ax = pytopo.plot.regions(labels, CELLS)
    tint = ax.images[1].get_array()
    assert (tint[..., 3] > 0).tolist() == (labels > 0).tolist()
    assert len({tuple(c) for c in tint[labels > 0]}) == 2
    (lines,) = ax.collections
    first, second = (ring.tolist() for ring in lines.get_segments())
    assert first == [[3.5, 0.5], [5.5, 0.5], [5.5, 2.5], [3.5, 2.5], [3.5, 0.5]]
    assert second == [[0.5, 0.5], [3.5, 0.5], [3.5, 2.5], [0.5, 2.5], [0.5, 0.5]]
    assert len({tuple(c) for c in lines.get_colors()}) == 2
    ax.figure.clear()


def test_an_image_without_regions_is_drawn_as_it_is():
    ax = pytopo.plot.regions(np.zeros((3, 4), np.int32), np.eye(3, 4))
    assert len(ax.collections[0].get_segments()) == 0
    assert (ax.images[1].get_array()[..., 3] == 0).all()


def test_only_labels_of_a_flat_image_are_drawn():
    for labels, image, error, message in (
        (np.zeros((2, 3)), np.zeros((2, 3)), TypeError, "labels has dtype float64"),
        (np.zeros((2, 3), int), np.zeros((3, 2)), ValueError, r"\(2, 3\) and image \(3, 2\)"),
        (np.zeros((2, 3, 4), int), np.zeros((2, 3, 4)), ValueError, r"labels\[k\], image"),
    ):
        with pytest.raises(error, match=message):
            pytopo.plot.regions(labels, image)
