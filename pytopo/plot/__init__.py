"""Pictures of images and their diagrams, drawn into Axes of yours or a new figure.

    image        where features are born and where they die
    overview     the same in a small picture of an image that is larger than memory
    sections     the same in a volume: three sections through one voxel
    features     the pixels of the features that stand out
    regions      the pixels of many features, each in a colour
    diagram      one point per feature: birth to the right, death upwards
    barcode      one bar per feature, from birth to death
    betti_curve  how many features are alive at each threshold
    matching     where the topological loss pulls each point
    critical     at which features and pixels it does so
    target       which features of the ground truth that concerns, matched by place
    critical_sections
                 the same in a volume
    betti_matching
                 which features of two images are in the same place
    matched_diagrams
                 which points of two diagrams match
    steps, step  the reduction of a small image, one picture per cell or pixel

Every function takes ``ax=None`` and returns the Axes, of which ``step`` and the sections of a
volume have three, but for ``steps``, which yields figures.  A dimension has the same colour
everywhere, ``COLOURS``.  Infinite values lie on a dashed line beside the finite ones.
"""

from pytopo.plot.by_place import betti_matching
from pytopo.plot.curves import barcode, betti_curve
from pytopo.plot.diagrams import diagram
from pytopo.plot.images import image
from pytopo.plot.legend import COLOURS
from pytopo.plot.likelihoods import critical, target
from pytopo.plot.matchings import matching
from pytopo.plot.outlines import regions
from pytopo.plot.overviews import overview
from pytopo.plot.painted import features
from pytopo.plot.pairs import matched_diagrams
from pytopo.plot.volumes import critical_sections, sections
from pytopo.plot.walk import step, steps

__all__ = [
    "COLOURS",
    "barcode",
    "betti_curve",
    "betti_matching",
    "critical",
    "critical_sections",
    "diagram",
    "features",
    "image",
    "matched_diagrams",
    "matching",
    "overview",
    "regions",
    "sections",
    "step",
    "steps",
    "target",
]
