"""Pictures of a training run: its log as curves, and patches with their critical pixels."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from matplotlib.artist import Artist
from matplotlib.figure import Figure
from torch import nn

from pytopo import plot
from pytopo.data import Sections
from pytopo.files import replacing
from pytopo.training.config import RunConfig
from pytopo.training.prediction import predict

PANELS = (
    ("loss of training patches", ("loss", "cross_entropy")),
    ("Betti error of a validation patch", ("patch_betti_0", "patch_betti_1")),
    ("pixel accuracy, validation", ("pixel_accuracy",)),
    ("Variation of Information, validation (bits)", ("voi_split", "voi_merge")),
)
NAMES = {
    "cross_entropy": "cross-entropy",
    "patch_betti_0": "components",
    "patch_betti_1": "holes",
    "voi_split": "split",
    "voi_merge": "merge",
}


def curves(history: Sequence[dict[str, float]]) -> Figure:
    """Draw the log of a run, epoch by epoch."""
    figure = Figure(figsize=(10, 6), dpi=110, layout="constrained")
    epochs = [row["epoch"] for row in history]
    topological_from = next((row["epoch"] for row in history if row["topo_weight"] > 0), None)
    for ax, (title, columns) in zip(figure.subplots(2, 2).flat, PANELS):
        for column, colour in zip(columns, plot.COLOURS):
            values = [row[column] for row in history]
            ax.plot(epochs, values, "o-", ms=4, color=colour, label=NAMES.get(column, column))
        if topological_from is not None and topological_from > epochs[0]:
            ax.axvline(
                topological_from - 0.5, color="0.6", ls=":", label="topological loss from here"
            )
        ax.set_title(title, fontsize="medium")
        ax.xaxis.get_major_locator().set_params(integer=True)
        if len(ax.get_lines()) > 1:
            ax.legend(fontsize="small", frameon=False)
    for ax in figure.axes[2:]:
        ax.set_xlabel("epoch")
    return figure


def examples(
    network: nn.Module, sections: Sections, config: RunConfig, rows: int = 3
) -> Figure:
    """Draw patches from the middle of sections, with the pixels at which the loss pulls.

    Each row shows the image, the ground truth, the mask that is predicted, and the likelihood
    with its critical pixels.
    """
    criterion = config.loss.topological()
    size = config.training.size
    chosen = np.linspace(0, len(sections) - 1, min(rows, len(sections))).astype(int).tolist()
    figure = Figure(figsize=(12, 3.3 * len(chosen) + 0.4), dpi=110, layout="constrained")
    grid = figure.subplots(len(chosen), 4, squeeze=False)
    known: dict[str, Artist] = {}  # legend entries, once for all rows
    for axes, i in zip(grid, chosen):
        section = sections[i]
        middle = tuple(
            slice((n - size) // 2, (n - size) // 2 + size) for n in section.truth.shape
        )
        likelihood = predict(network, section.image)[middle]
        image, truth = section.image[middle], section.truth[middle]
        logits = torch.from_numpy(likelihood).double().logit(eps=1e-6)[None, None]
        target = torch.from_numpy(truth.astype(np.float32))[None, None]
        (why,) = criterion.explain(logits, target)
        pictures = {
            f"image, section {i}": image,
            "ground truth": np.where(truth < 0, 0.5, truth),  # grey where it is ignored
            "likelihood > 0.5": likelihood > 0.5,
        }
        for ax, (title, picture) in zip(axes, pictures.items()):
            ax.imshow(picture, cmap="gray", interpolation="nearest")
            ax.set_title(title, fontsize="medium")
            ax.set_axis_off()
        plot.critical(likelihood, why, axes[3], top=10)
        axes[3].set_title(
            f"points: {len(why.fix)} to fix, {len(why.remove)} to remove", fontsize="medium"
        )
        axes[3].set(xlabel="", ylabel="", xticks=[], yticks=[])
        legend = axes[3].get_legend()
        if legend is not None:  # there are points
            words = [text.get_text().split(":")[0] for text in legend.get_texts()]
            known.update(zip(words, legend.legend_handles))
            legend.remove()
    figure.legend(known.values(), known, loc="outside lower right", ncols=6, fontsize="small")
    return figure


def save(figure: Figure, path: Path) -> None:
    """Write a figure as PNG, whole or not at all."""
    with replacing(path, "wb") as stream:
        figure.savefig(stream, format="png")
