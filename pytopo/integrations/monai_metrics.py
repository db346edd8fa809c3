"""MONAI: metrics of topology and of segments that add up over the batches of an epoch.

    y_pred, y (B, C, ...)  ->  a number for each image and channel  ->  buffer (N, C)
    aggregate()            ->  the mean, over images only ("mean_batch"), or all ("none")

Each number is that of the function in `pytopo.metrics` with the same name.  Masks hold one
channel a class, as ``AsDiscrete`` returns them.  Requires MONAI.
"""

import math
from abc import abstractmethod
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pytopo.integrations.monai_ignored import ignored_pixels
from pytopo.metrics.betti import betti_error
from pytopo.metrics.by_place import betti_matching_error
from pytopo.metrics.centerline import cldice
from pytopo.metrics.label_images import (
    adapted_rand_error,
    segments,
    variation_of_information,
)
from pytopo.metrics.topo import topo_score
from pytopo.options import flag, whole_number

try:
    from monai.metrics import CumulativeIterationMetric
    from monai.metrics.utils import do_metric_reduction, ignore_background
    from monai.utils import MetricReduction
except ImportError as error:
    raise ImportError(f'MONAI: {error}; pip install "pytopo-toolkit[monai]"') from error


class ImageMetric(CumulativeIterationMetric):
    """A number for each image and channel.

    Parameters
    ----------
    include_background : bool
        ``False`` leaves out channel 0 if there are several.
    reduction : str
        What `aggregate` does: "mean", "mean_batch", "none" and MONAI's others.  Images
        without a number, NaN, are left out.
    get_not_nans : bool
        `aggregate` also returns how many numbers there were.
    ignore_index : int or None
        The pixels of this class of ``y`` or mark in it are ignored, as MONAI has it.
    **options
        Of the function in `pytopo.metrics`.
    """

    def __init__(
        self,
        include_background: bool = True,
        reduction: MetricReduction | str = MetricReduction.MEAN,
        get_not_nans: bool = False,
        *,
        ignore_index: int | None = None,
        **options: Any,
    ) -> None:
        super().__init__()
        self.ignore_index = (
            None if ignore_index is None else whole_number(ignore_index, "ignore_index", None)
        )
        self.include_background = flag(include_background, "include_background")
        self.reduction = MetricReduction(reduction)
        self.get_not_nans = flag(get_not_nans, "get_not_nans")
        self.options = options
        eye = np.eye(3, dtype=int)
        self.value(eye, eye, np.zeros(eye.shape, bool))  # refuses wrong options now

    @abstractmethod
    def value(self, prediction: NDArray, target: NDArray, ignore: NDArray) -> float:
        """Return the number of one image; NaN if it has none."""

    def ignored(self, y: Tensor, index: int) -> Tensor:
        """Return the pixels to ignore, one channel, or one for each."""
        return ignored_pixels(y, index)

    def _compute_tensor(self, y_pred: Tensor, y: Tensor | None = None, **kwargs: Any) -> Tensor:
        if y is None:
            raise ValueError("y is None; expected the ground truth")
        if y_pred.shape != y.shape or y.ndim not in (4, 5):
            raise ValueError(
                f"y_pred has shape {tuple(y_pred.shape)}, y {tuple(y.shape)}; expected both "
                "(B, C, H, W) or (B, C, H, W, D), one channel a class: AsDiscrete(to_onehot=C)"
            )
        ignore = torch.zeros_like(y, dtype=torch.bool)
        if self.ignore_index is not None:
            ignore |= self.ignored(y, self.ignore_index)
            y = y.masked_fill(ignore, 0)
        if not self.include_background:
            y_pred, y = ignore_background(y_pred, y)
        values = [
            [math.nan if mask.all() else self.value(p, t, mask) for p, t, mask in image]
            for image in map(zip, _array(y_pred), _array(y), _array(ignore[:, -y.shape[1] :]))
        ]
        return torch.tensor(values, dtype=torch.float32, device=y_pred.device)

    def aggregate(
        self, reduction: MetricReduction | str | None = None
    ) -> Tensor | tuple[Tensor, Tensor]:
        """Reduce the numbers of all images since `reset`.

        Parameters
        ----------
        reduction : str or None
            None for that of the metric.

        Raises
        ------
        ValueError
            If there has been no image.
        """
        numbers = self.get_buffer()
        if numbers is None:
            raise ValueError("there is nothing to aggregate; expected a batch before")
        found, count = do_metric_reduction(numbers, reduction or self.reduction)
        return (found, count) if self.get_not_nans else found


class BettiErrorMetric(ImageMetric):
    """Betti number error, over all dimensions: `pytopo.metrics.betti_error`.

    Examples
    --------
    A ring, and the same with its hole filled:

    >>> ring = torch.ones(1, 1, 3, 3)
    >>> ring[..., 1, 1] = 0
    >>> metric = BettiErrorMetric()
    >>> metric(y_pred=torch.ones(1, 1, 3, 3), y=ring), metric(y_pred=ring, y=ring)
    (tensor([[1.]]), tensor([[0.]]))
    >>> metric.aggregate()
    tensor([0.5000])
    """

    def value(self, prediction: NDArray, target: NDArray, ignore: NDArray) -> float:
        return betti_error(prediction, target, ignore=ignore, **self.options).total


class BettiMatchingErrorMetric(ImageMetric):
    """Features in one mask only: `pytopo.metrics.betti_matching_error`, with ``dims``."""

    def value(self, prediction: NDArray, target: NDArray, ignore: NDArray) -> float:
        return betti_matching_error(prediction, target, ignore=ignore, **self.options).total


class TopoScoreMetric(ImageMetric):
    """The F1 score of features in the same place: `pytopo.metrics.topo_score`."""

    def value(self, prediction: NDArray, target: NDArray, ignore: NDArray) -> float:
        return topo_score(prediction, target, ignore=ignore, **self.options).score


class ClDiceMetric(ImageMetric):
    """The Dice coefficient of centre lines: `pytopo.metrics.cldice` (scikit-image)."""

    def value(self, prediction: NDArray, target: NDArray, ignore: NDArray) -> float:
        return cldice(prediction, target, ignore=ignore, **self.options)


class SegmentMetric(ImageMetric):
    """A number of two label images, or of the cells that membranes separate.

    Parameters
    ----------
    include_background, reduction, get_not_nans, ignore_index
        As in `ImageMetric`; in label images ``ignore_index`` is an id.
    part : str
        Which number of the result; the first of ``parts`` if it is not given.
    membranes : bool
        Channels are masks of membranes, and `pytopo.metrics.segments` labels the cells.
    **options
        Of the function in `pytopo.metrics`; with ``ignore_background``, the default, images
        whose target is background everywhere have no number.
    """

    parts: tuple[str, ...]
    compare: Callable[..., Any]

    def __init__(
        self,
        include_background: bool = True,
        reduction: MetricReduction | str = MetricReduction.MEAN,
        get_not_nans: bool = False,
        *,
        part: str | None = None,
        membranes: bool = False,
        ignore_index: int | None = None,
        **options: Any,
    ) -> None:
        self.part = self.parts[0] if part is None else part
        if self.part not in self.parts:
            raise ValueError(f"part is {part!r}; expected one of {', '.join(self.parts)}")
        self.membranes = flag(membranes, "membranes")
        super().__init__(
            include_background, reduction, get_not_nans, ignore_index=ignore_index, **options
        )

    def ignored(self, y: Tensor, index: int) -> Tensor:
        if self.membranes:
            return super().ignored(y, index)
        return y == index  # channels of ids are no classes

    def value(self, prediction: NDArray, target: NDArray, ignore: NDArray) -> float:
        if self.membranes:
            prediction, target = segments(prediction), segments(target)
        else:
            prediction, target = _labels(prediction, "y_pred"), _labels(target, "y")
        if self.options.get("ignore_background", True) and not target[~ignore].any():
            return math.nan
        found = type(self).compare(prediction, target, ignore=ignore, **self.options)
        return float(getattr(found, self.part))


class VariationOfInformationMetric(SegmentMetric):
    """`pytopo.metrics.variation_of_information`: its "total", "split" or "merge".

    Examples
    --------
    >>> metric = VariationOfInformationMetric(part="split")
    >>> metric(y_pred=torch.tensor([[[[1, 1, 2, 2]]]]), y=torch.tensor([[[[5, 5, 5, 5]]]]))
    tensor([[1.]])
    """

    parts = ("total", "split", "merge")
    compare = staticmethod(variation_of_information)


class AdaptedRandErrorMetric(SegmentMetric):
    """`pytopo.metrics.adapted_rand_error`: its "error", "precision" or "recall"."""

    parts = ("error", "precision", "recall")
    compare = staticmethod(adapted_rand_error)


def _array(batch: Tensor) -> NDArray:
    batch = batch.detach().cpu()
    return np.asarray(batch.float() if batch.dtype == torch.bfloat16 else batch)


def _labels(image: NDArray, name: str) -> NDArray:
    """Return labels as integers; MONAI's loaders make floats of them."""
    if image.dtype.kind in "biu":
        return image
    if not np.isfinite(image).all() or (image != np.rint(image)).any():
        raise ValueError(f"{name} holds fractions; expected labels, whole numbers")
    return image.astype(np.int64)
