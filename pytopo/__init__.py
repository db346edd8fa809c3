"""Persistent homology of images, from the pixels to the persistence diagram.

The pipeline, in reading order::

    image -> order -> complex -> pairs -> Diagram -> Matching -> loss

=====================  ==========================================================
file                   what it does
=====================  ==========================================================
image.py, readers/     a file becomes an array
masks.py               what a mask is, and which ids are background
notes.py               what was done to an input is said: ``InputWarning``
order.py               an array becomes a total order of its pixels
kernels/complex.py     pixels become cells: vertices, edges, squares, cubes
kernels/lower_star.py  cells become a filtration
kernels/reduction.py   the boundary matrix becomes pairs of cells
textbook.py            the three kernels in a row, as objects to look into
steps.py               what the textbook does, told cell by cell
arcs.py, morse.py      the fast route: the same pairs, most columns never built
octahedron, volume.py  the fast route for three axes
pairing.py             ``persistence``: pairs of pixels become a diagram
diagram.py             ``Diagram``: points, Betti numbers, files
matching.py            two diagrams become a matching, and a distance
group_matching.py      the same for all images of a batch at once
textbook_loss.py       a likelihood and the truth become a loss, as in the paper
loss.py                the same for batches, with the gradient: dots.py, squares.py
metrics.py             two segmentations become Betti errors, VOI, Rand, Dice
plot/, html/           pictures of all this, and pages to touch
data/                  files and folders become sections, sections become patches
models/                networks, one a file
training.py            the loop: cross-entropy, then the topological loss beside it
prediction.py          a network and an image become a likelihood
evaluation.py          a prediction and the truth become a row of numbers
run.py                 a training run in a folder, that can be killed and resumed
experiment.py          methods x seeds, judged on sections that nothing was chosen by
=====================  ==========================================================

Importing the package is light: a public name loads its module on first use.
"""

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:  # what ``__getattr__`` resolves, spelled out for type checkers
    from pytopo import data, metrics, models, plot, steps, textbook, training
    from pytopo.diagram import Diagram
    from pytopo.image import read_image
    from pytopo.loss import SegmentationLoss, TopologicalLoss, topological_loss
    from pytopo.matching import Matching, bottleneck, match, wasserstein
    from pytopo.notes import CacheWarning, InputWarning
    from pytopo.pairing import persistence, persistence_batch

__all__ = [
    "CacheWarning",
    "Diagram",
    "InputWarning",
    "Matching",
    "SegmentationLoss",
    "TopologicalLoss",
    "bottleneck",
    "data",
    "match",
    "metrics",
    "models",
    "persistence",
    "persistence_batch",
    "plot",
    "read_image",
    "steps",
    "textbook",
    "topological_loss",
    "training",
    "wasserstein",
]

_home = {
    "CacheWarning": "pytopo.notes",
    "Diagram": "pytopo.diagram",
    "InputWarning": "pytopo.notes",
    "Matching": "pytopo.matching",
    "SegmentationLoss": "pytopo.loss",
    "TopologicalLoss": "pytopo.loss",
    "bottleneck": "pytopo.matching",
    "match": "pytopo.matching",
    "persistence": "pytopo.pairing",
    "persistence_batch": "pytopo.pairing",
    "read_image": "pytopo.image",
    "topological_loss": "pytopo.loss",
    "wasserstein": "pytopo.matching",
}


def __getattr__(name: str) -> object:
    if name in _home:
        return getattr(import_module(_home[name]), name)
    if name in __all__:
        return import_module(f"pytopo.{name}")
    raise AttributeError(f"module 'pytopo' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__ + ["__version__"])
