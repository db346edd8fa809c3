"""``pytopo match``: the matching of two persistence diagrams, and their distances.

A, B -> Diagrams -> for each dimension a Matching -> table   stdout
                                                  -> figure  NAME.match.png or -o
                                                  -> .csv    on request
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from pytopo.cli import options
from pytopo.cli.files import (
    check_places,
    check_room,
    figure_name,
    read_grey,
    size_text,
    sweep_text,
    write,
)
from pytopo.cli.kernels import run_kernels
from pytopo.cli.match_figure import Drawing, cost_figure, place_figure
from pytopo.cli.match_tables import match_csv, match_table
from pytopo.cli.matches import Match, Sides, by_cost, by_place
from pytopo.cli.options import STDOUT
from pytopo.cli.report import InputError, reporting_errors, results

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytopo.diagram import Diagram
    from pytopo.matching import BettiMatching

DESCRIPTION = """\
Match the persistence diagrams of two images, or two saved diagrams, at the least sum of
squared distances: each point with a point of the other diagram, or with the diagonal. Or match
the features of two images that are in the same place.

Prints for each dimension how many points match, and the distances of the diagrams, and writes a
figure."""

EPILOG = """\
A and B are images, as `pytopo diagram` reads them, or what its --npz, --csv or --json wrote.
An image of 0 and one other value is a mask, 0 and 1 whatever its type, unless --raw is given.
A saved diagram holds how its image was read and swept, and both must agree; the options for
images are refused if both are saved diagrams.

Matching by cost takes minutes for tens of thousands of points, and six to eight times as long
for twice as many; an estimate is printed first. --min-persistence leaves out the points near
the diagonal, which are most of them.

examples:
  pytopo match likelihood.png truth.png --superlevel
  pytopo match likelihood.png truth.png --superlevel --by place
  pytopo match monday.npz tuesday.npz --dims 1 --csv -"""


# ---- the command line --------------------------------------------------------------------


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register the subcommand."""
    parser = subparsers.add_parser(
        "match",
        help="distance of two diagrams, and which points match",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.set_defaults(run=run, usage_error=parser.error)
    parser.add_argument("first", metavar="A", help="image or saved diagram")
    parser.add_argument("second", metavar="B", help="image or saved diagram")
    _add_matching_options(parser.add_argument_group("what to compute"))
    _add_image_options(parser.add_argument_group("how to read and sweep images"))
    _add_output_options(parser.add_argument_group("what to write"))


def _add_matching_options(group: "argparse._ArgumentGroup") -> None:
    group.add_argument(
        "--by", choices=("cost", "place"), default="cost",
        help="match points at the least cost (cost, the default), or features that are in the "
        "same place (place; A and B are images of one shape)",
    )  # fmt: skip
    group.add_argument(
        "--dims", type=options.dims, metavar="0,1",
        help="dimensions to match (default: all that both have)",
    )  # fmt: skip
    group.add_argument(
        "--min-persistence", type=options.min_persistence, default=0.0, metavar="X",
        help="leave out points of less persistence",
    )  # fmt: skip


def _add_image_options(group: "argparse._ArgumentGroup") -> None:
    group.add_argument("--superlevel", action="store_true", help="sweep downwards")
    options.add_construction(group)
    group.add_argument(
        "--frame", nargs="?", const=True, type=options.frame, metavar="VALUE",
        help="put a frame of pixels of this value around images; without VALUE, of the "
        "value that the sweep meets first. Write --frame=VALUE, or --frame after A and B",
    )  # fmt: skip
    group.add_argument(
        "--raw", action="store_true", help="take integers as stored, do not scale them"
    )


def _add_output_options(group: "argparse._ArgumentGroup") -> None:
    group.add_argument(
        "-o", "--output", type=options.figure_path, metavar="FILE",
        help="the figure: .png, .svg or .pdf (default: NAME.match.png in this folder, NAME "
        "that of A, or none if data goes to stdout)",
    )  # fmt: skip
    group.add_argument("--no-plot", action="store_true", help="write no figure")
    group.add_argument(
        "--top", type=options.count, default=20, metavar="N",
        help="how many lines to draw of either kind, the longest, and by place how many "
        "features, the most persistent (default: 20)",
    )  # fmt: skip
    group.add_argument(
        "--csv", metavar="FILE",
        help="which points match, a line for each pair and for each point that goes to the "
        "diagonal; - for stdout, then without the table",
    )  # fmt: skip


# ---- the command -------------------------------------------------------------------------


def run(args: argparse.Namespace) -> int:
    """Read, match, write; what goes to stdout comes last."""
    piped = args.csv == STDOUT
    if args.no_plot and args.output is not None:
        args.usage_error("--no-plot and --output exclude each other")
    figure_path = args.output
    if figure_path is None and not args.no_plot and not piped:
        figure_path = f"{figure_name(args.first)}.match.png"
    files = [path for path in (figure_path, args.csv) if path not in (None, STDOUT)]
    options.check_files(args, files, {"A": args.first, "B": args.second})
    check_places(files)

    images = _images(args)
    sides, matches = _matched_by_place(images, args) if images else _matched_by_cost(args)
    if figure_path is not None:
        drawing = Drawing(sides, matches, args.top, _title(sides, matches), figure_path)
        with_images = images is not None and images[0].ndim > 1
        content = place_figure(drawing, images) if with_images else cost_figure(drawing)
        write(figure_path, content)
    if args.csv is not None and not piped:
        write(args.csv, match_csv(sides, matches))
    with results() as stream:
        stream.write(match_csv(sides, matches) if piped else match_table(sides, matches, args))
    return 0


def _matched_by_cost(args: argparse.Namespace) -> tuple[Sides, dict[int, Match]]:
    names = (args.first, args.second)
    _check_image_options(args, names)
    first, second = (_diagram(path, args) for path in names)
    _check_comparable(first, second, args)
    sides = Sides(first, second, names, args.min_persistence)
    dims = args.dims or sorted(set(first.dims) & set(second.dims))
    return sides, by_cost(sides, dims)


def _matched_by_place(
    images: "tuple[NDArray, NDArray]", args: argparse.Namespace
) -> tuple[Sides, dict[int, Match]]:
    def compute() -> "BettiMatching":
        from pytopo.matching import betti_matching

        with reporting_errors():
            return betti_matching(
                *images,
                args.dims,
                superlevel=args.superlevel,
                construction=args.construction,
                frame=args.frame,
            )

    found = run_kernels(compute)
    names = (args.first, args.second)
    sides = Sides(found.first, found.second, names, args.min_persistence)
    return sides, by_place(found, sides, found.first.dims)


def _images(args: argparse.Namespace) -> "tuple[NDArray, NDArray] | None":
    """Return the two images that are to be matched by place, None for matching by cost."""
    if args.by == "cost":
        return None
    for path in (args.first, args.second):
        if _is_diagram(path):
            raise InputError(
                f"{path}: a saved diagram, which holds no pixels; --by place takes two images"
            )
    first, second = (_image(path, args) for path in (args.first, args.second))
    if first.shape != second.shape:
        raise InputError(
            f"{args.second}: {size_text(second)} pixels; expected {size_text(first)}, as "
            f"{args.first} has"
        )
    return first, second


def _check_image_options(args: argparse.Namespace, names: tuple[str, str]) -> None:
    """End with a usage error if options for images are given, and there is no image."""
    given = {
        "--superlevel": args.superlevel,
        "--construction": args.construction != "V",
        "--frame": args.frame is not None,
        "--raw": args.raw,
    }
    chosen = [option for option, is_given in given.items() if is_given]
    if chosen and all(map(_is_diagram, names)):
        args.usage_error(
            f"{chosen[0]} is for images; A and B are saved diagrams, which hold their own"
        )


def _diagram(path: str, args: argparse.Namespace) -> "Diagram":
    """Return a saved diagram, or that of an image."""
    if _is_diagram(path):
        from pytopo.diagram import Diagram

        with reporting_errors():
            return Diagram.load(path)
    image = _image(path, args)

    def compute() -> "Diagram":
        from pytopo.pairing import persistence

        return persistence(
            image,
            args.dims,
            superlevel=args.superlevel,
            construction=args.construction,
            frame=args.frame,
        )

    return run_kernels(compute)


def _image(path: str, args: argparse.Namespace) -> "NDArray":
    """Return an image of which there is a diagram with these options."""
    check_room(path)
    image = read_grey(path, args.raw)

    def check() -> None:
        from pytopo.order import checked_image, frame_value

        with reporting_errors(path):
            checked_image(image)
            frame_value(image, args.frame, args.superlevel)

    run_kernels(check)
    options.check_dims(path, args.dims, image.ndim)
    return image


def _title(sides: Sides, matches: dict[int, Match]) -> str:
    """Return the title of the figure: what is drawn, and what it costs."""
    d = sides.first
    cost = sum(match.matching.cost for match in matches.values())
    sweep = sweep_text(d.superlevel, d.construction, d.frame, sides.least)
    by = (
        "by place"
        if all(m.bottleneck is None for m in matches.values())
        else "at the least cost"
    )
    return f"matched {by}: {cost:.4g}\n{sweep}"


def _is_diagram(path: str) -> bool:
    """Return whether a file is meant as a diagram; an .npz archive of an image is not."""
    from pytopo.diagram_file import FORMATS

    ending = Path(path).suffix.lower()
    if ending != ".npz":
        return ending in FORMATS
    import zipfile

    try:
        with zipfile.ZipFile(path) as archive:
            return "header.npy" in archive.namelist()
    except (OSError, zipfile.BadZipFile):
        return False  # the reader of images reports what is wrong


def _check_comparable(first: "Diagram", second: "Diagram", args: argparse.Namespace) -> None:
    """Refuse diagrams whose points mean different things."""
    for name, one, other in (
        ("sweep", *("superlevel" if d.superlevel else "sublevel" for d in (first, second))),
        ("construction", first.construction, second.construction),
    ):
        if one != other:
            raise InputError(
                f"{args.second}: {name} {other}, but {one} of {args.first}; expected the same"
            )
    for path, diagram in ((args.first, first), (args.second, second)):
        missing = set(args.dims or ()) - set(diagram.dims)
        if missing:
            raise InputError(f"{path}: a diagram without dimension {min(missing)}")
    if not set(first.dims) & set(second.dims):
        raise InputError(f"{args.second}: no dimension in common with {args.first}")
