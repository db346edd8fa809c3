"""``open_source``: which kind a file is, and so how its boxes are read."""

import os
from os import PathLike

from pytopo.images.readers.address import Address, parsed_address
from pytopo.images.readers.choice import kind_of
from pytopo.images.readers.foreign import store_text
from pytopo.large.sources.levels import chosen_level
from pytopo.large.sources.source import Source
from pytopo.notes import one_line

KINDS = ("npy", "hdf5", "tiff")


def open_source(path: str | PathLike[str], *, level: str | int | None = None) -> Source:
    """Open an image that need not fit into memory; only what is sliced is read.

    Values stay as stored, colour of TIFF becomes luminance.

    Parameters
    ----------
    path : str or path-like
        ``PATH`` or ``PATH:MEMBER``, each with an optional slice, as of `pytopo.read_image`: a
        Zarr store (version 2 or 3) or OME-Zarr image, a data set of an HDF5 file, a .npy file,
        a TIFF, BigTIFF or slide.  A member is a data set, an array or group of a store, or a
        series of a TIFF.  ``slide.zarr[0, 1]`` takes time 0 and channel 1.
    level : str, int or None
        Which level of a pyramid, by its name or number; by default the finest.

    Returns
    -------
    source : Source
        With ``shape``, ``dtype``, slices, ``levels`` and ``chunks``.  No file stays open.

    Raises
    ------
    FileNotFoundError, PermissionError
        If the file is missing, or may not be read.
    ValueError
        If it is damaged or not of these kinds; if the member, slice or level does not exist,
        or leaves no image of two or three axes, as of several channels.
    TypeError
        If it holds complex numbers, text, records or Python objects.
    ImportError
        If the store is Zarr and zarr is not installed.

    Examples
    --------
    >>> import tempfile, numpy as np, pytopo, pytopo.large
    >>> image = np.random.default_rng(0).random((50, 60))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.save(f"{folder}/a.npy", image)
    ...     source = pytopo.large.open_source(f"{folder}/a.npy")
    ...     pytopo.large.persistence(source, tile=16) == pytopo.persistence(image)
    True
    """
    return claimed_source(os.fsdecode(path), level).tried()


def claimed_source(path: str, level: str | int | None = None) -> Source:
    """Return a source as headers describe it; no pixel is read.

    Arguments and errors as of `open_source`.
    """
    address = parsed_address(path, folders=True)
    if os.path.isdir(address.file):
        return _open_folder(address, level)
    kind = kind_of(address)
    if kind == "tiff":
        from pytopo.large.sources.tiff import open_tiff

        return open_tiff(address, level)
    chosen_level(address, (), level)
    if kind == "npy":
        from pytopo.large.sources.npy import open_npy

        return open_npy(address)
    if kind == "hdf5":
        from pytopo.large.sources.hdf5 import open_hdf5

        return open_hdf5(address)
    raise address.refusal(
        "cannot be read tile by tile; expected Zarr, HDF5, TIFF or .npy, save it as one of them"
    )


def _open_folder(address: Address, level: str | int | None) -> Source:
    from pytopo.large.sources.zarr_store import is_zarr, open_zarr

    if is_zarr(address.file):
        return open_zarr(address, level)
    if address.file.rstrip("/").endswith(".zarr"):
        raise address.refusal("damaged, or not a readable Zarr store: its metadata is missing")
    came = store_text(address.file) or "a folder; expected a Zarr store or an image file"
    raise IsADirectoryError(one_line(f"{address.file}: {came}"))


def is_store(path: str) -> bool:
    """Return whether an address names a folder that `open_source` reads."""
    from pytopo.large.sources.zarr_store import is_zarr

    try:
        address = parsed_address(path, folders=True)
    except (OSError, ValueError):
        return False
    return os.path.isdir(address.file) and is_zarr(address.file)
