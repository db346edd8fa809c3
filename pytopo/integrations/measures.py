"""What the metrics of all frameworks measure: numbers of one image, of a batch of masks.

    prediction, target (B, C, ...)  ->  images, (n, H, W) or (n, D, H, W)  ->  Measure
                                        (number, and those of its parts), or NaN

Frameworks differ in how they add numbers up over an epoch, not in the numbers.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pytopo.metrics.betti import betti_error
from pytopo.metrics.by_place import betti_matching_error
from pytopo.metrics.centerline import cldice
from pytopo.metrics.label_images import (
    adapted_rand_error,
    segments,
    variation_of_information,
)
from pytopo.metrics.topo import topo_score
from pytopo.options import flag, integers, whole_number

Numbers = tuple[float, ...]
NOTHING: Numbers = (math.nan,) * 4  # of an image without a number, nor one of its parts


class Measure(ABC):
    """The number of a prediction, and those of its parts: dimensions, or splits and merges.

    Parameters
    ----------
    ignore_index : int or None
        Pixels of this value of the target are ignored, where the call names none.
    **options
        Of the function in `pytopo.metrics`.

    Raises
    ------
    TypeError, ValueError
        If the function refuses the options.
    """

    def __init__(self, *, ignore_index: int | None = None, **options: Any) -> None:
        self.ignore_index = (
            None if ignore_index is None else whole_number(ignore_index, "ignore_index", None)
        )
        self.options = options
        axes = 3 if 2 in (integers(options.get("dims")) or ()) else 2
        mask = np.ones((3,) * axes, dtype=int)
        self.numbers(mask, mask, np.zeros(mask.shape, bool))  # refuses wrong options now

    def __call__(
        self, prediction: NDArray, target: NDArray, ignore: NDArray[np.bool_] | None = None
    ) -> Numbers:
        """Return the number of one image, then those of its parts; NaN where it has none."""
        if ignore is None:
            index = self.ignore_index
            ignore = np.zeros(target.shape, bool) if index is None else target == index
            target = np.where(ignore, 0, target)
        return NOTHING if ignore.all() else self.numbers(prediction, target, ignore)

    @abstractmethod
    def numbers(
        self, prediction: NDArray, target: NDArray, ignore: NDArray[np.bool_]
    ) -> Numbers:
        """Return the same for an image with pixels that count."""


class BettiNumbers(Measure):
    """Betti number error: the sum, then each dimension."""

    def numbers(self, prediction: NDArray, target: NDArray, ignore: NDArray) -> Numbers:
        found = betti_error(prediction, target, ignore=ignore, **self.options)
        return found.total, *found.per_dim


class BettiMatching(Measure):
    """Betti matching error: the sum, then each dimension."""

    def numbers(self, prediction: NDArray, target: NDArray, ignore: NDArray) -> Numbers:
        found = betti_matching_error(prediction, target, ignore=ignore, **self.options)
        return found.total, *found.per_dim


class FeatureScore(Measure):
    """TopoScore, then the F1 of each dimension."""

    def numbers(self, prediction: NDArray, target: NDArray, ignore: NDArray) -> Numbers:
        found = topo_score(prediction, target, ignore=ignore, **self.options)
        return found.score, *found.f1


class CenterLines(Measure):
    """clDice."""

    def numbers(self, prediction: NDArray, target: NDArray, ignore: NDArray) -> Numbers:
        return (cldice(prediction, target, ignore=ignore, **self.options),)


class Segments(Measure):
    """A comparison of two label images, or of the cells that membranes separate.

    Parameters
    ----------
    membranes : bool
        Images are masks of membranes, and `pytopo.metrics.segments` labels the cells.
    **options
        Of ``compare``; with ``ignore_background``, the default, images whose target is
        background everywhere have no number.
    """

    parts: ClassVar[tuple[str, ...]]
    compare: ClassVar[Callable[..., Any]]

    def __init__(self, *, membranes: bool = False, **options: Any) -> None:
        self.membranes = flag(membranes, "membranes")
        super().__init__(**options)

    def part(self, name: str | None) -> int:
        """Return which number a part is; the first if it is not named."""
        if name is not None and name not in self.parts:
            raise ValueError(f"part is {name!r}; expected one of {', '.join(self.parts)}")
        return 0 if name is None else self.parts.index(name)

    def numbers(self, prediction: NDArray, target: NDArray, ignore: NDArray) -> Numbers:
        if self.membranes:
            prediction, target = segments(prediction), segments(target)
        else:
            prediction = _labels(prediction, "the prediction")
            target = _labels(target, "the target")
        if self.options.get("ignore_background", True) and not target[~ignore].any():
            return NOTHING
        found = type(self).compare(prediction, target, ignore=ignore, **self.options)
        return tuple(float(getattr(found, name)) for name in self.parts)


class Information(Segments):
    """Variation of Information."""

    parts = ("total", "split", "merge")
    compare = staticmethod(variation_of_information)


class RandPairs(Segments):
    """Adapted Rand error."""

    parts = ("error", "precision", "recall")
    compare = staticmethod(adapted_rand_error)


def image_pairs(*batches: Tensor) -> Iterator[tuple[NDArray, ...]]:
    """Yield what batches hold of each image and channel, channels fastest."""
    flat = (images.detach().cpu().flatten(0, 1) for images in batches)
    yield from zip(*(np.asarray(i.float() if i.dtype == torch.bfloat16 else i) for i in flat))


def _labels(image: NDArray, name: str) -> NDArray:
    """Return labels as integers; data loaders make floats of them."""
    if image.dtype.kind in "biu":
        return image
    if not np.isfinite(image).all() or (image != np.rint(image)).any():
        raise ValueError(f"{name} holds fractions; expected labels, whole numbers")
    return image.astype(np.int64)
