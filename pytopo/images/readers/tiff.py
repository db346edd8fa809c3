"""TIFF: axes as the file names them, and values as stored.

    file -> series: axes and shape -> part asked for -> its pages -> one number a pixel

tifffile finds out what the pages of a file are to each other: planes, channels, times (ImageJ,
OME, and others), copies of lower resolution.  A channel is never taken for a plane.  Values
stay as stored: nothing is inverted where 0 is meant to look white, and nothing is turned.
Colour becomes luminance, or for labels ids (`colour.py`).

What tifffile cannot unpack without the package imagecodecs (LZW, JPEG, fax) goes through
Pillow, where the stored values can be had from it.
"""

import logging
import math
import os
import struct
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import IO, Any

import numpy as np
import tifffile

from pytopo.images.readers.address import (
    Address,
    Part,
    Stored,
    bounded,
    checked_part,
    decoding,
    refuse_member,
    refuse_unpacking,
    shape_of,
    shown,
    too_many_pixels,
)
from pytopo.images.readers.colour import (
    alpha_note,
    cmyk_luminance,
    colour_ids,
    label_alpha_notes,
    luminance,
    luminance_note,
    mask_in_colour_notes,
)

MASK_IS_ALPHA = (1, 2)  # associated, unassociated: kinds of an extra sample
YCBCR = 6  # a photometric interpretation
JPEG = (6, 7, 33007, 34892)  # compressions that turn YCbCr to RGB when unpacked
# Colour by its photometric interpretation, and the samples it takes.
COLOURS = {0: ("", 1), 1: ("", 1), 2: ("RGB", 3), 3: ("palette", 1), 5: ("CMYK", 4)}
COLOURS |= {6: ("YCbCr", 3), 8: ("LAB", 3), 9: ("LAB", 3), 10: ("LAB", 3)}


def read_tiff(address: Address, labels: bool = False) -> Stored:
    """Read the part of a TIFF that the address asks for; a TIFF has no members.

    For `labels` colour becomes ids and not luminance.
    """
    with _opened(address) as file:
        series = _series(address, file)
        part = _part(address, series)
        if labels:
            _refuse_mixed_labels(address, series)
        pixels, notes = _pixels(address, series, part, labels)
        if labels and pixels.ndim > len(shape_of(part)):
            pixels, more_notes = colour_ids(pixels)
            notes = more_notes + notes
        return pixels, (*notes, *_axis_notes(series, part), *series.notes)


def tiff_shape(address: Address) -> tuple[int, ...]:
    """Return the shape of what `read_tiff` reads, without decoding it."""
    with _opened(address) as file:
        return shape_of(_part(address, _series(address, file)))


# ---- opening: quietly, and no other file -------------------------------------------------


@dataclass(frozen=True)
class _File:
    tiff: tifffile.TiffFile
    stream: IO[bytes]
    closing: ExitStack

    @cached_property
    def picture(self) -> Any:
        """The same file opened by Pillow, whose seeking would disturb tifffile's."""
        from PIL import Image

        return self.closing.enter_context(Image.open(self.stream.name))


@contextmanager
def _opened(address: Address) -> Iterator[_File]:
    refuse_member(address, "TIFF file")
    with ExitStack() as closing, _silent_log():
        stream = closing.enter_context(open(address.file, "rb"))
        _refuse_broken_chain(address, stream)
        stream.seek(0)
        with decoding(address, "TIFF file"):
            # Of the formats of a TIFF, these two have pages in files beside it.
            alone = {"_multifile": False, "is_ndtiff": False, "is_mmstack": False}
            tiff = closing.enter_context(tifffile.TiffFile(stream, **alone))  # type: ignore
        yield _File(tiff, stream, closing)


@contextmanager
def _silent_log() -> Iterator[None]:
    """Say nothing of what tifffile finds odd: what matters is refused or noted here."""
    log = logging.getLogger("tifffile")
    level = log.level
    log.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        log.setLevel(level)


def _refuse_broken_chain(address: Address, stream: IO[bytes]) -> None:
    """Follow the links from page to page, which in a damaged file may end early, or never."""
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
class _Series:
    """Pages of one kind, and the axes along which they lie.

    Attributes
    ----------
    axes : str
        A letter an axis, of tifffile: Z, C, T, Y, X, S (samples), I and Q (not named), ...
    shape : tuple of int
    outer : int
        The first `outer` axes count pages, the others lie in a page.
    key : TiffPage
        A page whose tags hold for all.
    page : callable
        The page of a number.
    file : _File
    offset : int or None
        Where in the file all values lie one behind another, if they do.
    one_of_several_files : bool
    """

    axes: str
    shape: tuple[int, ...]
    outer: int
    key: Any
    page: Callable[[int], Any]
    file: _File
    offset: int | None = None
    one_of_several_files: bool = False

    @cached_property
    def colour(self) -> tuple[str, int | None]:
        """Kind of colour, and the axis that becomes one number; None if no axis does."""
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
        extra = tuple(self.key.extrasamples)
        return bool(extra) and extra[0] in MASK_IS_ALPHA

    @property
    def like_sections(self) -> bool:
        """Planes apart are a picture in colour, or 3 or 4 sections taken for one."""
        rgb = self.axes == "SYX" and int(self.key.photometric) == 2
        return rgb and self.shape[0] in (3, 4)

    @property
    def named(self) -> tuple[str, tuple[int, ...]]:
        """Axes and shape of what an address can slice: colour takes no axis."""
        _, axis = self.colour
        kept = [k for k in range(len(self.axes)) if k != axis]
        return "".join(self.axes[k] for k in kept), tuple(self.shape[k] for k in kept)

    @property
    def dtype(self) -> np.dtype:
        return np.dtype("uint8" if self.colour[0] == "palette" else self.key.dtype)

    @property
    def notes(self) -> tuple[str, ...]:
        notes = []
        bits, dtype = self.key.bitspersample, self.key.dtype
        odd = isinstance(bits, int) and dtype.kind in "iu" and bits != 8 * dtype.itemsize
        if odd and not self.colour[0]:
            notes.append(f"{bits} bits a pixel, read as {dtype}: values of 0 to {2**bits - 1}")
        if self.one_of_several_files:
            notes.append("its OME metadata tells of pages in other files, which are not read")
        return tuple(notes)


def _series(address: Address, file: _File) -> _Series:
    with decoding(address, "TIFF file"):
        # Smaller copies for a quick look are no images of their own.
        found = list(file.tiff.series)
        whole = [s for s in found if not s.keyframe.is_reduced] or found
        if not whole:
            raise ValueError("it holds no page")
        count = len(whole)
    return _one_series(address, file, whole[0]) if count == 1 else _unlike_pages(address, file)


def _one_series(address: Address, file: _File, found: Any) -> _Series:
    with decoding(address, "TIFF file"):
        axes, shape = found.get_axes(squeeze=True), tuple(found.get_shape(squeeze=True))
        key, offset = found.keyframe, found.dataoffset
        outer = next((k for k in range(len(shape)) if math.prod(shape[k:]) == key.size), None)
        if outer is None or (offset is None and len(found) != math.prod(shape[:outer])):
            raise ValueError(f"{len(found)} pages of {shown(key.shape)} are not {shown(shape)}")
        ome = file.tiff.ome_metadata if file.tiff.is_ome and found.kind != "ome" else None
        if ome and 'SizeC="' in ome and 'SizeC="1"' not in ome and outer:
            axes = "C" * outer + axes[outer:]  # which pages are channels is in other files
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

    return _Series(axes, shape, outer, key, page, file, offset, ome is not None)


def _unlike_pages(address: Address, file: _File) -> _Series:
    """Pages of several kinds: those that are asked for must be alike."""
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
    return _Series("I" + key.axes, (count, *key.shape), 1, key, page, file)


def _kind(page: Any) -> str:
    colour, _ = COLOURS.get(int(page.photometric), ("", 0))
    samples = "" if colour or page.samplesperpixel == 1 else f" {page.samplesperpixel} samples"
    return f"({page.imagelength}, {page.imagewidth}) {colour or 'grey'}{samples} {page.dtype}"


def _refuse_unknown(address: Address, page: Any) -> None:
    """A page of a type that NumPy has no word for, or without pixels."""
    if page.dtype is None:
        raise address.refusal(
            f"not supported: {page.bitspersample} bits of sample format {page.sampleformat}; "
            "save it as integers or floats of 8, 16, 32 or 64 bits"
        )


def _refuse_mixed_labels(address: Address, series: _Series) -> None:
    kind, axis = series.colour
    plain = kind == "RGB" and series.key.dtype in (np.uint8, np.uint16)
    if axis is not None and kind not in ("", "palette") and not plain:
        raise address.refusal(
            f"labels in {kind} colour of {series.key.dtype}; expected grey, a palette, or RGB "
            "of 8 or 16 bits, save the ids as integers"
        )


# ---- part --------------------------------------------------------------------------------


def _part(address: Address, series: _Series) -> Part:
    axes, shape = series.named
    if series.like_sections and (not address.picks or address.picks[0] is ...):
        raise address.refusal(
            f"shape {shown(shape)}, axes (S, Y, X): the planes of a colour picture, or "
            f"sections that were taken for colour; expected {address.file}[0], one of them, "
            f"or {address.file}[0:{shape[0]}] for {shape[0]} sections"
        )
    part = checked_part(address, shape, series.dtype, axes)
    refuse_unpacking(address, shape_of(part), series.dtype)
    return part


def _axis_notes(series: _Series, part: Part) -> tuple[str, ...]:
    """Planes that are no planes of space."""
    axes, _ = series.named
    left = [axis for axis, pick in zip(axes, part) if isinstance(pick, slice)]
    odd = [axis for axis in left if axis not in "ZYXIQ"]
    names = [str(tifffile.TIFF.AXES_NAMES.get(axis, axis)) for axis in odd]
    return tuple(f"axis {axis} ({name}) taken for planes" for axis, name in zip(odd, names))


# ---- pixels: only of the pages that are needed -------------------------------------------


def _pixels(address: Address, series: _Series, part: Part, labels: bool) -> Stored:
    """Pixels of the part; colour of labels with one axis more, of red, green and blue."""
    _, axis = series.colour
    outer, inner = part[: series.outer], part[series.outer :]
    numbers = np.arange(math.prod(series.shape[: series.outer]))
    picked = numbers.reshape(series.shape[: series.outer])[outer]
    values = _values_of(address, series)
    pixels = np.empty(0)
    notes: tuple[str, ...] = ()
    for k, number in enumerate(np.ravel(picked).tolist()):
        page = values(number)
        if page.dtype.itemsize < series.key.dtype.itemsize:
            if labels:
                raise address.refusal(
                    "not supported: of 16 bits per channel Pillow reads 8, which makes one of "
                    "several labels; pip install imagecodecs, or save them uncompressed"
                )
            notes = (*notes, "16 bits per channel reduced to 8 by Pillow")
        if axis is None and series.colour[0] != "palette":
            taken = page[inner]
        else:
            with decoding(address, "TIFF file"):
                page, more_notes = _one_number(series, np.asarray(page), labels)
            taken, notes = page[inner], (*notes, *more_notes)
        if k == 0:
            pixels = np.empty((picked.size, *taken.shape), taken.dtype)
        pixels[k] = taken
    return pixels.reshape(picked.shape + pixels.shape[1:]), tuple(dict.fromkeys(notes))


def _values_of(address: Address, series: _Series) -> Callable[[int], np.ndarray]:
    """Return what gives the values of a page, by its number, as stored."""
    shape = series.shape[series.outer :]
    if series.offset is None:

        def decoded(number: int) -> np.ndarray:
            page = series.page(number)
            return _page_values(address, series.file, page).reshape(shape)

        return decoded

    dtype = series.key.dtype.newbyteorder(series.file.tiff.byteorder)
    start, size = series.offset, math.prod(shape) * dtype.itemsize

    def mapped(number: int) -> np.ndarray:
        with decoding(address, "TIFF file"):
            return np.memmap(series.file.stream, dtype, "r", start + number * size, shape)

    return mapped


def _page_values(address: Address, file: _File, page: Any) -> np.ndarray:
    with decoding(address, "TIFF file"):
        pieces, claimed = len(page.dataoffsets), math.prod(page.keyframe.chunked)
        if pieces < claimed and not page.keyframe.is_contiguous:
            raise ValueError(f"{pieces} strips or tiles are there, {claimed} are claimed")
        try:
            values = page.asarray()
        except (ValueError, NotImplementedError, KeyError, ImportError) as err:
            if not _is_lack(err):
                raise
        else:
            if values.size != page.keyframe.size:
                raise ValueError(f"{values.size} values, {page.keyframe.size} are claimed")
            return values
    return _values_by_pillow(address, file, page)


def _is_lack(err: Exception) -> bool:
    """Whether tifffile lacks a package or a method, rather than the file something."""
    words = ("imagecodecs", "subsampling", "not supported", "not a known", "not implemented")
    return isinstance(err, ImportError) or any(word in str(err) for word in words)


# ---- colour ------------------------------------------------------------------------------


def _one_number(series: _Series, values: np.ndarray, labels: bool) -> Stored:
    """The values of a page with colour turned to luminance; for labels, in a last axis."""
    kind, axis = series.colour
    if kind == "palette" and axis is None:
        return _painted(series, values, labels)
    samples = np.moveaxis(values, (axis or 0) - series.outer, -1)
    needed = COLOURS[int(series.key.photometric)][1]
    colour = samples[..., :needed]
    notes: tuple[str, ...] = ()
    if kind == "palette":
        colour, notes = _painted(series, samples[..., 0], labels)
    elif kind == "":
        colour = samples[..., 0]
    elif not labels:
        colour, notes = _luminance(kind, colour)
    if samples.shape[-1] == needed:
        return colour, notes
    return colour, notes + _beyond_notes(series, samples, needed, labels)


def _beyond_notes(
    series: _Series, samples: np.ndarray, needed: int, labels: bool
) -> tuple[str, ...]:
    """What is said of the one sample beyond those that a colour takes."""
    if not series.has_alpha:
        return (f"sample {needed} of the pixels, which is beyond {series.colour[0]}, dropped",)
    colour, alpha = samples[..., :needed], samples[..., needed]
    return label_alpha_notes(colour, alpha) if labels else (alpha_note(colour, alpha),)


def _luminance(kind: str, colour: np.ndarray) -> Stored:
    notes = (luminance_note(kind),)
    match kind:
        case "RGB":
            return luminance(colour), notes + mask_in_colour_notes(colour)
        case "CMYK":
            return cmyk_luminance(colour), notes
    return colour[..., 0], notes  # L of LAB, Y of YCbCr


def _painted(series: _Series, indices: np.ndarray, labels: bool) -> Stored:
    """Indices of a palette as they are, or the luminance of its colours."""
    if labels:
        return indices, ()
    palette = (series.key.colormap.T >> 8).astype(np.uint8)  # (2**bits, 3)
    indices = indices.view(np.uint8) if indices.dtype == bool else indices
    notes = (luminance_note("palette"), *mask_in_colour_notes(palette[indices]))
    return luminance(palette)[indices], notes


# ---- what needs Pillow -------------------------------------------------------------------


def _values_by_pillow(address: Address, file: _File, page: Any) -> np.ndarray:
    """The values of a page as stored, where Pillow can give them."""
    key = page.keyframe
    name = getattr(key.compression, "name", key.compression)
    held = (
        f"compression {name}" if key.compression != 1 else f"{key.bitspersample} bits a pixel"
    )
    lack = address.refusal(
        f"not supported: a TIFF of {held}, {key.dtype}, which needs the package imagecodecs; "
        "pip install imagecodecs, or save it without compression as 8, 16, 32 or 64 bits"
    )
    if not isinstance(page.index, int):
        raise lack
    from PIL import Image

    limit = Image.MAX_IMAGE_PIXELS
    if limit is not None and key.imagewidth * key.imagelength > limit:
        raise too_many_pixels(address, limit)
    try:
        with _silent_stderr(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            picture = file.picture
            picture.seek(page.index)
            turn = picture.getexif().get(274)
            picture.load()
            # Of YCbCr libtiff makes RGB whatever the compression, tifffile only of JPEG.
            mixed = int(key.photometric) == YCBCR and int(key.compression) not in JPEG
            values = np.asarray(picture.convert("YCbCr") if mixed else picture)
    except MemoryError:
        raise
    except Image.DecompressionBombError:
        raise too_many_pixels(address, limit) from None
    except (Image.UnidentifiedImageError, NotImplementedError):
        raise lack from None
    except Exception as err:
        with decoding(address, "TIFF file"):
            raise err
    stored = _as_stored(TURN_BACK.get(turn, np.asarray)(values), picture.mode, key)
    if stored is None or stored.size != key.size:
        raise lack
    return stored


def _as_stored(values: np.ndarray, mode: str, key: Any) -> np.ndarray | None:
    """Undo what Pillow did to the values; None where that cannot be undone."""
    bits, inverted = key.bitspersample, int(key.photometric) == 0
    match mode:
        case "1":
            return values ^ inverted
        case "L" if bits in (2, 4, 8) and key.dtype.itemsize == 1:
            values = values ^ np.uint8(255 * inverted)
            return (values // np.uint8(255 // (2**bits - 1))).view(key.dtype)
        case "P" | "PA" | "LA" | "YCbCr" | "LAB":
            return values if key.dtype == np.uint8 else None
        case "RGB" | "RGBA" | "RGBX" | "CMYK":  # of 16 bits Pillow keeps the upper 8
            return values if key.dtype in (np.uint8, np.uint16) else None
        case "F" | "I" | "I;16" | "I;16B" | "I;16L":
            return values.astype(key.dtype)
    return None


# By orientation, what undoes the turn that Pillow gives to a TIFF, and to nothing else.
TURN_BACK: dict[int | None, Callable[[np.ndarray], np.ndarray]] = {
    2: np.fliplr,
    3: lambda pixels: np.rot90(pixels, 2),
    4: np.flipud,
    5: lambda pixels: pixels.swapaxes(0, 1),
    6: np.rot90,
    7: lambda pixels: np.rot90(pixels, 2).swapaxes(0, 1),
    8: lambda pixels: np.rot90(pixels, -1),
}

_STDERR = threading.Lock()


@contextmanager
def _silent_stderr() -> Iterator[None]:
    """Keep quiet what libtiff itself writes on the standard error."""
    with _STDERR:
        try:
            sys.stderr.flush()
            kept = os.dup(2)
        except (AttributeError, OSError, ValueError):  # there is none
            yield
            return
        try:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, 2)
            os.close(nowhere)
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
