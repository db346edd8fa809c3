"""The numbers of an experiment, run by run: what is evaluated, written, read and gathered.

    runs/METHOD-SEED/last.pt            the log: every epoch, on the validation sections
    runs/METHOD-SEED/evaluation.json    the test sections, after the last epoch

The report is made from these numbers alone.
"""

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from pytopo.files import replacing
from pytopo.metrics.decision import Decision
from pytopo.notes import one_line
from pytopo.training.blocks import Blocks
from pytopo.training.checkpoint import load_network
from pytopo.training.config import RunConfig
from pytopo.training.decision import (
    DECISIONS,
    PLAIN,
    Predicted,
    decisions_of,
    mean_matching_errors,
    mean_measures,
    predicted,
)
from pytopo.training.log import load_history
from pytopo.training.methods import Experiment, run_folder


def evaluate_run(
    folder: Path, blocks: Blocks, config: RunConfig, device: torch.device
) -> dict[str, Any]:
    """Evaluate the last network of a run on the test sections, with all decisions.

    Returns
    -------
    dict
        By the names of `DECISIONS`: each a dict of the ``decision``, "plain" or the best one
        on the validation sections, and its measures on ``test``.
    """
    network = load_network(folder / "last.pt").to(device)
    decisions = decisions_of(list(predicted(network, blocks.validation)), config)
    test = list(predicted(network, blocks.test))
    return {
        name: {"decision": asdict(decision), "test": _measured(test, decision, config)}
        for name, decision in decisions.items()
    }


def _measured(test: list[Predicted], decision: Decision, config: RunConfig) -> dict[str, float]:
    return mean_measures(test, decision, config).row() | mean_matching_errors(
        test, decision, config
    )


def gather_results(experiment: Experiment, folder: str | os.PathLike[str]) -> dict[str, Any]:
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
                "evaluation": read_evaluation(place),
            }
    return gathered


def is_evaluated(folder: Path) -> bool:
    """Return whether a run is evaluated with all decisions; other versions may have had fewer.

    Raises
    ------
    ValueError
        If the evaluation is damaged.
    """
    path = folder / "evaluation.json"
    if not path.exists():
        return False
    found = read_json(path)
    if not isinstance(found, dict) or PLAIN not in found:
        raise _damaged(path)
    return found.keys() >= set(DECISIONS)


def read_evaluation(folder: Path) -> dict[str, Any]:
    """Read the evaluation of a run, as `evaluate_run` returned it.

    Raises
    ------
    FileNotFoundError, ValueError
        If it is missing or damaged.
    """
    path = folder / "evaluation.json"
    found = read_json(path)
    try:
        for name in DECISIONS:
            if not all(type(value) in (int, float) for value in found[name]["test"].values()):
                raise ValueError("a measure is not a number")
    except (AttributeError, KeyError, TypeError, ValueError):
        raise _damaged(path) from None
    return found


def _damaged(path: Path) -> ValueError:
    return ValueError(
        f"{path}: damaged; remove it, and the experiment evaluates this run again"
    )


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises
    ------
    OSError, ValueError
        If it cannot be read or is damaged.
    """
    try:
        return json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise ValueError(one_line(f"{path}: damaged, not JSON: {error}")) from None


def write_json(path: Path, value: object) -> None:
    """Write a JSON file, whole or not at all."""
    with replacing(path) as stream:
        stream.write(json.dumps(value, indent=1) + "\n")
