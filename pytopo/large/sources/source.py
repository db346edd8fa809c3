"""``Source``: an image in a file, of which boxes are read."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from types import EllipsisType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pytopo.images.readers.address import Address, shown
from pytopo.images.readers.memory import machine_memory
from pytopo.images.readers.part import Part, bounded, checked_part, shape_of

Pick = int | slice | EllipsisType


class Level(NamedTuple):
    """A level of a pyramid: the same image in another resolution.

    Attributes
    ----------
    name : str
    shape : tuple of int
        Of what is stored, all axes included.
    """

    name: str
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Stored:
    """What a file says about an array in it, before a pixel is read.

    Attributes
    ----------
    shape : tuple of int
    dtype : numpy.dtype
    chunks : tuple of int
        Sides of the blocks in which it is stored; 1 where any part can be read by itself.
    axes : str
        A letter for each axis where the file names them, or empty.
    """

    shape: tuple[int, ...]
    dtype: np.dtype
    chunks: tuple[int, ...]
    axes: str = ""


@dataclass(frozen=True, repr=False, eq=False)
class Source:
    """An image in a file that need not fit into memory; slices of it are arrays.

    Attributes
    ----------
    kind : str
        Like "HDF5 data set".
    address : Address
    part : tuple
        What of the stored array it is.
    dtype : numpy.dtype
    stored : Stored
    levels : tuple of Level
        Of a pyramid, the finest first; empty for what has one resolution.
    level : int
        Which of them this is.

    Examples
    --------
    >>> import tempfile, numpy as np, pytopo.large
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.save(f"{folder}/a.npy", np.arange(12, dtype=np.uint8).reshape(3, 4))
    ...     source = pytopo.large.open_source(f"{folder}/a.npy[1:]")
    ...     source.shape, source[0:2, 2:4]
    ((2, 4), array([[ 6,  7],
           [10, 11]], dtype=uint8))
    """

    kind: str
    address: Address
    part: Part
    dtype: np.dtype
    stored: Stored
    read: "Callable[[Source, Part], NDArray]"
    levels: tuple[Level, ...] = ()
    level: int = 0

    @property
    def shape(self) -> tuple[int, ...]:
        """Sides of the image."""
        return shape_of(self.part)

    @property
    def ndim(self) -> int:
        """How many axes it has."""
        return len(self.shape)

    @property
    def chunks(self) -> tuple[int, ...]:
        """Sides of the blocks in which it is stored, along the axes of the image."""
        return tuple(
            n for n, pick in zip(self.stored.chunks, self.part) if isinstance(pick, slice)
        )

    def __repr__(self) -> str:
        return f"<Source {self.address.text}: {shown(self.shape)} {self.dtype}, {self.kind}>"

    def __getitem__(self, key: Pick | tuple[Pick, ...]) -> NDArray:
        """Read a box.

        Raises
        ------
        OSError, ValueError
            If the file is gone, damaged there, or has changed.
        """
        picks = key if isinstance(key, tuple) else (key,)
        part = self._part_of(picks)
        if 0 in shape_of(part):
            return np.empty(shape_of(part), self.dtype)
        values = np.asarray(self.read(self, part))
        if values.shape != shape_of(part):
            raise self.address.refusal(
                f"{shown(values.shape)} pixels came for {shown(shape_of(part))}; it has changed"
            )
        return np.ascontiguousarray(values, self.dtype)

    def _part_of(self, picks: Sequence[Pick]) -> Part:
        """Return a part of the image as a part of what is stored."""
        filled = list(picks) if ... in picks else [*picks, ...]
        at = filled.index(...)
        missing = self.ndim - len(filled) + 1
        if missing < 0:
            raise IndexError(f"{len(filled) - 1} indices; the image has {self.ndim} axes")
        filled[at : at + 1] = [slice(None)] * missing
        given: list[Any] = [
            bounded(self.address, pick, axis, n)  # type: ignore[arg-type]
            for axis, (pick, n) in enumerate(zip(filled, self.shape))
        ]
        return tuple(
            _within(pick, given.pop(0)) if isinstance(pick, slice) else pick
            for pick in self.part
        )

    def tried(self) -> "Source":
        """Return the source with the dtype of a pixel that is read, which shows if it can."""
        first = tuple(
            slice(pick.start, pick.start + 1, 1) if isinstance(pick, slice) else pick
            for pick in self.part
        )
        values = np.asarray(self.read(self, first))
        return replace(self, dtype=values.dtype.newbyteorder("="))

    def at_level(self, level: int) -> "Source":
        """Return the same window of another level of the pyramid.

        Parameters
        ----------
        level : int
            A number into ``levels``.
        """
        shape = self.levels[level].shape
        part = tuple(
            _scaled(pick, n, m) for pick, n, m in zip(self.part, self.stored.shape, shape)
        )
        stored = replace(self.stored, shape=shape)
        return replace(self, part=part, stored=stored, level=level)


def source_of(
    kind: str,
    address: Address,
    stored: Stored,
    read: "Callable[[Source, Part], NDArray]",
    levels: tuple[Level, ...] = (),
    level: int = 0,
) -> Source:
    """Return a source, after checking that what the address takes is an image.

    Raises
    ------
    TypeError, ValueError
        If the slice does not fit, if it leaves no image of two or three axes, if pixels are
        not real numbers or have no 64-bit indices, or if a block takes more memory than there
        is.
    """
    part = checked_part(address, stored.shape, stored.dtype, stored.axes, in_memory=False)
    left = shape_of(part)
    if len(left) == 1:
        raise address.refusal(f"shape {shown(left)} has 1 axis; expected 2, or 3 for a volume")
    if math.prod(n + 2 for n in left) >= 2**63:
        raise address.refusal(f"shape {shown(left)}: more pixels than 64-bit indices count")
    block = math.prod(stored.chunks) * stored.dtype.itemsize
    if block > machine_memory():
        raise address.refusal(
            f"blocks of {shown(stored.chunks)} {stored.dtype}, {block / 1e9:.1f} GB each, are "
            f"unpacked whole, and this machine has {machine_memory() / 1e9:.1f} GB; store it "
            "in smaller ones"
        )
    dtype = stored.dtype.newbyteorder("=")
    return Source(kind, address, part, dtype, stored, read, levels, level)


def _within(outer: slice, pick: int | slice) -> int | slice:
    """Return a pick of what a slice takes as a pick of what it takes it from."""
    if isinstance(pick, int):
        return outer.start + pick * outer.step
    first = outer.start + pick.start * outer.step
    length = len(range(pick.start, pick.stop, pick.step))
    step = outer.step * pick.step
    return slice(first, first + max(length - 1, 0) * step + (length > 0), step)


def _scaled(pick: int | slice, n: int, m: int) -> int | slice:
    """Return a pick of n pixels as one of m, that cover the same."""
    if isinstance(pick, int):
        return min(pick * m // n, m - 1)
    start = min(pick.start * m // n, m - 1)
    return slice(start, min(max(start + 1, -(-pick.stop * m // n)), m), 1)
