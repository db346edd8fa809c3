"""CREMI: volumes of electron microscopy with the neuron of every voxel (cremi.org).

    volumes/raw                  (D, H, W) uint8
    volumes/labels/neuron_ids    (d, h, w) uint64
        attributes resolution, offset      nm: plane, row, column

There are no masks of membranes in these files.  They are made of the ids, as in the
evaluation of the challenge.
"""

import os
from collections.abc import Iterable

from numpy.typing import NDArray

from pytopo.data.hdf5 import NEURON_IDS, HDF5Pair
from pytopo.data.sections import WHOLE
from pytopo.images.background import CREMI_BACKGROUND

RAW = "volumes/raw"


class CremiVolume(HDF5Pair):
    """The sections of a file in the CREMI layout.

    Nothing but shapes and attributes is read until a section is asked for.

    Parameters
    ----------
    path : str or path-like
    raw, labels : str
        Paths of the data sets in the file.
    border : float or None
        How far from a border of two ids pixels are membrane, see `border_mask`: with 1 pixel
        membranes are 4 pixels wide.  ``None``: only background is membrane.
    border_unit : {"pixels", "nm"}
        Unit of `border`; "nm" needs the attribute ``resolution``.
    background : int, iterable of int or None
        Ids that mean no neuron; their pixels are membrane.  None: 2**64 - 1, which the
        evaluation of the challenge leaves out; 0 is a neuron there.  In other collections
        0 marks what nobody labelled, or the membrane: ``background=0``.  ``()``: all ids
        are neurons.

    Raises
    ------
    FileNotFoundError, IsADirectoryError
        If the file is missing or is a directory.
    ValueError
        If the file is damaged, or a data set missing or misshapen; if the labels do not lie
        on the raw image (see `place_of_labels`); if an option does not fit.
    TypeError
        If a data set holds no real numbers, or ids are not integers.

    Examples
    --------
    >>> import tempfile
    >>> from pytopo.data import synthetic_volume, write_cremi
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
    ) -> None:
        self._path = os.fspath(path)
        super().__init__(
            f"{self._path}:{raw}",
            f"{self._path}:{labels}",
            ids=True,
            border=border,
            border_unit=border_unit,
            background=CREMI_BACKGROUND if background is None else background,
        )
        self._is_told = background is not None

    def _name(self, i: int) -> str:
        return f"{self._path} section {i}"

    def neuron_ids(self, i: int, rows: slice = WHOLE, columns: slice = WHOLE) -> NDArray:
        """Return the ids of a section (H, W) or of a window of it, as stored."""
        return self.label_of(i, rows, columns)
