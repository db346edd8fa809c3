"""What `pytopo predict` writes: one block after the other, to a file that appears when whole.

blocks, from top to bottom of each section -> .h5, .zarr     a few rows of chunks at a time
                                           -> .tif, .png     a section at a time
"""

import argparse
import math
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from pytopo.cli.report import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

CHUNK = 256  # rows and columns
CHUNK_ZARR = 1024  # of a store, in which each chunk is a file
TIFF_MOST = 4_000_000_000  # bytes; offsets in the file have 32 bits
NAMES = {"f4": "likelihood", "u1": "mask"}


class Block(NamedTuple):
    """Rows of a section, all columns of them."""

    section: int
    row: int  # the first
    values: "NDArray"


def write_blocks(
    path: str, shape: tuple[int, ...], dtype: str, blocks: Iterable[Block]
) -> None:
    """Write an image or a volume, whole or not at all.

    Parameters
    ----------
    path : str
        Its ending says what kind of file.
    shape : tuple of 2 or 3 int
    dtype : {"f4", "u1"}
        Of a likelihood, and of a mask.
    blocks : iterable of Block
        Section by section, from top to bottom.
    """
    from pytopo.files import replacing, replacing_folder

    ending = Path(path).suffix.lower()
    if ending == ".zarr":
        with replacing_folder(path) as folder:
            _write_zarr(folder, shape, dtype, blocks)
        return
    with replacing(path, "w+b") as stream:
        WRITERS[ending](stream, shape, dtype, blocks)


def _write_hdf5(
    stream: IO[bytes], shape: tuple[int, ...], dtype: str, blocks: Iterable[Block]
) -> None:
    from pytopo.files import hdf5_file

    with hdf5_file(stream) as (file, check_written):
        data_set = file.create_dataset(
            NAMES[dtype],
            shape,
            dtype=dtype,
            chunks=_chunks(shape, CHUNK),
            compression="gzip",
            shuffle=True,
        )
        for block in _whole_chunks(blocks, shape, CHUNK):
            data_set[_place(block, shape)] = block.values
            check_written()


def _write_zarr(
    folder: Path, shape: tuple[int, ...], dtype: str, blocks: Iterable[Block]
) -> None:
    import zarr

    chunks = _chunks(shape, CHUNK_ZARR)
    array = zarr.create_array(folder, shape=shape, dtype=dtype, chunks=chunks)
    array.attrs["pytopo"] = NAMES[dtype]
    for block in _whole_chunks(blocks, shape, CHUNK_ZARR):
        array[_place(block, shape)] = block.values


def _write_tiff(
    stream: IO[bytes], shape: tuple[int, ...], dtype: str, blocks: Iterable[Block]
) -> None:
    from PIL import Image
    from PIL.TiffImagePlugin import AppendingTiffWriter

    with AppendingTiffWriter(stream, new=True) as file:
        for block in _whole_chunks(blocks, shape, shape[-2]):
            Image.fromarray(block.values).save(file, format="TIFF")
            file.newFrame()


def _write_png(
    stream: IO[bytes], shape: tuple[int, ...], dtype: str, blocks: Iterable[Block]
) -> None:
    import numpy as np
    from PIL import Image

    (block,) = _whole_chunks(blocks, shape, shape[-2])
    section = block.values
    if dtype == "f4":
        section = np.rint(section * np.float32(65535)).astype(np.uint16)
    Image.fromarray(section).save(stream, format="PNG")


WRITERS: dict[str, Callable[[IO[bytes], tuple[int, ...], str, Iterable[Block]], None]] = {
    ".h5": _write_hdf5,
    ".hdf5": _write_hdf5,
    ".tif": _write_tiff,
    ".tiff": _write_tiff,
    ".png": _write_png,
}
ENDINGS = (*WRITERS, ".zarr")


def _chunks(shape: tuple[int, ...], side: int) -> tuple[int, ...]:
    return tuple(map(min, (1, side, side)[-len(shape) :], shape))


def _place(block: Block, shape: tuple[int, ...]) -> tuple[Any, ...]:
    rows = slice(block.row, block.row + len(block.values))
    return (block.section, rows) if len(shape) == 3 else (rows,)


def _whole_chunks(
    blocks: Iterable[Block], shape: tuple[int, ...], rows: int
) -> Iterator[Block]:
    """Yield blocks of whole chunks of rows: a chunk that is written twice is packed twice."""
    import numpy as np

    waiting: list[NDArray] = []
    for section, row, values in blocks:
        first = row - sum(map(len, waiting))
        waiting.append(values)
        stop = row + len(values)
        last = stop if stop == shape[-2] else stop // rows * rows
        if last > first:
            known = waiting[0] if len(waiting) == 1 else np.concatenate(waiting)
            yield Block(section, first, known[: last - first])
            waiting = [known[last - first :].copy()] if last < stop else []


# ---- before the work -----------------------------------------------------------------------


def output_path(text: str, endings: tuple[str, ...] = ENDINGS) -> str:
    """Parse a path whose ending names a kind of file that can be written."""
    if Path(text).suffix.lower() not in endings:
        raise argparse.ArgumentTypeError(
            f"{text!r} names no kind of image; expected an ending {', '.join(endings)}"
        )
    return text


def check_output(path: str, image: str, shape: tuple[int, ...], dtype: str) -> None:
    """Refuse an image that its file cannot hold, before it is predicted.

    Parameters
    ----------
    path : str
    image : str
        Of which address the likelihood is.
    shape, dtype
        As of `write_blocks`.
    """
    import numpy as np

    ending = Path(path).suffix.lower()
    if ending == ".png" and len(shape) == 3:
        raise InputError(
            f"{path}: a PNG holds one section, and {image} is {' x '.join(map(str, shape))}; "
            "expected .h5 or .tif, or a slice that is one section"
        )
    size = math.prod(shape) * np.dtype(dtype).itemsize
    if ending in (".tif", ".tiff") and size > TIFF_MOST:
        raise InputError(f"{path}: {size / 1e9:.1f} GB are too much for a TIFF; expected .h5")
    if ending == ".zarr":
        try:
            import zarr  # noqa: F401
        except ImportError:
            raise InputError(
                f"{path}: zarr is not installed; pip install 'pytopo-toolkit[dask]', or "
                "expected .h5"
            ) from None
