"""Volumes in HDF5 files: a data set of images beside one of labels.

    image   (D, H, W)      labels  (d, h, w), somewhere in it
    resolution, offset     resolution, offset     attributes, in nm: plane, row, column

The labels say which sections there are.  Where they lie in the image is read from the
offsets; without offsets both must have the same shape.

Only the window asked for is read, and a file is open only while it is: nothing is shared
between processes.  As everywhere, no pixel comes from a file that was not named.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytopo.data.borders import Borders
from pytopo.data.remarks import Remarks, Watch
from pytopo.data.sections import MASK_ADVICE, WHOLE, Section, Sections, unit_image
from pytopo.images.background import (
    BACKGROUND,
    CREMI_BACKGROUND,
    background_notes,
    checked_background,
)
from pytopo.images.masks import mask_of
from pytopo.images.readers.address import (
    Address,
    decoding,
    one_line,
    parsed_address,
    shown,
)
from pytopo.images.readers.choice import chosen_reader
from pytopo.images.readers.hdf5 import opened_data_set, read_hdf5
from pytopo.notes import number_text

Triple = tuple[float, float, float]
NEURON_IDS = "volumes/labels/neuron_ids"  # in the CREMI layout


# ---- one data set ------------------------------------------------------------------------


@dataclass(frozen=True)
class StoredVolume:
    """A data set of three axes, and what its file says about it.

    Attributes
    ----------
    address : Address
    name : str
        Of the data set in its file.
    shape : tuple of int
        Planes, rows, columns.
    dtype : dtype
    resolution : tuple of float or None
        Size of a voxel in nm: plane, row, column.
    offset : tuple of float or None
        Place of the first voxel in nm.
    """

    address: Address
    name: str
    shape: tuple[int, int, int]
    dtype: np.dtype
    resolution: Triple | None
    offset: Triple | None

    def window(self, plane: int, rows: slice, columns: slice) -> NDArray:
        """Read a window of a plane, as stored."""
        text = f"{self.address.text}[{plane}]"
        expected = Address(text, self.address.file, self.address.member, (plane, rows, columns))
        return read_hdf5(expected)[0]


def stored_volume(address: Address) -> StoredVolume:
    """Return what a file says of a data set, and see that its first pixel can be read.

    Raises
    ------
    ValueError
        If the file is damaged; if there is no such data set, or none is named and there
        are several; if it has not three axes, is empty or lies in other files; if its
        resolution or offset is not three numbers.
    TypeError
        If it holds no real numbers.
    """
    if address.picks:
        raise address.refusal("a slice of a volume; expected all of it, slice the sections")
    with opened_data_set(address) as data_set, decoding(address, "data set"):
        member, shape, dtype = data_set.name, data_set.shape, data_set.dtype
        notes = {name: data_set.attrs.get(name) for name in ("resolution", "offset")}
    address = Address(address.text, address.file, address.member or member, ())
    if len(shape or ()) != 3:
        raise address.refusal(
            f"shape {shown(shape or ())}; expected three axes: planes, rows, columns"
        )
    volume = StoredVolume(
        address,
        member,
        shape,
        dtype,
        _triple(address, "resolution", notes["resolution"], positive=True),
        _triple(address, "offset", notes["offset"], positive=False),
    )
    volume.window(0, slice(0, 1), slice(0, 1))
    return volume


def _triple(address: Address, name: str, value: Any, positive: bool) -> Triple | None:
    if value is None:
        return None
    kind = "numbers above 0" if positive else "numbers"
    numbers = np.asarray(value)
    good = numbers.shape == (3,) and numbers.dtype.kind in "iuf" and np.isfinite(numbers).all()
    if not good or (positive and not (numbers > 0).all()):
        raise address.refusal(
            f"attribute {name} is {one_line(str(value))[:60]}; expected three {kind} in nm: "
            "plane, row, column"
        )
    plane, row, column = map(float, numbers)
    return plane, row, column


# ---- what a file says of its ids ---------------------------------------------------------


def default_background(source: str | os.PathLike[str]) -> tuple[int, ...]:
    """Return the ids that mean no cell in a file of ids, if nobody says otherwise.

    Parameters
    ----------
    source : str or path-like
        As `pytopo.read_image` takes it.

    Returns
    -------
    background : tuple of int
        2**64 - 1 for the neuron ids of a file in the CREMI layout, as in the evaluation of
        the challenge; else 0, and 2**64 - 1.
    """
    address = parsed_address(os.fspath(source))
    if chosen_reader(address) is not read_hdf5:
        return BACKGROUND
    with opened_data_set(address) as data_set:
        return _background_of(data_set.name)


def _background_of(name: str) -> tuple[int, ...]:
    return CREMI_BACKGROUND if name.strip("/") == NEURON_IDS else BACKGROUND


def pixel_size(source: str | os.PathLike[str]) -> tuple[float, float]:
    """Return the height and width of a pixel in nm, as the attribute resolution says.

    Raises
    ------
    ValueError
        If the source is no data set in HDF5, or has no such attribute.
    """
    address = parsed_address(os.fspath(source))
    if chosen_reader(address) is not read_hdf5:
        raise ValueError(
            f"{address.text}: only HDF5 says a resolution; expected the border in pixels"
        )
    volume = stored_volume(parsed_address(address.unsliced))
    if volume.resolution is None:
        raise ValueError(f"{address.text}: {NO_RESOLUTION}")
    return volume.resolution[1:]


NO_RESOLUTION = (
    "no attribute resolution; expected one for a border in nm, or the border in pixels"
)


# ---- where the labels lie in the image ---------------------------------------------------


def place_of_labels(image: StoredVolume, labels: StoredVolume) -> tuple[int, int, int]:
    """Return plane, row and column of the image at which the first label lies.

    Raises
    ------
    ValueError
        If the resolutions differ; if there is an offset and no resolution; if the labels lie
        between the voxels of the image or beyond them; if the shapes differ and there is
        no offset.
    """
    where = f"{labels.address.text}: the labels"
    if image.resolution and labels.resolution and image.resolution != labels.resolution:
        raise ValueError(
            f"{where} have resolution {labels.resolution}, the image has "
            f"{image.resolution}; expected both the same"
        )
    given = labels.offset is not None or image.offset is not None
    if not given and image.shape != labels.shape:
        raise ValueError(
            f"{where} have shape {shown(labels.shape)}, the image has "
            f"{shown(image.shape)}; expected the same, or an attribute offset that says where "
            "in the image they lie"
        )
    none = (0.0, 0.0, 0.0)
    distance = np.subtract(labels.offset or none, image.offset or none)
    resolution = labels.resolution or image.resolution
    if distance.any() and resolution is None:
        raise ValueError(f"{where} have an offset and no resolution; expected both, in nm")
    steps = distance / (resolution or (1.0, 1.0, 1.0))
    place = np.rint(steps).astype(int)
    if np.abs(steps - place).max() > 1e-3:
        raise ValueError(
            f"{where} begin {_listed(steps)} voxels into the image (planes, rows, columns); "
            "expected whole numbers, check offset and resolution"
        )
    if (place < 0).any() or (place + labels.shape > image.shape).any():
        raise ValueError(
            f"{where} of shape {shown(labels.shape)} begin at voxel {_listed(place)} of the "
            f"image, which has shape {shown(image.shape)}; expected them inside it"
        )
    plane, row, column = map(int, place)
    return plane, row, column


def _listed(numbers: NDArray) -> str:
    return ", ".join(f"{number:.6g}" for number in numbers)


# ---- two data sets become sections -------------------------------------------------------


class HDF5Pair(Sections):
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
        For ids: how far from a border pixels are membrane, see `border_mask`.  ``None``:
        only background is membrane.
    border_unit : {"pixels", "nm"}
        Unit of `border`; "nm" needs the attribute ``resolution``.
    background : int, iterable of int or None
        For ids: those that mean no cell and are membrane, see `default_background` for
        None.

    Raises
    ------
    FileNotFoundError, IsADirectoryError
        If a file is missing or is a directory.
    ValueError
        If a file is damaged or a data set missing or misshapen; if image and labels do
        not lie on each other (see `place_of_labels`); if an option does not fit.
    TypeError
        If a data set holds no real numbers, or ids are not integers.

    Examples
    --------
    >>> import tempfile
    >>> import h5py
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
    ) -> None:
        self._image = stored_volume(parsed_address(os.fspath(image)))
        self._label = stored_volume(parsed_address(os.fspath(label)))
        self._ids = ids
        self._invert = invert
        self._watch = Watch(Remarks())
        self._marked: Any = None  # the value of the foreground, once it is seen
        self._is_told = background is not None
        known = _background_of(self._label.name) if background is None else background
        self._borders = Borders(border, border_unit, checked_background(known)).checked()
        self._place = place_of_labels(self._image, self._label)
        if ids and self._label.dtype.kind not in "iu":
            raise TypeError(
                f"{self._label.address.text}: ids of dtype {self._label.dtype}; expected "
                "integers"
            )
        if ids and invert:
            raise ValueError(
                f"{self._label.address.text}: invert is for masks; these labels are ids"
            )
        self._spacing = self._pixel_size()

    @property
    def resolution(self) -> Triple | None:
        """Size of a voxel in nm: plane, row, column; ``None`` if the file does not say."""
        return self._label.resolution or self._image.resolution

    @property
    def offset(self) -> tuple[int, int, int]:
        """Plane, row and column of the image at which the first label lies, in voxels."""
        return self._place

    def _pixel_size(self) -> tuple[float, float]:
        """Height and width of a pixel in the unit of the border."""
        if not self._ids or self._borders.unit == "pixels":
            return 1.0, 1.0
        if self.resolution is None:
            raise ValueError(f"{self._label.address.text}: {NO_RESOLUTION}")
        return self.resolution[1:]

    def _share(self, remarks: Remarks) -> None:
        self._watch.remarks = remarks

    def __len__(self) -> int:
        return self._label.shape[0]

    def _shape(self, i: int) -> tuple[int, int]:
        return self._label.shape[1:]

    def _name(self, i: int) -> str:
        return f"{self._image.address.text} section {i}"

    def _window(self, i: int, rows: slice, columns: slice) -> Section:
        plane, row, column = self._place
        pixels = self._image.window(plane + i, _moved(rows, row), _moved(columns, column))
        image, truth = unit_image(pixels, self._name(i)), self._truth(i, rows, columns)
        whole = truth.shape == self._shape(i)
        self._watch.image(self._image.address.text, image, pixels.dtype, whole)
        if whole:  # of windows, `Patches` keeps watch
            self._watch.truth(self._label.address.text, truth, whole)
        return Section(image, truth)

    def _truth(self, i: int, rows: slice, columns: slice) -> NDArray[np.bool_]:
        if not self._ids:
            return self._mask(self._label.window(i, rows, columns), i) ^ self._invert
        above, left = self._borders.margin(self._spacing)
        wide_rows, wide_columns = _widened(rows, above), _widened(columns, left)
        ids = self._label.window(i, wide_rows, wide_columns)
        if not self._is_told:
            notes = background_notes(ids, self._borders.background)
            self._watch.remarks.say(self._label.address.text, notes)
        mask = self._borders.membranes(ids, self._spacing)
        return mask[_moved(rows, -wide_rows.start), _moved(columns, -wide_columns.start)].copy()

    def _mask(self, stored: NDArray, i: int) -> NDArray[np.bool_]:
        """Read a window of a mask, whose foreground has the same value in all windows."""
        where = f"{self._label.address.text} section {i}: the label"
        mask = mask_of(stored, where, MASK_ADVICE)
        if mask.marked is None:
            return mask.array
        if self._marked is None:
            self._marked = mask.marked
            self._watch.remarks.say(self._label.address.text, mask.notes)
        elif self._marked != mask.marked:
            raise ValueError(
                f"{where} holds {number_text(mask.marked)}, and elsewhere "
                f"{number_text(self._marked)}; expected a mask of 0 and one other value, "
                f"{MASK_ADVICE.ids}"
            )
        return mask.array

    def label_of(self, i: int, rows: slice = WHOLE, columns: slice = WHOLE) -> NDArray:
        """Return the labels of a section or of a window of it, as stored."""
        return self._label.window(self._index(i), rows, columns)


def _moved(window: slice, by: int) -> slice:
    return slice(window.start + by, window.stop + by)


def _widened(window: slice, margin: int) -> slice:
    return slice(max(window.start - margin, 0), window.stop + margin)
