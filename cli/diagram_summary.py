"""The table and the figure of a diagram that may be larger than memory."""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from pytopo.cli.diagram_cut import LISTED
from pytopo.cli.diagram_table import sweep_of
from pytopo.cli.files import aligned, figure_content, two_axes
from pytopo.cli.memory import gigabytes
from pytopo.cli.report import InputError, printable, reporting_errors
from pytopo.cli.workers import counted
from pytopo.progress import progress

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from pytopo.diagram import Diagram
    from pytopo.large import DiagramParts
    from pytopo.large.sources.source import Source
    from pytopo.large.summary import Summary

DRAWN = 10**6  # points in a figure, at most
POINT_BYTES = 150  # that a point takes while a file of points is written, about


@dataclass(frozen=True)
class Large:
    """A diagram, and what it is of.

    Attributes
    ----------
    name : str
    source : Source or None
        The image, if it is there.
    points : Diagram or DiagramParts
    """

    name: str
    source: "Source | None"
    points: "Diagram | DiagramParts"

    def kept(self, least: float) -> "Kept":
        """Return the points of at least this persistence."""
        from pytopo.diagram import Diagram

        parts = [self.points] if isinstance(self.points, Diagram) else self.points
        return Kept(self.name, parts, least)


@dataclass(frozen=True)
class Kept:
    """The points of at least some persistence, to be read part by part, again and again."""

    name: str
    parts: "DiagramParts | list[Diagram]"
    least: float

    def __iter__(self) -> "Iterator[Diagram]":
        for part in self.parts:
            yield part.select(min_persistence=self.least) if self.least else part

    @cached_property
    def summary(self) -> "Summary":
        """The points in numbers."""
        from pytopo.large.summary import summary_of

        return summary_of(self)

    def __len__(self) -> int:
        return sum(self.summary.counts.values())

    def whole(self) -> "Diagram":
        """Return all of them as one diagram.

        Raises
        ------
        InputError
            If they do not fit into memory.
        """
        from pytopo.images.readers.memory import free_memory

        needed, free = POINT_BYTES * len(self), free_memory()
        if needed > free:
            raise InputError(
                f"{self.name}: {len(self):,} points take {gigabytes(needed)}, and "
                f"{gigabytes(free)} are left; take fewer by --min-persistence"
            )
        return self.above(self.least)

    def above(self, least: float) -> "Diagram":
        """Return those of at least some persistence as one diagram."""
        if isinstance(self.parts, list):
            return self.parts[0].select(min_persistence=least)
        return self.parts.select(min_persistence=least)

    def best(self, count: int) -> "Diagram":
        """Return the most persistent points, in that order."""
        if isinstance(self.parts, list):
            ordered = self.parts[0].select(min_persistence=self.least).sorted()
            return ordered._rows(slice(0, count), ordered.dims)
        return self.parts.most_persistent(min(count, len(self)))


# ---- the table ---------------------------------------------------------------------------


def large_table(large: Large, kept: Kept, args: argparse.Namespace) -> str:
    """Return counts, Betti numbers, a histogram and the most persistent points, as text."""
    from pytopo.diagram import FEATURES, pixel_text

    best = kept.best(LISTED if args.top is None else args.top)
    found, shape = kept.summary, best.shape
    names = FEATURES[len(shape)]
    numbers: list[tuple[str, ...]] = [("dim", "number", "essential")]
    numbers += [(str(d), str(found.counts[d]), str(found.essential[d])) for d in found.dims]
    heads = tuple(names[d] for d in found.dims)
    betti = [("threshold", *heads)]
    betti += [
        (f"{t:.6g}", *map(str, row))
        for t, row in zip(found.thresholds.tolist(), found.betti.tolist())
    ]
    counts = [("persistence from", "to", *heads)]
    counts += [
        (f"{a:.6g}", f"{b:.6g}", *map(str, row))
        for a, b, row in zip(found.edges, found.edges[1:], found.histogram.tolist())
    ]
    columns = (
        map(str, best.dim.tolist()),
        *([f"{v:.6g}" for v in column] for column in (best.birth, best.death)),
        [f"{v:.6g}" for v in best.persistence],
        map(pixel_text, best.birth_index.tolist()),
        map(pixel_text, best.death_index.tolist()),
    )
    head = ("dim", "birth", "death", "persistence", "birth pixel", "death pixel")
    axes = ", ".join(("plane", "row", "column")[-len(shape) :])
    least = f", of persistence at least {kept.least:.6g}" if kept.least else ""
    return "\n".join(
        [
            f"{printable(large.name)}: {' x '.join(map(str, shape))} pixels",
            f"{sweep_of(best)}{least}",
            "",
            *(f"{line}  {word}".rstrip() for line, word in zip(aligned(numbers), ("", *heads))),
            "",
            "Betti numbers",
            *aligned(betti),
            "",
            "points by persistence, essential ones left out",
            *aligned(counts),
            "",
            f"most persistent: {len(best)} of {len(kept)}; pixels as ({axes})",
            *aligned([head, *zip(*columns)]),
            "",
        ]
    )


# ---- the figure --------------------------------------------------------------------------


def large_figure(large: Large, kept: Kept, args: argparse.Namespace, path: str) -> bytes:
    """Return the content of the file of the figure: a small picture, and the diagram."""
    from pytopo import plot
    from pytopo.large.summary import cut_for

    top = LISTED if args.top is None else args.top
    figure, left, right = two_axes()
    best = kept.best(top)
    remark = _draw_image(large, best, top, left)
    least = max(kept.least, cut_for(kept, kept.summary, DRAWN))
    drawn = kept.above(least)
    plot.diagram(drawn, right)
    size = f"{' x '.join(map(str, best.shape))} pixels"
    left.set_title(", ".join(filter(None, [size, remark])), fontsize="medium")
    right.set_title(sweep_of(best), fontsize="medium")
    some = f"those of persistence at least {least:.6g} are drawn, " if least else ""
    marked = f"the {len(best)} most persistent are marked"
    if len(best.shape) == 3:
        marked = f"marked are the {len(best)} most persistent, where the plane has them"
    text = f"{len(kept):,} points; {some}{marked}"
    figure.text(0.5, 0.935, text, ha="center", va="center")
    return figure_content(figure, large.name, path)


def _draw_image(large: Large, best: "Diagram", top: int, ax: "Axes") -> str:
    """Draw a small picture of the image, if it is there; return what it is."""
    from pytopo import plot
    from pytopo.large.sources.overview import overview

    section = None
    if len(best.shape) == 3:
        section = _plane_of(best)
    if large.source is None:
        plot.overview(None, best, ax, section=section, top=top)
        return "" if section is None else f"plane {section}"
    source, remark = large.source, []
    if section is not None:
        source, remark = _plane(source, section), [f"plane {section}"]
    with progress(f"overview of {large.name}", unit="part") as line, reporting_errors():
        small = overview(source, progress=counted(line))
    plot.overview(small.values, best, ax, covered=small.covered, section=section, top=top)
    return ", ".join(filter(None, [*remark, small.origin]))


def _plane_of(best: "Diagram") -> int:
    """Return a plane of a volume in which the most persistent feature is born or dies."""
    for born, dies, dim in zip(best.birth_index, best.death_index, best.dim):
        inside = born if dim == 0 else dies
        if inside[0] >= 0 and dies[0] >= 0:
            return int(inside[0])
    return best.shape[0] // 2


def _plane(source: "Source", number: int) -> "Source":
    """Return a plane of a volume as a source of two axes."""
    axis = next(k for k, pick in enumerate(source.part) if isinstance(pick, slice))
    pick = source.part[axis]
    assert isinstance(pick, slice)
    part = list(source.part)
    part[axis] = pick.start + number * pick.step
    return replace(source, part=tuple(part))
