"""Whether an image fits into memory: what a file claims, compared with what there is.

    shape, dtype, scaling -> bytes needed -> more than the machine has: refused
                                          -> a thousand times the size of the file: refused

A small file can claim an enormous image; it is refused before anything is unpacked.  Who trusts
the file allows more by `allowing`.
"""

import math
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from pytopo.images.readers.address import Address, shown

SMALL_ENOUGH = 2**31  # bytes that any file may take, scaling included
MOST_PACKED = 1000  # times that compression makes an image smaller; more is suspicious
LIMITS = (  # of the memory of a container, by control groups of version 2 and 1
    "/sys/fs/cgroup/memory.max",
    "/sys/fs/cgroup/memory/memory.limit_in_bytes",
)
USED = (  # what a container uses, and which of it are files that it could let go
    ("/sys/fs/cgroup/memory.current", "/sys/fs/cgroup/memory.stat"),
    ("/sys/fs/cgroup/memory/memory.usage_in_bytes", "/sys/fs/cgroup/memory/memory.stat"),
)
FREE = "/proc/meminfo"
PIXEL_BYTES = 4  # that Pillow takes for a pixel, at most
PIXEL_ADVICE = "raise PIL.Image.MAX_IMAGE_PIXELS"

_allowed: int | None = None  # bytes, instead of what there is


@contextmanager
def allowing(size: int | None) -> Iterator[None]:
    """Let images take a number of bytes of memory, also what would be refused as suspicious.

    Parameters
    ----------
    size : int or None
        None changes nothing.
    """
    global _allowed
    if size is None:
        yield
        return
    from PIL import Image

    before, _allowed = (_allowed, Image.MAX_IMAGE_PIXELS), size
    Image.MAX_IMAGE_PIXELS = size // PIXEL_BYTES
    try:
        yield
    finally:
        _allowed, Image.MAX_IMAGE_PIXELS = before


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


def refuse_many_pixels(
    address: Address, width: int, height: int, limit: int | None, window: bool = False
) -> None:
    """Refuse a picture of more pixels than Pillow's limit; None is no limit.

    With `window` the advice is to read a window, which is counted by itself.
    """
    if limit is not None and width * height > limit:
        raise too_many_pixels(address, limit, window)


def too_many_pixels(address: Address, limit: int | None, window: bool = False) -> Exception:
    """Return the refusal of a picture of more pixels than Pillow's limit."""
    advice = f"take a window, like {address.unsliced}[0:4096, 0:4096], or " if window else ""
    return address.refusal(
        f"more than {limit} pixels, Pillow's limit against decompression bombs; {advice}if you "
        f"trust the file, {PIXEL_ADVICE}, or save it as .npy or HDF5"
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
    if (
        _allowed is None
        and needed > SMALL_ENOUGH
        and count * dtype.itemsize > MOST_PACKED * packed
    ):
        raise address.refusal(
            f"claims shape {shown(shape)} of {dtype}, which takes {needed / 1e9:.1f} GB, in a "
            f"file of {packed} bytes; if you trust it, {advice}"
        )


def machine_memory() -> int:
    """Return the bytes of memory of this machine or container; unlimited if unknown."""
    if _allowed is not None:
        return _allowed
    try:
        least = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        least = 2**63
    return min([least, *filter(None, map(_number, LIMITS))])


def free_memory() -> int:
    """Return the bytes of memory that are free, in this machine and in its container.

    What only keeps files at hand counts as free.  Where the system does not say, it is all of
    the memory.
    """
    total = machine_memory()
    if _allowed is not None:
        return total
    free = [total]
    if (available := _entry(FREE, "MemAvailable:")) is not None:
        free.append(1024 * available)
    for limit, (used, files) in zip(LIMITS, USED):
        most, taken = _number(limit), _number(used)
        if most is not None and taken is not None:
            free.append(most - taken + (_entry(files, "inactive_file") or 0))
    return max(0, min(free))


def _number(path: str) -> int | None:
    """Return the number that a file of the system holds, None if it is not there or "max"."""
    try:
        with open(path, encoding="ascii") as stream:
            return int(stream.read())
    except (OSError, ValueError):
        return None


def _entry(path: str, name: str) -> int | None:
    """Return the number behind a name in a file of the system."""
    try:
        with open(path, encoding="ascii") as stream:
            for line in stream:
                if line.startswith(f"{name} "):
                    return int(line.split()[1])
    except (OSError, ValueError, IndexError):
        pass
    return None
