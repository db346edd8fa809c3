"""An experiment: methods x seeds on the same sections, every run measured in the same way.

    experiment.json      methods and seeds, all values included
    runs/METHOD-SEED/    a run each, see `pytopo.training.run`, and its evaluation.json
    results.json         all numbers: every epoch, and the held-out sections at the end
    tables.md, *.png     the report, see `pytopo.training.report`

A method is a set of values that differ from those of all.  It may *start* from another
method: from the weights that the other ended with, of the same seed.  So a warm-up can be
shared between arms that differ in the loss only.

Several processes may work on one experiment at the same time: each takes a run that nobody
works on, by a lock that goes with the process (`run.claimed`), and all of them can be killed
and started again.

At the end every run is judged twice on the test sections, which nothing was chosen by: with
the threshold 0.5, and *tuned*: with the threshold and the size of removed objects that were
best on the validation sections.  Tuning is a strong rival of any loss, and costs nothing.
"""

import json
import math
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytopo.data import Sections
from pytopo.files import clear_left_over, replacing
from pytopo.metrics import patch_betti_error
from pytopo.metrics.evaluation import Evaluation, cleaned, evaluate, mean_evaluation
from pytopo.notes import one_line
from pytopo.options import integers
from pytopo.training.checkpoint import load_network
from pytopo.training.config import RunConfig, config_of, merged, tables_of
from pytopo.training.distributed import World
from pytopo.training.prediction import predict
from pytopo.training.run import (
    Blocks,
    Row,
    built,
    check_resume,
    check_run,
    claimed,
    go_on,
    is_finished,
    load_history,
    open_blocks,
    shapes_of,
    write_config,
)

LATER_PATCHES = 1000  # added to the seed of a run that starts from another: other patches
THRESHOLDS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)
SMALLEST = (0, 20, 50, 100, 200)  # pixels

DOCUMENT: dict[str, Any] = {
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
    """One of the things that are compared.

    Attributes
    ----------
    name, title : str
    config : RunConfig
        For seed 0.
    start : str
        The method whose last weights it starts from; empty for its own.
    against : str
        The method that it is paired with, seed by seed; empty for none.
    """

    name: str
    title: str
    config: RunConfig
    start: str = ""
    against: str = ""


@dataclass(frozen=True)
class Experiment:
    """Methods and seeds; see `experiment_of`."""

    methods: tuple[Method, ...]
    seeds: tuple[int, ...]
    config: RunConfig

    def method(self, name: str) -> Method:
        return next(method for method in self.methods if method.name == name)


def experiment_of(tables: Mapping[str, Any]) -> Experiment:
    """Return the experiment that tables of values mean.

    Parameters
    ----------
    tables : mapping
        ``seeds``, a list; ``data``, ``network``, ``training``, ``loss`` as of a run, for all
        methods; and ``methods``, a table each with what differs there and, if need be,
        ``title``, ``start`` and ``against``.

    Raises
    ------
    TypeError, ValueError
        If a name is unknown, a value impossible, or methods start from each other in a ring.

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
    for method in found:
        _check_start(method, found)
    return Experiment(found, tuple(numbers), config_of(rest))


def _method(
    name: str, table: object, common: Mapping[str, Any], methods: Mapping[str, Any]
) -> Method:
    if not isinstance(table, Mapping):
        raise TypeError(f"methods.{name} is {table!r}; expected a table")
    if not name.replace("-", "").replace("_", "").replace(".", "").isalnum():
        raise ValueError(f"methods.{name!r}; expected a name of letters, digits, '-', '_', '.'")
    values = dict(table)
    words = {key: values.pop(key, "") for key in ("title", "start", "against")}
    for key in ("start", "against"):
        if words[key] and words[key] not in methods:
            raise ValueError(
                f"methods.{name}.{key} is {words[key]!r}; expected one of {', '.join(methods)}"
            )
    if "data" in values:
        raise ValueError(f"methods.{name}.data: all methods share the data; expected [data]")
    try:
        config = config_of(merged(common, values))
    except (TypeError, ValueError) as error:
        raise type(error)(f"methods.{name}: {error}") from None
    return Method(name, words["title"] or name, config, words["start"], words["against"])


def _check_start(method: Method, methods: tuple[Method, ...]) -> None:
    by_name = {m.name: m for m in methods}
    met, name = {method.name}, method.start
    while name:
        if name in met:
            raise ValueError(f"methods.{method.name} starts, in the end, from itself")
        met.add(name)
        name = by_name[name].start


def check_experiment(
    experiment: Experiment, folder: str | os.PathLike[str], blocks: Blocks, world: World
) -> tuple[str, ...]:
    """See that all runs of an experiment can come to their end, before anything is written.

    Returns
    -------
    notes : tuple of str
        What will not be as one might expect, with the name of the method.

    Raises
    ------
    FileNotFoundError, TypeError, ValueError
        As `check_run` and `check_resume`, with the name of the method; and ValueError if
        the network of a method does not take the weights of the one that it starts from, or
        the folder holds another experiment.
    """
    path = Path(folder)
    _check_known(path, _described(experiment))
    notes = []
    for method in experiment.methods:
        try:
            said = check_run(method.config, blocks, world)
        except (TypeError, ValueError) as error:
            raise type(error)(f"methods.{method.name}: {error}") from None
        notes += [f"{method.name}: {note}" for note in said]
        if method.start:
            start = experiment.method(method.start)
            _check_same_network(method, start)
        for seed in experiment.seeds:
            _check_begun(run_folder(path, method, seed), world)
    return tuple(notes)


def _check_begun(place: Path, world: World) -> None:
    """See that a run can go on or, if it is done, that its results can be read."""
    if (place / "evaluation.json").exists():
        _evaluation(place / "evaluation.json")
        load_history(place)
    elif (place / "last.pt").exists():
        check_resume(place, world)


def _check_same_network(method: Method, start: Method) -> None:
    one, other = method.config.network, start.config.network
    if one.name != other.name or shapes_of(built(method.config)) != shapes_of(
        built(start.config)
    ):
        raise ValueError(
            f"methods.{method.name}: network {one.name!r} with {one.options} cannot start from "
            f"methods.{start.name}, {other.name!r} with {other.options}; expected the same"
        )


# ---- running -------------------------------------------------------------------------------


def run_folder(folder: str | os.PathLike[str], method: Method, seed: int) -> Path:
    """Return where the run of a method and seed lies."""
    return Path(folder) / "runs" / f"{method.name}-{seed}"


def run_config(experiment: Experiment, folder: Path, method: Method, seed: int) -> RunConfig:
    """Return the configuration of one run."""
    config = method.config
    network, later = config.network, 0
    if method.start:
        start = experiment.method(method.start)
        weights = run_folder(folder, start, seed) / "last.pt"
        network, later = replace(network, weights=str(weights)), LATER_PATCHES
    training = replace(config.training, seed=seed + later)
    return replace(config, network=network, training=training)


def go_through(
    experiment: Experiment,
    folder: str | os.PathLike[str],
    world: World,
    *,
    blocks: Blocks | None = None,
    workers: int = 0,
) -> Iterator[tuple[Method, int, Row]]:
    """Do all runs that are not done, and yield each epoch's row with its method and seed.

    Returns when all runs are finished and evaluated, also those of other processes.
    """
    path = Path(folder)
    blocks = blocks or open_blocks(experiment.config.data)
    pending = [(method, seed) for seed in experiment.seeds for method in experiment.methods]
    while pending:
        left = []
        for method, seed in pending:
            place = run_folder(path, method, seed)
            if (place / "evaluation.json").exists():
                clear_left_over(place)
                continue
            start = experiment.method(method.start) if method.start else None
            if start and not is_finished(run_folder(path, start, seed)):
                left.append((method, seed))
                continue
            with claimed(place) as mine:
                if not mine:
                    left.append((method, seed))
                    continue
                if not (place / "last.pt").exists():
                    write_config(place, run_config(experiment, path, method, seed))
                for row in go_on(place, world, blocks=blocks, workers=workers):
                    yield method, seed, row
                _write_json(place / "evaluation.json", _judged(place, blocks, method.config))
        if len(left) == len(pending):  # others are at work
            time.sleep(2)
        pending = left


# ---- judging -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Decision:
    """How a likelihood becomes a mask: threshold, then removal of small objects and holes."""

    threshold: float = 0.5
    smallest: int = 0

    def mask(self, likelihood: NDArray, construction: str) -> NDArray[np.bool_]:
        mask = likelihood > self.threshold
        if self.smallest == 0:
            return mask
        return cleaned(mask, smallest=self.smallest, construction=construction)


def _judged(place: Path, blocks: Blocks, config: RunConfig) -> dict[str, Any]:
    """Evaluate the last network of a run on the test sections, as it is and tuned."""
    network = load_network(place / "last.pt")
    test = _predicted(network, blocks.test)
    tuned = best_decision(_predicted(network, blocks.validation), blocks.validation, config)
    result = {}
    for name, decision in (("plain", Decision()), ("tuned", tuned)):
        result[name] = {
            "decision": asdict(decision),
            "test": decided(test, blocks.test, decision, config).row(),
        }
    return result


def _predicted(network: Any, sections: Sections) -> list[NDArray[np.float32]]:
    return [predict(network, sections[i].image) for i in range(len(sections))]


def decided(
    likelihoods: list[NDArray[np.float32]],
    sections: Sections,
    decision: Decision,
    config: RunConfig,
) -> Evaluation:
    """Return the mean measures of sections under a decision."""
    construction = config.loss.construction
    return mean_evaluation(
        [
            evaluate(
                decision.mask(likelihood, construction),
                sections[i].truth,
                patch=config.training.size,
                construction=construction,
            )
            for i, likelihood in enumerate(likelihoods)
        ]
    )


def best_decision(
    likelihoods: list[NDArray[np.float32]], sections: Sections, config: RunConfig
) -> Decision:
    """Return the decision with the least Betti error on patches of sections."""
    construction, size = config.loss.construction, config.training.size
    truths = [sections[i].truth for i in range(len(sections))]

    def error(decision: Decision) -> float:
        return math.fsum(
            patch_betti_error(
                decision.mask(likelihood, construction),
                truth,
                size=size,
                construction=construction,
            ).total
            for likelihood, truth in zip(likelihoods, truths)
        )

    return min((Decision(t, s) for s in SMALLEST for t in THRESHOLDS), key=error)


# ---- results -------------------------------------------------------------------------------


def results(experiment: Experiment, folder: str | os.PathLike[str]) -> dict[str, Any]:
    """Gather the numbers of all runs.

    Returns
    -------
    dict
        By method, by seed: ``epochs`` (the rows of the log) and ``evaluation``.

    Raises
    ------
    FileNotFoundError, ValueError
        If a file is missing or damaged.
    """
    gathered: dict[str, Any] = {}
    for method in experiment.methods:
        runs = gathered[method.name] = {}
        for seed in experiment.seeds:
            place = run_folder(folder, method, seed)
            runs[str(seed)] = {
                "epochs": load_history(place),
                "evaluation": _evaluation(place / "evaluation.json"),
            }
    return gathered


def _evaluation(path: Path) -> dict[str, Any]:
    found = _read_json(path)
    try:
        for judged in ("plain", "tuned"):
            if not all(type(value) in (int, float) for value in found[judged]["test"].values()):
                raise ValueError("a measure is no number")
    except (AttributeError, KeyError, TypeError, ValueError):
        raise ValueError(
            f"{path}: damaged; remove it, and the experiment judges this run again"
        ) from None
    return found


def start_experiment(folder: str | os.PathLike[str], experiment: Experiment) -> None:
    """Make the folder of an experiment, or see that it is of the same one.

    Raises
    ------
    ValueError
        If the folder holds another experiment.
    """
    path, described = Path(folder), _described(experiment)
    path.mkdir(parents=True, exist_ok=True)
    clear_left_over(path)
    if not _check_known(path, described):
        _write_json(path / "experiment.json", described)


def _described(experiment: Experiment) -> dict[str, Any]:
    return {
        "seeds": list(experiment.seeds),
        "methods": {
            m.name: {**tables_of(m.config), "start": m.start, "against": m.against}
            for m in experiment.methods
        },
    }


def _check_known(path: Path, described: dict[str, Any]) -> bool:
    """Tell whether a folder holds this experiment; if it holds another, raise."""
    known = path / "experiment.json"
    if not known.exists():
        return False
    if _read_json(known) != described:
        raise ValueError(f"{path}: holds another experiment; name another folder")
    return True


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise ValueError(one_line(f"{path}: damaged, no JSON: {error}")) from None


def _write_json(path: Path, value: object) -> None:
    with replacing(path) as stream:
        stream.write(json.dumps(value, indent=1) + "\n")
