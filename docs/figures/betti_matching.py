"""Matched by place: the gap that matching by cost opens, and descent on a micrograph."""

import numpy as np
import torch
from drawing import bare, em_likelihood, pixels, pulls
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

import pytopo

MATCHINGS = (("wasserstein", "by cost"), ("betti", "by place"))


def gap() -> Figure:
    """A ring with a gap and a false ring beside it, and the gradients of both matchings."""
    truth = np.zeros((5, 11))
    truth[1:4, 1:4] = 1
    truth[2, 2] = 0
    likelihood = truth.copy()
    likelihood[1:4, 7:10], likelihood[2, 8], likelihood[1, 2] = 0.8, 0, 0.3
    figure = Figure((11, 5.3), layout="constrained")
    axes = figure.subplots(2, 2)
    for ax, title, image in (
        (axes[0, 0], "ground truth", truth),
        (axes[0, 1], "likelihood", likelihood),
    ):
        bare(ax)
        pixels(ax, image, text="{:.3g}", size=10)
        ax.set_title(title, fontsize=11)
    for ax, (matching, title) in zip(axes[1], MATCHINGS):
        loss = pytopo.TopologicalLoss(1, matching=matching)
        prediction = _batch(likelihood).requires_grad_()
        loss(prediction, _batch(truth)).backward()
        gradient = prediction.grad[0, 0].numpy() + 0.0  # no minus zeros
        bare(ax)
        pixels(ax, gradient, pulls(gradient), text="{:.3g}", size=10, bold=gradient != 0)
        what = "opens" if gradient[1, 2] > 0 else "closes"
        ax.set_title(f"gradient, matched {title}: descent {what} the gap", fontsize=11)
    return figure


def descent() -> Figure:
    """A likelihood of a micrograph after descent on the loss alone, by cost and by place."""
    likelihood, truth = em_likelihood()
    figure = Figure((11.5, 3.6), layout="constrained")
    axes = figure.subplots(1, 4)
    axes[0].imshow(truth, cmap="gray")
    axes[0].set_title("ground truth", fontsize=10)
    _thresholded(axes[1], likelihood, truth, "likelihood")
    for ax, (matching, title) in zip(axes[2:], MATCHINGS):
        after = _descended(likelihood, truth, matching)
        _thresholded(ax, after, truth, f"after 300 steps {title}")
    for ax in axes:
        ax.set(xticks=[], yticks=[])
    return figure


def _batch(image: NDArray) -> torch.Tensor:
    return torch.from_numpy(np.asarray(image, float))[None, None]


def _descended(likelihood: NDArray, truth: NDArray, matching: str) -> NDArray[np.float64]:
    """Return a likelihood after 300 steps of Adam on the logits, with the loss alone."""
    loss = pytopo.TopologicalLoss(frame=True, sigmoid=True, matching=matching)
    logits = _batch(likelihood.clip(1e-3, 1 - 1e-3)).logit().requires_grad_()
    target = loss.prepare(_batch(truth))
    optimizer = torch.optim.Adam([logits], lr=0.05)
    for _ in range(300):
        optimizer.zero_grad()
        loss(logits, target).backward()
        optimizer.step()
    return logits.detach().sigmoid()[0, 0].numpy()


def _thresholded(ax: Axes, likelihood: NDArray, truth: NDArray, title: str) -> None:
    """Draw a likelihood at 0.5, and how its holes match those of the ground truth."""
    mask = likelihood >= 0.5
    found = pytopo.betti_matching(mask, truth >= 0.5, 1, superlevel=True, frame=1)
    ax.imshow(mask, cmap="gray")
    ax.set_title(
        f"{title}, at 0.5\nholes: {len(found.pairs)} matched, {len(found.first_only)} false, "
        f"{len(found.second_only)} missed",
        fontsize=10,
    )
