"""A heap of voxels: the latest is always the first.

A binary heap in one array, a row for each voxel with its key: the voxel of row i is later than
those of rows 2i and 2i + 1, and row 1 is the latest of all.  Row 0 holds the size.  Equal keys
are ordered by voxel, as everywhere.

                 1
             2       3           the children of row i are rows 2i and 2i + 1
            4 5     6 7
"""

import numpy as np

from pytopo.kernels.jit import njit


@njit(cache=True, nogil=True)
def comes_before(key, voxel, other_key, other_voxel):
    """Return whether a voxel comes before another: by key, equal keys by index."""
    return key < other_key or (key == other_key and voxel < other_voxel)


@njit(cache=True, nogil=True)
def with_room(heap, more):
    """Return a heap with room for some more voxels: the same, or a larger copy."""
    size = heap[0, 0] + 1 + more
    if size <= len(heap):
        return heap
    larger = np.empty((2 * size, 2), np.int64)
    for i in range(len(heap)):
        larger[i, 0], larger[i, 1] = heap[i, 0], heap[i, 1]
    return larger


@njit(cache=True, nogil=True)
def push(key, voxel, out_heap):
    """Add a voxel; there must be room."""
    # Sift up: from the next free row, parents that come before the voxel move down.
    i = out_heap[0, 0] + 1
    out_heap[0, 0] = i
    while i > 1 and comes_before(out_heap[i >> 1, 0], out_heap[i >> 1, 1], key, voxel):
        out_heap[i, 0] = out_heap[i >> 1, 0]
        out_heap[i, 1] = out_heap[i >> 1, 1]
        i >>= 1
    out_heap[i, 0] = key
    out_heap[i, 1] = voxel


@njit(cache=True, nogil=True)
def remove_latest(out_heap):
    """Remove the first voxel; there must be one."""
    # Sift down: the last voxel has to go somewhere else.  From row 1 on, the later child moves
    # up, until the last voxel is later than both.
    size = out_heap[0, 0] - 1
    key, voxel = out_heap[size + 1, 0], out_heap[size + 1, 1]
    i, below = 1, 2
    while below <= size:
        beside = below + 1
        if below < size and comes_before(
            out_heap[below, 0], out_heap[below, 1], out_heap[beside, 0], out_heap[beside, 1]
        ):
            below = beside
        if comes_before(out_heap[below, 0], out_heap[below, 1], key, voxel):
            break
        out_heap[i, 0] = out_heap[below, 0]
        out_heap[i, 1] = out_heap[below, 1]
        i, below = below, 2 * below
    out_heap[i, 0] = key
    out_heap[i, 1] = voxel
    out_heap[0, 0] = size
