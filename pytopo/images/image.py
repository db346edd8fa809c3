"""A file becomes an image: an array of one, two or three axes.

    file -> reader, by the first bytes -> the requested part -> luminance -> [0, 1]

`pytopo.images.readers` returns what is stored; here it is scaled to [0, 1] by the range of its
dtype.  Labels stay as stored, and their colours become ids.  See `docs/reference-images.md`.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from pytopo.images.readers.address import Address, parsed_address, shown
from pytopo.images.readers.choice import chosen_reader, shape_reader
from pytopo.images.readers.part import looks_like_colour
from pytopo.images.scaling import scaled
from pytopo.notes import one_line, warn_of

MORE_MEMORY = "take a part of it if it is .npy or HDF5, or use a machine with more memory"
RAW_ADVICE = "read it as stored, with raw=True, or save fewer bits"


@dataclass(frozen=True, eq=False)
class ImageFile:
    """An image, and notes on how it was made from the stored pixels.

    Attributes
    ----------
    array : (W,), (H, W) or (D, H, W) ndarray
        The image: C-contiguous, in native byte order, owning its memory.
    notes : tuple of str
        One sentence for each thing that was dropped, converted or doubtful; often empty.
    stored_dtype : dtype
        Of the values in the file, before any scaling.
    """

    array: np.ndarray
    notes: tuple[str, ...] = ()
    stored_dtype: np.dtype | None = None


def read_image(path: str | os.PathLike[str], *, raw: bool = False) -> np.ndarray:
    """Read an image: PNG, JPEG, TIFF and whatever else Pillow opens, .npy, .npz, HDF5.

    Parameters
    ----------
    path : str or path-like
        ``PATH`` or ``PATH:MEMBER`` (an array of an .npz archive, a data set of an HDF5
        file; it may be left out if there is only one), each with an optional slice:
        ``stack.tif[3]``, ``vol.h5:/raw[0:8, ..., ::2]``.  Of .npy, HDF5, TIFF and PNG
        only that part is kept in memory.  A file whose name is all of `path`, brackets and
        colons included, takes precedence.
    raw : bool
        Do not scale: integers and bools as stored.  Colour, palettes included, becomes
        luminance all the same.

    Returns
    -------
    image : (W,), (H, W) or (D, H, W) ndarray
        Integers and bools scaled to [0, 1] by the range of their dtype, not of the
        image: float32 up to 16 bits, float64 above.  Floats as stored.  Colour becomes
        luminance (ITU-R 601), several pages become a volume.  Orientation tags are not
        applied: rows and columns are those of the file.

    Raises
    ------
    FileNotFoundError, IsADirectoryError, PermissionError
        If the file is missing, is a directory, or may not be read.
    ValueError
        If the file is damaged or of an unknown format; if the member or slice does not
        exist; if the requested part is empty, does not have 1 to 3 axes, or does not fit in
        memory; if scaling would make two values of a 64-bit image equal.
    TypeError
        If it holds complex numbers, text, records or Python objects.

    Warns
    -----
    InputWarning
        For each thing that was dropped or converted, or is doubtful; `open_image` returns
        these notes and does not warn.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.save(f"{folder}/grey.npy", np.array([[0, 51, 102], [153, 204, 255]], np.uint8))
    ...     read_image(f"{folder}/grey.npy")
    ...     read_image(f"{folder}/grey.npy[0, 1:]", raw=True)
    array([[0. , 0.2, 0.4],
           [0.6, 0.8, 1. ]], dtype=float32)
    array([ 51, 102], dtype=uint8)
    """
    file = open_image(path, raw=raw)
    warn_of(file.notes, one_line(os.fsdecode(path)))
    return file.array


def open_image(path: str | os.PathLike[str], *, raw: bool = False) -> ImageFile:
    """Read an image together with notes on what was dropped or converted.

    Parameters and errors are those of `read_image`.

    Returns
    -------
    file : ImageFile
        The array that `read_image` returns, and the notes.

    Examples
    --------
    >>> import tempfile
    >>> from PIL import Image
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     Image.new("RGB", (2, 1), "white").save(f"{folder}/white.png")
    ...     file = open_image(f"{folder}/white.png")
    >>> file.array
    array([[1., 1.]], dtype=float32)
    >>> file.notes
    ('RGB colour turned to luminance (ITU-R 601)',)
    """
    return _opened(path, raw=raw, labels=False)


def open_labels(path: str | os.PathLike[str]) -> ImageFile:
    """Read a mask or ids as stored; colour is never reduced to brightness.

    Parameters and errors are those of `read_image`.

    Returns
    -------
    file : ImageFile
        A palette picture gives its indices.  A colour picture gives its grey where red,
        green and blue are equal everywhere, else one id for each colour,
        ``red * 65536 + green * 256 + blue`` (uint32; with 16 bits a channel
        ``red * 2**32 + green * 2**16 + blue`` in uint64), so that black is 0.  Everything
        else is as ``open_image(path, raw=True)`` gives it.

    Examples
    --------
    >>> import tempfile
    >>> from PIL import Image
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     Image.new("RGB", (2, 1), (1, 2, 3)).save(f"{folder}/cells.png")
    ...     file = open_labels(f"{folder}/cells.png")
    >>> file.array
    array([[66051, 66051]], dtype=uint32)
    >>> file.notes
    ('RGB colours read as ids, red * 65536 + green * 256 + blue',)
    """
    return _opened(path, raw=True, labels=True)


def _opened(path: str | os.PathLike[str], *, raw: bool, labels: bool) -> ImageFile:
    address = parsed_address(os.fsdecode(path), scaled=not raw)
    read = chosen_reader(address)
    with _enough_memory(address):
        stored, notes = read(address, labels)
        values = stored if raw else _scaled(address, stored)
        notes += _colour_doubt(address, stored.shape)
        return ImageFile(_settled(values), notes, stored.dtype)


@contextmanager
def _enough_memory(address: Address) -> Iterator[None]:
    """Refuse a file that takes more memory than there is; some headers already do."""
    try:
        yield
    except MemoryError as err:
        reason = str(err) or "out of memory"
        raise address.refusal(f"{reason}; {MORE_MEMORY}") from None


def image_shape(path: str | os.PathLike[str]) -> tuple[int, ...]:
    """Return the shape of what `open_image` would read, from the header of the file.

    Parameters and errors are those of `read_image`, except for what only the pixels show.

    Returns
    -------
    shape : tuple of 1 to 3 int

    Examples
    --------
    >>> import tempfile
    >>> from PIL import Image
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     Image.new("RGB", (4, 3)).save(f"{folder}/colour.png")
    ...     image_shape(f"{folder}/colour.png"), image_shape(f"{folder}/colour.png[0]")
    ((3, 4), (4,))
    """
    address = parsed_address(os.fsdecode(path))
    with _enough_memory(address):
        return shape_reader(address)(address)


# ---- values ------------------------------------------------------------------------------


def _scaled(address: Address, stored: np.ndarray) -> np.ndarray:
    try:
        return scaled(stored)
    except ValueError as error:
        raise address.refusal(f"{error}; {RAW_ADVICE}") from None


def _settled(values: np.ndarray) -> np.ndarray:
    """Return C-contiguous, native, writable values that own their memory; copied if needed."""
    native = np.dtype(values.dtype.newbyteorder("=").str)
    return np.require(values, native, ["C", "W", "O", "E"])


def _colour_doubt(address: Address, shape: tuple[int, ...]) -> tuple[str, ...]:
    """Return a note on a volume whose last axis may be colour."""
    if not looks_like_colour(shape):
        return ()
    return (
        f"shape {shown(shape)} taken as a volume; if its last axis is colour, take one "
        f"channel, like {address.unsliced}[..., 0]",
    )
