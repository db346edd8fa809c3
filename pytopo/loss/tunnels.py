"""Tunnels of volumes, matched by place: a voxel may have several, so they are known by two."""

import numpy as np
from numpy.typing import NDArray

from pytopo.loss.points import PointGroups, Sweep
from pytopo.matching.bars import rows_of_bars
from pytopo.matching.groups import DIAGONAL
from pytopo.morse.image_tunnels import matched_tunnels
from pytopo.order import frame_value


def match_tunnels(
    volumes: tuple[NDArray[np.floating], NDArray[np.floating]],
    points: PointGroups,
    goals: PointGroups,
    sweep: Sweep,
    threads: int,
    out_partner: NDArray[np.int64],
) -> None:
    """Match the tunnels of each volume with those of its ground truth in the same place.

    Parameters
    ----------
    volumes : two of (n, D, H, W) float32 or float64
        Volumes and ground truth, of one dtype.
    points, goals : PointGroups
        Of the volumes and of the ground truth.
    sweep : Sweep
        How the points were computed.
    threads : int
    out_partner : (n_points,) int64
        Receives the row of the goal of each tunnel that has one.
    """
    found = matched_tunnels(
        *volumes,
        superlevel=sweep.superlevel,
        construction=sweep.construction,
        frame=frame_value(np.stack(volumes), sweep.frame, sweep.superlevel),
        threads=threads,
    )
    rows = _rows(points, sweep, found.image, found.first)
    goal_rows = _rows(goals, sweep, found.image, found.second)
    known = (rows != DIAGONAL) & (goal_rows != DIAGONAL)  # points of little persistence are not
    out_partner[rows[known]] = goal_rows[known]


def _rows(
    points: PointGroups, sweep: Sweep, image: NDArray[np.int64], pixels: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the tunnels that are born and die at some voxels, or -1."""
    dim = np.resize(np.array(sweep.dims), points.start.size - 1)
    group = np.repeat(np.arange(dim.size), np.diff(points.start))
    rows = np.flatnonzero(dim[group] == 1)
    known = np.column_stack(
        [group[rows] // len(sweep.dims), points.birth_pixel[rows], points.death_pixel[rows]]
    )
    found = rows_of_bars(known, np.column_stack([image, pixels]))
    return np.append(rows, DIAGONAL)[found]
