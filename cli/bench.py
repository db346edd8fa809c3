"""``pytopo bench``: measure on this machine, beside the libraries that are installed.

contests -> in turns -> best times and ratios -> table, .csv, .json
"""

import argparse
import csv
import io
import json
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytopo.cli.report import Fault, blaming, results, say

if TYPE_CHECKING:
    from pytopo.cli.contests import Contest

DESCRIPTION = """\
Measure pytopo on this machine, side by side with peers that are installed (extra: bench).
All take turns in one process; compile time is not counted; the ratio is of best times."""

EPILOG = """\
what is measured:
  persistence  the fast route against other engines        about two minutes
  textbook     algorithm="reduction" against GUDHI
  volume       the fast route for volumes, 128x128x128     about twenty minutes
  threads      two threads against one, 4096x4096
  simplify     an image without its small features against its diagram, 4096x4096
  growth       time and memory from 512x512 to 8192x8192
  metrics      Variation of Information and Rand error against scikit-image
  loss         the topological loss against topolosses and a loop over GUDHI and POT
  start        the command as a process, cold and warm

Packages that are not installed are named and left out."""

SUBJECTS = (
    "persistence", "volume", "textbook", "threads", "simplify", "growth", "metrics", "loss",
    "start",
)  # fmt: skip
COLUMNS = ("job", "pytopo ms", "against", "its ms", "ratio", "goal")

Row = dict[str, Any]


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register the subcommand."""
    parser = subparsers.add_parser(
        "bench",
        help="measure speed and memory beside other libraries",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.set_defaults(run=run)
    parser.add_argument(
        "subject", nargs="*", choices=(*SUBJECTS, []), metavar="WHAT",
        help=f"some of {', '.join(SUBJECTS)} (default: persistence)",
    )  # fmt: skip
    parser.add_argument(
        "--image",
        help="an 8-bit picture to measure too, like an EM section; for volume, a volume",
    )
    parser.add_argument(
        "--size",
        type=int,
        default=1024,
        metavar="N",
        help="side of the images, volumes have an eighth (1024)",
    )
    parser.add_argument(
        "--seconds", type=float, default=5, metavar="S", help="time for each line (5)"
    )
    parser.add_argument("--csv", metavar="FILE", help="the table as .csv too")
    parser.add_argument("--json", metavar="FILE", help="the table as .json too")


def run(args: argparse.Namespace) -> int:
    """Measure, print as it comes, write."""
    if args.size < 8 or args.seconds < 0:
        raise Fault("--size wants at least 8, --seconds at least 0")
    rows: list[Row] = []
    with results() as stream:
        print(_line(dict(zip(COLUMNS, COLUMNS))), file=stream, flush=True)
        for row in _measured(args):
            rows.append(row)
            print(_line(row), file=stream, flush=True)
    for path, content in (
        (args.csv, _csv(rows)),
        (args.json, json.dumps(rows, indent=1) + "\n"),
    ):
        if path is not None:
            _write(path, content)
    return 0


def _measured(args: argparse.Namespace) -> Iterator[Row]:
    from pytopo.cli import contests

    for subject in args.subject or ["persistence"]:
        if subject == "persistence":
            yield from _contest_rows(
                contests.persistence_contests(_picture(args.image), args.size), args.seconds
            )
        elif subject == "volume":
            size = args.size // 8
            yield from _contest_rows(
                contests.volume_contests(_volume(args.image), size), args.seconds
            )
            yield from _volume_growth_rows(size, args.seconds)
        elif subject == "textbook":
            yield from _contest_rows(contests.textbook_contests(), args.seconds)
        elif subject == "threads":
            yield from _contest_rows(contests.thread_contests(4 * args.size), args.seconds)
        elif subject == "simplify":
            yield from _contest_rows(contests.simplify_contests(4 * args.size), args.seconds)
        elif subject == "metrics":
            yield from _contest_rows(contests.metric_contests(args.size), args.seconds)
        elif subject == "loss":
            yield from _contest_rows(contests.matching_contests(), args.seconds)
            yield from _contest_rows(contests.loss_contests(), args.seconds)
        elif subject == "growth":
            yield from _growth_rows(args.size, args.seconds)
        else:
            yield from _start_rows()


def _picture(path: str | None) -> Any:
    if path is None:
        return None
    from pytopo.images.image import read_image

    with blaming():
        image = read_image(path, raw=True)
    if image.ndim != 2 or image.dtype != "uint8":
        raise Fault(f"{path}: {image.ndim} axes of {image.dtype}; expected a picture of 8 bits")
    return image


def _volume(path: str | None) -> Any:
    if path is None:
        return None
    from pytopo.images.image import read_image

    with blaming():
        volume = read_image(path, raw=True)
    if volume.ndim != 3:
        raise Fault(f"{path}: {volume.ndim} axes; expected a volume, which has 3")
    return volume


def _contest_rows(found: "Iterable[Contest]", seconds: float) -> Iterator[Row]:
    """Hold contests, and yield a row for each peer."""
    from tqdm import tqdm

    from pytopo.cli.contests import OURS
    from pytopo.cli.stopwatch import in_turns

    for contest in found:
        for package in contest.missing:
            say(f"{package} is not installed: nothing to hold {contest.job} against")
        with tqdm(desc=contest.job, unit="run", leave=False, disable=None) as bar:
            timings = in_turns(contest.contenders, seconds, bar.update)
        ours = timings.pop(OURS)
        if not timings:
            yield {"job": contest.job, "pytopo ms": 1e3 * ours.best, "goal": contest.goal}
        for peer, theirs in timings.items():
            yield {
                "job": contest.job,
                "pytopo ms": 1e3 * ours.best,
                "pytopo median ms": 1e3 * ours.median,
                "against": peer,
                "its ms": 1e3 * theirs.best,
                "its median ms": 1e3 * theirs.median,
                "ratio": ours.best / theirs.best,
                "goal": contest.goal,
                "runs": ours.runs,
            }


def _growth_rows(size: int, seconds: float) -> Iterator[Row]:
    """Yield time and peak memory for images of 1/2 to 8 times the size, and the exponent."""
    for kind in ("smooth", "noise"):
        shapes = [(n, n) for n in (size // 2, size, 2 * size, 4 * size, 8 * size)]
        yield from _growth(kind, shapes, seconds, most_bytes=40.0)


def _volume_growth_rows(size: int, seconds: float) -> Iterator[Row]:
    """Yield time and peak memory for volumes of 1/2 to 2 times the size, and the exponent."""
    for kind in ("smooth", "noise"):
        shapes = [(n, n, n) for n in (size // 2, size, 2 * size)]
        yield from _growth(kind, shapes, seconds, most_bytes=80.0)


def _growth(
    kind: str, shapes: list[tuple[int, ...]], seconds: float, most_bytes: float
) -> Iterator[Row]:
    """Yield time and peak memory for images of some shapes, and the exponent of the time."""
    import math

    import numpy as np

    import pytopo
    from pytopo.cli import contests
    from pytopo.cli.stopwatch import in_turns, peak_memory

    best = []
    for shape in shapes:
        a = getattr(contests, kind)(*shape)
        taken = in_turns({"": lambda a=a: pytopo.persistence(a)}, seconds, lambda: None)[""]
        best.append(taken.best)
        del a
        warm = (32,) * len(shape)
        memory = peak_memory(
            "import pytopo; from pytopo.cli import contests\n"
            f"pytopo.persistence(contests.noise(*{warm}))\n"
            f"a = contests.{kind}(*{shape})",
            "pytopo.persistence(a)",
        )
        row: Row = {
            "job": f"{'x'.join(map(str, shape))} {kind}, V",
            "pytopo ms": 1e3 * taken.best,
        }
        if memory is None:
            say("this system does not tell the peak of memory: left out")
        else:
            row["against"] = "peak bytes a pixel"
            row["ratio"] = memory / math.prod(shape)
            row["goal"] = most_bytes
        yield row
    pixels = [math.prod(shape) for shape in shapes]
    exponent = float(np.polyfit(np.log(pixels), np.log(best), 1)[0])
    yield {
        "job": f"{len(shapes[0])} axes, {kind}, V",
        "against": "exponent of time in pixels",
        "ratio": exponent,
        "goal": 1.1,
    }


def _start_rows() -> Iterator[Row]:
    """Yield times of the command as a process: cold, warm, and what its imports take."""
    from pytopo.cli.stopwatch import process_seconds

    with tempfile.TemporaryDirectory() as folder:
        cache = {"NUMBA_CACHE_DIR": folder}
        line = ["diagram", "-o", str(Path(folder) / "figure.png")]
        command = ["-m", "pytopo.cli", *line]
        once = f"from pytopo.cli.main import main; main({line})"
        cold = process_seconds(command, 1, **cache)
        warm = process_seconds(command, 5, **cache)
        twice = process_seconds(["-c", f"{once}; main({line})"], 5, **cache)
    imports = process_seconds(["-c", "import numba, matplotlib.pyplot"], 5)
    empty = process_seconds(["-c", ""], 5)
    ours = process_seconds(["-c", "import pytopo"], 5)
    yield {"job": "pytopo diagram, empty cache", "pytopo ms": 1e3 * cold, "goal": 15000.0}
    yield {
        "job": "pytopo diagram, warm, less its work",
        "pytopo ms": 1e3 * (2 * warm - twice),
        "against": "import numba, matplotlib.pyplot",
        "its ms": 1e3 * imports,
        "ratio": (2 * warm - twice) / imports,
        "goal": 1.5,
    }
    yield {"job": "its work: compute, draw, write", "pytopo ms": 1e3 * (twice - warm)}
    yield {"job": "import pytopo", "pytopo ms": 1e3 * (ours - empty), "goal": 50.0}


def _line(row: Row) -> str:
    """Return a row of the table as text."""
    widths = (-38, 10, -36, 10, 8, 6)
    return "  ".join(
        f"{_text(row.get(name)):{'<' if width < 0 else '>'}{abs(width)}}"
        for name, width in zip(COLUMNS, widths)
    ).rstrip()


def _text(value: object) -> str:
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _csv(rows: list[Row]) -> str:
    names = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    table = csv.DictWriter(text, names, lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    return text.getvalue()


def _write(path: str, content: str) -> None:
    from pytopo.files import replacing

    with blaming(path), replacing(path) as stream:
        stream.write(content)
    say(f"wrote {path}")
