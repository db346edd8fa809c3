"""``pytopo diagram --regions --geojson``: the pixels of features in files."""

import argparse
import io
import json

import numpy as np
import pytest
import tifffile
from PIL import Image

import pytopo
from pytopo.cli import region_files
from pytopo.cli.main import main
from pytopo.features import feature_collection
from pytopo.images.image import open_labels

CELLS = np.float32(
    [
        [1, 1, 1, 1, 1, 1, 1],
        [1, 9, 8, 4, 7, 6, 1],
        [1, 9, 8, 3, 7, 6, 1],
        [1, 1, 1, 1, 2, 1, 1],
    ]
)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("cells.npy", CELLS)
    np.save("volume.npy", np.pad(np.full((1, 2, 3), 9.0), 1))
    np.save("row.npy", CELLS[1])
    return tmp_path


def diagram(*options, image="cells.npy"):
    return main(["diagram", image, "--no-plot", *options])


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("name", ["labels.tif", "labels.TIFF", "labels.png", "labels.npy"])
def test_a_label_image_holds_the_labels_of_the_regions(name, capsys):
    labels, _ = pytopo.regions(CELLS, 1, min_persistence=3)
    assert diagram("--dims", "1", "--min-persistence", "3", "--regions", name) == 0
    assert open_labels(name).array.tolist() == labels.tolist()
    assert f"{name}: label i is row i of the 2 holes, 0 is none" in capsys.readouterr().err


def test_labels_have_16_bits_and_are_read_by_others():
    diagram("--dims", "1", "--regions", "labels.tif")
    diagram("--dims", "1", "--regions", "labels.png")
    expected, _ = pytopo.regions(CELLS, 1, min_persistence=0)
    for found in (tifffile.imread("labels.tif"), np.array(Image.open("labels.png"))):
        assert found.dtype == np.uint16
        assert np.array_equal(found, expected)


@pytest.mark.parametrize("name", ["labels.tif", "labels.npy"])
def test_more_than_65535_labels_have_32_bits(name):
    labels = np.array([[0, 65535], [1, 65536]], np.int32)
    content = io.BytesIO(region_files._label_file(labels, name))
    found = tifffile.imread(content) if name.endswith("tif") else np.load(content)
    assert found.dtype == np.uint32
    assert np.array_equal(found, labels)


def test_a_png_holds_no_more_than_65535_labels():
    with pytest.raises(region_files.InputError, match=r"up to 65535, and there are 65536"):
        region_files._label_file(np.array([[65536]], np.int32), "labels.png")


def test_a_volume_becomes_pages():
    options = ["--dims", "2", "--frame=0", "--regions"]
    assert diagram(*options, "labels.tif", image="volume.npy") == 0
    assert diagram(*options, "labels.npy", image="volume.npy") == 0
    expected, _ = pytopo.regions(np.load("volume.npy"), 2, min_persistence=0, frame=0)
    with tifffile.TiffFile("labels.tif") as file:
        assert len(file.pages) == 3
        assert np.array_equal([page.asarray() for page in file.pages], expected)
    assert np.array_equal(np.load("labels.npy"), expected)
    assert expected.max() == 1


def test_an_image_of_one_axis_needs_no_dimension():
    assert diagram("--regions", "labels.npy", image="row.npy") == 0
    expected, _ = pytopo.regions(CELLS[1], 0, min_persistence=0)
    assert np.array_equal(np.load("labels.npy"), expected)


def test_geojson_holds_the_features_of_all_dimensions():
    options = ["--construction", "T", "--frame=0", "--min-persistence", "3"]
    assert diagram(*options, "--geojson", "cells.geojson") == 0
    with open("cells.geojson", encoding="utf-8") as stream:
        found = json.load(stream)
    choice = {"construction": "T", "frame": 0, "min_persistence": 3}
    expected = feature_collection([pytopo.regions(CELLS, dim, **choice) for dim in (0, 1)])
    assert found["features"] == expected["features"]
    assert [f["properties"]["dim"] for f in found["features"]] == [0, 1, 1]
    about = expected["pytopo"] | {"image": "cells.npy", "min_persistence": 3}
    assert found["pytopo"] == about
    assert (about["superlevel"], about["construction"], about["frame"]) == (False, "T", 0.0)


def test_the_cut_says_which_features_get_a_region():
    everything = pytopo.persistence(CELLS, 1)
    files = argparse.Namespace(regions="labels.npy", geojson="cells.geojson")
    region_files.write_regions("cells.npy", CELLS, everything, 5, files)
    expected, _ = pytopo.regions(CELLS, 1, min_persistence=5)
    assert np.array_equal(np.load("labels.npy"), expected)
    with open("cells.geojson", encoding="utf-8") as stream:
        found = json.load(stream)
    assert [f["properties"]["persistence"] for f in found["features"]] == [7]
    assert found["pytopo"]["min_persistence"] == 5


def test_geojson_without_features_is_a_collection_too():
    assert diagram("--dims", "1", "--min-persistence", "inf", "--geojson", "none.json") == 0
    with open("none.json", encoding="utf-8") as stream:
        found = json.load(stream)
    assert (found["features"], found["pytopo"]["min_persistence"]) == ([], None)


@pytest.mark.parametrize(
    ("image", "options", "message"),
    [
        ("cells.npy", ["--regions", "a.tif"],
         "--regions labels the features of one dimension; add --dims 0 (components) or "
         "--dims 1 (holes)"),
        ("volume.npy", ["--regions", "a.tif", "--dims", "1"],
         "--regions labels the features of one dimension; add --dims 0 (components) or "
         "--dims 2 (voids)"),
        ("volume.npy", ["--regions", "a.png", "--dims", "2"],
         "a.png: a .png holds one section, and volume.npy is 3 x 4 x 5; expected .tif or .npy"),
        ("row.npy", ["--regions", "a.tif"],
         "a.tif: a .tif holds rows and columns, and row.npy is 7; expected .npy"),
        ("volume.npy", ["--geojson", "a.geojson"],
         "volume.npy: an image of 3 axes has no outlines for --geojson; take a section, like "
         "IMAGE[0]"),
        ("row.npy", ["--geojson", "a.geojson"],
         "row.npy: an image of 1 axes has no outlines for --geojson; expected 2"),
        ("cells.npy", ["--geojson", "nowhere/a.geojson"], "there is no folder"),
    ],
)  # fmt: skip
def test_what_no_file_can_hold_is_refused_in_one_line(folder, capsys, image, options, message):
    before = names(folder)
    assert diagram(*options, image=image) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line
    assert names(folder) == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--regions", "a.gif"], "'a.gif' names no label image; expected an ending .tif, "),
        (["--geojson", "a.tif"], "'a.tif' names no GeoJSON file; expected an ending .geojson"),
        (["--dims", "1", "--regions", "cells.npy"], "cells.npy would overwrite IMAGE"),
        (["--dims", "1", "--regions", "a.npy", "--html", "./a.html", "--geojson", "a.json",
          "--json", "a.json"], "a.json would be written twice"),
    ],
)  # fmt: skip
def test_a_wrong_name_is_an_error_of_the_command_line(folder, capsys, options, message):
    before = names(folder)
    with pytest.raises(SystemExit) as stopped:
        diagram(*options)
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err
    assert names(folder) == before
