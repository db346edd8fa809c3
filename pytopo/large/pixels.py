"""How components of a tile merge, and those of what is *not* there yet, in images.

    keys, with what lies around them -> earlier neighbours -> extrema, merge events

As `pytopo.morse.merges.Voxels` for volumes.  An image that is swept as a whole needs no such
steps one by one: `pytopo.morse.pairs_2d`.
"""

import numpy as np
from numpy.typing import NDArray

from pytopo.kernels.gather import taken
from pytopo.kernels.links_2d import earlier_neighbours
from pytopo.kernels.passengers import extrema_reached_2d
from pytopo.kernels.sorting import sorted_order
from pytopo.kernels.sweep_2d import (
    closing_loops,
    extrema,
    joined_extrema,
    number_extrema,
    off_the_sides,
    saddles,
    saddles_of_sides,
)
from pytopo.morse.merges import Merges
from pytopo.morse.pairs_2d import arcs_of
from pytopo.morse.workspace import Workspace


class Pixels:
    """Images on top of each other, construction V or T.

    Parameters
    ----------
    keys : (H, W) int32 or int64
        As `pytopo.kernels.links_2d.earlier_neighbours` takes them.
    stride : int
    construction : {"V", "T"}
    space : Workspace
    """

    def __init__(self, keys: NDArray, stride: int, construction: str, space: Workspace) -> None:
        self.keys, self.stride, self.construction = keys, stride, construction
        self._earlier = space.empty(keys.shape, np.uint8)
        self._root = space.empty(keys.shape, np.int32)
        self._extrema: dict[int, NDArray[np.int32]] = {}
        earlier_neighbours(keys, stride, 0, len(keys), self._earlier)

    def extrema(self, dim: int) -> NDArray[np.int32]:
        """Return the minima (dim 0), where components start, or the maxima, where holes end."""
        if dim not in self._extrema:
            arcs = arcs_of(self.construction, self.keys.shape[1])
            flip, reach = arcs.flip[dim], arcs.reach[dim]
            self._extrema[dim] = extrema(self._earlier, 0, len(self.keys), flip, reach)
        return self._extrema[dim]

    def loops_left(
        self, saddle: NDArray[np.int32], younger: NDArray[np.int32]
    ) -> NDArray[np.int32]:
        """Return the merge events that may create holes, once it is known who dies at which.

        At the sides of a part of an image the two sweeps see different neighbours, so there
        all are listed anew.
        """
        arcs = arcs_of(self.construction, self.keys.shape[1])
        inside = off_the_sides(closing_loops(saddle, younger), *self.keys.shape)
        at_sides = saddles_of_sides(self._earlier, arcs.through_sides)
        return np.sort(np.concatenate([inside, at_sides]))

    def merges(self, dim: int, saddle: NDArray[np.int32] | None = None) -> Merges:
        """Return how components merge (dim 0), or those of the complement (dim 1).

        Once for each image: what is returned uses room that it has once.  ``saddle`` lists
        the merge events to look at, if not all.
        """
        arcs = arcs_of(self.construction, self.keys.shape[1])
        flip, onward, across = arcs.flip[dim], arcs.onward[dim], arcs.across[dim]
        height, flat = len(self.keys), self._earlier.reshape(-1)
        extremum = self.extrema(dim)
        number_extrema(extremum, 0, extremum.size, self.stride, 0, height, self._root)
        root = self._root.reshape(-1)
        if saddle is None:
            saddle = saddles(self._earlier, 0, height, arcs.through_sides)
        ends = joined_extrema(saddle, flat, onward, across, root)
        order = sorted_order(taken(self.keys.reshape(-1), saddle))
        return Merges(
            int(flip),
            extremum.size,
            saddle,
            order,
            ends,
            lambda pixel: extrema_reached_2d(pixel, flat, onward, root),
        )
