"""Persistent homology of images, from the pixels to the persistence diagram.

The pipeline, in reading order::

    image -> order -> complex -> pairs -> Diagram -> Matching -> loss

=====================  ==========================================================
file                   what it does
=====================  ==========================================================
images/                a file becomes an array; what a mask is
order.py               an array becomes a total order of its pixels
kernels/complex.py     pixels become cells: vertices, edges, squares, cubes
kernels/lower_star.py  cells become a filtration
kernels/reduction.py   the boundary matrix becomes pairs of cells
textbook/              the three kernels in a row, as objects; a walk through them
morse/                 the fast algorithm: the same pairs, most columns never built
stacks.py              options are checked; images of one shape are taken together
pairing.py             ``persistence``: pairs of pixels become a diagram
diagram.py             ``Diagram``: points, Betti numbers
diagram_file.py        a diagram in a file
features/              a point of a diagram becomes pixels; images without the small ones
matching/              two diagrams become a matching, by cost or by place
loss/                  a likelihood and a target become a loss with a gradient
metrics/               two segmentations become Betti errors, VOI, Rand, Dice
data/                  files and folders become sections, sections become patches
models/                networks, one a file
training/              the loop, runs that can be killed and resumed, experiments
large/                 images larger than memory: tiles, and gluing them
integrations/          the loss in other frameworks
plot/, html/           pictures of all this, and interactive reports
=====================  ==========================================================

What all of them use: ``options.py`` checks options, ``notes.py`` says what was done to an
input, ``threads.py`` works on parts side by side, ``files.py`` writes a file whole or not at
all, ``progress.py`` shows what takes long.  ``moved.py`` leads from the names that modules had
to those that they have, ``clone.py`` from `pytopo.cli` to the folder ``cli/`` where nothing is
installed.

Importing the package is light: a public name loads its module on first use.
"""

import sys
from importlib import import_module
from typing import TYPE_CHECKING

from pytopo.clone import Clone
from pytopo.moved import Moved

__version__ = "0.2.0"

if TYPE_CHECKING:  # what ``__getattr__`` resolves, spelled out for type checkers
    from pytopo import data, large, metrics, models, plot, textbook, training
    from pytopo.diagram import Diagram
    from pytopo.features import feature_mask, regions, simplify
    from pytopo.images import read_image
    from pytopo.loss import SegmentationLoss, TopologicalLoss, topological_loss
    from pytopo.matching import (
        BettiMatching,
        Matching,
        betti_matching,
        bottleneck,
        match,
        wasserstein,
    )
    from pytopo.notes import CacheWarning, InputWarning
    from pytopo.pairing import persistence, persistence_batch
    from pytopo.textbook import walk as steps

__all__ = [
    "BettiMatching",
    "CacheWarning",
    "Diagram",
    "InputWarning",
    "Matching",
    "SegmentationLoss",
    "TopologicalLoss",
    "betti_matching",
    "bottleneck",
    "data",
    "feature_mask",
    "large",
    "match",
    "metrics",
    "models",
    "persistence",
    "persistence_batch",
    "plot",
    "read_image",
    "regions",
    "simplify",
    "steps",
    "textbook",
    "topological_loss",
    "training",
    "wasserstein",
]

_home = {
    "BettiMatching": "pytopo.matching",
    "CacheWarning": "pytopo.notes",
    "Diagram": "pytopo.diagram",
    "InputWarning": "pytopo.notes",
    "Matching": "pytopo.matching",
    "SegmentationLoss": "pytopo.loss",
    "TopologicalLoss": "pytopo.loss",
    "betti_matching": "pytopo.matching",
    "bottleneck": "pytopo.matching",
    "feature_mask": "pytopo.features",
    "match": "pytopo.matching",
    "persistence": "pytopo.pairing",
    "persistence_batch": "pytopo.pairing",
    "read_image": "pytopo.images",
    "regions": "pytopo.features",
    "simplify": "pytopo.features",
    "topological_loss": "pytopo.loss",
    "wasserstein": "pytopo.matching",
}

sys.meta_path.insert(0, Moved())  # before the one that would look into a moved folder
sys.meta_path.append(Clone())  # after all that know of an installation


def __getattr__(name: str) -> object:
    if name in _home:
        return getattr(import_module(_home[name]), name)
    if name in __all__:
        return import_module(f"pytopo.{name}")
    raise AttributeError(f"module 'pytopo' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__ + ["__version__"])
