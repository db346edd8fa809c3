"""``pytopo explain``: what it prints, what it draws, and what it refuses."""

import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from pytopo.cli.explain import LESSON, _sheet
from pytopo.cli.main import main
from pytopo.textbook.walk import walkthrough

VALLEYS = """\
valleys.npy: 3 pixels, values 0 to 2
sublevel, construction V, 5 cells

cells as (column) on the grid of cells, pixels on that of the image
step    kind  cell  pixel  value  what happens
   0  vertex     0      0      0  boundary 0: a component is born at 0
   1  vertex     4      2      1  boundary 0: a component is born at 1
   2  vertex     2      1      2  boundary 0: a component is born at 2
   3    edge     1      1      2  boundary {0, 2}, low 2: a pair with vertex 2; the component \
dies at once
   4    edge     3      1      2  boundary {1, 2} + column 3 = {0, 1}, low 1: a pair with \
vertex 1; the component born at 1 in (2) dies: point (1, 2)
   5                              the end: cell 0 is the low of no column: the component born \
at 0 in (0) never dies
"""

NOTICE = "compiling the kernels (first run only) ...\n"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty current folder, but for one image."""
    monkeypatch.chdir(tmp_path)
    np.save("valleys.npy", np.array([0.0, 2, 1]))
    return tmp_path


def captured(capsys):
    out, err = capsys.readouterr()
    return out, err.replace(NOTICE, "")


def files(folder):
    return sorted(path.name for path in folder.iterdir())


def fault(capsys, *argv):
    """Run, see that it fails as it should, and return the line without its beginning."""
    assert main(["explain", *argv]) == 1
    out, err = captured(capsys)
    assert out == ""
    assert err.count("\n") == 1
    assert err.startswith("pytopo explain: ")
    return err.removeprefix("pytopo explain: ").rstrip("\n")


def usage_error(capsys, *argv):
    with pytest.raises(SystemExit) as end:
        main(["explain", *argv])
    assert end.value.code == 2
    return capsys.readouterr().err.splitlines()[-1].removeprefix("pytopo explain: error: ")


# ---- the table ---------------------------------------------------------------------------


def test_a_line_is_printed_for_each_step_and_nothing_is_written(capsys, folder):
    assert main(["explain", "valleys.npy"]) == 0
    assert captured(capsys) == (VALLEYS, "")
    assert files(folder) == ["valleys.npy"]


def test_without_an_image_that_of_the_lessons_is_explained(capsys):
    assert main(["explain", "--by", "pixel"]) == 0
    out, err = captured(capsys)
    head, lines = out.splitlines()[:4], out.splitlines()[5:]
    assert head[0] == "lesson: 5 x 5 pixels, values 1 to 25"
    assert head[3] == "pixels as (row, column)"
    assert len(lines) == 26
    assert lines[9] == (
        "   9   2, 2     10  1 vertex, 2 edges, 1 pair among them; edge 18: boundary {11, 16} "
        "+ columns 17, 12, 10, 8, 6, 4, 2 = 0: a hole is born at 10"
    )
    assert err == "no IMAGE: this is the 5 x 5 image of the lessons\n"


def test_one_step_is_printed_in_full(capsys):
    assert main(["explain", "valleys.npy", "--step", "4"]) == 0
    assert captured(capsys)[0].splitlines()[3:] == [
        "step 4 of 5: cell 4, edge at (3), enters with pixel (1), value 2",
        *walkthrough([0, 2, 1]).steps()[4].additions(),
    ]
    assert main(["explain", "valleys.npy", "--step", "5"]) == 0
    assert captured(capsys)[0].splitlines()[3:] == [
        "step 5 of 5: the end",
        "cell 0 is the low of no column: the component born at 0 in (0) never dies",
    ]


def test_options_are_obeyed_and_said(capsys):
    argv = ["--superlevel", "--construction", "T", "--frame=-1", "--by", "pixel"]
    assert main(["explain", "valleys.npy", *argv]) == 0
    _, said, _, _, _, *lines = captured(capsys)[0].splitlines()
    assert said == "superlevel, construction T, frame -1, 11 cells"
    options = {"superlevel": True, "construction": "T", "frame": -1}
    steps = walkthrough([0.0, 2, 1], **options).steps("pixel")
    assert [line.endswith(step.story) for line, step in zip(lines, steps, strict=True)] == [
        True
    ] * len(lines)


def test_integers_are_scaled_unless_raw(capsys):
    Image.fromarray(np.array([[0, 51]], np.uint8)).save("grey.png")
    main(["explain", "grey.png"])
    assert ", values 0 to 0.2\n" in captured(capsys)[0]
    main(["explain", "grey.png", "--raw"])
    assert ", values 0 to 51\n" in captured(capsys)[0]


def test_a_part_of_a_large_image_is_explained(capsys):
    np.save("large.npy", np.arange(10_000.0).reshape(100, 100))
    assert main(["explain", "large.npy[0:2, 98:]", "--by", "pixel"]) == 0
    assert captured(capsys)[0].startswith("large.npy[0:2, 98:]: 2 x 2 pixels, values 98 to 199")


def test_words_need_no_pictures():
    code = (
        "import sys; from pytopo.cli.main import main; "
        "status = main(['explain', '--step', '18']); "
        "print(status, {'matplotlib', 'torch', 'PIL'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=300
    )
    assert done.stdout.splitlines()[-1] == "0 set()"


# ---- pictures ----------------------------------------------------------------------------


def test_the_animation_has_a_picture_for_each_step(capsys):
    assert main(["explain", "valleys.npy", "--gif", "a.gif", "--seconds", "0.5"]) == 0
    assert captured(capsys) == (VALLEYS, "wrote a.gif\n")
    with Image.open("a.gif") as animation:
        assert animation.n_frames == 6
        assert animation.info["loop"] == 0
        durations = []
        for k in range(6):
            animation.seek(k)
            durations.append(animation.info["duration"])
            assert len(animation.convert("RGB").getcolors(10**6)) > 10
    assert durations == [500] * 5 + [1500]


def test_the_sheet_shows_the_steps_in_reading_order_and_the_files_one_each(capsys, folder):
    assert (
        main(["explain", "valleys.npy", "--by", "pixel", "--sheet", "a.png", "--png", "p"]) == 0
    )
    assert captured(capsys)[1] == "wrote a.png\nwrote 4 pictures to p\n"
    assert files(folder / "p") == [f"step-00{k}.png" for k in range(4)]
    assert files(folder) == ["a.png", "p", "valleys.npy"]
    with Image.open("a.png") as picture:
        sheet = np.asarray(picture)
    single = [np.asarray(Image.open(f"p/step-00{k}.png").convert("RGB")) for k in range(4)]
    height, width, _ = single[0].shape
    assert sheet.shape == (4 * height, width, 3)
    for k, one in enumerate(single):
        assert (sheet[k * height : (k + 1) * height] == one).all()
        assert k == 0 or (one != single[k - 1]).any()


def test_only_the_chosen_step_is_drawn_and_it_keeps_its_number(folder):
    assert main(["explain", "valleys.npy", "--step", "4", "--png", "p", "--gif", "a.gif"]) == 0
    assert files(folder / "p") == ["step-004.png"]
    with Image.open("a.gif") as animation:
        assert animation.n_frames == 1


def test_a_sheet_is_about_square_and_read_row_by_row():
    sheet = _sheet([Image.new("RGB", (26, 11), (k, 0, 0)) for k in range(82)])
    assert sheet.size == (6 * 26, 14 * 11)
    assert sheet.getpixel((26, 11)) == (7, 0, 0)
    assert sheet.getpixel((sheet.width - 1, sheet.height - 1)) == (255, 255, 255)


@pytest.mark.parametrize("option", [["--gif", "a.gif"], ["--sheet", "a.png"], ["--png", "p"]])
def test_nothing_is_left_half_written(capsys, monkeypatch, folder, option):
    def full(*args):
        raise OSError(28, os.strerror(28))

    (folder / "p").mkdir()
    monkeypatch.setattr(os, "replace", full)
    assert fault(capsys, "valleys.npy", "--step", "0", *option).endswith(os.strerror(28))
    assert files(folder) == ["p", "valleys.npy"]
    assert files(folder / "p") == []


def test_an_animation_that_fails_leaves_the_old_one(monkeypatch, folder):
    (folder / "a.gif").write_text("old")
    monkeypatch.setattr("pytopo.plot.walk.step_figure", None)
    with pytest.raises(TypeError):
        main(["explain", "valleys.npy", "--gif", "a.gif"])
    assert (folder / "a.gif").read_text() == "old"


# ---- faults ------------------------------------------------------------------------------


def test_a_large_image_is_refused_and_a_part_proposed(capsys):
    np.save("large.npy", np.zeros((100, 200)))
    assert fault(capsys, "large.npy") == (
        "large.npy: 100 x 200 pixels are 79401 cells, too many to explain one by one; expected "
        "at most 400; take a part, like [0:5, 0:5]"
    )


def test_nan_is_refused_and_located(capsys):
    np.save("nan.npy", np.array([[0, np.nan]]))
    line = fault(capsys, "nan.npy")
    assert line == "nan.npy: image[0, 1] is NaN; a filtration needs ordered values"


def test_a_missing_file_is_named(capsys):
    assert fault(capsys, "no.png").startswith("no.png: no such file")


def test_a_step_that_is_not_there_is_refused(capsys):
    line = fault(capsys, "valleys.npy", "--step", "6")
    assert line == "--step 6: there are the steps 0 to 5"


def test_more_steps_than_fit_on_a_sheet_are_refused_before_they_are_drawn(capsys, monkeypatch):
    monkeypatch.setattr("pytopo.plot.walk.step_figure", None)
    np.save("larger.npy", np.zeros((6, 6)))
    assert fault(capsys, "larger.npy", "--sheet", "a.png") == (
        "a.png: 122 steps; at most 100 fit on a sheet, so take --by pixel or a smaller part of "
        "the image"
    )


def test_places_are_checked_before_the_work(capsys, monkeypatch, folder):
    monkeypatch.setattr("pytopo.images.image.open_image", None)
    missing = f"there is no folder {folder}/no; create it first"
    for option, path in (("--gif", "no/a.gif"), ("--sheet", "no/a.png"), ("--png", "no/p")):
        assert fault(capsys, "valleys.npy", option, path) == f"{path}: {missing}"
    line = fault(capsys, "valleys.npy", "--png", "valleys.npy")
    assert line == "valleys.npy: a file; --png requires a folder"


def test_an_impossible_line_is_a_usage_error(capsys):
    assert usage_error(capsys, "--gif", "a.png") == (
        "argument --gif: 'a.png'; expected a name that ends in .gif"
    )
    assert usage_error(capsys, "--sheet", "a.gif").endswith("expected a name that ends in .png")
    assert usage_error(capsys, "--seconds", "0").endswith(
        "0; expected seconds, from 0.02 to 60"
    )
    assert usage_error(capsys, "--step", "-1").startswith("argument --step: ")
    assert usage_error(capsys, "--by", "voxel").startswith("argument --by: invalid choice")
    assert usage_error(capsys, "a.png", "--sheet", "a.png") == "a.png would overwrite IMAGE"


def test_the_image_of_the_lessons_is_that_of_the_documents():
    assert sorted(np.ravel(LESSON)) == list(range(1, 26))
    assert walkthrough(LESSON).diagram().points(1).tolist() == [[10, 19]]
