"""Pictures: whatever Pillow opens.  Colour becomes luminance, several pages a volume.

Pillow turns, widens and narrows what is stored, to suit those who look at pictures.  Here
the dtype and the orientation of the file are brought back, and what is lost is noted.
"""

import warnings
from collections.abc import Callable
from typing import IO

import numpy as np
from PIL import Image

from pytopo.readers.address import (
    Address,
    Stored,
    bounded,
    checked_part,
    decoding,
    pick_per_axis,
    refuse_member,
    shape_of,
    shown,
)

BITS, ORIENTATION, SAMPLE_FORMAT = 258, 274, 339  # tags of a TIFF
SIGNED = 2  # a sample format


def read_picture(address: Address) -> Stored:
    """Read a picture, or the pages of one; it has no members."""
    # A stream and not a name: files that Pillow may map into memory, it scrambles if they
    # are TIFFs with an orientation.
    with open(address.file, "rb") as stream, _opened(address, stream) as page:
        refuse_member(address, f"{page.format} file")
        with decoding(address, "picture"):
            # A layer of a drawing is no page: Pillow opens such a file on the composite.
            count = 1 if page.format == "PSD" else getattr(page, "n_frames", 1)
        if count > 1:
            return _stack(address, page, count)
        pixels, notes = _page_pixels(address, page)
        return pixels[checked_part(address, pixels.shape, pixels.dtype)], notes


def _opened(address: Address, stream: IO[bytes]) -> Image.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            page = Image.open(stream)
    except Image.DecompressionBombError:
        raise _too_many_pixels(address) from None
    except MemoryError:
        raise
    except Exception:
        raise address.refusal(
            "damaged, or of a kind that Pillow cannot read; wanted PNG, JPEG, TIFF or "
            "another picture, .npy, .npz or HDF5"
        ) from None
    if page.format in ("EPS", "WMF", "EMF"):  # to draw it, Pillow would start a program
        raise address.refusal(f"a drawing ({page.format}), not pixels; save it as PNG")
    return page


# ---- pages -------------------------------------------------------------------------------


def _stack(address: Address, page: Image.Image, count: int) -> Stored:
    """The part of a file of several pages: a volume, or of a single page."""
    first = bounded(address, pick_per_axis(address, 3)[0], 0, count)
    if isinstance(first, slice):
        first = first.start % count  # the start of an empty slice may be `count`
    pixels, notes = _page_pixels(address, page, first)
    part = checked_part(address, (count, *pixels.shape), pixels.dtype)
    if isinstance(part[0], int):
        return pixels[part[1:]], notes

    kind = _kind(page, pixels)
    stack = np.empty(shape_of(part), pixels.dtype)
    for k, number in enumerate(range(count)[part[0]]):
        if number != first:
            pixels, more_notes = _page_pixels(address, page, number)
            notes = tuple(dict.fromkeys(notes + more_notes))  # each sentence once
        if _kind(page, pixels) != kind:
            raise address.refusal(
                f"page {first} is {kind}, page {number} is {_kind(page, pixels)}; wanted "
                f"pages of one size and mode, take one page, like {address.file}[{first}]"
            )
        stack[k] = pixels[part[1:]]
    return stack, notes


def _kind(page: Image.Image, pixels: np.ndarray) -> str:
    """Shape, mode and dtype.  In a GIF the mode changes with what a frame leaves as it was."""
    mode = "GIF" if page.format == "GIF" else page.mode
    return f"{shown(pixels.shape)} {mode} {pixels.dtype}"


def _page_pixels(address: Address, page: Image.Image, number: int | None = None) -> Stored:
    """One page as stored, (H, W); colour is turned to luminance."""
    with decoding(address, "picture"):
        if number is not None:
            page.seek(number)
    _refuse_bomb(address, page)
    with decoding(address, "picture"):
        return _stored_pixels(page), _page_notes(address, page)


def _refuse_bomb(address: Address, page: Image.Image) -> None:
    limit = Image.MAX_IMAGE_PIXELS
    if limit is not None and page.width * page.height > limit:
        raise _too_many_pixels(address)


def _too_many_pixels(address: Address) -> Exception:
    return address.refusal(
        f"more than {Image.MAX_IMAGE_PIXELS} pixels, Pillow's limit against decompression "
        "bombs; if you trust the file, raise PIL.Image.MAX_IMAGE_PIXELS, or save it as .npy "
        "or HDF5"
    )


# ---- pixels: grey, of the dtype and orientation of the file ------------------------------


def _stored_pixels(page: Image.Image) -> np.ndarray:
    turn = page.getexif().get(ORIENTATION) if page.format == "TIFF" else None
    page.load()
    pixels = np.asarray(_luminance(page)).astype(_stored_dtype(page))
    return TURN_BACK[turn](pixels) if turn in TURN_BACK else pixels


# By orientation, what undoes the turn that Pillow gives to a TIFF, and to nothing else.
TURN_BACK: dict[int | None, Callable[[np.ndarray], np.ndarray]] = {
    2: np.fliplr,
    3: lambda pixels: np.rot90(pixels, 2),
    4: np.flipud,
    5: np.transpose,
    6: np.rot90,
    7: lambda pixels: np.rot90(pixels, 2).T,
    8: lambda pixels: np.rot90(pixels, -1),
}


def _is_grey(page: Image.Image) -> bool:
    return page.mode in ("1", "L", "F") or page.mode.startswith("I")  # I;16, I;16B, ...


def _luminance(page: Image.Image) -> Image.Image:
    if page.mode == "LAB":
        return page.getchannel("L")
    if page.mode == "La":  # multiplied by its alpha
        page = page.convert("LA")
    return page if _is_grey(page) else page.convert("L")


def _stored_dtype(page: Image.Image) -> np.dtype:
    """The dtype that the file means: Pillow widens some integers, reads others unsigned."""
    tags = getattr(page, "tag_v2", {})
    sign = "int" if tags.get(SAMPLE_FORMAT, (1,))[0] == SIGNED else "uint"
    if page.mode == "1":
        return np.dtype("bool")
    if page.mode == "F":
        return np.dtype("float32")
    if page.mode == "I" and tags:
        return np.dtype(f"{sign}{tags[BITS][0]}")
    if page.mode == "I" and page.format not in ("PNG", "PPM"):
        return np.dtype("int32")
    if page.mode.startswith("I"):
        return np.dtype("uint16")
    return np.dtype("int8" if page.mode == "L" and sign == "int" else "uint8")


# ---- notes -------------------------------------------------------------------------------


def _page_notes(address: Address, page: Image.Image) -> tuple[str, ...]:
    notes = []
    is_colour = not (_is_grey(page) or page.mode in ("LA", "La"))
    if page.mode == "LAB":
        notes.append("LAB colour turned to its lightness")
    elif is_colour:
        colour = {"P": "palette", "PA": "palette", "RGBA": "RGB"}.get(page.mode, page.mode)
        notes.append(f"{colour} colour turned to luminance (ITU-R 601)")
    if page.mode in ("LA", "La", "PA", "RGBA") or "transparency" in page.info:
        notes.append("alpha channel dropped")
    if is_colour and _bits(address, page) > 8:
        notes.append("16 bits per channel reduced to 8 by Pillow")
    return tuple(notes)


def _bits(address: Address, page: Image.Image) -> int:
    """Bits per channel in the file, where Pillow's mode does not tell."""
    if page.format == "PNG":
        with open(address.file, "rb") as stream:
            return stream.read(25)[24]
    return max(getattr(page, "tag_v2", {}).get(BITS, (8,)))
