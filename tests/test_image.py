"""A file becomes an image: every format, every slice, and every way in which it cannot."""

import errno
import json
import os
import pickle
import struct
import subprocess
import sys
import zipfile
import zlib
from importlib.util import find_spec
from unittest.mock import Mock

import h5py
import numpy as np
import pytest
import tifffile
from PIL import Image, PngImagePlugin, TiffImagePlugin

import pytopo
from pytopo.images.image import image_shape, open_image, open_labels, read_image
from pytopo.images.readers.memory import machine_memory

LUMINANCE = "colour turned to luminance (ITU-R 601)"
NO_ALPHA = "alpha channel dropped"
BEYOND = "sample 3 of the pixels, which is beyond RGB, dropped"
CUBE = np.arange(36, dtype=np.uint8).reshape(3, 3, 4)
RAMP = CUBE[0]


@pytest.fixture(autouse=True)
def _in_tmp_path(tmp_path, monkeypatch):
    """Files are named as a user would name them: relative to where the user is."""
    monkeypatch.chdir(tmp_path)


def set_memory(monkeypatch, size):
    """Say how many bytes of memory this machine has."""
    monkeypatch.setattr(os, "sysconf", {"SC_PHYS_PAGES": size, "SC_PAGE_SIZE": 1}.get)


def same(found, expected):
    """Values, dtype and layout, all of them exactly."""
    expected = np.asarray(expected)
    assert found.dtype == expected.dtype
    assert found.dtype.isnative
    assert found.flags.c_contiguous
    assert found.flags.writeable
    assert found.flags.owndata
    assert type(found) is np.ndarray
    np.testing.assert_array_equal(found, expected)


def refusal(path, error=ValueError, read=open_image):
    """The one line with which a file is refused."""
    with pytest.raises(error) as caught:
        read(path)
    assert type(caught.value) is error
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    text = str(caught.value)
    assert text.isprintable(), text
    return text


# Files written with a library, and byte by byte where no library writes what it reads.


def save_h5(name, data_sets):
    with h5py.File(name, "w") as file:
        for path, values in data_sets.items():
            file[path] = values


def save_pages(name, pages, **options):
    first, *others = [Image.fromarray(p) if isinstance(p, np.ndarray) else p for p in pages]
    first.save(name, save_all=True, append_images=others, **options)


def write(name, content):
    with open(name, "wb") as stream:
        stream.write(content)
    return name


def overwrite(name, offset, content):
    with open(name, "r+b") as stream:
        stream.seek(offset)
        stream.write(content)


def chunk(kind, data):
    """A chunk of a PNG."""
    check = struct.pack(">I", zlib.crc32(kind + data))
    return struct.pack(">I", len(data)) + kind + data + check


def png(row, width, bits, colour_type):
    """A PNG of one row."""
    header = struct.pack(">IIBBBBB", width, 1, bits, colour_type, 0, 0, 0)
    data = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" + row))
    return b"\x89PNG\r\n\x1a\n" + data + chunk(b"IEND", b"")


def save_tiff(name, pixels, tags):
    """A TIFF with tags of our own; (H, W) or (H, W, samples)."""
    height, width, samples = (*pixels.shape, 1)[:3]
    bits = (pixels.itemsize * 8,) * samples
    sizes = {256: width, 257: height, 258: bits, 277: samples, 278: height, 279: pixels.nbytes}
    directory = TiffImagePlugin.ImageFileDirectory_v2()
    for tag, value in ({262: 1, 273: 0} | sizes | tags).items():
        directory.tagtype[tag] = 3  # 16 bits
        directory[tag] = value
    with open(name, "wb") as stream:
        directory.save(stream)
        stream.write(pixels.tobytes())


def npy_header(shape, descr="<f8", version=1):
    """The header of a .npy file that may claim anything, and no data."""
    text = str({"descr": descr, "fortran_order": False, "shape": shape}).encode()
    text = text.ljust(117) + b"\n"
    return b"\x93NUMPY" + bytes((version, 0)) + struct.pack("<H", len(text)) + text


# Scaling


@pytest.mark.parametrize(
    ("dtypes", "scaled_dtype"),
    [("uint8 int8 uint16 int16", "float32"), ("uint32 int32 uint64 int64", "float64")],
)
def test_the_range_of_an_integer_dtype_becomes_zero_to_one(dtypes, scaled_dtype):
    for dtype in dtypes.split():
        low, high = int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)
        stored = np.array([low, 10, high], dtype)
        scaled = np.array([0, (10 - low) / (high - low), 1], scaled_dtype)
        np.save("x.npy", stored)
        same(read_image("x.npy", raw=True), stored)
        same(read_image("x.npy"), scaled)
        same(read_image("x.npy[1:2]"), scaled[1:2])  # whatever else is in the image


def test_bools_become_zero_and_one():
    np.save("x.npy", np.array([[True, False]]))
    same(read_image("x.npy"), np.array([[1, 0]], np.float32))
    same(read_image("x.npy", raw=True), np.array([[True, False]]))


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "longdouble"])
def test_floats_stay_as_they_are(dtype):
    values = np.array([[-1.5, 300, np.nan, np.inf]], dtype)
    np.save("x.npy", values)
    same(read_image("x.npy"), values)


def test_big_endian_values_become_native():
    np.save("x.npy", np.array([0, 1, 65535], ">u2"))
    np.save("y.npy", np.array([0.5, 2], ">f4"))
    same(read_image("x.npy"), np.array([0, 1 / 65535, 1], np.float32))
    same(read_image("x.npy", raw=True), np.array([0, 1, 65535], np.uint16))
    same(read_image("y.npy"), np.array([0.5, 2], np.float32))


def test_64_bits_whose_scaling_would_merge_values_are_refused():
    values = np.array([[2**60 + 1, 0, 2**60]], np.uint64)
    np.save("x.npy", values)
    np.save("y.npy", np.array([[0, 1, 2]]))  # would all be one half
    text = refusal("x.npy")
    assert "1152921504606846976 and 1152921504606846977 would be one value" in text
    assert "read it as stored, with raw=True, or save fewer bits" in text
    assert "--raw" not in text  # not every command has it
    same(read_image("x.npy", raw=True), values)
    assert "range of int64, 0 and 1 would be one value" in refusal("y.npy")


def test_64_bits_that_stay_apart_are_scaled():
    np.save("x.npy", np.array([0, 1, 2**53, 2**60], np.uint64))
    np.save("y.npy", np.array([-(2**63), 0, 0, 2**62], np.int64))
    same(read_image("x.npy"), np.array([0, 1, 2**53, 2**60]) / (2.0**64 - 1))
    same(read_image("y.npy"), np.array([0, 0.5, 0.5, 0.75]))


# Addresses and slices


@pytest.mark.parametrize(
    "brackets",
    ["[1]", "[-1]", "[-2, -3]", "[0:1]", "[1:3, 1]", "[:, 1:]", "[ 0 , : , ::2 ]", "[..., 0]"]
    + ["[0, ...]", "[0, ..., -3:-1]", "[:, :, :, ...]", "[...]", "[-9:99]", "[1::5]"]
    + ["[::2, :, ::3]", "[0 : 2 : 1]", "[..., 1, :, 0]"],
)
@pytest.mark.parametrize(
    "name", ["x.npy", "x.npz", "x.npz:cube", "x.h5", "x.h5:/cube", "x.tif"]
)
def test_a_slice_means_what_it_means_in_numpy(name, brackets):
    np.save("x.npy", CUBE)
    np.savez("x.npz", cube=CUBE)
    save_h5("x.h5", {"cube": CUBE})
    save_pages("x.tif", CUBE)
    taken = CUBE[eval(f"np.s_{brackets}")]
    same(read_image(name + brackets, raw=True), taken)
    same(read_image(name + brackets), (taken / 255).astype(np.float32))


def test_a_path_object_is_an_address_too(tmp_path):
    np.save("x.npy", RAMP)
    same(read_image(tmp_path / "x.npy", raw=True), RAMP)
    same(read_image(os.fsencode(tmp_path / "x.npy"), raw=True), RAMP)


@pytest.mark.parametrize("name", ["x.npy[0]", "a:b.npy", "[0]", "x[1:2].npy", "x.npy:y[0]"])
def test_a_file_with_the_literal_name_takes_precedence(name):
    np.save("x.npy", CUBE)
    with open(name, "wb") as stream:
        np.save(stream, RAMP)
    same(read_image(name, raw=True), RAMP)
    same(read_image(f"{name}[1:]", raw=True), RAMP[1:])


def test_the_longest_name_that_exists_is_the_file():
    np.savez("a.npz", **{"b.npz:c": RAMP})
    np.savez("a.npz:b.npz", c=CUBE)
    same(read_image("a.npz:b.npz:c", raw=True), CUBE)
    os.remove("a.npz:b.npz")
    same(read_image("a.npz:b.npz:c", raw=True), RAMP)
    np.savez("x[1].npz", a=RAMP, b=CUBE)
    same(read_image("x[1].npz:b", raw=True), CUBE)
    same(read_image("x[1].npz:b[1]", raw=True), CUBE[1])


def test_an_array_file_is_read_without_pillow_and_h5py():
    np.save("x.npy", RAMP)
    code = (
        "import sys; from pytopo.images.image import read_image; read_image('x.npy')\n"
        "print(*{'PIL', 'h5py', 'numpy'} & set(sys.modules))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert run.stdout.split() == ["numpy"]


def test_the_format_is_in_the_bytes_and_not_in_the_name():
    Image.fromarray(RAMP).save("x.npy", format="png")
    with open("x.png", "wb") as stream:
        np.save(stream, RAMP)
    with h5py.File("x.mat", "w", userblock_size=2048) as file:
        file["x"] = RAMP
    overwrite("x.mat", 0, b"MATLAB 7.3 MAT-file")
    for name in ("x.npy", "x.png", "x.mat"):
        same(read_image(name, raw=True), RAMP)


@pytest.mark.parametrize(
    "entries",
    ["", "1,", "a", "b]c", "1:2:3:4", "::0", "::-1", "1.0", "..., ...", "None", "1_0", "1 0"]
    + ["+1", "٣", "9" * 5000],
)
def test_a_slice_that_is_none_is_refused(entries):
    np.save("x.npy", RAMP)
    assert f"slice [{entries}] not understood; expected integers" in refusal(
        f"x.npy[{entries}]"
    )


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("x.npy[3]", "index 3 is off axis 0, which is 3 long"),
        ("x.npy[0, -5]", "index -5 is off axis 1, which is 4 long"),
        ("x.npy[:, 0, 0]", "slice of 3 entries; what is stored has 2 axes"),
        ("x.npy[2:1]", "shape (0, 4) is empty; expected pixels"),
        ("empty.npy", "shape (3, 0, 2) is empty; expected pixels"),
        ("x.npy[0, 0]", "shape () has 0 axes; expected an image of 1 to 3, take more of it"),
        ("y.npy", "shape (1, 2, 3, 4) has 4 axes; expected an image of 1 to 3, take one"),
    ],
)
def test_a_part_that_is_no_image_is_refused(path, words):
    np.save("x.npy", RAMP)
    np.save("empty.npy", np.zeros((3, 0, 2)))
    np.save("y.npy", np.zeros((1, 2, 3, 4)))
    assert refusal(path).startswith(f"{path}: {words}")


@pytest.mark.parametrize(
    ("shape", "index", "left"),
    [((6, 40, 52, 1), ":, :, :, 0", (6, 40, 52)), ((40, 52, 1), ":, :, 0", (40, 52))]
    + [((1, 40, 52, 9), "0", (40, 52, 9)), ((2, 30, 40, 52), "0", (30, 40, 52))]
    + [((6, 40, 52, 3), ":, :, :, 0", (6, 40, 52)), ((1, 40, 52, 3), "0, :, :, 0", (40, 52))]
    + [
        ((2, 3, 4, 40, 52), "0, 0", (4, 40, 52)),
        ((1, 6, 40, 52, 1), "0, :, :, :, 0", (6, 40, 52)),
    ],
)
def test_the_advice_leads_to_an_image(shape, index, left):
    np.save("x.npy", np.zeros(shape, np.uint8))
    np.savez("x.npz", a=np.zeros(shape, np.uint8))
    save_h5("x.h5", {"a": np.zeros(shape, np.uint8)})
    for name in ("x.npy", "x.npz:a", "x.h5:/a"):
        text = refusal(name)
        assert text.endswith(f", like {name}[{index}]")
        file = open_image(f"{name}[{index}]", raw=True)
        assert file.array.shape == left
        assert file.notes == ()
        assert refusal(name, read=image_shape) == text


def test_an_axis_of_length_one_is_no_column():
    np.save("x.npy", np.zeros((40, 52, 1)))
    np.save("y.npy", np.zeros((1, 40, 52)))
    assert refusal("x.npy") == (
        "x.npy: shape (40, 52, 1) ends in an axis of length 1; expected an image without it, "
        "take one section, like x.npy[:, :, 0]"
    )
    assert open_image("y.npy").array.shape == (1, 40, 52)
    assert open_image("y.npy[:, :, 3:4]").array.shape == (1, 40, 1)  # a slice keeps its axis


def test_a_part_of_a_slice_is_advised_within_it():
    np.save("x.npy", np.zeros((9, 8, 7, 6)))
    assert refusal("x.npy[2:7:2, :, 1:]").endswith("like x.npy[2, :, 1:]")
    assert open_image("x.npy[2, :, 1:]").array.shape == (8, 6, 6)


# Files that are none


@pytest.mark.parametrize(
    ("path", "file"),
    [("none.png", "none.png"), ("none.h5:/raw[0]", "none.h5"), ("none.npz:a:b", "none.npz")]
    + [("none.tif[a]", "none.tif"), ("x]", "x]"), ("x\0.png", "x?.png"), ("", "")],
)
def test_a_missing_file_is_named(path, file):
    text = refusal(path, FileNotFoundError)
    assert (
        text == f"{file}: no such file; expected PATH or PATH:MEMBER, with an optional [slice]"
    )


@pytest.mark.parametrize("name", ["folder", "folder:/raw", "folder[0]"])
def test_a_directory_is_refused(name):
    os.mkdir("folder")
    assert refusal(name, IsADirectoryError) == "folder: a directory; expected an image file"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_is_refused_and_not_waited_for():
    os.mkfifo("pipe")
    assert "pipe: a pipe or device; expected a file, save it as one" in refusal("pipe")


def test_a_file_that_may_not_be_read_is_named(monkeypatch):
    np.save("x.npy", RAMP)
    with monkeypatch.context() as patch:
        patch.setattr(
            "builtins.open", Mock(side_effect=PermissionError(13, "Permission denied"))
        )
        text = refusal("x.npy", PermissionError)
    assert text == "x.npy: no permission to read it"


def test_what_is_no_image_is_refused():
    assert refusal(write("x.png", b"")) == "x.png: an empty file; expected an image"
    text = refusal(write("x.csv", b"1, 2, 3\n" * 100))
    assert text.startswith("x.csv: not supported: no picture of a kind that Pillow reads")
    assert "expected PNG, JPEG, TIFF or another picture, .npy, .npz or HDF5" in text


def test_what_a_terminal_would_obey_is_not_printed():
    save_h5("x.h5", {"bell\a and\nnew line \x1b[31m": RAMP, "other": RAMP})
    assert "/bell? and new line ?[31m (3, 4) uint8" in refusal("x.h5")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (
            np.zeros(2, complex),
            "dtype complex128; expected bool, integers or floats, save the m",
        ),
        (np.zeros(2, "S1"), "dtype |S1; expected bool, integers or floats, save plain numbers"),
        (np.zeros(2, "i4, f4"), "records of f0, f1; expected"),
    ],
)
def test_a_dtype_that_is_not_real_is_refused(values, words):
    np.save("x.npy", values)
    np.savez("x.npz", a=values)
    save_h5("x.h5", {"a": values})
    for path in ("x.npy", "x.npz:a[0:1]", "x.h5"):
        assert refusal(path, TypeError).startswith(f"{path}: holds {words}")


# Members


def test_array_files_and_pictures_have_no_members():
    np.save("x.npy", RAMP)
    Image.fromarray(RAMP).save("x.png")
    assert "a .npy file has no members; expected x.npy without '/raw'" in refusal("x.npy:/raw")
    assert "a PNG file has no members; expected x.png without '/raw'" in refusal(
        "x.png:/raw[0]"
    )


def test_the_only_array_of_a_file_need_not_be_named():
    np.savez_compressed("x.npz", only=RAMP)
    with h5py.File("x.h5", "w") as file:
        file["a/b/c"] = RAMP
        file.create_group("d")
    for path in ("x.npz", "x.npz:", "x.npz:only", "x.npz:only.npy", "x.h5", "x.h5:a/b/c"):
        same(read_image(path, raw=True), RAMP)


def test_one_of_many_arrays_must_be_named():
    np.savez("x.npz", first=RAMP, second=CUBE)
    expected = "expected x.npz:NAME with one of first; second"
    assert refusal("x.npz") == f"x.npz: no array named; {expected}"
    assert refusal("x.npz:third") == f"x.npz:third: no array 'third'; {expected}"
    for count, end in ((10, "a8; a9"), (13, "a8; a9 and 3 more")):
        np.savez("x.npz", **{f"a{k}": RAMP for k in range(count)})
        assert refusal("x.npz").endswith(end)


def test_one_of_many_data_sets_must_be_named():
    save_h5("x.h5", {"em/raw": CUBE, "em/labels": np.zeros((2, 3), int)})
    same(read_image("x.h5:/em/raw[1]", raw=True), CUBE[1])
    expected = "expected x.h5:NAME with one of /em/labels (2, 3) int64; /em/raw (3, 3, 4) uint8"
    assert refusal("x.h5") == f"x.h5: no data set named; {expected}"
    assert refusal("x.h5:/raw") == f"x.h5:/raw: no data set '/raw'; {expected}"
    assert f"no data set '/em'; {expected}" in refusal("x.h5:/em[0]")
    assert f"no data set '.'; {expected}" in refusal("x.h5:.")


def test_a_file_without_arrays_is_refused():
    with zipfile.ZipFile("x.docx", "w") as archive:
        archive.writestr("word.xml", "<a/>")
    with zipfile.ZipFile("empty.npz", "w"):
        pass
    with h5py.File("x.h5", "w") as file:
        file.create_group("g")
    assert refusal("x.docx") == "x.docx: no array named; the file holds none"
    assert refusal("empty.npz") == "empty.npz: no array named; the file holds none"
    assert refusal("x.h5") == "x.h5: no data set named; the file holds none"
    assert refusal("x.h5:/g") == "x.h5:/g: no data set '/g'; the file holds none"


# .npy and .npz


def test_only_the_requested_part_needs_memory(monkeypatch):
    np.save("x.npy", CUBE)
    save_pages("x.tif", CUBE)
    set_memory(monkeypatch, 24 * (1 + 4))  # as stored, and as the float32 of scaling
    for name in ("x.npy", "x.tif"):
        assert read_image(f"{name}[0:2]").shape == (2, 3, 4)
        words = "shape (3, 3, 4) of uint8 and its scaling is 0.0 GB, more than this"
        assert words in refusal(name)
        assert read_image(name, raw=True).shape == (3, 3, 4)
    set_memory(monkeypatch, 35)
    with pytest.raises(ValueError, match=r"shape \(3, 3, 4\) of uint8 is 0.0 GB, more than"):
        read_image("x.npy", raw=True)


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
@pytest.mark.parametrize("order", ["C", "F"])
def test_every_version_and_order_of_npy_is_read(version, order):
    with open("x.npy", "wb") as stream:
        np.lib.format.write_array(stream, np.array(CUBE, order=order), version)
    with zipfile.ZipFile("x.npz", "w") as archive:
        archive.write("x.npy", "a.npy")
    same(read_image("x.npy", raw=True), CUBE)
    same(read_image("x.npz", raw=True), CUBE)


def test_a_header_from_python_2_is_read_without_a_warning():
    header = npy_header((3, 4), "|u1").replace(b"(3, 4)}  ", b"(3L, 4L)}")
    same(read_image(write("x.npy", header + RAMP.tobytes()), raw=True), RAMP)


def test_python_objects_are_never_unpickled():
    with open("x.npy", "wb") as stream:
        np.save(stream, np.array([None, {}]), allow_pickle=True)
    np.savez("x.npz", a=np.array([None, {}]))
    for name in ("x.npy", "x.npz"):
        assert "holds Python objects; pickle is never loaded" in refusal(name, TypeError)
    write("pickle.npy", pickle.dumps(RAMP))
    assert "not supported: no picture" in refusal("pickle.npy")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (npy_header((3, 4))[:50], "EOF: reading array header"),
        (b"\x93NUMPY", "EOF: reading magic string"),
        (npy_header((3, 4), version=9), "version (9, 0) of the format is unknown"),
        (npy_header((3, -1)), "the header claims shape (3, -1)"),
        (npy_header("three"), "shape is not valid"),
        (npy_header((3, 4), descr="<q77"), "descr is not a valid dtype"),
        (b"\x93NUMPY\1\0\4\0{[(\n", "EOF in multi-line statement"),
        (b"\x93NUMPY\1\0\4\0a b\n", "Cannot parse header"),
    ],
)
def test_a_damaged_npy_header_is_refused(content, words):
    text = refusal(write("x.npy", content))
    assert text.startswith("x.npy: damaged, or not a readable .npy file: ")
    assert words in text


def test_fewer_bytes_than_the_header_claims_are_refused_before_they_are_read():
    write("x.npy", npy_header((2000, 2000)) + b"\0" * 80)
    with zipfile.ZipFile("x.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write("x.npy", "a.npy")
    for path in ("x.npy[0]", "x.npz"):
        text = refusal(path)
        assert "shape (2000, 2000) of float64 takes 32000000 bytes, 80 are there" in text


def test_an_archive_is_unpacked_whatever_the_slice(monkeypatch):
    np.savez_compressed("x.npz", a=CUBE)
    set_memory(monkeypatch, 35)
    text = refusal("x.npz[0]")
    assert (
        "shape (3, 3, 4) of uint8 and its scaling is 0.0 GB, more than this machine's 0.0 GB"
        in text
    )
    assert text.endswith("save it as .npy or HDF5 and take a slice")


def test_a_damaged_archive_is_refused():
    damaged = "x.npz: damaged, or not a readable .npz archive: "
    np.savez("x.npz", a=np.zeros(1000, np.uint8))
    overwrite("x.npz", 600, b"\1")
    assert refusal("x.npz").startswith(f"{damaged}Bad CRC-32")
    os.truncate("x.npz", 200)
    assert refusal("x.npz").startswith(f"{damaged}File is not a zip file")
    np.savez_compressed("x.npz", a=np.arange(1000))
    overwrite("x.npz", 60, b"\xff" * 100)
    assert refusal("x.npz").startswith(f"{damaged}Error -3")
    with zipfile.ZipFile("x.npz", "w") as archive:
        archive.writestr("a.npy", b"something else")
    assert refusal("x.npz").startswith(f"{damaged}the magic string is not correct")


# HDF5


@pytest.fixture
def enormous():
    """An HDF5 file of 8 million GB, no byte of it written."""
    with h5py.File("x.h5", "w") as file:
        file.create_dataset("x", (10**6, 10**6, 10**3), "f8", chunks=(100, 100, 1), fillvalue=7)
    return "x.h5:/x"


def test_a_part_of_a_data_set_larger_than_the_memory_is_read(enormous):
    same(read_image(f"{enormous}[5, 3:5, -2:]"), np.full((2, 2), 7.0))
    text = refusal(enormous)
    assert "shape (1000000, 1000000, 1000) of float64 is 8000000.0 GB, more than this" in text
    assert text.endswith("take one section, like x.h5:/x[0]")


def test_a_machine_that_hides_its_memory_is_taken_to_have_enough(enormous, monkeypatch):
    monkeypatch.delattr(os, "sysconf")
    monkeypatch.setattr("pytopo.images.readers.memory.LIMITS", ())
    monkeypatch.setattr("pytopo.images.readers.memory.SMALL_ENOUGH", 2**63)
    assert refusal(enormous).startswith("x.h5:/x: Unable to allocate 7.11 PiB")


@pytest.mark.parametrize(("limit", "memory"), [("8000\n", 8000), ("max\n", 9000), (None, 9000)])
def test_a_container_has_the_memory_that_it_is_left(monkeypatch, limit, memory):
    if limit is not None:
        write("memory.max", limit.encode())
    set_memory(monkeypatch, 9000)
    monkeypatch.setattr("pytopo.images.readers.memory.LIMITS", ("no/limit", "memory.max"))
    assert machine_memory() == memory


def test_a_link_is_followed_if_it_leads_to_a_data_set():
    with h5py.File("x.h5", "w") as file:
        file["raw"] = RAMP
        file["good"] = h5py.SoftLink("/raw")
        file["soft"] = h5py.SoftLink("/nowhere")
        file["far"] = h5py.ExternalLink("none.h5", "/raw")
        file["round"] = h5py.SoftLink("/round")
        file["type"] = np.dtype("f8")
        file["loop/back"] = file["/"]
    same(read_image("x.h5", raw=True), RAMP)
    same(read_image("x.h5:/good", raw=True), RAMP)
    for member in ("soft", "round", "type", "raw/more", "\0"):
        assert "expected x.h5:NAME with one of /raw (3, 4) uint8" in refusal(f"x.h5:/{member}")


def test_a_data_set_of_a_type_without_a_word_in_numpy_is_listed():
    with h5py.File("x.h5", "w") as file:
        file["raw"] = RAMP
        space = h5py.h5s.create_simple((2,))
        h5py.h5d.create(file.id, b"time", h5py.h5t.UNIX_D32LE, space)
    assert "/time of unknown type" in refusal("x.h5")
    assert "damaged, or not a readable data set: " in refusal("x.h5:/time")


@pytest.mark.parametrize("member", ["external", "virtual", "linked", "linked_group/raw"])
def test_pixels_in_another_file_are_not_read(member):
    save_h5("other.h5", {"group/raw": RAMP})
    write("secret", bytes(range(12)))
    layout = h5py.VirtualLayout((3, 4), "u1")
    layout[:] = h5py.VirtualSource(".", "external", (3, 4))
    with h5py.File("x.h5", "w") as file:
        file.create_dataset("external", (3, 4), "u1", external=[("secret", 0, 12)])
        file.create_virtual_dataset("virtual", layout)
        file["linked"] = h5py.ExternalLink("other.h5", "/group/raw")
        file["linked_group"] = h5py.ExternalLink("other.h5", "/group")
    text = refusal(f"x.h5:/{member}")
    assert (
        "its pixels lie in other files, which are not read; expected them in this one" in text
    )


@pytest.mark.parametrize("by", ["labels", "axistags"])
def test_channels_that_hdf5_names_are_not_taken_for_planes(by):
    with h5py.File("x.h5", "w") as file:
        for name in ("cyx", "zcyx", "zyx"):
            data_set = file.create_dataset(name, data=np.zeros((5, 6, 7, 8)[-len(name) :]))
            if by == "axistags":  # of ilastik
                axes = [{"key": letter, "typeFlags": 1} for letter in name]
                data_set.attrs["axistags"] = json.dumps({"axes": axes})
                continue
            for dim, letter in zip(data_set.dims, name):
                dim.label = "channel" if letter == "c" else letter
    assert refusal("x.h5:cyx") == (
        "x.h5:cyx: shape (6, 7, 8), axes (C, Y, X), has channels; expected an image of one, "
        "take one channel, like x.h5:cyx[0], or x.h5:cyx[0:6] if they are planes"
    )
    assert refusal("x.h5:zcyx").endswith("take one channel, like x.h5:zcyx[:, 0]")
    assert open_image("x.h5:zcyx[:, 1]").array.shape == (5, 7, 8)
    assert open_image("x.h5:cyx[0:6]").array.shape == (6, 7, 8)
    assert open_image("x.h5:zyx").array.shape == (6, 7, 8)
    with h5py.File("x.h5", "a") as file:
        file["zyx"].attrs["axistags"] = "not what ilastik writes"
    assert open_image("x.h5:zyx").notes == ()


def test_links_to_other_files_are_listed_and_not_opened(tmp_path):
    os.mkfifo("pipe")  # to open it is to wait for ever
    with h5py.File("x.h5", "w") as file:
        file["far"] = h5py.ExternalLink("pipe", "/raw")
        file["soft"] = h5py.SoftLink("/far/more")
        file["group/up"] = h5py.SoftLink("/soft")
    assert refusal("x.h5") == (
        "x.h5: no data set named; the file holds none of its own, only links to other files, "
        "which are not read: /far -> pipe:/raw"
    )
    assert "name the other (pipe:/raw) or copy them" in refusal("x.h5:/far")
    for member in ("far/more", "soft", "group/up"):
        assert "name the other (pipe:/raw/more) or copy them" in refusal(f"x.h5:{member}")
    with h5py.File("x.h5", "a") as file:
        file["raw"] = RAMP
    assert refusal("x.h5:/none").endswith(
        "with one of /raw (3, 4) uint8; and links to other files, which are not read: /far -> "
        "pipe:/raw"
    )
    same(read_image("x.h5", raw=True), RAMP)


def filtered(name, number, mask=0):
    """A data set of one chunk that claims to be compressed with a filter by its number."""
    with h5py.File(name, "w") as file:
        properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        properties.set_chunk((3, 4))
        properties.set_filter(number, h5py.h5z.FLAG_OPTIONAL, (3,))
        space = h5py.h5s.create_simple((3, 4))
        h5py.h5d.create(file.id, b"raw", h5py.h5t.NATIVE_UINT8, space, properties)
        file["raw"].id.write_direct_chunk((0, 0), RAMP.tobytes(), mask)


@pytest.mark.skipif(find_spec("hdf5plugin") is not None, reason="hdf5plugin is installed")
@pytest.mark.parametrize(
    ("number", "name"), [(32015, "Zstandard"), (32001, "Blosc"), (307, "bzip2"), (32017, "SZ")]
)
def test_a_compression_that_is_lacking_is_named(number, name):
    filtered("x.h5", number)
    assert refusal("x.h5") == (
        f"x.h5: not available: its compression {name} (filter {number}); pip install hdf5plugin"
    )
    assert image_shape("x.h5") == (3, 4)


def test_a_compression_that_nobody_knows_is_named_by_its_number():
    filtered("x.h5", 40404)
    text = refusal("x.h5")
    assert "not available: its compression an unregistered filter (filter 40404); write" in text
    filtered("x.h5", 40404, mask=1)  # a chunk that it left alone
    same(read_image("x.h5", raw=True), RAMP)


def test_a_package_of_filters_is_used_if_it_is_there(monkeypatch):
    filtered("x.h5", 32015)
    package = Mock()
    monkeypatch.setitem(sys.modules, "hdf5plugin", package)
    available = Mock(side_effect=[False, True])
    monkeypatch.setattr("h5py.h5z.filter_avail", available)
    assert "damaged, or not a readable data set" in refusal("x.h5")  # no lack, so damage
    assert available.call_count == 2


def test_a_locked_file_says_so():
    save_h5("x.h5", {"raw": RAMP})
    code = "import h5py; f = h5py.File('x.h5', 'a'); print('open', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as writer:
        writer.stdout.readline()
        text = refusal("x.h5")
        writer.communicate("\n")
    assert text == (
        "x.h5: locked: another program has it open for writing, or did not close it; close it "
        "there, or copy the file and read the copy"
    )
    same(read_image("x.h5", raw=True), RAMP)


def test_bools_big_endian_and_enumerated_data_sets_are_read():
    enum = h5py.enum_dtype({"no": 0, "yes": 200}, "u1")
    save_h5("x.h5", {"bool": RAMP > 5, "big": RAMP.astype(">f4"), "enum": RAMP.astype(enum)})
    same(read_image("x.h5:/bool"), (RAMP > 5).astype(np.float32))
    same(read_image("x.h5:/bool", raw=True), RAMP > 5)
    same(read_image("x.h5:/big"), RAMP.astype(np.float32))
    found = read_image("x.h5:/enum", raw=True)
    same(found, RAMP)
    assert found.dtype.metadata is None


def test_a_data_set_without_pixels_or_numbers_is_refused():
    save_h5("x.h5", {"null": h5py.Empty("f4"), "scalar": 3.0, "text": ["of", "any length"]})
    assert "shape (0) is empty" in refusal("x.h5:/null")
    assert "shape () has 0 axes" in refusal("x.h5:/scalar")
    assert "holds dtype object; expected" in refusal("x.h5:/text", TypeError)


def test_a_damaged_hdf5_file_is_refused():
    with h5py.File("x.h5", "w") as file:
        data_set = file.create_dataset("x", data=np.arange(1000), compression="gzip")
        damaged = data_set.id.get_chunk_info(0)
    overwrite("x.h5", damaged.byte_offset, b"\xff" * damaged.size)
    assert refusal("x.h5").startswith("x.h5: damaged, or not a readable data set: Can't")
    for size in (os.path.getsize("x.h5") // 2, 8):
        os.truncate("x.h5", size)
        assert refusal("x.h5").startswith("x.h5: damaged, or not a readable HDF5 file: Unable")


# Pictures: grey


@pytest.mark.parametrize(
    ("dtype", "names"),
    [("bool", "x.png x.tif"), ("uint8", "x.png x.bmp x.pgm x.tga x.tif")]
    + [("<u2", "x.png x.tif"), (">u2", "x.tif"), ("int32", "x.tif"), ("float32", "x.tif")],
)
def test_grey_is_read_as_it_was_saved(dtype, names):
    values = RAMP.astype(dtype)
    for name in names.split():
        Image.fromarray(values).save(name)
        file = open_image(name, raw=True)
        same(file.array, values.astype(values.dtype.newbyteorder("=")))
        assert file.notes == ()


def test_a_png_of_few_bits_is_spread_over_eight():
    write("x.png", png(b"\x1b", 4, 2, 0))
    write("y.png", png(b"\x01\x23", 4, 4, 0))
    same(read_image("x.png", raw=True), np.array([[0, 85, 170, 255]], np.uint8))
    same(read_image("y.png", raw=True), np.array([[0, 17, 34, 51]], np.uint8))


@pytest.mark.parametrize(
    ("dtype", "sample_format"),
    [("uint8", 1), ("int8", 2), ("uint16", 1), ("int16", 2), ("uint32", 1), ("int32", 2)]
    + [("float32", 3)],
)
def test_a_tiff_keeps_its_dtype(dtype, sample_format):
    values = np.array([[0, 1, 100], [-1, -100, 127]]).astype(dtype)
    save_tiff("x.tif", values, {339: sample_format})
    same(read_image("x.tif", raw=True), values)


def test_sixteen_bits_are_uint16_however_pillow_keeps_them(monkeypatch):
    monkeypatch.setitem(PngImagePlugin._MODES, (16, 0), ("I", "I;16B"))  # before version 11
    raw = struct.pack(">2H", 258, 1000)
    write("x.png", png(raw, 2, 16, 0))
    write("x.pgm", b"P5 2 1 65535\n" + raw)
    write("1000.pgm", b"P5 2 1 1000\n" + raw)
    same(read_image("x.png", raw=True), np.array([[258, 1000]], np.uint16))
    same(read_image("x.pgm", raw=True), np.array([[258, 1000]], np.uint16))
    file = open_image("1000.pgm", raw=True)
    same(file.array, np.array([[16908, 65535]], np.uint16))
    assert file.notes == ("values of 0 to 1000 (maxval) stretched to 0 to 65535",)
    same(open_labels("1000.pgm").array, np.array([[258, 1000]], np.uint16))


def test_integers_of_other_formats_are_int32():
    cards = ["SIMPLE  = T", "BITPIX  = 32", "NAXIS   = 2", "NAXIS1  = 2", "NAXIS2  = 1", "END"]
    header = "".join(card.ljust(80) for card in cards).ljust(2880).encode()
    write("x.fits", header + struct.pack(">2i", -5, 70_000).ljust(2880, b"\0"))
    same(read_image("x.fits", raw=True), np.array([[-5, 70_000]], np.int32))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("compression", [None, "tiff_lzw"])
def test_orientation_of_a_tiff_is_not_applied(orientation, compression):
    tags = {274: orientation}
    Image.fromarray(RAMP).save("x.tif", tiffinfo=tags, compression=compression)
    same(read_image("x.tif", raw=True), RAMP)
    save_pages("y.tif", CUBE, tiffinfo=tags)
    same(read_image("y.tif", raw=True), CUBE)
    same(read_image("y.tif[1, 2]", raw=True), CUBE[1, 2])


def test_orientation_of_a_jpeg_is_not_applied():
    exif = Image.Exif()
    exif[274] = 6
    Image.fromarray(np.full((8, 16), 51, np.uint8)).save("x.jpg", exif=exif)
    same(read_image("x.jpg"), np.full((8, 16), 0.2, np.float32))


# Pictures: colour


def luminance(red, green, blue):
    """ITU-R 601 in the fixed-point numbers of Pillow."""
    return (19595 * red + 38470 * green + 7471 * blue + 2**15) >> 16


def test_colour_becomes_luminance():
    pixels = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [9, 99, 199]]], np.uint8)
    for name in ("x.png", "x.tif", "x.bmp", "x.ppm"):
        Image.fromarray(pixels).save(name)
        file = open_image(name, raw=True)
        same(file.array, np.array([[76, 150, 29, 83]], np.uint8))
        assert file.notes == (f"RGB {LUMINANCE}",)


@pytest.mark.parametrize(
    ("mode", "name", "colour", "grey", "notes"),
    [
        ("RGBA", "x.png", (10, 20, 30, 0), 18, [f"RGB {LUMINANCE}", NO_ALPHA]),
        ("RGBX", "x.tif", (10, 20, 30, 0), 18, [f"RGB {LUMINANCE}", BEYOND]),
        ("LA", "x.png", (77, 3), 77, [NO_ALPHA]),
        ("CMYK", "x.tif", (0, 0, 0, 55), 200, [f"CMYK {LUMINANCE}"]),
        ("CMYK", "x.jpg", (0, 0, 0, 55), 200, [f"CMYK {LUMINANCE}"]),
        ("YCbCr", "x.tif", (77, 1, 250), 77, [f"YCbCr {LUMINANCE}"]),
        ("LAB", "x.tif", (77, 1, 250), 77, ["LAB colour turned to its lightness"]),
        ("P", "x.png", 0, 18, [f"palette {LUMINANCE}"]),
        ("PA", "x.tif", (0, 9), 18, [f"palette {LUMINANCE}", NO_ALPHA]),
    ],
)
def test_every_mode_becomes_grey_and_says_how(mode, name, colour, grey, notes):
    page = Image.new(mode, (9, 8), colour)
    if mode in ("P", "PA"):
        page.putpalette([10, 20, 30, 1, 2, 3])
    page.save(name)
    file = open_image(name, raw=True)
    same(file.array, np.full((8, 9), grey, np.uint8))
    assert list(file.notes) == notes


def test_alpha_and_transparent_colours_are_dropped_with_a_note_and_without_a_warning():
    save_tiff("multiplied.tif", np.array([[[50, 128], [100, 255]]], np.uint8), {338: 1})
    page = Image.fromarray(RAMP)
    page.save("grey.png", transparency=3)
    page.putpalette(bytes(range(256)) * 3)  # 0 1 2, 3 4 5, 6 7 8, ...
    page.save("palette.png", transparency=bytes(range(12)))
    for name, notes, values in (
        ("multiplied.tif", (NO_ALPHA,), np.array([[50, 100]], np.uint8)),
        ("grey.png", (NO_ALPHA,), RAMP),
        ("palette.png", (f"palette {LUMINANCE}", NO_ALPHA), RAMP * 3 + 1),
    ):
        file = open_image(name, raw=True)
        same(file.array, values)
        assert file.notes == notes


def test_sixteen_bits_a_channel_are_reduced_to_eight_and_say_so():
    colour, grey = (0x1280, 0x3400, 0x56FF), (0x3412, 0)
    write("rgb.png", png(struct.pack(">3H", *colour), 1, 16, 2))
    write("rgba.png", png(struct.pack(">4H", *colour, 0), 1, 16, 6))
    write("la.png", png(struct.pack(">2H", *grey), 1, 16, 4))
    reduced = "16 bits per channel reduced to 8 by Pillow"
    for name, values, notes in (
        ("rgb.png", (0x12, 0x34, 0x56), (f"RGB {LUMINANCE}", reduced)),
        ("rgba.png", (0x12, 0x34, 0x56), (f"RGB {LUMINANCE}", NO_ALPHA, reduced)),
        ("la.png", (0x34, 0x34, 0x34), (f"RGB {LUMINANCE}", NO_ALPHA, reduced)),
    ):
        file = open_image(name, raw=True)
        assert file.array.item() == luminance(*values)
        assert file.notes == notes


@pytest.mark.parametrize(
    ("shape", "looks"),
    [((5, 9, 3), 1), ((9, 5, 4), 1), ((9, 9, 2), 1), ((4, 9, 3), 0), ((9, 4, 3), 0)]
    + [((9, 9, 5), 0), ((9, 3), 0)],
)
def test_an_array_that_looks_like_colour_is_a_volume_and_says_so(shape, looks):
    np.save("x.npy", np.zeros(shape))
    file = open_image("x.npy")
    assert file.array.shape == shape
    doubt = (
        f"shape {shape} taken as a volume; if its last axis is colour, take one channel, like "
        "x.npy[..., 0]"
    )
    assert file.notes == (doubt,) * looks
    assert open_image("x.npy[..., 0]").notes == ()


def test_python_is_warned_of_what_was_done():
    Image.new("RGBA", (3, 2), "blue").save("x.png")
    with pytest.warns(pytopo.InputWarning) as said:
        image = read_image("x.png", raw=True)
    assert [str(w.message) for w in said] == [f"x.png: RGB {LUMINANCE}", f"x.png: {NO_ALPHA}"]
    assert {w.filename for w in said} == {__file__}
    same(image, np.full((2, 3), 29, np.uint8))
    assert open_image("x.png").notes == (f"RGB {LUMINANCE}", NO_ALPHA)  # which does not warn


MASK = np.zeros((6, 7), np.uint8)
MASK[2:4] = 255
HINT = (
    "it differs from pixel to pixel and the colour does not: a mask seems to lie in the alpha"
)


@pytest.mark.parametrize("name", ["x.png", "x.tif"])
def test_a_mask_in_colour_is_pointed_out(name):
    Image.fromarray(np.dstack([MASK, MASK // 2, MASK * 0])).save(name)
    grey = luminance(255, 127, 0)
    file = open_image(name, raw=True)
    assert np.unique(file.array).tolist() == [0, grey]
    assert file.notes == (
        f"RGB {LUMINANCE}",
        f"a mask in colour: luminance makes {grey} of its (255, 127, 0)",
    )
    file = open_labels(name)
    same(file.array, np.where(MASK > 0, 255 * 65536 + 127 * 256, 0).astype(np.uint32))
    assert file.notes == (IDS,)
    Image.fromarray(np.dstack([MASK] * 3)).save(name)
    assert open_image(name).notes == (f"RGB {LUMINANCE}",)


@pytest.mark.parametrize(("channels", "name"), [(3, "x.png"), (1, "x.png"), (3, "x.tif")])
def test_a_mask_in_the_alpha_channel_is_pointed_out(channels, name):
    Image.fromarray(np.dstack([MASK * 0] * channels + [MASK])).save(name)
    file = open_image(name)
    assert not file.array.any()
    assert file.notes[-1].startswith(f"{NO_ALPHA}; {HINT}")
    file = open_labels(name)
    same(file.array, MASK * 0)
    (note,) = file.notes
    assert note.startswith(f"{NO_ALPHA}: 28 of 42 pixels are not opaque; {HINT}")


# Labels

IDS = "RGB colours read as ids, red * 65536 + green * 256 + blue"


@pytest.mark.parametrize("name", ["x.png", "x.tif", "x.bmp", "x.gif"])
def test_a_palette_label_is_its_indices(name):
    indices = np.array([[0, 1, 2], [2, 1, 0]], np.uint8)
    page = Image.fromarray(indices)
    page.putpalette([0, 0, 0, 200, 0, 0, 0, 100, 50])
    page.save(name)
    same(open_labels(name).array, indices)
    assert open_labels(name).notes == ()
    assert open_image(name).notes[0] == f"palette {LUMINANCE}"


def test_colours_of_labels_stay_apart():
    red, green = (255, 0, 0), (0, 130, 0)
    assert luminance(*red) == luminance(*green) == 76
    pixels = np.array([[red, green, (0, 0, 0)], [(0, 0, 1), (0, 1, 0), green]], np.uint8)
    ids = np.array([[255 << 16, 130 << 8, 0], [1, 256, 130 << 8]], np.uint32)
    for name in ("x.png", "x.tif", "x.bmp", "x.ppm", "x.webp"):
        Image.fromarray(pixels).save(name, **({"lossless": True} if name == "x.webp" else {}))
        file = open_labels(name)
        same(file.array, ids)
        assert file.notes == (IDS,)
        same(open_labels(f"{name}[1, ::2]").array, ids[1, ::2])
    opaque = np.dstack([pixels, np.full((2, 3), 255, np.uint8)])
    Image.fromarray(opaque).save("x.png")
    assert open_labels("x.png").notes == (IDS,)
    opaque[0, 1, 3] = 7
    Image.fromarray(opaque).save("x.png")
    same(open_labels("x.png").array, ids)
    assert open_labels("x.png").notes == (IDS, f"{NO_ALPHA}: 1 of 6 pixels are not opaque")


def test_grey_that_was_saved_as_colour_is_that_grey():
    for mode, name in (("RGB", "x.png"), ("RGBA", "x.png"), ("LA", "x.png"), ("RGB", "x.tif")):
        Image.fromarray(RAMP).convert(mode).save(name)
        file = open_labels(name)
        same(file.array, RAMP)
        assert file.notes == ()


def test_colour_labels_of_16_bits_keep_all_of_them():
    colour = (0x1280, 0x3400, 0x56FF)
    ids = np.array([[(0x1280 << 32) + (0x3400 << 16) + 0x56FF]], np.uint64)
    write("rgb.png", png(struct.pack(">3H", *colour), 1, 16, 2))
    write("rgba.png", png(struct.pack(">4H", *colour, 65535), 1, 16, 6))
    write("la.png", png(struct.pack(">2H", 0x3412, 0), 1, 16, 4))
    for name in ("rgb.png", "rgba.png"):
        file = open_labels(name)
        same(file.array, ids)
        assert file.notes == (
            "RGB colours read as ids, red * 4294967296 + green * 65536 + blue",
        )
    assert "grey and alpha of 16 bits, of which Pillow reads 8" in refusal(
        "la.png", read=open_labels
    )


def test_labels_that_are_integers_are_as_stored():
    ids = np.array([[0, -1, 2**40]])
    np.save("x.npy", ids)
    same(open_labels("x.npy").array, ids)
    Image.fromarray(np.array([[0, 1, 300]], np.uint16)).save("x.png")
    same(open_labels("x.png").array, np.array([[0, 1, 300]], np.uint16))


def test_labels_of_a_lossy_picture_are_doubtful():
    Image.fromarray(MASK).save("x.jpg")
    (note,) = open_labels("x.jpg").notes
    assert note.startswith("JPEG blurs what it stores")
    assert open_image("x.jpg").notes == ()


# Shapes from headers


def test_the_shape_is_known_without_decoding(monkeypatch):
    np.save("x.npy", CUBE)
    np.savez("x.npz", cube=CUBE)
    save_h5("x.h5", {"cube": CUBE})
    save_pages("x.tif", CUBE, compression="tiff_lzw")
    save_pages("x.png", CUBE)
    Image.new("RGB", (4, 3)).save("flat.jpg")
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", Mock(side_effect=AssertionError))
    for name in ("x.npy", "x.npz", "x.h5", "x.tif", "x.png"):
        assert image_shape(name) == (3, 3, 4)
        assert image_shape(f"{name}[1, 1:]") == (2, 4)
        assert "index 3 is off axis 0" in refusal(f"{name}[3]", read=image_shape)
    assert image_shape("flat.jpg") == (3, 4)


# Formats that are not read


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("x.nii", bytes(344) + b"n+1\0", "a NIfTI volume; convert it with nibabel"),
        ("x.nii.gz", b"\x1f\x8b" + bytes(9), "a NIfTI volume compressed with gzip; convert"),
        ("x.gz", b"\x1f\x8b" + bytes(9), "a file compressed with gzip; unpack it with gunzip"),
        ("IM1", bytes(128) + b"DICM", "a DICOM file; convert it with pydicom"),
        ("x.mrc", bytes(208) + b"MAP " + bytes(900), "an MRC volume; convert it with mrcfile"),
        ("x.mat", b"MATLAB 5.0 MAT-file", "a MATLAB 5 file; convert it with SciPy"),
        ("x.pt", pickle.dumps({}), "a PyTorch file (a pickle, which is never loaded); save"),
        ("x.czi", b"ZISRAWFILE" + bytes(9), "a Zeiss CZI file; convert it with czifile"),
        ("x.dm3", b"\0\0\0\3" + bytes(99), "a Gatan DigitalMicrograph file; export it as TIFF"),
    ],
)
def test_a_format_that_is_not_read_is_named_with_what_converts_it(name, content, words):
    assert refusal(write(name, content)).startswith(f"{name}: not supported: {words}")


def test_an_archive_of_torch_is_named():
    with zipfile.ZipFile("x.pth", "w") as archive:
        archive.writestr("x/data.pkl", b"")
    assert refusal("x.pth").startswith("x.pth: not supported: a PyTorch file")


def test_a_zarr_store_is_named():
    os.makedirs("x.zarr/0")
    os.makedirs("plain")
    write("plain/.zgroup", b"{}")
    for name in ("x.zarr", "x.zarr:/0[1]", "plain"):
        text = refusal(name, IsADirectoryError)
        assert text.partition(": ")[2].startswith("not supported: a Zarr store; `pytopo d")


# Pictures: pages


@pytest.fixture
def stack():
    """Three pages of 16 bits, (3, 2, 5)."""
    values = np.arange(30, dtype=np.uint16).reshape(3, 2, 5) * 1000
    save_pages("stack.tif", values)
    return values


def test_several_pages_are_a_volume_and_a_single_page_is_not(stack):
    same(read_image("stack.tif", raw=True), stack)
    same(read_image("stack.tif"), (stack / 65535).astype(np.float32))
    save_pages("x.tif", [RAMP])
    same(read_image("x.tif[1]", raw=True), RAMP[1])


@pytest.mark.parametrize(("brackets", "damaged"), [("[1]", [0, 2]), ("[::2]", [1])])
@pytest.mark.parametrize("compression", ["tiff_deflate", "tiff_lzw"])
def test_only_the_requested_pages_are_decoded(brackets, damaged, compression):
    values = np.arange(3 * 40 * 50, dtype=np.uint16).reshape(3, 40, 50)
    save_pages("x.tif", values, compression=compression)
    with tifffile.TiffFile("x.tif") as file:
        places = [(p.dataoffsets[0], p.databytecounts[0]) for p in file.pages]
    for number in damaged:
        overwrite("x.tif", places[number][0], b"\xff" * places[number][1])
    same(read_image(f"x.tif{brackets}", raw=True), values[eval(f"np.s_{brackets}")])
    assert "damaged, or not a readable TIFF file" in refusal("x.tif")


def test_a_slice_off_the_pages_is_refused(stack):
    assert "index 3 is off axis 0, which is 3 long" in refusal("stack.tif[3]")
    assert "index 2 is off axis 1, which is 2 long" in refusal("stack.tif[0, 2]")
    assert "shape (0, 2, 5) is empty" in refusal("stack.tif[3:]")
    assert "slice of 4 entries; what is stored has 3 axes" in refusal("stack.tif[0, 0, 0, 0]")


@pytest.mark.parametrize(
    ("mode", "size", "shown"),
    [("L", (5, 3), "(3, 5) grey uint8"), ("RGB", (4, 3), "(3, 4) RGB uint8")]
    + [("1", (4, 3), "(3, 4) grey bool"), ("I;16", (4, 3), "(3, 4) grey uint16")],
)
def test_pages_of_different_size_or_mode_are_refused(mode, size, shown):
    save_pages("x.tif", [Image.new("L", (4, 3), 51), Image.new(mode, size)])
    assert refusal("x.tif") == (
        f"x.tif: page 0 is (3, 4) grey uint8, page 1 is {shown}; expected pages of one size "
        "and kind, take one page, like x.tif[0]"
    )
    same(read_image("x.tif[0]"), np.full((3, 4), 0.2, np.float32))


def test_notes_of_many_pages_are_said_once():
    save_pages("x.tif", [Image.new("RGBA", (4, 3), c) for c in ("red", "green", "blue")])
    file = open_image("x.tif", raw=True)
    assert file.array[:, 0, 0].tolist() == [76, 75, 29]
    assert file.notes == (f"RGB {LUMINANCE}", NO_ALPHA)


@pytest.mark.parametrize("name", ["x.gif", "x.png"])
def test_frames_of_an_animation_are_pages(name):
    frames = np.random.default_rng(0).integers(0, 256, (3, 6, 7), np.uint8)
    save_pages(name, frames)
    same(open_image(name, raw=True).array, frames)
    same(open_image(f"{name}[2]", raw=True).array, frames[2])


def test_frames_of_a_gif_may_differ_in_mode():
    grey, red = Image.new("L", (4, 3), 51), Image.new("RGB", (4, 3), "red")
    save_pages("x.gif", [grey, red, grey])
    assert open_image("x.gif", raw=True).array[:, 0, 0].tolist() == [51, 76, 51]


def test_frames_as_planes_are_noted():
    save_pages("x.png", CUBE)
    planes = "frames of a PNG animation taken for planes"
    assert open_image("x.png").notes == (planes,)
    assert open_image("x.png[1]").notes == ()


def test_of_a_photograph_with_a_second_picture_the_first_is_read():
    first, second = Image.new("L", (8, 8), 51), Image.new("L", (4, 4), 9)
    first.save("x.jpg", format="MPO", save_all=True, append_images=[second])
    with Image.open("x.jpg") as page:
        assert (page.format, page.n_frames) == ("MPO", 2)
    same(read_image("x.jpg", raw=True), np.full((8, 8), 51, np.uint8))


def test_layers_of_a_drawing_are_no_pages():
    header = b"8BPS" + struct.pack(">H6xHIIHH", 1, 1, 3, 4, 8, 1)
    mode, resources, compression = b"\0" * 4, b"\0" * 4, b"\0\0"
    layer = struct.pack(">iiiiH", 0, 0, 3, 4, 1) + struct.pack(">hI", 0, 14)
    layer += b"8BIMnorm" + b"\xff\0\0\0" + struct.pack(">I", 12) + b"\0" * 12
    info = struct.pack(">h", 2) + layer * 2 + (b"\0\0" + bytes(12)) * 2
    layers = struct.pack(">II", len(info) + 4, len(info)) + info
    write("x.psd", header + mode + resources + layers + compression + RAMP.tobytes())
    with Image.open("x.psd") as page:
        assert page.n_frames == 2
    same(read_image("x.psd", raw=True), RAMP)


# Pictures that are damaged or hostile


@pytest.mark.parametrize("name", ["x.png", "x.jpg", "x.tif", "x.gif", "x.bmp", "x.webp"])
def test_a_truncated_picture_is_refused(name):
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 50), np.uint8)).save(name)
    whole = os.path.getsize(name)
    for part in (0.9, 0.6, 0.3, 0.01):
        os.truncate(name, max(16, int(part * whole)))
        assert refusal(name).startswith(f"{name}: damaged, or ")


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_deflate", "jpeg"])
def test_a_damaged_compressed_tiff_is_refused(compression):
    values = np.random.default_rng(0).integers(0, 256, (40, 50), np.uint8)
    Image.fromarray(values).save("x.tif", compression=compression)
    overwrite("x.tif", 16, b"\xff" * (os.path.getsize("x.tif") // 2))
    assert refusal("x.tif").startswith("x.tif: damaged, or ")


def test_a_truncated_stack_is_refused_but_for_the_pages_that_are_there(stack):
    os.truncate("stack.tif", os.path.getsize("stack.tif") - 10)
    assert refusal("stack.tif").startswith("stack.tif: damaged, or ")
    same(read_image("stack.tif[0:2]", raw=True), stack[0:2])


def test_an_animation_with_fewer_frames_than_it_claims_is_refused():
    save_pages("x.png", [Image.new("L", (4, 3), k) for k in range(3)])
    with open("x.png", "rb") as stream:
        at = stream.read().index(b"acTL") - 4
    overwrite("x.png", at, chunk(b"acTL", struct.pack(">II", 9, 0)))
    assert refusal("x.png").startswith("x.png: damaged, or not a readable picture: ")


@pytest.mark.parametrize("limit", [19, 9])
def test_more_pixels_than_pillow_trusts_are_refused(limit, monkeypatch):
    Image.fromarray(np.zeros((4, 5), np.uint8)).save("x.png")  # 1 to 2 times, over 2 times
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
    text = refusal("x.png")
    assert f"more than {limit} pixels, Pillow's limit against decompression bombs" in text
    assert "raise PIL.Image.MAX_IMAGE_PIXELS, or save it as .npy or HDF5" in text
    for enough in (20, None):
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", enough)
        assert read_image("x.png").shape == (4, 5)


@pytest.mark.skipif(find_spec("imagecodecs") is not None, reason="it needs no Pillow then")
def test_the_limit_of_pillow_holds_for_pages_that_it_unpacks(monkeypatch):
    pages = [Image.new("L", (2, 3)), Image.new("L", (50, 50))]
    save_pages("x.tif", pages, compression="tiff_lzw")
    save_pages("plain.tif", pages)
    for limit in (19, 2000):  # over twice as many, which Pillow refuses itself, and fewer
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
        assert f"more than {limit} pixels" in refusal("x.tif[1]")
        assert read_image("x.tif[0]").shape == (3, 2)
        assert read_image("plain.tif[1]").shape == (50, 50)


def test_a_small_animation_cannot_ask_for_all_of_the_memory(monkeypatch):
    save_pages("x.gif", [Image.new("L", (200, 300), k) for k in range(3)])
    monkeypatch.setattr("pytopo.images.readers.memory.SMALL_ENOUGH", 400_000)
    monkeypatch.setattr("pytopo.images.readers.memory.MOST_PACKED", 20)
    text = refusal("x.gif")
    assert text.startswith("x.gif: claims shape (3, 300, 200) of uint8, which takes 0.0 GB, in")
    assert open_image("x.gif", raw=True).array.shape == (3, 300, 200)  # 180 kB, no floats
    assert open_image("x.gif[0]").array.shape == (300, 200)


def test_chunks_that_were_never_written_cannot_ask_for_all_of_the_memory(monkeypatch):
    with h5py.File("x.h5", "w") as file:
        file.create_dataset("raw", (3, 400, 500), "u1", chunks=(1, 100, 100), fillvalue=7)
    monkeypatch.setattr("pytopo.images.readers.memory.SMALL_ENOUGH", 2_000_000)
    monkeypatch.setattr("pytopo.images.readers.memory.MOST_PACKED", 20)
    text = refusal("x.h5")
    assert text.startswith(
        "x.h5: claims shape (3, 400, 500) of uint8, which takes 0.0 GB, in a"
    )
    assert text.endswith("if you trust it, take a part of it")
    assert open_image("x.h5[1]", raw=True).array.min() == 7


def test_a_small_archive_cannot_ask_for_all_of_the_memory(monkeypatch):
    np.savez_compressed("x.npz", a=np.zeros((3, 400, 500), np.uint8))
    monkeypatch.setattr("pytopo.images.readers.memory.SMALL_ENOUGH", 2_000_000)
    monkeypatch.setattr("pytopo.images.readers.memory.MOST_PACKED", 20)
    text = refusal("x.npz[0]")  # all of it is unpacked
    assert text.startswith("x.npz[0]: claims shape (3, 400, 500) of uint8, which takes 0.0 GB")


def test_a_system_without_memory_is_no_damaged_file(monkeypatch):
    def full(*args, **options):
        raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))

    np.save("x.npy", CUBE)
    monkeypatch.setattr(np, "load", full)
    text = refusal("x.npy")
    assert text.startswith(f"x.npy: {os.strerror(errno.ENOMEM)}; take a part of it")


def test_colour_before_an_axis_of_one_is_taken_for_channels():
    np.save("x.npy", np.zeros((40, 52, 3, 1)))
    assert refusal("x.npy").endswith("take one section, like x.npy[:, :, 0, 0]")
    with h5py.File("x.h5", "w") as file:
        for axis, label in enumerate(("y", "x", "channel")):
            data_set = file.require_dataset("raw", (20, 30, 1), "u1")
            data_set.dims[axis].label = label
    assert refusal("x.h5").endswith("take one channel, like x.h5[:, :, 0]")  # it has one


def test_a_drawing_is_not_handed_to_another_program():
    write("x.eps", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n%%EOF\n")
    assert "a drawing (EPS), not pixels; save it as PNG" in refusal("x.eps")


DAMAGED = "damaged, or not a readable picture"
MEMORY = "take a part of it if it is .npy or HDF5, or use a machine with more memory"


@pytest.mark.parametrize(
    ("place", "error", "reason"),
    [
        ("ImageFile.ImageFile.load", SyntaxError("some\nlines"), f"{DAMAGED}: some lines"),
        ("ImageFile.ImageFile.load", AssertionError(), f"{DAMAGED}: AssertionError"),
        ("ImageFile.ImageFile.load", MemoryError(), f"out of memory; {MEMORY}"),
        ("Image.open", MemoryError("9 GiB wanted"), f"9 GiB wanted; {MEMORY}"),
    ],
)
def test_whatever_a_decoder_throws_is_one_line(place, error, reason, monkeypatch):
    Image.fromarray(RAMP).save("x.png")
    monkeypatch.setattr(f"PIL.{place}", Mock(side_effect=error))
    assert refusal("x.png") == f"x.png: {reason}"
    if place == "Image.open":
        with pytest.raises(ValueError, match="9 GiB wanted"):
            image_shape("x.png")
