"""The images and volumes that `pytopo bench` measures: all synthetic, the same every time."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from pytopo.cli.example import likelihood_map

if TYPE_CHECKING:
    from torch import Tensor


def smooth(*shape: int, seed: int = 0) -> NDArray[np.float64]:
    """Return uniform noise, blurred by a Gaussian of 2 pixels."""
    return gaussian_filter(np.random.default_rng(seed).random(shape), 2)


def noise(*shape: int, seed: int = 0) -> NDArray[np.float64]:
    """Return uniform noise."""
    return np.random.default_rng(seed).random(shape)


def membranes(*shape: int, seed: int = 0) -> NDArray[np.float32]:
    """Return a likelihood like that of membranes in EM: thin walls and faint noise."""
    field = smooth(*shape, seed=seed) - 0.5
    faint = noise(*shape, seed=seed + 1)
    return np.exp(-((field / field.std() / 0.4) ** 2) + 0.1 * (faint - 1)).astype(np.float32)


def likelihood_batch(count: int, side: int) -> tuple["Tensor", "Tensor"]:
    """Return likelihood maps and their ground truth.

    Their diagrams have about 17,000 and 400 points per megapixel.
    """
    import torch

    clean = np.stack(
        [likelihood_map(side, max(4, side**2 // 2700), seed=k) for k in range(count)]
    )
    faint = np.random.default_rng(0).standard_normal((count, side, side))
    faint = gaussian_filter(faint, (0, 1.5, 1.5))
    likelihood = np.clip(clean + 0.18 * faint, 0, 1)
    truth = torch.from_numpy(clean > 0.4).float()[:, None]
    return torch.from_numpy(likelihood).float()[:, None], truth


def likelihood_volumes(count: int, side: int) -> tuple["Tensor", "Tensor"]:
    """Return likelihood volumes of faint membranes and their ground truth."""
    import torch

    clean = np.stack([membranes(side, side, side, seed=k) for k in range(count)])
    faint = np.random.default_rng(0).standard_normal(clean.shape)
    faint = gaussian_filter(faint, (0, 1.5, 1.5, 1.5))
    likelihood = np.clip(clean + 0.5 * faint, 0, 1)
    return (
        torch.from_numpy(likelihood).float()[:, None],
        torch.from_numpy(clean > 0.5).float()[:, None],
    )


def noise_batch(count: int, side: int) -> tuple["Tensor", "Tensor"]:
    """Return white noise as likelihood and as ground truth: all that could be matched."""
    import torch

    likelihood, truth = np.random.default_rng(0).random((2, count, 1, side, side))
    return torch.from_numpy(likelihood).float(), torch.from_numpy(truth < 0.5).float()


def noise_volumes(count: int, side: int) -> tuple["Tensor", "Tensor"]:
    """Return white noise as likelihood and as ground truth, of three axes."""
    import torch

    likelihood, truth = np.random.default_rng(0).random((2, count, 1, side, side, side))
    return torch.from_numpy(likelihood).float(), torch.from_numpy(truth < 0.5).float()
