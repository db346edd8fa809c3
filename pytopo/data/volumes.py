"""Volumes in HDF5 files: a data set of three axes, and where labels lie in an image.

    image   (D, H, W)      labels  (d, h, w), somewhere in it
    resolution, offset     resolution, offset     attributes, in nm: plane, row, column

The labels determine which sections there are.  Where they lie in the image is read from the
offsets; without offsets both must have the same shape.

Only the requested window is read, and a file is open only while it is read: nothing is shared
between processes.  No pixel is read from a file that was not named.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytopo.images.readers.address import Address, decoding, shown
from pytopo.images.readers.hdf5 import opened_data_set, read_hdf5
from pytopo.notes import one_line

Triple = tuple[float, float, float]


@dataclass(frozen=True)
class StoredVolume:
    """A data set of three axes, and what its file states about it.

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
        part = Address(text, self.address.file, self.address.member, (plane, rows, columns))
        return read_hdf5(part)[0]


def stored_volume(address: Address) -> StoredVolume:
    """Return what a file states about a data set, once its first pixel could be read.

    Raises
    ------
    ValueError
        If the file is damaged; if there is no such data set, or none is named and there
        are several; if it has not three axes, is empty or lies in other files; if its
        resolution or offset is not three numbers.
    TypeError
        If its values are not real numbers.
    """
    if address.picks:
        raise address.refusal("a slice of a volume; expected all of it, slice the sections")
    with opened_data_set(address) as data_set, decoding(address, "data set"):
        member, shape, dtype = data_set.name, data_set.shape, data_set.dtype
        resolution, offset = (data_set.attrs.get(name) for name in ("resolution", "offset"))
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
        _triple(address, "resolution", resolution, positive=True),
        _triple(address, "offset", offset, positive=False),
    )
    volume.window(0, slice(0, 1), slice(0, 1))
    return volume


def _triple(address: Address, name: str, value: Any, positive: bool) -> Triple | None:
    """Return an attribute as three numbers; None if there is no such attribute."""
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
