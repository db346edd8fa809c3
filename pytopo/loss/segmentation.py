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
        cross-entropy of the softmax over channels, and ``target`` is one-hot or holds class
        indices.
    foreground_weight : float
        Weight of foreground pixels in the binary cross-entropy; 1 treats all pixels alike.
    **options
        Of `TopologicalLoss`, but for ``sigmoid`` and ``reduction``.  Ignored pixels take no
        part in the cross-entropy, which is the mean over the others.

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

    def forward(
        self,
        prediction: Tensor,
        target: "Tensor | PreparedTarget",
        ignore: Tensor | None = None,
    ) -> Tensor:
        """Return the weighted sum, a scalar; see `terms`."""
        return self.terms(prediction, target, ignore)["total"]

    def terms(
        self,
        prediction: Tensor,
        target: "Tensor | PreparedTarget",
        ignore: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """Return each term and their weighted sum, all with gradient.

        Returns
        -------
        dict of str to scalar Tensor
            "pixel", "topological" and "total" = pixel + topo_weight * topological.
        """
        topological = self.topological(prediction, target, ignore)
        pixel = self.pixel_loss(prediction, target, ignore)
        total = pixel + self.topo_weight * topological
        return {"pixel": pixel, "topological": topological, "total": total}

    def pixel_loss(
        self,
        prediction: Tensor,
        target: "Tensor | PreparedTarget",
        ignore: Tensor | None = None,
    ) -> Tensor:
        """Return the cross-entropy alone, a scalar: the mean over pixels that count."""
        truth = self.topological.read(prediction, target, ignore)
        logits = prediction.float()
        images = truth.images.to(logits.device, torch.float32)
        reduction = "mean" if truth.ignored is None else "none"
        if self.topological.softmax:
            loss = F.cross_entropy(logits, images, reduction=reduction)
        else:
            weight = None
            if self.foreground_weight != 1:
                weight = torch.tensor(self.foreground_weight, device=logits.device)
            loss = F.binary_cross_entropy_with_logits(
                logits, images, pos_weight=weight, reduction=reduction
            )
        return loss if truth.ignored is None else _known_mean(loss, truth.ignored)

    def prepare(
        self, target: Tensor, ignore: Tensor | None = None, *, channels: int | None = None
    ) -> PreparedTarget:
        """Compute the points of a target once; see `TopologicalLoss.prepare`."""
        return self.topological.prepare(target, ignore, channels=channels)


def _known_mean(loss: Tensor, ignored: Tensor) -> Tensor:
    """Return the mean over the pixels that are not ignored, 0 if there are none.

    ``loss`` is (B, ...) of a softmax, or (B, C, ...).
    """
    known = ~ignored.to(loss.device)
    known = known[:, 0] if loss.ndim < known.ndim else known.expand_as(loss)
    return (loss * known).sum() / known.sum().clamp(min=1)
