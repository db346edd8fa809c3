""".npy files, by a memory map."""

import os

import numpy as np
from numpy.typing import NDArray

from pytopo.images.readers.address import Address, decoding, refuse_member
from pytopo.images.readers.arrays import refuse_short, shape_and_dtype
from pytopo.images.readers.part import Part
from pytopo.large.sources.source import Source, Stored, source_of


def open_npy(address: Address) -> Source:
    """Open a .npy file; it has no members."""
    refuse_member(address, ".npy file")
    with decoding(address, ".npy file"), open(address.file, "rb") as stream:
        shape, dtype = shape_and_dtype(stream)
        size = os.path.getsize(address.file) - stream.tell()
    refuse_short(address, shape, dtype, size)
    stored = Stored(shape, dtype, (1,) * len(shape))
    return source_of(".npy file", address, stored, _read)


def _read(source: Source, part: Part) -> NDArray:
    with decoding(source.address, ".npy file"):
        mapped = np.load(source.address.file, mmap_mode="r", allow_pickle=False)
        return np.array(mapped[part])
