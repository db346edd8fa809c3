"""Configurations of runs: tables of TOML in, checked values out."""

import tomllib

import numpy as np
import pytest

from pytopo.training.config import (
    RunConfig,
    as_toml,
    config_of,
    merged,
    read_tables,
    tables_of,
)
from pytopo.training.methods import experiment_of


def test_an_empty_table_is_all_defaults():
    assert config_of({}) == RunConfig()
    assert config_of({"loss": {}}) == RunConfig()


def test_what_is_written_is_read_back():
    tables = {
        "data": {"paths": ['a "b" \\ ü\x7f\n.h5'], "invert": True, "train": "0:3"},
        "network": {"name": "unet", "options": {"width": 8, "norm": "none"}},
        "training": {"learning_rate": 1e-05, "clip": 1.5},
        "loss": {"dims": [1], "frame": False},
    }
    config = config_of(tables)
    text = as_toml(tables_of(config))
    assert config_of(tomllib.loads(text)) == config


def test_whole_numbers_are_accepted_as_floats():
    assert config_of({"loss": {"topo_weight": 1}}).loss.topo_weight == 1.0


@pytest.mark.parametrize(
    ("tables", "error", "message"),
    [
        (
            {"los": {}},
            ValueError,
            r"\[los\] is unknown; expected data, network, training, loss",
        ),
        ({"loss": 3}, TypeError, r"loss is 3; expected a table, \[loss\]"),
        ({"loss": {"wamup": 1}}, ValueError, "loss.wamup is unknown; expected one of"),
        ({"loss": {"warmup": 1.5}}, TypeError, "loss.warmup is 1.5; expected a whole number"),
        ({"loss": {"warmup": True}}, TypeError, "loss.warmup is True; expected a whole number"),
        ({"loss": {"frame": 1}}, TypeError, "loss.frame is 1; expected true or false"),
        (
            {"loss": {"dims": ["0"]}},
            TypeError,
            r"loss.dims\[0\] is '0'; expected a whole number",
        ),
        ({"data": {"paths": "x"}}, TypeError, "data.paths is 'x'; expected a list"),
        ({"training": {"clip": "no"}}, TypeError, "training.clip is 'no'; expected a number"),
        (
            {"training": {"clip": float("nan")}},
            ValueError,
            "training.clip is nan; expected a finite number",
        ),
        (
            {"training": {"epochs": 0}},
            ValueError,
            r"\[training\] epochs is 0; expected at least",
        ),
    ],
)
def test_what_is_not_known_or_impossible_is_refused(tables, error, message):
    with pytest.raises(error, match=message):
        config_of(tables)


def test_later_tables_win_value_by_value():
    first = {"loss": {"ramp": 1, "warmup": 2}, "data": {"side": 3}}
    assert merged(first, {"loss": {"ramp": 5}}) == {
        "loss": {"ramp": 5, "warmup": 2},
        "data": {"side": 3},
    }
    assert first["loss"]["ramp"] == 1


def test_a_file_that_is_not_toml_is_named(tmp_path):
    path = tmp_path / "run.toml"
    path.write_bytes(b"[loss\n\xff")
    with pytest.raises(ValueError, match=r"run\.toml: not TOML"):
        read_tables(path)
    with pytest.raises(FileNotFoundError):
        read_tables(tmp_path / "none.toml")


def test_numbers_of_numpy_are_values():
    tables = {"training": {"epochs": np.int64(3)}, "loss": {"topo_weight": np.float32(0.5)}}
    config = config_of(tables)
    assert (config.training.epochs, config.loss.topo_weight) == (3, 0.5)
    assert type(config.training.epochs) is int
    seeds = experiment_of({"seeds": [np.int64(2), 0], "methods": {"a": {}}}).seeds
    assert seeds == (2, 0)
    assert {type(seed) for seed in seeds} == {int}
