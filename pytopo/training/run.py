"""A training run in a folder: what was asked, what came out, and all it takes to go on.

    config.toml     all that was asked, defaults included
    log.csv         a row an epoch: the loss, and measures on the validation sections
    curves.png      the same, drawn
    examples.png    patches of validation sections, and where the topological loss pulls
    last.pt         checkpoint: network, optimizer, step, random state, log
    best.pt         the network that had the least Betti error on validation sections
    lock            who holds it trains here; nobody else may

Patch number k of a run depends on the seed and on k alone, and the schedules on the number
of the step, so a run that is killed goes on from its last checkpoint as if nothing had been.
Everything else in the folder follows from the checkpoint and is written after it.

The configuration stands in ``last.pt`` too, as the run was begun.  Of ``config.toml`` only the
number of epochs may change from then on (`config.MAY_CHANGE`); whatever else differs is
refused before anything is touched.
"""

import csv
import io
import math
import os
import signal
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock, Timeout
from torch import Tensor, nn
from torch.utils.data import DataLoader

from pytopo import models
from pytopo.data import (
    Patches,
    Sections,
    open_sections,
    split_blocks,
    synthetic_sections,
)
from pytopo.files import clear_left_over, replacing
from pytopo.metrics.evaluation import evaluate, mean_evaluation
from pytopo.notes import one_line
from pytopo.training.checkpoint import load_checkpoint, network_of, save_checkpoint
from pytopo.training.config import (
    DataConfig,
    RunConfig,
    as_toml,
    changes,
    config_of,
    read_tables,
    tables_of,
)
from pytopo.training.distributed import World
from pytopo.training.loop import NotFinite, new_optimizer, train
from pytopo.training.prediction import checked_image, predict

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
                f"data.{one} and data.{other} share section {min(shared)}; expected blocks "
                "apart"
            )
    return Blocks(*(sections[r.start : r.stop] for r in ranges.values()))


def _opened(data: DataConfig) -> Sections:
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
        f'data.{name} is {text!r}; expected a block of sections like "0:{max(1, count // 2)}", '
        f"out of {count}"
    )


# ---- what is seen to before anything is written --------------------------------------------


def check_run(
    config: RunConfig, blocks: Blocks, world: World, *, begun: bool = False
) -> tuple[str, ...]:
    """See that a run can come to its end, before anything is written.

    Parameters
    ----------
    config : RunConfig
    blocks : Blocks
    world : World
    begun : bool
        The run has a checkpoint, so the weights to start from are not needed.

    Returns
    -------
    notes : tuple of str
        What will not be as one might expect.

    Raises
    ------
    FileNotFoundError, TypeError, ValueError
        If the network cannot be built or takes no patches of that size, its weights cannot
        be read or are of another network, the batch cannot be shared, or sections are too
        small or cannot be evaluated.
    """
    network = built(config) if begun else _new_network(config)
    _check_patches(network, config, world)
    _patches(blocks.train, config)
    for name, sections in (("validation", blocks.validation), ("test", blocks.test)):
        _check_measurable(name, sections, config)
    notes = []
    if world.splits_normalisation(network):
        notes.append(
            "batch normalisation sees the share of its process only, on CPUs; norm=none or "
            "group makes the result that of one process"
        )
    if config.loss.topo_weight > 0 and config.loss.min_persistence >= 1:
        notes.append(
            f"loss.min_persistence is {config.loss.min_persistence:g}, and dots of a "
            "likelihood are less persistent than 1: the topological loss will move nothing"
        )
    return tuple(notes)


def _check_patches(network: nn.Module, config: RunConfig, world: World) -> None:
    """See that a network can learn from patches of that size, by showing it some."""
    size, batch = config.training.size, config.training.batch
    patch_size = network.patch_size
    if patch_size not in (None, size):
        raise ValueError(
            f"training.size is {size}; expected {patch_size}, the only one that network "
            f"{config.network.name!r} takes"
        )
    share = world.share(batch)
    try:
        with torch.no_grad():
            network(torch.zeros(min(share.stop - share.start, 2), 1, size, size))
    except (RuntimeError, ValueError) as error:
        raise ValueError(
            f"network {config.network.name!r} cannot learn from {share.stop - share.start} "
            f"patches of {size} x {size} at a time: {str(error).splitlines()[0]}; expected a "
            "larger training.size or training.batch, or a network that is less deep"
        ) from None


def _check_measurable(name: str, sections: Sections, config: RunConfig) -> None:
    """See that sections can be predicted, and evaluated against their truth."""
    size = config.training.size
    for i in range(len(sections)):
        where, shape = f"{sections.name(i)}, of data.{name}", sections.shape_of(i)
        if min(shape) < size:
            raise ValueError(
                f"{where}: {shape[0]} x {shape[1]} pixels; expected at least {size} x {size}, "
                "as a patch has (training.size)"
            )
        section = sections[i]
        if section.truth.all():
            raise ValueError(
                f"{where}: membrane everywhere, so there is no cell to evaluate; expected some "
                "background (a smaller data.border, or data.invert)"
            )
        try:
            checked_image(section.image)
        except ValueError as error:
            raise ValueError(f"{where}: {error}") from None


def check_resume(
    folder: str | os.PathLike[str], world: World, config: RunConfig | None = None
) -> tuple[str, ...]:
    """See that the run in a folder can go on, before anything is written.

    Parameters
    ----------
    folder : path-like
    world : World
    config : RunConfig or None
        What is asked now; ``None`` for what ``config.toml`` says.

    Returns
    -------
    notes : tuple of str
        What will not be as one might expect.

    Raises
    ------
    FileNotFoundError
        If there is no run.
    ValueError
        If the checkpoint is damaged, incomplete or that of another run, if more than the
        number of epochs has changed since the run was begun, if more epochs are done than
        asked for, or if it was begun by another number of processes or on another device.
    """
    path = Path(folder)
    config = config or read_run(path)
    loaded = _resumable(path, config, world)
    if loaded is None:
        return ("there is no last.pt yet: the run begins",)
    before, now = config_of(loaded["config"]).training.epochs, config.training.epochs
    if before == now or config.training.schedule == "constant":
        return ()
    return (
        f"training.epochs is {now} and was {before}: from here on the learning rate is that of "
        f"a run of {now} epochs",
    )


NEEDED = ("config", "step", "history", "optimizer", "random", "sums", "seconds")  # to go on


def _resumable(path: Path, config: RunConfig, world: World) -> dict[str, Any] | None:
    """Return the last checkpoint of a run, if it has one, and if the run can go on from it."""
    file = path / "last.pt"
    if not os.path.lexists(file):
        return None
    loaded, name = load_checkpoint(file), one_line(str(file))
    missing = [key for key in NEEDED if key not in loaded]
    if missing:
        raise ValueError(
            f"{name}: has no {', '.join(missing)}; expected the last.pt of this run, other "
            "checkpoints are good for --weights and for pytopo predict"
        )
    network = network_of(loaded, name)
    try:
        begun = config_of(loaded["config"])
        _check_numbers(loaded, begun)
        _check_optimizer(loaded["optimizer"], network, begun)
    except (AttributeError, KeyError, IndexError, TypeError, ValueError, RuntimeError) as error:
        reason = one_line(str(error))[:200]
        raise ValueError(f"{name}: damaged, a run cannot go on from it: {reason}") from None

    changed = changes(begun, config)
    if changed:
        more = f", and {len(changed) - 1} more" if len(changed) > 1 else ""
        raise ValueError(
            f"{one_line(str(path))}: {changed[0]} when last.pt was begun{more}; only the "
            "number of epochs may change, so put config.toml or last.pt back, or train in "
            "another folder"
        )
    step, processes = loaded["step"], len(loaded["random"])
    if config.training.steps < step:
        done = math.ceil(step / config.training.epoch_steps)
        raise ValueError(
            f"{one_line(str(path))}: training.epochs is {config.training.epochs}, and {done} "
            f"are begun or done; expected at least {done}"
        )
    if processes != world.size:
        raise ValueError(
            f"the run was begun by {processes} processes; expected as many to resume it, and "
            f"there are {world.size}"
        )
    _check_random(name, loaded["random"][world.rank], world.device)
    return loaded


COLUMNS = {  # of a row of the log, as the log and the curves need them
    "epoch", "step", "loss", "cross_entropy", "topological", "topo_weight", "seconds",
    "pixel_accuracy", "betti_error", "voi", "patch_betti_0", "patch_betti_1",
    "voi_split", "voi_merge",
}  # fmt: skip


def load_history(folder: str | os.PathLike[str]) -> list[Row]:
    """Return the rows of the log of a run, from its last checkpoint.

    Raises
    ------
    FileNotFoundError, ValueError
        If there is no checkpoint, or it is damaged.
    """
    file = Path(folder) / "last.pt"
    loaded = load_checkpoint(file)
    try:
        return _checked_history(loaded["history"])
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(one_line(f"{file}: damaged: {error}")) from None


def _checked_history(history: list[Row]) -> list[Row]:
    for row in history:
        if not row.keys() >= COLUMNS or row.keys() != history[0].keys():
            raise ValueError("a row of the log lacks columns")
        if not all(type(value) in (int, float) for value in row.values()):
            raise ValueError("the log holds something else than numbers")
    return history


def _check_numbers(loaded: dict[str, Any], begun: RunConfig) -> None:
    """See that step, history and sums are those of some moment of a run."""
    step, sums, history = loaded["step"], loaded["sums"], _checked_history(loaded["history"])
    if type(step) is not int or step <= 0:
        raise ValueError(f"step is {step!r}")
    every = begun.training.epoch_steps
    if [row["step"] for row in history] != list(range(every, step + 1, every)):
        raise ValueError(f"the log does not end at step {step}")
    if len(sums) != 3 or not all(type(x) in (int, float) for x in [*sums, loaded["seconds"]]):
        raise ValueError("the sums of the epoch are no numbers")
    if not isinstance(loaded["random"], list):
        raise TypeError("random is no list")
    described = {"name": begun.network.name, "options": begun.network.options}
    if loaded["network"] != described:
        raise ValueError(f"the network is {loaded['network']!r}, and the run's {described!r}")


def _check_optimizer(state: dict[str, Any], network: nn.Module, begun: RunConfig) -> None:
    """See that the state of the optimizer is one of this network's."""
    optimizer = new_optimizer(network, begun.training)
    fresh = optimizer.state_dict()["param_groups"]
    for group, saved in zip(fresh, state["param_groups"], strict=True):
        for key in group.keys() & saved.keys() - {"lr"}:  # each step sets its rate
            if saved[key] != group[key]:
                raise ValueError(f"{key} of the optimizer is {saved[key]!r}")
    optimizer.load_state_dict(state)
    for weights in optimizer.param_groups[0]["params"]:
        kept = optimizer.state[weights]
        shapes = [tuple(kept[key].shape) for key in ("exp_avg", "exp_avg_sq", "step")]
        if shapes != [tuple(weights.shape)] * 2 + [()]:
            raise ValueError("the state of the optimizer is that of another network")


def _check_random(name: str, state: Tensor, device: torch.device) -> None:
    kind = device if device.type == "cuda" else torch.device("cpu")
    try:
        torch.Generator(kind).set_state(state)
    except (RuntimeError, TypeError) as error:
        raise ValueError(
            f"{name}: its random numbers cannot go on on {device}: "
            f"{one_line(str(error))[:100]}; expected the device that the run was begun on"
        ) from None


@contextmanager
def claimed(folder: str | os.PathLike[str]) -> Iterator[bool]:
    """Tell whether a run is ours until the end of the block.

    The folder is made if there is none.  The lock goes with the process, also when that is
    killed.

    Raises
    ------
    OSError
        If nothing can be written in the folder.
    """
    path = Path(folder)
    path.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path / "lock", timeout=0)
    try:
        lock.acquire()
    except Timeout:
        yield False
        return
    try:
        yield True
    finally:
        lock.release()


# ---- a run and its folder ------------------------------------------------------------------


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
    write_config(path, config)


def write_config(folder: str | os.PathLike[str], config: RunConfig) -> None:
    """Write down what is asked of the run in a folder."""
    with replacing(Path(folder) / "config.toml") as stream:
        stream.write(as_toml(tables_of(config)))


def read_run(folder: str | os.PathLike[str]) -> RunConfig:
    """Read what was asked of the run in a folder.

    Raises
    ------
    FileNotFoundError
        If there is no run.
    ValueError
        If ``config.toml`` is damaged.
    """
    path = Path(folder) / "config.toml"
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file; expected the folder of a run")
    tables = read_tables(path)
    try:
        return config_of(tables)
    except (TypeError, ValueError) as error:
        raise ValueError(one_line(f"{path}: {error}")) from None


def is_finished(folder: str | os.PathLike[str]) -> bool:
    """Tell whether the run in a folder has come to its end."""
    path = Path(folder)
    if not (path / "last.pt").is_file() or not (path / "config.toml").is_file():
        return False
    return load_checkpoint(path / "last.pt").get("step", 0) >= read_run(folder).training.steps


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
    ValueError
        As `check_resume`, before anything is written.
    NotFinite
        If the loss is not finite; the batch is in ``not-finite.pt``.
    OSError
        If a file cannot be written; the run can be resumed.
    """
    path, config = Path(folder), read_run(folder)
    training = config.training
    torch.manual_seed(training.seed)
    state = _State.of(path, config, world)
    blocks = blocks or open_blocks(config.data)
    network = world.wrapped(state.network.to(world.device))
    optimizer = new_optimizer(network, training)
    state.restore(optimizer, world)

    if world.is_first:  # what a kill may have left behind, or undone
        clear_left_over(path)
        if state.history:
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
    numbers = (  # of a run without end there are too many for a list
        list(range(step * training.batch, (step + 1) * training.batch)[share])
        for step in range(first_step, training.steps)
    )
    # A loader draws a seed for its workers; from here it would disturb that of dropout.
    own = torch.Generator()
    patches: Any = _patches(sections, config)  # all that a loader wants of a data set
    return DataLoader(
        patches,
        batch_sampler=numbers,
        num_workers=workers,
        generator=own,
        worker_init_fn=_ignore_interrupts,
    )


def _ignore_interrupts(_: int) -> None:
    """Leave Ctrl-C, which reaches workers too, to the process that started them."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _patches(sections: Sections, config: RunConfig) -> Patches:
    training = config.training
    return Patches(
        sections,
        size=training.size,
        seed=training.seed,
        per_section=training.per_section,
        augment=training.augment,
    )


def built(config: RunConfig) -> nn.Module:
    """Build the network of a run, with random weights."""
    return models.build(config.network.name, **config.network.options)


def _new_network(config: RunConfig) -> nn.Module:
    """Build the network of a run, with the weights that it starts with."""
    network = built(config)
    weights, published = config.network.weights, config.network.published
    if published:
        if not isinstance(network, models.VGG19Net):
            raise ValueError(
                f"network.published is {published!r}; expected nothing, only vgg19 has "
                "published weights"
            )
        fetch = models.vgg19.download_weights if published == "download" else None
        network.load_published(fetch() if fetch else models.vgg19.published_weights(published))
    if weights:
        other = network_of(load_checkpoint(weights), weights)
        if other.name != network.name:
            raise ValueError(
                f"{weights}: weights of {other.name!r}; expected those of {network.name!r}"
            )
        if shapes_of(other) != shapes_of(network):
            raise ValueError(
                f"{weights}: weights of {network.name!r} with {other.options}; expected those "
                f"with {network.options}, as network.options says"
            )
        network.load_state_dict(other.state_dict())
    return network


def shapes_of(network: nn.Module) -> dict[str, tuple[int, ...]]:
    """Return the shape of each weight; networks that share them can share weights."""
    return {name: tuple(weight.shape) for name, weight in network.state_dict().items()}


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
        loaded = _resumable(path, config, world)
        if loaded is not None:
            return cls(
                network_of(loaded, str(path / "last.pt")),
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
            "config": tables_of(config),
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
    from pytopo.training import figures  # Matplotlib is heavy, and only the first process draws

    figures.save(figures.curves(state.history), path / "curves.png")
    if state.step == config.training.steps:
        figure = figures.examples(state.network, blocks.validation, config)
        figures.save(figure, path / "examples.png")
