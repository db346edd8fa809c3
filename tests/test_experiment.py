"""Experiments: shared warm-ups, tuning on validation only, and tables that add up."""

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
import torch
from filelock import FileLock

from pytopo.training import report as experiment_report
from pytopo.training.blocks import open_blocks
from pytopo.training.checkpoint import load_checkpoint
from pytopo.training.decision import Decision, Predicted, best_decision
from pytopo.training.distributed import World
from pytopo.training.experiment import check_experiment, run_experiment, start_experiment
from pytopo.training.methods import DATTA_2024, experiment_of, run_config, run_folder
from pytopo.training.results import gather_results

ALONE = World(0, 1, torch.device("cpu"))
TINY = {
    "seeds": [0, 1],
    "data": {"sections": 5, "side": 80},
    "network": {"name": "plain", "options": {}},
    "training": {"epochs": 1, "patches": 8, "batch": 4, "size": 33},
    "methods": {
        "warm-up": {"loss": {"topo_weight": 0.0}},
        "without": {"start": "warm-up", "loss": {"topo_weight": 0.0}},
        "with": {
            "title": "With topological loss",
            "start": "warm-up",
            "against": "without",
            "loss": {"topo_weight": 0.1, "warmup": 0},
        },
    },
}


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    folder = tmp_path_factory.mktemp("experiment")
    experiment = experiment_of(TINY)
    start_experiment(folder, experiment)
    order = [(m.name, seed) for m, seed, _ in run_experiment(experiment, folder, ALONE)]
    return folder, experiment, order


def test_every_method_is_run_with_every_seed(done):
    _, _, order = done
    assert sorted(order) == [(m, s) for m in ("warm-up", "with", "without") for s in (0, 1)]
    assert order.index(("warm-up", 1)) < order.index(("with", 1))


def test_a_finished_experiment_has_nothing_left_to_do(done):
    folder, experiment, _ = done
    assert list(run_experiment(experiment, folder, ALONE)) == []


def test_what_killed_processes_left_half_written_is_removed_by_the_next_start(done, tmp_path):
    folder, experiment, _ = done
    shutil.copytree(folder, tmp_path / "e")
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    for place in (tmp_path / "e", run_folder(tmp_path / "e", experiment.method("with"), 0)):
        (place / f".x.png.{ended.pid}.part").write_text("half")
    start_experiment(tmp_path / "e", experiment)
    assert list(run_experiment(experiment, tmp_path / "e", ALONE)) == []
    assert list((tmp_path / "e").rglob("*.part")) == []


def test_arms_start_from_the_warm_up_of_their_seed_and_meet_other_patches(done):
    folder, experiment, _ = done
    config = run_config(experiment, folder, experiment.method("with"), 1)
    assert config.network.weights == str(folder / "runs" / "warm-up-1" / "last.pt")
    assert config.training.seed == 1001
    other = run_config(experiment, folder, experiment.method("without"), 1)
    assert other.training == config.training


def test_seeds_and_arms_differ(done):
    folder, experiment, _ = done
    weights = {
        (m.name, seed): load_checkpoint(run_folder(folder, m, seed) / "last.pt")["weights"]
        for m in experiment.methods
        for seed in (0, 1)
    }
    first = {key: next(iter(w.values())) for key, w in weights.items()}
    keys = list(first)
    for i, a in enumerate(keys):
        for b in keys[:i]:
            assert not torch.equal(first[a], first[b]), (a, b)


def test_another_experiment_is_not_put_into_the_folder(done):
    folder, experiment, _ = done
    start_experiment(folder, experiment)
    other = experiment_of({**TINY, "seeds": [0]})
    with pytest.raises(ValueError, match="holds another experiment; name another folder"):
        start_experiment(folder, other)


def test_the_report_has_a_table_of_epochs_for_each_method(done):
    folder, experiment, _ = done
    found = gather_results(experiment, folder)
    text = experiment_report.write_report(folder, experiment, found)
    assert (folder / "tables.md").read_text() == text
    assert (folder / "epochs.png").stat().st_size > 0
    head = "| Epoch | Loss | Pixel Accuracy | Betti Error | VOI |"
    assert f"### 3. With topological loss\n\n{head}" in text
    rows = [found["with"][seed]["epochs"][0] for seed in ("0", "1")]
    mean = {name: (rows[0][name] + rows[1][name]) / 2 for name in rows[0]}
    assert (
        f"| 0 | {mean['loss']:.6f} | {mean['pixel_accuracy']:.4f} "
        f"| {mean['betti_error']:.4f} | {mean['voi']:.4f} |"
    ) in text


def fabricated(values):
    """Results in which every measure of a method and seed is one number."""
    test = {name: 0.0 for _, name, _ in experiment_report.MEASURES} | {"patch_betti": 0.0}
    epoch = {"epoch": 0, "loss": 1.0, "pixel_accuracy": 0.5, "betti_error": 1.0, "voi": 1.0}

    def run(value):
        judged = {"test": {**test, "patch_betti_1": value}}
        return {"epochs": [epoch], "evaluation": {"plain": judged, "tuned": judged}}

    return {
        method: {str(seed): run(value) for seed, value in enumerate(some)}
        for method, some in values.items()
    }


def test_spread_is_that_of_seeds_and_differences_are_paired(tmp_path):
    experiment = experiment_of(TINY)
    found = fabricated({"warm-up": [9.0, 9.0], "without": [1.0, 3.0], "with": [0.5, 1.5]})
    text = experiment_report.write_report(tmp_path, experiment, found)
    (row,) = {line for line in text.splitlines() if line.startswith("| with - without")}
    # differences -0.5 and -1.5: mean -1, deviation sqrt(1/2)
    assert row.split(" | ")[3] == "-1.000 ± 0.707 (2 / 0)"
    (row,) = {line for line in text.splitlines() if line.startswith("| without |")}
    assert row.split(" | ")[3] == "2.000 ± 1.414"


def test_the_decision_with_the_least_betti_error_is_chosen():
    truth = np.zeros((70, 70), bool)
    truth[20, :] = truth[:, 30] = True
    likelihood = np.where(truth, 0.95, 0.0).astype(np.float32)
    likelihood[20, 40:45] = 0.42  # a gap, open at thresholds above 0.42
    likelihood[50:53, 50:53] = 0.9  # a speck of 9 pixels
    config = experiment_of(TINY).config
    decision = best_decision([Predicted(likelihood, truth)], config)
    assert decision.threshold <= 0.4
    assert decision.smallest == 20
    mask = decision.mask(likelihood, "V")
    np.testing.assert_array_equal(mask, truth)


def test_the_plain_decision_is_the_threshold():
    likelihood = np.array([[0.5, 0.51], [0.2, 0.9]], np.float32)
    np.testing.assert_array_equal(
        Decision().mask(likelihood, "V"), [[False, True], [False, True]]
    )


def test_the_comparison_of_datta_2024_is_the_default():
    experiment = experiment_of(DATTA_2024)
    assert [m.name for m in experiment.methods][:4] == [
        "base",
        "vgg19",
        "enhanced",
        "enhanced-without",
    ]
    assert {m.config.training.epochs for m in experiment.methods} == {10}
    without = [m.name for m in experiment.methods if m.config.loss.topo_weight == 0]
    assert without == ["enhanced-without", "unet-without"]


def test_a_run_that_another_process_works_on_is_left_to_it(done, tmp_path, monkeypatch):
    from pytopo.training import experiment as module

    experiment = experiment_of({**TINY, "seeds": [0], "methods": {"without": {}, "with": {}}})
    place = run_folder(tmp_path, experiment.method("without"), 0)
    place.mkdir(parents=True)
    waited = []

    with FileLock(place / "lock") as held:

        def sleep(_):
            waited.append(True)
            held.release()  # the other process dies

        monkeypatch.setattr(module.time, "sleep", sleep)
        order = [m.name for m, _, _ in run_experiment(experiment, tmp_path, ALONE)]
    assert order == ["with", "without"]
    assert waited == [True]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"methods": {}}, r"no \[methods.NAME\]"),
        ({"seeds": []}, r"seeds is \[\]; expected a list of whole numbers from 0 to 999"),
        ({"seeds": [1000]}, r"seeds is \[1000\]"),
        ({"methods": {"a": {"start": "b"}}}, "methods.a.start is 'b'; expected one of a"),
        (
            {"methods": {"a": {"start": "a"}}},
            "methods.a starts, directly or through .*itself",
        ),
        ({"methods": {"a": {"los": {}}}}, r"methods.a: \[los\] is unknown"),
        ({"methods": {"../a": {}}}, "expected a name of letters"),
        ({"methods": {"a": {"data": {}}}}, "all methods share the data"),
    ],
)
def test_impossible_experiments_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        experiment_of({**TINY, **change})


def test_results_can_be_read_by_others(done):
    folder, experiment, _ = done
    found = json.loads(json.dumps(gather_results(experiment, folder)))
    judged = found["with"]["0"]["evaluation"]
    assert judged["plain"]["decision"] == {"threshold": 0.5, "smallest": 0}
    assert set(judged) == {"plain", "tuned"}


# ---- checks before anything is written -------------------------------------------------------


def check(experiment, folder):
    return check_experiment(experiment, folder, open_blocks(experiment.config.data), ALONE)


def test_a_finished_experiment_passes_its_own_check(done):
    folder, experiment, _ = done
    assert check(experiment, folder) == ()


@pytest.mark.parametrize(
    "network", [{"name": "plain", "options": {"width": 8}}, {"name": "unet", "options": {}}]
)
def test_a_method_cannot_start_from_another_network(tmp_path, network):
    methods = {"warm-up": {}, "arm": {"start": "warm-up", "network": network}}
    with pytest.raises(ValueError, match=r"methods\.arm: network .* cannot start from methods"):
        check(experiment_of({**TINY, "methods": methods}), tmp_path / "e")
    assert not (tmp_path / "e").exists()


def test_the_method_with_the_error_is_named(tmp_path):
    methods = {"good": {}, "bad": {"training": {"size": 100}}}
    with pytest.raises(ValueError, match=r"methods\.bad: .*100"):
        check(experiment_of({**TINY, "methods": methods}), tmp_path)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("experiment.json", "{", r"experiment\.json: damaged, not JSON: "),
        ("runs/with-1/evaluation.json", "[", r"evaluation\.json: damaged, not JSON: "),
        ("runs/with-1/evaluation.json", "{}", r"evaluation\.json: damaged; remove it, and the"),
        ("runs/with-1/last.pt", "hello", r"last\.pt: damaged, or not a checkpoint"),
    ],
)
def test_a_damaged_file_of_an_experiment_is_named_before_the_work(
    done, tmp_path, name, content, message
):
    folder, experiment, _ = done
    shutil.copytree(folder, tmp_path / "e")
    (tmp_path / "e" / name).write_text(content)
    with pytest.raises(ValueError, match=message):
        check(experiment, tmp_path / "e")


def test_a_run_that_has_not_begun_takes_the_values_of_the_experiment(done, tmp_path):
    folder, experiment, _ = done
    shutil.copytree(folder, tmp_path / "e")
    place = run_folder(tmp_path / "e", experiment.method("with"), 1)
    for name in ("last.pt", "best.pt", "evaluation.json"):
        (place / name).unlink()
    rows = run_experiment(experiment, tmp_path / "e", ALONE)
    assert [(method.name, seed) for method, seed, _ in rows] == [("with", 1)]
    one, other = (
        load_checkpoint(run_folder(f, experiment.method("with"), 1) / "last.pt")["weights"]
        for f in (folder, tmp_path / "e")
    )
    assert all(torch.equal(one[key], other[key]) for key in one)
