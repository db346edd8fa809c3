"""Matching two diagrams by cost, or two images by place, and how far apart they are.

====================  ================================================================
file                  what it does
====================  ================================================================
points.py             the points of a diagram, checked
costs.py              what it costs to move a point, and what a pair gains
textbook.py           the assignment problem, augmented by the diagonal
assignment.py         ``match``: the same optimum in a smaller problem
distances.py          ``wasserstein`` and ``bottleneck``
groups.py             all images and dimensions of a batch at once, for the loss
bars.py               bars that are known by pixels: which rows they are
by_place_textbook.py  Betti matching by matrices: image bars, and bars that share them
by_place.py           ``betti_matching``: features that are in the same place
====================  ================================================================
"""

from pytopo.matching.assignment import Matching, match
from pytopo.matching.by_place import BettiMatching, betti_matching, textbook_betti_matching
from pytopo.matching.distances import bottleneck, wasserstein
from pytopo.matching.textbook import textbook_match

__all__ = [
    "BettiMatching",
    "Matching",
    "betti_matching",
    "bottleneck",
    "match",
    "textbook_betti_matching",
    "textbook_match",
    "wasserstein",
]
