"""The topological loss with features matched by place."""

import pickle

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

import pytopo
from pytopo import TopologicalLoss, topological_loss
from pytopo.loss import prepared_target, squares


@pytest.fixture
def gap_and_false_ring():
    """A true ring with a gap of 0.3, a false one of 0.8 beside it, and the ground truth."""
    truth = torch.zeros(1, 1, 5, 11)
    truth[..., 1:4, 1:4] = 1
    truth[..., 2, 2] = 0
    likelihood = truth.clone()
    likelihood[..., 1:4, 7:10] = 0.8
    likelihood[..., 2, 8] = 0
    likelihood[..., 1, 2] = 0.3
    return likelihood.requires_grad_(), truth


def test_by_cost_the_gap_opens_and_by_place_it_closes(gap_and_false_ring):
    likelihood, truth = gap_and_false_ring
    at_gap, at_false_ring = (0, 0, 1, 2), (0, 0, 3, 9)  # where either closes
    pulls = {}
    for matching in ("wasserstein", "betti"):
        likelihood.grad = None
        topological_loss(likelihood, truth, dims=1, matching=matching).backward()
        pulls[matching] = likelihood.grad.clone()
    assert pulls["wasserstein"][at_gap].item() == pytest.approx(0.3)
    assert pulls["wasserstein"][at_false_ring].item() == pytest.approx(-0.4)  # and it is fed
    assert pulls["betti"][at_gap].item() == pytest.approx(-1.4)
    assert pulls["betti"][at_false_ring].item() == pytest.approx(0.8)  # and it is removed


def by_hand(likelihood, truth, dims, **options):
    """Return the loss of one image from its Betti matching."""
    m = pytopo.betti_matching(likelihood, truth, dims, superlevel=True, **options)
    i, j = m.pairs.T
    births = ((m.first.birth[i] - m.second.birth[j]) ** 2).sum()
    i, j = m.pairs[~m.first.essential[i]].T
    deaths = ((m.first.death[i] - m.second.death[j]) ** 2).sum()
    removed = (m.first.persistence[m.first_only] ** 2).sum() / 2
    return births + deaths + removed + (m.second.persistence[m.second_only] ** 2).sum() / 2


@pytest.mark.parametrize("construction", ["V", "T"])
@pytest.mark.parametrize("frame", [None, 1.0, 0.4])
@pytest.mark.parametrize("axes", [2, 3])
def test_the_loss_of_each_image_is_that_of_its_matching(construction, frame, axes):
    rng = np.random.default_rng(0)
    shape, dims = ((12, 9), (0, 1)) if axes == 2 else ((4, 5, 4), (0, 1, 2))
    likelihood = rng.random((2, 3, *shape))
    truth = (rng.random((2, 3, *shape)) < 0.4).astype(np.float64)
    options = {"construction": construction, "frame": frame}
    loss = TopologicalLoss(dims, matching="betti", reduction="none", **options)
    tensors = torch.from_numpy(likelihood), torch.from_numpy(truth)
    found = loss(*tensors)
    for b in range(2):
        for c in range(3):
            wanted = by_hand(likelihood[b, c], truth[b, c], dims, **options)
            assert found[b, c].item() == pytest.approx(wanted)
    assert torch.equal(loss(tensors[0], loss.prepare(tensors[1])), found)


OPTIONS = [
    {},
    {"construction": "T"},
    {"frame": True},
    {"frame": 0.5, "superlevel": False},
    {"frame": 0.3, "min_persistence": 0.4, "construction": "T"},
    {"min_persistence": 0.4},
    {"dims": 0, "frame": 0.6},
    {"dims": 1},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("grey", [False, True])
def test_a_prepared_target_gives_the_same_loss_and_gradient(options, grey):
    generator = torch.manual_seed(3)
    likelihood, truth = torch.rand(2, 4, 2, 9, 7, generator=generator)
    truth = (8 * truth).round() / 8 if grey else truth.round()
    loss = TopologicalLoss(matching="betti", reduction="none", **options)
    whole = loss.prepare(truth)
    one_by_one = torch.utils.data.default_collate([loss.prepare(t[None]) for t in truth])
    by_cost = TopologicalLoss(**options).prepare(truth)  # its points are known, no more
    results = []
    for target in (truth, whole, one_by_one, pickle.loads(pickle.dumps(whole)), by_cost):
        prediction = likelihood.clone().requires_grad_()
        found = loss(prediction, target)
        found.sum().backward()
        results.append((found.detach(), prediction.grad))
    assert results[0][0].min() > 0
    for found, gradient in results[1:]:
        assert torch.equal(found, results[0][0])
        assert torch.equal(gradient, results[0][1])
    assert [t.swept is None for t in (whole, one_by_one, by_cost)] == [False, False, True]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("threads", [1, 2, 3, 8])
def test_the_parts_of_a_prepared_target_are_its_images(options, threads, monkeypatch):
    generator = torch.manual_seed(5)
    likelihood, truth = torch.rand(2, 5, 1, 6, 8, generator=generator)
    loss = TopologicalLoss(matching="betti", reduction="none", **options)
    alone = torch.cat([loss(f[None], g[None]) for f, g in zip(likelihood, truth)])
    for module in (squares, prepared_target):
        monkeypatch.setattr(module, "number_of_threads", lambda _: threads)
    assert torch.equal(loss(likelihood, loss.prepare(truth)), alone)
    assert torch.equal(loss(likelihood, truth), alone)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_the_points_of_a_prepared_target_are_those_of_its_diagram(options):
    truth = torch.rand(3, 1, 7, 8, generator=torch.manual_seed(0))
    by_place = TopologicalLoss(matching="betti", **options).prepare(truth)
    by_cost = TopologicalLoss(**options).prepare(truth)
    assert by_place.diagrams == by_cost.diagrams


def test_prediction_and_target_of_two_dtypes_are_compared_in_both():
    likelihood, truth = torch.rand(2, 2, 1, 9, 9, generator=torch.manual_seed(0))
    loss = TopologicalLoss(matching="betti", frame=0.5)
    double = loss(likelihood.double(), truth.double())
    assert loss(likelihood, truth.double()).item() == pytest.approx(double.item())
    assert loss(likelihood.double(), loss.prepare(truth)).item() == pytest.approx(double.item())


def test_a_tunnel_alone_costs_what_it_costs_among_others():
    generator = torch.manual_seed(0)
    likelihood = torch.rand(2, 2, 6, 5, 6, generator=generator, dtype=torch.float64)
    truth = (torch.rand(2, 2, 6, 5, 6, generator=generator) < 0.4).double()
    tensors, options = (likelihood, truth), {"matching": "betti", "min_persistence": 0.2}
    alone = [topological_loss(*tensors, dim, **options) for dim in range(3)]
    assert alone[1] > 0
    together = topological_loss(*tensors, (0, 1, 2), **options)
    assert together.item() == pytest.approx(sum(alone).item())


def test_the_gradient_of_a_volume_is_the_derivative():
    generator = torch.manual_seed(0)
    likelihood = torch.rand(1, 1, 3, 4, 3, generator=generator, dtype=torch.float64)
    truth = torch.rand(1, 1, 3, 4, 3, generator=generator) < 0.5
    loss = TopologicalLoss((0, 1, 2), matching="betti")
    assert torch.autograd.gradcheck(lambda x: loss(x, truth), likelihood.requires_grad_())


def test_the_gradient_is_the_derivative():
    generator = torch.manual_seed(0)
    likelihood = torch.rand(1, 2, 5, 4, generator=generator, dtype=torch.float64)
    truth = torch.rand(1, 2, 5, 4, generator=generator) < 0.4
    loss = TopologicalLoss(matching="betti", frame=True)
    likelihood.requires_grad_()
    assert torch.autograd.gradcheck(lambda x: loss(x, truth), likelihood)
    assert torch.autograd.gradgradcheck(lambda x: loss(x, truth), likelihood)


def test_a_likelihood_equal_to_the_truth_costs_nothing_and_one_dimension_counts_alone():
    truth = torch.rand(2, 1, 8, 8, generator=torch.manual_seed(0)).round()
    for dims in (0, 1, (0, 1)):
        assert topological_loss(truth, truth, dims, matching="betti") == 0
    other = torch.rand(2, 1, 8, 8, generator=torch.manual_seed(1))
    alone = [topological_loss(other, truth, dim, matching="betti") for dim in (0, 1)]
    assert topological_loss(other, truth, matching="betti") == pytest.approx(sum(alone))
    assert topological_loss(other, truth, {0: 0, 1: 2}, matching="betti") == 2 * alone[1]


def test_points_of_little_persistence_are_neither_moved_nor_matched():
    rng = np.random.default_rng(0)
    likelihood, truth = rng.random((2, 9, 9))
    m = pytopo.betti_matching(likelihood, truth, superlevel=True)
    kept, other_kept = (d.persistence >= 0.3 for d in (m.first, m.second))
    i, j = m.pairs[kept[m.pairs[:, 0]] & other_kept[m.pairs[:, 1]]].T
    alone = np.setdiff1d(np.flatnonzero(kept), i)
    other_alone = np.setdiff1d(np.flatnonzero(other_kept), j)
    assert min(len(i), len(alone), len(other_alone)) > 1
    assert np.setdiff1d(m.pairs[kept[m.pairs[:, 0]], 0], i).size > 0
    wanted = ((m.first.birth[i] - m.second.birth[j]) ** 2).sum()
    i, j = i[~m.first.essential[i]], j[~m.first.essential[i]]
    wanted += ((m.first.death[i] - m.second.death[j]) ** 2).sum()
    wanted += (m.first.persistence[alone] ** 2).sum() / 2
    wanted += (m.second.persistence[other_alone] ** 2).sum() / 2
    tensors = (torch.from_numpy(x)[None, None] for x in (likelihood, truth))
    found = topological_loss(*tensors, matching="betti", min_persistence=0.3)
    assert found.item() == pytest.approx(wanted)


def test_the_explanation_has_the_pairs_of_the_matching(gap_and_false_ring):
    (explanation,) = TopologicalLoss(1, matching="betti").explain(*gap_and_false_ring)
    ((i, j),) = explanation.fix
    assert explanation.prediction.death_index[i].tolist() == [2, 2]
    assert explanation.target.death_index[j].tolist() == [2, 2]
    assert explanation.prediction.death_index[explanation.remove].tolist() == [[2, 8]]


def descended(likelihood, truth, matching, steps):
    """Return a likelihood after some steps of Adam on its logits, with the loss alone."""
    loss = TopologicalLoss(frame=True, sigmoid=True, matching=matching)
    logits = torch.from_numpy(likelihood)[None, None].logit().requires_grad_()
    target = loss.prepare(torch.from_numpy(truth)[None, None])
    optimizer = torch.optim.Adam([logits], lr=0.2)
    for _ in range(steps):
        optimizer.zero_grad()
        loss(logits, target).backward()
        optimizer.step()
    return logits.detach().sigmoid()[0, 0].numpy()


@pytest.mark.compiled
def test_descent_on_a_real_section_closes_what_the_truth_has_and_nothing_else(real_data):
    """The likelihood is computed from darkness alone; holes are cells between membranes."""
    window = slice(180, 308), slice(200, 328)
    truth = pytopo.read_image(real_data / "isbi2012/label/12.png")[window] == 0
    raw = pytopo.read_image(real_data / "isbi2012/image/12.png", raw=True).astype(float)
    dark = gaussian_filter(raw, 1.5)
    low, high = np.quantile(dark, [0.1, 0.4])
    likelihood = 1 / (1 + np.exp(6 * (dark[window] - (low + high) / 2) / (high - low)))
    found = {"at first": likelihood}
    for matching in ("wasserstein", "betti"):
        found[matching] = descended(likelihood, truth.astype(float), matching, 60)
    holes = {}
    for name, image in found.items():
        m = pytopo.betti_matching(image >= 0.5, truth, 1, superlevel=True, frame=1)
        holes[name] = len(m.pairs), len(m.first_only), len(m.second_only)
    assert holes == {"at first": (9, 1, 5), "wasserstein": (10, 4, 4), "betti": (14, 0, 0)}


def test_what_cannot_be_matched_by_place_is_refused():
    with pytest.raises(
        ValueError, match="matching is 'cost'; expected one of wasserstein, betti"
    ):
        TopologicalLoss(matching="cost")
    with pytest.raises(ValueError, match="every_target is True; expected False with matching"):
        TopologicalLoss(matching="betti", every_target=True)
