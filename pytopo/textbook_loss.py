"""The topological loss of one image as the paper has it, to be read and to test against.

    diagrams and matching, without gradient -> pixels -> gather -> squares -> autograd

Twin of `pytopo.topological_loss`, which takes a batch at once and writes the derivative down
by itself.

Hu, Li, Samaras, Chen (2019), "Topology-preserving deep image segmentation", sections 2.2
and 2.3.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from pytopo.diagram import Diagram
from pytopo.matching import match
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

    found, wanted = diagram(prediction), diagram(target)
    # Pixels are fixed, values move: from here on torch sees a gather, squares and a sum.
    # Pixel -2 is the frame, and -1 is never, whose value is not used.
    outside = prediction.new_tensor([0 if frame is None else frame, 0])
    f = torch.cat([prediction.flatten(), outside])
    birth, death = (f[torch.from_numpy(p)] for p in (found.birth_pixel, found.death_pixel))
    goal_birth, goal_death = torch.from_numpy(wanted.birth), torch.from_numpy(wanted.death)

    loss = prediction.new_zeros(())
    for dim, weight in weights.items():
        mine, other = ((~d.essential & (d.dim == dim)).nonzero()[0] for d in (found, wanted))
        matching = match(
            found.select(finite=True).points(dim),
            wanted.select(finite=True).points(dim),
            every_second=every_target,
        )
        i, j = mine[matching.pairs[:, 0]], other[matching.pairs[:, 1]]
        removed, missing = mine[matching.first_only], other[matching.second_only]
        moved = (birth[i] - goal_birth[j]) ** 2 + (death[i] - goal_death[j]) ** 2
        loss = loss + weight * moved.sum()
        loss = loss + weight * ((death[removed] - birth[removed]) ** 2 / 2).sum()
        loss = loss + weight * ((goal_death[missing] - goal_birth[missing]) ** 2 / 2).sum()
        if dim == 0:  # the component that never dies
            essential = birth[found.essential] - goal_birth[wanted.essential]
            loss = loss + weight * (essential**2).sum()
    return loss
