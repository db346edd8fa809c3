"""What is minimised: terms with their weights, and losses of other packages."""

import sys
from types import ModuleType

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

import pytopo
from pytopo import models
from pytopo.data import ArraySections
from pytopo.training import LossConfig, TrainingConfig, train
from pytopo.training.blocks import Blocks
from pytopo.training.checks import check_run
from pytopo.training.config import as_toml, config_of, read_tables, tables_of
from pytopo.training.distributed import World
from pytopo.training.objective import Objective, other_loss
from pytopo.training.rivals import (
    RIVALS,
    NeighbourPenalty,
    SkeletonRecall,
    SoftClDice,
    SoftDice,
    soft_skeleton,
)

ALONE = World(0, 1, torch.device("cpu"))


@pytest.fixture
def batch():
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(2, 1, 17, 17, generator=generator).requires_grad_()
    truth = (torch.rand(2, 1, 17, 17, generator=generator) > 0.6).float()
    return logits, truth


# ---- the sum of the terms --------------------------------------------------------------------


def test_the_total_is_the_weighted_sum_of_all_terms(batch):
    logits, truth = batch
    config = LossConfig(
        topo_weight=0.2,
        pixel_weight=0.5,
        matching="betti",
        others=[
            {"loss": "torch.nn.BCEWithLogitsLoss", "weight": 2},
            {"loss": "torch.nn.MSELoss", "options": {"reduction": "sum"}},
        ],
    )
    terms = Objective(config).terms(logits, truth)
    pixel = F.binary_cross_entropy_with_logits(logits, truth)
    topological = pytopo.topological_loss(
        logits, truth, sigmoid=True, frame=True, matching="betti"
    )
    squares = ((logits - truth) ** 2).sum()
    torch.testing.assert_close(terms["topological"], topological)
    torch.testing.assert_close(
        terms["total"], 0.5 * pixel + 0.2 * topological + 2 * pixel + squares
    )
    by_cost = Objective(LossConfig(topo_weight=0.2)).terms(logits, truth)["topological"]
    assert not torch.isclose(by_cost, topological)


def test_no_pixel_weight_leaves_the_cross_entropy_out_of_the_gradient(batch):
    logits, truth = batch
    config = LossConfig(topo_weight=0, pixel_weight=0, others=[{"loss": "dice"}])
    Objective(config).terms(logits, truth)["total"].backward()
    (alone,) = torch.autograd.grad(SoftDice()(logits, truth), logits)
    torch.testing.assert_close(logits.grad, alone)


def test_another_loss_trains_a_network():
    truth = torch.zeros(1, 1, 9, 9)
    truth[..., 4] = 1
    torch.manual_seed(0)
    network = models.build("plain", width=4, layers=2, stride=1)
    loss = LossConfig(topo_weight=0, pixel_weight=0, others=[{"loss": "cldice"}])
    training = TrainingConfig(epochs=1, patches=60, batch=1, learning_rate=0.05)
    rows = list(train(network, [(truth, truth)] * 60, training, loss))
    assert rows[-1].loss < 0.3 * rows[0].loss


# ---- in a configuration ----------------------------------------------------------------------


def test_other_losses_are_lines_of_a_file(tmp_path):
    path = tmp_path / "run.toml"
    path.write_text(
        '[loss]\nmatching = "betti"\n'
        'others = [{ loss = "cldice", weight = 0.5, options = { iterations = 10 } }]\n'
    )
    config = config_of(read_tables(path))
    assert config.loss.matching == "betti"
    (other,) = config.loss.others
    assert other_loss("loss", other).iterations == 10
    path.write_text(as_toml(tables_of(config)))
    assert config_of(read_tables(path)) == config


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {"matching": "place"},
            r"\[loss\] matching is 'place'; expected one of wasserstein, betti",
        ),
        ({"matching": "betti", "every_target": True}, r"\[loss\] every_target is True"),
        ({"pixel_weight": -1}, "pixel_weight is -1.0; expected at least 0"),
        ({"others": [{}]}, r"others\[0\]\.loss is None; expected dice, cldice, "),
        ({"others": [{"loss": "dise"}]}, r"others\[0\]\.loss is 'dise'; expected dice, "),
        ({"others": [{"loss": "dice", "wait": 1}]}, r"others\[0\]\.wait is unknown; expected"),
        ({"others": [{"loss": "dice", "weight": -1}]}, r"others\[0\]\.weight is -1; expected"),
        ({"others": [{"loss": "dice", "options": 1}]}, r"others\[0\]\.options is 1; expected"),
    ],
)
def test_an_impossible_loss_is_refused(values, message):
    with pytest.raises(ValueError, match=message):
        config_of({"loss": values})


def test_reading_a_configuration_imports_nothing(monkeypatch):
    monkeypatch.setitem(sys.modules, "somebody", None)  # an import of it would fail
    config = config_of({"loss": {"others": [{"loss": "somebody.Loss"}]}})
    assert config.loss.topological() is not None
    with pytest.raises(ValueError, match=r"loss\.others\[0\]: somebody\.Loss cannot be impo"):
        Objective(config.loss)


def checked(others):
    image = np.random.default_rng(0).random((1, 40, 40), np.float32)
    sections = ArraySections(image, image > 0.7)
    config = config_of(
        {
            "network": {"name": "plain", "options": {"width": 2, "layers": 2}},
            "training": {"size": 17},
            "loss": {"others": others},
        }
    )
    return check_run(config, Blocks(sections, sections, sections), ALONE)


class Fails(nn.Module):
    def forward(self, logits, truth):
        raise RuntimeError("boom\nand more")


class Wide(nn.Module):
    def forward(self, logits, truth):
        return logits - truth


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (
            {"loss": "no.such.Loss"},
            r"loss\.others\[0\]: no\.such\.Loss cannot be imported: No ",
        ),
        ({"loss": "torch.nn.NoLoss"}, "torch.nn.NoLoss cannot be imported: module 'torch.nn'"),
        ({"loss": "torch.nn.functional.relu"}, "is no class of torch.nn.Module; expected one"),
        ({"loss": "torch.nn.L1Loss", "options": {"a": 1}}, "L1Loss: .*argument 'a'"),
        ({"loss": "peer.Fails"}, r"peer\.Fails fails on logits and truth of .*: boom and more"),
        ({"loss": "peer.Wide"}, r"peer\.Wide fails on logits and truth of shape \(2, 1, 16"),
    ],
)
def test_a_loss_that_cannot_be_used_is_refused_before_the_run(monkeypatch, other, message):
    module = ModuleType("peer")
    module.Fails, module.Wide = Fails, Wide
    monkeypatch.setitem(sys.modules, "peer", module)
    assert checked([{"loss": "torch.nn.L1Loss"}]) == ()
    with pytest.raises(ValueError, match=message) as caught:
        checked([other])
    assert "\n" not in str(caught.value)


# ---- rivals ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", RIVALS)
def test_a_rival_has_a_gradient_and_prefers_the_truth(name, batch):
    logits, truth = batch
    loss = RIVALS[name]()
    loss(logits, truth).backward()
    assert torch.isfinite(logits.grad).all()
    assert logits.grad.abs().max() > 0
    perfect = loss(40 * truth - 20, truth)
    assert perfect < 0.01 < loss(torch.zeros_like(truth), truth)


def test_dice_is_taken_image_by_image():
    truth = torch.zeros(2, 1, 1, 4)
    truth[0, ..., :2], truth[1] = 1, 1
    logits = torch.full((2, 1, 1, 4), 20.0)
    # Dice 2 * 2 / (4 + 2) and 1
    assert SoftDice(smooth=0)(logits, truth).item() == pytest.approx((1 / 3 + 0) / 2)


def test_cldice_pays_for_a_gap_and_for_a_line_too_many():
    truth = torch.zeros(1, 1, 11, 20)
    truth[..., 4:7, :] = 1
    gap, more = truth.clone(), truth.clone()
    gap[..., 8:12] = 0
    more[..., 9, :] = 1
    shares = [SoftClDice(smooth=0)(40 * x - 20, truth).item() for x in (gap, more)]
    # the skeletons: 16 of 20 pixels are covered, and 20 of 40 lie in the truth
    assert shares == pytest.approx([1 - 2 * 0.8 / 1.8, 1 - 2 * 0.5 / 1.5], abs=1e-4)


def test_a_soft_skeleton_needs_as_many_erosions_as_half_the_width():
    bar = torch.zeros(1, 1, 13, 9)
    bar[..., 2:11, :] = 1
    thin = [soft_skeleton(bar, k)[0, 0, :, 4].tolist() for k in (3, 4)]
    assert sum(thin[0]) == 0
    assert thin[1] == [float(k == 6) for k in range(13)]


def test_the_soft_skeleton_of_a_wall_in_a_volume_is_its_middle():
    wall = torch.zeros(1, 1, 5, 6, 9)
    wall[..., 3:6] = 1
    middle = torch.zeros_like(wall)
    middle[..., 4] = 1
    torch.testing.assert_close(soft_skeleton(wall, 2), middle)
    shifted = wall.roll(1, dims=-1)  # covers the middle, and its own middle lies in the wall
    assert SoftClDice(smooth=0)(40 * shifted - 20, wall).item() == pytest.approx(0, abs=1e-6)
    assert SoftDice(smooth=0)(40 * shifted - 20, wall).item() == pytest.approx(1 / 3)


@pytest.mark.parametrize("shape", [(2, 1, 30, 30), (2, 1, 9, 10, 11)])
def test_soft_cldice_is_that_of_monai(shape):
    losses = pytest.importorskip("monai.losses")
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(shape, generator=generator)
    truth = (torch.rand(shape, generator=generator) > 0.5).float()
    theirs = losses.SoftclDiceLoss(iter_=4, smooth=1e-7)(logits.sigmoid(), truth)
    torch.testing.assert_close(SoftClDice(4)(logits, truth), theirs)


def test_skeleton_recall_counts_the_skeleton_alone():
    truth = torch.zeros(1, 1, 21, 40)
    truth[..., 6:15, :] = 1
    logits = torch.full_like(truth, 20.0)
    assert SkeletonRecall()(logits, truth) == 0  # foreground everywhere costs nothing
    logits[..., 9:12, 10:14] = -20
    assert 0.05 < SkeletonRecall()(logits, truth) < 0.15  # 4 of 40 columns


def test_the_worst_neighbour_is_one_of_the_same_class():
    truth = torch.tensor([[[[1.0, 1.0, 1.0, 0.0, 0.0, 0.0]]]])
    logits = torch.tensor([[[[2.0, 3.0, -4.0, -7.0, -5.0, 6.0]]]]).requires_grad_()
    loss = NeighbourPenalty()(logits, truth)
    worst = torch.tensor([[[[2.0, -4.0, -4.0, -5.0, 6.0, 6.0]]]])
    torch.testing.assert_close(loss, F.binary_cross_entropy_with_logits(worst, truth))
    loss.backward()
    assert (logits.grad != 0).tolist() == [[[[True, False, True, False, True, True]]]]
    with pytest.raises(ValueError, match="size is 2; expected an odd number"):
        NeighbourPenalty(2)
