"""torchmetrics: sums and counts over batches and processes, of pytopo's own numbers."""

import copy
import math
import pickle
from datetime import timedelta

import numpy as np
import pytest
import torch

from pytopo import metrics

pytest.importorskip("torchmetrics")

from torchmetrics import MetricCollection

from pytopo.integrations.torchmetrics import (
    AdaptedRandError,
    BettiError,
    BettiMatchingError,
    ClDice,
    TopoScore,
    VariationOfInformation,
)

# What torchmetrics warns of while it is imported and run is its own.
pytestmark = pytest.mark.filterwarnings("default")

METRICS = [
    (BettiError, metrics.betti_error, "total"),
    (BettiMatchingError, metrics.betti_matching_error, "total"),
    (TopoScore, metrics.topo_score, "score"),
    (VariationOfInformation, metrics.variation_of_information, "total"),
    (AdaptedRandError, metrics.adapted_rand_error, "error"),
    (ClDice, metrics.cldice, None),
]


def masks(shape=(4, 2, 12, 11)):
    return torch.from_numpy(np.random.default_rng(0).random((2, *shape)) < 0.6)


def pairs(preds, target):
    return zip(preds.flatten(0, 1).numpy(), target.flatten(0, 1).numpy())


@pytest.mark.parametrize("shape", [(4, 2, 12, 11), (3, 1, 5, 6, 4)])
@pytest.mark.parametrize(("metric", "function", "name"), METRICS)
def test_the_mean_is_that_of_the_functions(metric, function, name, shape):
    if metric is ClDice:
        pytest.importorskip("skimage")
    preds, target = masks(shape)
    results = [function(*pair) for pair in pairs(preds, target)]
    numbers = [r if name is None else getattr(r, name) for r in results]
    found = metric()
    first = found(preds[:1], target[:1].float())  # of the batch alone
    assert first.item() == pytest.approx(np.mean(numbers[: shape[1]]), rel=1e-5)
    found.update(preds[1:].byte(), target[1:])
    assert found.compute().item() == pytest.approx(np.mean(numbers), rel=1e-5)
    found.reset()
    assert found(preds[1:], target[1:]).item() == pytest.approx(
        np.mean(numbers[shape[1] :]), 1e-5
    )


@pytest.mark.parametrize("shape", [(4, 2, 12, 11), (3, 1, 5, 6, 4)])
def test_each_dimension_has_a_mean_of_its_own(shape):
    preds, target = masks(shape)
    for images in preds, target:  # with holes, in volumes a void
        images[..., 1:4, 1:4] = True
        images[..., 2, 2] = False
    for metric, function, name in (
        (BettiError, metrics.betti_error, "per_dim"),
        (BettiMatchingError, metrics.betti_matching_error, "per_dim"),
        (TopoScore, metrics.topo_score, "f1"),
    ):
        rows = [getattr(function(*p, frame=True), name) for p in pairs(preds, target)]
        found = metric(per_dim=True, frame=True)
        found.update(preds, target)
        assert found.compute().shape == (len(shape) - 2,)
        known = ~np.isnan(rows).all(axis=0)
        expected = np.nanmean(np.array(rows)[:, known], axis=0)
        assert found.compute().numpy()[known] == pytest.approx(expected, rel=1e-5)
        assert known[1:].all()
    voids = BettiMatchingError(dims=len(shape) - 3, frame=True)
    expected = [
        metrics.betti_matching_error(*p, len(shape) - 3, frame=True).total
        for p in pairs(preds, target)
    ]
    assert voids(preds, target).item() == pytest.approx(np.mean(expected))


def test_a_dimension_without_features_has_no_f1():
    ring = torch.ones(1, 1, 3, 3)
    ring[..., 1, 1] = 0
    found = TopoScore(per_dim=True)(ring, ring)
    assert math.isnan(found[0])
    assert found[1] == 1


def test_parts_and_membranes():
    preds, target = masks((2, 1, 12, 11))
    for part in ("split", "merge"):
        expected = [
            getattr(metrics.variation_of_information(*map(metrics.segments, p)), part)
            for p in pairs(preds, target)
        ]
        metric = VariationOfInformation(part=part, membranes=True)
        assert metric(preds, target).item() == pytest.approx(np.mean(expected), rel=1e-5)
    assert not AdaptedRandError().higher_is_better
    assert AdaptedRandError(part="recall").higher_is_better


def test_images_without_a_number_do_not_count():
    preds, target = torch.ones(3, 1, 5, 5), torch.ones(3, 1, 5, 5)
    preds[0, 0, 2, 2], target[0, 0, 2, 2] = 0, 255
    preds[2, 0, 2, 2] = 0
    target[1] = 255
    metric = BettiError(ignore_index=255)
    assert metric(preds, target).item() == 0.5
    assert BettiError(ignore_index=255, per_dim=True)(preds, target).tolist() == [0, 0.5]
    assert metric(preds[1:2], target[1:2]).isnan()
    assert metric.compute().item() == 0.5
    empty = torch.zeros(1, 1, 4, 4)
    assert VariationOfInformation()(empty, empty).isnan()


def test_the_background_is_left_out():
    preds, target = masks()
    expected = BettiError()(preds[:, 1:], target[:, 1:])
    assert torch.equal(BettiError(include_background=False)(preds, target), expected)
    assert torch.equal(
        BettiError(include_background=False)(preds[:, 1:], target[:, 1:]), expected
    )


def test_a_collection_shares_only_what_is_the_same():
    """States of different metrics may agree after the first batch, all of them 0."""
    target = torch.zeros(2, 1, 3, 7)
    target[..., :3], target[..., 1, 1] = 1, 0
    moved = target.flip(-1)
    collection = MetricCollection(
        {
            "betti": BettiError(),
            "by dimension": BettiError(per_dim=True),
            "in T": BettiError(construction="T"),
            "matching": BettiMatchingError(),
            "split": VariationOfInformation(part="split"),
            "merge": VariationOfInformation(part="merge"),
        }
    )
    collection.update(target, target)
    assert sorted(map(len, collection.compute_groups.values())) == [1, 1, 2, 2]
    collection.update(moved, target)
    found = collection.compute()
    assert found["betti"] == 0
    assert (
        found["matching"] == metrics.betti_matching_error(moved[0, 0], target[0, 0]).total / 2
    )
    assert found["by dimension"].tolist() == [0, 0]
    expected = metrics.variation_of_information(moved[0, 0].int(), target[0, 0].int())
    assert found["merge"].item() == pytest.approx(expected.merge / 2)
    assert found["split"].item() == pytest.approx(expected.split / 2)


def test_metrics_are_copied_and_pickled():
    metric = TopoScore(per_dim=True, frame=True)
    metric.update(*masks())
    for same in (copy.deepcopy(metric), pickle.loads(pickle.dumps(metric)), metric.clone()):
        assert torch.equal(same.compute(), metric.compute())
        same.update(*masks().flip(0))
    assert metric.update_count == 1


def test_metrics_refuse_what_they_cannot_compare():
    image = torch.ones(1, 1, 4, 4)
    with pytest.raises(ValueError, match=r"one channel a class: one_hot\(indices, C\)"):
        BettiError()(image.expand(1, 2, 4, 4), image)
    with pytest.raises(ValueError, match="the prediction holds fractions"):
        AdaptedRandError()(image / 2, image)
    with pytest.raises(ValueError, match="threshold a likelihood, like likelihood > "):
        BettiError()(torch.rand(1, 1, 4, 4), image)
    with pytest.raises(
        ValueError, match="part is 'both'; expected one of error, precision, re"
    ):
        AdaptedRandError(part="both")
    with pytest.raises(ValueError, match='construction is \'X\'; expected "V" or "T"'):
        BettiError(construction="X")
    with pytest.raises(TypeError, match="per_dim is 1; expected True or False"):
        TopoScore(per_dim=1)


# ---- several processes ----------------------------------------------------------------------


def measure_a_part(rank, folder):
    """Write what one of two processes computes, which has one or three of four images."""
    torch.set_num_threads(1)
    torch.distributed.init_process_group(
        "gloo",
        init_method=(folder / "meeting").as_uri(),
        rank=rank,
        world_size=2,
        timeout=timedelta(seconds=120),
    )
    part = slice(0, 1) if rank == 0 else slice(1, 4)
    preds, target = masks()
    found = collection_of_two()
    found.update(preds[part], target[part])
    torch.save(found.compute(), folder / f"{rank}.pt")
    torch.distributed.destroy_process_group()


def collection_of_two():
    return MetricCollection([BettiError(per_dim=True), AdaptedRandError()])


@pytest.mark.skipif(not torch.distributed.is_available(), reason="torch without distributed")
def test_two_processes_compute_the_mean_of_one(tmp_path):
    torch.multiprocessing.spawn(measure_a_part, args=(tmp_path,), nprocs=2)
    expected = collection_of_two()(*masks())
    for rank in (0, 1):
        found = torch.load(tmp_path / f"{rank}.pt", weights_only=True)
        for name in expected:
            torch.testing.assert_close(found[name], expected[name])
