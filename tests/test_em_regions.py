"""The table of the page about regions: cells by persistence beside a watershed."""

import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("skimage")
SCRIPT = Path(__file__).parents[1] / "docs" / "experiments" / "em_regions.py"


def test_regions_are_markers_as_good_as_h_maxima(tmp_path, monkeypatch, capsys):
    cells = np.zeros((40, 60), np.uint8)
    cells[3:37, 3:28] = cells[3:37, 31:57] = 255
    grey = np.where(cells > 0, 180, 60).astype(np.uint8)
    grey[10, 15] = 200  # a maximum that hardly stands out
    grey[14:26, 28:31] = 135  # a weak wall: one region ends at its value
    for kind, picture in (("image", grey), ("label", cells)):
        (tmp_path / kind).mkdir()
        Image.fromarray(picture).save(tmp_path / kind / "0.png")
    argv = [str(SCRIPT), str(tmp_path), "0:1", "--sigma", "1.5", "--heights", "25"]
    monkeypatch.setattr(sys, "argv", argv)
    runpy.run_path(str(SCRIPT), run_name="__main__")
    title, _, *lines = capsys.readouterr().out.splitlines()
    assert title == "1 sections, blurred by 1.5 pixels; 2 cells each"
    rows = {line.split(" | ")[1]: line.strip("| ").split(" | ")[2:] for line in lines[2:]}
    assert list(rows) == [
        "regions", "watershed", "watershed where regions are", "regions, then watershed",
    ]  # fmt: skip
    assert rows["watershed"] == rows["regions, then watershed"]
    assert rows["watershed"][0] == "2"
    assert float(rows["watershed"][3]) < 0.1
    assert rows["regions"][0] == "2"
    assert float(rows["regions"][3]) > float(rows["watershed"][3])
    assert float(rows["regions"][1]) == float(rows["watershed where regions are"][1]) > 0
