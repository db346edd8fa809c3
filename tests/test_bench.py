"""``pytopo bench``: contests are fair, a missing peer is said to be missing, tables add up."""

import csv
import json
import os
from fnmatch import fnmatchcase

import numpy as np
import pytest
import torch

import pytopo
from pytopo.cli import (
    bench_cluster,
    bench_sparse,
    bench_tiles,
    betti_contests,
    contests,
    goals,
    scaling,
    stopwatch,
)
from pytopo.cli.bench_made import KINDS, MadeImage
from pytopo.cli.main import main
from pytopo.threads import number_of_threads

pytestmark = pytest.mark.compiled


class Clock:
    """A clock that stands still, until somebody works."""

    now = 0.0

    def perf_counter(self):
        return self.now

    def work(self, *seconds):
        left = iter(seconds)

        def contender():
            self.now += next(left)

        return contender


def test_contenders_take_turns_after_a_warm_up():
    calls = []
    contenders = {name: lambda name=name: calls.append(name) for name in "ab"}
    timings = stopwatch.in_turns(contenders, 0, lambda: None)
    assert "".join(calls) == "ab" + "ab" * 3
    assert timings["a"].runs == 3


def test_the_warm_up_is_not_counted_and_the_best_run_is(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(stopwatch, "time", clock)
    contenders = {"a": clock.work(100, 5, 2, 6), "b": clock.work(1, 4, 4, 4)}
    timings = stopwatch.in_turns(contenders, 0, lambda: None)
    assert timings["a"] == stopwatch.Timing(best=2, median=5, runs=3)
    assert timings["b"] == stopwatch.Timing(best=4, median=4, runs=3)


def test_runs_are_timed_by_the_clock_that_is_given():
    clock = Clock()
    contenders = {"a": clock.work(100, 5, 2, 6)}
    timings = stopwatch.in_turns(contenders, 0, lambda: None, clock.perf_counter)
    assert timings["a"] == stopwatch.Timing(best=2, median=5, runs=3)


def test_turns_go_on_until_the_time_is_spent(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(stopwatch, "time", clock)
    assert stopwatch.in_turns({"a": clock.work(*[1] * 9)}, 6.5, lambda: None)["a"].runs == 7


def test_peak_memory_sees_an_allocation_and_not_what_was_there_before():
    grown = stopwatch.peak_memory("a = b'1' * 300_000_000; del a", "b = b'1' * 100_000_000")
    if grown is None:
        pytest.skip("this system does not report peak memory")
    assert 90e6 < grown < 130e6


def test_where_the_system_does_not_report_peak_memory_there_is_none(monkeypatch):
    monkeypatch.setattr("os.access", lambda path, mode: False)
    assert stopwatch.peak_memory("", "") is None


def test_a_missing_peer_is_left_out_and_named():
    contest = contests.Contest("job")
    contest.against("Nobody", "no_such_package", lambda: pytest.fail("prepared"))
    contest.against("GUDHI", "gudhi", lambda: len)
    assert contest.missing == ["no_such_package"]
    assert contest.contenders == {"GUDHI": len}


def test_a_bench_without_peers_measures_ourselves(monkeypatch, capsys):
    monkeypatch.setattr(contests, "find_spec", lambda package: None)
    assert main(["bench", "textbook", "--seconds", "0"]) == 0
    out, err = capsys.readouterr()
    assert out.count("256x256") == 2
    assert (
        "gudhi is not installed: nothing to measure 256x256 smooth, V, reduction against" in err
    )


def test_the_table_and_the_files_hold_the_same_numbers(tmp_path, capsys):
    line = ["bench", "persistence", "--size", "64", "--seconds", "0"]
    assert main([*line, "--csv", f"{tmp_path}/b.csv", "--json", f"{tmp_path}/b.json"]) == 0
    table = capsys.readouterr().out.splitlines()
    rows = json.loads((tmp_path / "b.json").read_text())
    with open(tmp_path / "b.csv", newline="") as stream:
        ratios = [float(row["ratio"] or "nan") for row in csv.DictReader(stream)]
    assert ratios == pytest.approx([row.get("ratio", np.nan) for row in rows], nan_ok=True)
    assert len(table) == 1 + len(rows)
    compared = [(text, row) for text, row in zip(table[1:], rows) if "ratio" in row]
    assert len(compared) >= 10  # all but those of a peer that is not in the test extra
    for text, row in compared:
        assert text.startswith(row["job"])
        assert f"{row['ratio']:.4g}" in text
        assert row["ratio"] == pytest.approx(row["pytopo ms"] / row["its ms"])


@pytest.mark.parametrize(
    ("line", "status", "text"),
    [
        (["bench", "speed"], 2, "invalid choice: 'speed'"),
        (["bench", "--size", "1"], 1, "--size must be at least 8"),
        (["bench", "--image", "none.png"], 1, "none.png: no such file"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(line, status, text, capsys):
    try:
        got = main(line)
    except SystemExit as stop:
        got = stop.code
    assert got == status
    assert text in capsys.readouterr().err.splitlines()[-1]


def test_metrics_are_measured_beside_scikit_image_on_the_same_cells():
    pytest.importorskip("skimage")
    voi, rand = contests.metric_contests(64)
    assert voi.job == "64x64 cells, variation of information"
    ours, theirs = (voi.contenders[name]() for name in ("pytopo", "scikit-image"))
    assert (ours.split, ours.merge) == pytest.approx(tuple(theirs))
    ours, theirs = (rand.contenders[name]() for name in ("pytopo", "scikit-image"))
    assert ours.error == pytest.approx(theirs[0])


def test_losses_that_are_measured_together_have_one_gradient():
    contest = next(contests.loss_contests())
    assert len(contest.contenders) == 3
    ours, *others = (step() for step in contest.contenders.values())
    assert ours.abs().max() > 0
    for gradient in others:
        np.testing.assert_allclose(gradient, ours, rtol=1e-4, atol=1e-7)


def test_matching_by_place_is_measured_beside_the_same_with_a_prepared_target(monkeypatch):
    monkeypatch.setattr(betti_contests, "SHAPES", [(2, 24)])
    monkeypatch.setattr(betti_contests, "SIDE_3D", 6)
    monkeypatch.setattr(contests, "find_spec", lambda package: None)
    found = list(betti_contests.betti_contests())
    is_step = ["a whole step of a small U-Net" in contest.contenders for contest in found]
    assert is_step == [False] * 4 + [True] * 2
    for contest in found[:4]:
        assert contest.missing == ["topolosses"]
        gradient, by_cost, *prepared = (f() for f in contest.contenders.values())
        assert all(torch.equal(gradient, other) for other in prepared)
        assert not torch.equal(gradient, by_cost)


def test_patches_are_counted_on_one_core_and_all_cores_are_given_back(monkeypatch):
    if not hasattr(os, "sched_setaffinity"):
        pytest.skip("this system cannot keep a process on one core")
    before, seen = (os.sched_getaffinity(0), torch.get_num_threads()), []

    def clocked(contenders, *_):
        contenders[""]()
        seen.append((number_of_threads(None), torch.get_num_threads()))
        return {"": stopwatch.Timing(best=0.5, median=1.0, runs=3)}

    monkeypatch.setattr(stopwatch, "in_turns", clocked)
    (row,) = scaling.patch_rows(0)
    assert seen == [(1, 1)]
    assert (os.sched_getaffinity(0), torch.get_num_threads()) == before
    assert (row["against"], row["ratio"]) == ("patches of 65x65 per second", 128)


def test_where_there_is_no_core_to_keep_to_no_patches_are_counted(monkeypatch, capsys):
    monkeypatch.delattr(os, "sched_setaffinity", raising=False)
    assert list(scaling.patch_rows(0)) == []
    assert "cannot keep a process on one core: left out" in capsys.readouterr().err


def test_the_memory_of_noise_stands_beside_what_the_command_counts_with(monkeypatch):
    programs = []
    monkeypatch.setattr(
        stopwatch, "peak_memory", lambda *parts: programs.append(parts) or 64**2
    )
    rows = list(scaling.memory_rows(16))
    found = {row["job"]: (row["ratio"], row["goal"]) for row in rows}
    assert len(found) == 3 * 2 * 2 * 2
    assert found["64x64 noise float32, V, threads=1"] == (1, 40)
    assert found["4x4x4 noise float64, T, threads=2"] == (64, 118)
    assert found["4096 noise float64, V, threads=1"] == (1, 76)
    assert programs[5][0].endswith("a = bench_images.noise(*(4096,)).astype('float64')")
    assert programs[5][1] == "pytopo.persistence(a, construction='V', threads=2)"
    monkeypatch.setattr(stopwatch, "peak_memory", lambda *parts: None)
    assert list(scaling.memory_rows(16)) == []


def test_every_goal_is_of_something_that_is_measured(monkeypatch):
    measured = {("pytopo diagram, empty cache", ""), ("import pytopo", "")}
    measured.add(("pytopo diagram, warm, less its work", "import numba, matplotlib.pyplot"))
    for axes in ("64x64", "8x8x8"):
        measured.add((f"{axes} smooth, V", "peak bytes per pixel"))
    measured.add(("2 axes, noise, V", "exponent of time in pixels"))
    monkeypatch.setattr(bench_tiles, "_peak_memory", lambda *image: 1000)
    monkeypatch.setattr(bench_tiles, "SIDES", (64,))
    measured |= {(row["job"], row["against"]) for row in bench_tiles.tile_rows(64)}
    measured.add(("64x64 membranes uint8, chunks of 32, 2 processes", "peak MB of a worker"))

    def note(contest, name, package, prepare):
        contest.contenders[name] = None

    monkeypatch.setattr(contests.Contest, "against", note)
    for module in (contests, betti_contests):
        for name in ("likelihood_batch", "prepared_step", "training_step"):
            monkeypatch.setattr(module, name, lambda *args, **_: (None, None))
    monkeypatch.setattr(contests, "likelihood_volumes", lambda *sizes: (None, None))
    for name in ("noise_batch", "likelihood_volumes", "noise_volumes"):
        monkeypatch.setattr(betti_contests, name, lambda *sizes: (None, None))
    labels = np.zeros((3, 4, 5), np.uint16)
    for found in (
        contests.persistence_contests(None, 64),
        contests.volume_contests(labels, 8),
        contests.volume_contests(labels.astype(float), 8),
        contests.textbook_contests(),
        contests.thread_contests(64),
        contests.metric_contests(64),
        contests.simplify_contests(64),
        contests.tile_contests(64),
        contests.matching_contests(),
        contests.loss_contests(),
        betti_contests.betti_contests(),
    ):
        for contest in found:
            peers = contest.contenders.keys() - {"pytopo"}
            measured |= {(contest.job, peer) for peer in peers or [""]}

    firsts = {goals.GOALS.index(goal) for goal in map(first_goal, *zip(*measured)) if goal}
    assert firsts == set(range(len(goals.GOALS)))


def test_rows_of_tiles_say_what_is_open_and_how_far_the_estimate_is_off(monkeypatch):
    monkeypatch.setattr(bench_tiles, "_peak_memory", lambda *image: None)
    monkeypatch.setattr(bench_tiles, "SIDES", (64,))
    rows = {(row["job"], row["against"]): row["ratio"] for row in bench_tiles.tile_rows(64)}
    # Components and holes together: of a line about every third pixel is the first of either.
    for tiles in (1, 2, 4, 8):
        job = f"64x64 noise uint8, regions of {tiles} tiles of 16"
        assert 0.2 < rows[job, "open branches per pixel of their sides"] < 1.5
    assert ("64x64 noise uint8, regions of 16 tiles of 16", "bytes moved per pixel") not in rows
    job = "64x64 noise uint8, tiles of 32"
    assert rows[job, "points, factor between estimate and result"] < 1.5
    assert ("4e+03 pixels, smooth uint8, tiles of 2048, estimated", "CPU hours") in rows


def test_a_sparse_array_that_is_done_in_time_is_as_it_was_estimated():
    pytest.importorskip("zarr")
    rows = {row["against"]: row["ratio"] for row in bench_sparse.sparse_rows(60, 3000)}
    assert rows["share of the tiles that is done"] == 1
    # All four tiles are in the sample.
    assert rows["points, factor between estimate and result"] < 1.01
    assert rows["parts, factor between estimate and result"] < 2


def test_rows_of_a_cluster(monkeypatch):
    distributed = pytest.importorskip("distributed")
    in_this_process = {"processes": False, "memory_limit": None}
    cluster = distributed.LocalCluster
    monkeypatch.setattr(
        distributed, "LocalCluster", lambda **options: cluster(**options | in_this_process)
    )
    monkeypatch.setattr(bench_cluster, "peak_of_process", lambda: 300e6)
    rows = {
        row["against"]: row["ratio"] for row in bench_cluster.cluster_rows(64) if "ratio" in row
    }
    assert rows["peak MB of a worker"] == 300
    assert rows["workers that had to be replaced"] == 0
    image = MadeImage("membranes", (64, 64))[:, :]
    assert rows["points"] == len(pytopo.persistence(image))
    assert rows["CPU ns per pixel"] > 0


def test_windows_of_an_image_that_is_made_agree():
    for kind in KINDS:
        image = MadeImage(kind, (700, 900))
        window = image[300:650, 200:800]
        assert window.shape == (350, 600)
        assert window.std() > 5
        assert (image[500:640, 500:530] == window[200:340, 300:330]).all()
        assert image[690:, 890:].shape == (10, 10)


def first_goal(job, against):
    """The row of the table that a measured job gets its goal from, or None."""
    fitting = (
        row for row in goals.GOALS if fnmatchcase(job, row[0]) and fnmatchcase(against, row[1])
    )
    row = next(fitting, None)
    assert goals.goal_of(job, against) == (row and row[2])
    return row
