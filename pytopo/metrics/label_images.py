"""Agreement segment by segment: Variation of Information and adapted Rand error.

Both are computed from the contingency table of the two label images: how many pixels each pair
of labels shares.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from pytopo.images.background import (
    BACKGROUND,
    background_notes,
    checked_background,
    stored_ids,
)
from pytopo.kernels.contingency import overlaps
from pytopo.metrics.betti import neighbours
from pytopo.metrics.inputs import (
    ALL_IGNORED,
    check_shapes,
    checked_labels,
    checked_mask,
    without_ignored,
)
from pytopo.notes import warn_of
from pytopo.options import checked_construction, flag


@dataclass(frozen=True)
class VariationOfInformation:
    """The information that one segmentation does not give about the other.

    Attributes
    ----------
    split : float
        H(prediction | target): grows where a segment of the target is split.
    merge : float
        H(target | prediction): grows where a segment of the prediction merges several.
    """

    split: float
    merge: float

    @property
    def total(self) -> float:
        """The Variation of Information itself: split + merge."""
        return self.split + self.merge


@dataclass(frozen=True)
class AdaptedRandError:
    """How well two segmentations agree on which pixels are in one segment.

    Attributes
    ----------
    error : float
        1 - F, F the harmonic mean of precision and recall.
    precision : float
        Of the pairs of pixels in one segment of the prediction, the fraction that is also in
        one segment of the target: falls with every merge.
    recall : float
        Of the pairs of pixels in one segment of the target, the fraction that is also in one
        segment of the prediction: falls with every split.
    """

    error: float
    precision: float
    recall: float


def segments(membrane: ArrayLike, *, construction: str = "V") -> NDArray[np.int32]:
    """Label the cells that membranes separate: the components of the background.

    Parameters
    ----------
    membrane : array_like, (H, W) or (D, H, W)
        Booleans, or 0 and one other value.
    construction : {"V", "T"}
        V: membranes are connected over sides, so cells over corners too.  T: the other way
        round, and a membrane that is connected over corners only separates cells.

    Returns
    -------
    labels : int32 ndarray of the shape of the mask
        1, 2, ... in the cells, 0 on the membranes.

    Raises
    ------
    TypeError, ValueError
        As in `betti_numbers`.

    Examples
    --------
    >>> segments([[0, 0, 1, 0], [1, 1, 1, 0], [0, 0, 1, 0]])
    array([[1, 1, 0, 2],
           [0, 0, 0, 2],
           [3, 3, 0, 2]], dtype=int32)
    """
    mask = checked_mask(membrane, "membrane")
    checked_construction(construction)
    labels = np.empty(mask.shape, np.int32)
    ndimage.label(~mask, neighbours(mask.ndim, construction)[1], output=labels)
    return labels


def variation_of_information(
    prediction: ArrayLike,
    target: ArrayLike,
    *,
    ignore_background: bool = True,
    background: int | Iterable[int] | None = None,
    ignore: ArrayLike | None = None,
    ignore_index: int | None = None,
    unit: str = "bits",
) -> VariationOfInformation:
    """Compute the Variation of Information of two label images, as split and merge.

    Parameters
    ----------
    prediction, target : array_like of integers or booleans, (H, W) or (D, H, W)
        Labels are names of segments, any integers; one shape.
    ignore_background : bool
        Leave out the pixels where the *target* is background, as CREMI does.  Background
        of the prediction is a segment like any other.
    background : int, iterable of int or None
        Ids of the target that are background; a negative one of an unsigned dtype counts
        from its end.  None: 0 and 2**64 - 1.  The evaluation of CREMI leaves out
        ``background=2**64 - 1``, and 0 is a neuron there.
    ignore : array_like of bool, or None
        True where pixels do not count, whatever their labels.
    ignore_index : int or None
        The label of ``target`` that means the same.
    unit : {"bits", "nats"}
        Logarithm to the base 2, or the natural one.

    Returns
    -------
    VariationOfInformation
        ``skimage.metrics.variation_of_information(target, prediction)`` returns
        ``[split, merge]`` in bits; its ``ignore_labels=[0]`` is ``background=0``.

    Raises
    ------
    TypeError
        If labels are not integers or booleans, or background is neither.
    ValueError
        If the shapes differ, or are not of 2 or 3 axes, or there is no pixel to compare; if
        the unit is another; if background is given and not to be ignored.

    Warns
    -----
    InputWarning
        If background is None, and the target holds both 0 and 2**64 - 1 or negative ids.

    References
    ----------
    Meilă (2007), "Comparing clusterings: an information based distance", section 3.

    Examples
    --------
    One segment of the target is split into halves:

    >>> variation_of_information([[1, 1, 2, 2]], [[5, 5, 5, 5]])
    VariationOfInformation(split=1.0, merge=0.0)
    """
    if unit not in ("bits", "nats"):
        raise ValueError(f'unit is {unit!r}; expected "bits" or "nats"')
    table = _overlap(prediction, target, ignore_background, background, ignore, ignore_index)
    probability = table.counts / table.n_pixels
    split = float(probability @ np.log(table.target_sizes / table.counts))
    merge = float(probability @ np.log(table.prediction_sizes / table.counts))
    scale = float(np.log(2)) if unit == "bits" else 1.0
    return VariationOfInformation(split / scale, merge / scale)


def adapted_rand_error(
    prediction: ArrayLike,
    target: ArrayLike,
    *,
    ignore_background: bool = True,
    background: int | Iterable[int] | None = None,
    ignore: ArrayLike | None = None,
    ignore_index: int | None = None,
) -> AdaptedRandError:
    """Compute the adapted Rand error: over all pairs of pixels, 1 - F.

    Parameters
    ----------
    prediction, target, ignore_background, background, ignore, ignore_index
        As in `variation_of_information`.

    Returns
    -------
    AdaptedRandError
        The error is that of ``skimage.metrics.adapted_rand_error(target, prediction)``.
        Where no two pixels are in one segment, precision or recall is 1.

    Raises
    ------
    TypeError, ValueError
        As in `variation_of_information`.

    References
    ----------
    Arganda-Carreras et al. (2015), "Crowdsourcing the creation of image segmentation
    algorithms for connectomics".  Pairs are of two different pixels.

    Examples
    --------
    Two of the six pairs in the one segment of the target are found, and nothing is merged:

    >>> adapted_rand_error([[1, 1, 2, 2]], [[5, 5, 5, 5]])
    AdaptedRandError(error=0.5, precision=1.0, recall=0.3333333333333333)
    """
    table = _overlap(prediction, target, ignore_background, background, ignore, ignore_index)
    # A segment of n pixels has n (n - 1) / 2 pairs; the halves cancel in every ratio.  A
    # segment appears once for each of its overlaps, with the pairs of that overlap's pixels.
    both = int(table.counts @ (table.counts - 1))
    predicted = int(table.counts @ (table.prediction_sizes - 1))
    true = int(table.counts @ (table.target_sizes - 1))
    return AdaptedRandError(
        error=1 - (2 * both / (predicted + true) if predicted + true else 1.0),
        precision=both / predicted if predicted else 1.0,
        recall=both / true if true else 1.0,
    )


@dataclass(frozen=True, eq=False)
class _Overlap:
    """The pairs of labels that share pixels, one entry per pair.

    Attributes
    ----------
    counts : (k,) int64
        Pixels that the pair shares.
    prediction_sizes, target_sizes : (k,) int64
        Pixels of each of its two segments.
    n_pixels : int
        All pixels that count.
    """

    counts: NDArray[np.int64]
    prediction_sizes: NDArray[np.int64]
    target_sizes: NDArray[np.int64]
    n_pixels: int


def _overlap(
    prediction: ArrayLike,
    target: ArrayLike,
    ignore_background: bool,
    background: int | Iterable[int] | None,
    ignore: ArrayLike | None,
    ignore_index: int | None,
) -> _Overlap:
    flag(ignore_background, "ignore_background")
    if background is not None and not ignore_background:
        raise ValueError(
            "background is given, and ignore_background=False; expected one of them"
        )
    named = BACKGROUND if background is None else checked_background(background)
    first, second = checked_labels(prediction, "prediction"), checked_labels(target, "target")
    check_shapes(first, second)
    _, left_out = without_ignored(second, ignore, ignore_index)
    if left_out is not None:
        if left_out.all():
            raise ValueError(ALL_IGNORED)
        first, second = first[~left_out], second[~left_out]
    pairs, counts = overlaps(_names(first), _names(second))
    if ignore_background:
        if background is None:
            ids = np.unique(pairs[:, 1]).astype(second.dtype)
            warn_of(background_notes(ids, named), "target", stacklevel=3)
        ignored = _names(stored_ids(named, second.dtype))
        counted = ~np.isin(pairs[:, 1], ignored)
        pairs, counts = pairs[counted], counts[counted]
        if not counts.size:
            what = " or ".join(map(str, named if background is not None else (0,)))
            raise ValueError(
                f"target is {what} everywhere, and no pixel is left to compare; expected "
                "segments, or ignore_background=False"
            )
    return _Overlap(
        counts,
        _segment_sizes(pairs[:, 0], counts),
        _segment_sizes(pairs[:, 1], counts),
        int(counts.sum()),
    )


def _names(labels: NDArray) -> NDArray[np.uint64]:
    """Return labels as 64-bit patterns: different labels stay different, and 0 is 0."""
    return labels.ravel().astype(np.uint64)


def _segment_sizes(names: NDArray[np.uint64], counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return, for each overlap, the pixels of its segment in all overlaps."""
    segment = np.unique(names, return_inverse=True)[1]
    sizes = np.zeros(segment.max() + 1, np.int64)
    np.add.at(sizes, segment, counts)
    return sizes[segment]
