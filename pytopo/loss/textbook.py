"""The topological loss of one image as the paper has it, to be read and to test against.

    diagrams and matching, without gradient -> pixels -> gather -> squares -> autograd

Twin of `pytopo.topological_loss`, which takes a batch at once and writes the derivative down
by itself.

Hu, Li, Samaras, Chen (2019), "Topology-preserving deep image segmentation", sections 2.2
and 2.3.
"""

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pytopo.diagram import Diagram
from pytopo.matching.assignment import match
from pytopo.pairing import persistence


def textbook_loss(
    prediction: Tensor,
    target: Tensor,
    weights: Mapping[int, float],
    *,
    superlevel: bool = True,
    construction: str = "V",
    frame: float | None = None,
    min_persistence: float = 0.0,
    every_target: bool = False,
) -> Tensor:
    """Compute the topological loss of one likelihood against its truth.

    Parameters
    ----------
    prediction : (H, W) or (D, H, W) Tensor
        Likelihoods, float32 or float64, on the CPU.
    target : Tensor of the same shape and dtype
        The truth.
    weights : mapping of int to float
        Weight of each dimension of homology that counts.
    superlevel, construction, frame, min_persistence, every_target
        As in `pytopo.topological_loss`.

    Returns
    -------
    Tensor
        A scalar.

    Examples
    --------
    >>> ring = torch.tensor([[1.0, 1.0, 1.0], [1.0, 0.0, 1.0], [1.0, 1.0, 1.0]])
    >>> weak = ring.clone()
    >>> weak[0, 1] = 0.5
    >>> textbook_loss(weak.requires_grad_(), ring, {1: 1.0})
    tensor(0.2500, grad_fn=<AddBackward0>)
    """

    def diagram(image: Tensor) -> Diagram:
        return persistence(
            image.detach().numpy(),
            list(weights),
            superlevel=superlevel,
            construction=construction,
            frame=frame,
            min_persistence=min_persistence,
        )

    found, expected = diagram(prediction), diagram(target)
    goal_birth, goal_death = torch.from_numpy(expected.birth), torch.from_numpy(expected.death)

    # Pixels are fixed, values move: from here on torch sees a gather, squares and a sum.
    # Pixel -2 is the frame; -1 is never, and its value is not used.
    outside = prediction.new_tensor([0 if frame is None else frame, 0])
    f = torch.cat([prediction.flatten(), outside])
    birth, death = f[found.birth_pixel], f[found.death_pixel]

    loss = prediction.new_zeros(())
    for dim, weight in weights.items():
        i, j, removed, missing = _matched(found, expected, dim, every_target)
        moved = (birth[i] - goal_birth[j]) ** 2 + (death[i] - goal_death[j]) ** 2
        loss = loss + weight * moved.sum()
        loss = loss + weight * ((death[removed] - birth[removed]) ** 2 / 2).sum()
        loss = loss + weight * ((goal_death[missing] - goal_birth[missing]) ** 2 / 2).sum()
    essential = (birth[found.essential] - goal_birth[expected.essential]) ** 2
    return loss + weights.get(0, 0) * essential.sum()


def _matched(
    found: Diagram, expected: Diagram, dim: int, every_target: bool
) -> tuple[NDArray[np.int64], ...]:
    """Return rows i that move to rows j, rows that go to the diagonal, and rows not found."""
    mine, other = (
        np.flatnonzero((diagram.dim == dim) & ~diagram.essential)
        for diagram in (found, expected)
    )
    points, goals = (
        np.stack([diagram.birth, diagram.death], axis=1)[rows]
        for diagram, rows in ((found, mine), (expected, other))
    )
    m = match(points, goals, every_second=every_target)
    return mine[m.pairs[:, 0]], other[m.pairs[:, 1]], mine[m.first_only], other[m.second_only]
