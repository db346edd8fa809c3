"""Surface Dice and HD95: MONAI's numbers, beside distances by brute force."""

import json
import math
import sys

import numpy as np
import pytest
from scipy import ndimage
from scipy.spatial.distance import cdist
from test_cli_evaluate import captured, fault, numbers

from pytopo.cli.main import main
from pytopo.metrics import hausdorff_distance, surface_dice

SQUARE = np.zeros((12, 14), bool)
SQUARE[3:8, 2:7] = True
NOTHING = np.zeros_like(SQUARE)
MISSING = "surface Dice and the Hausdorff distance are computed by MONAI: pip install monai"


@pytest.fixture
def monai():
    pytest.importorskip("monai")


@pytest.fixture
def without_monai(monkeypatch):
    for name in ("monai", "monai.metrics"):
        monkeypatch.setitem(sys.modules, name, None)


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("prediction.npy", np.roll(SQUARE, 3, axis=1))
    np.save("truth.npy", SQUARE)
    np.save("empty.npy", NOTHING)


def noise(seed, shape):
    return ndimage.gaussian_filter(np.random.default_rng(seed).standard_normal(shape), 1) > 0


def hd95(prediction, target, spacing):
    """Return the larger 95th percentile of all distances between two surfaces."""
    surfaces = [
        np.argwhere(mask & ~ndimage.binary_erosion(mask)) * np.array(spacing)
        for mask in (prediction, target)
    ]
    distances = cdist(*surfaces)
    return max(np.percentile(distances.min(axis), 95) for axis in (0, 1))


@pytest.mark.filterwarnings("default")  # what MONAI warns of while it is imported is its own
@pytest.mark.parametrize("spacing", [(1.0, 1.0), (1.0, 1.0, 1.0), (4.0, 1.0, 1.5)])
def test_hd95_is_that_of_all_distances(monai, spacing):
    for seed in range(5):
        pair = (
            noise(seed, (14, 11, 9)[: len(spacing)]),
            noise(seed + 50, (14, 11, 9)[: len(spacing)]),
        )
        found = hausdorff_distance(*pair, spacing=spacing)
        assert found == pytest.approx(hd95(*pair, spacing), rel=1e-5)


def test_a_square_that_is_moved_by_three_pixels(monai):
    moved = np.roll(SQUARE, 3, axis=1)
    assert hausdorff_distance(moved, SQUARE, percentile=100) == 3
    assert hausdorff_distance(moved, SQUARE, percentile=100, spacing=0.5) == 1.5
    assert surface_dice(moved, SQUARE, 3) == 1
    assert 0 < surface_dice(moved, SQUARE, 1) < 0.8
    assert surface_dice(moved, SQUARE, 1, spacing=0.25) == 1
    ignored = np.roll(SQUARE, 3, axis=1) ^ SQUARE
    assert hausdorff_distance(moved, SQUARE, ignore=ignored) == 0
    marked = np.where(ignored, 255, SQUARE)
    assert surface_dice(moved, marked, 0, ignore_index=255) == 1


def test_masks_without_foreground_have_no_surface(monai):
    assert surface_dice(NOTHING, NOTHING, 1) == 1
    assert surface_dice(NOTHING, SQUARE, 1) == surface_dice(SQUARE, NOTHING, 1) == 0
    assert hausdorff_distance(NOTHING, NOTHING) == 0
    assert hausdorff_distance(NOTHING, SQUARE) == math.inf


def test_without_monai_there_is_one_line(without_monai, files, capsys):
    for masks in ((SQUARE, SQUARE), (NOTHING, NOTHING)):
        with pytest.raises(ImportError, match=f"^{MISSING}$"):
            surface_dice(*masks, 1)
        with pytest.raises(ImportError, match=f"^{MISSING}$"):
            hausdorff_distance(*masks)
    assert fault(capsys, "prediction.npy", "truth.npy", "--hd95") == MISSING
    assert fault(capsys, "prediction.npy", "truth.npy", "--surface-dice", "2") == MISSING
    assert "hd95" not in numbers(capsys, "prediction.npy", "truth.npy")["evaluation"]


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"spacing": 0}, "spacing is 0; expected a number above 0, or one for each of 2 axes"),
        (
            {"spacing": (1, 2, 3)},
            r"spacing is \(1, 2, 3\); expected a number above 0, or one f",
        ),
        ({"spacing": (1, math.nan)}, r"spacing is \(1, nan\); expected a number above 0"),
        ({"spacing": "ab"}, "spacing is 'ab'; expected a number above 0"),
        ({"percentile": 101}, "percentile is 101; expected a number from 0 to 100"),
        ({"percentile": -1}, "percentile is -1; expected a number of at least 0"),
    ],
)
def test_wrong_options_are_refused(options, text):
    with pytest.raises(ValueError, match=text):
        hausdorff_distance(SQUARE, SQUARE, **options)
    with pytest.raises(ValueError, match="tolerance is -1; expected a number of at least 0"):
        surface_dice(SQUARE, SQUARE, -1)


def test_the_command_prints_them(monai, files, capsys):
    argv = ["prediction.npy", "truth.npy", "--surface-dice", "1", "--hd95"]
    pair = np.roll(SQUARE, 3, axis=1), SQUARE
    assert main(["evaluate", *argv]) == 0
    out, err = captured(capsys)
    assert err == ""
    words = " ".join(out.split())
    share = f"{surface_dice(*pair, 1):.6g}"
    how = "in pixels, surfaces of membranes, by MONAI"
    assert f" surface Dice {share} tolerance 1, {how} HD95 3 {how} VOI split" in words
    found = numbers(capsys, *argv, "--spacing", "2,0.5")
    assert found["evaluation"]["hd95"] == 1.5
    assert found["conventions"]["spacing"] == [2, 0.5]
    assert found["conventions"]["surface_tolerance"] == 1
    found = json.loads(json.dumps(numbers(capsys, "empty.npy", "truth.npy", "--hd95")))
    assert found["evaluation"]["hd95"] is None


@pytest.mark.parametrize(
    ("argv", "reason"),
    [
        (["--spacing", "1,1"], "--spacing is for --surface-dice and --hd95"),
        (["--hd95", "--spacing", "1,0"], "1,0; expected sizes above 0, like 40,4,4"),
        (["--surface-dice", "-1"], "-1; expected a distance of at least 0"),
        (["--labels", "both", "--hd95"], "compares no masks and takes no --hd95"),
        (["--protocol", "vesuvius", "--hd95"], "--protocol vesuvius takes no --hd95"),
    ],
)
def test_a_wrong_command_line_has_status_2(capsys, argv, reason):
    with pytest.raises(SystemExit, match=r"^2$"):
        main(["evaluate", "a", "b", *argv])
    assert reason in captured(capsys)[1].splitlines()[-1]


def test_a_size_for_each_axis(files, capsys):
    line = fault(capsys, "prediction.npy", "truth.npy", "--hd95", "--spacing", "4,1,1")
    assert line == (
        "truth.npy: an image of 2 axes; --spacing is 4,1,1, expected a size for each axis"
    )
