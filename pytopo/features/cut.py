"""``suggested_cut``: the persistence from which on features stand out.

Diagram -> for each dimension a histogram of log persistence -> its deepest valley -> cut

    points          ***
    per factor     *****                     **
    of             ******  *                ****
    persistence   ********** *   |         ******
                  -----------------------------------> persistence, logarithmic
                     noise      cut      what stands out
"""

import math

import numpy as np
from numpy.typing import NDArray

from pytopo.diagram import Diagram

FEW = 10  # so many points need no histogram
_WIDTH = 0.1  # of the Gaussian that smooths the histogram: persistences that differ by a tenth
_BINS = 8  # in this width
_LEAST = 0.1  # of the largest persistence: no cut is suggested below
_SCORE = 0.5  # of a valley: its depth times its persistence, as a part of the largest of all


def suggested_cut(diagram: Diagram) -> float | None:
    """Suggest the persistence from which on features stand out from all others.

    Persistences of noise crowd near 0, those of what an image shows lie together further up,
    and between the two there are few.  So the histogram of their logarithms, smoothed, has a
    valley there.  Its depth is the difference of the square roots of two counts, at its bottom
    and on the lower of the hills beside it: such a root has a standard deviation of about 1/2,
    whatever the count.  Of all valleys of all dimensions that one is taken whose depth times
    persistence is largest, if this is at least half of the largest persistence.  Where there is
    no point below, the diagonal is the other hill: so points that all have a similar
    persistence, as those of a mask, stand out together.

    Parameters
    ----------
    diagram : Diagram
        With all its points; without those of little persistence there is no valley.

    Returns
    -------
    cut : float or None
        The roundest number in the gap: `Diagram.select` with this ``min_persistence`` keeps
        what stands out.  None if the histogram has no valley above a tenth of the largest
        persistence, as that of white noise and of many photographs.  At most ten points
        (besides the essential one) make no histogram, and all of at least a tenth of the
        largest persistence stand out; 0 if that is all of them.

    Notes
    -----
    A valley says that two sorts of features differ in contrast, not that one of them is noise.
    Things of very different contrast have none, or the rule finds only those above it.  There
    is one cut for all dimensions, and it is that of the dimension whose valley is the clearest.

    References
    ----------
    Prewitt and Mendelsohn (1966), "The analysis of cell images", Annals of the New York Academy
    of Sciences 128: a threshold in the valley between two modes of a histogram.  Anscombe
    (1948), "The transformation of Poisson, binomial and negative-binomial data", Biometrika 35:
    square roots of counts.

    Examples
    --------
    Noise of at most 1, and twelve pits of depth 20 to 31:

    >>> import numpy as np, pytopo
    >>> image = 40 + np.random.default_rng(0).random((64, 64))
    >>> image[8::16, 8:56:16] -= 20 + np.arange(12).reshape(4, 3)
    >>> d = pytopo.persistence(image)
    >>> suggested_cut(d)
    10.0
    >>> d.select(min_persistence=10)
    <Diagram of 64x64 image, sublevel, V: 12 in dim 0 (1 essential), 0 in dim 1>
    """
    persistence = np.asarray(diagram.persistence, np.float64)
    finite = np.isfinite(persistence)
    if np.count_nonzero(finite) <= FEW:
        return _least_of_few(np.sort(persistence[finite]))
    valleys = [
        valley
        for d in diagram.dims
        if (valley := _deepest_valley(np.sort(persistence[finite & (diagram.dim == d)])))
    ]
    score, below, above = max(valleys, default=(0.0, 0.0, 0.0))
    return roundest(below, above) if score >= _SCORE * persistence[finite].max() else None


def _least_of_few(sizes: NDArray[np.float64]) -> float:
    """Return the cut of a few persistences, which ascend."""
    first = int(np.searchsorted(sizes, _LEAST * sizes.max(initial=0)))
    return roundest(float(sizes[first - 1]), float(sizes[first])) if first else 0.0


def _deepest_valley(sizes: NDArray[np.float64]) -> tuple[float, float, float] | None:
    """Return how deep a valley is, times its place, and the sizes on both sides of it.

    Parameters
    ----------
    sizes : (n,) float64
        Persistences, ascending and finite.
    """
    if not sizes.size:
        return None
    largest = sizes[-1]
    count, centre = _histogram(_spread(sizes) / largest)
    bump = np.exp(-0.5 * (np.arange(-6 * _BINS, 6 * _BINS + 1) / _BINS) ** 2)
    height = np.sqrt(np.convolve(count, bump, "same").clip(0))
    left = np.maximum.accumulate(height)
    left[np.cumsum(count) == 0] = np.inf  # nothing below: the diagonal is a hill
    right = np.maximum.accumulate(height[::-1])[::-1]
    depth = np.minimum(left, right) - height
    score = np.where(centre < _LEAST, 0, np.minimum(depth, 1e9) * centre)
    best = int(score.argmax())
    if score[best] == 0:
        return None
    above = int(np.searchsorted(sizes, centre[best] * largest))
    below = sizes[above - 1] if above else 0.0
    return float(score[best] * largest), float(below), float(sizes[above])


def _histogram(sizes: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Count sizes relative to the largest in bins of equal ratio; the first has all tiny ones.

    Returns
    -------
    count, centre : (k,) ndarray
        The bins reach beyond the largest size by as much as the smoothing.
    """
    width = _WIDTH / _BINS
    low, high = math.log(_LEAST) - 40 * _WIDTH, 6 * _WIDTH
    edges = np.linspace(low, high, round((high - low) / width) + 1)
    inside = np.log(np.maximum(sizes, np.exp(low)))
    count, _ = np.histogram(inside.clip(low, high), edges)
    return count, np.exp((edges[:-1] + edges[1:]) / 2)


def _spread(sizes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Spread equal sizes over the step between the values of an image of integers.

    Otherwise the histogram would have a valley between any two grey values.

    Examples
    --------
    >>> _spread(np.array([1.0, 1.0, 1.0, 1.0, 2.0, 5.0]))
    array([0.625, 0.875, 1.125, 1.375, 2.   , 5.   ])
    """
    values, first, count = np.unique(sizes, return_index=True, return_counts=True)
    steps = np.diff(values)
    step = steps[steps > 1e-5 * sizes[-1]].min(initial=sizes[0])  # less is rounding
    place = (np.arange(sizes.size) - np.repeat(first, count) + 0.5) / np.repeat(count, count)
    return sizes + step * (place - 0.5)


def roundest(low: float, high: float) -> float:
    """Return the number above low, and not above high, that takes the fewest digits to write.

    Of several it is the one nearest to the middle.

    Examples
    --------
    >>> roundest(29, 87), roundest(92, 93), roundest(0.1961, 0.2471), roundest(0, 255)
    (60.0, 93.0, 0.2, 100.0)
    """
    middle = (low + high) / 2
    exponent = math.floor(math.log10(middle))
    for digits in range(8):
        step = 10.0 ** (exponent - digits)
        first, last = math.floor(low / step) + 1, math.floor(high / step)
        if first <= last:
            number = float(f"{min(max(round(middle / step), first), last)}e{exponent - digits}")
            if low < number <= high:
                return number
    return high
