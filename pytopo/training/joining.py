"""Experiments of several machines joined: finished runs of other folders are copied into one.

    a/runs/bce-0    b/runs/bce-1    ->    joined/runs/bce-0, joined/runs/bce-1

A run is taken if its own configuration is that of the method and seed.  Where the data lies may
differ from machine to machine.  The same run in two folders must have ended with the same
weights: arms of one seed start from one warm-up, and would otherwise not be pairs.
"""

import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import torch

from pytopo.files import replacing
from pytopo.training.checkpoint import load_checkpoint
from pytopo.training.config import changes
from pytopo.training.folder import claimed, is_finished, read_run
from pytopo.training.methods import Experiment, Method, run_config, run_folder

OF_A_MACHINE = ("data.paths", "network.weights")
LAST = ("last.pt", "evaluation.json")  # once they are there, a run is finished and evaluated


class Copy(NamedTuple):
    """A finished run of another folder, and its place in this one."""

    source: Path
    target: Path


def runs_to_join(
    experiment: Experiment, folder: str | os.PathLike[str], others: Sequence[str]
) -> list[Copy]:
    """Return the finished runs of other folders that one lacks; nothing is written.

    Raises
    ------
    FileNotFoundError
        If another folder holds no experiment.
    ValueError
        If a run has other values than its method, a file is damaged, or the same run ended
        with different weights in two folders.
    """
    for other in others:
        if not (Path(other) / "experiment.json").is_file():
            raise FileNotFoundError(
                f"{other}: no experiment.json; expected the folder of an experiment"
            )
    found = []
    for seed in experiment.seeds:
        for method in experiment.methods:
            target = run_folder(folder, method, seed)
            places = [run_folder(other, method, seed) for other in others]
            finished = [place for place in (target, *places) if is_finished(place)]
            for place in finished:
                _check_values(place, experiment, method, seed)
            for place in finished[1:]:
                _check_same_weights(place, finished[0])
            if finished and target not in finished:
                found.append(Copy(finished[0], target))
    return found


def _check_values(place: Path, experiment: Experiment, method: Method, seed: int) -> None:
    expected = run_config(experiment, Path(), method, seed)
    for change in changes(expected, read_run(place), OF_A_MACHINE):
        found, _, wanted = change.partition(" and was ")
        raise ValueError(
            f"{place}: {found}; expected {wanted}, as methods.{method.name} has it"
        )


def _check_same_weights(place: Path, other: Path) -> None:
    one, another = (load_checkpoint(p / "last.pt")["weights"] for p in (place, other))
    if one.keys() != another.keys() or not all(torch.equal(one[n], another[n]) for n in one):
        raise ValueError(
            f"{place}: ended with other weights than {other}; expected the same run only once, "
            "or a copy of it"
        )


def join(copies: Sequence[Copy]) -> Iterator[Copy]:
    """Copy runs, and yield each that is copied; not those in which another process works.

    Raises
    ------
    OSError
        If a file cannot be written; what is copied so far stays, and joining can be repeated.
    """
    for copy in copies:
        with claimed(copy.target) as ours:
            if ours:
                _copy(copy)
                yield copy


def _copy(copy: Copy) -> None:
    """Copy the files of a run, so that what is there half-way is no finished run."""
    names = {path.name for path in copy.source.iterdir() if path.is_file()} - {"lock"}
    first = sorted(name for name in names.difference(LAST) if not name.startswith("."))
    for name in (*first, *(name for name in LAST if name in names)):
        with open(copy.source / name, "rb") as old, replacing(copy.target / name, "wb") as new:
            shutil.copyfileobj(old, new)
