"""Matching the points of many images by place: those of the ground truth at the same place.

The counterpart of `pytopo.matching.groups`, which matches by cost.  Where a point may go does
not depend on how far it has to move, so a weak feature is made stronger where the ground truth
has one, and a strong one elsewhere is removed.
"""

import numpy as np
from numpy.typing import NDArray

from pytopo.diagram import ESSENTIAL
from pytopo.loss.points import PointGroups, Sweep
from pytopo.loss.tunnels import match_tunnels
from pytopo.matching.groups import DIAGONAL
from pytopo.morse.image_pairs import matched_pixels
from pytopo.order import FRAME, frame_value


def match_in_place(
    images: NDArray[np.floating],
    points: PointGroups,
    truth: NDArray[np.floating],
    goals: PointGroups,
    sweep: Sweep,
    threads: int,
) -> NDArray[np.int64]:
    """Match the points of each image with those of its ground truth that are in the same place.

    Parameters
    ----------
    images, truth : (n, H, W) or (n, D, H, W) float32 or float64
    points, goals : PointGroups
        Of the images and of the ground truth.
    sweep : Sweep
        How the points were computed.
    threads : int

    Returns
    -------
    partner : (n_points,) int64
        Row of the goal of each point, -1 for the diagonal.
    """
    dtype = np.result_type(images, truth)
    both = np.stack([images.astype(dtype, copy=False), truth.astype(dtype, copy=False)])
    found = matched_pixels(
        both[0],
        both[1],
        tuple(dim for dim in sweep.dims if dim in (0, images.ndim - 2)),
        superlevel=sweep.superlevel,
        construction=sweep.construction,
        frame=frame_value(both, sweep.frame, sweep.superlevel),
        threads=threads,
    )
    group = found.image * len(sweep.dims) + np.searchsorted(sweep.dims, found.dim)
    size = images[0].size
    rows = _rows(points, sweep, size, group, found.first_pixel)
    goal_rows = _rows(goals, sweep, size, group, found.second_pixel)
    known = (rows != DIAGONAL) & (goal_rows != DIAGONAL)  # points of little persistence are not

    partner = np.full(len(points.points), DIAGONAL)
    partner[rows[known]] = goal_rows[known]
    if 1 in sweep.dims and images.ndim == 4:
        match_tunnels((both[0], both[1]), points, goals, sweep, threads, partner)
    never, goal_never = (np.flatnonzero(d.death_pixel == ESSENTIAL) for d in (points, goals))
    partner[never] = goal_never
    return partner


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
