"""TopoScore: the F1 score of features that are in the same place, as a challenge scores it.

    masks -> pieces -> features matched by place, counted -> F1 of each dimension -> their mean

Where `pytopo.metrics.betti_matching_error` counts what does not match, this is the share that
does, between 0 and 1, so that images with many features do not outweigh those with few.
"""

import itertools
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pytopo.metrics.by_place import BettiMatchingError, betti_matching_error
from pytopo.metrics.inputs import checked_masks
from pytopo.options import flag, integers, is_weight, whole_number
from pytopo.stacks import checked_dims

WEIGHTS = {0: 0.34, 1: 0.33, 2: 0.33}  # of the dimensions, in the challenge
FALSE_ONLY = 0.5  # added to both sides of an F1 where the target has no feature


@dataclass(frozen=True)
class TopoScore:
    """How much of the topology of two masks is in the same place.

    Attributes
    ----------
    score : float
        From 0 to 1: the weighted mean of ``f1`` over the dimensions with features; 1 if there
        are none.
    f1 : tuple of float
        Of each dimension; NaN where neither mask has a feature.
    features : BettiMatchingError
        The features that were counted, without the essential components.
    """

    score: float
    f1: tuple[float, ...]
    features: BettiMatchingError


def topo_score(
    prediction: ArrayLike,
    target: ArrayLike,
    dims: int | Iterable[int] | None = None,
    *,
    weights: Mapping[int, float] | None = None,
    pieces: int = 1,
    construction: str = "V",
    frame: bool = False,
    ignore: ArrayLike | None = None,
    ignore_index: int | None = None,
) -> TopoScore:
    """Compute the TopoScore of two masks.

    In each dimension the F1 is 2 m / (p + t), for m features that match, p of the prediction
    and t of the target.  Where the target has none it is 1/2 / (p + 1/2), so that fewer false
    features score higher.  Essential components are not counted: every mask with foreground
    has one, and they always match.

    Parameters
    ----------
    prediction, target : array_like, (H, W) or (D, H, W)
        Booleans, or 0 and one other value; one shape.
    dims : int, iterable of int or None
        Dimensions to compare, ascending in the result; ``None`` for all.
    weights : mapping of int to float, or None
        Of the dimensions; None for those of the challenge, 0.34, 0.33 and 0.33.
    pieces : int
        Cut both masks into so many pieces along each axis, and add up their features.  The
        challenge has 2; the pieces see no feature that runs across their borders.
    construction, frame, ignore, ignore_index
        As in `pytopo.metrics.betti_matching_error`.  The challenge has "V" and no frame.

    Returns
    -------
    TopoScore

    Raises
    ------
    TypeError, ValueError
        As `pytopo.metrics.betti_matching_error`; if weights are no finite numbers of at least
        0 for the dimensions, or all are 0.

    References
    ----------
    The TopoScore of the Vesuvius Challenge, surface detection (2025), as its metric library
    ``topometrics`` defines it; the features are those of Stucki et al. (2023).

    Examples
    --------
    Two rings, of which one has a gap:

    >>> target = np.array([[1, 1, 1, 0, 1, 1, 1],
    ...                    [1, 0, 1, 0, 1, 0, 1],
    ...                    [1, 1, 1, 0, 1, 1, 1]])
    >>> prediction = target.copy()
    >>> prediction[0, 5] = 0
    >>> found = topo_score(prediction, target)
    >>> found.features
    BettiMatchingError(matched=(1, 1), false=(0, 0), missed=(0, 1))
    >>> [round(f1, 3) for f1 in found.f1], round(found.score, 3)
    ([1.0, 0.667], 0.836)
    """
    masks = checked_masks(prediction, target, ignore, ignore_index)
    first, second = masks.filled(flag(frame, "frame"))
    chosen = checked_dims(dims, first.shape, "prediction")
    weight = _checked_weights(weights, chosen)
    pieces = whole_number(pieces, "pieces", 1)
    counts = [
        without_essential(
            betti_matching_error(a, b, chosen, construction=construction, frame=frame), chosen
        )
        for a, b in zip(_cut(first, pieces), _cut(second, pieces))
    ]
    return score_of(_sum(counts), weight)


def score_of(features: BettiMatchingError, weights: Iterable[float]) -> TopoScore:
    """Return the score of features that were counted, without the essential components."""
    counts = zip(features.matched, features.false, features.missed)
    f1 = tuple(_f1(*count) for count in counts)
    active = [(w, value) for w, value in zip(weights, f1) if not math.isnan(value)]
    if not active:
        return TopoScore(1.0, f1, features)
    total = sum(w for w, _ in active)
    if total == 0:  # only dimensions of weight 0 have features
        active, total = [(1.0, value) for _, value in active], float(len(active))
    return TopoScore(sum(w * value for w, value in active) / total, f1, features)


def without_essential(
    features: BettiMatchingError, dims: tuple[int, ...]
) -> BettiMatchingError:
    """Return the features of two masks without their essential components.

    Both masks have one, and they match, if any component matches.
    """
    if 0 not in dims:
        return features
    matched, false, missed = (
        list(counts) for counts in (features.matched, features.false, features.missed)
    )
    if matched[0]:
        matched[0] -= 1
    else:
        false[0], missed[0] = max(false[0] - 1, 0), max(missed[0] - 1, 0)
    return BettiMatchingError(tuple(matched), tuple(false), tuple(missed))


def _f1(matched: int, false: int, missed: int) -> float:
    if matched + missed == 0:
        return FALSE_ONLY / (false + FALSE_ONLY) if false else math.nan
    return 2 * matched / (2 * matched + false + missed)


def _checked_weights(weights: Mapping[int, float] | None, dims: tuple[int, ...]) -> list[float]:
    given = WEIGHTS if weights is None else weights
    known = isinstance(given, Mapping) and integers(list(given)) is not None
    if not known or not set(dims) <= set(given):
        raise ValueError(f"weights is {weights!r}; expected a weight for each of dims {dims}")
    chosen = [given[dim] for dim in dims]
    if not all(is_weight(weight) for weight in chosen) or not any(chosen):
        raise ValueError(
            f"weights is {weights!r}; expected finite numbers of at least 0, and one above 0"
        )
    return [float(weight) for weight in chosen]


def _cut(mask: NDArray[np.bool_], pieces: int) -> Iterable[NDArray[np.bool_]]:
    """Yield the pieces of a mask; along a short axis there are fewer."""
    ends = [
        np.cumsum([0, *(part.size for part in np.array_split(np.arange(n), min(pieces, n)))])
        for n in mask.shape
    ]
    for place in itertools.product(*(itertools.pairwise(end.tolist()) for end in ends)):
        yield mask[tuple(slice(*window) for window in place)]


def _sum(counts: list[BettiMatchingError]) -> BettiMatchingError:
    return BettiMatchingError(
        *(
            tuple(map(sum, zip(*(getattr(count, name) for count in counts))))
            for name in ("matched", "false", "missed")
        )
    )
