"""The command line: through ``main(argv)``, and as a process where that is the point."""

import errno
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

import pytopo
from pytopo.cli import example, report
from pytopo.cli.diagram import ALGORITHMS
from pytopo.cli.files import figure_name
from pytopo.cli.main import build_parser, main
from pytopo.stacks import ALGORITHMS as KNOWN_ALGORITHMS

RING = np.array([[0, 0, 0], [0, 9, 0], [0, 0, 0.0]])

TABLE = """\
1 component and 1 hole: all are shown

ring.npy: 3 x 3 pixels, values 0 to 9
sublevel, construction V

dim  number  stand out  essential
  0       1          1          1  components
  1       1          1          0  holes

most persistent: 2 of 2; pixels as (row, column)
dim  birth  death  persistence  birth pixel  death pixel
  0      0    inf          inf         0, 0        never
  1      0      9            9         2, 2         1, 1
"""

NOTICE = "compiling the kernels (first run only) ...\n"

needs_jit = pytest.mark.skipif(
    os.environ.get("NUMBA_DISABLE_JIT", "0") != "0", reason="nothing is compiled"
)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty current folder, but for one image."""
    monkeypatch.chdir(tmp_path)
    np.save("ring.npy", RING)
    return tmp_path


@pytest.fixture
def figures(monkeypatch):
    """The figures that are saved, in place of the time it takes to draw them."""
    saved = []
    monkeypatch.setattr(Figure, "savefig", lambda self, *args, **options: saved.append(self))
    return saved


def captured(capsys):
    """stdout and stderr, without the line that comes if this test is the first to compile."""
    out, err = capsys.readouterr()
    return out, err.replace(NOTICE, "")


def files(folder):
    return sorted(path.name for path in folder.iterdir())


def run_process(*argv, **options):
    command = [sys.executable, "-m", "pytopo.cli", *argv]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, **options)


def python(code):
    """Run a program and return the last line that it prints."""
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
    return done.stdout.splitlines()[-1]


# ---- the table ---------------------------------------------------------------------------


def test_the_table_counts_and_lists(capsys):
    assert main(["diagram", "ring.npy", "--no-plot"]) == 0
    out, err = captured(capsys)
    assert out == TABLE
    assert err == ""


def test_the_command_runs_as_a_process():
    done = run_process("diagram", "ring.npy", "--no-plot")
    assert (done.returncode, done.stdout, done.stderr.replace(NOTICE, "")) == (0, TABLE, "")


def test_options_are_obeyed_and_said(capsys):
    argv = ["--superlevel", "--construction", "T", "--frame=-1", "--min-persistence", "0.5"]
    assert main(["diagram", "ring.npy", "--no-plot", "--dims", "0", *argv]) == 0
    assert captured(capsys)[0] == (
        "1 component stands out at a persistence of 0.5; none is below\n"
        "\n"
        "ring.npy: 3 x 3 pixels, values 0 to 9\n"
        "superlevel, construction T, frame -1\n"
        "\n"
        "dim  number  stand out  essential\n"
        "  0       1          1          1  components\n"
        "\n"
        "most persistent: 1 of 1; pixels as (row, column)\n"
        "dim  birth  death  persistence  birth pixel  death pixel\n"
        "  0      9   -inf          inf         1, 1        never\n"
    )


def test_min_persistence_is_the_cut_of_the_table_and_of_the_data(capsys):
    argv = ["diagram", "ring.npy", "--no-plot", "--csv", "a.csv", "--min-persistence"]
    for value, line, rows in (
        ("9", "1 component and 1 hole stand out at a persistence of 9; none is below", 2),
        ("9.5", "1 component stands out at a persistence of 9.5; 1 is below", 1),
    ):
        assert main([*argv, value]) == 0
        out = captured(capsys)[0]
        assert out.splitlines()[0] == line
        assert "most persistent: 2 of 2;" in out
        assert len(pytopo.Diagram.load("a.csv")) == rows


def test_top_says_how_many_are_listed_and_stand_out(capsys):
    assert main(["diagram", "ring.npy", "--no-plot", "--top", "1"]) == 0
    first, *rest = captured(capsys)[0].splitlines()
    assert first == "1 component with infinite persistence; 1 is below"
    assert rest[5:] == [
        "  0       1          1          1  components",
        "  1       1          0          0  holes",
        "",
        "most persistent: 1 of 2; pixels as (row, column)",
        *TABLE.splitlines()[-3:-1],
    ]
    assert main(["diagram", "ring.npy", "--no-plot", "--top", "0"]) == 0
    assert captured(capsys)[0].endswith("birth pixel  death pixel\n")


def test_features_of_a_volume_have_their_own_names_and_planes(capsys):
    np.save("ball.npy", np.pad(np.full((1, 1, 1), 0.123456789), 1))
    assert main(["diagram", "ball.npy", "--no-plot", "--dims", "1,2"]) == 0
    assert captured(capsys)[0].splitlines()[5:] == [
        "dim  number  stand out  essential",
        "  1       0          0          0  tunnels",
        "  2       1          1          0  voids",
        "",
        "most persistent: 1 of 1; pixels as (plane, row, column)",
        "dim  birth     death  persistence  birth pixel  death pixel",
        "  2      0  0.123457     0.123457      2, 2, 2      1, 1, 1",
    ]


def test_integers_stay_in_their_own_units_unless_they_are_to_be_scaled(capsys):
    Image.fromarray(RING.astype(np.uint8) * 17).save("ring.png")
    for options, largest in (([], "153"), (["--raw"], "153"), (["--no-raw"], "0.6")):
        main(["diagram", "ring.png", "--no-plot", "--csv", "a.csv", *options])
        assert f", values 0 to {largest}\n" in captured(capsys)[0]
        assert pytopo.Diagram.load("a.csv").death.max(where=[False, True], initial=0) == (
            pytest.approx(float(largest))
        )


def test_the_first_line_says_what_stands_out_and_where_the_cut_comes_from(capsys):
    hills = np.zeros((9, 41))
    hills[2::4, 2::4] = np.linspace(80, 120, 20).reshape(2, 10)
    hills[1::4, 4::4] += np.linspace(0.1, 3, 20).reshape(2, 10)
    np.save("hills.npy", hills)
    assert main(["diagram", "hills.npy", "--no-plot"]) == 0
    assert captured(capsys)[0].splitlines()[:2] == [
        "20 holes and 1 component stand out at a persistence of 40; 18 are below",
        "a suggestion, by a gap in the persistences; --min-persistence or --top changes it",
    ]
    assert main(["diagram", "hills.npy", "--no-plot", "--top", "3"]) == 0
    assert captured(capsys)[0].splitlines()[:2] == [
        "2 holes and 1 component stand out at a persistence of 117; 36 are below",
        "",
    ]
    np.save("even.npy", np.minimum(hills, 80))
    assert main(["diagram", "even.npy", "--no-plot", "--top", "3"]) == 0
    assert captured(capsys)[0].splitlines()[0] == (
        "20 holes and 1 component stand out at a persistence of 80; 18 are below; "
        "3 of 21 are marked"
    )
    slope = np.zeros((1, 101))
    slope[0, 1::2] = np.geomspace(1, 50, 50)
    np.save("slope.npy", slope)
    assert main(["diagram", "slope.npy", "--no-plot", "--dims", "0"]) == 0
    assert captured(capsys)[0].splitlines()[:2] == [
        "no gap between large and small persistences; the largest, from 25 on, are "
        "10 components; 41 are below",
        "--min-persistence or --top says what to show instead, --smooth removes noise",
    ]


def test_smooth_filters_before_everything_and_is_said(capsys, figures):
    from scipy.ndimage import gaussian_filter

    grey = np.random.default_rng(0).integers(0, 255, (20, 30), np.uint8)
    np.save("grey.npy", grey)
    assert main(["diagram", "grey.npy", "--smooth", "1.5", "--npz", "a.npz"]) == 0
    expected = gaussian_filter(grey.astype(np.float32), 1.5)
    assert pytopo.Diagram.load("a.npz") == pytopo.persistence(expected)
    picture = figures[0].axes[0]
    assert picture.get_title() == "20 x 30 pixels, smoothed (Gaussian, sigma 1.5)"
    assert np.array_equal(picture.images[0].get_array(), expected.astype(float))
    span = f"values {expected.min():.6g} to {expected.max():.6g}"
    assert f"20 x 30 pixels, smoothed (Gaussian, sigma 1.5), {span}\n" in captured(capsys)[0]


def test_what_cannot_be_smoothed_is_refused(capsys):
    np.save("open.npy", np.array([[0, np.inf], [1, 2]]))
    np.save("nan.npy", np.array([[0, np.nan]]))
    assert fault(capsys, "open.npy", "--smooth", "1") == (
        "open.npy: holds infinite values; --smooth takes finite ones only"
    )
    assert fault(capsys, "nan.npy", "--smooth", "1").startswith("nan.npy: image[0, 1] is NaN")
    assert fault(capsys, "ring.npy", "--smooth", "1e9") == (
        "ring.npy: --smooth 1e+09 is more than the sides of 3 x 3 pixels"
    )


def test_what_was_done_to_the_image_is_said_on_stderr(capsys):
    Image.new("RGB", (4, 3), "white").save("white.png")
    assert main(["diagram", "white.png", "--no-plot"]) == 0
    assert captured(capsys)[1] == ("white.png: RGB colour turned to luminance (ITU-R 601)\n")


@pytest.mark.parametrize(
    "argv", [["--frame", "--no-plot", "ring.npy"], ["ring.npy", "--frame"]]
)
def test_a_frame_without_value_has_that_of_the_earliest_pixel(capsys, argv):
    assert main(["diagram", "--no-plot", *argv]) == 0
    assert "construction V, frame 0\n" in captured(capsys)[0]


@pytest.mark.parametrize("frame", [["--frame", "2.5"], ["--frame=2.5"]])
def test_a_frame_may_have_a_value(capsys, frame):
    assert main(["diagram", *frame, "ring.npy", "--no-plot"]) == 0
    assert "construction V, frame 2.5\n" in captured(capsys)[0]


def test_the_command_knows_all_algorithms_and_passes_them_and_threads_on(monkeypatch):
    asked = []

    def persistence_batch(*args, **options):
        asked.append((options["algorithm"], options["threads"]))
        return compute(*args, **options)

    compute = pytopo.persistence_batch
    monkeypatch.setattr("pytopo.pairing.persistence_batch", persistence_batch)
    assert ALGORITHMS == KNOWN_ALGORITHMS
    for name in ALGORITHMS:
        assert main(["diagram", "ring.npy", "--no-plot", "--algorithm", name]) == 0
    assert main(["diagram", "ring.npy", "--no-plot", "--threads", "3"]) == 0
    assert asked == [*((name, None) for name in ALGORITHMS), ("auto", 3)]


# ---- the figure --------------------------------------------------------------------------


def test_the_figure_is_written_to_the_current_folder(folder, capsys):
    (folder / "in").mkdir()
    np.save("in/ring.npy", RING)
    assert main(["diagram", "in/ring.npy"]) == 0
    assert files(folder) == ["in", "ring.diagram.png", "ring.npy"]
    assert captured(capsys)[1] == "wrote ring.diagram.png\n"
    with Image.open("ring.diagram.png") as picture:
        assert picture.size == (1650, 870)
        assert np.asarray(picture.convert("L")).std() > 10


@pytest.mark.parametrize(
    ("kind", "start"), [("SVG", b"<?xml"), ("pdf", b"%PDF"), ("png", b"\x89PNG")]
)
def test_the_ending_says_the_kind_of_figure(folder, kind, start):
    assert main(["diagram", "ring.npy", "-o", f"figure.{kind}"]) == 0
    assert (folder / f"figure.{kind}").read_bytes().startswith(start)
    assert files(folder) == [f"figure.{kind}", "ring.npy"]


def test_the_figure_shows_image_and_diagram(figures):
    np.save("hills.npy", [[0.0, 5, 2, 3, 1]])  # two of them
    assert main(["diagram", "hills.npy", "--superlevel", "--top", "1"]) == 0
    (figure,) = figures
    image, diagram = figure.axes
    assert figure.get_suptitle() == "hills.npy"
    assert image.get_title() == "1 x 5 pixels"
    assert image.images[0].get_array().tolist() == [[0, 5, 2, 3, 1]]
    assert [text.get_text() for text in figure.texts[:1]] == [
        "1 component with infinite persistence; 1 is below"
    ]
    assert diagram.get_title() == "superlevel, construction V"
    assert diagram.get_ylabel() == "death (threshold falls)"
    assert sum(len(points.get_offsets()) for points in diagram.collections) == 2


def titles(figure):
    return [ax.get_title() for ax in figure.axes]


def test_the_figure_of_a_volume_shows_three_sections_and_the_diagram(figures):
    volume = np.full((5, 6, 7), 9.0)
    volume[3, 2, 1], volume[1, 1, 1] = 1, 0
    np.save("volume.npy", volume)
    assert main(["diagram", "volume.npy", "--top", "1"]) == 0
    (figure,) = figures
    heading = "5 x 6 x 7 pixels\nsublevel, construction V"
    assert titles(figure) == ["plane 3", "row 2", "column 1", heading]
    plane, _, _, diagram = figure.axes
    assert plane.images[0].get_array().tolist() == volume[3].tolist()
    assert sum(len(marks.get_offsets()) for marks in plane.collections) == 1
    assert diagram.get_xlabel() == "birth"


def test_at_chooses_the_voxel_of_the_sections(figures):
    np.save("volume.npy", np.arange(24.0).reshape(4, 2, 3))
    assert main(["diagram", "volume.npy", "--at", "3,0,2"]) == 0
    assert titles(figures[0])[:3] == ["plane 3", "row 0", "column 2"]


def test_sections_of_a_tiff_stack_and_of_hdf5_are_drawn(folder, capsys):
    import h5py

    volume = np.random.default_rng(0).integers(0, 255, (4, 6, 5), np.uint8)
    first, *others = map(Image.fromarray, volume)
    first.save("stack.tif", save_all=True, append_images=others)
    with h5py.File("vol.h5", "w") as file:
        file["volumes/raw"] = volume
    assert main(["diagram", "stack.tif", "--at", "0,5,4", "-o", "a.png"]) == 0
    assert main(["diagram", "vol.h5:/volumes/raw", "--at", "0,5,4", "-o", "b.png"]) == 0
    one, other = (np.asarray(Image.open(name)) for name in ("a.png", "b.png"))
    assert one.shape == (960, 1875, 4)
    assert np.array_equal(one[120:], other[120:])  # all but the name
    assert "4 x 6 x 5 pixels" in captured(capsys)[0]


@pytest.mark.parametrize(
    ("image", "name"),
    [
        ("cells.png", "cells"),
        ("a/b.c/cells.v2.tif", "cells.v2"),
        ("stack.tif[3]", "stack-3"),
        ("d/vol.h5:/volumes/raw[3]", "vol-volumes-raw-3"),
        ("vol.h5:raw[0:8, ..., ::2]", "vol-raw-0-8-...-2"),
        ("vol.h5:../../etc", "vol-etc"),
        (None, "example"),
    ],
)
def test_the_figure_is_named_after_the_image(image, name):
    assert figure_name(image) == name


def test_a_file_with_brackets_in_its_name_keeps_them(folder):
    Path("a[1]:b.npy").write_bytes(Path("ring.npy").read_bytes())
    assert main(["diagram", "a[1]:b.npy"]) == 0
    assert "a[1]:b.diagram.png" in files(folder)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    "name", ["$a_{b$.npy", "日本.npy", "x" * 100 + ".npy", "two\nlines.npy"]
)
def test_any_file_name_can_be_a_title(folder, capsys, name):
    Path("ring.npy").rename(name)
    assert main(["diagram", name]) == 0
    assert len(files(folder)) == 2
    out, err = captured(capsys)
    assert len(out.splitlines()) == len(TABLE.splitlines())
    assert len(err.splitlines()) == 1


# ---- data --------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["csv", "json", "npz"])
def test_data_is_written_as_the_diagram_saves_it(folder, capsys, kind):
    assert main(["diagram", "ring.npy", f"--{kind}", f"out.{kind}", "--no-plot"]) == 0
    assert captured(capsys) == (TABLE, f"wrote out.{kind}\n")
    assert files(folder) == [f"out.{kind}", "ring.npy"]
    assert pytopo.Diagram.load(f"out.{kind}") == pytopo.persistence(RING)


def test_data_on_stdout_is_all_that_is_there(folder, capsysbinary):
    d = pytopo.persistence(RING)
    for kind in ("csv", "json", "npz"):
        assert main(["diagram", "ring.npy", f"--{kind}", "-"]) == 0
        out, err = capsysbinary.readouterr()
        err = err.replace(NOTICE.encode(), b"")
        Path(f"out.{kind}").write_bytes(out)
        assert pytopo.Diagram.load(f"out.{kind}") == d
        assert err == b""
    assert files(folder) == ["out.csv", "out.json", "out.npz", "ring.npy"]  # and no figure


def test_csv_on_stdout_is_a_table_for_other_programs():
    done = run_process("diagram", "ring.npy", "--csv", "-")
    header, *lines = done.stdout.splitlines()
    assert header.startswith("# pytopo diagram {")
    assert json.loads(header.removeprefix("# pytopo diagram "))["shape"] == [3, 3]
    table = np.genfromtxt(io.StringIO("\n".join(lines)), delimiter=",", names=True)
    assert table["death"].tolist() == [np.inf, 9]
    assert table["birth_row"].tolist() == [0, 2]


def test_with_data_on_stdout_the_figure_is_written_on_request(folder, capsys):
    assert main(["diagram", "ring.npy", "--json", "-", "-o", "a.png", "--csv", "a.csv"]) == 0
    out, err = captured(capsys)
    assert json.loads(out)["birth_pixel"] == [0, 8]
    assert err == "wrote a.png\nwrote a.csv\n"
    assert files(folder) == ["a.csv", "a.png", "ring.npy"]


# ---- pipes -------------------------------------------------------------------------------


@pytest.mark.parametrize("argv", [["--csv", "-"], ["--npz", "-"], ["--no-plot"]])
def test_a_reader_that_goes_away_is_no_fault(argv):
    command = [sys.executable, "-m", "pytopo.cli", "diagram", "ring.npy", *argv]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        process.stdout.close()
        err = process.stderr.read().replace(NOTICE, "")
    assert (process.returncode, err) == (0, "")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")
@pytest.mark.parametrize("argv", [["--csv", "-"], ["--npz", "-"], ["--no-plot"]])
def test_a_full_stdout_is_one_line_and_status_1(argv):
    command = [sys.executable, "-m", "pytopo.cli", "diagram", "ring.npy", *argv]
    with open("/dev/full", "w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1
    assert done.stderr.replace(NOTICE, "") == (
        f"pytopo diagram: stdout: {os.strerror(errno.ENOSPC)}\n"
    )


def test_closed_streams_stop_nothing(folder):
    command = f"{sys.executable} -m pytopo.cli diagram ring.npy --csv a.csv --no-plot >&- 2>&-"
    assert subprocess.run(command, shell=True).returncode == 0
    assert files(folder) == ["a.csv", "ring.npy"]


def test_a_progress_bar_needs_no_stderr(folder):
    command = f"{sys.executable} -m pytopo.cli synth v.h5 --sections 2 --size 32 2>&-"
    assert subprocess.run(command, shell=True, timeout=100).returncode == 0
    assert files(folder) == ["ring.npy", "v.h5"]


def test_talk_does_not_go_to_stdout_where_stderr_is_closed():
    command = f"{sys.executable} -m pytopo.cli diagram ring.npy --csv a.csv --json - 2>&-"
    done = subprocess.run(command, shell=True, stdout=subprocess.PIPE, text=True)
    assert done.returncode == 0
    assert json.loads(done.stdout)["dim"] == [0, 1]


# ---- the input is at fault: status 1 and one line ------------------------------------------


def fault(capsys, *argv):
    """Run, see that it fails as it should, and return the line without its beginning."""
    assert main(["diagram", *argv]) == 1
    out, err = captured(capsys)
    assert out == ""
    assert err.count("\n") == 1
    assert err.startswith("pytopo diagram: ")
    return err.removeprefix("pytopo diagram: ").rstrip("\n")


def test_a_missing_file_is_named(capsys):
    assert fault(capsys, "no.png").startswith("no.png: no such file")


def test_a_folder_is_no_image(capsys):
    assert fault(capsys, ".").startswith(".: a directory")


def test_a_text_file_is_no_image(capsys):
    Path("text.png").write_text("hello")
    assert fault(capsys, "text.png").startswith("text.png: ")


def test_complex_numbers_are_refused(capsys):
    np.save("complex.npy", np.zeros((2, 2), complex))
    assert fault(capsys, "complex.npy").startswith("complex.npy: holds dtype complex128")


def test_nan_is_refused_and_located(capsys):
    np.save("nan.npy", np.array([[0, np.nan]]))
    line = fault(capsys, "nan.npy")
    assert line == "nan.npy: image[0, 1] is NaN; a filtration needs ordered values"


def test_a_dimension_that_the_image_has_not_is_refused(capsys):
    line = fault(capsys, "ring.npy", "--dims", "0,2")
    assert line == "ring.npy: an image of 2 axes has no dimension 2; expected some of 0, 1"


def test_a_voxel_that_the_image_has_not_is_refused_before_the_work(capsys, monkeypatch, folder):
    np.save("volume.npy", np.zeros((4, 2, 3)))
    monkeypatch.setattr("pytopo.pairing.persistence_batch", None)
    assert fault(capsys, "ring.npy", "--at", "1,1,1") == (
        "ring.npy: an image of 2 axes has no sections; leave out --at"
    )
    assert fault(capsys, "volume.npy", "--at", "3,2,2") == (
        "volume.npy: 4 x 2 x 3 pixels have no voxel 3,2,2; expected --at 0,0,0 to 3,1,2"
    )
    assert files(folder) == ["ring.npy", "volume.npy"]


def test_what_does_not_fit_in_memory_is_refused(capsys, monkeypatch):
    def exhausted(*args, **options):
        raise MemoryError

    monkeypatch.setattr("pytopo.pairing.persistence_batch", exhausted)
    line = fault(capsys, "ring.npy")
    assert line.startswith("ring.npy: not enough memory for the diagram of 3 x 3 pixels; ")


@pytest.mark.parametrize("command", ["diagram", "loss", "match"])
def test_an_image_whose_diagram_does_not_fit_is_refused_before_it_is_read(
    capsys, monkeypatch, command
):
    np.save("plane.npy", np.zeros((2000, 3000), np.uint8))
    np.save("volume.npy", np.zeros((30, 40, 500), np.uint8))
    monkeypatch.setattr("pytopo.images.readers.memory.free_memory", lambda: 30_000_000)
    for name, size, part in (
        ("plane.npy", "2000 x 3000 pixels may take 0.2 GB", "[0:1000, 0:1000]"),
        ("volume.npy", "30 x 40 x 500 pixels may take 67 MB", "[0:30, 0:40, 0:100]"),
    ):
        again = [name] if command != "diagram" else []
        assert main([command, name, *again]) == 1
        assert capsys.readouterr().err == (
            f"pytopo {command}: {name}: the diagram of {size}, and 30 MB of memory are left; "
            f"take a part, like '{name}{part}', or allow more by --memory 1G\n"
        )
    assert main([command, "plane.npy[:1900]", *(["ring.npy"] if again else [])]) == 1
    line = capsys.readouterr().err
    assert line.endswith("take a smaller part, or allow more by --memory 1G\n")


@pytest.mark.parametrize("option", [["-o", "no/a.png"], ["--csv", "no/a.csv"]])
def test_a_missing_folder_is_found_out_before_the_work(capsys, monkeypatch, folder, option):
    monkeypatch.setattr("pytopo.pairing.persistence_batch", None)
    line = fault(capsys, "ring.npy", *option)
    assert line == f"{option[1]}: there is no folder {folder}/no; create it first"


def test_a_folder_cannot_be_written_to_as_a_file(capsys, folder):
    (folder / "a.png").mkdir()
    assert fault(capsys, "ring.npy", "-o", "a.png") == "a.png: a folder; name a file in it"


def test_a_folder_that_cannot_be_written_to_is_named(capsys, monkeypatch, folder):
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK)
    line = fault(capsys, "ring.npy")
    assert line == (
        f"ring.diagram.png: no permission to write in {folder}; name a file elsewhere"
    )


@pytest.mark.parametrize("option", [["-o", "a.png"], ["--csv", "a.png", "--no-plot"]])
def test_nothing_is_left_half_written(capsys, monkeypatch, folder, option):
    def full(*args):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), ".a.png.1.part")

    Path("a.png").write_text("as it was")
    monkeypatch.setattr(os, "replace", full)
    line = fault(capsys, "ring.npy", *option)
    assert line == f"a.png: {os.strerror(errno.ENOSPC)}"
    assert files(folder) == ["a.png", "ring.npy"]
    assert Path("a.png").read_text() == "as it was"


# ---- the command line is at fault: status 2 ------------------------------------------------


@pytest.mark.parametrize(
    ("argv", "reason"),
    [
        (["--quiet"], "the following arguments are required: COMMAND"),
        (["digram"], "invalid choice: 'digram'"),
        (["diagram", "--super"], "unrecognized arguments: --super"),
        (["diagram", "a", "b"], "unrecognized arguments: b"),
        (
            ["diagram", "--frame", "ring.npy"],
            "'ring.npy' is not a number (an IMAGE goes before",
        ),
        (["diagram", "--frame=nan"], "'nan' is not a number"),
        (["diagram", "--construction", "X"], "invalid choice: 'X'"),
        (["diagram", "--algorithm", "X"], "invalid choice: 'X'"),
        (["diagram", "--dims", "0,3"], "'0,3'; expected some of 0, 1, 2, like 0,1"),
        (["diagram", "--dims", ""], "''; expected some of 0, 1, 2"),
        (["diagram", "--min-persistence", "-1"], "-1; expected a number of at least 0"),
        (["diagram", "--min-persistence", "nan"], "'nan' is not a number"),
        (["diagram", "--smooth", "0"], "0; expected a number of pixels greater than 0"),
        (["diagram", "--smooth", "inf"], "inf; expected a number of pixels greater than 0"),
        (["diagram", "--top", "-1"], "'-1'; expected a whole number, at least 0"),
        (["diagram", "--threads", "0"], "'0'; expected a whole number, at least 1"),
        (["diagram", "--at", "1,2"], "'1,2'; expected three whole numbers, like 12,40,77"),
        (["diagram", "--at", "1,2,x"], "'1,2,x'; expected three whole numbers"),
        (["diagram", "--at=-1,2,3"], "'-1,2,3'; expected three whole numbers"),
        (["diagram", "--at", "1,2,3", "--no-plot"], "--at says what the figure shows, but no"),
        (["diagram", "--at", "1,2,3", "--csv", "-"], "--at says what the figure shows, but no"),
        (
            ["diagram", "-o", "a.jpg"],
            "'a.jpg' names no kind of figure; expected an ending .png",
        ),
        (["diagram", "-o", "a.png", "--no-plot"], "--no-plot and --output exclude each other"),
        (["diagram", "--csv", "-", "--npz", "-"], "--csv and --npz: stdout takes only one"),
        (["diagram", "--csv", "a", "--json", "./a"], "a would be written twice"),
        (["diagram", "ring.npy", "--csv", "./ring.npy"], "./ring.npy would overwrite IMAGE"),
        (["diagram", "ring.npy[0]", "--csv", "ring.npy"], "ring.npy would overwrite IMAGE"),
        (["diagram", "ring.npy:a", "--csv", "ring.npy"], "ring.npy would overwrite IMAGE"),
    ],
)
def test_a_wrong_command_line_has_status_2(capsys, folder, argv, reason):
    with pytest.raises(SystemExit, match=r"^2$"):
        main(argv)
    out, err = captured(capsys)
    assert out == ""
    assert err.startswith("usage: pytopo")
    assert reason in err.splitlines()[-1]
    assert files(folder) == ["ring.npy"]


# ---- neither: bugs, interrupts -------------------------------------------------------------


@pytest.mark.parametrize("error", [ValueError, TypeError, OSError, RuntimeError])
@pytest.mark.parametrize("place", ["pytopo.pairing.persistence_batch", "pytopo.plot.diagram"])
def test_a_bug_keeps_its_traceback(monkeypatch, error, place):
    def broken(*args, **options):
        raise error("a bug")

    monkeypatch.setattr(place, broken)
    with pytest.raises(error, match="a bug"):
        main(["diagram", "ring.npy"])


def test_an_interrupt_is_one_line(capsys, monkeypatch, folder):
    def interrupted(*args, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("pytopo.pairing.persistence_batch", interrupted)
    assert main(["diagram", "ring.npy"]) == 130
    assert captured(capsys) == ("", "pytopo diagram: interrupted\n")
    assert files(folder) == ["ring.npy"]


# ---- Numba -------------------------------------------------------------------------------


FEW_KERNELS = ("diagram", "ring.npy", "--no-plot", "--algorithm", "reduction")


@needs_jit
def test_compiling_is_said_once_and_only_when_it_happens(folder):
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(folder / "cache")}
    first = run_process(*FEW_KERNELS, env=environment)
    second = run_process(*FEW_KERNELS, env=environment)
    assert (first.returncode, first.stdout, first.stderr) == (0, TABLE, NOTICE)
    assert (second.returncode, second.stdout, second.stderr) == (0, TABLE, "")


@needs_jit
def test_where_numba_cannot_keep_its_cache_that_is_said_in_one_line():
    # This locator serves notebooks only, so none is left for a file.
    environment = {**os.environ, "NUMBA_CACHE_LOCATOR_CLASSES": "IPythonCacheLocator"}
    done = run_process(*FEW_KERNELS, env=environment)
    assert (done.returncode, done.stdout) == (0, TABLE)
    assert done.stderr == (
        "Numba finds no folder that it can write its cache to, so kernels are compiled in "
        "memory, anew in each process; set NUMBA_CACHE_DIR to a folder that can be written\n"
    )


# ---- light imports -------------------------------------------------------------------------

HEAVY = ("numpy", "numba", "scipy", "torch", "matplotlib", "h5py", "PIL")


def heavy_modules_of(*argv):
    """Import the command in a fresh process, run it, and list what heavy came along."""
    return python(
        "import sys; from pytopo.cli.main import main\n"
        f"try: main({list(argv)})\n"
        "except SystemExit: pass\n"
        f"print('\\nmodules', *[name for name in {HEAVY} if name in sys.modules])"
    ).split()[1:]


@pytest.mark.parametrize("argv", [["--help"], ["diagram", "--help"], ["diagram", "--top", "x"]])
def test_what_needs_no_image_imports_nothing_heavy(argv):
    assert heavy_modules_of(*argv) == []


def test_with_an_image_there_is_something_to_notice():
    heavy = heavy_modules_of("diagram", "ring.npy", "--csv", "-", "-o", "a.png")
    assert {"numpy", "numba", "matplotlib"} <= set(heavy)
    assert "torch" not in heavy


def test_without_a_figure_matplotlib_is_not_imported():
    assert "matplotlib" not in heavy_modules_of("diagram", "ring.npy", "--no-plot")


# ---- help ----------------------------------------------------------------------------------


def test_help_lists_the_commands(capsys):
    with pytest.raises(SystemExit, match=r"^0$"):
        main(["--help"])
    out = captured(capsys)[0]
    assert out.startswith("usage: pytopo [-h] [--version] COMMAND ...\n")
    names = re.findall(r"^    (\S+)", out, re.MULTILINE)
    assert names == [
        "diagram", "explain", "loss", "match", "evaluate", "synth", "train", "predict", "clean",
        "experiment", "nnunet-path", "bench",
    ]  # fmt: skip


def test_an_empty_line_gets_the_help(capsys):
    for argv in (["--help"], []):
        with pytest.raises(SystemExit, match=r"^0$"):
            main(argv)
    shown, again = capsys.readouterr().out.split("usage: ")[1:]
    assert shown == again


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")
@pytest.mark.parametrize("argv", [["--help"], ["diagram", "--help"], ["--version"]])
def test_help_that_does_not_arrive_is_no_success(argv):
    with open("/dev/full", "w") as full:
        command = [sys.executable, "-m", "pytopo.cli", *argv]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1
    assert done.stderr == f"pytopo: stdout: {os.strerror(errno.ENOSPC)}\n"


def test_help_of_diagram_names_every_option_and_how_to_write_an_image(capsys):
    with pytest.raises(SystemExit, match=r"^0$"):
        main(["diagram", "--help"])
    out = captured(capsys)[0]
    for word in (
        "file.h5:/volumes/raw",
        "--frame=VALUE",
        "NAME.diagram.png",
        "--min-persistence",
        "--at PLANE,ROW,COLUMN",
    ):
        assert word in out


def test_version(capsys):
    with pytest.raises(SystemExit, match=r"^0$"):
        main(["--version"])
    assert captured(capsys)[0] == f"pytopo {pytopo.__version__}\n"


def test_the_parser_can_be_built_without_running_anything():
    args = build_parser().parse_args(["diagram", "a.png", "--dims", "1,0,1", "--frame"])
    assert (args.image, args.dims, args.frame, args.top) == ("a.png", (0, 1), True, None)


# ---- the built-in example --------------------------------------------------------------------


def test_without_image_the_example_is_used_and_explained(capsys, monkeypatch, folder):
    small = example.likelihood_map(32)
    monkeypatch.setattr(example, "likelihood_map", lambda: small)
    assert main(["diagram"]) == 0
    out, err = captured(capsys)
    assert "\n\nexample: 32 x 32 pixels, values 0." in out
    assert err.splitlines()[0].startswith("no IMAGE: this is the built-in example")
    assert "a cell is a component (dim 0)" in err
    assert files(folder) == ["example.diagram.png", "ring.npy"]
    assert main(["diagram", "--superlevel", "--no-plot"]) == 0
    assert "a loop of membrane is a hole (dim 1)" in captured(capsys)[1]


def test_the_example_is_a_likelihood_map_of_cells_behind_membranes():
    from scipy.ndimage import label

    likelihood = example.likelihood_map()
    assert likelihood.dtype == np.float32
    assert 0 <= likelihood.min() < 0.1
    assert 0.9 < likelihood.max() <= 1
    assert np.array_equal(likelihood, example.likelihood_map())
    cells, _ = label(likelihood < 0.4)
    large = np.bincount(cells.ravel())[1:] > 400
    assert 20 <= large.sum() <= 60


@needs_jit
def test_the_example_has_a_point_for_each_cell():
    d = pytopo.persistence(example.likelihood_map(), dims=0)
    assert 20 <= len(d.select(min_persistence=0.25)) <= 60
    assert len(d.select(min_persistence=0.1)) < len(d.select(min_persistence=0.25)) + 30


# ---- report ----------------------------------------------------------------------------------


def test_an_error_of_the_system_names_its_file():
    with (
        pytest.raises(report.InputError, match=r"^a\.h5: Input/output error$"),
        report.reporting_errors(),
    ):
        raise OSError(errno.EIO, "Input/output error", "a.h5")
    with (
        pytest.raises(report.InputError, match=r"^a name: wrong$"),
        report.reporting_errors("a name"),
    ):
        raise ValueError("wrong")


def test_text_is_made_fit_for_a_terminal():
    assert report.printable("a\nb\x1b[31m \udcff ∞") == r"a b?[31m \udcff ∞"
