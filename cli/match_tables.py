"""What `pytopo match` prints and writes as text: counts and distances, the pairs as .csv."""

import argparse
import csv
import io
from typing import TYPE_CHECKING, Any

from pytopo.cli.files import aligned, sweep_text
from pytopo.cli.matches import Match, Sides
from pytopo.cli.report import printable

if TYPE_CHECKING:
    from pytopo.diagram import Diagram

COLUMNS = (
    "dim", "row_a", "birth_a", "death_a", "row_b", "birth_b", "death_b", "cost",
)  # fmt: skip
LEGENDS = {
    "cost": (
        "the distances are of order 2 in the Euclidean norm, and",
        "the bottleneck in the maximum norm",
    ),
    "place": ("matched by place; the cost is the sum of squared",
              "distances, as in the loss"),
}  # fmt: skip


def match_csv(sides: Sides, matches: dict[int, Match]) -> str:
    """Return a line for each pair, then for each point that goes to the diagonal, by dimension.

    Rows are counted from 0, as in the saved diagrams; costs add up to those of the table.
    """
    first, second = sides
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


def match_table(sides: Sides, matches: dict[int, Match], args: argparse.Namespace) -> str:
    """Return counts and distances of each dimension as text."""
    from pytopo.diagram import FEATURES

    first, second = sides
    axes = max(len(first.shape), len(second.shape))
    head = ("dim", "A", "B", "pairs", "A only", "B only", "cost", "Wasserstein", "bottleneck")
    rows: list[tuple[str, ...]] = [head if args.by == "cost" else head[:-2]]
    for dim, found in matches.items():
        matching = found.matching
        counts = (
            found.first, found.second, matching.pairs, matching.first_only, matching.second_only
        )  # fmt: skip
        distances = [matching.cost]
        if found.bottleneck is not None:
            distances += [found.wasserstein, found.bottleneck]
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
            f"finite points{remark}; {LEGENDS[args.by][0]}",
            LEGENDS[args.by][1],
            "",
            *lines,
            *_essential_lines(sides, matches),
            "",
        ]
    )


def _essential_lines(sides: Sides, matches: dict[int, Match]) -> list[str]:
    """Return the lines on the components that never die, which match by their births."""
    if 0 not in matches:
        return []
    one, other = (d.birth[d.essential] for d in sides)
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
