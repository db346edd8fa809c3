"""What commands read and write: images, figures, tables; each file whole or not at all."""

import io
import os
import re
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pytopo.cli.report import Fault, blaming, printable, say

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray


def read(path: str, raw: bool = False) -> "NDArray":
    """Read an image, and say what was done to its pixels."""
    from pytopo.image import open_image

    with blaming():
        file = open_image(path, raw=raw)
    for note in file.notes:
        say(f"{path}: {note}")
    return file.array


def check_places(files: Sequence[str]) -> None:
    """Find out before the work whether there is a place to write to."""
    for path in files:
        folder = os.path.dirname(os.path.realpath(path))
        if os.path.isdir(path):
            raise Fault(f"{path}: a folder; name a file in it")
        if os.path.exists(path) and not os.path.isfile(path):
            continue  # a pipe or a device
        if not os.path.isdir(folder):
            raise Fault(f"{path}: there is no folder {folder}; create it first")
        if not os.access(folder, os.W_OK):
            raise Fault(f"{path}: no permission to write in {folder}; name a file elsewhere")


def write(path: str, content: str | bytes) -> None:
    """Write a file, whole or not at all, and say so."""
    from pytopo.replacing import replacing

    with blaming(path), replacing(path, "wb" if isinstance(content, bytes) else "w") as stream:
        stream.write(content)
    say(f"wrote {path}")


# ---- figures: what lies in the image to the left, its diagram to the right -----------------


def figure_name(image: str | None) -> str:
    """Return a name for the figure of an image, which may be a part of a file.

    Examples
    --------
    >>> figure_name("cells/a.png"), figure_name("vol.h5:/volumes/raw[3]")
    ('a', 'vol-volumes-raw-3')
    """
    if image is None:
        return "example"
    path = Path(image)
    part = re.fullmatch(r"(.*?)(\.\w+)?([:\[].*)", image)
    if part is None or path.exists():
        return path.stem
    inside = re.sub(r"[^\w.]+", "-", part[3]).strip("-.")
    return "-".join(filter(None, [Path(part[1]).name, inside]))


def two_axes() -> "tuple[Figure, Axes, Axes]":
    """Return a figure with room for an image and for a diagram, and the Axes of both."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 5.8), dpi=150)
    left, right = figure.subplots(1, 2)
    figure.subplots_adjust(left=0.07, right=0.98, bottom=0.15, top=0.87, wspace=0.18)
    return figure, left, right


def figure_content(figure: "Figure", title: str, path: str) -> bytes:
    """Return the content of the file of a figure, of the kind that the path names."""
    title = printable(title)
    title = title if len(title) <= 60 else f"… {title[-58:]}"
    figure.suptitle(title, fontweight="bold", parse_math=False)

    content = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"Glyph \d+ .* missing from font")  # of the name
        figure.savefig(content, format=Path(path).suffix[1:].lower())
    return content.getvalue()


# ---- words ---------------------------------------------------------------------------------


def size_text(image: "NDArray") -> str:
    """Return a shape as text, like ``3 x 4``."""
    return " x ".join(map(str, image.shape))


def aligned(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Return the rows of a table as lines, all columns to the right.

    Examples
    --------
    >>> aligned([("dim", "number"), ("0", "12")])
    ['dim  number', '  0      12']
    """
    widths = [max(map(len, column)) for column in zip(*rows)]
    return ["  ".join(map(str.rjust, row, widths)) for row in rows]


def obeyed(
    superlevel: bool, construction: str, frame: float | None, min_persistence: float
) -> str:
    """Return what was computed, the defaults that matter included.

    Examples
    --------
    >>> obeyed(True, "V", None, 0.1)
    'superlevel, construction V, persistence at least 0.1'
    """
    options = ["superlevel" if superlevel else "sublevel", f"construction {construction}"]
    if frame is not None:
        options.append(f"frame {frame:.6g}")
    if min_persistence > 0:
        options.append(f"persistence at least {min_persistence:.6g}")
    return ", ".join(options)
