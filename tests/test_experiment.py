"""Experiments: shared warm-ups, runs that are shared and reused, and what is kept of them."""

import copy
import dataclasses
import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
import torch
from filelock import FileLock

from pytopo.metrics import betti_error, cldice
from pytopo.metrics.decision import Decision
from pytopo.training import figures as run_figures
from pytopo.training import measures, timing
from pytopo.training.blocks import open_blocks
from pytopo.training.checkpoint import load_checkpoint, load_network
from pytopo.training.decision import DECISIONS, Predicted, predicted
from pytopo.training.distributed import World
from pytopo.training.experiment import check_experiment, run_experiment, start_experiment
from pytopo.training.joining import join, runs_to_join
from pytopo.training.loop import train
from pytopo.training.methods import experiment_of, run_config, run_folder
from pytopo.training.pace import Pace
from pytopo.training.results import gather_results, is_evaluated

ALONE = World(0, 1, torch.device("cpu"))
TINY = {
    "seeds": [0, 1],
    "data": {"sections": 5, "side": 64},
    "network": {"name": "plain", "options": {"width": 4, "layers": 3}},
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


@pytest.fixture(scope="module", autouse=True)
def without_pictures():
    """The pictures of a run take most of its time, and have tests of their own."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("curves", "examples", "save"):
            patch.setattr(run_figures, name, lambda *_: None)
        yield


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    folder = tmp_path_factory.mktemp("experiment")
    experiment = experiment_of(TINY)
    start_experiment(folder, experiment)
    return folder, experiment, trained(experiment, folder)


def trained(experiment, folder):
    """The runs that are trained, in their order; each is evaluated too."""
    rows = list(run_experiment(experiment, folder, ALONE))
    return [(method.name, seed) for method, seed, row in rows if row is not None]


def test_every_method_is_run_with_every_seed(done):
    _, _, order = done
    assert sorted(order) == [(m, s) for m in ("warm-up", "with", "without") for s in (0, 1)]
    assert order.index(("warm-up", 1)) < order.index(("with", 1))


def test_a_finished_experiment_has_nothing_left_to_do(done):
    folder, experiment, _ = done
    assert check(experiment, folder) == ()
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
    arm = {"start": "warm-up", "loss": {"topo_weight": 0.2, "warmup": 0}}
    methods = {name: TINY["methods"][name] for name in ("warm-up", "without")}
    grown = experiment_of({**TINY, "seeds": [0], "methods": {**methods, "stronger": arm}})
    check(grown, tmp_path / "e")
    start_experiment(tmp_path / "e", grown)
    assert trained(grown, tmp_path / "e") == [("stronger", 0)]
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
        ({"data": {"sections": 6, "side": 64}}, "data.sections is 6 and was 5 in this"),
        (
            {"data": {"sections": 6, "side": 64}, "methods": {"new": {}}},
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


def test_an_evaluation_that_lacks_something_is_made_again(done, tmp_path):
    folder, experiment, _ = done
    shutil.copytree(folder, tmp_path / "e")
    places = [
        run_folder(tmp_path / "e", experiment.method(name), seed) / "evaluation.json"
        for name, seed in (("with", 0), ("with", 1), ("without", 0))
    ]
    whole = [json.loads(place.read_text()) for place in places]
    few = dict.fromkeys(("plain", "tuned"), whole[0]["plain"])
    of_means, of_no_skeletons = copy.deepcopy(whole[1:])
    for judged in of_means.values():
        del judged["images"]  # as older versions wrote it
    without_cldice(of_no_skeletons)
    for place, found in zip(places, (few, of_means, of_no_skeletons)):
        place.write_text(json.dumps(found))
    assert check(experiment, tmp_path / "e") == ()
    again = [
        (m.name, k, row) for m, k, row in run_experiment(experiment, tmp_path / "e", ALONE)
    ]
    assert again == [("without", 0, None), ("with", 0, None), ("with", 1, None)]
    assert [json.loads(place.read_text()) for place in places] == whole


def without_cldice(evaluation):
    for judged in evaluation.values():
        del judged["test"]["cldice"], judged["images"]["cldice"]


def test_without_scikit_image_there_is_no_cldice_to_wait_for(done, tmp_path, monkeypatch):
    folder, experiment, _ = done
    place = run_folder(folder, experiment.method("with"), 0)
    found = json.loads((place / "evaluation.json").read_text())
    without_cldice(found)
    (tmp_path / "evaluation.json").write_text(json.dumps(found))
    assert not is_evaluated(tmp_path)
    monkeypatch.setattr(measures, "find_spec", lambda name: None)
    assert is_evaluated(tmp_path)
    wall = np.zeros((40, 40), bool)
    wall[20] = True
    section = Predicted(wall.astype(np.float32), wall)
    known = measures.measured_images([section], Decision(), experiment.config)
    assert known["dice"] == [1.0]
    assert "cldice" not in known


def test_every_measure_is_kept_for_every_image(done):
    folder, experiment, _ = done
    place = run_folder(folder, experiment.method("with"), 1)
    (section,) = predicted(
        load_network(place / "last.pt"), open_blocks(experiment.config.data).test
    )
    judged = json.loads((place / "evaluation.json").read_text())["size by betti"]
    mask = Decision(**judged["decision"]).mask(section.likelihood)
    images = judged["images"]
    assert images["cldice"] == [cldice(mask, section.truth)]
    assert images["pixel_accuracy"] == [(mask == section.truth).mean()]
    assert images["betti_1"] == [betti_error(mask, section.truth, frame=True).per_dim[1]]
    assert judged["test"] == {name: value for name, (value,) in images.items()}


def test_runs_that_are_evaluated_on_other_images_are_not_compared(done, tmp_path):
    folder, experiment, _ = done
    shutil.copytree(folder, tmp_path / "e")
    place = run_folder(tmp_path / "e", experiment.method("without"), 0) / "evaluation.json"
    found = json.loads(place.read_text())
    for judged in found.values():
        judged["images"] = {name: values * 2 for name, values in judged["images"].items()}
    place.write_text(json.dumps(found))
    with pytest.raises(ValueError, match=r"without-0: evaluated on 2 images, and .* on 1;"):
        gather_results(experiment, tmp_path / "e")


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
        assert trained(experiment, tmp_path) == [("with", 0), ("without", 0)]
    assert waited == [True]


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
    assert trained(experiment, tmp_path / "e") == [("with", 1)]
    one, other = (
        load_checkpoint(run_folder(f, experiment.method("with"), 1) / "last.pt")["weights"]
        for f in (folder, tmp_path / "e")
    )
    assert all(torch.equal(one[key], other[key]) for key in one)


def test_joined_halves_of_an_experiment_are_the_experiment(done, tmp_path):
    folder, experiment, _ = done
    for seed in experiment.seeds:
        part = tmp_path / f"machine-{seed}"
        shutil.copytree(folder, part, ignore=shutil.ignore_patterns(f"*-{1 - seed}"))
    (tmp_path / "machine-1" / "runs" / "with-1" / "evaluation.json").unlink()
    parts = [str(tmp_path / f"machine-{seed}") for seed in experiment.seeds]
    copies = runs_to_join(experiment, tmp_path / "e", parts)
    start_experiment(tmp_path / "e", experiment)
    assert list(join(copies)) == copies
    assert check(experiment, tmp_path / "e") == ()
    assert trained(experiment, tmp_path / "e") == []  # with-1 is evaluated, no more
    again, first = (gather_results(experiment, place) for place in (tmp_path / "e", folder))
    assert json.dumps(again) == json.dumps(first)  # NaN included


# ---- how far it is, and how long it takes ----------------------------------------------------


def test_the_time_left_is_that_of_steps_and_evaluations(done, tmp_path):
    folder, experiment, _ = done
    assert Pace(experiment, folder).text() == "6 of 6 runs done"
    pace = Pace(experiment, tmp_path)
    assert pace.text() == "0 of 6 runs done"
    shutil.copytree(folder / "runs" / "warm-up-0", tmp_path / "runs" / "warm-up-0")
    pace.trained(steps=2, seconds=20.0)
    pace.evaluated(seconds=4.0)
    assert pace.text() == "1 of 6 runs done, about 2 min 0 s left"  # 5 x (2 x 10 s + 4 s)
    # a run that is trained is to be evaluated only
    shutil.copytree(folder / "runs" / "with-0", tmp_path / "runs" / "with-0")
    (tmp_path / "runs" / "with-0" / "evaluation.json").unlink()
    assert pace.seconds_left() == 4 * 24 + 4
    # another process has done one too, so it will do half of the others
    shutil.copytree(folder / "runs" / "warm-up-1", tmp_path / "runs" / "warm-up-1")
    assert pace.seconds_left() == (3 * 24 + 4) / 2
    assert pace.text() == "2 of 6 runs done, about 38 s left"


def test_the_pace_of_an_experiment_is_measured(done, tmp_path):
    folder, experiment, _ = done
    shutil.copytree(folder, tmp_path / "e")
    for run in ("with-0", "without-0"):
        (tmp_path / "e" / "runs" / run / "evaluation.json").unlink()
    (tmp_path / "e" / "runs" / "with-0" / "last.pt").unlink()
    pace = Pace(experiment, tmp_path / "e")
    news = [
        (row is None, pace.done, pace.seconds_left())
        for *_, row in run_experiment(experiment, tmp_path / "e", ALONE, pace=pace)
    ]
    assert [what for what, *_ in news] == [True, False, True]  # one is evaluated only
    assert [done for _, done, _ in news] == [5, 5, 6]
    assert news[0][2] is None  # no step was measured yet
    assert news[1][2] > 0
    assert news[2][2] == 0


def test_a_step_is_timed_with_all_terms_of_its_loss_on_the_same_patches(done, monkeypatch):
    folder, experiment, _ = done
    met = {}

    def watched(network, batches, training, loss, first_step):
        images = met[loss.topo_weight] = []
        batches = ((images.append(image), (image, truth))[1] for image, truth in batches)
        for step in train(network, batches, training, loss, first_step=first_step):
            assert step.topo_weight == loss.topo_weight
            assert step.learning_rate == pytest.approx(training.final_rate)
            yield step

    monkeypatch.setattr(timing, "train", watched)
    monkeypatch.setattr(timing, "ROUNDS", 2)
    blocks = open_blocks(experiment.config.data)
    arms = dataclasses.replace(experiment, methods=experiment.methods[1:])
    found = timing.time_steps(arms, folder, blocks, ALONE, 2)
    assert found["seconds"].keys() == {"without", "with"}
    assert (found["batches"], found["rounds"], found["device"]) == (2, 2, "cpu")
    assert [len(images) for images in met.values()] == [5, 5]  # one before the clock runs
    assert all(torch.equal(*images) for images in zip(*met.values()))


def test_the_least_time_of_each_batch_counts(done, monkeypatch):
    folder, experiment, _ = done
    taken = iter([1.0, 5.0, 2.0, 9.0, 1.0, 4.0, 7.0, 2.0, 3.0, 2.0, 9.0, 9.0])
    monkeypatch.setattr(timing, "_seconds", lambda *_: (wall := next(taken), 10 * wall))
    monkeypatch.setattr(timing, "ROUNDS", 2)
    blocks = open_blocks(experiment.config.data)
    found = timing.time_steps(experiment, folder, blocks, ALONE, 2)
    # the least are 1, 2, 2 of the first batch and 2, 1, 4 of the second
    assert found["seconds"] == {"warm-up": 1.5, "without": 1.5, "with": 3.0}
    assert found["cpu_seconds"] == {"warm-up": 15, "without": 15, "with": 30}
    (folder / timing.FILE).write_text("{}")
    with pytest.raises(ValueError, match=r"step-times\.json: damaged; remove it, or"):
        timing.read_times(folder)
    (folder / timing.FILE).write_text(json.dumps(found))
    assert timing.read_times(folder) == found
    (folder / timing.FILE).unlink()
    assert timing.read_times(folder) == {}
