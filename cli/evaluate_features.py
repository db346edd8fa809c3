"""What `pytopo evaluate` says of features: how many there are, and which are in the same place.

masks -> Betti numbers of both
      -> features matched by place -> Betti matching error, TopoScore
      -> components in V and in T  -> advice on the construction
"""

import argparse
from typing import TYPE_CHECKING, Any

from pytopo.cli.report import InputError

if TYPE_CHECKING:
    from pytopo.cli.evaluate_inputs import Pair

SHATTERED, SHATTERED_BY = 2, 5  # more components in V than in T: times, and in numbers
OF_VESUVIUS = {
    "score": ("score", "0.30 TopoScore + 0.35 surface Dice + 0.35 VOI score"),
    "topo_score": ("TopoScore", "F1 of features in the same place, in 2 x 2 x 2 pieces"),
    "topo_f1_0": ("F1, components", "weight 0.34, but for the essential ones"),
    "topo_f1_1": ("F1, tunnels", "weight 0.33"),
    "topo_f1_2": ("F1, voids", "weight 0.33"),
    "surface_dice": ("surface Dice", "tolerance 2 voxels, by MONAI"),
    "voi_score": ("VOI score", "1 / (1 + 0.3 VOI)"),
    "voi_split": ("VOI split", "bits, components over corners, where either has foreground"),
    "voi_merge": ("VOI merge", "the same"),
    "voi": ("VOI", "split + merge"),
}


def feature_numbers(pair: "Pair", args: argparse.Namespace) -> dict[str, float]:
    """Return the numbers of features of two masks, those in the same place among them."""
    from pytopo.metrics import betti_matching_error, betti_numbers, cldice, euler_error
    from pytopo.metrics.inputs import Masks
    from pytopo.metrics.topo import WEIGHTS, score_of, without_essential

    masks = Masks(pair.prediction, pair.truth, pair.ignored)
    filled = masks.filled(not args.no_frame)
    options = {"construction": args.construction, "frame": not args.no_frame}
    numbers: dict[str, float] = {}
    for name, mask in zip(("prediction", "truth"), filled):
        for dim, number in enumerate(betti_numbers(mask, **options)):
            numbers[f"{name}_betti_{dim}"] = number
    numbers["euler"] = euler_error(*filled, **options)
    features = betti_matching_error(*filled, **options)
    dims = tuple(range(filled[0].ndim))
    for dim, *counts in zip(dims, features.per_dim, features.false, features.missed):
        for name, count in zip(("betti_matching", "false", "missed"), counts):
            numbers[f"{name}_{dim}"] = count
    numbers["betti_matching"] = features.total
    weights = [WEIGHTS[dim] for dim in dims]
    numbers["topo_score"] = score_of(without_essential(features, dims), weights).score
    if args.cldice:
        try:
            numbers["cldice"] = cldice(pair.prediction, pair.truth, ignore=pair.ignored)
        except ImportError as error:
            raise InputError(str(error)) from None
    return numbers


def feature_titles(
    numbers: dict[str, float], axes: int, whole: str
) -> dict[str, tuple[str, str]]:
    """Return for each number its name in the table, and its definition."""
    from pytopo.diagram import FEATURES
    from pytopo.metrics.topo import WEIGHTS

    titles = {
        "euler": ("Euler error", whole),
        "betti_matching": ("Betti matching error", "sum of these"),
        "cldice": ("clDice", "membranes and their centre lines"),
    }
    how = f"features in the same place, {whole}"
    for dim in range(axes):
        if f"betti_matching_{dim}" in numbers:
            false, missed = numbers[f"false_{dim}"], numbers[f"missed_{dim}"]
            titles[f"betti_matching_{dim}"] = (
                f"Betti matching error, {FEATURES[axes][dim]}",
                f"{how}: {false:.6g} false, {missed:.6g} missed",
            )
            how = "the same"
    matched = [dim for dim in range(axes) if f"betti_matching_{dim}" in numbers]
    weights = ", ".join(f"{WEIGHTS[dim]} {FEATURES[axes][dim]}" for dim in matched)
    titles["topo_score"] = ("TopoScore", f"F1 of the same, weights {weights}")
    return titles


def numbers_of_both(numbers: dict[str, float], dim: int) -> str:
    """Return the Betti numbers of prediction and ground truth as text."""
    prediction, truth = (numbers[f"{name}_betti_{dim}"] for name in ("prediction", "truth"))
    return f"{prediction:.6g} in the prediction, {truth:.6g} in the truth"


def notes_on(
    pair: "Pair", numbers: dict[str, float], args: argparse.Namespace
) -> tuple[str, ...]:
    """Return what makes numbers mean less than they seem to."""
    if args.labels == "both":
        return ()
    if args.protocol:
        return _vesuvius_notes(numbers)
    return _construction_notes(pair, args)


def _construction_notes(pair: "Pair", args: argparse.Namespace) -> tuple[str, ...]:
    """Return a note if V shatters what was drawn over corners, in all sections together."""
    from scipy import ndimage

    from pytopo.metrics.betti import neighbours

    if args.construction == "T":
        return ()
    sections = [pair] if not args.sections else list(pair.sections())
    over_sides, over_corners = (
        sum(
            ndimage.label(_known(part), neighbours(part.truth.ndim, construction)[0])[1]
            for part in sections
        )
        for construction in "VT"
    )
    apart = over_sides - over_corners >= SHATTERED_BY
    if not (apart and over_sides >= SHATTERED * over_corners):
        return ()
    return (
        f"{args.truth}: {over_sides} components in V, {over_corners} in T: V shatters the "
        "ground truth, as it does lines with diagonal steps; expected --construction T",
    )


def _known(pair: "Pair") -> Any:
    return pair.truth if pair.ignored is None else pair.truth & ~pair.ignored


def label_numbers(pair: "Pair", args: argparse.Namespace) -> dict[str, float]:
    """Return how far the segments of two label images agree."""
    from pytopo.metrics import adapted_rand_error, variation_of_information

    ids = pair.prediction, pair.truth
    ignored = {"background": pair.background, "ignore": pair.ignored}
    information = variation_of_information(*ids, **ignored)
    return {
        "voi_split": information.split,
        "voi_merge": information.merge,
        "voi": information.total,
        "adapted_rand": adapted_rand_error(*ids, **ignored).error,
    }


def vesuvius_numbers(pair: "Pair", args: argparse.Namespace) -> dict[str, float]:
    """Return the score of the Vesuvius Challenge, and what it is made of."""
    from pytopo.metrics import vesuvius_score

    try:
        found = vesuvius_score(pair.prediction, pair.truth, ignore=pair.ignored)
    except ValueError as error:
        raise InputError(f"{args.prediction}: {error}") from None
    f1 = {f"topo_f1_{dim}": value for dim, value in enumerate(found.topo.f1)}
    numbers = {
        "score": found.score,
        "topo_score": found.topo.score,
        **{name: value for name, value in f1.items() if value == value},  # NaN: no feature
        "surface_dice": found.surface_dice,
        "voi_score": found.voi_score,
        "voi_split": found.voi.split,
        "voi_merge": found.voi.merge,
        "voi": found.voi.total,
    }
    return {name: value for name, value in numbers.items() if value is not None}


def _vesuvius_notes(numbers: dict[str, float]) -> tuple[str, ...]:
    """Return a note if there is no surface Dice, and so no score."""
    if "surface_dice" in numbers:
        return ()
    return (
        "surface Dice is computed by MONAI, which is not installed (pip install monai); "
        "without it there is no score",
    )
