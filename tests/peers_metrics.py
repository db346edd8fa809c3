"""Compare the metrics with those of scikit-image, MONAI and topolosses on random masks.

    python tests/peers_metrics.py 50

Prints for each metric the largest difference from a peer, over images and volumes; a peer that
is not installed is left out, and said.
"""

import argparse
import importlib.util
import sys
import warnings
from functools import cache

import numpy as np
import skimage.measure
import skimage.metrics
import skimage.morphology
from scipy import ndimage

from pytopo import metrics

SHAPES = (24, 31), (9, 11, 13)


def random_pair(rng, shape):
    """Return two masks that have much in common."""
    noise = rng.standard_normal((2, *shape))
    noise[1] = noise[0] + noise[1] / 2
    return [ndimage.gaussian_filter(image, 1) > 0 for image in noise]


def labelled(pair):
    return [ndimage.label(mask)[0] for mask in pair]


# ---- scikit-image ---------------------------------------------------------------------------


def information(prediction, target):
    first, second = labelled((prediction, target))
    ours = metrics.variation_of_information(first, second, background=0)
    theirs = skimage.metrics.variation_of_information(second, first, ignore_labels=[0])
    return (ours.split, ours.merge), theirs


def rand(prediction, target):
    first, second = labelled((prediction, target))
    ours = metrics.adapted_rand_error(first, second)
    theirs = skimage.metrics.adapted_rand_error(second, first)
    return (ours.error, ours.recall, ours.precision), theirs


def euler(prediction, target):
    ours = [
        metrics.euler_characteristic(mask, construction=how)
        for mask in (prediction, target)
        for how in "VT"
    ]
    theirs = [
        skimage.measure.euler_number(mask, connectivity)
        for mask in (prediction, target)
        for connectivity in (1, mask.ndim)
    ]
    return ours, theirs


def components(prediction, target):
    ours = [
        metrics.betti_numbers(mask, construction=how)[0]
        for mask in (prediction, target)
        for how in "VT"
    ]
    theirs = [
        skimage.measure.label(mask, connectivity=connectivity).max()
        for mask in (prediction, target)
        for connectivity in (1, mask.ndim)
    ]
    return ours, theirs


def center_lines(prediction, target):
    lines = [skimage.morphology.skeletonize(mask) > 0 for mask in (prediction, target)]
    precision, sensitivity = target[lines[0]].mean(), prediction[lines[1]].mean()
    theirs = 2 * precision * sensitivity / (precision + sensitivity)
    return [metrics.cldice(prediction, target)], [theirs]


def hausdorff(prediction, target):
    edges = [mask & ~ndimage.binary_erosion(mask) for mask in (prediction, target)]
    ours = metrics.hausdorff_distance(prediction, target, percentile=100)
    return [ours], [skimage.metrics.hausdorff_distance(*edges)]


# ---- MONAI ----------------------------------------------------------------------------------


def batches(*masks):
    import torch

    return [torch.from_numpy(mask[None, None].astype(np.uint8)) for mask in masks]


def of_monai(name, **options):
    import monai.metrics

    return lambda *pair: getattr(monai.metrics, name)(*batches(*pair), **options).item()


def overlap(prediction, target):
    return [metrics.dice(prediction, target)], [of_monai("compute_dice")(prediction, target)]


def hd95(prediction, target):
    theirs = of_monai("compute_hausdorff_distance", include_background=True, percentile=95)
    return [metrics.hausdorff_distance(prediction, target)], [theirs(prediction, target)]


def surface(prediction, target):
    theirs = of_monai(
        "compute_surface_dice",
        class_thresholds=[1.0],
        include_background=True,
        use_subvoxels=True,
    )
    return [metrics.surface_dice(prediction, target, 1)], [theirs(prediction, target)]


# ---- topolosses -----------------------------------------------------------------------------


@cache
def matching_of_topolosses():
    """Return the function of its extension, which can be imported without its package."""
    (folder,) = importlib.util.find_spec("topolosses").submodule_search_locations
    sys.path.insert(0, f"{folder}/losses/betti_matching/src")
    from betti_matching import compute_matching

    return compute_matching


def by_place(prediction, target):
    """Compare matched, false and missed features; essential components are left out there."""
    found = matching_of_topolosses()(*(np.where(m, 0.0, 1.0) for m in (prediction, target)))
    ours = metrics.topo_score(prediction, target).features
    theirs = found.num_matched, found.num_unmatched_input1, found.num_unmatched_input2
    return np.ravel([ours.matched, ours.false, ours.missed]), np.ravel(theirs)


COMPARISONS = {
    "Variation of Information, split and merge": ("skimage", information),
    "adapted Rand error, precision, recall": ("skimage", rand),
    "Euler characteristic, V and T": ("skimage", euler),
    "components, V and T": ("skimage", components),
    "clDice, of its skeletons": ("skimage", center_lines),
    "Hausdorff distance": ("skimage", hausdorff),
    "Dice": ("monai", overlap),
    "HD95": ("monai", hd95),
    "surface Dice": ("monai", surface),
    "features by place: matched, false, missed": ("topolosses", by_place),
}
NEEDS_MONAI = (hausdorff, hd95, surface, overlap)


def is_possible(peer, compare):
    """Return whether the packages of a comparison are installed."""
    packages = {peer} | ({"monai"} if compare in NEEDS_MONAI else set())
    return all(importlib.util.find_spec(package) is not None for package in packages)


def largest_difference(compare, number, seed=0):
    """Return the largest difference of ours from theirs, over images and volumes."""
    rng, most = np.random.default_rng(seed), 0.0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # of MONAI, about itself
        for _ in range(number):
            for shape in SHAPES:
                ours, theirs = compare(*random_pair(rng, shape))
                assert len(ours) == len(theirs)
                most = max(most, float(np.abs(np.subtract(ours, theirs)).max()))
    return most


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("number", type=int, help="how many random images, and volumes")
    args = parser.parse_args()
    failed = False
    print(f"{args.number} images of {SHAPES[0]} and volumes of {SHAPES[1]}, largest difference")
    for name, (peer, compare) in COMPARISONS.items():
        if not is_possible(peer, compare):
            print(f"{name:42} {peer:10} not installed")
            continue
        most = largest_difference(compare, args.number)
        print(f"{name:42} {peer:10} {most:.0e}", flush=True)
        failed |= most > 1e-5
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
