"""The report of an experiment: all numbers, tables in Markdown, and figures.

    results.json         every run, and all effects of pairs of methods
    tables.md            as follows
    *.png                by epoch, by the weight of the loss, accuracy against topology

The tables:

    summary              what settles whether a method helps: methods x decisions
    paired differences   each method against others, by seed and by image, with tests
    time per step        where it was measured
    all measures         a decision after another: methods, then pairs
    epochs               on the validation sections
"""

import os
import platform
from collections.abc import Iterator, Sequence
from datetime import date
from importlib.metadata import version
from pathlib import Path
from textwrap import fill
from typing import Any

import pytopo
from pytopo.files import replacing
from pytopo.training.charts import (
    accuracy_against_betti,
    epoch_curves,
    heading,
    weight_curves,
)
from pytopo.training.comparison import DRAWN, MOST_EXACT, Pair, compared
from pytopo.training.decision import ACCURACY_LOSS, DECISIONS, PLAIN
from pytopo.training.families import families
from pytopo.training.figures import save
from pytopo.training.methods import Experiment
from pytopo.training.results import write_json
from pytopo.training.tables import (
    MAIN,
    PIXELS_AND_CELLS,
    TOPOLOGY,
    differences,
    epochs,
    measured,
    pair_summary,
    step_times,
    summary,
)

EXPLAINED = f"""\
Betti matching error: features of a patch, components (0) and holes (1), that do not match those
of the ground truth by place; of patches that tile a section. Betti number error: of random
patches. "plain" is the threshold 0.5. All else is tuned on the validation sections, "by
matching" to the least Betti matching error of such patches, "by betti" to their least Betti
number error among what loses at most {ACCURACY_LOSS:g} of accuracy to the best threshold. Size:
components of fewer pixels are removed. Persistence: components and holes of less persistence
are removed from the likelihood.
"""
TIMED = """\
Of training, on {batches} batches on {device}, with the weights that training ended with. All
methods in turns in one process; the least of {rounds} rounds for each batch, and the mean over
batches. On processors: the time of all threads, which other programs hardly change.
"""
EPOCHS = """\
Loss is that of the training patches. Betti error: mean over framed patches, components and
holes together. VOI in bits. Threshold 0.5.
"""
PAIRED = """\
Differences of a method from another: of means over images, by seed, and of means over seeds, by
image; mean ± deviation, how many fell and rose, and the p-value of a two-sided test. That test
asks how often a sum as far from 0 occurs among all patterns of signs that the differences might
have had. With {seeds} the least p-value by seed is {least:g}, whatever the effect. {images}
Sections of a stack resemble their neighbours, so they are fewer than they seem, and the p-value
by image is too small. Of twenty comparisons without an effect one has p < 0.05 by chance.
"""


def write_report(
    folder: Path, experiment: Experiment, runs: dict[str, Any], times: dict[str, Any]
) -> str:
    """Write ``results.json``, ``tables.md`` and the figures, and return the tables.

    Parameters
    ----------
    folder : Path
    experiment : Experiment
    runs : dict
        As `pytopo.training.results.gather_results` returns them.
    times : dict
        As `pytopo.training.timing.read_times` returns them.
    """
    pairs = compared(experiment, runs)
    paired = [_plain(pair) for pair in pairs]
    write_json(folder / "results.json", {"runs": runs, "paired": paired, "steps": times})
    text = report_text(experiment, runs, pairs, times)
    with replacing(folder / "tables.md") as stream:
        stream.write(text)
    save(epoch_curves(experiment, runs), folder / "epochs.png")
    save(accuracy_against_betti(experiment, runs), folder / "accuracy-betti.png")
    found = families(experiment.methods)
    if found:
        save(weight_curves(found, runs), folder / "weights.png")
    return text


def report_text(
    experiment: Experiment,
    runs: dict[str, Any],
    pairs: Sequence[Pair],
    times: dict[str, Any],
) -> str:
    """Return the tables, in Markdown."""
    return "\n".join(_sections(experiment, runs, pairs, times))


def _plain(pair: Pair) -> dict[str, Any]:
    effects = {"seeds": pair.seeds._asdict(), "images": pair.images._asdict()}
    return {**pair._asdict(), **effects}


def _sections(
    experiment: Experiment,
    runs: dict[str, Any],
    pairs: Sequence[Pair],
    times: dict[str, Any],
) -> Iterator[str]:
    spread = _counted(len(experiment.seeds), "seed")
    if len(experiment.seeds) > 1:
        spread = f"mean ± deviation over {spread}"
    known = _known_measures(runs)
    yield f"{provenance()}\n"
    yield f"## Summary, on the test sections after the last epoch: {spread}\n"
    yield EXPLAINED
    for title, measure, _ in MAIN:
        yield f"### {title}\n"
        yield from summary(experiment, runs, measure)
    if pairs:
        yield "## Paired differences\n"
        yield _paired_explained(len(experiment.seeds), pairs[0].images.number)
        yield from _pair_summaries(pairs)
    yield "## Time per step\n"
    if times:
        yield TIMED.format(**times)
        yield from step_times(experiment, times)
    else:
        yield "Not measured; `pytopo experiment --time-steps 10` measures it.\n"
    yield f"## All measures, on the test sections: {spread}\n"
    if pairs:
        yield 'Rows "method - other" are differences by seed (seeds that fell / rose).\n'
    if "cldice" not in known:
        yield "Without clDice: it takes scikit-image, which was not installed for all runs.\n"
    for decision in DECISIONS:
        yield f"### {heading(decision)}\n"
        for measures in (TOPOLOGY, PIXELS_AND_CELLS):
            shown = [measure for measure in measures if measure[1] in known]
            yield from measured(experiment, runs, decision, shown)
            if pairs:
                yield from differences(pairs, decision, shown)
    yield "## Epoch by epoch, on the validation sections\n"
    yield f"Means over {_counted(len(experiment.seeds), 'seed')}. {EPOCHS}"
    for k, method in enumerate(experiment.methods, 1):
        yield f"### {k}. {method.title}\n"
        yield from epochs(runs[method.name])


def _pair_summaries(pairs: Sequence[Pair]) -> Iterator[str]:
    for method, against in dict.fromkeys((pair.method, pair.against) for pair in pairs):
        yield f"### {method} - {against}: Betti matching error\n"
        of_pair = [p for p in pairs if (p.method, p.against) == (method, against)]
        yield from pair_summary(of_pair, "matching")


def _paired_explained(seeds: int, images: int) -> str:
    drawn = f"Of the patterns of {images} images {DRAWN} are drawn at random."
    text = PAIRED.format(
        seeds=_counted(seeds, "seed"),
        least=2 / 2**seeds,
        images=drawn if images > MOST_EXACT else f"There are {_counted(images, 'image')}.",
    )
    return fill(text, 96) + "\n"


def _known_measures(runs: dict[str, Any]) -> set[str]:
    """Return the measures that all runs have."""
    return set.intersection(
        *(
            set(run["evaluation"][PLAIN]["test"])
            for of_method in runs.values()
            for run in of_method.values()
        )
    )


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'s' if count > 1 else ''}"


def provenance() -> str:
    """Return when, on what machine and with which versions a report was made."""
    versions = ", ".join(f"{name} {version(name)}" for name in ("torch", "numpy", "numba"))
    return (
        f"Written by pytopo {pytopo.__version__} on {date.today().isoformat()}; "
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores; "
        f"Python {platform.python_version()}, {versions}."
    )
