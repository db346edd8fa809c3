"""Pictures: whatever Pillow opens except TIFF.  Colour becomes luminance, pages a volume.

For labels a palette picture yields its indices, and any other colour an id (`colour.py`).

Pillow widens and narrows what is stored, for display.  Here the dtype of the file is restored,
and what is lost is noted.
"""

import warnings
from typing import IO, Any

import numpy as np
from PIL import Image

from pytopo.images.readers.address import Address, Stored, decoding, refuse_member, shown
from pytopo.images.readers.colour import (
    NO_ALPHA,
    REDUCED,
    alpha_note,
    colour_ids,
    label_alpha_notes,
    luminance_note,
    mask_in_colour_notes,
)
from pytopo.images.readers.foreign import by_ending
from pytopo.images.readers.memory import (
    refuse_many_pixels,
    refuse_unpacking,
    too_many_pixels,
)
from pytopo.images.readers.part import Part, bounded, checked_part, pick_per_axis, shape_of
from pytopo.images.readers.png_part import SIGNATURE, png_part, small_png

LOSSY = "JPEG blurs what it stores: next to an edge there may be values that are no labels"
ANIMATED = ("GIF", "PNG", "WEBP", "AVIF", "FLI")
WITH_ALPHA = ("LA", "La", "PA", "RGBA", "RGBa")


def read_picture(address: Address, labels: bool = False) -> Stored:
    """Read a picture, or the pages of one; it has no members.

    For `labels` colour becomes ids and not luminance.
    """
    # A stream and not a name: a file with a name Pillow may map into memory, and then it
    # scrambles TIFFs that have an orientation.
    with open(address.file, "rb") as stream:
        taken = png_part(address, stream)
        if taken is not None:
            refuse_member(address, "PNG file")
            return _part_pixels(address, small_png(address, stream, *taken), taken[0], labels)
    with open(address.file, "rb") as stream, _opened(address, stream) as page:
        refuse_member(address, f"{page.format} file")
        count = _page_count(address, page)
        if count > 1:
            part, pixels, notes = _stack(address, page, count, labels)
        else:
            pixels, notes = _page_pixels(address, page, labels)
            part = checked_part(address, pixels.shape[:2], pixels.dtype)
            pixels = pixels[part]
    return _with_ids(pixels, part, notes)


def _part_pixels(address: Address, small: IO[bytes], part: Part, labels: bool) -> Stored:
    """Read a part of a PNG from a small one that holds just that."""
    with _opened(address, small) as page:
        pixels, notes = _page_pixels(address, page, labels)
    indexed = tuple(slice(None) if isinstance(pick, slice) else 0 for pick in part)
    return _with_ids(pixels[indexed], part, notes)


def _with_ids(pixels: np.ndarray, part: Part, notes: tuple[str, ...]) -> Stored:
    """Return one number for each pixel: of labels in colour, which have an axis more, ids."""
    if pixels.ndim == len(shape_of(part)):
        return pixels, notes
    ids, more_notes = colour_ids(pixels)
    return ids, more_notes + notes


def picture_shape(address: Address) -> tuple[int, ...]:
    """Return the shape of what `read_picture` reads, without decoding it."""
    with open(address.file, "rb") as stream:
        taken = png_part(address, stream)
        if taken is not None:
            refuse_member(address, "PNG file")
            return shape_of(taken[0])
    with open(address.file, "rb") as stream, _opened(address, stream) as page:
        refuse_member(address, f"{page.format} file")
        count = _page_count(address, page)
        shape = (*((count,) if count > 1 else ()), page.height, page.width)
        return shape_of(checked_part(address, shape, np.dtype("uint8")))


def _page_count(address: Address, page: Image.Image) -> int:
    with decoding(address, "picture"):
        # The layers of a PSD are not pages: Pillow opens it on the composite.  Nor are the gain
        # map or the second view of a photograph (MPO).
        return 1 if page.format in ("PSD", "MPO") else getattr(page, "n_frames", 1)


def _opened(address: Address, stream: IO[bytes]) -> Image.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            page = Image.open(stream)
    except Image.DecompressionBombError:
        stream.seek(0)
        is_png = stream.read(len(SIGNATURE)) == SIGNATURE
        raise too_many_pixels(address, Image.MAX_IMAGE_PIXELS, is_png) from None
    except MemoryError:
        raise
    except Exception:
        raise by_ending(address) or _unreadable(address, stream) from None
    if page.format in ("EPS", "WMF", "EMF"):  # to draw it, Pillow would start a program
        raise address.refusal(f"a drawing ({page.format}), not pixels; save it as PNG")
    return page


def _unreadable(address: Address, stream: IO[bytes]) -> Exception:
    """Return the refusal of what Pillow cannot open: damaged, or not a picture at all."""
    stream.seek(0)
    head = stream.read(16).ljust(16, b"\0")
    for name, (_, accept) in Image.OPEN.items():
        if accept is not None and accept(head) is True:  # a text names what Pillow lacks
            return address.refusal(f"damaged, or not a readable {name} file")
    return address.refusal(
        "not supported: no picture of a kind that Pillow reads, by its first bytes; expected "
        "PNG, JPEG, TIFF or another picture, .npy, .npz or HDF5"
    )


# ---- pages -------------------------------------------------------------------------------


def _stack(
    address: Address, page: Image.Image, count: int, labels: bool
) -> tuple[Part, np.ndarray, tuple[str, ...]]:
    """Read the part of a file of several pages: of a volume, or of a single page."""
    first = bounded(address, pick_per_axis(address, 3)[0], 0, count)
    if isinstance(first, slice):
        first = first.start % count  # an empty slice may start at `count`
    pixels, notes = _page_pixels(address, page, labels, first)
    part = checked_part(address, (count, *pixels.shape[:2]), pixels.dtype)
    if isinstance(part[0], int):
        return part, pixels[part[1:]], notes
    refuse_unpacking(address, shape_of(part), pixels.dtype)

    if page.format in ANIMATED:
        notes = (f"frames of a {page.format} animation taken for planes", *notes)
    kind = _kind(page, pixels)
    stack = np.empty((*shape_of(part), *pixels.shape[2:]), pixels.dtype)
    for k, number in enumerate(range(count)[part[0]]):
        if number != first:
            pixels, more_notes = _page_pixels(address, page, labels, number)
            notes = tuple(dict.fromkeys(notes + more_notes))  # each sentence once
        if _kind(page, pixels) != kind:
            raise address.refusal(
                f"page {first} is {kind}, page {number} is {_kind(page, pixels)}; expected "
                f"pages of one size and mode, take one page, like {address.file}[{first}]"
            )
        stack[k] = pixels[part[1:]]
    return part, stack, notes


def _kind(page: Image.Image, pixels: np.ndarray) -> str:
    """Return shape, mode and dtype as text.  In a GIF the mode may differ between frames."""
    mode = "GIF" if page.format == "GIF" else page.mode
    return f"{shown(pixels.shape)} {mode} {pixels.dtype}"


def _page_pixels(
    address: Address, page: Image.Image, labels: bool, number: int | None = None
) -> Stored:
    """Read a page as stored, (H, W), colour turned to luminance; colour of labels (H, W, 3)."""
    with decoding(address, "picture"):
        if number is not None:
            page.seek(number)
    is_png = page.format == "PNG"
    refuse_many_pixels(address, page.width, page.height, Image.MAX_IMAGE_PIXELS, is_png)
    if labels and page.format == "PNG" and page.mode == "RGBA" and _bits(address, page) > 8:
        _refuse_grey_of_16_bits(address, page)
    with decoding(address, "picture"):
        if labels:
            return _label_pixels(address, page)
        stretched = _stretched_notes(page)
        return _stored_pixels(page), (*stretched, *_page_notes(address, page))


# ---- pixels: grey, of the dtype and orientation of the file ------------------------------


def _stored_pixels(page: Image.Image) -> np.ndarray:
    page.load()
    return np.asarray(_luminance(page)).astype(_stored_dtype(page))


def _label_pixels(address: Address, page: Image.Image) -> Stored:
    """Read the labels of a page: grey and palette indices (H, W), colour (H, W, 3)."""
    greatest = _greatest(page)
    page.load()
    notes = (LOSSY,) if page.format == "JPEG" else ()
    if _is_grey(page):
        pixels = np.asarray(page).astype(_stored_dtype(page))
        if greatest is not None:  # undo the stretching by Pillow
            top = 255 if greatest <= 255 else 65535
            pixels = np.rint(pixels * (greatest / top)).astype(pixels.dtype)
        return pixels, notes
    several = page.format == "GIF" and getattr(page, "n_frames", 1) > 1
    if page.mode == "P" and not several:  # Pillow paints later frames on the first
        return np.asarray(page), ()
    if page.format == "PNG" and _bits(address, page) > 8:
        channels = _sixteen_bits(address, page)
        alpha = label_alpha_notes(channels, channels[..., 3]) if page.mode == "RGBA" else ()
        return channels[..., :3], alpha
    if page.mode not in WITH_ALPHA:
        return np.asarray(page.convert("RGB")), notes
    colour, alpha_channel = _parted(page)
    return colour, label_alpha_notes(colour, alpha_channel)


def _sixteen_bits(address: Address, page: Image.Image) -> np.ndarray:
    """Read all bits of a PNG of 16 bits per channel, (H, W, C).

    Pillow keeps the upper of two bytes, and the lower one if the byte order is swapped.
    """
    with Image.open(address.file) as swapped:
        tiles = [(*tile[:3], tile[3].replace(";16B", ";16L")) for tile in _tiles(swapped)]
        setattr(swapped, "tile", tiles)  # noqa: B010
        lower = np.asarray(swapped)
    return np.asarray(page).astype(np.uint16) << 8 | lower


def _refuse_grey_of_16_bits(address: Address, page: Image.Image) -> None:
    if any("LA" in str(tile[3]) for tile in _tiles(page)):
        raise address.refusal(
            "not supported: labels in grey and alpha of 16 bits, of which Pillow reads 8; save "
            "them without alpha"
        )


def _greatest(page: Image.Image) -> int | None:
    """Return the greatest value of a PGM or PPM, if Pillow stretches it to 8 or 16 bits."""
    for codec, _, _, args in _tiles(page) if page.format == "PPM" else []:
        if codec in ("ppm", "ppm_plain") and isinstance(args, tuple):
            greatest = args[-1]
            if isinstance(greatest, int) and greatest not in (255, 65535):
                return greatest
    return None


def _tiles(page: Image.Image) -> list[Any]:
    """Return what Pillow will decode: codec, box, offset, arguments; nothing once loaded."""
    return getattr(page, "tile", [])


def _parted(page: Image.Image) -> tuple[np.ndarray, np.ndarray]:
    """Return colour (H, W, 3), or grey or index (H, W), and alpha (H, W)."""
    channels = np.asarray(page.convert({"La": "LA", "RGBa": "RGBA"}.get(page.mode, page.mode)))
    colour = channels[..., :-1]
    return colour if colour.shape[-1] == 3 else colour[..., 0], channels[..., -1]


def _is_grey(page: Image.Image) -> bool:
    return page.mode in ("1", "L", "F") or page.mode.startswith("I")  # I;16, I;16B, ...


def _luminance(page: Image.Image) -> Image.Image:
    if page.mode == "LAB":
        return page.getchannel("L")
    if page.mode == "La":  # multiplied by its alpha
        page = page.convert("LA")
    return page if _is_grey(page) else page.convert("L")


def _stored_dtype(page: Image.Image) -> np.dtype:
    """Return the dtype of the file: Pillow widens some integers."""
    if page.mode == "1":
        return np.dtype("bool")
    if page.mode == "F":
        return np.dtype("float32")
    if page.mode == "I" and page.format not in ("PNG", "PPM"):
        return np.dtype("int32")
    return np.dtype("uint16" if page.mode.startswith("I") else "uint8")


# ---- notes -------------------------------------------------------------------------------


def _stretched_notes(page: Image.Image) -> tuple[str, ...]:
    greatest = _greatest(page)
    if greatest is None:
        return ()
    top = 255 if greatest <= 255 else 65535
    return (f"values of 0 to {greatest} (maxval) stretched to 0 to {top}",)


def _page_notes(address: Address, page: Image.Image) -> tuple[str, ...]:
    notes = []
    is_colour = not (_is_grey(page) or page.mode in ("LA", "La"))
    if is_colour:
        colour = {"P": "palette", "PA": "palette", "RGBA": "RGB"}.get(page.mode, page.mode)
        notes.append(luminance_note(colour))
    if is_colour and page.mode != "LAB":
        notes.extend(mask_in_colour_notes(np.asarray(page.convert("RGB"))))
    if page.mode in WITH_ALPHA:
        notes.append(alpha_note(*_parted(page)))
    elif "transparency" in page.info:
        notes.append(NO_ALPHA)
    if is_colour and _bits(address, page) > 8:
        notes.append(REDUCED)
    return tuple(notes)


def _bits(address: Address, page: Image.Image) -> int:
    """Return the bits per channel in the file, which Pillow's mode does not say for a PNG."""
    if page.format == "PNG":
        with open(address.file, "rb") as stream:
            return stream.read(25)[24]
    return 8
