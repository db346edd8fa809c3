"""``pytopo train`` and ``pytopo experiment``, through ``main(argv)`` and as processes."""

import errno
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import h5py
import numpy as np
import pytest

from pytopo.cli.main import main
from pytopo.training.blocks import open_blocks
from pytopo.training.checkpoint import load_checkpoint
from pytopo.training.config import as_toml, config_of, read_tables

TINY = {
    "data": {"sections": 5, "side": 80},
    "network": {"name": "plain", "options": {"layers": 3}},
    "training": {"epochs": 1, "patches": 8, "batch": 4, "size": 33},
    "loss": {"topo_weight": 0.0},
}


pytestmark = pytest.mark.usefixtures("no_pictures")


@pytest.fixture
def config(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny.toml").write_text(as_toml(TINY))
    return "tiny.toml"


def test_training_prints_a_row_an_epoch(config, capsys):
    assert main(["train", "--config", config, "--epochs", "2", "--out", "a"]) == 0
    out, err = capsys.readouterr()
    head, *rows = out.splitlines()
    assert head.split() == ["epoch", "loss", "pixel_accuracy", "betti_error", "voi", "seconds"]
    assert [row.split()[0] for row in rows] == ["0", "1"]
    assert "3 / 1 / 1 sections to train / validate / test, 2 epochs of 2 steps" in err
    (section,) = open_blocks(config_of(TINY).data).validation
    assert f"background has accuracy {1 - section.truth.mean():.4f}" in err


def test_options_win_over_settings_and_settings_over_the_file(config, tmp_path):
    settings = ["--set", "loss.warmup=3", "--set", "training.seed=5", "--set"]
    line = ["train", "--config", config, *settings, "network.options.width=4", "--seed", "7"]
    assert main(line) == 0
    written = read_tables(tmp_path / "run" / "config.toml")
    assert written["loss"]["warmup"] == 3
    assert written["training"]["seed"] == 7
    assert written["network"]["options"] == {"layers": 3, "width": 4}
    assert written["training"]["patches"] == 8


def test_a_finished_run_is_resumed_to_nothing(config, capsys):
    assert main(["train", "--config", config]) == 0
    capsys.readouterr()
    assert main(["train", "--resume", "run"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_a_damaged_checkpoint_is_reported_in_one_line(config, capsys, tmp_path):
    assert main(["train", "--config", config]) == 0
    path = tmp_path / "run" / "last.pt"
    path.write_bytes(path.read_bytes()[:1000])
    capsys.readouterr()
    assert main(["train", "--resume", "run"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 1
    assert "last.pt: damaged, or not a checkpoint of pytopo train" in err


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--set", "loss.wamup=3"], "loss.wamup is unknown; expected one of topo_weight"),
        (["--set", "loss.warmup=soon"], "loss.warmup is 'soon'; expected a whole number"),
        (["--set", "network.name.x=3"], "--set network.name.x: name is a value, not a table"),
        (["--config", "none.toml"], "none.toml: No such file"),
        (["--config", "bad.toml"], "bad.toml: not TOML"),
        (["--data", "nowhere"], "nowhere"),
        (["--network", "alexnet"], "network 'alexnet'; expected one of plain"),
        (["--set", "network.options.depht=2"], "depht"),
        (["--weights", "none.pt"], "none.pt: no such file"),
        (["--set", "training.size=100"], "100"),
        (
            ["--network", "base", "--set", "network.options={}"],
            "training.size is 33; expected 65, the only one that network",
        ),
        (["--set", "data.train=0:9"], "data.train is '0:9'"),
        (["--resume", "nothing"], "expected the folder of a run"),
        (["--set", "data.border=200"], "membrane everywhere, so there is no cell to evaluate"),
        (["--set", "data.border=-1"], "[data] border is -1.0; expected at least 0"),
        (["--set", "data.border_unit=mm"], 'border_unit is \'mm\'; expected "pixels" or "nm"'),
        (["--set", "data.seed=-1"], "[data] seed is -1; expected at least 0"),
        (["--set", "data.side=8"], "[data] side is 8; expected at least 16"),
        (["--set", "training.seed=99999999999999999999"], "[training] seed is 99999999999999"),
        (["--set", "loss.dims=[2]"], "[loss] dims is [2]; expected some of 0, 1"),
        (["--device", "gpu"], "device 'gpu': "),
        (["--out", "bad.toml"], "bad.toml: a file; name a folder for the run"),
        (["--out", "bad.toml/run"], "bad.toml/run: Not a directory"),
    ],
)
def test_an_error_of_the_input_is_reported_in_one_line(config, capsys, tmp_path, args, message):
    (tmp_path / "bad.toml").write_text("[loss")
    if "--config" not in args and "--resume" not in args:
        args = ["--config", config, *args]
    assert main(["train", *args]) == 1
    err = capsys.readouterr().err
    assert len(err.splitlines()) == 1, err
    assert message in err
    assert not (tmp_path / "run").exists()


def test_a_run_is_not_written_over(config, capsys):
    assert main(["train", "--config", config]) == 0
    assert main(["train", "--config", config]) == 1
    assert "there is a run in this folder; resume it" in capsys.readouterr().err


def test_a_loss_that_is_not_finite_names_the_file_with_the_batch(config, capsys, tmp_path):
    line = ["train", "--config", config, "--set", "training.learning_rate=1e30"]
    assert main([*line, "--epochs", "3"]) == 1
    err = capsys.readouterr().err
    assert (
        "a smaller learning rate or clipping may help; the batch is in run/not-finite.pt" in err
    )
    assert (tmp_path / "run" / "not-finite.pt").exists()


@pytest.mark.parametrize(
    "args",
    [
        ["--set", "warmup=3"],
        ["--set", "x"],
        ["--epochs", "0"],
        ["--resume", "a", "--seed", "1"],
    ],
)
def test_a_bad_line_is_a_usage_error(args):
    with pytest.raises(SystemExit) as caught:
        main(["train", *args])
    assert caught.value.code == 2


def test_an_experiment_prints_its_tables(config, capsys, tmp_path):
    text = (tmp_path / config).read_text()
    text = "seeds = [3]\n" + text + '[methods.a]\n[methods.b]\nagainst = "a"\n'
    (tmp_path / "two.toml").write_text(text)
    line = ["experiment", "--config", "two.toml", "--seeds", "1"]
    assert main([*line, "--out", "e", "--time-steps", "1"]) == 0
    out, err = capsys.readouterr()
    assert "| Epoch | Loss | Pixel Accuracy | Betti Error | VOI |" in out
    assert "| b - a | +0.000 (0 / 0) |" in out
    assert re.search(r"\| b (\| [0-9.]+ \| [0-9.]+ x a ){2}\|", out)
    assert "b seed 0 epoch 0: loss" in err
    assert "a seed 0 evaluated; 1 of 2 runs done, about " in err
    assert "b seed 0 evaluated; 2 of 2 runs done\n" in err
    assert sorted(p.name for p in (tmp_path / "e").iterdir()) == [
        "accuracy-betti.png",
        "epochs.png",
        "experiment.json",
        "results.json",
        "runs",
        "step-times.json",
        "tables.md",
    ]
    assert main([*line, "--out", "joined", "--join", "e"]) == 0
    joined, err = capsys.readouterr()
    copied = [text for text in err.splitlines() if text.startswith("joined ")]
    assert [Path(text.removeprefix("joined ")).name for text in copied] == ["a-0", "b-0"]
    assert "epoch" not in err
    tables = "## All measures"
    assert joined[joined.index(tables) :] == out[out.index(tables) :]


def test_an_impossible_experiment_is_reported_in_one_line(config, capsys):
    assert main(["experiment", "--config", config]) == 1
    assert "no [methods.NAME] in the experiment" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--data", "nowhere"], "nowhere"),
        (["--set", "training.size=100"], "100"),
        (["--set", "network.name=alexnet"], "network 'alexnet'; expected one of plain"),
    ],
)
def test_an_experiment_is_checked_before_anything_is_written(
    config, capsys, tmp_path, args, message
):
    text = (tmp_path / config).read_text() + "[methods.a]\n"
    (tmp_path / "one.toml").write_text(text)
    assert main(["experiment", "--config", "one.toml", "--out", "e", *args]) == 1
    err = capsys.readouterr().err
    assert len(err.splitlines()) == 1, err
    assert message in err
    assert not (tmp_path / "e").exists()


# ---- resuming ------------------------------------------------------------------------------


def one_line_of(capsys):
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 1, err
    return err


def test_a_refused_resume_leaves_the_run_as_it_was(config, capsys, tmp_path):
    assert main(["train", "--config", config]) == 0
    path = tmp_path / "run" / "config.toml"
    written = path.read_text()
    before = (tmp_path / "run" / "last.pt").read_bytes()
    capsys.readouterr()
    path.write_text(
        written.replace("layers = 3", "layers = 4").replace("epochs = 1", "epochs = 3")
    )
    assert main(["train", "--resume", "run"]) == 1
    assert "network.options is {layers = 4} and was {layers = 3}" in one_line_of(capsys)
    path.write_text(written.replace("epochs = 1", "epochs = 2"))
    assert (tmp_path / "run" / "last.pt").read_bytes() == before
    assert main(["train", "--resume", "run"]) == 0
    assert len(load_checkpoint(tmp_path / "run" / "last.pt")["history"]) == 2


def test_a_run_is_resumed_for_longer(config, capsys, tmp_path):
    assert main(["train", "--config", config]) == 0
    assert main(["train", "--resume", "run", "--epochs", "2"]) == 0
    out, err = capsys.readouterr()
    assert [line.split()[0] for line in out.splitlines()] == ["epoch", "0", "epoch", "1"]
    assert "training.epochs is 2 and was 1: from here on the learning rate" in err
    assert read_tables(tmp_path / "run" / "config.toml")["training"]["epochs"] == 2
    assert main(["train", "--resume", "run", "--epochs", "1"]) == 1
    assert "training.epochs is 1, and 2 are begun or done" in one_line_of(capsys)
    assert read_tables(tmp_path / "run" / "config.toml")["training"]["epochs"] == 2


@pytest.mark.parametrize("content", [b"", b"hello", b"[training]\nepochs = 'x'", b"\xff"])
def test_a_damaged_configuration_is_reported_in_one_line(config, capsys, tmp_path, content):
    assert main(["train", "--config", config]) == 0
    (tmp_path / "run" / "config.toml").write_bytes(content)
    capsys.readouterr()
    assert main(["train", "--resume", "run"]) == 1
    assert "run" in one_line_of(capsys)


def test_the_best_checkpoint_does_not_serve_as_the_last(config, capsys, tmp_path):
    assert main(["train", "--config", config]) == 0
    shutil.copy("run/best.pt", "run/last.pt")
    capsys.readouterr()
    assert main(["train", "--resume", "run"]) == 1
    assert "last.pt: has no config, optimizer, random" in one_line_of(capsys)


# ---- stdout, full disks, Ctrl-C --------------------------------------------------------------


def process(*argv, **options):
    return subprocess.run(
        [sys.executable, "-m", "pytopo.cli", *argv],
        stderr=subprocess.PIPE, text=True, timeout=200, **options,
    )  # fmt: skip


def test_a_reader_that_goes_away_does_not_stop_the_training(config, tmp_path):
    command = [sys.executable, "-m", "pytopo.cli", "train", "--config", config, "--epochs", "2"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        running.stdout.close()
        err = running.stderr.read()
    assert running.returncode == 0, err
    assert "wrote run: " in err
    assert len(load_checkpoint(tmp_path / "run" / "last.pt")["history"]) == 2
    assert (tmp_path / "run" / "examples.png").exists()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")
def test_a_full_stdout_is_one_line_and_the_run_can_be_resumed(config, tmp_path):
    with open("/dev/full", "w") as full:
        done = process("train", "--config", config, stdout=full)
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last == f"pytopo train: stdout: {os.strerror(errno.ENOSPC)}"
    assert "wrote" not in done.stderr
    assert main(["train", "--resume", "run"]) == 0


@pytest.mark.parametrize("workers", ["0", "1"])
def test_a_damaged_section_that_only_training_reads_is_reported_in_one_line(
    config, capsys, workers
):
    blocks = open_blocks(config_of(TINY).data)
    sections = [*blocks.train, *blocks.validation, *blocks.test]
    masks = np.stack([section.truth for section in sections]).astype(np.uint8)
    masks[:3] *= 7  # of the block to learn from, and the others hold 0 and 1
    with h5py.File("cells.h5", "w") as file:
        file["raw"] = np.stack([section.image for section in sections])
        file["mask"] = masks
    line = ["train", "--config", config, "--data", "cells.h5:/raw,cells.h5:/mask"]
    assert main([*line, "--workers", workers]) == 1
    last = capsys.readouterr().err.splitlines()[-1]
    place = r"pytopo train: cells.h5:/mask section [012]"
    assert re.match(f"{place}: the label holds 7, and elsewhere 1; ", last)


def test_an_error_of_the_log_is_not_taken_for_one_of_stdout(config, capsys, monkeypatch):
    def full(path, history):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    monkeypatch.setattr("pytopo.training.run.write_log", full)
    assert main(["train", "--config", config]) == 1
    err = capsys.readouterr().err
    expected = os.path.join("run", "log.csv")
    assert err.splitlines()[-1] == f"pytopo train: {expected}: {os.strerror(errno.ENOSPC)}"


@pytest.mark.skipif(os.name != "posix", reason="limits the size of files as POSIX does")
def test_a_checkpoint_that_cannot_be_written_is_one_line(config, tmp_path):
    script = (
        "import resource, sys; from pytopo.cli.main import main\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))\n"
        f"sys.exit(main(['train', '--config', '{config}']))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 1, done.stderr
    expected = os.path.join("run", "best.pt")
    last = done.stderr.splitlines()[-1]
    assert last == f"pytopo train: {expected}: {os.strerror(errno.EFBIG)}"
    assert sorted(os.listdir("run")) == ["config.toml", "lock"]


# A shell that starts tests in the background has them ignore SIGINT, and so would the child.
PROGRAM = (
    "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    "from pytopo.cli.main import main; sys.exit(main())"
)


@pytest.mark.skipif(os.name != "posix", reason="sends SIGINT to a process")
@pytest.mark.parametrize("command", ["train", "experiment"])
def test_ctrl_c_is_answered_at_once_in_one_line_and_leaves_nothing_half_written(
    config, tmp_path, command
):
    text = (tmp_path / config).read_text().replace("epochs = 1", "epochs = 100000")
    (tmp_path / config).write_text(text + ("[methods.a]\n" if command == "experiment" else ""))
    place = tmp_path / "out" / ("runs/a-0" if command == "experiment" else "")
    running = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, command, "--config", config, "--out", "out"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    while running.poll() is None and not (place / "log.csv").exists():
        time.sleep(0.01)
    begun = time.perf_counter()
    running.send_signal(signal.SIGINT)
    _, err = running.communicate(timeout=60)
    assert time.perf_counter() - begun < 5  # a busy machine; 0.2 s on an idle one
    assert running.returncode == 130, err
    remedy = {
        "train": "to resume: pytopo train --resume out",
        "experiment": "the same command continues where it stands",
    }
    assert err.splitlines()[-1] == f"pytopo {command}: interrupted; {remedy[command]}"
    assert "Traceback" not in err
    assert not [path for path in (tmp_path / "out").rglob("*") if path.suffix == ".part"]
    assert load_checkpoint(place / "last.pt")["step"] >= 2


def test_two_processes_do_not_train_in_the_same_folder(config, capsys, tmp_path):
    from pytopo.training.folder import claimed

    with claimed("run"):
        assert main(["train", "--config", config]) == 1
        assert "run: another process is training in this folder" in one_line_of(capsys)
    assert main(["train", "--config", config]) == 0
    with claimed("run"):
        capsys.readouterr()
        assert main(["train", "--resume", "run"]) == 1
        assert "run: another process is training in this folder" in one_line_of(capsys)
