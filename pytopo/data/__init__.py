"""Data to learn from: sections of tissue with the truth about their membranes.

    file -> Sections -> blocks to train on, to choose by, to report on -> Patches

==============  ================================================================
sections.py     a sequence of images with their truth; joining and splitting
borders.py      ids of cells become membranes
hdf5.py         volumes in HDF5 files, and where the labels lie in the image
cremi.py        files in the CREMI layout
pairs.py        folders and stacks of pictures
opening.py      what a command line names: which of these it is
patches.py      random patches, numbered
synth.py        volumes made up, for machines without data
==============  ================================================================

`docs/data.md` tells how to lay out your own data.
"""

from pytopo.data.borders import border_mask
from pytopo.data.cremi import CremiVolume
from pytopo.data.hdf5 import HDF5Pair
from pytopo.data.opening import open_sections
from pytopo.data.pairs import ImagePairs, PicturePair
from pytopo.data.patches import Patches
from pytopo.data.sections import ArraySections, Section, Sections, joined, split_blocks
from pytopo.data.synth import (
    SyntheticVolume,
    synthetic_sections,
    synthetic_volume,
    write_cremi,
)

__all__ = [
    "ArraySections",
    "CremiVolume",
    "HDF5Pair",
    "ImagePairs",
    "Patches",
    "PicturePair",
    "Section",
    "Sections",
    "SyntheticVolume",
    "border_mask",
    "joined",
    "open_sections",
    "split_blocks",
    "synthetic_sections",
    "synthetic_volume",
    "write_cremi",
]
