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
of its two ends.  Any way from face to face will do: two of them differ by squares of the same
voxel, which come before the square at work like all others that are added.  So the voxels of a
path may be taken in any sequence, and a voxel again when the path comes back to it.  First
come, first served is the fastest: the next voxel is known long before it is needed.
"""

import numpy as np

from pytopo.kernels.bits import lowest_one
from pytopo.kernels.heap import comes_before, push
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
        How often a path is pushed off a voxel at most; what is left of it stays as it is.
    links : (n,) uint32
        Lower links; 0 outside.
    keys : (n,) int64
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
    # Squares are added at the column and at each step, each with two far sides.
    most_waiting = MOST_PUSHED * (most_steps + 1)
    path = np.zeros(links.size, np.uint8)
    waiting, resting = np.empty(most_waiting + 1, np.int32), np.empty(most_steps, np.int32)
    start = np.zeros(column_voxel.size + 1, np.int64)
    path_voxel, path_faces = np.empty(1024, np.int32), np.empty(1024, np.uint8)
    used = np.int64(0)  # of a literal, the kernels below would be compiled once more
    for j in range(column_voxel.size):
        path_voxel = grown(path_voxel, used + most_steps + most_waiting + 1)
        path_faces = grown(path_faces, used + most_steps + most_waiting + 1)
        voxel, way = np.int64(column_voxel[j]), np.int64(column_way[j])
        taken, n_waiting, n_resting = 0, 0, 0
        while True:
            while way != 0:  # as `add_far_edges`; a call would take longer than its work
                e = lowest_one(way)
                way &= way - 1
                for side in range(2):
                    along = edges[e, 1 - side]
                    later = voxel + steps[edges[e, side]]
                    away = (np.int64(links[later]) >> along & 1) ^ 1
                    later += away * steps[along]
                    along ^= away
                    before = np.int64(path[later])
                    path[later] = (before ^ 1 << along) | WAITING
                    waiting[n_waiting] = later  # written always, kept if it counts: no branch
                    n_waiting += before & WAITING == 0
            if taken in (n_waiting, most_steps):
                break
            voxel = np.int64(waiting[taken])
            taken += 1
            link_edges = (np.int64(links[voxel]) >> 6) & 4095
            found = np.int64(paths[link_edges << 6 | (path[voxel] & FACES)])
            way = found & 4095
            rest = (found >> 12) & np.int64(slot_leads[voxel])
            path[voxel] = rest
            resting[n_resting] = voxel
            n_resting += rest != 0

        # A voxel that is listed twice is kept once: then nothing of the path is left there.
        for i in range(taken, n_waiting):
            used = keep_voxel(np.int64(waiting[i]), used, path, path_voxel, path_faces)
        for i in range(n_resting):
            used = keep_voxel(np.int64(resting[i]), used, path, path_voxel, path_faces)
        latest_to_front(keys, start[j], used, path_voxel, path_faces)
        start[j + 1] = used
    return start, path_voxel[:used].copy(), path_faces[:used].copy()


@njit(cache=True, nogil=True)
def keep_voxel(voxel, used, out_path, out_voxel, out_faces):
    """Move a voxel from the path at work behind place ``used`` of a list.

    Parameters
    ----------
    voxel, used : int
    out_path : (n,) uint8
        The path; nothing is left of it at the voxel.
    out_voxel, out_faces : (> used,) int32, uint8
        The list.

    Returns
    -------
    used : int
        Where the list ends now: as before, if the path does not leave the voxel at all.
    """
    faces = out_path[voxel] & FACES
    out_path[voxel] = 0
    out_voxel[used] = voxel  # written always, kept if it counts: no branch
    out_faces[used] = faces
    return used + (faces != 0)


@njit(cache=True, nogil=True)
def latest_to_front(keys, first, stop, out_voxel, out_faces):
    """Exchange the first voxel of a list, places ``first`` to ``stop - 1``, with the latest."""
    if first == stop:
        return
    place, latest = first, np.int64(out_voxel[first])
    latest_key = keys[latest]
    for i in range(first + 1, stop):
        voxel = np.int64(out_voxel[i])
        key = keys[voxel]
        if comes_before(latest_key, latest, key, voxel):
            place, latest, latest_key = i, voxel, key
    out_voxel[first], out_voxel[place] = out_voxel[place], out_voxel[first]
    out_faces[first], out_faces[place] = out_faces[place], out_faces[first]


@njit(cache=True, nogil=True)
def add_edges(voxel, faces, keys, out_path, out_heap):
    """Add edges at their later end to a path, modulo 2.

    Parameters
    ----------
    voxel, faces : int
        The later end, and the set of faces over which the edges leave it.
    keys : (n,) int64
    out_path : (n,) uint8
        The path.
    out_heap : (m, 2) int64
        The voxels that wait, with room for one more.
    """
    out_path[voxel] ^= faces
    if out_path[voxel] & WAITING == 0:
        out_path[voxel] |= WAITING
        push(keys[voxel], voxel, out_heap)


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
    keys : (n,) int64
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
