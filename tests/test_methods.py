"""The methods of an experiment: what its file may say, and what is refused."""

import pytest
import torch

from pytopo.training.blocks import open_blocks
from pytopo.training.distributed import World
from pytopo.training.experiment import check_experiment
from pytopo.training.methods import DATTA_2024, experiment_of, known_method

TINY = {
    "data": {"sections": 5, "side": 64},
    "network": {"name": "plain", "options": {"width": 4, "layers": 3}},
    "training": {"epochs": 1, "patches": 8, "batch": 4, "size": 33},
    "methods": {"a": {}},
}


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


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"methods": {}}, r"no \[methods.NAME\]"),
        ({"seeds": []}, r"seeds is \[\]; expected a list of whole numbers from 0 to 999"),
        ({"seeds": [1000]}, r"seeds is \[1000\]"),
        ({"methods": {"a": {"start": "b"}}}, "methods.a.start is 'b'; expected one of a"),
        (
            {"methods": {"a": {"against": ["b", "c"]}, "b": {}}},
            r"methods.a.against is \['b', 'c'\]; expected one or a list of: b",
        ),
        ({"methods": {"a": {"against": "a"}, "b": {}}}, "methods.a.against is 'a'; expected"),
        ({"methods": {"a": {"against": 1}, "b": {}}}, "methods.a.against is 1; expected"),
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


def test_methods_of_older_folders_name_one_other():
    values = {"start": "", "against": "bce"}
    assert known_method("a", values).against == ("bce",)
    assert known_method("a", {**values, "against": ""}).against == ()
    assert known_method("a", {**values, "against": ["b", "c"]}).against == ("b", "c")


# ---- checks of networks and patches ----------------------------------------------------------


def check(experiment, folder):
    blocks = open_blocks(experiment.config.data)
    return check_experiment(experiment, folder, blocks, World(0, 1, torch.device("cpu")))


def test_an_old_evaluation_without_its_checkpoint_is_not_trained_anew(tmp_path):
    place = tmp_path / "runs" / "a-0"
    place.mkdir(parents=True)
    (place / "evaluation.json").write_text('{"plain": {"test": {"dice": 0.9}}}')
    with pytest.raises(ValueError, match=r"a-0: its evaluation\.json lacks measures"):
        check(experiment_of(TINY), tmp_path)


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
