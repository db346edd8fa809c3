"""How good a segmentation is: topology, pixels, segments.

    masks    prediction, target -> Betti numbers      -> Betti number error, Euler error
                                -> features by place  -> Betti matching error, TopoScore
                                -> pixels             -> accuracy, Dice, clDice
                                -> surfaces           -> surface Dice, HD95
    labels   prediction, target -> overlap of labels  -> Variation of Information, Rand error

`docs/metrics.md` says what each number means and where it misleads.

===============  =====================================================================
file             what it does
===============  =====================================================================
inputs.py        masks and label images, checked, and the pixels to ignore
betti.py         Betti numbers, and their error, of whole images and of patches
euler.py         the Euler characteristic, and its error
by_place.py      features of two masks that are not in the same place
topo.py          the F1 score of features in the same place
pixels.py        accuracy and Dice
centerline.py    clDice
surface.py       surface Dice and Hausdorff distance, by MONAI
label_images.py  Variation of Information and adapted Rand error
evaluation.py    many of them for one prediction
decision.py      from likelihood to mask: threshold, and what is small goes
vesuvius.py      the score of a challenge
===============  =====================================================================
"""

from pytopo.metrics.betti import (
    BettiError,
    betti_error,
    betti_numbers,
    patch_betti_error,
    patch_shape,
)
from pytopo.metrics.by_place import BettiMatchingError, betti_matching_error
from pytopo.metrics.centerline import cldice
from pytopo.metrics.euler import euler_characteristic, euler_error
from pytopo.metrics.label_images import (
    AdaptedRandError,
    VariationOfInformation,
    adapted_rand_error,
    segments,
    variation_of_information,
)
from pytopo.metrics.pixels import dice, pixel_accuracy
from pytopo.metrics.surface import hausdorff_distance, surface_dice
from pytopo.metrics.topo import TopoScore, topo_score
from pytopo.metrics.vesuvius import VesuviusScore, vesuvius_score

__all__ = [
    "AdaptedRandError",
    "BettiError",
    "BettiMatchingError",
    "TopoScore",
    "VariationOfInformation",
    "VesuviusScore",
    "adapted_rand_error",
    "betti_error",
    "betti_matching_error",
    "betti_numbers",
    "cldice",
    "dice",
    "euler_characteristic",
    "euler_error",
    "hausdorff_distance",
    "patch_betti_error",
    "patch_shape",
    "pixel_accuracy",
    "segments",
    "surface_dice",
    "topo_score",
    "variation_of_information",
    "vesuvius_score",
]
