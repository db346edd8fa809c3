"""The mapping cylinder of two volumes, reduced: which tunnels of the one end where in the other.

The *codomain* Y is there wherever the *domain* X is, so tunnels of X can be followed in Y.
The mapping cylinder joins critical cells of both:

    X    s ----- a          a critical edge s of X, pushed down in X to its minima a and b,
         |       |          and then pushed down in Y, is a path phi(s) of Y
       s x I   a x I
         |       |          the prism s x I has the boundary  s + phi(s) + a x I + b x I,
    Y  phi(s) -- .          the prism a x I is an edge from a down to a minimum of Y

Columns are the destroyer squares of Y and the prisms over critical edges of X.  Rows are, from
the last to the first: creator edges of Y and prisms over minima of X, by time; then creator
edges of X, by time.  So a column ends in X, as a sum of edges of X, if it can: its *low* then
creates in X what the square of the column destroys in Y.

An edge that only connects what was not connected is never the low of a column, and is dropped.
What counts as connected is that which is connected in Y *or through X*, all of which counts as
one: a prism a x I connects the minimum below a with it.

The path of a column lies on the voxels of Y and is pushed down as in
`pytopo.kernels.morse_boundary`.  The squares and prisms are visited as they lie in the volume,
and columns exchanged, as in `pytopo.kernels.tunnels`.

Reference implementation: `pytopo.textbook.image_persistence`.  `docs/fast-3d.md` derives it.
"""

from typing import NamedTuple

import numpy as np

from pytopo.kernels.bits import lowest_one
from pytopo.kernels.heap import comes_before, push, remove_latest, with_room
from pytopo.kernels.jit import njit
from pytopo.kernels.morse_boundary import FACES, MOST_PUSHED, WAITING
from pytopo.kernels.reduction import grown
from pytopo.kernels.tunnels import NOBODY, last_creator

# An entry of a column is a voxel and a byte: edges of Y over some faces, a prism over a
# minimum of X, or edges of X over some faces.
#
#     bit    7   6        5  4  3  2  1  0
#            X   prism   +z -z +y -y +x -x
PRISM, OF_DOMAIN = 0b01000000, 0b10000000


class Domain(NamedTuple):
    """What of the volume X the cylinder needs."""

    keys: np.ndarray  # (n,) int64
    creators: np.ndarray  # (n,) uint8: the set of representatives that are creator edges
    first_creator: np.ndarray  # (n,) int32: row of the first creator edge of each voxel
    minimum: np.ndarray  # (n,) int32: the number of each minimum at its voxel
    prism: np.ndarray  # (n_minima + 1,) int32: row of the prism over each minimum, or -1


class Columns(NamedTuple):
    """The columns: squares first, then prisms, both ascending by voxel."""

    at: np.ndarray  # (n_columns,) int32: the voxel with which each comes
    key: np.ndarray  # (n_columns,) int64: and its key, in Y for squares, in X for prisms
    voxel: np.ndarray  # (n_entries,) int32: of each column, the voxel of its last row first
    faces: np.ndarray  # (n_entries,) uint8
    begin: np.ndarray  # (n_columns,) int64
    end: np.ndarray  # (n_columns,) int64


@njit(cache=True, nogil=True)
def prism_columns(saddle, representative, creates, domain_links, domain, stars):
    """Write down the boundaries of the prisms over the critical edges of X.

    Parameters
    ----------
    saddle, representative : (k,) int32, uint8
        Voxel and face of each critical edge.
    creates : (k,) bool
        Whether it is a creator edge of X.
    domain_links : (n,) uint32
        Lower links of X.
    domain : Domain
    stars : pytopo.kernels.morse_boundary.Stars
        Of Y.

    Returns
    -------
    start : (k + 1,) int64
    voxel, faces : (n_entries,) int32, uint8
        Column j is ``voxel[start[j]:start[j + 1]]``, with the byte of each voxel.
    """
    links, keys, steps = stars.links, stars.keys, stars.steps
    path = np.zeros(links.size, np.uint8)
    listed = np.empty(256, np.int32)
    start = np.zeros(saddle.size + 1, np.int64)
    out_voxel, out_faces = np.empty(1024, np.int32), np.empty(1024, np.uint8)
    used = np.int64(0)
    for k in range(saddle.size):
        n_listed = 0
        last = -1, -1
        for side in range(2):
            # From the voxel itself, and over the edge from its other end.
            p, along = np.int64(saddle[k]), np.int64(representative[k])
            if side == 0:
                along = lowest_one(np.int64(domain_links[p]))
            while True:
                later, over = p, along
                if np.int64(links[p]) >> along & 1 == 0:
                    later, over = p + steps[along], along ^ 1
                # An edge that is paired with its later end in Y is nothing there.
                if np.int64(links[later]) & ((1 << over) - 1) != 0:
                    if path[later] & WAITING == 0:
                        listed = grown(listed, n_listed + 1)
                        listed[n_listed] = later
                        n_listed += 1
                    path[later] = (path[later] ^ 1 << over) | WAITING
                p += steps[along]
                if domain_links[p] == 0:
                    break
                along = lowest_one(np.int64(domain_links[p]))
            last = last[1], p

        out_voxel = grown(out_voxel, used + n_listed + 3)
        out_faces = grown(out_faces, used + n_listed + 3)
        first, front = used, used
        for i in range(n_listed):
            voxel = listed[i]
            faces = path[voxel] & FACES
            path[voxel] = 0
            if faces != 0:
                out_voxel[used], out_faces[used] = voxel, faces
                if comes_before(
                    keys[out_voxel[front]], out_voxel[front], keys[voxel], voxel
                ):
                    front = used
                used += 1
        if last[0] != last[1]:
            for p in last:
                if domain.prism[domain.minimum[p]] >= 0:
                    out_voxel[used], out_faces[used] = p, PRISM
                    key = domain.keys[p]
                    of_front = np.int64(out_voxel[front])
                    if front < used:
                        front_key = (
                            domain.keys[of_front]
                            if out_faces[front] == PRISM
                            else keys[of_front]
                        )
                        if not comes_before(key, p, front_key, of_front):
                            front = used
                    used += 1
        if creates[k]:
            out_voxel[used] = saddle[k]
            out_faces[used] = OF_DOMAIN | 1 << representative[k]
            used += 1
        out_voxel[first], out_voxel[front] = out_voxel[front], out_voxel[first]
        out_faces[first], out_faces[front] = out_faces[front], out_faces[first]
        start[k + 1] = used
    return start, out_voxel[:used].copy(), out_faces[:used].copy()


@njit(cache=True, nogil=True)
def pair_columns(order, n_squares, stars, domain, columns, out_owner, out_edges, out_squares):
    """Reduce columns until each has a row as its low.

    Parameters
    ----------
    order : (n_columns,) int32
        Columns in the sequence in which to visit them.
    n_squares : int
        The first columns are destroyer squares of Y, the others prisms.
    stars : pytopo.kernels.morse_boundary.Stars
        Of Y.
    domain : Domain
    columns : Columns
        Columns that change are stored anew behind the others: ``begin`` and ``end`` receive
        where.
    out_owner : (n_rows,) int32
        Receives the column of each row; -1 at first.
    out_edges : (n_rows,) uint8
        Receives of which edges of the voxel of its low the column of each row consists.
    out_squares : (n_squares,) uint8
        At first one bit for each square of a voxel; receives which of the squares of its voxel
        have been added up.

    Returns
    -------
    voxel, faces : (>= n_entries,) int32, uint8
        All columns that are stored.
    """
    links, keys, creators, first_creator, shortest, edges, steps = stars
    at, column_key, out_voxel, out_faces, begin, end = columns
    used = out_voxel.size
    path = np.zeros(links.size, np.uint8)
    prisms = np.zeros(domain.prism.size, np.uint8)
    tail = np.zeros(domain.keys.size, np.uint8)  # edges of X
    heap, tail_heap = np.zeros((256, 2), np.int64), np.zeros((256, 2), np.int64)
    for j in order:
        # Most often a column is reduced already, and its low is free.
        voxel, faces = np.int64(out_voxel[begin[j]]), np.int64(out_faces[begin[j]])
        if faces >= PRISM or faces & ~np.int64(creators[voxel]) == 0:
            if faces & OF_DOMAIN:
                row = last_creator(voxel, faces & FACES, domain.creators, domain.first_creator)
            elif faces == PRISM:
                row = domain.prism[domain.minimum[voxel]]
            else:
                row = last_creator(voxel, faces, creators, first_creator)
            if out_owner[row] == NOBODY:
                out_owner[row], out_edges[row] = j, faces & FACES
                continue

        mine, other, changed = np.int64(j), np.int64(j), False  # my own column is added first
        while other != NOBODY:
            n_more = end[other] - begin[other]
            heap, tail_heap = with_room(heap, n_more), with_room(tail_heap, n_more)
            for i in range(begin[other], end[other]):
                voxel, faces = np.int64(out_voxel[i]), np.int64(out_faces[i])
                if faces & OF_DOMAIN:
                    add(voxel, voxel, faces & FACES, domain.keys[voxel], tail, tail_heap)
                elif faces == PRISM:
                    number = np.int64(domain.minimum[voxel])
                    add(number, 2 * voxel + 1, 1, domain.keys[voxel], prisms, heap)
                else:
                    add(voxel, 2 * voxel, faces, keys[voxel], path, heap)

            # Push the path off its last voxel, again and again, until a row is last.
            row, rest = NOBODY, 0
            while row == NOBODY and heap[0, 0] > 0:
                voxel = heap[1, 1] >> 1
                if heap[1, 1] & 1:
                    number = np.int64(domain.minimum[voxel])
                    if prisms[number] & FACES:
                        row = np.int64(domain.prism[number])
                    else:
                        prisms[number] = 0
                        remove_latest(heap)
                    continue
                faces = np.int64(path[voxel]) & FACES
                rest = faces & np.int64(creators[voxel])
                if rest != faces:  # there is more than creator edges: squares push that off
                    link_edges = (np.int64(links[voxel]) >> 6) & 4095
                    found = np.int64(shortest[link_edges << 6 | faces])
                    rest = (found >> 12) & np.int64(creators[voxel])
                    path[voxel] = WAITING | rest
                    heap = with_room(heap, np.int64(MOST_PUSHED))
                    add_far_sides(voxel, found & 4095, links, keys, edges, steps, path, heap)
                if rest == 0:
                    path[voxel] = 0
                    remove_latest(heap)
                else:
                    row = last_creator(voxel, rest, creators, first_creator)
            while row == NOBODY:  # only edges of X are left
                voxel = tail_heap[1, 1]
                rest = np.int64(tail[voxel]) & FACES
                if rest == 0:
                    tail[voxel] = 0
                    remove_latest(tail_heap)
                else:
                    row = last_creator(voxel, rest, domain.creators, domain.first_creator)

            other = np.int64(out_owner[row])
            together = other != NOBODY and max(mine, other) < n_squares and at[mine] == at[other]
            # An owner on my left keeps the row, and its column is added to mine.
            if other == NOBODY or is_left(mine, other, at, column_key):
                # Free, or the owner is on my right.  My column is final: store it for others.
                if changed:
                    begin[mine] = used
                    out_voxel = grown(out_voxel, used + heap[0, 0] + tail_heap[0, 0])
                    out_faces = grown(out_faces, used + heap[0, 0] + tail_heap[0, 0])
                    used = stored(
                        used, path, prisms, tail, heap, tail_heap, domain, out_voxel, out_faces
                    )
                    end[mine] = used
                out_owner[row], out_edges[row] = mine, rest
                if together:
                    out_squares[other] ^= out_squares[mine]
                mine = other  # which goes on with the sum of both
            elif together:
                out_squares[mine] ^= out_squares[other]
            changed = True

        for i in range(1, heap[0, 0] + 1):
            if heap[i, 1] & 1:
                prisms[domain.minimum[heap[i, 1] >> 1]] = 0
            else:
                path[heap[i, 1] >> 1] = 0
        for i in range(1, tail_heap[0, 0] + 1):
            tail[tail_heap[i, 1]] = 0
        heap[0, 0] = tail_heap[0, 0] = 0
    return out_voxel[:used].copy(), out_faces[:used].copy()


@njit(cache=True, nogil=True)
def is_left(j, k, at, key):
    """Tell whether column j comes before column k: by key, by voxel, squares before prisms."""
    if key[j] != key[k]:
        return key[j] < key[k]
    return at[j] < at[k] or (at[j] == at[k] and j < k)


@njit(cache=True, nogil=True)
def add(place, entry, faces, key, out_path, out_heap):
    """Add to what a path has at a place, modulo 2."""
    out_path[place] ^= faces
    if out_path[place] & WAITING == 0:  # not in the heap yet
        out_path[place] |= WAITING
        push(key, entry, out_heap)


@njit(cache=True, nogil=True)
def add_far_sides(voxel, squares, links, keys, edges, steps, out_path, out_heap):
    """Add the far sides of squares at a voxel, as `morse_boundary.add_far_edges`."""
    while squares != 0:
        e = lowest_one(squares)
        squares &= squares - 1
        for side in range(2):
            along = edges[e, 1 - side]
            later = voxel + steps[edges[e, side]]
            if (np.int64(links[later]) >> along) & 1 == 0:  # the other end comes later
                later += steps[along]
                along ^= 1  # from there the edge runs over the opposite face
            # An edge that is paired with its later end is nothing.
            if np.int64(links[later]) & ((1 << along) - 1) != 0:
                add(later, 2 * later, 1 << along, keys[later], out_path, out_heap)


@njit(cache=True, nogil=True)
def stored(used, path, prisms, tail, heap, tail_heap, domain, out_voxel, out_faces):
    """Store the column at work from place ``used`` of a list on, and return where it ends."""
    for i in range(1, heap[0, 0] + 1):  # row 1 of a heap is the latest
        voxel = heap[i, 1] >> 1
        if heap[i, 1] & 1:
            faces = (prisms[domain.minimum[voxel]] & 1) * PRISM
        else:
            faces = path[voxel] & FACES
        if faces != 0:  # edges that were added twice cancel
            out_voxel[used], out_faces[used] = voxel, faces
            used += 1
    for i in range(1, tail_heap[0, 0] + 1):
        faces = tail[tail_heap[i, 1]] & FACES
        if faces != 0:
            out_voxel[used], out_faces[used] = tail_heap[i, 1], OF_DOMAIN | faces
            used += 1
    return used
