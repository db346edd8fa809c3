"""The input of every metric: masks and label images, checked."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pytopo.images.masks import Advice, mask_of
from pytopo.notes import warn_of
from pytopo.options import unmasked

ADVICE = Advice(
    ids="or one segment of a label image, labels == 1",
    grey="threshold a likelihood, like likelihood > 0.5",
    ignore="pixels to ignore set to 0 in both",
)


def checked_mask(mask: ArrayLike, name: str = "mask") -> NDArray[np.bool_]:
    """Return a mask as booleans; raises what `betti_numbers` says."""
    values = _array(mask, name)
    if values.dtype.kind not in "biuf":
        raise TypeError(f"{name} has dtype {values.dtype}; expected booleans, or 0 and 1")
    found = mask_of(values, name, ADVICE)
    warn_of(found.notes, name, stacklevel=4)
    return found.array


def checked_masks(
    prediction: ArrayLike, target: ArrayLike
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return two masks of one shape as booleans."""
    first, second = checked_mask(prediction, "prediction"), checked_mask(target, "target")
    check_shapes(first, second)
    return first, second


def checked_labels(labels: ArrayLike, name: str) -> NDArray:
    """Return a label image of integers or booleans."""
    values = _array(labels, name)
    if values.dtype.kind not in "biu":
        raise TypeError(
            f"{name} has dtype {values.dtype}; expected labels of integers or booleans (for "
            "the cells between membranes: pytopo.metrics.segments)"
        )
    return values


def _array(image: ArrayLike, name: str) -> NDArray:
    values = unmasked(image, name)
    if values.ndim not in (2, 3):
        raise ValueError(
            f"{name} has shape {values.shape}, {values.ndim} axes; expected (H, W) or (D, H, W)"
        )
    if values.size == 0:
        raise ValueError(f"{name} has shape {values.shape} and no pixel; expected at least one")
    return values


def check_shapes(prediction: NDArray, target: NDArray) -> None:
    """Refuse a prediction and a target of different shapes."""
    if prediction.shape != target.shape:
        raise ValueError(
            f"prediction has shape {prediction.shape}, target {target.shape}; expected the same"
        )
