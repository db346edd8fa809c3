"""``pytopo diagram --sections``: each plane of a volume by itself, as an image of two axes.

planes -> diagrams -> table      a line for each section
                   -> figure     features by section, and the points of all sections
                   -> --csv      one table, the section in the first column
                   -> {section}  in the name of any file: one file for each section
"""

import argparse
import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytopo.cli.files import (
    aligned,
    check_places,
    figure_content,
    size_text,
    sweep_text,
    two_axes,
    write,
)
from pytopo.cli.kernels import run_kernels
from pytopo.cli.options import STDOUT, check_dims
from pytopo.cli.report import InputError, printable, reporting_errors, results
from pytopo.progress import progress

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytopo.diagram import Diagram

PLACE = "{section}"
CSV_MARK = "# pytopo sections"
AT_A_TIME = 64  # sections between two steps of the progress


@dataclass(frozen=True)
class Writers:
    """What the command writes of a single image; content for a file.

    Attributes
    ----------
    figure : callable
        Of a name, an image, its diagram, and the path.
    page : callable
        Writes the report of a name, an image and its diagram to a path.
    data : callable
        Of a diagram, and csv, json or npz.
    """

    figure: "Callable[[str, NDArray, Diagram, str], bytes]"
    page: "Callable[[str, NDArray, Diagram, str], None]"
    data: "Callable[[Diagram, str], str | bytes]"


def add_sections(group: "argparse._ArgumentGroup") -> None:
    """Add the option that treats each plane by itself."""
    group.add_argument(
        "--sections", action="store_true",
        help="treat each plane of a volume by itself: a line of the table for each, and in "
        "--csv a column; {section} in the name of a file writes one for each, like "
        "-o 'plane-{section}.png'",
    )  # fmt: skip


def check_line(args: argparse.Namespace, data: dict[str, str]) -> None:
    """End with a usage error if a file would hold the diagrams of several sections."""
    if not args.sections:
        return
    if args.image is None:
        args.usage_error("--sections: the built-in example is an image; name a volume")
    if args.at is not None:
        args.usage_error("--sections and --at exclude each other")
    for option, path in {**data, "html": args.html}.items():
        if path is not None and option != "csv" and PLACE not in path:
            args.usage_error(
                f"--{option}: {path} would hold one section; expected a name with {PLACE}, "
                f"like points-{PLACE}.{option}"
            )


def run_sections(
    name: str,
    volume: "NDArray",
    args: argparse.Namespace,
    figure: str | None,
    data: dict[str, str],
    writers: Writers,
) -> int:
    """Compute the diagram of each plane, and write what was asked for; stdout comes last.

    Parameters
    ----------
    name : str
        Of the volume.
    volume : (D, H, W) ndarray
    args : argparse.Namespace
    figure : str or None
        The path of the figure.
    data : dict of str to str
        The paths of files of points, by kind.
    writers : Writers
    """
    if volume.ndim != 3:
        raise InputError(
            f"{name}: an image of {volume.ndim} axes has no sections; leave out --sections"
        )
    check_dims(f"{name}: a section", args.dims, 2)
    asked = [path for path in (figure, *data.values(), args.html) if path is not None]
    each = [path for path in asked if PLACE in path]
    check_places([_named(path, k, len(volume)) for path in each for k in range(len(volume))])

    whole = run_kernels(lambda: _diagrams(name, volume, args))
    diagrams = [diagram.select(min_persistence=_least(args)) for diagram in whole]
    html = {} if args.html is None else {"html": args.html}
    for k, (section, diagram) in enumerate(zip(volume, diagrams)):
        one = f"{name}, section {k}"
        if figure is not None and PLACE in figure:
            path = _named(figure, k, len(volume))
            write(path, writers.figure(one, section, whole[k], path))
        for kind, template in {**data, **html}.items():
            if PLACE in template:
                path = _named(template, k, len(volume))
                _write_data(one, section, diagram, kind, path, writers)
    if figure is not None and PLACE not in figure:
        write(figure, _figure(name, volume, diagrams, args, figure))
    table = data.get("csv")
    if table is not None and table != STDOUT and PLACE not in table:
        write(table, _csv(diagrams))
    with results() as stream:
        stream.write(
            _csv(diagrams) if table == STDOUT else _table(name, volume, diagrams, args)
        )
    return 0


def _named(path: str, section: int, count: int) -> str:
    """Return the path of the file of a section; numbers have equal lengths, to be sorted.

    Examples
    --------
    >>> _named("a-{section}.csv", 7, 30)
    'a-07.csv'
    """
    return path.replace(PLACE, str(section).zfill(len(str(count - 1))))


def _diagrams(name: str, volume: "NDArray", args: argparse.Namespace) -> "list[Diagram]":
    from pytopo.order import checked_image, frame_value

    with reporting_errors(name):
        checked_image(volume)
        frame_value(volume, args.frame, args.superlevel)
    found: list[Diagram] = []
    count = len(volume)
    with progress(f"diagrams of {name}", total=count, unit="section") as line:
        for start in range(0, count, AT_A_TIME):
            found += diagrams_of(list(volume[start : start + AT_A_TIME]), args)
            line.done = len(found)
    return found


def _least(args: argparse.Namespace) -> float:
    return args.min_persistence or 0.0


# ---- files -------------------------------------------------------------------------------


def _write_data(
    name: str, section: "NDArray", diagram: "Diagram", kind: str, path: str, writers: Writers
) -> None:
    if kind == "html":
        writers.page(name, section, diagram, path)
    else:
        write(path, writers.data(diagram, kind))


def _csv(diagrams: "Sequence[Diagram]") -> str:
    """Return the points of all sections as a table, the section in the first column."""
    from pytopo import diagram_file

    text = io.StringIO()
    text.write(f"{CSV_MARK} {len(diagrams)}\n")
    table = csv.writer(text, lineterminator="\n")
    for k, diagram in enumerate(diagrams):
        one = io.StringIO()
        diagram_file.write_csv(diagram, one)
        _, head, *rows = one.getvalue().splitlines()
        if k == 0:
            table.writerow(["section", *head.split(",")])
        table.writerows([k, *row.split(",")] for row in rows)
    return text.getvalue()


# ---- the table and the figure of all sections --------------------------------------------


def _table(
    name: str, volume: "NDArray", diagrams: "Sequence[Diagram]", args: argparse.Namespace
) -> str:
    """Return a line for each section, and one for all of them, as text."""
    from pytopo.diagram import FEATURES

    dims = diagrams[0].dims if args.dims is None else args.dims
    words = [FEATURES[2][d] for d in dims]
    head = ("section", *words, *(f"most persistent {word[:-1]}" for word in words))
    rows: list[tuple[str, ...]] = [head]
    for k, diagram in enumerate(diagrams):
        rows.append((str(k), *_cells(diagram, dims)))
    rows.append(("all", *_cells(_pooled(diagrams), dims)))
    span = f"{float(volume.min()):.6g} to {float(volume.max()):.6g}"
    return "\n".join(
        [
            f"{printable(name)}: {len(volume)} sections of {size_text(volume[0])} pixels, "
            f"values {span}; each by itself",
            _options(diagrams[0], args),
            "",
            *aligned(rows),
            "",
        ]
    )


def _cells(diagram: "Diagram", dims: Sequence[int]) -> list[str]:
    """Return the number of features of each dimension, and the greatest finite persistence."""
    counts, greatest = [], []
    for d in dims:
        of_dim = diagram.dim == d
        finite = diagram.persistence[of_dim & ~diagram.essential]
        counts.append(str(of_dim.sum()))
        greatest.append(f"{finite.max():.6g}" if finite.size else "-")
    return counts + greatest


def _pooled(diagrams: "Sequence[Diagram]") -> "Diagram":
    """Return the points of all sections together, their pixels within their section."""
    from dataclasses import replace

    import numpy as np

    columns = ("dim", "birth", "death", "birth_pixel", "death_pixel")
    joined = {
        name: np.concatenate([getattr(diagram, name) for diagram in diagrams])
        for name in columns
    }
    return replace(diagrams[0], **joined)


def _figure(
    name: str,
    volume: "NDArray",
    diagrams: "Sequence[Diagram]",
    args: argparse.Namespace,
    path: str,
) -> bytes:
    """Return the figure: features by section to the left, all points to the right."""
    from pytopo import plot
    from pytopo.plot.legend import feature_name

    pooled = _pooled(diagrams)
    figure, left, right = two_axes()
    for d in pooled.dims:
        counts = [int((diagram.dim == d).sum()) for diagram in diagrams]
        left.plot(
            counts, "o-", color=plot.COLOURS[d], ms=4, lw=1.2, label=feature_name(d, pooled)
        )  # fmt: skip
    left.set(xlabel="section", ylabel="number of features", xlim=(-0.5, len(volume) - 0.5))
    left.set_ylim(bottom=0)
    left.xaxis.get_major_locator().set_params(integer=True)
    left.set_title(
        f"{len(volume)} sections of {size_text(volume[0])} pixels, together", fontsize="medium"
    )
    left.legend(frameon=False)
    plot.diagram(pooled, right)
    right.set_title(_options(pooled, args), fontsize="medium")
    return figure_content(figure, name, path)


def _options(diagram: "Diagram", args: argparse.Namespace) -> str:
    return sweep_text(diagram.superlevel, diagram.construction, diagram.frame, _least(args))


def diagrams_of(images: "list[NDArray]", args: argparse.Namespace) -> "list[Diagram]":
    """Return the diagrams of images, by the options of the command."""
    from pytopo.pairing import persistence_batch

    return persistence_batch(
        images,
        args.dims,
        superlevel=args.superlevel,
        construction=args.construction,
        frame=args.frame,
        algorithm=args.algorithm,
        threads=args.threads,
    )
