"""The mapping cylinder of two volumes, and the matrix of one: which square is whose.

    domain X, codomain Y -> rows: edges, prisms -> columns: squares, prisms -> reduced
                            that close loops

Whatever is there in X is there in Y.  With X the matrix says with which square of Y the tunnel
ends that an edge of X begins, without X it is the boundary matrix of Y.

`pytopo.kernels.cylinder` has the idea, `docs/fast-3d.md` derives it.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pytopo.kernels.cylinder import Columns, pair_columns
from pytopo.kernels.gather import taken
from pytopo.kernels.morse_boundary import Stars, morse_boundaries
from pytopo.kernels.passengers import extrema_reached_3d
from pytopo.kernels.prisms import Domain, prism_columns
from pytopo.kernels.v_paths import UNKNOWN
from pytopo.morse.critical import Volume, merged

EARLIEST, LATEST = np.iinfo(np.int64).min, np.iinfo(np.int64).max


class Reduced(NamedTuple):
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
        Vectors: which edges of the voxel of its low a column has, and which squares of the
        voxel of a square were added up.
    """

    edge: NDArray[np.int32]
    square: NDArray[np.int32]
    edge_key: NDArray[np.int64]
    square_key: NDArray[np.int64]
    square_of: NDArray[np.int64]
    edge_of: NDArray[np.int64]
    edges: NDArray[np.uint8]
    squares: NDArray[np.uint8]


class _Rows(NamedTuple):
    """Rows of the codomain and of prisms, and from ``first`` on of the domain."""

    stars: Stars
    domain: Domain
    first: int
    stop: int


def reduced(codomain: Volume, domain: Volume | None = None, limit: int = LATEST) -> Reduced:
    """Reduce the boundary matrix of a volume, or of the mapping cylinder of two.

    Parameters
    ----------
    codomain, domain : Volume
        Each voxel comes in the codomain at the same time as in the domain or earlier.
    limit : int
        Edges of the domain count only if their keys are less.  What is born later than the
        last square is filled has no image bar that is not empty.
    """
    square, outline = codomain.squares
    source = codomain if domain is None else domain
    early = taken(source.keys, source.saddle) < limit
    at, key = square, taken(codomain.keys, square)
    if domain is None:
        stars, n_creators = codomain.stars(codomain.creates)
        rows = _Rows(stars, _no_domain(), 0, n_creators)
    else:
        rows = _rows_of_cylinder(codomain, domain, limit)
    start, voxel, faces = morse_boundaries(square, outline, codomain.most_steps, rows.stars)
    if domain is not None:
        edges = domain.saddle[early], domain.representative[early], domain.creates[early]
        more = prism_columns(*edges, domain.links, rows.domain, codomain.most_steps, rows.stars)
        start = np.concatenate([start, start[-1] + more[0][1:]])
        voxel, faces = np.concatenate([voxel, more[1]]), np.concatenate([faces, more[2]])
        at = np.concatenate([at, edges[0]])
        key = np.concatenate([key, taken(domain.keys, edges[0])])

    columns = Columns(at, key, voxel, faces, start[:-1].copy(), start[1:].copy())
    owner, edges_of_low = np.full(rows.stop, UNKNOWN, np.int32), np.zeros(rows.stop, np.uint8)
    squares = (1 << np.arange(square.size) - np.searchsorted(square, square)).astype(np.uint8)
    order = np.argsort(at, kind="stable").astype(np.int32)  # where they lie close together
    pair_columns(
        order, square.size, rows.stars, rows.domain, columns, owner, edges_of_low, squares
    )
    return _without_rows(
        source, early, codomain, owner[rows.first :], edges_of_low[rows.first :], squares
    )


def _without_rows(
    source: Volume,
    early: NDArray[np.bool_],
    codomain: Volume,
    owner: NDArray[np.int32],
    edges_of_low: NDArray[np.uint8],
    squares: NDArray[np.uint8],
) -> Reduced:
    """Return what was found for the rows, for all creator edges: late ones have none."""
    square = codomain.squares[0]
    creates = source.creates
    edge, had_row = source.saddle[creates], early[creates]
    square_of = np.full(edge.size, -1)
    square_of[had_row] = np.where(owner < square.size, owner, -1)  # others end with a prism
    edges = np.uint8(1) << source.representative[creates]
    edges[had_row] = edges_of_low
    edge_of = np.full(square.size, -1)
    found = np.flatnonzero(square_of >= 0)
    edge_of[square_of[found]] = found
    keys = taken(source.keys, edge), taken(codomain.keys, square)
    return Reduced(edge, square, *keys, square_of, edge_of, edges, squares)


def _no_domain() -> Domain:
    none = np.zeros(1, np.int32)
    return Domain(none.astype(np.int64), none.astype(np.uint8), none, none, none)


def _rows_of_cylinder(codomain: Volume, domain: Volume, limit: int) -> _Rows:
    """Number edges of the codomain and prisms that close a loop, then edges of the domain.

    What is connected through the domain counts as one component, like the exterior.
    """
    number = np.flatnonzero(taken(domain.keys, domain.minimum) < limit)
    minimum = domain.minimum[number]
    n_edges, exterior = codomain.saddle.size, np.int32(codomain.minimum.size)
    below = extrema_reached_3d(minimum, codomain.links, 0, codomain.steps, codomain.root)
    prism_ends = np.column_stack([below, np.full_like(below, exterior)])
    ends = np.concatenate([codomain.ends, prism_ends])
    voxel = np.concatenate([codomain.saddle, minimum])
    key = np.concatenate([taken(codomain.keys, codomain.saddle), taken(domain.keys, minimum)])
    # Equal keys in the order of their voxels, and the edges of a voxel before its prism.
    order = np.argsort(voxel, kind="stable")
    younger = np.empty(voxel.size, np.int32)
    younger[order] = merged(ends[order], key[order], taken(codomain.keys, codomain.minimum), 0)
    creates = younger == UNKNOWN

    stars, n_edge_rows = codomain.stars(creates[:n_edges])
    prism = np.full(domain.minimum.size + 1, -1, np.int32)
    loops = number[creates[n_edges:]]
    prism[loops] = n_edge_rows + np.arange(loops.size)
    first = n_edge_rows + loops.size
    own, n_creators = domain.stars(domain.creates & (taken(domain.keys, domain.saddle) < limit))
    first_creator = own.first_creator + np.int32(first)
    of_domain = Domain(domain.keys, own.creators, first_creator, domain.root, prism)
    return _Rows(stars, of_domain, first, first + n_creators)
