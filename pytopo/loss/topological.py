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

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pytopo.loss.choices import (
    MATCHINGS,
    NORMALIZATIONS,
    REDUCTIONS,
    Dims,
    checked_frame,
    checked_weights,
    one_of,
)
from pytopo.loss.explanation import Explanation, explanations
from pytopo.loss.in_place import Places
from pytopo.loss.inputs import as_images
from pytopo.loss.likelihoods import likelihoods, without_background
from pytopo.loss.points import PointGroups, Sweep
from pytopo.loss.prepared_target import PreparedTarget, prepared, truth_of
from pytopo.loss.squares import Costs, Squares, costs_of
from pytopo.loss.targets import Truth, filled, read_target
from pytopo.options import flag, whole_number
from pytopo.pairing import persistence_batch


def topological_loss(
    prediction: Tensor,
    target: "Tensor | PreparedTarget",
    dims: Dims = None,
    *,
    ignore: Tensor | None = None,
    superlevel: bool = True,
    construction: str = "V",
    frame: float | bool | None = None,
    sigmoid: bool = False,
    softmax: bool = False,
    include_background: bool = True,
    min_persistence: float = 0.0,
    every_target: bool = False,
    matching: str = "wasserstein",
    ignore_index: int | None = None,
    normalize: str | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Compute the topological loss of a likelihood against the truth.

    Parameters
    ----------
    prediction : (B, C, H, W) or (B, C, D, H, W) Tensor
        Likelihoods in [0, 1], or logits with ``sigmoid`` or ``softmax``.  Any float dtype
        and device.
    target : Tensor of the same shape, or of class indices, or PreparedTarget
        The truth, in [0, 1]: booleans, integers 0 and 1, or floats, also grey ones.  For
        several channels it may hold the index of the class of each pixel instead, as (B, H, W)
        or (B, 1, H, W), in volumes with one axis more; it becomes one-hot, as by MONAI's
        ``to_onehot_y``.
    dims : int, iterable of int, mapping of int to float, or None
        Dimensions of homology that count; a mapping gives each a weight.  None for all of the
        images: components and holes, in volumes components, tunnels and voids.
    ignore : (B, H, W) or (B, 1, H, W) bool Tensor, in volumes with one axis more, or None
        True where there is no ground truth.  There likelihood and target are set to the value
        of the frame, or without a frame to that of the background, which has no gradient.
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
        they are in the same place (`pytopo.betti_matching`).
    ignore_index : int or None
        The value of ``target`` that means the same as ``ignore``.
    normalize : {None, "pixels", "targets"}
        Divide the sum over the points of each image by the number of its pixels, but for
        ignored ones, or by the number of the points of its target, at least 1.
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

    Warns
    -----
    InputWarning
        If logits look like likelihoods, or like an image of 0 to 255.

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
        ignore_index=ignore_index,
        normalize=normalize,
        reduction=reduction,
    )(prediction, target, ignore)


class TopologicalLoss(nn.Module):
    """The topological loss as a module: `topological_loss` with its options kept.

    Parameters are those of `topological_loss`; ``ignore`` is one of the call.

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
        dims: Dims = None,
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
        ignore_index: int | None = None,
        normalize: str | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__()
        if sigmoid and softmax:
            raise ValueError("sigmoid and softmax are both True; expected one of them at most")
        one_of(reduction, "reduction", REDUCTIONS)
        one_of(matching, "matching", MATCHINGS)
        one_of(normalize, "normalize", NORMALIZATIONS)
        if matching == "betti" and every_target:
            raise ValueError(
                'every_target is True; expected False with matching="betti", which matches by '
                "place and not by cost"
            )
        self.matching = matching
        self.weights = checked_weights(dims)
        self.superlevel = flag(superlevel, "superlevel")
        self.construction = construction
        self.frame = checked_frame(frame, self.superlevel)
        self.sigmoid = flag(sigmoid, "sigmoid")
        self.softmax = flag(softmax, "softmax")
        self.include_background = flag(include_background, "include_background")
        self.min_persistence = min_persistence
        self.every_target = flag(every_target, "every_target")
        self.normalize = normalize
        self.ignore_index = (
            None if ignore_index is None else whole_number(ignore_index, "ignore_index", None)
        )
        self.reduction = reduction
        axes = 3 if 2 in (self.weights or ()) else 2
        persistence_batch(  # refuses impossible options now
            np.zeros([1] * (axes + 1)),
            list(self._weights(axes)),
            superlevel=self.superlevel,
            construction=construction,
            frame=self.frame,
            min_persistence=min_persistence,
        )

    def extra_repr(self) -> str:
        return f"dims={self.weights}, reduction={self.reduction!r}"

    def forward(
        self,
        prediction: Tensor,
        target: "Tensor | PreparedTarget",
        ignore: Tensor | None = None,
    ) -> Tensor:
        """Return the loss; see `topological_loss`."""
        if torch.compiler.is_compiling():
            # torch.compile would trace the NumPy of the diagrams, and gets it wrong.
            return torch.compiler.disable(self._loss)(prediction, target, ignore)
        return self._loss(prediction, target, ignore)

    def _loss(
        self, prediction: Tensor, target: "Tensor | PreparedTarget", ignore: Tensor | None
    ) -> Tensor:
        truth = self.read(prediction, target, ignore)
        likelihood = self._filled(self.likelihood(prediction), truth)
        costs = self._costs(likelihood, target, truth)
        loss = Squares.apply(likelihood, costs)
        if self.normalize is not None:
            loss = loss / self._scale(costs, loss, truth, likelihood.shape[2:].numel())
        if self.reduction == "none":
            return loss
        return loss.mean() if self.reduction == "mean" else loss.sum()

    def _scale(self, costs: Costs, loss: Tensor, truth: Truth, pixels: int) -> Tensor:
        """Return what the loss of each image is divided by, (B, C)."""
        if self.normalize == "targets":
            numbers = torch.from_numpy(costs.goal_numbers()).clamp(min=1)
            return numbers.reshape(loss.shape).to(loss)
        counted = truth.counted
        if counted is None:
            return torch.full_like(loss, pixels)
        return counted.clamp(min=1).to(loss).expand_as(loss)

    def read(
        self,
        prediction: Tensor,
        target: "Tensor | PreparedTarget",
        ignore: Tensor | None = None,
    ) -> Truth:
        """Return a target as one channel a class, and the pixels to ignore, checked."""
        read = truth_of
        if torch.compiler.is_compiling():  # values are looked at, which tracing has not
            read = torch.compiler.disable(truth_of)
        return read(target, prediction, ignore, self.ignore_index)

    def prepare(
        self, target: Tensor, ignore: Tensor | None = None, *, channels: int | None = None
    ) -> PreparedTarget:
        """Compute the points of a target once, for all steps in which it is used.

        Parameters
        ----------
        target : (B, C, H, W) or (B, C, D, H, W) Tensor, or one of class indices
        ignore : bool Tensor or None
            As of the loss.
        channels : int or None
            ``target`` holds indices of so many classes, the channels of the prediction; None
            if it has one channel a class.

        Returns
        -------
        PreparedTarget
            What `forward` takes in place of the target.
        """
        count = None if channels is None else whole_number(channels, "channels", 2)
        truth = read_target(target, None, ignore, self.ignore_index, count)
        images = self._images(truth)
        in_place = self.matching == "betti" and images.ndim == 3
        return prepared(
            truth, images, self._sweep(images.ndim - 1), self.include_background, in_place
        )

    def explain(
        self,
        prediction: Tensor,
        target: "Tensor | PreparedTarget",
        ignore: Tensor | None = None,
    ) -> list[Explanation]:
        """Return for each image and channel which points are to be fixed and which removed.

        Returns
        -------
        list of Explanation
            Channels fastest.  `pytopo.plot.matching` and `pytopo.plot.critical` draw one.
        """
        truth = self.read(prediction, target, ignore)
        likelihood = self._filled(self.likelihood(prediction), truth)
        costs = self._costs(likelihood, target, truth)
        sweep = self._sweep(likelihood.ndim - 2)
        shape, dtype = tuple(likelihood.shape[2:]), costs.gradient.dtype.type
        return [
            explanation
            for part in costs.parts
            for explanation in explanations(part, sweep, shape, dtype)
        ]

    def likelihood(self, prediction: Tensor) -> Tensor:
        """Return what the diagrams are computed of: likelihoods, without the background."""
        return self._channels(likelihoods(prediction, self.sigmoid, self.softmax))

    def _channels(self, images: Tensor) -> Tensor:
        return images if self.include_background else without_background(images)

    def _weights(self, axes: int) -> dict[int, float]:
        """Return the weight of each dimension of images of so many axes."""
        if self.weights is not None:
            return self.weights
        return dict.fromkeys(range(axes), 1.0)

    def _sweep(self, axes: int) -> Sweep:
        return Sweep(
            tuple(self._weights(axes)),
            self.superlevel,
            self.construction,
            self.frame,
            self.min_persistence,
        )

    def _filled(self, images: Tensor, truth: Truth) -> Tensor:
        """Return images with the value of the frame, or background, in ignored pixels."""
        background = 0.0 if self.superlevel else 1.0
        return filled(images, truth.ignored, background if self.frame is None else self.frame)

    def _images(self, truth: Truth) -> NDArray[np.floating]:
        """Return the images of a target that count."""
        return as_images(self._channels(self._filled(truth.images, truth)))

    def _costs(
        self, likelihood: Tensor, target: "Tensor | PreparedTarget", truth: Truth
    ) -> Costs:
        axes = likelihood.ndim - 2
        sweep, places = self._sweep(axes), None
        if isinstance(target, PreparedTarget):
            options = sweep, self.include_background
            if (target.sweep, target.include_background) != options:
                raise ValueError(
                    "target was prepared by a loss with other options; prepare it with this one"
                )
            goals: NDArray[np.floating] | PointGroups = target.groups
            if self.matching == "betti":
                places = Places(self._images(truth), target.groups, target.swept)
        else:
            goals = self._images(truth)
            places = Places(goals) if self.matching == "betti" else None
        return costs_of(
            as_images(likelihood),
            goals,
            sweep,
            np.array(list(self._weights(axes).values())),
            self.every_target,
            places,
        )
