"""An experiment is described by tables: the methods that are compared, and the seeds.

A method is a set of values that differ from those of all.  It may *start* from another
method: from the weights that the other ended with, of the same seed.  So a warm-up can be
shared between arms that differ in the loss only.
"""

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pytopo.options import integers
from pytopo.training.config import RunConfig, changes, config_of, merged, tables_of

LATER_PATCHES = 1000  # added to the seed of a run that starts from another: other patches

# The networks of D. Datta, "Preservation of Topology using Deep Image segmentation" (2024).
DATTA_2024: dict[str, Any] = {
    "seeds": [0],
    "training": {"epochs": 10, "patches": 1024, "learning_rate": 1e-3},
    "loss": {"topo_weight": 0.01, "warmup": 2},
    "methods": {
        "base": {"title": "Base model with topological loss", "network": {"name": "base"}},
        "vgg19": {"title": "VGG-19 with topological loss", "network": {"name": "vgg19"}},
        "enhanced": {
            "title": "Enhanced CNN with topological loss",
            "network": {"name": "enhanced"},
            "against": "enhanced-without",
        },
        "enhanced-without": {
            "title": "Enhanced CNN without topological loss",
            "network": {"name": "enhanced"},
            "loss": {"topo_weight": 0.0},
        },
        "unet": {
            "title": "U-Net with topological loss",
            "network": {"name": "unet"},
            "against": "unet-without",
        },
        "unet-without": {
            "title": "U-Net without topological loss",
            "network": {"name": "unet"},
            "loss": {"topo_weight": 0.0},
        },
    },
}


@dataclass(frozen=True)
class Method:
    """One of the methods that are compared.

    Attributes
    ----------
    name, title : str
    config : RunConfig
        For seed 0.
    start : str
        The method whose last weights it starts from; empty for initial weights of its own.
    against : tuple of str
        The methods that it is paired with, seed by seed and image by image.
    """

    name: str
    title: str
    config: RunConfig
    start: str = ""
    against: tuple[str, ...] = ()

    def changes(self, old: "Method") -> list[str]:
        """Return why runs of an old method are not runs of this one; they share their data.

        Examples
        --------
        >>> slow, fast = (config_of({"training": {"epochs": n}}) for n in (9, 2))
        >>> Method("bce", "", fast).changes(Method("bce", "", slow))
        ['methods.bce: training.epochs is 2 and was 9']
        """
        if self.name != old.name:
            shared = replace(old.config, data=self.config.data)
            found = changes(old.config, shared, ())
        else:
            found = changes(old.config, self.config, ())
            if self.start != old.start:
                found.append(f"start is {self.start!r} and was {old.start!r}")
        return [f"methods.{self.name}: {change}" for change in found]


@dataclass(frozen=True)
class Experiment:
    """Methods and seeds; see `experiment_of`."""

    methods: tuple[Method, ...]
    seeds: tuple[int, ...]
    config: RunConfig

    def method(self, name: str) -> Method:
        """Return the method of a name."""
        return next(method for method in self.methods if method.name == name)

    def start_of(self, method: Method) -> Method | None:
        """Return the method that a method starts from, if it starts from one."""
        return self.method(method.start) if method.start else None


def experiment_of(tables: Mapping[str, Any]) -> Experiment:
    """Return the experiment that tables of values describe.

    Parameters
    ----------
    tables : mapping
        ``seeds``, a list; ``data``, ``network``, ``training``, ``loss`` as of a run, for all
        methods; and ``methods``, a table each with the values that differ there and, where
        they apply, ``title``, ``start`` and ``against``, a name or a list of names.

    Raises
    ------
    TypeError, ValueError
        If a name is unknown, a value impossible, or methods start from each other in a
        circle.

    Examples
    --------
    >>> arm = {"start": "warm-up", "loss": {"topo_weight": 0.1}}
    >>> experiment_of({"seeds": [0, 1], "methods": {"warm-up": {}, "arm": arm}}).seeds
    (0, 1)
    """
    rest = dict(tables)
    seeds, methods = rest.pop("seeds", [0]), rest.pop("methods", None)
    if not isinstance(methods, Mapping) or not methods:
        raise ValueError("no [methods.NAME] in the experiment; expected one or more")
    numbers = integers(seeds) if isinstance(seeds, list) else None
    if not numbers or not all(0 <= seed < LATER_PATCHES for seed in numbers):
        raise ValueError(f"seeds is {seeds!r}; expected a list of whole numbers from 0 to 999")
    found = tuple(_method(name, table, rest, methods) for name, table in methods.items())
    experiment = Experiment(found, tuple(numbers), config_of(rest))
    for method in found:
        _check_start(method, experiment)
    return experiment


def _method(
    name: str, table: object, common: Mapping[str, Any], methods: Mapping[str, Any]
) -> Method:
    if not isinstance(table, Mapping):
        raise TypeError(f"methods.{name} is {table!r}; expected a table")
    if not name.replace("-", "").replace("_", "").replace(".", "").isalnum():
        raise ValueError(f"methods.{name!r}; expected a name of letters, digits, '-', '_', '.'")
    values = dict(table)
    title, start = values.pop("title", ""), values.pop("start", "")
    if start and start not in methods:
        raise ValueError(
            f"methods.{name}.start is {start!r}; expected one of {', '.join(methods)}"
        )
    against = _against(name, values.pop("against", []), methods)
    if "data" in values:
        raise ValueError(f"methods.{name}.data: all methods share the data; expected [data]")
    try:
        config = config_of(merged(common, values))
    except (TypeError, ValueError) as error:
        raise type(error)(f"methods.{name}: {error}") from None
    return Method(name, title or name, config, start, against)


def _against(name: str, value: object, methods: Collection[str]) -> tuple[str, ...]:
    """Return the other methods that one is compared with; a name stands for a list of one."""
    others = _names(value)
    if others is None or not set(others) <= set(methods) - {name}:
        expected = ", ".join(other for other in methods if other != name)
        raise ValueError(
            f"methods.{name}.against is {value!r}; expected one or a list of: {expected}"
        )
    return tuple(dict.fromkeys(others))


def _names(value: object) -> list[str] | None:
    names = ([value] if value else []) if isinstance(value, str) else value
    if isinstance(names, list) and all(isinstance(name, str) for name in names):
        return names
    return None


def _check_start(method: Method, experiment: Experiment) -> None:
    """Refuse a method whose chain of starts leads into a circle."""
    visited, start = {method.name}, experiment.start_of(method)
    while start:
        if start.name in visited:
            raise ValueError(
                f"methods.{method.name} starts, directly or through others, from itself"
            )
        visited.add(start.name)
        start = experiment.start_of(start)


def described(experiment: Experiment) -> dict[str, Any]:
    """Return all values of an experiment, as ``experiment.json`` holds them."""
    return {
        "seeds": list(experiment.seeds),
        "methods": {
            m.name: {**tables_of(m.config), "start": m.start, "against": list(m.against)}
            for m in experiment.methods
        },
    }


def known_method(name: str, table: Mapping[str, Any]) -> Method:
    """Return a method as `described` returned it; values that were unknown then have defaults.

    Raises
    ------
    AttributeError, KeyError, TypeError, ValueError
        If it is something else.
    """
    values = dict(table)
    start, against = values.pop("start"), _names(values.pop("against"))
    if against is None:
        raise ValueError(f"methods.{name}.against is no name, and no list of names")
    return Method(name, name, config_of(values), start, tuple(against))


def run_folder(folder: str | os.PathLike[str], method: Method, seed: int) -> Path:
    """Return the folder of the run of a method and seed."""
    return Path(folder) / "runs" / f"{method.name}-{seed}"


def run_config(experiment: Experiment, folder: Path, method: Method, seed: int) -> RunConfig:
    """Return the configuration of one run."""
    config, start = method.config, experiment.start_of(method)
    network = config.network
    if start:
        weights = run_folder(folder, start, seed) / "last.pt"
        network, seed = replace(network, weights=str(weights)), seed + LATER_PATCHES
    return replace(config, network=network, training=replace(config.training, seed=seed))
