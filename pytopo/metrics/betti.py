"""Betti numbers of masks, and how much those of two masks differ.

Betti numbers of a mask need no persistence: components are labelled, voids are labelled in the
background, and tunnels or holes follow from the Euler number, which is counted.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from pytopo.metrics.euler import euler_number, framed
from pytopo.metrics.inputs import checked_mask, checked_masks
from pytopo.options import checked_construction, flag, whole_number


@dataclass(frozen=True)
class BettiError:
    """How much the Betti numbers of two masks differ.

    Attributes
    ----------
    per_dim : tuple of float
        Absolute difference in each dimension, or its mean over several pairs of masks.
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
        Booleans, or 0 and one other value, of any dtype.
    construction : {"V", "T"}
        V: the foreground is connected over sides (4, in 3D 6 neighbours), the background
        over corners too (8, 26).  T: the other way round.
    frame : bool
        Pad the mask by one layer of foreground, which closes what leaves the image.

    Returns
    -------
    tuple of int
        One number per dimension, those of ``Diagram.betti(0.5)`` of the mask, superlevel.

    Raises
    ------
    TypeError
        If the mask is not made of booleans or numbers, or ``frame`` is not a bool.
    ValueError
        If it has two values other than 0, does not have 2 or 3 axes, or has no pixel; if the
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
    checked_construction(construction)
    flag(frame, "frame")
    return _betti_numbers(checked, construction, frame)


def betti_error(
    prediction: ArrayLike,
    target: ArrayLike,
    *,
    construction: str = "V",
    frame: bool = False,
    ignore: ArrayLike | None = None,
    ignore_index: int | None = None,
) -> BettiError:
    """Compare the Betti numbers of two masks.

    Parameters
    ----------
    prediction, target : array_like, (H, W) or (D, H, W)
        Booleans, or 0 and one other value; one shape.
    construction, frame
        As in `betti_numbers`.
    ignore : array_like of bool, or None
        True where there is no ground truth: such pixels are background in both masks, or
        foreground with a frame.
    ignore_index : int or None
        The value of ``target`` that means the same.

    Raises
    ------
    TypeError, ValueError
        As in `betti_numbers`; ValueError if the shapes differ.

    Examples
    --------
    >>> two_holes = np.array([[1, 1, 1, 1, 1], [1, 0, 1, 0, 1], [1, 1, 1, 1, 1]])
    >>> betti_error(two_holes, np.ones((3, 5)))
    BettiError(per_dim=(0.0, 2.0))
    >>> betti_error(two_holes, np.ones((3, 5)), ignore=two_holes == 0)
    BettiError(per_dim=(0.0, 0.0))
    """
    masks = checked_masks(prediction, target, ignore, ignore_index)
    checked_construction(construction)
    first, second = masks.filled(flag(frame, "frame"))
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
    ignore: ArrayLike | None = None,
    ignore_index: int | None = None,
) -> BettiError:
    """Compare the Betti numbers of random patches, the same in both masks, and take the mean.

    Over a whole image errors of opposite sign cancel: an additional hole here and a missing
    one there.  In patches they add up.

    Parameters
    ----------
    prediction, target : array_like, (H, W) or (D, H, W)
        Booleans, or 0 and one other value; one shape.
    size : int
        Side of the patches, of cubes in 3D; the whole axis where the mask is shorter.
    patches : int
        How many; their places are uniformly distributed and may overlap.
    seed : int
        For the places of the patches.
    construction : {"V", "T"}
        As in `betti_numbers`.
    frame : bool
        Pad each patch by one layer of foreground, "a black frame" in the paper.
    ignore, ignore_index
        As in `betti_error`.

    Raises
    ------
    TypeError, ValueError
        As in `betti_error`; also if size or patches is not a whole number of at least 1, or
        seed not one of at least 0.

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
    masks = checked_masks(prediction, target, ignore, ignore_index)
    checked_construction(construction)
    first, second = masks.filled(flag(frame, "frame"))
    size, patches = whole_number(size, "size", 1), whole_number(patches, "patches", 1)
    seed = whole_number(seed, "seed")
    shape = np.array(patch_shape(first.shape, size))
    random = np.random.default_rng(seed)
    corners = random.integers(0, first.shape - shape + 1, (patches, first.ndim))
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
    mask = framed(mask) if frame else mask
    foreground, background = neighbours(mask.ndim, construction)
    components = ndimage.label(mask, foreground)[1]
    # The Euler number is the alternating sum of the Betti numbers: solve it for dimension 1.
    euler = euler_number(mask, construction)
    if mask.ndim == 2:
        return components, components - euler
    exterior = np.pad(~mask, 1, constant_values=True)  # connected, and itself not a void
    voids = ndimage.label(exterior, background)[1] - 1
    return components, components + voids - euler, voids


def neighbours(ndim: int, construction: str) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which neighbours are connected to a pixel, in foreground and in background."""
    sides = ndimage.generate_binary_structure(ndim, 1)
    corners = ndimage.generate_binary_structure(ndim, ndim)
    return (sides, corners) if construction == "V" else (corners, sides)
