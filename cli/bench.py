"""``pytopo bench``: measure on this machine, beside the libraries that are installed.

contests -> in turns -> best times and ratios -> table, .csv, .json

======================  =========================================================
file                    what it does
======================  =========================================================
bench.py                the command: what is measured, and the table
contests.py             jobs that we and our peers do
betti_contests.py       and the loss that matches by place
peers.py                how each peer does them
scaling.py              ourselves alone: growth with the size, memory, start
bench_tiles.py          images larger than memory, and what they would cost
bench_cluster.py        one of them on worker processes
bench_sparse.py         and one of 10^10 pixels, as far as the time reaches
bench_images.py         the images that are measured
bench_made.py           those that are larger than memory
stopwatch.py            contenders in turns, the best time of each
goals.py                what the developers hold pytopo to
======================  =========================================================
"""

import argparse
import csv
import io
import json
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from pytopo.cli.report import InputError, reporting_errors, results, say

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytopo.cli.contests import Contest

DESCRIPTION = """\
Measure pytopo on this machine, side by side with peers that are installed (extra: bench).
All take turns in one process; compile time is not counted; the ratio is of best times."""

EPILOG = """\
what is measured:
  persistence  the fast algorithm against other engines      about two minutes
  textbook     algorithm="reduction" against GUDHI
  volume       the fast algorithm for volumes, 128x128x128   about twenty minutes
  threads      two threads against one, 4096x4096
  simplify     an image without its small features against its diagram, 4096x4096
  tiles        an image larger than memory, tile by tile, against the whole, 4096x4096, in
               CPU time; what it keeps open and moves, and what larger ones would cost
  cluster      the same on two worker processes of 400 MB (extra: dask), 4096x4096
  sparse       a zarr array of 100000x100000, mostly empty, as far as it comes in --seconds,
               beside what was estimated (extra: dask)
  growth       time and memory from 512x512 to 8192x8192
  memory       bytes per pixel of noise, which is the most: axes, dtypes, constructions
  metrics      Variation of Information and Rand error against scikit-image
  loss         the topological loss against topolosses and a loop over GUDHI and POT,
               and patches of 65x65 per second through it, on one core
  betti        the loss with matching="betti" against matching="wasserstein", topolosses
               and a whole training step, in CPU time on one core
  start        the command as a process, cold and warm

Packages that are not installed are named and left out."""

SUBJECTS = (
    "persistence", "volume", "textbook", "threads", "simplify", "tiles", "cluster", "sparse",
    "growth", "memory", "metrics", "loss", "betti", "start",
)  # fmt: skip
COLUMNS = ("job", "pytopo ms", "against", "its ms", "ratio", "goal")

Row = dict[str, Any]
Clock = Callable[[], float]


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
        help="side of the images (1024); volumes have an eighth, and threads, simplify, tiles "
        "and cluster take four times as much",
    )
    parser.add_argument(
        "--seconds", type=float, default=5, metavar="S", help="time for each line (5)"
    )
    parser.add_argument("--csv", metavar="FILE", help="the table as .csv too")
    parser.add_argument("--json", metavar="FILE", help="the table as .json too")


def run(args: argparse.Namespace) -> int:
    """Measure, print as it comes, write."""
    if args.size < 8 or args.seconds < 0:
        raise InputError("--size must be at least 8, --seconds at least 0")
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
    """Yield the rows of each subject, measured one by one."""
    from pytopo.cli import (
        bench_cluster,
        bench_sparse,
        bench_tiles,
        betti_contests,
        contests,
        scaling,
    )
    from pytopo.cli.stopwatch import one_core

    def held(found: "Iterable[Contest]", clock: Clock | None = None) -> Iterator[Row]:
        return _contest_rows(found, args.seconds, clock)

    for subject in args.subject or ["persistence"]:
        if subject == "persistence":
            yield from held(contests.persistence_contests(_picture(args.image), args.size))
        elif subject == "volume":
            yield from held(contests.volume_contests(_volume(args.image), args.size // 8))
            yield from scaling.volume_growth_rows(args.size // 8, args.seconds)
        elif subject == "textbook":
            yield from held(contests.textbook_contests())
        elif subject == "threads":
            yield from held(contests.thread_contests(4 * args.size))
        elif subject == "simplify":
            yield from held(contests.simplify_contests(4 * args.size))
        elif subject == "tiles":
            yield from held(contests.tile_contests(4 * args.size), time.process_time)
            yield from bench_tiles.tile_rows(4 * args.size)
        elif subject == "cluster":
            yield from bench_cluster.cluster_rows(4 * args.size)
        elif subject == "sparse":
            yield from bench_sparse.sparse_rows(args.seconds)
        elif subject == "metrics":
            yield from held(contests.metric_contests(args.size))
        elif subject == "loss":
            yield from held(contests.matching_contests())
            yield from held(contests.loss_contests())
            yield from scaling.patch_rows(args.seconds)
        elif subject == "betti":
            with one_core():  # CPU time of all threads is work, if none waits for another
                yield from held(betti_contests.betti_contests(), time.process_time)
        elif subject == "growth":
            yield from scaling.growth_rows(args.size, args.seconds)
        elif subject == "memory":
            yield from scaling.memory_rows(args.size)
        else:
            yield from scaling.start_rows()


def _picture(path: str | None) -> "NDArray | None":
    """Read the 8-bit image to measure beside the synthetic ones."""
    if path is None:
        return None
    from pytopo.images.image import read_image

    with reporting_errors():
        image = read_image(path, raw=True)
    if image.ndim != 2 or image.dtype != "uint8":
        raise InputError(
            f"{path}: {image.ndim} axes of {image.dtype}; expected a picture of 8 bits"
        )
    return image


def _volume(path: str | None) -> "NDArray | None":
    """Read the volume to measure beside the synthetic ones."""
    if path is None:
        return None
    from pytopo.images.image import read_image

    with reporting_errors():
        volume = read_image(path, raw=True)
    if volume.ndim != 3:
        raise InputError(f"{path}: {volume.ndim} axes; expected a volume, which has 3")
    return volume


def _contest_rows(
    found: "Iterable[Contest]", seconds: float, clock: Clock | None
) -> Iterator[Row]:
    """Measure contests, and yield a row for each peer."""
    from tqdm import tqdm

    from pytopo.cli.contests import OURS
    from pytopo.cli.goals import goal_of
    from pytopo.cli.stopwatch import in_turns

    for contest in found:
        for package in contest.missing:
            say(f"{package} is not installed: nothing to measure {contest.job} against")
        with tqdm(desc=contest.job, unit="run", leave=False, disable=None) as bar:
            timings = in_turns(contest.contenders, seconds, bar.update, clock)
        ours = timings.pop(OURS)
        if not timings:
            yield {
                "job": contest.job,
                "pytopo ms": 1e3 * ours.best,
                "goal": goal_of(contest.job),
            }
        for peer, theirs in timings.items():
            yield {
                "job": contest.job,
                "pytopo ms": 1e3 * ours.best,
                "pytopo median ms": 1e3 * ours.median,
                "against": peer,
                "its ms": 1e3 * theirs.best,
                "its median ms": 1e3 * theirs.median,
                "ratio": ours.best / theirs.best,
                "goal": goal_of(contest.job, peer),
                "runs": ours.runs,
            }


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

    with reporting_errors(path), replacing(path) as stream:
        stream.write(content)
    say(f"wrote {path}")
