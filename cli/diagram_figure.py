"""The figure of ``pytopo diagram``: the image to the left, its diagram to the right."""

import argparse
from typing import TYPE_CHECKING

from pytopo.cli import sections
from pytopo.cli.diagram_cut import Cut, cut_text
from pytopo.cli.diagram_table import sweep_of
from pytopo.cli.files import figure_content, size_text, two_axes
from pytopo.cli.smoothing import smooth_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from pytopo.diagram import Diagram


def diagram_figure(
    name: str,
    image: "NDArray",
    diagram: "Diagram",
    cut: Cut,
    args: argparse.Namespace,
    path: str,
) -> bytes:
    """Return the content of the file of the figure."""
    from pytopo import plot

    size = f"{size_text(image)} pixels{smooth_text(args.smooth)}"
    title = sweep_of(diagram)
    if image.ndim == 3:
        figure, left, right = sections.volume_axes(image.shape)
        plot.sections(image, diagram, left, at=args.at, top=cut.top)
        title = f"{size}\n{title}"
    else:
        figure, section, right = two_axes()
        _draw_image(image, diagram, cut, section)
        section.set_title(size, fontsize="medium")
    plot.diagram(diagram, right, cut=cut.value, top=cut.top)
    right.set_title(title, fontsize="medium")
    figure.text(0.5, 0.93, cut_text(diagram, cut), ha="center", va="center")
    return figure_content(figure, name, path)


def _draw_image(image: "NDArray", diagram: "Diagram", cut: Cut, ax: "Axes") -> None:
    """Draw an image and what stands out: painted, or marked on a curve of one axis."""
    from pytopo import plot

    if image.ndim == 2:
        plot.features(image, diagram, ax, cut=cut.value, top=cut.top)
    else:
        assert cut.top is not None
        plot.image(image, diagram, ax, top=cut.top)
