"""``pytopo clean``: a mask of a likelihood, without its small components and holes.

likelihood -> simplified -> mask >= threshold -> .png, .tif, .h5
                                              -> Betti numbers before and after   stdout
"""

import argparse
import io
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pytopo.cli import options
from pytopo.cli.files import aligned, check_places, read_likelihood, size_text, write
from pytopo.cli.kernels import run_kernels
from pytopo.cli.predict_files import WRITERS, Block, output_path
from pytopo.cli.report import InputError, printable, results
from pytopo.progress import progress

if TYPE_CHECKING:
    from numpy.typing import NDArray

DESCRIPTION = """\
Remove from a likelihood the components and the holes of the foreground that are less persistent
than a number, then make a mask of it. A speck goes although it is brighter than the threshold,
if it does not stand out from what is around it; a gap closes, if it is not deep.

Prints the Betti numbers of the mask with and without that step."""

EPILOG = """\
LIKELIHOOD is what `pytopo diagram` reads, with values from 0 to 1; integers are scaled. Of a
volume components and voids are removed, and tunnels stay.

No value moves by the persistence or more: with 0.3 and a threshold of 0.5, what is 0.2 or less,
or 0.8 or more, stays background or foreground.

examples:
  pytopo clean likelihood.png -o mask.png --min-persistence 0.3
  pytopo clean membranes.h5 -o mask.tif --min-persistence 0.2 --threshold 0.4 --frame"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register the subcommand."""
    parser = subparsers.add_parser(
        "clean",
        help="a mask of a likelihood, without small components and holes",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.set_defaults(run=run, usage_error=parser.error)
    parser.add_argument("likelihood", metavar="LIKELIHOOD", help="file to read")
    parser.add_argument(
        "-o", "--output", metavar="FILE", type=partial(output_path, endings=tuple(WRITERS)),
        required=True,
        help=f"mask to write, 0 and 255: {', '.join(WRITERS)}",
    )  # fmt: skip
    parser.add_argument(
        "--min-persistence", type=options.min_persistence, required=True, metavar="X",
        help="remove what is less persistent",
    )  # fmt: skip
    parser.add_argument(
        "--threshold", type=options.number, default=0.5, metavar="X",
        help="the mask is where the likelihood is at least X (default: 0.5)",
    )  # fmt: skip
    parser.add_argument(
        "--frame", action="store_true",
        help="put a frame of foreground around the image: what runs off the border closes",
    )  # fmt: skip
    options.add_construction(parser.add_argument_group("how pixels are connected"))


def run(args: argparse.Namespace) -> int:
    """Read, simplify, write; the table comes last."""
    options.check_files(args, [args.output], {"LIKELIHOOD": args.likelihood})
    check_places([args.output])
    likelihood = read_likelihood(args.likelihood)
    if likelihood.ndim == 1:
        raise InputError(f"{args.likelihood}: an image of 1 axis; expected 2, or 3 of a volume")
    if likelihood.ndim == 3 and Path(args.output).suffix.lower() == ".png":
        raise InputError(
            f"{args.output}: a PNG holds one section, and {args.likelihood} is "
            f"{size_text(likelihood)}; expected .h5 or .tif"
        )
    with progress(f"simplification of {size_text(likelihood)} pixels"):
        simple = run_kernels(lambda: _simplified(likelihood, args))
    masks = {"before": likelihood >= args.threshold, "after": simple >= args.threshold}
    write(args.output, _content(masks["after"], args.output))
    with results() as stream:
        stream.write(_table(masks, args))
    return 0


def _simplified(likelihood: "NDArray", args: argparse.Namespace) -> "NDArray":
    import pytopo

    return pytopo.simplify(
        likelihood, args.min_persistence, superlevel=True, construction=args.construction,
        frame=1.0 if args.frame else None, threads=None,
    )  # fmt: skip


def _content(mask: "NDArray", path: str) -> bytes:
    """Return the content of the file of a mask, of the kind that the path names."""
    import numpy as np

    values = mask.astype(np.uint8) * np.uint8(255)
    sections = values if values.ndim == 3 else values[None]
    stream = io.BytesIO()
    blocks = [Block(k, 0, section) for k, section in enumerate(sections)]
    WRITERS[Path(path).suffix.lower()](stream, values.shape, "u1", blocks)
    return stream.getvalue()


def _table(masks: "dict[str, NDArray]", args: argparse.Namespace) -> str:
    import numpy as np

    from pytopo.diagram import FEATURES
    from pytopo.metrics import betti_numbers

    before, after = masks.values()
    rows = [("", *FEATURES[before.ndim], "pixels")]
    for name, mask in masks.items():
        numbers = betti_numbers(mask, construction=args.construction, frame=args.frame)
        rows.append((name, *map(str, numbers), str(np.count_nonzero(mask))))
    changed = np.count_nonzero(before != after)
    title = (
        f"{printable(args.likelihood)}: {size_text(before)}, at least {args.threshold:g}, "
        f"construction {args.construction}{', framed' if args.frame else ''}"
    )
    least = f"persistence at least {args.min_persistence:g}"
    verdict = f"{least}: {changed} of {before.size} pixels change"
    return "\n".join([title, verdict, *aligned(rows)]) + "\n"
