"""What a synthetic microscope shows of tissue: dark membranes, the contents of cells, grain.

    ids -> distance to the next border -> darkness of membranes and contents
                                       -> blur, grain, exposure -> image

Contents fade towards borders, so they stay inside their cells.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, find_objects, gaussian_filter

from pytopo.data.borders import label_changes
from pytopo.data.noise import SmoothNoise
from pytopo.data.tissue import Tissue


def distance_to_border(ids: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the distance (H, W) of each pixel to the line between two cells, in pixels.

    The line runs between pixels, half a pixel from those on either side.
    """
    changes = label_changes(ids)
    if not changes.any():
        return np.full(ids.shape, np.inf)
    return distance_transform_edt(~changes) + 0.5


class Membranes:
    """Dark lines along the borders, of changing contrast and width, with gaps."""

    def __init__(self, size: int, gaps: float, random: np.random.Generator) -> None:
        self._gaps = gaps
        self._contrast = SmoothNoise(size, 14, 0.7, random)
        self._slant = SmoothNoise(size, 20, 0.8, random)
        self._gap = SmoothNoise(size, 4.5, 0.4, random)
        self._stain = SmoothNoise(size, 9, 0.5, random)

    def darkness(self, to_border: NDArray) -> NDArray[np.float64]:
        """Return how much darker each pixel (H, W) of the next section is."""
        contrast = np.clip(0.46 + 0.09 * self._contrast.next(), 0.12, 0.6)
        slanted = np.clip(self._slant.next() - 0.8, 0, 2)  # cut obliquely: wide and pale
        width = 1.9 + 2.2 * slanted
        line = contrast / (1 + 0.7 * slanted) * np.exp(-((to_border / width) ** 2))

        gap = self._gap.next()
        threshold = np.quantile(gap, 1 - self._gaps) if self._gaps else np.inf
        visible = np.clip((threshold - gap) / 0.25, 0, 1)
        stained = np.clip(self._stain.next() - 2.0, 0, 1)  # dense material at synapses
        return line * visible + 0.5 * stained * np.exp(-((to_border / 6) ** 2))


class Contents:
    """The contents of cells: vesicles, mitochondria that follow their cell, and reticulum."""

    def __init__(self, tissue: Tissue, clutter: float, random: np.random.Generator) -> None:
        size = tissue.size
        self._clutter = clutter
        self._random = random
        self._thread = SmoothNoise(size, 8, 0.75, random)
        self._where = SmoothNoise(size, 16, 0.75, random)
        self._crowd = SmoothNoise(size, 18, 0.8, random)
        count = random.poisson(0.22 * clutter * len(tissue.seeds))
        self._host = random.integers(tissue.lone, size=count)
        self._from_seed = random.normal(0, 9, (count, 2))
        self._radius = random.uniform(7, 13, count)
        self._long = random.uniform(1, 1.9, count)
        self._angle = random.uniform(0, np.pi, count)

    def darkness(self, tissue: Tissue, to_border: NDArray) -> NDArray[np.float64]:
        """Return how much darker each pixel (H, W) of the next section is."""
        inside = np.clip((to_border - 3) / 2, 0, 1)
        dark = self._reticulum() + self._vesicles(to_border)
        return inside * np.maximum(dark, self._mitochondria(tissue))

    def _reticulum(self) -> NDArray[np.float64]:
        """Threads with open ends: segments of the zero line of smooth noise."""
        thread = self._thread.next()
        slope = np.hypot(*np.gradient(thread)) + 1e-6
        segments = np.clip((self._where.next() - 1.6 + 0.5 * self._clutter) * 2, 0, 1)
        segments *= min(self._clutter, 1)
        return 0.24 * segments * np.exp(-((thread / slope / 1.2) ** 2))

    def _vesicles(self, to_border: NDArray) -> NDArray[np.float64]:
        """Small rings, most of them in clusters."""
        reach = 7
        row, column = np.mgrid[-reach : reach + 1, -reach : reach + 1]
        distance = np.hypot(row, column)
        dark = np.zeros(np.add(to_border.shape, 2 * reach))
        crowd = np.exp(1.6 * self._crowd.next()) * (to_border > 4)
        if not crowd.any():
            return np.zeros(to_border.shape)
        count = self._random.poisson(self._clutter * crowd.size / 450)
        places = self._random.choice(crowd.size, count, p=crowd.ravel() / crowd.sum())
        radii = self._random.uniform(2.0, 4.2, count)
        depths = self._random.uniform(0.08, 0.34, count)
        for place, radius, depth in zip(places, radii, depths):
            r, c = divmod(int(place), crowd.shape[1])
            window = dark[r : r + 2 * reach + 1, c : c + 2 * reach + 1]
            np.maximum(window, depth * np.exp(-((distance - radius) ** 2)), out=window)
        return dark[reach:-reach, reach:-reach]

    def _mitochondria(self, tissue: Tissue) -> NDArray[np.float64]:
        """Elongated bodies with a wall and folds, as far as their cell reaches."""
        dark = np.zeros(tissue.ids.shape)
        boxes = dict(enumerate(find_objects(tissue.ids + 1)))  # None where there is no cell
        for host, beside, radius, long, angle in zip(
            self._host, self._from_seed, self._radius, self._long, self._angle
        ):
            box = boxes.get(host)
            if box is None:
                continue
            mine = tissue.ids[box] == host
            away = tissue.bent[:, *box][:, mine] - (tissue.seeds[host] + beside)[:, None]
            along = (np.cos(angle) * away[0] + np.sin(angle) * away[1]) / long
            across = np.cos(angle) * away[1] - np.sin(angle) * away[0]
            distance = np.hypot(along, across)
            wall = np.exp(-(((distance - radius) / 1.5) ** 2))
            folds = np.cos(along * 1.5 + 0.15 * across) ** 2
            body = (distance < radius) * (0.06 + 0.14 * folds)
            dark[box][mine] = np.maximum(dark[box][mine], np.maximum(0.3 * wall, body))
        return dark


class Camera:
    """Blur, grain, and an exposure that differs from section to section."""

    def __init__(self, size: int, noise: float, random: np.random.Generator) -> None:
        self._noise = noise
        self._random = random
        self._grain = SmoothNoise(size, 1.1, 0, random)
        self._fine = SmoothNoise(size, 0.4, 0, random)

    def exposed(self, light: NDArray) -> NDArray[np.uint8]:
        """Return the image (H, W) of the next section."""
        grain = 0.06 * self._grain.next() + 0.03 * self._fine.next()
        gain, bias = 1 + self._random.normal(0, 0.04), self._random.normal(0, 0.015)
        grey = gain * gaussian_filter(light, 0.9) + bias + self._noise * grain
        return np.rint(255 * np.clip(grey, 0, 1)).astype(np.uint8)
