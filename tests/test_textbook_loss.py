"""The loss that runs is the loss that is read: values, gradients and their changes."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from strategies import shapes

from pytopo.loss.textbook import textbook_loss
from pytopo.loss.topological import TopologicalLoss, topological_loss

RING = torch.zeros(5, 5, dtype=torch.float64)
RING[1:4, 1:4] = 1
RING[2, 2] = 0

options = st.fixed_dictionaries(
    {
        "superlevel": st.booleans(),
        "construction": st.sampled_from("VT"),
        "frame": st.sampled_from([None, 0.0, 0.5, 1.0]),
        "min_persistence": st.sampled_from([0.0, 0.125, 0.3]),
        "every_target": st.booleans(),
    }
)


@st.composite
def batches(draw):
    """Two times two images with ties or without, and their targets, binary or grey."""
    shape = (2, 2, *draw(shapes().filter(lambda s: len(s) > 1)))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    likelihood = random.random(shape)
    if draw(st.booleans()):
        likelihood = np.round(8 * likelihood) / 8
    levels = draw(st.sampled_from([1, 1, 4]))
    truth = np.round(levels * random.random(shape)) / levels
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    return [torch.from_numpy(images.astype(dtype)) for images in (likelihood, truth)]


def textbook(likelihood, truth, weights, **options):
    images = zip(likelihood.flatten(0, 1), truth.flatten(0, 1))
    losses = [textbook_loss(f, g, weights, **options) for f, g in images]
    return torch.stack(losses).reshape(likelihood.shape[:2])


def derivatives(loss, likelihood, factor, direction):
    """Return values, the gradient, and how it changes in a direction."""
    likelihood = likelihood.clone().requires_grad_()
    values = loss(likelihood)
    (gradient,) = torch.autograd.grad((factor * values).sum(), likelihood, create_graph=True)
    (change,) = torch.autograd.grad((gradient * direction).sum(), likelihood, allow_unused=True)
    return values, gradient, torch.zeros_like(likelihood) if change is None else change


@given(batches(), options, st.randoms(use_true_random=False))
def test_the_loss_of_a_batch_is_that_of_the_textbook(batch, options, random):
    likelihood, truth = batch
    dims = range(likelihood.ndim - 2)
    weights = {d: random.choice([0.0, 0.3, 1.0, 2.0]) for d in dims if random.random() < 0.8}
    weights = weights or {0: 1.0}
    generator = torch.Generator().manual_seed(random.randrange(2**32))
    factor = torch.rand(2, 2, generator=generator).to(likelihood)
    direction = torch.rand(likelihood.shape, generator=generator).to(likelihood)

    loss = TopologicalLoss(weights, reduction="none", **options)
    ours = derivatives(lambda p: loss(p, truth), likelihood, factor, direction)
    theirs = derivatives(
        lambda p: textbook(p, truth, weights, **options), likelihood, factor, direction
    )
    tolerance = 1e-5 if likelihood.dtype == torch.float32 else 1e-12
    for a, b in zip(ours, theirs):
        assert a.dtype == likelihood.dtype
        torch.testing.assert_close(a, b, rtol=tolerance, atol=tolerance)
    prepared = loss(likelihood, loss.prepare(truth))
    assert torch.equal(prepared, ours[0])


@pytest.mark.parametrize(
    "options",
    [
        {"frame": 0.5, "reduction": "none"},
        {"sigmoid": True, "every_target": True},
        {"softmax": True, "include_background": False},
        {"dims": {0: 0.3, 1: 2.0}, "superlevel": False},
    ],
    ids=str,
)
@pytest.mark.parametrize("levels", [1, 4])
def test_the_second_derivative_is_that_of_finite_differences(options, levels):
    generator = torch.Generator().manual_seed(0)
    prediction = torch.rand(2, 2, 4, 5, generator=generator, dtype=torch.float64)
    if "sigmoid" in options:
        prediction = prediction.logit()
    truth = torch.round(levels * torch.rand(2, 2, 4, 5, generator=generator)) / levels
    assert torch.autograd.gradgradcheck(
        lambda p: topological_loss(p, truth, **options), prediction.requires_grad_()
    )


def test_a_third_derivative_is_refused():
    likelihood = (0.5 * RING)[None, None].requires_grad_()
    direction = torch.ones_like(likelihood).requires_grad_()
    loss = topological_loss(likelihood, RING[None, None])
    (gradient,) = torch.autograd.grad(loss, likelihood, create_graph=True)
    pulled = (gradient * direction).sum()
    (change,) = torch.autograd.grad(pulled, likelihood, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        change.sum().backward()


def test_the_points_of_the_textbook_pay_as_the_paper_says():
    likelihood = RING.clone()
    likelihood[1, 2], likelihood[2, 2], likelihood[4, 4] = 0.7, 0.1, 0.3
    likelihood.requires_grad_()
    loss = textbook_loss(likelihood, RING, {0: 2.0, 1: 1.0})
    loss.backward()
    # The hole is matched, the speck is removed, the first component is where it has to be.
    assert loss.item() == pytest.approx(0.3**2 + 0.1**2 + 2 * 0.3**2 / 2)
    moved = {
        tuple(p): likelihood.grad[tuple(p)].item() for p in likelihood.grad.nonzero().tolist()
    }
    assert moved[1, 2] == pytest.approx(2 * (0.7 - 1))
    assert moved[2, 2] == pytest.approx(2 * 0.1)
    assert moved[4, 4] == pytest.approx(2 * 0.3)


def test_the_lesson_shows_the_lines_of_the_textbook():
    root = Path(__file__).parents[1]
    lesson = (root / "docs" / "lesson-8-loss.md").read_text()
    (lines,) = re.findall(r"^    birth, death = f\[.*?\n\n", lesson, re.M | re.S)
    assert lines.count("\n") == 11
    source = (root / "pytopo" / "loss" / "textbook.py").read_text()
    assert lines.rstrip() in source.replace("\n\n    loss =", "\n    loss =")


@pytest.mark.compiled
def test_the_kernels_of_the_loss_are_compiled_for_one_signature():
    check = """
import itertools, torch, pytopo
from pytopo.kernels import ranking, squares
for shape, c, f, m, every in itertools.product(
    ((2, 2, 4, 5), (1, 2, 3, 3, 4)), "VT", (None, 0.5), (0.0, 0.2), (False, True)
):
    loss = pytopo.TopologicalLoss(
        construction=c, frame=f, min_persistence=m, every_target=every
    )
    x, truth = torch.rand(shape, requires_grad=True), torch.rand(shape) > 0.5
    loss(x, truth).backward()
    loss.explain(x.mT, torch.round(4 * torch.rand(shape)).mT / 4)
    (gradient,) = torch.autograd.grad(loss(x, loss.prepare(truth)), x, create_graph=True)
    gradient.sum().backward()
kernels = ranking.rank_groups, squares.group_starts, squares.pixel_values, squares.add_squares
print(*(len(kernel.signatures) for kernel in kernels))
"""
    done = subprocess.run(
        [sys.executable, "-c", check], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["1"] * 4
