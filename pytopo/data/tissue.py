"""Synthetic tissue: which cell each pixel of a section belongs to.

The cells of a section are a power diagram: scattered seeds, each pixel to the seed with the
least |pixel - seed|^2 - weight, in coordinates that smooth noise bends.  From one section to
the next the seeds drift and the noise changes a little, so that cells keep their ids and
change their outlines.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from pytopo.data.noise import SmoothNoise

CELL = 38.0  # pixels from one cell to the next, about as in an image of 4 nm per pixel


class Tissue:
    """Cells, large ones and bundles of small ones, that drift through the sections."""

    def __init__(self, size: int, random: np.random.Generator) -> None:
        self.size = size
        self._random = random
        self._grid = np.mgrid[:size, :size].astype(np.float64)  # (2, H, W)
        self._reach = (-1.5 * CELL, size + 1.5 * CELL)  # seeds lie around the image too
        side = size + 3 * CELL
        number = round((side / CELL) ** 2)
        self.lone = max(number // 3, 2)  # the first of the seeds
        self.seeds, self._weights = self._scattered(number)
        self._drift = random.normal(0, 1.2, self.seeds.shape)
        self._grey = random.normal(0, 0.035, len(self.seeds))
        self._bends = [
            (amplitude, [SmoothNoise(size, scale, memory, random) for _ in range(2)])
            for amplitude, scale, memory in ((9.0, 24.0, 0.97), (1.8, 6.0, 0.9))
        ]
        self._shade = SmoothNoise(size, 30, 0.6, random)
        self.bent = self._grid
        self.ids = np.zeros((size, size), np.int64)

    def _scattered(self, number: int) -> tuple[NDArray, NDArray]:
        """Seeds (n, 2) and weights (n,): a third single and heavy, the others in bundles."""
        random = self._random
        lone = random.uniform(*self._reach, (self.lone, 2))
        bundles = random.uniform(*self._reach, (max(number // 9, 1), 2))
        of_bundle = random.integers(len(bundles), size=number - self.lone)
        bundled = bundles[of_bundle] + random.normal(0, 0.75 * CELL, (len(of_bundle), 2))
        heavy = random.uniform(0.2, 1.0, len(lone)) * CELL**2
        light = random.uniform(0.0, 0.2, len(bundled)) * CELL**2
        return np.concatenate([lone, bundled]), np.concatenate([heavy, light])

    def advance(self) -> None:
        """Advance to the next section."""
        self._drift = 0.93 * self._drift + self._random.normal(0, 0.45, self.seeds.shape)
        self.seeds = np.clip(self.seeds + self._drift, *self._reach)
        self.bent = self._grid + sum(
            amplitude * np.stack([noise.next() for noise in pair])
            for amplitude, pair in self._bends
        )
        self.ids = self._nearest(self.bent)

    def _nearest(self, place: NDArray) -> NDArray[np.int64]:
        """Return the seed with the least |place - seed|^2 - weight, for each pixel (H, W).

        With a third coordinate, sqrt(largest weight - weight) for seeds and 0 for places,
        that is the nearest seed, which a k-d tree finds.
        """
        height = np.sqrt(self._weights.max() - self._weights)
        tree = cKDTree(np.column_stack([self.seeds, height]))
        flat = place.reshape(2, -1).T
        _, nearest = tree.query(np.column_stack([flat, np.zeros(len(flat))]))
        return nearest.reshape(self.size, self.size)

    def ground(self) -> NDArray[np.float64]:
        """Return the brightness of the cells (H, W)."""
        return 0.68 + self._grey[self.ids] + 0.025 * self._shade.next()
