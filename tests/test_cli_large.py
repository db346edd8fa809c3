"""``pytopo diagram`` tile by tile: Zarr stores, levels, workers, parts in a folder."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import pytopo
from pytopo.cli import diagram_large, memory
from pytopo.cli.main import main

IMAGE = np.random.default_rng(0).integers(0, 256, (90, 120), np.uint8)


@pytest.fixture(autouse=True)
def in_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("a.npy", IMAGE)


def run(capsys, *line, status=0):
    assert main(["diagram", *line]) == status
    return capsys.readouterr()


def write_pyramid(name="a.zarr"):
    zarr = pytest.importorskip("zarr")
    group = zarr.open_group(name, mode="w", zarr_format=2)
    stack = np.stack([IMAGE, 255 - IMAGE])
    for k in range(2):
        level = stack[:, :: 2**k, :: 2**k]
        group.create_array(f"s{k}", data=level, chunks=(1, 32, 32))
    axes = [{"name": axis} for axis in "cyx"]
    datasets = [{"path": "s0"}, {"path": "s1"}]
    group.attrs["multiscales"] = [{"axes": axes, "datasets": datasets}]


# --- the same points -------------------------------------------------------------------


@pytest.mark.compiled
def test_tiles_give_the_same_points(capsys):
    said = run(capsys, "a.npy", "--chunks", "40", "--npz", "points.npz", "--no-plot").err
    assert "a.npy: 90 x 120 pixels in 9 tiles of 40 x 40, which take up to" in said
    assert pytopo.Diagram.load("points.npz") == pytopo.persistence(IMAGE)
    run(capsys, "a.npy", "--chunks", "40", "--csv", "tiled.csv", "--no-plot", "--frame", "9")
    run(capsys, "a.npy", "--csv", "whole.csv", "--no-plot", "--frame", "9")
    assert Path("tiled.csv").read_text() == Path("whole.csv").read_text()


@pytest.mark.compiled
def test_the_table_has_betti_numbers_a_histogram_and_the_most_persistent(capsys):
    d = pytopo.persistence(IMAGE)
    out = run(capsys, "a.npy", "--chunks", "64", "--top", "3", "--superlevel").out
    assert "a.npy: 90 x 120 pixels\nsuperlevel, construction V\n" in out
    down = pytopo.persistence(IMAGE, superlevel=True)
    assert f"  0    {np.sum(down.dim == 0)}          1  components" in out
    middle = out.split("Betti numbers\n")[1].splitlines()[5].split()
    assert middle[1:] == [str(n) for n in down.betti(float(middle[0]))]
    assert f"most persistent: 3 of {len(down)}; pixels as (row, column)" in out
    least = down.sorted().persistence[2]
    assert out.splitlines()[-1].split()[3] == f"{least:g}"
    assert os.path.exists("a.diagram.png")
    out = run(capsys, "a.npy", "--chunks", "64", "--min-persistence", "200", "--no-plot").out
    assert "sublevel, construction V, of persistence at least 200" in out
    assert f" of {len(d.select(min_persistence=200))}; pixels" in out


@pytest.mark.compiled
def test_a_channel_and_a_level_of_ome_zarr(capsys):
    write_pyramid()
    line = ("--no-plot", "--npz", "points.npz")
    run(capsys, "a.zarr[1]", "--chunks", "50", *line)
    assert pytopo.Diagram.load("points.npz") == pytopo.persistence(255 - IMAGE)
    run(capsys, "a.zarr[1]", "--level", "s1", *line)  # small, and so read as a whole
    assert pytopo.Diagram.load("points.npz") == pytopo.persistence(255 - IMAGE[::2, ::2])
    said = run(capsys, "a.zarr", status=1).err
    assert "expected one channel, like a.zarr[0]" in said
    said = run(capsys, "a.npy", "--level", "1", status=1).err
    assert said == "pytopo diagram: a.npy: no level '1'; it has one resolution\n"


@pytest.mark.compiled
def test_parts_in_a_folder_are_read_again(capsys):
    d = pytopo.persistence(IMAGE)
    first = run(capsys, "a.npy", "--out", "a.parts", "--no-plot", "--chunks", "40")
    assert "wrote a.parts\n" in first.err
    again = run(capsys, "a.parts", "--npz", "points.npz", "-o", "parts.png")
    assert again.out.replace("a.parts", "a.npy") == first.out
    assert pytopo.Diagram.load("points.npz") == d
    run(capsys, "a.parts", "--min-persistence", "90", "--npz", "some.npz", "--no-plot")
    assert pytopo.Diagram.load("some.npz") == d.select(min_persistence=90)
    said = run(capsys, "a.npy", "--out", "a.parts", status=1).err
    assert said.endswith("a.parts: not empty; expected a new folder for the parts\n")
    os.remove("a.parts/parts.json")
    assert (
        "no parts.json; the diagram in it was not completed"
        in run(capsys, "a.parts", status=1).err
    )


@pytest.mark.compiled
def test_what_may_not_fit_goes_to_a_folder(capsys, monkeypatch):
    monkeypatch.setattr(memory, "POINTS", 10**12)
    said = run(capsys, "a.npy", "--chunks", "64", "--no-plot").err
    assert "a.npy: more points than may fit into memory, so they go to a.parts" in said
    assert pytopo.large.open_parts("a.parts").select() == pytopo.persistence(IMAGE)


@pytest.mark.compiled
def test_a_large_image_is_read_by_tiles(capsys, monkeypatch):
    monkeypatch.setattr(diagram_large, "SHARE", 10**9)
    assert "in 1 tile of 90 x 120" in run(capsys, "a.npy", "--no-plot").err
    assert "tile" not in run(capsys, "a.npy", "--no-plot", "--smooth", "1").err


@pytest.mark.compiled
def test_a_scheduler_computes(capsys):
    distributed = pytest.importorskip("distributed")
    cluster = distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, protocol="tcp://",
        dashboard_address=":0",
    )  # fmt: skip
    with cluster:
        line = ("--scheduler", cluster.scheduler_address, "--out", "parts", "--no-plot")
        run(capsys, "a.npy", "--chunks", "64", *line)
        assert cluster.scheduler.tasks == {}  # nothing is left there
    assert pytopo.large.open_parts("parts").select() == pytopo.persistence(IMAGE)


# --- what is refused -------------------------------------------------------------------


@pytest.mark.compiled
def test_nan_is_named_and_nothing_is_left(capsys):
    image = IMAGE.astype(np.float32)
    image[77, 88] = np.nan
    np.save("nan.npy", image)
    said = run(capsys, "nan.npy", "--chunks", "40", "--out", "parts", status=1).err
    assert said.endswith(
        "pytopo diagram: nan.npy: image[77, 88] is NaN; a filtration needs ordered values\n"
    )
    assert not os.path.exists("parts")
    assert not os.path.exists("nan.diagram.png")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (["a.npy", "--chunks", "9", "--smooth", "1"], "--chunks reads tile by tile, which"),
        (["a.npy", "--out", "x", "--no-raw"], "which excludes --no-raw"),
        (["a.npy", "--workers", "2", "--scheduler", "x"], "--workers and --scheduler exclude"),
        (["--chunks", "9"], "--chunks: the built-in example is small"),
        (["a.npy", "--chunks", "0"], "expected a whole number, at least 1"),
    ],
)
def test_options_that_contradict_each_other(capsys, line, message):
    with pytest.raises(SystemExit) as caught:
        main(["diagram", *line])
    assert caught.value.code == 2
    assert message in capsys.readouterr().err


def test_tiles_that_do_not_fit(capsys):
    said = run(capsys, "a.npy", "--chunks", "40000", "--memory", "1M", status=1).err
    assert "take smaller --chunks" in said.splitlines()[-1] or "2^30 pixels" in said
    np.save("v.npy", np.zeros((4, 5, 6), np.uint8))
    said = run(capsys, "v.npy", "--chunks", "2", "--dims", "1", "--no-plot", status=1).err
    assert "expected some of (0, 2) for 3 axes (tunnels need the whole volume" in said


def test_a_scheduler_that_does_not_answer(capsys, monkeypatch):
    pytest.importorskip("distributed")
    from pytopo.cli import workers

    monkeypatch.setattr(workers, "WAIT", 0.3)
    line = ("a.npy", "--scheduler", "tcp://127.0.0.1:9", "--no-plot")
    said = run(capsys, *line, status=1).err
    assert "--scheduler tcp://127.0.0.1:9: no Dask scheduler answers there" in said


# --- interrupted -----------------------------------------------------------------------


@pytest.mark.compiled
@pytest.mark.skipif(os.name != "posix", reason="needs signals")
def test_ctrl_c_leaves_no_folder():
    np.save("big.npy", np.random.default_rng(0).integers(0, 256, (3000, 3000), np.uint8))
    command = [sys.executable, "-m", "pytopo.cli", "diagram", "big.npy", "--no-plot"]
    process = subprocess.Popen(
        [*command, "--chunks", "64", "--out", "parts"], stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip
    end = time.monotonic() + 300
    while not (os.path.isdir("parts") and os.listdir("parts")):
        assert process.poll() is None
        assert time.monotonic() < end
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=300)[1]
    assert process.returncode == 130
    assert said.endswith("pytopo diagram: interrupted\n")
    assert not os.path.exists("parts")
