"""The topological loss, from the paper's formula to a torch module.

    likelihood -> points --.
                            matching -> squares -> loss, gradient
    target     -> points --'

==================  ==================================================================
file                what it does
==================  ==================================================================
textbook.py         the loss of one image as the paper has it
choices.py          the options of the loss, checked
inputs.py           predictions and targets as they come in, checked
likelihoods.py      from logits to likelihoods
targets.py          class indices become one-hot, and pixels without truth are ignored
points.py           the points of all images of a batch, as arrays
in_place.py         which of them are in the same place, for ``matching="betti"``
tunnels.py          which tunnels of volumes are in the same place
squares.py          what they cost, and the derivative of that, for torch
prepared_target.py  a target whose points are known
explanation.py      ``Explanation``: which points the loss moves, removes and misses
topological.py      ``TopologicalLoss``
segmentation.py     ``SegmentationLoss``: with a per-pixel cross-entropy
==================  ==================================================================
"""

from pytopo.loss.explanation import Explanation
from pytopo.loss.prepared_target import PreparedTarget
from pytopo.loss.segmentation import SegmentationLoss
from pytopo.loss.textbook import textbook_loss
from pytopo.loss.topological import TopologicalLoss, topological_loss

__all__ = [
    "Explanation",
    "PreparedTarget",
    "SegmentationLoss",
    "TopologicalLoss",
    "textbook_loss",
    "topological_loss",
]
