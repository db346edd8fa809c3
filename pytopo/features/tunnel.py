"""The voxels of a tunnel: a closed curve around it, as the textbook's reduction finds one.

The reduced column of the square that fills a tunnel is a cycle of edges that was closed with
the edge that made the tunnel.  In construction V an edge joins two voxels; in T it lies where
up to four voxels meet, and is there because of the first of them:

    V   o---o      voxels at       T   +---+---+    the voxel with which
        |   |      the ends            | a # b |    the edge # entered
        o---o                          +---+---+
"""

import numpy as np
from numpy.typing import NDArray

from pytopo.diagram import Diagram
from pytopo.order import total_order
from pytopo.textbook import Filtration, filtration_of_order, reduce_filtration

MOST_VOXELS = 2**18  # of a volume that the textbook reduces as a whole


def tunnel_mask(
    values: NDArray, diagram: Diagram, row: int, around: int | np.floating | None
) -> NDArray[np.bool_]:
    """Return the voxels of a representative cycle of a tunnel.

    Parameters
    ----------
    values : (D, H, W) ndarray
    diagram : Diagram
        Of this volume.
    row : int
        Of the diagram, with dimension 1.
    around : int, numpy float or None
        Value of the frame.

    Raises
    ------
    ValueError
        If the volume has more than `MOST_VOXELS`, or the tunnel is not one of it.
    """
    if values.size > MOST_VOXELS:
        raise ValueError(
            f"a tunnel is found by the textbook algorithm, for at most {MOST_VOXELS} voxels, "
            f"and the image has {values.size}; expected a part of it, with a diagram of its own"
        )
    pixels = total_order(values, diagram.superlevel, around)
    filtration = filtration_of_order(pixels, diagram.construction)
    reduction = reduce_filtration(filtration)
    created, destroyed = reduction.pairs.T
    birth, death = diagram.birth_pixel, diagram.death_pixel
    same_voxels = (
        (filtration.dimension[created] == 1)
        & (filtration.pixel[created] == birth[row])
        & (filtration.pixel[destroyed] == death[row])
    )
    # Several tunnels may have the same two voxels: the first row gets the first of them.
    earlier = (diagram.dim == 1) & (birth == birth[row]) & (death == death[row])
    number = int(np.count_nonzero(earlier[:row]))
    found = np.flatnonzero(same_voxels)
    if number >= found.size:
        raise ValueError(f"the diagram is not of this image: it has no tunnel like row {row}")
    cycle = reduction.cycle(int(destroyed[found[number]]))

    mask = np.zeros(values.size, bool)
    voxels = _voxels(filtration, cycle, diagram.construction, pixels.pixel)
    mask[voxels[voxels >= 0]] = True  # what is in the frame is left out
    return mask.reshape(values.shape)


def _voxels(
    filtration: Filtration,
    cycle: NDArray[np.int64],
    construction: str,
    pixel: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Return the pixels of the edges of a cycle, some of them more than once."""
    if construction == "T":
        return filtration.pixel[cycle]
    # On the doubled grid an edge has one odd coordinate, and its ends are on both sides.
    shape = tuple((n + 1) // 2 for n in filtration.grid)
    edge = filtration.coordinates(cycle)
    ends = np.concatenate([edge // 2, (edge + 1) // 2])
    return pixel[np.ravel_multi_index(tuple(ends.T), shape)]
