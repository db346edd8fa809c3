"""How components merge, and the components of what is *not* there yet: extrema and saddles.

    image -> neighbours that come before -> extrema   where components start
                                            merges    which of them each saddle would merge

The same for images and for volumes, and for what is there and its complement, so that
`pytopo.morse.image_pairs` need not tell them apart.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pytopo.kernels import sweep_3d
from pytopo.kernels.gather import taken
from pytopo.kernels.links_2d import earlier_neighbours
from pytopo.kernels.links_3d import lower_links
from pytopo.kernels.passengers import extrema_reached_2d, extrema_reached_3d
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
from pytopo.morse import links_3d
from pytopo.morse.pairs_2d import arcs_of
from pytopo.morse.pairs_3d import side_of
from pytopo.morse.workspace import Workspace


class Merges(NamedTuple):
    """What merges: components in ascending order of the saddles, or the complement, descending.

    Attributes
    ----------
    flip : int
        0 for components, otherwise not.
    n : int
        How many extrema there are; n itself is the exterior.
    saddle : (n_events,) int32
        Flat index of the saddle of each merge event; those of one saddle follow each other.
    order : (n_order,) int32
        Numbers of merge events, by ascending saddle.
    ends : (n_events, 2) int32
        The extrema whose components each would merge.
    reached : function
        (m,) int32 flat indices to the numbers of the extrema in whose components they are.
    """

    flip: int
    n: int
    saddle: NDArray[np.int32]
    order: NDArray[np.int32]
    ends: NDArray[np.int32]
    reached: Callable[[NDArray[np.int32]], NDArray[np.int32]]


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


class Voxels:
    """Volumes on top of each other, construction V or T.

    T is V turned around, as `pytopo.morse.pairs_3d` explains: what is found there is turned
    back, so that dimensions, indices and the direction of the sweep are those of the volumes.

    Parameters
    ----------
    keys : (D, H, W) int32 or int64
        As `pytopo.kernels.links_3d.lower_links` takes them.
    stride : int
    construction : {"V", "T"}
    space : Workspace
    """

    def __init__(self, keys: NDArray, stride: int, construction: str, space: Workspace) -> None:
        self.keys, self.stride, self.turned = keys, stride, construction == "T"
        turned = np.ascontiguousarray(~keys[::-1, ::-1, ::-1]) if self.turned else keys
        self._turned_keys = turned
        self._links = space.full(keys.shape, 0, np.uint32)
        self._root = space.empty(keys.shape, np.int32)
        lower_links(turned, stride, 0, len(keys), self._links)

    def extrema(self, dim: int) -> NDArray[np.int32]:
        """Return the minima (dim 0), where components start, or the maxima, where voids end."""
        extremum = self._extrema_and_merges(dim)[0]
        return self._index(extremum)[::-1].copy() if self.turned else extremum

    def merges(self, dim: int) -> Merges:
        """Return how components merge (dim 0), or those of the complement (dim 2), once."""
        side, links = side_of(2 - dim if self.turned else dim), self._links.reshape(-1)
        steps = links_3d.offsets() @ np.array([self.keys[0].size, self.keys.shape[2], 1])
        extremum, saddle, representative = self._extrema_and_merges(dim)
        sweep_3d.number_extrema(extremum, self.stride, self._root)
        root = self._root.reshape(-1)
        reading = side.flip, side.shift, side.representatives
        ends = sweep_3d.joined_extrema(
            saddle, representative, links, *reading, side.members, steps, root
        )
        open_ = np.flatnonzero(ends[:, 0] != ends[:, 1]).astype(np.int32)
        order = open_[sorted_order(taken(self._turned_keys.reshape(-1), saddle[open_]))]
        n = extremum.size

        def number(turned: NDArray[np.int32]) -> NDArray[np.int32]:
            return np.where(turned < n, n - 1 - turned, n).astype(np.int32)

        def reached(voxel: NDArray[np.int32]) -> NDArray[np.int32]:
            found = extrema_reached_3d(self._index(voxel), links, side.flip, steps, root)
            return number(found) if self.turned else found

        if self.turned:
            flip = 0 if side.flip else 255
            saddle, order, ends = self._index(saddle), order[::-1].copy(), number(ends)
            return Merges(flip, n, saddle, order, ends, reached)
        return Merges(side.flip, n, saddle, order, ends, reached)

    def _extrema_and_merges(self, dim: int) -> tuple[NDArray, NDArray, NDArray]:
        side = side_of(2 - dim if self.turned else dim)
        return sweep_3d.extrema_and_merges(
            self._links,
            self.stride,
            0,
            len(self._links),
            side.flip,
            side.shift,
            side.representatives,
        )

    def _index(self, voxel: NDArray[np.int32]) -> NDArray[np.int32]:
        """Turn indices around, there or back."""
        return np.int32(self.keys.size - 1) - voxel if self.turned else voxel


Swept = Pixels | Voxels
