"""What `pytopo loss` prints and writes as text: the losses in a table, the gradient as .csv."""

import argparse
import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytopo.cli.files import aligned, size_text, sweep_text
from pytopo.cli.report import printable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytopo.loss.explanation import Explanation


@dataclass(frozen=True)
class Verdict:
    """The loss of a likelihood, and what it is made of.

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


def gradient_csv(verdict: Verdict) -> str:
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


def table(likelihood: "NDArray", verdict: Verdict, args: argparse.Namespace) -> str:
    """Return the loss of each dimension, and how many of its points go where, as text."""
    from pytopo.diagram import FEATURES

    why = verdict.explanation
    found, target = why.prediction, why.target
    rows: list[tuple[str, ...]] = [
        ("dim", "loss", "points", "to fix", "to remove", "true points", "missing")
    ]
    numbers = [
        (
            (~found.essential & (found.dim == d)).sum(),
            (found.dim[why.fix[:, 0]] == d).sum(),
            (found.dim[why.remove] == d).sum(),
            (~target.essential & (target.dim == d)).sum(),
            (target.dim[why.missing] == d).sum(),
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
            "among the points",
        ]
    return "\n".join(
        [
            f"{printable(args.likelihood)} against {printable(args.truth)}: "
            f"{size_text(likelihood)} pixels",
            options_text(args),
            "",
            *lines,
            "",
        ]
    )


def options_text(args: argparse.Namespace) -> str:
    """Return the options of the loss as text, the defaults that matter included."""
    text = sweep_text(
        not args.sublevel, args.construction, frame_of(args), args.min_persistence
    )
    if args.matching == "betti":
        return f"{text}, matched by place"
    return f"{text}, every target" if args.every_target else text


def frame_of(args: argparse.Namespace) -> float | None:
    """Return the value of the frame; the foreground is bright, or dark for sublevel."""
    return float(not args.sublevel) if args.frame is True else args.frame
