"""The score of the Vesuvius Challenge, surface detection: topology, surface and segments.

    0.30 TopoScore + 0.35 surface Dice + 0.35 / (1 + 0.3 VOI)

Voxels without ground truth are background in both volumes.  TopoScore is `pytopo.metrics.topo`
on 2 x 2 x 2 pieces; the Variation of Information is that of the components of the foreground,
where one of both volumes has foreground; and surface Dice is computed by MONAI.
"""

from dataclasses import dataclass

from numpy.typing import ArrayLike
from scipy import ndimage

from pytopo.metrics.betti import neighbours
from pytopo.metrics.inputs import Masks, checked_masks
from pytopo.metrics.label_images import VariationOfInformation, variation_of_information
from pytopo.metrics.surface import surface_dice
from pytopo.metrics.topo import TopoScore, topo_score

TOPO_WEIGHT, SURFACE_WEIGHT, VOI_WEIGHT = 0.30, 0.35, 0.35
TOLERANCE = 2.0  # of surface Dice, in voxels
ALPHA = 0.3  # of the Variation of Information, in bits
PIECES = 2  # along each axis, of TopoScore


@dataclass(frozen=True)
class VesuviusScore:
    """The score of the challenge, and what it is made of.

    Attributes
    ----------
    topo : TopoScore
    surface_dice : float or None
        None where MONAI is not installed.
    voi : VariationOfInformation
        Of the components of the foreground, in bits.
    """

    topo: TopoScore
    surface_dice: float | None
    voi: VariationOfInformation

    @property
    def voi_score(self) -> float:
        """1 / (1 + 0.3 VOI), from 0 to 1."""
        return 1 / (1 + ALPHA * self.voi.total)

    @property
    def score(self) -> float | None:
        """The weighted mean of the three scores; None without surface Dice."""
        if self.surface_dice is None:
            return None
        return (
            TOPO_WEIGHT * self.topo.score
            + SURFACE_WEIGHT * self.surface_dice
            + VOI_WEIGHT * self.voi_score
        )


def vesuvius_score(
    prediction: ArrayLike,
    target: ArrayLike,
    *,
    ignore: ArrayLike | None = None,
    ignore_index: int | None = None,
) -> VesuviusScore:
    """Compute the score of the Vesuvius Challenge, surface detection, for one volume.

    Parameters
    ----------
    prediction, target : array_like, (D, H, W)
        Booleans, or 0 and one other value; one shape.
    ignore : array_like of bool, or None
        True where there is no ground truth.
    ignore_index : int or None
        The value of ``target`` that means the same; 2 in the files of the challenge.

    Returns
    -------
    VesuviusScore
        Without surface Dice, and so without a score, where MONAI is not installed.

    Raises
    ------
    TypeError, ValueError
        As `pytopo.metrics.topo_score`; if the masks are no volumes.

    References
    ----------
    The metric library of the challenge, ``topometrics`` (2025), and for surface Dice Nikolov
    et al. (2018), "Deep learning to achieve clinically applicable segmentation of head and
    neck anatomy for radiotherapy".

    Examples
    --------
    Two sheets are joined, in one piece of the eight:

    >>> import numpy as np
    >>> target = np.zeros((8, 16, 16), bool)
    >>> target[0] = target[2] = True
    >>> prediction = target.copy()
    >>> prediction[1, 3, 3] = True
    >>> found = vesuvius_score(prediction, target)
    >>> found.topo.features.missed, round(found.topo.score, 3)
    ((1, 0, 0), 0.857)
    >>> round(found.voi.split, 3), round(found.voi.merge, 3), round(found.voi_score, 3)
    (0.0, 1.018, 0.766)
    """
    masks = checked_masks(prediction, target, ignore, ignore_index)
    first, second = masks.filled(False)
    if first.ndim != 3:
        raise ValueError(f"prediction has shape {first.shape}; expected a volume, (D, H, W)")
    known = Masks(first, second)
    return VesuviusScore(
        topo=topo_score(first, second, pieces=PIECES),
        surface_dice=_surface_dice(known),
        voi=_component_information(known),
    )


def _component_information(masks: Masks) -> VariationOfInformation:
    """Return the Variation of Information of components over corners, in the foreground."""
    neither = ~(masks.prediction | masks.target)
    if neither.all():
        return VariationOfInformation(0.0, 0.0)
    corners, _ = neighbours(masks.prediction.ndim, "T")
    first, second = (ndimage.label(m, corners)[0] for m in (masks.prediction, masks.target))
    return variation_of_information(first, second, ignore_background=False, ignore=neither)


def _surface_dice(masks: Masks) -> float | None:
    """Return the surface Dice; None without MONAI."""
    try:
        return surface_dice(masks.prediction, masks.target, TOLERANCE)
    except ImportError:
        return None
