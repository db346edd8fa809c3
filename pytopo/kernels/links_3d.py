"""Which cells enter with a voxel, construction V: its lower link, 26 bits per voxel.

Of two equal voxels the one of smaller index comes first.  So a neighbour of smaller index
comes before a voxel if its key is less or equal, one of larger index if it is less.

A face neighbour that comes before makes an edge of the image; an edge neighbour a square if
the two faces beside it come before too; a corner neighbour a cube if the three edges beside
it do.  What lacks a part of its boundary is left out, so the bits are a subcomplex of the
octahedron in `pytopo.morse.links_3d`:

    bit     0  1  2  3  4  5     6 to 17     18 to 25
    there  -x +x -y +y -z +z      edges      triangles

The reference implementation is ``cells`` in `pytopo/kernels/complex.py`, which finds for each
cell the last of its voxels.
"""

from pytopo.kernels.jit import njit


@njit(cache=True, nogil=True)
def lower_links(keys, stride, first, stop, out_links):
    """Find the lower link of each voxel of some planes.

    Parameters
    ----------
    keys : (D, H, W) int32 or int64
        Every ``stride``-th plane and the first and last row and column are the exterior, all of
        one key that no voxel has.
    stride : int
        Divides D - 1.
    first, stop : int
        Planes to fill, 0 <= first <= stop <= D.
    out_links : (D, H, W) uint32
        Receives the lower links of the voxels of these planes.  The exterior is left as it
        is.
    """
    for z in range(first, stop):
        if z % stride != 0:
            for y in range(1, keys.shape[1] - 1):
                links_of_row(keys, z, y, out_links[z, y])


@njit(cache=True, nogil=True)
def links_of_row(keys, z, y, out_links):
    """Fill a row: the edges and triangles in the order of `pytopo.morse.links_3d`."""
    width = keys.shape[2]
    # The nine rows: plane before, here and after (m, o, p), then row above, here and below.
    mm, mo, mp = keys[z - 1, y - 1], keys[z - 1, y], keys[z - 1, y + 1]
    om, oo, op = keys[z, y - 1], keys[z, y], keys[z, y + 1]
    pm, po, pp = keys[z + 1, y - 1], keys[z + 1, y], keys[z + 1, y + 1]
    for x in range(1, width - 1):
        # Faces.  `<=` where the neighbour has the smaller index: of equals it comes first.
        key = oo[x]
        left, right = oo[x - 1] <= key, oo[x + 1] < key
        up, down = om[x] <= key, op[x] < key
        front, back = mo[x] <= key, po[x] < key

        # Edges of the octahedron, each only with its two faces.
        left_up = left & up & (om[x - 1] <= key)
        left_down = left & down & (op[x - 1] < key)
        left_front = left & front & (mo[x - 1] <= key)
        left_back = left & back & (po[x - 1] < key)
        right_up = right & up & (om[x + 1] <= key)
        right_down = right & down & (op[x + 1] < key)
        right_front = right & front & (mo[x + 1] <= key)
        right_back = right & back & (po[x + 1] < key)
        up_front = up & front & (mm[x] <= key)
        up_back = up & back & (pm[x] < key)
        down_front = down & front & (mp[x] <= key)
        down_back = down & back & (pp[x] < key)

        # Triangles, each only with its three edges, and all bits side by side.
        out_links[x] = (
            left
            | right << 1
            | up << 2
            | down << 3
            | front << 4
            | back << 5
            | left_up << 6
            | left_down << 7
            | left_front << 8
            | left_back << 9
            | right_up << 10
            | right_down << 11
            | right_front << 12
            | right_back << 13
            | up_front << 14
            | up_back << 15
            | down_front << 16
            | down_back << 17
            | (left_up & left_front & up_front & (mm[x - 1] <= key)) << 18
            | (left_up & left_back & up_back & (pm[x - 1] < key)) << 19
            | (left_down & left_front & down_front & (mp[x - 1] <= key)) << 20
            | (left_down & left_back & down_back & (pp[x - 1] < key)) << 21
            | (right_up & right_front & up_front & (mm[x + 1] <= key)) << 22
            | (right_up & right_back & up_back & (pm[x + 1] < key)) << 23
            | (right_down & right_front & down_front & (mp[x + 1] <= key)) << 24
            | (right_down & right_back & down_back & (pp[x + 1] < key)) << 25
        )
