"""Lesson 9: descent, from the 5x5 image to a micrograph."""

import numpy as np
import torch
from drawing import COMPONENT, HOLE, LIKELIHOOD, TRUTH, em_likelihood, panels, pixels
from matplotlib.figure import Figure
from numpy.typing import NDArray

import pytopo


def descent() -> Figure:
    """A step on the 5x5 image without and with the loss, and the paths of its points."""
    figure = Figure((11, 3.6), layout="constrained")
    axes = figure.subplots(1, 3, width_ratios=(1, 1, 1.3))
    for ax, weight, title in zip(
        axes, (0.0, 1.0), ("cross-entropy alone", "with the topological loss")
    ):
        after = _descend(LIKELIHOOD, TRUTH, 1.0, weight, 1)[-1]
        ax.axis("off")
        pixels(ax, after, text="{:.2f}", size=9, bold=after >= 0.5)
        betti = pytopo.persistence(after, superlevel=True).betti(0.5)
        ax.set_title(f"one step, {title}\nBetti numbers at 0.5: {betti}", fontsize=10)
    states = _descend(LIKELIHOOD, TRUTH, 0.0, 1.0, 12)
    ax = axes[2]
    ax.fill([0, 1, 0], [0, 1, 1], color="0.92", lw=0)
    ax.plot([0, 1], [0, 1], color="0.5", lw=1)
    for dim, colour in ((0, COMPONENT), (1, HOLE)):
        found = [
            pytopo.persistence(state, superlevel=True)
            .select(dim, 0.05, finite=True)
            .points(dim)
            for state in states
        ]
        way = np.array([points[0] for points in found if len(points)])
        name = ("second component", "hole")[dim]
        ax.plot(*way.T, "o-", color=colour, ms=4, lw=1, label=name)
        ax.plot(*way[0], "o", color=colour, ms=9)
    ax.set(xlabel="birth", ylabel="death", aspect="equal")
    ax.set_title("the points in twelve steps", fontsize=10)
    ax.legend(fontsize=9, loc="upper left")
    return figure


def micrograph() -> Figure:
    """A likelihood before and after descent on the topological loss, thresholded at 0.5."""
    likelihood, truth = em_likelihood()
    after = _descend(likelihood, truth, 0.0, 1.0, 60, frame=True)[-1]
    figure, axes = panels(1, 4, 2.7, title=0.55)
    pictures = (
        ("likelihood", likelihood, likelihood >= 0.5),
        ("after 60 steps", after, after >= 0.5),
    )
    for pair, (title, values, mask) in zip(axes[0].reshape(2, 2), pictures):
        pair[0].imshow(values, cmap="gray", vmin=0, vmax=1)
        pair[0].set_title(title, fontsize=10)
        pair[1].imshow(mask, cmap="gray")
        betti = _betti(mask)
        pair[1].set_title(
            f"at 0.5, Betti numbers {betti}\n(ground truth {_betti(truth)})", fontsize=10
        )
    return figure


def _betti(mask: NDArray) -> tuple[int, ...]:
    return pytopo.persistence(mask.astype(float), superlevel=True, frame=1.0).betti(0.5)


def _descend(
    likelihood: NDArray,
    truth: NDArray,
    pixel_weight: float,
    topo_weight: float,
    steps: int,
    frame: bool | None = None,
) -> list[NDArray[np.float64]]:
    """Return the likelihoods of a descent, the first included."""
    loss = pytopo.TopologicalLoss(frame=frame, every_target=bool(frame))
    f = torch.from_numpy(likelihood.copy())[None, None].requires_grad_()
    target = loss.prepare(torch.from_numpy(truth.astype(float))[None, None])
    optimizer = torch.optim.SGD([f], lr=0.25)
    states = [likelihood]
    for _ in range(steps):
        optimizer.zero_grad()
        pixel = torch.nn.functional.binary_cross_entropy(f.clamp(1e-6, 1 - 1e-6), target.tensor)
        (pixel_weight * pixel + topo_weight * loss(f, target)).backward()
        optimizer.step()
        with torch.no_grad():
            f.clamp_(0, 1)
        states.append(f.detach()[0, 0].numpy().copy())
    return states
