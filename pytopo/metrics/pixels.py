"""Agreement pixel by pixel: accuracy and the Dice coefficient."""

import numpy as np
from numpy.typing import ArrayLike

from pytopo.metrics.inputs import checked_masks


def pixel_accuracy(
    prediction: ArrayLike,
    target: ArrayLike,
    *,
    ignore: ArrayLike | None = None,
    ignore_index: int | None = None,
) -> float:
    """Return the fraction of pixels at which two masks agree.

    Parameters
    ----------
    prediction, target : array_like, (H, W) or (D, H, W)
        Booleans, or 0 and one other value; one shape.
    ignore : array_like of bool, or None
        True where pixels do not count.
    ignore_index : int or None
        The value of ``target`` that means the same.

    Raises
    ------
    TypeError, ValueError
        As in `betti_error`.

    Examples
    --------
    >>> pixel_accuracy([[1, 1, 0, 0]], [[1, 0, 0, 0]])
    0.75
    >>> pixel_accuracy([[1, 1, 0, 0]], [[1, 255, 0, 0]], ignore_index=255)
    1.0
    """
    first, second = checked_masks(prediction, target, ignore, ignore_index).known()
    return float(np.mean(first == second))


def dice(
    prediction: ArrayLike,
    target: ArrayLike,
    *,
    ignore: ArrayLike | None = None,
    ignore_index: int | None = None,
) -> float:
    """Return the Dice coefficient: twice the common foreground over the sum of both.

    Parameters
    ----------
    prediction, target : array_like, (H, W) or (D, H, W)
        Booleans, or 0 and one other value; one shape.
    ignore, ignore_index
        As in `pixel_accuracy`.

    Returns
    -------
    float
        From 0 to 1; 1 if neither has foreground.

    Raises
    ------
    TypeError, ValueError
        As in `betti_error`.

    References
    ----------
    Dice (1945), "Measures of the amount of ecologic association between species".

    Examples
    --------
    >>> dice([[1, 1, 1, 0]], [[1, 0, 0, 0]])
    0.5
    """
    first, second = checked_masks(prediction, target, ignore, ignore_index).known()
    both = int(np.count_nonzero(first & second))
    either = int(np.count_nonzero(first)) + int(np.count_nonzero(second))
    return 2 * both / either if either else 1.0
