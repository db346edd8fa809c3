"""Which reader a file needs: its first bytes decide, not its name."""

import os
from collections.abc import Callable
from typing import IO

from pytopo.images.readers.address import Address, Stored
from pytopo.images.readers.arrays import npy_shape, npz_shape, read_npy, read_npz
from pytopo.images.readers.foreign import HEAD, refuse_foreign
from pytopo.notes import one_line

NPY = b"\x93NUMPY"
ZIP = (b"PK\x03\x04", b"PK\x05\x06")  # the second of an empty archive
TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")  # the last two of BigTIFF
HDF5 = b"\x89HDF\r\n\x1a\n"


def chosen_reader(address: Address) -> Callable[[Address, bool], Stored]:
    """Return the reader for the file of an address; it takes whether labels are read.

    Readers for HDF5 and pictures are imported here: h5py and Pillow are heavy, and a .npy file
    needs neither.
    """
    match kind_of(address):
        case "npy":
            return read_npy
        case "npz":
            return read_npz
        case "hdf5":
            from pytopo.images.readers.hdf5 import read_hdf5

            return read_hdf5
        case "tiff":
            from pytopo.images.readers.tiff import read_tiff

            return read_tiff
    from pytopo.images.readers.picture import read_picture

    return read_picture


def shape_reader(address: Address) -> Callable[[Address], tuple[int, ...]]:
    """Return the function that returns the shape of what the chosen reader would read."""
    match kind_of(address):
        case "npy":
            return npy_shape
        case "npz":
            return npz_shape
        case "hdf5":
            from pytopo.images.readers.hdf5 import hdf5_shape

            return hdf5_shape
        case "tiff":
            from pytopo.images.readers.tiff import tiff_shape

            return tiff_shape
    from pytopo.images.readers.picture import picture_shape

    return picture_shape


def kind_of(address: Address) -> str:
    """Return the kind of a file, or refuse it if it is foreign or empty."""
    try:
        with open(address.file, "rb") as stream:
            head, hdf5 = stream.read(HEAD), _is_hdf5(stream)
    except PermissionError:
        raise PermissionError(one_line(f"{address.file}: no permission to read it")) from None
    if not head:
        raise address.refusal("an empty file; expected an image")
    if head.startswith(NPY):
        return "npy"
    if head.startswith(ZIP):
        return "npz"
    if head.startswith(TIFF):
        return "tiff"
    if hdf5:
        return "hdf5"
    refuse_foreign(address, head)
    return "picture"


def _is_hdf5(stream: IO[bytes]) -> bool:
    """Return whether the signature is at byte 0, 512, 1024, 2048, ...

    A block of the writer's own may come first, and does in files of MATLAB.
    """
    offset, size = 0, stream.seek(0, os.SEEK_END)
    while offset < size:
        stream.seek(offset)
        if stream.read(len(HDF5)) == HDF5:
            return True
        offset = max(512, 2 * offset)
    return False
