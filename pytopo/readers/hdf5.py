"""HDF5: data sets in a tree of groups.  Only the part asked for is read.

The author of a file may have named any other file of the reader's as the place of its
pixels, so those are not followed.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import h5py

from pytopo.readers.address import (
    Address,
    Part,
    Stored,
    checked_part,
    decoding,
    member_wanted,
    shape_of,
    shown,
)


def read_hdf5(address: Address, labels: bool = False) -> Stored:
    """Read a data set of an HDF5 file."""
    with opened_data_set(address) as data_set:
        part = _part(address, data_set)
        with decoding(address, "data set"):
            return data_set[part], ()


def hdf5_shape(address: Address) -> tuple[int, ...]:
    """Return the shape of what `read_hdf5` reads."""
    with opened_data_set(address) as data_set:
        return shape_of(_part(address, data_set))


def _part(address: Address, data_set: Any) -> Part:
    with decoding(address, "data set"):
        shape, dtype = data_set.shape, data_set.dtype
    return checked_part(address, (0,) if shape is None else shape, dtype)


@contextmanager
def opened_data_set(address: Address) -> Iterator[Any]:
    """Open the data set that an address names, or the only one of the file if it names none.

    Raises
    ------
    ValueError
        If the file is damaged, if there is no such data set, if none is named and there are
        several, or if its pixels lie in other files.
    """
    with decoding(address, "HDF5 file"):
        file = h5py.File(address.file, "r")
    with file:
        data_set = _data_set(address, file)
        with decoding(address, "data set"):
            linked = data_set.file.filename != file.filename
            elsewhere = linked or data_set.is_virtual or data_set.external is not None
        if elsewhere:
            raise address.refusal(
                "its pixels lie in other files, which are not read; wanted them in this one, "
                "name the other or copy them"
            )
        yield data_set


def _data_set(address: Address, file: Any) -> Any:
    """The data set that the address names, or the only one if it names none."""
    if address.member:
        try:
            found = file[address.member]
        except Exception:  # missing, or a link that leads nowhere
            found = None
        if isinstance(found, h5py.Dataset):
            return found
    data_sets = _data_sets(address, file)
    if not address.member and len(data_sets) == 1:
        return data_sets[0]
    raise member_wanted(address, "data set", [_described(data_set) for data_set in data_sets])


def _data_sets(address: Address, file: Any) -> list[Any]:
    """All data sets of a file.  Soft links are passed by, so broken ones do no harm."""
    found = []

    def collect(_: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            found.append(item)

    with decoding(address, "HDF5 file"):
        file.visititems(collect)
    return found


def _described(data_set: Any) -> str:
    try:
        return f"{data_set.name} {shown(data_set.shape or ())} {data_set.dtype}"
    except Exception:  # a type for which NumPy has no word
        return f"{data_set.name} of unknown type"
