"""What `pytopo predict` reads: the sections of an image, which may be larger than memory.

a file that fits into memory     read as a whole
a larger one, a Zarr store       a few sections at a time
a section larger than that       some rows at a time
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from pytopo.cli.files import opened, say_of
from pytopo.cli.predict_files import Block
from pytopo.cli.report import InputError, reporting_errors

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pytopo.large.sources.source import Source

KEPT = 2**26  # pixels that are read together
LARGE = 2**26  # pixels of a section that is not predicted as a whole
ROWS_AT_A_TIME = 2**24  # pixels of such a section that are checked together


@dataclass(frozen=True)
class Sections:
    """What is predicted: images of two axes, or one in colour.

    Attributes
    ----------
    source : anything with a shape and slices that are arrays on [0, 1]
        (H, W), (D, H, W), or (H, W, 3) in colour.
    shape : tuple of int
        (H, W) or (D, H, W).
    stored_dtype : numpy.dtype or None
        Of the values in the file; None if how much of its range they use does not matter.
    """

    source: Any
    shape: tuple[int, ...]
    stored_dtype: "np.dtype | None" = None

    def __len__(self) -> int:
        return self.shape[0] if len(self.shape) == 3 else 1

    def __iter__(self) -> "Iterator[NDArray]":
        """Yield one section after the other, which has to fit into memory."""
        if len(self.shape) == 2:
            yield self.source[:]
            return
        several = max(KEPT // math.prod(self.shape[1:]), 1)
        for k in range(0, len(self), several):
            yield from self.source[k : k + several]

    @property
    def is_large(self) -> bool:
        """Whether a section has too many pixels to be predicted as a whole."""
        return math.prod(self.shape[-2:]) > LARGE

    def bands(self, k: int) -> "Bands":
        """Return a section whose rows are read when they are needed."""
        return Bands(self.source, k if len(self.shape) == 3 else None, self.shape[-2:])

    def blocks(self) -> Iterator[Block]:
        """Yield all pixels: section by section, or some rows at a time of one that is large."""
        if not self.is_large:
            yield from (Block(k, 0, section) for k, section in enumerate(self))
            return
        rows = max(ROWS_AT_A_TIME // self.shape[-1], 1)
        for k in range(len(self)):
            for row in range(0, self.shape[-2], rows):
                yield Block(k, row, self.bands(k)[row : row + rows])


class Bands(NamedTuple):
    """A section of a source; slices of its rows are read."""

    source: Any
    section: int | None
    shape: tuple[int, ...]

    def __getitem__(self, rows: slice) -> "NDArray":  # type: ignore[override]
        return self.source[rows if self.section is None else (self.section, rows)]


class _Scaled(NamedTuple):
    """A source whose slices are scaled to [0, 1]."""

    source: "Source"

    def __getitem__(self, key: Any) -> "NDArray":
        from pytopo.images.scaling import scaled

        with reporting_errors():
            return scaled(self.source[key])


def open_sections(path: str, channels: int) -> Sections:
    """Open an image or a volume, in colour for a network that takes three channels."""
    if channels == 3:
        from pytopo.images.colour import open_colour
        from pytopo.images.scaling import scaled

        with reporting_errors():
            file = open_colour(path)
        say_of(path, file.notes)
        return Sections(scaled(file.array), file.array.shape[:2])
    source = _larger_than_memory(path)
    if source is not None:
        return Sections(_Scaled(source), source.shape, source.dtype)
    file = opened(path)
    if file.array.ndim == 1:
        raise InputError(f"{path}: an image of 1 axis; expected 2, or 3 of a volume")
    return Sections(file.array, file.array.shape, file.stored_dtype)


def _larger_than_memory(path: str) -> "Source | None":
    """Return an image that is not read as a whole; None if it is small, or of other kinds."""
    from pytopo.large.sources.opening import is_store, open_source

    if is_store(path):
        with reporting_errors():
            return open_source(path)
    try:
        source = open_source(path)
    except (OSError, TypeError, ValueError):  # what is wrong, the reader of images tells
        return None
    return source if math.prod(source.shape) > KEPT else None
