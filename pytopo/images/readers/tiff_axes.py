"""The axes of a TIFF: what its pages are to each other.

    file -> its pages -> series: a letter for each axis (Z, C, T, Y, X, S) and the shape

tifffile finds out whether pages are planes, channels, times (ImageJ, OME, and others), or
copies of lower resolution.  A channel is never taken for a plane, no other file is opened, and
only tags are read.
"""

import io
import logging
import math
import os
import struct
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import IO, Any

import numpy as np
import tifffile

from pytopo.images.readers.address import Address, decoding, refuse_member, shown
from pytopo.images.readers.part import bounded

MASK_IS_ALPHA = (1, 2)  # associated, unassociated: kinds of an extra sample
JPEG = (6, 7, 33007, 34892)  # compressions that turn YCbCr to RGB when unpacked
# Colour by its photometric interpretation, and the samples it takes.
COLOURS = {0: ("", 1), 1: ("", 1), 2: ("RGB", 3), 3: ("palette", 1), 5: ("CMYK", 4)}
COLOURS |= {6: ("YCbCr", 3), 8: ("LAB", 3), 9: ("LAB", 3), 10: ("LAB", 3)}


# ---- opening: quietly, and no other file -------------------------------------------------


@dataclass(frozen=True)
class OpenTiff:
    """A TIFF that is open in tifffile and, if need be, in Pillow."""

    tiff: tifffile.TiffFile
    stream: IO[bytes]
    closing: ExitStack

    @cached_property
    def picture(self) -> Any:
        """The same file opened by Pillow, whose seeking would disturb tifffile's."""
        from PIL import Image

        stream = self.stream
        again = io.BytesIO(stream.getvalue()) if isinstance(stream, io.BytesIO) else stream.name
        return self.closing.enter_context(Image.open(again))


@contextmanager
def opened_tiff(address: Address) -> Iterator[OpenTiff]:
    """Open a TIFF for the time of a context; its links from page to page have been checked."""
    refuse_member(address, "TIFF file")
    with ExitStack() as closing, _silent_log():
        stream = closing.enter_context(open(address.file, "rb"))
        _refuse_broken_chain(address, stream)
        stream.seek(0)
        with decoding(address, "TIFF file"):
            # These formats have pages in other files.
            alone = {"_multifile": False, "is_ndtiff": False, "is_mmstack": False}
            tiff = closing.enter_context(tifffile.TiffFile(stream, **alone))  # type: ignore
        yield OpenTiff(tiff, stream, closing)


@contextmanager
def _silent_log() -> Iterator[None]:
    """Silence the log of tifffile: what matters is refused or noted here."""
    log = logging.getLogger("tifffile")
    level = log.level
    log.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        log.setLevel(level)


def _refuse_broken_chain(address: Address, stream: IO[bytes]) -> None:
    """Follow the links from page to page, which in a damaged file may end early or never."""
    size = os.fstat(stream.fileno()).st_size
    order = "<" if stream.read(2) == b"II" else ">"
    big = struct.unpack(order + "H", stream.read(2)) == (43,)
    count_format, entry, link_format, at = ("Q", 20, "Q", 8) if big else ("H", 12, "I", 4)
    seen: set[int] = set()

    def number(format: str, place: int) -> int | None:
        length = struct.calcsize(format)
        if place + length > size:
            return None
        stream.seek(place)
        return struct.unpack(order + format, stream.read(length))[0]

    while offset := number(link_format, at):
        if offset in seen:
            raise address.refusal(
                "damaged, or not a readable TIFF file: its pages follow each other in a circle"
            )
        seen.add(offset)
        count = number(count_format, offset)
        at = size if count is None else offset + struct.calcsize(count_format) + entry * count
    # The first page is tifffile's; an NDPI file has links of its own.
    if offset is None and len(seen) > 1 and not address.file.lower().endswith(".ndpi"):
        raise address.refusal(
            f"damaged, or not a readable TIFF file: cut short, page {len(seen) - 1} lies "
            "beyond its end"
        )


# ---- series: what the pages are to each other --------------------------------------------


@dataclass(frozen=True)
class Series:
    """Pages of one kind, and the axes along which they lie.

    Attributes
    ----------
    axes : str
        A letter per axis, of tifffile: Z, C, T, Y, X, S (samples), I and Q (not named), ...
    shape : tuple of int
    outer : int
        The first `outer` axes count pages, the others lie in a page.
    key : TiffPage
        A page whose tags apply to all.
    page : callable
        Returns the page of a number.
    file : OpenTiff
    offset : int or None
        Where in the file the values start, if all of them are contiguous.
    one_of_several_files : bool
    """

    axes: str
    shape: tuple[int, ...]
    outer: int
    key: Any
    page: Callable[[int], Any]
    file: OpenTiff
    offset: int | None = None
    one_of_several_files: bool = False

    @cached_property
    def colour(self) -> tuple[str, int | None]:
        """Kind of colour, and the axis that becomes one number; None if there is none."""
        kind, needed = COLOURS.get(int(self.key.photometric), ("", 0))
        samples, axis = int(self.key.samplesperpixel), self.axes.rfind("S")
        extra = tuple(self.key.extrasamples)
        if kind == "YCbCr" and int(self.key.compression) in JPEG:
            kind = "RGB"
        if kind == "palette" and samples == 1:
            return kind, None
        more = samples - needed
        alpha = more == 1 and bool(extra) and extra[0] in MASK_IS_ALPHA
        fits = (kind and more in (0, 1)) or alpha
        if axis < self.outer or not fits or self.like_sections:
            return "", None
        return kind, axis

    @property
    def has_alpha(self) -> bool:
        """Whether the first sample beyond the colour is an alpha channel."""
        extra = tuple(self.key.extrasamples)
        return bool(extra) and extra[0] in MASK_IS_ALPHA

    @property
    def like_sections(self) -> bool:
        """Whether separate planes of RGB may in fact be 3 or 4 sections."""
        rgb = self.axes == "SYX" and int(self.key.photometric) == 2
        return rgb and self.shape[0] in (3, 4)

    @property
    def named(self) -> tuple[str, tuple[int, ...]]:
        """Axes and shape that an address can slice: colour takes no axis."""
        _, axis = self.colour
        kept = [k for k in range(len(self.axes)) if k != axis]
        return "".join(self.axes[k] for k in kept), tuple(self.shape[k] for k in kept)

    @property
    def dtype(self) -> np.dtype:
        """Dtype of the pixels that are read."""
        return np.dtype("uint8" if self.colour[0] == "palette" else self.key.dtype)

    @property
    def notes(self) -> tuple[str, ...]:
        """What the metadata says that the pixels do not show."""
        notes = []
        bits, dtype = self.key.bitspersample, self.key.dtype
        odd = isinstance(bits, int) and dtype.kind in "iu" and bits != 8 * dtype.itemsize
        if odd and not self.colour[0]:
            notes.append(
                f"{bits} bits per pixel, read as {dtype}: values of 0 to {2**bits - 1}"
            )
        if self.one_of_several_files:
            notes.append("its OME metadata lists pages in other files, which are not read")
        return tuple(notes)


def series_of(address: Address, file: OpenTiff) -> Series:
    """Return the series of pages that an address is about, without decoding pixels."""
    with decoding(address, "TIFF file"):
        # Copies of lower resolution, for previews, do not count as images.
        found = list(file.tiff.series)
        whole = [s for s in found if not s.keyframe.is_reduced] or found
        if not whole:
            raise ValueError("it holds no page")
        count = len(whole)
    return _one_series(address, file, whole[0]) if count == 1 else _unlike_pages(address, file)


def series_at(address: Address, file: OpenTiff, number: int, level: int) -> Series:
    """Return one of the series of a file, in one of its resolutions."""
    with decoding(address, "TIFF file"):
        found = file.tiff.series[number].levels[level]
    return _one_series(address, file, found)


def _one_series(address: Address, file: OpenTiff, found: Any) -> Series:
    """Return the series that tifffile has found, if the file has all of its pages."""
    with decoding(address, "TIFF file"):
        axes, shape = found.get_axes(squeeze=True), tuple(found.get_shape(squeeze=True))
        key, offset = found.keyframe, found.dataoffset
        outer = next((k for k in range(len(shape)) if math.prod(shape[k:]) == key.size), None)
        if outer is None or (offset is None and len(found) != math.prod(shape[:outer])):
            raise ValueError(f"{len(found)} pages of {shown(key.shape)} are not {shown(shape)}")
        ome = file.tiff.ome_metadata if file.tiff.is_ome and found.kind != "ome" else None
        if ome and 'SizeC="' in ome and 'SizeC="1"' not in ome and outer:
            axes = "C" * outer + axes[outer:]  # only other files say which pages are channels
    _refuse_unknown(address, key)

    def page(number: int) -> Any:
        with decoding(address, "TIFF file"):
            taken = found[number]
        if taken is None or taken.parent is not file.tiff:
            raise address.refusal(
                f"page {number} of {math.prod(shape[:outer])} is not in this file, and others "
                "are not read; take pages that are, by a slice"
            )
        return taken

    return Series(axes, shape, outer, key, page, file, offset, ome is not None)


def _unlike_pages(address: Address, file: OpenTiff) -> Series:
    """Return pages of several kinds as a series: the pages that are read must be alike."""
    pages = file.tiff.pages

    def page(number: int) -> Any:
        with decoding(address, "TIFF file"):
            taken = pages.get(number, aspage=True)
        _refuse_unknown(address, taken)
        if _kind(taken) != _kind(key):
            raise address.refusal(
                f"page {first} is {_kind(key)}, page {number} is {_kind(taken)}; expected "
                f"pages of one size and kind, take one page, like {address.file}[{first}]"
            )
        return taken

    with decoding(address, "TIFF file"):
        count = len(pages)
    first = 0
    if address.picks and address.picks[0] is not ...:
        pick = bounded(address, address.picks[0], 0, count)
        first = pick if isinstance(pick, int) else pick.start % count
    with decoding(address, "TIFF file"):
        key = pages.get(first, aspage=True)
    _refuse_unknown(address, key)
    return Series("I" + key.axes, (count, *key.shape), 1, key, page, file)


def _kind(page: Any) -> str:
    """Return shape, colour and dtype of a page as text."""
    colour, _ = COLOURS.get(int(page.photometric), ("", 0))
    samples = "" if colour or page.samplesperpixel == 1 else f" {page.samplesperpixel} samples"
    return f"({page.imagelength}, {page.imagewidth}) {colour or 'grey'}{samples} {page.dtype}"


def _refuse_unknown(address: Address, page: Any) -> None:
    """Refuse a page of a type that NumPy does not have."""
    if page.dtype is None:
        raise address.refusal(
            f"not supported: {page.bitspersample} bits of sample format {page.sampleformat}; "
            "save it as integers or floats of 8, 16, 32 or 64 bits"
        )
