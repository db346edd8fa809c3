"""MONAI: the topological loss as one of its losses, and metrics that it aggregates.

input (B, C, ...) -> activation --.
                                   topological loss -> mean, sum, or (B, C)
target -> one-hot if asked -------'

y_pred, y (B, C, ...) one-hot -> a number per image and channel -> aggregate()
"""

from collections.abc import Callable
from typing import Any

import torch
from monai.losses import DiceCELoss
from monai.metrics import CumulativeIterationMetric, do_metric_reduction
from torch import Tensor
from torch.nn.modules.loss import _Loss

from pytopo.loss.topological import TopologicalLoss
from pytopo.metrics.betti import betti_error
from pytopo.metrics.by_place import betti_matching_error
from pytopo.metrics.centerline import cldice
from pytopo.metrics.topo import topo_score


class TopologyLoss(_Loss):
    """`pytopo.TopologicalLoss` with the arguments of MONAI's losses.

    Parameters
    ----------
    include_background, to_onehot_y, sigmoid, softmax, other_act, reduction
        As of ``monai.losses.DiceLoss``.
    options
        The others of `pytopo.TopologicalLoss`: ``matching="betti"`` for features by place,
        ``normalize``, ``construction``, ``frame``, ``ignore_index``.

    Raises
    ------
    TypeError, ValueError
        If an option is not as above, or more than one activation is asked for.
    """

    def __init__(
        self,
        include_background: bool = True,
        to_onehot_y: bool = False,
        sigmoid: bool = False,
        softmax: bool = False,
        other_act: Callable[[Tensor], Tensor] | None = None,
        reduction: str = "mean",
        **options: Any,
    ) -> None:
        reduction = str(getattr(reduction, "value", reduction))
        super().__init__(reduction=reduction)
        if other_act is not None and not callable(other_act):
            raise TypeError(f"other_act is {other_act!r}; expected a function or None")
        if sigmoid + softmax + (other_act is not None) > 1:
            raise ValueError("expected one of sigmoid, softmax and other_act at most")
        self.to_onehot_y, self.other_act = to_onehot_y, other_act
        self.topological = TopologicalLoss(
            include_background=include_background,
            sigmoid=sigmoid,
            softmax=softmax,
            reduction=reduction,
            **options,
        )

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Return the loss of a (B, C, ...) input and a target like it, or (B, 1, ...)."""
        logits, truth = _plain(input), _plain(target)
        if self.to_onehot_y:
            truth = truth.long()  # MONAI's label maps are floats
        elif truth.shape != logits.shape:
            raise ValueError(
                f"target has shape {tuple(truth.shape)}, input {tuple(logits.shape)}; "
                "expected the same, or to_onehot_y=True for class indices"
            )
        with torch.autocast(logits.device.type, enabled=False):  # sixteen bits would tie values
            logits = logits.float() if logits.dtype.itemsize < 4 else logits
            return self.topological(self.other_act(logits) if self.other_act else logits, truth)


class DiceCETopologyLoss(_Loss):
    """MONAI's ``DiceCELoss`` plus ``topo_weight`` times the topological loss of logits.

    Parameters
    ----------
    topo_weight : float
    include_background, to_onehot_y, sigmoid, softmax, reduction
        Of both; ``reduction`` is "mean" or "sum".
    options
        As of `TopologyLoss`.
    """

    def __init__(
        self,
        topo_weight: float,
        include_background: bool = True,
        to_onehot_y: bool = False,
        sigmoid: bool = False,
        softmax: bool = False,
        reduction: str = "mean",
        **options: Any,
    ) -> None:
        super().__init__()
        shared = include_background, to_onehot_y, sigmoid, softmax
        self.topo_weight = topo_weight
        self.topology = TopologyLoss(*shared, reduction=reduction, **options)
        self.dice_ce = DiceCELoss(*shared, reduction=reduction)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Return the sum of both."""
        loss: Tensor = self.dice_ce(input, target)
        return loss + self.topo_weight * self.topology(input, target)


class TopologyMetric(CumulativeIterationMetric):
    """A number of `pytopo.metrics` for each image and channel of masks.

    Parameters
    ----------
    name : {"betti_error", "betti_matching_error", "topo_score", "cldice"}
        The error is that of all dimensions together.
    include_background : bool
        ``False`` leaves out channel 0.
    reduction : str
        As of MONAI's metrics: "mean", "mean_batch", "sum", "none", ...
    get_not_nans : bool
        ``aggregate`` returns the count of numbers too.
    options
        As of the function of `pytopo.metrics`.
    """

    def __init__(
        self,
        name: str,
        include_background: bool = True,
        reduction: str = "mean",
        get_not_nans: bool = False,
        **options: Any,
    ) -> None:
        super().__init__()
        if name not in MEASURES:
            raise ValueError(f"name is {name!r}; expected one of {', '.join(MEASURES)}")
        self.measure, self.options = MEASURES[name], options
        self.include_background = include_background
        self.reduction, self.get_not_nans = reduction, get_not_nans

    def _compute_tensor(self, y_pred: Tensor, y: Tensor | None = None, **kwargs: Any) -> Tensor:
        if y is None or y_pred.shape != y.shape:
            raise ValueError("y_pred and y have different shapes; expected both one-hot")
        first = 0 if self.include_background else 1
        both = (_plain(x)[:, first:].detach().cpu().numpy() for x in (y_pred, y))
        return torch.tensor(
            [
                [float(self.measure(p, t, **self.options)) for p, t in zip(*images)]
                for images in zip(*both)
            ],
            device=y_pred.device,
        )

    def aggregate(self, reduction: str | None = None) -> Any:
        """Return what MONAI's reduction makes of the numbers of all batches."""
        value, count = do_metric_reduction(self.get_buffer(), reduction or self.reduction)
        return (value, count) if self.get_not_nans else value


MEASURES: dict[str, Callable[..., float]] = {
    "betti_error": lambda *masks, **options: betti_error(*masks, **options).total,
    "betti_matching_error": lambda *m, **options: betti_matching_error(*m, **options).total,
    "topo_score": lambda *masks, **options: topo_score(*masks, **options).score,
    "cldice": cldice,
}


def _plain(tensor: Tensor) -> Tensor:
    """Return a tensor without MONAI's metadata."""
    return tensor.as_tensor() if hasattr(tensor, "as_tensor") else tensor
