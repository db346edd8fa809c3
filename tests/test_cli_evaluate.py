"""``pytopo evaluate``: tables worked out by hand, and ways to go wrong."""

import csv
import errno
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pytopo.cli.main import build_parser, main
from pytopo.metrics import adapted_rand_error, variation_of_information
from pytopo.metrics.evaluation import evaluate

# Two cells of 9 pixels, and a gap of one pixel in the wall between them: a hole less, and a
# merge of halves.  35 of 36 pixels agree (Dice 2 * 26 / (26 + 27)).
TRUTH = np.ones((5, 9), bool)
TRUTH[1:4, 1:4] = TRUTH[1:4, 5:8] = False
LIKELIHOOD = np.where(TRUTH, 0.75, 0.25)
LIKELIHOOD[2, 4] = 0.4

TABLE = """\
likelihood.npy against truth.png: 5 x 9 pixels
membrane: prediction > 0.5, truth = 1
construction V: membranes are connected over sides, cells over corners too

pixel accuracy                    0.977778  all pixels
Dice                              0.981132  membranes
Betti error, components                  0  whole image, with a frame of membrane: 1 in the prediction, 1 in the truth
Betti error, holes                       1  the same: 1 in the prediction, 2 in the truth
Betti error                              1  sum of these
patch Betti error, components            0  mean of 100 patches of 5 x 9, seed 0, with a frame of membrane
patch Betti error, holes                 1  the same
patch Betti error                        1  sum of these
Euler error                              1  whole image, with a frame of membrane
Betti matching error, components         0  features in the same place, whole image, with a frame of membrane: 0 false, 0 missed
Betti matching error, holes              1  the same: 0 false, 1 missed
Betti matching error                     1  sum of these
TopoScore                         0.666667  F1 of the same, weights 0.34 components, 0.33 holes
VOI split                                0  bits, cells between membranes, where the ground truth is not membrane
VOI merge                                1  the same
VOI                                      1  split + merge
adapted Rand error                0.360000  where the ground truth is not membrane
"""  # noqa: E501

NOTICE = "compiling the kernels (first run only) ...\n"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty current folder, but for two images."""
    monkeypatch.chdir(tmp_path)
    np.save("likelihood.npy", LIKELIHOOD)
    Image.fromarray(np.uint8(255 * TRUTH)).save("truth.png")
    return tmp_path


def captured(capsys):
    """stdout and stderr, without the line that comes if this test is the first to compile."""
    out, err = capsys.readouterr()
    return out, err.replace(NOTICE, "")


def files(folder):
    return sorted(path.name for path in folder.iterdir())


def judge(*options):
    return main(["evaluate", "likelihood.npy", "truth.png", *options])


def numbers(capsys, *options):
    """The numbers of a JSON on stdout."""
    assert main(["evaluate", *options, "--json", "-"]) == 0
    return json.loads(captured(capsys)[0])


# ---- the table ------------------------------------------------------------------------------


def test_a_gap_costs_a_hole_and_a_bit(capsys):
    assert judge() == 0
    out, err = captured(capsys)
    rand = 1 - 2 * 72 / (153 + 72)  # 2 * 36 pairs are true, 18 * 17 / 2 are predicted
    assert out == TABLE.replace("0.360000", f"{rand:>8.6g}")
    assert err == ""


def test_options_are_obeyed_and_said(capsys):
    Image.fromarray(np.uint8(255 * ~TRUTH)).save("cells.png")
    argv = ["--threshold", "0.3", "--construction", "T", "--no-frame", "--patches", "7"]
    argv += ["--patch", "3", "--seed", "11", "--invert-truth"]
    assert main(["evaluate", "likelihood.npy", "cells.png", *argv]) == 0
    lines = captured(capsys)[0].splitlines()
    assert lines[1] == "membrane: prediction > 0.3, truth = 0"
    assert lines[2] == (
        "construction T: membranes are connected over corners too, cells over sides"
    )
    assert lines[6].startswith(
        "Betti error, components           0  whole image, no frame: 1 in"
    )
    assert lines[9].endswith("mean of 7 patches of 3 x 3, seed 11, no frame")
    values = [line.split("  ")[-2].strip() for line in lines[6:]]
    assert values == ["0"] * 10 + ["1"] + ["0"] * 4  # the gap is 0.4; TopoScore is 1


def test_every_option_reaches_the_numbers(capsys):
    rng = np.random.default_rng(0)
    likelihood, truth = rng.random((30, 40)), rng.random((30, 40)) > 0.5
    np.save("likelihood.npy", likelihood)
    np.save("truth.npy", truth)
    argv = ["--threshold", "0.6", "--construction", "T", "--no-frame", "--patches", "7"]
    argv += ["--patch-size", "9", "--seed", "11", "--invert-truth"]
    found = numbers(capsys, "likelihood.npy", "truth.npy", *argv)
    options = {"construction": "T", "frame": False, "patches": 7, "patch": 9, "seed": 11}
    expected = evaluate(likelihood > 0.6, ~truth, **options).row()
    assert expected.items() <= found["evaluation"].items()
    assert found["conventions"] == {
        "threshold": 0.6,
        "truth_threshold": None,
        "invert_truth": True,
        "construction": "T",
        "frame": False,
        "patches": 7,
        "patch": "9 x 9",
        "seed": 11,
        "labels": None,
        "ignore": None,
        "ignore_index": None,
        "unit": "bits",
        "ignored": "label 0 of the truth",
    }


def test_equal_to_the_threshold_is_no_membrane(capsys):
    found = numbers(capsys, "likelihood.npy", "truth.png", "--threshold", "0.75")
    assert found["evaluation"]["dice"] == 0


@pytest.mark.parametrize(
    "truth",
    [
        TRUTH,
        TRUTH.astype(np.uint8),
        TRUTH * np.uint16(65535),
        TRUTH.astype(np.float32),
        TRUTH.astype(np.int64),
    ],
    ids=lambda truth: str(truth.dtype),
)
def test_a_mask_may_have_any_type(capsys, truth):
    np.save("truth.npy", truth)
    found = numbers(capsys, "truth.npy", "truth.npy")["evaluation"]
    assert (found["dice"], found["betti"]) == (1, 0)
    found = numbers(capsys, "likelihood.npy", "truth.npy")["evaluation"]
    assert (found["betti_1"], found["voi_merge"]) == (1, 1)


def test_ones_of_an_integer_prediction_are_not_scaled_and_that_is_said(capsys):
    np.save("prediction.npy", TRUTH.astype(np.uint8))
    assert main(["evaluate", "prediction.npy", "truth.png"]) == 0
    out, err = captured(capsys)
    assert "Dice                              1  membranes" in out
    assert (
        err == "prediction.npy: holds 0 and 1 only, which are taken as they are, not scaled\n"
    )


# ---- labels ---------------------------------------------------------------------------------


def test_a_truth_of_numbered_cells_is_taken_as_it_is_without_a_border(capsys):
    labels = np.zeros(TRUTH.shape, np.uint64)
    labels[1:4, 1:4], labels[1:4, 5:8] = 2**63, 2**63 + 1
    np.save("labels.npy", labels)
    options = ["--labels", "truth", "--border", "none"]
    assert main(["evaluate", "likelihood.npy", "labels.npy", *options]) == 0
    out, err = captured(capsys)
    assert err == ""
    assert "membrane: prediction > 0.5, truth = label 0 or 2^64 - 1\n" in out
    assert (
        "bits, numbered cells of the ground truth, where the ground truth is not membrane\n"
        in out
    )
    assert "VOI merge                                1  the same\n" in out
    labels[labels > 0] = 5  # known to be one cell: nothing is merged
    np.save("labels.npy", labels)
    found = numbers(capsys, "likelihood.npy", "labels.npy", *options)
    assert found["evaluation"]["voi"] == 0


def test_of_two_label_images_segments_are_compared_and_nothing_else(capsys):
    prediction, truth = np.random.default_rng(0).integers(0, 4, (2, 6, 7))
    np.save("a.npy", prediction)
    np.save("b.npy", truth)
    found = numbers(capsys, "a.npy", "b.npy", "--labels", "both")
    information = variation_of_information(prediction, truth)
    assert found["evaluation"] == {
        "voi_split": information.split,
        "voi_merge": information.merge,
        "voi": information.total,
        "adapted_rand": adapted_rand_error(prediction, truth).error,
    }
    assert main(["evaluate", "b.npy", "b.npy", "--labels", "both"]) == 0
    assert captured(capsys)[0].splitlines() == [
        "b.npy against b.npy: 6 x 7 pixels",
        "numbered cells, 0 on membranes; label 0 of the prediction is a segment too",
        "",
        "VOI split           0  bits, where the ground truth is not membrane",
        "VOI merge           0  the same",
        "VOI                 0  split + merge",
        "adapted Rand error  0  where the ground truth is not membrane",
    ]


# ---- volumes --------------------------------------------------------------------------------


@pytest.fixture
def volume():
    """Two sections, the second without the gap."""
    prediction = np.stack([LIKELIHOOD > 0.5, TRUTH])
    np.save("prediction.npy", prediction)
    np.save("volume.npy", np.stack([TRUTH, TRUTH]))
    return prediction


def test_a_volume_is_evaluated_in_3d(capsys, volume):
    assert main(["evaluate", "prediction.npy", "volume.npy", "--patches", "3"]) == 0
    out = captured(capsys)[0]
    assert "prediction.npy against volume.npy: 2 x 5 x 9 pixels\n" in out
    assert "Betti error, tunnels                     0  the same: 0 in the pred" in out
    assert "Betti error, voids                       1  the same: 1 in the pred" in out
    assert "mean of 3 patches of 2 x 5 x 9, seed 0, with a frame of membrane\n" in out
    truth = np.stack([TRUTH, TRUTH])
    found = numbers(capsys, "prediction.npy", "volume.npy", "--patches", "3")
    expected = evaluate(volume, truth, patches=3).row()
    assert expected.items() <= found["evaluation"].items()
    assert [found["evaluation"][f"betti_matching_{dim}"] for dim in range(3)] == [0, 0, 1]


def test_sections_are_evaluated_one_by_one(capsys, volume):
    argv = ["evaluate", "prediction.npy", "volume.npy", "--sections", "--patches", "3"]
    assert main([*argv, "--csv", "a.csv", "--json", "a.json"]) == 0
    out, err = captured(capsys)
    assert "\nmean of 2 sections\n" in out
    assert "Betti error, holes                     0.5  the same: 1.5 in the pred" in out
    assert "0  whole section, with a frame of membrane: 1 in the pred" in out
    assert "mean of 3 patches of 5 x 9, seed 0, with a frame of membrane\n" in out
    assert err == "wrote a.csv\nwrote a.json\n"
    rows = list(csv.DictReader(io.StringIO(Path("a.csv").read_text())))
    assert [row["section"] for row in rows] == ["0", "1", "mean"]
    assert [float(row["betti_1"]) for row in rows] == [1, 0, 0.5]
    saved = json.loads(Path("a.json").read_text())
    assert [row["voi_merge"] for row in saved["sections"]] == [1, 0]
    expected = evaluate(volume[0], TRUTH, patches=3).row()
    assert expected.items() <= saved["sections"][0].items()
    assert [row["betti_matching_1"] for row in saved["sections"]] == [1, 0]
    assert saved["evaluation"]["voi_merge"] == 0.5


def test_sections_of_label_volumes_are_compared(capsys):
    truth = np.array([[[1, 1, 2, 2]], [[1, 1, 1, 1]]])
    np.save("a.npy", np.ones_like(truth))
    np.save("b.npy", truth)
    found = numbers(capsys, "a.npy", "b.npy", "--labels", "both", "--sections")
    assert [row["voi_merge"] for row in found["sections"]] == [1, 0]


# ---- files ----------------------------------------------------------------------------------


def test_a_line_of_csv_says_how_its_numbers_were_taken(capsys):
    assert judge("--csv", "-") == 0
    out, err = captured(capsys)
    (row,) = csv.DictReader(io.StringIO(out))
    expected = evaluate(LIKELIHOOD > 0.5, TRUTH).row()
    assert {name: float(row[name]) for name in expected} == expected
    assert (row["prediction"], row["truth"], row["section"]) == (
        "likelihood.npy",
        "truth.png",
        "",
    )
    assert (row["construction"], row["frame"], row["patch"], row["threshold"]) == (
        "V",
        "True",
        "5 x 9",
        "0.5",
    )
    assert err == ""


def test_the_table_is_printed_beside_files(capsys, folder):
    assert judge("--json", "a.json") == 0
    out, err = captured(capsys)
    assert out.startswith("likelihood.npy against truth.png")
    assert err == "wrote a.json\n"
    assert json.loads(Path("a.json").read_text())["shape"] == [5, 9]


def test_nothing_is_left_half_written(capsys, monkeypatch, folder):
    def full(*args):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), ".a.csv.1.part")

    Path("a.csv").write_text("as it was")
    monkeypatch.setattr(os, "replace", full)
    line = fault(capsys, "likelihood.npy", "truth.png", "--csv", "a.csv")
    assert line == f"a.csv: {os.strerror(errno.ENOSPC)}"
    assert files(folder) == ["a.csv", "likelihood.npy", "truth.png"]
    assert Path("a.csv").read_text() == "as it was"


# ---- the input is at fault: status 1 and one line -------------------------------------------


def fault(capsys, *argv):
    """Run, see that it fails as it should, and return the line without its beginning."""
    assert main(["evaluate", *argv]) == 1
    out, err = captured(capsys)
    assert out == ""
    assert err.count("\n") == 1
    assert err.startswith("pytopo evaluate: ")
    return err.removeprefix("pytopo evaluate: ").rstrip("\n")


def test_missing_files_are_named(capsys):
    assert fault(capsys, "no.png", "truth.png").startswith("no.png: no such file")
    assert fault(capsys, "truth.png", "no.npz").startswith("no.npz: no such file")


def test_damaged_files_are_named(capsys, folder):
    Path("half.png").write_bytes(Path("truth.png").read_bytes()[:45])
    assert fault(capsys, "half.png", "truth.png").startswith("half.png: ")
    assert fault(capsys, "likelihood.npy", "half.png").startswith("half.png: ")


def test_pickles_are_not_loaded(capsys):
    np.save("a.npy", np.array([{}]), allow_pickle=True)
    assert fault(capsys, "likelihood.npy", "a.npy").startswith("a.npy: ")


@pytest.mark.parametrize(
    ("prediction", "truth", "reason"),
    [
        (np.zeros((5, 4)), None, "truth.png: 5 x 9 pixels; expected 5 x 4, as a.npy has"),
        (np.zeros(5), None, "a.npy: an image of 1 axes; expected 2, or 3 for a volume"),
        (LIKELIHOOD * 4, None, "a.npy: image[0, 0] is 3; expected a likelihood, 0 to 1"),
        (LIKELIHOOD - 1, None, "a.npy: image[0, 0] is -0.25; expected a likelihood, 0 to 1"),
        (
            LIKELIHOOD * 8 - 4,
            None,
            "a.npy: image[0, 0] is 2; expected a likelihood, 0 to 1: the sigmoid of logits",
        ),
        (
            np.round(LIKELIHOOD * 255),
            None,
            "a.npy: image[0, 0] is 191; expected a likelihood, 0 to 1: grey values of 0 to 255 "
            "divided by 255",
        ),
        (
            np.where(TRUTH, 0.5, np.nan),
            None,
            "a.npy: image[1, 1] is nan; expected a likelihood, 0 to 1",
        ),
        (
            None,
            LIKELIHOOD,
            "b.npy: image holds 0.25 (18 pixels), 0.4 (1), 0.75 (26); expected a mask of 0 and "
            "one other value, or grey values with --truth-threshold 0.5",
        ),
        (
            None,
            TRUTH * np.uint8(255) - TRUTH * np.uint8(3) * np.eye(5, 9, dtype=np.uint8),
            "b.npy: image holds 0 (18 pixels), 252 (2), 255 (25); expected a mask of 0 and one "
            "other value, or ids of cells with --ids, or grey values with --truth-threshold "
            "0.5",
        ),
        (
            None,
            np.ones((5, 9), bool),
            "b.npy: membrane everywhere; expected some cell (is --invert-truth missing?)",
        ),
    ],
)
def test_images_that_cannot_be_compared_are_refused(capsys, prediction, truth, reason):
    paths = ["likelihood.npy", "truth.png"]
    for k, (name, array) in enumerate((("a.npy", prediction), ("b.npy", truth))):
        if array is not None:
            np.save(name, array)
            paths[k] = name
    assert fault(capsys, *paths) == reason


def test_labels_that_are_none_are_refused(capsys):
    line = fault(capsys, "truth.png", "likelihood.npy", "--labels", "truth")
    assert line == "likelihood.npy: values of float64; expected labels of integers"
    line = fault(capsys, "likelihood.npy", "truth.png", "--labels", "both")
    assert line == "likelihood.npy: values of float64; expected labels of integers"
    np.save("a.npy", np.zeros((5, 9), int))
    line = fault(capsys, "likelihood.npy", "a.npy", "--labels", "truth")
    assert (
        line == "a.npy: membrane everywhere; expected some cell (a smaller --border, or none?)"
    )


def test_a_section_without_cells_is_named(capsys, volume):
    np.save("volume.npy", np.stack([TRUTH, np.ones_like(TRUTH)]))
    line = fault(capsys, "prediction.npy", "volume.npy", "--sections")
    assert line == (
        "volume.npy: section 1: membrane everywhere; expected some cell (is --invert-truth "
        "missing?)"
    )
    assert main(["evaluate", "prediction.npy", "volume.npy", "--patches", "2"]) == 0


def test_an_image_has_no_sections(capsys):
    line = fault(capsys, "likelihood.npy", "truth.png", "--sections")
    assert line == "likelihood.npy: an image of 2 axes; --sections requires a volume"


def test_what_does_not_fit_in_memory_is_refused(capsys, monkeypatch, volume):
    def exhausted(*args, **options):
        raise MemoryError

    monkeypatch.setattr("pytopo.metrics.evaluation.evaluate", exhausted)
    line = fault(capsys, "likelihood.npy", "truth.png")
    assert line == "likelihood.npy: not enough memory for 5 x 9 pixels; take a part"
    line = fault(capsys, "prediction.npy", "volume.npy")
    assert line.endswith("not enough memory for 2 x 5 x 9 pixels; take a part, or --sections")


def test_a_missing_folder_is_found_out_before_the_work(capsys, monkeypatch, folder):
    monkeypatch.setattr("pytopo.images.image.open_image", None)
    line = fault(capsys, "likelihood.npy", "truth.png", "--csv", "no/a")
    assert line == f"no/a: there is no folder {folder}/no; create it first"


# ---- the command line is at fault: status 2 -------------------------------------------------


@pytest.mark.parametrize(
    ("argv", "reason"),
    [
        (["a"], "the following arguments are required: TRUTH"),
        (["a", "b", "--threshold", "x"], "'x' is not a number"),
        (["a", "b", "--patches", "0"], "'0'; expected a whole number, at least 1"),
        (["a", "b", "--patch-size", "0"], "'0'; expected a whole number, at least 1"),
        (["a", "b", "--seed", "-1"], "'-1'; expected a whole number, at least 0"),
        (["a", "b", "--construction", "X"], "invalid choice: 'X'"),
        (["a", "b", "--csv", "b"], "b would overwrite TRUTH"),
        (["a[0]", "b", "--json", "./a"], "./a would overwrite PREDICTION"),
        (["a", "b", "--csv", "c", "--json", "c"], "c would be written twice"),
        (["a", "b", "--csv", "-", "--json", "-"], "stdout takes only one of them"),
        (["a", "b", "--labels", "truth", "--invert-truth"], "--labels and --invert-truth"),
        (["a", "b", "--labels", "both", "--no-frame"], "compares no masks and takes no --no-f"),
        (["a", "b", "--labels", "both", "--threshold", "0.4"], "takes no --threshold"),
        (["a", "b", "--labels", "both", "--patch", "9"], "takes no --patch-size"),
    ],
)
def test_a_wrong_command_line_has_status_2(capsys, folder, argv, reason):
    with pytest.raises(SystemExit, match=r"^2$"):
        main(["evaluate", *argv])
    out, err = captured(capsys)
    assert out == ""
    assert err.startswith("usage: pytopo")
    assert reason in err.splitlines()[-1]
    assert files(folder) == ["likelihood.npy", "truth.png"]


# ---- bugs, processes, help ------------------------------------------------------------------


@pytest.mark.parametrize("error", [ValueError, TypeError, RuntimeError])
def test_a_bug_keeps_its_traceback(monkeypatch, error):
    def broken(*args, **options):
        raise error("a bug")

    monkeypatch.setattr("pytopo.metrics.evaluation.evaluate", broken)
    with pytest.raises(error, match="a bug"):
        judge()


def test_the_command_runs_as_a_process_and_imports_no_torch():
    program = (
        "import sys; from pytopo.cli.main import main\n"
        "code = main(['evaluate', 'likelihood.npy', 'truth.png'])\n"
        "assert not {'torch', 'matplotlib'} & set(sys.modules)\n"
        "sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=120
    )
    assert (done.returncode, done.stderr.replace(NOTICE, "")) == (0, "")
    assert done.stdout.startswith("likelihood.npy against truth.png: 5 x 9 pixels\n")


def test_help_says_what_there_is(capsys):
    with pytest.raises(SystemExit, match=r"^0$"):
        main(["evaluate", "--help"])
    assert "--invert-truth" in captured(capsys)[0]
    args = build_parser().parse_args(["evaluate", "a.png", "b.png"])
    assert (args.threshold, args.construction, args.patches, args.patch_size, args.seed) == (
        0.5,
        "V",
        100,
        65,
        0,
    )


def test_a_real_section_is_its_own_truth(capsys, real_data):
    label = str(real_data / "isbi2012/label/0.png")
    found = numbers(capsys, label, label)["evaluation"]
    assert (found["dice"], found["betti"], found["patch_betti"]) == (1, 0, 0)
    assert (found["voi"], found["adapted_rand"]) == (0, 0)
