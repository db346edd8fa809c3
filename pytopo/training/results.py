"""The numbers of an experiment, run by run: what is evaluated, written, read and gathered.

    runs/METHOD-SEED/last.pt            the log: every epoch, on the validation sections
    runs/METHOD-SEED/evaluation.json    the test sections, after the last epoch

The report is made from these numbers alone.
"""

import json
import os
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pytopo.files import replacing
from pytopo.notes import one_line
from pytopo.training.blocks import Blocks
from pytopo.training.checkpoint import load_network
from pytopo.training.config import RunConfig
from pytopo.training.decision import (
    DECISIONS,
    PLAIN,
    decisions_of,
    predicted,
)
from pytopo.training.log import load_history
from pytopo.training.measures import has_skeletons, measured_images
from pytopo.training.methods import Experiment, run_folder


def evaluate_run(
    folder: Path, blocks: Blocks, config: RunConfig, device: torch.device
) -> dict[str, Any]:
    """Evaluate the last network of a run on the test sections, with all decisions.

    Returns
    -------
    dict
        By the names of `DECISIONS`: each a dict of the ``decision``, "plain" or the best one
        on the validation sections; its measures of all ``images`` of the test sections, a list
        each; and their means, ``test``.
    """
    network = load_network(folder / "last.pt").to(device)
    decisions = decisions_of(list(predicted(network, blocks.validation)), config)
    test = list(predicted(network, blocks.test))
    images = {  # several clean-ups may choose the same decision
        decision: measured_images(test, decision, config)
        for decision in dict.fromkeys(decisions.values())
    }
    return {
        name: {
            "decision": asdict(decision),
            "test": {name: float(np.mean(values)) for name, values in images[decision].items()},
            "images": images[decision],
        }
        for name, decision in decisions.items()
    }


def gather_results(experiment: Experiment, folder: str | os.PathLike[str]) -> dict[str, Any]:
    """Gather the numbers of all runs.

    Returns
    -------
    dict
        By method, by seed: ``epochs`` (the rows of the log) and ``evaluation``.

    Raises
    ------
    FileNotFoundError, ValueError
        If a file is missing or damaged, or runs are evaluated on different numbers of images.
    """
    counts: dict[int, Path] = {}
    gathered: dict[str, Any] = {}
    for method in experiment.methods:
        runs = gathered[method.name] = {}
        for seed in experiment.seeds:
            place = run_folder(folder, method, seed)
            evaluation = read_evaluation(place)
            runs[str(seed)] = {"epochs": load_history(place), "evaluation": evaluation}
            counts.setdefault(len(evaluation[PLAIN]["images"]["dice"]), place)
    if len(counts) > 1:
        (one, first), (other, second) = list(counts.items())[:2]
        raise ValueError(
            f"{second}: evaluated on {other} images, and {first} on {one}; expected the same"
        )
    return gathered


def is_evaluated(folder: Path) -> bool:
    """Return whether a run is evaluated, with all decisions and all measures of each image.

    Other versions had fewer; and clDice is added once there is scikit-image to compute it.

    Raises
    ------
    ValueError
        If the evaluation is damaged.
    """
    path = folder / "evaluation.json"
    if not path.exists():
        return False
    found = read_json(path)
    if not isinstance(found, dict) or not isinstance(found.get(PLAIN), dict):
        raise _damaged(path)
    if not found.keys() >= set(DECISIONS) or "images" not in found[PLAIN]:
        return False
    return "cldice" in read_evaluation(folder)[PLAIN]["images"] or not has_skeletons()


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
            test, images = found[name]["test"], found[name]["images"]
            if not images.keys() == test.keys() >= {"dice"}:
                raise ValueError("other measures of the images than of their means")
            for measure, values in images.items():
                _check_numbers([test[measure], *values])
    except (AttributeError, KeyError, TypeError, ValueError):
        raise _damaged(path) from None
    return found


def _check_numbers(values: Iterable[object]) -> None:
    if not all(type(value) in (int, float) for value in values):
        raise ValueError("a measure is not a number")


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
