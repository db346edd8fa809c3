"""The options of `pytopo evaluate`: what is compared, and how topology is computed."""

import argparse
import math

from pytopo.cli import options
from pytopo.cli.evaluate_surface import add_surface_options


def add_mask_options(group: "argparse._ArgumentGroup") -> None:
    """Add the options that say where membrane is."""
    group.add_argument(
        "--threshold", type=options.number, default=0.5, metavar="X",
        help="PREDICTION is membrane where it is greater (default: 0.5)",
    )  # fmt: skip
    options.add_truth_threshold(group)
    group.add_argument(
        "--invert-truth", action="store_true", help="TRUTH is bright in the cells"
    )


def add_id_options(group: "argparse._ArgumentGroup") -> None:
    """Add the options that say what ids of cells mean."""
    labels = group.add_mutually_exclusive_group()
    labels.add_argument(
        "--ids", dest="labels", action="store_const", const="truth",
        help="TRUTH holds ids of cells (the same as --labels truth)",
    )  # fmt: skip
    labels.add_argument(
        "--labels", choices=("truth", "both"),
        help="TRUTH, or both, hold ids of cells; for both only Variation of Information and "
        "Rand error are computed",
    )  # fmt: skip
    group.add_argument(
        "--border", type=border, metavar="X",
        help="with --ids: how far from a border of two ids pixels are membrane (default: 1); "
        "none: only background is",
    )  # fmt: skip
    group.add_argument(
        "--border-unit", choices=("pixels", "nm"), default="pixels",
        help="of --border; nm requires the attribute resolution (default: pixels)",
    )  # fmt: skip
    group.add_argument(
        "--background", type=background, metavar="ID,ID",
        help="ids of TRUTH that mean no cell, or none; -1 is the largest of an unsigned type. "
        "Write --background=-1 if the first is negative (default: see below)",
    )  # fmt: skip


def add_ignore_options(group: "argparse._ArgumentGroup") -> None:
    """Add the options that name pixels without ground truth."""
    group.add_argument(
        "--ignore", metavar="FILE", help="a mask of the pixels without ground truth"
    )
    group.add_argument(
        "--ignore-index", type=options.whole_number, metavar="N",
        help="the value of TRUTH that means the same, like 255",
    )  # fmt: skip


def add_betti_options(group: "argparse._ArgumentGroup") -> None:
    """Add the options of the Betti errors of the image and of its patches."""
    options.add_construction(group)
    group.add_argument(
        "--no-frame", action="store_true",
        help="put no frame of membrane around the image and the patches",
    )  # fmt: skip
    group.add_argument(
        "--patches", type=options.positive, default=100, metavar="N",
        help="number of random patches (default: 100)",
    )  # fmt: skip
    group.add_argument(
        "--patch-size", "--patch", type=options.positive, default=65, metavar="N",
        help="side of the patches, of cubes in 3D (default: 65)",
    )  # fmt: skip
    group.add_argument(
        "--seed", type=options.count, default=0, metavar="N",
        help="of the random positions of the patches (default: 0)",
    )  # fmt: skip
    group.add_argument(
        "--cldice", action="store_true",
        help="compute clDice too, which requires scikit-image",
    )  # fmt: skip
    add_surface_options(group)
    group.add_argument(
        "--protocol", choices=("vesuvius",),
        help="compute the score of a challenge instead: of the Vesuvius Challenge, surface "
        "detection, where TRUTH has 2 for pixels to ignore; surface Dice requires MONAI",
    )  # fmt: skip


def border(text: str) -> float | str:
    """Parse a distance of at least 0, or ``none``."""
    if text.lower() == "none":
        return "none"
    value = options.number(text)
    if not 0 <= value < math.inf:
        raise argparse.ArgumentTypeError(f"{text}; expected a distance of at least 0, or none")
    return value


def background(text: str) -> tuple[int, ...]:
    """Parse ids, as in ``0,-1``, or ``none``."""
    from pytopo.images.background import parsed_background

    try:
        return parsed_background(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
