"""Smooth noise: white noise that is blurred, and that may change slowly with time."""

import numpy as np
from numpy.typing import NDArray


def gaussian_blur(size: int, scale: float) -> NDArray[np.float64]:
    """Return the Fourier transform of a Gaussian of `scale` pixels, for `smooth_noise`.

    Returns
    -------
    blur : (size, size // 2 + 1) float64
        One factor per frequency, as `numpy.fft.rfft2` orders them.
    """
    frequency = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size))
    return np.exp(-2 * (np.pi * scale * frequency) ** 2)


def smooth_noise(blur: NDArray[np.float64], random: np.random.Generator) -> NDArray[np.float64]:
    """Return white noise, blurred and scaled to standard deviation 1, as (size, size)."""
    shape = (len(blur), len(blur))
    white = np.fft.rfft2(random.normal(size=shape))
    field = np.fft.irfft2(white * blur, shape)
    return field / field.std()


class SmoothNoise:
    """Smooth noise of mean 0 and deviation 1 that changes from section to section.

    The next field is ``memory`` times this one, plus new noise for the rest (an
    autoregressive process of order 1).

    Parameters
    ----------
    size : int
        Rows and columns.
    scale : float
        Standard deviation of the blur, in pixels.
    memory : float
        Correlation of consecutive fields, in [0, 1).
    random : Generator
    """

    def __init__(
        self, size: int, scale: float, memory: float, random: np.random.Generator
    ) -> None:
        self._blur = gaussian_blur(size, scale)
        self._blur[0, 0] = 0  # frequency 0: no field is brighter as a whole
        self._memory = memory
        self._random = random
        self._now = smooth_noise(self._blur, random)

    def next(self) -> NDArray[np.float64]:
        """Return the field (size, size) of the next section."""
        new = smooth_noise(self._blur, self._random)
        self._now = self._memory * self._now + np.sqrt(1 - self._memory**2) * new
        return self._now
