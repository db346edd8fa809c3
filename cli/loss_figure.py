"""The figure of `pytopo loss`: truth, likelihood and the matching of their diagrams.

.-------. .------------. .---------.      .-------.  .---------.
| truth | | likelihood | | diagram |      | truth |  |         |
'-------' '------------' '---------'      :-------:  | diagram |
                                          | like- |  |         |
images that are not wide                  '-------'  '---------'   wide images
"""

import argparse
from typing import TYPE_CHECKING

from pytopo.cli import sections
from pytopo.cli.files import figure_content, size_text
from pytopo.cli.loss_tables import Verdict, options_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

WIDE = 1.5  # width by height of images that are drawn above each other


def loss_figure(
    images: "tuple[NDArray, NDArray]", verdict: Verdict, args: argparse.Namespace, path: str
) -> bytes:
    """Return the content of the figure of a likelihood and its ground truth."""
    from pytopo import plot

    likelihood, truth = images
    why, size = verdict.explanation, f"{size_text(likelihood)} pixels"
    loss = f"loss {sum(verdict.losses.values()):.4g}"
    title = f"{loss}\n{options_text(args)}"
    if likelihood.ndim == 3:
        figure, axes, right = sections.volume_axes(likelihood.shape)
        plot.critical_sections(likelihood, why, axes, at=args.at, top=args.top)
        title = f"{size}\n{loss}: {options_text(args)}"
    else:
        figure, upper, lower, right = two_images_axes(likelihood.shape)
        by_place = args.matching == "betti"
        plot.target(truth, why, upper, top=args.top if by_place else 0)
        upper.set_title("truth", fontsize="medium")
        plot.critical(likelihood, why, lower, top=args.top)
        lower.set_title(f"likelihood, {size}", fontsize="medium")
    plot.matching(why, right, flipped=args.flipped, top=args.top)
    right.set_title(title, fontsize="medium")
    return figure_content(figure, f"{args.likelihood} against {args.truth}", path)


def two_images_axes(shape: tuple[int, ...]) -> "tuple[Figure, Axes, Axes, Axes]":
    """Return a figure, and the Axes of two images of one shape and of a diagram."""
    from matplotlib.figure import Figure

    height, width = shape
    if width < WIDE * height:
        figure = Figure(figsize=(17, 6.4), dpi=150)
        axes = figure.subplots(1, 3)
        figure.subplots_adjust(left=0.04, right=0.99, bottom=0.16, top=0.88, wspace=0.16)
        return figure, *axes
    figure = Figure(figsize=(14, 7.6), dpi=150)
    halves = figure.add_gridspec(
        1, 2, width_ratios=[1.2, 1], left=0.04, right=0.985, bottom=0.15, top=0.87, wspace=0.12
    )
    upper, lower = halves[0].subgridspec(2, 1, hspace=0.55).subplots()
    return figure, upper, lower, figure.add_subplot(halves[1])
