"""``pytopo diagram`` of an image that is larger than memory: tile by tile, the same points.

PATH -> Source -> tiles, here or by Dask -> Diagram            table, figure, files of points
                                         -> parts in a folder  table, figure
FOLDER of parts                          -> table, figure, files of points
"""

import argparse
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytopo.cli import options
from pytopo.cli.diagram_files import points_file
from pytopo.cli.diagram_summary import Large, large_figure, large_table
from pytopo.cli.files import figure_name, write
from pytopo.cli.interrupt import undone_at_interrupt
from pytopo.cli.kernels import run_kernels
from pytopo.cli.memory import check_points, check_tiles, diagram_bytes, key_bytes_of, tile_side
from pytopo.cli.options import STDOUT
from pytopo.cli.report import InputError, reporting_errors, results, say
from pytopo.cli.workers import add_workers, array_of, counted, working
from pytopo.progress import progress

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytopo.diagram import Diagram
    from pytopo.large import DiagramParts
    from pytopo.large.sources.source import Source

SHARE = 2  # an image is read by tiles if its diagram may take more than free memory / SHARE
TILED = ("chunks", "workers", "scheduler", "out")
WHOLE = (  # what needs the whole image
    *("smooth", "sections", "html", "regions", "geojson", "threads", "at"),
)


# ---- the command line --------------------------------------------------------------------


def add_large(parser: argparse.ArgumentParser) -> None:
    """Add the options for images that are larger than memory."""
    group = parser.add_argument_group(
        "larger than memory",
        "Any of these but --level reads Zarr, HDF5, TIFF and .npy tile by tile, and so does an "
        "image whose diagram may take more than half of the free memory (a volume: more than "
        "all of it). The points are the same; of volumes components and voids.",
    )
    group.add_argument(
        "--chunks", type=options.positive, metavar="N",
        help="pixels along each side of a tile (default: about 2048, of a volume 160, in "
        "whole blocks of the file)",
    )  # fmt: skip
    add_workers(group)
    group.add_argument(
        "--out", metavar="FOLDER",
        help="write the points to parts in a new folder, which `pytopo diagram FOLDER` reads "
        "(default: only if they may not fit into memory, then NAME.parts)",
    )  # fmt: skip
    group.add_argument(
        "--level", metavar="NAME",
        help="level of a pyramid (OME-Zarr, TIFF), by its name or number (default: the finest)",
    )  # fmt: skip


def check_line(args: argparse.Namespace) -> None:
    """End with a usage error if tiles are asked for, and what needs the whole image, too."""
    if args.workers is not None and args.scheduler is not None:
        args.usage_error("--workers and --scheduler exclude each other")
    asked = [name for name in (*TILED, "level") if getattr(args, name) is not None]
    if asked and args.image is None:
        args.usage_error(f"--{asked[0]}: the built-in example is small; name an image")
    whole = _whole_only(args)
    if whole and any(name != "level" for name in asked):
        args.usage_error(f"--{asked[0]} reads tile by tile, which excludes {whole[0]}")


def _whole_only(args: argparse.Namespace) -> list[str]:
    """Return the options given that need the whole image."""
    found = [f"--{name}" for name in WHOLE if getattr(args, name) not in (None, False)]
    found += ["--no-raw"] * (not args.raw)
    return found + [f"--algorithm {args.algorithm}"] * (args.algorithm != "auto")


# ---- which images ------------------------------------------------------------------------


def large_source(args: argparse.Namespace) -> "Source | None":
    """Return the image as a source if it is a store, a pyramid's level, or large.

    Otherwise None: it is read as a whole, by the readers of images.
    """
    from pytopo.large.sources.opening import claimed_source, is_store, open_source

    if args.image is None:
        return None
    if is_store(args.image) or _is_tiled(args) or args.level is not None:
        try:
            with reporting_errors():
                return open_source(args.image, level=args.level)
        except ImportError as error:
            raise InputError(str(error)) from None
    try:
        source = claimed_source(args.image)
    except Exception:
        return None  # the readers of images know better what is wrong, or need no source
    if not by_tiles(source, args):
        return None
    with reporting_errors():
        return source.tried()


def by_tiles(source: "Source", args: argparse.Namespace) -> bool:
    """Return whether a source is to be read tile by tile."""
    from pytopo.images.readers.memory import free_memory

    if _is_tiled(args):
        return True
    if _whole_only(args):
        return False
    needed = diagram_bytes(source.shape, key_bytes_of(source.dtype), args.threads)
    return needed > free_memory() // (SHARE if source.ndim == 2 else 1)


def _is_tiled(args: argparse.Namespace) -> bool:
    return any(getattr(args, name) is not None for name in TILED)


def read_source(source: "Source", raw: bool) -> "NDArray":
    """Read a source as a whole; it is small."""
    from pytopo.images.scaling import scaled

    name = source.address.text
    with progress(f"reading {name}"), reporting_errors(name):
        return source[:] if raw else scaled(source[:])


# ---- the diagram of an image -------------------------------------------------------------


def run_large(
    source: "Source", args: argparse.Namespace, figure: str | None, data: dict[str, str]
) -> int:
    """Compute the diagram of a source, and write what was asked for; stdout comes last."""
    name = args.image
    options.check_dims(name, args.dims, source.ndim)
    side = tile_side(source.shape, source.chunks, args.chunks)
    check_tiles(name, source.shape, source.dtype, side, args.workers)
    if args.out is None and not check_points(name, source.shape):
        args.out = f"{figure_name(name)}.parts"
        say(f"{name}: more points than may fit into memory, so they go to {args.out}")
    found = _computed(source, side, args)
    if args.out is not None:
        say(f"wrote {args.out}")
    return _written(Large(name, source, found), args, figure, data)


def _computed(
    source: "Source", side: int, args: argparse.Namespace
) -> "Diagram | DiagramParts":
    """Return the diagram, or its parts in a folder, which is removed if Ctrl-C comes."""
    import pytopo.large

    what = f"diagram of {' x '.join(map(str, source.shape))} pixels"
    absolute = replace(source.address, file=os.path.abspath(source.address.file))
    image: Any = replace(source, address=absolute)
    if args.out is not None:
        _check_new(args.out)

    def discard() -> None:
        if args.out is not None:
            shutil.rmtree(args.out, ignore_errors=True)

    def compute() -> "Diagram | DiagramParts":
        return pytopo.large.persistence(
            array_of(image, side) if on_dask else image,
            args.dims,
            superlevel=args.superlevel,
            construction=args.construction,
            frame=args.frame,
            min_persistence=args.min_persistence or 0,
            tile=side,
            folder=args.out,
            progress=counted(line),
        )

    with (
        undone_at_interrupt(discard),
        working(args) as on_dask,
        progress(what, unit="tile") as line,
        _in_one_line(args.image),
    ):
        return run_kernels(compute)


@contextmanager
def _in_one_line(name: str) -> Iterator[None]:
    """Turn errors of what is read into one line that names the image."""
    try:
        yield
    except MemoryError as error:
        raise InputError(
            f"{name}: {error or 'out of memory'}; --out FOLDER writes points to parts, "
            "--min-persistence leaves some out, --chunks makes tiles smaller"
        ) from None
    except (OSError, ValueError) as error:
        text = str(error)
        raise InputError(text if text.startswith(name) else f"{name}: {text}") from None


def _check_new(folder: str) -> None:
    """Refuse a folder that has something in it, before the work."""
    if os.path.isdir(folder) and os.listdir(folder):
        raise InputError(f"{folder}: not empty; expected a new folder for the parts")
    if os.path.exists(folder) and not os.path.isdir(folder):
        raise InputError(f"{folder}: a file; expected a new folder for the parts")


# ---- parts in a folder -------------------------------------------------------------------


def is_parts(path: str | None) -> bool:
    """Return whether a path is a folder of parts, complete or not."""
    if path is None or not os.path.isdir(path):
        return False
    held = os.listdir(path) if os.access(path, os.R_OK | os.X_OK) else []
    return "parts.json" in held or any(
        name.startswith(("tile-", "seam-")) and name.endswith(".npz") for name in held
    )


def run_parts(args: argparse.Namespace, figure: str | None, data: dict[str, str]) -> int:
    """Print and draw the diagram in a folder of parts."""
    import pytopo.large

    asked = [f"--{name}" for name in (*TILED, "level") if getattr(args, name) is not None]
    asked += _whole_only(args) + ["--dims"] * (args.dims is not None)
    asked += ["--superlevel"] * args.superlevel + ["--frame"] * (args.frame is not None)
    if asked:
        args.usage_error(f"{args.image} is a diagram already, which excludes {asked[0]}")
    with reporting_errors():
        parts = pytopo.large.open_parts(Path(args.image))
        return _written(Large(args.image, None, parts), args, figure, data)


# ---- what is written ---------------------------------------------------------------------


def _written(
    large: Large, args: argparse.Namespace, figure: str | None, data: dict[str, str]
) -> int:
    kept = large.kept(args.min_persistence or 0)
    if figure is not None:
        write(figure, large_figure(large, kept, args, figure))
    piped = None
    if data:
        diagram = kept.whole()
        for kind, path in data.items():
            if path == STDOUT:
                piped = points_file(diagram, kind)
            else:
                write(path, points_file(diagram, kind))
    output = large_table(large, kept, args) if piped is None else piped
    with results() as stream:
        if isinstance(output, bytes):
            stream.buffer.write(output)
        else:
            stream.write(output)
    return 0
