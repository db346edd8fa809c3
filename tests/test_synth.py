"""Synthetic volumes: what they are like, what is certain about them, and the command."""

import os

import h5py
import numpy as np
import pytest
from scipy.ndimage import binary_erosion, label

from pytopo.cli.main import main
from pytopo.data import (
    CremiVolume,
    border_mask,
    synthetic_sections,
    synthetic_volume,
    write_cremi,
)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def volume():
    return synthetic_volume(6, 160, seed=2)


def contrast(mask, image):
    """Difference of the mean grey outside and inside a mask."""
    return image[~mask].mean() - image[mask].mean()


# ---- what the volumes are like -----------------------------------------------------------


def test_the_same_seed_makes_the_same_volume(volume):
    again = synthetic_volume(6, 160, seed=2)
    assert np.array_equal(again.raw, volume.raw)
    assert np.array_equal(again.neuron_ids, volume.neuron_ids)
    assert not np.array_equal(synthetic_volume(1, 160, seed=3).raw[0], volume.raw[0])


def test_more_sections_begin_with_the_same(volume):
    assert np.array_equal(synthetic_volume(2, 160, seed=2).raw, volume.raw[:2])


def test_a_volume_has_the_types_of_the_cremi_layout(volume):
    assert (volume.raw.shape, volume.raw.dtype) == ((6, 160, 160), np.uint8)
    assert (volume.neuron_ids.shape, volume.neuron_ids.dtype) == ((6, 160, 160), np.uint64)
    assert volume.neuron_ids.min() > 0


def test_membranes_are_dark_and_some_of_them_cannot_be_seen(volume):
    for raw, ids in zip(volume.raw, volume.neuron_ids):
        membrane = border_mask(ids, 0)
        assert contrast(membrane, raw) > 35
        assert (raw[membrane] > np.median(raw)).mean() > 0.05


def test_the_greys_are_those_of_a_microscope(volume):
    assert 130 < volume.raw.mean() < 180
    assert 25 < volume.raw.std() < 50
    assert np.isin(volume.raw, (0, 255)).mean() < 0.02


def test_neighbouring_sections_resemble_each_other_and_far_ones_do_not(volume):
    ids = volume.neuron_ids
    near = np.mean([(ids[i] == ids[i + 1]).mean() for i in range(5)])
    assert 0.85 < near < 0.97
    assert (ids[0] == ids[5]).mean() < near - 0.1


def test_a_cell_is_connected_in_nearly_all_sections(volume):
    components = [label(ids == cell)[1] for ids in volume.neuron_ids for cell in np.unique(ids)]
    assert np.mean(np.array(components) == 1) > 0.9


def test_there_are_large_cells_and_small_ones(volume):
    areas = np.unique(volume.neuron_ids[0], return_counts=True)[1]
    assert 10 <= len(areas) <= 60
    assert areas.max() > 5 * np.median(areas)


# ---- what the options do -----------------------------------------------------------------


def test_without_gaps_nearly_all_membranes_are_dark():
    seen = []
    for gaps in (0, 0.3):
        raw, ids = synthetic_volume(2, 128, gaps=gaps, noise=0, clutter=0)
        membrane = np.stack([border_mask(section, 0) for section in ids])
        seen.append((raw[membrane] < np.median(raw[~membrane]) - 12).mean())
    assert seen[0] > 0.93
    assert seen[1] < seen[0] - 0.15


def test_noise_is_grain():
    smooth, grainy = (synthetic_volume(1, 128, noise=noise).raw[0] for noise in (0, 1.5))
    steps = [np.abs(np.diff(raw.astype(float), axis=1)).mean() for raw in (smooth, grainy)]
    assert steps[1] > 2 * steps[0]


def test_clutter_lies_inside_cells():
    clean, full = (synthetic_volume(1, 256, noise=0, gaps=0, clutter=c) for c in (0, 1))
    assert np.array_equal(clean.neuron_ids, full.neuron_ids)
    inside = binary_erosion(~border_mask(full.neuron_ids[0], 0), iterations=5)
    dark = [(v.raw[0][inside] < np.median(v.raw[0][inside]) - 30).mean() for v in (clean, full)]
    assert dark[0] < 0.02
    assert dark[1] > dark[0] + 0.02


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"sections": 0}, "sections=0"),
        ({"size": 15}, "size=15"),
        ({"seed": -1}, "seed=-1"),
        ({"noise": -1}, "noise=-1"),
        ({"clutter": np.inf}, "clutter=inf"),
        ({"gaps": 1}, "gaps=1"),
        ({"gaps": np.nan}, "gaps=nan"),
    ],
)
def test_options_out_of_range_are_refused(options, text):
    with pytest.raises(ValueError, match=text):
        synthetic_volume(**options)


def test_the_smallest_volume_can_be_made():
    assert synthetic_volume(1, 16).raw.shape == (1, 16, 16)


def test_synthetic_sections_are_the_volume_with_its_borders(volume):
    sections = synthetic_sections(2, 160, seed=2, border=2)
    assert len(sections) == 2
    assert np.array_equal(sections[1].image, np.float32(volume.raw[1]) / np.float32(255))
    assert np.array_equal(sections[1].truth, border_mask(volume.neuron_ids[1], 2))


# ---- the file ----------------------------------------------------------------------------


def test_what_is_written_is_read(volume):
    write_cremi("a.h5", *volume, resolution=(50, 4, 8))
    sections = CremiVolume("a.h5")
    assert sections.resolution == (50.0, 4.0, 8.0)
    assert np.array_equal(sections.neuron_ids(4), volume.neuron_ids[4])
    assert np.array_equal(sections[4].image, np.float32(volume.raw[4]) / np.float32(255))
    with h5py.File("a.h5") as file:
        assert file["volumes/raw"].dtype == np.uint8
        assert file["volumes/labels/neuron_ids"].dtype == np.uint64
        assert "offset" not in file["volumes/labels/neuron_ids"].attrs
    assert os.listdir() == ["a.h5"]


@pytest.mark.parametrize(
    ("raw", "ids", "text"),
    [
        (np.zeros((2, 3)), np.zeros((1, 2, 3), int), "raw has 2 axes"),
        (np.zeros((1, 2, 3)), np.zeros((1, 2, 3)), "neuron_ids hold something other"),
        (np.zeros((1, 2, 3)), np.full((1, 2, 3), -1), "neuron_ids hold something other"),
    ],
)
def test_arrays_that_are_not_a_volume_are_not_written(raw, ids, text):
    with pytest.raises(ValueError, match=text):
        write_cremi("a.h5", raw, ids)
    assert os.listdir() == []


def test_a_file_that_cannot_be_finished_is_not_begun(monkeypatch):
    write_cremi("a.h5", *synthetic_volume(1, 16))
    before = CremiVolume("a.h5")[0].image

    def full(*args, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(h5py.Group, "create_dataset", full)
    with pytest.raises(OSError, match="No space left"):
        write_cremi("a.h5", *synthetic_volume(1, 16, seed=1))
    assert os.listdir() == ["a.h5"]
    assert np.array_equal(CremiVolume("a.h5")[0].image, before)


# ---- the command -------------------------------------------------------------------------


def test_the_command_writes_the_volume(capsys):
    argv = ["--sections", "2", "--size", "64", "--seed", "5", "--noise", "0.5"]
    assert main(["synth", "cells.h5", *argv, "--gaps", "0.1", "--clutter", "2"]) == 0
    out, err = capsys.readouterr()
    assert (out, err) == ("", "wrote cells.h5: 2 sections of 64 x 64 pixels\n")
    expected = synthetic_volume(2, 64, seed=5, noise=0.5, gaps=0.1, clutter=2)
    with h5py.File("cells.h5") as file:
        assert np.array_equal(file["volumes/raw"], expected.raw)
        assert np.array_equal(file["volumes/labels/neuron_ids"], expected.neuron_ids)


def test_the_defaults_of_the_command_are_those_of_the_function(monkeypatch):
    passed = {}

    def planes(sections, size, **options):
        passed.update(sections=sections, size=size, **options)
        raise MemoryError

    monkeypatch.setattr("pytopo.data.synth.synthetic_planes", planes)
    assert main(["synth", "cells.h5"]) == 1
    command = dict(passed)
    with pytest.raises(MemoryError):
        synthetic_volume()
    assert passed == command


def test_too_large_a_volume_is_an_error(monkeypatch, capsys):
    def planes(*args, **options):
        raise MemoryError

    monkeypatch.setattr("pytopo.data.synth.synthetic_planes", planes)
    assert main(["synth", "cells.h5", "--size", "99999"]) == 1
    assert "not enough memory for 30 sections of 99999 x 99999" in capsys.readouterr().err
    assert os.listdir() == []


@pytest.mark.parametrize(
    ("path", "text"),
    [("gone/a.h5", "there is no folder"), (".", "a folder"), ("/dev/null", "a pipe or device")],
)
def test_a_place_that_cannot_be_written_is_an_error(path, text, capsys):
    assert main(["synth", path, "--sections", "1", "--size", "16"]) == 1
    err = capsys.readouterr().err
    assert err.startswith(f"pytopo synth: {path}: {text}")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    "argv",
    [
        [], ["a.h5", "--size", "8"], ["a.h5", "--sections", "0"], ["a.h5", "--gaps", "1"],
        ["a.h5", "--gaps", "nan"], ["a.h5", "--noise", "-1"], ["a.h5", "--clutter", "inf"],
        ["a.h5", "--seed", "-1"],
    ],
)  # fmt: skip
def test_a_wrong_command_line_is_a_usage_error(argv):
    with pytest.raises(SystemExit) as left:
        main(["synth", *argv])
    assert left.value.code == 2
    assert os.listdir() == []


def test_numbers_of_numpy_are_numbers():
    plain = synthetic_volume(2, 96, seed=5)
    narrow = synthetic_volume(np.uint8(2), np.uint8(96), seed=np.int16(5))
    assert np.array_equal(narrow.raw, plain.raw)
    assert np.array_equal(narrow.neuron_ids, plain.neuron_ids)
