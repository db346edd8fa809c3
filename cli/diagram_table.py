"""The table of ``pytopo diagram``: features by dimension, and the most persistent of them."""

import argparse
from typing import TYPE_CHECKING

from pytopo.cli.diagram_cut import LISTED, Cut, cut_text
from pytopo.cli.files import aligned, size_text, sweep_text
from pytopo.cli.report import printable
from pytopo.cli.smoothing import smooth_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytopo.diagram import Diagram


def diagram_table(
    name: str, image: "NDArray", diagram: "Diagram", cut: Cut, args: argparse.Namespace
) -> str:
    """Return what stands out, the counts of each dimension and the first features, as text."""
    from pytopo.diagram import FEATURES, pixel_text

    span = f"{float(image.min()):.6g} to {float(image.max()):.6g}"
    counts: list[tuple[str, ...]] = [("dim", "number", "stand out", "essential")]
    above = diagram.persistence >= cut.value
    for d in diagram.dims:
        of_dim = diagram.dim == d
        numbers = (of_dim, of_dim & above, of_dim & diagram.essential)
        counts.append((str(d), *(str(rows.sum()) for rows in numbers)))
    names = ["", *(FEATURES[image.ndim][d] for d in diagram.dims)]

    top = LISTED if args.top is None else args.top
    best = diagram.sorted()
    values = (best.birth, best.death, best.persistence)
    columns = (
        map(str, best.dim.tolist()),
        *([f"{v:.6g}" for v in column[:top]] for column in values),
        map(pixel_text, best.birth_index[:top].tolist()),
        map(pixel_text, best.death_index[:top].tolist()),
    )
    head = ("dim", "birth", "death", "persistence", "birth pixel", "death pixel")
    features = [head, *zip(*columns)]
    axes = ", ".join(("plane", "row", "column")[-image.ndim :])
    size = f"{size_text(image)} pixels{smooth_text(args.smooth)}"
    return "\n".join(
        [
            cut_text(diagram, cut),
            *_advice(cut),
            "",
            f"{printable(name)}: {size}, values {span}",
            sweep_of(diagram),
            "",
            *(f"{line}  {name}".rstrip() for line, name in zip(aligned(counts), names)),
            "",
            f"most persistent: {len(features) - 1} of {len(diagram)}; pixels as ({axes})",
            *aligned(features),
            "",
        ]
    )


def _advice(cut: Cut) -> list[str]:
    """Return the line that says where a cut comes from that was not asked for."""
    if cut.origin == "suggested":
        return [
            "a suggestion, by a gap in the persistences; --min-persistence or --top changes it"
        ]
    if cut.origin == "no gap":
        return ["--min-persistence or --top says what to show instead, --smooth removes noise"]
    return []


def sweep_of(diagram: "Diagram") -> str:
    """Return the options of the diagram as text."""
    return sweep_text(diagram.superlevel, diagram.construction, diagram.frame)
