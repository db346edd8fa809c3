"""What commands share for sections of volumes: ``--at``, room in a figure, and a note."""

import argparse
import re
from typing import TYPE_CHECKING

from pytopo.cli.files import size_text
from pytopo.cli.report import InputError, say

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

_Voxel = tuple[int, int, int]


def add_at(group: "argparse._ArgumentGroup", default: str) -> None:
    """Add the option for the voxel of a volume that the sections pass through."""
    group.add_argument(
        "--at", type=voxel, metavar="PLANE,ROW,COLUMN",
        help="the voxel of a volume, counted from 0, whose three sections the figure shows "
        f"(default: {default})",
    )  # fmt: skip


def voxel(text: str) -> _Voxel:
    """Parse a voxel, as in ``12,40,77``.

    Examples
    --------
    >>> voxel("12,40,77")
    (12, 40, 77)
    """
    if not re.fullmatch("[0-9]{1,9}(,[0-9]{1,9}){2}", text):
        raise argparse.ArgumentTypeError(
            f"{text!r}; expected three whole numbers, like 12,40,77"
        )
    plane, row, column = map(int, text.split(","))
    return plane, row, column


def check_figure(args: argparse.Namespace, figure: str | None) -> None:
    """End with a usage error if sections are chosen, but no figure is written."""
    if args.at is not None and figure is None:
        args.usage_error("--at says what the figure shows, but no figure is written")


def check_voxel(name: str, image: "NDArray", at: _Voxel | None) -> None:
    """Refuse a voxel that an image does not have."""
    if at is None:
        return
    if image.ndim != 3:
        raise InputError(
            f"{name}: an image of {image.ndim} axes has no sections; leave out --at"
        )
    if any(i >= n for i, n in zip(at, image.shape)):
        last = ",".join(str(n - 1) for n in image.shape)
        raise InputError(
            f"{name}: {size_text(image)} pixels have no voxel {','.join(map(str, at))}; "
            f"expected --at 0,0,0 to {last}"
        )


def say_planes(path: str, image: "NDArray") -> None:
    """Print how an image of three axes is read, and how to take its planes one by one."""
    if image.ndim == 3:
        one = f", and '{path}[0]' is one of them" if not path.endswith("]") else ""
        say(
            f"{path}: read as a volume of {len(image)} planes of {size_text(image[0])} pixels; "
            f"--sections treats each by itself{one}"
        )


def volume_axes(shape: tuple[int, ...]) -> "tuple[Figure, list[Axes], Axes]":
    """Return a figure with room for three sections and a diagram, and the Axes of both."""
    from matplotlib.figure import Figure

    from pytopo.plot.volumes import section_axes

    figure = Figure(figsize=(12.5, 6.4), dpi=150)
    halves = figure.add_gridspec(
        1, 2, width_ratios=[1.2, 1], left=0.065, right=0.985, bottom=0.2, top=0.86, wspace=0.14
    )
    return figure, section_axes(halves[0], shape), figure.add_subplot(halves[1])
