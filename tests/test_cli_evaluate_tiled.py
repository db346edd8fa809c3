"""``pytopo evaluate`` of masks that are read by tiles."""

import json

import h5py
import numpy as np
import pytest

from pytopo.cli.evaluate_tiled import tiled_sources
from pytopo.cli.main import build_parser, main
from pytopo.metrics import betti_error, betti_numbers, dice, euler_error, pixel_accuracy


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A likelihood and a ground truth of an image and of a volume."""
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(0)
    for name, shape in (("image", (30, 41)), ("volume", (9, 12, 14))):
        truth = random.random(shape) < 0.5
        likelihood = np.clip(0.5 * truth + 0.6 * random.random(shape), 0, 1)
        np.save(f"{name}-truth.npy", np.uint8(truth) * 255)
        with h5py.File(f"{name}.h5", "w") as file:
            file["likelihood"] = np.float32(likelihood)
            file["grey"] = np.uint8(255 * likelihood)
            file["mask"] = np.int16(7 * (likelihood > 0.5))
    return tmp_path


def judged(capsys, *line):
    assert main(["evaluate", *line, "--json", "-"]) == 0
    out, err = capsys.readouterr()
    return json.loads(out), err


@pytest.mark.parametrize("name", ["image", "volume"])
@pytest.mark.parametrize("stored", ["likelihood", "grey", "mask"])
@pytest.mark.parametrize("changed", [False, True])
def test_what_is_counted_by_tiles_is_that_of_the_whole(capsys, name, stored, changed):
    options = ["--construction", "T", "--no-frame", "--invert-truth", "--threshold", "0.6"]
    line = [f"{name}.h5:/{stored}", f"{name}-truth.npy", *(options if changed else [])]
    found, err = judged(capsys, *line, "--tile", "7")
    assert "compared by tiles of 7; patch Betti errors, Betti matching error" in err
    with h5py.File(f"{name}.h5") as file:
        values = file[stored][:]
    prediction = values > {"likelihood": 1, "grey": 255, "mask": 1}[stored] * (
        0.5 + changed / 10
    )
    truth = (np.load(f"{name}-truth.npy") > 0) ^ changed
    how = {"construction": "VT"[changed], "frame": not changed}
    expected = {
        "pixel_accuracy": pixel_accuracy(prediction, truth),
        "dice": dice(prediction, truth),
        "betti": betti_error(prediction, truth, **how).total,
        "euler": euler_error(prediction, truth, **how),
    }
    for kind, mask in (("prediction", prediction), ("truth", truth)):
        numbers = enumerate(betti_numbers(mask, **how))
        expected |= {f"{kind}_betti_{dim}": number for dim, number in numbers}
    errors = enumerate(betti_error(prediction, truth, **how).per_dim)
    expected |= {f"betti_{dim}": error for dim, error in errors}
    assert found["evaluation"] == pytest.approx(expected, rel=1e-12)
    assert found["conventions"]["tile"] == 7


def test_zarr_stores_are_read_by_tiles(capsys):
    zarr = pytest.importorskip("zarr")
    for name in ("likelihood", "mask"):
        with h5py.File("image.h5") as file:
            values = file[name][:]
        stored = zarr.create_array(f"{name}.zarr", shape=values.shape, dtype=values.dtype)
        stored[...] = values
    assert main(["evaluate", "likelihood.zarr", "mask.zarr", "--no-frame"]) == 0
    out, err = capsys.readouterr()
    assert "likelihood.zarr: compared by tiles of 2048;" in err
    lines = out.splitlines()
    assert lines[0] == "likelihood.zarr against mask.zarr: 30 x 41 pixels"
    names = [line.split("  ")[0] for line in lines[4:]]
    values = [line.split("  ")[-2].strip() for line in lines[4:]]
    assert names == [
        "pixel accuracy", "Dice", "Betti error, components", "Betti error, holes",
        "Betti error", "Euler error",
    ]  # fmt: skip
    assert values == ["1", "1", "0", "0", "0", "0"]


def test_what_does_not_fit_into_memory_is_read_by_tiles(monkeypatch):
    args = build_parser().parse_args(["evaluate", "image.h5:/grey", "image-truth.npy"])
    monkeypatch.setattr("pytopo.images.readers.memory.free_memory", lambda: 30 * 41 * 39)
    assert [source.shape for source in tiled_sources(args)] == [(30, 41)] * 2
    monkeypatch.setattr("pytopo.images.readers.memory.free_memory", lambda: 30 * 41 * 40)
    assert tiled_sources(args) is None


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (["image.h5:/grey", "image-truth.npy", "--cldice"], "tiles, which --cldice is not for"),
        (
            ["image.h5:/mask", "image.h5:/grey"],
            "more than two values; expected a mask",
        ),
        (["image.h5:/mask", "volume.h5:/mask"], "9 x 12 x 14 pixels; expected 30 x 41, as"),
        (["no.h5", "image.h5:/mask"], "no.h5: no such file"),
        (["high.npy", "image.h5:/mask"], "values from 0 to 9; expected a likelihood, 0 to 1"),
        (
            ["nan.npy", "image.h5:/mask"],
            "nan.npy: a pixel is NaN or infinite; exp",
        ),
        (
            ["image.h5:/mask", "image.h5:/mask", "--threshold", "2"],
            "a mask; expected --thr",
        ),
    ],
)
def test_what_is_refused(capsys, line, message):
    high = np.linspace(0, 9, 30 * 41).reshape(30, 41)
    np.save("high.npy", high)
    high[3, 5] = np.nan
    np.save("nan.npy", high)
    assert main(["evaluate", *line, "--tile", "16"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err.splitlines()[-1]
