"""From the stacked array of several volumes back to the voxels of each."""

import numpy as np

from pytopo.kernels.jit import njit


@njit(cache=True, nogil=True)
def voxels_of_pairs(pairs, plane, row, stride, margin, depth, height, width):
    """Turn flat indices into the stacked array into voxels of the volumes.

    Parameters
    ----------
    pairs : (n, 2) int32
        Flat indices; -1 for never, but not at both ends of a pair.
    plane, row : int
        Number of voxels of a plane and of a row of the stacked array.
    stride : int
        Distance of its planes of exterior.
    margin : int
        Width of the margin of a volume: the exterior, and the frame if there is one.
    depth, height, width : int
        Shape of a volume.

    Returns
    -------
    image : (n,) int32
        Which volume.
    voxel : (2, n) int64
        Births and deaths: flat indices into the volume, -1 for never, -2 in the frame.
    """
    n = pairs.shape[0]
    image = np.empty(n, np.int32)
    voxel = np.empty((2, n), np.int64)
    for k in range(n):
        for side in range(2):
            if pairs[k, side] == -1:
                voxel[side, k] = -1
                continue
            # Plane, row and column; volume b has `stride` planes from plane b * stride + 1
            # on.  32-bit division takes a third of the time of 64-bit.
            p = np.uint32(pairs[k, side])
            above = np.int64(p // np.uint32(plane)) - 1
            z = above % stride + 1 - margin
            y = np.int64(p % np.uint32(plane) // np.uint32(row)) - margin
            x = np.int64(p % np.uint32(row)) - margin
            image[k] = above // stride
            voxel[side, k] = -2  # in the frame, unless it is inside
            if 0 <= z < depth and 0 <= y < height and 0 <= x < width:
                voxel[side, k] = (z * height + y) * width + x
    return image, voxel
