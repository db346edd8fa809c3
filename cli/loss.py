"""``pytopo loss``: the topological loss of a likelihood, and the pixels it pulls at.

LIKELIHOOD, TRUTH -> Diagrams, matched -> table     stdout
                                       -> figure    NAME.loss.png or -o
                                       -> gradient  .csv on request
                                       -> report    .html on request
"""

import argparse
import math
from typing import TYPE_CHECKING

from pytopo.cli import options, sections
from pytopo.cli.files import (
    check_axes,
    check_places,
    check_room,
    figure_name,
    mask_in,
    opened,
    read_grey,
    read_mask,
    size_text,
    write,
)
from pytopo.cli.html import add_html, check_html, write_html
from pytopo.cli.kernels import run_kernels
from pytopo.cli.loss_figure import loss_figure
from pytopo.cli.loss_tables import Verdict, frame_of, gradient_csv, options_text, table
from pytopo.cli.options import STDOUT
from pytopo.cli.report import InputError, printable, reporting_errors, results, say

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytopo.html import Report
    from pytopo.images.masks import Advice

DESCRIPTION = """\
Compute the topological loss of a likelihood against the ground truth: how far its persistence
diagram is from that of the ground truth, which of its points to fix and which to remove.

Prints the loss of each dimension and counts, and writes a figure: the truth beside the
likelihood, the features to fix and to remove, the pixels at which the loss pulls, and the
matching of the diagrams."""

EPILOG = """\
LIKELIHOOD and TRUTH are images of one shape, as `pytopo diagram` reads them. TRUTH is a mask
of any type: 0 and one other value; floats from 0 to 1 may be grey. LIKELIHOOD has values
from 0 to 1; integers are scaled by the range of their type, unless they are a mask. Bright
is the foreground, unless --sublevel is given.

examples:
  pytopo loss likelihood.png truth.png
  pytopo loss likelihood.png truth.png --frame --every-target -o why.svg
  pytopo loss likelihood.png truth.png --frame --matching betti
  pytopo loss likelihood.png truth.png --html why.html
  pytopo loss likelihood.npy truth.png --csv - | sort -t, -g -k3 | head"""


# ---- the command line --------------------------------------------------------------------


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register the subcommand."""
    parser = subparsers.add_parser(
        "loss",
        help="topological loss of a likelihood against the ground truth",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.set_defaults(run=run, usage_error=parser.error)
    parser.add_argument("likelihood", metavar="LIKELIHOOD", help="image to judge")
    parser.add_argument("truth", metavar="TRUTH", help="image of the ground truth")

    _add_loss_options(parser.add_argument_group("what to compute"))
    _add_output_options(parser.add_argument_group("what to write"))


def _add_loss_options(group: "argparse._ArgumentGroup") -> None:
    """Add the options of `pytopo.TopologicalLoss`."""
    group.add_argument(
        "--sublevel", action="store_true", help="sweep upwards: dark things are the foreground"
    )
    options.add_construction(group)
    options.add_truth_threshold(group)
    group.add_argument(
        "--frame", nargs="?", const=True, type=options.frame, metavar="VALUE",
        help="put a frame of pixels of this value around both images; without VALUE, of "
        "foreground. Write --frame=VALUE, or --frame after the images",
    )  # fmt: skip
    group.add_argument(
        "--dims", type=options.dims, metavar="0,1", help="dimensions that count (default: all)"
    )
    group.add_argument(
        "--min-persistence", type=options.min_persistence, default=0.0, metavar="X",
        help="leave out features of less persistence",
    )  # fmt: skip
    group.add_argument(
        "--every-target", action="store_true",
        help="leave no point of the ground truth unmatched while a point of the likelihood is "
        "free",
    )  # fmt: skip
    group.add_argument(
        "--matching", choices=("wasserstein", "betti"), default="wasserstein",
        help="which point goes to which of the ground truth: at the least cost (wasserstein, "
        "the default), or in the same place (betti)",
    )  # fmt: skip


def _add_output_options(group: "argparse._ArgumentGroup") -> None:
    """Add the options that say what is written, and where."""
    group.add_argument(
        "-o", "--output", type=options.figure_path, metavar="FILE",
        help="the figure: .png, .svg or .pdf (default: NAME.loss.png in this folder, NAME "
        "that of LIKELIHOOD, or none if data goes to stdout)",
    )  # fmt: skip
    group.add_argument("--no-plot", action="store_true", help="write no figure")
    group.add_argument(
        "--flipped", action="store_true", help="draw 1 - birth and 1 - death, as the paper does"
    )
    group.add_argument(
        "--top", type=options.count, default=20, metavar="N",
        help="how many features to fix and to remove to draw, those that cost most (default: "
        "20)",
    )  # fmt: skip
    group.add_argument(
        "--csv", metavar="FILE",
        help="the gradient of the loss, a line for each pixel where it is not zero; - for "
        "stdout, then without the table",
    )  # fmt: skip
    sections.add_at(group, "one of the point that costs most")
    add_html(group)


# ---- the command -------------------------------------------------------------------------


def run(args: argparse.Namespace) -> int:
    """Read, compute, write; what goes to stdout comes last."""
    piped = args.csv == STDOUT
    figure_path = args.output
    if figure_path is None and not args.no_plot and not piped:
        figure_path = f"{figure_name(args.likelihood)}.loss.png"
    if args.no_plot and args.output is not None:
        args.usage_error("--no-plot and --output exclude each other")
    if args.every_target and args.matching == "betti":
        args.usage_error("--every-target is of matching by cost: leave out --matching betti")
    written = (figure_path, args.csv, args.html)
    files = [path for path in written if path not in (None, STDOUT)]
    options.check_files(args, files, {"LIKELIHOOD": args.likelihood, "TRUTH": args.truth})
    sections.check_figure(args, figure_path)
    check_places(files)
    check_html(args.html)

    likelihood, truth = _images(args)
    sections.check_voxel(args.likelihood, likelihood, args.at)
    verdict = _verdict(likelihood, truth, args)
    if figure_path is not None:
        write(figure_path, loss_figure((likelihood, truth), verdict, args, figure_path))
    if args.csv is not None and not piped:
        write(args.csv, gradient_csv(verdict))
    if args.html is not None:
        write_html(args.html, args.likelihood, lambda: _page(likelihood, verdict, args))
    with results() as stream:
        stream.write(gradient_csv(verdict) if piped else table(likelihood, verdict, args))
    return 0


def _images(args: argparse.Namespace) -> "tuple[NDArray, NDArray]":
    """Return both images, which fit together."""
    check_room(args.likelihood)
    likelihood, truth = read_grey(args.likelihood), _read_truth(args)
    check_axes(args.likelihood, likelihood)
    likelihood = _clipped(args.likelihood, likelihood)
    check_axes(args.truth, truth)
    if likelihood.shape != truth.shape:
        raise InputError(
            f"{args.truth}: {size_text(truth)} pixels; expected {size_text(likelihood)}, as "
            f"{args.likelihood} has"
        )
    if truth.min() == truth.max() == args.sublevel:
        say(f"{args.truth}: no foreground, every pixel is {truth.max():.0f}")
    options.check_dims(args.likelihood, args.dims, likelihood.ndim)
    if args.frame is not None and not math.isfinite(args.frame):
        raise InputError(f"--frame={args.frame}; expected a finite number")
    return likelihood, truth


def _read_truth(args: argparse.Namespace) -> "NDArray":
    """Read a mask of any dtype, or a grey ground truth: floats from 0 to 1."""
    from pytopo.images.masks import two_valued
    from pytopo.images.scaling import clipped_to_unit

    path = args.truth
    if args.truth_threshold is not None:
        return read_mask(path, _advice(), args.truth_threshold).astype("float32")
    stored = opened(path, raw=True).array
    if stored.dtype.kind == "f" and not two_valued(stored):
        _check_finite(path, stored)
        grey = clipped_to_unit(stored)
        if grey is not None:
            say(f"{path}: holds more than two values, taken as a grey ground truth")
            return grey
    return mask_in(path, stored, _advice()).astype("float32")


def _advice() -> "Advice":
    from pytopo.images.masks import Advice

    return Advice(
        ids="one class as 0 and 1, or a grey ground truth as floats from 0 to 1",
        grey="or grey values with --truth-threshold 0.5",
        ignore="pixels to ignore set to 0 in both images",
    )


def _clipped(path: str, image: "NDArray") -> "NDArray":
    """Return a likelihood on [0, 1]: what leaves it by a rounding error is clipped."""
    from pytopo.images.scaling import clipped_to_unit
    from pytopo.notes import number_text

    _check_finite(path, image)
    clipped = clipped_to_unit(image)
    if clipped is None:
        low, high = number_text(image.min()), number_text(image.max())
        raise InputError(f"{path}: values {low} to {high}; expected 0 to 1")
    return clipped


def _check_finite(path: str, image: "NDArray") -> None:
    import numpy as np

    finite = np.isfinite(image)
    if not finite.all():
        index = np.argwhere(~finite)[0].tolist()
        raise InputError(f"{path}: image{index} is {image[tuple(index)]}; expected 0 to 1")


def _verdict(likelihood: "NDArray", truth: "NDArray", args: argparse.Namespace) -> Verdict:
    def compute() -> Verdict:
        import numpy as np
        import torch

        from pytopo.loss.topological import TopologicalLoss

        dtype = np.float32 if likelihood.dtype == np.float32 else np.float64
        prediction = torch.from_numpy(likelihood[None, None].astype(dtype)).requires_grad_()
        target = torch.from_numpy(truth[None, None].astype(dtype))
        choice = {
            "superlevel": not args.sublevel,
            "construction": args.construction,
            "frame": frame_of(args),
            "min_persistence": args.min_persistence,
            "every_target": args.every_target,
            "matching": args.matching,
        }
        dims = args.dims or tuple(range(likelihood.ndim))
        losses = {}
        for dim in dims:
            loss = TopologicalLoss(dim, **choice)(prediction, target)
            loss.backward()  # gradients add up
            losses[dim] = loss.item()
        (explanation,) = TopologicalLoss(dims, **choice).explain(prediction, target)
        # The component that never dies has no point, but its birth is matched too.
        found, goal = (
            d.birth[d.essential] for d in (explanation.prediction, explanation.target)
        )
        assert prediction.grad is not None
        return Verdict(
            losses,
            float(((found - goal) ** 2).sum()),
            prediction.grad[0, 0].numpy(),
            explanation,
        )

    try:
        if args.matching == "betti":  # not all dimensions of volumes are matched by place
            with reporting_errors(args.likelihood):
                return run_kernels(compute)
        return run_kernels(compute)
    except MemoryError:
        raise InputError(
            f"{args.likelihood}: not enough memory for the loss of {size_text(likelihood)} "
            "pixels; leave out small features with --min-persistence, or take a part"
        ) from None


# ---- what is written ---------------------------------------------------------------------


def _page(likelihood: "NDArray", verdict: Verdict, args: argparse.Namespace) -> "Report":
    from pytopo.html import loss_report

    loss = f"loss {sum(verdict.losses.values()):.6g}"
    return loss_report(
        likelihood,
        verdict.explanation,
        title=printable(f"{args.likelihood} against {args.truth}"),
        note=f"{size_text(likelihood)} pixels, {loss}: {options_text(args)}",
    )
