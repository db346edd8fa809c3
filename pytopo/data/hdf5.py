"""Sections of HDF5 files: a data set of images beside one of labels.

Which sections there are, and how labels lie in the image, is in `pytopo.data.volumes`; how
labels become membranes, in `pytopo.data.labelled`.
"""

import os
from collections.abc import Iterable
from typing import Any

from numpy.typing import NDArray

from pytopo.data.borders import Borders
from pytopo.data.ignored import MASK_ADVICE, Truth, checked_ignored, read_mask
from pytopo.data.labelled import LabelledSections, moved
from pytopo.data.sections import WHOLE
from pytopo.data.volumes import Triple, place_of_labels, stored_volume
from pytopo.images.background import BACKGROUND, CREMI_BACKGROUND, checked_background
from pytopo.images.readers.address import parsed_address
from pytopo.images.readers.choice import chosen_reader
from pytopo.images.readers.hdf5 import opened_data_set, read_hdf5
from pytopo.notes import number_text

NEURON_IDS = "volumes/labels/neuron_ids"  # in the CREMI layout


# ---- what a file states about its ids ----------------------------------------------------


def default_background(source: str | os.PathLike[str]) -> tuple[int, ...]:
    """Return the ids that mean no cell in a file of ids, unless they are given.

    Parameters
    ----------
    source : str or path-like
        As `pytopo.read_image` takes it.

    Returns
    -------
    background : tuple of int
        2**64 - 1 for the neuron ids of a file in the CREMI layout, as in the evaluation of
        the challenge; otherwise 0 and 2**64 - 1.
    """
    address = parsed_address(os.fspath(source))
    if chosen_reader(address) is not read_hdf5:
        return BACKGROUND
    with opened_data_set(address) as data_set:
        return _background_of(data_set.name)


def _background_of(name: str) -> tuple[int, ...]:
    return CREMI_BACKGROUND if name.strip("/") == NEURON_IDS else BACKGROUND


def pixel_size(source: str | os.PathLike[str]) -> tuple[float, float]:
    """Return the height and width of a pixel in nm, from the attribute resolution.

    Raises
    ------
    ValueError
        If the source is not a data set in HDF5, or has no such attribute.
    """
    address = parsed_address(os.fspath(source))
    if chosen_reader(address) is not read_hdf5:
        raise ValueError(
            f"{address.text}: only HDF5 has a resolution; expected the border in pixels"
        )
    volume = stored_volume(parsed_address(address.unsliced))
    if volume.resolution is None:
        raise ValueError(f"{address.text}: {NO_RESOLUTION}")
    return volume.resolution[1:]


NO_RESOLUTION = (
    "no attribute resolution; expected one for a border in nm, or the border in pixels"
)


# ---- sections of two data sets -----------------------------------------------------------


class HDF5Pair(LabelledSections):
    """Sections of two data sets: images, and labels that are masks or ids of cells.

    Parameters
    ----------
    image, label : str or path-like
        ``file.h5:/path/of/data/set``, the path only where the file holds several.
    ids : bool
        The labels are ids of cells, and the membranes their borders.  Otherwise they are
        masks: 0 and one other value, which is membrane.
    invert : bool
        For masks: 0 is membrane.
    border : float or None
        For ids: up to which distance from a border pixels are membrane, see `border_mask`.
        ``None``: only background is membrane.
    border_unit : {"pixels", "nm"}
        Unit of `border`; "nm" needs the attribute ``resolution``.
    background : int, iterable of int or None
        For ids: those that mean no cell and are membrane, see `default_background` for
        None.
    ignore : int, iterable of int or None
        Labels that mark pixels without ground truth.

    Raises
    ------
    FileNotFoundError, IsADirectoryError
        If a file is missing or is a directory.
    ValueError
        If a file is damaged or a data set is missing or has the wrong shape; if image and
        labels do not lie on each other (see `place_of_labels`); if an option does not apply.
    TypeError
        If a data set holds no real numbers, or ids are not integers.

    Examples
    --------
    >>> import tempfile
    >>> import h5py
    >>> import numpy as np
    >>> with tempfile.TemporaryDirectory() as folder, h5py.File(f"{folder}/a.h5", "w") as file:
    ...     file["image"] = np.full((1, 2, 4), 51, np.uint8)
    ...     file["label"] = np.array([[[1, 1, 1, 2], [1, 1, 1, 2]]])
    ...     file.flush()
    ...     name = f"{folder}/a.h5"
    ...     pair = HDF5Pair(f"{name}:/image", f"{name}:/label", ids=True, border=0)
    ...     pair[0].truth.astype(int)
    array([[0, 0, 1, 1],
           [0, 0, 1, 1]])
    """

    def __init__(
        self,
        image: str | os.PathLike[str],
        label: str | os.PathLike[str],
        *,
        ids: bool = False,
        invert: bool = False,
        border: float | None = 1.0,
        border_unit: str = "pixels",
        background: int | Iterable[int] | None = None,
        ignore: int | Iterable[int] | None = None,
    ) -> None:
        self._image = stored_volume(parsed_address(os.fspath(image)))
        self._label = stored_volume(parsed_address(os.fspath(label)))
        self._foreground: Any = None  # the value of the mask that is not 0, once it is seen
        where = self._label.address.text
        known = _background_of(self._label.name) if background is None else background
        borders = Borders(border, border_unit, checked_background(known)).checked()
        self._place = place_of_labels(self._image, self._label)
        if ids and self._label.dtype.kind not in "iu":
            raise TypeError(f"{where}: ids of dtype {self._label.dtype}; expected integers")
        super().__init__(
            self._image.address.text,
            where,
            invert=invert,
            borders=borders if ids else None,
            background_given=background is not None,
            ignore=checked_ignored(ignore),
        )
        if ids and borders.unit == "nm":
            if self.resolution is None:
                raise ValueError(f"{where}: {NO_RESOLUTION}")
            self._spacing = self.resolution[1:]

    @property
    def resolution(self) -> Triple | None:
        """Size of a voxel in nm: plane, row, column; ``None`` if the file does not say."""
        return self._label.resolution or self._image.resolution

    @property
    def offset(self) -> tuple[int, int, int]:
        """Plane, row and column of the image at which the first label lies, in voxels."""
        return self._place

    def __len__(self) -> int:
        return self._label.shape[0]

    def _shape(self, i: int) -> tuple[int, int]:
        return self._label.shape[1:]

    def _name(self, i: int) -> str:
        return f"{self._image_name} section {i}"

    def _pixels(self, i: int, rows: slice, columns: slice) -> NDArray:
        plane, row, column = self._place
        return self._image.window(plane + i, moved(rows, row), moved(columns, column))

    def _cell_ids(self, i: int, rows: slice, columns: slice) -> NDArray:
        return self._label.window(i, rows, columns)

    def _mask(self, i: int, rows: slice, columns: slice) -> Truth:
        """Read a window of a mask, whose foreground has the same value in all windows."""
        where = f"{self._label_name} section {i}: the label"
        truth, mask = read_mask(self._label.window(i, rows, columns), where, self._ignore)
        if mask.marked is None:
            return truth
        if self._foreground is None:
            self._foreground = mask.marked
            self._watch.remarks.warn(self._label_name, mask.notes)
        elif self._foreground != mask.marked:
            raise ValueError(
                f"{where} holds {number_text(mask.marked)}, and elsewhere "
                f"{number_text(self._foreground)}; expected a mask of 0 and one other value, "
                f"{MASK_ADVICE.ids}"
            )
        return truth

    def label_of(self, i: int, rows: slice = WHOLE, columns: slice = WHOLE) -> NDArray:
        """Return the labels of a section or of a window of it, as stored."""
        return self._label.window(self._index(i), rows, columns)
