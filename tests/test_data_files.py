"""CREMI volumes, pairs of data sets and of pictures: what is read, and what is refused."""

import os
import pickle
from pathlib import Path

import h5py
import numpy as np
import pytest
from PIL import Image

from pytopo.data import (
    CremiVolume,
    HDF5Pair,
    ImagePairs,
    PicturePair,
    border_mask,
    open_sections,
    write_cremi,
)

RAW, IDS = "volumes/raw", "volumes/labels/neuron_ids"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def volume(shape=(4, 20, 24), seed=0):
    """Random pixels, and ids in blocks."""
    random = np.random.default_rng(seed)
    raw = random.integers(0, 256, shape, np.uint8)
    planes, height, width = shape
    blocks = random.integers(1, 6, (planes, -(-height // 5), -(-width // 4)))
    ids = blocks.repeat(5, axis=1).repeat(4, axis=2)[:, :height, :width].astype(np.uint64)
    return raw, ids


def write(path, data, attributes=None, **options):
    """Write data sets by their paths, with attributes by `path@name`."""
    with h5py.File(path, "w") as file:
        for name, array in data.items():
            file.create_dataset(name, data=array, **options)
        for place, value in (attributes or {}).items():
            name, attribute = place.split("@")
            file[name].attrs[attribute] = value


def cremi_file(path="a.h5", attributes=None, raw=None, ids=None, **options):
    made = volume()
    raw, ids = (made[0] if raw is None else raw), (made[1] if ids is None else ids)
    write(path, {RAW: raw, IDS: ids}, attributes, **options)
    return raw, ids


# ---- CREMI -------------------------------------------------------------------------------


def test_a_section_is_the_raw_plane_and_the_borders_of_its_ids():
    raw, ids = cremi_file()
    sections = CremiVolume("a.h5", border=1.5)
    assert (len(sections), sections.shape_of(2), sections.name(2)) == (
        4,
        (20, 24),
        "a.h5 section 2",
    )
    for i, (image, truth) in enumerate(sections):
        assert image.dtype == np.float32
        assert np.array_equal(image, np.float32(raw[i]) / np.float32(255))
        assert np.array_equal(truth, border_mask(ids[i], 1.5))
    assert np.array_equal(sections.neuron_ids(3, slice(2, 5)), ids[3, 2:5])


@pytest.mark.parametrize("border", [0, 1, 2.5, 7, None])
def test_a_window_has_the_membranes_of_the_whole(border):
    ids = volume()[1]
    ids[:, 8:11] = 0
    cremi_file(ids=ids)
    sections = CremiVolume("a.h5", border=border, background=0)
    whole = sections[1]
    for rows, columns in (
        (slice(0, 5), slice(0, 4)),
        (slice(7, 12), slice(9, 10)),
        (slice(15, 20), slice(20, 24)),
    ):
        image, truth = sections.read(1, rows, columns)
        assert np.array_equal(image, whole.image[rows, columns])
        assert np.array_equal(truth, whole.truth[rows, columns])


def test_chunks_and_compression_change_nothing():
    cremi_file()
    cremi_file("packed.h5", chunks=(3, 7, 5), compression="gzip")
    for plain, packed in zip(CremiVolume("a.h5"), CremiVolume("packed.h5")):
        assert np.array_equal(plain.image, packed.image)
        assert np.array_equal(plain.truth, packed.truth)


def test_a_window_leaves_other_chunks_alone():
    cremi_file(chunks=(1, 10, 12))
    damaged = bytearray(Path("a.h5").read_bytes())
    with h5py.File("a.h5") as file:
        for name in (RAW, IDS):
            chunk = file[name].id.get_chunk_info(0)
            assert chunk.chunk_offset == (0, 0, 0)
            damaged[chunk.byte_offset : chunk.byte_offset + chunk.size] = bytes(chunk.size)
    Path("a.h5").write_bytes(damaged)
    raw, _ = volume()
    sections = CremiVolume("a.h5", background=0)
    image, _ = sections.read(0, slice(12, 20), slice(14, 24))
    assert np.array_equal(image, np.float32(raw[0, 12:, 14:]) / np.float32(255))
    assert sections.read(0).image[0, 0] == 0


def test_a_border_in_nm_is_measured_in_the_resolution_of_the_file():
    _, ids = cremi_file(attributes={f"{IDS}@resolution": (40.0, 0.4, 0.8)})
    sections = CremiVolume("a.h5", border=0.9, border_unit="nm")
    assert sections.resolution == (40.0, 0.4, 0.8)
    assert np.array_equal(sections[0].truth, border_mask(ids[0], 0.9, (0.4, 0.8)))
    window = sections.read(0, slice(8, 9), slice(11, 12)).truth
    assert np.array_equal(window, sections[0].truth[8:9, 11:12])


def test_a_border_in_nm_needs_a_resolution():
    cremi_file()
    assert CremiVolume("a.h5").resolution is None
    with pytest.raises(ValueError, match=r"a\.h5:.*no attribute resolution; .* in pixels"):
        CremiVolume("a.h5", border=9, border_unit="nm")


def test_labels_of_a_part_lie_where_the_offsets_say():
    raw, _ = volume((6, 30, 32))
    _, ids = volume((4, 20, 24))
    size = {f"{RAW}@resolution": (40, 4, 4), f"{IDS}@resolution": (40, 4, 4)}
    cremi_file(raw=raw, ids=ids, attributes={**size, f"{IDS}@offset": (40.0, 20.0, 12.0)})
    write_cremi("same.h5", raw, ids, offset=(40.0, 20.0, 12.0))
    for name in ("a.h5", "same.h5"):
        sections = CremiVolume(name)
        assert (len(sections), sections.shape_of(0), sections.offset) == (
            4,
            (20, 24),
            (1, 5, 3),
        )
        image, truth = sections.read(3, slice(2, 9), slice(1, 8))
        assert np.array_equal(image, np.float32(raw[4, 7:14, 4:11]) / np.float32(255))
        assert np.array_equal(truth, border_mask(ids[3], 1)[2:9, 1:8])


def test_both_data_sets_may_have_an_offset():
    size = {f"{RAW}@resolution": (40, 4, 4)}
    raw, _ = volume((6, 30, 32))
    offsets = {f"{RAW}@offset": (80, 40, 40), f"{IDS}@offset": (120, 48, 40)}
    cremi_file(raw=raw, attributes={**size, **offsets})
    assert CremiVolume("a.h5").offset == (1, 2, 0)


@pytest.mark.parametrize(
    ("attributes", "text"),
    [
        (
            {},
            r"shape \(4, 20, 24\), the image has \(6, 30, 32\); .* attribute offset",
        ),
        ({f"{IDS}@offset": (40, 20, 12)}, "an offset and no resolution"),
        ({f"{IDS}@offset": (40, 22, 12), f"{RAW}@resolution": (40, 4, 4)}, "begin 1, 5.5, 3"),
        (
            {f"{IDS}@offset": (120, 0, 0), f"{RAW}@resolution": (40, 4, 4)},
            "expected them inside",
        ),
        (
            {f"{RAW}@offset": (40, 0, 0), f"{RAW}@resolution": (40, 4, 4)},
            "expected them inside",
        ),
        ({f"{IDS}@resolution": (40, 4, 4), f"{RAW}@resolution": (50, 4, 4)}, "resolution"),
        ({f"{IDS}@resolution": (40, 4)}, "attribute resolution is .* three numbers above 0"),
        ({f"{IDS}@resolution": (40, 4, 0)}, "attribute resolution is .* three numbers above 0"),
        ({f"{IDS}@offset": (40, np.nan, 0)}, "attribute offset is .* three numbers in nm"),
        ({f"{IDS}@offset": "here"}, "attribute offset is here; expected three numbers"),
    ],
)
def test_labels_that_lie_nowhere_in_the_image_are_refused(attributes, text):
    raw, _ = volume((6, 30, 32))
    cremi_file(raw=raw, attributes=attributes)
    with pytest.raises(ValueError, match=text):
        CremiVolume("a.h5")


@pytest.mark.parametrize(
    ("data", "error", "text"),
    [
        (
            {RAW: volume()[0]},
            ValueError,
            r"no data set 'volumes/labels/neuron_ids'; expected .*raw",
        ),
        ({IDS: volume()[1]}, ValueError, r"no data set 'volumes/raw'"),
        ({RAW: volume()[0], IDS: volume()[1][:3]}, ValueError, r"\(3, 20, 24\), the image has"),
        (
            {RAW: volume()[0][0], IDS: volume()[1]},
            ValueError,
            r"\(20, 24\); expected three axes",
        ),
        ({RAW: volume()[0][..., None], IDS: volume()[1]}, ValueError, "expected three axes"),
        ({RAW: volume()[0], IDS: volume()[1] / 2}, TypeError, "ids of dtype float64"),
        (
            {RAW: volume()[0][:0], IDS: volume()[1][:0]},
            ValueError,
            "off axis 0, which is 0 long",
        ),
        ({RAW: volume()[0] * 1j, IDS: volume()[1]}, TypeError, "dtype complex"),
    ],
)
def test_a_file_with_missing_or_misshapen_parts_is_refused(data, error, text):
    write("a.h5", data)
    with pytest.raises(error, match=text) as refused:
        CremiVolume("a.h5")
    assert "a.h5" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_float_images_must_be_in_the_unit_interval():
    raw, _ = volume()
    cremi_file(raw=raw / 255)
    assert np.array_equal(CremiVolume("a.h5")[2].image, np.float32(raw[2] / 255))
    cremi_file("wide.h5", raw=raw.astype(np.float32))
    with pytest.raises(ValueError, match=r"wide\.h5 section 1: a pixel of a float image"):
        CremiVolume("wide.h5")[1]


def test_truncated_files_are_refused():
    cremi_file()
    content = Path("a.h5").read_bytes()
    for size in (0, 7, 100, len(content) // 2, len(content) - 1):
        Path("short.h5").write_bytes(content[:size])
        with pytest.raises(ValueError, match=r"short\.h5"):
            CremiVolume("short.h5")


def test_pixels_of_other_files_are_not_followed():
    cremi_file("secret.h5")
    _, ids = volume()
    write("link.h5", {IDS: ids})
    with h5py.File("link.h5", "a") as file:
        file[RAW] = h5py.ExternalLink("secret.h5", RAW)
    write("virtual.h5", {IDS: ids})
    with h5py.File("virtual.h5", "a") as file:
        layout = h5py.VirtualLayout(ids.shape, np.uint8)
        layout[:] = h5py.VirtualSource("secret.h5", RAW, ids.shape)
        file.create_virtual_dataset(RAW, layout)
    write("external.h5", {IDS: ids})
    with h5py.File("external.h5", "a") as file:
        file.create_dataset(RAW, ids.shape, np.uint8, external=[("secret.h5", 0, ids.size)])
    for name in ("link.h5", "virtual.h5", "external.h5"):
        with pytest.raises(ValueError, match="lie in other files, which are not read"):
            CremiVolume(name)


def test_a_broken_link_is_a_missing_data_set():
    write("a.h5", {IDS: volume()[1]})
    with h5py.File("a.h5", "a") as file:
        file[RAW] = h5py.SoftLink("/nowhere")
    with pytest.raises(ValueError, match="no data set 'volumes/raw'"):
        CremiVolume("a.h5")


def test_a_link_to_another_file_is_distinguished_from_a_missing_data_set():
    write("a.h5", {IDS: volume()[1]})
    with h5py.File("a.h5", "a") as file:
        file[RAW] = h5py.ExternalLink("nowhere.h5", RAW)
    with pytest.raises(
        ValueError, match=r"lie in other files, .* name the other \(nowhere.h5:"
    ):
        CremiVolume("a.h5")


def test_a_volume_survives_pickling_and_keeps_no_file_open():
    cremi_file()
    sections = pickle.loads(pickle.dumps(CremiVolume("a.h5")))
    first = sections[0].image
    assert not [fd for fd in os.listdir("/proc/self/fd") if _leads_to(fd, "a.h5")]
    assert np.array_equal(first, CremiVolume("a.h5")[0].image)


def _leads_to(descriptor, name):
    try:
        return os.readlink(f"/proc/self/fd/{descriptor}").endswith(name)
    except OSError:
        return False


def test_a_volume_in_the_layout_made_from_real_data_is_read(real_data):
    path = real_data / "gala/gala_train_in_cremi_layout.h5"
    sections = CremiVolume(path, border=None, background=0)
    assert (len(sections), sections.shape_of(0)) == (50, (100, 200))
    image, truth = sections[7]
    assert np.array_equal(truth, sections.neuron_ids(7) == 0)
    assert image[truth].mean() < image[~truth].mean() - 0.2  # membranes are dark
    assert CremiVolume(path, background=0)[7].truth.sum() > truth.sum()


# ---- pairs of data sets ------------------------------------------------------------------


def test_a_pair_may_lie_in_two_files_and_hold_a_mask():
    raw, ids = volume()
    write("raw.h5", {"x/raw": raw})
    write("labels.h5", {"mask": np.uint8(255) * (ids > 3), "ids": ids})
    pair = HDF5Pair("raw.h5:/x/raw", "labels.h5:/mask")
    assert pair.name(1) == "raw.h5:/x/raw section 1"
    assert np.array_equal(pair.read(1, slice(3, 9)).truth, (ids > 3)[1, 3:9])
    inverted = open_sections("raw.h5:/x/raw,labels.h5:/mask", invert=True)
    assert np.array_equal(inverted[1].truth, (ids <= 3)[1])
    of_ids = open_sections("raw.h5,labels.h5:ids", ids=True, border=0)
    assert np.array_equal(of_ids[2].truth, border_mask(ids[2], 0))


@pytest.mark.parametrize(
    ("source", "options", "text"),
    [
        ("raw.h5,labels.h5", {}, "no data set named; expected .*/ids .*; /mask"),
        ("raw.h5,labels.h5:/ids", {}, r"section 0: the label holds 1 \(.* ids=True"),
        ("raw.h5[1:3],labels.h5:/ids", {}, "a slice of a volume"),
        ("raw.h5,labels.h5:/ids", {"ids": True, "invert": True}, "invert is for masks"),
        ("raw.h5,label.png", {}, "HDF5 and a picture; expected two of one kind"),
        ("label.png", {}, "not HDF5; expected a folder with image/ and label/, an HDF5 file"),
        ("raw.h5", {"invert": True}, "invert is for masks"),
    ],
)
def test_pairs_that_make_no_sense_are_refused(source, options, text):
    raw, ids = volume()
    write("raw.h5", {"raw": raw})
    write("labels.h5", {"mask": ids > 3, "ids": ids})
    Image.new("L", (24, 20)).save("label.png")
    with pytest.raises(ValueError, match=text):
        open_sections(source, **options)[0]


@pytest.mark.parametrize("source", ["gone", "gone.h5", "gone.h5:/raw,gone.h5:/ids"])
def test_what_does_not_exist_is_reported_as_missing(source):
    with pytest.raises(FileNotFoundError, match=r"gone.*: no such file"):
        open_sections(source)


# ---- folders and stacks of pictures ------------------------------------------------------


def picture_folder(names, ending="png", label=lambda image: image > 99):
    for kind in ("image", "label"):
        os.makedirs(f"pairs/{kind}", exist_ok=True)
    images = {}
    for k, name in enumerate(names):
        image = np.random.default_rng(k).integers(0, 256, (9, 12), np.uint8)
        Image.fromarray(image).save(f"pairs/image/{name}.{ending}")
        mask = np.uint8(255) * label(image)
        Image.fromarray(mask).save(f"pairs/label/{name}.png")
        images[name] = image
    return images


def test_pictures_come_in_the_order_of_their_numbers():
    images = picture_folder(["10", "2", "1", "z2", "z10", "a1b"], "tif")
    pairs = ImagePairs("pairs")
    names = [os.path.basename(pairs.name(i)) for i in range(len(pairs))]
    assert names == ["1.tif", "2.tif", "10.tif", "a1b.tif", "z2.tif", "z10.tif"]
    image, truth = pairs[2]
    assert np.array_equal(image, np.float32(images["10"]) / np.float32(255))
    assert np.array_equal(truth, images["10"] > 99)
    assert pairs.shape_of(0) == (9, 12)


def test_labels_that_mark_the_inside_are_inverted():
    images = picture_folder(["0"])
    assert np.array_equal(ImagePairs("pairs", invert=True)[0].truth, images["0"] <= 99)
    window = open_sections("pairs", invert=True).read(0, slice(2, 5), slice(7, 9))
    assert np.array_equal(window.truth, images["0"][2:5, 7:9] <= 99)


def stack(path, planes):
    first, *rest = [Image.fromarray(plane) for plane in planes]
    first.save(path, save_all=True, append_images=rest)


def test_the_pages_of_a_stack_are_sections():
    raw, ids = volume((3, 20, 24))
    stack("raw.tif", raw)
    stack("ids.tif", ids.astype(np.uint16))
    pair = open_sections("raw.tif,ids.tif", ids=True, border=1.5)
    assert (len(pair), pair.shape_of(2), pair.name(2)) == (3, (20, 24), "raw.tif page 2")
    assert np.array_equal(pair[2].image, np.float32(raw[2]) / np.float32(255))
    whole = border_mask(ids[2], 1.5)
    assert np.array_equal(pair[2].truth, whole)
    window = pair.read(2, slice(6, 11), slice(7, 9)).truth
    assert np.array_equal(window, whole[6:11, 7:9])


def test_a_picture_that_is_written_anew_is_read_anew():
    picture_folder(["0"])
    pairs = ImagePairs("pairs")
    before = pairs[0].image
    Image.fromarray(np.zeros((9, 12), np.uint8)).save("pairs/image/0.png")
    os.utime("pairs/image/0.png", ns=(1, 1))
    assert before.any()
    assert not pairs[0].image.any()


def test_an_image_without_label_is_named():
    picture_folder(["0", "1"])
    os.remove("pairs/label/1.png")
    with pytest.raises(
        ValueError, match=r"pairs/image/1.png: no picture of this name in pairs/label"
    ):
        ImagePairs("pairs")
    os.rename("pairs/image/1.png", "pairs/label/2.png")
    with pytest.raises(
        ValueError, match=r"pairs/label/2.png: no picture of this name in pairs/image"
    ):
        ImagePairs("pairs")


def test_two_pictures_of_one_name_are_refused():
    picture_folder(["0"])
    Image.new("L", (12, 9)).save("pairs/image/0.tif")
    with pytest.raises(ValueError, match=r"0.tif: there is 0.png too"):
        ImagePairs("pairs")


def test_a_folder_of_another_layout_is_refused():
    os.mkdir("pairs")
    with pytest.raises(FileNotFoundError, match="pairs/image: no such folder"):
        ImagePairs("pairs")
    os.makedirs("pairs/image")
    Path("pairs/image/.hidden.png").touch()
    Path("pairs/image/notes.txt").touch()
    with pytest.raises(ValueError, match="pairs/image: no pictures"):
        ImagePairs("pairs")


def test_pictures_of_different_shape_are_refused():
    Image.new("L", (12, 9)).save("image.png")
    Image.new("L", (9, 12)).save("label.png")
    with pytest.raises(
        ValueError, match=r"1 pages of 12 x 9 pixels, image\.png has 1 pages of 9 x"
    ):
        PicturePair("image.png", "label.png")
    stack("image.tif", [np.full((9, 12), 255, np.uint8), np.zeros((8, 12), np.uint8)])
    pair = PicturePair("image.tif", "image.tif")
    assert pair[0].image.all()
    with pytest.raises(
        ValueError, match=r"image.tif\[1\]: shape \(8, 12\); expected \(9, 12\)"
    ):
        pair[1]


def test_labels_with_more_than_two_values_are_not_masks():
    images = picture_folder(["0"], label=lambda image: image % 2)
    Image.fromarray(images["0"]).save("pairs/label/0.png")
    with pytest.raises(ValueError, match=r"pairs/label/0.png: the label holds"):
        ImagePairs("pairs")[0]
    assert ImagePairs("pairs", ids=True)[0].truth.any()


def test_damaged_pictures_are_refused():
    picture_folder(["0"])
    content = Path("pairs/image/0.png").read_bytes()
    Path("pairs/image/0.png").write_bytes(content[:20])
    with pytest.raises(ValueError, match=r"pairs/image/0.png: damaged"):
        ImagePairs("pairs")
    Path("pairs/image/0.png").write_bytes(content[:-60])
    with pytest.raises(ValueError, match=r"pairs/image/0.png: damaged"):
        ImagePairs("pairs")[0]


def test_pictures_have_no_size_in_nanometres():
    picture_folder(["0"])
    with pytest.raises(ValueError, match="pictures state no resolution"):
        open_sections("pairs", ids=True, border_unit="nm")


def test_several_sources_are_joined():
    picture_folder(["0", "1"])
    cremi_file()
    both = open_sections(["pairs", "a.h5"])
    assert [both.name(i) for i in (1, 2)] == ["pairs/image/1.png", "a.h5 section 0"]


def test_sections_of_the_challenge_of_2012_have_dark_membranes(real_data):
    pairs = ImagePairs(real_data / "isbi2012", invert=True)
    assert len(pairs) == 30
    assert [os.path.basename(pairs.name(i)) for i in (2, 10)] == ["2.png", "10.png"]
    image, truth = pairs[0]
    assert 0.2 < truth.mean() < 0.25
    assert image[truth].mean() < image[~truth].mean() - 0.2
