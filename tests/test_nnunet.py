"""nnU-Net: the compound loss, its options, data sets in its format, and a training for real."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from itertools import accumulate
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from pytopo.cli.main import main
from pytopo.data.nnunet import write_nnunet
from pytopo.integrations.nnunet import CompoundLoss, TopologyOptions, options_of, trainer_folder
from pytopo.loss.topological import topological_loss

AT_ONCE = TopologyOptions(weight=2.0, warmup=0, ramp=0, normalize="none", min_persistence=0.0)


class Base(torch.nn.Module):
    """What nnU-Net builds, in short: a number that depends on all resolutions."""

    def forward(self, output, target):
        if isinstance(output, list):
            return sum(o.mean() for o in output)
        return output.mean()


def label_maps(classes=3, side=12):
    generator = torch.manual_seed(0)
    logits = torch.randn(2, classes, side, side, generator=generator)
    return logits, torch.randint(classes, (2, 1, side, side), generator=generator)


# --- the loss --------------------------------------------------------------------------


def test_classes_are_compared_without_the_background():
    logits, labels = label_maps()
    loss = CompoundLoss(Base(), AT_ONCE)(logits, labels.float())  # nnU-Net's labels are floats
    one_hot = torch.nn.functional.one_hot(labels[:, 0]).movedim(-1, 1)
    expected = topological_loss(logits.softmax(1)[:, 1:], one_hot[:, 1:])
    assert loss.item() == pytest.approx((logits.mean() + 2 * expected).item())


def test_topology_is_compared_at_the_full_resolution_only():
    logits, labels = label_maps()
    coarse = logits[..., ::2, ::2], labels[..., ::2, ::2]
    loss = CompoundLoss(Base(), AT_ONCE)
    alone = loss(logits, labels) - logits.mean()
    deep = loss([logits, coarse[0]], [labels, coarse[1]]) - logits.mean() - coarse[0].mean()
    assert deep.item() == pytest.approx(alone.item(), rel=1e-5)


def test_the_ignore_label_has_no_gradient_in_topology():
    logits, labels = label_maps()
    labels[..., 4:8] = 9
    logits.requires_grad_()
    loss = CompoundLoss(Base(), AT_ONCE, ignore_label=9)
    (loss(logits, labels) - logits.mean()).backward()
    assert (logits.grad[..., 4:8] == 0).all()
    assert (logits.grad != 0).any()


def test_regions_are_sigmoids_and_the_last_channel_says_what_to_ignore():
    logits, _ = label_maps(2)
    truth = (torch.rand(2, 3, 12, 12, generator=torch.manual_seed(1)) < 0.4).float()
    loss = CompoundLoss(Base(), AT_ONCE, regions=True, ignore_label=3)(logits, truth)
    ignore = truth[:, -1:] > 0
    expected = topological_loss(logits.sigmoid(), truth[:, :-1], ignore=ignore)
    assert loss.item() == pytest.approx((logits.mean() + 2 * expected).item())


def test_the_weight_grows_after_the_warm_up():
    logits, labels = label_maps()
    loss = CompoundLoss(Base(), TopologyOptions(weight=1, warmup=2, ramp=2, normalize="none"))
    added = []
    for loss.epoch in range(5):
        added.append((loss(logits, labels) - logits.mean()).item())
    assert added[:2] == [0, 0]
    assert added[2] == pytest.approx(added[3] / 2)
    assert added[3] == added[4] > 0


def test_topology_by_place():
    logits, labels = label_maps(2)
    loss = CompoundLoss(Base(), AT_ONCE, "betti")(logits, labels)
    expected = topological_loss(logits.softmax(1)[:, 1:], labels, matching="betti")
    assert loss.item() == pytest.approx((logits.mean() + 2 * expected).item())


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_sixteen_bits_do_not_reach_the_diagram(dtype):
    logits, labels = label_maps()
    loss = CompoundLoss(Base(), AT_ONCE)
    short = logits.to(dtype).requires_grad_()
    with torch.autocast("cpu", dtype):
        assert loss(logits, labels).item() == loss(logits, labels.float()).item()
        found = loss(short, labels)
    exact = loss(short.detach().float(), labels) - short.detach().float().mean()
    assert found.dtype == torch.float32
    assert (found - short.mean()).item() == pytest.approx(exact.item(), rel=1e-5)
    found.backward()
    assert short.grad.dtype == dtype
    assert (short.grad != 1 / short.numel()).any()


@pytest.mark.parametrize("value", [torch.inf, torch.nan])
def test_a_step_that_overflows_is_left_to_the_gradient_scaler(value):
    """Which sees no finite gradient, and leaves the step out."""
    logits, labels = label_maps()
    logits[0, 0, 0, 0] = value
    logits.requires_grad_()
    loss = CompoundLoss(Base(), AT_ONCE)(logits * 1, labels)
    assert not loss.isfinite()


def test_regions_with_an_ignore_label_at_several_resolutions():
    logits, _ = label_maps(2)
    truth = torch.rand(2, 3, 12, 12, generator=torch.manual_seed(1)) < 0.4  # bool
    logits.requires_grad_()
    coarse = logits.detach()[..., ::2, ::2], truth[..., ::2, ::2]
    loss = CompoundLoss(Base(), AT_ONCE, regions=True, ignore_label=3)
    found = loss([logits, coarse[0]], [truth, coarse[1]]) - logits.mean() - coarse[0].mean()
    found.backward()
    ignored = truth[:, -1:].expand_as(logits)
    assert (logits.grad[ignored].abs() < 1e-7).all()
    assert (logits.grad[~ignored].abs() > 1e-3).any()


def test_processes_that_share_a_batch_have_the_gradient_of_the_whole():
    logits, labels = label_maps()
    loss = CompoundLoss(Base(), AT_ONCE)
    whole, halves = (logits.clone().requires_grad_() for _ in range(2))
    loss(whole, labels).backward()
    for k in range(2):
        (loss(halves[k : k + 1], labels[k : k + 1]) / 2).backward()
    assert whole.grad.abs().max() > 0.01
    torch.testing.assert_close(halves.grad, whole.grad)


# --- options ---------------------------------------------------------------------------


def test_variables_win_over_the_data_set():
    found = options_of({"pytopo": {"weight": 3, "frame": True}}, {"PYTOPO_WEIGHT": "0.5"})
    assert found == TopologyOptions(weight=0.5, frame=True)


@pytest.mark.parametrize(
    ("table", "variables", "message"),
    [
        (
            {},
            {"PYTOPO_WEIHGT": "1"},
            "PYTOPO_WEIHGT is unknown; expected one of weight",
        ),
        ({}, {"PYTOPO_WARMUP": "0.5"}, "PYTOPO_WARMUP is '0.5'; expected a whole number"),
        ({}, {"PYTOPO_FRAME": "maybe"}, "PYTOPO_FRAME is 'maybe'; expected true or false"),
        ({"weight": -1}, {}, "weight is -1.0; expected at least 0"),
        ({"weights": 1}, {}, '"weights" in dataset.json is unknown'),
    ],
)
def test_impossible_options(table, variables, message):
    with pytest.raises(ValueError, match=message):
        options_of({"pytopo": table}, variables)


# --- the trainers, and what nnU-Net hands them -------------------------------------------


class Trainer:
    """As much of nnU-Net's trainer as ours builds on."""

    def __init__(self, plans, configuration, fold, dataset_json, device):
        self.num_epochs, self.num_iterations_per_epoch = 1000, 250
        self.num_val_iterations_per_epoch = 50
        self.label_manager = SimpleNamespace(has_regions="regions" in plans, ignore_label=9)
        self.said = []

    def _build_loss(self):
        return Base()

    def print_to_log_file(self, line):
        self.said.append(line)

    def on_train_epoch_start(self):
        self.said.append("epoch")


@pytest.fixture
def trainers(monkeypatch):
    """The module of our trainers, on top of that."""
    parent = "nnunetv2.training.nnUNetTrainer.nnUNetTrainer"
    for name in accumulate(parent.split("."), "{}.{}".format):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    sys.modules[parent].nnUNetTrainer = Trainer
    for name in [name for name in os.environ if name.startswith("PYTOPO_")]:
        monkeypatch.delenv(name)
    path = trainer_folder() / "nnUNetTrainerPytopo.py"
    spec = spec_from_file_location(path.stem, path)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def built(trainers, name, plans, table, device="cpu"):
    trainer = getattr(trainers, name)(plans, "2d", 0, {"pytopo": table}, device)
    trainer.loss = trainer._build_loss()
    return trainer


@pytest.mark.parametrize(
    ("name", "matching"),
    [("nnUNetTrainerPytopo", "wasserstein"), ("nnUNetTrainerPytopoBettiMatching", "betti")],
)
@pytest.mark.parametrize("regions", [False, True])
def test_a_trainer_builds_the_loss_that_the_data_set_wants(trainers, name, matching, regions):
    trainer = built(trainers, name, {"regions": 1} if regions else {}, {"weight": 3})
    loss = trainer.loss
    assert isinstance(loss.base, Base)
    assert (loss.regions, loss.ignore_label, loss.options.weight) == (regions, 9, 3.0)
    assert loss.topological.matching == matching
    assert loss.topological.ignore_index == (None if regions else 9)
    assert f"matching {matching}, TopologyOptions(weight=3.0" in trainer.said[0]


def test_a_trainer_tells_its_loss_the_epoch_also_after_a_restart(trainers, monkeypatch):
    monkeypatch.setenv("PYTOPO_WARMUP", "5")
    trainer = built(trainers, "nnUNetTrainerPytopo", {}, {"ramp": 1})
    for trainer.current_epoch in (0, 7):
        trainer.on_train_epoch_start()
        assert trainer.said[-1] == "epoch"
        assert trainer.loss.epoch == trainer.current_epoch
    assert trainer.loss.options.weight_at(trainer.loss.epoch) == 1.0


def test_a_training_is_as_long_as_nnunet_has_it_or_as_one_says(trainers, monkeypatch):
    def length(table):
        trainer = built(trainers, "nnUNetTrainerPytopo", {}, table)
        steps = trainer.num_iterations_per_epoch, trainer.num_val_iterations_per_epoch
        return trainer.num_epochs, *steps

    assert length({}) == (1000, 250, 50)
    monkeypatch.setenv("PYTOPO_EPOCHS", "3")
    assert length({"iterations": 20}) == (3, 20, 4)
    assert length({"iterations": 2}) == (3, 2, 1)


# --- data sets -------------------------------------------------------------------------


def test_synth_writes_a_training_set(tmp_path, capsys):
    folder = tmp_path / "Dataset007_Cells"
    line = ["synth", str(folder), "--nnunet", "--sections", "2", "--size", "32"]
    assert main(line) == 0
    names = sorted(str(p.relative_to(folder)) for p in folder.rglob("*.*"))
    assert names == [
        "dataset.json",
        "imagesTr/section_000_0000.png",
        "imagesTr/section_001_0000.png",
        "labelsTr/section_000.png",
        "labelsTr/section_001.png",
    ]
    description = json.loads((folder / "dataset.json").read_text())
    assert description["labels"] == {"background": 0, "membrane": 1}
    assert description["numTraining"] == 2
    label = np.asarray(Image.open(folder / "labelsTr/section_000.png"))
    image = np.asarray(Image.open(folder / "imagesTr/section_000_0000.png"))
    assert set(np.unique(label)) == {0, 1}
    assert image[label == 1].mean() < image[label == 0].mean()  # membranes are dark


def test_a_folder_that_nnunet_would_not_find_is_refused(tmp_path):
    with pytest.raises(ValueError, match="expected a name like Dataset001_Membranes"):
        write_nnunet(tmp_path / "cells", [])
    (tmp_path / "Dataset001_A").mkdir()
    (tmp_path / "Dataset001_A" / "notes").touch()
    with pytest.raises(ValueError, match="not empty"):
        write_nnunet(tmp_path / "Dataset001_A", [])


# --- nnU-Net itself --------------------------------------------------------------------


def test_the_command_prints_the_folder_of_the_trainers(capsys):
    assert main(["nnunet-path"]) == 0
    folder = capsys.readouterr().out.strip()
    assert folder == str(trainer_folder())
    assert sorted(p for p in os.listdir(folder) if p.endswith(".py")) == [
        "nnUNetTrainerPytopo.py"
    ]


@pytest.mark.compiled
@pytest.mark.skipif(find_spec("nnunetv2") is None, reason="nnunetv2 is not installed")
def test_an_epoch_of_nnunet(tmp_path):
    """Planning, preprocessing and training, as a user types them."""
    folders = {f"nnUNet_{n}": str(tmp_path / n) for n in ("raw", "preprocessed", "results")}
    others = {k: value for k, value in os.environ.items() if not k.startswith("PYTOPO_")}
    environment = {
        **others, **folders, "nnUNet_extTrainer": str(trainer_folder()),
        "nnUNet_n_proc_DA": "1", "nnUNet_compile": "f", "PYTOPO_WARMUP": "0",
        "PYTOPO_EPOCHS": "1", "PYTOPO_ITERATIONS": "5",
    }  # fmt: skip

    def run(function, *arguments):
        module, name = function.split(":")
        code = f"from {module} import {name}; {name}()"
        subprocess.run(
            [sys.executable, "-c", code, *arguments], env=environment, check=True, timeout=1200
        )

    main(["synth", str(tmp_path / "raw/Dataset001_Membranes"), "--nnunet", "--sections", "6",
          "--size", "64"])  # fmt: skip
    plan = "nnunetv2.experiment_planning.plan_and_preprocess_entrypoints"
    run(f"{plan}:plan_and_preprocess_entry", "-d", "1", "-c", "2d", "-np", "1")
    train = ("1", "2d", "0", "-tr", "nnUNetTrainerPytopoBettiMatching", "-device", "cpu")
    run("nnunetv2.run.run_training:run_training_entry", *train)
    (log,) = (tmp_path / "results").rglob("training_log*.txt")
    assert "pytopo: matching betti, TopologyOptions(weight=1.0, warmup=0" in log.read_text()
    assert list((tmp_path / "results").rglob("checkpoint_final.pth"))
