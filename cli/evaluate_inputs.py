"""What `pytopo evaluate` reads: masks of membranes, or ids of cells, that can be compared.

PREDICTION, a likelihood or a mask  -> mask of membranes  -> Pair
TRUTH, a mask                       -> mask of membranes
       ids of cells                 -> membranes, near the borders of the ids
both ids of cells (--labels both)   -> ids
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pytopo.cli.cleaning import simplified, without_small
from pytopo.cli.files import (
    check_axes,
    mask_in,
    opened,
    read_ids,
    read_likelihood,
    read_mask,
    size_text,
)
from pytopo.cli.report import InputError, reporting_errors, say

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Pair:
    """What is compared.

    Attributes
    ----------
    prediction, truth : bool or integer ndarray
        Masks of membranes; ids for ``--labels both``.
    cells : integer ndarray or None
        Ids of the cells of the ground truth; None where its membranes separate the cells.
    background : tuple of int
        Ids of the ground truth that mean no cell.
    background_text : str
        Those of them that its dtype can hold, as text.
    notes : tuple of str
        What may surprise, printed once it is certain that the two can be compared.
    ignored : bool ndarray or None
        Pixels without ground truth; None if there are none.
    """

    prediction: "NDArray"
    truth: "NDArray"
    cells: "NDArray | None" = None
    background: tuple[int, ...] = (0,)
    background_text: str = "0"
    notes: tuple[str, ...] = ()
    ignored: "NDArray[np.bool_] | None" = None

    def sections(self) -> "Iterator[Pair]":
        """Yield the sections of volumes."""
        for k in range(len(self.truth)):
            cells, ignored = (
                None if images is None else images[k] for images in (self.cells, self.ignored)
            )
            yield replace(
                self,
                prediction=self.prediction[k],
                truth=self.truth[k],
                cells=cells,
                ignored=ignored,
            )


def read_pair(args: argparse.Namespace) -> Pair:
    """Read both images, and make sure that they can be compared."""
    if args.labels == "both":
        pair = _with_ids(read_ids(args.prediction), args)
    else:
        prediction, notes = _read_prediction(args)
        if args.labels is None:
            truth, ignored = _read_truth(args)
            pair = Pair(prediction, truth, notes=notes, ignored=ignored)
        else:
            pair = _with_ids(prediction, args)
            pair = replace(pair, notes=notes + pair.notes)
    first, second = pair.prediction, pair.truth
    for path, image in ((args.prediction, first), (args.truth, second)):
        check_axes(path, image)
    if first.shape != second.shape:
        raise InputError(
            f"{args.truth}: {size_text(second)} pixels; expected {size_text(first)}, as "
            f"{args.prediction} has"
        )
    pair = replace(pair, ignored=_ignored(pair, args))
    if args.protocol and first.ndim != 3:
        raise InputError(f"{args.prediction}: an image of 2 axes; the protocol is for volumes")
    if args.sections and first.ndim != 3:
        raise InputError(f"{args.prediction}: an image of 2 axes; --sections requires a volume")
    _check_cells(pair, args)
    for note in pair.notes + _foreground_notes(pair, args):
        say(note)
    return pair


def _with_ids(prediction: "NDArray", args: argparse.Namespace) -> Pair:
    """Return a prediction beside ids of the ground truth, or the membranes made from them."""
    import numpy as np

    from pytopo.data.hdf5 import default_background
    from pytopo.images.background import background_notes, background_text, is_background

    ids = read_ids(args.truth)
    ids = ids.astype(np.uint8) if ids.dtype.kind == "b" else ids
    check_axes(args.truth, ids)
    named, notes = args.background, ()
    if named is None:
        with reporting_errors():
            named = default_background(args.truth)
        notes = background_notes(ids, named, "--background ")
    text = background_text(named, ids.dtype)
    ignored = None if args.ignore_index is None else ids == args.ignore_index
    cells = None
    if args.labels == "truth":
        cells = ids if args.border == "none" else None
        if args.border is None and is_background(ids, named).any():
            notes += (
                f"membrane is id {text}, and what is at most 1 pixel from a border of ids; "
                "--border none takes the id alone",
            )
        ids = _membranes(ids, named, args)
    about = tuple(f"{args.truth}: {note}" for note in notes)
    return Pair(prediction, ids, cells, named, text, about, ignored)


def _check_cells(pair: Pair, args: argparse.Namespace) -> None:
    """Refuse a ground truth, or a section of it, without any cell."""
    from pytopo.images.background import is_background

    if args.protocol:
        return
    ids = pair.truth if args.labels == "both" else pair.cells
    cells = ~pair.truth if ids is None else ~is_background(ids, pair.background)
    has_cells = cells.any(axis=(1, 2)) if args.sections else cells.any(keepdims=True).ravel()
    if not has_cells.all():
        section = f"section {has_cells.argmin()}: " if args.sections else ""
        advice = "" if args.invert_truth else " (is --invert-truth missing?)"
        if args.labels:
            advice = "" if border_of(args) == "none" else " (a smaller --border, or none?)"
        raise InputError(
            f"{args.truth}: {section}membrane everywhere; expected some cell{advice}"
        )


def _foreground_notes(pair: Pair, args: argparse.Namespace) -> tuple[str, ...]:
    """Return a note if a ground truth, or a section of it, has no membrane."""
    if args.labels == "both":
        return ()
    if not pair.truth.any():
        return (f"{args.truth}: a ground truth without foreground, no pixel of it is membrane",)
    empty = [k for k, section in enumerate(pair.truth) if not section.any()]
    if not (args.sections and empty):
        return ()
    return (f"{args.truth}: no membrane in {len(empty)} sections, as in section {empty[0]}",)


def _membranes(
    ids: "NDArray", background: tuple[int, ...], args: argparse.Namespace
) -> "NDArray[np.bool_]":
    """Return the membranes that training would make from the ids, section by section."""
    import numpy as np

    from pytopo.data.borders import Borders

    given = border_of(args)
    borders = Borders(None if given == "none" else given, args.border_unit, background)
    spacing = (1.0, 1.0)
    if args.border_unit == "nm":
        from pytopo.data.hdf5 import pixel_size

        with reporting_errors():
            spacing = pixel_size(args.truth)
    planes = ids.reshape(-1, *ids.shape[-2:])
    return np.stack([borders.membranes(plane, spacing) for plane in planes]).reshape(ids.shape)


def border_of(args: argparse.Namespace) -> float | str:
    """Return how far from a border of ids membranes reach, or "none"."""
    return 1.0 if args.border is None else args.border


def _read_truth(
    args: argparse.Namespace,
) -> "tuple[NDArray[np.bool_], NDArray[np.bool_] | None]":
    """Read a mask of the ground truth; return where membrane is, and what to ignore."""
    import numpy as np

    from pytopo.images.masks import Advice

    advice = Advice(
        ids="or ids of cells with --ids",
        grey="or grey values with --truth-threshold 0.5",
        ignore="or the third value as --ignore-index",
    )
    if args.ignore_index is None:
        return read_mask(args.truth, advice, args.truth_threshold) ^ args.invert_truth, None
    stored = opened(args.truth, raw=True).array
    ignored = stored == args.ignore_index
    known = np.where(ignored, stored.dtype.type(0), stored)
    if ignored.any() and np.isin(known, (0, 1)).all():
        known = known == 1  # a note that the file holds nothing else would be wrong
    return mask_in(args.truth, known, advice) ^ args.invert_truth, ignored


def _ignored(pair: Pair, args: argparse.Namespace) -> "NDArray[np.bool_] | None":
    """Return all pixels to ignore, of the ground truth and of a mask of their own."""
    from pytopo.images.masks import Advice

    ignored = pair.ignored
    if args.ignore is not None:
        mask = read_mask(args.ignore, Advice())
        if mask.shape != pair.truth.shape:
            raise InputError(
                f"{args.ignore}: {size_text(mask)} pixels; expected {size_text(pair.truth)}, "
                f"as {args.truth} has"
            )
        ignored = mask if ignored is None else mask | ignored
    if ignored is None or not ignored.any():
        return None
    whole = ignored.all(axis=(1, 2)) if args.sections and ignored.ndim == 3 else ignored.all()
    if whole.any():
        section = f"section {whole.argmax()}: " if whole.ndim else ""
        raise InputError(
            f"{args.truth}: {section}every pixel is ignored; expected some that are not"
        )
    return ignored


def _mask(likelihood: "NDArray", args: argparse.Namespace) -> "NDArray[np.bool_]":
    """Return where a likelihood exceeds the threshold, without what is small."""
    import numpy as np

    if args.sections and likelihood.ndim == 3:
        alone = argparse.Namespace(**{**vars(args), "sections": False})
        return np.stack([_mask(section, alone) for section in likelihood])
    simple = simplified(likelihood, args.prediction, args)
    return without_small(simple > args.threshold, args)


def _read_prediction(
    args: argparse.Namespace,
) -> "tuple[NDArray[np.bool_], tuple[str, ...]]":
    """Read a likelihood or a mask; return where it exceeds the threshold, and notes."""
    from pytopo.notes import number_text

    path = args.prediction
    likelihood = read_likelihood(path)
    membranes = _mask(likelihood, args)
    if membranes.any():
        return membranes, ()
    if (likelihood > args.threshold).any():
        return membranes, (f"{path}: nothing is left, all of it is removed as small",)
    note = (
        f"{path}: no value exceeds the threshold {args.threshold:g}, the largest is "
        f"{number_text(likelihood.max())}"
    )
    return membranes, (note,)
