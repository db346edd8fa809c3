"""An estimate of the memory before the work, and the limits that a user can raise."""

import argparse
import os

import numpy as np
import pytest
from PIL import Image

from pytopo.cli.main import main
from pytopo.cli.memory import check_memory, diagram_bytes, key_bytes_of, size
from pytopo.cli.report import InputError
from pytopo.images.image import read_image
from pytopo.images.readers import memory


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def system(monkeypatch, total, **files):
    """Make files of the system say how much memory there is, and how much is free."""
    for name, content in files.items():
        with open(name, "w", encoding="ascii") as stream:
            stream.write(content)
    numbers = {"SC_PHYS_PAGES": total, "SC_PAGE_SIZE": 1}
    monkeypatch.setattr(os, "sysconf", numbers.__getitem__)
    monkeypatch.setattr(memory, "LIMITS", ("limit",))
    monkeypatch.setattr(memory, "USED", (("used", "files"),))
    monkeypatch.setattr(memory, "FREE", "free")


def test_free_is_what_the_machine_and_the_container_leave(monkeypatch):
    system(monkeypatch, 9_000_000)
    assert memory.free_memory() == 9_000_000  # nothing says what is used
    system(monkeypatch, 9_000_000, free="MemTotal: 9 kB\nMemAvailable:  7000 kB\n")
    assert memory.free_memory() == 7_168_000
    system(monkeypatch, 9_000_000, limit="8000000\n", used="5000000\n")
    assert memory.free_memory() == 3_000_000
    system(monkeypatch, 9_000_000, files="anon 1\ninactive_file 500000\n")
    assert memory.free_memory() == 3_500_000
    system(monkeypatch, 9_000_000, limit="max\n")
    assert memory.free_memory() == 7_168_000
    system(monkeypatch, 9_000_000, limit="4000000\n")  # less than is used
    assert memory.free_memory() == 0


def test_the_estimate_counts_axes_keys_and_threads():
    assert diagram_bytes((1000, 1000), 4, 1) == 40_000_000
    assert diagram_bytes((1000, 1000), 8, None) == 44_000_000
    assert diagram_bytes((100, 100, 100), 4, 1) == 80_000_000
    assert diagram_bytes((100, 100, 100), 4, 2) == 112_000_000
    wide = ("float64", "int32", "uint64")
    assert [key_bytes_of(np.dtype(name)) for name in wide] == [8, 8, 8]
    narrow = ("float32", "float16", "uint16", "bool")
    assert [key_bytes_of(np.dtype(name)) for name in narrow] == [4, 4, 4, 4]


def test_what_fits_exactly_is_not_refused(monkeypatch):
    monkeypatch.setattr(memory, "free_memory", lambda: 40_000_000)
    check_memory("x.npy", (1000, 1000), threads=1)
    with pytest.raises(InputError, match=r"x.npy: the diagram of 1000 x 1001 pixels may take"):
        check_memory("x.npy", (1000, 1001), threads=1)


def test_the_dtype_counts_once_the_image_is_read(monkeypatch, capsys):
    np.save("x.npy", np.zeros((100, 1000)))
    monkeypatch.setattr(memory, "free_memory", lambda: 4_200_000)
    assert main(["diagram", "x.npy", "--no-plot"]) == 1
    assert (
        "100 x 1000 pixels may take 4 MB, and 4 MB of memory are left"
        in capsys.readouterr().err
    )


def test_a_user_can_allow_more(monkeypatch, capsys):
    np.save("x.npy", np.zeros((100, 1000)))
    monkeypatch.setattr(memory, "_number", lambda path: 2_000_000)  # all is used up
    assert main(["diagram", "x.npy", "--no-plot"]) == 1
    capsys.readouterr()
    assert main(["diagram", "x.npy", "--no-plot", "--memory", "10M"]) == 0
    assert main(["diagram", "x.npy", "--no-plot", "--memory", "1M"]) == 1
    assert "and 1 MB of memory are left; take a part" in capsys.readouterr().err
    assert memory._allowed is None


def test_a_picture_of_more_pixels_than_pillow_trusts_is_read_on_request(monkeypatch, capsys):
    Image.fromarray(np.zeros((30, 40), np.uint8)).save("x.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    assert main(["diagram", "x.png", "--no-plot"]) == 1
    line = capsys.readouterr().err
    assert "if you trust the file, allow more by --memory, like --memory 8G, or save it" in line
    assert main(["diagram", "x.png", "--no-plot", "--memory", "1M"]) == 0
    assert main(["explain", "x.png"]) == 1  # it has no such option
    assert "raise PIL.Image.MAX_IMAGE_PIXELS, or save it" in capsys.readouterr().err
    assert Image.MAX_IMAGE_PIXELS == 1000
    with pytest.raises(ValueError, match=r"raise PIL.Image.MAX_IMAGE_PIXELS"):
        read_image("x.png")


def test_a_small_file_that_claims_much_is_read_on_request(monkeypatch):
    save = Image.fromarray(np.zeros((300, 400), np.uint8)).save
    save("x.tif", compression="tiff_adobe_deflate")
    monkeypatch.setattr(memory, "SMALL_ENOUGH", 10_000)
    monkeypatch.setattr(memory, "MOST_PACKED", 10)
    with pytest.raises(ValueError, match="claims shape"):
        read_image("x.tif")
    with memory.allowing(10**7):
        assert read_image("x.tif").shape == (300, 400)


@pytest.mark.parametrize(
    ("text", "count"),
    [("16G", 16 * 10**9), ("1.5g", 1_500_000_000), ("500MB", 5 * 10**8), ("2T", 2 * 10**12)],
)
def test_a_size_has_a_unit(text, count):
    assert size(text) == count


@pytest.mark.parametrize("text", ["", "G", "-1G", "0", "1e9", "16 G", "nan"])
def test_a_size_is_a_positive_number(text):
    with pytest.raises(argparse.ArgumentTypeError, match="expected a size, like 500M or 16G"):
        size(text)
