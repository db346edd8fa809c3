"""Values become the stops of a slider, so that a page can look things up by stop.

At most a thousand short values are stops themselves, as those of an 8-bit image are.  All
others are covered by a thousand round numbers from below the least to above the greatest:

    values       0.1  0.4  0.4  0.9          0.10003  0.1012  0.1019 ... 1.09987
    stops        0.1  0.4  0.9               0.1  0.101  0.102  0.103 ... 1.1
    reached       0    1    1    2              1       2       2    ...    1000

When a threshold rises, a value is reached at the first stop that is not below it; when it
falls, at the first that is not above.  After that nothing depends on the direction, nor on
how floats compare.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MOST = 1000
LONGEST = 12  # characters of a value that is a stop itself


@dataclass(frozen=True, eq=False)
class Stops:
    """The values that a slider can have, in its order.

    Attributes
    ----------
    values : (n,) float32 or float64
        Strictly monotone, at least two.
    falling : bool
        Whether the values descend.
    exact : bool
        Whether every given value is a stop.
    """

    values: NDArray[np.floating]
    falling: bool
    exact: bool

    @property
    def labels(self) -> list[str]:
        """The shortest text of each value that reads back the same, (n,)."""
        return [str(value) for value in self.values]

    def reached(self, values: NDArray) -> NDArray[np.int64]:
        """Return the first stop that has reached each value; n where none has.

        Examples
        --------
        >>> stops_of(np.array([1.0, 2.0, 4.0]), falling=True).reached(np.array([4.0, 1.5]))
        array([0, 2])
        """
        sign = -1 if self.falling else 1
        return np.searchsorted(sign * self.values, sign * values.astype(self.values.dtype))

    def nearest(self, value: float) -> int:
        """Return the stop whose value is nearest to one."""
        with np.errstate(over="ignore"):
            return int(np.argmin(np.abs(self.values - value)))


def stops_of(values: NDArray[np.floating], falling: bool = False) -> Stops:
    """Return stops for a slider over some values, at most about a thousand.

    Parameters
    ----------
    values : (n,) float32 or float64
        At least one, in any order, without NaN; infinities are stops themselves.
    falling : bool
        Whether the slider goes from the greatest to the least.

    Examples
    --------
    >>> stops_of(np.array([2.0, 0.5, 2.0])).labels
    ['0.5', '2.0']
    >>> many = stops_of(np.linspace(0.10003, 1.09987, 5000))
    >>> many.exact, len(many.labels), many.labels[:3]
    (False, 1001, ['0.1', '0.101', '0.102'])
    """
    known = np.unique(values)
    exact = known.size <= MOST and max(len(str(v)) for v in known) <= LONGEST
    if not exact:
        finite = known[np.isfinite(known)]
        known = np.concatenate([known[np.isinf(known)], _round_numbers(finite)])
    if known.size == 1:
        known = np.append(known, known + 1 if np.isfinite(known[0]) else 0)
    known = np.unique(known.astype(values.dtype))
    return Stops(known[::-1] if falling else known, falling, exact)


def _round_numbers(finite: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return about a thousand numbers, from below the least value to above the greatest."""
    low, high = float(finite[0]), float(finite[-1])
    if low == high:
        return np.array([low])
    digits = min(-math.floor(math.log10(high / MOST - low / MOST)), 300)
    unit = 10.0**-digits
    whole = np.linspace(math.floor(low / unit), math.ceil(high / unit), MOST + 1).round()
    return np.array([round(k * unit, digits) for k in np.unique(whole).tolist()])
