"""``pytopo diagram --sections``: every plane of a volume by itself."""

import csv
import json

import numpy as np
import pytest
import tifffile
from matplotlib.figure import Figure

import pytopo
from pytopo.cli.main import main

RING = np.pad(np.zeros((1, 1)), 1, constant_values=9.0)  # a bright ring, a dark pixel inside
DOT = 9.0 - RING
BOTH = np.array([[9, 0, 9.0], [0, 5, 0], [9, 0, 9]])


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("stack.npy", np.stack([RING, DOT, BOTH]))
    return tmp_path


def out(capsys, *argv):
    assert main(["diagram", *argv]) == 0
    return capsys.readouterr().out


def usage_error(capsys, *argv):
    with pytest.raises(SystemExit) as end:
        main(["diagram", *argv])
    assert end.value.code == 2
    return capsys.readouterr().err.splitlines()[-1].removeprefix("pytopo diagram: error: ")


def test_a_line_for_each_section_and_one_for_all(capsys):
    assert (
        out(capsys, "stack.npy", "--sections", "--superlevel", "--no-plot")
        == """\
stack.npy: 3 sections of 3 x 3 pixels, values 0 to 9; each by itself
superlevel, construction V

section  components  holes  most persistent component  most persistent hole
      0           1      1                          -                     9
      1           1      0                          -                     -
      2           5      0                          9                     -
    all           7      1                          9                     9
"""
    )


def test_options_reach_the_sections(capsys):
    options = (
        "--sections",
        "--superlevel",
        "--no-plot",
        "--dims",
        "0",
        "--min-persistence",
        "6",
    )
    table = out(capsys, "stack.npy", *options)
    assert "superlevel, construction V, persistence at least 6\n" in table
    assert table.splitlines()[-2:] == [
        "      2           4                          9",
        "    all           6                          9",
    ]
    framed = out(capsys, "stack.npy", "--sections", "--superlevel", "--no-plot", "--frame=9")
    assert framed.splitlines()[-1].split()[:3] == ["all", "5", "3"]


def test_csv_has_a_column_for_the_section(capsys):
    text = out(capsys, "stack.npy", "--sections", "--superlevel", "--csv", "-")
    comment, *lines = text.splitlines()
    assert comment == "# pytopo sections 3"
    rows = list(csv.DictReader(lines))
    assert [row["section"] for row in rows] == ["0"] * 2 + ["1"] + ["2"] * 5
    hole = next(row for row in rows if row["dim"] == "1")
    assert (hole["birth"], hole["death"], hole["death_pixel"]) == ("9.0", "0.0", "4")
    assert (hole["death_row"], hole["death_column"]) == ("1", "1")
    with open("points.csv", "w", encoding="utf-8") as stream:
        stream.write(text)
    with pytest.raises(ValueError, match="not a diagram that pytopo wrote"):
        pytopo.Diagram.load("points.csv")


def test_a_name_with_the_section_writes_one_file_for_each(capsys, folder):
    np.save("stack.npy", np.stack([RING] * 11))
    files = ("--json", "p-{section}.json", "--csv", "p-{section}.csv", "--no-plot")
    assert "11 sections" in out(capsys, "stack.npy", "--sections", *files)
    names = [f"p-{k:02d}.{kind}" for k in range(11) for kind in ("csv", "json")]
    assert sorted(path.name for path in folder.iterdir()) == [*names, "stack.npy"]
    assert pytopo.Diagram.load("p-10.csv") == pytopo.persistence(RING)
    with open("p-03.json", encoding="utf-8") as stream:
        assert json.load(stream)["shape"] == [3, 3]


def test_figures_are_one_of_all_sections_or_one_for_each(capsys, monkeypatch):
    saved = []
    monkeypatch.setattr(Figure, "savefig", lambda self, *args, **options: saved.append(self))
    out(capsys, "stack.npy", "--sections", "--superlevel")
    assert capsys.readouterr().err == ""
    (figure,) = saved
    left, right = figure.axes
    assert left.get_title() == "3 sections of 3 x 3 pixels, together"
    components, holes = left.lines
    assert components.get_ydata().tolist() == [1, 1, 5]
    assert holes.get_ydata().tolist() == [1, 0, 0]
    assert right.get_title() == "superlevel, construction V"
    saved.clear()
    out(capsys, "stack.npy", "--sections", "-o", "f-{section}.png")
    assert [figure.get_suptitle() for figure in saved] == [
        f"stack.npy, section {k}" for k in range(3)
    ]


def test_a_stack_of_pages_says_that_it_is_a_volume(capsys):
    tifffile.imwrite("stack.tif", np.zeros((4, 5, 6), np.uint8), photometric="minisblack")
    note = "read as a volume of {} planes of 5 x 6 pixels; --sections treats each by itself"
    assert main(["diagram", "stack.tif", "--no-plot"]) == 0
    assert f"stack.tif: {note.format(4)}, and 'stack.tif[0]' is one of them\n" in (
        capsys.readouterr().err
    )
    assert main(["diagram", "stack.tif[:2]", "--no-plot"]) == 0
    assert f"stack.tif[:2]: {note.format(2)}\n" in capsys.readouterr().err
    assert main(["diagram", "stack.tif", "--no-plot", "--sections"]) == 0
    assert "volume" not in capsys.readouterr().err


def test_what_has_no_sections_is_refused(capsys):
    np.save("a.npy", RING)
    assert main(["diagram", "a.npy", "--sections"]) == 1
    line = "pytopo diagram: a.npy: an image of 2 axes has no sections; leave out --sections\n"
    assert capsys.readouterr().err == line
    assert main(["diagram", "stack.npy", "--sections", "--dims", "2"]) == 1
    assert "a section: an image of 2 axes has no dimension 2" in capsys.readouterr().err
    assert "name a volume" in usage_error(capsys, "--sections")


def test_what_would_hold_one_section_is_refused(capsys):
    line = ("stack.npy", "--sections")
    assert usage_error(capsys, *line, "--json", "a.json") == (
        "--json: a.json would hold one section; expected a name with {section}, like "
        "points-{section}.json"
    )
    assert usage_error(capsys, *line, "--npz", "-").startswith(
        "--npz: - would hold one section"
    )
    assert (
        usage_error(capsys, *line, "--at", "0,0,0") == "--sections and --at exclude each other"
    )


def test_nan_is_located_in_the_volume(capsys):
    np.save("nan.npy", np.stack([RING, np.where(RING > 0, RING, np.nan)]))
    assert main(["diagram", "nan.npy", "--sections"]) == 1
    assert "nan.npy: image[1, 1, 1] is NaN" in capsys.readouterr().err


def test_the_memory_of_one_section_is_what_counts(capsys, monkeypatch):
    np.save("long.npy", np.zeros((50, 100, 100), np.uint8))
    monkeypatch.setattr("pytopo.images.readers.memory.free_memory", lambda: 1_000_000)
    assert main(["diagram", "long.npy", "--no-plot"]) == 1
    assert "50 x 100 x 100 pixels may take 56 MB" in capsys.readouterr().err
    assert main(["diagram", "long.npy", "--no-plot", "--sections", "--dims", "0"]) == 0
