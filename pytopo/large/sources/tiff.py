"""TIFF, BigTIFF and slides: only the tiles or strips that a box touches are unpacked.

    slide.svs -> series: Baseline, Label, Macro   the largest, or PATH:NAME
              -> levels: 0, 1, 2                  copies of lower resolution

Tags and pixels are the business of `pytopo.images.readers.tiff`; colour becomes luminance.
"""

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pytopo.images.readers.address import Address, decoding, member_expected, shown
from pytopo.images.readers.part import Part
from pytopo.images.readers.tiff import pixels_of
from pytopo.images.readers.tiff_axes import OpenTiff, Series, opened_tiff, series_at
from pytopo.images.readers.tiff_window import grid_of
from pytopo.large.sources.levels import chosen_level
from pytopo.large.sources.source import Level, Source, Stored, source_of

ALONE = 4  # a series of so many times the pixels of any other is what a file is about


def open_tiff(address: Address, level: str | int | None) -> Source:
    """Open a series of a TIFF, the largest unless the address names one, at a level."""
    with opened_tiff(replace(address, member="")) as file:
        number = _series_number(address, file)
        address = replace(address, member=str(number))
        with decoding(address, "TIFF file"):
            count = len(file.tiff.series[number].levels)
        found = [series_at(address, file, number, k) for k in range(count)]
        levels = tuple(Level(str(k), one.named[1]) for k, one in enumerate(found))
        chosen = chosen_level(address, levels, level)
        series = found[chosen]
        _refuse_cut_short(address, file, series)
        stored = Stored(series.named[1], series.dtype, _blocks(series), series.named[0])
    return source_of("TIFF", address, stored, _read, levels if count > 1 else (), chosen)


def _read(source: Source, part: Part) -> NDArray:
    with opened_tiff(replace(source.address, member="")) as file:
        number = int(source.address.member)
        series = series_at(source.address, file, number, source.level)
        return pixels_of(source.address, series, part)[0]


def _series_number(address: Address, file: OpenTiff) -> int:
    """Return the number of the series that an address names, or of the one it must mean."""
    with decoding(address, "TIFF file"):
        names = [series.name or f"series {k}" for k, series in enumerate(file.tiff.series)]
        shapes = [tuple(series.shape) for series in file.tiff.series]
        if not names:
            raise ValueError("it holds no page")
    if address.member in names:
        return names.index(address.member)
    if address.member in map(str, range(len(names))):
        return int(address.member)
    sizes = [math.prod(shape) for shape in shapes]
    largest = sizes.index(max(sizes))
    others = sizes[:largest] + sizes[largest + 1 :]
    if not address.member and all(ALONE * size <= sizes[largest] for size in others):
        return largest
    listed = [f"{k} ({name}) {shown(s)}" for k, (name, s) in enumerate(zip(names, shapes))]
    raise member_expected(address, "series", listed)


def _refuse_cut_short(address: Address, file: OpenTiff, series: Series) -> None:
    """Refuse a file that ends before its tiles or strips do, without reading them."""
    with decoding(address, "TIFF file"):
        places = np.asarray(series.key.dataoffsets, np.float64)
        sizes = np.asarray(series.key.databytecounts, np.float64)
        end = (places[: sizes.size] + sizes[: places.size]).max(initial=0)
        if end > file.tiff.filehandle.size:
            raise ValueError("cut short: a strip or tile lies beyond its end")


def _blocks(series: Series) -> tuple[int, ...]:
    """Return the sides of the blocks that are unpacked whole."""
    axes, shape = series.named
    if series.offset is not None:
        return (1,) * len(shape)
    grid = grid_of(series)
    if grid is None:  # a page is a block
        return tuple(n if k >= series.outer else 1 for k, n in enumerate(shape))
    sides = {"Y": grid.tile_length, "X": grid.tile_width}
    inside = zip(axes, shape)
    return tuple(
        1 if k < series.outer else min(sides.get(axis, n), n)
        for k, (axis, n) in enumerate(inside)
    )
