"""Pixels without ground truth in the data of a run, from the label to the report."""

import h5py
import numpy as np
import pytest
import torch
from PIL import Image

from pytopo.data import ArraySections, Patches, open_sections, write_cremi
from pytopo.data.ignored import inverted, read_mask
from pytopo.metrics.decision import Decision
from pytopo.metrics.evaluation import evaluate
from pytopo.training.config import RunConfig, config_of
from pytopo.training.decision import Predicted, mean_measures, scores
from pytopo.training.loop import TrainingConfig, train
from pytopo.training.objective import LossConfig, Objective

LABEL = np.array([[0, 1, 255, 0], [0, 1, 1, 255]], np.uint8)
TRUTH = np.array([[0, 1, -1, 0], [0, 1, 1, -1]], np.int8)


@pytest.fixture
def sources(tmp_path, monkeypatch):
    """One label as a picture and in HDF5, beside an image of zeros."""
    monkeypatch.chdir(tmp_path)
    for name, array in (("image", np.zeros_like(LABEL)), ("label", LABEL)):
        Image.fromarray(array).save(f"{name}.png")
        with h5py.File(f"{name}.h5", "w") as file:
            file[name] = array[None]
    return ["image.png,label.png", "image.h5:/image,label.h5:/label"]


def test_named_labels_are_ignored_and_others_refused(sources):
    for source in sources:
        (section,) = open_sections(source, ignore=255)
        assert section.truth.dtype == np.int8
        assert np.array_equal(section.truth, TRUTH)
        (section,) = open_sections(source, ignore=[255], invert=True)
        assert np.array_equal(section.truth, [[1, 0, -1, 1], [1, 0, 0, -1]])
        with pytest.raises(ValueError, match=r"or the third value to ignore: ignore=255"):
            _ = open_sections(source)[0]
    part = ArraySections([np.zeros((2, 4))], [LABEL / 1.0], ignore=255).read(0, slice(1, 2))
    assert np.array_equal(part.truth, TRUTH[1:])


def test_ids_without_ground_truth_are_ignored_whatever_their_border(tmp_path):
    ids = np.ones((1, 4, 6), np.uint64)
    ids[..., 3:], ids[:, :2, 5] = 2, 2**64 - 2
    write_cremi(f"{tmp_path}/cells.h5", np.zeros((1, 4, 6), np.uint8), ids)
    plain = open_sections(f"{tmp_path}/cells.h5", border=0)[0].truth
    (section,) = open_sections(f"{tmp_path}/cells.h5", border=0, ignore=-2)
    assert plain.dtype == bool
    assert np.array_equal(section.truth == -1, ids[0] == 2**64 - 2)
    assert np.array_equal((section.truth == 1)[:, :5], plain[:, :5])


def test_without_names_a_truth_is_bool_as_before():
    assert read_mask(LABEL % 2 == 1, "here", ())[0].dtype == bool
    assert inverted(np.array([True, False])).tolist() == [False, True]
    assert ArraySections([np.zeros((2, 4))], [LABEL == 1], ignore=())[0].truth.dtype == bool


def test_patches_carry_the_mark_through_every_symmetry():
    sections = ArraySections([np.zeros((4, 4))], [np.vstack([LABEL, LABEL])], ignore=255)
    patches = Patches(sections, size=4, per_section=20)
    for _, truth in patches:
        assert truth.dtype == np.float32
        assert [(truth == value).sum() for value in (-1, 0, 1)] == [4, 6, 6]


def test_other_losses_see_certain_background_there():
    loss = {"loss": "torch.nn.BCEWithLogitsLoss", "options": {"reduction": "sum"}}
    objective = Objective(LossConfig(topo_weight=1.0, pixel_weight=0.0, others=[loss]))
    truth = torch.from_numpy(TRUTH).float()[None, None]
    logits = torch.randn(1, 1, 2, 4, generator=torch.Generator().manual_seed(0))
    logits.requires_grad_()
    objective.terms(logits, truth)["total"].backward()
    assert logits.grad[truth == -1].abs().sum() == 0
    assert logits.grad[truth != -1].abs().min() > 0


def test_training_does_not_learn_from_ignored_pixels():
    """The two halves contradict each other, and one of them is ignored."""
    image = torch.linspace(-2, 2, 64).reshape(1, 1, 8, 8)
    truth = (image > 0).float()
    wrong = torch.cat([truth, 1 - truth], dim=3)
    marked = wrong.clone()
    marked[..., 8:] = -1
    both = torch.cat([image, image], dim=3)
    config = TrainingConfig(epochs=1, patches=50, batch=1, learning_rate=0.1)
    for target, learns in ((marked, True), (wrong, False)):
        torch.manual_seed(0)
        network = torch.nn.Conv2d(1, 1, 1)
        loss = LossConfig(topo_weight=0.001, warmup=0)
        rows = list(train(network, [(both, target)] * 50, config, loss))
        assert (rows[-1].cross_entropy < 0.5) == learns


def test_ignored_pixels_do_not_count_in_the_report():
    rng = np.random.default_rng(0)
    likelihood = rng.random((20, 24)).astype(np.float32)
    truth = rng.integers(-1, 2, (20, 24)).astype(np.int8)
    truth[:9, :9] = -1  # a whole patch
    config = config_of({"training": {"size": 8, "batch": 1, "patches": 1}})
    expected = evaluate(likelihood > 0.5, truth == 1, patch=8, ignore=truth == -1)
    sections = [Predicted(likelihood, truth)]
    assert mean_measures(sections, Decision(), config) == expected
    other = [Predicted(np.where(truth == -1, 1 - likelihood, likelihood), truth)]
    (one,), (two,) = (scores(some, [Decision()], config) for some in (sections, other))
    assert (one.accuracy, one.betti) == (two.accuracy, two.betti)
    assert np.array_equal(one.matching, two.matching)
    assert one.accuracy == expected.pixel_accuracy


def test_a_configuration_names_the_labels():
    assert RunConfig().data.ignore == []
    assert config_of({"data": {"ignore": [255]}}).data.ignore == [255]
    with pytest.raises(TypeError, match=r"data.ignore is 255; expected a list"):
        config_of({"data": {"ignore": 255}})
