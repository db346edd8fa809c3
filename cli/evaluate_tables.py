"""What `pytopo evaluate` writes: the numbers, each with the conventions it depends on."""

import argparse
import csv
import io
import json
import math
from dataclasses import dataclass
from typing import Any

from pytopo.cli.evaluate_features import OF_VESUVIUS, feature_titles, numbers_of_both
from pytopo.cli.evaluate_surface import surface_titles
from pytopo.cli.report import printable


@dataclass(frozen=True)
class Verdict:
    """The numbers, and how they are defined.

    Attributes
    ----------
    shape : tuple of int
        Of the images.
    numbers : dict of str to float
        Of the whole, or the mean of the sections.
    sections : list of dict
        The numbers of each section, with ``--sections``.
    conventions : dict
        What decides whether numbers can be compared.
    """

    shape: tuple[int, ...]
    numbers: dict[str, float]
    sections: list[dict[str, float]]
    conventions: dict[str, Any]


def json_text(verdict: Verdict, args: argparse.Namespace) -> str:
    """Return the numbers and conventions as JSON."""
    content = {
        "prediction": args.prediction,
        "truth": args.truth,
        "shape": verdict.shape,
        "conventions": verdict.conventions,
        "evaluation": _finite(verdict.numbers),
    }
    if args.sections:
        content["sections"] = [_finite(section) for section in verdict.sections]
    return json.dumps(content, indent=1) + "\n"


def _finite(numbers: dict[str, float]) -> dict[str, float | None]:
    """Return numbers with None for what is not finite, which JSON has no word for."""
    return {name: value if math.isfinite(value) else None for name, value in numbers.items()}


def csv_text(verdict: Verdict, args: argparse.Namespace) -> str:
    """Return a line for each section and one for the mean, or one for the whole."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["prediction", "truth", "section", *verdict.numbers, *verdict.conventions])
    rows: list[tuple[object, dict[str, float]]] = [*enumerate(verdict.sections)]
    rows.append(("mean" if args.sections else "", verdict.numbers))
    for section, numbers in rows:
        table.writerow(
            [args.prediction, args.truth, section, *numbers.values()]
            + ["" if value is None else value for value in verdict.conventions.values()]
        )
    return text.getvalue()


def table(verdict: Verdict, args: argparse.Namespace) -> str:
    """Return each number with its definition as text."""
    titles = _titles(verdict, args)
    values = {name: f"{value:.6g}" for name, value in verdict.numbers.items() if name in titles}
    wide = max(len(titles[name][0]) for name in values)
    right = max(map(len, values.values()))
    return "\n".join(
        [
            f"{printable(args.prediction)} against {printable(args.truth)}: "
            f"{' x '.join(map(str, verdict.shape))} pixels",
            *_membrane_lines(verdict, args),
            *([f"mean of {len(verdict.sections)} sections"] if args.sections else []),
            "",
            *(
                f"{titles[name][0]:<{wide}}  {value:>{right}}  {titles[name][1]}"
                for name, value in values.items()
            ),
            "",
        ]
    )


def _membrane_lines(verdict: Verdict, args: argparse.Namespace) -> list[str]:
    """Return the lines that say what counts as membrane, and as connected."""
    known = verdict.conventions
    ignored = known.get("ignored_pixels")
    without = [] if ignored is None else [f"ignored: {ignored} pixels without ground truth"]
    if args.protocol:
        return [f"foreground: prediction > {args.threshold:.6g}, truth = 1", *without]
    if args.labels == "both":
        return [
            f"numbered cells, {known['background']} on membranes; label "
            f"{known['background']} of the prediction is a segment too",
            *without,
        ]
    truth = "truth = 0" if args.invert_truth else "truth = 1"
    if args.truth_threshold is not None:
        sign = "<=" if args.invert_truth else ">"
        truth = f"truth {sign} {args.truth_threshold:.6g}"
    if args.labels:
        truth = f"truth = label {known['background']}"
        if known["border"] != "none":
            truth += f", or at most {known['border']:g} {known['border_unit']} from a border"
    connected = {
        "V": "membranes are connected over sides, cells over corners too",
        "T": "membranes are connected over corners too, cells over sides",
    }
    removed = [
        f"removed from the prediction: {what}"
        for what, some in (
            (f"persistence below {args.min_persistence:g}", args.min_persistence),
            (f"components of fewer than {args.min_size} pixels", args.min_size),
        )
        if some
    ]
    return [
        f"membrane: prediction > {args.threshold:.6g}, {truth}",
        *removed,
        f"construction {args.construction}: {connected[args.construction]}",
        *without,
    ]


def _titles(verdict: Verdict, args: argparse.Namespace) -> dict[str, tuple[str, str]]:
    """Return for each number its name in the table, and its definition."""
    from pytopo.diagram import FEATURES

    if args.protocol:
        return OF_VESUVIUS
    axes = len(verdict.shape) - args.sections
    known = verdict.conventions
    what = "section" if args.sections else "image" if axes == 2 else "volume"
    cells = "" if args.labels == "both" else "cells between membranes, "
    if known.get("border") == "none":
        cells = "numbered cells of the ground truth, "
    ignored = "where the ground truth is not membrane"
    titles = {
        "pixel_accuracy": (
            "pixel accuracy",
            f"all {'other ' * ('ignored_pixels' in known)}pixels",
        ),
        "dice": ("Dice", "membranes"),
        "voi_split": ("VOI split", f"bits, {cells}{ignored}"),
        "voi_merge": ("VOI merge", "the same"),
        "voi": ("VOI", "split + merge"),
        "adapted_rand": ("adapted Rand error", ignored),
    }
    if args.labels == "both":
        return titles
    frame = "with a frame of membrane" if known["frame"] else "no frame"
    whole = f"whole {what}, {frame}"
    patches = (
        f"mean of {known.get('patches')} patches of {known.get('patch')}, "
        f"seed {known.get('seed')}, {frame}"
    )
    for prefix, called, how in (
        ("betti", "Betti error", whole),
        ("patch_betti", "patch Betti error", patches),
    ):
        for dim in range(axes):
            both = f": {numbers_of_both(verdict.numbers, dim)}" if prefix == "betti" else ""
            titles[f"{prefix}_{dim}"] = (f"{called}, {FEATURES[axes][dim]}", how + both)
            how = "the same"
        titles[prefix] = (called, "sum of these")
    return titles | feature_titles(verdict.numbers, axes, whole) | surface_titles(args)
