"""The log of a run: one row per epoch, with the loss and what was measured on validation."""

import csv
import io
import os
from pathlib import Path
from typing import Any

from pytopo.files import replacing
from pytopo.notes import one_line
from pytopo.training.checkpoint import load_checkpoint

Row = dict[str, float]  # of one epoch

# What the log begins with: the columns of the tables in D. Datta, "Preservation of Topology
# using Deep Image segmentation" (2024).
FIRST_COLUMNS = ("epoch", "loss", "pixel_accuracy", "betti_error", "voi")

COLUMNS = {  # that the log, the curves and a report require
    *FIRST_COLUMNS, "step", "cross_entropy", "topological", "topo_weight", "seconds",
    "patch_betti_0", "patch_betti_1", "voi_split", "voi_merge",
}  # fmt: skip


def load_history(folder: str | os.PathLike[str]) -> list[Row]:
    """Return the rows of the log of a run, from its last checkpoint.

    Raises
    ------
    FileNotFoundError, ValueError
        If there is no checkpoint, or it is damaged.
    """
    file = Path(folder) / "last.pt"
    loaded = load_checkpoint(file)
    try:
        return checked_history(loaded["history"])
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(one_line(f"{file}: damaged: {error}")) from None


def checked_history(history: Any) -> list[Row]:
    """Return the rows of a log, once it is certain that they are such rows.

    Raises
    ------
    AttributeError, TypeError, ValueError
        If they are something else.
    """
    for row in history:
        if not row.keys() >= COLUMNS or row.keys() != history[0].keys():
            raise ValueError("a row of the log lacks columns")
        if not all(type(value) in (int, float) for value in row.values()):
            raise ValueError("the log holds something other than numbers")
    return history


def log_columns(history: list[Row]) -> list[str]:
    """Return the columns of a log, in their order."""
    return [*FIRST_COLUMNS, *(name for name in history[0] if name not in FIRST_COLUMNS)]


def write_log(path: Path, history: list[Row]) -> None:
    """Write the rows as CSV; NaN, for what was not computed, becomes an empty cell."""
    text = io.StringIO()
    table = csv.DictWriter(text, log_columns(history), lineterminator="\n")
    table.writeheader()
    table.writerows({name: "" if x != x else x for name, x in row.items()} for row in history)
    with replacing(path) as stream:
        stream.write(text.getvalue())
