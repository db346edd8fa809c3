"""Tunnels of two volumes that are in the same place: image persistence in dimension 1.

    first, second          c, the comparison image: at each voxel the earlier of both

As in `pytopo.morse.image_pairs`, a tunnel of the first volume has an image bar, from its birth
in the first to a death in c, and two tunnels match if their image bars end together.  Tunnels
are no extrema, so no union-find has them: their image bars are read from the mapping cylinder
(`pytopo.kernels.cylinder`), one for each of the two volumes.

                       V                                  T, turned around
    cylinders          first -> c <- second               first <- c -> second
    bar, image bar     share the birth: an edge           share the death: a square
    two image bars     share the death: a square of c     share the birth: an edge of c

T is V turned around (`pytopo.morse.pairs_3d`), where births and deaths change places, and the
earlier of two voxels becomes the later.  So c is then the image that is there wherever *both*
others are.

*Several edges or squares of one voxel* come together, and nothing but their order says which is
whose.  Each list of them is a flag, and what belongs together is found without an order
(`pytopo.kernels.flags`), as in the reference implementation.

Reference implementation: `pytopo.matching.by_place_textbook`.  `docs/fast-3d.md` derives it.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pytopo.kernels.flags import common_basis
from pytopo.kernels.gather import taken
from pytopo.morse.critical import Volume
from pytopo.morse.cylinder import EARLIEST, LATEST, Reduced, reduced
from pytopo.morse.image_pairs import Stack, stack_of_images
from pytopo.morse.workspace import workspace
from pytopo.threads import on_threads


class MatchedTunnels(NamedTuple):
    """Tunnels that match, one row a pair, sorted by image.

    Tunnels of one image may share their voxels; of those that do, the first rows come first.
    """

    image: NDArray[np.int64]
    first: NDArray[np.int64]  # (n, 2): birth and death, flat indices; -2 in the frame
    second: NDArray[np.int64]


def matched_tunnels(
    first: NDArray,
    second: NDArray,
    *,
    superlevel: bool,
    construction: str,
    frame: int | np.floating | None,
    threads: int = 1,
) -> MatchedTunnels:
    """Match the tunnels of volumes with those of other volumes, pair by pair.

    Parameters
    ----------
    first, second : (B, D, H, W) ndarray
        Of one shape and dtype, C-contiguous, without NaN, with a voxel.
    superlevel, construction, frame, threads
        As in `pytopo.morse.image_pairs.matched_pixels`.
    """
    with workspace() as space:
        stack = stack_of_images(first, second, superlevel, frame, space)
        match = _matched_by_death if construction == "V" else _matched_by_birth
        found = match(stack, threads)
        pixels = _together(stack, *found)
        image, birth = stack.places(pixels[0])
        places = [birth, *(stack.places(some)[1] for some in pixels[1:])]
        order = np.argsort(image, kind="stable")
    rows = [np.column_stack(places[k : k + 2])[order] for k in (0, 2)]
    return MatchedTunnels(image[order], *rows)


class _Bars(NamedTuple):
    """What shares a voxel: two voxels each, the ends of two bars, (n,) int32 flat indices.

    Of a bar and its image bar: the end that they share, the other end of the bar, the other end
    of the image bar.  Of two image bars: the end that they share, the other end of either.
    """

    shared: NDArray[np.int32]
    one: NDArray[np.int32]
    other: NDArray[np.int32]


def _matched_by_death(stack: Stack, threads: int) -> tuple[_Bars, _Bars, _Bars]:
    """Return bars with their image bars, of both volumes, and image bars of both: V."""
    first, second, c = (
        Volume(keys, stack.stride) for keys in (stack.first, stack.second, stack.comparison)
    )
    limit = taken(c.keys, c.squares[0]).max(initial=EARLIEST)

    def follow(image: Volume) -> tuple[Reduced, _Bars]:
        in_c = reduced(c, image, limit)
        own = reduced(image)
        return in_c, _by_edge(own, in_c)

    (a, bars), (b, other_bars) = on_threads(follow, (first, second), threads)
    return bars, other_bars, _by_square(a, b)


def _matched_by_birth(stack: Stack, threads: int) -> tuple[_Bars, _Bars, _Bars]:
    """Return bars with their image bars, of both volumes, and image bars of both: T."""
    first, second, c = (
        Volume(np.ascontiguousarray(~keys[::-1, ::-1, ::-1]), stack.stride)
        for keys in (stack.first, stack.second, stack.comparison)
    )
    limit = max(
        taken(image.keys, image.squares[0]).max(initial=EARLIEST) for image in (first, second)
    )

    def follow(image: Volume) -> tuple[Reduced, _Bars]:
        of_c = reduced(image, c, limit)
        own = reduced(image)
        return of_c, _by_square(own, of_c)

    (a, bars), (b, other_bars) = on_threads(follow, (first, second), threads)
    found = bars, other_bars, _by_edge(a, b)
    last = np.int32(stack.first.size - 1)
    back = (_Bars(*(last - column for column in some)) for some in found)
    return tuple(back)  # type: ignore[return-value]


def _by_edge(one: Reduced, other: Reduced) -> _Bars:
    """Pair what ends bars that the same edge begins, voxel by voxel."""
    sides = [
        _Side(
            np.append(some.square, -1)[some.square_of],
            np.append(some.square_key, EARLIEST)[some.square_of],
            some.edges,
        )
        for some in (one, other)
    ]
    return _in_common(one.edge, *sides)


def _by_square(one: Reduced, other: Reduced) -> _Bars:
    """Pair what begins bars that the same square ends, voxel by voxel."""
    sides = [
        _Side(
            np.append(some.edge, -1)[some.edge_of],
            np.append(some.edge_key, LATEST)[some.edge_of],
            some.squares,
        )
        for some in (one, other)
    ]
    return _in_common(one.square, *sides)


class _Side(NamedTuple):
    """The other ends of some bars: voxel (-1 for none), key, and vector."""

    voxel: NDArray
    key: NDArray[np.int64]
    vector: NDArray[np.uint8]


def _in_common(at: NDArray[np.int32], one: _Side, other: _Side) -> _Bars:
    """Pair the other ends of bars that share a voxel; ``at`` ascends."""
    new = np.concatenate([[True], at[1:] != at[:-1], [True]])[: at.size + 1]
    alone = new[:-1] & new[1:]
    shared, a, b = (x[alone] for x in (at, one.voxel, other.voxel))
    several = np.flatnonzero(~alone)
    if several.size:
        group = at[several]
        orders = [
            several[np.lexsort((side.voxel[several], side.key[several], group))]
            for side in (one, other)
        ]
        start = np.append(np.flatnonzero(new[several]), several.size)
        vectors = [side.vector[order] for side, order in zip((one, other), orders)]
        partner = common_basis(start, *vectors)
        shared = np.concatenate([shared, group])
        a = np.concatenate([a, one.voxel[orders[0]]])
        b = np.concatenate([b, other.voxel[orders[1]][partner]])
    kept = (a >= 0) & (b >= 0)
    return _Bars(*(x[kept].astype(np.int32) for x in (shared, a, b)))


def _together(
    stack: Stack, bars: _Bars, other_bars: _Bars, image_bars: _Bars
) -> tuple[NDArray[np.int32], ...]:
    """Return birth and death of the tunnels of both volumes whose image bars match."""
    end, birth, other_birth = image_bars
    c, sides = stack.comparison, (stack.first, stack.second)
    lives = stack.before(sides[0], birth, c, end) & stack.before(sides[1], other_birth, c, end)
    end, birth, other_birth = end[lives], birth[lives], other_birth[lives]

    # Where image bars coincide: by age in the one image and then in the other.
    order = np.lexsort(
        (
            *_time(sides[1], other_birth),
            *_time(sides[0], birth),
            *_time(c, end),
        )
    )
    end, birth, other_birth = end[order], birth[order], other_birth[order]
    deaths = [
        _death(keys, some, born, end, c.size)
        for keys, some, born in zip(sides, (bars, other_bars), (birth, other_birth))
    ]
    return birth, deaths[0], other_birth, deaths[1]


def _time(keys: NDArray, voxel: NDArray[np.int32]) -> tuple[NDArray, NDArray]:
    """Return what `numpy.lexsort` sorts voxels by."""
    return voxel, taken(keys.reshape(-1), voxel)


def _death(
    keys: NDArray, bars: _Bars, birth: NDArray[np.int32], end: NDArray[np.int32], size: int
) -> NDArray[np.int32]:
    """Return the deaths of bars with some image bars; of equals the next one."""
    order = np.lexsort((*_time(keys, bars.one), bars.other, bars.shared))
    known = bars.shared[order].astype(np.int64) * size + bars.other[order]
    wanted = birth.astype(np.int64) * size + end
    sequence = np.argsort(wanted, kind="stable")
    in_order = wanted[sequence]
    nth = np.arange(wanted.size) - np.searchsorted(in_order, in_order)
    death = np.empty_like(birth)
    death[sequence] = bars.one[order][np.searchsorted(known, in_order) + nth]
    return death
