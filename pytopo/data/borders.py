"""Membranes from ids of cells: the pixels near a border between two ids.

A pixel is *on a border* if one of its four neighbours in the section has another id, and it
is membrane if it is at most a given distance from such a pixel.  The CREMI challenge masks
borders in the same way.  With distance 0 a membrane is two pixels wide, one of each cell:

    ids          distance 0   distance 1
    1 1 1 2 2    . . # # .    . # # # #
    1 1 1 2 2    . . # # .    . # # # #

Pixels of background ids belong to no cell and are membrane too.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from pytopo.images.background import BACKGROUND, checked_background, is_background

UNITS = ("pixels", "nm")


def label_changes(ids: NDArray) -> NDArray[np.bool_]:
    """Return where one of the four neighbours has another id.

    Parameters
    ----------
    ids : (H, W) ndarray

    Returns
    -------
    changes : (H, W) bool

    Examples
    --------
    >>> label_changes(np.array([[1, 1, 1, 2, 2]])).astype(int)
    array([[0, 0, 1, 1, 0]])
    """
    changes = np.zeros(ids.shape, bool)
    below = ids[1:] != ids[:-1]
    beside = ids[:, 1:] != ids[:, :-1]
    changes[1:] |= below
    changes[:-1] |= below
    changes[:, 1:] |= beside
    changes[:, :-1] |= beside
    return changes


def border_mask(
    ids: NDArray, distance: float, spacing: tuple[float, float] = (1.0, 1.0)
) -> NDArray[np.bool_]:
    """Return the pixels that are at most a distance from a border between two ids.

    The rule is that of ``create_border_mask_2d`` in the scripts of the CREMI challenge.

    Parameters
    ----------
    ids : (H, W) ndarray
    distance : float
        Euclidean, at least 0.
    spacing : tuple of float
        Height and width of a pixel, in the unit of `distance`.

    Returns
    -------
    mask : (H, W) bool
        Nowhere true if all ids are the same.

    Examples
    --------
    >>> border_mask(np.array([[1, 1, 1, 1, 2, 2]]), 1).astype(int)
    array([[0, 0, 1, 1, 1, 1]])
    """
    changes = label_changes(ids)
    if distance == 0 or not changes.any():
        return changes
    return distance_transform_edt(~changes, sampling=spacing) <= distance


class Borders(NamedTuple):
    """How ids of cells become membranes.

    Attributes
    ----------
    distance : float or None
        From a pixel on a border, up to which pixels are membrane.  ``None``: only pixels of
        background ids are membrane.
    unit : {"pixels", "nm"}
        Of the distance.
    background : tuple of int
        Ids that mean no cell, see `pytopo.images.masks`.  By default 0 and 2**64 - 1.
    """

    distance: float | None = 1.0
    unit: str = "pixels"
    background: tuple[int, ...] = BACKGROUND

    def checked(self) -> "Borders":
        """Return the same options, once they are certain to be valid.

        Raises
        ------
        TypeError
            If ids of the background are not integers.
        ValueError
            If the distance is negative or not finite, or the unit is unknown.
        """
        if self.distance is not None and not 0 <= self.distance < math.inf:
            raise ValueError(
                f"border={self.distance}; expected a finite distance of at least 0, or None"
            )
        if self.unit not in UNITS:
            raise ValueError(f"border_unit={self.unit!r}; expected 'pixels' or 'nm'")
        return self._replace(background=checked_background(self.background))

    def margin(self, spacing: tuple[float, float]) -> tuple[int, int]:
        """Return how many rows and columns around a window its membranes depend on."""
        if self.distance is None:
            return 0, 0
        height, width = spacing
        return int(self.distance / height) + 1, int(self.distance / width) + 1

    def membranes(self, ids: NDArray, spacing: tuple[float, float]) -> NDArray[np.bool_]:
        """Return where ids (H, W) have membrane, as bool (H, W).

        Examples
        --------
        >>> ids = np.array([[1, 1, 1, 2, 2, 2, 2, 0]])
        >>> Borders(0).membranes(ids, (1, 1)).astype(int)
        array([[0, 0, 1, 1, 0, 0, 1, 1]])
        """
        if self.distance is None:
            mask = np.zeros(ids.shape, bool)
        else:
            mask = border_mask(ids, self.distance, spacing)
        return mask | is_background(ids, self.background)
