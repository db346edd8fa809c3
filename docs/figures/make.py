"""Make the figures of the lessons, and of the pages about regions and about comparing.

    python docs/figures/make.py FOLDER [NAME ...]

Each function of a `lesson_*.py` that is not private returns one figure, and the file has the
name of the function: `lesson_1.py` has ``sweep``, which becomes `lesson-1-sweep.png`.
"""

import inspect
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from matplotlib.figure import Figure

HERE = Path(__file__).parent


def figures() -> dict[str, Callable[[], Figure]]:
    """Return the function that makes each figure, by the name of the file."""
    found = {}
    for path in sorted([*HERE.glob("lesson_*.py"), HERE / "regions.py", HERE / "compare.py"]):
        module = import_module(path.stem)
        for name, function in inspect.getmembers(module, inspect.isfunction):
            if function.__module__ == path.stem and not name.startswith("_"):
                found[f"{path.stem}_{name}.png".replace("_", "-")] = function
    return found


def main(folder: str, *names: str) -> None:
    for name, make in figures().items():
        if not names or name in names:
            make().savefig(Path(folder) / name, dpi=100, metadata={"Software": None})


if __name__ == "__main__":
    main(*sys.argv[1:])
