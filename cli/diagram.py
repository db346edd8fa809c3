"""``pytopo diagram``: the persistence diagram of an image, as a figure, a table and files.

IMAGE -> array -> Diagram -> cut -> figure     NAME.diagram.png or -o
                                 -> table      stdout
                          -> .csv .json .npz   on request
                          -> report            .html on request
                          -> regions           .tif .png .npy .geojson on request
"""

import argparse
from typing import TYPE_CHECKING

from pytopo.cli import diagram_large, options, sections, smoothing
from pytopo.cli.diagram_cut import Cut, chosen_cut
from pytopo.cli.diagram_figure import diagram_figure
from pytopo.cli.diagram_files import DATA_KINDS, points_file
from pytopo.cli.diagram_sections import (
    Writers,
    add_sections,
    check_line,
    diagrams_of,
    run_sections,
)
from pytopo.cli.diagram_table import diagram_table
from pytopo.cli.files import (
    check_places,
    check_room,
    figure_name,
    read,
    size_text,
    sweep_text,
    write,
)
from pytopo.cli.html import add_html, check_html, write_html
from pytopo.cli.kernels import run_kernels
from pytopo.cli.memory import check_memory, key_bytes_of
from pytopo.cli.options import STDOUT
from pytopo.cli.region_files import (
    add_region_files,
    check_regions,
    region_paths,
    write_regions,
)
from pytopo.cli.report import InputError, printable, reporting_errors, results, say
from pytopo.progress import progress

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytopo.diagram import Diagram
    from pytopo.html import Report
    from pytopo.large.sources.source import Source

ALGORITHMS = ("auto", "reduction", "morse")

DESCRIPTION = """\
Compute the persistence diagram of an image: which components, holes and voids there are
while a threshold sweeps over the values, and at which pixels each begins and ends.

Writes a figure in which the features that stand out are painted, and prints how many they are
and the most persistent of them."""

EPILOG = """\
IMAGE is a PNG, TIFF or other picture, .npy, .npz, HDF5 (file.h5:/volumes/raw) or a Zarr store
(store.zarr:labels/cells), each with an optional slice: stack.tif[3],
file.h5:/volumes/raw[0:8, 100:200]; or a folder that --out has written. Values stay in the
units of the file. Without IMAGE a built-in example is used.

examples:
  pytopo diagram
  pytopo diagram cells.png --smooth 2
  pytopo diagram cells.png --superlevel --min-persistence 40
  pytopo diagram cells.png --csv - | head
  pytopo diagram cells.png --html cells.html
  pytopo diagram cells.png --dims 1 --min-persistence 40 --regions labels.tif
  pytopo diagram 'vol.h5:/volumes/raw[3]' --frame=0 -o section-3.svg --npz section-3.npz
  pytopo diagram stack.tif --superlevel --at 12,40,77
  pytopo diagram stack.tif --sections --csv points.csv
  pytopo diagram 'slide.tif[0:2000, 0:2000]' --memory 16G
  pytopo diagram 'slide.zarr[0, 1]' --workers 4 --out slide.parts
  pytopo diagram slide.parts --min-persistence 40 --csv points.csv"""


# ---- the command line --------------------------------------------------------------------


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register the subcommand."""
    parser = subparsers.add_parser(
        "diagram",
        help="persistence diagram of an image",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.set_defaults(run=run, usage_error=parser.error)
    parser.add_argument("image", metavar="IMAGE", nargs="?", help="file to read, see below")

    what = parser.add_argument_group("what to compute")
    options.add_filtration(what)
    what.add_argument(
        "--dims", type=options.dims, metavar="0,1", help="dimensions to compute (default: all)"
    )
    what.add_argument(
        "--min-persistence", type=options.min_persistence, metavar="X",
        help="what stands out has at least this persistence, in units of the image; less is "
        "left out of data and reports (default: suggested by the gap between the persistences "
        "of noise and of features, and nothing is left out)",
    )  # fmt: skip
    what.add_argument(
        "--raw", action=argparse.BooleanOptionalAction, default=True,
        help="take integers as stored (the default), or scale them to [0, 1] by the range of "
        "their type, as `pytopo match` and `pytopo loss` do",
    )  # fmt: skip
    smoothing.add_smooth(what)
    what.add_argument(
        "--algorithm", choices=ALGORITHMS, default="auto", help="all give the same diagram"
    )
    what.add_argument(
        "--threads", type=options.positive, metavar="N",
        help="compute on N threads (default: as many as there are cores)",
    )  # fmt: skip

    out = parser.add_argument_group("what to write")
    out.add_argument(
        "-o", "--output", type=options.figure_path, metavar="FILE",
        help="the figure: .png, .svg or .pdf (default: NAME.diagram.png in this folder, or "
        "none if data goes to stdout)",
    )  # fmt: skip
    out.add_argument("--no-plot", action="store_true", help="write no figure")
    out.add_argument(
        "--top", type=options.count, metavar="N",
        help="how many features to list and to mark in the image (default: list 10, mark "
        "those that stand out, in a volume 10 of them)",
    )  # fmt: skip
    for kind in DATA_KINDS:
        out.add_argument(
            f"--{kind}", metavar="FILE",
            help=f"the points as .{kind}; - for stdout, then without the table",
        )  # fmt: skip
    add_sections(what)
    sections.add_at(out, "one that shows the most persistent feature")
    add_region_files(out)
    add_html(out)
    diagram_large.add_large(parser)


# ---- the command -------------------------------------------------------------------------


def run(args: argparse.Namespace) -> int:
    """Read, compute, write; what goes to stdout comes last."""
    data = {kind: getattr(args, kind) for kind in DATA_KINDS}
    data = {kind: path for kind, path in data.items() if path is not None}
    piped = [kind for kind, path in data.items() if path == STDOUT]
    figure_path = _figure_path_of(args, bool(piped))
    written = (figure_path, *data.values(), *region_paths(args), args.html)
    files = [path for path in written if path not in (None, STDOUT)]
    _check_line(args, files, piped)
    check_line(args, data)
    diagram_large.check_line(args)
    sections.check_figure(args, figure_path)
    check_places(files)
    check_html(args.html)

    if diagram_large.is_parts(args.image):
        return diagram_large.run_parts(args, figure_path, data)
    source = diagram_large.large_source(args)
    if source is not None and diagram_large.by_tiles(source, args):
        return diagram_large.run_large(source, args, figure_path, data)
    name, image = _read(args, source)
    if args.sections:
        planes = smoothing.smoothed_planes(name, image, args.smooth)
        return run_sections(name, planes, args, figure_path, data, _writers(args))
    sections.check_voxel(name, image, args.at)
    check_regions(name, image, args.dims, args)
    sections.say_planes(name, image)
    image = smoothing.smoothed(name, image, args.smooth)
    diagram = _diagram(name, image, args)
    cut = chosen_cut(diagram, args)
    if figure_path is not None:
        write(figure_path, diagram_figure(name, image, diagram, cut, args, figure_path))
    kept = diagram.select(min_persistence=args.min_persistence or 0)
    for kind, path in data.items():
        if path != STDOUT:
            write(path, points_file(kept, kind))
    write_regions(name, image, diagram, cut.value, args)
    if args.html is not None:
        write_html(args.html, name, lambda: _page(name, image, kept, cut, args))
    output = (
        points_file(kept, piped[0]) if piped else diagram_table(name, image, diagram, cut, args)
    )
    with results() as stream:
        if isinstance(output, bytes):
            stream.buffer.write(output)
        else:
            stream.write(output)
    return 0


def _writers(args: argparse.Namespace) -> Writers:
    """Return what writes the files of one section as those of an image."""

    def figure(name: str, image: "NDArray", diagram: "Diagram", path: str) -> bytes:
        return diagram_figure(name, image, diagram, chosen_cut(diagram, args), args, path)

    def page(name: str, image: "NDArray", diagram: "Diagram", path: str) -> None:
        cut = chosen_cut(diagram, args)
        write_html(path, name, lambda: _page(name, image, diagram, cut, args))

    return Writers(figure, page, points_file)


def _figure_path_of(args: argparse.Namespace, piped: bool) -> str | None:
    if args.output is not None:
        return args.output
    return None if args.no_plot or piped else f"{figure_name(args.image)}.diagram.png"


def _check_line(args: argparse.Namespace, files: list[str], piped: list[str]) -> None:
    """End with a usage error if options contradict each other."""
    if args.no_plot and args.output is not None:
        args.usage_error("--no-plot and --output exclude each other")
    if len(piped) > 1:
        args.usage_error(f"--{piped[0]} and --{piped[1]}: stdout takes only one of them")
    options.check_files(args, files, {"IMAGE": args.image})


def _read(args: argparse.Namespace, source: "Source | None") -> tuple[str, "NDArray"]:
    """Return a name for the image, and the image."""
    if source is not None:
        check_memory(args.image, source.shape, key_bytes_of(source.dtype), args.threads)
        return args.image, diagram_large.read_source(source, args.raw)
    if args.image is None:
        from pytopo.cli.example import likelihood_map

        say("no IMAGE: this is the built-in example, a likelihood map of cell membranes")
        if args.superlevel:
            say("a loop of membrane is a hole (dim 1): far from the diagonal if it is clear")
        else:
            say("a cell is a component (dim 0): far from the diagonal if its membrane is tight")
        return "example", likelihood_map()

    check_room(args.image, args.sections)
    return args.image, read(args.image, args.raw)


def _diagram(name: str, image: "NDArray", args: argparse.Namespace) -> "Diagram":
    def compute() -> "Diagram":
        from pytopo.order import checked_image, frame_value

        with reporting_errors(name):
            checked_image(image)
            frame_value(image, args.frame, args.superlevel)
        (diagram,) = diagrams_of([image], args)
        return diagram

    options.check_dims(name, args.dims, image.ndim)
    check_memory(name, image.shape, key_bytes_of(image.dtype), args.threads)
    try:
        with progress(f"diagram of {size_text(image)} pixels"):
            return run_kernels(compute)
    except MemoryError:
        raise InputError(
            f"{name}: not enough memory for the diagram of {size_text(image)} pixels; take a "
            "part of it, like IMAGE[0] or IMAGE[:512, :512]"
        ) from None


# ---- what is written ---------------------------------------------------------------------


def _page(
    name: str, image: "NDArray", diagram: "Diagram", cut: Cut, args: argparse.Namespace
) -> "Report":
    from pytopo.html import diagram_report

    least = args.min_persistence or 0
    sweep = sweep_text(diagram.superlevel, diagram.construction, diagram.frame, least)
    note = f"{size_text(image)} pixels{smoothing.smooth_text(args.smooth)}, {sweep}"
    return diagram_report(image, diagram, title=printable(name), note=note, cut=cut.value)
