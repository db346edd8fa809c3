"""Data sets of HDF5 files.

Reading locks a file only while a box is read.  Links, filters and locks are the business of
`pytopo.images.readers.hdf5`.
"""

from dataclasses import replace

from numpy.typing import NDArray

from pytopo.images.readers.address import Address
from pytopo.images.readers.hdf5 import opened_data_set, stored_part, stored_shape
from pytopo.images.readers.part import Part
from pytopo.large.sources.source import Source, Stored, source_of


def open_hdf5(address: Address) -> Source:
    """Open the data set that an address names, or the only one of the file."""
    with opened_data_set(address) as data_set:
        shape, dtype, axes = stored_shape(address, data_set)
        stored = Stored(shape, dtype, data_set.chunks or (1,) * len(shape), axes)
        address = replace(address, member=data_set.name)
    return source_of("HDF5 data set", address, stored, _read)


def _read(source: Source, part: Part) -> NDArray:
    with opened_data_set(source.address) as data_set:
        return stored_part(source.address, data_set, part)
