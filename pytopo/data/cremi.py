"""CREMI: volumes of electron microscopy with the neuron of every voxel (cremi.org).

    volumes/raw                  (D, H, W) uint8
    volumes/labels/neuron_ids    (d, h, w) uint64
        attributes resolution, offset      nm: plane, row, column

There are no masks of membranes in these files.  They are derived from the ids, as in the
evaluation of the challenge.
"""

import os
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from pytopo.data.hdf5 import NEURON_IDS, HDF5Pair
from pytopo.data.sections import WHOLE
from pytopo.files import hdf5_file, replacing
from pytopo.images.background import CREMI_BACKGROUND

RAW = "volumes/raw"
RESOLUTION = (40.0, 4.0, 4.0)  # nm of a voxel: plane, row, column


class CremiVolume(HDF5Pair):
    """The sections of a file in the CREMI layout.

    Only shapes and attributes are read before a section is.

    Parameters
    ----------
    path : str or path-like
    raw, labels : str
        Paths of the data sets in the file.
    border : float or None
        Up to which distance from a border of two ids pixels are membrane, see
        `border_mask`: with 1 pixel membranes are 4 pixels wide.  ``None``: only background
        is membrane.
    border_unit : {"pixels", "nm"}
        Unit of `border`; "nm" needs the attribute ``resolution``.
    background : int, iterable of int or None
        Ids that mean no neuron; their pixels are membrane.  None: 2**64 - 1, which the
        evaluation of the challenge ignores; 0 is a neuron there.  In other collections 0
        marks unlabelled pixels, or the membrane: ``background=0``.  ``()``: all ids are
        neurons.
    ignore : int, iterable of int or None
        Ids that mark pixels without ground truth.

    Raises
    ------
    FileNotFoundError, IsADirectoryError
        If the file is missing or is a directory.
    ValueError
        If the file is damaged, or a data set is missing or has the wrong shape; if the
        labels do not lie on the raw image (see `place_of_labels`); if an option does not
        apply.
    TypeError
        If a data set holds values other than real numbers, or ids are not integers.

    Examples
    --------
    >>> import tempfile
    >>> from pytopo.data import synthetic_volume
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_cremi(f"{folder}/cells.h5", *synthetic_volume(3, 64))
    ...     volume = CremiVolume(f"{folder}/cells.h5", border=4, border_unit="nm")
    ...     image, truth = volume.read(2, slice(0, 32), slice(0, 48))
    >>> len(volume), image.shape, truth.dtype
    (3, (32, 48), dtype('bool'))
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        raw: str = RAW,
        labels: str = NEURON_IDS,
        border: float | None = 1.0,
        border_unit: str = "pixels",
        background: int | Iterable[int] | None = None,
        ignore: int | Iterable[int] | None = None,
    ) -> None:
        self._path = os.fspath(path)
        super().__init__(
            f"{self._path}:{raw}",
            f"{self._path}:{labels}",
            ids=True,
            border=border,
            border_unit=border_unit,
            background=CREMI_BACKGROUND if background is None else background,
            ignore=ignore,
        )
        self._background_given = background is not None

    def _name(self, i: int) -> str:
        return f"{self._path} section {i}"

    def neuron_ids(self, i: int, rows: slice = WHOLE, columns: slice = WHOLE) -> NDArray:
        """Return the ids of a section (H, W) or of a window of it, as stored."""
        return self.label_of(i, rows, columns)


def write_cremi(
    path: str | os.PathLike[str],
    raw: NDArray,
    neuron_ids: NDArray,
    *,
    resolution: tuple[float, float, float] = RESOLUTION,
    offset: tuple[float, float, float] | None = None,
) -> None:
    """Write a volume to an HDF5 file in the CREMI layout, whole or not at all.

    Parameters
    ----------
    path : path-like
    raw : (D, H, W) ndarray
        Stored as ``volumes/raw``, of its own dtype.
    neuron_ids : (d, h, w) ndarray of integers
        Stored as ``volumes/labels/neuron_ids``, uint64.
    resolution : tuple of float
        Size of a voxel in nm: plane, row, column.
    offset : tuple of float or None
        Where the first label lies in `raw`, in nm; ``None`` if both cover the same volume.

    Raises
    ------
    ValueError
        If one of the arrays has not three axes, if the ids are not integers of at least
        0, or if `path` is something other than a file.

    Examples
    --------
    >>> import tempfile
    >>> from pytopo.data import synthetic_volume
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_cremi(f"{folder}/cells.h5", *synthetic_volume(2, 64))
    ...     volume = CremiVolume(f"{folder}/cells.h5")
    ...     len(volume), volume.shape_of(0), volume.resolution
    (2, (64, 64), (40.0, 4.0, 4.0))
    """
    for name, array in (("raw", raw), ("neuron_ids", neuron_ids)):
        if array.ndim != 3:
            raise ValueError(f"{name} has {array.ndim} axes; expected (planes, rows, columns)")
    if neuron_ids.dtype.kind not in "iu" or (neuron_ids < 0).any():
        raise ValueError("neuron_ids hold something other than integers of at least 0")
    if os.path.exists(path) and not os.path.isfile(path):
        raise ValueError(
            f"{os.fspath(path)}: a folder, pipe or device; expected a file to write"
        )
    with replacing(path, "w+b") as stream, hdf5_file(stream) as (file, check_written):
        file.attrs["file_format"] = "0.2"
        for name, array, dtype in (
            (RAW, raw, raw.dtype),
            (NEURON_IDS, neuron_ids, np.uint64),
        ):
            chunks = (1, *(min(length, 128) for length in array.shape[1:]))
            stored = file.create_dataset(
                name, data=array, dtype=dtype, chunks=chunks, compression="gzip"
            )
            stored.attrs["resolution"] = resolution
            check_written()
        if offset is not None:
            stored.attrs["offset"] = offset
