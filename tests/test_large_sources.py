"""Files that are larger than memory: what is sliced, and what is refused."""

import json
import os
import pickle

import h5py
import numpy as np
import pytest
import tifffile

import pytopo.large
from pytopo.large import open_source

IMAGE = np.random.default_rng(0).integers(0, 256, (100, 130), np.uint8)


@pytest.fixture(autouse=True)
def in_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def write_zarr(name, values, version=3, **options):
    zarr = pytest.importorskip("zarr")
    zarr.create_array(name, data=values, zarr_format=version, **options)


def write_ome(name, version=2, axes="tczyx"):
    """Two channels, the second inverted, in three levels called s0, s1, s2."""
    zarr = pytest.importorskip("zarr")
    group = zarr.open_group(name, mode="w", zarr_format=version)
    levels = [np.stack([IMAGE, 255 - IMAGE])[..., ::f, ::f] for f in (1, 2, 4)]
    for k, level in enumerate(levels):
        values = level[tuple(slice(None) if a in "cyx" else None for a in axes)]
        chunks = (1,) * (values.ndim - 2) + (32, 32)
        group.create_array(f"s{k}", data=values, chunks=chunks)
    image = {
        "multiscales": [
            {
                "axes": [{"name": name} for name in axes],
                "datasets": [{"path": f"s{k}"} for k in range(3)],
            }
        ],
        "omero": {"channels": [{"label": "DAPI"}, {"label": "GFP"}]},
    }
    group.attrs.update(image if version == 2 else {"ome": image})


def refusal(path, error=ValueError, **options):
    with pytest.raises(error) as caught:
        open_source(path, **options)[:]
    text = str(caught.value)
    assert "\n" not in text
    return text


# --- what is sliced --------------------------------------------------------------------


def all_kinds():
    np.save("a.npy", IMAGE)
    with h5py.File("a.h5", "w") as file:
        volume = np.stack([IMAGE, 255 - IMAGE])
        file.create_dataset("v/raw", data=volume, chunks=(1, 32, 32), compression="gzip")
    tifffile.imwrite("tiles.tif", IMAGE, tile=(32, 32), compression="zlib")
    tifffile.imwrite("strips.tif", IMAGE, rowsperstrip=16, compression="zlib", bigtiff=True)
    tifffile.imwrite("plain.tif", IMAGE)
    return {
        "a.npy": (1, 1),
        "a.h5:/v/raw[0]": (32, 32),
        "tiles.tif": (32, 32),
        "strips.tif": (16, 130),
        "plain.tif": (1, 1),
    }


def test_slices_are_those_of_the_image():
    for path, chunks in all_kinds().items():
        source = pickle.loads(pickle.dumps(open_source(path)))  # as to another process
        assert (source.shape, source.ndim, source.dtype) == ((100, 130), 2, np.uint8)
        assert source.chunks == chunks
        for key in np.s_[10:20, 90:], np.s_[::3, 5::2], np.s_[7], np.s_[..., -1], np.s_[9:9]:
            assert np.array_equal(source[key], IMAGE[key])


def test_slices_of_an_address():
    all_kinds()
    for path in ("a.npy", "a.h5:/v/raw", "tiles.tif", "strips.tif"):
        picks = "0, 3:50:2, ::3" if ".h5" in path else "3:50:2, ::3"
        source = open_source(f"{path}[{picks}]")
        assert np.array_equal(source[2:9, 4::5], IMAGE[3:50:2, ::3][2:9, 4::5])
    assert open_source("a.h5").shape == (2, 100, 130)


@pytest.mark.parametrize("version", [2, 3])
def test_zarr_of_both_versions(version):
    write_zarr("a.zarr", IMAGE, version, chunks=(64, 32))
    source = pickle.loads(pickle.dumps(open_source("a.zarr[1:]")))
    assert source.chunks == (64, 32)
    assert np.array_equal(source[3:, ::7], IMAGE[1:][3:, ::7])


def test_the_only_array_of_a_group_needs_no_name():
    zarr = pytest.importorskip("zarr")
    group = zarr.open_group("a.zarr", mode="w")
    group.create_array("cells/raw", data=IMAGE)
    assert np.array_equal(open_source("a.zarr")[:], IMAGE)
    group.create_array("cells/truth", data=IMAGE > 9)
    assert np.array_equal(open_source("a.zarr:cells/truth")[:], IMAGE > 9)
    text = refusal("a.zarr")
    assert text == (
        "a.zarr: no array named; expected a.zarr:NAME with one of cells/raw (100, 130) uint8; "
        "cells/truth (100, 130) bool"
    )


@pytest.mark.parametrize("version", [2, 3])
def test_levels_of_ome_zarr_by_name_and_number(version):
    write_ome("a.zarr", version)
    source = open_source("a.zarr[0, 1, 0, 10:]")
    assert [level.name for level in source.levels] == ["s0", "s1", "s2"]
    assert source.levels[2].shape == (1, 2, 1, 25, 33)
    assert np.array_equal(source[:], 255 - IMAGE[10:])
    coarse = 255 - IMAGE[::2, ::2]
    for level in ("s1", 1, "1"):
        assert np.array_equal(open_source("a.zarr[:, 1]", level=level)[:], coarse)
    assert np.array_equal(source.at_level(1)[:], coarse[5:])
    assert refusal("a.zarr[0, 1]", level="s7") == (
        "a.zarr[0, 1]: no level 's7'; expected one of s0 (1, 2, 1, 100, 130), "
        "s1 (1, 2, 1, 50, 65), s2 (1, 2, 1, 25, 33)"
    )


def test_one_channel_must_be_chosen():
    write_ome("a.zarr")
    assert refusal("a.zarr") == (
        "a.zarr: shape (1, 2, 1, 100, 130), axes (t, c, z, y, x); expected one channel, like "
        "a.zarr[0, 0]; channels are DAPI, GFP"
    )
    write_ome("b.zarr", axes="cyx")
    assert "expected one channel, like b.zarr[0]" in refusal("b.zarr")
    assert np.array_equal(open_source("b.zarr[0]")[:], IMAGE)


def test_levels_of_a_tiff():
    with tifffile.TiffWriter("a.tif", bigtiff=True) as file:
        file.write(IMAGE, tile=(32, 32), subifds=1)
        file.write(IMAGE[::2, ::2], tile=(32, 32), subfiletype=1)
    source = open_source("a.tif")
    assert source.levels == (("0", (100, 130)), ("1", (50, 65)))
    assert np.array_equal(source[:], IMAGE)
    assert np.array_equal(open_source("a.tif", level="1")[:], IMAGE[::2, ::2])
    assert np.array_equal(source.at_level(1)[:], IMAGE[::2, ::2])


def test_levels_that_pillow_unpacks(monkeypatch):
    with tifffile.TiffWriter("a.tif") as file:
        file.write(IMAGE, tile=(32, 32), subifds=1, compression="zlib")
        file.write(255 - IMAGE, tile=(32, 32), subfiletype=1, compression="zlib")

    def lacks(page, *args, **options):
        raise ValueError("requires the 'imagecodecs' package")

    monkeypatch.setattr(tifffile.TiffPage, "asarray", lacks)
    source = open_source("a.tif")
    assert np.array_equal(source[:], IMAGE)
    assert np.array_equal(source.at_level(1)[:], 255 - IMAGE)


def test_a_slide_has_a_series_that_is_much_larger_than_the_others():
    colour = np.stack([IMAGE] * 3, -1)
    with tifffile.TiffWriter("slide.tif") as file:
        for k, step in enumerate((1, 8)):
            values = colour[::step, ::step]
            file.write(values, photometric="rgb", metadata=None, tile=(32, 32)[: 2 * (1 - k)])
    assert np.array_equal(open_source("slide.tif")[:], IMAGE)
    assert open_source("slide.tif:1").shape == (13, 17)
    with tifffile.TiffWriter("two.tif") as file:
        file.write(IMAGE, metadata=None)
        file.write(IMAGE[:60], metadata=None)
    assert refusal("two.tif").startswith("two.tif: no series named; expected two.tif:NAME with")


@pytest.mark.compiled
def test_the_diagram_of_a_source():
    write_ome("a.zarr")
    source = open_source("a.zarr[0, 0]")
    assert pytopo.large.persistence(source, tile=40) == pytopo.persistence(IMAGE)


def test_a_source_of_dask():
    da = pytest.importorskip("dask.array")
    all_kinds()
    array = da.from_array(open_source("tiles.tif"), chunks=40)
    assert np.array_equal(array.compute(scheduler="threads"), IMAGE)


# --- what is refused -------------------------------------------------------------------


def test_files_that_were_cut_short():
    all_kinds()
    write_zarr("a.zarr", IMAGE, chunks=(64, 64), compressors=None)
    for name in ("a.npy", "a.h5", "tiles.tif", "strips.tif", "plain.tif", "a.zarr/c/0/0"):
        with open(name, "r+b") as stream:
            stream.truncate(os.path.getsize(name) * 2 // 3)
        path = name.partition("/")[0]
        assert refusal(path).startswith(f"{path}: damaged")


def test_metadata_that_is_no_metadata():
    write_zarr("a.zarr", IMAGE)
    with open("a.zarr/zarr.json", "w") as stream:
        stream.write('{"zarr_format": 3,')
    assert refusal("a.zarr").startswith("a.zarr: damaged, or not a readable Zarr store")
    os.remove("a.zarr/zarr.json")
    assert refusal("a.zarr").endswith("not a readable Zarr store: its metadata is missing")
    for wrong in ([], [{"datasets": 3}], [{"datasets": [{"path": 4}]}], {"a": 1}, "text"):
        write_ome("b.zarr")
        with open("b.zarr/.zattrs", "w") as stream:
            json.dump({"multiscales": wrong}, stream)
        assert "its multiscales are no list of levels" in refusal("b.zarr")


def test_a_level_that_leads_out_of_the_store():
    write_zarr("secret.zarr", IMAGE)
    write_ome("b.zarr")
    for path in ("../secret.zarr", "/../secret.zarr", "nowhere"):
        with open("b.zarr/.zattrs", "w") as stream:
            json.dump({"multiscales": [{"datasets": [{"path": path}]}]}, stream)
        refusal("b.zarr[0, 0]")


def test_no_pickle_is_loaded():
    pytest.importorskip("zarr")

    class Trap:
        def __reduce__(self):
            return (open, ("sprung", "w"))

    for codecs in ({"filters": [{"id": "pickle"}]}, {"compressor": {"id": "pickle"}}):
        for dtype in ("|u1", "|O"):
            os.makedirs("trap.zarr", exist_ok=True)
            metadata = {
                "zarr_format": 2, "shape": [9, 9], "chunks": [9, 9], "dtype": dtype,
                "compressor": None, "filters": None, "fill_value": 0, "order": "C", **codecs,
            }  # fmt: skip
            with open("trap.zarr/.zarray", "w") as stream:
                json.dump(metadata, stream)
            with open("trap.zarr/0.0", "wb") as stream:
                pickle.dump(Trap(), stream)
            refusal("trap.zarr", (ValueError, TypeError))
    assert not os.path.exists("sprung")


def test_claims_that_nothing_could_hold():
    zarr = pytest.importorskip("zarr")
    zarr.create_array("a.zarr", shape=(10**12, 10**12), chunks=(100, 100), dtype="u1")
    assert "more pixels than 64-bit indices count" in refusal("a.zarr")
    zarr.create_array("b.zarr", shape=(10**8, 10**8), chunks=(10**8, 10**8), dtype="u1")
    assert "blocks of (100000000, 100000000) uint8, 10000000.0 GB each" in refusal("b.zarr")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            np.zeros((4, 4), complex),
            "holds dtype complex128; expected bool, integers or floats",
        ),
        (np.zeros(9), r"shape \(9\) has 1 axis; expected 2, or 3 for a volume"),
        (np.zeros((2, 3, 4, 5)), r"has 4 axes; expected an image of 1 to 3, take one section"),
        (np.zeros((0, 5)), r"shape \(0, 5\) is empty; expected pixels"),
    ],
)
def test_what_is_no_image(values, message):
    np.save("a.npy", values)
    with pytest.raises((ValueError, TypeError), match=message):
        open_source("a.npy")


def test_what_cannot_be_read_by_boxes():
    from PIL import Image

    Image.fromarray(IMAGE).save("a.png")
    assert refusal("a.png").endswith(
        "cannot be read tile by tile; expected Zarr, HDF5, TIFF or .npy, save it as one of them"
    )
    os.makedirs("folder")
    assert "a folder; expected a Zarr store" in refusal("folder", IsADirectoryError)
    assert "no such file" in refusal("nowhere.zarr", FileNotFoundError)
    np.save("a.npy", IMAGE)
    assert refusal("a.npy", level=1) == "a.npy: no level 1; it has one resolution"


def test_a_file_that_changes_while_it_is_read():
    np.save("a.npy", IMAGE)
    source = open_source("a.npy")
    np.save("a.npy", IMAGE[:50])
    with pytest.raises(ValueError, match=r"a\.npy: .*it has changed"):
        source[40:90]
