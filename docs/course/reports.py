"""The interactive reports that the site shows inside lessons.

    python docs/course/reports.py FOLDER

A line ``<!-- report NAME -->`` of a page is where the report of the function NAME is shown.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "figures"))

from drawing import IMAGE, em_patch

import pytopo
from pytopo.html import diagram_report
from pytopo.html.page import Report


def lesson_1() -> Report:
    """The 5x5 image of all lessons."""
    found = pytopo.persistence(IMAGE)
    return diagram_report(IMAGE, found, title="The 5x5 image", view="threshold")


def lesson_5() -> Report:
    """The micrograph, swept as in the figures of the lesson: dark membranes first."""
    micrograph = em_patch()
    found = pytopo.persistence(micrograph)
    return diagram_report(micrograph, found, title="The micrograph", cut=30)


REPORTS = {"lesson-1": lesson_1, "lesson-5": lesson_5}


def main(folder: str) -> None:
    Path(folder).mkdir(parents=True, exist_ok=True)
    for name, report in REPORTS.items():
        report().save(Path(folder) / f"{name}.html")


if __name__ == "__main__":
    main(*sys.argv[1:])
