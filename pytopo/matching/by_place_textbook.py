"""Betti matching as the textbook has it: image bars by matrices, and bars that share them.

    bar of first      image bar of first      image bar of second      bar of second
    (birth, death) -- (birth, death in c) --- (birth, death in c) ---- (birth, death)
                 same birth             same death              same birth

Reference implementation of `pytopo.morse.image_pairs`, for every dimension.

Stucki, Paetzold, Shit, Menze, Bauer (2023), "Topologically faithful image segmentation via
induced matching of persistence barcodes", section 3.
"""

from collections import defaultdict

import numpy as np
from numpy.typing import NDArray

from pytopo.textbook.filtration import Filtration
from pytopo.textbook.image_persistence import (
    JointFiltrations,
    boundary_columns,
    coboundary_columns,
    positions,
)


def matched_bars(joint: JointFiltrations, dim: int) -> NDArray[np.int64]:
    """Match the bars of two images whose image bars end together.

    Parameters
    ----------
    joint : JointFiltrations
    dim : int
        Less than the number of axes.

    Returns
    -------
    pixels : (n, 4) int64
        Birth and death in the first image, birth and death in the second: flat indices into the
        image, -2 in the frame.  The essential components, which always match, are left out.
    """
    first, second, c = joint.first, joint.second, joint.comparison
    height, second_height, c_height = joint.height
    bars, second_bars = (
        _bars_by_image_bar(image, c, dim, h, c_height)
        for image, h in ((first, height), (second, second_height))
    )

    # What dies in c with a pixel, and how old it is in one image and in the other.
    boundaries = boundary_columns(first, c, dim)
    dead, born, second_born = boundaries.lows_in_two_orders(
        _time(c)[boundaries.cell], positions(second)[first.cell]
    )
    place = c.pixel[dead]
    pixel, second_pixel = first.pixel[born], second.pixel[second_born]
    lives = (height[pixel] < c_height[place]) & (second_height[second_pixel] < c_height[place])

    # By age in the one image and then in the other, so that where image bars coincide nothing
    # depends on the order of cells, nor on which image is the first.
    age, second_age = _time(first)[born], _time(second)[second_born]
    found = []
    for k in np.lexsort((second_age, age, _time(c)[dead])):
        if lives[k]:
            p, q, r = int(place[k]), int(pixel[k]), int(second_pixel[k])
            found.append((q, bars[q, p].pop(0), r, second_bars[r, p].pop(0)))
    return joint.pixel[np.array(found, np.int64).reshape(-1, 4)]


def _bars_by_image_bar(
    image: Filtration,
    c: Filtration,
    dim: int,
    height: NDArray[np.int64],
    c_height: NDArray[np.int64],
) -> dict[tuple[int, int], list[int]]:
    """Return the death pixels of the bars that have each image bar, earliest first.

    An image bar is known by the pixels of its birth and of its death in c.
    """
    n = image.cell.size
    coboundaries = coboundary_columns(image, dim)
    turned = n - 1 - positions(c)[image.cell][::-1]
    born, death, c_death = coboundaries.lows_in_two_orders(
        -_time(image)[coboundaries.cell], turned
    )
    death, c_death = n - 1 - death, n - 1 - c_death
    bars = defaultdict(list)
    for k in np.argsort(death):
        birth, end = image.pixel[born[k]], c.pixel[c_death[k]]
        if height[birth] < c_height[end]:
            bars[int(birth), int(end)].append(int(image.pixel[death[k]]))
    return bars


def _time(filtration: Filtration) -> NDArray[np.int64]:
    """Return when each cell enters; cells of one pixel at the same time."""
    arrives = np.diff(filtration.pixel, prepend=filtration.pixel[:1]) != 0
    return np.cumsum(arrives)
