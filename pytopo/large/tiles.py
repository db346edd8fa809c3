"""A tile: what is finished inside it, and what it has to tell its neighbours.

    values of a tile -> keys, with what lies around it -> extrema and merge events
                     -> Kruskal -> finished pairs -> points
                                -> Region: open branches, faces

A *region* is a box of pixels with the graph of all edges between them.  Tiles are disjoint
boxes; between two neighbours lies the *seam*, the two facing lines (in volumes: planes), which
has the edges that lead across:

    . . . . | . . . .
    . tile  | tile  .      seam: the two columns beside the line.  Every edge of the image is
    . . . . | . . . .      in some region, and regions have only pixels in common

What lies beyond a shared side is unknown there: for components it never comes, and for holes
and voids it is there from the start, which in the sweep of what is *not* there is the same.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pytopo.kernels.gather import taken
from pytopo.kernels.merge_pairs import component_pairs, hole_pairs, note_deaths
from pytopo.kernels.open_branches import events_before, merge_part
from pytopo.kernels.v_paths import UNKNOWN
from pytopo.large.ages import FIRST, Box, Points, Sweep
from pytopo.large.pixels import Pixels
from pytopo.large.places import Pairs, Place, points_of_pairs
from pytopo.large.sides import fill_beyond, keys_with_margin, met_pixels
from pytopo.morse.merges import Voxels
from pytopo.morse.workspace import Workspace, workspace


class Branches(NamedTuple):
    """The open part of a merge tree, as triplets in the order of the sweep.

    Attributes
    ----------
    key, pixel : (n + 1,) int64
        Ages of the extrema at which the branches start; the last one is the root.
    death_key, death_pixel : (n,) int64
        Ages of the saddles at which they end.
    elder : (n,) int32
        Numbers of the branches that they end in.
    """

    key: NDArray[np.int64]
    pixel: NDArray[np.int64]
    death_key: NDArray[np.int64]
    death_pixel: NDArray[np.int64]
    elder: NDArray[np.int32]


class Region(NamedTuple):
    """A box of pixels, as far as its neighbours have to know it.

    Attributes
    ----------
    box : Box
    faces : tuple of ndarray or None
        Values of the first and of the last line (plane) along each axis; None where the image
        ends.
    branches : tuple of Branches
        One for each dimension.
    ends : tuple of 2 numbers
        Values of the earliest and of the latest pixel.
    """

    box: Box
    faces: tuple[NDArray | None, ...]
    branches: tuple[Branches, ...]
    ends: tuple[Any, Any]

    @property
    def nbytes(self) -> int:
        """How many bytes its arrays take: what moves if another worker merges it."""
        arrays = [array for branches in self.branches for array in branches]
        return sum(array.nbytes for array in [*arrays, *self.faces] if array is not None)


def region_of_tile(
    values: NDArray, corner: Sequence[int], sweep: Sweep
) -> tuple[Region, Points]:
    """Return what a tile has to tell its neighbours, and the points that are finished in it.

    Parameters
    ----------
    values : (h, w) or (d, h, w) ndarray
        No side of it 0.
    corner : sequence of int
        Its first pixel in the image.
    sweep : Sweep

    Raises
    ------
    ValueError
        If a value is NaN; says where in the image.
    """
    values = np.ascontiguousarray(values)
    _check_values(values, corner, sweep)
    if values.dtype.kind == "b":
        values = values.view(np.uint8)
    box = tuple((c, c + n) for c, n in zip(corner, values.shape))
    shared = shared_sides(box, sweep.shape)
    branches, points = branches_of_box(values, box, shared, shared, sweep)
    faces = []
    for side, is_shared in enumerate(shared):
        line = values.take(-(side % 2), side // 2)  # a copy: a view would keep the tile alive
        faces.append(line if is_shared else None)
    low, high = values.min().item(), values.max().item()
    ends = (high, low) if sweep.superlevel else (low, high)
    return Region(box, tuple(faces), tuple(branches), ends), points


def _check_values(values: NDArray, corner: Sequence[int], sweep: Sweep) -> None:
    if values.dtype != sweep.dtype:
        raise TypeError(f"a tile has dtype {values.dtype}; expected {sweep.dtype}")
    if values.dtype.kind == "f" and np.isnan(values.max()):
        where = np.unravel_index(np.isnan(values).argmax(), values.shape)
        place = ", ".join(str(int(c + i)) for c, i in zip(corner, where))
        raise ValueError(f"image[{place}] is NaN; a filtration needs ordered values")


def shared_sides(box: Box, shape: tuple[int, ...]) -> tuple[bool, ...]:
    """Tell at which sides of a box the image goes on: two sides an axis.

    Examples
    --------
    >>> shared_sides(((0, 2), (3, 5)), (4, 5))
    (False, True, True, False)
    """
    return tuple(
        beyond for (start, stop), n in zip(box, shape) for beyond in (start > 0, stop < n)
    )


def branches_of_box(
    values: NDArray, box: Box, shared: Sequence[bool], met: Sequence[bool], sweep: Sweep
) -> tuple[list[Branches], Points]:
    """Return the open branches of a box, for each dimension, and the points that it finishes.

    Parameters
    ----------
    values : ndarray
    box : Box
    shared : sequence of bool
        The sides beyond which there are pixels; beyond the others is the frame, if there is
        one, and the exterior.
    met : sequence of bool
        The sides at which other regions are met.  All that are shared, but in a seam only
        the two long ones: its ends are the business of the regions that it connects.
    sweep : Sweep
    """
    branches, pairs, settled = [], [], None
    with workspace() as space:
        keys, offset = keys_with_margin(values, shared, sweep, space)
        place = Place(values, box, keys.shape, offset, sweep)
        for dim in sweep.dims:
            fill_beyond(keys, shared, dim)
            with space.lent():
                kept, finished, settled = _of_dim(
                    keys, dim, met, not any(shared), settled, place, space
                )
            branches.append(kept)
            pairs.append(finished)
    # A point takes four times the memory of a pair, so it waits until all else is gone.
    return branches, points_of_pairs(pairs, place)


class _Settled(NamedTuple):
    """Merge events of components, and who dies at each for certain; -1 for nobody."""

    saddle: NDArray[np.int32]
    younger: NDArray[np.int32]


class _Open(NamedTuple):
    """What stays open, as `pytopo.kernels.open_branches.merge_part` returns it."""

    event: NDArray[np.int32]
    younger: NDArray[np.int32]
    elder: NDArray[np.int32]
    last: int


def _of_dim(
    keys: NDArray[np.signedinteger],
    dim: int,
    met: Sequence[bool],
    is_whole: bool,
    settled: _Settled | None,
    place: Place,
    space: Workspace,
) -> tuple[Branches, Pairs, _Settled]:
    """Return the open branches of one dimension, its finished pairs, and who dies where.

    ``settled`` is what the call for components returned, if there was one: of an image it says
    which saddles may create holes.
    """
    swept: Pixels | Voxels
    if keys.ndim == 3:
        swept = Voxels(keys, len(keys) - 1, place.sweep.construction, space)
        merges = swept.merges(dim)
    else:
        swept = Pixels(keys, len(keys) - 1, place.sweep.construction, space)
        merges = swept.merges(dim, swept.loops_left(*settled) if settled else None)
    extremum, flat = swept.extrema(dim), keys.reshape(-1)
    info = np.iinfo(keys.dtype)
    key = np.append(taken(flat, extremum), info.max if dim else info.min)
    other, other_end, is_met = met_pixels(keys, dim, met, merges, extremum)
    before = events_before(merges.order, merges.saddle, other, flat, merges.flip)
    younger_at = np.empty(merges.saddle.size, np.int32)
    left = _Open(
        *merge_part(
            merges.order, merges.ends, key, merges.flip, is_met, before, other_end, younger_at
        )
    )
    now_settled = _Settled(merges.saddle, younger_at)
    survivor = left.last if dim == 0 and is_whole else None
    pairs = _certain_pairs(dim, extremum, now_settled, survivor, flat)
    return _open_branches(dim, left, extremum, merges.saddle, other, place), pairs, now_settled


def _certain_pairs(
    dim: int,
    extremum: NDArray[np.int32],
    settled: _Settled,
    survivor: int | None,
    keys: NDArray[np.signedinteger],
) -> Pairs:
    """Return the extrema whose components die for certain, or never: the survivor's."""
    if dim > 0:
        saddle, node = hole_pairs(extremum, *settled, keys).T
    else:
        death = np.full(extremum.size, UNKNOWN, np.int32)
        note_deaths(*settled, death)
        is_known = death != UNKNOWN
        if survivor is not None:
            is_known[survivor] = True
        node, saddle = component_pairs(extremum[is_known], death[is_known], keys).T
    return Pairs(dim, np.ascontiguousarray(node), np.ascontiguousarray(saddle))


def _open_branches(
    dim: int,
    left: _Open,
    extremum: NDArray[np.int32],
    saddle: NDArray[np.int32],
    other: NDArray[np.int32],
    place: Place,
) -> Branches:
    """Return what stays open, by ages instead of numbers.

    ``other`` are the met pixels that are no extrema: branches that end where they start.
    """
    # A branch has the number of the event that it ends with; the root comes behind them all.
    is_merge = left.event >= 0
    number = np.full(extremum.size + 1, UNKNOWN, np.int32)
    number[left.younger[is_merge]] = np.flatnonzero(is_merge)
    number[left.last] = left.event.size
    death = np.empty(left.event.size, np.int32)
    death[is_merge] = saddle[left.event[is_merge]]
    death[~is_merge] = other[-1 - left.event[~is_merge]]
    start = np.append(death, np.int32(0))
    start[:-1][is_merge] = extremum[left.younger[is_merge]]
    exterior_is_root = left.last == extremum.size
    start[-1] = 0 if exterior_is_root else extremum[left.last]
    own, ends = place.ages(start, dim), place.ages(death, dim)
    if exterior_is_root:
        own.key[-1] = own.pixel[-1] = FIRST
    return Branches(*own, *ends, number[left.elder])
