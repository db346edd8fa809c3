"""Where a run stands: all that training needs to continue, in memory and in ``last.pt``.

    network, optimizer, random numbers     what the next step depends on
    step                                   which patches and which rates are next
    history, sums, seconds                 the log so far, and that of the current epoch

Nothing else is needed: a run that is resumed computes the same numbers as one that was not
interrupted.
"""

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from pytopo.training.checkpoint import network_of, save_checkpoint
from pytopo.training.config import RunConfig, tables_of
from pytopo.training.distributed import World
from pytopo.training.log import Row
from pytopo.training.loop import Step
from pytopo.training.network import initial_network
from pytopo.training.resume import last_checkpoint


@dataclass
class RunState:
    """Where a run stands.

    Attributes
    ----------
    network : nn.Module
    step : int
        Steps done.
    history : list of dict
        A row per epoch done.
    sums : list of float
        Of loss, cross-entropy and topological loss, over the steps of the current epoch.
    seconds : float
        Spent on the current epoch.
    checkpoint : dict or None
        What the run resumes from.
    counted : float
        When `seconds` were last updated, by `time.perf_counter`.
    """

    network: nn.Module
    step: int = 0
    history: list[Row] = field(default_factory=list)
    sums: list[float] = field(default_factory=lambda: [0.0, 0.0, 0.0])
    seconds: float = 0.0
    checkpoint: dict[str, Any] | None = None
    counted: float = field(default_factory=time.perf_counter)

    def restore(self, optimizer: torch.optim.Optimizer, world: World) -> None:
        """Return the optimizer and the random numbers to where they were."""
        if self.checkpoint is not None:
            optimizer.load_state_dict(self.checkpoint["optimizer"])
            _set_random_state(self.checkpoint["random"][world.rank], world.device)

    def count(self, step: Step, world: World) -> None:
        """Count a step, with the means of its losses over the processes."""
        losses = world.mean([step.loss, step.cross_entropy, step.topological])
        self.step += 1
        self.sums = [total + loss for total, loss in zip(self.sums, losses)]

    def epoch_row(self, step: Step) -> Row:
        """Return the row of the epoch that ends with a step: means over its steps."""
        count = self.step - (self.history[-1]["step"] if self.history else 0)
        loss, cross_entropy, topological = (total / count for total in self.sums)
        return {
            "epoch": len(self.history),
            "step": self.step,
            "loss": loss,
            "cross_entropy": cross_entropy,
            "topological": topological,
            "topo_weight": step.topo_weight,
            "learning_rate": step.learning_rate,
        }

    def close_epoch(self, row: Row) -> None:
        """Add the row of an epoch to the log, and begin the next epoch."""
        row["seconds"] = self._count_seconds()
        self.history.append(row)
        self.sums, self.seconds = [0.0, 0.0, 0.0], 0.0

    def _count_seconds(self) -> float:
        now = time.perf_counter()
        self.seconds, self.counted = self.seconds + now - self.counted, now
        return self.seconds

    def save(
        self, path: Path, config: RunConfig, optimizer: torch.optim.Optimizer, world: World
    ) -> None:
        """Write ``best.pt``, if this is the best network so far, and then ``last.pt``."""
        self._count_seconds()
        random = world.gathered(_random_state(world.device))
        if not world.is_first:
            return
        described = {
            "network": {"name": config.network.name, "options": config.network.options},
            "weights": self.network.state_dict(),
            "step": self.step,
            "history": self.history,
        }
        if self._is_best():
            save_checkpoint(path / "best.pt", described)
        resumable = {
            "config": tables_of(config),
            "optimizer": optimizer.state_dict(),
            "random": random,
            "sums": self.sums,
            "seconds": self.seconds,
        }
        save_checkpoint(path / "last.pt", {**described, **resumable})

    def _is_best(self) -> bool:
        """Return whether an epoch ends here, with a smaller Betti error than all before."""
        if not self.history or self.history[-1]["step"] != self.step:
            return False
        errors = [row["betti_error"] for row in self.history]
        return errors.index(min(errors)) == len(errors) - 1


def load_state(path: Path, config: RunConfig, world: World) -> RunState:
    """Return where the run in a folder stands: at its last checkpoint, or at the start.

    Raises
    ------
    FileNotFoundError, ValueError
        As `check_resume`; and for a start as `initial_network`.
    """
    checkpoint = last_checkpoint(path, config, world)
    if checkpoint is None:
        network = initial_network(config)
        torch.manual_seed(config.training.seed + world.rank)  # dropout
        return RunState(network)
    return RunState(
        network_of(checkpoint, str(path / "last.pt")),
        checkpoint["step"],
        checkpoint["history"],
        checkpoint["sums"],
        checkpoint["seconds"],
        checkpoint,
    )


def _random_state(device: torch.device) -> Tensor:
    return torch.cuda.get_rng_state(device) if device.type == "cuda" else torch.get_rng_state()


def _set_random_state(state: Tensor, device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.set_rng_state(state, device)
    else:
        torch.set_rng_state(state)
