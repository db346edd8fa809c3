"""``pytopo train`` and ``pytopo experiment``, through ``main(argv)``."""

import pytest

from pytopo.cli.main import main
from pytopo.config import as_toml, config_of, read_tables
from pytopo.run import open_blocks

TINY = {
    "data": {"sections": 5, "side": 80},
    "network": {"name": "plain", "options": {"layers": 3}},
    "training": {"epochs": 1, "patches": 8, "batch": 4, "size": 33},
    "loss": {"topo_weight": 0.0},
}


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
    asked = read_tables(tmp_path / "run" / "config.toml")
    assert asked["loss"]["warmup"] == 3
    assert asked["training"]["seed"] == 7
    assert asked["network"]["options"] == {"layers": 3, "width": 4}
    assert asked["training"]["patches"] == 8


def test_a_finished_run_is_resumed_to_nothing(config, capsys):
    assert main(["train", "--config", config]) == 0
    capsys.readouterr()
    assert main(["train", "--resume", "run"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_a_damaged_checkpoint_is_said_in_one_line(config, capsys, tmp_path):
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
        (["--set", "loss.wamup=3"], "loss.wamup is unknown; wanted one of topo_weight"),
        (["--set", "loss.warmup=soon"], "loss.warmup is 'soon'; wanted a whole number"),
        (["--set", "network.name.x=3"], "--set network.name.x: name is a value, not a table"),
        (["--config", "none.toml"], "none.toml: No such file"),
        (["--config", "bad.toml"], "bad.toml: not TOML"),
        (["--data", "nowhere"], "nowhere"),
        (["--network", "alexnet"], "network 'alexnet'; wanted one of plain"),
        (["--set", "network.options.depht=2"], "depht"),
        (["--weights", "none.pt"], "none.pt: no such file"),
        (["--set", "training.size=100"], "100"),
        (
            ["--network", "base", "--set", "network.options={}"],
            "training.size is 33; wanted 65, the only one that network",
        ),
        (["--set", "data.train=0:9"], "data.train is '0:9'"),
        (["--resume", "nothing"], "wanted the folder of a run"),
    ],
)
def test_what_is_at_fault_is_said_in_one_line(config, capsys, tmp_path, args, message):
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
    assert main(["experiment", "--config", "two.toml", "--out", "e", "--seeds", "1"]) == 0
    out, err = capsys.readouterr()
    assert "| Epoch | Loss | Pixel Accuracy | Betti Error | VOI |" in out
    assert "| b - a | +0.0000 (0 / 0) |" in out
    assert "b seed 0 epoch 0: loss" in err
    assert sorted(p.name for p in (tmp_path / "e").iterdir()) == [
        "accuracy-betti.png",
        "epochs.png",
        "experiment.json",
        "results.json",
        "runs",
        "tables.md",
    ]


def test_an_impossible_experiment_is_said_in_one_line(config, capsys):
    assert main(["experiment", "--config", config]) == 1
    assert "no [methods.NAME] in the experiment" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--data", "nowhere"], "nowhere"),
        (["--set", "training.size=100"], "100"),
        (["--set", "network.name=alexnet"], "network 'alexnet'; wanted one of plain"),
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
