"""Lesson 8: the loss, its gradient, and one step of descent."""

import numpy as np
import torch
from drawing import LIKELIHOOD, TRUTH, em_likelihood, panels, pixels, pulls
from matplotlib.figure import Figure
from numpy.typing import NDArray

import pytopo


def one_step() -> Figure:
    """Likelihood, ground truth, gradient, and the likelihood after one step."""
    loss = pytopo.TopologicalLoss()
    gradient = _gradient(loss, LIKELIHOOD, TRUTH)
    after = LIKELIHOOD - 0.25 * gradient
    figure, axes = panels(1, 4, 2.9, title=0.4)
    pixels(axes[0, 0], LIKELIHOOD, text="{:.2f}", size=9)
    axes[0, 0].set_title("likelihood", fontsize=10)
    pixels(axes[0, 1], TRUTH.astype(int), size=10)
    axes[0, 1].set_title("ground truth", fontsize=10)
    pixels(axes[0, 2], gradient, pulls(gradient), text="{:.2f}", size=9, bold=gradient != 0)
    axes[0, 2].set_title("gradient: few pixels", fontsize=10)
    moved = np.abs(after - LIKELIHOOD) > 1e-9
    grey = np.repeat((0.25 + 0.75 * after.clip(0, 1))[..., None], 3, axis=2)
    pixels(axes[0, 3], after, grey, text="{:.2f}", size=9, bold=moved)
    axes[0, 3].set_title("likelihood after one step", fontsize=10)
    return figure


def micrograph() -> Figure:
    """A likelihood of the micrograph, and which pixels the loss pulls where."""
    likelihood, truth = em_likelihood()
    loss = pytopo.TopologicalLoss(frame=True, every_target=True)
    (why,) = loss.explain(_batch(likelihood), _batch(truth))
    figure = Figure((11.5, 4.7), layout="constrained")
    axes = figure.subplots(1, 3)
    axes[0].imshow(truth, cmap="gray")
    axes[0].set(xticks=[], yticks=[])
    axes[0].set_title("ground truth", fontsize=10)
    pytopo.plot.critical(likelihood, why, axes[1], top=6)
    pytopo.plot.matching(why, axes[2], top=6)
    return figure


def _batch(image: NDArray) -> torch.Tensor:
    return torch.from_numpy(np.asarray(image, float))[None, None]


def _gradient(
    loss: pytopo.TopologicalLoss, likelihood: NDArray, truth: NDArray
) -> NDArray[np.float64]:
    prediction = _batch(likelihood).requires_grad_()
    loss(prediction, _batch(truth)).backward()
    return prediction.grad[0, 0].numpy() + 0.0  # no minus zeros
