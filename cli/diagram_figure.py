"""The figure of ``pytopo diagram``: the image to the left, its diagram to the right."""

import argparse
from typing import TYPE_CHECKING

from pytopo.cli import sections
from pytopo.cli.diagram_table import sweep_of
from pytopo.cli.files import figure_content, size_text, two_axes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytopo.diagram import Diagram


def diagram_figure(
    name: str, image: "NDArray", diagram: "Diagram", args: argparse.Namespace, path: str
) -> bytes:
    """Return the content of the file of the figure."""
    from pytopo import plot

    size, title = f"{size_text(image)} pixels", sweep_of(diagram, args)
    if image.ndim == 3:
        figure, left, right = sections.volume_axes(image.shape)
        plot.sections(image, diagram, left, at=args.at, top=args.top)
        title = f"{size}\n{title}"
    else:
        figure, section, right = two_axes()
        plot.image(image, diagram, section, top=args.top)
        section.set_title(size, fontsize="medium")
    plot.diagram(diagram, right)
    right.set_title(title, fontsize="medium")
    return figure_content(figure, name, path)
