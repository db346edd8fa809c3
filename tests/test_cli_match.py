"""``pytopo match`` by place, its figure, and what it does if the work takes long."""

import math
import os
import signal
import threading
import time

import numpy as np
import pytest
from matplotlib.figure import Figure

import pytopo
from pytopo.cli import child, matches
from pytopo.cli.child import in_child
from pytopo.cli.interrupt import GivenUp, interruptible, leave
from pytopo.cli.main import main

# By cost the valley at 1 goes to the valley that is as deep, by place to the one at 4.
FIRST = np.array([[0, 9, 1, 9, 9]]).repeat(2, 0) / 10
SECOND = np.array([[0, 9, 4, 9, 1]]).repeat(2, 0) / 10

PLACE_TABLE = """\
A  a.npy: 2 x 5 pixels, sublevel, construction V
B  b.npy: 2 x 5 pixels, sublevel, construction V
finite points; matched by place; the cost is the sum of squared
distances, as in the loss

dim  A  B  pairs  A only  B only  cost
  0  1  2      1       0       1  0.41  components
  1  0  0      0       0       0     0  holes

beside them, the essential components are matched by birth: 0 and 0, 0 apart
"""


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty current folder, but for two images."""
    monkeypatch.chdir(tmp_path)
    np.save("a.npy", FIRST)
    np.save("b.npy", SECOND)
    return tmp_path


@pytest.fixture
def figures(monkeypatch):
    """The figures that are saved, in place of the time it takes to draw them."""
    saved = []
    monkeypatch.setattr(Figure, "savefig", lambda self, *args, **options: saved.append(self))
    return saved


def match(*options):
    return main(["match", "a.npy", "b.npy", *options])


def fault(capsys, *argv):
    """The line that explains why an input is refused."""
    assert main(["match", *argv]) == 1
    (line,) = capsys.readouterr().err.splitlines()[-1:]
    return line.removeprefix("pytopo match: ")


# ---- by place ------------------------------------------------------------------------------


def test_by_place_the_valley_goes_to_the_one_in_its_place(capsys):
    assert match("--by", "place", "--no-plot") == 0
    assert capsys.readouterr().out == PLACE_TABLE  # 0.3^2 and 0.8^2 / 2
    assert match("--by", "place", "--csv", "-") == 0
    assert capsys.readouterr().out.splitlines()[1:] == [
        "0,1,0.1,0.9,1,0.4,0.9,0.09",
        "0,,,,2,0.1,0.9,0.32",
    ]


def test_by_cost_it_goes_to_the_one_that_is_as_deep(capsys):
    assert match("--csv", "-") == 0
    assert capsys.readouterr().out.splitlines()[1:] == [
        "0,1,0.1,0.9,2,0.1,0.9,0",
        "0,,,,1,0.4,0.9,0.125",
    ]


def test_a_match_of_little_persistence_is_left_out_of_both_sides(capsys):
    assert match("--by", "place", "--csv", "-", "--min-persistence", "0.6") == 0
    assert capsys.readouterr().out.splitlines()[1:] == [
        "0,1,0.1,0.9,,,,0.32",
        "0,,,,2,0.1,0.9,0.32",
    ]


def test_by_place_takes_two_images_of_one_shape(capsys):
    pytopo.persistence(FIRST).save("a.npz")
    line = fault(capsys, "a.npz", "b.npy", "--by", "place")
    assert line == "a.npz: a saved diagram, which holds no pixels; --by place takes two images"
    np.save("b.npy", SECOND[:, :4])
    line = fault(capsys, "a.npy", "b.npy", "--by", "place")
    assert line == "b.npy: 2 x 4 pixels; expected 2 x 5, as a.npy has"


def test_one_saved_diagram_leaves_the_options_to_the_image(capsys):
    pytopo.persistence(FIRST, superlevel=True).save("a.npz")
    assert main(["match", "a.npz", "b.npy", "--superlevel", "--no-plot"]) == 0
    assert "a.npz: 2 x 5 pixels, superlevel" in capsys.readouterr().out


# ---- the figure ----------------------------------------------------------------------------


def texts(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_the_figure_by_cost_shows_both_diagrams_and_is_named_after_the_first(figures, capsys):
    assert match() == 0
    assert capsys.readouterr().err.endswith("wrote a.match.png\n")
    (ax,) = figures[0].axes
    assert figures[0].get_suptitle() == "A: a.npy, B: b.npy"
    assert ax.get_title() == "matched at the least cost: 0.125\nsublevel, construction V"
    assert texts(ax)[2:] == ["A: 1", "B: 2", "matched: 1", "to the diagonal: 1"]
    pairs, first, second = (lines.get_segments() for lines in ax.collections[:3])
    assert np.allclose(pairs[0], [[0.1, 0.9], [0.1, 0.9]])
    assert len(first) == 0
    assert np.allclose(second, [[[0.4, 0.9], [0.65, 0.65]]])


def test_the_figure_by_place_shows_the_images_too(figures):
    assert match("--by", "place", "--top", "1") == 0
    first, second, diagrams = figures[0].axes
    assert first.images[0].get_array().tolist() == FIRST.tolist()
    assert second.images[0].get_array().tolist() == SECOND.tolist()
    assert [ax.get_title() for ax in (first, second)] == ["A", "B"]
    assert texts(first) == ["components (dim 0)", "matched: 1"]
    assert texts(second) == ["components (dim 0)", "matched: 1", "not matched: 1"]
    assert diagrams.get_title() == "matched by place: 0.41\nsublevel, construction V"
    (moved,) = diagrams.collections[0].get_segments()
    assert np.allclose(moved, [[0.1, 0.9], [0.4, 0.9]])


def test_the_figure_shows_what_was_matched_only(figures):
    assert match("--dims", "0", "--min-persistence", "0.6") == 0
    assert texts(figures[0].axes[0]) == [
        "components (dim 0)", "A: 1", "B: 1", "matched: 1",
    ]  # fmt: skip


def test_the_figure_of_a_volume_shows_a_section_of_each(figures):
    np.save("a.npy", np.stack([FIRST, FIRST, FIRST]))
    np.save("b.npy", np.stack([SECOND, SECOND, SECOND]))
    assert match("--by", "place", "--dims", "0") == 0
    titles = [ax.get_title() for ax in figures[0].axes]
    assert titles[:2] == ["A: section 1 of 3", "B: section 1 of 3"]


def test_a_row_has_diagrams_only(figures):
    np.save("a.npy", FIRST[0])
    np.save("b.npy", SECOND[0])
    assert match("--by", "place") == 0
    assert len(figures[0].axes) == 1


# ---- work that takes long ------------------------------------------------------------------


def test_a_diagram_against_itself_is_not_solved(capsys, monkeypatch):
    for name in ("assignment._best_pairs", "distances.costs_between"):
        monkeypatch.setattr(f"pytopo.matching.{name}", None)
    monkeypatch.setattr(matches, "SAMPLE", 0)
    np.save("a.npy", np.random.default_rng(0).random((40, 40)))
    assert main(["match", "a.npy", "a.npy", "--no-plot"]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    cells = [row for row in rows if row and row[0] in ("0", "1")]
    assert all(row[1] == row[2] == row[3] for row in cells)
    assert [row[4:9] for row in cells] == [["0"] * 5] * 2


def test_an_estimate_is_printed_before_a_large_assignment(capsys, monkeypatch):
    calls = []

    def called(function, *points, name):
        calls.append(name)
        return function(*points)

    monkeypatch.setattr(matches, "SAMPLE", 0)
    monkeypatch.setattr(matches, "seconds_to_match", lambda *points: 42)
    monkeypatch.setattr(matches, "in_child", called)
    assert match("--no-plot") == 0
    assert "dim 0: about 40 s for 1 x 2 points\n" in capsys.readouterr().err
    assert calls == ["dim 0"]
    monkeypatch.setattr(matches, "seconds_to_match", lambda *points: 1)
    assert match("--no-plot") == 0
    assert "about" not in capsys.readouterr().err
    assert calls == ["dim 0"]


def test_an_estimate_is_of_the_time_that_some_of_the_points_take(monkeypatch):
    sizes, clock = [], iter([10, 12])
    monkeypatch.setattr(matches, "matched", lambda *points: sizes.extend(map(len, points)))
    monkeypatch.setattr(matches.time, "perf_counter", lambda: next(clock))
    seconds = matches.seconds_to_match(np.zeros((4000, 2)), np.zeros((1000, 2)))
    assert sizes == [2000, 500]
    assert seconds == pytest.approx(2 * 2**2.7)


def test_what_needs_more_memory_than_there_is_is_refused_before_the_work(capsys, monkeypatch):
    monkeypatch.setattr(matches, "SAMPLE", 0)
    for name, image in (("a", FIRST), ("b", SECOND)):
        pytopo.persistence(image).save(f"{name}.csv")
    monkeypatch.setattr("pytopo.images.readers.memory.machine_memory", lambda: 69)
    assert fault(capsys, "a.csv", "b.csv", "--no-plot") == (
        "a.csv: not enough memory (it may take 0.0 GB, and this machine has 0.0 GB) to match 1 "
        "points with 2; leave out small ones with --min-persistence"
    )
    monkeypatch.setattr("pytopo.images.readers.memory.machine_memory", lambda: 70)
    monkeypatch.setattr(matches, "seconds_to_match", lambda *points: 0)
    assert main(["match", "a.csv", "b.csv", "--no-plot"]) == 0


def test_a_child_returns_what_its_function_does():
    assert in_child(math.sqrt, 9, name="root") == 3
    with pytest.raises(ValueError, match=r"math domain error|nonnegative"):
        in_child(math.sqrt, -1, name="root")


def test_a_child_that_the_system_ends_is_a_lack_of_memory():
    with pytest.raises(MemoryError):
        in_child(os._exit, 9, name="end")


def test_ctrl_c_ends_a_step_in_a_child(monkeypatch):
    started = threading.Event()

    class Children(list):
        def append(self, process):
            super().append(process)
            started.set()

    def press():
        started.wait(20)
        signal.raise_signal(signal.SIGINT)

    children = Children()
    monkeypatch.setattr(child, "_children", children)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        threading.Thread(target=press).start()
        begin = time.perf_counter()
        with pytest.raises(GivenUp):
            interruptible(lambda: in_child(time.sleep, 60, name="sleep"))
        (process,) = children
        monkeypatch.setattr("os._exit", lambda status: None)
        leave(130)
        assert process.wait(20) != 0
        assert time.perf_counter() - begin < 40
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="no masks of signals")
def test_a_child_does_not_hear_ctrl_c():
    mask = in_child(signal.pthread_sigmask, signal.SIG_BLOCK, [], name="mask")
    assert signal.SIGINT in mask
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, [])
