"""Methods compared in pairs: seed by seed, and image by image.

    by seed     a difference of means over images, one a seed
    by image    a difference of means over seeds, one an image

The test of both is that of signs: if the method made no difference, each difference might as
well have the other sign.  With few of them all patterns of signs are counted, so the p-value is
exact: the share of patterns whose sum is at least as far from 0.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pytopo.training.decision import DECISIONS
from pytopo.training.methods import Experiment

MOST_EXACT = 12  # differences: 4096 patterns of signs
DRAWN = 9999  # patterns of more differences
ROUNDING = 1e-12  # relative: sums in another order are as far from 0


class Effect(NamedTuple):
    """Differences in a few numbers.

    Attributes
    ----------
    number : int
        Of differences.
    mean, deviation : float
        The deviation of one difference is 0.
    fell, rose : int
        How many are below and above 0.
    p : float
        Of the two-sided test of signs.
    """

    number: int
    mean: float
    deviation: float
    fell: int
    rose: int
    p: float


class Pair(NamedTuple):
    """The effect of a method against another on a measure, with a decision."""

    method: str
    against: str
    decision: str
    measure: str
    seeds: Effect
    images: Effect


def compared(experiment: Experiment, runs: dict[str, Any]) -> list[Pair]:
    """Return all effects of all pairs of an experiment, measures that both have.

    Parameters
    ----------
    experiment : Experiment
    runs : dict
        As `pytopo.training.results.gather_results` returns them.
    """
    return [
        pair
        for method in experiment.methods
        for other in method.against
        for decision in DECISIONS
        for pair in _pairs(method.name, other, decision, runs)
    ]


def _pairs(method: str, other: str, decision: str, runs: dict[str, Any]) -> Iterator[Pair]:
    mine, theirs = (
        [run["evaluation"][decision]["images"] for run in runs[name].values()]
        for name in (method, other)
    )
    measures = [name for name in mine[0] if all(name in images for images in (*mine, *theirs))]
    apart = np.array(  # (seeds, images, measures)
        [
            np.transpose([np.subtract(one[name], another[name]) for name in measures])
            for one, another in zip(mine, theirs)
        ]
    )
    for name, of_seeds, of_images in zip(
        measures, effects(apart.mean(axis=1)), effects(apart.mean(axis=0))
    ):
        yield Pair(method, other, decision, name, of_seeds, of_images)


def effects(differences: ArrayLike) -> list[Effect]:
    """Return the effect of each column of differences.

    Examples
    --------
    Five differences of the same sign: the least p-value that five can reach is 2 / 2^5.

    >>> (effect,) = effects([[-1.0], [-2.0], [-3.0], [-1.0], [-2.0]])
    >>> effect.mean, effect.fell, effect.p
    (-1.8, 5, 0.0625)
    """
    columns = np.asarray(differences, float)
    deviations = columns.std(axis=0, ddof=1) if len(columns) > 1 else 0 * columns[0]
    return [
        Effect(len(columns), float(mean), float(deviation), int(fell), int(rose), float(p))
        for mean, deviation, fell, rose, p in zip(
            columns.mean(axis=0),
            deviations,
            (columns < 0).sum(axis=0),
            (columns > 0).sum(axis=0),
            _p_values(columns),
        )
    ]


def _p_values(columns: NDArray[np.float64]) -> NDArray[np.floating]:
    """Return the p-value of each column of differences."""
    signs = _signs(len(columns))
    sums = np.abs(columns.sum(axis=0))
    least = sums - ROUNDING * np.abs(columns).sum(axis=0)
    as_far = np.abs(signs @ columns) >= least
    return as_far.sum(axis=0) / len(signs)


@cache
def _signs(count: int) -> NDArray[np.floating]:
    """Return patterns of signs, a row each: all of few, else all positive and random ones."""
    if count <= MOST_EXACT:
        patterns = np.arange(2**count)[:, None] >> np.arange(count) & 1
    else:
        patterns = np.random.default_rng(0).integers(0, 2, (DRAWN, count))
        patterns = np.vstack([np.zeros((1, count), int), patterns])
    return 1.0 - 2 * patterns
