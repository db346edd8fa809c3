"""What a tile adds to the Betti numbers of a mask: features that are finished, and cells."""

import numpy as np
from numpy.typing import NDArray

from pytopo.large.ages import Box, Points, Sweep
from pytopo.metrics.euler import euler_number_behind


def count_of(points: Points, sweep: Sweep) -> NDArray[np.int64]:
    """Return how many of some points are features of the foreground, for each dimension."""
    return np.bincount(points.dim[points.birth > 0], minlength=len(sweep.shape))


def with_layer_before(box: Box) -> Box:
    """Return a box with one more layer of pixels before its own, where there are some."""
    return tuple((max(start - 1, 0), stop) for start, stop in box)


def euler_number_of_tile(mask: NDArray[np.bool_], box: Box, sweep: Sweep) -> int:
    """Count vertices - edges + squares - cubes of a mask, those that belong to a tile.

    A cell belongs to the tile of its last pixel.  The frame belongs to the tiles that it
    touches.

    Parameters
    ----------
    mask : (d, h, w) bool
        The pixels of ``with_layer_before(box)``.
    box : Box
    sweep : Sweep
    """
    at_start = [start == 0 for start, _ in box]
    at_end = [stop == n for (_, stop), n in zip(box, sweep.shape)]
    if sweep.frame is not None:
        ends = [(int(s), int(e)) for s, e in zip(at_start, at_end)]
        mask = np.pad(mask, ends, constant_values=True)
    # Cells of T on the far side of the last pixel have no other pixel: they belong here.
    behind = sweep.construction == "T"
    ends = [(int(s), int(e and behind)) for s, e in zip(at_start, at_end)]
    return euler_number_behind(np.pad(mask, ends), sweep.construction)
