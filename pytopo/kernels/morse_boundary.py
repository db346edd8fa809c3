"""The Morse boundary: column additions that are never stored.

Twin of the square columns of ``reduction``.  The boundary of a square that is not paired
inside its lower star is a closed path of edges.  To reduce it is to replace, again and again,
its last edges by the far sides of the squares that are paired with them:

    o---o---o      o---o---o        take the last voxel U of the path and the faces over
    |       |      |   |            which the path leaves it.  The table of paths leads from
    o   o   U  ->  o   o---o        face to face around it: those squares push the path off
    |       |      |       |        U, to voxels that come earlier.  What may be left at U
    o---o---o      o---o---o        are leads of pieces of its lower link

A lead that joins two components is paired with one of them, no square is ever paired with
it, and it is dropped.  A lead that closes a loop is a *slot*: it starts a tunnel, and the
path rests there.

A path is one byte a voxel, bit d for the edge over face d, and each edge is kept at the later
of its two ends.  Voxels wait in a heap, so each is taken once, from the last to the first.
Any way from face to face will do: two of them differ by squares of the same voxel, which come
before the square at work like all others that are added.
"""

import numpy as np

from pytopo.kernels.bits import lowest_one
from pytopo.kernels.heap import push, remove_latest
from pytopo.kernels.jit import njit
from pytopo.kernels.reduction import grown

FACES, WAITING = 0b00111111, 0b01000000  # of the byte of a voxel
MOST_PUSHED = 24  # twelve edges of the octahedron, each a square with two far sides


@njit(cache=True, nogil=True)
def outlines_of_columns(saddle, lead, links, pieces, outlines):
    """Return the way around the piece of the upper link of each column, (n_columns,) int16.

    Parameters
    ----------
    saddle, lead : (n_columns,) int32, uint8
        Joins of voids that join what was together.
    links : (n,) uint32
    pieces : (4096, 8) uint8
        `pytopo.morse.links_3d.octant_pieces`.
    outlines : (256,) uint16
        `pytopo.morse.links_3d.edges_of_octants`.
    """
    way = np.empty(saddle.size, np.int16)
    for j in range(saddle.size):
        way[j] = outlines[pieces[np.int64(links[saddle[j]]) >> 6 & 4095, lead[j]]]
    return way


@njit(cache=True, nogil=True)
def morse_boundaries(
    column_voxel, column_way, most_steps, links, keys, slot_leads, paths, edges, steps
):
    """Push the path around each column down, for some steps.

    Parameters
    ----------
    column_voxel : (n_columns,) int32
        Voxel of each column.
    column_way : (n_columns,) int16
        The way around it, as `outlines_of_columns` finds it.
    most_steps : int
        How many voxels a path is pushed off at most; what is left of it stays as it is.
    links : (n,) uint32
        Lower links; 0 outside.
    keys : (n,) int32 or int64
    slot_leads : (n,) uint8
        For each voxel the leads that are slots, as a set.
    paths : (4096 * 64,) int32
        `pytopo.morse.links_3d.paths`.
    edges : (12, 2) int64
        Faces of each edge of the octahedron.
    steps : (26,) int64
        Distance in the array of each neighbour, faces first.

    Returns
    -------
    start : (n_columns + 1,) int64
    path_voxel, path_faces : (n_entries,) int32, uint8
        The path of column j is at ``path_voxel[start[j]:start[j + 1]]``, with the set of
        faces over which it leaves each voxel; its last voxel is the first of them.
    """
    # Squares are added once at the column and once a step, and a voxel waits once at most.
    # What a path leaves behind is one voxel a step, and then those that wait.
    most_waiting = MOST_PUSHED * (most_steps + 1)
    path, heap = np.zeros(links.size, np.uint8), np.zeros((most_waiting + 1, 2), np.int64)
    start = np.zeros(column_voxel.size + 1, np.int64)
    path_voxel, path_faces = np.empty(1024, np.int32), np.empty(1024, np.uint8)
    used = 0
    for j in range(column_voxel.size):
        path_voxel = grown(path_voxel, used + most_steps + most_waiting)
        path_faces = grown(path_faces, used + most_steps + most_waiting)
        voxel, way = np.int64(column_voxel[j]), np.int64(column_way[j])
        left = most_steps
        while True:
            while way != 0:  # as `add_far_edges`; a call would take longer than its work
                e = lowest_one(way)
                way &= way - 1
                for side in range(2):
                    along = edges[e, 1 - side]
                    later = voxel + steps[edges[e, side]]
                    if (np.int64(links[later]) >> along) & 1 == 0:
                        later += steps[along]
                        along ^= 1
                    add_edges(later, 1 << along, keys, path, heap)
            if heap[0, 0] == 0 or left == 0:
                break
            left -= 1
            voxel = heap[1, 1]
            link_edges = (np.int64(links[voxel]) >> 6) & 4095
            found = np.int64(paths[link_edges << 6 | (path[voxel] & FACES)])
            way = found & 4095
            rest = (found >> 12) & np.int64(slot_leads[voxel])
            path[voxel] = 0
            remove_latest(heap)
            if rest != 0:
                path_voxel[used] = voxel
                path_faces[used] = rest
                used += 1

        while heap[0, 0] > 0 and path[heap[1, 1]] & FACES == 0:
            path[heap[1, 1]] = 0
            remove_latest(heap)
        if heap[0, 0] > 0:
            used = keep_path(path, heap, used, path_voxel, path_faces)
            clear_path(path, heap)
        start[j + 1] = used
    return start, path_voxel[:used].copy(), path_faces[:used].copy()


@njit(cache=True, nogil=True)
def add_edges(voxel, faces, keys, out_path, out_heap):
    """Add edges at their later end to a path, modulo 2.

    Parameters
    ----------
    voxel, faces : int
        The later end, and the set of faces over which the edges leave it.
    keys : (n,) int32 or int64
    out_path : (n,) uint8
        The path.
    out_heap : (m, 2) int64
        The voxels that wait, with room for one more.
    """
    out_path[voxel] ^= faces
    if out_path[voxel] & WAITING == 0:
        out_path[voxel] |= WAITING
        push(np.int64(keys[voxel]), voxel, out_heap)


@njit(cache=True, nogil=True)
def add_far_edges(voxel, way, links, keys, edges, steps, out_path, out_heap):
    """Add the far sides of squares at a voxel u to a path, modulo 2.

        u+a -- u+a+b        the square between faces a and b has two sides at u
         |       |          and two far ones
         u --- u+b

    Parameters
    ----------
    voxel : int
    way : int
        Set of edges of the octahedron, one for each square.
    links : (n,) uint32
        Lower links; 0 outside.
    keys : (n,) int32 or int64
    edges : (12, 2) int64
        Faces of each edge of the octahedron.
    steps : (26,) int64
        Distance in the array of each neighbour, faces first.
    out_path, out_heap
        As in `add_edges`, with room for `MOST_PUSHED` more.
    """
    while way != 0:
        e = lowest_one(way)
        way &= way - 1
        for side in range(2):
            along = edges[e, 1 - side]
            later = voxel + steps[edges[e, side]]
            if (np.int64(links[later]) >> along) & 1 == 0:  # the other end comes later
                later += steps[along]
                along ^= 1
            add_edges(later, 1 << along, keys, out_path, out_heap)


@njit(cache=True, nogil=True)
def keep_path(path, heap, used, out_voxel, out_faces):
    """Keep the path at work behind place ``used`` of a list, its last voxel first.

    Parameters
    ----------
    path, heap
        The path, as in `add_edges`.
    used : int
    out_voxel, out_faces : (>= used + size of the heap,) int32, uint8
        The list.

    Returns
    -------
    used : int
        Where the path ends.
    """
    for i in range(1, heap[0, 0] + 1):
        faces = path[heap[i, 1]] & FACES
        if faces != 0:
            out_voxel[used] = heap[i, 1]
            out_faces[used] = faces
            used += 1
    return used


@njit(cache=True, nogil=True)
def clear_path(out_path, out_heap):
    """Empty the path at work."""
    for i in range(1, out_heap[0, 0] + 1):
        out_path[out_heap[i, 1]] = 0
    out_heap[0, 0] = 0
