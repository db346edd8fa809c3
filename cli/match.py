"""``pytopo match``: the matching of two persistence diagrams, and their distances.

A, B -> Diagrams -> for each dimension a Matching -> table   stdout
                                                  -> .csv    on request
"""

import argparse
import csv
import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytopo.cli import options
from pytopo.cli.files import aligned, check_places, check_room, read_grey, sweep_text, write
from pytopo.cli.kernels import run_kernels
from pytopo.cli.options import STDOUT
from pytopo.cli.report import InputError, printable, reporting_errors, results, say

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytopo.diagram import Diagram
    from pytopo.matching import Matching

COLUMNS = (
    "dim", "row_a", "birth_a", "death_a", "row_b", "birth_b", "death_b", "cost",
)  # fmt: skip

DESCRIPTION = """\
Match the persistence diagrams of two images, or two saved diagrams, at the least sum of
squared distances: each point with a point of the other diagram, or with the diagonal.

Prints for each dimension how many points match, and the distances of the diagrams."""

EPILOG = """\
A and B are images, as `pytopo diagram` reads them, or what its --npz, --csv or --json wrote.
An image of 0 and one other value is a mask, 0 and 1 whatever its type, unless --raw is given.
The options of the sweep are for images; a saved diagram holds its own, and both must agree.

examples:
  pytopo match likelihood.png truth.png --superlevel
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

    what = parser.add_argument_group("what to compute")
    what.add_argument("--superlevel", action="store_true", help="sweep downwards over images")
    what.add_argument(
        "--construction", choices=("V", "T"), default="V",
        help="pixels of images are vertices (V, the default) or cells (T)",
    )  # fmt: skip
    what.add_argument(
        "--frame", nargs="?", const=True, type=options.frame, metavar="VALUE",
        help="put a frame of pixels of this value around images; without VALUE, of the "
        "value that the sweep meets first. Write --frame=VALUE, or --frame after A and B",
    )  # fmt: skip
    what.add_argument(
        "--dims", type=options.dims, metavar="0,1",
        help="dimensions to match (default: all that both have)",
    )  # fmt: skip
    what.add_argument(
        "--min-persistence", type=options.min_persistence, default=0.0, metavar="X",
        help="leave out points of less persistence",
    )  # fmt: skip
    what.add_argument(
        "--raw", action="store_true", help="take integers of images as stored, do not scale"
    )
    parser.add_argument_group("what to write").add_argument(
        "--csv", metavar="FILE",
        help="which points match, a line for each pair and for each point that goes to the "
        "diagonal; - for stdout, then without the table",
    )  # fmt: skip


# ---- the command -------------------------------------------------------------------------


def run(args: argparse.Namespace) -> int:
    """Read, match, write; what goes to stdout comes last."""
    piped = args.csv == STDOUT
    files = [args.csv] if args.csv not in (None, STDOUT) else []
    options.check_files(args, files, {"A": args.first, "B": args.second})
    check_places(files)

    first, second = (_diagram(path, args) for path in (args.first, args.second))
    _check_comparable(first, second, args)
    matches = _matches(first, second, args)
    if args.csv is not None and not piped:
        write(args.csv, _csv(first, second, matches))
    with results() as stream:
        stream.write(
            _csv(first, second, matches) if piped else _table(first, second, matches, args)
        )
    return 0


def _diagram(path: str, args: argparse.Namespace) -> "Diagram":
    """Return a saved diagram, or that of an image."""
    if _is_diagram(path):
        from pytopo.diagram import Diagram

        with reporting_errors():
            return Diagram.load(path)
    check_room(path)
    image = read_grey(path, args.raw)

    def compute() -> "Diagram":
        from pytopo.order import checked_image, frame_value
        from pytopo.pairing import persistence

        with reporting_errors(path):
            checked_image(image)
            frame_value(image, args.frame, args.superlevel)
        return persistence(
            image,
            args.dims,
            superlevel=args.superlevel,
            construction=args.construction,
            frame=args.frame,
        )

    options.check_dims(path, args.dims, image.ndim)
    return run_kernels(compute)


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


@dataclass(frozen=True)
class Match:
    """One dimension of two diagrams, matched.

    Attributes
    ----------
    first, second : (n,) and (m,) int64
        Rows of the diagrams: the finite points.
    matching : Matching
        Of these.
    bottleneck : float
        Distance of these.
    """

    first: "NDArray"
    second: "NDArray"
    matching: "Matching"
    bottleneck: float

    @property
    def wasserstein(self) -> float:
        """Distance of these, of order 2: the root of what the matching costs."""
        return self.matching.cost**0.5


def _matches(first: "Diagram", second: "Diagram", args: argparse.Namespace) -> dict[int, Match]:
    """Match the finite points of each dimension."""
    import numpy as np

    from pytopo.matching import bottleneck, match

    matches = {}
    for dim in args.dims or sorted(set(first.dims) & set(second.dims)):
        rows, points = [], []
        for path, d in ((args.first, first), (args.second, second)):
            finite = np.isfinite(d.birth) & np.isfinite(d.death) & (d.dim == dim)
            infinite = np.count_nonzero((d.dim == dim) & ~finite & ~d.essential)
            if infinite:
                say(f"{path}: {infinite} infinite points of dim {dim} left out")
            rows.append(np.flatnonzero(finite & (d.persistence >= args.min_persistence)))
            points.append(np.stack([d.birth[rows[-1]], d.death[rows[-1]]], axis=1))
        try:
            with reporting_errors():  # values too large to be squared
                matched = match(*points)
            matches[dim] = Match(*rows, matched, bottleneck(*points))
        except MemoryError:
            raise InputError(
                f"{args.first}: not enough memory to match {len(rows[0])} points with "
                f"{len(rows[1])}; leave out small ones with --min-persistence"
            ) from None
    return matches


# ---- what is written ---------------------------------------------------------------------


def _csv(first: "Diagram", second: "Diagram", matches: dict[int, Match]) -> str:
    """Return a line for each pair, then for each point that goes to the diagonal, by dimension.

    Rows are counted from 0, as in the saved diagrams; costs add up to those of the table.
    """
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(COLUMNS)
    for dim, found in matches.items():
        pairs = found.matching.pairs
        matched = zip(found.first[pairs[:, 0]], found.second[pairs[:, 1]])
        rows: list[tuple[Any, Any]] = [*matched]
        rows += [(i, None) for i in found.first[found.matching.first_only]]
        rows += [(None, j) for j in found.second[found.matching.second_only]]
        for i, j in rows:
            one, other = _point(first, i), _point(second, j)
            table.writerow([dim, *_cells(i, one), *_cells(j, other), _cost(one, other)])
    return text.getvalue()


def _point(diagram: "Diagram", row: Any) -> tuple[Any, Any] | None:
    return None if row is None else (diagram.birth[row], diagram.death[row])


def _cells(row: Any, point: tuple[Any, Any] | None) -> tuple[str, ...]:
    return ("", "", "") if point is None else (str(row), *map(str, point))


def _cost(one: tuple[Any, Any] | None, other: tuple[Any, Any] | None) -> str:
    """Return the squared distance of two points, or of one and the diagonal."""
    if one is not None and other is not None:
        squares = ((float(a) - float(b)) ** 2 for a, b in zip(one, other))
        return f"{sum(squares):.6g}"
    birth, death = map(float, one or other or ())
    return f"{(death - birth) ** 2 / 2:.6g}"


def _table(
    first: "Diagram", second: "Diagram", matches: dict[int, Match], args: argparse.Namespace
) -> str:
    """Return counts and distances of each dimension as text."""
    from pytopo.diagram import FEATURES

    axes = max(len(first.shape), len(second.shape))
    rows: list[tuple[str, ...]] = [
        ("dim", "A", "B", "pairs", "A only", "B only", "cost", "Wasserstein", "bottleneck")
    ]
    for dim, found in matches.items():
        matching = found.matching
        counts = (
            found.first, found.second, matching.pairs, matching.first_only, matching.second_only
        )  # fmt: skip
        distances = (matching.cost, found.wasserstein, found.bottleneck)
        rows.append(
            (str(dim), *(str(len(c)) for c in counts), *(f"{x:.6g}" for x in distances))
        )
    names = ["", *(FEATURES[axes][dim] for dim in matches)]
    lines = [f"{line}  {name}".rstrip() for line, name in zip(aligned(rows), names)]
    least = args.min_persistence
    remark = f", persistence at least {least:.6g}" if least > 0 else ""
    return "\n".join(
        [
            f"A  {printable(args.first)}: {_source(first)}",
            f"B  {printable(args.second)}: {_source(second)}",
            f"finite points{remark}; the distances are of order 2 in the Euclidean norm, and",
            "the bottleneck in the maximum norm",
            "",
            *lines,
            *_essential_lines(first, second, matches),
            "",
        ]
    )


def _essential_lines(
    first: "Diagram", second: "Diagram", matches: dict[int, Match]
) -> list[str]:
    """Return the lines on the components that never die, which match by their births."""
    if 0 not in matches:
        return []
    one, other = (d.birth[d.essential] for d in (first, second))
    if not (one.size and other.size):
        return []
    a, b = float(one[0]), float(other[0])
    return [
        "",
        f"beside them, the essential components are matched by birth: {a:.6g} and {b:.6g}, "
        f"{abs(a - b):.6g} apart",
    ]


def _source(diagram: "Diagram") -> str:
    size = " x ".join(map(str, diagram.shape))
    sweep = sweep_text(diagram.superlevel, diagram.construction, diagram.frame)
    return f"{size} pixels, {sweep}"
