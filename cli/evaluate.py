"""``pytopo evaluate``: how good a segmentation is, in all the numbers of the field.

PREDICTION, TRUTH -> masks, cells -> Verdict -> table         stdout
                                             -> .csv, .json   on request

What is read is in `evaluate_inputs.py`, what is written in `evaluate_tables.py`; masks that are
larger than memory are compared in `evaluate_tiled.py`.
"""

import argparse
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from pytopo.cli import options
from pytopo.cli.cleaning import add_cleaning
from pytopo.cli.evaluate_features import (
    feature_numbers,
    label_numbers,
    notes_on,
    vesuvius_numbers,
)
from pytopo.cli.evaluate_inputs import border_of, read_pair
from pytopo.cli.evaluate_options import (
    add_betti_options,
    add_id_options,
    add_ignore_options,
    add_mask_options,
)
from pytopo.cli.evaluate_surface import surface_conventions, surface_numbers
from pytopo.cli.evaluate_tables import Verdict, csv_text, json_text, table
from pytopo.cli.files import check_places, size_text, write
from pytopo.cli.kernels import run_kernels
from pytopo.cli.options import STDOUT
from pytopo.cli.report import InputError, results, say
from pytopo.cli.scheduling import add_scheduler, check_scheduler, is_shared, shared_out

if TYPE_CHECKING:
    from pytopo.cli.evaluate_inputs import Pair

DATA_KINDS = ("csv", "json")
OF_MASKS = (
    "threshold", "truth_threshold", "invert_truth", "border", "border_unit", "construction",
    "patches", "patch_size", "seed", "no_frame", "cldice", "surface_dice", "hd95", "spacing",
    "min_persistence", "min_size",
)  # fmt: skip
NOT_OF_VESUVIUS = (
    "labels", "sections", "construction", "patches", "patch_size", "seed", "no_frame", "cldice",
    "surface_dice", "hd95", "spacing",
)  # fmt: skip
CELL_NUMBERS = ("voi_split", "voi_merge", "voi", "adapted_rand")
VESUVIUS_IGNORED = 2  # in the labels of the challenge
OF_IDS = ("border", "border_unit", "background")

DESCRIPTION = """\
Compare a segmentation of membranes with the ground truth: Betti number error of the whole image
and of random patches, Betti matching error, TopoScore, pixel accuracy, Dice, Variation of
Information, adapted Rand error.

Prints a table that says of each number how it is defined."""

EPILOG = """\
PREDICTION is a likelihood of membrane or a mask, TRUTH a mask of any type: 0, and one other
value, which is membrane. If it marks the cells instead, give --invert-truth; if it holds ids of
cells, give --ids, and membranes are the borders of the ids, as in the data for training. A
volume is evaluated in 3D, unless --sections is given.

Ids of no cell are 2^64 - 1 in a CREMI file (volumes/labels/neuron_ids), as in the evaluation
of the challenge; in others 0, and 2^64 - 1. --background names others.

Pixels without ground truth are named by --ignore, or by --ignore-index. They do not count, and
both images get the same value there, membrane as in the frame, or none with --no-frame.

examples:
  pytopo evaluate likelihood.png truth.png --invert-truth
  pytopo evaluate likelihood.png truth.png --min-persistence 0.3 --min-size 20
  pytopo evaluate membranes.h5 cremi.h5:/volumes/labels/neuron_ids --ids --sections --workers 4
  pytopo evaluate segments.h5 volume.h5:/labels --labels both --background 0,-1 --json -
  pytopo evaluate likelihood.png truth.png --ignore-index 255
  pytopo evaluate surface.tif labels.tif --protocol vesuvius
  pytopo evaluate likelihood.zarr truth.zarr --tile 1024"""


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
    parser.add_argument("truth", metavar="TRUTH", help="mask or labels of the ground truth")
    compared = parser.add_argument_group("what is compared")
    add_mask_options(compared)
    add_id_options(compared)
    compared.add_argument(
        "--sections", action="store_true",
        help="evaluate each section of a volume as an image, and average over all",
    )  # fmt: skip
    add_ignore_options(compared)
    add_cleaning(parser.add_argument_group("what is removed from PREDICTION"))
    add_betti_options(parser.add_argument_group("how topology is computed"))
    where = parser.add_argument_group("where to compute")
    add_scheduler(where, "sections")
    where.add_argument(
        "--tile", type=options.positive, metavar="N",
        help="read masks by tiles of N pixels a side, and compute what that allows: pixels, "
        "Betti and Euler numbers. Zarr stores and what does not fit into memory are read so "
        "in any case, by tiles of 2048, of volumes 160",
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

    verdict = _verdict(args)
    for kind, path in data.items():
        if path != STDOUT:
            write(path, _data(verdict, args, kind))
    with results() as stream:
        stream.write(_data(verdict, args, piped[0]) if piped else table(verdict, args))
    return 0


def _check_line(args: argparse.Namespace, files: list[str], piped: list[str]) -> None:
    """End with a usage error if options contradict each other."""
    if args.labels == "truth":
        for option in ("invert_truth", "truth_threshold"):
            if getattr(args, option) != args.default_of(option):
                name = option.replace("_", "-")
                args.usage_error(f"--labels and --{name} exclude each other")
    for name in OF_MASKS if args.labels == "both" else OF_IDS if args.labels is None else ():
        if getattr(args, name) != args.default_of(name):
            option = name.replace("_", "-")
            args.usage_error(
                f"--labels both compares no masks and takes no --{option}"
                if args.labels == "both"
                else f"--{option} is for ids; add --ids if TRUTH holds them"
            )
    if args.spacing is not None and args.surface_dice is None and not args.hd95:
        args.usage_error("--spacing is for --surface-dice and --hd95")
    if args.ignore_index is not None and args.truth_threshold is not None:
        args.usage_error(
            "--ignore-index and --truth-threshold exclude each other; --ignore takes a mask"
        )
    if args.protocol:
        for name in NOT_OF_VESUVIUS:
            if getattr(args, name) != args.default_of(name):
                args.usage_error(
                    f"--protocol {args.protocol} takes no --{name.replace('_', '-')}"
                )
        if args.ignore is None and args.ignore_index is None and not args.truth_threshold:
            args.ignore_index = VESUVIUS_IGNORED
    check_scheduler(args)
    if is_shared(args) and not args.sections:
        args.usage_error("--scheduler and --workers share out sections; add --sections")
    if len(piped) > 1:
        args.usage_error(f"--{piped[0]} and --{piped[1]}: stdout takes only one of them")
    read = {"PREDICTION": args.prediction, "TRUTH": args.truth, "--ignore": args.ignore}
    options.check_files(args, files, read)


def _data(verdict: Verdict, args: argparse.Namespace, kind: str) -> str:
    return (json_text if kind == "json" else csv_text)(verdict, args)


# ---- what is computed -----------------------------------------------------------------------


def _verdict(args: argparse.Namespace) -> Verdict:
    """Compute all numbers, or of masks that are larger than memory those that can be had."""
    from pytopo.cli.evaluate_tiled import tiled_sources, tiled_verdict

    sources = tiled_sources(args)
    if sources is not None:
        return run_kernels(lambda: tiled_verdict(sources, args))
    pair = read_pair(args)
    verdict = _verdict_on(pair, args)
    for note in notes_on(pair, verdict.numbers, args):
        say(note)
    return verdict


def _verdict_on(pair: "Pair", args: argparse.Namespace) -> Verdict:
    """Compute the numbers: of the whole, or of each section and their mean."""
    measure = label_numbers if args.labels == "both" else _mask_numbers
    if args.protocol:
        measure = vesuvius_numbers

    def compute() -> tuple[dict[str, float], list[dict[str, float]]]:
        if not args.sections:
            return measure(pair, args), []
        rows = list(_section_rows(pair, args, measure))
        return {name: sum(row[name] for row in rows) / len(rows) for name in rows[0]}, rows

    try:
        numbers, sections = run_kernels(compute)
    except MemoryError:
        whole_volume = pair.truth.ndim == 3 and not args.sections
        raise InputError(
            f"{args.prediction}: not enough memory for {size_text(pair.prediction)} pixels; "
            f"take a part{', or --sections' if whole_volume else ''}"
        ) from None
    return Verdict(pair.truth.shape, numbers, sections, _conventions(pair, args))


def _section_rows(
    pair: "Pair", args: argparse.Namespace, measure: Callable[..., dict[str, float]]
) -> Iterator[dict[str, float]]:
    from tqdm import tqdm

    with tqdm(total=len(pair.truth), unit="section", leave=False, disable=None) as bar:
        for row in shared_out(measure, pair.sections(), args):
            yield row
            bar.update()


def _mask_numbers(pair: "Pair", args: argparse.Namespace) -> dict[str, float]:
    from pytopo.metrics.evaluation import evaluate

    numbers = evaluate(
        pair.prediction,
        pair.truth,
        labels=pair.cells,
        background=None if pair.cells is None else pair.background,
        construction=args.construction,
        patch=args.patch_size,
        patches=args.patches,
        seed=args.seed,
        frame=not args.no_frame,
        ignore=pair.ignored,
    ).row()
    cells = {name: numbers.pop(name) for name in CELL_NUMBERS}
    return numbers | feature_numbers(pair, args) | surface_numbers(pair, args) | cells


def _conventions(pair: "Pair", args: argparse.Namespace) -> dict[str, Any]:
    """Return what the numbers depend on, to be written beside them."""
    from pytopo.metrics import patch_shape

    without: dict[str, Any] = {"ignore": args.ignore, "ignore_index": args.ignore_index}
    if pair.ignored is not None:
        without["ignored_pixels"] = int(pair.ignored.sum())
    if args.min_persistence or args.min_size:
        without |= {"min_persistence": args.min_persistence, "min_size": args.min_size}
    if args.protocol:
        return {"protocol": args.protocol, "threshold": args.threshold} | without
    shared = {"labels": args.labels, "unit": "bits", "ignored": "label 0 of the truth"}
    shared |= without
    if args.labels is not None:
        shared["ignored"] = f"label {pair.background_text} of the truth"
        shared["background"] = pair.background_text
    if args.labels == "both":
        return shared
    if args.labels == "truth":
        shared |= {"border": border_of(args), "border_unit": args.border_unit}
        if pair.cells is None:
            shared["ignored"] = "membrane of the truth"
    axes = pair.truth.shape[1:] if args.sections else pair.truth.shape
    return {
        "threshold": args.threshold,
        "truth_threshold": args.truth_threshold,
        "invert_truth": args.invert_truth,
        "construction": args.construction,
        "frame": not args.no_frame,
        "patches": args.patches,
        "patch": " x ".join(map(str, patch_shape(axes, args.patch_size))),
        "seed": args.seed,
        **surface_conventions(args),
        **shared,
    }
