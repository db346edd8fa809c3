"""What the points of a batch cost, and the derivative of that, for torch.

    images  -> points --.
                         match -> partners -> squares -> a cost and a gradient per image
    targets -> points --'

The loss is a sum of squares (f[b] - b')^2 of values of the image minus constants; half its
gradient, f[b] - b', is linear in f.  So the second derivative is computed by the same kernel:
in the direction v the gradient changes as if the values were v and the constants 0
(`_Gradient`).
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.autograd.function import once_differentiable

from pytopo.kernels.squares import add_squares
from pytopo.loss.in_place import Places, points_in_place
from pytopo.loss.inputs import as_images
from pytopo.loss.points import PointGroups, Sweep, point_groups, values_of
from pytopo.matching.groups import match_groups
from pytopo.stacks import even_parts
from pytopo.threads import number_of_threads, on_threads


@dataclass(frozen=True, eq=False)
class Matched:
    """The points of some images of a batch, and the goal of each.

    Attributes
    ----------
    images : slice
        Which images of the batch.
    found, goals : PointGroups
        Of the images and of their targets.
    partner : (n,) int64
        Row of the goal of each point, -1 for the diagonal.
    """

    images: slice
    found: PointGroups
    goals: PointGroups
    partner: NDArray[np.int64]

    def add_squares(
        self, weight: NDArray[np.float64], out_loss: NDArray, out_gradient: NDArray
    ) -> None:
        """Write the costs of these images, and add their gradients."""
        add_squares(
            self.found.start,
            self.found.points,
            self.found.birth_pixel,
            self.found.death_pixel,
            self.partner,
            self.goals.start,
            self.goals.points,
            weight,
            out_loss[self.images],
            out_gradient[self.images].reshape(out_loss[self.images].size, -1),
        )


@dataclass(frozen=True, eq=False)
class Costs:
    """What the images of a batch cost.

    Attributes
    ----------
    loss : (n,) float64
    gradient : (n, H, W) or (n, D, H, W) float32 or float64
    parts : list of Matched
        The points behind the costs; all images, in order.
    weight : (k,) float64
        Of each dimension.
    """

    loss: NDArray[np.float64]
    gradient: NDArray[np.floating]
    parts: list[Matched]
    weight: NDArray[np.float64]

    def goal_numbers(self) -> NDArray[np.int64]:
        """Return how many points the target of each image has, (n,)."""
        k = self.weight.size
        return np.concatenate([np.diff(part.goals.start[::k]) for part in self.parts])


def costs_of(
    images: NDArray[np.floating],
    truth: NDArray[np.floating] | PointGroups,
    sweep: Sweep,
    weight: NDArray[np.float64],
    every_target: bool,
    places: Places | None = None,
) -> Costs:
    """Match the points of images with those of their targets, and add up the squares.

    Parameters
    ----------
    images : (n, H, W) or (n, D, H, W) float32 or float64
    truth : ndarray of the same shape, or PointGroups
    sweep : Sweep
    weight : (k,) float64
        Of each dimension of the sweep.
    every_target : bool
        As in `pytopo.topological_loss`.
    places : Places or None
        The ground truth, if points are to be matched by place; None if by cost.
    """
    threads = number_of_threads(None)
    parts = even_parts(len(images), threads)
    inner = max(1, threads // len(parts))
    loss, gradient = np.empty(len(images)), np.zeros_like(images)

    def points_of(a: int, b: int) -> tuple[PointGroups, PointGroups]:
        if isinstance(truth, PointGroups):
            found = point_groups(images[a:b], sweep, inner)
            return found, truth.groups(a * weight.size, b * weight.size)
        found, goals = on_threads(  # threads to spare are shared by images and targets
            lambda batch: point_groups(batch[a:b], sweep, max(1, inner // 2)),
            (images, truth),
            min(2, inner),
        )
        return found, goals

    def cost_of(part: tuple[int, int]) -> Matched:
        a, b = part
        if places is not None:
            some = places.part(a, b, weight.size)
            found, goals, partner = points_in_place(images[a:b], some, sweep, inner)
        else:
            found, goals = points_of(a, b)
            partner = match_groups(
                found.start, found.points, goals.start, goals.points, every_goal=every_target
            )
        matched = Matched(slice(a, b), found, goals, partner)
        matched.add_squares(weight, loss, gradient)
        return matched

    return Costs(loss, gradient, on_threads(cost_of, parts, threads), weight)


class Squares(torch.autograd.Function):
    """The costs of images as a function of their pixels, which torch can differentiate twice.

    Pixels are fixed and values move: the pairs and the matching hold as long as the order of
    the pixels does.
    """

    @staticmethod
    def forward(ctx: Any, likelihood: Tensor, costs: Costs) -> Tensor:
        """Return the loss of each image, (B, C), for (B, C, ...) likelihoods."""
        gradient = torch.from_numpy(costs.gradient).reshape(likelihood.shape)
        ctx.save_for_backward(likelihood, gradient.to(likelihood.device))
        ctx.costs = costs
        loss = torch.from_numpy(costs.loss).to(gradient.dtype)
        return loss.reshape(likelihood.shape[:2]).to(likelihood.device)

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor, None]:
        """Return the gradient of each image, times what came from above: the chain rule."""
        likelihood, gradient = ctx.saved_tensors
        if torch.is_grad_enabled():  # the gradient is to be differentiated again
            gradient = _Gradient.apply(likelihood, gradient, ctx.costs)
        (factor,) = upstream
        factor = factor.reshape(*factor.shape, *[1] * (gradient.ndim - 2))
        return (factor * gradient).to(likelihood.dtype), None


class _Gradient(torch.autograd.Function):
    """The gradient as a function of the pixels: linear, as long as their order holds."""

    @staticmethod
    def forward(ctx: Any, likelihood: Tensor, gradient: Tensor, costs: Costs) -> Tensor:
        ctx.costs, ctx.dtype = costs, likelihood.dtype
        return gradient.view_as(gradient)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, direction: Tensor) -> tuple[Tensor, None, None]:
        """Return how the gradient changes in a direction: its derivative is symmetric."""
        values = as_images(direction)
        change, unused = np.zeros_like(values), np.empty(len(values))
        for part in ctx.costs.parts:
            # The gradient of (f[b] - b')^2, 2 (f[b] - b'), with v for f and 0 for b'.
            found, goals = part.found, part.goals
            points = values_of(
                values[part.images], found.start, found.birth_pixel, found.death_pixel
            )
            zeros = np.zeros_like(goals.points)
            linear = replace(
                part, found=replace(found, points=points), goals=replace(goals, points=zeros)
            )
            linear.add_squares(ctx.costs.weight, unused, change)
        changed = torch.from_numpy(change).reshape(direction.shape)
        return changed.to(direction.device, ctx.dtype), None, None
