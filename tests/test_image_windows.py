"""Windows of images that stay in their files."""

import h5py
import numpy as np
import pytest
import tifffile

from pytopo.images import read_image
from pytopo.images.windows import Windows

STORED = np.random.default_rng(0).integers(0, 256, (6, 7, 20, 30), np.uint8)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Files that all count as large."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("pytopo.images.windows.KEPT", 20000)
    np.save("x.npy", STORED)
    with h5py.File("x.h5", "w") as file:
        file["raw"] = STORED
    tifffile.imwrite("x.tif", STORED[0], tile=(16, 16))


@pytest.mark.parametrize(
    "path",
    [
        "x.npy[2]", "x.npy[2, 1:6]", "x.npy[..., 3, 1:25:3]", "x.h5:/raw[:, 3, ::2]",
        "x.h5:raw[1:4, 6]", "x.tif", "x.tif[1:, 2:19]",
    ],
)  # fmt: skip
def test_a_window_is_that_of_the_image(path):
    whole, windows = read_image(path), Windows(path)
    assert (windows.shape, windows.dtype) == (whole.shape, whole.dtype)
    assert windows.stored_dtype == np.uint8
    for key in (
        0,
        -1,
        slice(1, 3),
        (1, slice(2, 9)),
        (slice(None), slice(3, 20, 4)),
        slice(3, 3),
    ):
        assert np.array_equal(windows[key], whole[key])
    for k in (0, 1, 2, len(whole) - 1):
        assert np.array_equal(windows.plane(k), whole[k])


def test_values_can_be_left_as_stored():
    assert np.array_equal(Windows("x.npy[2]", raw=True)[3], STORED[2, 3])


def test_a_start_that_counts_from_the_end_is_refused():
    with pytest.raises(ValueError, match=r"x\.npy.*: a slice that starts at -5, of a large im"):
        Windows("x.npy[0, -5:]")


def test_what_fits_is_read_once(monkeypatch):
    monkeypatch.setattr("pytopo.images.windows.KEPT", 2**20)
    windows = Windows("x.npy[0, -4:]")
    np.save("x.npy", np.zeros_like(STORED))
    assert np.array_equal(windows[:, 2:5], read_image("x.h5:/raw[0, -4:, 2:5]"))
