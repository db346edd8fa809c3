"""torchmetrics: metrics of topology and of segments that add up over batches and processes.

    preds, target (B, C, ...)  ->  numbers of each image and channel  ->  sums, counts
    compute()                  ->  sums of all processes / counts of all processes

Each number is that of the function in `pytopo.metrics` with the same name.  Masks hold one
channel a class.  Lightning logs such a metric as its own.  Requires torchmetrics:
``pip install "pytopo-toolkit[torchmetrics]"``.
"""

import hashlib
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from pytopo.integrations.measures import (
    NOTHING,
    BettiMatching,
    BettiNumbers,
    CenterLines,
    FeatureScore,
    Information,
    Measure,
    Numbers,
    RandPairs,
    Segments,
    image_pairs,
)
from pytopo.options import flag

try:
    from torchmetrics import Metric
except ImportError as error:
    raise ImportError(
        f'torchmetrics: {error}; pip install "pytopo-toolkit[torchmetrics]"'
    ) from error

METRIC_OPTIONS = (
    "compute_on_cpu", "compute_with_cache", "dist_sync_fn", "dist_sync_on_step",
    "distributed_available_fn", "process_group", "sync_on_compute",
)  # fmt: skip


class ImageMetric(Metric):
    """The mean of a number over images and channels.

    Parameters
    ----------
    include_background : bool
        ``False`` leaves out channel 0 if there are several.
    **options
        Of the function in `pytopo.metrics`, such as ``ignore_index``, a value of ``target``,
        and of ``torchmetrics.Metric``, such as ``sync_on_compute``.
    """

    is_differentiable = False
    full_state_update = False
    measured: ClassVar[type[Measure]]
    measure: Measure

    def __init__(self, *, include_background: bool = True, **options: Any) -> None:
        of_torchmetrics = {
            name: options.pop(name) for name in METRIC_OPTIONS if name in options
        }
        super().__init__(**of_torchmetrics)
        self.include_background = flag(include_background, "include_background")
        self.measure = self.measured(**options)
        # A MetricCollection takes metrics for one whose states have the same names, and the
        # same values after the first batch.  So the name says what is measured.
        self.state = f"sums_{_digest(self.measure, self.include_background)}"
        self.add_state(self.state, torch.zeros(3, len(NOTHING)), dist_reduce_fx="sum")

    def update(self, preds: Tensor, target: Tensor) -> None:
        """Add the images of a batch.

        Parameters
        ----------
        preds, target : (B, C, H, W) or (B, C, D, H, W) Tensor
            Masks, one channel a class.

        Raises
        ------
        TypeError, ValueError
            If the shapes are others, or values as the function in `pytopo.metrics` refuses.
        """
        if preds.shape != target.shape or target.ndim not in (4, 5):
            raise ValueError(
                f"preds has shape {tuple(preds.shape)}, target {tuple(target.shape)}; expected "
                "both (B, C, H, W) or (B, C, D, H, W), one channel a class: "
                "one_hot(indices, C).movedim(-1, 1)"
            )
        if not self.include_background and target.shape[1] > 1:
            preds, target = preds[:, 1:], target[:, 1:]
        for pair in image_pairs(preds, target):
            numbers = self.measure(*pair)
            if numbers is not NOTHING:
                self._add(numbers)

    def _add(self, numbers: Numbers) -> None:
        """Add the numbers of an image: sums, how many are not NaN, how many there are."""
        state = getattr(self, self.state)
        values = torch.tensor(numbers, dtype=state.dtype, device=state.device)
        known = ~values.isnan()
        rows = torch.stack([values.nan_to_num(0.0), known.to(values), torch.ones_like(values)])
        rows = nn.functional.pad(rows, (0, state.shape[1] - len(numbers)))
        setattr(self, self.state, state + rows)

    def compute(self) -> Tensor:
        """Return the mean over all images that have a number; NaN if there are none."""
        return self._means()[0]

    def _means(self) -> Tensor:
        """Return the mean of the number, and those of its parts."""
        sums, known, held = getattr(self, self.state)
        return (sums / known)[held > 0] if held.any() else sums / known


class DimensionMetric(ImageMetric):
    """The same of features, which have a dimension.

    Parameters
    ----------
    include_background
        As in `ImageMetric`.
    per_dim : bool
        `compute` returns a number for each dimension, (2,), in volumes (3,), in place of one
        for all.
    **options
        As in `ImageMetric`.
    """

    def __init__(
        self, *, include_background: bool = True, per_dim: bool = False, **options: Any
    ) -> None:
        super().__init__(include_background=include_background, **options)
        self.per_dim = flag(per_dim, "per_dim")

    def compute(self) -> Tensor:
        """Return the mean over all images that have a number; NaN if there are none."""
        means = self._means()
        return means[1:] if self.per_dim else means[0]


class BettiError(DimensionMetric):
    """Betti number error: `pytopo.metrics.betti_error`.

    Examples
    --------
    A ring, and the same with its hole filled:

    >>> ring = torch.ones(1, 1, 3, 3)
    >>> ring[..., 1, 1] = 0
    >>> metric = BettiError()
    >>> metric.update(torch.ones(1, 1, 3, 3), ring)
    >>> metric.update(ring, ring)
    >>> metric.compute()
    tensor(0.5000)
    """

    higher_is_better = False
    measured = BettiNumbers


class BettiMatchingError(DimensionMetric):
    """Features in one mask only: `pytopo.metrics.betti_matching_error`, with ``dims``."""

    higher_is_better = False
    measured = BettiMatching


class TopoScore(DimensionMetric):
    """The F1 score of features in the same place: `pytopo.metrics.topo_score`."""

    higher_is_better = True
    measured = FeatureScore


class ClDice(ImageMetric):
    """The Dice coefficient of centre lines: `pytopo.metrics.cldice` (scikit-image)."""

    higher_is_better = True
    measured = CenterLines


class SegmentMetric(ImageMetric):
    """A number of two label images, or of the cells that membranes separate.

    Parameters
    ----------
    include_background
        As in `ImageMetric`.
    part : str
        Which number of the result; the first if it is not given.
    membranes : bool
        Channels are masks of membranes, and `pytopo.metrics.segments` labels the cells.
    **options
        As in `ImageMetric`; with ``ignore_background``, the default, images whose target is
        background everywhere have no number.
    """

    measured: ClassVar[type[Segments]]
    measure: Segments

    def __init__(
        self,
        *,
        include_background: bool = True,
        part: str | None = None,
        membranes: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(include_background=include_background, membranes=membranes, **options)
        self.part = self.measure.part(part)

    def compute(self) -> Tensor:
        """Return the mean over all images that have a number; NaN if there are none."""
        return self._means()[self.part]


class VariationOfInformation(SegmentMetric):
    """`pytopo.metrics.variation_of_information`: its "total", "split" or "merge".

    Examples
    --------
    >>> metric = VariationOfInformation(part="split")
    >>> metric(torch.tensor([[[[1, 1, 2, 2]]]]), torch.tensor([[[[5, 5, 5, 5]]]]))
    tensor(1.)
    """

    higher_is_better = False
    measured = Information


class AdaptedRandError(SegmentMetric):
    """`pytopo.metrics.adapted_rand_error`: its "error", "precision" or "recall"."""

    measured = RandPairs

    @property
    def higher_is_better(self) -> bool:
        """Whether the best value is 1: of precision and recall."""
        return self.part > 0


def _digest(measure: Measure, include_background: bool) -> str:
    """Return a name of what is measured, options included."""
    what = type(measure).__name__, sorted(vars(measure).items()), include_background
    return hashlib.sha256(repr(what).encode()).hexdigest()[:16]
