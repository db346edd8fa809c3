"""Whether a run can be resumed: its checkpoint must be whole, and of the same configuration.

``last.pt`` holds the configuration with which the run was begun.  Of ``config.toml`` only
the number of epochs may have changed since (`config.MAY_CHANGE`); every other difference is
refused before anything is touched.
"""

import math
import os
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from pytopo.notes import one_line
from pytopo.training.checkpoint import load_checkpoint, network_of
from pytopo.training.config import RunConfig, changes, config_of
from pytopo.training.distributed import World
from pytopo.training.folder import read_run
from pytopo.training.log import checked_history
from pytopo.training.loop import new_optimizer

# What a checkpoint must have, beside the network, for a run to continue from it.
REQUIRED = ("config", "step", "history", "optimizer", "random", "sums", "seconds")


def check_resume(
    folder: str | os.PathLike[str], world: World, config: RunConfig | None = None
) -> tuple[str, ...]:
    """Check that the run in a folder can be resumed, before anything is written.

    Parameters
    ----------
    folder : path-like
    world : World
    config : RunConfig or None
        The configuration to resume with; ``None`` for that of ``config.toml``.

    Returns
    -------
    notes : tuple of str
        What will differ from what one might expect.

    Raises
    ------
    FileNotFoundError
        If there is no run.
    ValueError
        If the checkpoint is damaged, incomplete or that of another run, if more than the
        number of epochs has changed since the run was begun, if more epochs are done than
        configured, or if it was begun by another number of processes or on another device.
    """
    path = Path(folder)
    config = config or read_run(path)
    checkpoint = last_checkpoint(path, config, world)
    if checkpoint is None:
        return ("there is no last.pt yet: the run begins",)
    before, now = config_of(checkpoint["config"]).training.epochs, config.training.epochs
    if before == now or config.training.schedule == "constant":
        return ()
    return (
        f"training.epochs is {now} and was {before}: from here on the learning rate is that of "
        f"a run of {now} epochs",
    )


def last_checkpoint(path: Path, config: RunConfig, world: World) -> dict[str, Any] | None:
    """Return the last checkpoint of a run, once it is certain that the run can continue.

    Returns
    -------
    checkpoint : dict or None
        ``None`` if the run has none yet.

    Raises
    ------
    FileNotFoundError, ValueError
        As `check_resume`.
    """
    file = path / "last.pt"
    if not os.path.lexists(file):
        return None
    checkpoint, name = load_checkpoint(file), one_line(str(file))
    begun = _checked_content(checkpoint, name)
    _check_config(one_line(str(path)), begun, config)
    _check_epochs(one_line(str(path)), checkpoint["step"], config)
    processes = len(checkpoint["random"])
    if processes != world.size:
        raise ValueError(
            f"the run was begun by {processes} processes; expected as many to resume it, and "
            f"there are {world.size}"
        )
    _check_random(name, checkpoint["random"][world.rank], world.device)
    return checkpoint


def _checked_content(checkpoint: dict[str, Any], name: str) -> RunConfig:
    """Return the configuration of a checkpoint, once all of its content agrees with it."""
    missing = [key for key in REQUIRED if key not in checkpoint]
    if missing:
        raise ValueError(
            f"{name}: has no {', '.join(missing)}; expected the last.pt of this run, other "
            "checkpoints can be used for --weights and by pytopo predict"
        )
    network = network_of(checkpoint, name)
    try:
        begun = config_of(checkpoint["config"])
        _check_numbers(checkpoint, begun)
        _check_optimizer(checkpoint["optimizer"], network, begun)
    except (AttributeError, KeyError, IndexError, TypeError, ValueError, RuntimeError) as error:
        reason = one_line(str(error))[:200]
        raise ValueError(f"{name}: damaged, a run cannot resume from it: {reason}") from None
    return begun


def _check_numbers(checkpoint: dict[str, Any], begun: RunConfig) -> None:
    """Check that step, history and sums are those of some moment of a run."""
    step, sums = checkpoint["step"], checkpoint["sums"]
    history = checked_history(checkpoint["history"])
    if type(step) is not int or step <= 0:
        raise ValueError(f"step is {step!r}")
    every = begun.training.epoch_steps
    if [row["step"] for row in history] != list(range(every, step + 1, every)):
        raise ValueError(f"the log does not end at step {step}")
    numbers = [*sums, checkpoint["seconds"]]
    if len(sums) != 3 or not all(type(number) in (int, float) for number in numbers):
        raise ValueError("the sums of the epoch are not numbers")
    if not isinstance(checkpoint["random"], list):
        raise TypeError("random is not a list")
    described = {"name": begun.network.name, "options": begun.network.options}
    if checkpoint["network"] != described:
        raise ValueError(
            f"the network is {checkpoint['network']!r}, and the run's {described!r}"
        )


def _check_optimizer(state: dict[str, Any], network: nn.Module, begun: RunConfig) -> None:
    """Check that the state of an optimizer belongs to this network."""
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


def _check_config(where: str, begun: RunConfig, config: RunConfig) -> None:
    """Refuse a configuration that differs from the one with which the run was begun."""
    changed = changes(begun, config)
    if changed:
        more = f", and {len(changed) - 1} more" if len(changed) > 1 else ""
        raise ValueError(
            f"{where}: {changed[0]} when last.pt was begun{more}; only the number of epochs "
            "may change, so put config.toml or last.pt back, or train in another folder"
        )


def _check_epochs(where: str, step: int, config: RunConfig) -> None:
    """Refuse fewer epochs than are begun or done."""
    if config.training.steps < step:
        done = math.ceil(step / config.training.epoch_steps)
        raise ValueError(
            f"{where}: training.epochs is {config.training.epochs}, and {done} are begun or "
            f"done; expected at least {done}"
        )


def _check_random(name: str, state: Tensor, device: torch.device) -> None:
    """Check that the random numbers of a process can continue on a device."""
    kind = device if device.type == "cuda" else torch.device("cpu")
    try:
        torch.Generator(kind).set_state(state)
    except (RuntimeError, TypeError) as error:
        raise ValueError(
            f"{name}: its random numbers cannot continue on {device}: "
            f"{one_line(str(error))[:100]}; expected the device that the run was begun on"
        ) from None
