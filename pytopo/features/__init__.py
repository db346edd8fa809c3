"""Features as pixels: what a point of a diagram stands for, and images without small ones.

Diagram, image -> mask of one point, labels of many, an image with fewer points

=================  ===================================================================
file               what it does
=================  ===================================================================
neighbours.py      which pixels touch: 4, 8, 6 or 26 of them, with a margin around
mask.py            ``feature_mask``: the pixels of one point
tunnel.py          the pixels of a tunnel, along a representative cycle
basins.py          ``regions``: a label for every feature that is persistent enough
simplification.py  ``simplify``: an image without the points of less persistence
cut.py             ``suggested_cut``: the persistence from which on features stand out
=================  ===================================================================

`docs/regions.md` has the pictures and the proofs.
"""

from pytopo.features.basins import regions
from pytopo.features.cut import suggested_cut
from pytopo.features.mask import feature_mask
from pytopo.features.simplification import simplify

__all__ = ["feature_mask", "regions", "simplify", "suggested_cut"]
