"""Features as pixels: what a point of a diagram stands for, and images without small ones.

Diagram, image -> mask of one point, labels of many, an image with fewer points

=================  ===================================================================
file               what it does
=================  ===================================================================
neighbours.py      which pixels touch: 4, 8, 6 or 26 of them, with a margin around
mask.py            ``feature_mask``: the pixels of one point
tunnel.py          the pixels of a tunnel, along a representative cycle
basins.py          ``regions``: a label for every feature that is persistent enough
polygons.py        ``outlines``: labels as polygons, along the sides of pixels
geojson.py         features with their outlines, as GeoJSON
simplification.py  ``simplify``: an image without the points of less persistence
cut.py             ``suggested_cut``: the persistence from which on features stand out
=================  ===================================================================

`docs/regions.md` has the pictures and the proofs.
"""

from pytopo.features.basins import labels_of, regions
from pytopo.features.cut import suggested_cut
from pytopo.features.geojson import feature_collection
from pytopo.features.mask import feature_mask
from pytopo.features.polygons import outlines
from pytopo.features.simplification import simplify

__all__ = [
    "feature_collection",
    "feature_mask",
    "labels_of",
    "outlines",
    "regions",
    "simplify",
    "suggested_cut",
]
