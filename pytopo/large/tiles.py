"""A tile: what is finished inside it, and what it has to tell its neighbours.

    values of a tile -> keys, with what lies around it -> extrema and merge events
                     -> Kruskal -> finished points
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
from pytopo.kernels.open_branches import events_before, merge_part, places_in_image
from pytopo.kernels.v_paths import UNKNOWN
from pytopo.large.ages import (
    FIRST,
    LAST,
    Ages,
    Points,
    Sweep,
    frame_place,
    index_in_frame,
    joined,
    keys_of,
    points_of,
)
from pytopo.large.pixels import Pixels
from pytopo.morse.merges import Merges, Voxels
from pytopo.morse.workspace import Workspace, workspace
from pytopo.order import fill_keys, key_dtype, make_room_for_frame

Box = tuple[tuple[int, int], ...]  # first and behind the last pixel, along each axis


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
    found = branches_of_box(values, box, shared, shared, sweep)
    faces = []
    for side, is_shared in enumerate(shared):
        line = values.take(-(side % 2), side // 2)  # a copy: a view would keep the tile alive
        faces.append(line if is_shared else None)
    low, high = values.min().item(), values.max().item()
    ends = (high, low) if sweep.superlevel else (low, high)
    region = Region(box, tuple(faces), tuple(branches for branches, _ in found), ends)
    return region, joined([points for _, points in found], sweep)


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
) -> list[tuple[Branches, Points]]:
    """Return the open branches and the finished points of a box, one for each dimension.

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
    with workspace() as space:
        keys, offset = _keys(values, shared, sweep, space)
        place = _Place(values, box, keys.shape, offset, sweep)
        found, settled = [], None
        for dim in sweep.dims:
            _fill_beyond(keys, shared, dim)
            swept: Pixels | Voxels
            if keys.ndim == 3:
                swept = Voxels(keys, len(keys) - 1, sweep.construction, space)
                merges = swept.merges(dim)
            else:
                swept = Pixels(keys, len(keys) - 1, sweep.construction, space)
                merges = swept.merges(dim, swept.loops_left(*settled) if settled else None)
            younger, open_branches, points = _branches(
                swept, merges, dim, met, not any(shared), place
            )
            settled = merges.saddle, younger
            found.append((open_branches, points))
    return found


# ---- keys ----------------------------------------------------------------------------------


def _keys(
    values: NDArray, shared: Sequence[bool], sweep: Sweep, space: Workspace
) -> tuple[NDArray[np.signedinteger], tuple[int, ...]]:
    """Return keys with a margin, and where in them the first pixel lies.

    The margin is one layer, and one more for the frame where the image ends.
    """
    layers = [1 + (sweep.frame is not None and not side) for side in shared]
    before, behind = layers[::2], layers[1::2]
    shape = tuple(n + b + a for n, b, a in zip(values.shape, before, behind))
    keys = space.empty(shape, key_dtype(values.dtype))
    own = keys[tuple(slice(b, b + n) for b, n in zip(before, values.shape))]
    planes, out = (a if a.ndim == 3 else a[np.newaxis] for a in (values, own))
    fill_keys(planes, sweep.superlevel, [None] * len(planes), out)
    if sweep.frame is not None:
        frame = sweep.frame
        if isinstance(frame, str):
            frame = (values.max() if sweep.superlevel else values.min()).item()
        key = make_room_for_frame(values, frame, sweep.superlevel, own)
        for side, is_shared in enumerate(shared):
            if not is_shared:
                keys[_layer(keys.ndim, side, 1)] = key
    return keys, tuple(before)


def _fill_beyond(keys: NDArray[np.signedinteger], shared: Sequence[bool], dim: int) -> None:
    """Write the outermost layer: the exterior, and what is unknown beyond shared sides."""
    info = np.iinfo(keys.dtype)
    unknown = info.min if dim else info.max
    for beyond, key in ((True, unknown), (False, info.max)):  # at corners the exterior wins
        for side, is_shared in enumerate(shared):
            if is_shared == beyond:
                keys[_layer(keys.ndim, side, 0)] = key


def _layer(ndim: int, side: int, depth: int) -> tuple[slice, ...]:
    """Return the index of a layer of an array: the outermost of a side, or further inside."""
    layer = [slice(None)] * ndim
    at = -1 - depth if side % 2 else depth
    layer[side // 2] = slice(at, at + 1 or None)
    return tuple(layer)


# ---- branches ------------------------------------------------------------------------------


def _branches(
    swept: Pixels | Voxels,
    merges: Merges,
    dim: int,
    met: Sequence[bool],
    is_whole: bool,
    place: "_Place",
) -> tuple[NDArray[np.int32], Branches, Points]:
    """Return who dies at each merge event, the open branches and the finished points."""
    extremum = swept.extrema(dim)
    keys = swept.keys.reshape(-1)
    info = np.iinfo(keys.dtype)
    key = np.append(taken(keys, extremum), info.max if dim else info.min)

    other, other_end, is_met = _met_pixels(swept.keys, dim, met, merges, extremum)
    before = events_before(merges.order, merges.saddle, other, keys, merges.flip)
    younger_at = np.empty(merges.saddle.size, np.int32)
    event, younger, elder, last = merge_part(
        merges.order, merges.ends, key, merges.flip, is_met, before, other_end, younger_at
    )
    node, saddle = _certain_pairs(dim, extremum, merges.saddle, younger_at, keys)
    points = points_of(dim, place.ages(node, dim), place.ages(saddle, dim), place.sweep)
    if dim == 0 and is_whole:
        essential = place.ages(extremum[last : last + 1], dim)
        never = Ages(*np.full((2, 1), LAST))
        points = joined([points, points_of(dim, essential, never, place.sweep)], place.sweep)

    # A branch has the number of the event that it ends with; the root comes behind them all.
    is_merge = event >= 0
    number = np.full(extremum.size + 1, UNKNOWN, np.int32)
    number[younger[is_merge]] = np.flatnonzero(is_merge)
    number[last] = event.size
    death = np.empty(event.size, np.int32)
    death[is_merge] = merges.saddle[event[is_merge]]
    death[~is_merge] = other[-1 - event[~is_merge]]
    start = np.append(death, np.int32(0))  # of a met pixel: itself
    start[:-1][is_merge] = extremum[younger[is_merge]]
    exterior_is_root = last == extremum.size
    start[-1] = 0 if exterior_is_root else extremum[last]
    own, ends = place.ages(start, dim), place.ages(death, dim)
    if exterior_is_root:
        own.key[-1] = own.pixel[-1] = FIRST
    return younger_at, Branches(*own, *ends, number[elder]), points


def _certain_pairs(
    dim: int,
    extremum: NDArray[np.int32],
    saddle: NDArray[np.int32],
    younger_at: NDArray[np.int32],
    keys: NDArray[np.signedinteger],
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return extrema and the saddles at which they die, of different keys, by birth pixel."""
    if dim > 0:
        saddle, extremum = hole_pairs(extremum, saddle, younger_at, keys).T
    else:
        death = np.full(extremum.size, UNKNOWN, np.int32)
        note_deaths(saddle, younger_at, death)
        dies = np.flatnonzero(death != UNKNOWN)
        extremum, saddle = component_pairs(extremum[dies], death[dies], keys).T
    return np.ascontiguousarray(extremum), np.ascontiguousarray(saddle)


def _met_pixels(
    keys: NDArray[np.signedinteger],
    dim: int,
    met: Sequence[bool],
    merges: Merges,
    extremum: NDArray[np.int32],
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.bool_]]:
    """Return the pixels at which other regions are met.

    Of the pixels of a side only those count that come before their neighbours *on that side*
    (for holes and voids, after them): at all others both regions have the edge to such a
    neighbour, and are connected there already.

    Returns
    -------
    other, end : (k,) int32
        Those that are no extrema, in the order of the sweep, and the extrema that they lead to.
    is_met : (n + 1,) bool
        Which extrema are met.
    """
    sides = [_first_of_side(keys, side, dim) for side, is_met in enumerate(met) if is_met]
    pixel = np.sort(np.concatenate([np.empty(0, np.int32), *sides]))
    pixel = pixel[np.append(True, pixel[1:] != pixel[:-1])[: pixel.size]]  # corners: once
    end = merges.reached(pixel)
    is_extremum = np.append(extremum, np.int32(UNKNOWN))[end] == pixel
    is_met = np.zeros(extremum.size + 1, bool)
    is_met[end[is_extremum]] = True
    other, other_end = pixel[~is_extremum], end[~is_extremum]
    in_order = np.argsort(keys.reshape(-1)[other], kind="stable")
    in_order = in_order[::-1] if dim else in_order
    return other[in_order], other_end[in_order], is_met


def _first_of_side(keys: NDArray, side: int, dim: int) -> NDArray[np.int32]:
    """Return the flat indices of the pixels of a side that come before those beside them."""
    axis = side // 2
    inner = [slice(1, -1)] * keys.ndim
    at = keys.shape[axis] - 2 if side % 2 else 1
    inner[axis] = slice(at, at + 1)
    line = keys[tuple(inner)]
    first = np.ones(line.shape, bool)
    for along in range(keys.ndim):
        a = line.swapaxes(0, along)
        out = first.swapaxes(0, along)
        is_before = a[:-1] <= a[1:]  # of equals, the one of smaller index
        if dim:
            out[1:] &= is_before
            out[:-1] &= ~is_before
        else:
            out[1:] &= ~is_before
            out[:-1] &= is_before
    index = [i + (at if k == axis else 1) for k, i in enumerate(np.nonzero(first))]
    index[axis] = np.full(index[axis].size, at)
    return np.ravel_multi_index(tuple(index), keys.shape).astype(np.int32)


class _Place(NamedTuple):
    """Where the pixels of a box are in the image, and what their values are."""

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
