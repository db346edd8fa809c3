"""The figures of a report: methods by epoch, by accuracy and topology, and by their weight."""

import math
from collections.abc import Iterator, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pytopo.plot import COLOURS
from pytopo.training.decision import PLAIN
from pytopo.training.families import Family
from pytopo.training.methods import Experiment
from pytopo.training.tables import EPOCH_COLUMNS, Runs

DRAWN = (PLAIN, "size by matching", "persistence by matching")
BY_WEIGHT = (
    ("Betti matching error of a patch", "matching"),
    ("VOI, merge (bits)", "voi_merge"),
    ("pixel accuracy", "pixel_accuracy"),
)


def heading(decision: str) -> str:
    """Return the heading of what is measured with a decision.

    Examples
    --------
    >>> heading("plain"), heading("size by betti")
    ('Threshold 0.5', 'Threshold and size, tuned by Betti number error')
    """
    if decision == PLAIN:
        return "Threshold 0.5"
    cleanup, criterion = decision.split(" by ")
    removed = "" if cleanup == "threshold" else f" and {cleanup}"
    errors = {"matching": "Betti matching error", "betti": "Betti number error"}
    return f"Threshold{removed}, tuned by {errors[criterion]}"


def epoch_curves(experiment: Experiment, runs: Runs) -> Figure:
    """Draw the four measures by epoch: a line per method, and a band for its seeds."""
    figure = Figure(figsize=(11, 7), dpi=110, layout="constrained")
    for ax, (title, name, _) in zip(figure.subplots(2, 2).flat, EPOCH_COLUMNS[1:]):
        for method, (colour, style) in zip(experiment.methods, _looks()):
            histories = [run["epochs"] for run in runs[method.name].values()]
            values = np.array([[row[name] for row in rows] for rows in histories])
            epochs = [row["epoch"] for row in histories[0]]
            ax.plot(epochs, values.mean(axis=0), style, color=colour, label=method.title)
            ax.fill_between(
                epochs, values.min(axis=0), values.max(axis=0), color=colour, alpha=0.1, lw=0
            )
        ax.set_title(title, fontsize="medium")
        ax.set_xlabel("epoch")
        ax.xaxis.get_major_locator().set_params(integer=True)
    _add_legend(figure)
    return figure


def accuracy_against_betti(experiment: Experiment, runs: Runs) -> Figure:
    """Draw accuracy against Betti matching error: small markers are seeds, large ones means."""
    figure = Figure(figsize=(13, 5.2), dpi=110, layout="constrained")
    for ax, decision in zip(figure.subplots(1, 3, sharex=True, sharey=True), DRAWN):
        for method, (colour, style) in zip(experiment.methods, _looks()):
            error = _by_seed(runs[method.name], decision, "matching")
            accuracy = _by_seed(runs[method.name], decision, "pixel_accuracy")
            ax.plot(error, accuracy, "o", ms=4, color=colour, alpha=0.5, mew=0)
            marker = "o" if style == "-" else "s"
            ax.plot(
                np.mean(error), np.mean(accuracy), marker, ms=9, color=colour,
                label=method.title, fillstyle="full" if style == "-" else "none",
            )  # fmt: skip
        _add_title(ax, decision)
        ax.set_xlabel("Betti matching error of a test patch")
    figure.axes[0].set_ylabel("pixel accuracy, test")
    _add_legend(figure)
    return figure


def weight_curves(found: Sequence[Family], runs: Runs) -> Figure:
    """Draw measures by the weight of the topological loss: a row each, a column a decision.

    Weights are evenly spaced, whatever they are.  Thin lines are seeds and thick ones their
    means; the dotted line is a method without the topological loss.
    """
    weights = sorted({weight for family in found for weight in family.methods})
    figure = Figure(figsize=(12, 8.5), dpi=110, layout="constrained")
    grid = figure.subplots(len(BY_WEIGHT), len(DRAWN), sharex=True)
    for axes, (title, measure) in zip(grid, BY_WEIGHT):
        axes[0].set_ylabel(title)
        for ax, decision in zip(axes, DRAWN):
            for family, look in zip(found, _looks()):
                places = [weights.index(weight) for weight in family.methods]
                values = [
                    _by_seed(runs[method.name], decision, measure)
                    for method in family.methods.values()
                ]
                _draw_family(ax, family, places, values, look)
    for ax, decision in zip(grid[0], DRAWN):
        _add_title(ax, decision)
    for ax in grid[-1]:
        ax.set_xticks(range(len(weights)), [f"{weight:g}" for weight in weights])
        ax.set_xlabel("topo_weight")
    _add_legend(figure)
    return figure


def _draw_family(
    ax: Axes,
    family: Family,
    places: Sequence[int],
    values: Sequence[Sequence[float]],
    look: tuple[str, str],
) -> None:
    """Draw the values of a family, those of all seeds at each place."""
    colour, style = look
    means = [math.fsum(of_seeds) / len(of_seeds) for of_seeds in values]
    ax.plot(places, values, style, color=colour, lw=0.7, alpha=0.45)
    ax.plot(
        places, means, f"o{style}", color=colour, ms=5, lw=2.2,
        label=f"topological, {family.name}",
    )  # fmt: skip
    if 0 in family.methods:
        title = family.methods[0].title
        ax.axhline(means[0], color="0.5", ls=":", lw=1.2, zorder=0, label=title)


def _by_seed(runs: Runs, decision: str, measure: str) -> list[float]:
    return [run["evaluation"][decision]["test"][measure] for run in runs.values()]


def _add_title(ax: Axes, decision: str) -> None:
    ax.set_title(heading(decision).replace(", ", ",\n"), fontsize="medium")


def _add_legend(figure: Figure) -> None:
    """Name the methods once, below all panels."""
    handles, labels = figure.axes[0].get_legend_handles_labels()
    known = dict(zip(labels, handles))
    figure.legend(known.values(), known, loc="outside lower center", ncols=3, fontsize="small")


def _looks() -> Iterator[tuple[str, str]]:
    """Yield colours that colour-blind readers can distinguish; then the same again, dashed."""
    colours = (*COLOURS, "#CC79A7", "#E69F00", "#56B4E9", "#000000")
    for style in ("-", "--", ":"):
        for colour in colours:
            yield colour, style
