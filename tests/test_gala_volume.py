"""The experiment on a volume, on synthetic cells: from the command to its tables."""

import importlib
import json
import sys
from functools import partial
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch

pytest.importorskip("skimage")
FOLDER = Path(__file__).parents[1] / "docs" / "experiments"
SIZES = {"--side": 16, "--patch": 8, "--warmup": 4, "--steps": 2, "--width": 2}
SMALL = [word for option, n in SIZES.items() for word in (option, str(n))]
ARMS = ["--arms", "ce", "place:0.03"]


@pytest.fixture
def script(monkeypatch):
    monkeypatch.syspath_prepend(FOLDER)
    monkeypatch.setattr(torch, "set_num_threads", lambda n: None)
    return importlib.import_module("gala_volume")


def table(text: str, title: str) -> dict[str, list[str]]:
    """Return the cells of the table below a title, by the first of each row."""
    rows = [line for line in text.split(f"# {title}\n")[1].split("#")[0].splitlines() if line]
    cells = [row.strip("| ").split(" | ") for row in rows if row.startswith("|")]
    return {first: rest for first, *rest in cells}


def test_each_loss_is_trained_once_and_reported(script, tmp_path, monkeypatch, capsys):
    argv = ["gala_volume.py", "--out", str(tmp_path), *SMALL, *ARMS]
    monkeypatch.setattr(sys, "argv", argv)
    few = {name: several[:2] for name, several in script.CLEANUPS.items()}  # fast
    monkeypatch.setattr(script, "CLEANUPS", few)
    monkeypatch.setattr(script, "evaluate", partial(script.evaluate, patches=2))
    script.main()
    out = capsys.readouterr().out
    assert out.splitlines()[:3] == ["seed 0: warm-up", "seed 0: ce", "seed 0: place:0.03"]
    truth = script.block_of(script.opened(None, 16), "test").truth
    plain = table(out, "Threshold 0.5")
    assert list(plain) == ["loss", "---", "warm-up", "ce", "place:0.03"]
    for arm, row in list(plain.items())[2:]:
        found = np.load(tmp_path / f"{arm.replace(':', '-')}-0.npy") > 0.5
        assert float(row[0]) == pytest.approx((found == truth).mean(), abs=1e-4)
    result = json.loads((tmp_path / "ce-0.json").read_text())
    dims = [result["decisions"]["plain"][f"matching_{dim}"] for dim in range(3)]
    assert [float(cell) for cell in plain["ce"][3:6]] == dims
    assert (tmp_path / "tables.md").read_text() + "\n" == out.split("place:0.03\n", 1)[1]
    assert (tmp_path / "figure.png").stat().st_size > 10_000

    script.main()
    assert not capsys.readouterr().out.startswith("seed")
    monkeypatch.setattr(sys, "argv", [*argv, "--steps", "3"])
    with pytest.raises(SystemExit, match=r"warm-up-0\.json has other settings"):
        script.main()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--arms", "cost"], "'cost'; expected ce, or NAME:WEIGHT"),
        (["--side", "16", "--patch", "17"], "--patch 17: expected 1 to 8"),
    ],
)
def test_what_cannot_be_run_is_refused(script, tmp_path, monkeypatch, capsys, words, message):
    monkeypatch.setattr(sys, "argv", ["gala_volume.py", "--out", str(tmp_path / "x"), *words])
    with pytest.raises(SystemExit, match="2"):
        script.main()
    assert message in capsys.readouterr().err
    assert not (tmp_path / "x").exists()


def test_tuning_takes_the_decision_that_fits_the_validation_block(script):
    truth = np.ones((12, 12, 12), bool)
    truth[2:10, 2:10, 2:10] = False
    likelihood = np.where(truth, 0.9, 0.35).astype(np.float32)
    likelihood[5:7, 5:7, 5:7] = 0.65  # a speck of 8 voxels, 0.3 above the cell around it
    chosen = script.decisions_of(script.Block(likelihood, truth))
    Decision = type(chosen["plain"])
    assert chosen["plain"] == Decision(0.5)
    assert chosen["threshold by matching"] == Decision(0.7)
    assert chosen["size by betti"] == Decision(0.7)
    likelihood[5:7, 5:7, 5:7] = 0.72  # no threshold removes it and keeps the cell
    chosen = script.decisions_of(script.Block(likelihood, truth))
    assert chosen["threshold by matching"] == Decision(0.3)
    assert chosen["size by matching"] == Decision(0.4, smallest=20)
    assert chosen["persistence by matching"] == Decision(0.4, min_persistence=0.4)
    # membrane everywhere is too inaccurate, so a speck is left
    assert chosen["threshold by betti"] == Decision(0.4)


def test_membranes_lie_on_both_sides_of_a_border(script):
    ids = np.ones((8, 8, 12), int)
    ids[..., 6:] = 2
    assert script.membranes(ids)[4, 4].tolist() == [n in (5, 6) for n in range(12)]
    ids[..., 6] = 0
    assert script.membranes(ids)[4, 4].tolist() == [n in (5, 6, 7) for n in range(12)]


def test_the_longest_axis_comes_last(script, tmp_path):
    raw = np.zeros((20, 9, 10), np.uint8)
    raw[13, 2, 3] = 255
    with h5py.File(tmp_path / "cells.h5", "w") as file:
        file["volumes/raw"] = raw
        file["volumes/labels/neuron_ids"] = np.ones(raw.shape, np.uint64)
    volume = script.opened(tmp_path / "cells.h5", 0)
    assert volume.image.shape == (9, 10, 20)
    assert volume.image[2, 3, 13] == volume.image.sum() == 1


def test_patches_show_image_and_truth_in_the_same_symmetry(script):
    truth = np.random.default_rng(0).random((9, 10, 20)) < 0.3
    block = script.Block(truth.astype(np.float32) / 2 + 0.25, truth)
    settings = script.Settings(0, 0, 6, 2, truth.shape)
    images, truths = script.batch_of(block, settings, 0, 5)
    assert images.shape == truths.shape == (2, 1, 6, 6, 6)
    for image, mask in zip(images, truths):
        assert image[mask == 1].unique().numel() == image[mask == 0].unique().numel() == 1
        assert image[mask == 1].min() > image[mask == 0].max()
    again = script.batch_of(block, settings, 0, 5)[0]
    assert torch.equal(images, again)
    assert not torch.equal(images, script.batch_of(block, settings, 0, 6)[0])
