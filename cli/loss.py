"""``pytopo loss``: what the topological loss says of a likelihood, and at which pixels.

LIKELIHOOD, TRUTH -> Diagrams, matched -> table     stdout
                                       -> figure    NAME.loss.png or -o
                                       -> gradient  .csv where asked for
                                       -> page      .html where asked for
"""

import argparse
import csv
import io
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytopo.cli import options, sections
from pytopo.cli.files import (
    aligned,
    check_places,
    check_room,
    figure_content,
    figure_name,
    mask_in,
    obeyed,
    opened,
    read_grey,
    read_mask,
    size_text,
    two_axes,
    write,
)
from pytopo.cli.html import add_html, check_html, write_html
from pytopo.cli.kernels import run_kernels
from pytopo.cli.options import STDOUT
from pytopo.cli.report import Fault, printable, results, say

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytopo.html import Report
    from pytopo.images.masks import Advice
    from pytopo.loss.explanation import Explanation

DESCRIPTION = """\
Compute the topological loss of a likelihood against the truth: how far its persistence
diagram is from that of the truth, which of its dots are to be fixed and which removed.

Prints the loss of each dimension and counts, and writes a figure: the pixels at which the
loss pulls, and the matching of the diagrams."""

EPILOG = """\
LIKELIHOOD and TRUTH are images of one shape, as `pytopo diagram` reads them. TRUTH is a mask
of any type: 0 and one other value; floats from 0 to 1 may be grey. LIKELIHOOD has values
from 0 to 1; integers are scaled by the range of their type, unless they are a mask. Bright
is the foreground, unless --sublevel is given.

examples:
  pytopo loss likelihood.png truth.png
  pytopo loss likelihood.png truth.png --frame --every-target -o why.svg
  pytopo loss likelihood.png truth.png --html why.html
  pytopo loss likelihood.npy truth.png --csv - | sort -t, -g -k3 | head"""


# ---- the command line --------------------------------------------------------------------


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register the subcommand."""
    parser = subparsers.add_parser(
        "loss",
        help="topological loss of a likelihood against the truth",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.set_defaults(run=run, usage_error=parser.error)
    parser.add_argument("likelihood", metavar="LIKELIHOOD", help="image to judge")
    parser.add_argument("truth", metavar="TRUTH", help="image of what it should be")

    what = parser.add_argument_group("what to compute")
    what.add_argument(
        "--sublevel", action="store_true", help="sweep upwards: dark things are the foreground"
    )
    options.add_construction(what)
    options.add_truth_threshold(what)
    what.add_argument(
        "--frame", nargs="?", const=True, type=options.frame, metavar="VALUE",
        help="put a frame of pixels of this value around both images; without VALUE, of "
        "foreground. Write --frame=VALUE, or --frame behind the images",
    )  # fmt: skip
    what.add_argument(
        "--dims", type=options.dims, metavar="0,1", help="dimensions that count (default: all)"
    )
    what.add_argument(
        "--min-persistence", type=options.min_persistence, default=0.0, metavar="X",
        help="leave out features of less persistence",
    )  # fmt: skip
    what.add_argument(
        "--every-target", action="store_true",
        help="give no dot of the truth up while a dot of the likelihood is free to match it",
    )  # fmt: skip

    out = parser.add_argument_group("what to write")
    out.add_argument(
        "-o", "--output", type=options.figure_path, metavar="FILE",
        help="the figure: .png, .svg or .pdf (default: NAME.loss.png in this folder, NAME "
        "that of LIKELIHOOD, or none if data goes to stdout)",
    )  # fmt: skip
    out.add_argument("--no-plot", action="store_true", help="write no figure")
    out.add_argument(
        "--flipped", action="store_true", help="draw 1 - birth and 1 - death, as the paper does"
    )
    out.add_argument(
        "--top", type=options.count, default=20, metavar="N",
        help="how many dots to fix and to remove to mark in the image (default: 20)",
    )  # fmt: skip
    out.add_argument(
        "--csv", metavar="FILE",
        help="the gradient of the loss, a line for each pixel where it is not zero; - for "
        "stdout, then without the table",
    )  # fmt: skip
    sections.add_at(out, "one of the dot that costs most")
    add_html(out)


# ---- the command -------------------------------------------------------------------------


def run(args: argparse.Namespace) -> int:
    """Read, compute, write; what goes to stdout comes last."""
    piped = args.csv == STDOUT
    figure_path = args.output
    if figure_path is None and not args.no_plot and not piped:
        figure_path = f"{figure_name(args.likelihood)}.loss.png"
    if args.no_plot and args.output is not None:
        args.usage_error("--no-plot and --output exclude each other")
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
        write(figure_path, _figure(likelihood, verdict, args, figure_path))
    if args.csv is not None and not piped:
        write(args.csv, _gradient_csv(verdict))
    if args.html is not None:
        write_html(args.html, args.likelihood, lambda: _page(likelihood, verdict, args))
    with results() as stream:
        stream.write(_gradient_csv(verdict) if piped else _table(likelihood, verdict, args))
    return 0


def _images(args: argparse.Namespace) -> "tuple[NDArray, NDArray]":
    """Return both images, which fit together."""
    check_room(args.likelihood)
    likelihood, truth = read_grey(args.likelihood), _read_truth(args)
    likelihood = _checked_image(args.likelihood, likelihood)
    truth = _checked_image(args.truth, truth)
    if likelihood.shape != truth.shape:
        raise Fault(
            f"{args.truth}: {size_text(truth)} pixels; expected {size_text(likelihood)}, as "
            f"{args.likelihood} has"
        )
    if truth.min() == truth.max() == args.sublevel:
        say(f"{args.truth}: no foreground, every pixel is {truth.max():.0f}")
    options.check_dims(args.likelihood, args.dims, likelihood.ndim)
    if args.frame is not None and not math.isfinite(args.frame):
        raise Fault(f"--frame={args.frame}; expected a finite number")
    return likelihood, truth


def _read_truth(args: argparse.Namespace) -> "NDArray":
    """Read a mask of any dtype, or a grey truth: floats from 0 to 1."""
    from pytopo.images.masks import clipped_to_unit, two_valued

    path = args.truth
    if args.truth_threshold is not None:
        return read_mask(path, _advice(), args.truth_threshold).astype("float32")
    stored = opened(path, raw=True).array
    if stored.dtype.kind == "f" and not two_valued(stored):
        _check_finite(path, stored)
        grey = clipped_to_unit(stored)
        if grey is not None:
            say(f"{path}: holds more than two values, taken as a grey truth")
            return grey
    return mask_in(path, stored, _advice()).astype("float32")


def _advice() -> "Advice":
    from pytopo.images.masks import Advice

    return Advice(
        ids="one class as 0 and 1, or a grey truth as floats from 0 to 1",
        grey="or grey values with --truth-threshold 0.5",
        ignore="pixels to ignore set to 0 in both images",
    )


def _checked_image(path: str, image: "NDArray") -> "NDArray":
    """Refuse what no loss is of; what a rounding error left outside [0, 1] is clipped."""
    from pytopo.images.masks import clipped_to_unit
    from pytopo.notes import number_text

    if image.ndim not in (2, 3):
        raise Fault(f"{path}: an image of {image.ndim} axes; expected 2, or 3 for a volume")
    _check_finite(path, image)
    clipped = clipped_to_unit(image)
    if clipped is None:
        low, high = number_text(image.min()), number_text(image.max())
        raise Fault(f"{path}: values {low} to {high}; expected 0 to 1")
    return clipped


def _check_finite(path: str, image: "NDArray") -> None:
    import numpy as np

    finite = np.isfinite(image)
    if not finite.all():
        index = np.argwhere(~finite)[0].tolist()
        raise Fault(f"{path}: image{index} is {image[tuple(index)]}; expected 0 to 1")


@dataclass(frozen=True)
class Verdict:
    """What the loss says of a likelihood.

    Attributes
    ----------
    losses : dict of int to float
        By dimension.
    essential : float
        What the component that never dies adds to dimension 0.
    gradient : ndarray
        Of the sum of the losses, in the shape of the likelihood.
    explanation : Explanation
    """

    losses: dict[int, float]
    essential: float
    gradient: "NDArray"
    explanation: "Explanation"


def _verdict(likelihood: "NDArray", truth: "NDArray", args: argparse.Namespace) -> Verdict:
    def compute() -> Verdict:
        import numpy as np
        import torch

        from pytopo.loss.topological import TopologicalLoss

        dtype = np.float32 if likelihood.dtype == np.float32 else np.float64
        prediction = torch.from_numpy(likelihood[None, None].astype(dtype)).requires_grad_()
        target = torch.from_numpy(truth[None, None].astype(dtype))
        asked = {
            "superlevel": not args.sublevel,
            "construction": args.construction,
            "frame": _frame(args),
            "min_persistence": args.min_persistence,
            "every_target": args.every_target,
        }
        dims = args.dims or tuple(range(likelihood.ndim))
        losses = {}
        for dim in dims:
            loss = TopologicalLoss(dim, **asked)(prediction, target)
            loss.backward()  # gradients add up
            losses[dim] = loss.item()
        (explanation,) = TopologicalLoss(dims, **asked).explain(prediction, target)
        born, expected = (
            d.birth[d.essential] for d in (explanation.prediction, explanation.target)
        )
        assert prediction.grad is not None
        return Verdict(
            losses,
            float(((born - expected) ** 2).sum()),
            prediction.grad[0, 0].numpy(),
            explanation,
        )

    try:
        return run_kernels(compute)
    except MemoryError:
        raise Fault(
            f"{args.likelihood}: not enough memory for the loss of {size_text(likelihood)} "
            "pixels; leave out small features with --min-persistence, or take a part"
        ) from None


def _frame(args: argparse.Namespace) -> float | None:
    """Return the value of the frame; the foreground is bright, or dark for sublevel."""
    return float(not args.sublevel) if args.frame is True else args.frame


# ---- what is written ---------------------------------------------------------------------


def _gradient_csv(verdict: Verdict) -> str:
    """Return a line for each pixel whose change would change the loss, in order."""
    import numpy as np

    axes = ("plane", "row", "col")[-verdict.gradient.ndim :]
    where = np.nonzero(verdict.gradient)
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow([*axes, "value"])
    # str of a NumPy float is the shortest text that reads back the same in its dtype
    values = map(str, verdict.gradient[where])
    table.writerows(zip(*(index.tolist() for index in where), values))
    return text.getvalue()


def _table(likelihood: "NDArray", verdict: Verdict, args: argparse.Namespace) -> str:
    """Return the loss of each dimension, and how many of its dots go where, as text."""
    from pytopo.diagram import FEATURES

    why = verdict.explanation
    found, expected = why.prediction, why.target
    rows: list[tuple[str, ...]] = [
        ("dim", "loss", "dots", "to fix", "to remove", "true dots", "missing")
    ]
    numbers = [
        (
            (~found.essential & (found.dim == d)).sum(),
            (found.dim[why.fix[:, 0]] == d).sum(),
            (found.dim[why.remove] == d).sum(),
            (~expected.essential & (expected.dim == d)).sum(),
            (expected.dim[why.missing] == d).sum(),
        )
        for d in verdict.losses
    ]
    for (d, loss), counts in zip(verdict.losses.items(), numbers):
        rows.append((str(d), f"{loss:.6g}", *map(str, counts)))
    total = (str(sum(column)) for column in zip(*numbers))
    rows.append(("all", f"{sum(verdict.losses.values()):.6g}", *total))
    names = ["", *(FEATURES[likelihood.ndim][d] for d in verdict.losses), ""]
    lines = [f"{line}  {name}".rstrip() for line, name in zip(aligned(rows), names)]
    if verdict.essential > 0:
        lines += [
            "",
            f"dim 0 has {verdict.essential:.6g} for the essential component, which is not "
            "among the dots",
        ]
    return "\n".join(
        [
            f"{printable(args.likelihood)} against {printable(args.truth)}: "
            f"{size_text(likelihood)} pixels",
            _asked(args),
            "",
            *lines,
            "",
        ]
    )


def _asked(args: argparse.Namespace) -> str:
    asked = obeyed(not args.sublevel, args.construction, _frame(args), args.min_persistence)
    return f"{asked}, every target" if args.every_target else asked


def _page(likelihood: "NDArray", verdict: Verdict, args: argparse.Namespace) -> "Report":
    from pytopo.html import loss_report

    loss = f"loss {sum(verdict.losses.values()):.6g}"
    return loss_report(
        likelihood,
        verdict.explanation,
        title=printable(f"{args.likelihood} against {args.truth}"),
        note=f"{size_text(likelihood)} pixels, {loss}: {_asked(args)}",
    )


def _figure(
    likelihood: "NDArray", verdict: Verdict, args: argparse.Namespace, path: str
) -> bytes:
    """Return the content of the figure: where the loss pulls, and what it matches."""
    from pytopo import plot

    why, size = verdict.explanation, f"{size_text(likelihood)} pixels"
    title = f"loss {sum(verdict.losses.values()):.4g}: {_asked(args)}"
    if likelihood.ndim == 3:
        figure, left, right = sections.volume_axes(likelihood.shape)
        plot.critical_sections(likelihood, why, left, at=args.at, top=args.top)
        title = f"{size}\n{title}"
    else:
        figure, image, right = two_axes()
        plot.critical(likelihood, why, image, top=args.top)
        image.set_title(size, fontsize="medium")
    plot.matching(why, right, flipped=args.flipped)
    right.set_title(title, fontsize="medium")
    return figure_content(figure, f"{args.likelihood} against {args.truth}", path)
