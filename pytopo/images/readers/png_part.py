"""A part of a PNG, as a small PNG of its own: a large one never lies in memory as a whole.

    rows of the file, compressed together and each filtered against the row before
        -> a band of rows at a time, unpacked and unfiltered
        -> the rows and columns of the part, stored as a PNG of the same kind

All rows up to the last of the part have to be unpacked, but only a band of them is kept.  What
the values mean (palette, bits, alpha) is left to Pillow, which reads the small file.
"""

import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

import numpy as np
from PIL import Image

from pytopo.images.readers.address import Address, decoding
from pytopo.images.readers.part import Part, checked_part, shape_of

SIGNATURE = b"\x89PNG\r\n\x1a\n"
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by the colour type of the header
MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}  # of Pillow, by bytes that a filter looks back
BAND = 2**22  # bytes of rows that are unpacked together, about
BLOCK = 2**16  # bytes that are read together


@dataclass(frozen=True)
class Png:
    """What stands before the pixels of a PNG.

    Attributes
    ----------
    width, height, depth, colour : int
        Of the header; `depth` is in bits.
    chunks : bytes
        The chunks that say what the values mean: palette and transparency.
    pixels_at : int
        Where in the file the first chunk of pixels starts.
    """

    width: int
    height: int
    depth: int
    colour: int
    chunks: bytes
    pixels_at: int

    @property
    def pixel_bytes(self) -> int:
        """How many bytes before a byte its filter looks: those of a pixel, at least 1."""
        return max(1, CHANNELS[self.colour] * self.depth // 8)

    @property
    def row_bytes(self) -> int:
        """Bytes of a row, without the one that names its filter."""
        return (self.width * CHANNELS[self.colour] * self.depth + 7) // 8

    @property
    def dtype(self) -> np.dtype:
        """Dtype of the image that this becomes."""
        grey = self.colour == 0
        return np.dtype("bool" if self.depth == 1 and grey else f"uint{max(self.depth, 8)}")


def png_part(address: Address, stream: IO[bytes]) -> tuple[Part, Png] | None:
    """Return the part of a PNG that an address takes, if it can be read by itself.

    It cannot if nothing is left out, if the rows are interlaced, if there are several frames,
    or with more than 4 bytes per pixel, which are colours of 16 bits.
    """
    if not address.picks or stream.read(len(SIGNATURE)) != SIGNATURE:
        return None
    with decoding(address, "picture"):
        png = _header(stream)
    if png is None or png.pixel_bytes not in MODES:
        return None
    shape = (png.height, png.width)
    part = checked_part(address, shape, png.dtype)
    return None if shape_of(part) == shape else (part, png)


def small_png(address: Address, stream: IO[bytes], part: Part, png: Png) -> IO[bytes]:
    """Return a PNG of the rows and columns of a part, of those that are indexed one."""
    rows, columns = (
        pick if isinstance(pick, slice) else slice(pick, pick + 1, 1) for pick in part
    )
    with decoding(address, "picture"):
        taken = np.concatenate(list(_bands(stream, png, rows, columns)))
    height, width = len(taken), len(range(png.width)[columns])
    unfiltered = np.zeros((height, 1 + taken.shape[1]), np.uint8)  # 0: no filter
    unfiltered[:, 1:] = taken
    header = struct.pack(">IIBBBBB", width, height, png.depth, png.colour, 0, 0, 0)
    pixels = zlib.compress(unfiltered.tobytes(), 0)
    chunks = [_chunk(b"IHDR", header), png.chunks, _chunk(b"IDAT", pixels), _chunk(b"IEND")]
    return io.BytesIO(SIGNATURE + b"".join(chunks))


def _chunk(kind: bytes, content: bytes = b"") -> bytes:
    checksum = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)


# ---- the file: chunks, each of a length, a kind, bytes and a checksum ----------------------


def _header(stream: IO[bytes]) -> Png | None:
    """Return what stands before the pixels; None if rows are interlaced or there are frames."""
    length, kind = _next_chunk(stream)
    if kind != b"IHDR" or length != 13:
        raise ValueError("it does not begin with a header")
    width, height, depth, colour, *_, interlaced = struct.unpack(">IIBBBBB", stream.read(13))
    if colour not in CHANNELS or 0 in (width, height) or depth not in (1, 2, 4, 8, 16):
        raise ValueError(f"{width} x {height} pixels of {depth} bits, colour {colour}")
    stream.read(4)
    chunks = b""
    while True:
        at = stream.tell()
        length, kind = _next_chunk(stream)
        if kind == b"IDAT":
            return None if interlaced else Png(width, height, depth, colour, chunks, at)
        if kind == b"acTL":
            return None
        if kind in (b"PLTE", b"tRNS"):
            chunks += _chunk(kind, stream.read(length))
            stream.seek(4, io.SEEK_CUR)
        else:
            stream.seek(length + 4, io.SEEK_CUR)


def _next_chunk(stream: IO[bytes]) -> tuple[int, bytes]:
    """Return length and kind of the chunk that starts here."""
    start = stream.read(8)
    if len(start) < 8:
        raise ValueError("cut short")
    length, kind = struct.unpack(">I4s", start)
    return length, kind


def _packed(stream: IO[bytes], png: Png) -> Iterator[bytes]:
    """Yield the compressed bytes of the pixels, block by block."""
    stream.seek(png.pixels_at)
    while True:
        length, kind = _next_chunk(stream)
        if kind != b"IDAT":
            raise ValueError("cut short: pixels are missing")
        checksum = zlib.crc32(kind)
        while length:
            block = stream.read(min(length, BLOCK))
            if not block:
                raise ValueError("cut short")
            length -= len(block)
            checksum = zlib.crc32(block, checksum)
            yield block
        if stream.read(4) != struct.pack(">I", checksum):
            raise ValueError("a wrong checksum of the pixels")


# ---- bands of rows -------------------------------------------------------------------------


def _bands(stream: IO[bytes], png: Png, rows: slice, columns: slice) -> Iterator[np.ndarray]:
    """Yield the bytes of the rows and columns that are taken, band by band."""
    length, last = 1 + png.row_bytes, range(png.height)[rows][-1]
    count = min(max(1, BAND // length), last + 1)
    before = bytes(png.row_bytes)
    unpacked = _unpacked(stream, png, length * count)
    for first in range(0, last + 1, count):
        height = min(count, png.height - first)
        filtered = next(unpacked)[: height * length]
        if len(filtered) < height * length:
            raise ValueError("cut short: rows are missing")
        raw = _unfiltered(png, before, filtered, height)
        before = raw[-1].tobytes()
        inside = np.arange(png.height)[rows]
        inside = inside[(inside >= first) & (inside < first + height)] - first
        if inside.size:
            yield _columns(png, raw[inside], columns)


def _unpacked(stream: IO[bytes], png: Png, size: int) -> Iterator[bytes]:
    """Yield the filtered rows, a number of bytes at a time, and what is left at the end."""
    inflate, held = zlib.decompressobj(), bytearray()
    for block in _packed(stream, png):
        while block and not inflate.eof:
            held += inflate.decompress(block, size - len(held))
            block = inflate.unconsumed_tail
            if len(held) == size:
                yield bytes(held)
                held.clear()
        if inflate.eof:
            break
    yield bytes(held)


def _unfiltered(png: Png, before: bytes, filtered: bytes, height: int) -> np.ndarray:
    """Return the bytes of rows, (height, row_bytes); the row `before` them is not filtered.

    Filters are about bytes, whatever these mean, so Pillow may take them for 8-bit channels.
    """
    packed = zlib.compress(b"\0" + before + filtered, 0)
    mode = MODES[png.pixel_bytes]
    size = (png.row_bytes // png.pixel_bytes, height + 1)
    image = Image.frombytes(mode, size, packed, "zip", (mode, 0))
    return np.asarray(image).reshape(height + 1, png.row_bytes)[1:]


def _columns(png: Png, raw: np.ndarray, columns: slice) -> np.ndarray:
    """Return the bytes of some columns of rows."""
    height = len(raw)
    if png.depth >= 8:
        return raw.reshape(height, png.width, -1)[:, columns].reshape(height, -1)
    bits = np.unpackbits(raw, axis=1)[:, : png.width * png.depth]
    taken = bits.reshape(height, png.width, png.depth)[:, columns]
    return np.packbits(taken.reshape(height, -1), axis=1)
