"""clDice: the Dice coefficient of centre lines, for vessels, roads and other thin things.

    topology precision    share of the skeleton of the prediction that lies in the target
    topology sensitivity  share of the skeleton of the target that lies in the prediction

clDice is their harmonic mean.  A gap costs little, as many pixels of a skeleton as it is long,
and a wrong width costs nothing.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pytopo.metrics.inputs import checked_masks


def cldice(
    prediction: ArrayLike,
    target: ArrayLike,
    *,
    ignore: ArrayLike | None = None,
    ignore_index: int | None = None,
) -> float:
    """Compute the clDice of two masks, with the skeletons of scikit-image.

    Parameters
    ----------
    prediction, target : array_like, (H, W) or (D, H, W)
        Booleans, or 0 and one other value; one shape.
    ignore : array_like of bool, or None
        True where there is no ground truth: such pixels are background in both masks.
    ignore_index : int or None
        The value of ``target`` that means the same.

    Returns
    -------
    float
        From 0 to 1; 1 if neither has foreground.

    Raises
    ------
    ImportError
        If scikit-image is not installed.
    TypeError, ValueError
        As in `pytopo.metrics.dice`.

    References
    ----------
    Shit et al. (2021), "clDice - a novel topology-preserving loss function for tubular
    structure segmentation", section 3.1.  Skeletons are those of
    ``skimage.morphology.skeletonize``, in 2D of Zhang and Suen (1984), in 3D of Lee et al.
    (1994); those of other programs differ by pixels.

    Examples
    --------
    A line, and half of it:

    >>> line = np.zeros((5, 9), int)
    >>> line[2] = 1
    >>> half = line.copy()
    >>> half[:, 4:] = 0
    >>> round(cldice(half, line), 3)
    0.615
    """
    first, second = checked_masks(prediction, target, ignore, ignore_index).filled(False)
    if not (first.any() or second.any()):
        return 1.0
    precision, sensitivity = _share(first, second), _share(second, first)
    both = precision + sensitivity
    return 2 * precision * sensitivity / both if both else 0.0


def _share(mask: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    """Return the share of the skeleton of a mask that lies in another mask."""
    line = skeleton(mask)
    return float(other[line].mean()) if line.any() else 0.0


def skeleton(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the skeleton of a mask."""
    try:
        from skimage.morphology import skeletonize
    except ImportError:
        raise ImportError(
            "clDice requires the skeletons of scikit-image: pip install scikit-image"
        ) from None
    return skeletonize(mask).astype(bool)
