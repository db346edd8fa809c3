"""``pytopo evaluate``: features by place, pixels to ignore, and the score of a challenge."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from test_cli_evaluate import captured, fault, numbers

from pytopo.cli.main import main
from pytopo.metrics import betti_matching_error, cldice, topo_score, vesuvius_score
from pytopo.metrics.evaluation import evaluate

# Two cells, and a gap in the wall between them, in a column that may be ignored.
TRUTH = np.ones((5, 9), np.uint8)
TRUTH[1:4, 1:4] = TRUTH[1:4, 5:8] = 0
PREDICTION = TRUTH.copy()
PREDICTION[2, 4] = 0
STRIP = np.zeros((5, 9), bool)
STRIP[:, 4] = True


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty current folder, but for three images."""
    monkeypatch.chdir(tmp_path)
    np.save("prediction.npy", PREDICTION == 1)
    np.save("truth.npy", TRUTH == 1)
    np.save("marked.npy", np.where(STRIP, np.uint8(255), TRUTH))
    Image.fromarray(np.uint8(255 * STRIP)).save("strip.png")
    return tmp_path


# ---- features -------------------------------------------------------------------------------


def test_the_numbers_are_those_of_the_metrics(capsys):
    rng = np.random.default_rng(0)
    pair = rng.random((2, 20, 30)) > 0.5
    for name, mask in zip("ab", pair):
        np.save(f"{name}.npy", mask)
    argv = ["a.npy", "b.npy", "--construction", "T", "--no-frame", "--patches", "1"]
    found = numbers(capsys, *argv, "--cldice")["evaluation"]
    error = betti_matching_error(*pair, construction="T")
    for dim in (0, 1):
        assert found[f"betti_matching_{dim}"] == error.per_dim[dim]
        assert (found[f"false_{dim}"], found[f"missed_{dim}"]) == (
            error.false[dim],
            error.missed[dim],
        )
        assert found[f"prediction_betti_{dim}"] == error.matched[dim] + error.false[dim]
        assert found[f"truth_betti_{dim}"] == error.matched[dim] + error.missed[dim]
    assert found["topo_score"] == topo_score(*pair, construction="T").score
    assert found["cldice"] == cldice(*pair)
    assert "cldice" not in numbers(capsys, *argv)["evaluation"]


def test_cldice_without_scikit_image_is_one_line(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "skimage.morphology", None)
    line = fault(capsys, "prediction.npy", "truth.npy", "--cldice")
    assert line == "clDice requires the skeletons of scikit-image: pip install scikit-image"


# ---- the construction -----------------------------------------------------------------------


def test_a_truth_that_v_shatters_is_said(capsys):
    lines = np.zeros((2, 40, 40), bool)
    for k in range(0, 40, 10):
        lines[0, np.arange(40 - k), np.arange(k, 40)] = True
    lines[1, 20] = True
    np.save("lines.npy", lines[0])
    note = (
        "lines.npy: 100 components in V, 4 in T: V shatters the ground truth, as it does lines "
        "with diagonal steps; expected --construction T\n"
    )
    for options, expected in (
        ([], note),
        (["--construction", "T"], ""),
        (["--no-frame"], note),
    ):
        assert main(["evaluate", "lines.npy", "lines.npy", *options]) == 0
        assert captured(capsys)[1] == expected
    np.save("lines.npy", lines)
    assert main(["evaluate", "lines.npy", "lines.npy", "--sections"]) == 0
    assert captured(capsys)[1] == note.replace("100", "101").replace("4 in T", "5 in T")
    assert main(["evaluate", "prediction.npy", "truth.npy"]) == 0
    assert captured(capsys)[1] == ""


# ---- pixels to ignore -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "argv",
    [
        ["truth.npy", "--ignore", "strip.png"],
        ["marked.npy", "--ignore-index", "255"],
        ["marked.npy", "--ignore-index", "255", "--ignore", "strip.png"],
    ],
)
def test_a_gap_in_an_ignored_strip_is_nobodys_fault(capsys, argv):
    assert main(["evaluate", "prediction.npy", *argv, "--json", "a.json"]) == 0
    out = captured(capsys)[0]
    assert "ignored: 5 pixels without ground truth\n" in out
    assert "pixel accuracy                    1  all other pixels\n" in out
    found = json.loads(Path("a.json").read_text())
    expected = evaluate(PREDICTION, TRUTH, ignore=STRIP).row()
    assert expected.items() <= found["evaluation"].items()
    names = ("betti", "patch_betti", "betti_matching", "euler", "voi", "adapted_rand")
    assert [found["evaluation"][name] for name in names] == [0] * 6
    assert found["conventions"]["ignored_pixels"] == 5


def test_both_ways_to_ignore_pixels_add_up(capsys):
    np.save("corner.npy", np.indices((5, 9)).sum(axis=0) < 2)
    argv = ["prediction.npy", "marked.npy", "--ignore-index", "255", "--ignore", "corner.npy"]
    assert numbers(capsys, *argv)["conventions"]["ignored_pixels"] == 5 + 3


def test_pixels_are_ignored_in_sections_ids_and_inverted_truth(capsys):
    cells = np.zeros((2, 5, 9), np.int16)
    cells[:, 1:4, 1:4], cells[:, 1:4, 5:8] = 1, 2
    cells[:, :, 4] = -1
    np.save("cells.npy", cells)
    np.save("volume.npy", np.stack([PREDICTION, PREDICTION]))
    options = ["--sections", "--ignore-index", "-1"]
    found = numbers(capsys, "volume.npy", "cells.npy", "--ids", "--border", "none", *options)
    assert [row["betti_matching"] for row in found["sections"]] == [0, 0]
    assert found["evaluation"]["voi"] == 0
    np.save("merged.npy", np.where(cells == 2, 1, cells))
    both = ["merged.npy", "cells.npy", "--labels", "both", "--ignore-index", "2"]
    assert numbers(capsys, *both)["evaluation"]["voi"] == 0
    np.save("inside.npy", np.where(STRIP, 7, 1 - TRUTH))
    inverted = ["inside.npy", "--invert-truth", "--ignore-index", "7"]
    assert numbers(capsys, "prediction.npy", *inverted)["evaluation"]["betti"] == 0


@pytest.mark.parametrize(
    ("argv", "reason"),
    [
        (
            ["marked.npy"],
            "marked.npy: image holds 0 (18 pixels), 1 (22), 255 (5); expected a mask of 0 and "
            "one other value, or the third value as --ignore-index",
        ),
        (
            ["truth.npy", "--ignore", "wide.npy"],
            "wide.npy: 5 x 10 pixels; expected 5 x 9, as truth.npy has",
        ),
        (
            ["truth.npy", "--ignore", "all.npy"],
            "truth.npy: every pixel is ignored; expected some that are not",
        ),
    ],
)
def test_what_cannot_be_ignored_is_refused(capsys, argv, reason):
    np.save("wide.npy", np.zeros((5, 10), bool))
    np.save("all.npy", np.ones((5, 9), bool))
    assert fault(capsys, "prediction.npy", *argv) == reason


def test_a_section_of_ignored_pixels_alone_is_named(capsys):
    np.save("volume.npy", np.stack([TRUTH, TRUTH]) == 1)
    np.save("ignore.npy", np.stack([STRIP, STRIP | True]))
    line = fault(capsys, "volume.npy", "volume.npy", "--ignore", "ignore.npy", "--sections")
    assert line == "volume.npy: section 1: every pixel is ignored; expected some that are not"


# ---- the challenge --------------------------------------------------------------------------


def test_the_protocol_of_the_challenge_ignores_2(capsys, monkeypatch):
    for name in ("monai", "monai.metrics"):
        monkeypatch.setitem(sys.modules, name, None)
    rng = np.random.default_rng(0)
    prediction, truth = rng.integers(0, 2, (4, 5, 6)), rng.integers(0, 3, (4, 5, 6))
    np.save("p.npy", np.uint8(prediction))
    np.save("t.npy", np.uint8(truth))
    assert main(["evaluate", "p.npy", "t.npy", "--protocol", "vesuvius"]) == 0
    out, err = captured(capsys)
    expected = vesuvius_score(prediction, truth, ignore_index=2)
    assert f"ignored: {(truth == 2).sum()} pixels without ground truth\n" in out
    assert f" {expected.voi_score:.6g}  1 / (1 + 0.3 VOI)\n" in out
    assert err == (
        "p.npy: holds 0 and 1 only, which are taken as they are, not scaled\n"
        "surface Dice is computed by MONAI, which is not installed (pip install monai); "
        "without it there is no score\n"
    )
    found = numbers(capsys, "p.npy", "t.npy", "--protocol", "vesuvius")
    assert found["evaluation"]["topo_score"] == expected.topo.score
    assert "score" not in found["evaluation"]
    assert found["conventions"]["ignore_index"] == 2


def test_with_surface_dice_there_is_a_score(capsys, monkeypatch):
    monkeypatch.setattr("pytopo.metrics.vesuvius._surface_dice", lambda masks: 0.5)
    np.save("p.npy", np.stack([TRUTH, TRUTH]))
    found = numbers(capsys, "p.npy", "p.npy", "--protocol", "vesuvius")["evaluation"]
    assert found["score"] == pytest.approx(0.3 + 0.35 * 0.5 + 0.35)
    line = fault(capsys, "prediction.npy", "truth.npy", "--protocol", "vesuvius")
    assert line == "prediction.npy: an image of 2 axes; the protocol is for volumes"


@pytest.mark.parametrize(
    ("argv", "reason"),
    [
        (["--protocol", "vesuvius", "--sections"], "--protocol vesuvius takes no --sections"),
        (["--protocol", "vesuvius", "--ids"], "--protocol vesuvius takes no --labels"),
        (["--ignore-index", "1", "--truth-threshold", "0.5"], "exclude each other"),
        (["--ignore-index", "x"], "'x'; expected a whole number"),
        (["--ignore", "c", "--csv", "c"], "c would overwrite --ignore"),
        (["--labels", "both", "--cldice"], "compares no masks and takes no --cldice"),
    ],
)
def test_a_wrong_command_line_has_status_2(capsys, argv, reason):
    with pytest.raises(SystemExit, match=r"^2$"):
        main(["evaluate", "a", "b", *argv])
    assert reason in captured(capsys)[1].splitlines()[-1]
