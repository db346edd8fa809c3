"""MONAI: its options, shapes and reductions, with the values of pytopo's own functions."""

import math

import numpy as np
import pytest
import torch

from pytopo import metrics
from pytopo.loss.topological import topological_loss

pytest.importorskip("monai")

from monai.losses import DiceLoss

from pytopo.integrations.monai_losses import (
    DiceTopologicalLoss,
    TopologicalLoss,
)
from pytopo.integrations.monai_metrics import (
    AdaptedRandErrorMetric,
    BettiErrorMetric,
    BettiMatchingErrorMetric,
    ClDiceMetric,
    TopoScoreMetric,
    VariationOfInformationMetric,
)

# What MONAI and ignite warn of while they are imported and run is theirs.
pytestmark = pytest.mark.filterwarnings("default")

SINGLE = "single channel prediction, `{}` ignored"


def label_maps(classes=3, shape=(9, 8)):
    generator = torch.manual_seed(0)
    logits = torch.randn(2, classes, *shape, generator=generator)
    return logits, torch.randint(classes, (2, 1, *shape), generator=generator)


def one_hot(labels, classes=3):
    return torch.nn.functional.one_hot(labels[:, 0], classes).movedim(-1, 1).float()


# --- losses ----------------------------------------------------------------------------


@pytest.mark.parametrize("matching", ["wasserstein", "betti"])
def test_class_indices_in_a_softmax(matching):
    logits, labels = label_maps()
    loss = TopologicalLoss(False, True, softmax=True, matching=matching)
    expected = topological_loss(
        logits.softmax(1)[:, 1:], one_hot(labels)[:, 1:], matching=matching
    )
    assert loss(logits, labels.float()).item() == pytest.approx(expected.item())


@pytest.mark.parametrize("shape", [(9, 8), (5, 4, 4)])
def test_the_shape_of_none_is_that_of_monai(shape):
    logits, labels = label_maps(shape=shape)
    options = {"softmax": True, "to_onehot_y": True, "reduction": "none"}
    found = TopologicalLoss(**options)(logits, labels)
    assert found.shape == DiceLoss(**options)(logits, labels).shape
    expected = topological_loss(logits, labels, softmax=True, reduction="none")
    assert torch.allclose(found.flatten(1), expected)


def test_sum_and_mean():
    logits, labels = label_maps()
    values = [
        TopologicalLoss(softmax=True, to_onehot_y=True, reduction=name)(logits, labels).item()
        for name in ("sum", "mean")
    ]
    assert values[0] == pytest.approx(6 * values[1])
    assert values[1] > 0


def test_another_activation_takes_the_place_of_the_sigmoid():
    logits, labels = label_maps(2)
    truth = one_hot(labels, 2)
    found = TopologicalLoss(other_act=torch.sigmoid)(logits, truth)
    assert found.item() == pytest.approx(TopologicalLoss(sigmoid=True)(logits, truth).item())


def test_one_channel_ignores_what_means_nothing():
    logits = label_maps(1)[0]
    truth = (logits > 0).float()
    expected = topological_loss(logits.sigmoid(), truth).item()
    loss = TopologicalLoss(False, True, sigmoid=True)
    with (
        pytest.warns(UserWarning, match=SINGLE.format("to_onehot_y=True")),
        pytest.warns(UserWarning, match=SINGLE.format("include_background=False")),
    ):
        assert loss(logits, truth).item() == pytest.approx(expected)


def test_ignored_pixels_have_no_gradient():
    logits, labels = label_maps()
    labels[..., 4:6] = 255
    logits.requires_grad_()
    TopologicalLoss(softmax=True, to_onehot_y=True, ignore_index=255)(logits, labels).backward()
    assert logits.grad[..., 4:6].abs().max() == 0 < logits.grad.abs().max()


MARKED = [
    (1, False, 255),  # one channel, and marks
    (3, True, 255),  # class indices, and marks
    (3, True, 1),  # class indices, one of which does not count
    (3, False, 1),  # one channel a class, one of which does not count
    (3, False, 255),  # one channel a class, and pixels of no class
    (3, False, -1),
]


def marked(channels, indices, index):
    """Return likelihoods, a target with pixels to ignore as MONAI marks them, and these."""
    logits, labels = label_maps(max(channels, 2))
    likelihood = logits[:, :1].sigmoid() if channels == 1 else logits.softmax(1)
    strip = labels == index
    if 0 <= index < channels:
        return likelihood, labels if indices else one_hot(labels), strip
    strip[..., 3:5] = True
    if indices or channels == 1:
        return likelihood, labels.masked_fill(strip, index), strip
    return likelihood, one_hot(labels).masked_fill(strip, 0), strip


@pytest.mark.parametrize(("channels", "indices", "index"), MARKED)
def test_the_losses_ignore_the_pixels_that_monai_ignores(channels, indices, index):
    likelihood, target, strip = marked(channels, indices, index)
    options = {"to_onehot_y": indices, "ignore_index": index}
    for loss in (DiceLoss, TopologicalLoss, DiceTopologicalLoss):
        leaf = likelihood.clone().requires_grad_()
        loss(**options)(leaf, target).backward()
        ignored = strip.expand_as(leaf)
        assert (leaf.grad[ignored] == 0).all()
        assert (leaf.grad[~ignored] != 0).any()
    known = target.masked_fill(strip, 0)
    expected = topological_loss(likelihood, one_hot(known) if indices else known, ignore=strip)
    topology = TopologicalLoss(**options)(likelihood, target)
    assert topology.item() == pytest.approx(expected.item())
    both = DiceTopologicalLoss(**options, lambda_topology=0.5)(likelihood, target)
    dice = DiceLoss(**options)(likelihood, target)
    assert both.item() == pytest.approx((dice + 0.5 * topology).item())


def test_a_mark_in_a_channel_is_a_pixel_of_no_class():
    logits, labels = label_maps()
    empty, target = one_hot(labels), one_hot(labels)
    empty[..., 3:5], target[:, 1, :, 3:5] = 0, 255
    loss = DiceTopologicalLoss(softmax=True, ignore_index=255)
    assert loss(logits, target).item() == loss(logits, empty).item()


def test_a_version_of_monai_whose_dice_ignores_nothing(monkeypatch):
    class Dice(torch.nn.Module):
        def __init__(self, include_background, **others): ...

    monkeypatch.setattr("pytopo.integrations.monai_losses.DiceLoss", Dice)
    with pytest.raises(
        TypeError, match=r"ignore_index is 255, which DiceLoss of MONAI .* later"
    ):
        DiceTopologicalLoss(sigmoid=True, ignore_index=255)
    DiceTopologicalLoss(sigmoid=True)


def test_tensors_of_monai_and_half_precision():
    from monai.data import MetaTensor

    logits, labels = label_maps()
    loss = TopologicalLoss(softmax=True, to_onehot_y=True, ignore_index=1)
    expected = loss(logits, labels).item()
    assert loss(MetaTensor(logits), MetaTensor(labels.float())).item() == expected
    with torch.autocast("cpu", torch.bfloat16):
        short = loss(logits.bfloat16(), labels)
    assert short.dtype == torch.float32
    assert short.item() == loss(logits.bfloat16().float(), labels).item()


def test_options_that_contradict_each_other():
    with pytest.raises(ValueError, match="more than one of sigmoid, softmax and other_act"):
        TopologicalLoss(sigmoid=True, other_act=torch.tanh)
    with pytest.raises(TypeError, match="other_act is 1; expected a function or None"):
        TopologicalLoss(other_act=1)
    with pytest.raises(ValueError, match="'median' is not a valid LossReduction"):
        TopologicalLoss(reduction="median")
    with pytest.raises(ValueError, match="lambda_topology is -1"):
        DiceTopologicalLoss(sigmoid=True, lambda_topology=-1)


def test_class_indices_without_to_onehot_y():
    logits, labels = label_maps()
    with pytest.raises(ValueError, match="to_onehot_y=True takes class indices"):
        TopologicalLoss(softmax=True)(logits, labels)
    with pytest.raises(ValueError, match=r"shape \(2, 3, 9, 8\); expected \(2, 1, 9, 8\)"):
        TopologicalLoss(softmax=True, to_onehot_y=True)(logits, one_hot(labels))


def test_dice_and_topology_add_up():
    logits, labels = label_maps()
    options = {"softmax": True, "to_onehot_y": True, "include_background": False}
    found = DiceTopologicalLoss(**options, lambda_dice=2, lambda_topology=0.5)(logits, labels)
    dice, topology = DiceLoss(**options), TopologicalLoss(**options)
    expected = 2 * dice(logits, labels) + 0.5 * topology(logits, labels)
    assert found.item() == pytest.approx(expected.item())


# --- metrics ---------------------------------------------------------------------------


def masks(shape=(2, 2, 12, 11)):
    generator = np.random.default_rng(0)
    return generator.random((2, *shape)) < 0.6


METRICS = [
    (BettiErrorMetric, metrics.betti_error, "total"),
    (BettiMatchingErrorMetric, metrics.betti_matching_error, "total"),
    (TopoScoreMetric, metrics.topo_score, "score"),
    (VariationOfInformationMetric, metrics.variation_of_information, "total"),
    (AdaptedRandErrorMetric, metrics.adapted_rand_error, "error"),
    (ClDiceMetric, metrics.cldice, None),
]


@pytest.mark.parametrize("shape", [(2, 2, 12, 11), (2, 1, 5, 6, 4)])
@pytest.mark.parametrize(("metric", "function", "name"), METRICS)
def test_the_values_are_those_of_the_functions(metric, function, name, shape):
    if metric is ClDiceMetric:
        pytest.importorskip("skimage")
    first, second = masks(shape)
    results = [[function(a, b) for a, b in zip(*image)] for image in zip(first, second)]
    expected = np.array(
        [[r if name is None else getattr(r, name) for r in row] for row in results]
    )
    found = metric(reduction="mean_batch")
    batch = torch.from_numpy(first).float(), torch.from_numpy(second).float()
    assert np.allclose(found(y_pred=batch[0][:1], y=batch[1][:1]), expected[:1])
    found(y_pred=list(batch[0][1:]), y=list(batch[1][1:]))  # as decollate_batch returns them
    assert np.allclose(found.aggregate(), expected.mean(0))
    assert np.allclose(found.aggregate("none"), expected)
    assert found.aggregate("mean").item() == pytest.approx(expected.mean(), rel=1e-5)
    found.reset()
    with pytest.raises(ValueError, match="nothing to aggregate"):
        found.aggregate()


def test_the_background_is_left_out():
    first, second = map(torch.from_numpy, masks())
    all_channels = BettiErrorMetric()(y_pred=first, y=second)
    without = BettiErrorMetric(include_background=False)(y_pred=first, y=second)
    assert torch.equal(without, all_channels[:, 1:])


def test_membranes_are_compared_by_their_cells():
    first, second = masks((1, 1, 12, 11))
    metric = VariationOfInformationMetric(part="merge", membranes=True)
    expected = metrics.variation_of_information(
        metrics.segments(first[0, 0]), metrics.segments(second[0, 0])
    )
    found = metric(y_pred=torch.from_numpy(first), y=torch.from_numpy(second).float())
    assert found.item() == pytest.approx(expected.merge)


@pytest.mark.parametrize("metric", [BettiErrorMetric, AdaptedRandErrorMetric])
def test_ignored_pixels_do_not_count(metric):
    prediction = torch.ones(2, 1, 5, 5)
    target = torch.ones(2, 1, 5, 5)
    prediction[0, 0, 2, 2], target[0, 0, 2, 2] = 0, 255
    target[1] = 255
    found = metric(ignore_index=255, get_not_nans=True)
    numbers = found(y_pred=prediction, y=target)
    assert numbers[0].item() == 0
    assert math.isnan(numbers[1].item())
    assert [x.item() for x in found.aggregate()] == [0, 1]


@pytest.mark.parametrize("index", [1, 255, -1])
@pytest.mark.parametrize("include_background", [True, False])
def test_the_metrics_ignore_the_pixels_that_monai_ignores(index, include_background):
    first, second = (one_hot(label_maps(shape=(12, 11))[1].roll(k, 0)) for k in (0, 1))
    strip = second[:, 1:2] > 0
    if index != 1:
        strip = torch.zeros_like(strip)
        strip[..., 3:6] = True
        second.masked_fill_(strip, 0)
    options = {"include_background": include_background, "ignore_index": index}
    found = BettiErrorMetric(**options)(y_pred=first, y=second)
    expected = [
        [metrics.betti_error(a, b, ignore=mask[0]).total for a, b in zip(x, y)]
        for x, y, mask in zip(first.numpy(), second.numpy(), strip.numpy())
    ]
    start = 0 if include_background else 1
    assert np.allclose(found, np.array(expected)[:, start:])
    other = first.clone()
    other[strip.expand_as(other)] = 1 - other[strip.expand_as(other)]
    assert torch.equal(BettiErrorMetric(**options)(y_pred=other, y=second), found)


def test_a_target_without_segments_has_no_number():
    empty = torch.zeros(1, 1, 4, 4)
    assert VariationOfInformationMetric()(y_pred=empty, y=empty).isnan().all()


def test_metrics_refuse_what_they_cannot_compare():
    image = torch.ones(1, 1, 4, 4)
    with pytest.raises(ValueError, match=r"AsDiscrete\(to_onehot=C\)"):
        BettiErrorMetric()(y_pred=image.expand(1, 2, 4, 4), y=image)
    with pytest.raises(ValueError, match="y is None"):
        BettiErrorMetric()(y_pred=image)
    with pytest.raises(ValueError, match="the prediction holds fractions"):
        AdaptedRandErrorMetric()(y_pred=image / 2, y=image)
    with pytest.raises(ValueError, match="threshold a likelihood"):
        BettiErrorMetric()(y_pred=torch.rand(1, 1, 4, 4), y=image)
    with pytest.raises(ValueError, match="part is 'both'; expected one of total, split, merge"):
        VariationOfInformationMetric(part="both")
    with pytest.raises(ValueError, match='construction is \'X\'; expected "V" or "T"'):
        BettiErrorMetric(construction="X")


# --- training --------------------------------------------------------------------------


def rings():
    """Return images of a ring, and where it is."""
    truth = torch.zeros(4, 1, 12, 12)
    truth[..., 2:10, 2:10] = 1
    truth[..., 4:8, 4:8] = 0
    noise = torch.randn(truth.shape, generator=torch.manual_seed(0))
    return truth + noise / 4, truth


def network():
    torch.manual_seed(0)
    layers = torch.nn.Conv2d(1, 4, 3, padding=1), torch.nn.ReLU()
    return torch.nn.Sequential(*layers, torch.nn.Conv2d(4, 1, 3, padding=1))


def test_a_loop_as_in_the_tutorials():
    from monai.data import decollate_batch
    from monai.transforms import Activations, AsDiscrete, Compose

    images, truth = rings()
    model = network()
    loss_function = DiceTopologicalLoss(sigmoid=True)
    optimizer = torch.optim.Adam(model.parameters(), 0.05)
    losses = []
    for _ in range(40):
        optimizer.zero_grad()
        loss = loss_function(model(images), truth)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 2
    binary = Compose([Activations(sigmoid=True), AsDiscrete(threshold=0.5)])
    metric = BettiErrorMetric()
    metric(y_pred=[binary(x) for x in decollate_batch(model(images))], y=decollate_batch(truth))
    expected = np.mean(
        [
            metrics.betti_error(p[0] > 0, t[0]).total
            for p, t in zip(model(images).detach().numpy(), truth.numpy())
        ]
    )
    assert metric.aggregate().item() == pytest.approx(expected)


def test_supervised_trainer_and_evaluator():
    pytest.importorskip("ignite")
    from monai.engines import SupervisedEvaluator, SupervisedTrainer
    from monai.handlers import IgniteMetricHandler, from_engine
    from monai.transforms import Activationsd, AsDiscreted, Compose

    images, truth = rings()
    batches = [{"image": images, "label": truth}]
    model, device = network(), torch.device("cpu")
    trainer = SupervisedTrainer(
        device=device,
        max_epochs=30,
        train_data_loader=batches,
        network=model,
        optimizer=torch.optim.Adam(model.parameters(), 0.05),
        loss_function=DiceTopologicalLoss(sigmoid=True),
    )
    before = DiceTopologicalLoss(sigmoid=True)(model(images), truth).item()
    trainer.run()
    assert trainer.state.output[0]["loss"] < before / 2
    handler = IgniteMetricHandler(
        metric_fn=TopoScoreMetric(), output_transform=from_engine(["pred", "label"])
    )
    evaluator = SupervisedEvaluator(
        device=device,
        val_data_loader=batches,
        network=model,
        postprocessing=Compose(
            [Activationsd("pred", sigmoid=True), AsDiscreted("pred", threshold=0.5)]
        ),
        key_val_metric={"topo_score": handler},
    )
    evaluator.run()
    pairs = zip(model(images).detach().numpy(), truth.numpy())
    expected = np.mean([metrics.topo_score(p[0] > 0, t[0]).score for p, t in pairs])
    assert evaluator.state.metrics["topo_score"] == pytest.approx(expected)
