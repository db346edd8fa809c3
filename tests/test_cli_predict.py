"""``pytopo predict``: each kind of file holds the likelihood, or there is no file."""

import os
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
from PIL import Image

import pytopo
from pytopo import models
from pytopo.cli.main import main
from pytopo.metrics.evaluation import cleaned
from pytopo.training.checkpoint import load_network, save_checkpoint
from pytopo.training.prediction import predict

VOLUME = np.random.default_rng(0).random((3, 40, 50), np.float32)


def save_network(path, name="unet", **options):
    torch.manual_seed(0)
    network = models.build(name, **options)
    with torch.no_grad():
        list(network.parameters())[-2].mul_(20)  # so that not all is near 1/2
    described = {"name": name, "options": network.options}
    save_checkpoint(path, {"network": described, "weights": network.state_dict()})


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A folder with a network, an image and a volume."""
    monkeypatch.chdir(tmp_path)
    save_network("best.pt", width=4, depth=2)
    np.save("image.npy", VOLUME[0])
    np.save("volume.npy", VOLUME)
    return tmp_path


@pytest.fixture
def likelihood():
    network = load_network("best.pt")
    return np.stack([predict(network, section) for section in VOLUME])


def made(folder):
    return {path.name for path in folder.iterdir()} - {"best.pt", "image.npy", "volume.npy"}


def fault(capsys, *argv):
    """Run, check that it fails as it should, and return the line without its beginning."""
    assert main(["predict", *argv]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    return err.removeprefix("pytopo predict: ").rstrip("\n")


# ---- what is written ---------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["h5", "hdf5", "tif", "TIFF"])
def test_the_likelihood_of_a_volume_is_written_section_by_section(
    folder, capsys, likelihood, ending
):
    assert main(["predict", "best.pt", "volume.npy", "-o", f"out.{ending}"]) == 0
    assert capsys.readouterr() == ("", f"wrote out.{ending}\n")
    assert made(folder) == {f"out.{ending}"}
    written = pytopo.read_image(f"out.{ending}")
    assert written.dtype == np.float32
    assert np.array_equal(written, likelihood)


@pytest.mark.parametrize("ending", ["h5", "tif"])
def test_the_likelihood_of_an_image_has_two_axes(likelihood, ending):
    assert main(["predict", "best.pt", "volume.npy[1]", "-o", f"out.{ending}"]) == 0
    assert np.array_equal(pytopo.read_image(f"out.{ending}"), likelihood[1])


def test_a_png_has_16_bits(likelihood):
    assert main(["predict", "best.pt", "image.npy", "-o", "out.png"]) == 0
    stored = pytopo.read_image("out.png", raw=True)
    assert stored.dtype == np.uint16
    assert np.array_equal(stored, np.rint(likelihood[0] * np.float32(65535)))


def test_an_hdf5_file_names_its_data_set_and_packs_it():
    assert main(["predict", "best.pt", "volume.npy", "-o", "out.h5"]) == 0
    with h5py.File("out.h5") as file:
        assert list(file) == ["likelihood"]
        data_set = file["likelihood"]
        assert (data_set.dtype, data_set.chunks) == (np.float32, (1, 40, 50))
        assert data_set.compression == "gzip"


@pytest.mark.parametrize("ending", ["h5", "tif", "png"])
def test_with_a_threshold_a_mask_is_written(likelihood, ending):
    image = "image.npy" if ending == "png" else "volume.npy"
    argv = ["best.pt", image, "-o", f"out.{ending}", "--threshold", "0.6"]
    assert main(["predict", *argv]) == 0
    expected = likelihood[0] >= 0.6 if ending == "png" else likelihood >= 0.6
    assert 0 < expected.mean() < 1
    stored = pytopo.read_image(f"out.{ending}", raw=True)
    assert stored.dtype == np.uint8
    assert np.array_equal(stored, np.where(expected, 255, 0))
    if ending == "h5":
        with h5py.File("out.h5") as file:
            assert list(file) == ["mask"]


def test_what_is_small_is_removed_from_likelihood_and_mask(likelihood):
    common = ["predict", "best.pt", "image.npy", "-o", "out.tif"]
    assert main([*common, "--min-persistence", "0.2", "--construction", "T"]) == 0
    simple = pytopo.simplify(likelihood[0], 0.2, superlevel=True, construction="T", frame=1.0)
    np.testing.assert_array_equal(pytopo.read_image("out.tif"), simple)
    assert 0 < (simple != likelihood[0]).mean() < 1
    assert main([*common, "--min-persistence", "0.2", "--no-frame"]) == 0
    open_ended = pytopo.simplify(likelihood[0], 0.2, superlevel=True)
    np.testing.assert_array_equal(pytopo.read_image("out.tif"), open_ended)
    assert main([*common, "--threshold", "0.5", "--min-size", "9"]) == 0
    mask = cleaned(likelihood[0] >= 0.5, smallest=9)
    np.testing.assert_array_equal(pytopo.read_image("out.tif") > 0, mask)
    assert (mask != (likelihood[0] >= 0.5)).any()


def test_a_network_of_three_channels_looks_at_colour(folder, capsys):
    save_network("colour.pt", "plain", width=4, layers=2, channels=3)
    colour = np.random.default_rng(1).integers(0, 256, (20, 30, 3), np.uint8)
    Image.fromarray(colour).save("wall.png")
    assert main(["predict", "colour.pt", "wall.png", "-o", "out.tif"]) == 0
    wanted = predict(load_network("colour.pt"), colour.astype(np.float32) / 255)
    np.testing.assert_array_equal(pytopo.read_image("out.tif"), wanted)
    other = predict(load_network("colour.pt"), colour[..., ::-1].astype(np.float32) / 255)
    assert np.abs(other - wanted).max() > 0.01
    assert capsys.readouterr().err == "wrote out.tif\n"
    assert fault(capsys, "colour.pt", "volume.npy", "-o", "out.tif").startswith(
        "volume.npy: shape (3, 40, 50); expected one page"
    )


def test_a_network_for_patches_is_tiled(folder):
    save_network("base.pt", "base", width=2, hidden=4)
    assert main(["predict", "base.pt", "volume.npy[0, :30]", "-o", "out.h5"]) == 0
    assert pytopo.read_image("out.h5").shape == (30, 50)


def test_options_are_passed_on(monkeypatch):
    passed = {}

    def stand_in(network, image, **options):
        passed.update(options)
        return np.zeros(image.shape, np.float32)

    monkeypatch.setattr("pytopo.training.prediction.predict", stand_in)
    argv = ["--tile", "32", "--overlap", "8", "--batch-size", "3", "--device", "cpu"]
    assert main(["predict", "best.pt", "image.npy", "-o", "out.h5", *argv]) == 0
    assert {k: passed[k] for k in ("tile", "overlap", "batch_size")} == {
        "tile": 32, "overlap": 8, "batch_size": 3
    }  # fmt: skip


def test_the_command_runs_as_a_process(folder):
    command = [sys.executable, "-m", "pytopo.cli", "predict", "best.pt", "volume.npy"]
    done = subprocess.run(
        [*command, "-o", "out.tif"], capture_output=True, text=True, timeout=100
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "wrote out.tif\n")
    with Image.open("out.tif") as picture:
        assert (picture.n_frames, picture.mode, picture.size) == (3, "F", (50, 40))


def test_membranes_of_a_real_section(real_data):
    section = real_data / "isbi2012/image/0.png"
    assert main(["predict", "best.pt", str(section), "-o", "out.png"]) == 0
    assert pytopo.read_image("out.png").shape == pytopo.read_image(section).shape


# ---- larger than memory --------------------------------------------------------------------


@pytest.fixture
def nothing_fits(monkeypatch):
    """Everything counts as large: files are read by windows, sections predicted by bands."""
    monkeypatch.setattr("pytopo.cli.predict_inputs.KEPT", 1)
    monkeypatch.setattr("pytopo.cli.predict_inputs.LARGE", 1)
    monkeypatch.setattr("pytopo.cli.predict_inputs.ROWS_AT_A_TIME", 1000)
    monkeypatch.setattr("pytopo.cli.predict_files.CHUNK_ZARR", 16)
    monkeypatch.setattr("pytopo.cli.predict_files.CHUNK", 12)


def test_a_zarr_store_holds_an_array(folder, capsys, likelihood):
    zarr = pytest.importorskip("zarr")
    assert main(["predict", "best.pt", "volume.npy", "-o", "out.zarr"]) == 0
    assert capsys.readouterr().err == "wrote out.zarr\n"
    stored = zarr.open("out.zarr", mode="r")
    assert (stored.dtype, stored.chunks) == (np.float32, (1, 40, 50))
    assert np.array_equal(stored[:], likelihood)
    assert made(folder) == {"out.zarr"}
    assert main(["predict", "best.pt", "out.zarr", "-o", "again.h5"]) == 0
    again = predict(load_network("best.pt"), likelihood[2])
    assert np.array_equal(pytopo.read_image("again.h5[2]"), again)
    capsys.readouterr()
    line = fault(capsys, "best.pt", "volume.npy", "-o", "out.zarr")
    assert line == "out.zarr: exists already; remove it, or name another"


@pytest.mark.parametrize("ending", ["h5", "zarr", "tif"])
def test_what_does_not_fit_into_memory_is_the_same(folder, nothing_fits, ending):
    zarr = pytest.importorskip("zarr")
    with h5py.File("vol.h5", "w") as file:
        file["raw"] = np.pad(VOLUME, ((1, 1), (0, 3), (2, 0)))
    network = load_network("best.pt")
    tiles = {"tile": 16, "overlap": 4, "batch_size": 1}
    expected = [predict(network, section, **tiles) for section in VOLUME]
    argv = ["vol.h5:/raw[1:4, :-3, 2:]", "-o", f"out.{ending}", "--tile", "16"]
    assert main(["predict", "best.pt", *argv, "--overlap", "4", "--batch-size", "1"]) == 0
    found = zarr.open("out.zarr")[:] if ending == "zarr" else pytopo.read_image(f"out.{ending}")
    assert np.array_equal(found, expected)
    if ending == "zarr":
        assert zarr.open("out.zarr").chunks == (1, 16, 16)


def test_what_is_small_is_removed_from_large_sections_too(nothing_fits, likelihood):
    zarr = pytest.importorskip("zarr")
    argv = ["-o", "out.zarr", "--threshold", "0.5", "--min-size", "9"]
    assert main(["predict", "best.pt", "volume.npy", *argv]) == 0
    expected = [cleaned(section >= 0.5, smallest=9) for section in likelihood]
    assert np.array_equal(zarr.open("out.zarr")[:], np.uint8(expected) * 255)


def test_a_bad_pixel_of_a_large_section_is_named_before_the_work(nothing_fits, folder, capsys):
    volume = VOLUME.copy()
    volume[1, 33, 3] = np.nan
    np.save("nan.npy", volume)
    line = fault(capsys, "best.pt", "nan.npy", "-o", "out.zarr")
    assert line.startswith("nan.npy, section 1: image[33, 3] is NaN")
    assert made(folder) == {"nan.npy"}


def test_an_interrupt_leaves_no_half_of_a_store(nothing_fits, folder, monkeypatch):
    def interrupted(network, image, **options):
        yield np.zeros((16, image.shape[1]), np.float32)
        assert any(path.name.startswith(".out.zarr.") for path in folder.iterdir())
        raise KeyboardInterrupt

    monkeypatch.setattr("pytopo.training.prediction.predict_bands", interrupted)
    assert main(["predict", "best.pt", "volume.npy", "-o", "out.zarr"]) == 130
    assert made(folder) == set()


def test_what_a_killed_process_left_of_a_store_is_removed(folder):
    left, alive = folder / ".out.zarr.999999999.part", folder / f".out.zarr.{os.getppid()}.part"
    for part in (left, alive):
        (part / "c").mkdir(parents=True)
    assert main(["predict", "best.pt", "image.npy", "-o", "out.zarr"]) == 0
    assert made(folder) == {"out.zarr", alive.name}


# ---- errors of the input: status 1, one line, no file --------------------------------------


@pytest.mark.parametrize("ending", ["h5", "tif", "png"])
def test_an_error_in_the_middle_leaves_what_was_there(folder, capsys, ending):
    network = load_network("best.pt")
    network.last.bias.data.fill_(torch.nan)
    described = {"name": "unet", "options": network.options}
    save_checkpoint("nan.pt", {"network": described, "weights": network.state_dict()})
    Path(f"out.{ending}").write_text("old")
    line = fault(capsys, "nan.pt", "image.npy", "-o", f"out.{ending}")
    assert line.startswith("nan.pt: the network returns NaN")
    assert Path(f"out.{ending}").read_text() == "old"
    assert made(folder) == {f"out.{ending}", "nan.pt"}


def test_an_interrupt_in_the_middle_leaves_nothing(folder, monkeypatch):
    def interrupted(network, image, **options):
        if image[0, 0] == VOLUME[2, 0, 0]:
            raise KeyboardInterrupt
        return np.zeros(image.shape, np.float32)

    monkeypatch.setattr("pytopo.training.prediction.predict", interrupted)
    for ending in ("h5", "tif"):
        assert main(["predict", "best.pt", "volume.npy", "-o", f"out.{ending}"]) == 130
    assert made(folder) == set()


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["no.pt", "image.npy"], "no.pt: no such file; expected a checkpoint"),
        (["image.npy", "image.npy"], "image.npy: damaged, or not a checkpoint"),
        (["best.pt", "no.png"], "no.png: no such file"),
        (["best.pt", "image.npy[0]"], "image.npy[0]: an image of 1 axis; expected 2, or 3"),
        (["best.pt", "nan.npy"], "nan.npy, section 1: image[2, 3] is NaN"),
        (["best.pt", "high.npy"], "high.npy: image: values from 0 to 9"),
        (
            ["best.pt", "image.npy", "--tile", "8", "--overlap", "8"],
            "tile=8, overlap=8; expected",
        ),
        (["best.pt", "image.npy", "--device", "gpu"], "device 'gpu': "),
    ],
)
def test_what_cannot_be_predicted_is_one_line(folder, capsys, argv, said):
    volume = VOLUME.copy()
    volume[1, 2, 3] = np.nan
    np.save("nan.npy", volume)
    np.save("high.npy", np.linspace(0, 9, 12).reshape(3, 4))
    assert fault(capsys, *argv, "-o", "out.h5").startswith(said)
    assert made(folder) == {"nan.npy", "high.npy"}


def test_a_volume_cannot_be_a_png(folder, capsys):
    line = fault(capsys, "best.pt", "volume.npy", "-o", "out.png")
    assert line == (
        "out.png: a PNG holds one section, and volume.npy is 3 x 40 x 50; expected .h5 or "
        ".tif, or a slice that is one section"
    )
    assert made(folder) == set()


def test_what_does_not_fit_into_a_tiff_is_refused_before_the_work(folder, capsys, monkeypatch):
    monkeypatch.setattr("pytopo.cli.predict_files.TIFF_MOST", 4 * VOLUME.size - 1)
    line = fault(capsys, "best.pt", "volume.npy", "-o", "out.tif")
    assert line == "out.tif: 0.0 GB are too much for a TIFF; expected .h5"
    assert main(["predict", "best.pt", "volume.npy", "-o", "m.tif", "--threshold", "0"]) == 0


def test_too_little_memory_is_one_line(folder, capsys, monkeypatch):
    def exhausted(*args, **options):
        raise torch.OutOfMemoryError

    monkeypatch.setattr("pytopo.training.prediction.predict", exhausted)
    line = fault(capsys, "best.pt", "image.npy", "-o", "out.h5")
    assert line.startswith("image.npy: not enough memory on cpu; expected a smaller --tile")
    assert made(folder) == set()


def test_a_missing_folder_is_found_out_before_the_work(capsys):
    line = fault(capsys, "best.pt", "image.npy", "-o", "no/out.h5")
    assert line.startswith("no/out.h5: there is no folder ")


def test_an_image_is_not_written_to_a_device(capsys):
    Path("out.h5").symlink_to("/dev/null")
    line = fault(capsys, "best.pt", "image.npy", "-o", "out.h5")
    assert line == "out.h5: a pipe or device; expected the name of a file"


# ---- errors of the command line: status 2 --------------------------------------------------


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        ([], "the following arguments are required: -o"),
        (["-o", "out.jpg"], "'out.jpg' names no kind of image; expected an ending .h5, "),
        (["-o", "out.h5", "--threshold", "1.5"], "1.5; expected a number from 0 to 1"),
        (["-o", "out.h5", "--tile", "0"], "'0'; expected a whole number, at least 1"),
        (["-o", "volume.h5"], "volume.h5 would overwrite IMAGE"),
        (["-o", "out.h5", "--min-size", "3"], "--min-size is for masks; add --threshold"),
        (["-o", "out.h5", "--min-persistence", "-1"], "-1; expected a number of at least 0"),
    ],
)
def test_a_bad_command_line_is_status_2(capsys, argv, said):
    with pytest.raises(SystemExit) as ended:
        main(["predict", "best.pt", "volume.h5:/raw[0]", *argv])
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


def test_help_loads_nothing_heavy():
    show = (
        "import sys; from pytopo.cli.main import build_parser; build_parser().format_help();"
        "print([m for m in ('torch', 'numpy', 'h5py', 'tqdm') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", show], capture_output=True, text=True)
    assert done.stdout == "[]\n"
