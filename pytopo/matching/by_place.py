"""Betti matching: features of two images are matched by where they are, not by what it costs.

    first, second -> diagrams --------------------------.
                     comparison image -> image bars ------ which rows match

Follow a feature of the first image in the comparison image c, which has at each pixel the
earlier of both images.  There it dies where it meets something older, of either image.  A
feature of the first image and one of the second match if they die in c in the same place.

`pytopo.morse.image_pairs` does it by union-find, `pytopo.morse.image_tunnels` in dimension 1 of
volumes by a mapping cylinder, and `by_place_textbook` by matrices; they agree.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pytopo.diagram import Diagram
from pytopo.matching.bars import rows_of_bars
from pytopo.matching.by_place_textbook import matched_bars
from pytopo.morse.image_pairs import matched_pixels
from pytopo.morse.image_tunnels import matched_tunnels
from pytopo.options import checked_construction, flag
from pytopo.order import checked_image, frame_value
from pytopo.pairing import persistence
from pytopo.stacks import checked_dims
from pytopo.textbook.image_persistence import joint_filtrations
from pytopo.threads import number_of_threads

MOST_PIXELS = 2**16  # of a row that is matched by matrices


@dataclass(frozen=True, eq=False)
class BettiMatching:
    """Which features of two images match.

    Attributes
    ----------
    first, second : Diagram
        Of the two images.
    pairs : (k, 2) int64
        Rows of ``first`` and of ``second`` that match, ascending.
    first_only, second_only : (n - k,), (m - k,) int64
        Rows without match, ascending.
    """

    first: Diagram
    second: Diagram
    pairs: NDArray[np.int64]
    first_only: NDArray[np.int64]
    second_only: NDArray[np.int64]

    def __repr__(self) -> str:
        return (
            f"<BettiMatching: {len(self.pairs)} matched, {len(self.first_only)} of the first "
            f"only, {len(self.second_only)} of the second only>"
        )


def betti_matching(
    first: ArrayLike,
    second: ArrayLike,
    dims: int | Iterable[int] | None = None,
    *,
    superlevel: bool = False,
    construction: str = "V",
    frame: float | bool | None = None,
) -> BettiMatching:
    """Match the features of two images that are in the same place.

    The images are compared through a third, c, which has at each pixel the smaller value (the
    larger for superlevel).  Whatever is there in one of the images is there in c.  A feature
    can be followed in c from its birth to its death there, its *image bar*; a feature of the
    first image and one of the second match if their image bars end at the same cell, and
    neither is empty.

    Parameters
    ----------
    first, second : array_like, (W,), (H, W) or (D, H, W)
        Of one shape, any real dtypes, without NaN.  Both are converted to their common dtype.
    dims : int, iterable of int or None
        Dimensions of homology; ``None`` for all.
    superlevel, construction
        As in `pytopo.persistence`.
    frame : float, bool or None
        Value of a frame around both images; ``True`` for the value of the earliest pixel of
        both.

    Returns
    -------
    BettiMatching
        With the diagrams of both images.  Their essential components match.

    Raises
    ------
    TypeError
        As `pytopo.persistence`.
    ValueError
        As `pytopo.persistence`; if the shapes differ, or the common dtype cannot hold both
        images; if they are rows of more than 2^16 pixels with a frame, for which there is the
        slow algorithm only.

    Notes
    -----
    An image bar is empty if the feature is born no earlier than it dies in c.  Published
    programs match those too.

    Where a pixel merges three components or more, or starts several holes, which of them end
    together is a convention: here, in the order of age in the first image, which is the same
    as that in the second.

    References
    ----------
    Stucki, Paetzold, Shit, Menze, Bauer (2023), "Topologically faithful image segmentation via
    induced matching of persistence barcodes", section 3.  Stucki, Bürgin, Paetzold, Bauer
    (2024), "Efficient Betti matching enables topology-aware 3D segmentation via persistent
    homology", section 4.  Bauer and Schmahl (2023), "Efficient computation of image
    persistence", section 2.

    Examples
    --------
    By cost the valley at 1 would go to the valley of the second image that is as deep.  By
    place it goes to the one at 4:

    >>> m = betti_matching([0, 9, 1, 9, 9], [0, 9, 4, 9, 1])
    >>> m.first.points(0), m.second.points(0)
    (array([[ 0., inf],
           [ 1.,  9.]]), array([[ 0., inf],
           [ 4.,  9.],
           [ 1.,  9.]]))
    >>> m.pairs, m.second_only
    (array([[0, 0],
           [1, 1]]), array([2]))
    """
    images = _Images(first, second, superlevel, construction, frame)
    chosen = checked_dims(dims, images.shape, "first")
    fast = tuple(dim for dim in chosen if dim in images.by_union_find_dims)
    tunnels = len(images.shape) == 3 and 1 in chosen
    slow = [dim for dim in chosen if dim not in fast and not tunnels]
    if slow and math.prod(images.shape) > MOST_PIXELS:
        raise ValueError(
            f"first has shape {images.shape}; expected at most {MOST_PIXELS} pixels, because "
            "rows with a frame are matched by the slow algorithm (for none: frame=None)"
        )
    diagrams = images.diagrams(chosen)
    found = [_essential(*diagrams), *(images.by_textbook(dim, diagrams) for dim in slow)]
    if fast:
        found.append(images.by_union_find(fast, diagrams))
    if tunnels:
        found.append(images.by_cylinder(diagrams))
    return _matching(diagrams, found)


def textbook_betti_matching(
    first: ArrayLike,
    second: ArrayLike,
    dims: int | Iterable[int] | None = None,
    *,
    superlevel: bool = False,
    construction: str = "V",
    frame: float | bool | None = None,
) -> BettiMatching:
    """Match the features of two images that are in the same place, by matrices.

    The reference implementation of `betti_matching`, to be read and to test against: small
    images only.
    """
    images = _Images(first, second, superlevel, construction, frame)
    diagrams = images.diagrams(checked_dims(dims, images.shape, "first"))
    found = [images.by_textbook(dim, diagrams) for dim in diagrams[0].dims]
    return _matching(diagrams, [_essential(*diagrams), *found])


class _Images:
    """Two images that can be compared, and options, all checked."""

    def __init__(
        self,
        first: ArrayLike,
        second: ArrayLike,
        superlevel: bool,
        construction: str,
        frame: float | bool | None,
    ) -> None:
        images = checked_image(first, "first"), checked_image(second, "second")
        if images[0].shape != images[1].shape:
            raise ValueError(
                f"first has shape {images[0].shape}, second {images[1].shape}; "
                "expected the same"
            )
        self.superlevel = flag(superlevel, "superlevel")
        self.construction = checked_construction(construction)
        self.values = np.stack([_converted(image, np.result_type(*images)) for image in images])
        self.shape = images[0].shape
        self.frame = frame_value(self.values, frame, self.superlevel)

    def diagrams(self, dims: tuple[int, ...]) -> tuple[Diagram, Diagram]:
        first, second = (
            persistence(
                image,
                dims,
                superlevel=self.superlevel,
                construction=self.construction,
                frame=self.frame,  # type: ignore[arg-type]
            )
            for image in self.values
        )
        return first, second

    @property
    def by_union_find_dims(self) -> tuple[int, ...]:
        """The dimensions in which one pixel is enough to know a feature by."""
        if len(self.shape) == 1:  # the frame of a row is in two parts
            return () if self.frame is not None else (0,)
        return 0, len(self.shape) - 1

    def by_union_find(
        self, dims: tuple[int, ...], diagrams: tuple[Diagram, Diagram]
    ) -> NDArray[np.int64]:
        """Return the rows that match in dimension 0 and in the highest."""
        shape = self.shape if len(self.shape) > 1 else (1, *self.shape)
        first, second = self.values.reshape(2, 1, *shape)
        found = matched_pixels(
            first,
            second,
            dims,
            superlevel=self.superlevel,
            construction=self.construction,
            frame=self.frame,
        )
        sides = zip(diagrams, (found.first_pixel, found.second_pixel))
        return np.column_stack([_rows_by_pixel(d, found.dim, pixel) for d, pixel in sides])

    def by_cylinder(self, diagrams: tuple[Diagram, Diagram]) -> NDArray[np.int64]:
        """Return the rows of tunnels of volumes that match."""
        found = matched_tunnels(
            *self.values[:, None],
            superlevel=self.superlevel,
            construction=self.construction,
            frame=self.frame,
            threads=number_of_threads(None),
        )
        sides = zip(diagrams, (found.first, found.second))
        return np.column_stack([_rows_by_bar(d, 1, pixels) for d, pixels in sides])

    def by_textbook(self, dim: int, diagrams: tuple[Diagram, Diagram]) -> NDArray[np.int64]:
        """Return the rows that match in a dimension."""
        joint = joint_filtrations(
            *self.values,
            superlevel=self.superlevel,
            construction=self.construction,
            frame=self.frame,  # type: ignore[arg-type]
        )
        pixels = matched_bars(joint, dim)
        first, second = diagrams
        return np.column_stack(
            [_rows_by_bar(first, dim, pixels[:, :2]), _rows_by_bar(second, dim, pixels[:, 2:])]
        )


def _converted(image: NDArray, dtype: np.dtype) -> NDArray:
    converted = np.ascontiguousarray(image, dtype)
    if dtype.kind == "f" and image.dtype.kind in "iu" and image.dtype.itemsize == 8:
        limits = np.iinfo(image.dtype)
        inside = (converted >= float(limits.min)) & (converted < float(limits.max))
        if not inside.all() or not np.array_equal(converted.astype(image.dtype), image):
            raise ValueError(
                f"images of {image.dtype} cannot be compared in {dtype} without rounding; "
                "expected images of one dtype"
            )
    return converted


def _rows_by_pixel(
    diagram: Diagram, dim: NDArray[np.int8], pixel: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the rows of components born at pixels, and of holes and voids that die there."""
    known = np.where(diagram.dim == 0, diagram.birth_pixel, diagram.death_pixel)
    size = np.int64(math.prod(diagram.shape) + 2)  # from -2, the frame, on
    keys = diagram.dim * size + known
    order = np.argsort(keys)
    return order[np.searchsorted(keys, dim * size + pixel, sorter=order)]


def _rows_by_bar(diagram: Diagram, dim: int, pixels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the rows of points with some births and deaths; of equals the next one."""
    rows = np.flatnonzero(diagram.dim == dim)
    known = np.column_stack(
        [np.zeros_like(rows), diagram.birth_pixel[rows], diagram.death_pixel[rows]]
    )
    wanted = np.column_stack([np.zeros(len(pixels), np.int64), pixels])
    return rows[rows_of_bars(known, wanted)]


def _essential(first: Diagram, second: Diagram) -> NDArray[np.int64]:
    """Return the rows of the essential components, which match if they were computed."""
    return np.column_stack([np.flatnonzero(first.essential), np.flatnonzero(second.essential)])


def _matching(
    diagrams: tuple[Diagram, Diagram], found: list[NDArray[np.int64]]
) -> BettiMatching:
    pairs = np.concatenate(found)
    pairs = pairs[np.argsort(pairs[:, 0])]
    alone = [
        np.setdiff1d(np.arange(len(diagram)), rows) for diagram, rows in zip(diagrams, pairs.T)
    ]
    return BettiMatching(*diagrams, pairs, *alone)
