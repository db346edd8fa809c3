"""Where the pixels of a tile are in the image, and so what its pairs are as points.

pairs of a tile: flat indices into its array of keys    8 bytes a pair
-> ages -> points: values, pixels of the image         33 bytes a point
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pytopo.kernels.open_branches import places_in_image
from pytopo.kernels.v_paths import UNKNOWN
from pytopo.large.ages import (
    LAST,
    Ages,
    Box,
    Points,
    Sweep,
    frame_place,
    index_in_frame,
    joined,
    keys_of,
    points_of,
)

TOGETHER = 2**16  # pairs that become points at a time


class Place(NamedTuple):
    """Where the pixels of a box are in the image, and what their values are.

    Attributes
    ----------
    values : ndarray
    box : Box
    array : tuple of int
        Shape of the array of keys, which has a margin.
    offset : tuple of int
        Where in it the first pixel lies.
    sweep : Sweep
    """

    values: NDArray
    box: Box
    array: tuple[int, ...]
    offset: tuple[int, ...]
    sweep: Sweep

    def ages(self, index: NDArray[np.int32], dim: int) -> Ages:
        """Return the ages of some pixels of the array of keys; inverted unless dim is 0."""
        ones = (1,) * (3 - len(self.array))
        zeros = (0,) * (3 - len(self.array))
        local, pixel = places_in_image(
            index,
            ones + self.array,
            zeros + self.offset,
            ones + self.values.shape,
            zeros + tuple(start for start, _ in self.box),
            ones + self.sweep.shape,
        )
        key = keys_of(self.values.reshape(-1)[local], self.sweep.superlevel)
        if self.sweep.frame is not None:
            in_frame = pixel < 0
            key[in_frame] = frame_place(self.sweep).key
            pixel[in_frame] = index_in_frame(pixel[in_frame], self.sweep)
        return Ages(~key, ~pixel) if dim else Ages(key, pixel)


class Pairs(NamedTuple):
    """Pairs that a tile has finished, as flat indices into its array of keys.

    Attributes
    ----------
    dim : int
    node, saddle : (n,) int32
        Extrema, and where their components end; -1 for never.
    """

    dim: int
    node: NDArray[np.int32]
    saddle: NDArray[np.int32]


def points_of_pairs(pairs: Sequence[Pairs], place: Place) -> Points:
    """Return pairs as points, without those that `pytopo.large.ages.points_of` leaves out."""
    n = sum(some.node.size for some in pairs)
    columns = Points(*(np.empty(n, column.dtype) for column in joined([], place.sweep)))
    stop = 0
    for dim, node, saddle in pairs:
        for start in range(0, node.size, TOGETHER):
            some = slice(start, start + TOGETHER)
            ends = _ends(node[some], saddle[some], dim, place)
            found = points_of(dim, place.ages(node[some], dim), ends, place.sweep)
            rows = slice(stop, stop + found.dim.size)
            for name in Points._fields:
                getattr(columns, name)[rows] = getattr(found, name)
            stop = rows.stop
    for column in columns:
        column.resize(stop, refcheck=False)  # where it is: a copy would take as much again
    return columns


def _ends(node: NDArray[np.int32], saddle: NDArray[np.int32], dim: int, place: Place) -> Ages:
    never = saddle == UNKNOWN
    ends = place.ages(np.where(never, node, saddle), dim)
    ends.key[never] = ends.pixel[never] = LAST
    return ends
