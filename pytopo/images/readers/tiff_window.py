"""A window of a page of a TIFF, as a small TIFF of its own: only the tiles that it needs.

    .---.---.---.---.
    |   | .-+-. |   |        .---.---.
    |---|-+-+-+-|---|   ->   |   |   |    tiles as stored, not unpacked,
    |   | '-+-' |   |        |---|---|    and the tags that say how to unpack them
    '---'---'---'---'        '---'---'

Strips are tiles as wide as the page.  Whatever unpacks a page unpacks the small one: tifffile,
or Pillow.  A window of many tiles is read in bands, so that it takes the memory of what is
left of it: of ``[::16, ::16]`` little.
"""

import io
import math
import struct
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import tifffile

from pytopo.images.readers.address import Address, decoding
from pytopo.images.readers.memory import refuse_giant
from pytopo.images.readers.tiff_axes import OpenTiff, Series

BAND = 2**24  # bytes of pixels that are unpacked together, about
LARGEST = 2**31  # bytes of packed tiles that a small TIFF takes
OLD_JPEG = 6  # a compression whose tiles are not by themselves

# What a decoder needs beside sizes and places: bits, compression, meaning, order, samples, fax,
# predictor, palette, extra samples, their format, tables of JPEG, YCbCr, no data, LERC.
KEPT = (
    *(258, 259, 262, 266, 277, 284, 292, 293, 317, 320, 338, 339, 347),
    *(529, 530, 531, 532, 42113, 50674),
)


@dataclass(frozen=True)
class Grid:
    """The tiles of a page, which is (length, width) pixels large.

    Attributes
    ----------
    length, width : int
        Of the page.
    tile_length, tile_width : int
    planes : int
        Each sample has tiles of its own, if they are stored one after the other; else 1.
    """

    length: int
    width: int
    tile_length: int
    tile_width: int
    planes: int

    @property
    def shape(self) -> tuple[int, int, int]:
        """Planes, rows and columns of tiles."""
        across = math.ceil(self.width / self.tile_width)
        return self.planes, math.ceil(self.length / self.tile_length), across


@dataclass(frozen=True)
class Window:
    """Tiles of a page, from a row and column to others, which are not included."""

    grid: Grid
    first_row: int
    end_row: int
    first_column: int
    end_column: int

    @property
    def top(self) -> int:
        """The first row of pixels."""
        return self.first_row * self.grid.tile_length

    @property
    def left(self) -> int:
        """The first column of pixels."""
        return self.first_column * self.grid.tile_width

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of pixels."""
        bottom = min(self.end_row * self.grid.tile_length, self.grid.length)
        right = min(self.end_column * self.grid.tile_width, self.grid.width)
        return bottom - self.top, right - self.left

    @property
    def tiles(self) -> list[int]:
        """The numbers of the tiles, in their order in the page."""
        numbers = np.arange(math.prod(self.grid.shape)).reshape(self.grid.shape)
        rows, columns = (
            slice(self.first_row, self.end_row), slice(self.first_column, self.end_column)
        )  # fmt: skip
        return numbers[:, rows, columns].ravel().tolist()


def grid_of(series: Series) -> Grid | None:
    """Return the tiles of the pages of a series, None where a tile is not by itself."""
    key = series.key
    inner = series.axes[series.outer :]
    plain = set(inner) <= set("YXS") and {"Y", "X"} <= set(inner)
    special = series.file.tiff.is_lsm or getattr(key, "jpegheader", None) is not None
    if not plain or special or int(key.compression) == OLD_JPEG:
        return None
    separate = int(key.planarconfig) == 2 and key.samplesperpixel > 1
    length = key.tilelength if key.is_tiled else min(key.rowsperstrip, key.imagelength)
    width = key.tilewidth if key.is_tiled else key.imagewidth
    planes = key.samplesperpixel if separate else 1
    grid = Grid(key.imagelength, key.imagewidth, length, width, planes)
    several = min(length, width) > 0 and math.prod(grid.shape) > planes
    return grid if several and len(key.dataoffsets) == math.prod(grid.shape) else None


def windows(
    address: Address, series: Series, grid: Grid, rows: range, columns: range
) -> Iterator[tuple[Window, range]]:
    """Yield windows that hold some rows and columns of a page, and which rows they hold.

    Windows without any of the rows are left out.  The second is a range of numbers into `rows`.
    """
    first, end = columns[0] // grid.tile_width, columns[-1] // grid.tile_width + 1
    samples = int(series.key.samplesperpixel)
    across = min(end * grid.tile_width, grid.width) - first * grid.tile_width
    row_of_tiles = across * grid.tile_length * samples
    shape = (grid.tile_length, across, samples)
    refuse_giant(address, shape, series.key.dtype, "save it in tiles or strips of fewer rows")
    count = max(1, BAND // (row_of_tiles * series.key.dtype.itemsize))
    end_row = rows[-1] // grid.tile_length + 1
    for top in range(rows[0] // grid.tile_length, end_row, count):
        bottom = min(top + count, end_row)
        start, stop = (
            max(0, -(-(tiles * grid.tile_length - rows[0]) // rows.step))
            for tiles in (top, bottom)
        )
        held = range(start, min(stop, len(rows)))
        if held:
            yield Window(grid, top, bottom, first, end), held


@contextmanager
def opened_window(
    address: Address, file: OpenTiff, page: Any, window: Window
) -> Iterator[tuple[OpenTiff, Any]]:
    """Open a window of a page as a TIFF; its only page is the second that is yielded."""
    with ExitStack() as closing:
        with decoding(address, "TIFF file"):
            stream = io.BytesIO(_small_tiff(file, page, window))
            tiff = closing.enter_context(tifffile.TiffFile(stream))
            small = tiff.pages[0]
        yield OpenTiff(tiff, stream, closing), small


# ---- the small file: tiles, then tags that are long, then the list of tags -----------------


def _small_tiff(file: OpenTiff, page: Any, window: Window) -> bytes:
    """Return a TIFF of the tiles of a window."""
    order = file.tiff.byteorder
    if len(page.dataoffsets) != math.prod(window.grid.shape):
        raise ValueError(
            f"{len(page.dataoffsets)} strips or tiles are there, "
            f"{math.prod(window.grid.shape)} are claimed"
        )
    content = bytearray(b"II*\0" if order == "<" else b"MM\0*") + bytes(4)
    places, sizes = [], []
    for number in window.tiles:
        size = page.databytecounts[number]
        if len(content) + size > LARGEST:
            raise ValueError(f"more than {LARGEST} bytes of strips or tiles are needed")
        places.append(len(content) if size else 0)
        sizes.append(size)
        content += _stored(file, page.dataoffsets[number], size)
    tags = _tags(file, page, window, places, sizes)
    entries = b""
    for code, (kind, count, value) in sorted(tags.items()):
        if len(value) > 4:
            content += bytes(len(content) % 2)
            value, long = struct.pack(f"{order}I", len(content)), value
            content += long
        entries += struct.pack(f"{order}HHI", code, kind, count) + value.ljust(4, b"\0")
    content += bytes(len(content) % 2)
    content[4:8] = struct.pack(f"{order}I", len(content))
    return bytes(content + struct.pack(f"{order}H", len(tags)) + entries + bytes(4))


def _tags(
    file: OpenTiff, page: Any, window: Window, places: list[int], sizes: list[int]
) -> dict[int, tuple[int, int, bytes]]:
    """Return type, number of values and their bytes for each tag."""
    tags = {
        tag.code: (
            int(tag.dtype), tag.count, _stored(file, tag.valueoffset, tag.valuebytecount)
        )
        for tag in page.keyframe.tags
        if tag.code in KEPT
    }  # fmt: skip
    length, width = window.shape
    grid, tiled = window.grid, page.keyframe.is_tiled
    numbers = {256: [width], 257: [length]}
    if tiled:
        numbers |= {322: [grid.tile_width], 323: [grid.tile_length], 324: places, 325: sizes}
    else:
        numbers |= {273: places, 278: [grid.tile_length], 279: sizes}
    order = file.tiff.byteorder
    for code, values in numbers.items():
        tags[code] = (4, len(values), struct.pack(f"{order}{len(values)}I", *values))
    return tags


def _stored(file: OpenTiff, place: int, size: int) -> bytes:
    """Return bytes of the file."""
    file.stream.seek(place)
    content = file.stream.read(size)
    if len(content) < size:
        raise ValueError("cut short: a strip or tile lies beyond its end")
    return content
