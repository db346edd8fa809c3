"""``pytopo evaluate`` of masks that are larger than memory: what can be counted by tiles.

    PREDICTION, TRUTH -> tile by tile -> pixels that agree, Betti numbers -> Verdict

What compares features by their place, or cells as a whole, needs both masks in memory.
"""

import argparse
import math
from collections.abc import Iterator
from itertools import product
from typing import TYPE_CHECKING, Any

from pytopo.cli.evaluate_tables import Verdict
from pytopo.cli.files import size_text
from pytopo.cli.memory import diagram_bytes
from pytopo.cli.report import InputError, reporting_errors, say
from pytopo.progress import progress

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pytopo.large.sources.source import Source

NOT_BY_TILES = (
    "labels", "sections", "truth_threshold", "ignore", "ignore_index", "cldice", "protocol",
    "surface_dice", "hd95", "spacing", "min_persistence", "min_size",
)  # fmt: skip
LEFT_OUT = (
    "patch Betti errors, Betti matching error, TopoScore, Variation of Information and Rand "
    "error need both masks in memory"
)


def tiled_sources(args: argparse.Namespace) -> "tuple[Source, Source] | None":
    """Return prediction and ground truth to be read by tiles; None if they are not.

    They are if ``--tile`` is given, for Zarr stores, and for files that do not fit into memory.
    """
    from pytopo.images.readers.memory import free_memory
    from pytopo.large.sources.opening import is_store, open_source

    paths = args.prediction, args.truth
    forced = args.tile is not None or any(map(is_store, paths))
    if not forced and (args.sections or args.labels or args.protocol):
        return None
    try:
        with reporting_errors():
            first, second = map(open_source, paths)
    except InputError:
        if forced:
            raise
        return None  # what is wrong, the reader of images tells
    if not forced and diagram_bytes(first.shape, 4, None) <= free_memory():
        return None
    for name in NOT_BY_TILES:
        if getattr(args, name) != args.default_of(name):
            raise InputError(
                f"{paths[0]}: compared by tiles, which --{name.replace('_', '-')} is not for; "
                "take a part that fits into memory, saved as .h5, .npy or .tif"
            )
    if first.shape != second.shape:
        raise InputError(
            f"{paths[1]}: {size_text(second)} pixels; expected {size_text(first)}, as "  # type: ignore[arg-type]
            f"{paths[0]} has"
        )
    return first, second


def tiled_verdict(sources: "tuple[Source, Source]", args: argparse.Namespace) -> Verdict:
    """Return what can be counted by tiles, with the conventions it depends on."""
    from pytopo.large import betti_numbers
    from pytopo.large.loop import tile_side

    shape = sources[0].shape
    with reporting_errors("--tile"):
        side = tile_side(args.tile, shape)
    say(f"{args.prediction}: compared by tiles of {side}; {LEFT_OUT}")
    prediction = _prediction_mask(sources[0], side, args)
    truth = _truth_mask(sources[1], side, args)
    numbers = _pixel_numbers(prediction, truth, side)
    counted = []
    for path, mask in ((args.prediction, prediction), (args.truth, truth)):
        with progress(f"Betti numbers of {path}"), reporting_errors(path):
            counted.append(
                betti_numbers(
                    mask, construction=args.construction, frame=not args.no_frame, tile=side
                )
            )
    errors = [float(abs(a - b)) for a, b in zip(*counted)]
    numbers |= {f"betti_{dim}": error for dim, error in enumerate(errors)}
    numbers["betti"] = sum(errors)
    for name, betti in zip(("prediction", "truth"), counted):
        numbers |= {f"{name}_betti_{dim}": n for dim, n in enumerate(betti)}
    one, other = (sum((-1) ** dim * n for dim, n in enumerate(betti)) for betti in counted)
    numbers["euler"] = abs(one - other)
    conventions = {
        "threshold": args.threshold,
        "truth_threshold": None,
        "invert_truth": args.invert_truth,
        "construction": args.construction,
        "frame": not args.no_frame,
        "labels": None,
        "tile": side,
    }
    return Verdict(shape, numbers, [], conventions)


# ---- masks -------------------------------------------------------------------------------


class _Mask:
    """A source of booleans, made of the values of another when they are read."""

    def __init__(self, source: "Source", cut: float | None, invert: bool) -> None:
        import numpy as np

        self._source, self._cut, self._invert = source, cut, invert
        self.shape, self.dtype = source.shape, np.dtype(bool)

    def __getitem__(self, key: Any) -> "NDArray[np.bool_]":
        from pytopo.images.scaling import scaled

        values = self._source[key]
        mask = values != 0 if self._cut is None else scaled(values) > self._cut
        return mask ^ self._invert


def _prediction_mask(source: "Source", side: int, args: argparse.Namespace) -> _Mask:
    """Return where a likelihood exceeds the threshold; integers may be a mask, too."""
    path = args.prediction
    low, high, several = _range(path, source, side)
    if source.dtype.kind == "f" and low >= 0 and high <= 1:
        return _Mask(source, args.threshold, False)
    if not several:  # 0 and one other value, which is 1 whatever it is
        return _Mask(source, None, False) if 0 <= args.threshold < 1 else _extreme(path)
    if source.dtype.kind == "f":
        raise InputError(
            f"{path}: values from {low:g} to {high:g}; expected a likelihood, 0 to 1"
        )
    return _Mask(source, args.threshold, False)


def _extreme(path: str) -> _Mask:
    raise InputError(f"{path}: a mask; expected --threshold of at least 0 and less than 1")


def _truth_mask(source: "Source", side: int, args: argparse.Namespace) -> _Mask:
    path = args.truth
    low, high, several = _range(path, source, side)
    if several:
        raise InputError(
            f"{path}: holds more than two values; expected a mask of 0 and one other value, "
            "as by tiles only masks are compared"
        )
    if low == high == 0:
        say(f"{path}: a ground truth without foreground, all of it is 0")
    return _Mask(source, None, args.invert_truth)


def _range(path: str, source: "Source", side: int) -> tuple[float, float, bool]:
    """Return the least and the largest value, and whether there are two that are not 0."""
    import numpy as np

    low, high = math.inf, -math.inf
    found: set[float] = set()
    with progress(f"reading {path}"), reporting_errors():
        for box in _boxes(source.shape, side):
            values = source[box]
            low, high = min(low, values.min().item()), max(high, values.max().item())
            if not (math.isfinite(low) and math.isfinite(high)):
                raise InputError(f"{path}: a pixel is NaN or infinite; expected numbers")
            if len(found) < 2:
                found |= set(np.unique(values)[:3].tolist()) - {0}
    return low, high, len(found) > 1


def _pixel_numbers(prediction: _Mask, truth: _Mask, side: int) -> dict[str, float]:
    """Return the share of pixels that agree, and the Dice score."""
    agree = both = one = other = 0
    with progress("comparing pixels"):
        for box in _boxes(truth.shape, side):
            a, b = prediction[box], truth[box]
            agree += int((a == b).sum())
            both += int((a & b).sum())
            one, other = one + int(a.sum()), other + int(b.sum())
    # Two masks without foreground are equal.
    dice = 2 * both / (one + other) if one + other else 1.0
    return {"pixel_accuracy": agree / math.prod(truth.shape), "dice": dice}


def _boxes(shape: tuple[int, ...], side: int) -> Iterator[tuple[slice, ...]]:
    for corner in product(*(range(0, n, side) for n in shape)):
        yield tuple(slice(c, min(c + side, n)) for c, n in zip(corner, shape))
