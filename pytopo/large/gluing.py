"""Two neighbouring regions and the seam between them become one region.

    region   branches a, b, c       pixels that occur in several lists are the same node:
    seam     branches   b, c, d     that is where regions are glued.  All triplets in order,
    region   branches      c, d, e  Kruskal, and what no outer side can reach is finished

A merge tree of a union is that of the triplets of its parts: a triplet connects what its part
connects, from the same value on, and what a part has finished nothing outside can change.
"""

import numpy as np
from numpy.typing import NDArray

from pytopo.kernels.open_branches import merge_triplets
from pytopo.kernels.v_paths import UNKNOWN
from pytopo.large.ages import (
    FIRST,
    LAST,
    Ages,
    Box,
    Points,
    Sweep,
    coordinates,
    joined,
    points_of,
)
from pytopo.large.tiles import Branches, Region, branches_of_box, shared_sides


def merged(first: Region, second: Region, axis: int, sweep: Sweep) -> tuple[Region, Points]:
    """Return the union of two neighbouring regions, and the points that it finishes.

    Parameters
    ----------
    first, second : Region
        Boxes that differ along one axis only, where the second follows the first.
    axis : int
    sweep : Sweep
    """
    box = _along(first.box, axis, (first.box[axis][0], second.box[axis][1]))
    shared = shared_sides(box, sweep.shape)
    of_seam, finished_in_seam = _branches_of_seam(first, second, axis, sweep)
    branches, points = [], [finished_in_seam]
    for k, dim in enumerate(sweep.dims):
        parts = [first.branches[k], second.branches[k], of_seam[k]]
        kept, finished = _glued(parts, box, shared, dim, sweep)
        branches.append(kept)
        points.append(finished)
    faces = [
        _face(first.faces[side], second.faces[side], side, axis)
        for side in range(len(first.faces))
    ]
    earliest, latest = (max, min) if sweep.superlevel else (min, max)
    ends = earliest(first.ends[0], second.ends[0]), latest(first.ends[1], second.ends[1])
    return Region(box, tuple(faces), tuple(branches), ends), joined(points, sweep)


def _along(box: Box, axis: int, extent: tuple[int, int]) -> Box:
    return (*box[:axis], extent, *box[axis + 1 :])


def _face(one: NDArray | None, other: NDArray | None, side: int, axis: int) -> NDArray | None:
    """Return the face of a union: of one of the two across the axis, of both along it."""
    if side // 2 == axis:
        return other if side % 2 else one
    if one is None or other is None:
        return None
    # A face lacks its own axis, so those behind it have moved forward by one.
    return np.concatenate([one, other], axis - (side // 2 < axis))


def _branches_of_seam(
    first: Region, second: Region, axis: int, sweep: Sweep
) -> tuple[list[Branches], Points]:
    """Return what the edges between two regions connect, and what is finished among them."""
    border = second.box[axis][0]
    box = _along(first.box, axis, (border - 1, border + 1))
    lines = first.faces[2 * axis + 1], second.faces[2 * axis]
    values = np.ascontiguousarray(np.stack(lines, axis))  # type: ignore[arg-type]
    met = [side // 2 == axis for side in range(2 * len(box))]
    # The long sides are shared even where the seam is as wide as the image.
    shared = [a or b for a, b in zip(shared_sides(box, sweep.shape), met)]
    return branches_of_box(values, box, shared, met, sweep)


def _glued(
    parts: list[Branches], box: Box, shared: tuple[bool, ...], dim: int, sweep: Sweep
) -> tuple[Branches, Points]:
    """Glue merge trees at their common pixels, and finish what no shared side can reach."""
    # All pixels by age, each once.
    key, pixel = (
        np.concatenate([getattr(p, name) for p in parts]) for name in ("key", "pixel")
    )
    by_age = np.lexsort((pixel, key))
    in_order = pixel[by_age]
    is_new = np.append(True, in_order[1:] != in_order[:-1])
    rank = np.empty(key.size, np.int32)
    rank[by_age] = np.cumsum(is_new) - 1
    nodes = Ages(key[by_age][is_new], in_order[is_new])

    # All triplets by their saddles.
    starts = np.cumsum([0, *(p.key.size for p in parts)])
    own = np.concatenate([rank[s : s + p.elder.size] for s, p in zip(starts, parts)])
    elder = np.concatenate([rank[s + p.elder] for s, p in zip(starts, parts)])
    saddle = Ages(
        *(np.concatenate([getattr(p, f"death_{n}") for p in parts]) for n in Ages._fields)
    )
    order = np.lexsort((saddle.pixel, saddle.key))
    saddle = Ages(saddle.key[order], saddle.pixel[order])

    is_met = _is_met(nodes.pixel, box, shared, dim, sweep)
    ends = np.column_stack([own[order], elder[order]])
    younger, elder = merge_triplets(ends, is_met)
    done = np.flatnonzero((younger != UNKNOWN) & (elder == UNKNOWN))
    points = points_of(dim, nodes.some(younger[done]), saddle.some(done), sweep)
    if dim == 0 and not any(shared):
        never = Ages(*np.full((2, 1), LAST))
        root = nodes.some(np.array([0]))  # the eldest
        points = joined([points, points_of(dim, root, never, sweep)], sweep)

    kept = np.flatnonzero(elder != UNKNOWN)
    number = np.full(nodes.key.size, UNKNOWN, np.int32)
    number[younger[kept]] = np.arange(kept.size)
    number[0] = kept.size
    start = np.append(younger[kept], 0)
    branches = Branches(*nodes.some(start), *saddle.some(kept), number[elder[kept]])
    return branches, points


def _is_met(
    pixel: NDArray[np.int64], box: Box, shared: tuple[bool, ...], dim: int, sweep: Sweep
) -> NDArray[np.bool_]:
    """Tell which pixels lie at a shared side of a box; the exterior lies at none."""
    met = np.zeros(pixel.size, bool)
    inside = np.flatnonzero(pixel != FIRST)
    index = coordinates(~pixel[inside] if dim else pixel[inside], sweep)
    for side, is_shared in enumerate(shared):
        if is_shared:
            start, stop = box[side // 2]
            met[inside] |= index[side // 2] == (stop - 1 if side % 2 else start)
    return met
