"""The tables and the figure of `gala_volume.py`: every number a mean over seeds."""

from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from pytopo.files import replacing
from pytopo.plot import COLOURS
from pytopo.training.report import heading, provenance

Results = dict[str, list[dict[str, Any]]]  # by arm, one for each seed

BASELINE = "ce"
MEASURES = (
    ("accuracy", "pixel_accuracy", ".4f"),
    ("Dice", "dice", ".4f"),
    ("clDice", "cldice", ".4f"),
    ("matching 0", "matching_0", ".1f"),
    ("matching 1", "matching_1", ".1f"),
    ("matching 2", "matching_2", ".1f"),
    ("matching", "matching", ".1f"),
    ("Betti 0", "betti_0", ".1f"),
    ("Betti 1", "betti_1", ".1f"),
    ("Betti 2", "betti_2", ".1f"),
    ("patch Betti", "patch_betti", ".2f"),
    ("VOI split", "voi_split", ".3f"),
    ("VOI merge", "voi_merge", ".3f"),
    ("Rand error", "adapted_rand", ".3f"),
)
LOOKS = (*COLOURS, "#CC79A7", "#E69F00", "#56B4E9", "#000000")
DRAWN = ("plain", "size by matching", "persistence by matching")


def write_tables(folder: Path, results: Results, image: NDArray, truth: NDArray) -> str:
    """Write ``tables.md`` and ``figure.png`` into a folder, and return the tables.

    Parameters
    ----------
    folder : Path
        With the likelihood of each run, as `gala_volume.py` leaves it.
    results : dict of str to list of dict
        The runs of each arm, by ascending place in the list of seeds.
    image, truth : (D, H, W) ndarray
        Of the test block.
    """
    text = "\n".join(_sections(results))
    with replacing(folder / "tables.md") as stream:
        stream.write(text)
    with replacing(folder / "figure.png", "w+b") as stream:
        _figure(folder, results, image, truth).savefig(stream, format="png")
    return text


def _sections(results: Results) -> list[str]:
    runs = results["warm-up"]
    settings, count = runs[0]["settings"], len(runs)
    shape = " x ".join(map(str, settings["shape"]))
    lines = [
        f"{provenance()}\n",
        f"Volume {shape}; {settings['warmup']} steps of warm-up, {settings['steps']} of each"
        f" loss; {settings['batch']} cubes of side {settings['patch']} a step, width"
        f" {settings['width']}; {count} seed{'s' if count > 1 else ''}.\n",
    ]
    head = ["loss", *(title for title, *_ in MEASURES)]
    for decision in runs[0]["decisions"]:
        lines += [f"## {heading(decision)}\n"]
        lines += _table(head, [[arm, *_means(results, arm, decision)] for arm in results])
    others = [arm for arm in results if arm not in (BASELINE, "warm-up")]
    if BASELINE in results and others:
        lines += ["## Paired differences to cross-entropy (seeds that fell / rose)\n"]
        for decision in runs[0]["decisions"]:
            rows = [[arm, *_differences(results, arm, decision)] for arm in others]
            lines += [f"### {heading(decision)}\n", *_table(head, rows)]
    lines += ["## CPU time of a step\n"]
    times = [
        [
            arm,
            *(
                f"{np.mean([run[name] for run in several]):.3f} s"
                for name in ("step_seconds", "loss_seconds")
            ),
            f"{np.mean([run['loss_seconds'] / run['step_seconds'] for run in several]):.0%}",
        ]
        for arm, several in results.items()
    ]
    return [*lines, *_table(["loss", "step", "of it the loss", "share"], times)]


def _table(head: list[str], rows: list[list[str]]) -> list[str]:
    lines = [head, ["---"] * len(head), *rows]
    return [*(f"| {' | '.join(line)} |" for line in lines), ""]


def _values(results: Results, arm: str, decision: str, name: str) -> NDArray[np.float64]:
    return np.array([run["decisions"][decision][name] for run in results[arm]])


def _spread(values: NDArray[np.float64], form: str, sign: str = "") -> str:
    mean = format(values.mean(), sign + form)
    return mean if len(values) == 1 else f"{mean} ± {format(values.std(ddof=1), form)}"


def _means(results: Results, arm: str, decision: str) -> list[str]:
    return [_spread(_values(results, arm, decision, name), form) for _, name, form in MEASURES]


def _differences(results: Results, arm: str, decision: str) -> list[str]:
    cells = []
    for _, name, form in MEASURES:
        apart = _values(results, arm, decision, name)
        apart = apart - _values(results, BASELINE, decision, name)
        cells.append(f"{_spread(apart, form, '+')} ({(apart < 0).sum()} / {(apart > 0).sum()})")
    return cells


# ---- figure --------------------------------------------------------------------------------


def _figure(folder: Path, results: Results, image: NDArray, truth: NDArray) -> Figure:
    """Draw a section of the likelihoods, and accuracy against Betti matching error."""
    figure = Figure(figsize=(12, 9), dpi=110, layout="constrained")
    above, below = figure.subfigures(2, 1, height_ratios=[1.1, 1])
    section = truth.shape[0] // 2
    axes = above.subplots(1, 1 + len(results))
    _draw(axes[0], image[section], truth[section], "image, truth")
    for ax, (arm, runs) in zip(axes[1:], results.items()):
        path = folder / f"{arm.replace(':', '-')}-{runs[0]['seed']}.npy"
        _draw(ax, np.load(path)[section], truth[section], arm)
    panels = below.subplots(1, len(DRAWN), sharex=True, sharey=True)
    for ax, decision in zip(panels, DRAWN):
        for arm, colour in zip(results, cycle(LOOKS)):
            error = _values(results, arm, decision, "matching")
            accuracy = _values(results, arm, decision, "pixel_accuracy")
            ax.plot(error, accuracy, "o", ms=4, color=colour, alpha=0.5, mew=0)
            ax.plot(error.mean(), accuracy.mean(), "o", ms=9, color=colour, label=arm)
        ax.set_title(heading(decision), fontsize="small")
        ax.set_xlabel("Betti matching error of the test block")
    panels[0].set_ylabel("accuracy, test block")
    below.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=8)
    return figure


def _draw(ax: Axes, picture: NDArray, truth: NDArray, title: str) -> None:
    ax.imshow(picture, cmap="gray", vmin=0, vmax=1)
    ax.contour(truth, [0.5], colors=COLOURS[1], linewidths=0.7)
    ax.set_title(title, fontsize="medium")
    ax.set_axis_off()
