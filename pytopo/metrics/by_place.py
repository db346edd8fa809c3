"""Betti matching error: features of two masks that are not in the same place.

The Betti error compares numbers, so a hole too many here makes up for one that is missing
there.  Here features are matched by place (`pytopo.matching.by_place`), and those that are left
over on either side are counted.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from pytopo.matching.by_place import betti_matching
from pytopo.metrics.inputs import checked_masks
from pytopo.options import checked_construction, flag


@dataclass(frozen=True)
class BettiMatchingError:
    """How many features of two masks match, and how many do not.

    Attributes
    ----------
    matched : tuple of int
        Features of both masks, in each dimension.
    false, missed : tuple of int
        Features of the prediction only, and of the target only.
    """

    matched: tuple[int, ...]
    false: tuple[int, ...]
    missed: tuple[int, ...]

    @property
    def per_dim(self) -> tuple[int, ...]:
        """Features that do not match, false or missed, in each dimension."""
        return tuple(false + missed for false, missed in zip(self.false, self.missed))

    @property
    def total(self) -> int:
        """Sum over the dimensions."""
        return sum(self.per_dim)


def betti_matching_error(
    prediction: ArrayLike,
    target: ArrayLike,
    dims: int | Iterable[int] | None = None,
    *,
    construction: str = "V",
    frame: bool = False,
    ignore: ArrayLike | None = None,
    ignore_index: int | None = None,
) -> BettiMatchingError:
    """Count the features of two masks that are not in the same place.

    Parameters
    ----------
    prediction, target : array_like, (H, W) or (D, H, W)
        Booleans, or 0 and one other value; one shape.
    dims : int, iterable of int or None
        Dimensions to compare, ascending in the result; ``None`` for all.
    construction : {"V", "T"}
        As in `pytopo.metrics.betti_numbers`.
    frame : bool
        Pad both masks by one layer of foreground, so that what runs off the border closes.
    ignore, ignore_index
        As in `pytopo.metrics.betti_error`.

    Returns
    -------
    BettiMatchingError
        Matched and false features add up to the Betti numbers of the prediction, matched and
        missed ones to those of the target.

    Raises
    ------
    TypeError, ValueError
        As `pytopo.metrics.betti_numbers` and `pytopo.betti_matching`.

    Notes
    -----
    All pixels of a mask that are foreground enter at the same time, so the order of the pixels
    decides which of several components is the eldest, and with it, where three components or
    more are involved, how many match.  Published programs do the same.

    References
    ----------
    Stucki, Paetzold, Shit, Menze, Bauer (2023), "Topologically faithful image segmentation via
    induced matching of persistence barcodes", section 3.

    Examples
    --------
    Two holes each, of which one is in the same place:

    >>> first = np.array([[1, 1, 1, 1, 1, 1, 1], [1, 0, 1, 0, 1, 1, 1], [1, 1, 1, 1, 1, 1, 1]])
    >>> second = first[:, ::-1]
    >>> betti_matching_error(first, second)
    BettiMatchingError(matched=(1, 1), false=(0, 1), missed=(0, 1))
    >>> betti_matching_error(first, second).per_dim, betti_matching_error(first, second).total
    ((0, 2), 2)
    """
    masks = checked_masks(prediction, target, ignore, ignore_index)
    checked_construction(construction)
    first, second = masks.filled(flag(frame, "frame"))
    m = betti_matching(
        first,
        second,
        dims,
        superlevel=True,
        construction=construction,
        frame=1 if frame else None,
    )
    # A mask without foreground has one bar, of the background, which is no feature.
    is_feature, is_other_feature = (d.birth > 0 for d in (m.first, m.second))
    both = is_feature[m.pairs[:, 0]] & is_other_feature[m.pairs[:, 1]]
    dim_of_pairs = m.first.dim[m.pairs[both, 0]]
    matched, features, other_features = (
        np.array([np.count_nonzero(some == dim) for dim in m.first.dims])
        for some in (dim_of_pairs, m.first.dim[is_feature], m.second.dim[is_other_feature])
    )
    return BettiMatchingError(
        tuple(matched.tolist()),
        tuple((features - matched).tolist()),
        tuple((other_features - matched).tolist()),
    )
