"""How the neighbours of a voxel hang together: the octahedron and its subcomplexes.

Draw the six face neighbours of a voxel as the corners of an octahedron around it.  An edge
neighbour then belongs to an edge of the octahedron, a corner neighbour to a triangle:

           -y
         .' | '.              6 corners    a      face neighbour
       .'   |   '.           12 edges      a b    neighbour between faces a and b
     -x -- +z -- +x           8 triangles  a b c  neighbour between three faces, an octant
       '.   |   .'
         '. | .'             -z is behind +z, with four more edges and four more triangles
           +y

In construction V a voxel brings in an edge for each face neighbour that is there already, a
square for each edge neighbour that is there with the two faces beside it, and a cube where
all seven neighbours of an octant are there.  Corners, edges and triangles of the octahedron
that stand for them are its *lower link*: one number of 26 bits, see
`pytopo/kernels/links_3d.py`.

    bits 0 to 5    faces        bits 6 to 17   edges        bits 18 to 25   triangles

Everything that a voxel decides by itself is read from that number.  Which pieces hang
together depends on its twelve edge bits alone, so 4096 rows are enough for each table.

`docs/fast-3d.md` shows what follows.
"""

from functools import cache
from itertools import combinations, product

import numpy as np
from numpy.typing import NDArray

# (plane, row, column).  The opposite of face d is face d ^ 1.
FACES = ((0, 0, -1), (0, 0, 1), (0, -1, 0), (0, 1, 0), (-1, 0, 0), (1, 0, 0))
EDGES = tuple(pair for pair in combinations(range(6), 2) if pair[0] ^ 1 != pair[1])
OCTANTS = tuple(product((0, 1), (2, 3), (4, 5)))
EDGE_BIT, OCTANT_BIT = 6, 18  # where they begin in the number


def _offset(faces: tuple[int, ...]) -> tuple[int, ...]:
    """Return where the neighbour between some faces lies."""
    return tuple(sum(FACES[d][axis] for d in faces) for axis in range(3))


def offsets() -> NDArray[np.int64]:
    """Return where the neighbour of each of the 26 bits lies, (26, 3): plane, row, column."""
    faces = ((d,) for d in range(6))
    return np.array([_offset(there) for there in (*faces, *EDGES, *OCTANTS)])


@cache
def edges_of_octants() -> NDArray[np.uint16]:
    """Return for each set of octants the edges that an odd number of them has, (256,).

    A triangle has three edges; edges that two triangles share vanish, so this is the
    boundary of the set, modulo 2.

    Examples
    --------
    >>> [int(edges_of_octants()[0b1]).bit_count(), int(edges_of_octants()[0b11]).bit_count()]
    [3, 4]
    """
    table = np.zeros(1, np.uint16)
    for octant in OCTANTS:
        edges = sum(1 << EDGES.index(pair) for pair in combinations(octant, 2))
        table = np.concatenate([table, table ^ np.uint16(edges)])
    return table


@cache
def octant_bits() -> NDArray[np.int64]:
    """Return for each octant the bits of its seven neighbours, (8,)."""
    bits = [
        sum(1 << d for d in octant)
        + sum(1 << EDGE_BIT + EDGES.index(pair) for pair in combinations(octant, 2))
        + (1 << OCTANT_BIT + t)
        for t, octant in enumerate(OCTANTS)
    ]
    return np.array(bits, np.int64)


@cache
def face_pieces() -> NDArray[np.uint8]:
    """Return for each set of edges the faces connected to each face through them.

    Returns
    -------
    pieces : (4096, 6) uint8
        Sets of faces, bit d for face d; each contains its own.
    """
    pieces = np.array([[1 << d for d in range(6)]], np.uint8)
    for a, b in EDGES:
        pieces = np.concatenate([pieces, _joined(pieces, a, b)])
    return pieces


@cache
def octant_pieces() -> NDArray[np.uint8]:
    """Return for each set of edges the octants connected to each octant through *absent* ones.

    Returns
    -------
    pieces : (4096, 8) uint8
        Sets of octants, bit t for octant t; each contains its own.
    """
    pieces = np.array([[1 << t for t in range(8)]], np.uint8)
    for edge in EDGES:
        s, t = (t for t, octant in enumerate(OCTANTS) if set(edge) <= set(octant))
        pieces = np.concatenate([_joined(pieces, s, t), pieces])  # absent first
    return pieces


def _joined(pieces: NDArray[np.uint8], a: int, b: int) -> NDArray[np.uint8]:
    """Return the pieces when a and b are connected too."""
    both = pieces[:, [a]] | pieces[:, [b]]
    touched = (pieces & np.uint8(1 << a | 1 << b)) != 0
    return np.where(touched, both, pieces)


def leads(pieces: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the lead, its lowest member, of every piece, as a set for each row of a table.

    Examples
    --------
    With no edge at all each face is a piece by itself; with all of them they are one:

    >>> leads(face_pieces())[[0, 4095]].tolist()
    [63, 1]
    """
    lowest = pieces & (~pieces + np.uint8(1))
    return np.bitwise_or.reduce(lowest, axis=1)


@cache
def face_leads() -> NDArray[np.uint8]:
    """Return for each set of edges the leads of the pieces of the faces, (4096,)."""
    return leads(face_pieces())


@cache
def octant_leads() -> NDArray[np.uint8]:
    """Return for each set of edges the leads of the pieces of the octants, (4096,)."""
    return leads(octant_pieces())


@cache
def paths() -> NDArray[np.int32]:
    """Tabulate the gradient inside a lower star: how to get from face to face along edges.

    Take a set of edges of the octahedron that are there, and a set of faces.  In a piece
    with an odd number of those faces the lead is added or taken away; then the faces can be
    paired up along edges, and the table has the shortest paths, modulo 2.

    Returns
    -------
    paths : (4096 * 64,) int32
        At ``64 * edges + faces``: the edges of the paths in bits 0 to 11, the leads that
        changed in bits 12 to 17.

    Examples
    --------
    Edge 0 joins faces 0 and 2.  From one to the other it is the path; face 4 is alone:

    >>> EDGES[0]
    (0, 2)
    >>> [f"{paths()[64 * 0b1 + faces]:018b}" for faces in (0b000101, 0b010000)]
    ['000000000000000001', '010000000000000000']
    """
    faces = np.arange(64)
    # Without edges only the empty set of faces can be paired up.
    shortest = np.full((1, 64), -1, np.int32)
    shortest[0, 0] = 0
    for e, (a, b) in enumerate(EDGES):
        ends = 1 << a | 1 << b
        through = shortest[:, faces ^ ends]  # the paths that use edge e too
        through = np.where(through >= 0, through | 1 << e, -1)
        shortest = np.concatenate([shortest, _shorter(shortest, through)])

    changed = np.zeros((4096, 64), np.int32)
    lead = (face_pieces() & (~face_pieces() + np.uint8(1))).astype(np.int32)
    for d in range(6):
        changed ^= np.where(faces >> d & 1, lead[:, [d]], 0)
    path = np.take_along_axis(shortest, faces ^ changed, axis=1)
    return (path | changed << 12).ravel()


def _shorter(first: NDArray[np.int32], second: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return of two sets of edges the one with fewer, where neither or both exist the first."""
    missing = first < 0
    longer = np.bitwise_count(first) > np.bitwise_count(second)
    return np.where((second >= 0) & (missing | longer), second, first)
