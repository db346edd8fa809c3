"""TIFF: axes as the file names them, and values as stored.

    file -> series: axes and shape -> the part requested -> its pages -> one number per pixel
            (tiff_axes.py)                                  (tiff_pages.py)

Values stay as stored: they are not inverted where 0 is displayed as white, and pages are not
turned.  Colour becomes luminance, or for labels ids (`colour.py`).
"""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import tifffile

from pytopo.images.readers.address import Address, Stored, decoding, shown
from pytopo.images.readers.colour import (
    REDUCED,
    alpha_note,
    cmyk_luminance,
    colour_ids,
    label_alpha_notes,
    luminance,
    luminance_note,
    mask_in_colour_notes,
)
from pytopo.images.readers.memory import refuse_giant, refuse_unpacking
from pytopo.images.readers.part import Part, checked_part, shape_of
from pytopo.images.readers.tiff_axes import COLOURS, Series, opened_tiff, series_of
from pytopo.images.readers.tiff_pages import page_values
from pytopo.images.readers.tiff_window import Grid, grid_of, opened_window, windows


def read_tiff(address: Address, labels: bool = False) -> Stored:
    """Read the part of a TIFF that the address names; a TIFF has no members.

    For `labels` colour becomes ids and not luminance.
    """
    with opened_tiff(address) as file:
        series = series_of(address, file)
        part = _part(address, series)
        if labels:
            _refuse_mixed_labels(address, series)
        pixels, notes = pixels_of(address, series, part, labels)
        if labels and pixels.ndim > len(shape_of(part)):
            pixels, more_notes = colour_ids(pixels)
            notes = more_notes + notes
        return pixels, (*notes, *_axis_notes(series, part), *series.notes)


def tiff_shape(address: Address) -> tuple[int, ...]:
    """Return the shape of what `read_tiff` reads, without decoding it."""
    with opened_tiff(address) as file:
        return shape_of(_part(address, series_of(address, file)))


def _refuse_mixed_labels(address: Address, series: Series) -> None:
    """Refuse labels in colours that have no ids."""
    kind, axis = series.colour
    plain = kind == "RGB" and series.key.dtype in (np.uint8, np.uint16)
    if axis is not None and kind not in ("", "palette") and not plain:
        raise address.refusal(
            f"labels in {kind} colour of {series.key.dtype}; expected grey, a palette, or RGB "
            "of 8 or 16 bits, save the ids as integers"
        )


# ---- part --------------------------------------------------------------------------------


def _part(address: Address, series: Series) -> Part:
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


def _axis_notes(series: Series, part: Part) -> tuple[str, ...]:
    """Return notes on axes that are taken for planes, and are not axes of space."""
    axes, _ = series.named
    left = [axis for axis, pick in zip(axes, part) if isinstance(pick, slice)]
    odd = [axis for axis in left if axis not in "ZYXIQ"]
    names = [str(tifffile.TIFF.AXES_NAMES.get(axis, axis)) for axis in odd]
    return tuple(f"axis {axis} ({name}) taken for planes" for axis, name in zip(odd, names))


# ---- pixels: only of the pages, strips and tiles that are needed --------------------------


@dataclass(frozen=True)
class Piece:
    """Values that hold some of a part of a page, one piece or several a page.

    Attributes
    ----------
    values : ndarray
        As stored, of a whole page or of a window.
    within : tuple of int or slice
        What of them belongs to the part.
    place : tuple of slice
        Where in the part that is.
    """

    values: np.ndarray
    within: Part
    place: tuple[slice, ...] = ()


def pixels_of(address: Address, series: Series, part: Part, labels: bool = False) -> Stored:
    """Read the pixels of the part; colour of labels has another axis, red, green and blue."""
    outer, inner = part[: series.outer], part[series.outer :]
    numbers = np.arange(math.prod(series.shape[: series.outer]))
    picked = numbers.reshape(series.shape[: series.outer])[outer]
    pieces = _pieces_of(address, series, inner)
    pixels: np.ndarray = np.empty(0)
    notes: tuple[str, ...] = ()
    for k, number in enumerate(np.ravel(picked).tolist()):
        for piece in pieces(number):
            taken, more_notes = _taken(address, series, piece, labels)
            notes += more_notes
            if not pixels.size:
                shape = shape_of(inner)
                colours = taken.shape[len(shape) :]
                pixels = np.empty((picked.size, *shape, *colours), taken.dtype)
            pixels[k, ...][piece.place] = taken
    return pixels.reshape(picked.shape + pixels.shape[1:]), tuple(dict.fromkeys(notes))


def _taken(address: Address, series: Series, piece: Piece, labels: bool) -> Stored:
    """Return what of a piece belongs to the part, colour turned to one number, and notes."""
    values, (kind, axis) = piece.values, series.colour
    notes: tuple[str, ...] = ()
    # Of some compressions Pillow keeps the upper 8 of 16 bits.
    if values.dtype.itemsize < series.key.dtype.itemsize:
        if labels:
            raise address.refusal(
                "not supported: of 16 bits per channel Pillow reads 8, which makes one of "
                "several labels; pip install imagecodecs, or save them uncompressed"
            )
        notes = (REDUCED,)
    if axis is None and kind != "palette":
        return values[piece.within], notes
    with decoding(address, "TIFF file"):
        one, more_notes = _one_number(series, np.asarray(values), labels)
    return one[piece.within], notes + more_notes


def _pieces_of(
    address: Address, series: Series, inner: Part
) -> Callable[[int], Iterable[Piece]]:
    """Return a function that returns the pieces of the part of a page, by its number."""
    shape = series.shape[series.outer :]
    grid = grid_of(series)
    if series.offset is not None:
        dtype = series.key.dtype.newbyteorder(series.file.tiff.byteorder)
        start, size = series.offset, math.prod(shape) * dtype.itemsize

        def mapped(number: int) -> Iterable[Piece]:
            with decoding(address, "TIFF file"):
                at = start + number * size
                values = np.memmap(series.file.stream, dtype, "r", at, shape)
            yield Piece(values, inner)

        return mapped

    # Pillow does not find a page of lower resolution, but takes its tiles as a small TIFF.
    listed = len(series.key.treeindex) == 1
    if grid is None or (_is_whole(series, inner) and listed):

        def decoded(number: int) -> Iterable[Piece]:
            refuse_giant(address, shape, series.key.dtype, "save it in tiles")
            values = page_values(address, series.file, series.page(number))
            yield Piece(values.reshape(shape), inner)

        return decoded

    return lambda number: _windows_of(address, series, inner, grid, number)


def _is_whole(series: Series, inner: Part) -> bool:
    """Return whether a part takes all of a page."""
    return shape_of(inner) == series.named[1][series.outer :]


def _windows_of(
    address: Address, series: Series, inner: Part, grid: Grid, number: int
) -> Iterator[Piece]:
    """Yield the part of a page window by window."""
    axes, lengths = series.named
    axes, lengths = axes[series.outer :], lengths[series.outer :]
    y, x = axes.index("Y"), axes.index("X")
    rows, columns = (
        range(lengths[k])[pick if isinstance(pick, slice) else slice(pick, pick + 1)]
        for k, pick in ((y, inner[y]), (x, inner[x]))
    )
    before = sum(isinstance(pick, slice) for pick in inner[:y])
    page = series.page(number)
    for window, held in windows(address, series, grid, rows, columns):
        within = list(inner)
        within[y] = _moved(inner[y], rows[held[0] : held[-1] + 1], window.top)
        within[x] = _moved(inner[x], columns, window.left)
        size = dict(zip("YX", window.shape))
        inside = zip(series.axes[series.outer :], series.shape[series.outer :])
        shape = tuple(size.get(axis, length) for axis, length in inside)
        with opened_window(address, series.file, page, window) as (file, small):
            values = page_values(address, file, small).reshape(shape)
        place = (slice(None),) * before + (slice(held[0], held[-1] + 1),)
        yield Piece(values, tuple(within), place if isinstance(inner[y], slice) else ())


def _moved(pick: int | slice, numbers: range, start: int) -> int | slice:
    """Return a pick of rows or columns, counted from the start of a window."""
    if isinstance(pick, int):
        return pick - start
    return slice(numbers[0] - start, numbers[-1] - start + 1, numbers.step)


# ---- colour ------------------------------------------------------------------------------


def _one_number(series: Series, values: np.ndarray, labels: bool) -> Stored:
    """Return the values of a page, colour turned to luminance; for labels, in a last axis."""
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
    series: Series, samples: np.ndarray, needed: int, labels: bool
) -> tuple[str, ...]:
    """Return notes on the one sample beyond those that a colour takes."""
    if not series.has_alpha:
        return (f"sample {needed} of the pixels, which is beyond {series.colour[0]}, dropped",)
    colour, alpha = samples[..., :needed], samples[..., needed]
    return label_alpha_notes(colour, alpha) if labels else (alpha_note(colour, alpha),)


def _luminance(kind: str, colour: np.ndarray) -> Stored:
    """Return the luminance of a kind of colour, and notes."""
    notes = (luminance_note(kind),)
    match kind:
        case "RGB":
            return luminance(colour), notes + mask_in_colour_notes(colour)
        case "CMYK":
            return cmyk_luminance(colour), notes
    return colour[..., 0], notes  # L of LAB, Y of YCbCr


def _painted(series: Series, indices: np.ndarray, labels: bool) -> Stored:
    """Return the luminance of the colours of a palette; for labels, the indices themselves."""
    if labels:
        return indices, ()
    palette = (series.key.colormap.T >> 8).astype(np.uint8)  # (2**bits, 3)
    indices = indices.view(np.uint8) if indices.dtype == bool else indices
    notes = (luminance_note("palette"), *mask_in_colour_notes(palette[indices]))
    return luminance(palette)[indices], notes
