"""Decisions of an experiment: plain, and tuned on the validation sections.

    plain                    threshold 0.5
    CLEANUP by CRITERION     the best of the decisions of that clean-up, on validation

    threshold     a threshold alone                      matching   least Betti matching error
    size          and small objects go                   betti      least Betti error, of those
    persistence   and what is less persistent goes                  that lose little accuracy

Errors are those of patches that tile a section, with a frame of foreground around each.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import nn

from pytopo.data import Sections
from pytopo.data.ignored import IGNORED
from pytopo.metrics import BettiMatchingError, betti_matching_error, pixel_accuracy
from pytopo.metrics.decision import Decision
from pytopo.metrics.evaluation import Evaluation, evaluate, mean_evaluation
from pytopo.threads import number_of_threads, on_threads
from pytopo.training.config import RunConfig
from pytopo.training.prediction import predict

THRESHOLDS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)
SMALLEST = (20, 50, 100, 200)  # pixels
PERSISTENCES = (0.1, 0.2, 0.3, 0.5, 0.7)
ACCURACY_LOSS = 0.005  # that the criterion "betti" allows

# Of equally good decisions the first is taken: those that remove least.
CLEANUPS: dict[str, tuple[Decision, ...]] = {
    "threshold": tuple(Decision(t) for t in THRESHOLDS),
    "size": tuple(Decision(t, smallest=n) for n in (0, *SMALLEST) for t in THRESHOLDS),
    "persistence": tuple(
        Decision(t, min_persistence=p) for p in (0.0, *PERSISTENCES) for t in THRESHOLDS
    ),
}
CRITERIA = ("matching", "betti")
PLAIN = "plain"
DECISIONS = (PLAIN, *(f"{cleanup} by {one}" for cleanup in CLEANUPS for one in CRITERIA))


class Predicted(NamedTuple):
    """The likelihood of a section beside its ground truth, (H, W) each."""

    likelihood: NDArray[np.float32]
    truth: NDArray[np.bool_] | NDArray[np.int8]


def predicted(network: nn.Module, sections: Sections) -> Iterator[Predicted]:
    """Yield the likelihood and the ground truth of each section."""
    for section in sections:
        yield Predicted(predict(network, section.image), section.truth)


# ---- what is measured --------------------------------------------------------------------


def mean_measures(
    sections: Iterable[Predicted], decision: Decision, config: RunConfig
) -> Evaluation:
    """Return the mean measures of sections with a decision."""
    construction = config.loss.construction
    return mean_evaluation(
        [
            evaluate(
                decision.mask(section.likelihood, construction),
                section.truth,
                patch=config.training.size,
                construction=construction,
                ignore_index=IGNORED,
            )
            for section in sections
        ]
    )


class Score(NamedTuple):
    """What decisions are chosen by: means over sections."""

    accuracy: float
    matching: NDArray[np.float64]  # features of a patch that do not match, by dimension
    betti: float  # Betti error of a patch, all dimensions


def scores(
    sections: Sequence[Predicted], decisions: Sequence[Decision], config: RunConfig
) -> list[Score]:
    """Return the score of each decision, a mean over sections; on all cores."""
    found = on_threads(
        partial(section_scores, decisions=decisions, config=config),
        sections,
        min(number_of_threads(None), len(sections)),
    )
    return [
        Score(*(np.mean(values, axis=0) for values in zip(*of_decision)))
        for of_decision in zip(*found)
    ]


def section_scores(
    section: Predicted, decisions: Sequence[Decision], config: RunConfig
) -> list[Score]:
    """Return the score of each decision on a section."""
    construction, simple = config.loss.construction, {}
    places = _places(section.truth.shape, config.training.size)
    known: dict[tuple[int, bytes], BettiMatchingError] = {}  # many decisions agree in a patch
    found = []
    for decision in decisions:
        if decision.min_persistence not in simple:
            simple[decision.min_persistence] = decision.simplified(
                section.likelihood, construction
            )
        mask = decision.cut(simple[decision.min_persistence], construction)
        errors = []
        for number, place in enumerate(places):
            key = number, mask[place].tobytes()
            if key not in known:
                known[key] = betti_matching_error(
                    mask[place],
                    section.truth[place],
                    construction=construction,
                    frame=True,
                    ignore_index=IGNORED,
                )
            errors.append(known[key])
        apart = [np.abs(np.subtract(error.false, error.missed)).sum() for error in errors]
        found.append(
            Score(
                pixel_accuracy(mask, section.truth, ignore_index=IGNORED),
                np.mean([error.per_dim for error in errors], axis=0),
                float(np.mean(apart)),
            )
        )
    return found


def _places(shape: tuple[int, ...], size: int) -> list[tuple[slice, slice]]:
    """Return the places of patches that tile a section, evenly spread."""
    rows, columns = (
        np.linspace(0, max(n - size, 0), -(-n // size)).astype(int).tolist() for n in shape
    )
    return [
        (slice(row, row + size), slice(column, column + size))
        for row in rows
        for column in columns
    ]


# ---- what is chosen ----------------------------------------------------------------------


def decisions_of(sections: Sequence[Predicted], config: RunConfig) -> dict[str, Decision]:
    """Return all decisions by name: plain, and each clean-up tuned by each criterion.

    Parameters
    ----------
    sections : sequence of Predicted
        Of the validation block.
    config : RunConfig
    """
    several = list(dict.fromkeys(decision for kind in CLEANUPS.values() for decision in kind))
    known = dict(zip(several, scores(sections, several, config)))
    least = max(known[decision].accuracy for decision in CLEANUPS["threshold"]) - ACCURACY_LOSS
    chosen: dict[str, Any] = {PLAIN: Decision()}
    for cleanup, decisions in CLEANUPS.items():
        accurate = [decision for decision in decisions if known[decision].accuracy >= least]
        chosen[f"{cleanup} by matching"] = min(
            decisions, key=lambda decision: known[decision].matching.sum()
        )
        chosen[f"{cleanup} by betti"] = min(
            accurate, key=lambda decision: known[decision].betti
        )
    return chosen
