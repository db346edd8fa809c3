"""The topological loss: how far the diagram of a likelihood is from that of the target.

    likelihood -> points --.
                            match -> partners -> squares -> loss, gradient
    target     -> points --'

`pytopo.loss.textbook`, the reference implementation, is the same in twenty lines, for one
image, and shows why there is a gradient: pixels are fixed, values move.  Here all images of a
batch are processed together, a part of them on each thread, and `pytopo.kernels.squares` adds
up the squares and their derivative in one pass.  torch gets one number per image, and the
gradient in the backward pass.

Hu, Li, Samaras, Chen (2019), "Topology-preserving deep image segmentation", sections 2.2
and 2.3.
"""

from collections.abc import Iterable, Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pytopo.loss.explanation import Explanation, explanations
from pytopo.loss.in_place import Places
from pytopo.loss.inputs import (
    as_images,
    at_least_float,
    check_images,
    check_likelihoods,
    check_logits,
    check_target,
)
from pytopo.loss.points import PointGroups, Sweep
from pytopo.loss.prepared_target import PreparedTarget, prepared
from pytopo.loss.squares import Costs, Squares, costs_of
from pytopo.options import flag, integers, is_weight, real
from pytopo.pairing import persistence_batch

REDUCTIONS = ("mean", "sum", "none")
MATCHINGS = ("wasserstein", "betti")


def topological_loss(
    prediction: Tensor,
    target: "Tensor | PreparedTarget",
    dims: int | Iterable[int] | Mapping[int, float] = (0, 1),
    *,
    superlevel: bool = True,
    construction: str = "V",
    frame: float | bool | None = None,
    sigmoid: bool = False,
    softmax: bool = False,
    include_background: bool = True,
    min_persistence: float = 0.0,
    every_target: bool = False,
    matching: str = "wasserstein",
    reduction: str = "mean",
) -> Tensor:
    """Compute the topological loss of a likelihood against the truth.

    Parameters
    ----------
    prediction : (B, C, H, W) or (B, C, D, H, W) Tensor
        Likelihoods in [0, 1], or logits with ``sigmoid`` or ``softmax``.  Any float dtype
        and device.
    target : Tensor of the same shape, or PreparedTarget
        The truth, in [0, 1]: booleans, integers 0 and 1, or floats, also grey ones.
    dims : int, iterable of int, or mapping of int to float
        Dimensions of homology that count; a mapping gives each a weight.
    superlevel : bool
        Bright things are the foreground, and are born first.
    construction : {"V", "T"}
        Whether pixels are vertices or top cells; see `pytopo.persistence`.
    frame : float, bool or None
        Value of a frame around the images; ``True`` for that of the foreground, which is 1,
        or 0 if ``superlevel`` is ``False``.
    sigmoid, softmax : bool
        ``prediction`` holds logits.  Diagrams and squares are of the same likelihoods.
    include_background : bool
        ``False`` leaves out channel 0 of prediction and target.
    min_persistence : float
        Points of less persistence are left as they are.
    every_target : bool
        Let no point of the target go to the diagonal while a point of the prediction does.
        The plain optimum may leave a point of the target unmatched if the best point for it
        is weak.
    matching : {"wasserstein", "betti"}
        Which points of the prediction go to which of the target: at the least cost, or where
        they are in the same place (`pytopo.betti_matching`).  In volumes "betti" takes
        dimensions 0 and 2 only.
    reduction : {"mean", "sum", "none"}
        Over images and channels.  The points of each are added up.

    Returns
    -------
    Tensor
        A scalar, or (B, C) for "none"; float64 for float64 predictions, else float32.

    Raises
    ------
    TypeError, ValueError
        If a shape, dtype, value or option is not as above; values may leave [0, 1] by a
        rounding error.  If tensors hold no values, as on the meta device or in
        ``torch.export``, or hide them, as in the transforms of ``torch.func``.

    Examples
    --------
    A ring with a gap of likelihood 0.4 has a hole from 0.4 to 0 instead of 1 to 0, and
    the gradient is at its gap:

    >>> import torch
    >>> ring = torch.zeros(1, 1, 5, 5)
    >>> ring[..., 1:4, 1:4] = 1
    >>> ring[..., 2, 2] = 0
    >>> broken = ring.clone()
    >>> broken[0, 0, 1, 2] = 0.4
    >>> broken.requires_grad_()
    tensor([[[[0.0000, 0.0000, 0.0000, 0.0000, 0.0000],
              [0.0000, 1.0000, 0.4000, 1.0000, 0.0000],
              [0.0000, 1.0000, 0.0000, 1.0000, 0.0000],
              [0.0000, 1.0000, 1.0000, 1.0000, 0.0000],
              [0.0000, 0.0000, 0.0000, 0.0000, 0.0000]]]], requires_grad=True)
    >>> loss = topological_loss(broken, ring, every_target=True)
    >>> round(loss.item(), 4)
    0.36
    >>> loss.backward()
    >>> broken.grad.nonzero().tolist(), round(broken.grad[0, 0, 1, 2].item(), 4)
    ([[0, 0, 1, 2]], -1.2)
    """
    return TopologicalLoss(
        dims,
        superlevel=superlevel,
        construction=construction,
        frame=frame,
        sigmoid=sigmoid,
        softmax=softmax,
        include_background=include_background,
        min_persistence=min_persistence,
        every_target=every_target,
        matching=matching,
        reduction=reduction,
    )(prediction, target)


class TopologicalLoss(nn.Module):
    """The topological loss as a module: `topological_loss` with its options kept.

    Parameters are those of `topological_loss`.

    Examples
    --------
    >>> import torch
    >>> loss = TopologicalLoss(dims=1, frame=True, sigmoid=True)
    >>> truth = (torch.arange(36).reshape(1, 1, 6, 6) % 5 == 0).float()
    >>> loss(20 * truth - 10, truth) < 0.01
    tensor(True)
    """

    def __init__(
        self,
        dims: int | Iterable[int] | Mapping[int, float] = (0, 1),
        *,
        superlevel: bool = True,
        construction: str = "V",
        frame: float | bool | None = None,
        sigmoid: bool = False,
        softmax: bool = False,
        include_background: bool = True,
        min_persistence: float = 0.0,
        every_target: bool = False,
        matching: str = "wasserstein",
        reduction: str = "mean",
    ) -> None:
        super().__init__()
        if sigmoid and softmax:
            raise ValueError("sigmoid and softmax are both True; expected one of them at most")
        if reduction not in REDUCTIONS:
            raise ValueError(
                f"reduction is {reduction!r}; expected one of {', '.join(REDUCTIONS)}"
            )
        if matching not in MATCHINGS:
            raise ValueError(f"matching is {matching!r}; expected {' or '.join(MATCHINGS)}")
        if matching == "betti" and every_target:
            raise ValueError(
                'every_target is True; expected False with matching="betti", which matches by '
                "place and not by cost"
            )
        self.matching = matching
        self.weights = _weights(dims)
        self.superlevel = flag(superlevel, "superlevel")
        self.construction = construction
        self.frame = _frame(frame, self.superlevel)
        self.sigmoid = flag(sigmoid, "sigmoid")
        self.softmax = flag(softmax, "softmax")
        self.include_background = flag(include_background, "include_background")
        self.min_persistence = min_persistence
        self.every_target = flag(every_target, "every_target")
        self.reduction = reduction
        axes = 3 if 2 in self.weights else 2
        persistence_batch(  # refuses impossible options now
            np.zeros([1] * (axes + 1)),
            list(self.weights),
            superlevel=self.superlevel,
            construction=construction,
            frame=self.frame,
            min_persistence=min_persistence,
        )

    def extra_repr(self) -> str:
        return f"dims={self.weights}, reduction={self.reduction!r}"

    def forward(self, prediction: Tensor, target: "Tensor | PreparedTarget") -> Tensor:
        """Return the loss; see `topological_loss`."""
        if torch.compiler.is_compiling():
            # torch.compile would trace the NumPy of the diagrams, and gets it wrong.
            return torch.compiler.disable(self._loss)(prediction, target)
        return self._loss(prediction, target)

    def _loss(self, prediction: Tensor, target: "Tensor | PreparedTarget") -> Tensor:
        likelihood = self.likelihood(prediction)
        loss = Squares.apply(likelihood, self._costs(prediction, likelihood, target))
        if self.reduction == "none":
            return loss
        return loss.mean() if self.reduction == "mean" else loss.sum()

    def prepare(self, target: Tensor) -> PreparedTarget:
        """Compute the points of a target once, for all steps in which it is used.

        Parameters
        ----------
        target : (B, C, H, W) or (B, C, D, H, W) Tensor

        Returns
        -------
        PreparedTarget
            What `forward` takes in place of the target.
        """
        check_images(target, "target")
        check_target(target)
        images = as_images(self._channels(target))
        in_place = self.matching == "betti" and images.ndim == 3
        return prepared(target, images, self._sweep, self.include_background, in_place)

    def explain(
        self, prediction: Tensor, target: "Tensor | PreparedTarget"
    ) -> list[Explanation]:
        """Return for each image and channel which points are to be fixed and which removed.

        Returns
        -------
        list of Explanation
            Channels fastest.  `pytopo.plot.matching` and `pytopo.plot.critical` draw one.
        """
        likelihood = self.likelihood(prediction)
        costs = self._costs(prediction, likelihood, target)
        shape, dtype = tuple(likelihood.shape[2:]), costs.gradient.dtype.type
        return [
            explanation
            for part in costs.parts
            for explanation in explanations(part, self._sweep, shape, dtype)
        ]

    def likelihood(self, prediction: Tensor) -> Tensor:
        """Return what the diagrams are computed of: likelihoods, without the background."""
        check_images(prediction, "prediction")
        if self.softmax and prediction.shape[1] == 1:
            raise ValueError(
                "prediction has 1 channel, whose softmax is 1 everywhere; expected several, or "
                "a sigmoid in place of the softmax"
            )
        if not (self.sigmoid or self.softmax):
            check_likelihoods(prediction)
            return self._channels(prediction)
        check_logits(prediction)
        logits = at_least_float(prediction)
        return self._channels(logits.sigmoid() if self.sigmoid else logits.softmax(dim=1))

    def _channels(self, images: Tensor) -> Tensor:
        if self.include_background:
            return images
        if images.shape[1] < 2:
            raise ValueError(
                "include_background=False leaves nothing of 1 channel; expected several, or "
                "True"
            )
        return images[:, 1:]

    @property
    def _sweep(self) -> Sweep:
        return Sweep(
            tuple(self.weights),
            self.superlevel,
            self.construction,
            self.frame,
            self.min_persistence,
        )

    def _costs(
        self, prediction: Tensor, likelihood: Tensor, target: "Tensor | PreparedTarget"
    ) -> Costs:
        truth = self._truth(target, prediction)
        places = None
        if self.matching == "betti" and isinstance(target, PreparedTarget):
            images = as_images(self._channels(target.tensor))
            places = Places(images, target.groups, target.swept)
        elif self.matching == "betti" and isinstance(truth, np.ndarray):
            places = Places(truth)
        return costs_of(
            as_images(likelihood),
            truth,
            self._sweep,
            np.array(list(self.weights.values())),
            self.every_target,
            places,
        )

    def _truth(
        self, target: "Tensor | PreparedTarget", prediction: Tensor
    ) -> NDArray[np.floating] | PointGroups:
        """Return the images of a target, or its points if it is prepared, checked."""
        tensor = target.tensor if isinstance(target, PreparedTarget) else target
        if not isinstance(tensor, Tensor):
            raise TypeError(
                f"target is {type(target).__name__}; expected a Tensor or PreparedTarget"
            )
        if isinstance(target, Tensor):
            check_images(target, "target")
        if tensor.shape != prediction.shape:
            raise ValueError(
                f"target has shape {tuple(tensor.shape)}; expected that of prediction, "
                f"{tuple(prediction.shape)}"
            )
        if isinstance(target, Tensor):
            check_target(target)
            return as_images(self._channels(target))
        if (target.sweep, target.include_background) != (self._sweep, self.include_background):
            raise ValueError(
                "target was prepared by a loss with other options; prepare it with this one"
            )
        return target.groups


def _frame(frame: float | bool | None, superlevel: bool) -> float | None:
    """Return the value of the frame: foreground is bright, or dark in sublevel."""
    if frame is None or isinstance(frame, (bool, np.bool_)):
        return float(superlevel) if frame else None
    number = real(frame)
    if number is None:
        raise TypeError(f"frame is {frame!r}; expected a number, True, False or None")
    if not np.isfinite(number):
        raise ValueError(f"frame is {frame!r}; expected a finite number, like those of images")
    return number


def _weights(dims: int | Iterable[int] | Mapping[int, float]) -> dict[int, float]:
    """Return the weight of each dimension, by ascending dimension."""
    if isinstance(dims, Mapping):
        weights = dict(dims)
    else:
        weights = dict.fromkeys(dims if isinstance(dims, Iterable) else [dims], 1.0)
    known = integers(list(weights))
    if not known or not set(known) <= {0, 1, 2}:
        raise ValueError(f"dims is {dims!r}; expected some of 0, 1, 2, or a weight for each")
    if not all(is_weight(w) for w in weights.values()):
        raise ValueError(f"dims is {dims!r}; expected weights that are finite and at least 0")
    return {int(d): float(weights[d]) for d in sorted(weights)}
