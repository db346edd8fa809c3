"""``pytopo evaluate``: how good a segmentation is, in all the numbers of the field.

PREDICTION, TRUTH -> masks, cells -> Evaluation -> table         stdout
                                                -> .csv, .json   where asked for
"""

import argparse
import csv
import io
import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pytopo.cli import options
from pytopo.cli.files import (
    check_places,
    read_ids,
    read_likelihood,
    read_mask,
    size_text,
    write,
)
from pytopo.cli.kernels import run_kernels
from pytopo.cli.options import STDOUT
from pytopo.cli.report import InputError, printable, reporting_errors, results, say

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

DATA_KINDS = ("csv", "json")
OF_MASKS = (
    "threshold", "truth_threshold", "invert_truth", "border", "border_unit", "construction",
    "patches", "patch", "seed", "no_frame",
)  # fmt: skip
OF_IDS = ("border", "border_unit", "background")

DESCRIPTION = """\
Compare a segmentation of membranes with the truth: Betti number error of the whole image and
of random patches, pixel accuracy, Dice, Variation of Information and adapted Rand error.

Prints a table that says for each number how it was taken."""

EPILOG = """\
PREDICTION is a likelihood of membrane or a mask, TRUTH a mask of any type: 0, and one other
value, which is membrane. A truth that marks the cells is turned by --invert-truth. One of
numbered cells is said to be so by --ids; its membranes are the borders of the ids, as in the
data for training. A volume is taken in 3D, unless --sections is given.

Ids on no cell are 2^64 - 1 in a CREMI file (volumes/labels/neuron_ids), as in the evaluation
of the challenge; in others 0, and 2^64 - 1. --background names others.

examples:
  pytopo evaluate likelihood.png truth.png --invert-truth
  pytopo evaluate membranes.h5 cremi.h5:/volumes/labels/neuron_ids --ids --sections
  pytopo evaluate segments.h5 volume.h5:/labels --labels both --background 0,-1 --json -"""


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
    options.add_truth_threshold(what)
    what.add_argument(
        "--invert-truth", action="store_true", help="TRUTH is bright in the cells"
    )
    labels = what.add_mutually_exclusive_group()
    labels.add_argument(
        "--ids", dest="labels", action="store_const", const="truth",
        help="TRUTH holds ids of cells (the same as --labels truth)",
    )  # fmt: skip
    labels.add_argument(
        "--labels", choices=("truth", "both"),
        help="TRUTH, or both, hold ids of cells; of both only Variation of Information and "
        "Rand error are taken",
    )  # fmt: skip
    what.add_argument(
        "--border", type=border, metavar="X",
        help="with --ids: how far from a border of two ids pixels are membrane (default: 1); "
        "none: only background is",
    )  # fmt: skip
    what.add_argument(
        "--border-unit", choices=("pixels", "nm"), default="pixels",
        help="of --border; nm needs the attribute resolution (default: pixels)",
    )  # fmt: skip
    what.add_argument(
        "--background", type=background, metavar="ID,ID",
        help="ids of TRUTH that mean no cell, or none; -1 is the largest of an unsigned type. "
        "Write --background=-1 if the first is negative (default: see below)",
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


def border(text: str) -> float | str:
    """Take a distance of at least 0, or ``none``."""
    if text.lower() == "none":
        return "none"
    value = options.number(text)
    if not 0 <= value < math.inf:
        raise argparse.ArgumentTypeError(f"{text}; expected a distance of at least 0, or none")
    return value


def background(text: str) -> tuple[int, ...]:
    """Take ids, as in ``0,-1``, or ``none``."""
    from pytopo.images.masks import parsed_background

    try:
        return parsed_background(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


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
    if len(piped) > 1:
        args.usage_error(f"--{piped[0]} and --{piped[1]}: stdout takes only one of them")
    options.check_files(args, files, {"PREDICTION": args.prediction, "TRUTH": args.truth})


# ---- what is read: masks of membranes, or ids of cells --------------------------------------


@dataclass(frozen=True)
class Pair:
    """What is compared.

    Attributes
    ----------
    prediction, truth : bool or integer ndarray
        Masks of membranes; ids for ``--labels both``.
    cells : integer ndarray or None
        Ids of the true cells, where they and not the membranes tell cells apart.
    background : tuple of int
        Ids of the truth that mean no cell.
    background_text : str
        Those of them that its dtype can hold.
    notes : tuple of str
        What may surprise, to be said once it is certain that they can be compared.
    """

    prediction: "NDArray"
    truth: "NDArray"
    cells: "NDArray | None" = None
    background: tuple[int, ...] = (0,)
    background_text: str = "0"
    notes: tuple[str, ...] = ()

    def sections(self) -> "Iterator[Pair]":
        """Yield the sections of volumes."""
        for k in range(len(self.truth)):
            cells = None if self.cells is None else self.cells[k]
            yield replace(self, prediction=self.prediction[k], truth=self.truth[k], cells=cells)


def _read_pair(args: argparse.Namespace) -> Pair:
    """Return what is compared: of one shape, and with something to compare."""
    if args.labels == "both":
        pair = _with_ids(read_ids(args.prediction), args)
    else:
        prediction, notes = _read_prediction(args)
        if args.labels is None:
            pair = Pair(prediction, _read_truth(args), notes=notes)
        else:
            pair = _with_ids(prediction, args)
            pair = replace(pair, notes=notes + pair.notes)
    first, second = pair.prediction, pair.truth
    for path, image in ((args.prediction, first), (args.truth, second)):
        _check_axes(path, image)
    if first.shape != second.shape:
        raise InputError(
            f"{args.truth}: {size_text(second)} pixels; expected {size_text(first)}, as "
            f"{args.prediction} has"
        )
    if args.sections and first.ndim != 3:
        raise InputError(f"{args.prediction}: an image of 2 axes; --sections wants a volume")
    _check_cells(pair, args)
    for note in pair.notes + _foreground_notes(pair, args):
        say(note)
    return pair


def _with_ids(prediction: "NDArray", args: argparse.Namespace) -> Pair:
    """Return a prediction beside true ids, or beside the membranes that are made of them."""
    import numpy as np

    from pytopo.data.hdf5 import default_background
    from pytopo.images.masks import background_notes, background_text, is_background

    ids = read_ids(args.truth)
    ids = ids.astype(np.uint8) if ids.dtype.kind == "b" else ids
    _check_axes(args.truth, ids)
    named, notes = args.background, ()
    if named is None:
        with reporting_errors():
            named = default_background(args.truth)
        notes = background_notes(ids, named, "--background ")
    text = background_text(named, ids.dtype)
    cells = None
    if args.labels == "truth":
        cells = ids if args.border == "none" else None
        if args.border is None and is_background(ids, named).any():
            notes += (
                f"membrane is id {text}, and what is at most 1 pixel from a border of ids; "
                "--border none takes the id alone",
            )
        ids = _membranes(ids, named, args)
    told = tuple(f"{args.truth}: {note}" for note in notes)
    return Pair(prediction, ids, cells, named, text, told)


def _check_axes(path: str, image: "NDArray") -> None:
    if image.ndim not in (2, 3):
        raise InputError(
            f"{path}: an image of {image.ndim} axes; expected 2, or 3 for a volume"
        )


def _check_cells(pair: Pair, args: argparse.Namespace) -> None:
    """Refuse a truth, or a section of it, with nothing to compare."""
    from pytopo.images.masks import is_background

    ids = pair.truth if args.labels == "both" else pair.cells
    cells = ~pair.truth if ids is None else ~is_background(ids, pair.background)
    has_cells = cells.any(axis=(1, 2)) if args.sections else cells.any(keepdims=True).ravel()
    if not has_cells.all():
        section = f"section {has_cells.argmin()}: " if args.sections else ""
        advice = "" if args.invert_truth else " (is --invert-truth missing?)"
        if args.labels:
            advice = "" if _border(args) == "none" else " (a smaller --border, or none?)"
        raise InputError(
            f"{args.truth}: {section}membrane everywhere; expected some cell{advice}"
        )


def _foreground_notes(pair: Pair, args: argparse.Namespace) -> tuple[str, ...]:
    """Say that a truth, or a section of it, has no membrane."""
    if args.labels == "both":
        return ()
    if not pair.truth.any():
        return (f"{args.truth}: a truth without foreground, no pixel of it is membrane",)
    empty = [k for k, section in enumerate(pair.truth) if not section.any()]
    if not (args.sections and empty):
        return ()
    return (f"{args.truth}: no membrane in {len(empty)} sections, as in section {empty[0]}",)


def _membranes(
    ids: "NDArray", background: tuple[int, ...], args: argparse.Namespace
) -> "NDArray[np.bool_]":
    """Return the membranes that training would make of the ids, section by section."""
    import numpy as np

    from pytopo.data.borders import Borders

    given = _border(args)
    borders = Borders(None if given == "none" else given, args.border_unit, background)
    spacing = (1.0, 1.0)
    if args.border_unit == "nm":
        from pytopo.data.hdf5 import pixel_size

        with reporting_errors():
            spacing = pixel_size(args.truth)
    planes = ids.reshape(-1, *ids.shape[-2:])
    return np.stack([borders.membranes(plane, spacing) for plane in planes]).reshape(ids.shape)


def _border(args: argparse.Namespace) -> float | str:
    return 1.0 if args.border is None else args.border


def _read_truth(args: argparse.Namespace) -> "NDArray[np.bool_]":
    from pytopo.images.masks import Advice

    advice = Advice(
        ids="or ids of cells with --ids",
        grey="or grey values with --truth-threshold 0.5",
        ignore="pixels to ignore set to 0 in both images",
    )
    return read_mask(args.truth, advice, args.truth_threshold) ^ args.invert_truth


def _read_prediction(
    args: argparse.Namespace,
) -> "tuple[NDArray[np.bool_], tuple[str, ...]]":
    """Read a likelihood, or a mask, and return where it exceeds the threshold, and notes."""
    from pytopo.notes import number_text

    path = args.prediction
    likelihood = read_likelihood(path)
    membranes = likelihood > args.threshold
    if membranes.any():
        return membranes, ()
    note = (
        f"{path}: no value exceeds the threshold {args.threshold:g}, the largest is "
        f"{number_text(likelihood.max())}"
    )
    return membranes, (note,)


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
        raise InputError(
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
    from pytopo.metrics.evaluation import evaluate

    return evaluate(
        pair.prediction,
        pair.truth,
        labels=pair.cells,
        background=None if pair.cells is None else pair.background,
        construction=args.construction,
        patch=args.patch,
        patches=args.patches,
        seed=args.seed,
        frame=not args.no_frame,
    ).row()


def _label_numbers(pair: Pair, args: argparse.Namespace) -> dict[str, float]:
    from pytopo.metrics import adapted_rand_error, variation_of_information

    ids, ignored = (pair.prediction, pair.truth), {"background": pair.background}
    information = variation_of_information(*ids, **ignored)
    return {
        "voi_split": information.split,
        "voi_merge": information.merge,
        "voi": information.total,
        "adapted_rand": adapted_rand_error(*ids, **ignored).error,
    }


def _conventions(pair: Pair, args: argparse.Namespace) -> dict[str, Any]:
    from pytopo.metrics import patch_shape

    shared = {"labels": args.labels, "unit": "bits", "ignored": "label 0 of the truth"}
    if args.labels is not None:
        shared["ignored"] = f"label {pair.background_text} of the truth"
        shared["background"] = pair.background_text
    if args.labels == "both":
        return shared
    if args.labels == "truth":
        shared |= {"border": _border(args), "border_unit": args.border_unit}
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
            *_reading(verdict, args),
            *([f"mean of {len(verdict.sections)} sections"] if args.sections else []),
            "",
            *(
                f"{titles[name][0]:<{wide}}  {value:>{right}}  {titles[name][1]}"
                for name, value in values.items()
            ),
            "",
        ]
    )


def _reading(verdict: Verdict, args: argparse.Namespace) -> list[str]:
    """Say what was compared."""
    known = verdict.conventions
    if args.labels == "both":
        return [
            f"numbered cells, {known['background']} on membranes; label "
            f"{known['background']} of the prediction is a segment too"
        ]
    truth = "truth = 0" if args.invert_truth else "truth = 1"
    if args.truth_threshold is not None:
        sign = "<=" if args.invert_truth else ">"
        truth = f"truth {sign} {args.truth_threshold:.6g}"
    if args.labels:
        truth = f"truth = label {known['background']}"
        if known["border"] != "none":
            truth += f", or at most {known['border']:g} {known['border_unit']} from a border"
    connected = {
        "V": "membranes are connected over sides, cells over corners too",
        "T": "membranes are connected over corners too, cells over sides",
    }
    return [
        f"membrane: prediction > {args.threshold:.6g}, {truth}",
        f"construction {args.construction}: {connected[args.construction]}",
    ]


def _titles(verdict: Verdict, args: argparse.Namespace) -> dict[str, tuple[str, str]]:
    """Return for each number what it is called, and how it was taken."""
    from pytopo.diagram import FEATURES

    axes = len(verdict.shape) - args.sections
    known = verdict.conventions
    what = "section" if args.sections else "image" if axes == 2 else "volume"
    cells = "" if args.labels == "both" else "cells between membranes, "
    if known.get("border") == "none":
        cells = "numbered cells of the truth, "
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
