"""Matching two diagrams, and how far apart they are.

=============  =======================================================================
file           what it does
=============  =======================================================================
points.py      the points of a diagram, checked
costs.py       what it costs to move a point, and what a pair gains
textbook.py    the assignment problem, augmented by the diagonal
assignment.py  ``match``: the same optimum in a smaller problem
distances.py   ``wasserstein`` and ``bottleneck``
groups.py      all images and dimensions of a batch at once, for the loss
=============  =======================================================================
"""

from pytopo.matching.assignment import Matching, match
from pytopo.matching.distances import bottleneck, wasserstein
from pytopo.matching.textbook import textbook_match

__all__ = ["Matching", "bottleneck", "match", "textbook_match", "wasserstein"]
