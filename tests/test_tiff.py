"""TIFF as microscopes, ImageJ and tifffile write it: values as stored, axes by name."""

import logging
import os
import signal
import struct
import subprocess
import sys
from importlib.util import find_spec
from unittest.mock import patch

import numpy as np
import pytest
import tifffile
from PIL import Image

from pytopo.images.image import image_shape, open_image, open_labels, read_image

GREY = np.arange(12 * 17, dtype=np.uint8).reshape(12, 17)
STACK = np.arange(3 * 9 * 11, dtype=np.uint16).reshape(3, 9, 11) * 7
COLOUR = np.dstack([GREY, 255 - GREY, GREY.T.reshape(12, 17)])
LUMINANCE = "RGB colour turned to luminance (ITU-R 601)"


@pytest.fixture(autouse=True)
def _in_tmp_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def same(address, expected, notes=()):
    """What is read, and the shape that is known without reading."""
    file = open_image(address, raw=True)
    assert file.array.dtype == np.asarray(expected).dtype
    np.testing.assert_array_equal(file.array, expected)
    assert file.notes == tuple(notes)
    assert image_shape(address) == file.array.shape


def refusal(address, read=open_image):
    with pytest.raises(ValueError) as caught:
        read(address)
    text = str(caught.value)
    assert text.isprintable()
    return text


def write(name, values, **options):
    tifffile.imwrite(name, values, **{"photometric": "minisblack", **options})


def set_tags(name, **values):
    """Overwrite numbers of tags of the first page, by tifffile's names."""
    with tifffile.TiffFile(name, mode="r+") as file:
        for tag, value in values.items():
            file.pages.first.tags[tag].overwrite(value)


# Values as stored


@pytest.mark.parametrize(
    "dtype",
    ["bool", "u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f2", "f4", "f8"]
    + [">u2", ">i4", ">f4", ">f8"],
)
@pytest.mark.parametrize("options", [{}, {"bigtiff": True}, {"metadata": None}])
def test_every_dtype_is_read_as_tifffile_wrote_it(dtype, options):
    values = (GREY % 100 - 9).astype(dtype)
    write("x.tif", values, byteorder=values.dtype.byteorder.replace("|", "<"), **options)
    same("x.tif", values.astype(values.dtype.newbyteorder("=")))


def test_a_mask_whose_zero_is_meant_to_look_white_is_not_inverted():
    mask = GREY > 100
    for values, compression in ((mask, None), (mask, "group4"), (mask, "tiff_lzw")):
        if compression:
            page = Image.fromarray(~values)  # Pillow stores the complement, as 0 is white
            page.save("x.tif", compression=compression, tiffinfo={262: 0})
        else:
            tifffile.imwrite("x.tif", values, photometric="miniswhite")
        same("x.tif", values)
    tifffile.imwrite("x.tif", GREY, photometric="miniswhite")
    same("x.tif", GREY)
    assert np.array_equal(tifffile.imread("x.tif"), GREY)


@pytest.mark.parametrize("bits", [2, 4])
@pytest.mark.parametrize("photometric", [0, 1])
def test_few_bits_keep_their_values(bits, photometric):
    values = np.arange(16, dtype=np.uint8) % 2**bits
    packed = np.packbits(np.unpackbits(values[:, None], axis=1)[:, 8 - bits :])
    write("x.tif", packed[None])
    set_tags("x.tif", ImageWidth=16, BitsPerSample=bits, PhotometricInterpretation=photometric)
    note = f"{bits} bits per pixel, read as uint8: values of 0 to {2**bits - 1}"
    same("x.tif", values[None], [note])


def test_complex_numbers_are_refused_and_named():
    write("x.tif", GREY.astype(np.complex64))
    with pytest.raises(TypeError, match="dtype complex64; expected bool, integers or floats"):
        read_image("x.tif")


# Axes


HYPERSTACK = np.arange(2 * 3 * 4 * 5 * 6, dtype=np.uint16).reshape(2, 3, 4, 5, 6)


@pytest.mark.parametrize("kind", ["imagej", "ome"])
def test_planes_times_and_channels_of_a_hyperstack_are_distinguished(kind):
    write("x.tif", HYPERSTACK, **{kind: True}, metadata={"axes": "TZCYX"})
    assert refusal("x.tif") == (
        "x.tif: shape (2, 3, 4, 5, 6), axes (T, Z, C, Y, X), has 5 axes; expected an image of "
        "1 to 3, take one section, like x.tif[0, :, 0]"
    )
    same("x.tif[0, :, 0]", HYPERSTACK[0, :, 0])
    same("x.tif[1, 2, 3, 1:, ::2]", HYPERSTACK[1, 2, 3, 1:, ::2])
    same("x.tif[:, 1, 0]", HYPERSTACK[:, 1, 0], ["axis T (time) taken for planes"])


@pytest.mark.parametrize("kind", ["imagej", "ome", "shaped"])
def test_channels_are_not_taken_for_planes(kind):
    channels = HYPERSTACK[0, 0]
    options = {} if kind == "shaped" else {kind: True}
    write("x.tif", channels, **options, metadata={"axes": "CYX"})
    assert refusal("x.tif") == (
        "x.tif: shape (4, 5, 6), axes (C, Y, X), has channels; expected an image of one, take "
        "one channel, like x.tif[0], or x.tif[0:4] if they are planes"
    )
    assert "has channels" in refusal("x.tif[:, 1:]")
    same("x.tif[0:2]", channels[:2], ["axis C (channel) taken for planes"])
    same("x.tif[2]", channels[2])
    write("x.tif", HYPERSTACK[0], **options, metadata={"axes": "ZCYX"})
    assert refusal("x.tif").endswith("take one channel, like x.tif[:, 0]")
    same("x.tif[:, 1]", HYPERSTACK[0, :, 1])


@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_a_second_sample_is_a_channel_unless_it_is_alpha(planar):
    two = COLOUR[..., :2] if planar == "contig" else np.moveaxis(COLOUR[..., :2], -1, 0)
    second = "..., 1" if planar == "contig" else "1"
    write("x.tif", two, planarconfig=planar, extrasamples=["unspecified"])
    assert "has channels; expected an image of one, take one channel" in refusal("x.tif")
    same(f"x.tif[{second}]", COLOUR[..., 1])
    write("x.tif", two, planarconfig=planar, extrasamples=["unassalpha"])
    same("x.tif", COLOUR[..., 0], ["alpha channel dropped"])


@pytest.mark.parametrize("number", [3, 4])
def test_sections_that_were_taken_for_colour_are_neither_mixed_nor_lost(number):
    stack = GREY[None] // np.arange(1, number + 1, dtype=np.uint8)[:, None, None]
    options = {"extrasamples": ["unassalpha"]} if number == 4 else {}
    write("x.tif", stack, photometric="rgb", planarconfig="separate", **options)
    assert refusal("x.tif") == (
        f"x.tif: shape ({number}, 12, 17), axes (S, Y, X): the planes of a colour picture, or "
        "sections that were taken for colour; expected x.tif[0], one of them, or "
        f"x.tif[0:{number}] for {number} sections"
    )
    same("x.tif[1]", stack[1])
    same(f"x.tif[0:{number}]", stack, ["axis S (sample) taken for planes"])


def test_a_volume_in_one_page_has_its_planes():
    volume = np.arange(4 * 20 * 30, dtype=np.uint8).reshape(4, 20, 30)
    write("x.tif", volume, volumetric=True, tile=(4, 16, 16))
    same("x.tif", volume)
    same("x.tif[2, 3:5]", volume[2, 3:5])


def test_a_stack_of_one_page_with_its_planes_behind_is_read_whole():
    """ImageJ writes files above 4 GB so."""
    write("x.tif", STACK, imagej=True, metadata={"axes": "ZYX"})
    with tifffile.TiffFile("x.tif") as file:
        first, order = file.pages.first, file.byteorder
        link = first.offset + 2 + 12 * len(first.tags)
    with open("x.tif", "r+b") as stream:
        stream.seek(link)
        stream.write(struct.pack(order + "I", 0))
    with tifffile.TiffFile("x.tif") as file:
        assert len(file.pages) == 1
    same("x.tif", STACK)
    same("x.tif[1:, 4]", STACK[1:, 4])


@pytest.mark.parametrize(
    "options",
    [{}, {"metadata": None}, {"compression": "zlib"}, {"tile": (16, 16)}, {"rowsperstrip": 2}]
    + [{"byteorder": ">"}, {"bigtiff": True}, {"ome": True}, {"imagej": True}],
)
def test_a_stack_is_its_planes_however_it_is_stored(options):
    write("x.tif", STACK, **{"metadata": {"axes": "ZYX"}, **options})
    same("x.tif", STACK)
    same("x.tif[-1]", STACK[-1])
    same("x.tif[::2, 1:3, ::3]", STACK[::2, 1:3, ::3])


def test_copies_of_lower_resolution_are_passed_by():
    with tifffile.TiffWriter("sub.tif") as writer:
        writer.write(STACK, photometric="minisblack", subifds=1)
        writer.write(STACK[:, ::2, ::2], photometric="minisblack", subfiletype=1)
    with tifffile.TiffWriter("thumb.tif") as writer:
        writer.write(STACK, photometric="minisblack", metadata=None)
        writer.write(GREY[::4, ::4], photometric="minisblack", metadata=None, subfiletype=1)
    same("sub.tif", STACK)
    same("thumb.tif", STACK)


def test_of_unlike_images_the_pages_are_counted():
    with tifffile.TiffWriter("x.tif") as writer:
        writer.write(GREY, photometric="minisblack")
        writer.write(STACK, photometric="minisblack")
    assert refusal("x.tif") == (
        "x.tif: page 0 is (12, 17) grey uint8, page 1 is (9, 11) grey uint16; expected pages "
        "of one size and kind, take one page, like x.tif[0]"
    )
    same("x.tif[0]", GREY)
    same("x.tif[1:]", STACK)


# Colour


def test_colour_keeps_its_dtype():
    grey16 = np.rint(COLOUR @ [0.299, 0.587, 0.114] * 257).astype(np.uint16)
    write("x.tif", COLOUR.astype(np.uint16) * 257, photometric="rgb")
    file = open_image("x.tif", raw=True)
    assert file.notes == (LUMINANCE,)
    assert file.array.dtype == np.uint16
    assert np.abs(file.array.astype(int) - grey16).max() <= 1
    write("x.tif", COLOUR / np.float32(255), photometric="rgb")
    assert np.allclose(read_image_quietly("x.tif"), grey16 / 65535, atol=1e-4)


def read_image_quietly(address):
    file = open_image(address)
    assert file.array.dtype == np.float32
    return file.array


@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_a_stack_of_colour_is_a_volume_of_luminance(planar):
    pages = np.stack([COLOUR, COLOUR[::-1]])
    stored = pages if planar == "contig" else np.moveaxis(pages, -1, 1)
    write("x.tif", stored, photometric="rgb", planarconfig=planar)
    single = np.asarray(Image.fromarray(COLOUR).convert("L"))
    same("x.tif", np.stack([single, single[::-1]]), [LUMINANCE])
    same("x.tif[1, 3:]", single[::-1][3:], [LUMINANCE])


def test_labels_in_colour_get_an_id_each_and_palettes_their_indices():
    write("rgb.tif", COLOUR, photometric="rgb")
    write("rgb16.tif", COLOUR.astype(np.uint16) * 256, photometric="rgb")
    write("float.tif", COLOUR / np.float32(255), photometric="rgb")
    write("grey.tif", np.dstack([GREY] * 3), photometric="rgb")
    Image.fromarray(GREY // 64).convert("P").save("palette.tif", compression="tiff_lzw")
    red, green, blue = np.moveaxis(COLOUR.astype(np.uint64), -1, 0)
    file = open_labels("rgb.tif")
    assert file.array.dtype == np.uint32
    assert np.array_equal(file.array, red * 65536 + green * 256 + blue)
    assert file.notes == ("RGB colours read as ids, red * 65536 + green * 256 + blue",)
    wide = open_labels("rgb16.tif").array
    assert wide.dtype == np.uint64
    assert np.array_equal(wide, (red << 40) + (green << 24) + (blue << 8))
    for name, values in (("grey.tif", GREY), ("palette.tif", GREY // 64)):
        file = open_labels(name)
        assert np.array_equal(file.array, values)
        assert file.notes == ()
    text = refusal("float.tif", open_labels)
    assert (
        "labels in RGB colour of float32; expected grey, a palette, or RGB of 8 or 16" in text
    )


# Compressions that tifffile leaves to other packages


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_deflate", "packbits"])
@pytest.mark.parametrize("predictor", [1, 2])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int32", "float32"])
def test_compressed_values_are_those_of_the_plain_file(compression, predictor, dtype):
    predictor = 3 if predictor == 2 and dtype == "float32" else predictor
    values = (GREY * 3.7).astype(dtype)
    tags = {317: predictor} if compression != "packbits" else {}
    Image.fromarray(values).save("x.tif", compression=compression, tiffinfo=tags)
    same("x.tif", values)


def test_a_stack_in_lzw_is_read_and_sliced():
    first, *others = [Image.fromarray(plane) for plane in STACK]
    first.save("x.tif", save_all=True, append_images=others, compression="tiff_lzw")
    same("x.tif", STACK)
    same("x.tif[2]", STACK[2])


def test_jpeg_in_a_tiff_is_near_what_was_saved():
    smooth = np.repeat(GREY[:, :1] // 2, 64, axis=1).repeat(5, axis=0)
    Image.fromarray(smooth).save("x.tif", compression="jpeg", quality=95)
    found = read_image("x.tif", raw=True)
    assert found.shape == smooth.shape
    assert np.abs(found.astype(int) - smooth).mean() < 3


@pytest.mark.skipif(find_spec("imagecodecs") is not None, reason="imagecodecs is installed")
def test_what_needs_imagecodecs_says_so():
    write("x.tif", GREY)
    set_tags("x.tif", Compression=34887)
    assert refusal("x.tif") == (
        "x.tif: not supported: a TIFF of compression LERC, uint8, which needs the package "
        "imagecodecs; pip install imagecodecs, or save it without compression as 8, 16, 32 or "
        "64 bits"
    )
    values = GREY.astype(np.float64)
    write("x.tif", values)
    set_tags("x.tif", Compression=5)
    assert "compression LZW, float64, which needs the package imagecodecs" in refusal("x.tif")


# Other files


OME = """<?xml version="1.0" encoding="UTF-8"?><OME
 xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" UUID="urn:uuid:1"><Image
 ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="XYZCT" SizeX="17" SizeY="12" SizeZ="{z}"
 SizeC="{c}" SizeT="1" Type="uint8"><Channel ID="Channel:0:0" SamplesPerPixel="1"/><TiffData
 IFD="0" PlaneCount="1"><UUID FileName="x.ome.tif">urn:uuid:1</UUID></TiffData><TiffData
 IFD="0" First{axis}="1" PlaneCount="1"><UUID FileName="other.tif">urn:uuid:2</UUID></TiffData>
</Pixels></Image></OME>"""
ELSEWHERE = "its OME metadata lists pages in other files, which are not read"


def test_no_pixel_comes_from_a_file_that_was_not_named():
    write("other.tif", GREY + 1, metadata=None)
    text = OME.format(z=2, c=1, axis="Z")
    write("x.ome.tif", GREY, description=text, metadata=None)
    assert tifffile.imread("x.ome.tif").shape == (2, 12, 17)
    opened = []

    def watched(file, *args, **options):
        opened.append(os.path.basename(os.fspath(file)))
        return open_file(file, *args, **options)

    open_file = open
    with patch("builtins.open", watched):
        same("x.ome.tif", GREY, [ELSEWHERE])
    assert {name for name in opened if os.path.exists(name)} == {"x.ome.tif"}  # of those here


def test_pages_that_may_be_channels_of_a_set_of_files_are_not_planes():
    text = OME.format(z=1, c=2, axis="C")
    write("x.ome.tif", np.stack([GREY, GREY + 1]), description=text, metadata=None)
    assert "axes (C, Y, X), has channels" in refusal("x.ome.tif")
    same("x.ome.tif[1]", GREY + 1, [ELSEWHERE])


def test_a_plane_that_is_not_there_is_not_read_as_zeros():
    text = OME.format(z=3, c=1, axis="Z")
    head, rest = text.split("<TiffData", 2)[:2]
    alone = f"{head}<TiffData{rest}</Pixels></Image></OME>"
    write("x.ome.tif", GREY, description=alone, metadata=None)
    assert "page 1 of 3 is not in this file, and others are not read" in refusal("x.ome.tif")
    same("x.ome.tif[0]", GREY)


# Damage


@pytest.mark.parametrize("pages", [2, 150])
def test_pages_in_a_circle_are_refused(pages):
    write("x.tif", np.zeros((pages, 4, 5), np.uint8), metadata=None)
    with tifffile.TiffFile("x.tif") as file:
        first, last = file.pages[0], file.pages[pages - 1]
        link = last.offset + 2 + 12 * len(last.tags)
    with open("x.tif", "r+b") as stream:
        stream.seek(link)
        stream.write(struct.pack("<I", first.offset))
    assert "its pages follow each other in a circle" in refusal("x.tif")


@pytest.mark.parametrize("part", [0.9, 0.5, 0.1, 0.01])
@pytest.mark.parametrize("options", [{}, {"compression": "zlib"}, {"imagej": True}])
def test_a_tiff_that_is_cut_short_is_refused(part, options):
    write("x.tif", np.random.default_rng(0).integers(0, 99, (3, 40, 50), np.uint8), **options)
    os.truncate("x.tif", int(part * os.path.getsize("x.tif")))
    for read in (open_image, open_labels):
        assert refusal("x.tif", read).startswith(
            "x.tif: damaged, or not a readable TIFF file: "
        )


def test_strips_that_are_not_there_are_not_read_as_zeros():
    write("x.tif", GREY, rowsperstrip=3)
    set_tags("x.tif", ImageLength=24)
    assert refusal("x.tif").endswith("4 strips or tiles are there, 8 are claimed")


def test_a_small_file_cannot_ask_for_all_of_the_memory():
    write("x.tif", np.zeros((1, 1), np.uint32))
    set_tags("x.tif", ImageWidth=40000, ImageLength=40000)
    text = refusal("x.tif")
    words = "x.tif: claims shape (40000, 40000) of uint32, which takes {} GB, in a file of "
    assert text.startswith(words.format(19.2))
    assert refusal("x.tif", image_shape).startswith(words.format(6.4))


def test_libraries_say_nothing_on_stderr(capfd, caplog):
    values = np.random.default_rng(0).integers(0, 256, (40, 50), np.uint8)
    Image.fromarray(values).save("x.tif", compression="tiff_lzw")
    with open("x.tif", "r+b") as stream:
        stream.seek(100)
        stream.write(b"\xff" * 800)
    assert "damaged" in refusal("x.tif")
    write("shaped.tif", GREY)
    with open("shaped.tif", "r+b") as stream:
        content = stream.read().replace(b'"shape": [12, 17]', b'"shape": [12, 99]')
        stream.seek(0)
        stream.write(content)
    open_image("shaped.tif")  # of which tifffile logs that its pages are of another shape
    assert capfd.readouterr() == ("", "")
    assert caplog.records == []
    assert logging.getLogger("tifffile").level == logging.NOTSET
    os.write(2, b"heard")
    assert capfd.readouterr().err == "heard"


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no alarm clock here")
def test_a_mutated_file_is_read_or_refused():
    script = os.path.join(os.path.dirname(__file__), "mutations.py")
    run = subprocess.run(
        [sys.executable, script, "400", "--seed", "3"], capture_output=True, text=True
    )
    assert "400 mutated files, no traceback, hang or crash (" in run.stdout
    assert run.returncode == 0
