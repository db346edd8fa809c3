"""What a step of the walkthrough says, in words.

    title       which cells enter, and with which pixel
    story       how their columns are reduced, and what is born or dies
    additions   every addition to a column, a line each

A column is written as the set of its rows, and 0 is the empty one.  Only text is made here;
what happens is computed in `pytopo.textbook.walk`.
"""

from typing import TYPE_CHECKING

from pytopo.diagram import FEATURES, pixel_text
from pytopo.order import FRAME

if TYPE_CHECKING:
    from pytopo.textbook.walk import Column, Feature, Step, Walkthrough

KINDS = ("vertex", "edge", "square", "cube")


def title(step: "Step") -> str:
    """Return which cells enter in a step, and with which pixel."""
    if not step.columns:
        return "the end"
    walk = step.walk
    pixel = f"{_pixel(walk, step.first)}, value {walk.value(step.first):.6g}"
    return pixel if step.by == "pixel" else f"{_cell(walk, step.first)}, enters with {pixel}"


def story(step: "Step") -> str:
    """Return how the columns of a step are reduced, and what follows from it."""
    walk = step.walk
    if not step.columns:
        parts = [
            f"cell {f.begin} is the low of no column: the {_named(walk, f)} never dies"
            for f in walk.features
            if f.end is None
        ]
    elif step.by == "cell":
        parts = [_reduced(walk, column) for column in step.columns]
    else:
        # Most cells of a pixel are paired with each other: those pairs are only counted.
        pairs = (len(step.columns) - len(step.notable)) // 2
        parts = [_counted(walk, step.columns)]
        if pairs:
            parts[0] += f", {pairs} {'pair' if pairs == 1 else 'pairs'} among them"
        parts += [
            f"{_kind(walk, column.cell)} {column.cell}: {_reduced(walk, column)}"
            for column in step.notable
        ]
    return "; ".join(parts)


def additions(step: "Step") -> list[str]:
    """Return every addition to the notable columns of a step with its sum, a line each."""
    lines = []
    for column in step.notable:
        lines += _sums(step.walk, column)
        lines.append(_outcome(step.walk, column))
        lines += _chain(step.walk, column)
    return lines


def _sums(walk: "Walkthrough", column: "Column") -> list[str]:
    """Return a column as it comes and after each addition, the sums one below the other."""
    before = column.faces
    table = [
        (
            f"column {column.cell} is the boundary of {_kind(walk, column.cell)} {column.cell}",
            _set(before),
        )
    ]
    for k, rows in zip(column.added, column.sums):
        table.append((f"low {before[-1]}, + column {k}", _set(rows)))
        before = rows
    width = max(len(what) for what, _ in table)
    return [f"{what:{width}}  {rows}" for what, rows in table]


def _chain(walk: "Walkthrough", column: "Column") -> list[str]:
    """Return which cells have the reduced column for their boundary, if that says anything."""
    several = len(column.chain) > 1
    cells = f"{_kind(walk, column.cell)}{'s' if several else ''} {_set(column.chain)}"
    if column.rows:
        return [f"{cells} {'have' if several else 'has'} this boundary"]
    return [f"{cells} are its cycle"] if column.added else []


def _reduced(walk: "Walkthrough", column: "Column") -> str:
    """Return how a column is reduced and what follows."""
    text = f"boundary {_set(column.faces)}"
    if column.added:
        several = "columns" if len(column.added) > 1 else "column"
        text += f" + {several} {', '.join(map(str, column.added))} = {_set(column.rows)}"
    return f"{text}{', ' if column.rows else ': '}{_outcome(walk, column)}"


def _outcome(walk: "Walkthrough", column: "Column") -> str:
    """Return what a reduced column means: a birth if it is empty, a pair if it has a low."""
    feature = walk.feature_of[column.cell]
    if feature.end != column.cell:
        return f"a {_feature(walk, feature)} is born at {walk.value(column.cell):.6g}"
    pair = f"low {feature.begin}: a pair with {_kind(walk, feature.begin)} {feature.begin}"
    birth, death = walk.value(feature.begin), walk.value(feature.end)
    if walk.lasts(feature):
        end = f"{_named(walk, feature)} dies: point ({birth:.6g}, {death:.6g})"
    elif walk.index(feature.begin) == walk.index(feature.end):
        end = f"{_feature(walk, feature)} dies at once"
    else:
        end = f"{_named(walk, feature)} dies at the same value: no point"
    return f"{pair}; the {end}"


# ---- the parts of a sentence -----------------------------------------------------------------


def _set(rows: tuple[int, ...]) -> str:
    """Return a column as the set of its rows; 0 is the empty one, as in a sum."""
    return f"{{{', '.join(map(str, rows))}}}" if rows else "0"


def _kind(walk: "Walkthrough", cell: int) -> str:
    return KINDS[walk.filtration.dimension[cell]]


def _cell(walk: "Walkthrough", cell: int) -> str:
    place = pixel_text(walk.filtration.coordinates([cell])[0].tolist())
    return f"cell {cell}, {_kind(walk, cell)} at ({place})"


def _pixel(walk: "Walkthrough", cell: int) -> str:
    index = walk.index(cell)
    return "the frame" if index[0] == FRAME else f"pixel ({pixel_text(index)})"


def _feature(walk: "Walkthrough", feature: "Feature") -> str:
    return FEATURES[walk.image.ndim][feature.dim].removesuffix("s")


def _named(walk: "Walkthrough", feature: "Feature") -> str:
    """Return a feature with when and where it is born."""
    place = pixel_text(walk.index(feature.begin))
    born = f"born at {walk.value(feature.begin):.6g} in"
    where = "the frame" if place == "frame" else f"({place})"
    return f"{_feature(walk, feature)} {born} {where}"


def _counted(walk: "Walkthrough", columns: tuple["Column", ...]) -> str:
    """Return how many cells of each kind some columns stand for."""
    kinds = [_kind(walk, column.cell) for column in columns]
    plurals = {"vertex": "vertices"}
    parts = []
    for kind in KINDS:
        n = kinds.count(kind)
        if n:
            parts.append(f"{n} {kind if n == 1 else plurals.get(kind, f'{kind}s')}")
    return ", ".join(parts)
