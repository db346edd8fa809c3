"""How the neighbours of a voxel are connected: the octahedron and its subcomplexes.

Draw the six face neighbours of a voxel as the corners of an octahedron around it.  An edge
neighbour then belongs to an edge of the octahedron, a corner neighbour to a triangle:

           -y
         .' | '.              6 corners    a      face neighbour
       .'   |   '.           12 edges      a b    neighbour between faces a and b
     -x -- +z -- +x           8 triangles  a b c  neighbour between three faces, an octant
       '.   |   .'
         '. | .'             -z is behind +z, with four more edges and four more triangles
           +y

In construction V an edge enters with a voxel for each face neighbour that is there already, a
square for each edge neighbour that is there with the two faces beside it, and a cube where
all seven neighbours of an octant are there.  Corners, edges and triangles of the octahedron
that stand for them are its *lower link*: one number of 26 bits, see
`pytopo/kernels/links_3d.py`.

    bits 0 to 5    faces        bits 6 to 17   edges        bits 18 to 25   triangles

Everything that a voxel decides by itself is read from that number.  How it is connected depends
on its twelve edge bits alone, so 4096 rows are enough for each table.

All tables by set of edges are made by doubling.  Begin with the row of the empty set, and let
each edge in turn double the table: the rows so far are those of the sets without it, and the
same rows with the edge added are those of the sets that have it.

    edges           none      0             0, 1                    ...
    rows of sets    {}        {} {0}        {} {0} {1} {0,1}        4096

So row number ``s`` is that of the set whose bits ``s`` has.

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
def face_components() -> NDArray[np.uint8]:
    """Return for each set of edges the faces connected to each face through them.

    Returns
    -------
    components : (4096, 6) uint8
        Sets of faces, bit d for face d; each contains its own.
    """
    components = np.array([[1 << d for d in range(6)]], np.uint8)
    for a, b in EDGES:
        components = np.concatenate([components, _connected(components, a, b)])
    return components


@cache
def octant_components() -> NDArray[np.uint8]:
    """Return for each set of edges the octants connected to each octant through *absent* ones.

    Returns
    -------
    components : (4096, 8) uint8
        Sets of octants, bit t for octant t; each contains its own.
    """
    components = np.array([[1 << t for t in range(8)]], np.uint8)
    for edge in EDGES:
        # The two octants on either side of the edge are connected where it is absent.
        s, t = (t for t, octant in enumerate(OCTANTS) if set(edge) <= set(octant))
        components = np.concatenate([_connected(components, s, t), components])  # absent first
    return components


def _connected(components: NDArray[np.uint8], a: int, b: int) -> NDArray[np.uint8]:
    """Return the components when a and b are connected too."""
    both = components[:, [a]] | components[:, [b]]
    touched = (components & np.uint8(1 << a | 1 << b)) != 0
    return np.where(touched, both, components)


def _lowest(components: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the lowest member of each set: ``-x`` flips all bits of x above its lowest one."""
    return components & (~components + np.uint8(1))


def representatives(components: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the lowest member of every component, as a set for each row of a table.

    Examples
    --------
    With no edge at all each face is a component by itself; with all of them they are one:

    >>> representatives(face_components())[[0, 4095]].tolist()
    [63, 1]
    """
    return np.bitwise_or.reduce(_lowest(components), axis=1)


@cache
def face_representatives() -> NDArray[np.uint8]:
    """Return for each set of edges the representatives of the faces, (4096,)."""
    return representatives(face_components())


@cache
def octant_representatives() -> NDArray[np.uint8]:
    """Return for each set of edges the representatives of the octants, (4096,)."""
    return representatives(octant_components())


@cache
def paths() -> NDArray[np.int32]:
    """Tabulate the gradient inside a lower star: how to get from face to face along edges.

    Take a set of edges of the octahedron that are there, and a set T of faces.  In a component
    with an odd number of those faces the representative is added or taken away; then the faces
    can be paired up along edges.  The table has the shortest such paths, modulo 2, which is a
    minimum *T-join*: a smallest set of edges in which exactly the faces of T have odd degree.

        -x --- -y          T = {-x, +z}: the path -x, -y, +z, two edges
                |
                +z         T = {-y}: odd, so the representative -x is added: one edge

    Returns
    -------
    paths : (4096 * 64,) int32
        At ``64 * edges + faces``: the edges of the paths in bits 0 to 11, the representatives
        that changed in bits 12 to 17.

    Examples
    --------
    Edge 0 joins faces 0 and 2.  From one to the other it is the path; face 4 is alone:

    >>> EDGES[0]
    (0, 2)
    >>> [f"{paths()[64 * 0b1 + faces]:018b}" for faces in (0b000101, 0b010000)]
    ['000000000000000001', '010000000000000000']
    """
    faces = np.arange(64)
    # Without edges only the empty set of faces can be paired up: -1 stands for impossible.
    shortest = np.full((1, 64), -1, np.int32)
    shortest[0, 0] = 0
    for e, (a, b) in enumerate(EDGES):
        ends = 1 << a | 1 << b
        # With edge e, T has a second choice: to use e, which changes the degree of both ends.
        through = shortest[:, faces ^ ends]
        through = np.where(through >= 0, through | 1 << e, -1)
        shortest = np.concatenate([shortest, _shorter(shortest, through)])

    # Each face of T adds the representative of its component, modulo 2: what remains are the
    # representatives of the components with an odd number of them.
    changed = np.zeros((4096, 64), np.int32)
    representative = _lowest(face_components()).astype(np.int32)
    for d in range(6):
        changed ^= np.where(faces >> d & 1, representative[:, [d]], 0)
    path = np.take_along_axis(shortest, faces ^ changed, axis=1)
    return (path | changed << 12).ravel()


def _shorter(first: NDArray[np.int32], second: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return of two sets of edges the one with fewer, where neither or both exist the first."""
    missing = first < 0
    longer = np.bitwise_count(first) > np.bitwise_count(second)
    return np.where((second >= 0) & (missing | longer), second, first)
