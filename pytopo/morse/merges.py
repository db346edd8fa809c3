"""How components merge, and the components of what is *not* there yet: extrema and saddles.

    volume -> lower links -> extrema   where components start
                             merges    which of them each saddle would merge

The same for what is there and for its complement, and for both constructions, so that
`pytopo.morse.image_pairs` need not tell them apart.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pytopo.kernels import sweep_3d
from pytopo.kernels.gather import taken
from pytopo.kernels.links_3d import lower_links
from pytopo.kernels.passengers import extrema_reached_3d
from pytopo.kernels.sorting import sorted_order
from pytopo.morse import links_3d
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
