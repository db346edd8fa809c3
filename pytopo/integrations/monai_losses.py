"""MONAI: the topological loss with the options, shapes and reductions of MONAI's own losses.

    logits (B, C, ...)                -> sigmoid, softmax or other_act \\
                                                                        topological -> reduction
    labels (B, 1, ...) or (B, C, ...) -> to_onehot_y                   /

Requires MONAI: ``pip install "pytopo-toolkit[monai]"``.
"""

import inspect
import warnings
from collections.abc import Callable
from typing import Any

from torch import Tensor

from pytopo.integrations.monai_ignored import ignored_pixels, without_marks
from pytopo.loss.topological import TopologicalLoss as Topological
from pytopo.options import at_least, whole_number

try:
    import monai
    from monai.losses import DiceLoss
    from monai.utils import LossReduction
    from torch.nn.modules.loss import _Loss
except ImportError as error:
    raise ImportError(f'MONAI: {error}; pip install "pytopo-toolkit[monai]"') from error


class TopologicalLoss(_Loss):
    """The topological loss, with the arguments of ``monai.losses.DiceLoss``.

    Parameters
    ----------
    include_background : bool
        ``False`` leaves out channel 0.
    to_onehot_y : bool
        The target holds the class of each pixel, in one channel.
    sigmoid, softmax : bool
        The input holds logits.
    other_act : callable or None
        Applied to the input in their place; it returns likelihoods in [0, 1].
    reduction : {"mean", "sum", "none"}
        Over images and channels; "none" returns (B, C, 1, 1), in volumes (B, C, 1, 1, 1).
    matching : {"wasserstein", "betti"}
        Points are matched at the least cost, or by place.
    ignore_index : int or None
        The pixels of this class or mark are ignored; in a target of one channel a class those
        of no class too, 0 in all channels, if the number is that of no channel.
    **options
        Others of `pytopo.topological_loss`: ``dims``, ``frame``, ``construction``,
        ``min_persistence``, ``every_target``, ``normalize``.

    Raises
    ------
    TypeError, ValueError
        If options contradict each other, or are those that `pytopo.topological_loss` refuses.

    Warns
    -----
    UserWarning
        As MONAI, where an option means nothing for an input of one channel.

    Examples
    --------
    >>> import torch
    >>> labels = (torch.arange(36).reshape(1, 1, 6, 6) % 5 == 0).float()
    >>> loss = TopologicalLoss(softmax=True, to_onehot_y=True, include_background=False)
    >>> loss(torch.cat([-20 * labels, 20 * labels - 20], dim=1), labels).shape
    torch.Size([])
    """

    def __init__(
        self,
        include_background: bool = True,
        to_onehot_y: bool = False,
        sigmoid: bool = False,
        softmax: bool = False,
        other_act: Callable[[Tensor], Tensor] | None = None,
        reduction: LossReduction | str = LossReduction.MEAN,
        *,
        matching: str = "wasserstein",
        ignore_index: int | None = None,
        **options: Any,
    ) -> None:
        super().__init__(reduction=LossReduction(reduction).value)
        if other_act is not None and not callable(other_act):
            raise TypeError(f"other_act is {other_act!r}; expected a function or None")
        if sigmoid + softmax + (other_act is not None) > 1:
            raise ValueError(
                "more than one of sigmoid, softmax and other_act is given; expected one at most"
            )
        self.include_background = include_background
        self.to_onehot_y = to_onehot_y
        self.softmax = softmax
        self.other_act = other_act
        self.ignore_index = (
            None if ignore_index is None else whole_number(ignore_index, "ignore_index", None)
        )
        # For one channel softmax and include_background=False mean nothing.
        shared = dict(options, sigmoid=sigmoid, matching=matching, reduction="none")
        self._one = Topological(**shared)
        self._several = Topological(
            softmax=softmax, include_background=include_background, **shared
        )

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Return the loss.

        Parameters
        ----------
        input : (B, C, H, W) or (B, C, H, W, D) Tensor
            Logits or likelihoods.
        target : Tensor of that shape, or with ``to_onehot_y`` of one channel

        Raises
        ------
        ValueError
            If the shapes are others.
        """
        if self.other_act is not None:
            input = self.other_act(input)
        single = input.shape[1] == 1
        if single:
            self._warn()
        wanted = list(input.shape)
        if self.to_onehot_y:
            wanted[1] = 1
        if list(target.shape) != wanted:
            raise ValueError(self._other_shape(target, wanted))
        ignored = None
        if self.ignore_index is not None:
            ignored = ignored_pixels(target, self.ignore_index)
            target = target.masked_fill(ignored, 0)
        loss: Tensor = (self._one if single else self._several)(input, target, ignored)
        if self.reduction == "none":
            return loss.reshape(*loss.shape, *[1] * (input.ndim - 2))
        return loss.mean() if self.reduction == "mean" else loss.sum()

    def _warn(self) -> None:
        said = {
            "softmax=True": self.softmax,
            "to_onehot_y=True": self.to_onehot_y,
            "include_background=False": not self.include_background,
        }
        for option in (name for name, given in said.items() if given):
            warnings.warn(f"single channel prediction, `{option}` ignored.", stacklevel=4)

    def _other_shape(self, target: Tensor, wanted: list[int]) -> str:
        classes = tuple(target.shape) == (wanted[0], 1, *wanted[2:])
        advice = "; to_onehot_y=True takes class indices" if classes else ""
        return f"target has shape {tuple(target.shape)}; expected {tuple(wanted)}{advice}"


class DiceTopologicalLoss(_Loss):
    """Dice, plus the weighted topological loss, as MONAI's ``DiceCELoss`` adds cross-entropy.

    Parameters
    ----------
    include_background, to_onehot_y, sigmoid, softmax, other_act, reduction, ignore_index
        Of both losses.
    lambda_dice, lambda_topology : float
        Their weights.
    **options
        Others of `TopologicalLoss`.

    Raises
    ------
    TypeError, ValueError
        As `TopologicalLoss`; and if ``ignore_index`` is given, and Dice of the installed MONAI
        does not know it.

    Examples
    --------
    >>> import torch
    >>> truth = (torch.arange(36).reshape(1, 1, 6, 6) % 5 == 0).float()
    >>> DiceTopologicalLoss(sigmoid=True)(40 * truth - 20, truth) < 0.001
    tensor(True)
    """

    def __init__(
        self,
        include_background: bool = True,
        to_onehot_y: bool = False,
        sigmoid: bool = False,
        softmax: bool = False,
        other_act: Callable[[Tensor], Tensor] | None = None,
        reduction: LossReduction | str = LossReduction.MEAN,
        *,
        lambda_dice: float = 1.0,
        lambda_topology: float = 0.001,
        ignore_index: int | None = None,
        **options: Any,
    ) -> None:
        super().__init__(reduction=LossReduction(reduction).value)
        self.lambda_dice = at_least(lambda_dice, "lambda_dice", 0)
        self.lambda_topology = at_least(lambda_topology, "lambda_topology", 0)
        shared: dict[str, Any] = {
            "include_background": include_background,
            "to_onehot_y": to_onehot_y,
            "sigmoid": sigmoid,
            "softmax": softmax,
            "other_act": other_act,
            "reduction": reduction,
        }
        self.topology = TopologicalLoss(**shared, ignore_index=ignore_index, **options)
        if ignore_index is not None:
            shared["ignore_index"] = ignore_index
            if "ignore_index" not in inspect.signature(DiceLoss).parameters:
                raise TypeError(
                    f"ignore_index is {ignore_index}, which DiceLoss of MONAI "
                    f"{monai.__version__} does not know; expected a later version of MONAI"
                )
        self.dice = DiceLoss(**shared)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Return the loss; see `TopologicalLoss`."""
        index = self.topology.ignore_index
        marked = target if index is None else without_marks(target, index)
        dice: Tensor = self.dice(input, marked)
        return self.lambda_dice * dice + self.lambda_topology * self.topology(input, target)
