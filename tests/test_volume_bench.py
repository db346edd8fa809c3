"""``pytopo bench volume``: every kind of volume is measured, and a volume that is given."""

import json

import numpy as np
import pytest

from pytopo.cli import contests, stopwatch
from pytopo.cli.main import main

pytestmark = pytest.mark.compiled


@pytest.fixture
def alone(monkeypatch):
    """No peers, and no processes of their own to measure memory."""
    monkeypatch.setattr(contests, "find_spec", lambda package: None)
    monkeypatch.setattr(stopwatch, "peak_memory", lambda before, measured: 8**3)


def test_volumes_are_measured_with_threads_growth_and_memory(alone, tmp_path, capsys):
    table = tmp_path / "b.json"
    line = ["bench", "volume", "--size", "64", "--seconds", "0", "--json", str(table)]
    assert main(line) == 0
    rows = json.loads(table.read_text())
    jobs = [row["job"] for row in rows]
    for kind in ("smooth float32", "noise float64", "membranes float32", "binary"):
        assert f"8x8x8 {kind}, V" in jobs
        assert f"8x8x8 {kind}, V, threads=2" in jobs
    (memory,) = [row for row in rows if row["job"] == "8x8x8 noise, V"]
    assert (memory["ratio"], memory["goal"]) == (1.0, 80.0)
    assert "3 axes, smooth, V" in jobs


def test_labels_stand_for_a_binary_volume(tmp_path):
    labels = np.zeros((3, 4, 5), np.uint64)
    names = [c.job for c in contests.volume_contests(labels, 8)]
    assert "3x4x5 labels given > 0, V" in names
    names = [c.job for c in contests.volume_contests(labels.astype(np.float32), 8)]
    assert "3x4x5 volume given, float32, V" in names


def test_a_picture_is_no_volume(tmp_path, capsys):
    np.save(tmp_path / "flat.npy", np.zeros((3, 4)))
    assert main(["bench", "volume", "--image", f"{tmp_path}/flat.npy"]) == 1
    assert "flat.npy: 2 axes; expected a volume" in capsys.readouterr().err
