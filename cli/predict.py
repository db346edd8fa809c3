"""``pytopo predict``: the likelihood that a trained network predicts for an image or a volume.

checkpoint -> network --.
                         predict, section by section -> .h5, .tif, .png
image -> sections ------'
"""

import argparse
import math
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from pytopo.cli import options
from pytopo.cli.cleaning import add_cleaning, simplified, without_small
from pytopo.cli.files import check_places, read, say_of, size_text
from pytopo.cli.report import InputError, reporting_errors, say

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import nn

TIFF_MOST = 4_000_000_000  # bytes; offsets in the file have 32 bits

DESCRIPTION = """\
Predict the likelihood of each pixel of an image with a trained network; a volume is predicted
section by section."""

EPILOG = """\
CHECKPOINT is what `pytopo train` wrote, IMAGE what `pytopo diagram` reads; colour becomes
luminance, unless the network takes three channels.

what is written, by the ending of FILE:
  .h5, .hdf5   data set /likelihood, float32; or with --threshold /mask, 0 and 255
  .tif, .tiff  float32, a page for each section; or with --threshold 0 and 255
  .png         16 bits, 65535 for 1, one section only; or with --threshold 0 and 255

examples:
  pytopo predict best.pt cells.png -o likelihood.tif
  pytopo predict best.pt cells.png -o mask.png --threshold 0.4 --min-persistence 0.3
  pytopo predict best.pt vol.h5:/volumes/raw[0:8] -o membranes.h5 --threshold 0.5"""


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
        help=f"file to write: {', '.join(WRITERS)}",
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


def output_path(text: str) -> str:
    """Parse a path whose ending names a kind of file that can be written."""
    if Path(text).suffix.lower() not in WRITERS:
        raise argparse.ArgumentTypeError(
            f"{text!r} names no kind of image; expected an ending {', '.join(WRITERS)}"
        )
    return text


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
    check_places([args.output])
    if os.path.exists(args.output) and not os.path.isfile(args.output):
        raise InputError(f"{args.output}: a pipe or device; expected the name of a file")

    network = _network(args)
    sections = _read_sections(network, args)
    _check(network, sections, args)
    _write(args, sections.shape, _predicted(network, sections, args))
    return 0


def _network(args: argparse.Namespace) -> "nn.Module":
    from pytopo.training.checkpoint import load_network
    from pytopo.training.prediction import checked_device

    with reporting_errors():
        device = checked_device(args.device)
        return load_network(args.checkpoint).to(device)


class Sections(NamedTuple):
    """What is predicted: images, and the shape of their likelihoods together."""

    images: "NDArray"  # (D, H, W), or (1, H, W, 3) in colour
    shape: tuple[int, ...]  # (H, W) or (D, H, W)


def _read_sections(network: "nn.Module", args: argparse.Namespace) -> Sections:
    """Read an image or a volume, in colour if that is what the network takes."""
    from pytopo.training.prediction import image_channels

    if image_channels(network) == 3:
        from pytopo.images.colour import open_colour
        from pytopo.images.scaling import scaled

        with reporting_errors():
            file = open_colour(args.image)
        say_of(args.image, file.notes)
        return Sections(scaled(file.array)[None], file.array.shape[:2])
    image = read(args.image)
    if image.ndim == 1:
        raise InputError(f"{args.image}: an image of 1 axis; expected 2, or 3 of a volume")
    return Sections(image if image.ndim == 3 else image[None], image.shape)


def _check(network: "nn.Module", sections: Sections, args: argparse.Namespace) -> None:
    """Check before the work that it can be done, and that the result can be written."""
    from pytopo.training.prediction import checked_image, image_channels
    from pytopo.training.tiles import planned

    is_volume = len(sections.shape) == 3
    for number, section in enumerate(sections.images):
        with reporting_errors(f"{args.image}, section {number}" if is_volume else args.image):
            checked_image(section, image_channels(network))
    with reporting_errors():
        planned(network, sections.shape[-2:], args.tile, args.overlap)

    ending = Path(args.output).suffix.lower()
    if ending == ".png" and is_volume:
        raise InputError(
            f"{args.output}: a PNG holds one section, and {args.image} is "
            f"{size_text(sections.images)}; expected .h5 or .tif, or a slice that is one "
            "section"
        )
    size = math.prod(sections.shape) * (4 if args.threshold is None else 1)
    if ending in (".tif", ".tiff") and size > TIFF_MOST:
        raise InputError(
            f"{args.output}: {size / 1e9:.1f} GB are too much for a TIFF; expected .h5"
        )


def _predicted(
    network: "nn.Module", sections: Sections, args: argparse.Namespace
) -> "Iterator[NDArray]":
    """Yield what is to be written of each section: its likelihood, or its mask."""
    import numpy as np
    import torch

    from pytopo.training.prediction import predict_sections

    try:
        with reporting_errors(args.checkpoint):
            for likelihood in predict_sections(
                network,
                sections.images,
                tile=args.tile,
                overlap=args.overlap,
                batch_size=args.batch_size,
                progress=len(sections.shape) == 3,
            ):
                simple = simplified(likelihood, args.image, args)
                if args.threshold is None:
                    yield simple
                else:
                    mask = without_small(simple >= args.threshold, args)
                    yield mask.astype(np.uint8) * np.uint8(255)
    except (MemoryError, torch.OutOfMemoryError):
        raise InputError(
            f"{args.image}: not enough memory on {args.device}; expected a smaller --tile or "
            "--batch-size"
        ) from None


# ---- files -------------------------------------------------------------------------------


def _write(
    args: argparse.Namespace, shape: tuple[int, ...], sections: "Iterable[NDArray]"
) -> None:
    """Write the sections one by one, to a file that is renamed to its name at the end."""
    from pytopo.files import replacing

    writer = WRITERS[Path(args.output).suffix.lower()]
    name = "likelihood" if args.threshold is None else "mask"
    with reporting_errors(args.output), replacing(args.output, "w+b") as stream:
        writer(stream, name, shape, sections)
    say(f"wrote {args.output}")


def _write_hdf5(
    stream: IO[bytes], name: str, shape: tuple[int, ...], sections: "Iterable[NDArray]"
) -> None:
    from pytopo.files import hdf5_file

    chunks = (1, 256, 256)[-len(shape) :]
    with hdf5_file(stream) as (file, check_written):
        data_set = file.create_dataset(
            name,
            shape,
            dtype="f4" if name == "likelihood" else "u1",
            chunks=tuple(map(min, chunks, shape)),
            compression="gzip",
            shuffle=True,
        )
        for number, section in enumerate(sections):
            data_set[number if len(shape) == 3 else ...] = section
            check_written()


def _write_tiff(
    stream: IO[bytes], name: str, shape: tuple[int, ...], sections: "Iterable[NDArray]"
) -> None:
    from PIL import Image
    from PIL.TiffImagePlugin import AppendingTiffWriter

    with AppendingTiffWriter(stream, new=True) as file:
        for section in sections:
            Image.fromarray(section).save(file, format="TIFF")
            file.newFrame()


def _write_png(
    stream: IO[bytes], name: str, shape: tuple[int, ...], sections: "Iterable[NDArray]"
) -> None:
    import numpy as np
    from PIL import Image

    (section,) = sections
    if name == "likelihood":
        section = np.rint(section * np.float32(65535)).astype(np.uint16)
    Image.fromarray(section).save(stream, format="PNG")


WRITERS: dict[str, Callable[[IO[bytes], str, tuple[int, ...], Any], None]] = {
    ".h5": _write_hdf5,
    ".hdf5": _write_hdf5,
    ".tif": _write_tiff,
    ".tiff": _write_tiff,
    ".png": _write_png,
}
