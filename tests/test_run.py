"""Training runs in folders: what they leave, and that a kill changes nothing."""

import csv
import os
import shutil
import subprocess
import sys
import time

import numpy as np
import pytest
import torch

from pytopo import run_figures
from pytopo.checkpoint import load_checkpoint
from pytopo.config import as_toml, config_of, merged, tables_of
from pytopo.distributed import World, joined_world
from pytopo.run import check_run, go_on, is_finished, open_blocks, read_run, start_run
from pytopo.training import NotFinite

TINY = {
    "data": {"sections": 5, "side": 80},
    "network": {"name": "unet", "options": {"width": 4, "depth": 2}},
    "training": {"epochs": 2, "patches": 16, "batch": 4, "size": 33},
    "loss": {"topo_weight": 0.05, "warmup": 1},
}
ALONE = World(0, 1, torch.device("cpu"))


def tiny(**tables):
    return config_of(merged(TINY, tables))


def final_weights(folder):
    return load_checkpoint(folder / "last.pt")["weights"]


def assert_equal_weights(one, other):
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A run that was never interrupted, and its rows."""
    folder = tmp_path_factory.mktemp("runs") / "whole"
    start_run(folder, tiny())
    return folder, list(go_on(folder, ALONE))


def test_a_run_leaves_its_configuration_log_pictures_and_checkpoints(finished):
    folder, _ = finished
    assert sorted(path.name for path in folder.iterdir()) == [
        "best.pt",
        "config.toml",
        "curves.png",
        "examples.png",
        "last.pt",
        "log.csv",
    ]
    assert tables_of(read_run(folder)) == tables_of(tiny())
    assert is_finished(folder)


def test_the_log_begins_with_the_columns_of_the_tables(finished):
    folder, rows = finished
    with open(folder / "log.csv", newline="") as stream:
        logged = list(csv.DictReader(stream))
    first = ["epoch", "loss", "pixel_accuracy", "betti_error", "voi"]
    assert list(logged[0])[:5] == first
    assert {"cross_entropy", "topological", "patch_betti_0", "seconds"} <= set(logged[0])
    assert [int(row["epoch"]) for row in logged] == [0, 1]
    assert [float(row["loss"]) for row in logged] == [row["loss"] for row in rows]
    assert logged[0]["topological"] == ""  # the warm-up does not compute it
    assert float(logged[1]["topological"]) == rows[1]["topological"] > 0


def test_the_loss_of_an_epoch_adds_up(finished):
    _, (warm, full) = finished
    assert warm["loss"] == warm["cross_entropy"]
    assert full["loss"] == pytest.approx(full["cross_entropy"] + 0.05 * full["topological"])
    assert full["betti_error"] == pytest.approx(full["patch_betti_0"] + full["patch_betti_1"])


def test_the_best_checkpoint_is_that_of_the_least_betti_error(finished):
    folder, rows = finished
    least = min(rows, key=lambda row: row["betti_error"])
    assert load_checkpoint(folder / "best.pt")["step"] == least["step"]


def test_what_a_kill_left_unwritten_is_written_when_the_run_is_resumed(finished, tmp_path):
    folder, _ = finished
    shutil.copytree(folder, tmp_path / "run")
    for name in ("log.csv", "curves.png", "examples.png"):
        (tmp_path / "run" / name).unlink()
    assert list(go_on(tmp_path / "run", ALONE)) == []
    assert (tmp_path / "run" / "log.csv").read_text() == (folder / "log.csv").read_text()
    assert (tmp_path / "run" / "curves.png").exists()
    assert (tmp_path / "run" / "examples.png").exists()


@pytest.mark.parametrize("stop", [3, 4, 6])
def test_a_run_that_stops_at_a_checkpoint_goes_on_as_if_nothing_had_been(
    finished, tmp_path, stop
):
    class Stopped(Exception):
        pass

    whole, rows = finished
    start_run(tmp_path / "run", tiny())
    saved = []

    def stop_after(step):
        saved.append(step)
        if step == stop:
            raise Stopped

    with pytest.MonkeyPatch.context() as patch:
        from pytopo import run

        def write(path, state, save=run.save_checkpoint):
            save(path, state)
            if path.name == "last.pt":
                stop_after(state["step"])

        patch.setattr(run, "save_checkpoint", write)
        with pytest.raises(Stopped):
            list(go_on(tmp_path / "run", ALONE, save_every=3))
    assert not is_finished(tmp_path / "run")
    list(go_on(tmp_path / "run", ALONE, save_every=3))
    assert_equal_weights(final_weights(whole), final_weights(tmp_path / "run"))
    again = load_checkpoint(tmp_path / "run" / "last.pt")["history"]
    timeless = [
        [{k: str(v) for k, v in row.items() if k != "seconds"} for row in some]
        for some in (rows, again)
    ]
    assert timeless[0] == timeless[1]


def test_dropout_goes_on_where_it_was(tmp_path):
    changed = {
        "network": {"name": "enhanced", "options": {"size": 65}},
        "training": {"epochs": 2, "patches": 8, "batch": 4, "size": 65},
        "loss": {"topo_weight": 0.0},
    }
    config = config_of({**TINY, **changed})
    for name in ("whole", "parts"):
        start_run(tmp_path / name, config)
    list(go_on(tmp_path / "whole", ALONE))
    rows = go_on(tmp_path / "parts", ALONE)
    next(rows)
    rows.close()
    torch.manual_seed(12345)
    list(go_on(tmp_path / "parts", ALONE))
    assert_equal_weights(final_weights(tmp_path / "whole"), final_weights(tmp_path / "parts"))


def train_command(*args):
    return [sys.executable, "-m", "pytopo.cli", "train", *map(str, args)]


ONE_THREAD = {**os.environ, "OMP_NUM_THREADS": "1"}


def train_to_the_end(*args):
    done = subprocess.run(
        train_command(*args), env=ONE_THREAD, capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.compiled
def test_a_process_that_is_killed_goes_on_bit_for_bit(tmp_path):
    tables = merged(TINY, {"training": {"epochs": 3, "patches": 64}})
    (tmp_path / "tiny.toml").write_text(as_toml(tables))
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    train_to_the_end("--config", tmp_path / "tiny.toml", "--out", whole)

    begin = ["--config", tmp_path / "tiny.toml", "--out", killed, "--save-every", 5]
    process = subprocess.Popen(
        train_command(*begin), env=ONE_THREAD, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    while process.poll() is None and lines(killed / "log.csv") < 2:
        time.sleep(0.01)
    process.kill()
    process.wait()
    assert not is_finished(killed)
    train_to_the_end("--resume", killed)
    assert_equal_weights(final_weights(whole), final_weights(killed))


def lines(path):
    return len(path.read_text().splitlines()) if path.exists() else 0


@pytest.mark.compiled
def test_two_processes_train_the_network_that_one_trains(tmp_path):
    tables = merged(TINY, {"network": {"options": {"width": 4, "depth": 2, "norm": "none"}}})
    (tmp_path / "tiny.toml").write_text(as_toml(tables))
    start_run(tmp_path / "one", config_of(tables))
    rows = list(go_on(tmp_path / "one", ALONE))
    command = [
        *(sys.executable, "-m", "torch.distributed.run", "--standalone"),
        *("--nproc-per-node", "2", "-m", "pytopo.cli", "train"),
        *("--config", tmp_path / "tiny.toml", "--out", tmp_path / "two"),
    ]
    done = subprocess.run(
        list(map(str, command)),
        env=ONE_THREAD,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    one, two = final_weights(tmp_path / "one"), final_weights(tmp_path / "two")
    assert one.keys() == two.keys()
    for name in one:
        torch.testing.assert_close(one[name], two[name], rtol=0, atol=1e-5)
    shared = load_checkpoint(tmp_path / "two" / "last.pt")["history"]
    assert [row["loss"] for row in shared] == pytest.approx([row["loss"] for row in rows], 1e-4)


def test_a_batch_is_shared_equally_or_not_at_all():
    second = World(1, 2, torch.device("cpu"))
    assert list(range(16)[second.share(16)]) == list(range(8, 16))
    with pytest.raises(ValueError, match="batch is 3; wanted a multiple of the number of proc"):
        second.share(3)


def test_batch_normalisation_on_several_processors_is_said_to_be_split():
    blocks, second = open_blocks(tiny().data), World(1, 2, torch.device("cpu"))
    (note,) = check_run(tiny(), blocks, second)
    assert note.startswith("batch normalisation sees the share of its process only")
    options = {"width": 4, "depth": 2, "norm": "none"}
    assert check_run(tiny(network={"options": options}), blocks, second) == ()
    assert check_run(tiny(), blocks, ALONE) == ()


def test_only_vgg19_has_published_weights(tmp_path):
    blocks = open_blocks(tiny().data)
    with pytest.raises(ValueError, match="only vgg19 has published weights"):
        check_run(tiny(network={"published": "download"}), blocks, ALONE)
    missing = {"name": "vgg19", "options": {"size": 33}, "published": str(tmp_path / "no.pth")}
    with pytest.raises(FileNotFoundError, match=r"no\.pth"):
        check_run(tiny(network=missing), blocks, ALONE)


def test_without_torchrun_there_is_one_process():
    with joined_world("cpu") as world:
        assert (world.rank, world.size, world.is_first) == (0, 1, True)


def test_a_batch_that_is_not_finite_is_kept(tmp_path):
    start_run(tmp_path / "run", tiny(training={"learning_rate": 1e30, "clip": 0.0}))
    with pytest.raises(NotFinite):
        list(go_on(tmp_path / "run", ALONE))
    kept = torch.load(tmp_path / "run" / "not-finite.pt", weights_only=True)
    assert kept["images"].shape == kept["truth"].shape == (4, 1, 33, 33)


def test_a_run_does_not_write_over_another(finished):
    folder, _ = finished
    with pytest.raises(FileExistsError, match="there is a run in this folder; resume it"):
        start_run(folder, tiny())
    with pytest.raises(FileNotFoundError, match="wanted the folder of a run"):
        read_run(folder.parent)


def test_a_run_can_start_from_the_weights_of_another(finished, tmp_path):
    folder, _ = finished
    network = {"weights": str(folder / "last.pt")}
    still = {"learning_rate": 1e-12, "schedule": "constant"}
    start_run(tmp_path / "run", tiny(network=network, training=still))
    list(go_on(tmp_path / "run", ALONE))
    one, other = final_weights(folder), final_weights(tmp_path / "run")
    for name in one:
        if "num_batches" not in name and "running" not in name:
            torch.testing.assert_close(one[name], other[name], rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("blocks", "message"),
    [
        (("0:3", "2:4", "4:5"), "data.train and data.validation share section 2"),
        (("0:3", "3:4", ""), "data.test is ''; wanted a block of sections like"),
        (
            ("0:3", "3:4", "4:6"),
            "data.test is '4:6'; wanted a block of sections like .*out of 5",
        ),
        (("3:3", "3:4", "4:5"), "data.train is '3:3'"),
        (("a:3", "3:4", "4:5"), "data.train is 'a:3'"),
    ],
)
def test_blocks_of_sections_are_apart(blocks, message):
    names = dict(zip(("train", "validation", "test"), blocks))
    with pytest.raises(ValueError, match=message):
        open_blocks(tiny(data=names).data)


def test_blocks_are_those_asked_for():
    names = {"train": "1:3", "validation": "0:1", "test": "3:5"}
    blocks, whole = open_blocks(tiny(data=names).data), open_blocks(tiny().data)
    assert [len(b) for b in (blocks.train, blocks.validation, blocks.test)] == [2, 1, 2]
    assert [len(b) for b in (whole.train, whole.validation, whole.test)] == [3, 1, 1]
    np.testing.assert_array_equal(blocks.validation[0].image, whole.train[0].image)


def test_curves_say_where_the_topological_loss_begins(finished):
    _, rows = finished
    figure = run_figures.curves(rows)
    labels = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert labels == ["loss", "cross-entropy", "topological loss from here"]
    assert list(figure.axes[0].get_lines()[0].get_ydata()) == [row["loss"] for row in rows]
