"""Experiments of several machines become one, and what does not belong together is refused."""

import shutil
from dataclasses import replace

import pytest
import torch

from pytopo.files import replacing
from pytopo.training.checkpoint import save_checkpoint
from pytopo.training.folder import claimed, read_run, write_config
from pytopo.training.joining import join, runs_to_join
from pytopo.training.methods import experiment_of, run_config, run_folder

EXPERIMENT = experiment_of(
    {
        "seeds": [0, 1],
        "training": {"epochs": 2, "patches": 8, "batch": 4},
        "methods": {
            "warm-up": {"loss": {"topo_weight": 0.0}},
            "arm": {"start": "warm-up", "loss": {"topo_weight": 0.1}},
        },
    }
)


def finish(folder, method, seed, *, steps=4, weight=1.0):
    """Write a run that trained for some steps and ended with a weight."""
    method = EXPERIMENT.method(method)
    place = run_folder(folder, method, seed)
    place.mkdir(parents=True)
    write_config(place, run_config(EXPERIMENT, folder, method, seed))
    state = {
        "network": {"name": "unet", "options": {}},
        "weights": {"w": torch.full((2,), weight)},
        "step": steps,
    }
    save_checkpoint(place / "last.pt", state)
    (place / "evaluation.json").write_text(f"evaluation of {folder.name}")
    (folder / "experiment.json").write_text("{}")
    return place


def joined(tmp_path, *names):
    copies = runs_to_join(EXPERIMENT, tmp_path / "out", [str(tmp_path / n) for n in names])
    return [
        str(copy.source.relative_to(tmp_path))
        for copy in join(copies)
        if copy.target == tmp_path / "out" / "runs" / copy.source.name
    ]


def test_finished_runs_are_copied_with_all_their_files(tmp_path):
    for seed, machine in enumerate("ab"):
        for method in ("warm-up", "arm"):
            finish(tmp_path / machine, method, seed)
    assert joined(tmp_path, "a", "b") == [
        "a/runs/warm-up-0", "a/runs/arm-0", "b/runs/warm-up-1", "b/runs/arm-1",
    ]  # fmt: skip
    source, target = (tmp_path / name / "runs" / "arm-1" for name in ("b", "out"))
    for name in ("config.toml", "last.pt", "evaluation.json"):
        assert (target / name).read_bytes() == (source / name).read_bytes()
    assert joined(tmp_path, "a", "b") == []  # again: nothing is lacking


def test_runs_that_are_not_finished_stay_where_they_are(tmp_path):
    finish(tmp_path / "a", "warm-up", 0)
    finish(tmp_path / "a", "arm", 0, steps=3)
    assert joined(tmp_path, "a") == ["a/runs/warm-up-0"]
    assert not (tmp_path / "out" / "runs" / "arm-0").exists()


def test_a_copy_of_a_run_is_the_same_run(tmp_path):
    finish(tmp_path / "a", "warm-up", 0)
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    finish(tmp_path / "b", "arm", 0)
    assert joined(tmp_path, "a", "b") == ["a/runs/warm-up-0", "b/runs/arm-0"]


@pytest.mark.parametrize("first", ["a", "out"])
def test_arms_of_two_warm_ups_are_no_pairs(tmp_path, first):
    finish(tmp_path / first, "warm-up", 0)
    finish(tmp_path / "b", "warm-up", 0, weight=2.0)
    (tmp_path / "a").mkdir(exist_ok=True)
    (tmp_path / "a" / "experiment.json").write_text("{}")
    with pytest.raises(
        ValueError, match=rf"b/runs/warm-up-0: ended with other weights than .*{first}/runs"
    ):
        joined(tmp_path, "a", "b")
    assert not (tmp_path / "out" / "runs" / "arm-0").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"loss": {"topo_weight": 0.2}},
            r"arm-0: loss\.topo_weight is 0\.2; expected 0\.1, as",
        ),
        (
            {"training": {"seed": 7}},
            r"arm-0: training\.seed is 7; expected 1000, as methods\.arm",
        ),
        ({"data": {"side": 64}}, r"arm-0: data\.side is 64; expected 256"),
    ],
)
def test_runs_with_other_values_are_not_joined(tmp_path, change, message):
    place = finish(tmp_path / "a", "arm", 0)
    config = read_run(place)
    ((table, values),) = change.items()
    changed = replace(getattr(config, table), **values)
    write_config(place, replace(config, **{table: changed}))
    with pytest.raises(ValueError, match=message):
        joined(tmp_path, "a")
    assert not (tmp_path / "out").exists()


def test_the_data_may_lie_elsewhere_on_another_machine(tmp_path):
    place = finish(tmp_path / "a", "warm-up", 0)
    config = read_run(place)
    write_config(place, replace(config, data=replace(config.data, paths=["/mnt/isbi"])))
    assert joined(tmp_path, "a") == ["a/runs/warm-up-0"]


def test_a_folder_without_an_experiment_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"a: no experiment\.json; expected the folder"):
        joined(tmp_path, "a")


def test_what_is_half_copied_is_no_finished_run(tmp_path, monkeypatch):
    finish(tmp_path / "a", "arm", 0)

    def full(path, mode):
        if path.name == "last.pt":
            raise OSError(28, "No space left on device", str(path))
        return replacing(path, mode)

    monkeypatch.setattr("pytopo.training.joining.replacing", full)
    with pytest.raises(OSError, match="No space"):
        joined(tmp_path, "a")
    target = tmp_path / "out" / "runs" / "arm-0"
    assert sorted(path.name for path in target.iterdir()) == ["config.toml", "lock"]
    monkeypatch.undo()
    assert joined(tmp_path, "a") == ["a/runs/arm-0"]


def test_a_run_that_a_process_works_on_is_left_to_it(tmp_path):
    finish(tmp_path / "a", "warm-up", 0)
    with claimed(tmp_path / "out" / "runs" / "warm-up-0"):
        assert joined(tmp_path, "a") == []
