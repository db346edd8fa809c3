"""What the loss does to an image: which points it moves, removes and misses."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pytopo.diagram import ESSENTIAL, Diagram
from pytopo.loss.points import Sweep
from pytopo.loss.squares import Matched
from pytopo.matching.groups import DIAGONAL

FIXED = 0.01  # a point nearer than this to its match is in place


@dataclass(frozen=True, eq=False)
class Explanation:
    """What the loss does to one image and channel, and why.

    Attributes
    ----------
    prediction, target : Diagram
    fix : (n, 2) int64
        Rows of ``prediction`` and of ``target``: matched, and still apart.
    remove : (k,) int64
        Rows of ``prediction`` that go to the diagonal.
    missing : (m,) int64
        Rows of ``target`` that have no match.
    """

    prediction: Diagram
    target: Diagram
    fix: NDArray[np.int64]
    remove: NDArray[np.int64]
    missing: NDArray[np.int64]


def explanations(
    part: Matched, sweep: Sweep, shape: tuple[int, ...], dtype: type[np.floating]
) -> Iterator[Explanation]:
    """Yield what the loss does to each image of a part of a batch.

    Parameters
    ----------
    part : Matched
    sweep : Sweep
        How its points were computed.
    shape, dtype
        Of the images.
    """
    found = part.found.diagrams(sweep, shape, dtype)
    goals = part.goals.diagrams(sweep, shape, dtype)
    k = len(sweep.dims)
    starts = part.found.start[::k].tolist(), part.goals.start[::k].tolist()
    for prediction, target, start, goal_start in zip(found, goals, *starts):
        partner = part.partner[start : start + len(prediction)]
        finite = prediction.death_pixel != ESSENTIAL
        matched = np.flatnonzero(finite & (partner != DIAGONAL))
        pairs = np.column_stack([matched, partner[matched] - goal_start])
        # A pair is still apart if birth or death is.
        apart = [
            np.abs(getattr(prediction, side)[pairs[:, 0]] - getattr(target, side)[pairs[:, 1]])
            for side in ("birth", "death")
        ]
        missing = target.death_pixel != ESSENTIAL
        missing[pairs[:, 1]] = False
        yield Explanation(
            prediction,
            target,
            pairs[np.maximum(*apart) > FIXED],
            np.flatnonzero(partner == DIAGONAL),
            np.flatnonzero(missing),
        )
