"""The topological loss of one image as the paper has it, to be read and to test against.

    diagrams and matching, without gradient -> pixels -> gather -> squares -> autograd

The reference implementation of `pytopo.topological_loss`, which processes a batch at once and
computes the derivative itself.

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
    """Compute the topological loss of one likelihood against its target.

    Parameters
    ----------
    prediction : (H, W) or (D, H, W) Tensor
        Likelihoods, float32 or float64, on the CPU.
    target : Tensor of the same shape and dtype
        The ground truth.
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

    found, goals = diagram(prediction), diagram(target)
    goal_birth, goal_death = torch.from_numpy(goals.birth), torch.from_numpy(goals.death)

    # Pixels are fixed, values move: from here on torch sees a gather, squares and a sum.
    # Index -2 is the frame; -1 is never, and its value is not used.
    not_pixels = prediction.new_tensor([0 if frame is None else frame, 0])
    f = torch.cat([prediction.flatten(), not_pixels])
    # Matched points move to their goals, removed ones to the diagonal.  Missing goals cost
    # their distance to the diagonal, and have no pixel that could move.  The component that
    # never dies is matched with that of the target, by birth alone.
    birth, death = f[found.birth_pixel], f[found.death_pixel]

    loss = prediction.new_zeros(())
    for dim, weight in weights.items():
        i, j, removed, missing = _matched(found, goals, dim, every_target)
        moved = (birth[i] - goal_birth[j]) ** 2 + (death[i] - goal_death[j]) ** 2
        loss = loss + weight * moved.sum()
        loss = loss + weight * ((death[removed] - birth[removed]) ** 2 / 2).sum()
        loss = loss + weight * ((goal_death[missing] - goal_birth[missing]) ** 2 / 2).sum()
    essential = (birth[found.essential] - goal_birth[goals.essential]) ** 2
    return loss + weights.get(0, 0) * essential.sum()


def _matched(
    found: Diagram, goals: Diagram, dim: int, every_target: bool
) -> tuple[NDArray[np.int64], ...]:
    """Return rows i that move to rows j, rows that go to the diagonal, and goals not found."""
    mine, other = (
        np.flatnonzero((diagram.dim == dim) & ~diagram.essential) for diagram in (found, goals)
    )
    points, goal_points = (
        np.stack([diagram.birth, diagram.death], axis=1)[rows]
        for diagram, rows in ((found, mine), (goals, other))
    )
    m = match(points, goal_points, every_second=every_target)
    return mine[m.pairs[:, 0]], other[m.pairs[:, 1]], mine[m.first_only], other[m.second_only]
