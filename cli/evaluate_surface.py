"""What `pytopo evaluate` says of surfaces, where MONAI is installed: surface Dice and HD95."""

import argparse
import math
from typing import TYPE_CHECKING, Any

from pytopo.cli import options
from pytopo.cli.report import InputError

if TYPE_CHECKING:
    from pytopo.cli.evaluate_inputs import Pair


def add_surface_options(group: "argparse._ArgumentGroup") -> None:
    """Add the options of distances between surfaces."""
    group.add_argument(
        "--surface-dice", type=distance, metavar="X",
        help="compute surface Dice too, with a tolerance of X pixels; requires MONAI",
    )  # fmt: skip
    group.add_argument(
        "--hd95", action="store_true",
        help="compute the Hausdorff distance, 95th percentile, in pixels; requires MONAI",
    )  # fmt: skip
    group.add_argument(
        "--spacing", type=spacing, metavar="X,X",
        help="size of a pixel along each axis, like 40,4,4: surface Dice and HD95 in its unit",
    )  # fmt: skip


def distance(text: str) -> float:
    """Parse a finite distance of at least 0."""
    value = options.number(text)
    if not 0 <= value < math.inf:
        raise argparse.ArgumentTypeError(f"{text}; expected a distance of at least 0")
    return value


def spacing(text: str) -> tuple[float, ...]:
    """Parse sizes above 0, as in ``40,4,4``."""
    sizes = tuple(options.number(size) for size in text.split(","))
    if not all(0 < size < math.inf for size in sizes):
        raise argparse.ArgumentTypeError(f"{text}; expected sizes above 0, like 40,4,4")
    return sizes


def surface_numbers(pair: "Pair", args: argparse.Namespace) -> dict[str, float]:
    """Return the distances of the surfaces of two masks that were asked for."""
    from pytopo.metrics import hausdorff_distance, surface_dice

    masks = pair.prediction, pair.truth
    if args.spacing is not None and len(args.spacing) != pair.truth.ndim:
        given = ",".join(f"{size:g}" for size in args.spacing)
        raise InputError(
            f"{args.truth}: an image of {pair.truth.ndim} axes; --spacing is {given}, expected "
            "a size for each axis"
        )
    shared: dict[str, Any] = {"spacing": args.spacing, "ignore": pair.ignored}
    numbers = {}
    try:
        if args.surface_dice is not None:
            numbers["surface_dice"] = surface_dice(*masks, args.surface_dice, **shared)
        if args.hd95:
            numbers["hd95"] = hausdorff_distance(*masks, **shared)
    except ImportError as error:
        raise InputError(str(error)) from None
    return numbers


def surface_conventions(args: argparse.Namespace) -> dict[str, object]:
    """Return what the numbers depend on; nothing if none was asked for."""
    if args.surface_dice is None and not args.hd95:
        return {}
    return {"surface_tolerance": args.surface_dice, "spacing": args.spacing}


def surface_titles(args: argparse.Namespace) -> dict[str, tuple[str, str]]:
    """Return for each number its name in the table, and its definition."""
    unit = "in pixels" if args.spacing is None else "in the unit of --spacing"
    how = f"{unit}, surfaces of membranes, by MONAI"
    titles = {"hd95": ("HD95", how)}
    if args.surface_dice is not None:
        titles["surface_dice"] = ("surface Dice", f"tolerance {args.surface_dice:g}, {how}")
    return titles
