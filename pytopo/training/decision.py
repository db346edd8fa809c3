"""From likelihood to mask: a threshold, the removal of small objects, and what is measured.

Evaluating a run takes one decision, the threshold 0.5.  An experiment also takes the best one
on the validation sections: it costs nothing, and is a strong competitor of any loss.
"""

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import nn

from pytopo.data import Sections
from pytopo.metrics import patch_betti_error
from pytopo.metrics.evaluation import Evaluation, cleaned, evaluate, mean_evaluation
from pytopo.training.config import RunConfig
from pytopo.training.prediction import predict

THRESHOLDS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)
SMALLEST = (0, 20, 50, 100, 200)  # pixels


@dataclass(frozen=True)
class Decision:
    """How a likelihood becomes a mask: threshold, then removal of small objects and holes."""

    threshold: float = 0.5
    smallest: int = 0

    def mask(self, likelihood: NDArray, construction: str) -> NDArray[np.bool_]:
        """Return the mask (H, W) of a likelihood (H, W)."""
        mask = likelihood > self.threshold
        if self.smallest == 0:
            return mask
        return cleaned(mask, smallest=self.smallest, construction=construction)


class Predicted(NamedTuple):
    """The likelihood of a section beside its ground truth, (H, W) each."""

    likelihood: NDArray[np.float32]
    truth: NDArray[np.bool_]


def predicted(network: nn.Module, sections: Sections) -> Iterator[Predicted]:
    """Yield the likelihood and the ground truth of each section."""
    for section in sections:
        yield Predicted(predict(network, section.image), section.truth)


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
            )
            for section in sections
        ]
    )


def best_decision(sections: Sequence[Predicted], config: RunConfig) -> Decision:
    """Return the decision with the least Betti error on patches of sections."""
    construction = config.loss.construction

    def error(decision: Decision) -> float:
        return math.fsum(
            patch_betti_error(
                decision.mask(section.likelihood, construction),
                section.truth,
                size=config.training.size,
                construction=construction,
            ).total
            for section in sections
        )

    # Of equally good ones the first: those that remove least.
    decisions = itertools.product(SMALLEST, THRESHOLDS)
    return min((Decision(threshold, smallest) for smallest, threshold in decisions), key=error)
