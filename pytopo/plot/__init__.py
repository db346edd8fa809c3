"""Pictures of images and their diagrams, drawn into Axes of yours or a new figure.

    image        where features are born and where they die
    sections     the same in a volume: three sections through one voxel
    diagram      one dot a feature: birth to the right, death upwards
    barcode      one bar a feature, from birth to death
    betti_curve  how many features are alive at each threshold
    matching     what the topological loss wants of each dot
    critical     at which pixels it wants that
    betti_matching
                 which features of two images are in the same place
    critical_sections
                 the same in a volume
    steps, step  the reduction of a small image, one picture a cell or a pixel

Every function takes ``ax=None`` and returns the Axes, of which ``step`` and the sections of a
volume have three, but for ``steps``, which yields figures.  A dimension has the same colour
everywhere, ``COLOURS``.  Infinite values lie on a dashed line beside the finite ones.
"""

from pytopo.plot.by_place import betti_matching
from pytopo.plot.curves import barcode, betti_curve
from pytopo.plot.diagrams import diagram
from pytopo.plot.images import critical, image
from pytopo.plot.legend import COLOURS
from pytopo.plot.matchings import matching
from pytopo.plot.reduction import step, steps
from pytopo.plot.volumes import critical_sections, sections

__all__ = [
    "COLOURS",
    "barcode",
    "betti_curve",
    "betti_matching",
    "critical",
    "critical_sections",
    "diagram",
    "image",
    "matching",
    "sections",
    "step",
    "steps",
]
