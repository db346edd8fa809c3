"""The values of one page of a TIFF, as stored.

tifffile decodes a page.  What it cannot unpack without the package imagecodecs (LZW, JPEG, fax)
goes through Pillow.  Pillow inverts, turns and widens what is stored, and here that is undone.
"""

import math
import os
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from pytopo.images.readers.address import Address, decoding
from pytopo.images.readers.memory import refuse_many_pixels, too_many_pixels
from pytopo.images.readers.tiff_axes import JPEG, OpenTiff

YCBCR = 6  # a photometric interpretation


def page_values(address: Address, file: OpenTiff, page: Any) -> np.ndarray:
    """Return the values of a page as stored, flat or in the shape of the page."""
    with decoding(address, "TIFF file"):
        stored, claimed = len(page.dataoffsets), math.prod(page.keyframe.chunked)
        if stored < claimed and not page.keyframe.is_contiguous:
            raise ValueError(f"{stored} strips or tiles are there, {claimed} are claimed")
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
    """Return whether an error means that tifffile lacks something, rather than the file."""
    words = ("imagecodecs", "subsampling", "not supported", "not a known", "not implemented")
    return isinstance(err, ImportError) or any(word in str(err) for word in words)


# ---- pages that need Pillow --------------------------------------------------------------


def _values_by_pillow(address: Address, file: OpenTiff, page: Any) -> np.ndarray:
    """Return the values of a page as stored, if Pillow can decode them."""
    key = page.keyframe
    name = getattr(key.compression, "name", key.compression)
    held = (
        f"compression {name}" if key.compression != 1 else f"{key.bitspersample} bits per pixel"
    )
    lack = address.refusal(
        f"not supported: a TIFF of {held}, {key.dtype}, which needs the package imagecodecs; "
        "pip install imagecodecs, or save it without compression as 8, 16, 32 or 64 bits"
    )
    if len(page.treeindex) > 1:  # a page of lower resolution, which Pillow does not find
        raise lack
    from PIL import Image

    limit = Image.MAX_IMAGE_PIXELS
    refuse_many_pixels(address, key.imagewidth, key.imagelength, limit)
    try:
        with _silent_stderr(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            picture = file.picture
            picture.seek(page.index)
            turn = picture.getexif().get(274)
            picture.load()
            # libtiff turns YCbCr to RGB whatever the compression, tifffile only for JPEG.
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
    """Undo what Pillow did to the values; None if that is impossible."""
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


# What undoes the turn that Pillow applies to a TIFF, and only to a TIFF, by orientation.
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
    """Discard what libtiff itself writes on the standard error."""
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
