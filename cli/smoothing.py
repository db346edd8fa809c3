"""The option ``--smooth`` of commands: a Gaussian filter before everything else."""

import argparse
from typing import TYPE_CHECKING

from pytopo.cli import options
from pytopo.cli.files import size_text
from pytopo.cli.report import InputError, reporting_errors

if TYPE_CHECKING:
    from numpy.typing import NDArray


def add_smooth(group: "argparse._ArgumentGroup") -> None:
    """Add the option for the width of the filter."""
    group.add_argument(
        "--smooth", type=_sigma, metavar="SIGMA",
        help="smooth the image before, by a Gaussian of this standard deviation in pixels "
        "(scipy.ndimage.gaussian_filter): 1 or 2 removes most of the noise",
    )  # fmt: skip


def smoothed(name: str, image: "NDArray", sigma: float | None) -> "NDArray":
    """Return an image smoothed, in floating point, or as it is."""
    if sigma is None:
        return image
    import numpy as np
    from scipy.ndimage import gaussian_filter

    from pytopo.order import checked_image

    with reporting_errors(name):
        checked_image(image)
    if sigma > max(image.shape):
        raise InputError(
            f"{name}: --smooth {sigma:g} is more than the sides of {size_text(image)} pixels"
        )
    small = image.dtype.kind in "biu" and image.dtype.itemsize <= 2
    values = image.astype(np.float32 if small or image.dtype == np.float32 else np.float64)
    if not np.isfinite(values).all():
        raise InputError(f"{name}: holds infinite values; --smooth takes finite ones only")
    return gaussian_filter(values, sigma)


def smoothed_planes(name: str, volume: "NDArray", sigma: float | None) -> "NDArray":
    """Return a volume with each plane smoothed by itself, or as it is."""
    if sigma is None or volume.ndim != 3:
        return volume
    import numpy as np

    return np.stack([smoothed(name, plane, sigma) for plane in volume])


def smooth_text(sigma: float | None) -> str:
    """Return the option in words, for a title; empty without it."""
    return "" if sigma is None else f", smoothed (Gaussian, sigma {sigma:g})"


def _sigma(text: str) -> float:
    value = options.number(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text}; expected a number of pixels greater than 0")
    return value
