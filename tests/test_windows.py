"""A window of a picture is the window of the whole, and needs only what it covers."""

import struct
import zlib

import numpy as np
import pytest
import tifffile
from PIL import Image

from pytopo.images.image import image_shape, open_image, open_labels
from pytopo.images.readers import png_part, tiff_window

PARTS = (
    ("10:30, 5:60", np.s_[..., 10:30, 5:60]),
    ("7, 3:", np.s_[..., 7, 3:]),
    ("-3:, 41", np.s_[..., -3:, 41]),
    ("::11, 2::7", np.s_[..., ::11, 2::7]),
    ("30:45:3, :", np.s_[..., 30:45:3, :]),
)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def colour():
    """A picture of smooth noise, (50, 70, 4) bytes."""
    steps = np.random.default_rng(0).integers(-3, 4, (50, 70, 4))
    return np.cumsum(steps, axis=1).astype(np.uint8)


def check(path, opened, dots="..., "):
    """Compare windows with the whole, which is read by itself."""
    whole = opened(path).array
    for text, part in PARTS:
        window = opened(f"{path}[{dots}{text}]").array
        assert window.dtype == whole.dtype
        np.testing.assert_array_equal(window, whole[part], err_msg=text)
        assert image_shape(f"{path}[{dots}{text}]") == window.shape


def raw(path):
    return open_image(path, raw=True)


# ---- TIFF --------------------------------------------------------------------------------


@pytest.mark.parametrize("band", [3000, 2**24])
@pytest.mark.parametrize("layout", [{"tile": (16, 32)}, {"rowsperstrip": 6}])
@pytest.mark.parametrize("compression", ["zlib", None])
def test_a_window_of_a_tiff_is_that_of_the_page(colour, monkeypatch, band, layout, compression):
    monkeypatch.setattr(tiff_window, "BAND", band)
    kinds = (
        (colour[..., 0], {"photometric": "minisblack", "predictor": compression == "zlib"}),
        (colour[..., :3], {"photometric": "rgb"}),
        (colour, {"photometric": "rgb", "extrasamples": ["unassalpha"]}),
        (
            np.stack([np.moveaxis(colour[..., :3], -1, 0)] * 2),
            {"photometric": "rgb", "planarconfig": 2},
        ),
        (200 * colour[..., 0].astype(">u2"), {"byteorder": ">", "bigtiff": True}),
    )
    for values, options in kinds:
        kept = dict(options)
        opening = {name: kept.pop(name) for name in ("bigtiff", "byteorder") if name in kept}
        with tifffile.TiffWriter("x.tif", **opening) as tiff:
            tiff.write(values, compression=compression, **layout, **kept)
        check("x.tif", raw)


def test_a_window_of_a_stack_is_taken_of_each_page(colour):
    stack = np.moveaxis(colour, -1, 0).astype(np.float32)
    tifffile.imwrite(
        "x.tif", stack, tile=(16, 32), compression="zlib", photometric="minisblack"
    )
    window = raw("x.tif[1:, 20:40, ::9]").array
    np.testing.assert_array_equal(window, stack[1:, 20:40, ::9])
    np.testing.assert_array_equal(raw("x.tif[:, 20, 7:9]").array, stack[:, 20, 7:9])


@pytest.mark.parametrize(
    ("mode", "compression"),
    [
        ("L", "tiff_lzw"),
        ("RGB", "tiff_lzw"),
        ("RGB", "jpeg"),
        ("1", "group4"),
        ("P", "tiff_lzw"),
    ],
)
def test_a_window_that_pillow_unpacks_is_that_of_the_page(colour, mode, compression):
    picture = Image.fromarray(colour[..., :3])
    picture = picture.quantize(40) if mode == "P" else picture.convert(mode)
    picture.save("x.tif", compression=compression, strip_size=72 if mode == "1" else 8 * 70 * 3)
    with tifffile.TiffFile("x.tif") as tiff:
        assert len(tiff.pages[0].dataoffsets) > 1
    check("x.tif", raw)
    if compression != "jpeg":
        check("x.tif", open_labels)


def test_tiles_outside_of_the_window_are_not_read(colour):
    tifffile.imwrite("x.tif", colour[..., 0], tile=(16, 16), compression="zlib")
    whole = raw("x.tif").array
    with tifffile.TiffFile("x.tif") as tiff:
        page = tiff.pages[0]
        places = list(zip(page.dataoffsets, page.databytecounts))
        across = page.chunked[1]
    needed = {1 * across + 1, 1 * across + 2}
    with open("x.tif", "r+b") as stream:
        for number, (place, size) in enumerate(places):
            if number not in needed:
                stream.seek(place)
                stream.write(bytes(size))
    np.testing.assert_array_equal(raw("x.tif[16:32, 20:48]").array, whole[16:32, 20:48])
    with pytest.raises(ValueError, match="damaged, or not a readable TIFF"):
        raw("x.tif[16:33, 20:48]")


def test_a_strip_that_does_not_fit_into_memory_is_refused(colour, monkeypatch):
    tifffile.imwrite("x.tif", colour[..., 0], rowsperstrip=25, compression="zlib")
    monkeypatch.setattr("pytopo.images.readers.memory.machine_memory", lambda: 1700)
    with pytest.raises(ValueError, match="save it in tiles or strips of fewer rows"):
        raw("x.tif[:2, :2]")
    tifffile.imwrite("x.tif", colour[..., 0], compression="zlib")
    with pytest.raises(ValueError, match=r"\(50, 70\) of uint8 is 0.0 GB.*save it in tiles"):
        raw("x.tif[:2, :2]")


def test_a_window_over_the_end_of_the_file_is_refused(colour):
    tifffile.imwrite("x.tif", colour[..., 0], tile=(16, 16))
    with tifffile.TiffFile("x.tif") as tiff:
        place, tag = tiff.pages[0].dataoffsets[3], tiff.pages[0].tags["TileOffsets"]
    with open("x.tif", "r+b") as stream:
        stream.seek(tag.valueoffset + 4 * 3)
        stream.write(struct.pack("<I", place + 2**20))
    with pytest.raises(ValueError, match=r"damaged, .*: cut short"):
        raw("x.tif[:9, 60:]")


# ---- PNG ---------------------------------------------------------------------------------


@pytest.mark.parametrize("band", [1, 400, 2**22])
def test_a_window_of_a_png_is_that_of_the_picture(colour, monkeypatch, band):
    monkeypatch.setattr(png_part, "BAND", band)
    monkeypatch.setattr(png_part, "BLOCK", 50)
    rgb = Image.fromarray(colour[..., :3])
    pictures = (
        (Image.fromarray(colour[..., 0]), {}),
        (rgb, {}),
        (Image.fromarray(colour), {}),
        (Image.fromarray(colour[..., :2], "LA"), {}),
        (Image.fromarray(257 * colour[..., 0].astype(np.uint16)), {}),
        (Image.fromarray(colour[..., 0] > 100), {}),
        (rgb.quantize(200), {}),
        (rgb.quantize(16), {"bits": 4, "transparency": 0}),
        (rgb.quantize(4), {"bits": 2}),
    )
    for picture, options in pictures:
        picture.save("x.png", **options)
        check("x.png", raw, "")
        check("x.png", open_labels, "")


def test_pixels_behind_the_window_are_not_read(colour):
    noise = np.random.default_rng(0).integers(0, 256, (400, 500)).astype(np.uint8)
    Image.fromarray(noise).save("x.png")
    with open("x.png", "r+b") as stream:
        stream.truncate(150_000)
    np.testing.assert_array_equal(raw("x.png[:9, 3:8]").array, noise[:9, 3:8])
    with pytest.raises(ValueError, match="damaged, or not a readable picture: cut short"):
        raw("x.png[300:, 3:8]")


def test_a_wrong_checksum_is_found(colour):
    Image.fromarray(colour[..., 0]).save("x.png")
    with open("x.png", "rb") as stream:
        content = bytearray(stream.read())
    content[content.index(b"IDAT") + 60] ^= 1
    with open("x.png", "wb") as stream:
        stream.write(content)
    with pytest.raises(ValueError, match="damaged, or not a readable picture"):
        raw("x.png[:, 3:8]")


def test_interlaced_rows_and_colours_of_16_bits_are_read_as_a_whole(colour):
    def chunk(kind, content):
        checksum = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + checksum

    values = colour[:4, :5, :3]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in 257 * values.astype(int))
    header = struct.pack(">IIBBBBB", 5, 4, 16, 2, 0, 0, 0)
    with open("x.png", "wb") as stream:
        stream.write(png_part.SIGNATURE + chunk(b"IHDR", header))
        stream.write(chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
    with open("x.png", "rb") as stream:
        assert png_part.png_part(_address("x.png[1:3]"), stream) is None
    window, whole = open_labels("x.png[1:3]").array, open_labels("x.png").array
    np.testing.assert_array_equal(window, whole[1:3])


def test_a_window_of_a_picture_of_more_pixels_than_pillow_trusts_is_read(colour, monkeypatch):
    Image.fromarray(colour[..., 0]).save("x.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    window = raw("x.png[20:25, 30:50]").array
    np.testing.assert_array_equal(window, colour[20:25, 30:50, 0])
    assert image_shape("x.png[20:25, 30:50]") == (5, 20)
    with pytest.raises(ValueError, match="more than 100 pixels, Pillow's limit"):
        raw("x.png[20:26, 30:50]")
    for limit in (100, 3000):  # over twice as many pixels, which Pillow refuses, and fewer
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
        with pytest.raises(
            ValueError, match=r"; take a window, like x.png\[0:4096, 0:4096\], or"
        ):
            raw("x.png")


def _address(text):
    from pytopo.images.readers.address import parsed_address

    return parsed_address(text)
