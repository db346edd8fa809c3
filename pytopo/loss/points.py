"""The points of a batch: those of many diagrams in flat arrays, without the diagrams.

    group   image 0, dim 0 | image 0, dim 1 | image 1, dim 0 | ...
    start   0                5                8
    points  (birth, death), one row per point

Every training step takes all images of a batch together, so the loss takes the pairs of pixels
as the algorithms list them and looks up their values.  `PointGroups.diagrams` makes diagrams
of them where some are to be shown.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pytopo.diagram import Diagram
from pytopo.kernels.squares import group_starts, pixel_values
from pytopo.morse import Rows
from pytopo.pairing import pixel_rows


@dataclass(frozen=True)
class Sweep:
    """The options of persistence that all images of a batch share; as in `pytopo.persistence`.

    ``dims`` ascend, and ``frame`` is a number or None.
    """

    dims: tuple[int, ...]
    superlevel: bool
    construction: str
    frame: float | None
    min_persistence: float


@dataclass(frozen=True, eq=False)
class PointGroups:
    """The points of the diagrams of images of one shape, one row a point.

    Attributes
    ----------
    start : (images * dims + 1,) int64
        Where the points of each image and dimension begin; dimensions fastest.
    points : (n, 2) float64
        Birth and death; the essential component has an infinite death.
    birth_pixel, death_pixel : (n,) int64
        Pixels of the image that a point is of; -1 for never, -2 for the frame.
    """

    start: NDArray[np.int64]
    points: NDArray[np.float64]
    birth_pixel: NDArray[np.int64]
    death_pixel: NDArray[np.int64]

    def groups(self, first: int, stop: int) -> "PointGroups":
        """Return the points of some groups, from ``first`` to ``stop - 1``."""
        start = self.start[first : stop + 1]
        return self._rows(start - start[0], slice(*start[[0, -1]]))

    def where(self, kept: NDArray[np.bool_]) -> "PointGroups":
        """Return the points of a mask."""
        # The new start of a group is the number of points kept before it.
        return self._rows(np.concatenate([[0], np.cumsum(kept)])[self.start], kept)

    def _rows(self, start: NDArray[np.int64], rows: slice | NDArray[np.bool_]) -> "PointGroups":
        return PointGroups(
            start, self.points[rows], self.birth_pixel[rows], self.death_pixel[rows]
        )

    def diagrams(
        self, sweep: Sweep, shape: tuple[int, ...], dtype: type[np.floating]
    ) -> list[Diagram]:
        """Return the diagrams, one per image; ``shape`` is that of the images."""
        k = len(sweep.dims)
        dim = np.resize(np.array(sweep.dims, np.int8), self.start.size - 1).repeat(
            np.diff(self.start)
        )
        birth, death = self.points.T.astype(dtype)
        return [
            Diagram(
                dim[a:b],
                birth[a:b],
                death[a:b],
                self.birth_pixel[a:b],
                self.death_pixel[a:b],
                shape,
                sweep.superlevel,
                sweep.construction,
                sweep.frame,
                sweep.dims,
            )
            for a, b in pairwise(self.start[::k].tolist())
        ]


def point_groups(images: NDArray[np.floating], sweep: Sweep, threads: int) -> PointGroups:
    """Compute the points of images of one shape.

    Parameters
    ----------
    images : (B, H, W) or (B, D, H, W) float32 or float64
        C-contiguous and finite.
    sweep : Sweep
    threads : int
        Number of threads to use for these images together.

    Raises
    ------
    TypeError, ValueError
        If an option is impossible, as `pytopo.persistence` says.

    Examples
    --------
    >>> sweep = Sweep((0, 1), False, "V", None, 0.0)
    >>> groups = point_groups(np.array([[[0.0, 2.0, 1.0]]]), sweep, 1)
    >>> groups.points
    array([[ 0., inf],
           [ 1.,  2.]])
    >>> groups.start
    array([0, 2, 2])
    """
    rows = pixel_rows(
        images,
        list(sweep.dims),
        superlevel=sweep.superlevel,
        construction=sweep.construction,
        frame=sweep.frame,
        threads=threads,
    )
    groups = groups_of_rows(rows, images, sweep)
    return groups.where(persistent(groups, images, sweep)) if sweep.min_persistence else groups


def groups_of_rows(rows: Rows, images: NDArray[np.floating], sweep: Sweep) -> PointGroups:
    """Return pairs of pixels as points, those of little persistence too."""
    start = group_starts(rows.image, rows.dim, len(images), np.array(sweep.dims, np.int8))
    pixels = rows.birth_pixel, rows.death_pixel
    frame = 0.0 if sweep.frame is None else float(images.dtype.type(sweep.frame))
    never = -np.inf if sweep.superlevel else np.inf
    return PointGroups(start, values_of(images, start, *pixels, frame, never), *pixels)


def persistent(
    groups: PointGroups, images: NDArray[np.floating], sweep: Sweep
) -> NDArray[np.bool_]:
    """Return which points have the persistence that the sweep requires."""
    birth, death = groups.points.T.astype(images.dtype)  # rounded as in a diagram
    return np.abs(death - birth) >= sweep.min_persistence


def values_of(
    images: NDArray[np.floating],
    start: NDArray[np.int64],
    birth_pixel: NDArray[np.int64],
    death_pixel: NDArray[np.int64],
    frame: float = 0.0,
    never: float = 0.0,
) -> NDArray[np.float64]:
    """Return the values of the pixels of points, (n, 2) float64."""
    flat = images.reshape(len(images), -1)
    return pixel_values(start, birth_pixel, death_pixel, flat, frame, never)


def joined_groups(batches: Sequence[PointGroups]) -> PointGroups:
    """Return the points of several batches as those of one."""
    offsets = np.cumsum([0] + [len(batch.points) for batch in batches])
    starts = [batch.start[:-1] + offset for batch, offset in zip(batches, offsets)]
    return PointGroups(
        np.concatenate([*starts, offsets[-1:]]),
        np.concatenate([batch.points for batch in batches]),
        np.concatenate([batch.birth_pixel for batch in batches]),
        np.concatenate([batch.death_pixel for batch in batches]),
    )
