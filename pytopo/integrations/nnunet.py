"""nnU-Net v2: its own loss at every resolution, and topology at the full one.

    outputs, targets of all resolutions -> Dice + cross-entropy, as nnU-Net has it  \\
    output, target of the full resolution -> weight * topological loss              + -> loss
                                             0 in the warm-up, then a ramp

The trainers in `pytopo/integrations/nnunet_trainers` put this together with what nnU-Net knows
of a data set: label maps or regions, the ignore label, deep supervision.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from pytopo.loss.topological import TopologicalLoss
from pytopo.options import is_weight

PREFIX = "PYTOPO_"


@dataclass(frozen=True)
class TopologyOptions:
    """What the trainers take from ``dataset.json`` or from environment variables.

    Attributes
    ----------
    weight : float
        Of the topological loss beside Dice + cross-entropy.
    warmup, ramp : int
        Epochs without it, and epochs in which its weight grows from 0.
    construction : {"V", "T"}
        Whether foreground is connected over sides, or over corners too.
    frame : bool
        A frame of foreground around each patch, so that what runs off its border closes.
    normalize : {"pixels", "targets", "none"}
        As ``normalize`` of `pytopo.TopologicalLoss`.
    min_persistence : float
        Points of less persistence are left as they are.
    epochs, iterations : int
        Of the training, and steps of an epoch; 0 for as many as nnU-Net takes.
    """

    weight: float = 1.0
    warmup: int = 50
    ramp: int = 50
    construction: str = "V"
    frame: bool = False
    normalize: str = "targets"
    min_persistence: float = 0.01
    epochs: int = 0
    iterations: int = 0

    def __post_init__(self) -> None:
        for name in ("weight", "warmup", "ramp", "min_persistence", "epochs", "iterations"):
            if not is_weight(getattr(self, name)):
                raise ValueError(f"{name} is {getattr(self, name)!r}; expected at least 0")
        if self.normalize not in ("pixels", "targets", "none"):
            raise ValueError(
                f'normalize is {self.normalize!r}; expected "pixels", "targets" or "none"'
            )

    def weight_at(self, epoch: int) -> float:
        """Return the weight in an epoch, the first of which is 0.

        Examples
        --------
        >>> options = TopologyOptions(weight=1, warmup=2, ramp=4)
        >>> [options.weight_at(epoch) for epoch in (0, 1, 2, 3, 6)]
        [0.0, 0.0, 0.25, 0.5, 1.0]
        """
        after = epoch + 1 - self.warmup
        return float(self.weight * min(1.0, max(0.0, after / max(self.ramp, 1))))


def options_of(
    dataset: Mapping[str, Any], environment: Mapping[str, str] = os.environ
) -> TopologyOptions:
    """Return the options of a data set: its table ``pytopo``, and variables that win over it.

    Parameters
    ----------
    dataset : mapping
        The content of ``dataset.json``.
    environment : mapping
        With names like ``PYTOPO_WEIGHT`` and ``PYTOPO_WARMUP``.

    Raises
    ------
    TypeError, ValueError
        If an option is unknown or has an impossible value.

    Examples
    --------
    >>> found = options_of({"pytopo": {"weight": 0.5}}, {"PYTOPO_WARMUP": "3"})
    >>> found.weight, found.warmup
    (0.5, 3)
    """
    kinds = {field.name: type(field.default) for field in fields(TopologyOptions)}
    values: dict[str, Any] = {}
    table = dataset.get("pytopo", {})
    if not isinstance(table, Mapping):
        raise TypeError(f"pytopo in dataset.json is {table!r}; expected a table of options")
    given = {f'"{name}" in dataset.json': (name, value) for name, value in table.items()}
    for name, text in environment.items():
        if name.startswith(PREFIX):
            given[name] = name.removeprefix(PREFIX).lower(), text
    for where, (name, value) in given.items():
        if name not in kinds:
            raise ValueError(f"{where} is unknown; expected one of {', '.join(kinds)}")
        values[name] = _value(where, value, kinds[name])
    return TopologyOptions(**values)


def _value(where: str, value: object, kind: type) -> object:
    words = {"1": True, "true": True, "0": False, "false": False}
    if kind is bool:
        found = value if isinstance(value, bool) else words.get(str(value).lower())
        if found is None:
            raise ValueError(f"{where} is {value!r}; expected true or false")
        return found
    try:
        return kind(value)
    except (TypeError, ValueError):
        expected = {int: "a whole number", float: "a number"}.get(kind, "text")
        raise ValueError(f"{where} is {value!r}; expected {expected}") from None


class CompoundLoss(nn.Module):
    """The loss that nnU-Net builds, plus the topological one at the full resolution.

    Parameters
    ----------
    base : module
        Called with what nnU-Net passes: tensors, or with deep supervision lists of them, the
        full resolution first.
    options : TopologyOptions
    matching : {"wasserstein", "betti"}
    regions : bool
        Channels are sigmoids of regions that may overlap, and targets are one-hot.  Otherwise
        channels are a softmax, and targets hold the number of the class; class 0, the
        background, is left out.
    ignore_label : int or None
        With regions, any number means that the last channel of the target is what to ignore.

    Attributes
    ----------
    epoch : int
        Sets the weight; of a training, not of the module's state.
    """

    def __init__(
        self,
        base: nn.Module,
        options: TopologyOptions,
        matching: str = "wasserstein",
        regions: bool = False,
        ignore_label: int | None = None,
    ) -> None:
        super().__init__()
        self.base, self.options = base, options
        self.regions, self.ignore_label = regions, ignore_label
        self.epoch = 0
        self.topological = TopologicalLoss(
            construction=options.construction,
            frame=True if options.frame else None,
            sigmoid=regions,
            softmax=not regions,
            include_background=regions,
            min_persistence=options.min_persistence,
            matching=matching,
            normalize=None if options.normalize == "none" else options.normalize,
            ignore_index=None if regions else ignore_label,
        )

    def forward(self, output: Any, target: Any) -> Tensor:
        """Return the loss of an output and a target, or of lists of them."""
        loss: Tensor = self.base(output, target)
        weight = self.options.weight_at(self.epoch)
        logits, truth = (x[0] if isinstance(x, (list, tuple)) else x for x in (output, target))
        # Sixteen bits overflow now and then: nnU-Net's gradient scaler leaves such a step out.
        if weight == 0 or not logits.isfinite().all():
            return loss
        ignore = None
        if self.regions and self.ignore_label is not None:
            truth, ignore = truth[:, :-1], truth[:, -1:] > 0
        elif not self.regions:
            truth = truth.long()
        with torch.autocast(logits.device.type, enabled=False):  # sixteen bits would tie values
            return loss + weight * self.topological(logits.float(), truth, ignore=ignore)


def trainer_folder() -> Path:
    """Return the folder for ``nnUNet_extTrainer``."""
    return Path(__file__).with_name("nnunet_trainers")
