"""An image as a cubical complex: vertices, edges, squares and cubes on a doubled grid.

A cell is a product of intervals, one per axis, each either a point or one unit long.  On a
grid of twice the resolution every cell has a place of its own: even coordinates are
points, odd ones are unit intervals, and the number of odd coordinates is the dimension.

        (0,0)---(0,1)---(0,2)         .---.---.    . vertex   (even, even)
          |       |       |           |   |   |    - edge     (even, odd)
        (1,0)   (1,1)   (1,2)         |   |   |    | edge     (odd, even)
          |       |       |           '---'---'      square   (odd, odd)
        (2,0)---(2,1)---(2,2)

Pixels can be two things (`docs/conventions.md` has the pictures):

    construction V: pixel p is the vertex at 2p.         A cell touches the pixels that
        It enters with the *last* pixel it touches.          are its corners.
    construction T: pixel p is the top cell at 2p + 1.   A cell touches the pixels that
        It enters with the *first* pixel it touches.         it is a face of.

Either way the pixels that a cell at coordinate c touches lie within one step of c on the
doubled grid, so one formula serves both, with ``top`` = 0 for V and 1 for T:

    |2p + top - c| <= 1   <=>   (c - top) // 2 <= p <= (c - top + 1) // 2

All arrays have three axes; an image with fewer has leading axes of length 1, along which
its cells are points.

Wagner, Chen, Vuçini (2012), "Efficient computation of persistent homology for cubical
data", sections 3 and 4.1.
"""

import numpy as np

from pytopo.kernels.jit import njit


@njit(cache=True, nogil=True)
def touched(coordinate, top, length):
    """Return the half-open range of pixels that a cell touches along one axis.

    ``coordinate`` lies on the doubled axis, ``length`` is the number of pixels along it.
    """
    first = max((coordinate - top) // 2, 0)
    stop = min((coordinate - top + 1) // 2 + 1, length)
    return first, stop


@njit(cache=True, nogil=True)
def cells(rank, grid, top):
    """Return the dimension of every cell, and the pixel with which it enters.

    Parameters
    ----------
    rank : (D, H, W) int64
        When each pixel comes: a permutation of ``range(D * H * W)``.
    grid : (3,) int64
        Extents of the doubled grid: along an axis of the image with n pixels ``2n - 1``
        for V and ``2n + 1`` for T; 1 along an axis that the image does not have.
    top : int
        0 for construction V, 1 for construction T.

    Returns
    -------
    dimension : (n_cells,) uint8
        Number of odd coordinates.
    owner : (n_cells,) int64
        Flat index of the pixel with which the cell enters: of the pixels it touches, the
        last in V, the first in T.
    """
    depth, height, width = rank.shape
    n_cells = grid[0] * grid[1] * grid[2]
    dimension = np.empty(n_cells, np.uint8)
    owner = np.empty(n_cells, np.int64)

    cell = 0
    for i in range(grid[0]):
        z_first, z_stop = touched(i, top, depth)
        for j in range(grid[1]):
            y_first, y_stop = touched(j, top, height)
            for k in range(grid[2]):
                x_first, x_stop = touched(k, top, width)
                # An odd coordinate is an interval of length one: it adds a dimension.
                dimension[cell] = (i & 1) + (j & 1) + (k & 1)

                # V: a cell enters with the last of its corners.  T: with the first of the
                # top cells of which it is a face.  Ranks have no ties, so there is one.
                pixel = (z_first, y_first, x_first)
                for z in range(z_first, z_stop):
                    for y in range(y_first, y_stop):
                        for x in range(x_first, x_stop):
                            if top == 0 and rank[z, y, x] > rank[pixel]:
                                pixel = (z, y, x)
                            if top == 1 and rank[z, y, x] < rank[pixel]:
                                pixel = (z, y, x)
                owner[cell] = (pixel[0] * height + pixel[1]) * width + pixel[2]
                cell += 1
    return dimension, owner


@njit(cache=True, nogil=True)
def faces(cell, grid, out_faces):
    """List the faces of one cell: two along each axis on which it is an interval.

    Parameters
    ----------
    cell : int
        Flat index into the doubled grid.
    grid : (3,) int64
        Extents of the doubled grid.
    out_faces : (6,) int64
        Receives the flat indices of the faces.

    Returns
    -------
    count : int
        How many were written: twice the dimension of the cell.
    """
    count = 0
    stride = 1  # between neighbours along the axis, on the flattened grid
    for axis in range(2, -1, -1):
        coordinate = cell // stride % grid[axis]
        if coordinate & 1:  # an interval: its two ends are one step to either side
            out_faces[count] = cell - stride
            out_faces[count + 1] = cell + stride
            count += 2
        stride *= grid[axis]
    return count
