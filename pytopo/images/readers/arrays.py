"""NumPy's own files, .npy and .npz: a header says shape and dtype, the numbers follow.

Of a .npy file only the requested part is read.  A member of an .npz archive is unpacked as a
whole.
"""

import math
import os
import zipfile
from typing import IO

import numpy as np

from pytopo.images.readers.address import (
    Address,
    Stored,
    decoding,
    member_expected,
    refuse_member,
    shown,
)
from pytopo.images.readers.foreign import refuse_pickled_zip
from pytopo.images.readers.memory import refuse_giant, refuse_unpacking
from pytopo.images.readers.part import Part, checked_part, shape_of


def read_npy(address: Address, labels: bool = False) -> Stored:
    """Read a .npy file; it has no members."""
    part = _npy_part(address)
    with decoding(address, ".npy file"):
        return np.load(address.file, mmap_mode="r", allow_pickle=False)[part], ()


def npy_shape(address: Address) -> tuple[int, ...]:
    """Return the shape of what `read_npy` reads."""
    return shape_of(_npy_part(address))


def _npy_part(address: Address) -> Part:
    refuse_member(address, ".npy file")
    with decoding(address, ".npy file"), open(address.file, "rb") as stream:
        shape, dtype = shape_and_dtype(stream)
        size = os.path.getsize(address.file) - stream.tell()
    return _held_part(address, shape, dtype, size)


def read_npz(address: Address, labels: bool = False) -> Stored:
    """Read an array of an .npz archive."""
    with decoding(address, ".npz archive"):
        archive = zipfile.ZipFile(address.file)
    with archive:
        member = _member(address, archive)
        part = _npz_part(address, archive, member)
        with decoding(address, ".npz archive"), archive.open(member) as stream:
            return np.lib.format.read_array(stream, allow_pickle=False)[part], ()


def npz_shape(address: Address) -> tuple[int, ...]:
    """Return the shape of what `read_npz` reads."""
    with decoding(address, ".npz archive"):
        archive = zipfile.ZipFile(address.file)
    with archive:
        return shape_of(_npz_part(address, archive, _member(address, archive)))


def _npz_part(address: Address, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Part:
    with decoding(address, ".npz archive"), archive.open(member) as stream:
        shape, dtype = shape_and_dtype(stream)
        size = member.file_size - stream.tell()
    return _held_part(address, shape, dtype, size, whole=True)


def _member(address: Address, archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    """Return the array that the address names, or the only one if it names none."""
    members = {
        item.filename.removesuffix(".npy"): item
        for item in archive.infolist()
        if item.filename.endswith(".npy")
    }
    if not address.member and len(members) == 1:
        return next(iter(members.values()))
    found = members.get(address.member.removesuffix(".npy"))
    if found is None:
        refuse_pickled_zip(address, archive.namelist())
        raise member_expected(address, "array", list(members))
    return found


def shape_and_dtype(stream: IO[bytes]) -> tuple[tuple[int, ...], np.dtype]:
    """Return shape and dtype; `stream` is left at the first byte of the numbers."""
    version = np.lib.format.read_magic(stream)
    if version == (1, 0):
        shape, _, dtype = np.lib.format.read_array_header_1_0(stream)
    elif version in ((2, 0), (3, 0)):  # they differ in the alphabet of field names only
        shape, _, dtype = np.lib.format.read_array_header_2_0(stream)
    else:
        raise ValueError(f"version {version} of the format is unknown")
    if any(length < 0 for length in shape):
        raise ValueError(f"the header claims shape {shape}")
    return shape, dtype


def _held_part(
    address: Address, shape: tuple[int, ...], dtype: np.dtype, size: int, whole: bool = False
) -> Part:
    """Return the part to take, if the `size` bytes behind the header are those it claims.

    With `whole` the array is unpacked as a whole, whatever the part, and must fit into memory.
    """
    _refuse_objects(address, dtype)
    if whole and dtype.kind in "biuf":
        refuse_giant(address, shape, dtype, "save it as .npy or HDF5 and take a slice")
        refuse_unpacking(address, shape, dtype)
    part = checked_part(address, shape, dtype)
    refuse_short(address, shape, dtype, size)
    return part


def refuse_short(address: Address, shape: tuple[int, ...], dtype: np.dtype, size: int) -> None:
    """Refuse an array of which fewer bytes are there than its header claims."""
    _refuse_objects(address, dtype)
    claimed = math.prod(shape) * dtype.itemsize
    if size < claimed:
        raise address.refusal(
            f"damaged: shape {shown(shape)} of {dtype} takes {claimed} bytes, {size} are there"
        )


def _refuse_objects(address: Address, dtype: np.dtype) -> None:
    if dtype.hasobject:
        raise address.refusal(
            "holds Python objects; pickle is never loaded, save plain numbers", TypeError
        )
