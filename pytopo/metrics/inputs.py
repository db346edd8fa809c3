"""The input of every metric: masks and label images, checked, and the pixels to ignore.

Pixels without ground truth are ignored.  What counts pixels leaves them out; what counts
features gives them the same value in both masks, so that no feature is in one of them only:

    target      ##?##    ? as background  ##.##    ? as foreground  #####
    prediction  #...#                     #...#                     #.#.#
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pytopo.images.masks import Advice, mask_of
from pytopo.notes import warn_of
from pytopo.options import unmasked, whole_number

ADVICE = Advice(
    ids="or one segment of a label image, labels == 1",
    grey="threshold a likelihood, like likelihood > 0.5",
    ignore="or the third value as ignore_index",
    logits="threshold logits, like logits > 0",
)


ALL_IGNORED = "every pixel is ignored; expected some that are not"


@dataclass(frozen=True, eq=False)
class Masks:
    """Two masks of one shape, and the pixels to ignore.

    Attributes
    ----------
    prediction, target : bool ndarray
    ignored : bool ndarray of their shape, or None
        None if no pixel is to be ignored.
    """

    prediction: NDArray[np.bool_]
    target: NDArray[np.bool_]
    ignored: NDArray[np.bool_] | None = None

    def filled(self, value: bool) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Return both masks, with one value in all ignored pixels."""
        if self.ignored is None:
            return self.prediction, self.target
        if value:
            return self.prediction | self.ignored, self.target | self.ignored
        return self.prediction & ~self.ignored, self.target & ~self.ignored

    def known(self) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Return the values of both masks where pixels are not ignored.

        Raises
        ------
        ValueError
            If all are ignored.
        """
        if self.ignored is None:
            return self.prediction, self.target
        if self.ignored.all():
            raise ValueError(ALL_IGNORED)
        return self.prediction[~self.ignored], self.target[~self.ignored]


def checked_mask(mask: ArrayLike, name: str = "mask") -> NDArray[np.bool_]:
    """Return a mask as booleans; raises what `betti_numbers` says."""
    values = _array(mask, name)
    if values.dtype.kind not in "biuf":
        raise TypeError(f"{name} has dtype {values.dtype}; expected booleans, or 0 and 1")
    found = mask_of(values, name, ADVICE)
    warn_of(found.notes, name, stacklevel=4)
    return found.array


def checked_masks(
    prediction: ArrayLike,
    target: ArrayLike,
    ignore: ArrayLike | None = None,
    ignore_index: int | None = None,
    target_name: str = "target",
) -> Masks:
    """Return two masks of one shape, and which of their pixels are ignored.

    Parameters
    ----------
    prediction, target : array_like, (H, W) or (D, H, W)
    ignore : array_like of bool of their shape, or None
        True where pixels are ignored.
    ignore_index : int or None
        The value of the target that marks ignored pixels.
    target_name : str
        What a message calls the target.
    """
    truth, ignored = without_ignored(target, ignore, ignore_index, target_name)
    masks = Masks(
        checked_mask(prediction, "prediction"), checked_mask(truth, target_name), ignored
    )
    check_shapes(masks.prediction, masks.target)
    return masks


def without_ignored(
    target: ArrayLike,
    ignore: ArrayLike | None,
    ignore_index: int | None,
    name: str = "target",
) -> tuple[NDArray, NDArray[np.bool_] | None]:
    """Return a target with 0 for its ignored pixels, and where they are, or None.

    Raises
    ------
    TypeError
        If ``ignore`` is not made of booleans, or ``ignore_index`` is not an integer.
    ValueError
        If the shapes differ.
    """
    values = _array(target, name)
    if ignore is None and ignore_index is None:
        return values, None
    ignored = np.zeros(values.shape, bool)
    if ignore is not None:
        ignored = unmasked(ignore, "ignore")
        if ignored.dtype != bool:
            raise TypeError(f"ignore has dtype {ignored.dtype}; expected booleans")
        if ignored.shape != values.shape:
            raise ValueError(
                f"ignore has shape {ignored.shape}; expected that of {name}, {values.shape}"
            )
    if ignore_index is not None:
        index = whole_number(ignore_index, "ignore_index", None)
        ignored = ignored | (values == index)
    if not ignored.any():
        return values, None
    return np.where(ignored, values.dtype.type(0), values), ignored


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
