"""How good a segmentation is: topology, pixels, segments.

    masks    prediction, target -> Betti numbers      -> Betti number error
                                -> pixels             -> accuracy, Dice
    labels   prediction, target -> overlap of labels  -> Variation of Information, Rand error

`docs/metrics.md` says what each number means and where it misleads.

===============  =====================================================================
file             what it does
===============  =====================================================================
inputs.py        masks and label images, checked
betti.py         Betti numbers, and their error, of whole images and of patches
by_place.py      features of two masks that are not in the same place
pixels.py        accuracy and Dice
label_images.py  Variation of Information and adapted Rand error
evaluation.py    all of them for one prediction
decision.py      from likelihood to mask: threshold, and what is small goes
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
from pytopo.metrics.label_images import (
    AdaptedRandError,
    VariationOfInformation,
    adapted_rand_error,
    segments,
    variation_of_information,
)
from pytopo.metrics.pixels import dice, pixel_accuracy

__all__ = [
    "AdaptedRandError",
    "BettiError",
    "BettiMatchingError",
    "VariationOfInformation",
    "adapted_rand_error",
    "betti_error",
    "betti_matching_error",
    "betti_numbers",
    "dice",
    "patch_betti_error",
    "patch_shape",
    "pixel_accuracy",
    "segments",
    "variation_of_information",
]
