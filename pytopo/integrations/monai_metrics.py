"""MONAI: metrics of topology and of segments that add up over the batches of an epoch.

    y_pred, y (B, C, ...)  ->  a number for each image and channel  ->  buffer (N, C)
    aggregate()            ->  the mean, over images only ("mean_batch"), or all ("none")

Each number is that of the function in `pytopo.metrics` with the same name.  Masks hold one
channel a class, as ``AsDiscrete`` returns them.  Requires MONAI.
"""

from typing import Any, ClassVar

import torch
from torch import Tensor

from pytopo.integrations.measures import (
    BettiMatching,
    BettiNumbers,
    CenterLines,
    FeatureScore,
    Information,
    Measure,
    RandPairs,
    Segments,
    image_pairs,
)
from pytopo.integrations.monai_ignored import ignored_pixels
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

    measured: ClassVar[type[Measure]]
    measure: Measure

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
        self.measure = self.measured(**options)
        self.part = 0

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
        images = image_pairs(y_pred, y, ignore[:, -y.shape[1] :])
        values = [self.measure(*image)[self.part] for image in images]
        found = torch.tensor(values, dtype=torch.float32, device=y_pred.device)
        return found.reshape(y.shape[:2])

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

    measured = BettiNumbers


class BettiMatchingErrorMetric(ImageMetric):
    """Features in one mask only: `pytopo.metrics.betti_matching_error`, with ``dims``."""

    measured = BettiMatching


class TopoScoreMetric(ImageMetric):
    """The F1 score of features in the same place: `pytopo.metrics.topo_score`."""

    measured = FeatureScore


class ClDiceMetric(ImageMetric):
    """The Dice coefficient of centre lines: `pytopo.metrics.cldice` (scikit-image)."""

    measured = CenterLines


class SegmentMetric(ImageMetric):
    """A number of two label images, or of the cells that membranes separate.

    Parameters
    ----------
    include_background, reduction, get_not_nans, ignore_index
        As in `ImageMetric`; in label images ``ignore_index`` is an id.
    part : str
        Which number of the result; the first of its ``parts`` if it is not given.
    membranes : bool
        Channels are masks of membranes, and `pytopo.metrics.segments` labels the cells.
    **options
        Of the function in `pytopo.metrics`; with ``ignore_background``, the default, images
        whose target is background everywhere have no number.
    """

    measured: ClassVar[type[Segments]]
    measure: Segments

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
        super().__init__(
            include_background,
            reduction,
            get_not_nans,
            ignore_index=ignore_index,
            membranes=membranes,
            **options,
        )
        self.part = self.measure.part(part)

    def ignored(self, y: Tensor, index: int) -> Tensor:
        if self.measure.membranes:
            return super().ignored(y, index)
        return y == index  # channels of ids are no classes


class VariationOfInformationMetric(SegmentMetric):
    """`pytopo.metrics.variation_of_information`: its "total", "split" or "merge".

    Examples
    --------
    >>> metric = VariationOfInformationMetric(part="split")
    >>> metric(y_pred=torch.tensor([[[[1, 1, 2, 2]]]]), y=torch.tensor([[[[5, 5, 5, 5]]]]))
    tensor([[1.]])
    """

    measured = Information


class AdaptedRandErrorMetric(SegmentMetric):
    """`pytopo.metrics.adapted_rand_error`: its "error", "precision" or "recall"."""

    measured = RandPairs
