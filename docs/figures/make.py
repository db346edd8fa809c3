"""Make the figures of the lessons and the pages, and the first of the README.

    python docs/figures/make.py FOLDER [NAME ...]

With a folder ``dark`` in FOLDER each is drawn into that too, for dark pages.

Each function of a `lesson_*.py` that is not private returns one figure, and the file has the
name of the function: `lesson_1.py` has ``sweep``, which becomes `lesson-1-sweep.png`.  The
pictures of the gallery are drawn by the code of its page, and the figure of the README is what
`pytopo diagram` draws of the built-in example.
"""

import inspect
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from dark import darken
from gallery import draw_gallery, pictures
from matplotlib.figure import Figure

HERE = Path(__file__).parent
EXAMPLE = "example.png"


def figures() -> dict[str, Callable[[], Figure]]:
    """Return the function that makes each figure, by the name of the file."""
    found = {}
    pages = ("regions.py", "metrics.py", "betti_matching.py", "compare.py", "large.py")
    for path in sorted([*HERE.glob("lesson_*.py"), *(HERE / page for page in pages)]):
        module = import_module(path.stem)
        for name, function in inspect.getmembers(module, inspect.isfunction):
            if function.__module__ == path.stem and not name.startswith("_"):
                found[f"{path.stem}_{name}.png".replace("_", "-")] = function
    return found


def draw_example(path: Path) -> None:
    """Draw the figure of the README, by the command."""
    from pytopo.cli.main import main as command

    if command(["diagram", "-o", str(path)]):
        sys.exit(f"{path}: pytopo diagram failed")


def save(figure: Figure, path: Path) -> None:
    """Write a figure on its paper."""
    paper = figure.get_facecolor()
    figure.savefig(path, dpi=100, facecolor=paper, metadata={"Software": None})


def main(folder: str, *names: str) -> None:
    for name, make in figures().items():
        if not names or name in names:
            figure = make()
            save(figure, Path(folder) / name)
            if (Path(folder) / "dark").is_dir():
                darken(figure)
                save(figure, Path(folder) / "dark" / name)
    if not names or set(names) & set(pictures()):
        draw_gallery(Path(folder))
    if not names or EXAMPLE in names:
        draw_example(Path(folder) / EXAMPLE)


if __name__ == "__main__":
    main(*sys.argv[1:])
