"""How much memory a diagram takes, compared with what is free, before the work.

    pixels x bytes a pixel -> more than is free, or than --memory allows: one line

Without that, the system would kill the process half-way.  The bytes are those of noise, which
has most points; `pytopo bench memory` prints them.
"""

import argparse
import math
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pytopo.cli.report import InputError

if TYPE_CHECKING:
    import numpy as np

# Bytes a pixel at the peak, for keys of 32 and of 64 bits, by axes; volumes on one thread and
# on several.
BYTES = {1: (56, 76), 2: (40, 44), 3: (80, 86)}
BYTES_THREADS = {**BYTES, 3: (112, 118)}
# Tile by tile: of a process by itself, of a pixel on the longest borders (branches and their
# copies), and the points of a pixel of noise, to be put in order.
BASE, BORDER, POINTS = 250 * 10**6, 200, 36
PART = {1: 10**6, 2: 10**3, 3: 10**2}  # a side of a part that fits into any memory
UNITS = {"": 1, "M": 10**6, "G": 10**9, "T": 10**12}


def add_memory(parser: argparse.ArgumentParser) -> None:
    """Add the option that says how much memory may be taken."""
    parser.add_argument_group("large images").add_argument(
        "--memory", type=size, metavar="SIZE",
        help="how much memory to allow, like 16G (default: what is free, and pictures of up "
        "to 89 million pixels)",
    )  # fmt: skip


def size(text: str) -> int:
    """Parse a number of bytes, as in ``16G``.

    Examples
    --------
    >>> size("1.5G"), size("500M")
    (1500000000, 500000000)
    """
    found = re.fullmatch(r"([0-9]{1,12}(?:\.[0-9]{1,6})?)([MGT]?)B?", text.upper())
    if not found or float(found[1]) == 0:
        raise argparse.ArgumentTypeError(f"{text!r}; expected a size, like 500M or 16G")
    return int(float(found[1]) * UNITS[found[2]])


@contextmanager
def allowed_memory(args: argparse.Namespace) -> Iterator[None]:
    """Allow what ``--memory`` says, and name that option where pixels are refused.

    A command that has no such option is left as it is.
    """
    if not hasattr(args, "memory"):
        yield
        return
    from pytopo.images.readers.memory import PIXEL_ADVICE, allowing

    with allowing(args.memory):
        try:
            yield
        except InputError as error:
            text = str(error).replace(PIXEL_ADVICE, "allow more by --memory, like --memory 8G")
            raise InputError(text) from None


def diagram_bytes(shape: Sequence[int], key_bytes: int, threads: int | None) -> int:
    """Return how many bytes the diagram of an image takes at its peak, beside the image.

    Parameters
    ----------
    shape : sequence of 1 to 3 int
    key_bytes : {4, 8}
        Floats of 64 bits and integers of more than 16 have keys of 8 bytes, all others of 4.
    threads : int or None
        None for as many as there are cores.
    """
    table = BYTES if threads == 1 else BYTES_THREADS
    return math.prod(shape) * table[len(shape)][key_bytes == 8]


def key_bytes_of(dtype: "np.dtype") -> int:
    """Return the bytes of a key of an image of this dtype."""
    return 8 if dtype.itemsize == 8 or (dtype.kind in "iu" and dtype.itemsize > 2) else 4


def check_memory(
    path: str, shape: Sequence[int], key_bytes: int = 4, threads: int | None = None
) -> None:
    """Refuse an image whose diagram would not fit into memory.

    Parameters
    ----------
    path : str
        Its address.
    shape, key_bytes, threads
        As of `diagram_bytes`.
    """
    from pytopo.images.readers.memory import free_memory

    needed, free = diagram_bytes(shape, key_bytes, threads), free_memory()
    if needed <= free:
        return
    raise InputError(
        f"{path}: the diagram of {' x '.join(map(str, shape))} pixels may take "
        f"{gigabytes(needed)}, and {gigabytes(free)} of memory are left; take a "
        f"{_part(path, shape)}, or allow more by --memory {math.ceil(needed / 1e9)}G"
    )


def gigabytes(count: int) -> str:
    """Return a number of bytes as text."""
    return f"{count / 1e9:.1f} GB" if count >= 10**8 else f"{count / 1e6:.0f} MB"


def _part(path: str, shape: Sequence[int]) -> str:
    if path.endswith("]"):
        return "smaller part"
    sides = ", ".join(f"0:{min(length, PART[len(shape)])}" for length in shape)
    return f"part, like '{path}[{sides}]'"


# ---- tile by tile ------------------------------------------------------------------------


def tile_side(shape: Sequence[int], chunks: Sequence[int], asked: int | None) -> int:
    """Return the side of tiles: about the default, in whole blocks of the file.

    Parameters
    ----------
    shape : sequence of int
    chunks : sequence of int
        Sides of the blocks in which the file is stored.
    asked : int or None
        By the command line.

    Examples
    --------
    >>> tile_side((10**5, 10**5), (500, 500), None), tile_side((10**5, 10**5), (1, 1), 300)
    (2000, 300)
    """
    from pytopo.large.loop import TILE, TILE_3D

    if asked is not None:
        return asked
    side = TILE if len(shape) == 2 else TILE_3D
    block = max(chunks)
    return side // block * block or side


def check_tiles(
    path: str, shape: Sequence[int], dtype: "np.dtype", side: int, workers: int | None
) -> None:
    """Print how much memory the tiles take, and refuse what would not fit.

    Parameters
    ----------
    path : str
    shape, dtype
        Of the image.
    side : int
        Of a tile.
    workers : int or None
        Processes on this machine; None for this one, or for those of a cluster.
    """
    from pytopo.cli.report import reporting_errors, say
    from pytopo.images.readers.memory import free_memory
    from pytopo.large.loop import tile_side as checked_side

    with reporting_errors(path):
        checked_side(side, tuple(shape))
    tile = [min(side, n) for n in shape]
    of_tile = diagram_bytes(tile, key_bytes_of(dtype), 1) + math.prod(tile) * dtype.itemsize
    of_borders = BORDER * sum(math.prod(shape) // n for n in shape)
    needed, free = BASE + of_tile + of_borders, free_memory()
    count = math.prod(-(-n // side) for n in shape)
    each = "" if workers is None else " in each process"
    say(
        f"{path}: {' x '.join(map(str, shape))} pixels in {count} tile{'s' * (count > 1)} of "
        f"{' x '.join(map(str, tile))}, which take up to {gigabytes(needed)}{each}, points "
        f"apart"
    )
    total = needed * (workers or 1)
    if total > free:
        raise InputError(
            f"{path}: tiles of {side} pixels a side take {gigabytes(total)}, and "
            f"{gigabytes(free)} of memory are left; take smaller --chunks"
            + (", or fewer --workers" if workers else "")
        )


def check_points(path: str, shape: Sequence[int]) -> bool:
    """Return whether the points of an image fit into half of the memory, even of noise."""
    from pytopo.images.readers.memory import free_memory

    return math.prod(shape) * POINTS <= free_memory() // 2
