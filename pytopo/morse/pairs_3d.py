"""The fast algorithm for volumes, from values to pairs of voxels.

    values -> keys -> lower links -> components, voids -> paths around -> tunnels
              integers  26 bits       creator edges,      destroyers      paired
                        per voxel     destroyer squares

The reference implementation is `pytopo.textbook`, the counterpart for images `pairs_2d`.
Nothing is put into a matrix that the lower star of a voxel decides by itself.
`docs/fast-3d.md` derives it.

Several volumes of one shape are one stacked array: one plane of exterior keeps them apart.

T is V upside down.  What is not there yet, in construction T, is what is there in
construction V when the order is reversed, with the exterior there from the start.  So for T
the array is reversed along all its axes (then ties are reversed too), its keys are inverted,
the exterior comes first instead of never, and births and deaths are exchanged:

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
from pytopo.kernels.merge_pairs import component_pairs, hole_pairs, note_deaths
from pytopo.kernels.morse_boundary import Stars, morse_boundaries, outlines_of_squares
from pytopo.kernels.sorting import sorted_order
from pytopo.kernels.sweep_3d import extrema_and_merges, joined_extrema, number_extrema
from pytopo.kernels.tunnels import Paths, note_creators, pair_squares
from pytopo.kernels.v_paths import UNKNOWN
from pytopo.kernels.voxels import voxels_of_pairs
from pytopo.morse import links_3d
from pytopo.morse.pairs_2d import Rows
from pytopo.morse.workspace import Workspace, workspace
from pytopo.order import fill_keys, insert_frame_key, key_dtype
from pytopo.threads import Workers

# A path is pushed down this far before its square is paired: almost always to its end.  Not
# so on plateaus: there V-paths are long and the first creator edge is near, so that the rest
# of a path is pushed down only where another square requires it.
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
        keys = _stacked_keys(volumes, frames, superlevel, space)
        stride = (len(keys) - 1) // len(volumes)
        if construction == "V":
            found = _stacked_pairs(keys, stride, set(dims), workers, space)
        else:
            reversed_ = space.empty(keys.shape, keys.dtype)
            np.invert(keys[::-1, ::-1, ::-1], out=reversed_)
            pairs = _stacked_pairs(reversed_, stride, {2 - d for d in dims}, workers, space)
            found = {2 - d: _reversed_back(some, keys.size) for d, some in pairs.items()}
        return _rows(found, keys.shape, volumes.shape)


def _stacked_keys(
    volumes: NDArray,
    frames: Sequence[int | np.floating | None],
    superlevel: bool,
    space: Workspace,
) -> NDArray[np.signedinteger]:
    """Return the keys of volumes on top of each other, with planes of exterior between."""
    count, *shape = volumes.shape
    dtype = key_dtype(volumes.dtype)
    margin = 1 if frames[0] is None else 2
    depth, height, width = (n + 2 * margin for n in shape)
    stride = depth - 1
    keys = space.full((count * stride + 1, height, width), np.iinfo(dtype).max, dtype)
    for b, (volume, frame) in enumerate(zip(volumes, frames)):
        whole = keys[b * stride + 1 : (b + 1) * stride, 1:-1, 1:-1]
        inner = whole if frame is None else whole[1:-1, 1:-1, 1:-1]
        fill_keys(volume, superlevel, [None] * len(volume), inner)
        if frame is not None:
            insert_frame_key(volume, frame, superlevel, inner, whole)
    return keys


class _Side(NamedTuple):
    """How lower links, minima, components and upper links, maxima, voids are read."""

    flip: int
    shift: int
    representatives: NDArray[np.uint8]
    members: NDArray[np.int64]


@cache
def side_of(dim: int) -> _Side:
    """Return how links are read for components (dim 0) or voids."""
    if dim == 0:
        return _Side(0, 0, links_3d.face_representatives(), 1 << np.arange(6))
    return _Side(
        2**26 - 1,
        links_3d.OCTANT_BIT,
        links_3d.octant_representatives(),
        links_3d.octant_bits(),
    )


class _Swept(NamedTuple):
    """Extrema, the merge events of components or voids, and which of them dies at each."""

    extremum: NDArray[np.int32]
    saddle: NDArray[np.int32]
    representative: NDArray[np.uint8]
    younger: NDArray[np.int32]  # UNKNOWN where nothing merges


def _stacked_pairs(
    keys: NDArray[np.signedinteger],
    stride: int,
    dims: set[int],
    workers: Workers,
    space: Workspace,
) -> dict[int, Pairs]:
    """Pair the voxels of volumes on top of each other, for each dimension, in V."""
    flat_keys = keys.reshape(-1)
    links = space.full(keys.shape, 0, np.uint32)
    _fill_links(keys, stride, workers, links)
    steps = links_3d.offsets() @ np.array([keys[0].size, keys.shape[2], 1])
    # Tunnels are what the other two dimensions leave over, so they require both.
    sides = {0, 2} if 1 in dims else dims
    root = {dim: space.empty(keys.shape, np.int32) for dim in sides}

    def sweep(dim: int) -> _Swept:
        return _sweep(dim, links, flat_keys, stride, steps, root[dim])

    swept = dict(zip(sides, workers.each(sweep, sides)))
    found = {}
    if 0 in dims:
        some = swept[0]
        death = np.full(some.extremum.size, UNKNOWN, np.int32)
        note_deaths(some.saddle, some.younger, death)
        found[0] = component_pairs(some.extremum, death, flat_keys)
    if 1 in dims:
        most_steps = STEPS_ON_PLATEAUS if _has_plateaus(keys) else MOST_STEPS
        found[1] = _tunnels(
            swept[0], swept[2], links.reshape(-1), flat_keys, steps, most_steps, workers, space
        )
    if 2 in dims:
        some = swept[2]
        filled = hole_pairs(some.extremum, some.saddle, some.younger, flat_keys)
        found[2] = np.concatenate([filled, _never_born(some)])
    return found


def _fill_links(
    keys: NDArray, stride: int, workers: Workers, out_links: NDArray[np.uint32]
) -> None:
    """Write the lower links of all voxels."""

    def fill(planes: tuple[int, int]) -> None:
        lower_links(keys, stride, *planes, out_links)

    bounds = np.linspace(0, len(keys), workers.threads + 1).astype(int).tolist()
    workers.each(fill, pairwise(bounds))


def _sweep(
    dim: int,
    links: NDArray[np.uint32],
    flat_keys: NDArray,
    stride: int,
    steps: NDArray[np.int64],
    root: NDArray[np.int32],
) -> _Swept:
    """Merge components, or voids upside down; ``root`` is room for the numbers of extrema."""
    side = side_of(dim)
    reading = side.flip, side.shift, side.representatives
    extremum, saddle, representative = extrema_and_merges(
        links, stride, 0, len(links), *reading
    )
    number_extrema(extremum, stride, root)
    flat_links, flat_root = links.reshape(-1), root.reshape(-1)
    ends = joined_extrema(
        saddle, representative, flat_links, *reading, side.members, steps, flat_root
    )
    # An event that leads to one extremum twice merges nothing; only the others are sorted.
    open_ = np.flatnonzero(ends[:, 0] != ends[:, 1]).astype(np.int32)
    info = np.iinfo(flat_keys.dtype)
    key = np.append(flat_keys[extremum], info.max if side.flip else info.min)
    younger = np.full(saddle.size, UNKNOWN, np.int32)
    order = open_[sorted_order(flat_keys[saddle[open_]])]
    parent = np.arange(key.size, dtype=np.int32)
    merge(order, ends, key, side.flip, 0, extremum.size, parent, younger)
    return _Swept(extremum, saddle, representative, younger)


def _never_born(voids: _Swept) -> Pairs:
    """Return the voids that no merge event creates; some only if the exterior is first."""
    unborn = np.ones(voids.extremum.size, bool)
    unborn[voids.younger[voids.younger != UNKNOWN]] = False
    filled = voids.extremum[unborn]
    return np.column_stack([np.full_like(filled, UNKNOWN), filled])


def _has_plateaus(keys: NDArray[np.signedinteger]) -> bool:
    """Return whether a third of the voxels equal the next, judged by every fourth plane."""
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
    """Pair the merge events that create tunnels with those that fill them.

    An event of components that merges nothing closes a loop: its edge is a creator edge.  An
    event of voids that merges nothing fills a tunnel: its square is a destroyer square.
    """
    creators = space.full(keys.size, 0, np.uint8)
    first_creator = space.empty(keys.size, np.int32)
    n_creators = note_creators(*components[1:], creators, first_creator)
    stars = Stars(
        links,
        _wide(keys, space),
        creators,
        first_creator,
        links_3d.paths(),
        np.array(links_3d.EDGES),
        steps,
    )

    destroys = voids.younger == UNKNOWN
    square = voids.saddle[destroys]
    outline = outlines_of_squares(
        square,
        voids.representative[destroys],
        links,
        links_3d.octant_components(),
        links_3d.edges_of_octants(),
    )

    # Here the roles are exchanged.  `hole_pairs` knows merge events at which something is born,
    # each with the number of the extremum that fills it.  For tunnels these are the creator
    # edges, each with the number of its destroyer square.
    filler = np.full(components.saddle.size, UNKNOWN, np.int32)
    filler[components.younger == UNKNOWN] = _owners(
        square, outline, stars, n_creators, most_steps, workers
    )
    return hole_pairs(square, components.saddle, filler, keys)


def _wide(keys: NDArray, space: Workspace) -> NDArray[np.int64]:
    """Return keys in 64 bits, or two kernels would be compiled once more for those of 32."""
    if keys.dtype == np.int64:
        return keys
    wide = space.empty(keys.size, np.int64)
    wide[:] = keys
    return wide


def _owners(
    square: NDArray[np.int32],
    outline: NDArray[np.int16],
    stars: Stars,
    n_creators: int,
    most_steps: int,
    workers: Workers,
) -> NDArray[np.int32]:
    """Return for each creator edge the number of its destroyer square."""
    owner = np.full(n_creators, UNKNOWN, np.int32)
    begin, end = np.empty((2, square.size), np.int64)

    def pair_part(part: tuple[tuple[int, int], tuple[int, int]]) -> tuple[NDArray, ...]:
        (a, b), (first, stop) = part
        start, voxel, faces = morse_boundaries(square[a:b], outline[a:b], most_steps, stars)
        begin[a:b], end[a:b] = start[:-1], start[1:]
        todo, paths = np.arange(a, b, dtype=np.int32), Paths(voxel, faces, begin, end)
        return pair_squares(todo, first, stop, square, stars, paths, owner)

    # Each thread takes some squares, and the creator edges from the voxel of its first square
    # to that of the next thread.
    bounds = np.linspace(0, square.size, workers.threads + 1).astype(int).tolist()
    borders = [0, *np.append(square, stars.keys.size)[bounds[1:]].tolist()]
    found = workers.each(pair_part, zip(pairwise(bounds), pairwise(borders)))

    # Those that came to rest on creator edges of others are reduced at last, with the paths of
    # all threads, which now lie one after the other.
    aside = np.concatenate([some[2] for some in found])
    if aside.size:
        moved = 0
        for (a, b), (path_voxel, _, _) in zip(pairwise(bounds), found):
            begin[a:b] += moved
            end[a:b] += moved
            moved += path_voxel.size
        voxel, faces = (np.concatenate([some[k] for some in found]) for k in (0, 1))
        paths = Paths(voxel, faces, begin, end)
        pair_squares(aside, 0, stars.keys.size, square, stars, paths, owner)
    return owner


def _reversed_back(pairs: Pairs, size: int) -> Pairs:
    """Return pairs of the reversed array as pairs of the array, in order."""
    back = np.where(pairs == UNKNOWN, UNKNOWN, size - 1 - pairs)[:, ::-1]
    for side in (1, 0):  # stable, so by birth and then by death
        back = back[sorted_order(np.ascontiguousarray(back[:, side]))]
    return back


def _rows(found: dict[int, Pairs], stacked: tuple[int, ...], shape: tuple[int, ...]) -> Rows:
    """Sort pairs by volume, and turn indices into the array into voxels of the volume."""
    count, margin = shape[0], (stacked[2] - shape[3]) // 2
    dims = sorted(found)
    pairs = np.concatenate([found[d] for d in dims])
    dim = np.repeat(np.array(dims, np.int8), [len(found[d]) for d in dims])
    plane, stride = stacked[1] * stacked[2], (stacked[0] - 1) // count
    image, voxel = voxels_of_pairs(pairs, plane, stacked[2], stride, margin, *shape[1:])
    rows = Rows(image, dim, voxel[0], voxel[1])
    return rows if count == 1 else rows.take(np.argsort(image, kind="stable"))
