"""The mapping cylinder of two volumes, reduced: where tunnels of the one end in the other.

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
from pytopo.kernels.heap import push, remove_latest, with_room
from pytopo.kernels.jit import njit
from pytopo.kernels.morse_boundary import FACES, MOST_PUSHED, WAITING
from pytopo.kernels.prisms import OF_DOMAIN, PRISM, is_paired
from pytopo.kernels.reduction import grown
from pytopo.kernels.tunnels import NOBODY, last_creator


class Columns(NamedTuple):
    """The columns: squares first, then prisms, both ascending by voxel."""

    at: np.ndarray  # (n_columns,) int32: the voxel with which each comes
    key: np.ndarray  # (n_columns,) int64: and its key, in Y for squares, in X for prisms
    voxel: np.ndarray  # (n_entries,) int32: of each column, the voxel of its last row first
    faces: np.ndarray  # (n_entries,) uint8
    begin: np.ndarray  # (n_columns,) int64
    end: np.ndarray  # (n_columns,) int64


class Work(NamedTuple):
    """The column at work: as a path is one byte per voxel, modulo 2."""

    path: np.ndarray  # (n,) uint8: edges of Y, each at its later end
    prisms: np.ndarray  # (n_minima + 1,) uint8
    edges_of_domain: np.ndarray  # (n,) uint8


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
    domain : pytopo.kernels.prisms.Domain
    columns : Columns
        Columns that change are stored anew behind the others: ``begin`` and ``end`` receive
        where.
    out_owner : (n_rows,) int32
        Receives the column of each row; -1 at first.
    out_edges : (n_rows,) uint8
        Receives of which edges at the voxel of its low the column of each row consists.
    out_squares : (n_squares,) uint8
        At first one bit for each square of a voxel; receives which of the squares of its voxel
        have been added up.
    """
    at, column_key, voxel, faces, begin, end = columns
    used = voxel.size
    work = Work(
        np.zeros(stars.links.size, np.uint8),
        np.zeros(domain.prism.size, np.uint8),
        np.zeros(domain.keys.size, np.uint8),
    )
    heap, tail = np.zeros((256, 2), np.int64), np.zeros((256, 2), np.int64)
    for j in order:
        # Most often a column is reduced already, and its low is free.
        p, rest = np.int64(voxel[begin[j]]), np.int64(faces[begin[j]])
        row = row_of(p, rest, stars, domain)
        if row != NOBODY and out_owner[row] == NOBODY:
            out_owner[row], out_edges[row] = j, rest & FACES
            continue

        mine, other, changed = np.int64(j), np.int64(j), False  # my own column is added first
        while other != NOBODY:
            n_more = end[other] - begin[other]
            heap, tail = with_room(heap, n_more), with_room(tail, n_more)
            add_column(voxel, faces, begin[other], end[other], stars, domain, work, heap, tail)
            heap, row, rest = last_row(stars, domain, work, heap)
            if row == NOBODY:  # only edges of X are left
                row, rest = last_of_domain(domain, work, tail)

            other = np.int64(out_owner[row])
            together = (
                other != NOBODY and max(mine, other) < n_squares and at[mine] == at[other]
            )
            # An owner on my left keeps the row, and its column is added to mine.
            if other == NOBODY or is_left(mine, other, at, column_key):
                # Free, or the owner is on my right.  My column is final: store it for others.
                if changed:
                    begin[mine] = used
                    voxel = grown(voxel, used + heap[0, 0] + tail[0, 0])
                    faces = grown(faces, used + heap[0, 0] + tail[0, 0])
                    used = store(used, domain, work, heap, tail, voxel, faces)
                    end[mine] = used
                out_owner[row], out_edges[row] = mine, rest
                if together:
                    out_squares[other] ^= out_squares[mine]
                mine = other  # which goes on with the sum of both
            elif together:
                out_squares[mine] ^= out_squares[other]
            changed = True
        clear(domain, work, heap, tail)


@njit(cache=True, nogil=True)
def row_of(voxel, byte, stars, domain):
    """Return the row of the last entry of a column; -1 if squares can push it off."""
    if byte & OF_DOMAIN:
        return last_creator(voxel, byte & FACES, domain.creators, domain.first_creator)
    if byte == PRISM:
        return np.int64(domain.prism[domain.minimum[voxel]])
    if byte & ~np.int64(stars.creators[voxel]) == 0:
        return last_creator(voxel, byte, stars.creators, stars.first_creator)
    return NOBODY


@njit(cache=True, nogil=True)
def is_left(j, k, at, key):
    """Tell whether column j comes before column k: by key, by voxel, squares before prisms."""
    if key[j] != key[k]:
        return key[j] < key[k]
    return at[j] < at[k] or (at[j] == at[k] and j < k)


@njit(cache=True, nogil=True)
def add(place, entry, faces, key, out_path, out_heap):
    """Add to what there is at a place, modulo 2."""
    out_path[place] ^= faces
    if out_path[place] & WAITING == 0:  # not in the heap yet
        out_path[place] |= WAITING
        push(key, entry, out_heap)


@njit(cache=True, nogil=True)
def add_column(voxel, faces, first, stop, stars, domain, out_work, out_heap, out_tail):
    """Add the entries ``first`` to ``stop - 1`` to the column at work, modulo 2."""
    for i in range(first, stop):
        p, byte = np.int64(voxel[i]), np.int64(faces[i])
        if byte & OF_DOMAIN:
            add(p, p, byte & FACES, domain.keys[p], out_work.edges_of_domain, out_tail)
        elif byte == PRISM:
            number = np.int64(domain.minimum[p])
            add(number, 2 * p + 1, 1, domain.keys[p], out_work.prisms, out_heap)
        else:
            add(p, 2 * p, byte, stars.keys[p], out_work.path, out_heap)


@njit(cache=True, nogil=True)
def last_row(stars, domain, out_work, heap):
    """Push the path at work off its last voxel, again and again, until a row is last.

    Returns
    -------
    heap : (m, 2) int64
        The same, or a larger copy.
    row : int
        -1 if nothing is left of edges of Y and prisms.
    rest : int
        The creator edges at the voxel of the row, a set of faces.
    """
    links, keys, creators, first_creator, shortest, edges, steps = stars
    path, prisms = out_work.path, out_work.prisms
    while heap[0, 0] > 0:
        p = heap[1, 1] >> 1
        if heap[1, 1] & 1:
            number = np.int64(domain.minimum[p])
            if prisms[number] & FACES:
                return heap, np.int64(domain.prism[number]), 0
            prisms[number] = 0
            remove_latest(heap)
            continue
        faces = np.int64(path[p]) & FACES
        rest = faces & np.int64(creators[p])
        if rest != faces:  # there is more than creator edges: squares push that off
            link_edges = (np.int64(links[p]) >> 6) & 4095
            found = np.int64(shortest[link_edges << 6 | faces])
            rest = (found >> 12) & np.int64(creators[p])
            path[p] = WAITING | rest  # the voxel stays in the heap, marked as such
            heap = with_room(heap, np.int64(MOST_PUSHED))  # not a literal type
            add_far_sides(p, found & 4095, links, keys, edges, steps, path, heap)
        if rest != 0:
            return heap, last_creator(p, rest, creators, first_creator), rest
        path[p] = 0
        remove_latest(heap)
    return heap, NOBODY, 0


@njit(cache=True, nogil=True)
def add_far_sides(voxel, squares, links, keys, edges, steps, out_path, out_heap):
    """Add the far sides of squares as `morse_boundary.add_far_edges`, less those paired."""
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
            if not is_paired(later, along, links):
                add(later, 2 * later, 1 << along, keys[later], out_path, out_heap)


@njit(cache=True, nogil=True)
def last_of_domain(domain, out_work, out_tail):
    """Return the last row of edges of X, of which there must be one, and those of its voxel."""
    while True:
        p = out_tail[1, 1]
        rest = np.int64(out_work.edges_of_domain[p]) & FACES
        if rest != 0:
            return last_creator(p, rest, domain.creators, domain.first_creator), rest
        out_work.edges_of_domain[p] = 0
        remove_latest(out_tail)


@njit(cache=True, nogil=True)
def store(used, domain, work, heap, tail, out_voxel, out_faces):
    """Store the column at work from place ``used`` of a list on, and return where it ends."""
    for i in range(1, heap[0, 0] + 1):  # row 1 of a heap is the latest
        p = heap[i, 1] >> 1
        byte = work.path[p] & FACES
        if heap[i, 1] & 1:
            byte = (work.prisms[domain.minimum[p]] & 1) * PRISM
        if byte != 0:  # edges that were added twice cancel
            out_voxel[used], out_faces[used] = p, byte
            used += 1
    for i in range(1, tail[0, 0] + 1):
        faces = work.edges_of_domain[tail[i, 1]] & FACES
        if faces != 0:
            out_voxel[used], out_faces[used] = tail[i, 1], OF_DOMAIN | faces
            used += 1
    return used


@njit(cache=True, nogil=True)
def clear(domain, out_work, out_heap, out_tail):
    """Empty the column at work."""
    for i in range(1, out_heap[0, 0] + 1):
        p = out_heap[i, 1] >> 1
        if out_heap[i, 1] & 1:
            out_work.prisms[domain.minimum[p]] = 0
        else:
            out_work.path[p] = 0
    for i in range(1, out_tail[0, 0] + 1):
        out_work.edges_of_domain[out_tail[i, 1]] = 0
    out_heap[0, 0] = out_tail[0, 0] = 0
