"""Prisms over the critical edges of a volume X: the columns that join it to a volume Y.

A critical edge s of X leads down to two minima a and b of X.  All of X is in Y, so the way down
is a path in Y too, and what closes the prism over s:

    X    a <-- <-- o --s-- o --> b       the way down, voxel by voxel along the pointers of X
         |                       |
       a x I                   b x I     prisms over minima: from a and b down to minima of Y
         |                       |
    Y    .                       .

Where the volumes are alike the way is nothing in Y: its edges are paired with their later ends.

`pytopo.kernels.cylinder` reduces the columns.
"""

from typing import NamedTuple

import numpy as np

from pytopo.kernels.bits import lowest_one
from pytopo.kernels.heap import comes_before
from pytopo.kernels.jit import njit
from pytopo.kernels.morse_boundary import FACES, MOST_PUSHED, WAITING
from pytopo.kernels.reduction import grown

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


@njit(cache=True, nogil=True)
def prism_columns(saddle, representative, creates, domain_links, domain, most_steps, stars):
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
    most_steps : int
        How often a path is pushed off a voxel of Y at most; what is left of it stays as it is.
    stars : pytopo.kernels.morse_boundary.Stars
        Of Y.

    Returns
    -------
    start : (k + 1,) int64
    voxel, faces : (n_entries,) int32, uint8
        Column j is ``voxel[start[j]:start[j + 1]]``, with the byte of each voxel.
    """
    path, listed = np.zeros(stars.links.size, np.uint8), np.empty(256, np.int32)
    start = np.zeros(saddle.size + 1, np.int64)
    voxel, faces = np.empty(1024, np.int32), np.empty(1024, np.uint8)
    for k in range(saddle.size):
        p, over = np.int64(saddle[k]), np.int64(representative[k])
        along = lowest_one(np.int64(domain_links[p]))
        n = np.int64(0)  # of a literal, the kernel below would be compiled once more
        listed, n, one = add_way_down(p, along, n, domain_links, stars, path, listed)
        listed, n, other = add_way_down(p, over, n, domain_links, stars, path, listed)

        listed, n = pushed_down(most_steps, n, stars, path, listed)

        used = start[k]
        voxel, faces = grown(voxel, used + n + 3), grown(faces, used + n + 3)
        for i in range(n):
            voxel[used], faces[used] = listed[i], path[listed[i]] & FACES
            path[listed[i]] = 0  # so what is listed twice is stored once
            used += faces[used] != 0  # edges of both ways down cancel
        for end in (one, other):
            voxel[used], faces[used] = end, PRISM
            used += one != other and domain.prism[domain.minimum[end]] >= 0
        last_to_front(start[k], used, stars.keys, domain.keys, voxel, faces)
        voxel[used], faces[used] = p, OF_DOMAIN | 1 << over
        start[k + 1] = used + creates[k]
    used = start[-1]
    return start, voxel[:used].copy(), faces[:used].copy()


@njit(cache=True, nogil=True)
def add_way_down(voxel, along, n, domain_links, stars, out_path, listed):
    """Add the edges from a voxel down to a minimum of X, modulo 2, as edges of Y.

    Parameters
    ----------
    voxel, along : int
        Where the way begins, and the face over which it leaves the voxel.
    n : int
        How many voxels are listed already.
    domain_links, stars
        As in `prism_columns`.
    out_path : (n_voxels,) uint8
        Receives the edges, each at its later end in Y.
    listed : (>= n,) int32
        Voxels at which there are edges.

    Returns
    -------
    listed, n
        The same with those of this way.
    minimum : int
        The voxel where it ends.
    """
    links, steps = stars.links, stars.steps
    p = voxel
    while True:
        later, over = p, along
        if np.int64(links[p]) >> along & 1 == 0:
            later, over = p + steps[along], along ^ 1
        if not is_paired(later, over, links):
            if out_path[later] & WAITING == 0:
                listed = grown(listed, n + 1)
                listed[n] = later
                n += 1
            out_path[later] = (out_path[later] ^ 1 << over) | WAITING
        p += steps[along]
        if domain_links[p] == 0:
            return listed, n, p
        along = lowest_one(np.int64(domain_links[p]))


@njit(cache=True, nogil=True)
def pushed_down(most_steps, n, stars, out_path, listed):
    """Push a path down, first come, first served: as `morse_boundary.morse_boundaries`.

    Parameters
    ----------
    most_steps : int
    n : int
        How many voxels are listed.
    stars, out_path, listed
        As in `add_way_down`.

    Returns
    -------
    listed, n
        The voxels where something may be left, some of them twice.
    """
    links, _, creators, _, shortest, edges, steps = stars
    n_pushed, n_resting = 0, 0
    while n_pushed < min(n, most_steps):
        voxel = np.int64(listed[n_pushed])
        n_pushed += 1
        link_edges = (np.int64(links[voxel]) >> 6) & 4095
        found = np.int64(shortest[link_edges << 6 | (out_path[voxel] & FACES)])
        squares, rest = found & 4095, (found >> 12) & np.int64(creators[voxel])
        out_path[voxel] = rest
        listed[n_resting] = voxel  # written always, kept if it counts; there it is pushed
        n_resting += rest != 0
        listed = grown(listed, n + MOST_PUSHED)
        while squares != 0:
            e = lowest_one(squares)
            squares &= squares - 1
            for side in range(2):
                along = edges[e, 1 - side]
                later = voxel + steps[edges[e, side]]
                away = (np.int64(links[later]) >> along & 1) ^ 1
                later += away * steps[along]  # the other end comes later, and stores it,
                along ^= away  # as an edge over the opposite face
                if not is_paired(later, along, links):
                    before = np.int64(out_path[later])
                    out_path[later] = (before ^ 1 << along) | WAITING
                    listed[n] = later
                    n += before & WAITING == 0
    # What rests goes before what waits.
    for i in range(n_pushed, n):
        listed[n_resting + i - n_pushed] = listed[i]
    return listed, n_resting + n - n_pushed


@njit(cache=True, nogil=True)
def is_paired(voxel, face, links):
    """Tell whether an edge at its later end is paired with it: then it counts for nothing."""
    return np.int64(links[voxel]) & ((1 << face) - 1) == 0


@njit(cache=True, nogil=True)
def last_to_front(first, stop, keys, domain_keys, out_voxel, out_faces):
    """Exchange the first entry of a column of edges of Y and prisms with the last in time."""
    front = first
    for i in range(first, stop):
        p, q = np.int64(out_voxel[front]), np.int64(out_voxel[i])
        is_prism, is_other = out_faces[front] == PRISM, out_faces[i] == PRISM
        key = domain_keys[p] if is_prism else keys[p]
        other = domain_keys[q] if is_other else keys[q]
        if comes_before(key, 2 * p + is_prism, other, 2 * q + is_other):
            front = i
    out_voxel[first], out_voxel[front] = out_voxel[front], out_voxel[first]
    out_faces[first], out_faces[front] = out_faces[front], out_faces[first]
