"""The script that asks whether a network can learn a few patches by heart."""

import runpy
import sys
from pathlib import Path

import numpy as np
from PIL import Image

SCRIPT = Path(__file__).parents[1] / "docs" / "experiments" / "datta_learning.py"


def test_a_patch_of_noise_is_learned_by_heart_but_not_the_next(tmp_path, monkeypatch, capsys):
    random = np.random.default_rng(0)
    for kind in ("image", "label"):
        (tmp_path / kind).mkdir()
        for k in range(22):
            cells = random.random((65, 65)) < (0.7 if kind == "label" else 0.5)
            Image.fromarray(np.uint8(255 * cells)).save(tmp_path / kind / f"{k}.png")
    argv = [str(SCRIPT), str(tmp_path), "base", "--patches", "2", "--steps", "25"]
    monkeypatch.setattr(sys, "argv", [*argv, "--batch", "2", "--rates", "3e-3"])
    runpy.run_path(str(SCRIPT), run_name="__main__")
    lines = capsys.readouterr().out.splitlines()
    assert lines[3] == "25 steps on 2 patches, 2 at a time:"
    names, values = (lines[k].strip("| ").split(" | ") for k in (5, 7))
    row = dict(zip(names, map(float, values)))
    assert row["rate"] == 0.003
    assert row["accuracy"] > 0.95
    assert row["cross-entropy"] < 0.2
    assert 0.45 < row["accuracy, unseen"] < 0.65  # chance: 0.7 x 0.7 + 0.3 x 0.3
