"""Training: one flat loop over batches, and the two schedules that it follows.

    batch -> network -> logits -> objective -> gradient -> step

The objective is cross-entropy and, after a warm-up, the topological loss beside it; see
`pytopo.training.objective`.

`train` is a generator: it yields one row of numbers per step, and the caller prints, logs,
saves or stops.  The learning rate and the weight of the topological loss are functions of the
number of the step alone, so that number, the weights of the network and the state of the
optimizer are all that is needed to resume.

Hu, Li, Samaras, Chen (2019), "Topology-preserving deep image segmentation", sections 2.1
and 2.4.
"""

import contextlib
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from pytopo.data.augmentation import Augmentation
from pytopo.training.objective import LossConfig, Objective, check

OPTIMIZERS = ("adam", "adamw")
SCHEDULES = ("constant", "cosine", "exponential")
MOST_SEEDS = 2**62  # torch takes 64 bits, and each process adds its number


@dataclass(frozen=True)
class TrainingConfig:
    """How it is minimised.

    Attributes
    ----------
    seed : int
        Of the random weights, the patches and dropout.
    epochs : int
    patches : int
        Per epoch; a multiple of ``batch``.
    batch : int
        Patches per step, of all processes together.
    size : int
        Side of a patch, in pixels.
    per_section : int
        How many consecutive patches are taken from one section.
    augment : bool
        Flip and rotate patches at random, and change them as the next four values say;
        ``False`` turns all of it off.
    brightness, contrast, noise, elastic : float
        Greatest changes of a patch, see `pytopo.data.augmentation.Augmentation`.
    optimizer : {"adam", "adamw"}
    learning_rate, final_rate : float
        At the first and at the last step.
    schedule : {"constant", "cosine", "exponential"}
        How the rate changes from the first to the last; "constant" stays at the first.
    weight_decay : float
    clip : float
        Largest norm of the gradient; larger ones are scaled down to it.  0 clips nothing.
    autocast : bool
        Run the network in bfloat16 on a GPU; the loss stays in float32.
    """

    seed: int = 0
    epochs: int = 10
    patches: int = 1024
    batch: int = 16
    size: int = 65
    per_section: int = 1
    augment: bool = True
    brightness: float = 0.0
    contrast: float = 0.0
    noise: float = 0.0
    elastic: float = 0.0
    optimizer: str = "adam"
    learning_rate: float = 3e-3
    final_rate: float = 1e-4
    schedule: str = "cosine"
    weight_decay: float = 0.0
    clip: float = 0.0
    autocast: bool = False

    def __post_init__(self) -> None:
        for name in ("epochs", "patches", "batch", "size", "per_section"):
            check(self, name, getattr(self, name) >= 1, "at least 1")
        for name in ("learning_rate", "final_rate"):
            check(self, name, getattr(self, name) > 0, "above 0")
        for name in ("weight_decay", "clip"):
            check(self, name, getattr(self, name) >= 0, "at least 0")
        check(self, "seed", 0 <= self.seed < MOST_SEEDS, f"from 0 to below {MOST_SEEDS}")
        check(self, "optimizer", self.optimizer in OPTIMIZERS, " or ".join(OPTIMIZERS))
        check(self, "schedule", self.schedule in SCHEDULES, ", ".join(SCHEDULES))
        check(
            self,
            "patches",
            self.patches % self.batch == 0,
            f"a multiple of the batch, {self.batch}",
        )
        Augmentation(self.brightness, self.contrast, self.noise, self.elastic)  # may refuse

    @property
    def augmentation(self) -> Augmentation:
        """What is changed in patches beside their symmetry."""
        if not self.augment:
            return Augmentation()
        return Augmentation(self.brightness, self.contrast, self.noise, self.elastic)

    @property
    def epoch_steps(self) -> int:
        """Steps per epoch."""
        return self.patches // self.batch

    @property
    def steps(self) -> int:
        """Steps in all."""
        return self.epochs * self.epoch_steps


class Step(NamedTuple):
    """What happened in one step of training: one row of numbers.

    ``topological`` is NaN where ``topo_weight`` is 0, because then it is not computed.
    """

    step: int
    loss: float
    cross_entropy: float
    topological: float
    topo_weight: float
    learning_rate: float
    gradient_norm: float


class NotFinite(ArithmeticError):
    """A loss or gradient is infinite or NaN; training stops before it spoils the weights.

    Attributes
    ----------
    row : Step
    images, truth : (B, 1, H, W) Tensor
        The batch of that step.
    """

    def __init__(self, row: Step, images: Tensor, truth: Tensor) -> None:
        super().__init__(
            f"step {row.step}: the loss is {row.loss:.6g} and the norm of its gradient "
            f"{row.gradient_norm:.6g}; a smaller learning rate or clipping may help"
        )
        self.row, self.images, self.truth = row, images, truth


def train(
    network: nn.Module,
    batches: Iterable[tuple[Tensor, Tensor]],
    training: TrainingConfig | None = None,
    loss: LossConfig | None = None,
    *,
    optimizer: torch.optim.Optimizer | None = None,
    first_step: int = 0,
) -> Iterator[Step]:
    """Train a network, one step for each batch, and yield a row of numbers per step.

    Parameters
    ----------
    network : Module
        (B, 1, H, W) images to (B, 1, H, W) logits; changed in place.
    batches : iterable of pairs of (B, 1, H, W) Tensor
        Images, and their ground truth of 0 and 1.
    training : TrainingConfig or None
    loss : LossConfig or None
    optimizer : Optimizer or None
        With the state to continue from; ``None`` for a new one.
    first_step : int
        The number of the first batch, for the schedules.

    Yields
    ------
    Step
        After the weights have changed.

    Raises
    ------
    NotFinite
        If the loss or its gradient is not finite; the weights are as they were.

    Examples
    --------
    >>> network = nn.Conv2d(1, 1, 1)
    >>> image = torch.linspace(0, 1, 64).reshape(1, 1, 8, 8)
    >>> config = TrainingConfig(epochs=1, patches=50, batch=1, learning_rate=0.1)
    >>> rows = list(train(network, [(image, (image > 0.5).float())] * 50, config))
    >>> rows[-1].loss < rows[0].loss
    True
    """
    training, loss = training or TrainingConfig(), loss or LossConfig()
    optimizer = optimizer or new_optimizer(network, training)
    objective = Objective(loss)
    device = next(network.parameters()).device
    network.train()

    for step, (images, truth) in enumerate(batches, first_step):
        images, truth = images.to(device), truth.to(device)
        rate = learning_rate(step, training)
        objective.topo_weight = topo_weight(step, training.epoch_steps, loss)

        with _precision(device, training.autocast):
            logits = network(images).float()  # (B, 1, H, W)
        terms = objective.terms(logits, truth)

        optimizer.zero_grad()
        terms["total"].backward()
        norm = nn.utils.clip_grad_norm_(network.parameters(), training.clip or math.inf)
        row = Step(
            step,
            terms["total"].item(),
            terms["pixel"].item(),
            terms["topological"].item(),
            objective.topo_weight,
            rate,
            norm.item(),
        )
        if not (math.isfinite(row.loss) and math.isfinite(row.gradient_norm)):
            raise NotFinite(row, images, truth)
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.step()
        yield row


def new_optimizer(network: nn.Module, training: TrainingConfig) -> torch.optim.Optimizer:
    """Return an optimizer of all weights that are not frozen."""
    kind = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[training.optimizer]
    weights = [p for p in network.parameters() if p.requires_grad]
    return kind(weights, lr=training.learning_rate, weight_decay=training.weight_decay)


def learning_rate(step: int, training: TrainingConfig) -> float:
    """Return the learning rate of a step.

    Examples
    --------
    >>> config = TrainingConfig(epochs=1, patches=80, batch=16)  # steps 0 to 4
    >>> [round(learning_rate(step, config), 5) for step in range(5)]
    [0.003, 0.00258, 0.00155, 0.00052, 0.0001]
    """
    first, last = training.learning_rate, training.final_rate
    done = min(1.0, step / max(1, training.steps - 1))
    if training.schedule == "cosine":
        return last + (first - last) * (1 + math.cos(math.pi * done)) / 2
    if training.schedule == "exponential":
        return first * (last / first) ** done
    return first


def topo_weight(step: int, epoch_steps: int, loss: LossConfig) -> float:
    """Return the weight of the topological loss in a step.

    Examples
    --------
    >>> config = LossConfig(topo_weight=0.1, warmup=1, ramp=1)
    >>> [round(topo_weight(step, 4, config), 3) for step in range(10)]
    [0.0, 0.0, 0.0, 0.0, 0.025, 0.05, 0.075, 0.1, 0.1, 0.1]
    """
    after = step - loss.warmup * epoch_steps
    if after < 0:
        return 0.0
    grown = (after + 1) / (loss.ramp * epoch_steps) if loss.ramp else 1.0
    return loss.topo_weight * min(1.0, grown)


def _precision(device: torch.device, autocast: bool) -> contextlib.AbstractContextManager:
    if autocast and device.type == "cuda":
        return torch.autocast("cuda", torch.bfloat16)
    return contextlib.nullcontext()
