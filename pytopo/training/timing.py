"""How long a step of training takes: all methods in turns, in one process, on the same batches.

    round 1    batch 1: method a, method b, ...    batch 2: method a, method b, ...
    round 2    the same batches once more
    ...

What else a machine does makes a step slower, never faster, so the least time of a batch counts;
the time of a step is the mean of these over batches.  Beside it stands the time of all threads
on their processors, which what else runs hardly changes.  Networks have the weights that
training ended with.

    step-times.json    these times, in the folder of the experiment
"""

import time
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pytopo.training.blocks import Blocks, training_patches
from pytopo.training.checkpoint import load_network
from pytopo.training.config import RunConfig
from pytopo.training.distributed import World
from pytopo.training.loop import Step, train
from pytopo.training.methods import Experiment, Method, run_folder
from pytopo.training.results import read_json

ROUNDS = 5
FILE = "step-times.json"


def time_steps(
    experiment: Experiment, folder: Path, blocks: Blocks, world: World, batches: int
) -> dict[str, Any]:
    """Time the steps of all methods of a finished experiment.

    Parameters
    ----------
    experiment : Experiment
    folder : Path
    blocks : Blocks
    world : World
    batches : int
        How many batches of patches each method learns from, in each round.

    Returns
    -------
    dict
        ``seconds`` of a step by method, and ``cpu_seconds`` of all threads of this process;
        ``batches``, ``rounds``, ``device``.
    """
    running = [
        _steps(run_folder(folder, method, experiment.seeds[0]), method, blocks, world, batches)
        for method in experiment.methods
    ]
    for steps in running:  # the first step compiles
        next(steps)
    taken = np.empty((ROUNDS, batches, len(running), 2))
    for of_methods in taken.reshape(-1, len(running), 2):
        for k, steps in enumerate(running):
            of_methods[k] = _seconds(steps, world.device)
    names = [method.name for method in experiment.methods]
    seconds, on_processors = taken.min(axis=0).mean(axis=0).T.tolist()
    return {
        "seconds": dict(zip(names, seconds)),
        "cpu_seconds": dict(zip(names, on_processors)),
        "batches": batches,
        "rounds": ROUNDS,
        "device": str(world.device),
    }


def _steps(
    run: Path, method: Method, blocks: Blocks, world: World, batches: int
) -> Iterator[Step]:
    """Go on training the network of a finished run, on a few batches over and over."""
    network = load_network(run / "last.pt").to(world.device)
    training, loss = method.config.training, method.config.loss
    known = _batches(method.config, blocks, batches)
    return train(network, cycle(known), training, loss, first_step=training.steps - 1)


def _batches(config: RunConfig, blocks: Blocks, count: int) -> list[tuple[Tensor, Tensor]]:
    """Return the first batches of patches of a configuration, whatever the method."""
    patches, size = training_patches(blocks.train, config), config.training.batch
    found = []
    for first in range(0, count * size, size):
        images, truths = zip(*(patches[k] for k in range(first, first + size)))
        found.append((torch.from_numpy(np.stack(images)), torch.from_numpy(np.stack(truths))))
    return found


def _seconds(steps: Iterator[Step], device: torch.device) -> tuple[float, float]:
    """Return how long the next step takes, and how long on processors."""
    start, busy = time.perf_counter(), time.process_time()
    next(steps)
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - start, time.process_time() - busy


def read_times(folder: Path) -> dict[str, Any]:
    """Read the times of the steps of an experiment; nothing if they were not taken.

    Raises
    ------
    ValueError
        If they are damaged.
    """
    path = folder / FILE
    if not path.exists():
        return {}
    times = read_json(path)
    try:
        known = times["seconds"].keys() == times["cpu_seconds"].keys()
        known = known and all(value > 0 for value in times["seconds"].values())
        known = known and times.keys() >= {"batches", "rounds", "device"}
    except (AttributeError, KeyError, TypeError):
        known = False
    if not known:
        raise ValueError(f"{path}: damaged; remove it, or time the steps again")
    return times
