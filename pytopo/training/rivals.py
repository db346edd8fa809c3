"""Losses to compare with: each takes logits and truth, (B, 1, H, W) tensors, to a scalar.

"dice" and "cldice" take volumes as well, (B, 1, D, H, W).

    "dice"              overlap of likelihood and truth
    "cldice"            overlap of each with the skeleton of the other
    "skeleton-recall"   how much of the truth's skeleton the likelihood covers
    "scnp"              cross-entropy of the worst logit among neighbours of the same class

By these names they are arms of an experiment; see `pytopo.training.objective`.
"""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn


class SoftDice(nn.Module):
    """One minus the Dice of likelihood and truth, image by image.

    Parameters
    ----------
    smooth : float
        Added to both sides of the fraction, so that empty images have a Dice of 1.

    References
    ----------
    Milletari, Navab, Ahmadi (2016), "V-Net", section 3; without the squares.

    Examples
    --------
    >>> truth = torch.tensor([[[[1.0, 1.0, 0.0]]]])
    >>> SoftDice(smooth=0)(40 * truth - 20, truth)
    tensor(0.)
    >>> round(SoftDice(smooth=0)(torch.zeros(1, 1, 1, 3), truth).item(), 4)  # 1 - 2 / 3.5
    0.4286
    """

    def __init__(self, smooth: float = 1.0) -> None:
        super().__init__()
        self.smooth = smooth

    def forward(self, logits: Tensor, truth: Tensor) -> Tensor:
        """Return the loss."""
        likelihood = logits.sigmoid()
        both = 2 * _sums(likelihood * truth)
        return 1 - _shares(both, _sums(likelihood) + _sums(truth), self.smooth).mean()


class SoftClDice(nn.Module):
    """One minus the soft clDice, image by image.

    The share of the truth's skeleton that the likelihood covers, and of the likelihood's
    skeleton that the truth covers; clDice is their harmonic mean.  Skeletons are what openings
    remove, erosion by erosion.

    Parameters
    ----------
    iterations : int
        Erosions; at least half the width of the widest line.
    smooth : float
        Added to both sides of each share.

    References
    ----------
    Shit et al. (2021), "clDice - a novel topology-preserving loss function for tubular
    structure segmentation", algorithms 1 and 2.

    Examples
    --------
    >>> truth = torch.zeros(1, 1, 9, 9)
    >>> truth[..., 3:6, :] = 1
    >>> thin = torch.zeros(1, 1, 9, 9)
    >>> thin[..., 4, :] = 1  # too thin, but the skeleton is whole
    >>> round(SoftClDice()(40 * thin - 20, truth).item(), 4)
    0.0
    """

    def __init__(self, iterations: int = 3, smooth: float = 1.0) -> None:
        super().__init__()
        self.iterations, self.smooth = iterations, smooth

    def forward(self, logits: Tensor, truth: Tensor) -> Tensor:
        """Return the loss."""
        likelihood = logits.sigmoid()
        lines, true_lines = (soft_skeleton(x, self.iterations) for x in (likelihood, truth))
        precise = _shares(_sums(lines * truth), _sums(lines), self.smooth)
        complete = _shares(_sums(true_lines * likelihood), _sums(true_lines), self.smooth)
        return 1 - (2 * precise * complete / (precise + complete)).mean()


def soft_skeleton(image: Tensor, iterations: int) -> Tensor:
    """Return what openings remove of images (B, 1, H, W) or volumes, and of their erosions.

    Examples
    --------
    >>> bar = torch.zeros(1, 1, 5, 6)
    >>> bar[..., 1:4, :] = 1
    >>> soft_skeleton(bar, 2)[0, 0, :, 2]
    tensor([0., 0., 1., 0., 0.])
    """
    skeleton = F.relu(image - _opened(image))
    for _ in range(iterations):
        image = _eroded(image)
        more = F.relu(image - _opened(image))
        skeleton = skeleton + (1 - skeleton) * more
    return skeleton


class SkeletonRecall(nn.Module):
    """One minus the share of the truth's thickened skeleton that the likelihood covers.

    Takes scikit-image.  Beside a loss that pays for false foreground, such as "dice".

    Parameters
    ----------
    radius : int
        By which the skeleton is thickened, in pixels.
    smooth : float
        Added to both sides of the share.

    References
    ----------
    Kirchhoff et al. (2024), "Skeleton Recall Loss for connectivity conserving and resource
    efficient segmentation of thin tubular structures", section 3.

    Examples
    --------
    >>> truth = torch.zeros(1, 1, 5, 20)
    >>> truth[..., 2, :] = 1
    >>> half = truth.clone()
    >>> half[..., 10:] = 0
    >>> loss = SkeletonRecall(smooth=0)
    >>> [round(loss(40 * found - 20, truth).item(), 4) for found in (truth, half)]
    [0.0, 0.5]
    """

    def __init__(self, radius: int = 2, smooth: float = 1.0) -> None:
        super().__init__()
        from skimage.morphology import skeletonize

        self.radius, self.smooth, self._skeletonize = radius, smooth, skeletonize

    def forward(self, logits: Tensor, truth: Tensor) -> Tensor:
        """Return the loss."""
        masks = truth.detach().cpu().numpy() > 0.5
        lines = np.stack([self._skeletonize(mask) for mask in masks[:, 0]])[:, None]
        skeleton = torch.from_numpy(lines).to(logits.device, logits.dtype)
        skeleton = F.max_pool2d(skeleton, 2 * self.radius + 1, 1, self.radius) * truth
        covered = _sums(skeleton * logits.sigmoid())
        return 1 - _shares(covered, _sums(skeleton), self.smooth).mean()


class NeighbourPenalty(nn.Module):
    """Cross-entropy, with each logit replaced by the worst one near it in the same class.

    A pixel in a gap of a line makes all foreground around it pay, and a pixel of a speck all
    background: same-class neighbour penalisation (SCNP).

    Parameters
    ----------
    size : int
        Rows and columns of the neighbourhood; odd.

    References
    ----------
    Valverde, Papadopoulos, Larsen, Dahl (2026), "Towards high-quality image segmentation:
    improving topology accuracy by penalizing neighbor pixels".

    Examples
    --------
    >>> truth = torch.tensor([[[[1.0, 1.0, 1.0, 0.0, 0.0]]]])
    >>> logits = torch.tensor([[[[5.0, 5.0, -1.0, -5.0, -5.0]]]])
    >>> [round(NeighbourPenalty(size)(logits, truth).item(), 3) for size in (1, 3)]
    [0.268, 0.529]
    """

    def __init__(self, size: int = 3) -> None:
        super().__init__()
        if size < 1 or size % 2 == 0:
            raise ValueError(f"size is {size!r}; expected an odd number of at least 1")
        self.size = size

    def forward(self, logits: Tensor, truth: Tensor) -> Tensor:
        """Return the loss."""
        foreground = truth > 0.5
        least = -self._greatest(-logits.masked_fill(~foreground, torch.inf))
        most = self._greatest(logits.masked_fill(foreground, -torch.inf))
        worst = torch.where(foreground, least, most)
        return F.binary_cross_entropy_with_logits(worst, truth.to(worst.dtype))

    def _greatest(self, images: Tensor) -> Tensor:
        return F.max_pool2d(images, self.size, 1, self.size // 2)


def _eroded(image: Tensor) -> Tensor:
    """Return the least value among each pixel and its neighbours over sides."""
    axes = image.ndim - 2
    along = [[int(a == b) for a in range(axes)] for b in range(axes)]
    least = [-_greatest(-image, reach) for reach in along]
    return torch.stack(least).amin(dim=0)


def _opened(image: Tensor) -> Tensor:
    return _greatest(_eroded(image), [1] * (image.ndim - 2))


def _greatest(image: Tensor, reach: list[int]) -> Tensor:
    """Return the greatest value at most so far away along each axis."""
    pool = F.max_pool2d if len(reach) == 2 else F.max_pool3d
    return pool(image, [2 * n + 1 for n in reach], 1, reach)


def _sums(images: Tensor) -> Tensor:
    return images.flatten(1).sum(dim=1)


def _shares(part: Tensor, whole: Tensor, smooth: float) -> Tensor:
    return (part + smooth) / (whole + smooth)


RIVALS: dict[str, type[nn.Module]] = {
    "dice": SoftDice,
    "cldice": SoftClDice,
    "skeleton-recall": SkeletonRecall,
    "scnp": NeighbourPenalty,
}
