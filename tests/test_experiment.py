"""Experiments: shared warm-ups, tuning on validation only, and tables that add up."""

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
import torch
from filelock import FileLock

from pytopo.metrics.decision import Decision
from pytopo.training import report as experiment_report
from pytopo.training.blocks import open_blocks
from pytopo.training.checkpoint import load_checkpoint
from pytopo.training.decision import (
    ACCURACY_LOSS,
    CLEANUPS,
    DECISIONS,
    Predicted,
    decisions_of,
    mean_matching_errors,
)
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


def test_an_experiment_grows_and_reuses_the_runs_that_are_there(done, tmp_path):
    folder, _, _ = done
    shutil.copytree(folder, tmp_path / "e")
    arm = {"start": "warm-up", "loss": {"topo_weight": 0.2, "warmup": 0, "matching": "betti"}}
    methods = {name: TINY["methods"][name] for name in ("warm-up", "without")}
    grown = experiment_of({**TINY, "seeds": [0], "methods": {**methods, "place": arm}})
    check(grown, tmp_path / "e")
    start_experiment(tmp_path / "e", grown)
    order = [(m.name, seed) for m, seed, _ in run_experiment(grown, tmp_path / "e", ALONE)]
    assert order == [("place", 0)]
    # what is not in the file is still known: it cannot come back with other values
    again = {**TINY, "methods": {**methods, "with": {"start": "warm-up"}}}
    with pytest.raises(
        ValueError, match=r"methods\.with: loss\.topo_weight is 0\.03 and was 0\.1"
    ):
        start_experiment(tmp_path / "e", experiment_of(again))
    assert check(experiment_of({**TINY, "seeds": [0, 1, 2]}), tmp_path / "e") == ()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"training": {**TINY["training"], "epochs": 2}},
            "methods.warm-up: training.epochs is 2 and was 1 in this folder; name",
        ),
        ({"data": {"sections": 6, "side": 80}}, "data.sections is 6 and was 5 in this"),
        (
            {"data": {"sections": 6, "side": 80}, "methods": {"new": {}}},
            "methods.new: data.sections is 6 and was 5 in this",
        ),
        (
            {"methods": {"warm-up": {"loss": {"topo_weight": 0.0}}, "without": {
                "loss": {"topo_weight": 0.0}}}},
            "methods.without: start is '' and was 'warm-up' in this",
        ),
    ],
)  # fmt: skip
def test_runs_with_other_values_are_not_mixed(done, change, message):
    folder, _, _ = done
    before = (folder / "experiment.json").read_text()
    with pytest.raises(ValueError, match=message):
        start_experiment(folder, experiment_of({**TINY, **change}))
    assert (folder / "experiment.json").read_text() == before


def test_an_evaluation_with_fewer_decisions_is_made_again(done, tmp_path):
    folder, experiment, _ = done
    shutil.copytree(folder, tmp_path / "e")
    file = run_folder(tmp_path / "e", experiment.method("with"), 0) / "evaluation.json"
    whole = json.loads(file.read_text())
    file.write_text(json.dumps({"plain": whole["plain"], "tuned": whole["plain"]}))
    assert check(experiment, tmp_path / "e") == ()
    assert list(run_experiment(experiment, tmp_path / "e", ALONE)) == []
    assert json.loads(file.read_text()) == whole


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
    test = {name: 0.0 for _, name, _ in experiment_report.MEASURES} | {"matching": 0.0}
    epoch = {"epoch": 0, "loss": 1.0, "pixel_accuracy": 0.5, "betti_error": 1.0, "voi": 1.0}

    def run(value):
        judged = {"test": {**test, "patch_betti_1": value}}
        return {"epochs": [epoch], "evaluation": dict.fromkeys(DECISIONS, judged)}

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
    assert row.split(" | ")[6] == "-1.000 ± 0.707 (2 / 0)"
    (row,) = {line for line in text.splitlines() if line.startswith("| without |")}
    assert row.split(" | ")[6] == "2.000 ± 1.414"


def a_wall_with_a_gap_and_a_speck(speck):
    """Two walls that cross: a gap in one is weak, and a speck of 9 pixels lies beside."""
    truth = np.zeros((70, 70), bool)
    truth[20, :] = truth[:, 30] = True
    likelihood = np.where(truth, 0.95, 0.0).astype(np.float32)
    likelihood[20, 40:45] = 0.42  # open at thresholds above 0.42
    likelihood[49:54, 49:54] = speck - 0.25
    likelihood[50:53, 50:53] = speck
    return Predicted(likelihood, truth)


def test_each_cleanup_takes_the_decision_with_the_least_error():
    config = experiment_of(TINY).config
    predicted = a_wall_with_a_gap_and_a_speck(0.9)
    chosen = decisions_of([predicted], config)
    assert list(chosen) == list(DECISIONS)
    assert chosen["plain"] == Decision(0.5, 0, 0.0)
    # the speck is brighter than the gap, so a threshold alone keeps one of them
    by_threshold, by_size, by_persistence = (
        chosen[f"{cleanup} by matching"] for cleanup in CLEANUPS
    )
    assert (by_threshold.smallest, by_threshold.min_persistence) == (0, 0)
    assert (by_size.threshold, by_size.smallest) == (0.1, 50)
    assert by_persistence.min_persistence == 0
    errors = {
        name: mean_matching_errors([predicted], decision, config)["matching"]
        for name, decision in chosen.items()
    }
    assert errors["size by matching"] == 0 < errors["persistence by matching"]
    np.testing.assert_array_equal(by_size.mask(predicted.likelihood), predicted.truth)


def test_a_line_that_hardly_stands_out_goes_by_persistence():
    truth = np.zeros((70, 70), bool)
    truth[:, 30] = True
    likelihood = np.where(truth, 0.9, 0.2).astype(np.float32)
    likelihood[5:60, 31:60] = 0.45
    likelihood[20:32, 50] = 0.7  # 0.25 above what is around it
    likelihood[30, 30] = 0.55
    chosen = decisions_of([Predicted(likelihood, truth)], experiment_of(TINY).config)
    assert chosen["persistence by matching"] == Decision(0.5, min_persistence=0.3)


def test_one_criterion_pays_little_accuracy_and_the_other_any():
    truth = np.zeros((70, 70), bool)
    truth[:, 30] = True
    likelihood = np.where(truth, 0.9, 0.0).astype(np.float32)
    likelihood[:, 27:34] = np.maximum(likelihood[:, 27:34], 0.35)
    likelihood[30:35, 30] = 0.35  # a gap that only low thresholds close, beside many pixels
    predicted = Predicted(likelihood, truth)
    chosen = decisions_of([predicted], experiment_of(TINY).config)

    def accuracy(decision):
        return (decision.mask(predicted.likelihood) == truth).mean()

    best = max(accuracy(decision) for decision in CLEANUPS["threshold"])
    for cleanup in CLEANUPS:
        assert accuracy(chosen[f"{cleanup} by betti"]) >= best - ACCURACY_LOSS
    assert chosen["threshold by matching"].threshold <= 0.3
    assert accuracy(chosen["threshold by matching"]) < best - ACCURACY_LOSS


def test_patches_of_the_matching_error_tile_a_section():
    config = experiment_of(TINY).config  # patches of 33 x 33
    truth = np.zeros((70, 70), bool)
    truth[:, 35] = True
    likelihood = truth.astype(np.float32)
    likelihood[:2, :2], likelihood[60, 60] = 0, 1  # one speck, in one of 3 x 3 patches
    found = mean_matching_errors([Predicted(likelihood, truth)], Decision(), config)
    assert found == {"matching_0": 1 / 9, "matching_1": 0.0, "matching": 1 / 9}


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
    assert judged["plain"]["decision"] == {
        "threshold": 0.5, "smallest": 0, "min_persistence": 0.0,
    }  # fmt: skip
    assert tuple(judged) == DECISIONS


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
