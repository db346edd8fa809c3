"""How other libraries do the jobs of `pytopo bench`, each called as its users call it.

Every function prepares a job and returns the function that does it: only the job is timed.
"""

import warnings
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor


def loss_step(loss: Callable[..., "Tensor"], likelihood: "Tensor", truth: "Tensor") -> Callable:
    """Return a step that computes a loss, ours or a peer's, and its gradient."""

    def step() -> object:
        prediction = likelihood.clone().requires_grad_()
        loss(prediction, truth).backward()
        return prediction.grad

    return step


def topolosses_step(name: str, likelihood: "Tensor", truth: "Tensor") -> Callable[[], object]:
    """Return a step of a loss of topolosses."""
    from topolosses import losses
    from topolosses.losses.utils import FiltrationType

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        peer = getattr(losses, name)(
            filtration_type=FiltrationType.SUPERLEVEL,
            use_base_loss=False,
            include_background=True,
            num_processes=2,
        )
    return loss_step(peer, likelihood, truth)


def gudhi_loss_step(likelihood: "Tensor", truth: "Tensor") -> Callable[[], object]:
    """Return a step of the loss as it is written with GUDHI and POT: a loop over images."""
    import gudhi
    import torch
    from gudhi.wasserstein import wasserstein_distance

    def pairs(image: NDArray) -> list[NDArray]:
        complex = gudhi.CubicalComplex(vertices=np.asfortranarray(-image, np.float64))
        complex.compute_persistence()
        finite = complex.vertices_of_persistence_pairs()[0]
        return [np.asarray(p, np.int64).reshape(-1, 2) for p in [*finite, [], []][:2]]

    def loss(prediction: "Tensor", target: "Tensor") -> "Tensor":
        total = prediction.sum() * 0
        for f, g in zip(prediction[:, 0], target[:, 0]):
            # GUDHI numbers the pixels of the transposed image: its first axis is the fastest.
            values, target_values = f.T.reshape(-1), g.T.reshape(-1)
            for mine, other in zip(pairs(f.detach().numpy()), pairs(g.numpy())):
                points = values[torch.from_numpy(mine)]
                goals = target_values[torch.from_numpy(other)]
                _, matched = wasserstein_distance(
                    points.detach().numpy(), goals.numpy(),
                    order=2, internal_p=2, matching=True,
                )  # fmt: skip
                # Rows (i, j) of points that match; j is -1 for the diagonal.
                moved = matched[(matched >= 0).all(axis=1)]
                removed = points[matched[matched[:, 1] < 0, 0]]
                total = total + ((points[moved[:, 0]] - goals[moved[:, 1]]) ** 2).sum()
                total = total + (removed[:, 1] - removed[:, 0]).square().sum() / 2
        return total

    return loss_step(loss, likelihood, truth)


def skimage_metric(name: str, first: NDArray, second: NDArray) -> Callable[[], object]:
    """Return a call of a metric of scikit-image, without background."""
    from skimage import metrics

    return partial(getattr(metrics, name), second, first, ignore_labels=(0,))


def gudhi_rectangle(a: NDArray) -> Callable[[], object]:
    """Return a call of GUDHI's engine for two axes, which returns values and no pixels."""
    from gudhi.sklearn import CubicalPersistence

    engine = CubicalPersistence(homology_dimensions=[0, 1])
    return lambda: engine.fit_transform([a])


def cripser_pairs(a: NDArray) -> Callable[[], object]:
    """Return a call of CubicalRipser, which returns values and coordinates."""
    import cripser

    doubles = a.astype(np.float64)
    return lambda: cripser.computePH(doubles, maxdim=a.ndim - 1)


def cripser_loop(patches: NDArray) -> Callable[[], object]:
    """Return a call of CubicalRipser, image by image."""
    import cripser

    return lambda: [cripser.computePH(patch, maxdim=1) for patch in patches]


def gudhi_pairs(a: NDArray) -> Callable[[], object]:
    """Return a call of GUDHI's engine for any number of axes, which returns pairs of pixels."""
    import gudhi

    doubles = a.astype(np.float64)

    def pairs() -> object:
        complex = gudhi.CubicalComplex(vertices=doubles)
        complex.compute_persistence(homology_coeff_field=2)
        return complex.vertices_of_persistence_pairs()

    return pairs
