"""Removing what is small: by persistence from a likelihood, by size from its mask.

`pytopo predict` and `pytopo evaluate` do what an experiment tunes on validation sections.
"""

import argparse
from typing import TYPE_CHECKING

from pytopo.cli import options
from pytopo.cli.kernels import run_kernels
from pytopo.cli.report import reporting_errors

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def add_cleaning(group: "argparse._ArgumentGroup") -> None:
    """Add the options that say what is removed."""
    group.add_argument(
        "--min-persistence", type=options.min_persistence, default=0.0, metavar="X",
        help="first remove from the likelihood the components and holes that are less "
        "persistent (default: 0)",
    )  # fmt: skip
    group.add_argument(
        "--min-size", type=options.count, default=0, metavar="N",
        help="last remove from the mask, and then from its background, components of fewer "
        "pixels (default: 0)",
    )  # fmt: skip


def simplified(likelihood: "NDArray", where: str, args: argparse.Namespace) -> "NDArray":
    """Return a likelihood, named ``where`` in messages, without what is less persistent."""
    from pytopo.metrics.decision import Decision

    if not args.min_persistence:
        return likelihood
    decision = Decision(min_persistence=args.min_persistence)
    with reporting_errors(where):
        return run_kernels(
            lambda: decision.simplified(likelihood, args.construction, frame=not args.no_frame)
        )


def without_small(mask: "NDArray[np.bool_]", args: argparse.Namespace) -> "NDArray[np.bool_]":
    """Return a mask without components that have fewer pixels."""
    from pytopo.metrics.evaluation import cleaned

    if not args.min_size:
        return mask
    return cleaned(mask, smallest=args.min_size, construction=args.construction)
