"""Critical cells of a volume: minima, merge events, and the squares that fill tunnels.

    keys -> lower links -> extrema and merge events -> those that merge nothing:
                           of components                creator edges
                           of the complement            destroyer squares

What `pytopo.morse.pairs_3d` computes on its way to pairs, kept for `pytopo.morse.cylinder`,
where two volumes are joined.
"""

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from pytopo.kernels.gather import taken
from pytopo.kernels.kruskal import merge
from pytopo.kernels.links_3d import lower_links
from pytopo.kernels.morse_boundary import Stars, outlines_of_squares
from pytopo.kernels.sorting import sorted_order
from pytopo.kernels.sweep_3d import extrema_and_merges, joined_extrema, number_extrema
from pytopo.kernels.tunnels import note_creators
from pytopo.kernels.v_paths import UNKNOWN
from pytopo.morse import links_3d
from pytopo.morse.pairs_3d import MOST_STEPS, STEPS_ON_PLATEAUS, side_of


class Volume:
    """Critical cells of volumes on top of each other, construction V."""

    def __init__(self, keys: NDArray[np.signedinteger], stride: int) -> None:
        self.shape, self.stride = keys.shape, stride
        self.keys = keys.reshape(-1).astype(np.int64, copy=False)
        links = np.zeros(keys.shape, np.uint32)
        lower_links(keys, stride, 0, len(keys), links)
        self._links, self.links = links, links.reshape(-1)
        self.steps = links_3d.offsets() @ np.array([keys[0].size, keys.shape[2], 1])

        swept = self._sweep(0)
        self.minimum, self.saddle, self.representative, self.ends, self.root, younger = swept
        self.creates = younger == UNKNOWN

    @cached_property
    def most_steps(self) -> int:
        """How far paths are pushed down at once: on plateaus, as in masks, a few steps only."""
        some = self.keys.reshape(self.shape)[1:-1:4, 1:-1, 1:-1]
        alike = np.count_nonzero(some[..., 1:] == some[..., :-1])
        return STEPS_ON_PLATEAUS if 4 * alike > 3 * some.size else MOST_STEPS

    @cached_property
    def squares(self) -> tuple[NDArray[np.int32], NDArray[np.int16]]:
        """The voxels of destroyer squares, ascending, and their outlines."""
        _, saddle, representative, _, _, younger = self._sweep(2)
        destroys = younger == UNKNOWN
        square = saddle[destroys]
        outline = outlines_of_squares(
            square,
            representative[destroys],
            self.links,
            links_3d.octant_components(),
            links_3d.edges_of_octants(),
        )
        return square, outline

    def _sweep(self, dim: int) -> tuple[NDArray, ...]:
        """Find extrema and merge events, and which extremum each event ends."""
        side = side_of(dim)
        reading = side.flip, side.shift, side.representatives
        extremum, saddle, representative = extrema_and_merges(
            self._links, self.stride, 0, len(self._links), *reading
        )
        root_3d = np.empty(self.shape, np.int32)
        number_extrema(extremum, self.stride, root_3d)
        root = root_3d.reshape(-1)
        ends = joined_extrema(
            saddle, representative, self.links, *reading, side.members, self.steps, root
        )
        younger = merged(ends, taken(self.keys, saddle), taken(self.keys, extremum), side.flip)
        return extremum, saddle, representative, ends, root, younger

    def stars(self, creates: NDArray[np.bool_]) -> tuple[Stars, int]:
        """Return what the stars decide, if some merge events create loops, and how many."""
        creators = np.zeros(self.keys.size, np.uint8)
        first_creator = np.empty(self.keys.size, np.int32)
        younger = np.where(creates, np.int32(UNKNOWN), np.int32(0))
        count = note_creators(
            self.saddle, self.representative, younger, creators, first_creator
        )
        stars = Stars(
            self.links,
            self.keys,
            creators,
            first_creator,
            links_3d.paths(),
            np.array(links_3d.EDGES),
            self.steps,
        )
        return stars, count


def merged(
    ends: NDArray[np.int32], when: NDArray, key: NDArray, flip: int
) -> NDArray[np.int32]:
    """Return which extremum each merge event ends, or UNKNOWN.

    Parameters
    ----------
    ends : (n, 2) int32
    when : (n,) ndarray
        Keys of the merge events, equal ones in the order of their numbers.
    key : (m,) ndarray
        Keys of the extrema; the exterior, number m, is the eldest.
    flip : int
    """
    info = np.iinfo(key.dtype)
    key = np.append(key, info.max if flip else info.min)
    younger = np.full(len(ends), UNKNOWN, np.int32)
    open_ = np.flatnonzero(ends[:, 0] != ends[:, 1]).astype(np.int32)
    order = open_[sorted_order(when[open_])]
    parent = np.arange(key.size, dtype=np.int32)
    merge(order, ends, key, flip, 0, key.size - 1, parent, younger)
    return younger
