"""Distances of surfaces, computed by MONAI: surface Dice, and the Hausdorff distance.

    masks -> surfaces -> distance of each place on one to the other surface
        share of the surfaces that is within a tolerance      surface Dice
        95th percentile of the distances, the larger of two   HD95

Papers report both beside Dice.  They are about shape: a cell that is merged with another may
cost nothing here, and a speck far away costs much.
"""

import math
import warnings
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pytopo.metrics.inputs import checked_masks
from pytopo.options import at_least, real


def surface_dice(
    prediction: ArrayLike,
    target: ArrayLike,
    tolerance: float,
    *,
    spacing: float | Iterable[float] | None = None,
    ignore: ArrayLike | None = None,
    ignore_index: int | None = None,
) -> float:
    """Compute the share of two surfaces that is close to the other one, by MONAI.

    Surfaces consist of elements between pixels, weighted by their area, in images by their
    length, as in the paper (``use_subvoxels=True`` of ``monai.metrics.compute_surface_dice``).

    Parameters
    ----------
    prediction, target : array_like, (H, W) or (D, H, W)
        Booleans, or 0 and one other value; one shape.
    tolerance : float
        The distance that is close, in pixels, or in the unit of ``spacing``.
    spacing : float, iterable of float or None
        Size of a pixel along each axis; None for 1.
    ignore : array_like of bool, or None
        True where there is no ground truth: such pixels are background in both masks.
    ignore_index : int or None
        The value of ``target`` that means the same.

    Returns
    -------
    float
        From 0 to 1; 1 if neither has foreground, 0 if one has none.

    Raises
    ------
    ImportError
        If MONAI is not installed.
    TypeError, ValueError
        As in `pytopo.metrics.dice`; if tolerance or spacing are no numbers, or negative.

    References
    ----------
    Nikolov et al. (2018), "Deep learning to achieve clinically applicable segmentation of head
    and neck anatomy for radiotherapy", arXiv:1809.04430.
    """
    first, second = checked_masks(prediction, target, ignore, ignore_index).filled(False)
    tolerance = at_least(tolerance, "tolerance", 0)
    sizes = checked_spacing(spacing, first.ndim)
    if not (first.any() and second.any()):
        _monai()
        return float(first.any() == second.any())
    return _computed(
        "compute_surface_dice", first, second, class_thresholds=[tolerance], spacing=sizes,
        include_background=True, use_subvoxels=True,
    )  # fmt: skip


def hausdorff_distance(
    prediction: ArrayLike,
    target: ArrayLike,
    *,
    percentile: float = 95.0,
    spacing: float | Iterable[float] | None = None,
    ignore: ArrayLike | None = None,
    ignore_index: int | None = None,
) -> float:
    """Compute the Hausdorff distance of two surfaces, or its percentile: HD95, by MONAI.

    Surfaces are the pixels of the foreground that an erosion removes.  The distances of each
    to the other surface have a percentile, and the larger of the two is the result, as
    ``monai.metrics.compute_hausdorff_distance`` defines it.

    Parameters
    ----------
    prediction, target, spacing, ignore, ignore_index
        As in `surface_dice`.
    percentile : float
        100 for the Hausdorff distance itself.

    Returns
    -------
    float
        In pixels, or in the unit of ``spacing``; 0 if neither mask has foreground, inf if one
        has none.

    Raises
    ------
    ImportError, TypeError, ValueError
        As `surface_dice`; if the percentile is not from 0 to 100.
    """
    first, second = checked_masks(prediction, target, ignore, ignore_index).filled(False)
    share = at_least(percentile, "percentile", 0)
    if share > 100:
        raise ValueError(f"percentile is {percentile!r}; expected a number from 0 to 100")
    sizes = checked_spacing(spacing, first.ndim)
    if not (first.any() and second.any()):
        _monai()
        return 0.0 if first.any() == second.any() else math.inf
    return _computed(
        "compute_hausdorff_distance", first, second, percentile=share, spacing=sizes,
        include_background=True,
    )  # fmt: skip


def checked_spacing(spacing: float | Iterable[float] | None, axes: int) -> list[float]:
    """Return the size of a pixel along each axis."""
    if spacing is None:
        return [1.0] * axes
    given = [spacing] * axes if real(spacing) is not None else spacing
    sizes = [real(size) for size in given] if isinstance(given, Iterable) else []
    found = [size for size in sizes if size is not None and 0 < size < math.inf]
    if len(found) != axes or len(sizes) != axes:
        raise ValueError(
            f"spacing is {spacing!r}; expected a number above 0, or one for each of {axes} axes"
        )
    return found


def _computed(
    name: str, first: NDArray[np.bool_], second: NDArray[np.bool_], **options: Any
) -> float:
    """Return what a function of MONAI computes of two masks."""
    import torch

    compute = getattr(_monai(), name)
    batches = [torch.from_numpy(mask[None, None].astype(np.uint8)) for mask in (first, second)]
    with warnings.catch_warnings():
        # MONAI 1.5 and 1.6 call functions of their own that they have deprecated.
        warnings.simplefilter("ignore", FutureWarning)
        return float(compute(*batches, **options).item())


def _monai() -> Any:
    """Return MONAI's metrics."""
    try:
        import monai.metrics
    except ImportError:
        raise ImportError(
            "surface Dice and the Hausdorff distance are computed by MONAI: pip install monai"
        ) from None
    return monai.metrics
