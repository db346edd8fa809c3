"""``pytopo synth``: generate a volume of electron microscopy with the ids of its cells.

seed -> sections -> HDF5 in the CREMI layout, or a data set of nnU-Net
"""

import argparse
import math
import os
from functools import partial
from typing import TYPE_CHECKING

from pytopo.cli import options
from pytopo.cli.files import check_places
from pytopo.cli.report import InputError, reporting_errors, say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

DESCRIPTION = """\
Generate sections that look like electron microscopy of neurons, with the id of the cell that
each pixel belongs to, and write them to an HDF5 file in the CREMI layout. For machines
without data, and for experiments in which the ground truth is certain.

Membranes fade and have gaps, cells have contents as dark as membranes, and neighbouring
sections resemble each other."""

EPILOG = """\
The same options write the same volume.

examples:
  pytopo synth cells.h5
  pytopo synth hard.h5 --gaps 0.2 --noise 2 --seed 7
  pytopo synth nnUNet_raw/Dataset001_Membranes --nnunet
  pytopo diagram 'cells.h5:/volumes/raw[0]'"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register the subcommand."""
    parser = subparsers.add_parser(
        "synth",
        help="generate a synthetic volume of cells to train and test on",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.set_defaults(run=run)
    parser.add_argument("file", metavar="FILE", help="HDF5 file to write, like cells.h5")
    parser.add_argument(
        "--nnunet", action="store_true",
        help="write FILE as a folder with a training set of nnU-Net v2: masks of membranes",
    )  # fmt: skip
    parser.add_argument(
        "--sections", type=options.positive, default=30, metavar="N", help="how many (30)"
    )
    parser.add_argument(
        "--size", type=partial(options.count, least=16), default=256, metavar="N",
        help="rows and columns of a section (256)",
    )  # fmt: skip
    parser.add_argument(
        "--seed", type=options.count, default=0, metavar="N", help="of the random numbers (0)"
    )
    parser.add_argument(
        "--noise", type=amount, default=1.0, metavar="X", help="strength of the grain (1)"
    )
    parser.add_argument(
        "--gaps", type=share, default=0.08, metavar="X",
        help="approximate share of the membranes that is invisible, from 0 to below 1 (0.08)",
    )  # fmt: skip
    parser.add_argument(
        "--clutter", type=amount, default=1.0, metavar="X",
        help="amount of vesicles, mitochondria and reticulum in the cells (1)",
    )  # fmt: skip


def amount(text: str) -> float:
    """Parse a finite number of at least 0."""
    value = options.number(text)
    if not 0 <= value < math.inf:
        raise argparse.ArgumentTypeError(f"{text}; expected a finite number of at least 0")
    return value


def share(text: str) -> float:
    """Parse a number from 0 to below 1."""
    value = options.number(text)
    if not 0 <= value < 1:
        raise argparse.ArgumentTypeError(f"{text}; expected a number from 0 to below 1")
    return value


def run(args: argparse.Namespace) -> int:
    """Generate the volume and write it."""
    from tqdm import tqdm

    from pytopo.data.cremi import write_cremi
    from pytopo.data.nnunet import write_nnunet
    from pytopo.data.synth import stacked, synthetic_planes

    if not args.nnunet:
        check_places([args.file])
    if not args.nnunet and os.path.exists(args.file) and not os.path.isfile(args.file):
        raise InputError(f"{args.file}: a pipe or device; expected a file, which HDF5 requires")
    try:
        planes = synthetic_planes(
            args.sections, args.size,
            seed=args.seed, noise=args.noise, gaps=args.gaps, clutter=args.clutter,
        )  # fmt: skip
        watched = tqdm(planes, total=args.sections, unit="section", disable=None, leave=False)
        volume = stacked(list(watched))
    except MemoryError:
        raise InputError(
            f"{args.file}: not enough memory for {args.sections} sections of {args.size} x "
            f"{args.size} pixels; expected fewer or smaller ones"
        ) from None
    with reporting_errors(args.file):
        if args.nnunet:
            write_nnunet(args.file, _with_membranes(*volume))
        else:
            write_cremi(args.file, *volume)
    say(f"wrote {args.file}: {args.sections} sections of {args.size} x {args.size} pixels")
    return 0


def _with_membranes(
    raw: "NDArray", neuron_ids: "NDArray"
) -> "Iterator[tuple[NDArray, NDArray]]":
    """Yield each section with the mask of its membranes, as training takes them."""
    from pytopo.data.borders import border_mask

    for image, ids in zip(raw, neuron_ids):
        yield image, border_mask(ids, 1.0)
