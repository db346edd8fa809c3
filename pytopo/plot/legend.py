"""Colours, legends and words that all pictures share."""

from collections.abc import Sequence

import numpy as np
from matplotlib import patheffects
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.transforms import ScaledTranslation
from numpy.typing import NDArray

from pytopo.diagram import FEATURES, Diagram

# A colour for each dimension, the same in every picture: blue, vermilion and green of Okabe and
# Ito, which colour-blind eyes distinguish, on grey too.
COLOURS = ("#0072B2", "#D55E00", "#009E73")

# Of single features where they are few, in an order in which neighbours differ (Okabe and Ito).
TINTS = ("#E69F00", "#56B4E9", "#009E73", "#F0E442", "#0072B2", "#D55E00", "#CC79A7")

OUTLINE = [patheffects.withStroke(linewidth=3, foreground="white")]


def feature_name(dim: int, diagram: Diagram) -> str:
    return f"{FEATURES[len(diagram.shape)][dim]} (dim {dim})"


def counted(diagram: Diagram, dim: int, cut: float = 0.0) -> str:
    of_dim = diagram.dim == dim
    essential = np.count_nonzero(diagram.essential & of_dim)
    remark = f", {essential} essential" if essential else ""
    there, above = (np.count_nonzero(of_dim & (diagram.persistence >= c)) for c in (0, cut))
    number = f"{above} of {there}" if above < there else f"{there}"
    return f"{feature_name(dim, diagram)}: {number}{remark}"


def sweep_label(quantity: str, diagram: Diagram) -> str:
    if not diagram.superlevel:
        return quantity
    return (
        f"{quantity} (falling)" if quantity == "threshold" else f"{quantity} (threshold falls)"
    )


def given_or_new(ax: Axes | None) -> Axes:
    """Return the Axes to draw on; pyplot is imported only where new ones are made."""
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    return plt.subplots(layout="constrained")[1]


def most_persistent(diagram: Diagram, chosen: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the rows of the chosen points, most persistent first."""
    rows = np.flatnonzero(chosen)
    return rows[np.argsort(-diagram.persistence[rows], kind="stable")]


def standing_out(diagram: Diagram, cut: float, top: int | None) -> NDArray[np.int64]:
    """Return the rows of at least this persistence, most persistent first, or some of them."""
    return most_persistent(diagram, diagram.persistence >= cut)[:top]


def feature_colours(diagram: Diagram, rows: NDArray[np.int64]) -> list[str]:
    """Return a colour for each of some points: that of its dimension, or its own if few."""
    if has_own_colours(diagram, rows):
        return list(TINTS[: len(rows)])
    return [COLOURS[d] for d in diagram.dim[rows]]


def has_own_colours(diagram: Diagram, rows: NDArray[np.int64]) -> bool:
    """Tell whether points have a colour each: of an image, whose features are painted."""
    return len(diagram.shape) == 2 and len(rows) <= len(TINTS)


def point_handle(colour: str, label: str, hollow: bool = False) -> Line2D:
    return mark_handle(colour, label, "^" if hollow else "o", hollow)


def mark_handle(colour: str, label: str, marker: str, hollow: bool = False) -> Line2D:
    return Line2D(
        [], [], ls="", color=colour, label=label,
        marker=marker, mfc="none" if hollow else colour,
    )  # fmt: skip


def legend_below(ax: Axes, handles: Sequence[Artist], columns: int) -> None:
    """Put a legend under the label of the x axis, whatever the size of the axes."""
    down = ScaledTranslation(0, -36 / 72, ax.figure.dpi_scale_trans)
    ax.legend(
        handles=list(handles), loc="upper center", bbox_to_anchor=(0.5, 0), ncols=columns,
        bbox_transform=ax.transAxes + down, frameon=False, fontsize="small",
        handlelength=1.2, handletextpad=0.6, columnspacing=1.2, borderpad=0,
    )  # fmt: skip
