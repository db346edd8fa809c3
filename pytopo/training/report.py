"""The report of an experiment: tables in Markdown, and two figures.

Every number is a mean over seeds, followed by the standard deviation where there are several
seeds.  A paired difference is taken seed by seed before the mean: both arms were trained with
the same patches in the same order.
"""

import math
import os
import platform
from collections.abc import Iterator
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

import pytopo
from pytopo.files import replacing
from pytopo.plot import COLOURS
from pytopo.training.decision import ACCURACY_LOSS, DECISIONS, PLAIN
from pytopo.training.figures import save
from pytopo.training.methods import Experiment

Results = dict[str, Any]
Formatted = list[list[str]]

EPOCH_COLUMNS = (
    ("Epoch", "epoch", "d"),
    ("Loss", "loss", ".6f"),
    ("Pixel Accuracy", "pixel_accuracy", ".4f"),
    ("Betti Error", "betti_error", ".4f"),
    ("VOI", "voi", ".4f"),
)
# What is reported of the test sections: title, name of the measure, format.
MEASURES = (
    ("accuracy", "pixel_accuracy", ".4f"),
    ("Dice", "dice", ".4f"),
    ("matching 0", "matching_0", ".3f"),
    ("matching 1", "matching_1", ".3f"),
    ("Betti 0, patch", "patch_betti_0", ".3f"),
    ("Betti 1, patch", "patch_betti_1", ".3f"),
    ("Betti 0, section", "betti_0", ".1f"),
    ("Betti 1, section", "betti_1", ".1f"),
    ("VOI split", "voi_split", ".3f"),
    ("VOI merge", "voi_merge", ".3f"),
    ("Rand error", "adapted_rand", ".3f"),
)


CRITERIA = {"matching": "Betti matching error", "betti": "Betti error"}
DRAWN = (PLAIN, "size by matching", "persistence by matching")
EXPLAINED = (
    'Columns "matching": features of a patch that do not match those of the ground truth by',
    "place, components (0) and holes (1); of patches that tile a section. Tuned: on the",
    "validation sections, by the least Betti matching error of such patches, or by their least",
    f"Betti error of what loses at most {ACCURACY_LOSS:g} of accuracy to the best threshold.",
    "Size: components of fewer pixels are removed. Persistence: components and holes of less",
    "persistence are removed from the likelihood.\n",
)


def write_report(folder: Path, experiment: Experiment, results: Results) -> str:
    """Write ``tables.md`` and the figures, and return the tables."""
    text = "\n".join(_sections(experiment, results))
    with replacing(folder / "tables.md") as stream:
        stream.write(text)
    save(epoch_curves(experiment, results), folder / "epochs.png")
    save(accuracy_against_betti(experiment, results), folder / "accuracy-betti.png")
    return text


def _sections(experiment: Experiment, results: Results) -> Iterator[str]:
    seeds = len(experiment.seeds)
    count = f"{seeds} seed{'s' if seeds > 1 else ''}"
    yield f"{provenance()}\n"
    yield "## Epoch by epoch, on the validation sections"
    spread = f"mean ± deviation over {count}" if seeds > 1 else count
    yield f"\nMeans over {count}. Loss is that of the training patches. Betti error: mean over"
    yield "framed patches, components and holes together. VOI in bits. Threshold 0.5.\n"
    for k, method in enumerate(experiment.methods, 1):
        yield f"### {k}. {method.title}\n"
        yield from _table([title for title, *_ in EPOCH_COLUMNS], _epochs(results[method.name]))
        yield ""
    yield f"## On the test sections, after the last epoch: {spread}\n"
    yield from EXPLAINED
    for decision in DECISIONS:
        yield f"### {heading(decision)}\n"
        yield from _table(
            ["method", *(title for title, *_ in MEASURES)],
            [
                [m.name, *(_spread(values) for values in _measures(results[m.name], decision))]
                for m in experiment.methods
            ],
        )
        yield ""
    pairs = [m for m in experiment.methods if m.against]
    if pairs:
        yield f"## Paired differences, {spread} (seeds that fell / rose)\n"
        for decision in DECISIONS:
            yield f"### {heading(decision)}\n"
            yield from _table(
                ["method - other", *(title for title, *_ in MEASURES)],
                [_differences(m.name, m.against, results, decision) for m in pairs],
            )
            yield ""


def heading(decision: str) -> str:
    """Return the heading of the tables of a decision.

    Examples
    --------
    >>> heading("plain"), heading("size by betti")
    ('Threshold 0.5', 'Threshold and size, tuned by Betti error')
    """
    if decision == PLAIN:
        return "Threshold 0.5"
    cleanup, criterion = decision.split(" by ")
    removed = "" if cleanup == "threshold" else f" and {cleanup}"
    return f"Threshold{removed}, tuned by {CRITERIA[criterion]}"


def provenance() -> str:
    """Return when, on what machine and with which versions a report was made."""
    versions = ", ".join(f"{name} {version(name)}" for name in ("torch", "numpy", "numba"))
    return (
        f"Written by pytopo {pytopo.__version__} on {date.today().isoformat()}; "
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores; "
        f"Python {platform.python_version()}, {versions}."
    )


def _table(head: list[str], rows: Formatted) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def _epochs(runs: Results) -> Formatted:
    histories = [run["epochs"] for run in runs.values()]
    return [
        [
            format(rows[0][name] if form == "d" else _mean([r[name] for r in rows]), form)
            for _, name, form in EPOCH_COLUMNS
        ]
        for rows in zip(*histories)
    ]


def _measures(runs: Results, decision: str) -> Iterator[tuple[list[float], str]]:
    for _, name, form in MEASURES:
        yield [run["evaluation"][decision]["test"][name] for run in runs.values()], form


def _spread(measure: tuple[list[float], str], sign: str = "") -> str:
    values, form = measure
    mean = format(_mean(values), sign + form)
    return mean if len(values) == 1 else f"{mean} ± {format(np.std(values, ddof=1), form)}"


def _differences(name: str, other: str, results: Results, decision: str) -> list[str]:
    cells = [f"{name} - {other}"]
    for (mine, form), (theirs, _) in zip(
        _measures(results[name], decision), _measures(results[other], decision)
    ):
        apart = [a - b for a, b in zip(mine, theirs)]
        fell, rose = sum(d < 0 for d in apart), sum(d > 0 for d in apart)
        cells.append(f"{_spread((apart, form), '+')} ({fell} / {rose})")
    return cells


def _mean(values: list[float]) -> float:
    return math.fsum(values) / len(values)


# ---- figures -------------------------------------------------------------------------------


def epoch_curves(experiment: Experiment, results: Results) -> Figure:
    """Draw the four measures by epoch: a line per method, and a band for its seeds."""
    figure = Figure(figsize=(11, 7), dpi=110, layout="constrained")
    for ax, (title, name, _) in zip(figure.subplots(2, 2).flat, EPOCH_COLUMNS[1:]):
        for method, (colour, style) in zip(experiment.methods, _looks()):
            histories = [run["epochs"] for run in results[method.name].values()]
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


def accuracy_against_betti(experiment: Experiment, results: Results) -> Figure:
    """Draw accuracy against Betti matching error: small markers are seeds, large ones means."""
    figure = Figure(figsize=(13, 5.2), dpi=110, layout="constrained")
    for ax, decision in zip(figure.subplots(1, 3, sharex=True, sharey=True), DRAWN):
        for method, (colour, style) in zip(experiment.methods, _looks()):
            tests = [
                run["evaluation"][decision]["test"] for run in results[method.name].values()
            ]
            error = [test["matching"] for test in tests]
            accuracy = [test["pixel_accuracy"] for test in tests]
            ax.plot(error, accuracy, "o", ms=4, color=colour, alpha=0.5, mew=0)
            marker = "o" if style == "-" else "s"
            ax.plot(
                _mean(error), _mean(accuracy), marker, ms=9, color=colour, label=method.title,
                fillstyle="full" if style == "-" else "none",
            )  # fmt: skip
        ax.set_title(heading(decision), fontsize="medium")
        ax.set_xlabel("Betti matching error of a test patch")
    figure.axes[0].set_ylabel("pixel accuracy, test")
    _add_legend(figure)
    return figure


def _add_legend(figure: Figure) -> None:
    """Name the methods once, below all panels."""
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, fontsize="small")


def _looks() -> Iterator[tuple[str, str]]:
    """Yield colours that colour-blind readers can distinguish; then the same again, dashed."""
    colours = (*COLOURS, "#CC79A7", "#E69F00", "#56B4E9", "#000000")
    for style in ("-", "--", ":"):
        for colour in colours:
            yield colour, style
