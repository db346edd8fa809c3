"""Data to learn from: sections of tissue with the ground truth of their membranes.

    file -> Sections -> blocks to train on, to choose by, to report on -> Patches

===============  ================================================================
sections.py      a sequence of images with their ground truth; joining, splitting
remarks.py       notes on what is read, each kind once
borders.py       from ids of cells to membranes
ignored.py       labels that mark pixels without ground truth
labelled.py      images beside labels, which are masks or ids
volumes.py       a data set of three axes, and where labels lie in an image
hdf5.py          sections of HDF5 files
cremi.py         files in the CREMI layout, read and written
pairs.py         folders and stacks of pictures
opening.py       from names on a command line to one of these
patches.py       random patches, numbered
augmentation.py  random changes of patches

noise.py         synthetic volumes: smooth noise
tissue.py        which cell each pixel belongs to
microscope.py    what an image shows of the cells
synth.py         all of these: volumes for machines without data
nnunet.py        a volume as a data set of nnU-Net
===============  ================================================================

`docs/data.md` explains how to lay out your own data.
"""

from pytopo.data.borders import border_mask
from pytopo.data.cremi import CremiVolume, write_cremi
from pytopo.data.hdf5 import HDF5Pair
from pytopo.data.opening import open_sections
from pytopo.data.pairs import ImagePairs, PicturePair
from pytopo.data.patches import Patches
from pytopo.data.sections import ArraySections, Section, Sections, joined, split_blocks
from pytopo.data.synth import (
    SyntheticVolume,
    synthetic_sections,
    synthetic_volume,
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
