"""Many images on threads, on a cluster of processes, and by the command."""

import json
import os
import threading
from pathlib import Path

import h5py
import numpy as np
import pytest

import pytopo
from pytopo.cli.main import main
from pytopo.data import open_sections, synthetic_volume, write_cremi
from pytopo.large import map_images

VOLUME = np.random.default_rng(0).random((5, 20, 30))


def cells(section):
    return pytopo.metrics.betti_numbers(section.truth, frame=True)[1]


def dies_once(image, mark):
    if not os.path.exists(mark):
        open(mark, "w").close()
        os._exit(1)
    return float(image[0, 0])


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Two CREMI files of three sections, and a likelihood of the membranes of the first."""
    folder = tmp_path_factory.mktemp("cremi")
    for k, name in enumerate("ab"):
        write_cremi(folder / f"{name}.h5", *synthetic_volume(3, 64, seed=k))
    truth = np.stack([section.truth for section in open_sections(folder / "a.h5")])
    noise = np.random.default_rng(1).random(truth.shape)
    with h5py.File(folder / "membranes.h5", "w") as file:
        file["likelihood"] = np.float32(0.4 * truth + 0.6 * noise)
    return folder


# ---- in this process ---------------------------------------------------------------------


def test_results_come_in_the_order_of_the_images(files):
    sections = open_sections([files / "a.h5", files / "b.h5"])
    expected = [cells(section) for section in sections]
    assert len(set(expected)) > 1
    assert list(map_images(cells, sections, workers=3)) == expected


@pytest.mark.parametrize("of", [np.asarray, list, iter])
def test_planes_of_anything_are_images(of):
    found = list(map_images(pytopo.persistence, of(VOLUME)))
    assert found == [pytopo.persistence(plane) for plane in VOLUME]


def test_planes_of_an_hdf5_data_set_and_a_zarr_array(tmp_path):
    zarr = pytest.importorskip("zarr")
    stored = zarr.create_array(tmp_path / "x.zarr", shape=VOLUME.shape, dtype="f8")
    stored[...] = VOLUME
    assert list(map_images(np.sum, stored)) == [plane.sum() for plane in VOLUME]
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["x"] = VOLUME
        assert list(map_images(np.sum, file["x"])) == [plane.sum() for plane in VOLUME]


def test_no_more_images_are_read_than_the_workers_need():
    read = []

    def planes():
        for k in range(100):
            read.append(k)
            yield k

    results = map_images(lambda k: -k, planes(), workers=2)
    assert read == []
    assert [next(results) for _ in range(3)] == [0, -1, -2]
    assert len(read) == 3 + 2 * 2 - 1
    results.close()
    assert len(read) == 6


def test_an_error_comes_when_its_image_has_its_turn():
    results = map_images(lambda k: 12 // k, [4, 3, 0, 1])
    assert [next(results), next(results)] == [3, 4]
    with pytest.raises(ZeroDivisionError):
        next(results)


def test_several_threads_are_busy_at_the_same_time():
    both = threading.Barrier(2, timeout=20)
    assert len(list(map_images(lambda _: both.wait(), range(4), workers=2))) == 4


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"images": "a.h5"}, TypeError, "images is the text 'a.h5'; expected Sections"),
        ({"workers": 0}, ValueError, "workers is 0; expected a whole number of at least 1"),
        ({"scheduler": "slurm"}, ValueError, "'threads', 'processes' or an address like tcp:"),
        ({"scheduler": 3}, TypeError, "scheduler is int; expected a text or a distributed.Cl"),
        ({"scheduler": "tcp://a:1", "workers": 2}, ValueError, "workers of its own"),
    ],
)
def test_what_is_refused(options, error, message):
    pytest.importorskip("distributed")
    with pytest.raises(error, match=message):
        map_images(np.sum, **{"images": VOLUME, **options})


def test_a_scheduler_that_does_not_answer():
    dask = pytest.importorskip("dask")
    pytest.importorskip("distributed")
    quick = dask.config.set({"distributed.comm.timeouts.connect": "200ms"})
    with quick, pytest.raises(OSError, match=r"Timed out .*tcp://127\.0\.0\.1:1"):
        next(map_images(np.sum, VOLUME, scheduler="tcp://127.0.0.1:1"))


# ---- on a cluster of processes -------------------------------------------------------------


@pytest.mark.compiled
def test_a_worker_that_dies_changes_no_result(cluster, tmp_path):
    mark = str(tmp_path / "killed")

    def first(image):
        return dies_once(image, mark)

    found = list(map_images(first, VOLUME, scheduler=cluster.scheduler_address))
    assert os.path.exists(mark)
    assert found == VOLUME[:, 0, 0].tolist()


@pytest.mark.compiled
def test_an_image_that_ends_every_worker_is_named(cluster):
    from distributed import Client

    allowed = cluster.scheduler.allowed_failures
    cluster.scheduler.allowed_failures = 0
    try:
        with Client(cluster.scheduler_address, set_as_default=False) as client:
            results = map_images(lambda k: os._exit(1) if k else k, [1, 0], scheduler=client)
            with pytest.raises(ChildProcessError, match="image 0: each worker that took it"):
                list(results)
    finally:
        cluster.scheduler.allowed_failures = allowed


@pytest.mark.compiled
def test_the_command_prints_the_same_table_from_a_cluster(cluster, files, monkeypatch, capsys):
    monkeypatch.chdir(files)
    line = ["evaluate", "membranes.h5", "a.h5:/volumes/labels/neuron_ids", "--ids"]
    line += ["--sections", "--patches", "5", "--min-persistence", "0.1", "--min-size", "3"]
    outputs = []
    for where in ([], ["--scheduler", cluster.scheduler_address], ["--scheduler", "threads"]):
        assert main([*line, *where, "--json", "scores.json"]) == 0
        outputs.append((capsys.readouterr().out, Path("scores.json").read_text()))
    table, text = outputs[0]
    assert "mean of 3 sections" in table
    assert json.loads(text)["evaluation"]["betti"] > 0
    assert outputs == [(table, text)] * 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--scheduler", "threads"], "share out sections; add --sections"),
        (["--workers", "2"], "share out sections; add --sections"),
        (["--sections", "--scheduler", "here"], "expected threads, processes or an address"),
        (["--sections", "--scheduler", "tcp://a:1", "--workers", "2"], "workers of its own"),
    ],
)
def test_command_lines_that_are_refused(options, message, capsys):
    with pytest.raises(SystemExit) as end:
        main(["evaluate", "a.npy", "b.npy", *options])
    assert end.value.code == 2
    assert message in capsys.readouterr().err
