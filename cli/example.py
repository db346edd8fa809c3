"""The image that commands use when none is given."""

import numpy as np
from numpy.typing import NDArray


def likelihood_map(size: int = 256, cells: int = 24, seed: int = 3) -> NDArray[np.float32]:
    """Synthesize the output of a classifier on a section through tissue.

    Cells are the Voronoi cells of scattered points, on wavy ground.  Their borders are
    membranes: bright, of changing contrast, broken by gaps.  Smudges and noise are added.

    Parameters
    ----------
    size : int
        Number of rows and of columns.
    cells : int
        About how many cells to show.
    seed : int
        Of the random numbers; the same seed gives the same image.

    Returns
    -------
    likelihood : (size, size) float32
        How likely a pixel is membrane, in [0, 1].
    """
    random = np.random.default_rng(seed)
    row, column = np.mgrid[:size, :size] / size
    row = row + 0.015 * _clouds(size, 0.04, random)
    column = column + 0.015 * _clouds(size, 0.04, random)
    centre = _scattered(cells, random)
    distance = np.hypot(row[..., None] - centre[:, 0], column[..., None] - centre[:, 1])
    nearest = np.partition(distance, 1, axis=2)
    to_border = (nearest[..., 1] - nearest[..., 0]) / 2  # (size, size)

    contrast = 0.62 + 0.07 * _clouds(size, 0.06, random)
    gaps = np.clip(_clouds(size, 0.02, random) - 1.5, 0, 1)
    membrane = contrast * (1 - gaps) * np.exp(-((to_border / 0.011) ** 2))
    smudges = 0.1 * np.clip(_clouds(size, 0.02, random), 0, None)
    ground = 0.12 + 0.03 * _clouds(size, 0.08, random)
    noise = 0.015 * _clouds(size, 0.004, random)
    return np.clip(ground + membrane + smudges + noise, 0, 1).astype(np.float32)


def _clouds(size: int, scale: float, random: np.random.Generator) -> NDArray[np.float64]:
    """Blur white noise by a Gaussian, `scale` of the size wide, to a deviation of 1."""
    frequency = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size))
    blur = np.exp(-2 * (np.pi * scale * size * frequency) ** 2)
    field = np.fft.irfft2(np.fft.rfft2(random.normal(size=(size, size))) * blur, (size, size))
    return field / field.std()


def _scattered(number: int, random: np.random.Generator) -> NDArray[np.float64]:
    """Scatter points over the unit square and around it, none too close to another."""
    points: list[NDArray] = []
    spacing = 0.75 / np.sqrt(number)
    for _ in range(50 * number):
        point = random.uniform(-0.2, 1.2, 2)
        if all(np.hypot(*(point - other)) > spacing for other in points):
            points.append(point)
    return np.array(points)
