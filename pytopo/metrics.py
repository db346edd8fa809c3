"""How good a segmentation is: topology, pixels, segments.

    masks    prediction, target -> Betti numbers      -> Betti number error
                                -> pixels             -> accuracy, Dice
    labels   prediction, target -> overlap of labels  -> Variation of Information, Rand error

Betti numbers of a mask need no persistence: components are labelled, cavities are labelled in
the background, and the tunnels or holes follow from the Euler number, which is counted.  What
compares segments needs the two label images only through one table: how many pixels each pair
of labels shares.  `docs/metrics.md` says what each number means and where it misleads.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from numbers import Integral

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from pytopo.kernels.overlap import overlaps
from pytopo.masks import (
    BACKGROUND,
    Advice,
    background_notes,
    checked_background,
    mask_of,
    stored_ids,
)
from pytopo.notes import warn_of

__all__ = [
    "AdaptedRandError",
    "BettiError",
    "VariationOfInformation",
    "adapted_rand_error",
    "betti_error",
    "betti_numbers",
    "dice",
    "patch_betti_error",
    "patch_shape",
    "pixel_accuracy",
    "segments",
    "variation_of_information",
]

ADVICE = Advice(
    ids="or one segment of a label image, labels == 1",
    grey="threshold a likelihood, like likelihood > 0.5",
    ignore="pixels to ignore set to 0 in both",
)


# ---- topology: Betti numbers --------------------------------------------------------------


@dataclass(frozen=True)
class BettiError:
    """How far the Betti numbers of two masks are apart.

    Attributes
    ----------
    per_dim : tuple of float
        Absolute difference in each dimension, or the mean of several.
    """

    per_dim: tuple[float, ...]

    @property
    def total(self) -> float:
        """Sum over the dimensions."""
        return sum(self.per_dim)


def betti_numbers(
    mask: ArrayLike, *, construction: str = "V", frame: bool = False
) -> tuple[int, ...]:
    """Count components and holes of a mask; in 3D components, tunnels and voids.

    Parameters
    ----------
    mask : array_like, (H, W) or (D, H, W)
        Booleans, or 0 and one other value, of any dtype; the same wherever a mask is taken.
    construction : {"V", "T"}
        V: the foreground is connected over sides (4, in 3D 6 neighbours), the background
        over corners too (8, 26).  T: the other way round.
    frame : bool
        Pad the mask by one layer of foreground, so that what runs off the border closes.

    Returns
    -------
    tuple of int
        One number a dimension; those of ``Diagram.betti(0.5)`` of the mask, superlevel.

    Raises
    ------
    TypeError
        If the mask is not made of booleans or numbers, or ``frame`` is not a bool.
    ValueError
        If it has two values other than 0, other than 2 or 3 axes, or no pixel; if the
        construction is neither V nor T.

    Warns
    -----
    InputWarning
        If the other value is neither 1 nor the largest of its dtype.

    References
    ----------
    Kong and Rosenfeld (1989), "Digital topology: introduction and survey".

    Examples
    --------
    A ring that closes over a corner only:

    >>> ring = np.array([[0, 1, 1],
    ...                  [1, 0, 1],
    ...                  [1, 1, 1]])
    >>> betti_numbers(ring), betti_numbers(ring, construction="T")
    ((1, 0), (1, 1))
    """
    checked = checked_mask(mask, "mask")
    _check_options(construction, frame)
    return _betti_numbers(checked, construction, frame)


def betti_error(
    prediction: ArrayLike, target: ArrayLike, *, construction: str = "V", frame: bool = False
) -> BettiError:
    """Compare the Betti numbers of two masks.

    Parameters
    ----------
    prediction, target : array_like, (H, W) or (D, H, W)
        Booleans, or 0 and one other value; one shape.
    construction, frame
        As in `betti_numbers`.

    Raises
    ------
    TypeError, ValueError
        As in `betti_numbers`; ValueError if the shapes differ.

    Examples
    --------
    >>> two_holes = np.array([[1, 1, 1, 1, 1], [1, 0, 1, 0, 1], [1, 1, 1, 1, 1]])
    >>> betti_error(two_holes, np.ones((3, 5)))
    BettiError(per_dim=(0.0, 2.0))
    """
    first, second = _masks(prediction, target)
    _check_options(construction, frame)
    return _mean_betti_error([(first, second)], construction, frame)


def patch_betti_error(
    prediction: ArrayLike,
    target: ArrayLike,
    *,
    size: int = 65,
    patches: int = 100,
    seed: int = 0,
    construction: str = "V",
    frame: bool = True,
) -> BettiError:
    """Compare the Betti numbers of random patches, the same in both masks, and take the mean.

    Over a whole image errors of opposite sign cancel: a hole too many here and one missing
    there.  In patches they add up.

    Parameters
    ----------
    prediction, target : array_like, (H, W) or (D, H, W)
        Booleans, or 0 and one other value; one shape.
    size : int
        Side of the patches, of cubes in 3D; the whole axis where the mask is shorter.
    patches : int
        How many; their places are uniformly distributed and may overlap.
    seed : int
        Of the places.
    construction : {"V", "T"}
        As in `betti_numbers`.
    frame : bool
        Pad each patch by one layer of foreground, "a black frame" in the paper.

    Raises
    ------
    TypeError, ValueError
        As in `betti_error`; also if size or patches is no whole number of at least 1, or
        seed none of at least 0.

    References
    ----------
    Hu, Li, Samaras, Chen (2019), "Topology-preserving deep image segmentation", section 3.

    Examples
    --------
    >>> lines = np.zeros((100, 100), bool)
    >>> lines[::20] = True
    >>> gaps = lines.copy()
    >>> gaps[:, 50] = False
    >>> patch_betti_error(gaps, lines, patches=50).total > 0
    True
    """
    first, second = _masks(prediction, target)
    _check_options(construction, frame)
    for name, value, least in (("size", size, 1), ("patches", patches, 1), ("seed", seed, 0)):
        check_count(name, value, least)
    shape = np.array(patch_shape(first.shape, int(size)))
    random = np.random.default_rng(int(seed))
    corners = random.integers(0, first.shape - shape + 1, (int(patches), first.ndim))
    places = [tuple(map(slice, corner, corner + shape)) for corner in corners]
    return _mean_betti_error(
        [(first[place], second[place]) for place in places], construction, frame
    )


def patch_shape(shape: tuple[int, ...], size: int) -> tuple[int, ...]:
    """Return the shape of the patches that `patch_betti_error` takes of an image.

    Examples
    --------
    >>> patch_shape((50, 512, 512), 65)
    (50, 65, 65)
    """
    return tuple(min(n, size) for n in shape)


def _mean_betti_error(
    pairs: list[tuple[NDArray[np.bool_], NDArray[np.bool_]]], construction: str, frame: bool
) -> BettiError:
    numbers = np.array(
        [[_betti_numbers(mask, construction, frame) for mask in pair] for pair in pairs]
    )  # (n, 2, dimensions)
    return BettiError(tuple(np.abs(numbers[:, 0] - numbers[:, 1]).mean(axis=0).tolist()))


def _betti_numbers(mask: NDArray[np.bool_], construction: str, frame: bool) -> tuple[int, ...]:
    if frame:
        mask = np.pad(mask, 1, constant_values=True)
    foreground, background = neighbours(mask.ndim, construction)
    components = ndimage.label(mask, foreground)[1]
    euler = _euler_number(mask, construction, mask.ndim)
    if mask.ndim == 2:
        return components, components - euler
    outside = np.pad(~mask, 1, constant_values=True)  # all around, one component
    voids = ndimage.label(outside, background)[1] - 1
    return components, components + voids - euler, voids


def _euler_number(mask: NDArray[np.bool_], construction: str, axes: int) -> int:
    """Count vertices - edges + squares - cubes, one axis after the other.

    Along an axis a cell is a point or an interval.  In V pixels are points, and an interval
    is there if both its ends are; in T pixels are intervals, and a point is there if one of
    its two intervals is.
    """
    if axes == 0:
        return int(np.count_nonzero(mask))
    axis = axes - 1
    after = (slice(None),) * axis + (slice(1, None),)
    before = (slice(None),) * axis + (slice(None, -1),)
    if construction == "V":
        points, intervals = mask, mask[after] & mask[before]
    else:
        around = np.pad(mask, [(int(a == axis),) * 2 for a in range(mask.ndim)])
        points, intervals = around[after] | around[before], mask
    return _euler_number(points, construction, axis) - _euler_number(
        intervals, construction, axis
    )


def neighbours(ndim: int, construction: str) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return what is connected to a pixel, in the foreground and in the background."""
    sides = ndimage.generate_binary_structure(ndim, 1)
    corners = ndimage.generate_binary_structure(ndim, ndim)
    return (sides, corners) if construction == "V" else (corners, sides)


# ---- pixels -------------------------------------------------------------------------------


def pixel_accuracy(prediction: ArrayLike, target: ArrayLike) -> float:
    """Return the fraction of pixels at which two masks agree.

    Parameters
    ----------
    prediction, target : array_like, (H, W) or (D, H, W)
        Booleans, or 0 and one other value; one shape.

    Raises
    ------
    TypeError, ValueError
        As in `betti_error`.

    Examples
    --------
    >>> pixel_accuracy([[1, 1, 0, 0]], [[1, 0, 0, 0]])
    0.75
    """
    first, second = _masks(prediction, target)
    return float(np.mean(first == second))


def dice(prediction: ArrayLike, target: ArrayLike) -> float:
    """Return the Dice coefficient: twice the common foreground over the sum of both.

    Parameters
    ----------
    prediction, target : array_like, (H, W) or (D, H, W)
        Booleans, or 0 and one other value; one shape.

    Returns
    -------
    float
        0 to 1; 1 if neither has foreground.

    Raises
    ------
    TypeError, ValueError
        As in `betti_error`.

    References
    ----------
    Dice (1945), "Measures of the amount of ecologic association between species".

    Examples
    --------
    >>> dice([[1, 1, 1, 0]], [[1, 0, 0, 0]])
    0.5
    """
    first, second = _masks(prediction, target)
    both = int(np.count_nonzero(first & second))
    either = int(np.count_nonzero(first)) + int(np.count_nonzero(second))
    return 2 * both / either if either else 1.0


# ---- segments: what two label images share --------------------------------------------------


@dataclass(frozen=True)
class VariationOfInformation:
    """What one segmentation leaves open about the other.

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
    """How well two segmentations agree on which pixels belong together.

    Attributes
    ----------
    error : float
        1 - F, F the harmonic mean of precision and recall.
    precision : float
        Of the pairs of pixels that the prediction puts together, the fraction that the
        target does: falls with every merge.
    recall : float
        Of the pairs that the target puts together, the fraction that the prediction does:
        falls with every split.
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
        round, and a membrane that holds over corners separates.

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
    check_construction(construction)
    labels = np.empty(mask.shape, np.int32)
    ndimage.label(~mask, neighbours(mask.ndim, construction)[1], output=labels)
    return labels


def variation_of_information(
    prediction: ArrayLike,
    target: ArrayLike,
    *,
    ignore_background: bool = True,
    background: int | Iterable[int] | None = None,
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
        raise ValueError(f'unit is {unit!r}; wanted "bits" or "nats"')
    table = _overlap(prediction, target, ignore_background, background)
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
) -> AdaptedRandError:
    """Compute the adapted Rand error: over all pairs of pixels, 1 - F.

    Parameters
    ----------
    prediction, target, ignore_background, background
        As in `variation_of_information`.

    Returns
    -------
    AdaptedRandError
        The error is that of ``skimage.metrics.adapted_rand_error(target, prediction)``.
        Where no pixels are put together, precision or recall is 1.

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
    Two of the six pairs that belong together are found, and nothing is merged:

    >>> adapted_rand_error([[1, 1, 2, 2]], [[5, 5, 5, 5]])
    AdaptedRandError(error=0.5, precision=1.0, recall=0.3333333333333333)
    """
    table = _overlap(prediction, target, ignore_background, background)
    # A segment of n pixels has n (n - 1) / 2 pairs; a segment appears once for each of its
    # overlaps, each with its own part of the pairs.
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
    """The pairs of labels that share pixels, one entry a pair.

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
) -> _Overlap:
    _check_bool("ignore_background", ignore_background)
    if background is not None and not ignore_background:
        raise ValueError("background is given, and ignore_background=False; wanted one of them")
    named = BACKGROUND if background is None else checked_background(background)
    first, second = _labels(prediction, "prediction"), _labels(target, "target")
    _check_shapes(first, second)
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
                f"target is {what} everywhere, and no pixel is left to compare; wanted "
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


# ---- what comes in --------------------------------------------------------------------------


def _masks(
    prediction: ArrayLike, target: ArrayLike
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    first, second = checked_mask(prediction, "prediction"), checked_mask(target, "target")
    _check_shapes(first, second)
    return first, second


def checked_mask(mask: ArrayLike, name: str = "mask") -> NDArray[np.bool_]:
    """Return a mask as booleans, or say what is wrong with it."""
    values = _array(mask, name)
    if values.dtype.kind not in "biuf":
        raise TypeError(f"{name} has dtype {values.dtype}; wanted booleans, or 0 and 1")
    found = mask_of(values, name, ADVICE)
    warn_of(found.notes, name, stacklevel=4)
    return found.array


def _labels(labels: ArrayLike, name: str) -> NDArray:
    """Return a label image, or say what is wrong with it."""
    values = _array(labels, name)
    if values.dtype.kind not in "biu":
        raise TypeError(
            f"{name} has dtype {values.dtype}; wanted labels of integers or booleans (for "
            "the cells between membranes: pytopo.metrics.segments)"
        )
    return values


def _array(image: ArrayLike, name: str) -> NDArray:
    if np.ma.is_masked(image):
        raise TypeError(f"{name} has masked pixels; fill them first, e.g. {name}.filled(0)")
    values = np.asarray(image)
    if values.ndim not in (2, 3):
        raise ValueError(
            f"{name} has shape {values.shape}, {values.ndim} axes; wanted (H, W) or (D, H, W)"
        )
    if values.size == 0:
        raise ValueError(f"{name} has shape {values.shape} and no pixel; wanted at least one")
    return values


def _check_shapes(prediction: NDArray, target: NDArray) -> None:
    if prediction.shape != target.shape:
        raise ValueError(
            f"prediction has shape {prediction.shape}, target {target.shape}; wanted the same"
        )


def check_construction(construction: str) -> None:
    """Refuse what is neither V nor T."""
    if construction not in ("V", "T"):
        raise ValueError(f'construction is {construction!r}; wanted "V" or "T"')


def check_count(name: str, value: int, least: int) -> None:
    """Refuse what is no whole number, or too small a one."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, Integral):
        raise TypeError(f"{name} is {value!r}; wanted a whole number")
    if value < least:
        raise ValueError(f"{name} is {value}; wanted at least {least}")


def _check_options(construction: str, frame: bool) -> None:
    check_construction(construction)
    _check_bool("frame", frame)


def _check_bool(name: str, value: bool) -> None:
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name} is {value!r}; wanted True or False")
