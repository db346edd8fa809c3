"""The training loop: what a step does, and what the schedules say."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import pytopo
from pytopo.training.loop import (
    LossConfig,
    NotFinite,
    TrainingConfig,
    learning_rate,
    new_optimizer,
    topo_weight,
    train,
)


def ring_batch(count=4, size=9):
    """Noisy rings, and the rings."""
    truth = torch.zeros(count, 1, size, size)
    truth[..., 2:7, 2:7] = 1
    truth[..., 3:6, 3:6] = 0
    noise = torch.rand(truth.shape, generator=torch.manual_seed(0))
    return truth + 0.3 * noise, truth


def small_network(seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 1, 1))


def config(steps, **options):
    return TrainingConfig(epochs=1, patches=4 * steps, batch=4, **options)


def test_rings_are_learnt():
    rows = list(train(small_network(), [ring_batch()] * 60, config(60, learning_rate=0.03)))
    assert [row.step for row in rows] == list(range(60))
    assert rows[0].cross_entropy > 0.4
    assert rows[-1].cross_entropy < 0.1


def test_the_loss_of_a_step_is_cross_entropy_and_weighted_topological_loss():
    images, truth = ring_batch()
    network = small_network()
    logits = network(images)
    expected = F.binary_cross_entropy_with_logits(logits, truth).item()
    topological = pytopo.topological_loss(logits, truth, frame=True, sigmoid=True).item()
    loss = LossConfig(topo_weight=0.2, warmup=0)
    (row,) = train(network, [(images, truth)], config(1), loss)
    assert row.cross_entropy == pytest.approx(expected, abs=1e-7)
    assert row.topological == pytest.approx(topological, abs=1e-5)
    assert row.loss == pytest.approx(expected + 0.2 * topological, abs=1e-5)


def test_the_topological_loss_waits_for_the_end_of_the_warm_up():
    training = TrainingConfig(epochs=3, patches=8, batch=4)
    loss = LossConfig(topo_weight=0.5, warmup=1)
    rows = list(train(small_network(), [ring_batch()] * 6, training, loss))
    assert [row.topo_weight for row in rows] == [0, 0, 0.5, 0.5, 0.5, 0.5]
    assert [math.isnan(row.topological) for row in rows] == [True] * 2 + [False] * 4
    assert all(row.loss == row.cross_entropy for row in rows[:2])


def test_a_ramp_begins_after_the_warm_up_and_ends_at_the_weight():
    loss = LossConfig(topo_weight=0.4, warmup=1, ramp=2)
    weights = [topo_weight(step, 2, loss) for step in range(8)]
    assert weights == pytest.approx([0, 0, 0.1, 0.2, 0.3, 0.4, 0.4, 0.4])


@pytest.mark.parametrize("schedule", ["cosine", "exponential"])
def test_a_schedule_goes_from_the_first_rate_to_the_last(schedule):
    training = config(11, learning_rate=1e-2, final_rate=1e-4, schedule=schedule)
    rates = [learning_rate(step, training) for step in range(11)]
    assert rates[0] == pytest.approx(1e-2)
    assert rates[-1] == pytest.approx(1e-4)
    assert rates == sorted(rates, reverse=True)
    middle = {"cosine": (1e-2 + 1e-4) / 2, "exponential": 1e-3}[schedule]
    assert rates[5] == pytest.approx(middle)


def test_a_constant_rate_stays():
    assert {learning_rate(step, config(9, schedule="constant")) for step in range(9)} == {3e-3}


def test_the_rate_of_the_row_is_that_of_the_step():
    network, training = small_network(), config(3)
    optimizer = new_optimizer(network, training)
    for row in train(network, [ring_batch()] * 3, training, optimizer=optimizer):
        assert row.learning_rate == learning_rate(row.step, training)
        assert optimizer.param_groups[0]["lr"] == row.learning_rate


def test_resuming_from_a_step_gives_the_weights_of_an_uninterrupted_run():
    loss = LossConfig(topo_weight=0.1, warmup=0)
    whole, batches = small_network(), [ring_batch()] * 6
    list(train(whole, batches, config(6), loss))

    halved = small_network()
    optimizer = new_optimizer(halved, config(6))
    list(train(halved, batches[:3], config(6), loss, optimizer=optimizer))
    list(train(halved, batches[3:], config(6), loss, optimizer=optimizer, first_step=3))
    for a, b in zip(whole.parameters(), halved.parameters()):
        assert torch.equal(a, b)


def test_clipping_shortens_the_gradient():
    network = small_network()
    (row,) = train(network, [ring_batch()], config(1, clip=0.01))
    norm = torch.cat([p.grad.flatten() for p in network.parameters()]).norm()
    assert row.gradient_norm > 0.05
    assert norm.item() == pytest.approx(0.01, rel=1e-3)


def test_the_foreground_can_weigh_more():
    images, truth = ring_batch()
    network = small_network()
    logits = network(images).detach()
    loss = LossConfig(topo_weight=0, foreground_weight=3.0)
    (row,) = train(network, [(images, truth)], config(1), loss)
    one = F.binary_cross_entropy_with_logits(logits, truth, reduction="none")
    assert row.loss == pytest.approx((one * (1 + 2 * truth)).mean().item(), abs=1e-6)


@pytest.mark.parametrize("weight", [0.0, 0.1])
def test_a_loss_that_is_not_finite_stops_before_it_spoils_the_weights(weight):
    images, truth = ring_batch()
    images[2, 0, 3, 3] = math.inf
    network = small_network()
    before = [p.clone() for p in network.parameters()]
    loss = LossConfig(topo_weight=weight, warmup=0)
    with pytest.raises(NotFinite, match="step 0: the loss is nan") as caught:
        list(train(network, [(images, truth)], config(1), loss))
    assert torch.equal(caught.value.images, images)
    assert all(torch.equal(a, b) for a, b in zip(before, network.parameters()))


def test_frozen_weights_stay():
    network = small_network()
    network[0].requires_grad_(False)
    frozen, free = network[0].weight.clone(), network[2].weight.clone()
    list(train(network, [ring_batch()] * 2, config(2)))
    assert torch.equal(network[0].weight, frozen)
    assert not torch.equal(network[2].weight, free)


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        (TrainingConfig, {"patches": 10, "batch": 4}, "patches is 10; expected a multiple of"),
        (TrainingConfig, {"epochs": 0}, "epochs is 0; expected at least 1"),
        (TrainingConfig, {"optimizer": "sgd"}, "optimizer is 'sgd'; expected adam or adamw"),
        (TrainingConfig, {"schedule": "step"}, "schedule is 'step'; expected constant, cosine"),
        (TrainingConfig, {"learning_rate": 0.0}, "learning_rate is 0.0; expected above 0"),
        (LossConfig, {"topo_weight": -1}, "topo_weight is -1; expected at least 0"),
        (LossConfig, {"dims": [3]}, "dims is .3.; expected some of"),
        (LossConfig, {"construction": "X"}, "construction is 'X'"),
    ],
)
def test_impossible_options_are_refused(kind, options, message):
    with pytest.raises(ValueError, match=message):
        kind(**options)
