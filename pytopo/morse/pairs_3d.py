"""The fast route for volumes, from values to pairs of voxels.

    values -> keys -> lower links -> components, voids -> paths around -> tunnels
              integers  26 bits a     slots, columns      columns         paired
                        voxel

Twin of `pytopo.textbook`, and the counterpart of `pairs_2d`: nothing is put into a matrix that
the lower star of a voxel decides by itself.  `docs/fast-3d.md` derives it.

Several volumes of one shape are one tall volume: one plane of outside keeps them apart.

T is V upside down.  What is not there yet, in construction T, is what is there in
construction V when the order is reversed, with the outside there from the start.  So for T
the array is turned around in all its axes (then ties are reversed too), its keys are
inverted, the outside comes first instead of never, and births and deaths change places:

    T        V reversed
    dim 0    dim 2, and a maximum whose void is filled by nothing else never dies
    dim 1    dim 1
    dim 2    dim 0
"""

from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pytopo.kernels.kruskal import merge
from pytopo.kernels.links_3d import lower_links
from pytopo.kernels.morse_boundary import morse_boundaries, outlines_of_columns
from pytopo.kernels.sorting import sorted_order
from pytopo.kernels.sweep_2d import UNKNOWN, component_pairs, hole_pairs, note_deaths
from pytopo.kernels.sweep_3d import extrema_and_joins, joined_extrema, number_extrema
from pytopo.kernels.tunnels import note_slots, pair_columns
from pytopo.kernels.voxels import voxels_of_pairs
from pytopo.morse import links_3d
from pytopo.morse.pairs_2d import Rows
from pytopo.morse.workspace import Workspace, workspace
from pytopo.order import fill_keys, key_dtype
from pytopo.threads import Workers

# A path is pushed down this far before its column is looked at: as good as always to its end.
# Not so on plateaus: there the ways are long and the first slot is near, so that the rest of
# the way is gone only where another column asks for it.
MOST_STEPS, STEPS_ON_PLATEAUS = 1000, 4

Pairs = NDArray[np.int32]


def voxel_pairs(
    volumes: NDArray,
    frames: Sequence[int | np.floating | None],
    dims: tuple[int, ...],
    superlevel: bool,
    construction: str,
    threads: int,
) -> Rows:
    """Pair the voxels of volumes of one shape.

    Parameters
    ----------
    volumes : (B, D, H, W) ndarray
        C-contiguous, without NaN.
    frames, dims, superlevel, construction, threads
        As in `pytopo.morse.pairs_2d.pixel_pairs`.

    Returns
    -------
    Rows
        As `pytopo.morse.pairs_2d.pixel_pairs`.
    """
    with workspace() as space, Workers(threads) as workers:
        keys = _tall_keys(volumes, frames, superlevel, space)
        period = (len(keys) - 1) // len(volumes)
        if construction == "V":
            found = _tall_pairs(keys, period, set(dims), workers, space)
        else:
            turned = space.empty(keys.shape, keys.dtype)
            np.invert(keys[::-1, ::-1, ::-1], out=turned)
            pairs = _tall_pairs(turned, period, {2 - d for d in dims}, workers, space)
            found = {2 - d: _turned_back(some, keys.size) for d, some in pairs.items()}
        return _rows(found, keys.shape, volumes.shape)


def _tall_keys(
    volumes: NDArray,
    frames: Sequence[int | np.floating | None],
    superlevel: bool,
    space: Workspace,
) -> NDArray[np.signedinteger]:
    """Return the keys of volumes on top of each other, with planes of outside between."""
    count, *shape = volumes.shape
    dtype = key_dtype(volumes.dtype)
    margin = 1 if frames[0] is None else 2
    depth, height, width = (n + 2 * margin for n in shape)
    period = depth - 1
    keys = space.full((count * period + 1, height, width), np.iinfo(dtype).max, dtype)
    for b, (volume, frame) in enumerate(zip(volumes, frames)):
        whole = keys[b * period + 1 : (b + 1) * period, 1:-1, 1:-1]
        inner = whole if frame is None else whole[1:-1, 1:-1, 1:-1]
        fill_keys(volume, superlevel, [None] * len(volume), inner)
        if frame is not None:
            after = volume <= frame if superlevel else volume >= frame
            border = inner[after].min() if after.any() else inner.max() + 1
            moved = inner + after
            whole[...] = border
            inner[...] = moved
    return keys


class _Side(NamedTuple):
    """What tells lower links, minima and components from upper links, maxima and voids."""

    flip: int
    shift: int
    leads: NDArray[np.uint8]
    members: NDArray[np.int64]


@cache
def _side(dim: int) -> _Side:
    if dim == 0:
        return _Side(0, 0, links_3d.face_leads(), 1 << np.arange(6))
    return _Side(
        2**26 - 1,
        links_3d.OCTANT_BIT,
        links_3d.octant_leads(),
        links_3d.octant_bits(),
    )


class _Swept(NamedTuple):
    """Extrema, the joins of components or voids, and whom each join kills."""

    extremum: NDArray[np.int32]
    saddle: NDArray[np.int32]
    lead: NDArray[np.uint8]
    victim: NDArray[np.int32]


def _tall_pairs(
    keys: NDArray[np.signedinteger],
    period: int,
    dims: set[int],
    workers: Workers,
    space: Workspace,
) -> dict[int, Pairs]:
    """Pair the voxels of volumes on top of each other, for each dimension, in V."""
    flat_keys = keys.reshape(-1)
    links = space.full(keys.shape, 0, np.uint32)
    _fill_links(keys, period, workers, links)
    steps = links_3d.offsets() @ np.array([keys[0].size, keys.shape[2], 1])
    sides = {0, 2} if 1 in dims else dims
    root = {dim: space.empty(keys.shape, np.int32) for dim in sides}

    def sweep(dim: int) -> _Swept:
        return _sweep(dim, links, flat_keys, period, steps, root[dim])

    swept = dict(zip(sides, workers.each(sweep, sides)))
    found = {}
    if 0 in dims:
        some = swept[0]
        death = np.full(some.extremum.size, UNKNOWN, np.int32)
        note_deaths(some.saddle, some.victim, death)
        found[0] = component_pairs(some.extremum, death, flat_keys)
    if 1 in dims:
        most_steps = STEPS_ON_PLATEAUS if _has_plateaus(keys) else MOST_STEPS
        found[1] = _tunnels(
            swept[0], swept[2], links.reshape(-1), flat_keys, steps, most_steps, workers, space
        )
    if 2 in dims:
        some = swept[2]
        filled = hole_pairs(some.extremum, some.saddle, some.victim, flat_keys)
        found[2] = np.concatenate([filled, _never_born(some)])
    return found


def _fill_links(
    keys: NDArray, period: int, workers: Workers, out_links: NDArray[np.uint32]
) -> None:
    """Write the lower links of all voxels."""

    def fill(planes: tuple[int, int]) -> None:
        lower_links(keys, period, *planes, out_links)

    bounds = np.linspace(0, len(keys), workers.threads + 1).astype(int).tolist()
    workers.each(fill, pairwise(bounds))


def _sweep(
    dim: int,
    links: NDArray[np.uint32],
    flat_keys: NDArray,
    period: int,
    steps: NDArray[np.int64],
    root: NDArray[np.int32],
) -> _Swept:
    """Join components, or voids upside down; ``root`` is room for the numbers of extrema."""
    side = _side(dim)
    reading = side.flip, side.shift, side.leads
    extremum, saddle, lead = extrema_and_joins(links, period, 0, len(links), *reading)
    number_extrema(extremum, period, root)
    ends = joined_extrema(
        saddle, lead, links.reshape(-1), *reading, side.members, steps, root.reshape(-1)
    )
    # What joins an extremum with itself needs no turn; of the others all must be in order.
    open_ = np.flatnonzero(ends[:, 0] != ends[:, 1]).astype(np.int32)
    info = np.iinfo(flat_keys.dtype)
    key = np.append(flat_keys[extremum], info.max if side.flip else info.min)
    victim = np.full(saddle.size, UNKNOWN, np.int32)
    order = open_[sorted_order(flat_keys[saddle[open_]])]
    parent = np.arange(key.size, dtype=np.int32)
    merge(order, ends, key, side.flip, 0, extremum.size, parent, victim)
    return _Swept(extremum, saddle, lead, victim)


def _never_born(voids: _Swept) -> Pairs:
    """Return the voids that no join starts; there are some only if the outside is first."""
    unborn = np.ones(voids.extremum.size, bool)
    unborn[voids.victim[voids.victim != UNKNOWN]] = False
    filled = voids.extremum[unborn]
    return np.column_stack([np.full_like(filled, UNKNOWN), filled])


def _has_plateaus(keys: NDArray[np.signedinteger]) -> bool:
    """Tell whether a third of the voxels equal the next, judged by every fourth plane."""
    some = keys[1:-1:4, 1:-1, 1:-1]
    alike = np.count_nonzero(some[..., 1:] == some[..., :-1])
    return bool(3 * alike > some.size)


def _tunnels(
    components: _Swept,
    voids: _Swept,
    links: NDArray[np.uint32],
    keys: NDArray,
    steps: NDArray[np.int64],
    most_steps: int,
    workers: Workers,
    space: Workspace,
) -> Pairs:
    """Pair the joins that started tunnels with those that filled them."""
    wide = keys  # in 64 bits, or two kernels would be compiled once more for keys of 32
    if keys.dtype != np.int64:
        wide = space.empty(keys.size, np.int64)
        wide[:] = keys
    slot_leads = space.full(keys.size, 0, np.uint8)
    first_slot = space.empty(keys.size, np.int32)
    is_slot = components.victim == UNKNOWN
    n_slots = note_slots(*components[1:], slot_leads, first_slot)

    is_column = voids.victim == UNKNOWN
    column = voids.saddle[is_column]
    around = links_3d.octant_pieces(), links_3d.edges_of_octants()
    way = outlines_of_columns(column, voids.lead[is_column], links, *around)

    tables = links_3d.paths(), np.array(links_3d.EDGES), steps
    owner = np.full(n_slots, UNKNOWN, np.int32)
    begin, end = np.empty((2, column.size), np.int64)

    def boundaries(a: int, b: int) -> tuple[NDArray, NDArray]:
        start, path_voxel, path_faces = morse_boundaries(
            column[a:b], way[a:b], most_steps, links, wide, slot_leads, *tables
        )
        begin[a:b], end[a:b] = start[:-1], start[1:]
        return path_voxel, path_faces

    def pair(
        todo: NDArray, planes: tuple[int, int], path_voxel: NDArray, path_faces: NDArray
    ) -> tuple[NDArray, NDArray, NDArray]:
        return pair_columns(
            todo, planes[0], planes[1], column, path_voxel, path_faces, links, wide, slot_leads,
            first_slot, tables[0], tables[1], tables[2], owner, begin, end,
        )  # fmt: skip

    def pair_part(part: tuple[tuple[int, int], tuple[int, int]]) -> tuple[NDArray, ...]:
        (a, b), planes = part
        return pair(np.arange(a, b, dtype=np.int32), planes, *boundaries(a, b))

    bounds = np.linspace(0, column.size, workers.threads + 1).astype(int).tolist()
    borders = [0, *np.append(column, keys.size)[bounds[1:]].tolist()]
    found = workers.each(pair_part, zip(pairwise(bounds), pairwise(borders)))

    aside = np.concatenate([some[2] for some in found])
    if aside.size:
        moved = 0
        for (a, b), (path_voxel, _, _) in zip(pairwise(bounds), found):
            begin[a:b] += moved
            end[a:b] += moved
            moved += path_voxel.size
        path_voxel, path_faces = (np.concatenate([some[k] for some in found]) for k in (0, 1))
        pair(aside, (0, keys.size), path_voxel, path_faces)

    filler = np.full(components.saddle.size, UNKNOWN, np.int32)
    filler[is_slot] = owner
    return hole_pairs(column, components.saddle, filler, keys)


def _turned_back(pairs: Pairs, size: int) -> Pairs:
    """Return pairs of the array turned around as pairs of the array, in order."""
    turned = np.where(pairs == UNKNOWN, UNKNOWN, size - 1 - pairs)[:, ::-1]
    for side in (1, 0):  # stable, so by birth and then by death
        turned = turned[sorted_order(np.ascontiguousarray(turned[:, side]))]
    return turned


def _rows(found: dict[int, Pairs], tall: tuple[int, ...], shape: tuple[int, ...]) -> Rows:
    """Tell the volumes apart, and turn indices into the array into voxels of the volume."""
    count, margin = shape[0], (tall[2] - shape[3]) // 2
    dims = sorted(found)
    pairs = np.concatenate([found[d] for d in dims])
    dim = np.repeat(np.array(dims, np.int8), [len(found[d]) for d in dims])
    plane, period = tall[1] * tall[2], (tall[0] - 1) // count
    image, voxel = voxels_of_pairs(pairs, plane, tall[2], period, margin, *shape[1:])
    rows = Rows(image, dim, voxel[0], voxel[1])
    return rows if count == 1 else rows.take(np.argsort(image, kind="stable"))
