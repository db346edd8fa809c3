"""Outlines of labels as polygons with holes, and GeoJSON."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage
from strategies import constructions, frames, images

import pytopo
from pytopo.features import feature_collection, outlines

labels_of_any_shape = hnp.arrays(
    np.int32, st.tuples(st.integers(1, 6), st.integers(1, 6)), elements=st.integers(-1, 3)
)


def area(ring):
    """By the shoelace formula; positive if counter-clockwise where y points up."""
    (x, y), (x_next, y_next) = ring[:-1].T, ring[1:].T
    return int((x * y_next - x_next * y).sum()) / 2


def covered(rings, shape):
    """Which pixels lie inside an odd number of rings: sides above their centres are counted."""
    mask = np.zeros(shape, bool)
    for ring in rings:
        for (x, y), (x_next, y_next) in zip(ring[:-1].tolist(), ring[1:].tolist()):
            if y == y_next:
                mask[y:, min(x, x_next) : max(x, x_next)] ^= True
    return mask


# --- polygons --------------------------------------------------------------------------


def test_a_pixel_is_the_square_from_its_column_and_row():
    (polygon,) = outlines(np.array([[0, 0, 0], [0, 0, 7]]))[7]
    assert [ring.tolist() for ring in polygon] == [[[2, 1], [3, 1], [3, 2], [2, 2], [2, 1]]]


def test_a_ring_is_a_polygon_with_a_hole_that_goes_the_other_way():
    ((outer, hole),) = outlines(np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]]))[1]
    assert outer.tolist() == [[0, 0], [3, 0], [3, 3], [0, 3], [0, 0]]
    assert hole.tolist() == [[1, 2], [2, 2], [2, 1], [1, 1], [1, 2]]
    assert (area(outer), area(hole)) == (9, -1)


def test_what_fills_a_hole_is_a_region_of_its_own():
    found = outlines(np.array([[1, 1, 1], [1, 2, 1], [1, 1, 1]]))
    ((_, hole),), ((inner,),) = found[1], found[2]
    assert (area(hole), area(inner)) == (-1, 1)
    assert sorted(hole[1:].tolist()) == sorted(inner[1:].tolist())


def test_pixels_that_share_a_corner_are_two_polygons():
    found = outlines(np.array([[1, 0], [0, 1]]))[1]
    assert [ring.tolist() for polygon in found for ring in polygon] == [
        [[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]],
        [[1, 1], [2, 1], [2, 2], [1, 2], [1, 1]],
    ]


def test_holes_that_share_a_corner_are_two_holes():
    labels = np.ones((4, 4), int)
    labels[1, 1] = labels[2, 2] = 0
    ((outer, first, second),) = outlines(labels)[1]
    assert (area(outer), area(first), area(second)) == (16, -1, -1)


def test_an_outer_ring_and_a_hole_may_share_a_corner():
    ((outer, hole),) = outlines(np.array([[1, 1, 0], [1, 0, 1], [1, 1, 1]]))[1]
    assert (area(outer), area(hole)) == (8, -1)
    assert [2, 1] in outer.tolist()
    assert [2, 1] in hole.tolist()


@given(labels_of_any_shape)
def test_polygons_cover_their_pixels_and_no_ring_touches_itself(labels):
    found = outlines(labels)
    assert list(found) == [k for k in np.unique(labels).tolist() if k > 0]
    for label, polygons in found.items():
        parts, count = ndimage.label(labels == label)
        assert len(polygons) == count
        for number, (outer, *holes) in enumerate(polygons, start=1):
            assert np.array_equal(covered([outer, *holes], labels.shape), parts == number)
            assert area(outer) > 0
            assert all(area(hole) < 0 for hole in holes)
            assert (
                len(holes)
                == ndimage.label(np.pad(parts != number, 1, constant_values=1))[1] - 1
            )
            for ring in (outer, *holes):
                assert ring[0].tolist() == ring[-1].tolist()
                assert len(np.unique(ring[:-1], axis=0)) == len(ring) - 1
                horizontal = np.diff(ring, axis=0)[:, 1] == 0
                assert (horizontal != np.roll(horizontal, 1)).all()  # it turns at each corner


def test_labels_of_every_dtype_have_outlines():
    for dtype in ("int8", "uint16", "int64", "uint64"):
        largest = np.iinfo(dtype).max
        (label,) = outlines(np.array([[largest]], dtype))
        assert label == largest
    assert outlines(np.zeros((3, 4), int)) == {}
    assert outlines(np.zeros((0, 4), int)) == {}


def test_only_label_images_have_outlines():
    with pytest.raises(TypeError, match="labels has dtype float64; expected integers"):
        outlines(np.zeros((2, 2)))
    with pytest.raises(ValueError, match=r"labels has shape \(2, 2, 2\); expected \(H, W\)"):
        outlines(np.zeros((2, 2, 2), int))


# --- GeoJSON ---------------------------------------------------------------------------

CELLS = np.array(
    [
        [1, 1, 1, 1, 1, 1],
        [1, 9, 8, 4, 7, 1],
        [1, 1, 1, 1, 1, 1],
    ]
)


def test_a_feature_says_what_the_diagram_does():
    collection = feature_collection([pytopo.regions(CELLS, 1, min_persistence=3)])
    assert collection["type"] == "FeatureCollection"
    assert collection["pytopo"]["shape"] == [3, 6]
    assert "the pixel of row r and column c" in collection["pytopo"]["coordinates"]
    first, second = collection["features"]
    assert first == {
        "type": "Feature",
        "geometry": {
            "type": "Polygon",
            "coordinates": [[[4, 1], [5, 1], [5, 2], [4, 2], [4, 1]]],
        },
        "properties": {
            "label": 1, "dim": 1, "birth": 4.0, "death": 7.0, "persistence": 3.0,
            "birth_pixel": [1, 3], "death_pixel": [1, 4],
        },
    }  # fmt: skip
    assert second["properties"]["label"] == 2
    assert second["geometry"]["coordinates"] == [[[1, 1], [4, 1], [4, 2], [1, 2], [1, 1]]]


def test_what_never_dies_has_a_death_of_null():
    (feature,) = feature_collection([pytopo.regions(CELLS, 0, min_persistence=1)])["features"]
    properties = feature["properties"]
    assert properties["birth_pixel"] == [0, 0]
    assert [properties[name] for name in ("death", "persistence", "death_pixel")] == [None] * 3


def test_what_lies_in_the_frame_has_no_geometry():
    image = np.array([[1, 0]])
    regions = pytopo.regions(image, 0, min_persistence=0, frame=-1)
    (feature,) = feature_collection([regions])["features"]
    assert feature["properties"]["birth_pixel"] is None
    assert feature["geometry"]["coordinates"] == [[[0, 0], [2, 0], [2, 1], [0, 1], [0, 0]]]
    nothing = np.zeros_like(regions[0])
    (feature,) = feature_collection([(nothing, regions[1])])["features"]
    assert feature["geometry"] is None


def test_parts_of_a_region_that_share_a_corner_are_a_multipolygon():
    image = np.pad(np.array([[5, 1], [1, 5]]), 1, constant_values=1)
    (feature,) = feature_collection([pytopo.regions(image, 1, min_persistence=0)])["features"]
    assert feature["geometry"] == {
        "type": "MultiPolygon",
        "coordinates": [
            [[[1, 1], [2, 1], [2, 2], [1, 2], [1, 1]]],
            [[[2, 2], [3, 2], [3, 3], [2, 3], [2, 2]]],
        ],
    }


def test_values_of_32_bits_are_written_as_short_as_they_are():
    image = np.float32([[0.1, 0.9, 0.2]])
    (feature, _) = feature_collection([pytopo.regions(image, 0, min_persistence=0)])["features"]
    assert '"birth": 0.1,' in json.dumps(feature)


@settings(max_examples=40)
@given(images().filter(lambda a: a.ndim == 2), st.booleans(), constructions, frames)
def test_every_feature_can_be_written(image, superlevel, construction, frame):
    options = {"superlevel": superlevel, "construction": construction, "frame": frame}
    labelled = [pytopo.regions(image, dim, min_persistence=1, **options) for dim in (0, 1)]
    text = json.dumps(feature_collection(labelled), allow_nan=False)
    features = json.loads(text)["features"]
    assert [f["properties"]["label"] for f in features] == [
        row + 1 for _, diagram in labelled for row in range(len(diagram))
    ]
    for feature in features:
        labels, diagram = labelled[feature["properties"]["dim"]]
        row = feature["properties"]["label"] - 1
        persistence = feature["properties"]["persistence"]
        assert (np.inf if persistence is None else persistence) == diagram.persistence[row]
        geometry = feature["geometry"] or {"type": "MultiPolygon", "coordinates": []}
        polygons = geometry["coordinates"]
        if geometry["type"] == "Polygon":
            polygons = [polygons]
        rings = [np.array(ring) for polygon in polygons for ring in polygon]
        assert np.array_equal(covered(rings, image.shape), labels == row + 1)


def test_labels_belong_to_their_diagram():
    labels, diagram = pytopo.regions(CELLS, 1, min_persistence=3)
    with pytest.raises(ValueError, match=r"labels has shape \(2, 6\), .* of shape \(3, 6\)"):
        feature_collection([(labels[:2], diagram)])
    with pytest.raises(ValueError, match="labelled is empty"):
        feature_collection([])
