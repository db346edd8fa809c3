"""One reading of masks and ids: the same mask gives the same numbers, however it was saved."""

import json
import os
import re
import warnings

import h5py
import numpy as np
import pytest
from PIL import Image

from pytopo import metrics
from pytopo.cli.main import main
from pytopo.data import (
    ArraySections,
    HDF5Pair,
    ImagePairs,
    PicturePair,
    border_mask,
    open_sections,
    write_cremi,
)
from pytopo.data.borders import Borders
from pytopo.images import masks
from pytopo.images.background import (
    BACKGROUND,
    CREMI_BACKGROUND,
    checked_background,
    is_background,
)
from pytopo.images.masks import Advice, mask_of, value_counts_text
from pytopo.images.scaling import clipped_to_unit, range_notes
from pytopo.metrics.evaluation import evaluate
from pytopo.notes import InputWarning

MASK = np.zeros((12, 14), bool)
MASK[2:10, 2:11] = True
MASK[4:8, 4:6] = MASK[4:8, 7:9] = False  # two cells in a frame of membrane
LIKELIHOOD = np.where(MASK, 0.9, 0.2).astype(np.float32)
LIKELIHOOD[5, 6] = 0.4  # a gap in the wall between them

NOTICE = "compiling the kernels (first run only) ...\n"

ENCODINGS = {
    "bool": MASK,
    "0/1 uint8": MASK.astype(np.uint8),
    "0/255 uint8": MASK * np.uint8(255),
    "0/128 uint8": MASK * np.uint8(128),
    "0/1 int8": MASK.astype(np.int8),
    "0/127 int8": MASK * np.int8(127),
    "0/-1 int8": MASK * np.int8(-1),
    "0/255 uint16": MASK * np.uint16(255),
    "0/65535 uint16": MASK * np.uint16(65535),
    "0/255 int32": MASK * np.int32(255),
    "0/1 int64": MASK.astype(np.int64),
    "0/255 int64": MASK * np.int64(255),
    "0/max uint64": MASK * np.uint64(2**64 - 1),
    "0/255 big-endian": (MASK * 255).astype(">i2"),
    "0/1 float16": MASK.astype(np.float16),
    "0/1 float32": MASK.astype(np.float32),
    "0/255 float64": MASK * 255.0,
}
OBVIOUS = ("bool", "0/1 ", "0/255 uint8", "0/127 int8", "0/65535", "0/max")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty current folder, but for a likelihood."""
    monkeypatch.chdir(tmp_path)
    np.save("likelihood.npy", LIKELIHOOD)
    return tmp_path


@pytest.fixture(params=ENCODINGS)
def saved(request):
    """The mask in one of its encodings, saved as mask.npy."""
    np.save("mask.npy", ENCODINGS[request.param])
    return request.param


def run(capsys, *argv):
    """Run a command that succeeds; return stdout, and stderr without the line of the JIT."""
    assert main(argv) == 0
    out, err = capsys.readouterr()
    return out, err.replace(NOTICE, "")


def fault(capsys, *argv):
    assert main(argv) == 1
    out, err = capsys.readouterr()
    assert out == ""
    return err


def heard(function):
    """What a call returns, and the texts of its warnings."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        result = function()
    assert {warning.category for warning in said} <= {InputWarning}
    return result, [str(warning.message) for warning in said]


# ---- the same mask, the same numbers --------------------------------------------------------


def test_evaluate_takes_a_mask_of_any_type_for_the_truth(capsys, saved):
    out, err = run(capsys, "evaluate", "likelihood.npy", "mask.npy", "--json", "-")
    expected = evaluate(LIKELIHOOD > 0.5, MASK).row()
    assert json.loads(out)["evaluation"].items() >= expected.items()
    assert err.count("\n") <= 1
    assert ("taken as a mask" in err) == (not saved.startswith(OBVIOUS))


def test_evaluate_takes_a_mask_of_any_type_for_the_prediction(capsys, saved):
    out, _ = run(capsys, "evaluate", "mask.npy", "mask.npy", "--json", "-")
    found = json.loads(out)["evaluation"]
    assert (found["dice"], found["betti"], found["voi"]) == (1, 0, 0)


def test_the_loss_of_a_mask_does_not_depend_on_its_type(capsys, saved):
    np.save("bool.npy", MASK)
    expected, _ = run(capsys, "loss", "likelihood.npy", "bool.npy", "--no-plot")
    out, err = run(capsys, "loss", "likelihood.npy", "mask.npy", "--no-plot")
    assert out.replace("mask.npy", "bool.npy") == expected
    assert err.count("\n") <= 1
    assert re.search(r"^all +(\S+)", out, re.M)[1] != "0"
    out, _ = run(capsys, "loss", "mask.npy", "mask.npy", "--no-plot")
    assert re.search(r"^all +(\S+)", out, re.M)[1] == "0"


def test_a_mask_matches_itself_in_another_type(capsys, saved):
    np.save("bool.npy", MASK)
    out, _ = run(capsys, "match", "bool.npy", "mask.npy", "--superlevel")
    costs = [line.split()[6] for line in out.splitlines() if line.endswith(("ents", "holes"))]
    assert costs == ["0", "0"]


def test_the_metrics_of_a_mask_do_not_depend_on_its_type(saved):
    mask = np.load("mask.npy")
    found, said = heard(
        lambda: (
            metrics.betti_numbers(mask),
            metrics.dice(LIKELIHOOD > 0.5, mask),
            metrics.pixel_accuracy(mask, MASK),
            metrics.betti_error(mask, LIKELIHOOD > 0.5).total,
            metrics.segments(mask).max(),
        )
    )
    assert found == (
        metrics.betti_numbers(MASK),
        metrics.dice(LIKELIHOOD > 0.5, MASK),
        1.0,
        1.0,
        metrics.segments(MASK).max(),
    )
    assert bool(said) == (not saved.startswith(OBVIOUS))
    row, said = heard(lambda: evaluate(LIKELIHOOD > 0.5, mask).row())
    assert row == evaluate(LIKELIHOOD > 0.5, MASK).row()
    assert len(said) == (not saved.startswith(OBVIOUS))  # once, of all the metrics


def test_the_truth_of_training_does_not_depend_on_its_type(saved):
    with h5py.File("a.h5", "w") as file:
        file["image"], file["label"] = LIKELIHOOD[None], np.load("mask.npy")[None]
    pair = HDF5Pair("a.h5:/image", "a.h5:/label")
    truths, said = heard(lambda: [pair[0].truth, pair.read(0, slice(3, 9)).truth])
    assert np.array_equal(truths[0], MASK)
    assert np.array_equal(truths[1], MASK[3:9])
    assert len(said) == (not saved.startswith(OBVIOUS))
    stack = PicturePair("likelihood.npy", "mask.npy", invert=True)
    truth, said = heard(lambda: stack[0].truth)
    assert np.array_equal(truth, ~MASK)
    assert len(said) == (not saved.startswith(OBVIOUS))


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "LA", "RGBA", "I;16", "quantized"])
def test_a_mask_in_any_kind_of_picture_is_the_mask(capsys, mode):
    picture = Image.fromarray(MASK * np.uint8(255))
    if mode == "I;16":
        picture = Image.fromarray(MASK * np.uint16(65535))
    elif mode == "quantized":  # the palette has white before black
        picture = picture.quantize(2)
    else:
        picture = picture.convert(mode)
    picture.save("mask.png")
    Image.fromarray(np.uint8(LIKELIHOOD * 255)).save("likelihood.png")
    out, err = run(capsys, "evaluate", "likelihood.npy", "mask.png", "--json", "-")
    expected = evaluate(LIKELIHOOD > 0.5, MASK).row()
    assert json.loads(out)["evaluation"].items() >= expected.items()
    if mode in ("P", "RGB", "RGBA", "quantized"):
        assert "mask.png: " in err
        assert "luminance" in err
    pair = PicturePair("likelihood.png", "mask.png")
    truth, said = heard(lambda: pair[0].truth)
    assert np.array_equal(truth, MASK)
    assert bool(said) == bool(err)


# ---- what is no mask ------------------------------------------------------------------------

STRAY = MASK * np.uint8(255)
STRAY[0, :3] = 8
IGNORED = MASK.astype(np.uint8)
IGNORED[0] = 255
MANY = np.arange(MASK.size, dtype=np.uint8).reshape(MASK.shape)


@pytest.mark.parametrize(
    ("stored", "listed", "advice"),
    [
        (
            STRAY,
            "0 (109 pixels), 8 (3), 255 (56)",
            {"evaluate": "--ids", "loss": "--truth-thr"},
        ),
        (MASK + np.uint8(1), "1 (112 pixels), 2 (56)", {"evaluate": "--ids"}),
        (IGNORED, "0 (98 pixels), 1 (56), 255 (14)", {"evaluate": "ignore", "loss": "ignore"}),
        (MANY, "5 (1), ... and 162 more", {"evaluate": "--truth-threshold"}),
        (MASK - 0.5, "-0.5 (112 pixels), 0.5 (56)", {"evaluate": "one other value"}),
    ],
)
def test_what_is_no_mask_is_listed_with_what_would_do(capsys, stored, listed, advice):
    np.save("truth.npy", stored)
    for command in ("evaluate", "loss"):
        line = fault(capsys, command, "likelihood.npy", "truth.npy")
        assert line.count("\n") == 1
        assert line.startswith(f"pytopo {command}: truth.npy: image holds ")
        assert listed in line
        assert advice.get(command, "") in line
    with pytest.raises(ValueError, match=r"holds .* expected a mask") as refused:
        metrics.dice(MASK, stored)
    assert listed in str(refused.value)
    with h5py.File("a.h5", "w") as file:
        file["image"], file["label"] = LIKELIHOOD[None], stored[None]
    for pair in (
        HDF5Pair("a.h5:/image", "a.h5:/label"),
        PicturePair("likelihood.npy", "truth.npy"),
    ):
        with pytest.raises(ValueError, match=r"the label holds .* expected a mask") as refused:
            pair[0]
        assert listed in str(refused.value)


def test_nan_is_no_mask():
    with pytest.raises(ValueError, match=r"mask\[1, 0\] is nan; expected a mask"):
        mask_of([[0, 1], [np.nan, 1]])
    with pytest.raises(ValueError, match=r"mask\[0\] is inf; expected a mask"):
        mask_of([np.inf, 0])


@pytest.mark.parametrize("values", [[0j], ["a"], np.ma.masked_equal([0, 1], 0)])
def test_what_has_no_numbers_is_no_mask(values):
    with pytest.raises(TypeError, match="mask has"):
        mask_of(values)


def test_one_value_is_foreground_unless_it_is_zero():
    full, empty = mask_of(np.full(3, 7)), mask_of(np.zeros(3))
    assert (full.array.all(), full.marked) == (True, 7)
    assert full.notes == ("holds only 7: taken as a mask, 7 is its foreground",)
    assert (empty.array.any(), empty.marked, empty.notes) == (False, None, ())


def test_advice_fits_the_values():
    advice = Advice("ids", "grey", "ignore")
    assert advice.fitting(np.array([0, 1, 255])) == "ignore"
    assert advice.fitting(np.array([-1, 0, 1])) == "ignore"
    assert advice.fitting(np.array([0, 8, 255])) == "ids, grey"
    assert advice.fitting(np.array([0, 8, 90])) == "ids"
    assert advice.fitting(np.arange(40)) == "ids, grey"
    assert advice.fitting(np.array([0, 0.1, 1])) == "grey"
    assert advice.fitting(np.array([0, 0.1, 1.5])) == ""  # no threshold of a likelihood
    assert Advice().fitting(np.array([0, 1, 255])) == ""


@pytest.mark.parametrize("command", ["evaluate", "loss"])
def test_a_grey_truth_becomes_a_mask_above_a_threshold(capsys, command):
    grey = np.where(MASK, 200, 30).astype(np.uint8) + np.arange(MASK.shape[1], dtype=np.uint8)
    np.save("likelihood.npy", LIKELIHOOD)
    np.save("mask.npy", MASK)
    np.save("grey.npy", grey)
    line = (command, "likelihood.npy", *(["--no-plot"] if command == "loss" else []))
    of_mask, _ = run(capsys, *line, "mask.npy")
    of_grey, _ = run(capsys, *line, "grey.npy", "--truth-threshold", "0.5")
    assert of_grey.splitlines()[4:] == of_mask.splitlines()[4:]
    empty, _ = run(capsys, *line, "grey.npy", "--truth-threshold", "0.99")
    assert empty.splitlines()[4:] != of_mask.splitlines()[4:]


def test_a_threshold_is_no_option_of_ids(capsys):
    with pytest.raises(SystemExit):
        main(["evaluate", "a.npy", "b.npy", "--ids", "--truth-threshold", "0.5"])
    assert "--labels and --truth-threshold exclude each other" in capsys.readouterr().err


def test_windows_of_one_mask_have_one_foreground():
    """A stray value alone with 0 in a window would be a mask; beside the others it is none."""
    label = np.zeros((1, 4, 8), np.uint8)
    label[0, :, 1], label[0, 0, 6] = 255, 8
    with h5py.File("a.h5", "w") as file:
        file["image"], file["label"] = label, label
    pair = HDF5Pair("a.h5:/image", "a.h5:/label")
    assert pair.read(0, columns=slice(0, 4)).truth.sum() == 4
    with pytest.raises(ValueError, match="the label holds 8, and elsewhere 255; expected a"):
        pair.read(0, columns=slice(4, 8))


def test_values_are_listed_with_the_digits_that_tell_them_apart():
    assert value_counts_text([1.0, 1.0000002, 1.0]) == "1 (2 pixels), 1.0000002 (1)"
    assert value_counts_text(np.float32([0.1, 0.1])) == "0.1 (2 pixels)"


# ---- grey values ----------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_a_rounding_error_is_clipped_and_more_is_not(dtype):
    rounding = max(1e-6, 2 * float(np.finfo(dtype).eps))
    values = np.array([-0.9 * rounding, 0.5, 1 + 0.9 * rounding], dtype)
    assert clipped_to_unit(values).tolist() == [0, 0.5, 1]
    for value in (1 + 3 * rounding, -3 * rounding, np.nan, np.inf):
        assert clipped_to_unit(np.array([0.5, value], dtype)) is None


def test_commands_clip_rounding_errors_and_print_digits_that_matter(capsys):
    np.save("near.npy", np.where(MASK, 1.0000002, 0))
    np.save("off.npy", np.where(MASK, 1.00002, 0.1).astype(np.float32))
    np.save("truth.npy", MASK)
    for command, option in (("evaluate", "--sections"), ("loss", "--no-plot")):
        options = [option] if command == "loss" else []
        run(capsys, command, "near.npy", "truth.npy", *options)
        assert "1.00002; expected" in fault(capsys, command, "off.npy", "truth.npy", *options)


def test_a_likelihood_below_the_threshold_is_said(capsys):
    np.save("low.npy", LIKELIHOOD / 2)
    np.save("truth.npy", MASK)
    _, err = run(capsys, "evaluate", "low.npy", "truth.npy")
    assert err == "low.npy: no value exceeds the threshold 0.5, the largest is 0.45\n"


@pytest.mark.parametrize(
    ("image", "share"),
    [
        (MANY * np.uint16(24), "6.1% of the range of uint16"),  # 12 bits
        (MANY % np.uint8(3), "0.78% of the range of uint8"),
        (MANY.astype(np.int16), "0.25% of the range of int16"),
    ],
)
def test_an_image_that_uses_little_of_its_range_is_said(capsys, image, share):
    np.save("image.npy", image)
    np.save("truth.npy", MASK)
    note = f"image.npy: uses {share}, by which it is scaled\n"
    for command in ("evaluate", "loss", "match"):
        options = [] if command == "evaluate" else ["--no-plot"]
        assert note in run(capsys, command, "image.npy", "truth.npy", *options)[1]
    assert run(capsys, "diagram", "image.npy", "--no-plot", "--no-raw")[1] == note
    assert run(capsys, "diagram", "image.npy", "--no-plot")[1] == ""
    with h5py.File("a.h5", "w") as file:
        file["image"], file["label"] = np.stack([image] * 2), np.stack([MASK] * 2)
    sections = open_sections("a.h5:/image,a.h5:/label")
    _, said = heard(lambda: list(sections))
    assert said == [f"a.h5:/image: uses {share}, by which it is scaled"]


def test_bools_floats_and_constant_images_have_no_range_to_use():
    assert range_notes(0.05, np.dtype("float32")) == ()
    assert range_notes(0.05, np.dtype("bool")) == ()
    assert range_notes(0, np.dtype("uint8")) == ()
    assert range_notes(0.1, np.dtype("uint8")) == ()


def test_integers_that_scaling_would_merge_get_advice_that_there_is(capsys):
    np.save("wide.npy", MANY.astype(np.int64))
    np.save("truth.npy", MASK)
    for command in ("evaluate", "loss"):
        line = fault(capsys, command, "wide.npy", "truth.npy")
        assert "raw" not in line
        assert line.endswith("would be one value; save fewer bits\n")
    assert "take --raw, or save fewer bits" in fault(capsys, "match", "wide.npy", "truth.npy")
    run(capsys, "match", "wide.npy", "wide.npy", "--raw")


# ---- a grey truth ---------------------------------------------------------------------------


def test_a_grey_truth_is_made_of_floats_and_said(capsys):
    np.save("grey.npy", LIKELIHOOD)
    _, err = run(capsys, "loss", "likelihood.npy", "grey.npy", "--no-plot")
    assert err == "grey.npy: holds more than two values, taken as a grey ground truth\n"
    np.save("grey.npy", np.uint8(LIKELIHOOD * 255))
    assert "floats from 0 to 1" in fault(capsys, "loss", "likelihood.npy", "grey.npy")


@pytest.mark.parametrize(
    ("truth", "options", "said"),
    [(0, [], True), (0, ["--sublevel"], False), (1, ["--sublevel"], True), (1, [], False)],
)
def test_a_truth_without_foreground_is_said_of_the_loss(capsys, truth, options, said):
    np.save("truth.npy", np.full(MASK.shape, bool(truth)))
    _, err = run(capsys, "loss", "likelihood.npy", "truth.npy", "--no-plot", *options)
    assert err == (f"truth.npy: no foreground, every pixel is {truth}\n" if said else "")


# ---- ids ------------------------------------------------------------------------------------

IDS = np.kron([[1, 2, 3], [4, 5, 6]], np.ones((12, 10), int))  # (24, 30), cells that touch


def cremi(ids, path="cells.h5"):
    raw = np.random.default_rng(0).integers(0, 256, ids.shape, np.uint8)
    write_cremi(path, raw, ids)
    return f"{path}:/volumes/labels/neuron_ids"


def scores(capsys, *argv):
    out, err = run(capsys, "evaluate", *argv, "--json", "-")
    return json.loads(out)["evaluation"], err


@pytest.mark.parametrize("sections", [[], ["--sections"]])
@pytest.mark.parametrize("zero", [False, True])
def test_perfect_membranes_of_a_cremi_file_are_perfect(capsys, sections, zero):
    truth = cremi(np.stack([IDS, IDS]).astype(np.uint64) - np.uint64(zero))
    membranes, _ = heard(lambda: np.stack([s.truth for s in open_sections("cells.h5")]))
    np.save("perfect.npy", membranes.astype(np.float32))
    found, err = scores(capsys, "perfect.npy", truth, "--ids", "--patches", "3", *sections)
    assert (found["dice"], found["betti"], found["voi"]) == (1, 0, 0)
    assert ("id 0 is a segment" in err) == zero
    assert scores(capsys, truth, truth, "--labels", "both", *sections)[0]["voi"] == 0


@pytest.mark.parametrize("border", [0, 2, 2.5])
def test_the_border_is_that_of_the_data(capsys, border):
    truth = cremi(IDS[None].astype(np.uint64))
    (section,) = open_sections("cells.h5", border=border)
    assert np.array_equal(section.truth, border_mask(IDS, border))
    np.save("perfect.npy", section.truth[None])
    found, _ = scores(capsys, "perfect.npy", truth, "--ids", "--border", str(border))
    assert (found["dice"], found["voi"]) == (1, 0)
    assert scores(capsys, "perfect.npy", truth, "--ids", "--border", "4")[0]["dice"] < 1
    nanometres = ["--border", str(4 * border), "--border-unit", "nm"]  # 4 nm a pixel
    assert scores(capsys, "perfect.npy", truth, "--ids", *nanometres)[0]["dice"] == 1


def test_a_border_in_nm_needs_a_resolution(capsys):
    np.save("ids.npy", IDS)
    options = ["--ids", "--border", "4", "--border-unit", "nm"]
    line = fault(capsys, "evaluate", "ids.npy", "ids.npy", *options)
    assert "uses" not in line or "resolution" in line
    np.save("mask.npy", border_mask(IDS, 1))
    line = fault(capsys, "evaluate", "mask.npy", "ids.npy", *options)
    assert line == (
        "pytopo evaluate: ids.npy: only HDF5 has a resolution; expected the border in pixels\n"
    )


def test_the_border_mask_of_cremi_is_left_out_wherever_it_is_stored(capsys):
    ids = IDS.astype(np.uint64)
    truth = ids.copy()
    truth[border_mask(ids, 2)] = 2**64 - 1
    np.save("ids.npy", ids)
    np.save("truth.npy", truth)
    found, err = scores(capsys, "ids.npy", "truth.npy", "--labels", "both")
    assert (found["voi"], found["adapted_rand"], err) == (0, 0, "")
    assert metrics.variation_of_information(ids, truth).total == 0
    truth[0, 0] = 0
    np.save("truth.npy", truth)
    _, err = scores(capsys, "ids.npy", "truth.npy", "--labels", "both")
    assert err.startswith("truth.npy: ids 0 and 18446744073709551615 are background; in the ")


@pytest.mark.parametrize("dtype", [np.int16, np.int64, np.uint8, np.uint64])
def test_background_is_what_is_said_to_be(capsys, dtype):
    truth = IDS.astype(dtype)
    truth[:, ::5] = -1 if np.dtype(dtype).kind == "i" else np.iinfo(dtype).max
    truth[:, 1] = 0
    np.save("ids.npy", IDS)
    np.save("truth.npy", truth)
    perfect, err = scores(
        capsys, "ids.npy", "truth.npy", "--labels", "both", "--background", "0,-1"
    )
    assert (perfect["voi"], err) == (0, "")
    none, _ = scores(capsys, "ids.npy", "truth.npy", "--labels", "both", "--background=none")
    assert none["voi"] > 0
    named = metrics.variation_of_information(IDS, truth, background=np.array([-1, 0]))
    assert named.total == 0
    assert metrics.adapted_rand_error(IDS, truth, background=(0, np.int8(-1))).error == 0
    found = Borders(None, background=(0, -1)).checked().membranes(truth, (1, 1))
    assert np.array_equal(found, (truth != IDS))


def test_grey_for_the_mask_of_training_gets_each_advice_once_and_one_that_works():
    grey = np.full((2, 4, 4), 0.2)
    grey[0, 0, 0] = 0.9
    advice = "expected a mask of 0 and one other value, "
    with pytest.raises(ValueError) as caught:
        ArraySections(grey, grey)
    assert str(caught.value).endswith(f"{advice}or a mask of it: membrane as 1 and all else 0")
    with pytest.raises(ValueError) as caught:
        ArraySections(grey, np.where(grey == 0.2, 8, 255) * (grey < 1))
    assert str(caught.value).count("ids=True") == 1


def test_a_note_names_a_dtype_without_its_byte_order(capsys):
    np.save("big-endian.npy", np.array([[1, 9]], ">u2"))
    assert main(["diagram", "big-endian.npy", "--no-plot", "--no-raw"]) == 0
    assert "uses 0.012% of the range of uint16, by which" in capsys.readouterr().err


def test_negative_ids_are_cells_and_that_is_said(capsys):
    np.save("ids.npy", IDS)
    np.save("truth.npy", IDS - 2)
    _, err = scores(capsys, "ids.npy", "truth.npy", "--labels", "both")
    assert err == "truth.npy: id -1 is a segment; --background 0,-1 makes it background\n"
    with pytest.warns(InputWarning, match="target: id -1 is a segment; background=.0,-1."):
        metrics.variation_of_information(IDS, IDS - 2)


@pytest.mark.parametrize("background", [0.0, "0", [0, "a"], True, [None], None])
def test_background_is_made_of_integers(background):
    with pytest.raises(TypeError, match=r"background is .*; expected an integer, or several"):
        checked_background(background)


def test_one_id_of_the_background_may_be_an_array_without_axes():
    assert checked_background(np.array(7, np.uint8)) == (7,)


def test_names_that_were_in_the_module_of_masks_are_still_found_there():
    assert masks.checked_background is checked_background
    assert masks.clipped_to_unit is clipped_to_unit
    assert [name for name in masks.__all__ if not hasattr(masks, name)] == []


def test_ids_of_the_background_are_those_that_the_dtype_holds():
    ids = np.array([0, 5, 255], np.uint8)
    assert is_background(ids, BACKGROUND).tolist() == [True, False, False]
    assert is_background(ids, CREMI_BACKGROUND).tolist() == [False, False, False]
    assert is_background(ids, (-1,)).tolist() == [False, False, True]
    assert is_background(ids > 0, (0, 300)).tolist() == [True, False, False]


def test_background_of_a_cremi_file_is_the_largest_id_alone():
    ids = IDS.astype(np.uint64) - np.uint64(1)
    ids[:, 29] = 2**64 - 1
    cremi(ids[None])
    with h5py.File("other.h5", "w") as file:
        file["image"], file["ids"] = np.full((1, *IDS.shape), 200, np.uint8), ids[None]
    (found,), said = heard(lambda: list(open_sections("cells.h5", border=None)))
    assert np.array_equal(found.truth, ids == 2**64 - 1)
    assert said == [
        "cells.h5:volumes/labels/neuron_ids: id 0 is a segment, as in the evaluation of CREMI; "
        "background=[0] makes it background"
    ]
    other = "other.h5:/image,other.h5:/ids"
    (found,), _ = heard(lambda: list(open_sections(other, ids=True, border=None)))
    assert np.array_equal(found.truth, (ids == 2**64 - 1) | (ids == 0))
    (found,), said = heard(
        lambda: list(open_sections(other, ids=True, border=None, background=np.int64(7)))
    )
    assert not found.truth.any()
    assert said == ["other.h5:/ids: a ground truth without membrane, in all of 720 pixels"]


@pytest.mark.parametrize("kind", ["palette", "colour"])
def test_colours_of_labels_are_ids_and_not_brightness(capsys, kind):
    colours = np.random.default_rng(1).integers(1, 256, (7, 3), np.uint8)
    colours[0] = 0
    colours[2] = colours[1][::-1]
    if kind == "palette":
        picture = Image.fromarray(IDS.astype(np.uint8)).convert("P")
        picture.putpalette([0, 0, 0] + [60, 60, 60] * 255)  # one brightness for all
    else:
        picture = Image.fromarray(colours[IDS])
    picture.save("ids.png")
    Image.fromarray(np.arange(720, dtype=np.uint16).reshape(24, 30) * 90).save("image.png")
    np.save("ids.npy", IDS)
    found, err = scores(capsys, "ids.png", "ids.npy", "--labels", "both")
    assert found["voi"] == 0
    assert ("read as ids" in err) == (kind == "colour")
    pair = PicturePair("image.png", "ids.png", ids=True)
    truth, said = heard(lambda: pair[0].truth)
    assert np.array_equal(truth, border_mask(IDS, 1))
    assert any("read as ids" in note for note in said) == (kind == "colour")


# ---- remarks of data: each kind once --------------------------------------------------------


def test_data_say_each_kind_of_note_once():
    for kind in ("image", "label"):
        os.makedirs(f"pairs/{kind}")
    for k in range(4):
        grey = Image.fromarray(np.uint8(LIKELIHOOD * 255))
        (grey.convert("RGB") if k else grey).save(f"pairs/image/{k}.png")
        Image.fromarray(MASK * np.uint8(100 + k)).save(f"pairs/label/{k}.png")
    pairs = ImagePairs("pairs")
    _, said = heard(lambda: [list(pairs), list(pairs)])
    assert [re.sub(r".*pairs.", "", text) for text in said] == [
        "label/0.png: holds 0 and 100: taken as a mask, 100 is its foreground",
        "image/1.png: RGB colour turned to luminance (ITU-R 601)",
    ]


def test_a_truth_without_membrane_is_said():
    empty = np.zeros(MASK.shape, bool)
    with h5py.File("a.h5", "w") as file:
        file["image"] = np.stack([LIKELIHOOD] * 3)
        file["empty"], file["half"] = np.stack([empty] * 3), np.stack([MASK, empty, empty])
    _, said = heard(lambda: list(open_sections("a.h5:/image,a.h5:/empty")))
    assert said == ["a.h5:/empty: a ground truth without membrane, in all of 168 pixels"]
    assert heard(lambda: list(open_sections("a.h5:/image,a.h5:/half")))[1] == []


def test_sections_without_membrane_are_said_of_an_evaluation(capsys):
    np.save("prediction.npy", np.stack([LIKELIHOOD] * 3))
    np.save("half.npy", np.stack([MASK, MASK & False, MASK & False]))
    np.save("empty.npy", np.stack([MASK & False] * 3))
    _, err = scores(capsys, "prediction.npy", "half.npy", "--sections", "--patches", "1")
    assert err == "half.npy: no membrane in 2 sections, as in section 1\n"
    _, err = scores(capsys, "prediction.npy", "empty.npy", "--sections", "--patches", "1")
    assert err == "empty.npy: a ground truth without foreground, no pixel of it is membrane\n"
