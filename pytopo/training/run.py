"""A training run in a folder: its configuration, its results, and all it takes to resume it.

    config.toml     all values of the configuration, defaults included
    log.csv         a row per epoch: the loss, and measures on the validation sections
    curves.png      the same, drawn
    examples.png    patches of validation sections, and where the topological loss pulls
    last.pt         checkpoint: network, optimizer, step, random state, log
    best.pt         the network that had the least Betti error on validation sections
    lock            held by the process that trains here; no other may

Patch number k of a run depends on the seed and on k alone, and the schedules on the number
of the step, so a run that was killed continues from its last checkpoint as if it had not been
interrupted.  Everything else in the folder follows from the checkpoint and is written after
it.
"""

import os
import signal
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader

from pytopo.data import Sections
from pytopo.files import clear_left_over, replacing
from pytopo.metrics.decision import Decision
from pytopo.progress import progress
from pytopo.training.blocks import Blocks, open_blocks, training_patches
from pytopo.training.config import RunConfig
from pytopo.training.decision import mean_measures, predicted
from pytopo.training.distributed import World
from pytopo.training.folder import read_run
from pytopo.training.log import Row, write_log
from pytopo.training.loop import NotFinite, Step, new_optimizer, train
from pytopo.training.state import RunState, load_state


def resume_run(
    folder: str | os.PathLike[str],
    world: World,
    *,
    blocks: Blocks | None = None,
    workers: int = 0,
    save_every: int = 200,
    shown: str | None = None,
) -> Iterator[Row]:
    """Train from where the run in a folder stands to its end, and yield a row per epoch.

    Parameters
    ----------
    folder : path-like
        Of `start_run`.
    world : World
        The processes that train together; the first writes the files.
    blocks : Blocks or None
        The sections, if they are open already.
    workers : int
        Processes that cut patches; 0 for this one.
    save_every : int
        Steps between checkpoints; one is written at the end of each epoch too.
    shown : str or None
        Show on stderr, if that is a terminal, the step within the epoch, behind this name of
        the run; None for nothing.

    Yields
    ------
    dict of str to float
        The row that was added to ``log.csv``.

    Raises
    ------
    ValueError
        As `check_resume`, before anything is written.
    NotFinite
        If the loss is not finite; the batch is in ``not-finite.pt``.
    OSError
        If a file cannot be written; the run can be resumed.
    """
    # 1. Where the run stands: at its last checkpoint or, without one, at initial weights.
    path, config = Path(folder), read_run(folder)
    training = config.training
    torch.manual_seed(training.seed)
    state = load_state(path, config, world)
    blocks = blocks or open_blocks(config.data)
    network = world.wrapped(state.network.to(world.device))
    optimizer = new_optimizer(network, training)
    state.restore(optimizer, world)

    # 2. The folder as it would be without a kill: no half-written file, and a full report.
    if world.is_first:
        clear_left_over(path)
        if state.history:
            _write_report(path, state, blocks, config)

    # 3. The steps that are left, with a checkpoint now and then and after each epoch.
    batches = remaining_batches(blocks.train, config, world, state.step, workers)
    steps = train(
        network, batches, training, config.loss, optimizer=optimizer, first_step=state.step
    )
    if shown is not None and world.is_first:
        steps = _watched(steps, shown, state.step, training.epoch_steps)
    try:
        for step in steps:
            state.count(step, world)
            epoch_ends = state.step % training.epoch_steps == 0
            if epoch_ends:
                row = _close_epoch(state, step, blocks, config, world)
            if epoch_ends or state.step % save_every == 0:
                state.save(path, config, optimizer, world)
            if epoch_ends:
                if world.is_first:
                    _write_report(path, state, blocks, config)
                world.wait()
                yield row
    except NotFinite as error:
        if world.is_first:
            _save_batch(path / "not-finite.pt", error)
        raise


def _watched(
    steps: Iterator[Step], run: str, first_step: int, epoch_steps: int
) -> Iterator[Step]:
    """Yield the steps, and show on the terminal how many of the epoch are done."""
    with progress(run, unit="step") as line:
        for number, step in enumerate(steps, first_step):
            epoch, done = divmod(number, epoch_steps)
            if done == 0 or number == first_step:
                line.begin(f"{run}, epoch {epoch}", epoch_steps, done)
            line.done = done + 1
            if line.done == epoch_steps:
                line.begin(f"{run}, epoch {epoch}, validation")
            yield step


# ---- batches -------------------------------------------------------------------------------


def remaining_batches(
    sections: Sections, config: RunConfig, world: World, first_step: int, workers: int
) -> Iterable[tuple[Tensor, Tensor]]:
    """Return this process's share of the batches that are left, by the number of the step."""
    training, share = config.training, world.share(config.training.batch)
    numbers = (  # not a list: a run may be configured with any number of steps
        list(range(step * training.batch, (step + 1) * training.batch)[share])
        for step in range(first_step, training.steps)
    )
    patches: Any = training_patches(sections, config)  # has all that a loader uses
    return DataLoader(
        patches,
        batch_sampler=numbers,
        num_workers=workers,
        # A loader draws a seed for its workers: from the global generator that would disturb
        # the random numbers of dropout.
        generator=torch.Generator(),
        worker_init_fn=_ignore_interrupts,
    )


def _ignore_interrupts(_: int) -> None:
    """Leave Ctrl-C, which reaches workers too, to the process that started them."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


# ---- the end of an epoch -------------------------------------------------------------------


def _close_epoch(
    state: RunState, step: Step, blocks: Blocks, config: RunConfig, world: World
) -> Row:
    """Add the row of the epoch that ends with a step to the log, and return it."""
    row = state.epoch_row(step)
    if world.is_first:
        measured = mean_measures(
            predicted(state.network, blocks.validation), Decision(), config
        ).row()
        row |= {"betti_error": measured["patch_betti"], **measured}
    state.close_epoch(row)
    return row


def _write_report(path: Path, state: RunState, blocks: Blocks, config: RunConfig) -> None:
    """Write what follows from a checkpoint: the log, its curves and, at the end, examples."""
    from pytopo.training import figures  # Matplotlib is heavy, and only the first process draws

    write_log(path / "log.csv", state.history)
    figures.save(figures.curves(state.history), path / "curves.png")
    if state.step == config.training.steps:
        figure = figures.examples(state.network, blocks.validation, config)
        figures.save(figure, path / "examples.png")


def _save_batch(path: Path, error: NotFinite) -> None:
    """Write the batch for which the loss was not finite."""
    batch = {"images": error.images.cpu(), "truth": error.truth.cpu()}
    with replacing(path, "wb") as stream:
        torch.save({**batch, **error.row._asdict()}, stream)
