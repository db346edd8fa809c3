"""The page about comparing: what a likelihood gets wrong, and which features match by place."""

import torch
from drawing import em_likelihood
from matplotlib.figure import Figure

import pytopo


def loss() -> Figure:
    """Ground truth, likelihood and diagrams of the micrograph, matched by place."""
    likelihood, truth = em_likelihood()
    images = (torch.from_numpy(a)[None, None] for a in (likelihood, truth))
    criterion = pytopo.TopologicalLoss(frame=True, min_persistence=0.05, matching="betti")
    (why,) = criterion.explain(*images)
    figure = Figure((13.5, 5.1), layout="constrained")
    axes = figure.subplots(1, 3)
    pytopo.plot.target(truth, why, axes[0], top=8)
    axes[0].set_title("truth", fontsize=10)
    pytopo.plot.critical(likelihood, why, axes[1], top=8)
    axes[1].set_title("likelihood", fontsize=10)
    pytopo.plot.matching(why, axes[2], top=8)
    return figure


def place() -> Figure:
    """Likelihood and ground truth of the micrograph, and which of their holes match."""
    images = em_likelihood()
    found = pytopo.betti_matching(*images, dims=1, superlevel=True, frame=1)
    figure = Figure((9, 4.9), layout="constrained")
    for ax, image, second in zip(figure.subplots(1, 2), images, (False, True)):
        pytopo.plot.betti_matching(image, found, ax, second=second, top=9)
        ax.set_title(("A, likelihood", "B, ground truth")[second], fontsize=10)
    return figure
