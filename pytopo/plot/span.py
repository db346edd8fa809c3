"""Numbers become places on an axis; infinite values lie beside the finite ones."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.ticker import MaxNLocator, ScalarFormatter
from numpy.typing import ArrayLike, NDArray

BLOCK = 2**20  # values that are converted together
HUGE = 1e100  # beyond it lies infinity: Matplotlib multiplies coordinates


@dataclass(frozen=True)
class Span:
    """The range of the finite among some values, never empty."""

    low: float
    high: float

    @property
    def gap(self) -> float:
        """How far beside the finite values the infinite ones lie."""
        return 0.1 * (self.high - self.low)

    def place(self, values: NDArray) -> NDArray[np.float64]:
        """Return where values lie on an axis: themselves, if they are finite."""
        return np.clip(values.astype(np.float64), self.low - self.gap, self.high + self.gap)

    def limits(self, minus: bool = False, plus: bool = False) -> tuple[float, float]:
        """Return limits of an axis, with room for -inf and +inf where it is needed."""
        room = self.gap / 2
        return self.low - room - self.gap * minus, self.high + room + self.gap * plus


def span_of(*arrays: NDArray) -> Span:
    low, high = np.inf, -np.inf
    for values in arrays:
        flat = values.ravel()
        for start in range(0, flat.size, BLOCK):
            block = flat[start : start + BLOCK].astype(np.float64)
            block = block[np.abs(block) < HUGE]
            low, high = min(low, block.min(initial=low)), max(high, block.max(initial=high))
    if low > high:
        return Span(0, 1)
    if high - low <= 1e-12 * max(-low, high, 1e-90):
        half = max(0.5, 1e-3 * abs(low))
        low, high = low - half, high + half
    return Span(float(low), float(high))


class Ticks(MaxNLocator):
    """Ticks at round numbers of a span, and at infinity where that is needed."""

    def __init__(self, span: Span, infinite: list[float], integer: bool = False) -> None:
        super().__init__(nbins=6, steps=[1, 2, 2.5, 5, 10], integer=integer)
        self._span, self._infinite = span, infinite
        self._slack = 0 if integer else span.gap / 4

    def tick_values(self, vmin: float, vmax: float) -> Sequence[float]:
        ticks = np.asarray(super().tick_values(vmin, vmax))
        low, high = self._span.low - self._slack, self._span.high + self._slack
        inside = (ticks >= low) & (ticks <= high)
        return ticks[inside].tolist() + self._infinite


class TickLabels(ScalarFormatter):
    """Labels for these ticks, with no more decimals than the finite ones need."""

    def __init__(self, span: Span) -> None:
        super().__init__()
        self._span = span

    def set_locs(self, locs: ArrayLike) -> None:
        super().set_locs([x for x in np.asarray(locs) if not self._infinity(x)])

    def __call__(self, x: float, pos: int | None = None) -> str:
        return self._infinity(x) or super().__call__(x, pos)

    def _infinity(self, x: float) -> str:
        if x < self._span.low - self._span.gap / 2:
            return "\N{MINUS SIGN}∞"
        return "∞" if x > self._span.high + self._span.gap / 2 else ""


def share(values: NDArray, low: float, high: float) -> NDArray[np.float64]:
    """Return how far values are on the way from low to high, 0 to 1; 1 where there is none."""
    if not high > low:
        return np.ones(len(values))
    with np.errstate(over="ignore"):
        return np.clip((values - low) / (high - low), 0, 1)
