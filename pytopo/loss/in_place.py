"""The points of many images, each with the one of the ground truth that is in the same place.

    images, truth -> points, goals -> partners
             \'--- one sweep of each ---\'

The counterpart of `pytopo.matching.groups`, which matches by cost.  Where a point may go does
not depend on how far it has to move, so a weak feature is made stronger where the ground truth
has one, and a strong one elsewhere is removed.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pytopo.diagram import ESSENTIAL
from pytopo.loss.points import PointGroups, Sweep, groups_of_rows, persistent, point_groups
from pytopo.loss.tunnels import match_tunnels
from pytopo.matching.groups import DIAGONAL
from pytopo.morse import Rows
from pytopo.morse.image_pairs import matched_pixels
from pytopo.morse.image_pairs_2d import joint_rows, swept_images
from pytopo.morse.swept_images import SweptImages
from pytopo.order import FRAME, frame_value
from pytopo.pairing import settled
from pytopo.stacks import Stack


class Places(NamedTuple):
    """The ground truth of images, to match their points by place.

    Attributes
    ----------
    images : (n, H, W) or (n, D, H, W) float32 or float64
    goals : PointGroups or None
        Its points, if they are known.
    swept : SweptImages or None
        What is known of two-dimensional images besides: the rows are those of ``goals``.
    """

    images: NDArray[np.floating]
    goals: PointGroups | None = None
    swept: SweptImages | None = None

    def part(self, a: int, b: int, n_dims: int) -> "Places":
        """Return those of some images."""
        if self.goals is None:
            return Places(self.images[a:b])
        swept = self.swept
        if swept is not None:
            swept = swept.images(a, b, int(self.goals.start[a * n_dims]))
        return Places(self.images[a:b], self.goals.groups(a * n_dims, b * n_dims), swept)


class InPlace(NamedTuple):
    """Points of images, points of their ground truth, and rows of these by point.

    ``partner`` is -1 for a point that goes to the diagonal.
    """

    found: PointGroups
    goals: PointGroups
    partner: NDArray[np.int64]


def points_in_place(
    images: NDArray[np.floating], truth: Places, sweep: Sweep, threads: int
) -> InPlace:
    """Match the points of images with those of their ground truth that are in the same place.

    Parameters
    ----------
    images : (n, H, W) or (n, D, H, W) float32 or float64
    truth : Places
    sweep : Sweep
        How points are computed, and known ones were.
    threads : int
    """
    match = _in_images if images.ndim == 3 else _in_volumes
    found, goals, partner = match(images, truth, sweep, threads)
    never, goal_never = (np.flatnonzero(d.death_pixel == ESSENTIAL) for d in (found, goals))
    partner[never] = goal_never
    return InPlace(found, goals, partner)


def swept_points(images: NDArray[np.floating], sweep: Sweep) -> tuple[PointGroups, SweptImages]:
    """Return the points of images, and what it takes to match others with them."""
    frame = frame_value(images, sweep.frame, sweep.superlevel)
    rows, swept = swept_images(
        images,
        sweep.dims,
        superlevel=sweep.superlevel,
        construction=sweep.construction,
        frame=frame,
    )
    groups, kept = _settled_points(rows, images, images, frame, sweep)
    return groups, swept if kept is None else swept.with_rows(_places(kept, len(rows.image)))


def _in_images(
    images: NDArray[np.floating], truth: Places, sweep: Sweep, threads: int
) -> InPlace:
    """Match the points of two-dimensional images; no essential ones."""
    dtype = np.result_type(images, truth.images)
    one, other = (x.astype(dtype, copy=False) for x in (images, truth.images))
    frame = frame_value(one, sweep.frame, sweep.superlevel)
    first, second, partner = joint_rows(
        one,
        other,
        sweep.dims,
        superlevel=sweep.superlevel,
        construction=sweep.construction,
        frame=frame,
        threads=threads,
        known=truth.swept,
    )
    found, kept = _settled_points(first, images, one, frame, sweep)
    if kept is not None:
        partner = partner[kept]
    if truth.goals is not None and truth.swept is not None:
        return InPlace(found, truth.goals, partner)
    goals, kept = _settled_points(second, truth.images, other, frame, sweep)
    if kept is not None:
        partner = _places(kept, len(second.image))[partner]
    return InPlace(found, goals, partner)


def _settled_points(
    rows: Rows,
    images: NDArray[np.floating],
    compared: NDArray[np.floating],
    frame: int | np.floating | None,
    sweep: Sweep,
) -> tuple[PointGroups, NDArray[np.int64] | None]:
    """Return the points of rows as a diagram has them, and the rows they come from.

    ``compared`` are the images in the dtype of the frame.  None stands for all rows.
    """
    kept = None
    if frame is not None:
        kept = settled(rows, Stack(compared, [frame] * len(images), sweep.dims, "morse"))
        rows = rows.take(kept)
    groups = groups_of_rows(rows, images, sweep)
    if sweep.min_persistence > 0:
        some = persistent(groups, images, sweep)
        groups = groups.where(some)
        kept = np.flatnonzero(some) if kept is None else kept[some]
    return groups, kept


def _places(kept: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """Return the place of each of n rows among those that are kept, and -1 for row -1."""
    place = np.full(n + 1, DIAGONAL, np.int64)
    place[kept] = np.arange(kept.size)
    return place


def _in_volumes(
    images: NDArray[np.floating], truth: Places, sweep: Sweep, threads: int
) -> InPlace:
    """Match the points of volumes; no essential ones."""
    points = point_groups(images, sweep, threads)
    goals = point_groups(truth.images, sweep, threads) if truth.goals is None else truth.goals
    dtype = np.result_type(images, truth.images)
    one, other = (x.astype(dtype, copy=False) for x in (images, truth.images))
    found = matched_pixels(
        one,
        other,
        tuple(dim for dim in sweep.dims if dim != 1),
        superlevel=sweep.superlevel,
        construction=sweep.construction,
        frame=frame_value(one, sweep.frame, sweep.superlevel),
        threads=threads,
    )
    group = found.image * len(sweep.dims) + np.searchsorted(sweep.dims, found.dim)
    size = images[0].size
    rows = _rows(points, sweep, size, group, found.first_pixel)
    goal_rows = _rows(goals, sweep, size, group, found.second_pixel)
    known = (rows != DIAGONAL) & (goal_rows != DIAGONAL)  # points of little persistence are not

    partner = np.full(len(points.points), DIAGONAL)
    partner[rows[known]] = goal_rows[known]
    if 1 in sweep.dims:
        match_tunnels((one, other), points, goals, sweep, threads, partner)
    return InPlace(points, goals, partner)


def _rows(
    points: PointGroups,
    sweep: Sweep,
    size: int,
    group: NDArray[np.int64],
    pixel: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Return the points born at pixels (components) or dying there (others), or -1."""
    groups = points.start.size - 1
    is_component = np.resize(np.array(sweep.dims) == 0, groups)
    of_point = np.repeat(np.arange(groups), np.diff(points.start))
    known = np.where(is_component[of_point], points.birth_pixel, points.death_pixel)
    row = np.full((groups, size - FRAME), DIAGONAL, np.int32)
    row[of_point, known - FRAME] = np.arange(of_point.size)
    return row[group, pixel - FRAME].astype(np.int64)
