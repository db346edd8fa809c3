"""What is minimised: cross-entropy, the topological loss, and losses of other packages.

    pixel_weight * cross-entropy + topo_weight * topological + weight * other + ...
                                   after the warm-up

Another loss is a class of `pytopo.training.rivals`, or of any package, by its dotted path.  It
is imported when training begins, never when a configuration or a checkpoint is read.
"""

from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import torch
from torch import Tensor, nn

from pytopo.data.ignored import IGNORED
from pytopo.loss.segmentation import SegmentationLoss
from pytopo.loss.topological import TopologicalLoss
from pytopo.notes import one_line
from pytopo.options import is_weight
from pytopo.training.rivals import RIVALS

BACKGROUND = -30.0  # a logit that is certain of it
OF_OTHERS = ("loss", "weight", "options")


@dataclass(frozen=True)
class LossConfig:
    """What is minimised; see `Objective`.

    Attributes
    ----------
    topo_weight : float
        Weight of the topological loss, a sum over points and a mean over patches, beside the
        cross-entropy, a mean over pixels.  0 leaves it out.
    warmup : int
        Epochs without the topological loss, at the start.
    ramp : int
        Epochs after the warm-up during which the weight grows linearly.
    dims : list of int
        Dimensions of homology that count: 0 components, 1 holes.
    matching : {"wasserstein", "betti"}
        Points of the likelihood go to those of the truth at the least cost, or to those in the
        same place.
    frame : bool
        Pad every patch by a frame of foreground, so that what runs off its border closes.
    construction : str
        "V": membranes are 4-connected; "T": 8-connected.
    min_persistence : float
        Points of less persistence are left as they are.
    every_target : bool
        See `pytopo.topological_loss`.
    pixel_weight : float
        Weight of the cross-entropy; 0 leaves it out.
    foreground_weight : float
        Weight of foreground pixels in the cross-entropy; 1 treats all pixels alike.
    others : list of dict
        More losses, a table each: ``loss``, a name of `pytopo.training.rivals` or the dotted
        path of a `torch.nn.Module` that takes logits and truth, (B, 1, H, W) each; ``weight``
        (1), and the ``options`` of its class.
    """

    topo_weight: float = 0.03
    warmup: int = 5
    ramp: int = 0
    dims: list[int] = field(default_factory=lambda: [0, 1])
    matching: str = "wasserstein"
    frame: bool = True
    construction: str = "V"
    min_persistence: float = 0.0
    every_target: bool = False
    pixel_weight: float = 1.0
    foreground_weight: float = 1.0
    others: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        for name in ("topo_weight", "warmup", "ramp", "min_persistence", "pixel_weight"):
            check(self, name, getattr(self, name) >= 0, "at least 0")
        check(self, "foreground_weight", self.foreground_weight > 0, "above 0")
        check(self, "dims", set(self.dims) <= {0, 1}, "some of 0, 1, as of a section")
        for i, other in enumerate(self.others):
            _check_other(f"others[{i}]", other)
        self.segmentation()  # refuses impossible options

    def segmentation(self) -> SegmentationLoss:
        """Return cross-entropy and topological loss of logits with these options."""
        return SegmentationLoss(
            self.topo_weight,
            foreground_weight=self.foreground_weight,
            dims=self.dims,
            construction=self.construction,
            frame=self.frame,
            min_persistence=self.min_persistence,
            every_target=self.every_target,
            matching=self.matching,
            ignore_index=IGNORED,
        )

    def topological(self) -> TopologicalLoss:
        """Return the topological loss of logits with these options."""
        return self.segmentation().topological


def check(config: object, name: str, good: bool, expected: str) -> None:
    """Raise ValueError if a value of a configuration is not as expected."""
    if not good:
        raise ValueError(f"{name} is {getattr(config, name)!r}; expected {expected}")


def _check_other(name: str, other: dict[str, Any]) -> None:
    """Check the table of another loss, without importing anything."""
    unknown = other.keys() - set(OF_OTHERS)
    if unknown:
        raise ValueError(f"{name}.{min(unknown)} is unknown; expected {', '.join(OF_OTHERS)}")
    path, weight, options = other.get("loss"), other.get("weight", 1), other.get("options", {})
    known = isinstance(path, str) and (path in RIVALS or "." in path.strip("."))
    if not known:
        raise ValueError(
            f"{name}.loss is {path!r}; expected {', '.join(RIVALS)}, or a dotted path like "
            "package.module.Class"
        )
    if not is_weight(weight):
        raise ValueError(f"{name}.weight is {weight!r}; expected a number of at least 0")
    if not isinstance(options, dict):
        raise ValueError(f"{name}.options is {options!r}; expected a table")


class Objective:
    """What is minimised, with the classes of other losses imported.

    Raises
    ------
    ValueError
        If another loss cannot be imported, is no class of modules, or refuses its options.

    Examples
    --------
    >>> objective = Objective(LossConfig(topo_weight=0, others=[{"loss": "dice"}]))
    >>> logits = torch.zeros(2, 1, 8, 8)
    >>> terms = objective.terms(logits, torch.ones(2, 1, 8, 8))
    >>> {name: round(term.item(), 3) for name, term in terms.items()}
    {'pixel': 0.693, 'topological': nan, 'total': 1.023}
    """

    def __init__(self, config: LossConfig) -> None:
        self.topo_weight = config.topo_weight
        self._pixel_weight = config.pixel_weight
        self._segmentation = config.segmentation()
        self._others = [
            (float(other.get("weight", 1)), other_loss(f"loss.others[{i}]", other))
            for i, other in enumerate(config.others)
        ]

    def terms(self, logits: Tensor, truth: Tensor) -> dict[str, Tensor]:
        """Return "pixel", "topological" and "total"; the second is NaN where it is left out.

        Parameters
        ----------
        logits, truth : (B, 1, H, W) Tensor
            Pixels of truth -1 are ignored; for other losses they are certain background.
        """
        pixel = self._segmentation.pixel_loss(logits, truth)
        total = self._pixel_weight * pixel
        topological = torch.tensor(torch.nan)
        if self.topo_weight > 0 and torch.isfinite(logits).all():
            topological = self._segmentation.topological(logits, truth)
            total = total + self.topo_weight * topological
        ignored = truth == IGNORED
        known = logits.masked_fill(ignored, BACKGROUND), truth.masked_fill(ignored, 0)
        for weight, loss in self._others:
            total = total + weight * loss.to(logits.device)(*known)
        return {"pixel": pixel, "topological": topological, "total": total}


def other_loss(name: str, other: dict[str, Any]) -> nn.Module:
    """Build another loss; ``name`` is that of its table in messages.

    Raises
    ------
    ValueError
        As `Objective`.

    Examples
    --------
    >>> other_loss("loss", {"loss": "torch.nn.SmoothL1Loss", "options": {"beta": 0.5}})
    SmoothL1Loss()
    >>> other_loss("loss", {"loss": "os.system"})
    Traceback (most recent call last):
        ...
    ValueError: loss: os.system is no class of torch.nn.Module; expected one
    """
    path, options = other["loss"], other.get("options", {})
    kind = RIVALS[path] if path in RIVALS else _imported(name, path)
    if not (isinstance(kind, type) and issubclass(kind, nn.Module)):
        raise ValueError(f"{name}: {path} is no class of torch.nn.Module; expected one")
    try:
        return kind(**options)
    except (ImportError, TypeError, ValueError) as error:
        raise ValueError(f"{name}: {path}: {one_line(str(error))}") from None


def _imported(name: str, path: str) -> Any:
    module, _, attribute = path.rpartition(".")
    try:
        return getattr(import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise ValueError(
            f"{name}: {path} cannot be imported: {one_line(str(error))}; expected a class of a "
            "package that is installed"
        ) from None
