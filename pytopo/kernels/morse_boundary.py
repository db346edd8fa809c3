"""The Morse boundary: column additions that are never stored.

The reference implementation is the square columns of ``reduction``.  The boundary of a square
that is not paired inside its lower star is a closed path of edges.  To reduce it is to
replace, again and again, its last edges by the far sides of the squares that are paired with
them:

    o---o---o      o---o---o        take the last voxel U of the path and the faces over
    |       |      |   |            which the path leaves it.  A table leads from face to
    o   o   U  ->  o   o---o        face around it: those squares push the path off U, to
    |       |      |       |        voxels that come earlier.  What may be left at U are
    o---o---o      o---o---o        representatives of components of its lower link

A representative at which two components of the volume merge is paired with the vertex of the
younger one.  No square is ever paired with it, so it is dropped.  A representative that closes
a loop is a *creator edge*: it creates a tunnel, and the path rests there.

A path is one byte per voxel, bit d for the edge over face d, and each edge is stored at the
later of its two ends.  Any path from face to face will do: two of them differ by squares of
the same voxel, which come before the square that is reduced, like all others that are added.
So the voxels of a path may be visited in any sequence, and a voxel again when the path comes
back to it.  First come, first served is the fastest: the next voxel is known long before it
is needed.
"""

from typing import NamedTuple

import numpy as np

from pytopo.kernels.bits import lowest_one
from pytopo.kernels.heap import comes_before, push
from pytopo.kernels.jit import njit
from pytopo.kernels.reduction import grown

# The byte of a voxel: six faces, and a bit that says that the voxel is listed already.
#
#     bit   7   6        5  4  3  2  1  0
#           -   WAITING  +z -z +y -y +x -x
FACES, WAITING = 0b00111111, 0b01000000
MOST_PUSHED = 24  # twelve edges of the octahedron, each a square with two far sides


class Stars(NamedTuple):
    """What the lower star of each voxel decides, and the tables that it is read with."""

    links: np.ndarray  # (n,) uint32: lower links; 0 in the exterior
    keys: np.ndarray  # (n,) int64
    creators: np.ndarray  # (n,) uint8: the set of representatives that are creator edges
    first_creator: np.ndarray  # (n,) int32: number of the first creator edge of each voxel
    paths: np.ndarray  # (4096 * 64,) int32: `pytopo.morse.links_3d.paths`
    edges: np.ndarray  # (12, 2) int64: faces of each edge of the octahedron
    steps: np.ndarray  # (26,) int64: distance in the array of each neighbour, faces first


@njit(cache=True, nogil=True)
def outlines_of_squares(saddle, representative, links, components, outlines):
    """Return the outline of the component of the upper link at each destroyer square.

    Parameters
    ----------
    saddle, representative : (n_squares,) int32, uint8
        Merge events of voids that merge nothing.
    links : (n,) uint32
    components : (4096, 8) uint8
        `pytopo.morse.links_3d.octant_components`.
    outlines : (256,) uint16
        `pytopo.morse.links_3d.edges_of_octants`.

    Returns
    -------
    outline : (n_squares,) int16
        Sets of edges of the octahedron, each a square of the voxel; a destroyer square is
        their sum, modulo 2.
    """
    outline = np.empty(saddle.size, np.int16)
    for j in range(saddle.size):
        link_edges = np.int64(links[saddle[j]]) >> 6 & 4095
        outline[j] = outlines[components[link_edges, representative[j]]]
    return outline


@njit(cache=True, nogil=True)
def morse_boundaries(square_voxel, outline, most_steps, stars):
    """Push the path around each destroyer square down, for some steps.

    Parameters
    ----------
    square_voxel : (n_squares,) int32
        Voxel of each destroyer square.
    outline : (n_squares,) int16
        As `outlines_of_squares` returns it.
    most_steps : int
        How often a path is pushed off a voxel at most; what is left of it stays as it is.
    stars : Stars

    Returns
    -------
    start : (n_squares + 1,) int64
    path_voxel, path_faces : (n_entries,) int32, uint8
        The path of square j is at ``path_voxel[start[j]:start[j + 1]]``, with the set of
        faces over which it leaves each voxel; its last voxel is the first of them.
    """
    links, creators, paths = stars.links, stars.creators, stars.paths
    edges, steps = stars.edges, stars.steps
    # Squares are added at the beginning and at each step, each with two far sides.
    most_waiting = MOST_PUSHED * (most_steps + 1)
    path = np.zeros(links.size, np.uint8)
    waiting, resting = np.empty(most_waiting + 1, np.int32), np.empty(most_steps, np.int32)
    start = np.zeros(square_voxel.size + 1, np.int64)
    path_voxel, path_faces = np.empty(1024, np.int32), np.empty(1024, np.uint8)
    used = np.int64(0)  # of a literal, the kernels below would be compiled once more
    for j in range(square_voxel.size):
        path_voxel = grown(path_voxel, used + most_steps + most_waiting + 1)
        path_faces = grown(path_faces, used + most_steps + most_waiting + 1)
        voxel, squares = np.int64(square_voxel[j]), np.int64(outline[j])
        n_pushed, n_waiting, n_resting = 0, 0, 0
        while True:
            # Add the far sides of the squares at this voxel, modulo 2.  The same as
            # `add_far_edges`, written out: a call would take longer than its work.
            while squares != 0:
                e = lowest_one(squares)
                squares &= squares - 1
                for side in range(2):
                    # The far side that starts at one face runs along the other.
                    along = edges[e, 1 - side]
                    later = voxel + steps[edges[e, side]]
                    away = (np.int64(links[later]) >> along & 1) ^ 1
                    later += away * steps[along]  # the other end comes later, and stores it,
                    along ^= away  # as an edge over the opposite face
                    before = np.int64(path[later])
                    path[later] = (before ^ 1 << along) | WAITING
                    waiting[n_waiting] = later  # written always, kept if it counts: no branch
                    n_waiting += before & WAITING == 0

            # Take the next voxel in the queue: no voxel waits, or the path is long enough?
            if n_pushed in (n_waiting, most_steps):
                break
            voxel = np.int64(waiting[n_pushed])
            n_pushed += 1

            # Which squares push the path off it, and on which representatives does it end?
            link_edges = (np.int64(links[voxel]) >> 6) & 4095
            found = np.int64(paths[link_edges << 6 | (path[voxel] & FACES)])
            squares = found & 4095
            rest = (found >> 12) & np.int64(creators[voxel])  # others are dropped
            path[voxel] = rest
            resting[n_resting] = voxel
            n_resting += rest != 0

        # Store what still waits and what rests, the latest voxel first, and clear the path.
        used = move_voxels(waiting, n_pushed, n_waiting, used, path, path_voxel, path_faces)
        used = move_voxels(resting, 0, n_resting, used, path, path_voxel, path_faces)
        latest_to_front(stars.keys, start[j], used, path_voxel, path_faces)
        start[j + 1] = used
    return start, path_voxel[:used].copy(), path_faces[:used].copy()


@njit(cache=True, nogil=True)
def move_voxels(voxels, first, stop, used, out_path, out_voxel, out_faces):
    """Move some voxels from the path at work to a list, from place ``used`` on.

    Parameters
    ----------
    voxels : (n,) int32
    first, stop : int
        Move ``voxels[first:stop]``.
    used : int
    out_path : (n,) uint8
        The path; nothing is left of it at these voxels.
    out_voxel, out_faces : (> used + stop - first,) int32, uint8
        The list.

    Returns
    -------
    used : int
        Where the list ends now.  Voxels that the path does not leave at all are not in it.
    """
    for i in range(first, stop):
        voxel = np.int64(voxels[i])
        faces = out_path[voxel] & FACES
        out_path[voxel] = 0  # so a voxel that was listed twice is stored once
        out_voxel[used] = voxel  # written always, kept if it counts: no branch
        out_faces[used] = faces
        used += faces != 0
    return used


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
    if out_path[voxel] & WAITING == 0:  # not in the heap yet
        out_path[voxel] |= WAITING
        push(keys[voxel], voxel, out_heap)


@njit(cache=True, nogil=True)
def add_far_edges(voxel, squares, links, keys, edges, steps, out_path, out_heap):
    """Add the far sides of squares at a voxel u to a path, modulo 2.

        u+a -- u+a+b        the square between faces a and b has two sides at u
         |       |          and two far ones
         u --- u+b

    Parameters
    ----------
    voxel : int
    squares : int
        Set of edges of the octahedron, one for each square.
    links, keys, edges, steps
        As in `Stars`; a tuple of all would take longer to pass than the work.
    out_path, out_heap
        As in `add_edges`, with room for `MOST_PUSHED` more.
    """
    while squares != 0:
        e = lowest_one(squares)
        squares &= squares - 1
        for side in range(2):
            # The far side that starts at one face of the edge e runs along the other.
            along = edges[e, 1 - side]
            later = voxel + steps[edges[e, side]]
            if (np.int64(links[later]) >> along) & 1 == 0:  # the other end comes later
                later += steps[along]
                along ^= 1  # from there the edge runs over the opposite face
            add_edges(later, 1 << along, keys, out_path, out_heap)


@njit(cache=True, nogil=True)
def store_path(path, heap, used, path_voxel, path_faces):
    """Store the path at work from place ``used`` of a list on, its last voxel first.

    Parameters
    ----------
    path, heap
        The path, as in `add_edges`.
    used : int
    path_voxel, path_faces : (>= used,) int32, uint8
        The list.

    Returns
    -------
    path_voxel, path_faces : (>= used,) int32, uint8
        The same with the path, or larger copies.
    used : int
        Where the path ends.
    """
    path_voxel = grown(path_voxel, used + heap[0, 0])
    path_faces = grown(path_faces, used + heap[0, 0])
    for i in range(1, heap[0, 0] + 1):  # row 1 of a heap is the latest
        faces = path[heap[i, 1]] & FACES
        if faces != 0:  # edges that were added twice cancel
            path_voxel[used] = heap[i, 1]
            path_faces[used] = faces
            used += 1
    return path_voxel, path_faces, used


@njit(cache=True, nogil=True)
def clear_path(out_path, out_heap):
    """Empty the path at work."""
    for i in range(1, out_heap[0, 0] + 1):
        out_path[out_heap[i, 1]] = 0
    out_heap[0, 0] = 0
