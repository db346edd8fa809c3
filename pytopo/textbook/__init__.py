"""Persistent homology by the textbook: filtration, boundary matrix, reduction.

    image -> Filtration -> Reduction
             cells in      reduced boundary matrix,
             order         pairs of cells, cycles

`pytopo.persistence(..., algorithm="reduction")` runs exactly this.  Each stage is an object
that can be inspected: for lessons and for representative cycles call them one after another,
as `docs/lesson-3-reduction.md` does.

====================  ================================================================
file                  what it does
====================  ================================================================
filtration.py         pixels become cells, and cells a filtration with its matrix
reduction.py          the boundary matrix is reduced, and pairs are read off it
image_persistence.py  rows in the order of one image, columns in that of another
walk.py               the walkthrough: every step of the reduction of a small image
sentences.py          what a step of it says, in words: ``pytopo explain``
====================  ================================================================
"""

from pytopo.textbook.filtration import Filtration, filtration_of_order, lower_star_filtration
from pytopo.textbook.image_persistence import (
    Columns,
    JointFiltrations,
    boundary_columns,
    coboundary_columns,
    image_bars,
    joint_filtrations,
)
from pytopo.textbook.reduction import Reduction, reduce_filtration

__all__ = [
    "Columns",
    "Filtration",
    "JointFiltrations",
    "Reduction",
    "boundary_columns",
    "coboundary_columns",
    "filtration_of_order",
    "image_bars",
    "joint_filtrations",
    "lower_star_filtration",
    "reduce_filtration",
]
