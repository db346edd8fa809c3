"""The option ``--html`` of commands: an interactive report for the browser."""

import argparse
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from pytopo.cli.files import write
from pytopo.cli.report import InputError

if TYPE_CHECKING:
    from pytopo.html import Report


def add_html(group: "argparse._ArgumentGroup") -> None:
    """Add the option that names the report."""
    group.add_argument(
        "--html", type=_page_path, metavar="FILE",
        help="an interactive report for the browser: one file, .html, that needs no network "
        "(extra html)",
    )  # fmt: skip


def check_html(path: str | None) -> None:
    """Check before the work whether a requested report can be made."""
    if path is not None and find_spec("bokeh") is None:
        raise InputError("--html requires the extra html: pip install 'pytopo-toolkit[html]'")


def write_html(path: str, name: str, make: "Callable[[], Report]") -> None:
    """Write the report that a function makes of an image, or print why it cannot."""
    from pytopo.html.page import TooLarge

    try:
        page = make()
    except TooLarge as error:
        raise InputError(f"{name}: {error}") from None
    write(path, page.html)


def _page_path(text: str) -> str:
    if Path(text).suffix.lower() not in (".html", ".htm"):
        raise argparse.ArgumentTypeError(f"{text!r} names no page; expected an ending .html")
    return text
