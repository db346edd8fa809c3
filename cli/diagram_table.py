"""The table of ``pytopo diagram``: features by dimension, and the most persistent of them."""

import argparse
from typing import TYPE_CHECKING

from pytopo.cli.files import aligned, size_text, sweep_text
from pytopo.cli.report import printable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytopo.diagram import Diagram


def diagram_table(
    name: str, image: "NDArray", diagram: "Diagram", args: argparse.Namespace
) -> str:
    """Return the counts of each dimension and the most persistent features as text."""
    from pytopo.diagram import FEATURES, pixel_text

    span = f"{float(image.min()):.6g} to {float(image.max()):.6g}"
    counts: list[tuple[str, ...]] = [("dim", "number", "essential")]
    for d in diagram.dims:
        of_dim = diagram.dim == d
        counts.append((str(d), str(of_dim.sum()), str((of_dim & diagram.essential).sum())))
    names = ["", *(FEATURES[image.ndim][d] for d in diagram.dims)]

    best = diagram.sorted()
    values = (best.birth, best.death, best.persistence)
    columns = (
        map(str, best.dim.tolist()),
        *([f"{v:.6g}" for v in column[: args.top]] for column in values),
        map(pixel_text, best.birth_index[: args.top].tolist()),
        map(pixel_text, best.death_index[: args.top].tolist()),
    )
    head = ("dim", "birth", "death", "persistence", "birth pixel", "death pixel")
    features = [head, *zip(*columns)]
    axes = ", ".join(("plane", "row", "column")[-image.ndim :])
    return "\n".join(
        [
            f"{printable(name)}: {size_text(image)} pixels, values {span}",
            sweep_of(diagram, args),
            "",
            *(f"{line}  {name}".rstrip() for line, name in zip(aligned(counts), names)),
            "",
            f"most persistent: {len(features) - 1} of {len(diagram)}; pixels as ({axes})",
            *aligned(features),
            "",
        ]
    )


def sweep_of(diagram: "Diagram", args: argparse.Namespace) -> str:
    """Return the options of the diagram as text."""
    return sweep_text(
        diagram.superlevel, diagram.construction, diagram.frame, args.min_persistence
    )
