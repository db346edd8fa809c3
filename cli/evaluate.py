"""``pytopo evaluate``: how good a segmentation is, in all the numbers of the field.

PREDICTION, TRUTH -> masks, cells -> Evaluation -> table         stdout
                                                -> .csv, .json   where asked for
"""

import argparse
import csv
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytopo.cli import options
from pytopo.cli.files import check_places, read, size_text, write
from pytopo.cli.kernels import run_kernels
from pytopo.cli.options import STDOUT
from pytopo.cli.report import Fault, blaming, printable, results, say

if TYPE_CHECKING:
    from numpy.typing import NDArray

DATA_KINDS = ("csv", "json")
OF_MASKS = (
    "threshold", "invert_truth", "construction", "patches", "patch", "seed", "no_frame",
)  # fmt: skip

DESCRIPTION = """\
Compare a segmentation of membranes with the truth: Betti number error of the whole image and
of random patches, pixel accuracy, Dice, Variation of Information and adapted Rand error.

Prints a table that says for each number how it was taken."""

EPILOG = """\
PREDICTION is a likelihood of membrane or a mask, TRUTH a mask, as `pytopo diagram` reads
them; bright is membrane. A truth that is bright in the cells is turned by --invert-truth, and
one of numbered cells, 0 on membranes, is said to be so by --labels truth. A volume is taken
in 3D, unless --sections is given.

examples:
  pytopo evaluate likelihood.png truth.png --invert-truth
  pytopo evaluate prediction.h5:/likelihood volume.h5:/labels --labels truth --sections
  pytopo evaluate segments.h5 volume.h5:/labels --labels both --json -"""


# ---- the command line --------------------------------------------------------------------


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register the subcommand."""
    parser = subparsers.add_parser(
        "evaluate",
        help="Betti number error, VOI, Rand error, accuracy of a segmentation",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.set_defaults(run=run, usage_error=parser.error, default_of=parser.get_default)
    parser.add_argument("prediction", metavar="PREDICTION", help="likelihood or mask to judge")
    parser.add_argument("truth", metavar="TRUTH", help="mask or labels of what it should be")

    what = parser.add_argument_group("what is compared")
    what.add_argument(
        "--threshold", type=options.number, default=0.5, metavar="X",
        help="PREDICTION is membrane where it is greater (default: 0.5)",
    )  # fmt: skip
    what.add_argument(
        "--invert-truth", action="store_true", help="TRUTH is bright in the cells"
    )
    what.add_argument(
        "--labels", choices=("truth", "both"),
        help="TRUTH, or both, are numbered cells, with 0 on membranes; of both only "
        "Variation of Information and Rand error are taken",
    )  # fmt: skip
    what.add_argument(
        "--sections", action="store_true",
        help="take each section of a volume as an image, and the mean of all",
    )  # fmt: skip

    how = parser.add_argument_group("how Betti numbers are taken")
    options.add_construction(how)
    how.add_argument(
        "--no-frame", action="store_true",
        help="put no frame of membrane around the image and the patches",
    )  # fmt: skip
    how.add_argument(
        "--patches", type=options.positive, default=100, metavar="N",
        help="how many random patches (default: 100)",
    )  # fmt: skip
    how.add_argument(
        "--patch", type=options.positive, default=65, metavar="N",
        help="side of the patches, of cubes in 3D (default: 65)",
    )  # fmt: skip
    how.add_argument(
        "--seed", type=options.count, default=0, metavar="N",
        help="of the places of the patches (default: 0)",
    )  # fmt: skip

    out = parser.add_argument_group("what to write")
    for kind in DATA_KINDS:
        out.add_argument(
            f"--{kind}", metavar="FILE",
            help=f"the numbers as .{kind}; - for stdout, then without the table",
        )  # fmt: skip


# ---- the command -------------------------------------------------------------------------


def run(args: argparse.Namespace) -> int:
    """Read, compute, write; what goes to stdout comes last."""
    data = {kind: getattr(args, kind) for kind in DATA_KINDS}
    data = {kind: path for kind, path in data.items() if path is not None}
    piped = [kind for kind, path in data.items() if path == STDOUT]
    files = [path for path in data.values() if path != STDOUT]
    _check_line(args, files, piped)
    check_places(files)

    pair = _read_pair(args)
    verdict = _verdict(pair, args)
    for kind, path in data.items():
        if path != STDOUT:
            write(path, _data(verdict, args, kind))
    with results() as stream:
        stream.write(_data(verdict, args, piped[0]) if piped else _table(verdict, args))
    return 0


def _check_line(args: argparse.Namespace, files: list[str], piped: list[str]) -> None:
    """End with a usage error if options contradict each other."""
    if args.labels == "truth" and args.invert_truth:
        args.usage_error("--labels and --invert-truth exclude each other")
    if args.labels == "both":
        for name in OF_MASKS:
            if getattr(args, name) != args.default_of(name):
                option = name.replace("_", "-")
                args.usage_error(f"--labels both compares no masks and takes no --{option}")
    if len(piped) > 1:
        args.usage_error(f"--{piped[0]} and --{piped[1]}: stdout takes only one of them")
    options.check_files(args, files, {"PREDICTION": args.prediction, "TRUTH": args.truth})


# ---- what is read: masks of membranes, or labels of cells -----------------------------------


@dataclass(frozen=True)
class Pair:
    """What is compared.

    Attributes
    ----------
    prediction, truth : bool or integer ndarray
        Masks of membranes; label images for ``--labels both``.
    cells : integer ndarray or None
        Labels of the true cells, where they are known.
    """

    prediction: "NDArray"
    truth: "NDArray"
    cells: "NDArray | None" = None

    def sections(self) -> "Iterator[Pair]":
        """Yield the sections of volumes."""
        for k in range(len(self.truth)):
            cells = None if self.cells is None else self.cells[k]
            yield Pair(self.prediction[k], self.truth[k], cells)


def _read_pair(args: argparse.Namespace) -> Pair:
    """Return what is compared: of one shape, and with something to compare."""
    if args.labels == "both":
        pair = Pair(_read_labels(args.prediction), _read_labels(args.truth))
    elif args.labels == "truth":
        cells = _read_labels(args.truth)
        pair = Pair(_read_prediction(args), cells == 0, cells)
    else:
        pair = Pair(_read_prediction(args), _read_mask(args.truth) ^ args.invert_truth)
    first, second = pair.prediction, pair.truth
    for path, image in ((args.prediction, first), (args.truth, second)):
        if image.ndim not in (2, 3):
            raise Fault(f"{path}: an image of {image.ndim} axes; wanted 2, or 3 for a volume")
    if first.shape != second.shape:
        raise Fault(
            f"{args.truth}: {size_text(second)} pixels; wanted {size_text(first)}, as "
            f"{args.prediction} has"
        )
    if args.sections and first.ndim != 3:
        raise Fault(f"{args.prediction}: an image of 2 axes; --sections wants a volume")
    _check_cells(pair, args)
    return pair


def _check_cells(pair: Pair, args: argparse.Namespace) -> None:
    """Refuse a truth, or a section of it, with nothing to compare."""
    cells = pair.truth != 0 if args.labels == "both" else ~pair.truth
    has_cells = cells.any(axis=(1, 2)) if args.sections else cells.any(keepdims=True).ravel()
    if not has_cells.all():
        section = f"section {has_cells.argmin()}: " if args.sections else ""
        advice = "" if args.labels or args.invert_truth else " (is --invert-truth missing?)"
        raise Fault(f"{args.truth}: {section}membrane everywhere; wanted some cell{advice}")


def _read_labels(path: str) -> "NDArray":
    from pytopo.image import open_image

    with blaming():
        stored = open_image(path, raw=True).array
    if stored.dtype.kind not in "biu":
        raise Fault(f"{path}: values of {stored.dtype}; wanted labels of integers")
    return stored


def _read_mask(path: str) -> "NDArray":
    """Read a mask: 0, and 1 or the largest value of its integers."""
    import numpy as np

    from pytopo.image import open_image

    with blaming():
        stored = open_image(path, raw=True).array
    if stored.dtype.kind == "b":
        return stored
    top = np.iinfo(stored.dtype).max if stored.dtype.kind in "iu" else 1
    one = top if (stored == top).any() else 1
    mask = stored == one
    other = ~mask & (stored != 0)
    if other.any():
        raise Fault(
            f"{path}: holds {stored[other][0]}; wanted a mask of 0 and {one}, or numbered "
            "cells with --labels truth"
        )
    return mask


def _read_prediction(args: argparse.Namespace) -> "NDArray":
    """Read a likelihood, or a mask, which may hold the integers 0 and 1."""
    import numpy as np

    from pytopo.image import open_image

    path = args.prediction
    with blaming():
        stored = open_image(path, raw=True).array
    if stored.dtype.kind in "iu" and stored.min() >= 0 and stored.max() <= 1:
        if stored.any():
            say(f"{path}: holds 0 and 1 only, which are taken as they are, not scaled")
        likelihood = stored
    else:
        likelihood = read(path)
    inside = (likelihood >= 0) & (likelihood <= 1)  # NaN is not
    if not inside.all():
        index = np.argwhere(~inside)[0].tolist()
        raise Fault(
            f"{path}: image{index} is {likelihood[tuple(index)]:.6g}; wanted a likelihood, "
            "0 to 1"
        )
    return likelihood > args.threshold


# ---- what is computed -----------------------------------------------------------------------


@dataclass(frozen=True)
class Verdict:
    """The numbers, and how they were taken.

    Attributes
    ----------
    shape : tuple of int
        Of the images.
    numbers : dict of str to float
        Of the whole, or the mean of the sections.
    sections : list of dict
        The numbers of each section, if they were asked for.
    conventions : dict
        What decides whether numbers can be compared.
    """

    shape: tuple[int, ...]
    numbers: dict[str, float]
    sections: list[dict[str, float]]
    conventions: dict[str, Any]


def _verdict(pair: Pair, args: argparse.Namespace) -> Verdict:
    measure = _label_numbers if args.labels == "both" else _mask_numbers

    def compute() -> tuple[dict[str, float], list[dict[str, float]]]:
        if not args.sections:
            return measure(pair, args), []
        rows = list(_section_rows(pair, args, measure))
        return {name: sum(row[name] for row in rows) / len(rows) for name in rows[0]}, rows

    try:
        numbers, sections = run_kernels(compute)
    except MemoryError:
        whole_volume = pair.truth.ndim == 3 and not args.sections
        raise Fault(
            f"{args.prediction}: not enough memory for {size_text(pair.prediction)} pixels; "
            f"take a part{', or --sections' if whole_volume else ''}"
        ) from None
    return Verdict(pair.truth.shape, numbers, sections, _conventions(pair, args))


def _section_rows(
    pair: Pair, args: argparse.Namespace, measure: Callable[..., dict[str, float]]
) -> Iterator[dict[str, float]]:
    from tqdm import tqdm

    with tqdm(total=len(pair.truth), unit="section", leave=False, disable=None) as bar:
        for section in pair.sections():
            yield measure(section, args)
            bar.update()


def _mask_numbers(pair: Pair, args: argparse.Namespace) -> dict[str, float]:
    from pytopo.evaluation import evaluate

    return evaluate(
        pair.prediction,
        pair.truth,
        labels=pair.cells,
        construction=args.construction,
        patch=args.patch,
        patches=args.patches,
        seed=args.seed,
        frame=not args.no_frame,
    ).row()


def _label_numbers(pair: Pair, args: argparse.Namespace) -> dict[str, float]:
    from pytopo.metrics import adapted_rand_error, variation_of_information

    information = variation_of_information(pair.prediction, pair.truth)
    return {
        "voi_split": information.split,
        "voi_merge": information.merge,
        "voi": information.total,
        "adapted_rand": adapted_rand_error(pair.prediction, pair.truth).error,
    }


def _conventions(pair: Pair, args: argparse.Namespace) -> dict[str, Any]:
    from pytopo.metrics import patch_shape

    shared = {"labels": args.labels, "unit": "bits", "ignored": "label 0 of the truth"}
    if args.labels == "both":
        return shared
    axes = pair.truth.shape[1:] if args.sections else pair.truth.shape
    return {
        "threshold": args.threshold,
        "invert_truth": args.invert_truth,
        "construction": args.construction,
        "frame": not args.no_frame,
        "patches": args.patches,
        "patch": " x ".join(map(str, patch_shape(axes, args.patch))),
        "seed": args.seed,
        **shared,
    }


# ---- what is written ---------------------------------------------------------------------


def _data(verdict: Verdict, args: argparse.Namespace, kind: str) -> str:
    return (_json if kind == "json" else _csv)(verdict, args)


def _json(verdict: Verdict, args: argparse.Namespace) -> str:
    content = {
        "prediction": args.prediction,
        "truth": args.truth,
        "shape": verdict.shape,
        "conventions": verdict.conventions,
        "evaluation": verdict.numbers,
    }
    if args.sections:
        content["sections"] = verdict.sections
    return json.dumps(content, indent=1) + "\n"


def _csv(verdict: Verdict, args: argparse.Namespace) -> str:
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


def _table(verdict: Verdict, args: argparse.Namespace) -> str:
    """Return each number with its convention as text."""
    titles = _titles(verdict, args)
    values = {name: f"{value:.6g}" for name, value in verdict.numbers.items()}
    wide = max(len(titles[name][0]) for name in values)
    right = max(map(len, values.values()))
    return "\n".join(
        [
            f"{printable(args.prediction)} against {printable(args.truth)}: "
            f"{' x '.join(map(str, verdict.shape))} pixels",
            *_reading(args),
            *([f"mean of {len(verdict.sections)} sections"] if args.sections else []),
            "",
            *(
                f"{titles[name][0]:<{wide}}  {value:>{right}}  {titles[name][1]}"
                for name, value in values.items()
            ),
            "",
        ]
    )


def _reading(args: argparse.Namespace) -> list[str]:
    """Say what was compared."""
    if args.labels == "both":
        return ["numbered cells, 0 on membranes; label 0 of the prediction is a segment too"]
    truth = "label 0" if args.labels else "0" if args.invert_truth else "1"
    connected = {
        "V": "membranes are connected over sides, cells over corners too",
        "T": "membranes are connected over corners too, cells over sides",
    }
    return [
        f"membrane: prediction > {args.threshold:.6g}, truth = {truth}",
        f"construction {args.construction}: {connected[args.construction]}",
    ]


def _titles(verdict: Verdict, args: argparse.Namespace) -> dict[str, tuple[str, str]]:
    """Return for each number what it is called, and how it was taken."""
    from pytopo.diagram import FEATURES

    axes = len(verdict.shape) - args.sections
    known = verdict.conventions
    what = "section" if args.sections else "image" if axes == 2 else "volume"
    cells = {
        None: "cells between membranes, ",
        "truth": "numbered cells of the truth, ",
        "both": "",
    }[args.labels]
    ignored = "where the truth is no membrane"
    titles = {
        "pixel_accuracy": ("pixel accuracy", "all pixels"),
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
        f"mean of {known['patches']} patches of {known['patch']}, seed {known['seed']}, {frame}"
    )
    for prefix, called, how in (
        ("betti", "Betti error", whole),
        ("patch_betti", "patch Betti error", patches),
    ):
        for dim in range(axes):
            titles[f"{prefix}_{dim}"] = (f"{called}, {FEATURES[axes][dim]}", how)
            how = "the same"
        titles[prefix] = (called, "sum of these")
    return titles
