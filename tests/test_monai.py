"""MONAI: losses and metrics that behave as its own, in its own trainer."""

import pytest
import torch

from pytopo.loss.topological import topological_loss
from pytopo.metrics import betti_error

pytest.importorskip("monai", exc_type=ImportError)
pytestmark = pytest.mark.filterwarnings("default")  # of MONAI itself


def label_maps():
    generator = torch.manual_seed(0)
    logits = torch.randn(2, 3, 9, 9, generator=generator)
    return logits, torch.randint(3, (2, 1, 9, 9), generator=generator)


def one_hot(labels):
    return torch.nn.functional.one_hot(labels[:, 0], 3).movedim(-1, 1)


@pytest.mark.parametrize("matching", ["wasserstein", "betti"])
def test_class_indices_are_those_of_to_onehot_y(matching):
    from pytopo.integrations.monai import TopologyLoss

    logits, labels = label_maps()
    loss = TopologyLoss(False, to_onehot_y=True, softmax=True, matching=matching)
    expected = topological_loss(
        logits.softmax(1)[:, 1:], one_hot(labels)[:, 1:], matching=matching
    )
    assert loss(logits, labels.float()).item() == pytest.approx(expected.item(), rel=1e-5)
    with pytest.raises(ValueError, match="to_onehot_y=True"):
        TopologyLoss(softmax=True)(logits, labels)


def test_one_activation_at_most():
    from pytopo.integrations.monai import TopologyLoss

    logits, labels = label_maps()
    other = TopologyLoss(other_act=torch.sigmoid, reduction="none")(logits, one_hot(labels))
    own = TopologyLoss(sigmoid=True, reduction="none")(logits, one_hot(labels))
    assert other.shape == (2, 3)
    assert torch.equal(other, own)
    with pytest.raises(ValueError, match="at most"):
        TopologyLoss(sigmoid=True, other_act=torch.sigmoid)


def test_the_compound_loss_is_the_sum():
    from monai.losses import DiceCELoss

    from pytopo.integrations.monai import DiceCETopologyLoss, TopologyLoss

    options = {"to_onehot_y": True, "softmax": True}
    pair = label_maps()
    expected = DiceCELoss(**options)(*pair) + 0.5 * TopologyLoss(**options)(*pair)
    assert DiceCETopologyLoss(0.5, **options)(*pair).item() == pytest.approx(expected.item())


def test_metrics_aggregate_as_those_of_monai():
    from pytopo.integrations.monai import TopologyMetric

    logits, labels = label_maps()
    first, second = one_hot(logits.argmax(1, keepdim=True)), one_hot(labels)
    metric = TopologyMetric("betti_error", include_background=False)
    metric(first, second)
    numbers = torch.tensor(
        [[betti_error(p, t).total for p, t in zip(*pair)] for pair in zip(first, second)]
    )[:, 1:].float()
    assert torch.equal(metric.aggregate("none"), numbers)
    assert torch.equal(metric.aggregate("mean_batch"), numbers.mean(0))
    assert metric.aggregate() == numbers.mean()
    assert numbers.max() > 0


def test_the_trainer_of_monai_lowers_the_loss():
    pytest.importorskip("ignite")
    from ignite.engine import Events
    from monai.engines import SupervisedTrainer

    from pytopo.integrations.monai import DiceCETopologyLoss

    torch.manual_seed(0)
    logits, labels = label_maps()
    network = torch.nn.Conv2d(3, 3, 3, padding=1)
    losses = []
    trainer = SupervisedTrainer(
        device=torch.device("cpu"),
        max_epochs=8,
        train_data_loader=[{"image": logits, "label": labels}],
        network=network,
        optimizer=torch.optim.Adam(network.parameters(), 0.05),
        loss_function=DiceCETopologyLoss(
            0.5, to_onehot_y=True, softmax=True, normalize="pixels"
        ),
    )
    trainer.add_event_handler(
        Events.ITERATION_COMPLETED, lambda engine: losses.append(engine.state.output[0]["loss"])
    )
    trainer.run()
    assert losses[-1] < 0.95 * losses[0]
