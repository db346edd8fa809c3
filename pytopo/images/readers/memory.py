"""Whether an image fits into memory: what a file claims, compared with what there is.

    shape, dtype, scaling -> bytes needed -> more than the machine has: refused
                                          -> a thousand times the size of the file: refused

A small file can claim an enormous image; it is refused before anything is unpacked.
"""

import math
import os
from collections.abc import Sequence

import numpy as np

from pytopo.images.readers.address import Address, shown

SMALL_ENOUGH = 2**31  # bytes that any file may take, scaling included
MOST_PACKED = 1000  # times that compression makes an image smaller; more is suspicious
LIMITS = (  # of the memory of a container, by control groups of version 2 and 1
    "/sys/fs/cgroup/memory.max",
    "/sys/fs/cgroup/memory/memory.limit_in_bytes",
)


def fits(address: Address, shape: Sequence[int], dtype: np.dtype) -> bool:
    """Return whether an array fits into memory, with the floats that scaling makes of it."""
    return math.prod(shape) * _bytes_needed(address, dtype) <= machine_memory()


def refuse_giant(address: Address, shape: Sequence[int], dtype: np.dtype, advice: str) -> None:
    """Refuse what does not fit into memory, before any of it is allocated."""
    if fits(address, shape, dtype):
        return
    needed = _bytes_needed(address, dtype)
    size = math.prod(shape) * needed / 1e9
    scaled = " and its scaling" if needed > dtype.itemsize else ""
    raise address.refusal(
        f"shape {shown(shape)} of {dtype}{scaled} is {size:.1f} GB, more than this "
        f"machine's {machine_memory() / 1e9:.1f} GB of memory; {advice}"
    )


def _bytes_needed(address: Address, dtype: np.dtype) -> int:
    """Return the bytes that a value takes: as stored, and as the float that it is scaled to."""
    if not address.scaled or dtype.kind == "f":
        return dtype.itemsize
    if dtype.itemsize == 8:  # sorted as well, to check that no two become equal
        return 3 * dtype.itemsize
    return dtype.itemsize + (4 if dtype.itemsize <= 2 else 8)


def refuse_many_pixels(address: Address, width: int, height: int, limit: int | None) -> None:
    """Refuse a picture of more pixels than Pillow's limit; None is no limit."""
    if limit is not None and width * height > limit:
        raise too_many_pixels(address, limit)


def too_many_pixels(address: Address, limit: int | None) -> Exception:
    """Return the refusal of a picture of more pixels than Pillow's limit."""
    return address.refusal(
        f"more than {limit} pixels, Pillow's limit against decompression bombs; if you trust "
        "the file, raise PIL.Image.MAX_IMAGE_PIXELS, or save it as .npy or HDF5"
    )


def refuse_unpacking(
    address: Address,
    shape: Sequence[int],
    dtype: np.dtype,
    advice: str = "save it as .npy or HDF5 and take a part",
) -> None:
    """Refuse a small file that claims a huge image."""
    packed, count = os.path.getsize(address.file), math.prod(shape)
    needed = count * _bytes_needed(address, dtype)
    if needed > SMALL_ENOUGH and count * dtype.itemsize > MOST_PACKED * packed:
        raise address.refusal(
            f"claims shape {shown(shape)} of {dtype}, which takes {needed / 1e9:.1f} GB, in a "
            f"file of {packed} bytes; if you trust it, {advice}"
        )


def machine_memory() -> int:
    """Return the bytes of memory of this machine or container; unlimited if unknown."""
    try:
        least = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        least = 2**63
    for limit in LIMITS:
        try:
            with open(limit, encoding="ascii") as stream:
                least = min(least, int(stream.read()))
        except (OSError, ValueError):  # not there, or "max"
            continue
    return least
