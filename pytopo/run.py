"""A training run in a folder: what was asked, what came out, and all it takes to go on.

    config.toml     all that was asked, defaults included
    log.csv         a row an epoch: the loss, and measures on the validation sections
    curves.png      the same, drawn
    examples.png    patches of validation sections, and where the topological loss pulls
    last.pt         checkpoint: network, optimizer, step, random state, log
    best.pt         the network that had the least Betti error on validation sections

Patch number k of a run depends on the seed and on k alone, and the schedules on the number
of the step, so a run that is killed goes on from its last checkpoint as if nothing had been.
Everything else in the folder follows from the checkpoint and is written after it.
"""

import csv
import io
import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from pytopo import models
from pytopo.checkpoint import load_checkpoint, network_of, save_checkpoint
from pytopo.config import DataConfig, RunConfig, as_toml, config_of, read_tables, tables_of
from pytopo.data import (
    Patches,
    Sections,
    open_sections,
    split_blocks,
    synthetic_sections,
)
from pytopo.distributed import World
from pytopo.evaluation import evaluate, mean_evaluation
from pytopo.prediction import predict
from pytopo.replacing import replacing
from pytopo.training import NotFinite, new_optimizer, train

THRESHOLD = 0.5

Row = dict[str, float]  # an epoch


@dataclass(frozen=True)
class Blocks:
    """Sections to learn from, to choose by and to report on."""

    train: Sections
    validation: Sections
    test: Sections


def open_blocks(data: DataConfig) -> Blocks:
    """Open the sections of a configuration, in three blocks.

    Raises
    ------
    OSError, TypeError, ValueError
        If the data cannot be read, or a block is empty or shares a section with another.
    """
    if data.paths:
        sections = _opened(data)
    else:
        sections = synthetic_sections(
            data.sections, data.side, seed=data.seed, border=data.border
        )
    texts = {name: getattr(data, name) for name in ("train", "validation", "test")}
    if not any(texts.values()):
        return Blocks(*split_blocks(sections, 0.6, 0.2, 0.2))
    ranges = {name: _range(name, text, len(sections)) for name, text in texts.items()}
    for one, other in (("train", "validation"), ("train", "test"), ("validation", "test")):
        shared = set(ranges[one]) & set(ranges[other])
        if shared:
            raise ValueError(
                f"data.{one} and data.{other} share section {min(shared)}; wanted blocks apart"
            )
    return Blocks(*(sections[r.start : r.stop] for r in ranges.values()))


def _opened(data: DataConfig) -> Sections:
    if data.border_unit not in ("pixels", "nm"):
        raise ValueError(f'data.border_unit is {data.border_unit!r}; wanted "pixels" or "nm"')
    return open_sections(
        data.paths,
        invert=data.invert,
        ids=data.ids,
        background=data.background or None,
        border=data.border,
        border_unit="nm" if data.border_unit == "nm" else "pixels",
    )


def _range(name: str, text: str, count: int) -> range:
    start, colon, stop = text.partition(":")
    if colon and start.isdecimal() and stop.isdecimal() and int(start) < int(stop) <= count:
        return range(int(start), int(stop))
    raise ValueError(
        f'data.{name} is {text!r}; wanted a block of sections like "0:{max(1, count // 2)}", '
        f"out of {count}"
    )


def check_run(config: RunConfig, blocks: Blocks, world: World) -> tuple[str, ...]:
    """See that a run can be begun, before anything is written.

    Returns
    -------
    notes : tuple of str
        What will not be as one might expect.

    Raises
    ------
    FileNotFoundError, TypeError, ValueError
        If the network cannot be built or takes no patches of that size, its weights cannot
        be read, the sections are too small, or the batch cannot be shared.
    """
    size = config.training.size
    network = _new_network(config)
    patch_size = network.patch_size
    if patch_size not in (None, size):
        raise ValueError(
            f"training.size is {size}; wanted {patch_size}, the only one that network "
            f"{config.network.name!r} takes"
        )
    _patches(blocks.train, config)
    world.share(config.training.batch)
    if world.splits_normalisation(network):
        return (
            "batch normalisation sees the share of its process only, on CPUs; norm=none or "
            "group makes the result that of one process",
        )
    return ()


def check_resume(folder: str | os.PathLike[str], world: World) -> None:
    """See that the run in a folder can go on, if it has a checkpoint yet.

    Raises
    ------
    ValueError
        If the checkpoint is damaged, or was made by another number of processes.
    """
    path = Path(folder) / "last.pt"
    if path.is_file():
        loaded = load_checkpoint(path)
        network_of(loaded, str(path))
        _check_processes(loaded, world)


def _check_processes(loaded: dict[str, Any], world: World) -> None:
    count = len(loaded["random"])
    if count != world.size:
        raise ValueError(
            f"the run was begun by {count} processes; wanted as many to resume it, and there "
            f"are {world.size}"
        )


def start_run(folder: str | os.PathLike[str], config: RunConfig) -> None:
    """Make the folder of a run and write down what was asked.

    Raises
    ------
    FileExistsError
        If there is a run in the folder already.
    """
    path = Path(folder)
    if (path / "config.toml").exists():
        raise FileExistsError(
            f"{path}: there is a run in this folder; resume it, or name another"
        )
    path.mkdir(parents=True, exist_ok=True)
    with replacing(path / "config.toml") as stream:
        stream.write(as_toml(tables_of(config)))


def read_run(folder: str | os.PathLike[str]) -> RunConfig:
    """Read what was asked of the run in a folder.

    Raises
    ------
    FileNotFoundError
        If there is no run.
    """
    path = Path(folder) / "config.toml"
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file; wanted the folder of a run")
    return config_of(read_tables(path))


def is_finished(folder: str | os.PathLike[str]) -> bool:
    """Tell whether the run in a folder has come to its end."""
    path = Path(folder)
    if not (path / "last.pt").is_file() or not (path / "config.toml").is_file():
        return False
    return load_checkpoint(path / "last.pt")["step"] >= read_run(folder).training.steps


def go_on(
    folder: str | os.PathLike[str],
    world: World,
    *,
    blocks: Blocks | None = None,
    workers: int = 0,
    save_every: int = 200,
) -> Iterator[Row]:
    """Train from where the run in a folder stands to its end, and yield a row an epoch.

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

    Yields
    ------
    dict of str to float
        The row that was added to ``log.csv``.

    Raises
    ------
    NotFinite
        If the loss is not finite; the batch is in ``not-finite.pt``.
    """
    path, config = Path(folder), read_run(folder)
    training = config.training
    blocks = blocks or open_blocks(config.data)
    torch.manual_seed(training.seed)
    state = _State.of(path, config, world)
    network = world.wrapped(state.network.to(world.device))
    optimizer = new_optimizer(network, training)
    state.restore(optimizer, world)

    if world.is_first and state.history:  # what a kill may have left undone
        _report(path, state, blocks, config)

    batches = _batches(blocks.train, config, world, state.step, workers)
    steps = train(
        network, batches, training, config.loss, optimizer=optimizer, first_step=state.step
    )
    try:
        for step in steps:
            state.count(world.mean([step.loss, step.cross_entropy, step.topological]))
            epoch_ends = state.step % training.epoch_steps == 0
            if epoch_ends:
                row = state.epoch_row(step.topo_weight, step.learning_rate)
                if world.is_first:
                    row |= _measured(state.network, blocks.validation, config)
                state.close_epoch(row)
            if epoch_ends or state.step % save_every == 0:
                state.save(path, config, optimizer, world)
            if epoch_ends:
                if world.is_first:
                    _report(path, state, blocks, config)
                world.wait()
                yield row
    except NotFinite as error:
        if world.is_first:
            batch = {"images": error.images.cpu(), "truth": error.truth.cpu()}
            with replacing(path / "not-finite.pt", "wb") as stream:
                torch.save({**batch, **error.row._asdict()}, stream)
        raise


def _batches(
    sections: Sections, config: RunConfig, world: World, first_step: int, workers: int
) -> Iterable[tuple[Tensor, Tensor]]:
    """Return this process's share of the batches that are left, by the number of the step."""
    training, share = config.training, world.share(config.training.batch)
    numbers = [
        list(range(step * training.batch, (step + 1) * training.batch)[share])
        for step in range(first_step, training.steps)
    ]
    # A loader draws a seed for its workers; from here it would disturb that of dropout.
    own = torch.Generator()
    patches: Any = _patches(sections, config)  # all that a loader wants of a data set
    return DataLoader(patches, batch_sampler=numbers, num_workers=workers, generator=own)


def _patches(sections: Sections, config: RunConfig) -> Patches:
    training = config.training
    return Patches(
        sections,
        size=training.size,
        seed=training.seed,
        per_section=training.per_section,
        augment=training.augment,
    )


def _new_network(config: RunConfig) -> nn.Module:
    """Build the network of a run, with the weights that it starts with."""
    network = models.build(config.network.name, **config.network.options)
    weights, published = config.network.weights, config.network.published
    if published:
        if not isinstance(network, models.VGG19Net):
            raise ValueError(
                f"network.published is {published!r}; wanted nothing, only vgg19 has "
                "published weights"
            )
        fetch = models.vgg19.download_weights if published == "download" else None
        network.load_published(fetch() if fetch else models.vgg19.published_weights(published))
    if weights:
        state = load_checkpoint(weights)
        if state["network"]["name"] != config.network.name:
            raise ValueError(
                f"{weights}: weights of {state['network']['name']!r}; wanted those of "
                f"{config.network.name!r}"
            )
        network.load_state_dict(network_of(state, weights).state_dict())
    return network


# ---- state: all that going on needs --------------------------------------------------------


@dataclass
class _State:
    """Where a run stands."""

    network: nn.Module
    step: int
    history: list[Row]
    sums: list[float]  # of loss, cross-entropy and topological loss in this epoch
    seconds: float  # spent on this epoch
    loaded: dict[str, Any] | None
    begun: float = field(default_factory=time.perf_counter)  # when they were last counted

    @classmethod
    def of(cls, path: Path, config: RunConfig, world: World) -> "_State":
        """Read the last checkpoint of a run, or begin."""
        if (path / "last.pt").is_file():
            loaded = load_checkpoint(path / "last.pt")
            network = network_of(loaded, str(path / "last.pt"))
            return cls(
                network,
                loaded["step"],
                loaded["history"],
                loaded["sums"],
                loaded["seconds"],
                loaded,
            )
        network = _new_network(config)
        torch.manual_seed(config.training.seed + world.rank)  # dropout
        return cls(network, 0, [], [0.0, 0.0, 0.0], 0.0, None)

    def restore(self, optimizer: torch.optim.Optimizer, world: World) -> None:
        """Put the optimizer and the random numbers where they were."""
        if self.loaded is None:
            return
        optimizer.load_state_dict(self.loaded["optimizer"])
        _check_processes(self.loaded, world)
        _set_random_state(self.loaded["random"][world.rank], world.device)

    def count(self, values: list[float]) -> None:
        self.step += 1
        self.sums = [total + value for total, value in zip(self.sums, values)]

    def count_seconds(self) -> float:
        now = time.perf_counter()
        self.seconds, self.begun = self.seconds + now - self.begun, now
        return self.seconds

    def epoch_row(self, topo_weight: float, learning_rate: float) -> Row:
        count = self.step - (self.history[-1]["step"] if self.history else 0)
        loss, cross_entropy, topological = (total / count for total in self.sums)
        return {
            "epoch": len(self.history),
            "step": self.step,
            "loss": loss,
            "cross_entropy": cross_entropy,
            "topological": topological,
            "topo_weight": topo_weight,
            "learning_rate": learning_rate,
        }

    def close_epoch(self, row: Row) -> None:
        row["seconds"] = self.count_seconds()
        self.history.append(row)
        self.sums, self.seconds = [0.0, 0.0, 0.0], 0.0

    def save(
        self, path: Path, config: RunConfig, optimizer: torch.optim.Optimizer, world: World
    ) -> None:
        """Write the best network, if it is this one, and the last checkpoint after it."""
        self.count_seconds()
        random = world.gathered(_random_state(world.device))
        if not world.is_first:
            return
        described = {
            "network": {"name": config.network.name, "options": config.network.options},
            "weights": self.network.state_dict(),
            "step": self.step,
            "history": self.history,
        }
        if self.history and self.history[-1]["step"] == self.step:
            errors = [row["betti_error"] for row in self.history]
            if errors.index(min(errors)) == len(errors) - 1:
                save_checkpoint(path / "best.pt", described)
        going_on = {
            "optimizer": optimizer.state_dict(),
            "random": random,
            "sums": self.sums,
            "seconds": self.seconds,
        }
        save_checkpoint(path / "last.pt", {**described, **going_on})


def _random_state(device: torch.device) -> Tensor:
    return torch.cuda.get_rng_state(device) if device.type == "cuda" else torch.get_rng_state()


def _set_random_state(state: Tensor, device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.set_rng_state(state, device)
    else:
        torch.set_rng_state(state)


# ---- what is measured and written at the end of an epoch -----------------------------------


def _measured(network: nn.Module, sections: Sections, config: RunConfig) -> Row:
    """Return the mean of all measures over sections, and their Betti error."""
    found = [
        evaluate(
            predict(network, section.image) > THRESHOLD,
            section.truth,
            patch=config.training.size,
            construction=config.loss.construction,
        )
        for section in sections
    ]
    row = mean_evaluation(found).row()
    return {"betti_error": row["patch_betti"], **row}


# The columns of the source document's tables come first.
FIRST_COLUMNS = ("epoch", "loss", "pixel_accuracy", "betti_error", "voi")


def log_columns(history: list[Row]) -> list[str]:
    """Return the columns of a log, in their order."""
    return [*FIRST_COLUMNS, *(name for name in history[0] if name not in FIRST_COLUMNS)]


def _report(path: Path, state: _State, blocks: Blocks, config: RunConfig) -> None:
    """Write what follows from a checkpoint."""
    _write_log(path, state.history)
    _draw(path, state, blocks, config)


def _write_log(path: Path, history: list[Row]) -> None:
    text = io.StringIO()
    table = csv.DictWriter(text, log_columns(history), lineterminator="\n")
    table.writeheader()
    table.writerows({name: "" if x != x else x for name, x in row.items()} for row in history)
    with replacing(path / "log.csv") as stream:
        stream.write(text.getvalue())


def _draw(path: Path, state: _State, blocks: Blocks, config: RunConfig) -> None:
    from pytopo import run_figures  # Matplotlib is heavy, and only the first process draws

    run_figures.save(run_figures.curves(state.history), path / "curves.png")
    if state.step == config.training.steps:
        figure = run_figures.examples(state.network, blocks.validation, config)
        run_figures.save(figure, path / "examples.png")
