"""``pytopo evaluate --min-persistence --min-size``: what is small does not count."""

import json

import numpy as np
import pytest

from pytopo.cli.main import main

TRUTH = np.ones((5, 9), bool)  # two cells of 9 pixels
TRUTH[1:4, 1:4] = TRUTH[1:4, 5:8] = False
LIKELIHOOD = np.where(TRUTH, 0.75, 0.25)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def evaluated(capsys, likelihood, *argv):
    np.save("likelihood.npy", likelihood)
    np.save("truth.npy", TRUTH if likelihood.ndim == 2 else np.stack([TRUTH] * len(likelihood)))
    assert main(["evaluate", "likelihood.npy", "truth.npy", "--json", "-", *argv]) == 0
    return json.loads(capsys.readouterr().out)["evaluation"]


def with_speck(value):
    likelihood = LIKELIHOOD.copy()
    likelihood[2, 2] = value
    return likelihood


def test_a_speck_that_hardly_stands_out_goes_by_persistence(capsys):
    speck = with_speck(0.55)  # 0.3 above what is around it
    assert evaluated(capsys, speck)["betti_0"] == 1
    assert evaluated(capsys, speck, "--min-persistence", "0.29")["betti_0"] == 1
    assert evaluated(capsys, speck, "--min-persistence", "0.31")["betti_0"] == 0


def test_a_hole_that_is_not_deep_is_filled_by_persistence(capsys):
    likelihood = np.where(TRUTH, 0.75, 0.25)
    likelihood[1:4, 1:4] = 0.4  # 0.35 below its walls, the other 0.5
    assert evaluated(capsys, likelihood)["betti_1"] == 0
    assert evaluated(capsys, likelihood, "--min-persistence", "0.34")["betti_1"] == 0
    assert evaluated(capsys, likelihood, "--min-persistence", "0.36")["betti_1"] == 1


def test_what_has_few_pixels_goes_by_size(capsys):
    assert evaluated(capsys, with_speck(0.9), "--min-size", "2")["betti_0"] == 0
    assert evaluated(capsys, with_speck(0.9), "--min-size", "1")["betti_0"] == 1
    assert main(["evaluate", "likelihood.npy", "truth.npy", "--min-size", "2"]) == 0
    said = "\nremoved from the prediction: components of fewer than 2 pixels\n"
    assert said in capsys.readouterr().out


def test_a_section_of_a_volume_is_cleaned_by_itself(capsys):
    speck = with_speck(0.9)  # 2 pixels in 3D, and 1 pixel in each section
    volume = np.stack([LIKELIHOOD, speck, speck, LIKELIHOOD])
    assert evaluated(capsys, volume, "--min-size", "2", "--sections")["betti_0"] == 0
    assert evaluated(capsys, volume, "--min-size", "2")["betti_0"] == 1


def test_a_mask_of_which_nothing_is_left_is_noted(capsys):
    np.save("likelihood.npy", np.where(TRUTH, 0.75, 0.25))
    np.save("truth.npy", TRUTH)
    assert main(["evaluate", "likelihood.npy", "truth.npy", "--min-size", "40"]) == 0
    said = "likelihood.npy: nothing is left, all of it is removed as small\n"
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--min-persistence", "--min-size"])
def test_ids_of_cells_are_not_cleaned(capsys, option):
    np.save("ids.npy", np.arange(45).reshape(5, 9))
    with pytest.raises(SystemExit):
        main(["evaluate", "ids.npy", "ids.npy", "--labels", "both", option, "2"])
    assert f"takes no {option}" in capsys.readouterr().err
