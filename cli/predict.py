"""``pytopo predict``: the likelihood that a trained network predicts for an image or a volume.

checkpoint -> network --.
                         predict, section by section -> .h5, .zarr, .tif, .png
image -> sections ------'
"""

import argparse
import math
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from pytopo.cli import options
from pytopo.cli.cleaning import add_cleaning, simplified, without_small
from pytopo.cli.files import check_places, say_of
from pytopo.cli.predict_files import (
    ENDINGS,
    Block,
    check_output,
    output_path,
    write_blocks,
)
from pytopo.cli.predict_inputs import Sections, open_sections
from pytopo.cli.report import InputError, reporting_errors, say

if TYPE_CHECKING:
    from torch import nn


DESCRIPTION = """\
Predict the likelihood of each pixel of an image with a trained network; a volume is predicted
section by section."""

EPILOG = """\
CHECKPOINT is what `pytopo train` wrote, IMAGE what `pytopo diagram` reads; colour becomes
luminance, unless the network takes three channels. In .h5, .npy or .tif it may be larger than
memory: a few sections are kept, and of a large section some rows. Then write .h5 or .zarr.

what is written, by the ending of FILE:
  .h5, .hdf5   data set /likelihood, float32; or with --threshold /mask, 0 and 255
  .zarr        the same as an array of its own, in chunks of 1024 x 1024; nothing is replaced
  .tif, .tiff  float32, a page for each section; or with --threshold 0 and 255
  .png         16 bits, 65535 for 1, one section only; or with --threshold 0 and 255

examples:
  pytopo predict best.pt cells.png -o likelihood.tif
  pytopo predict best.pt cells.png -o mask.png --threshold 0.4 --min-persistence 0.3
  pytopo predict best.pt vol.h5:/volumes/raw[0:8] -o membranes.h5 --threshold 0.5
  pytopo predict best.pt large.h5:/raw -o membranes.zarr"""


# ---- the command line --------------------------------------------------------------------


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register the subcommand."""
    parser = subparsers.add_parser(
        "predict",
        help="predict the likelihood of an image with a trained network",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.set_defaults(run=run, usage_error=parser.error)
    parser.add_argument("checkpoint", metavar="CHECKPOINT", help="trained network")
    parser.add_argument("image", metavar="IMAGE", help="image or volume, on [0, 1] if floats")
    parser.add_argument(
        "-o", "--output", metavar="FILE", type=output_path, required=True,
        help=f"file to write: {', '.join(ENDINGS)}",
    )  # fmt: skip
    parser.add_argument(
        "--threshold", type=unit_number, metavar="X",
        help="write a mask instead: 255 where the likelihood is at least X, else 0",
    )  # fmt: skip

    removed = parser.add_argument_group("what is removed")
    add_cleaning(removed)
    options.add_construction(removed)
    removed.add_argument(
        "--no-frame", action="store_true",
        help="with --min-persistence: put no frame of foreground around a section, so that "
        "what runs off the border stays open",
    )  # fmt: skip

    how = parser.add_argument_group("how to compute")
    how.add_argument(
        "--tile", type=options.positive, metavar="N",
        help="rows and columns of a tile (default: the patch size of the network; without "
        "one the whole image if it is small, otherwise 512)",
    )  # fmt: skip
    how.add_argument(
        "--overlap", type=options.count, metavar="N",
        help="rows and columns that tiles share (default: the receptive field of the "
        "network, or half a tile where that is less)",
    )  # fmt: skip
    how.add_argument(
        "--batch-size", type=options.positive, metavar="N",
        help="tiles at a time (default: as many as make 512 x 512 pixels)",
    )  # fmt: skip
    how.add_argument(
        "--device", default="cpu", metavar="NAME", help="as torch names it (default: cpu)"
    )


def unit_number(text: str) -> float:
    """Parse a number from 0 to 1."""
    value = options.number(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text}; expected a number from 0 to 1")
    return value


# ---- the command -------------------------------------------------------------------------


def run(args: argparse.Namespace) -> int:
    """Read, check, predict; the file appears when it is complete."""
    if args.min_size and args.threshold is None:
        args.usage_error("--min-size is for masks; add --threshold")
    options.check_files(
        args, [args.output], {"CHECKPOINT": args.checkpoint, "IMAGE": args.image}
    )
    if args.output.lower().rstrip("/").endswith(".zarr") and os.path.exists(args.output):
        raise InputError(f"{args.output}: exists already; remove it, or name another")
    check_places([args.output])
    if os.path.exists(args.output) and not os.path.isfile(args.output):
        raise InputError(f"{args.output}: a pipe or device; expected the name of a file")

    from pytopo.training.prediction import image_channels

    network = _network(args)
    sections = open_sections(args.image, image_channels(network))
    _check(network, sections, args)
    dtype = "f4" if args.threshold is None else "u1"
    check_output(args.output, args.image, sections.shape, dtype)
    with reporting_errors(args.output):
        write_blocks(args.output, sections.shape, dtype, _predicted(network, sections, args))
    say(f"wrote {args.output}")
    return 0


def _network(args: argparse.Namespace) -> "nn.Module":
    from pytopo.training.checkpoint import load_network
    from pytopo.training.prediction import checked_device

    with reporting_errors():
        device = checked_device(args.device)
        return load_network(args.checkpoint).to(device)


def _check(network: "nn.Module", sections: Sections, args: argparse.Namespace) -> None:
    """Check all pixels before the work, so that it does not end in the middle."""
    from pytopo.images.scaling import range_notes
    from pytopo.training.prediction import checked_image, image_channels
    from pytopo.training.tiles import planned

    low, high = math.inf, -math.inf
    for k, row, values in sections.blocks():
        where = f"{args.image}, section {k}" if len(sections.shape) == 3 else args.image
        with reporting_errors(where):
            checked_image(values, image_channels(network), row)
        low, high = min(low, float(values.min())), max(high, float(values.max()))
    say_of(args.image, range_notes(high - low, sections.stored_dtype))
    with reporting_errors():
        planned(network, sections.shape[-2:], args.tile, args.overlap)


def _predicted(
    network: "nn.Module", sections: Sections, args: argparse.Namespace
) -> Iterator[Block]:
    """Yield what is to be written of each section: its likelihood, or its mask."""
    import numpy as np
    import torch

    try:
        with reporting_errors(args.checkpoint):
            for section, row, likelihood in _likelihoods(network, sections, args):
                simple = simplified(likelihood, args.image, args)
                if args.threshold is None:
                    yield Block(section, row, simple)
                else:
                    mask = without_small(simple >= args.threshold, args)
                    yield Block(section, row, mask.astype(np.uint8) * np.uint8(255))
    except (MemoryError, torch.OutOfMemoryError):
        raise InputError(
            f"{args.image}: not enough memory on {args.device}; expected a smaller --tile or "
            "--batch-size"
        ) from None


def _likelihoods(
    network: "nn.Module", sections: Sections, args: argparse.Namespace
) -> Iterator[Block]:
    """Yield likelihoods, of sections as a whole where they fit, or where some is removed."""
    from tqdm import tqdm

    from pytopo.training.prediction import predict_bands, predict_sections

    how = {"tile": args.tile, "overlap": args.overlap, "batch_size": args.batch_size}
    if not sections.is_large or args.min_persistence or args.min_size:
        found = predict_sections(network, sections, progress=len(sections.shape) == 3, **how)
        yield from (Block(k, 0, likelihood) for k, likelihood in enumerate(found))
        return
    rows = sections.shape[-2]
    with tqdm(total=len(sections) * rows, unit="row", leave=False, disable=None) as bar:
        for k in range(len(sections)):
            row = 0
            for band in predict_bands(network, sections.bands(k), **how):
                yield Block(k, row, band)
                row += len(band)
                bar.update(len(band))
