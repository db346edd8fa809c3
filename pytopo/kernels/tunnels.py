"""Tunnels: the reduction that is left, of the squares and edges that nothing else has paired.

The reference implementation is ``reduce_columns`` in `pytopo/kernels/reduction.py`.  A column
is a *destroyer square*, which fills a tunnel; `pytopo/kernels/morse_boundary.py` has pushed
the path around it down to *creator edges*, which create tunnels.  Its last creator edge is
its ``low``, and if no other square has it, the two are a pair.  Most often that is all.

The textbook visits columns from left to right, so a column only ever meets columns on its
left.  Here squares are visited as they lie in the volume, where neighbours share creator edges
and memory.  One that meets a square on its *right*, later in the filtration, takes the edge,
and the other is reduced further instead:

    edge free                  take it
    owner on the left          add the owner's path to mine
    owner on the right         take its edge, add my path to the owner's, go on with that

Every path is only ever added to paths of later squares, so the pairs are those of the
textbook.  There are as many squares as creator edges, and in the end each has one.

Several threads each take the squares and creator edges of some planes.  A square whose path
comes to rest on an edge of other planes is put aside, and finished when all are done.
"""

from typing import NamedTuple

import numpy as np

from pytopo.kernels.bits import count_ones, highest_one
from pytopo.kernels.heap import comes_before, remove_latest, with_room
from pytopo.kernels.jit import njit
from pytopo.kernels.morse_boundary import (
    FACES,
    MOST_PUSHED,
    WAITING,
    add_edges,
    add_far_edges,
    clear_path,
    store_path,
)

NOBODY = -1


class Paths(NamedTuple):
    """The paths around destroyer squares; that of square j begins at ``begin[j]``."""

    voxel: np.ndarray  # (n_entries,) int32: of each path, its last voxel first
    faces: np.ndarray  # (n_entries,) uint8: over which the path leaves the voxel
    begin: np.ndarray  # (n_squares,) int64
    end: np.ndarray  # (n_squares,) int64


@njit(cache=True, nogil=True)
def note_creators(saddle, representative, younger, out_creators, out_first):
    """Number the creator edges, and note them at their voxels.

    Parameters
    ----------
    saddle, representative : (n_merges,) int32, uint8
        Merge events of components, ascending.
    younger : (n_merges,) int32
        -1 for one that merges nothing, because what it leads to is connected already: its
        edge closes a loop, and is a creator edge.
    out_creators : (n,) uint8
        Zero.  Receives for each voxel the set of representatives that are creator edges.
    out_first : (n,) int32
        Receives the number of the first creator edge of each voxel that has some.

    Returns
    -------
    n_creators : int
        Creator edges are numbered in the order of the merge events.
    """
    count = 0
    for k in range(saddle.size):
        if younger[k] == -1:
            p = saddle[k]
            if out_creators[p] == 0:
                out_first[p] = count
            out_creators[p] |= 1 << representative[k]
            count += 1
    return count


@njit(cache=True, nogil=True)
def last_creator(voxel, rest, creators, first_creator):
    """Return the number of the last creator edge on which a path rests at a voxel.

    Parameters
    ----------
    voxel : int
    rest : int
        Set of representatives, not empty.
    creators, first_creator : (n,) uint8, int32
        As `note_creators` fills them.
    """
    representative = highest_one(np.uint64(rest))
    before = np.int64(creators[voxel]) & ((1 << representative) - 1)
    return first_creator[voxel] + count_ones(before)


@njit(cache=True, nogil=True)
def pair_squares(todo, first, stop, square_voxel, stars, paths, out_owner):
    """Reduce destroyer squares until each has a creator edge.

    Parameters
    ----------
    todo : (k,) int32
        The squares to reduce, each once.
    first, stop : int
        Voxels whose creator edges may be taken; a square that rests elsewhere is put aside.
    square_voxel : (n_squares,) int32
        Voxel of each square, ascending.
    stars : pytopo.kernels.morse_boundary.Stars
    paths : Paths
        As `pytopo.kernels.morse_boundary.morse_boundaries` returns them.  Paths that change
        are stored anew behind the others: ``begin`` and ``end`` receive where.
    out_owner : (n_creators,) int32
        Square that owns each creator edge; -1 for none.

    Returns
    -------
    path_voxel, path_faces : (>= n_entries,) int32, uint8
        All paths that are stored.
    aside : (n_aside,) int32
        The squares that were put aside.
    """
    links, keys, creators, first_creator, shortest, edges, steps = stars
    path_voxel, path_faces, begin, end = paths
    aside = np.empty(todo.size, np.int32)  # to put one aside ends the work on that of todo
    n_aside, used = 0, path_voxel.size
    path, heap = np.zeros(links.size, np.uint8), np.zeros((256, 2), np.int64)
    for j in todo:
        # Most often the path rests already, on an edge that is free: nothing is to be moved.
        voxel, rest = np.int64(path_voxel[begin[j]]), np.int64(path_faces[begin[j]])
        if first <= voxel < stop and rest & ~np.int64(creators[voxel]) == 0:
            edge = last_creator(voxel, rest, creators, first_creator)
            if out_owner[edge] == NOBODY:
                out_owner[edge] = j
                continue

        mine, other, changed = np.int64(j), np.int64(j), False  # my own path is added first
        while other != NOBODY:
            heap = with_room(heap, end[other] - begin[other])
            for i in range(begin[other], end[other]):
                add_edges(np.int64(path_voxel[i]), np.int64(path_faces[i]), keys, path, heap)

            # Push the path off its last voxel, again and again, until a creator edge is last.
            rest = 0
            while rest == 0:
                voxel = heap[1, 1]
                faces = np.int64(path[voxel]) & FACES
                rest = faces & np.int64(creators[voxel])
                if rest != faces:  # there is more than creator edges: squares push that off
                    link_edges = (np.int64(links[voxel]) >> 6) & 4095
                    found = np.int64(shortest[link_edges << 6 | faces])
                    rest = (found >> 12) & np.int64(creators[voxel])
                    path[voxel] = WAITING | rest  # the voxel stays in the heap, marked as such
                    heap = with_room(heap, np.int64(MOST_PUSHED))  # not a literal type
                    add_far_edges(voxel, found & 4095, links, keys, edges, steps, path, heap)
                if rest == 0:  # nothing is left here
                    path[voxel] = 0
                    remove_latest(heap)

            edge = last_creator(voxel, rest, creators, first_creator)
            allowed = first <= voxel < stop
            other = np.int64(out_owner[edge]) if allowed else NOBODY
            # An owner on my left keeps the edge, and its path is added to mine.
            if other == NOBODY or comes_before(
                keys[square_voxel[mine]], mine, keys[square_voxel[other]], other
            ):
                # Free, or the owner is on my right.  My path is final: store it for others.
                if changed:
                    begin[mine] = used
                    stored = store_path(path, heap, used, path_voxel, path_faces)
                    path_voxel, path_faces, used = stored
                    end[mine] = used
                if allowed:
                    out_owner[edge] = mine
                else:
                    aside[n_aside] = mine
                    n_aside += 1
                mine = other  # who goes on with the sum of both paths, the path at work
            changed = True
        clear_path(path, heap)
    return path_voxel[:used].copy(), path_faces[:used].copy(), aside[:n_aside].copy()
