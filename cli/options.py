"""What the command lines of commands share: types of options, and checks."""

import argparse
import math
import os
import re
from collections.abc import Sequence
from pathlib import Path

from pytopo.cli.report import InputError

FIGURE_ENDINGS = (".png", ".svg", ".pdf")
STDOUT = "-"


def add_construction(group: "argparse._ArgumentGroup") -> None:
    """Add the option for the construction: pixels are vertices, or cells."""
    group.add_argument(
        "--construction", choices=("V", "T"), default="V",
        help="pixels are vertices (V, the default: neighbours share a side) or cells "
        "(T: sharing a corner is enough)",
    )  # fmt: skip


def add_truth_threshold(group: "argparse._ArgumentGroup") -> None:
    """Add the option that makes a grey ground truth a mask."""
    group.add_argument(
        "--truth-threshold", type=number, metavar="X",
        help="TRUTH is grey, as a mask that was smoothed or saved as JPEG: its foreground is "
        "where it is greater, integers scaled to [0, 1]",
    )  # fmt: skip


def add_filtration(group: "argparse._ArgumentGroup") -> None:
    """Add the options that decide in which order the cells of an image enter."""
    group.add_argument(
        "--superlevel", action="store_true", help="sweep downwards: bright things first"
    )
    add_construction(group)
    group.add_argument(
        "--frame", nargs="?", const=True, type=frame, metavar="VALUE",
        help="put a frame of pixels of this value around the image; without VALUE, of the "
        "value that the sweep meets first. Write --frame=VALUE, or --frame after IMAGE",
    )  # fmt: skip


def figure_path(text: str) -> str:
    """Parse a path whose ending names a kind of figure."""
    if Path(text).suffix.lower() not in FIGURE_ENDINGS:
        raise argparse.ArgumentTypeError(
            f"{text!r} names no kind of figure; expected an ending {', '.join(FIGURE_ENDINGS)}"
        )
    return text


def frame(text: str) -> float:
    """Parse the value of a frame; the path of an image in its place gets a hint."""
    try:
        return number(text)
    except argparse.ArgumentTypeError as error:
        raise argparse.ArgumentTypeError(
            f"{error} (an IMAGE goes before --frame, or after --frame=VALUE)"
        ) from None


def dims(text: str) -> tuple[int, ...]:
    """Parse some of the dimensions, as in ``0,1``."""
    if not re.fullmatch(r"[012](,[012])*", text):
        raise argparse.ArgumentTypeError(f"{text!r}; expected some of 0, 1, 2, like 0,1")
    return tuple(sorted({int(d) for d in text.split(",")}))


def min_persistence(text: str) -> float:
    """Parse a number of at least 0."""
    value = number(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"{text}; expected a number of at least 0")
    return value


def number(text: str) -> float:
    """Parse a number, infinite or not."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if math.isnan(value):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number")
    return value


def positive(text: str) -> int:
    """Parse a whole number of at least 1."""
    return count(text, least=1)


def count(text: str, least: int = 0) -> int:
    """Parse a whole number."""
    if not re.fullmatch("[0-9]{1,9}", text) or int(text) < least:
        raise argparse.ArgumentTypeError(f"{text!r}; expected a whole number, at least {least}")
    return int(text)


def whole_number(text: str) -> int:
    """Parse a whole number, negative ones too."""
    if not re.fullmatch("-?[0-9]{1,20}", text):
        raise argparse.ArgumentTypeError(f"{text!r}; expected a whole number")
    return int(text)


def check_files(
    args: argparse.Namespace, files: Sequence[str], images: dict[str, str | None]
) -> None:
    """End with a usage error if a file would be written twice, or over what is read.

    Parameters
    ----------
    args : argparse.Namespace
        With the ``usage_error`` of its parser.
    files : sequence of str
        Paths to write to.
    images : dict of str to str
        What is read, by its name on the command line; parts of files are addressed as in
        ``file.h5:/raw[3]``.
    """
    targets = [_place(path) for path in files]
    for path, target in zip(files, targets):
        if targets.count(target) > 1:
            args.usage_error(f"{path} would be written twice")
        for name, image in images.items():
            source = _place(image or "")
            if source == target or source.startswith((f"{target}:", f"{target}[")):
                args.usage_error(f"{path} would overwrite {name}")


def _place(path: str) -> str:
    """Return where a path leads to, the same however it is written."""
    return os.path.normcase(os.path.realpath(path))


def check_dims(name: str, dims: tuple[int, ...] | None, axes: int) -> None:
    """Refuse a dimension that an image does not have."""
    if dims is not None and max(dims) >= axes:
        raise InputError(
            f"{name}: an image of {axes} axes has no dimension {max(dims)}; expected "
            f"some of {', '.join(map(str, range(axes)))}"
        )
