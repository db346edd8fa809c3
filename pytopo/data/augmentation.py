"""Patches that look a little different each time: brighter, noisier, bent.

    image -> bent -> contrast, brightness -> noise -> clipped to [0, 1]
    truth -> bent -> above 1/2

Flips and rotations are in `pytopo.data.patches`.  Every number is the greatest change; how much
of it a patch gets is random.
"""

from dataclasses import astuple, dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates, zoom

from pytopo.data.ignored import IGNORED, Truth

GRID = 16  # pixels between the points that are moved; what lies between follows smoothly


@dataclass(frozen=True)
class Augmentation:
    """How much patches are changed at most; 0 changes nothing.

    Attributes
    ----------
    brightness : float
        Added to all pixels, or subtracted.
    contrast : float
        Distances to the mean grow or shrink by this share.
    noise : float
        Standard deviation of Gaussian noise.
    elastic : float
        Displacement in pixels, smooth from one point to the next.  Lines of one pixel in the
        truth may break.

    Raises
    ------
    ValueError
        If a number is negative, or the contrast is above 1.

    Examples
    --------
    >>> image, truth = np.full((8, 8), 0.5, np.float32), np.eye(8, dtype=bool)
    >>> random = np.random.default_rng(0)
    >>> brighter, same = Augmentation(brightness=0.1).applied(image, truth, random)
    >>> bool((np.abs(brighter - 0.5) <= 0.1).all()), brighter.std() < 1e-6, same is truth
    (True, np.True_, True)
    """

    brightness: float = 0.0
    contrast: float = 0.0
    noise: float = 0.0
    elastic: float = 0.0

    def __post_init__(self) -> None:
        for name in ("brightness", "contrast", "noise", "elastic"):
            value = getattr(self, name)
            if not 0 <= value < np.inf or (name == "contrast" and value > 1):
                most = " to 1" if name == "contrast" else " on"
                raise ValueError(f"{name} is {value!r}; expected a number from 0{most}")

    def applied(
        self, image: NDArray[np.float32], truth: Truth, random: np.random.Generator
    ) -> tuple[NDArray[np.float32], Truth]:
        """Return a patch and its ground truth after random changes.

        Parameters
        ----------
        image : (H, W) or (H, W, 3) float32
            In [0, 1], and so is the result.
        truth : (H, W) bool, or int8 with -1 for pixels to ignore
        random : Generator
        """
        if not any(astuple(self)):
            return image, truth
        if self.elastic:
            image, truth = _bent(image, truth, self.elastic, random)
        gain = 1 + random.uniform(-self.contrast, self.contrast)
        shift = random.uniform(-self.brightness, self.brightness)
        mean = image.mean()
        changed = (image - mean) * gain + mean + shift
        if self.noise:
            deviation = random.uniform(0, self.noise)
            changed += deviation * random.standard_normal(image.shape, np.float32)
        return np.clip(changed, 0, 1).astype(np.float32), truth


def _bent(
    image: NDArray[np.float32],
    truth: Truth,
    most: float,
    random: np.random.Generator,
) -> tuple[NDArray[np.float32], Truth]:
    """Move the pixels of image and truth together by a smooth field of displacements."""
    shape = truth.shape
    coarse = [-(-n // GRID) + 1 for n in shape]
    field = random.uniform(-most, most, (2, *coarse))
    smooth = [
        zoom(part, np.divide(shape, coarse), order=1, mode="nearest", grid_mode=True)
        for part in field
    ]
    places = np.indices(shape) + smooth

    def moved(pixels: NDArray) -> NDArray[np.float32]:
        return map_coordinates(pixels.astype(np.float32), places, order=1, mode="reflect")

    channels = image.reshape(*shape, -1)
    bent = np.stack([moved(channels[..., k]) for k in range(channels.shape[2])], axis=-1)
    bent_truth: Truth = moved(truth > 0) > 0.5
    if truth.dtype != bool:
        is_ignored = moved(truth == IGNORED) > 0.5
        bent_truth = np.where(is_ignored, np.int8(IGNORED), bent_truth.astype(np.int8))
    return bent.reshape(image.shape), bent_truth
