"""How far an experiment is, and when it will be done at the pace of the runs so far.

    time left = steps that are left x time of a step + runs to evaluate x time of an evaluation

Where other processes finish runs of the same experiment too, their share is left to them.
"""

import os
from pathlib import Path

from pytopo.progress import seconds_text
from pytopo.training.folder import is_finished
from pytopo.training.methods import Experiment, run_folder
from pytopo.training.results import is_evaluated


class Pace:
    """What this process has done of an experiment, and how long that took.

    Attributes
    ----------
    done, total : int
        Runs that are trained and evaluated, by whatever process, and all runs.
    """

    def __init__(self, experiment: Experiment, folder: str | os.PathLike[str]) -> None:
        self._steps_of = {
            run_folder(folder, method, seed): method.config.training.steps
            for method in experiment.methods
            for seed in experiment.seeds
        }
        self.total = len(self._steps_of)
        self._evaluated: set[Path] = set()  # neither ceases to be true
        self._finished: set[Path] = set()
        self._first = self.done
        self._ours = self._steps = 0
        self._step_seconds = self._evaluation_seconds = 0.0

    @property
    def done(self) -> int:
        self._evaluated |= {place for place in self._left() if is_evaluated(place)}
        return len(self._evaluated)

    def _left(self) -> set[Path]:
        return self._steps_of.keys() - self._evaluated

    def trained(self, steps: int, seconds: float) -> None:
        """Note how long some steps took, validation included."""
        self._steps += steps
        self._step_seconds += seconds

    def evaluated(self, seconds: float) -> None:
        """Note how long an evaluation took, with which a run of ours is done."""
        self._ours += 1
        self._evaluation_seconds += seconds

    def seconds_left(self) -> float | None:
        """Return the seconds that are left, or None as long as they cannot be estimated."""
        since = self.done - self._first  # runs that were done since the start, by all
        left = self._left()
        self._finished |= {place for place in left - self._finished if is_finished(place)}
        steps = sum(self._steps_of[place] for place in left - self._finished)
        if not left:
            return 0.0
        if not self._ours or (steps and not self._steps):
            return None
        per_step = self._step_seconds / max(self._steps, 1)
        per_evaluation = self._evaluation_seconds / self._ours
        share = self._ours / max(since, self._ours)
        return (steps * per_step + len(left) * per_evaluation) * share

    def text(self) -> str:
        """Return how many runs are done, and how long the others will take."""
        seconds = self.seconds_left()
        left = "" if not seconds else f", about {seconds_text(seconds)} left"
        return f"{self.done} of {self.total} runs done{left}"
