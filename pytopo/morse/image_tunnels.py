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

from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pytopo.kernels.cylinder import Columns, Domain, pair_columns, prism_columns
from pytopo.kernels.flags import common_basis
from pytopo.kernels.gather import taken
from pytopo.kernels.kruskal import merge
from pytopo.kernels.links_3d import lower_links
from pytopo.kernels.morse_boundary import Stars, morse_boundaries, outlines_of_squares
from pytopo.kernels.passengers import extrema_reached_3d
from pytopo.kernels.sorting import sorted_order
from pytopo.kernels.sweep_3d import extrema_and_merges, joined_extrema, number_extrema
from pytopo.kernels.tunnels import note_creators
from pytopo.kernels.v_paths import UNKNOWN
from pytopo.morse import links_3d
from pytopo.morse.image_pairs import Stack, stack_of_images
from pytopo.morse.pairs_3d import side_of
from pytopo.morse.workspace import Workspace, workspace
from pytopo.threads import on_threads

MOST_STEPS = 4


_EARLIEST, _LATEST = np.iinfo(np.int64).min, np.iinfo(np.int64).max


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
        _Volume(keys, stack.stride) for keys in (stack.first, stack.second, stack.comparison)
    )

    limit = taken(c.keys, c.squares[0]).max(initial=_EARLIEST)

    def follow(image: _Volume) -> tuple[_Reduced, _Bars]:
        in_c = _reduced(c, image, limit)
        own = _reduced(image)
        return in_c, _by_edge(own, in_c)

    (a, bars), (b, other_bars) = on_threads(follow, (first, second), threads)
    return bars, other_bars, _by_square(a, b)


def _matched_by_birth(stack: Stack, threads: int) -> tuple[_Bars, _Bars, _Bars]:
    """Return bars with their image bars, of both volumes, and image bars of both: T."""
    first, second, c = (
        _Volume(np.ascontiguousarray(~keys[::-1, ::-1, ::-1]), stack.stride)
        for keys in (stack.first, stack.second, stack.comparison)
    )

    limit = max(
        taken(image.keys, image.squares[0]).max(initial=_EARLIEST) for image in (first, second)
    )

    def follow(image: _Volume) -> tuple[_Reduced, _Bars]:
        of_c = _reduced(image, c, limit)
        own = _reduced(image)
        return of_c, _by_square(own, of_c)

    (a, bars), (b, other_bars) = on_threads(follow, (first, second), threads)
    found = bars, other_bars, _by_edge(a, b)
    last = np.int32(stack.first.size - 1)
    back = (_Bars(*(last - column for column in some)) for some in found)
    return tuple(back)  # type: ignore[return-value]


class _Volume:
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
        root = np.empty(self.shape, np.int32)
        number_extrema(extremum, self.stride, root)
        root = root.reshape(-1)
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


class _Reduced(NamedTuple):
    """A reduced matrix: which square of the codomain has its low at which edge of the domain.

    Attributes
    ----------
    edge, square : (n,), (m,) int32
        Voxels of the creator edges and of the destroyer squares, ascending.
    edge_key, square_key : (n,), (m,) int64
        Their keys, in the domain and in the codomain.
    square_of, edge_of : (n,), (m,) int64
        The number of the square of each edge, and of the edge of each square; -1 for none.
    edges, squares : (n,), (m,) uint8
        Vectors: which edges of the voxel of the low a column has, and which squares of the
        voxel of a column were added up.
    """

    edge: NDArray[np.int32]
    square: NDArray[np.int32]
    edge_key: NDArray[np.int64]
    square_key: NDArray[np.int64]
    square_of: NDArray[np.int64]
    edge_of: NDArray[np.int64]
    edges: NDArray[np.uint8]
    squares: NDArray[np.uint8]


def _reduced(
    codomain: _Volume, domain: _Volume | None = None, limit: int = _LATEST
) -> _Reduced:
    """Reduce the boundary matrix of a volume, or of the mapping cylinder of two."""
    square, outline = codomain.squares
    if domain is None:
        stars, n_rows = codomain.stars(codomain.creates)
        of_domain, first_row = _nothing(), 0
        source, prisms = codomain, np.empty(0, np.int32)
        kept=np.ones(codomain.saddle.size,bool)
    else:
        kept = taken(domain.keys, domain.saddle) < limit
        stars, of_domain, first_row, n_rows = _cylinder_rows(codomain, domain, limit)
        source, prisms = domain, domain.saddle[kept]
    start, voxel, faces = morse_boundaries(square, outline, MOST_STEPS, stars)
    if domain is not None:
        more = prism_columns(
            prisms, domain.representative[kept], domain.creates[kept], domain.links, of_domain, stars
        )
        start = np.concatenate([start, start[-1] + more[0][1:]])
        voxel, faces = np.concatenate([voxel, more[1]]), np.concatenate([faces, more[2]])

    at = np.concatenate([square, prisms])
    key = np.concatenate([taken(codomain.keys, square), taken(source.keys, prisms)])
    columns = Columns(at, key, voxel, faces, start[:-1].copy(), start[1:].copy())
    order = np.argsort(at, kind="stable").astype(np.int32)
    owner = np.full(n_rows, UNKNOWN, np.int32)
    place = np.arange(square.size) - np.searchsorted(square, square)
    edges, squares = np.zeros(n_rows, np.uint8), (1 << place).astype(np.uint8)
    pair_columns(order, square.size, stars, of_domain, columns, owner, edges, squares)

    creates = source.creates
    edge = source.saddle[creates]
    kept = kept[creates]
    owners = np.full(edge.size, -1)
    owners[kept] = owner[first_row:]
    vector = np.uint8(1) << source.representative[creates]
    vector[kept] = edges[first_row:]
    owners[owners >= square.size] = -1
    edge_of = np.full(square.size, -1)
    found = np.flatnonzero(owners >= 0)
    edge_of[owners[found]] = found
    return _Reduced(
        edge,
        square,
        taken(source.keys, edge),
        key[: square.size],
        owners,
        edge_of,
        vector,
        squares,
    )


def _nothing() -> Domain:
    none = np.zeros(1, np.int32)
    return Domain(none.astype(np.int64), none.astype(np.uint8), none, none, none)


def _cylinder_rows(
    codomain: _Volume, domain: _Volume, limit: int
) -> tuple[Stars, Domain, int, int]:
    """Number the rows: edges of the codomain and prisms that close a loop, edges of the domain.

    What is connected through the domain counts as one component, the exterior.
    """
    minimum = np.flatnonzero(taken(domain.keys, domain.minimum) < limit)
    n, k = minimum.size, codomain.saddle.size
    voxel = domain.minimum[minimum]
    below = extrema_reached_3d(
        voxel, codomain.links, 0, codomain.steps, codomain.root
    )
    exterior = np.full(n, codomain.minimum.size, np.int32)
    ends = np.concatenate([codomain.ends, np.column_stack([below, exterior])])
    key = np.concatenate([taken(codomain.keys, codomain.saddle), taken(domain.keys, voxel)])
    voxel = np.concatenate([codomain.saddle, voxel])
    # Equal keys in the order of their voxels, and the edges of a voxel before its prism.
    order = np.argsort(voxel, kind="stable")
    younger = np.empty(k + n, np.int32)
    younger[order] = merged(
        ends[order], key[order], taken(codomain.keys, codomain.minimum), 0
    )
    creates = younger == UNKNOWN
    stars, n_rows = codomain.stars(creates[:k])

    prism = np.full(domain.minimum.size + 1, -1, np.int32)
    loops = np.flatnonzero(creates[k:])
    prism[minimum[loops]] = n_rows + np.arange(loops.size)
    first_row = n_rows + loops.size
    kept = domain.creates & (taken(domain.keys, domain.saddle) < limit)
    own, n_creators = domain.stars(kept)
    first_creator = own.first_creator + np.int32(first_row)
    of_domain = Domain(domain.keys, own.creators, first_creator, domain.root, prism)
    return stars, of_domain, first_row, first_row + n_creators


def _by_edge(one: _Reduced, other: _Reduced) -> _Bars:
    """Pair what ends bars that the same edge begins, voxel by voxel."""
    sides = [
        _Side(
            np.append(some.square, -1)[some.square_of],
            np.append(some.square_key, _EARLIEST)[some.square_of],
            some.edges,
        )
        for some in (one, other)
    ]
    return _in_common(one.edge, *sides)


def _by_square(one: _Reduced, other: _Reduced) -> _Bars:
    """Pair what begins bars that the same square ends, voxel by voxel."""
    sides = [
        _Side(
            np.append(some.edge, -1)[some.edge_of],
            np.append(some.edge_key, _LATEST)[some.edge_of],
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
