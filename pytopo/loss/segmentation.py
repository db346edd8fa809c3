"""``SegmentationLoss``: a per-pixel cross-entropy beside the topological loss."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pytopo.loss.prepared_target import PreparedTarget
from pytopo.loss.topological import TopologicalLoss
from pytopo.options import is_weight


class SegmentationLoss(nn.Module):
    """Per-pixel cross-entropy + ``topo_weight`` * topological loss, of logits.

    Parameters
    ----------
    topo_weight : float
        Weight of the topological loss, which is a sum over points and a mean over images,
        beside the mean over pixels of the cross-entropy.
    softmax : bool
        ``False``: binary cross-entropy of the sigmoid of each channel.  ``True``:
        cross-entropy of the softmax over channels, and ``target`` is one-hot.
    foreground_weight : float
        Weight of foreground pixels in the binary cross-entropy; 1 treats all pixels alike.
    **options
        Of `TopologicalLoss`, but for ``sigmoid`` and ``reduction``.

    Examples
    --------
    >>> import torch
    >>> criterion = SegmentationLoss(topo_weight=0.01, frame=True)
    >>> truth = torch.zeros(2, 1, 8, 8)
    >>> truth[:, :, 2] = 1
    >>> terms = criterion.terms(8 * truth - 4, truth)
    >>> sorted(terms)
    ['pixel', 'topological', 'total']
    >>> round(terms["pixel"].item(), 3)
    0.018
    """

    def __init__(
        self,
        topo_weight: float,
        *,
        softmax: bool = False,
        foreground_weight: float = 1.0,
        **options: object,
    ) -> None:
        super().__init__()
        for name, weight in (
            ("topo_weight", topo_weight),
            ("foreground_weight", foreground_weight),
        ):
            if not is_weight(weight):
                raise ValueError(f"{name} is {weight!r}; expected a number of at least 0")
        if softmax and foreground_weight != 1:
            raise ValueError(
                f"foreground_weight is {foreground_weight!r}; expected 1 with softmax=True, "
                "where channels have no foreground"
            )
        self.topo_weight = float(topo_weight)
        self.foreground_weight = float(foreground_weight)
        self.topological = TopologicalLoss(sigmoid=not softmax, softmax=softmax, **options)  # type: ignore[arg-type]

    def forward(self, prediction: Tensor, target: "Tensor | PreparedTarget") -> Tensor:
        """Return the weighted sum, a scalar; see `terms`."""
        return self.terms(prediction, target)["total"]

    def terms(self, prediction: Tensor, target: "Tensor | PreparedTarget") -> dict[str, Tensor]:
        """Return each term and their weighted sum, all with gradient.

        Returns
        -------
        dict of str to scalar Tensor
            "pixel", "topological" and "total" = pixel + topo_weight * topological.
        """
        topological = self.topological(prediction, target)
        pixel = self.pixel_loss(prediction, target)
        total = pixel + self.topo_weight * topological
        return {"pixel": pixel, "topological": topological, "total": total}

    def pixel_loss(self, prediction: Tensor, target: "Tensor | PreparedTarget") -> Tensor:
        """Return the cross-entropy alone, a scalar."""
        logits = prediction.float()
        truth = target.tensor if isinstance(target, PreparedTarget) else target
        truth = truth.to(logits.device, torch.float32)
        if self.topological.softmax:
            return F.cross_entropy(logits, truth)
        weight = None
        if self.foreground_weight != 1:
            weight = torch.tensor(self.foreground_weight, device=logits.device)
        return F.binary_cross_entropy_with_logits(logits, truth, pos_weight=weight)

    def prepare(self, target: Tensor) -> PreparedTarget:
        """Compute the points of a target once; see `TopologicalLoss.prepare`."""
        return self.topological.prepare(target)
