"""Image persistence: what of one image lives on in another, by a matrix of two orders.

    first, second -> three filtrations -> boundary matrix -> reduced -> pairs of cells
                     of the same cells    columns in c's order          (birth in one image,
                     first, second, c     rows in the first's order      death in the other)

The comparison image c has at each pixel the earlier of two images, so whatever is there in the
first image is there in c.  A class of the first can be followed in c, where it may die sooner:
what holes remain of it there is its *image bar*.  All image bars come from one reduction, in
which each row stands where its cell enters the first image, and each column where it enters c:

    a column that ends with low i        the cell i of the first image starts a class,
                                         and the cell of the column ends it in c

With both orders the same it is `pytopo.textbook.reduction`.  The clearing shortcut is not
allowed here: it takes the place of a row for that of a column.

*Cells of one pixel* enter together, and which of them starts or ends which class depends on
their order, which means nothing.  Two lists of what a pixel ends are compared without it: after
a first reduction the columns of a pixel are sorted by their lows, and reduced again with their
rows in another order (`Columns.lows_in_two_orders`).  The pairs of first and second lows tell
how the two filtrations of one vector space lie to each other, which no basis can change.

The fast algorithm is `pytopo.morse.image_pairs`.

Bauer and Schmahl (2023), "Efficient computation of image persistence", section 2;
Cohen-Steiner, Edelsbrunner, Harer, Morozov (2009), "Persistent homology for kernels, images,
and cokernels", section 3.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pytopo.kernels.reduction import boundary_matrix, reduce_columns
from pytopo.options import checked_construction, flag
from pytopo.order import FRAME, PixelOrder, checked_image, frame_value
from pytopo.textbook.filtration import Filtration, filtration_of_order


@dataclass(frozen=True, eq=False)
class JointFiltrations:
    """Two images and their comparison image as filtrations of the same cells.

    Attributes
    ----------
    first, second, comparison : Filtration
        Their ``pixel`` is an index into the image with its frame.
    height : (3, n) int64
        Integers in the order of the values of the three images, at each pixel of the image with
        its frame; equal where values are.
    pixel : (n,) int64
        Flat index in the image of each pixel of the image with its frame; -2 in the frame.
    """

    first: Filtration
    second: Filtration
    comparison: Filtration
    height: NDArray[np.int64]
    pixel: NDArray[np.int64]


def joint_filtrations(
    first: ArrayLike,
    second: ArrayLike,
    *,
    superlevel: bool = False,
    construction: str = "V",
    frame: float | None = None,
) -> JointFiltrations:
    """Build the filtrations of two images and of their comparison image.

    Parameters
    ----------
    first, second : array_like, (W,), (H, W) or (D, H, W)
        Of one shape, without NaN; compared in their common dtype.
    superlevel, construction
        As in `pytopo.persistence`.
    frame : float or None
        Value of a frame around both images.

    Raises
    ------
    TypeError, ValueError
        As `pytopo.persistence`, or if the images differ in shape.

    Examples
    --------
    The pixel in the middle is the last in the comparison image, (0 5 0), and not in the first:

    >>> joint = joint_filtrations([6, 7, 8], [0, 5, 0])
    >>> joint.first.pixel, joint.comparison.pixel
    (array([0, 1, 1, 2, 2]), array([0, 2, 1, 1, 1]))
    """
    superlevel = flag(superlevel, "superlevel")
    checked_construction(construction)
    images = [checked_image(first, "first"), checked_image(second, "second")]
    if images[0].shape != images[1].shape:
        raise ValueError(
            f"first has shape {images[0].shape}, second {images[1].shape}; expected the same"
        )
    values = np.stack(images)
    shape = values.shape[1:]

    # Odd integers for the pixels, so that there is room for a frame before its equals.
    levels, inverse = np.unique(values, return_inverse=True)
    inverse = inverse.reshape(values.shape)
    level = 2 * (levels.size - 1 - inverse if superlevel else inverse) + 1
    pixel = np.arange(values[0].size).reshape(shape)
    height = level
    around = frame_value(values, frame, superlevel)
    if around is not None:
        before = 2 * int((levels > around if superlevel else levels < around).sum())
        margin = [(0, 0)] + [(1, 1)] * len(shape)
        height = np.pad(level, margin, constant_values=before + int((levels == around).any()))
        level = np.pad(level, margin, constant_values=before)
        pixel = np.pad(pixel, 1, constant_values=FRAME)

    # The earlier of two pixels of equal index is also the one of lower level, so ties in the
    # comparison image are as in the other two.
    level = np.concatenate([level, level.min(axis=0, keepdims=True)])
    height = np.concatenate([height, height.min(axis=0, keepdims=True)])
    f, g, c = (filtration_of_order(_by_level(image), construction) for image in level)
    return JointFiltrations(f, g, c, height.reshape(3, -1), pixel.ravel())


def _by_level(level: NDArray[np.int64]) -> PixelOrder:
    """Sort the pixels by level, ties by index."""
    rank = np.empty(level.shape, np.int64)
    rank.ravel()[np.argsort(level.ravel(), kind="stable")] = np.arange(level.size)
    return PixelOrder(rank, np.arange(level.size))


@dataclass(frozen=True, eq=False)
class Columns:
    """A matrix of zeros and ones whose rows and columns may be in different orders.

    Attributes
    ----------
    cell : (n,) int64
        Which cell each column belongs to, a position in a filtration.
    start, rows : (n + 1,), (n_entries,) int64
        Column j is ``rows[start[j]:start[j + 1]]``, ascending.
    n_rows : int
    """

    cell: NDArray[np.int64]
    start: NDArray[np.int64]
    rows: NDArray[np.int64]
    n_rows: int

    @property
    def low(self) -> NDArray[np.int64]:
        """The last row of each column, none of which is empty, (n,)."""
        return self.rows[self.start[1:] - 1]

    def reduced(self) -> "Columns":
        """Return the reduced matrix, without its empty columns.

        Examples
        --------
        >>> matrix = Columns(np.arange(2), np.array([0, 2, 4]), np.array([0, 1, 0, 1]), 2)
        >>> matrix.reduced().low
        array([1])
        """
        # The kernel gives rows and columns one numbering; here rows come first.
        n, shift = self.cell.size, self.n_rows
        start = np.concatenate([np.zeros(shift, np.int64), self.start])
        _, begin, end, rows = reduce_columns(start, self.rows, shift + np.arange(n))
        begin, end = begin[shift:], end[shift:]
        full = np.flatnonzero(end > begin)
        return Columns(self.cell, np.append(begin, rows.size), rows, shift).take(full)

    def take(self, columns: NDArray[np.int64]) -> "Columns":
        """Return some of the columns, in the order of their numbers as given."""
        length = np.diff(self.start)[columns]
        start = np.concatenate([[0], np.cumsum(length)])
        source = np.repeat(self.start[columns] - start[:-1], length) + np.arange(start[-1])
        return Columns(self.cell[columns], start, self.rows[source], self.n_rows)

    def with_rows(self, number: NDArray[np.int64]) -> "Columns":
        """Return the matrix with row i moved to ``number[i]``."""
        column = np.repeat(np.arange(self.cell.size), np.diff(self.start))
        rows = number[self.rows]
        return Columns(self.cell, self.start, rows[np.lexsort((rows, column))], self.n_rows)

    def lows_in_two_orders(
        self, group: NDArray[np.int64], number: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Reduce in one order of the rows, then in another, and pair the lows.

        Parameters
        ----------
        group : (n,) int64
            Ascending along the columns.  Columns of one group come at the same time.
        number : (n_rows,) int64
            Where each row stands in the other order.

        Returns
        -------
        cell, low, other_low : (m,) int64
            A column of the group at which both end, and the lows; ``other_low`` counts in the
            other order.
        """
        in_group = np.empty(self.cell.max(initial=-1) + 1, np.int64)
        in_group[self.cell] = group
        once = self.reduced()
        once = once.take(np.lexsort((once.low, in_group[once.cell])))
        twice = once.with_rows(number).reduced()
        return once.cell, once.low, twice.low


def boundary_columns(domain: Filtration, codomain: Filtration, dim: int) -> Columns:
    """Write down the boundaries of cells of dimension ``dim + 1`` in two orders.

    Parameters
    ----------
    domain, codomain : Filtration
        Of the same cells, each of which enters the codomain at the same time or earlier.
        Rows are in the order of the domain, columns in that of the codomain.
    dim : int
        Of the faces.

    Examples
    --------
    Three pixels in a row, (6 7 8) in the first image and (0 5 0) in c.  Both edges come with
    the pixel in the middle, and the ends of each are sorted by the first image:

    >>> joint = joint_filtrations([6, 7, 8], [0, 5, 0])
    >>> matrix = boundary_columns(joint.first, joint.comparison, 0)
    >>> joint.comparison.pixel[matrix.cell], joint.first.pixel[matrix.rows].reshape(2, 2)
    (array([1, 1]), array([[0, 1],
           [1, 2]]))
    """
    grid = np.array((1,) * (3 - len(codomain.grid)) + codomain.grid)
    start, rows = boundary_matrix(codomain.cell, positions(domain), grid)
    every = Columns(np.arange(codomain.cell.size), start, rows, domain.cell.size)
    return every.take(np.flatnonzero(codomain.dimension == dim + 1))


def coboundary_columns(filtration: Filtration, dim: int) -> Columns:
    """Write down the coboundaries of the cells of a dimension, everything in reverse order.

    Rows and columns are counted from the last cell of the filtration, and the low of a reduced
    column is the cell that ends the class which the cell of the column starts: the same pairs
    as those of the boundary matrix (de Silva, Morozov, Vejdemo-Johansson (2011), "Dualities in
    persistent (co)homology").
    """
    from scipy.sparse import csc_array

    turned = csc_array(filtration.boundary().T)[::-1, ::-1].tocsc()
    turned.sort_indices()
    n = filtration.cell.size
    start, rows = turned.indptr.astype(np.int64), turned.indices.astype(np.int64)
    every = Columns(np.arange(n)[::-1], start, rows, n)
    return every.take(np.flatnonzero(filtration.dimension[::-1] == dim))


def positions(filtration: Filtration) -> NDArray[np.int64]:
    """Return the position of each cell of the doubled grid."""
    position = np.empty_like(filtration.cell)
    position[filtration.cell] = np.arange(position.size)
    return position


def image_bars(domain: Filtration, codomain: Filtration, dim: int) -> NDArray[np.int64]:
    """Pair the cells that start classes of the domain with those that end them in the codomain.

    Parameters
    ----------
    domain, codomain, dim
        As in `boundary_columns`.

    Returns
    -------
    pairs : (n, 2) int64
        Position in the domain, position in the codomain, ascending.  Some of these image bars
        are empty: the class starts no earlier than it ends.

    Examples
    --------
    The component of 8 dies in c, where it meets that of 6, at 5: earlier than it is born.

    >>> joint = joint_filtrations([6, 9, 8], [0, 5, 0])
    >>> pairs = image_bars(joint.first, joint.comparison, 0)
    >>> joint.first.pixel[pairs[:, 0]], joint.comparison.pixel[pairs[:, 1]]
    (array([2, 1]), array([1, 1]))
    """
    reduced = boundary_columns(domain, codomain, dim).reduced()
    pairs = np.column_stack([reduced.low, reduced.cell])
    return pairs[np.argsort(pairs[:, 0])]
