"""Tunnels: the reduction that is left, of columns and slots that nothing else has paired.

Twin of ``reduce_columns`` in `pytopo/kernels/reduction.py`.  A *column* is a square that fills
a tunnel; `pytopo/kernels/morse_boundary.py` has pushed the path around it down to *slots*,
edges that start tunnels.  Its last slot is its ``low``, and if that is free the two are a
pair; most often that is all.

The textbook visits columns from left to right, so a column only ever meets columns on its
left.  Here they are visited as they lie in the volume, where neighbours share slots and
memory, and one that meets a column on its *right* takes the slot, and the other goes on
instead:

    slot free                  take it
    owner on the left          add the owner's column to mine
    owner on the right         take its slot, add mine to the owner's column, go on with that

Every column is only ever added to columns on its right, so the pairs are those of the
textbook.  There are as many columns as slots, and in the end each has one.

Several threads each take the columns and slots of some planes.  A column that comes to rest
on a slot of others is put aside, and finished when all are done.
"""

import numpy as np

from pytopo.kernels.bits import count_ones, highest_one
from pytopo.kernels.heap import comes_before, remove_latest, roomy
from pytopo.kernels.jit import njit
from pytopo.kernels.morse_boundary import (
    FACES,
    MOST_PUSHED,
    WAITING,
    add_edges,
    add_far_edges,
    clear_path,
    keep_path,
)
from pytopo.kernels.reduction import grown

NOBODY = -1


@njit(cache=True, nogil=True)
def note_slots(saddle, lead, victim, out_leads, out_first):
    """Number the slots, and note them at their voxels.

    Parameters
    ----------
    saddle, lead : (n_joins,) int32, uint8
        Joins of components, ascending.
    victim : (n_joins,) int32
        -1 for a join of what was together: a slot.
    out_leads : (n,) uint8
        Zero.  Receives for each voxel the leads that are slots, as a set.
    out_first : (n,) int32
        Receives the number of the first slot of each voxel that has some.

    Returns
    -------
    n_slots : int
        Slots are numbered in the order of the joins.
    """
    count = 0
    for k in range(saddle.size):
        if victim[k] == -1:
            p = saddle[k]
            if out_leads[p] == 0:
                out_first[p] = count
            out_leads[p] |= 1 << lead[k]
            count += 1
    return count


@njit(cache=True, nogil=True)
def last_slot(voxel, rest, slot_leads, first_slot):
    """Return the number of the last slot on which a path rests at a voxel.

    Parameters
    ----------
    voxel : int
    rest : int
        Set of leads, not empty.
    slot_leads, first_slot : (n,) uint8, int32
        As `note_slots` fills them.
    """
    lead = highest_one(np.uint64(rest))
    before = np.int64(slot_leads[voxel]) & ((1 << lead) - 1)
    return first_slot[voxel] + count_ones(before)


@njit(cache=True, nogil=True)
def pair_columns(
    todo, first, stop, column_voxel, path_voxel, path_faces, links, keys, slot_leads,
    first_slot, paths, edges, steps, out_owner, out_begin, out_end,
):  # fmt: skip
    """Reduce columns until each has a slot.

    Parameters
    ----------
    todo : (k,) int32
        The columns to reduce, each once.
    first, stop : int
        Voxels whose slots may be taken; a column that rests elsewhere is put aside.
    column_voxel : (n_columns,) int32
        Voxel of each column, ascending.
    path_voxel, path_faces : (n_entries,) int32, uint8
        Paths as `pytopo.kernels.morse_boundary.morse_boundaries` returns them.
    links, keys, slot_leads, paths, edges, steps
        As there.
    first_slot : (n,) int32
        As `note_slots` fills it.
    out_owner : (n_slots,) int32
        Column that owns each slot; -1 for none.
    out_begin, out_end : (n_columns,) int64
        Where the path of each column is kept.  Paths that change are kept anew.

    Returns
    -------
    path_voxel, path_faces : (>= n_entries,) int32, uint8
        All paths that are kept.
    aside : (n_aside,) int32
        The columns that were put aside.
    """
    used = path_voxel.size
    aside = np.empty(todo.size, np.int32)  # to put one aside ends the work on that of todo
    n_aside = 0
    path, heap = np.zeros(links.size, np.uint8), np.zeros((256, 2), np.int64)
    for j in todo:
        begin = out_begin[j]
        voxel, rest = np.int64(path_voxel[begin]), np.int64(path_faces[begin])
        if first <= voxel < stop and rest & ~np.int64(slot_leads[voxel]) == 0:
            slot = last_slot(voxel, rest, slot_leads, first_slot)
            if out_owner[slot] == NOBODY:  # most often: nothing needs to be moved
                out_owner[slot] = j
                continue

        mine = np.int64(j)
        other = mine  # whose path is added next: my own to begin with
        changed = False
        while other != NOBODY:
            heap = roomy(heap, out_end[other] - out_begin[other])
            for i in range(out_begin[other], out_end[other]):
                add_edges(np.int64(path_voxel[i]), np.int64(path_faces[i]), keys, path, heap)

            rest = 0
            while rest == 0:  # push the path off its last voxel, until it rests on a slot
                voxel = heap[1, 1]
                faces = np.int64(path[voxel]) & FACES
                rest = faces & np.int64(slot_leads[voxel])
                if rest != faces:
                    link_edges = (np.int64(links[voxel]) >> 6) & 4095
                    found = np.int64(paths[link_edges << 6 | faces])
                    rest = (found >> 12) & np.int64(slot_leads[voxel])
                    path[voxel] = WAITING | rest
                    heap = roomy(heap, np.int64(MOST_PUSHED))  # a literal is a type of its own
                    add_far_edges(voxel, found & 4095, links, keys, edges, steps, path, heap)
                if rest == 0:
                    path[voxel] = 0
                    remove_latest(heap)

            slot = last_slot(voxel, rest, slot_leads, first_slot)
            allowed = first <= voxel < stop
            other = np.int64(out_owner[slot]) if allowed else NOBODY
            if other == NOBODY or comes_before(
                keys[column_voxel[mine]], mine, keys[column_voxel[other]], other
            ):
                if changed:
                    path_voxel = grown(path_voxel, used + heap[0, 0])
                    path_faces = grown(path_faces, used + heap[0, 0])
                    out_begin[mine] = used
                    used = keep_path(path, heap, used, path_voxel, path_faces)
                    out_end[mine] = used
                if allowed:
                    out_owner[slot] = mine
                else:
                    aside[n_aside] = mine
                    n_aside += 1
                mine = other
            changed = True
        clear_path(path, heap)
    return path_voxel[:used].copy(), path_faces[:used].copy(), aside[:n_aside].copy()
