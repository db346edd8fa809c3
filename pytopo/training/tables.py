"""The tables of a report in Markdown: methods, pairs of methods, epochs.

Every number of a method is a mean over seeds, followed by the standard deviation where there
are several seeds.  A paired difference is taken before the mean: both methods were trained with
the same patches in the same order, and measured on the same images.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from pytopo.training.comparison import Effect, Pair
from pytopo.training.decision import DECISIONS
from pytopo.training.methods import Experiment, Method

Runs = dict[str, Any]  # by seed, as `pytopo.training.results.gather_results` returns them
Rows = Iterable[Sequence[str]]
Measures = Sequence[tuple[str, str, str]]  # title, name, format

EPOCH_COLUMNS: Measures = (
    ("Epoch", "epoch", ".0f"),
    ("Loss", "loss", ".6f"),
    ("Pixel Accuracy", "pixel_accuracy", ".4f"),
    ("Betti Error", "betti_error", ".4f"),
    ("VOI", "voi", ".4f"),
)
# What settles whether a method helps.
MAIN: Measures = (
    ("Betti matching error", "matching", ".3f"),
    ("Betti number error", "patch_betti", ".3f"),
    ("Pixel accuracy", "pixel_accuracy", ".4f"),
)
TOPOLOGY: Measures = (
    ("matching 0", "matching_0", ".3f"),
    ("matching 1", "matching_1", ".3f"),
    ("Betti 0, patch", "patch_betti_0", ".3f"),
    ("Betti 1, patch", "patch_betti_1", ".3f"),
    ("Betti 0, section", "betti_0", ".1f"),
    ("Betti 1, section", "betti_1", ".1f"),
)
PIXELS_AND_CELLS: Measures = (
    ("accuracy", "pixel_accuracy", ".4f"),
    ("Dice", "dice", ".4f"),
    ("clDice", "cldice", ".4f"),
    ("VOI split", "voi_split", ".3f"),
    ("VOI merge", "voi_merge", ".3f"),
    ("Rand error", "adapted_rand", ".3f"),
)
FORMATS = {name: form for _, name, form in (*MAIN, *TOPOLOGY, *PIXELS_AND_CELLS)}


def table(head: Sequence[str], rows: Rows) -> Iterator[str]:
    """Yield the lines of a table, and an empty one.

    Examples
    --------
    >>> print(*table(["method", "Dice"], [["bce", "0.91"]]), sep="\\n")
    | method | Dice |
    |---|---|
    | bce | 0.91 |
    <BLANKLINE>
    """
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"
    yield ""


# ---- methods -------------------------------------------------------------------------------


def summary(experiment: Experiment, runs: Runs, measure: str) -> Iterator[str]:
    """Yield a table of one measure: methods x decisions."""
    yield from table(
        ["method", *DECISIONS],
        [
            [m.name, *(_cell(runs[m.name], decision, measure) for decision in DECISIONS)]
            for m in experiment.methods
        ],
    )


def measured(
    experiment: Experiment, runs: Runs, decision: str, measures: Measures
) -> Iterator[str]:
    """Yield a table of one decision: methods x measures."""
    yield from table(
        ["method", *(title for title, *_ in measures)],
        [
            [m.name, *(_cell(runs[m.name], decision, name) for _, name, _ in measures)]
            for m in experiment.methods
        ],
    )


def _cell(runs: Runs, decision: str, measure: str) -> str:
    values = [run["evaluation"][decision]["test"][measure] for run in runs.values()]
    mean = format(_mean(values), FORMATS[measure])
    if len(values) == 1:
        return mean
    return f"{mean} ± {format(np.std(values, ddof=1), FORMATS[measure])}"


# ---- pairs of methods ----------------------------------------------------------------------


def pair_summary(pairs: Sequence[Pair], measure: str) -> Iterator[str]:
    """Yield a table of the effects of one pair: decisions x what is known of one measure."""
    chosen = {pair.decision: pair for pair in pairs if pair.measure == measure}
    accuracy = {pair.decision: pair for pair in pairs if pair.measure == "pixel_accuracy"}
    yield from table(
        [
            "decision", "by seed", "fell / rose", "p", "by image", "fell / rose", "p",
            "accuracy, by seed",
        ],
        [
            [
                decision,
                *_tested(pair.seeds, FORMATS[measure]),
                *_tested(pair.images, FORMATS[measure]),
                _difference(accuracy[decision].seeds, FORMATS["pixel_accuracy"]),
            ]
            for decision, pair in chosen.items()
        ],
    )  # fmt: skip


def differences(pairs: Sequence[Pair], decision: str, measures: Measures) -> Iterator[str]:
    """Yield a table of one decision: pairs x measures, by seed."""
    known = {(p.method, p.against, p.measure): p for p in pairs if p.decision == decision}
    names = dict.fromkeys((method, against) for method, against, _ in known)
    yield from table(
        ["method - other", *(title for title, *_ in measures)],
        [
            [
                f"{one} - {other}",
                *(_counted(known[one, other, m].seeds, f) for _, m, f in measures),
            ]
            for one, other in names
        ],
    )


def _tested(effect: Effect, form: str) -> list[str]:
    return [_difference(effect, form), f"{effect.fell} / {effect.rose}", f"{effect.p:.4f}"]


def _counted(effect: Effect, form: str) -> str:
    return f"{_difference(effect, form)} ({effect.fell} / {effect.rose})"


def _difference(effect: Effect, form: str) -> str:
    mean = format(effect.mean, "+" + form)
    return mean if effect.number == 1 else f"{mean} ± {format(effect.deviation, form)}"


# ---- time ----------------------------------------------------------------------------------


def step_times(experiment: Experiment, times: dict[str, Any]) -> Iterator[str]:
    """Yield the table of the time of a step: of each method, and as a multiple of others."""
    kinds = times["seconds"], times["cpu_seconds"]
    yield from table(
        ["method", "step (ms)", "compared", "on processors (ms)", "compared"],
        [
            [method.name, *(cell for seconds in kinds for cell in _timed(method, seconds))]
            for method in experiment.methods
            if method.name in times["seconds"]
        ],
    )


def _timed(method: Method, seconds: dict[str, float]) -> list[str]:
    mine = seconds[method.name]
    others = [other for other in method.against if other in seconds]
    ratios = [f"{mine / seconds[other]:.3f} x {other}" for other in others]
    return [f"{1000 * mine:.1f}", ", ".join(ratios)]


# ---- epochs --------------------------------------------------------------------------------


def epochs(runs: Runs) -> Iterator[str]:
    """Yield the table of the epochs of a method: means over seeds."""
    histories = [run["epochs"] for run in runs.values()]
    means = [
        {name: _mean([row[name] for row in rows]) for _, name, _ in EPOCH_COLUMNS}
        for rows in zip(*histories)
    ]
    yield from table(
        [title for title, *_ in EPOCH_COLUMNS],
        [[format(row[name], form) for _, name, form in EPOCH_COLUMNS] for row in means],
    )


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)
