"""An experiment: methods x seeds on the same sections, every run measured in the same way.

    experiment.json      all methods that have runs here, all values included
    runs/METHOD-SEED/    a run each, see `pytopo.training.run`, and its evaluation.json
    step-times.json      how long a step takes, if it was measured: `pytopo.training.timing`
    results.json         all numbers: every epoch, and the held-out sections at the end
    tables.md, *.png     the report, see `pytopo.training.report`

Several processes may work on one experiment at the same time: each takes a run that no other
works on, by a lock that is released with the process (`folder.claimed`), and all of them can
be killed and started again.

An experiment grows: methods and seeds that are new are run, and what is there is reused.  Only
the values of a method that is there cannot change.

At the end every run is evaluated on the test sections, held out until then: with the threshold
0.5, and with threshold and clean-up tuned on the validation sections (see
`pytopo.training.decision`).
"""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pytopo.files import clear_left_over
from pytopo.notes import one_line
from pytopo.progress import progress
from pytopo.training.blocks import Blocks, open_blocks
from pytopo.training.checks import check_run
from pytopo.training.config import RunConfig
from pytopo.training.distributed import World
from pytopo.training.folder import claimed, is_finished, write_config
from pytopo.training.log import Row, load_history
from pytopo.training.methods import (
    Experiment,
    Method,
    described,
    known_method,
    run_config,
    run_folder,
)
from pytopo.training.network import build_network, weight_shapes
from pytopo.training.pace import Pace
from pytopo.training.results import (
    evaluate_run,
    is_evaluated,
    read_evaluation,
    read_json,
    write_json,
)
from pytopo.training.resume import check_resume
from pytopo.training.run import resume_run

# ---- checks before anything is written -----------------------------------------------------


def check_experiment(
    experiment: Experiment, folder: str | os.PathLike[str], blocks: Blocks, world: World
) -> tuple[str, ...]:
    """Check that all runs of an experiment can be completed, before anything is written.

    Returns
    -------
    notes : tuple of str
        What will differ from what one might expect, with the name of the method.

    Raises
    ------
    FileNotFoundError, TypeError, ValueError
        As `check_run` and `check_resume`, with the name of the method; and ValueError if
        the network of a method does not take the weights of the one that it starts from, or
        the folder holds the method with other values.
    """
    path = Path(folder)
    _check_growth(path, experiment)
    notes = []
    for method in experiment.methods:
        try:
            of_run = check_run(method.config, blocks, world)
        except (TypeError, ValueError) as error:
            raise type(error)(f"methods.{method.name}: {error}") from None
        notes += [f"{method.name}: {note}" for note in of_run]
        start = experiment.start_of(method)
        if start:
            _check_same_network(method, start)
        for seed in experiment.seeds:
            _check_begun_run(run_folder(path, method, seed), world)
    return tuple(notes)


def _check_same_network(method: Method, start: Method) -> None:
    one, other = method.config.network, start.config.network
    if one.name != other.name or weight_shapes(build_network(method.config)) != weight_shapes(
        build_network(start.config)
    ):
        raise ValueError(
            f"methods.{method.name}: network {one.name!r} with {one.options} cannot start from "
            f"methods.{start.name}, {other.name!r} with {other.options}; expected the same"
        )


def _check_begun_run(place: Path, world: World) -> None:
    """Check that a run can be resumed or, if it is done, that its results can be read."""
    if is_evaluated(place):
        read_evaluation(place)
        load_history(place)
    elif (place / "last.pt").exists():
        check_resume(place, world)
    elif (place / "evaluation.json").exists():
        raise ValueError(
            f"{place}: its evaluation.json lacks measures of this version, and there is no "
            "last.pt to evaluate again; put that back, or remove the folder to train anew"
        )


def start_experiment(folder: str | os.PathLike[str], experiment: Experiment) -> None:
    """Create the folder of an experiment, or add to one that is there.

    Raises
    ------
    ValueError
        If the folder holds a method with other values.
    """
    path = Path(folder)
    path.mkdir(parents=True, exist_ok=True)
    clear_left_over(path)
    known = _check_growth(path, experiment)
    now = described(experiment)
    grown = {**now, "methods": {**known, **now["methods"]}}
    if not known or grown != read_json(path / "experiment.json"):
        write_json(path / "experiment.json", grown)


def _check_growth(path: Path, experiment: Experiment) -> dict[str, Any]:
    """Return the methods that a folder holds; raise ValueError if one has other values now."""
    file = path / "experiment.json"
    if not file.exists():
        return {}
    found = read_json(file)
    try:
        known = {name: known_method(name, table) for name, table in found["methods"].items()}
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(one_line(f"{file}: damaged: {error}")) from None
    for old in known.values():
        changed = [change for method in experiment.methods for change in method.changes(old)]
        if changed:
            raise ValueError(
                f"{path}: {changed[0]} in this folder; name the method or the folder "
                "differently"
            )
    return found["methods"]


# ---- the runs ------------------------------------------------------------------------------


def run_experiment(
    experiment: Experiment,
    folder: str | os.PathLike[str],
    world: World,
    *,
    blocks: Blocks | None = None,
    workers: int = 0,
    pace: Pace | None = None,
    shown: bool = False,
) -> Iterator[tuple[Method, int, Row | None]]:
    """Do all runs that are not done, and yield the row of each epoch with method and seed.

    A run that is evaluated, its last act, yields None.  Returns when all runs are finished and
    evaluated, also those of other processes.  ``pace`` is kept up to date, and what is
    ``shown`` on stderr, if that is a terminal, is the step of the run that takes its time.
    """
    path, pace = Path(folder), pace or Pace(experiment, folder)
    blocks = blocks or open_blocks(experiment.config.data)
    pending = [(method, seed) for seed in experiment.seeds for method in experiment.methods]
    while pending:
        left = []
        for method, seed in pending:
            place, start = run_folder(path, method, seed), experiment.start_of(method)
            if is_evaluated(place):
                clear_left_over(place)
                continue
            if start and not is_finished(run_folder(path, start, seed)):
                left.append((method, seed))
                continue
            with claimed(place) as ours:
                if ours:
                    config = run_config(experiment, path, method, seed)
                    name = f"{method.name} seed {seed}, {pace.text()}" if shown else None
                    for row in _complete_run(place, config, world, blocks, workers, pace, name):
                        yield method, seed, row
                else:
                    left.append((method, seed))
        if len(left) == len(pending):  # other processes work on all of them
            time.sleep(2)
        pending = left


def _complete_run(
    place: Path,
    config: RunConfig,
    world: World,
    blocks: Blocks,
    workers: int,
    pace: Pace,
    shown: str | None,
) -> Iterator[Row | None]:
    """Begin or resume a run, yield its rows, evaluate it, and yield None."""
    if not (place / "last.pt").exists():
        write_config(place, config)
    start = time.monotonic()
    for row in resume_run(place, world, blocks=blocks, workers=workers, shown=shown):
        pace.trained(config.training.epoch_steps, time.monotonic() - start)
        yield row
        start = time.monotonic()
    with progress(f"{shown}, evaluation", shown=shown is not None):
        start = time.monotonic()
        found = evaluate_run(place, blocks, config, world.device)
        write_json(place / "evaluation.json", found)
        pace.evaluated(time.monotonic() - start)
    yield None
