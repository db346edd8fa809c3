"""The topological loss: how far the diagram of a likelihood is from that of the truth.

    likelihood -> Diagram --.
                             match -> which dot goes where -> gather -> squares -> loss
    truth      -> Diagram --'

Diagrams and matching are arrays of pixels and values, without gradient.  Then torch sees one
gather: the values of the likelihood at the birth and death pixels of the dots.  Pixels are
fixed, values move, and autograd does the rest:

    moved      (f[birth] - birth')^2 + (f[death] - death')^2    a dot and its match
    removed    (f[death] - f[birth])^2 / 2                      a dot and the diagonal
    missing    (death' - birth')^2 / 2                          a dot of the truth that has
                                                                no match: constant
    essential  (f[birth] - birth')^2                            the component that never dies

Hu, Li, Samaras, Chen (2019), "Topology-preserving deep image segmentation", sections 2.2
and 2.3.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from numbers import Integral, Real
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from pytopo.diagram import ESSENTIAL, Diagram
from pytopo.group_matching import match_groups
from pytopo.loss_input import (
    as_array,
    at_least_float,
    check_images,
    check_likelihoods,
    check_logits,
    check_target,
)
from pytopo.order import FRAME
from pytopo.pairing import persistence_batch
from pytopo.prepared_target import PreparedTarget

REDUCTIONS = ("mean", "sum", "none")
FIXED = 0.01  # a dot nearer than this to its match needs no fixing


@dataclass(frozen=True, eq=False)
class Explanation:
    """What the loss does to one image and channel, and why.

    Attributes
    ----------
    prediction, target : Diagram
    fix : (n, 2) int64
        Rows of ``prediction`` and of ``target``: matched, and still apart.
    remove : (k,) int64
        Rows of ``prediction`` that go to the diagonal.
    missing : (m,) int64
        Rows of ``target`` that have no match.
    """

    prediction: Diagram
    target: Diagram
    fix: NDArray[np.int64]
    remove: NDArray[np.int64]
    missing: NDArray[np.int64]


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
        Dots of less persistence are left as they are.
    every_target : bool
        Let no dot of the target go to the diagonal while a dot of the prediction does.
        The plain optimum may give a target up if the best dot for it is weak.
    reduction : {"mean", "sum", "none"}
        Over images and channels.  The dots of each are added up.

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
    its gap is pulled up:

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
        reduction: str = "mean",
    ) -> None:
        super().__init__()
        if sigmoid and softmax:
            raise ValueError("sigmoid and softmax are both True; wanted one of them at most")
        if reduction not in REDUCTIONS:
            raise ValueError(
                f"reduction is {reduction!r}; wanted one of {', '.join(REDUCTIONS)}"
            )
        self.weights = _weights(dims)
        self.superlevel = _flag("superlevel", superlevel)
        self.construction = construction
        self.frame = _frame(frame, self.superlevel)
        self.sigmoid = _flag("sigmoid", sigmoid)
        self.softmax = _flag("softmax", softmax)
        self.include_background = _flag("include_background", include_background)
        self.min_persistence = min_persistence
        self.every_target = _flag("every_target", every_target)
        self.reduction = reduction
        axes = 3 if 2 in self.weights else 2
        self._persistence(np.zeros([1] * (axes + 1)))  # refuses impossible options now

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
        prepared = self._checked_target(target, prediction)
        plan = self._plan(self._diagrams_of(likelihood), prepared.diagrams)
        loss = _added_squares(likelihood, plan).reshape(likelihood.shape[:2])
        dtype = torch.float64 if prediction.dtype == torch.float64 else torch.float32
        loss = loss.to(prediction.device, dtype)
        if self.reduction == "none":
            return loss
        return loss.mean() if self.reduction == "mean" else loss.sum()

    def prepare(self, target: Tensor) -> PreparedTarget:
        """Compute the diagrams of a truth once, for all the times that it is met.

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
        diagrams = self._diagrams_of(self._channels(target))
        return PreparedTarget(target, diagrams, self._made_with())

    def explain(
        self, prediction: Tensor, target: "Tensor | PreparedTarget"
    ) -> list[Explanation]:
        """Tell for each image and channel which dots are to be fixed and which removed.

        Returns
        -------
        list of Explanation
            Channels fastest.  `pytopo.plot.matching` and `pytopo.plot.critical` draw one.
        """
        prepared = self._checked_target(target, prediction)
        found = self._diagrams_of(self.likelihood(prediction))
        return [self._explanation(a, b) for a, b in zip(found, prepared.diagrams)]

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
                "include_background=False leaves nothing of 1 channel; wanted several, or True"
            )
        return images[:, 1:]

    def _made_with(self) -> tuple[object, ...]:
        return (
            tuple(self.weights),
            self.superlevel,
            self.construction,
            self.frame,
            self.min_persistence,
            self.include_background,
        )

    def _checked_target(
        self, target: "Tensor | PreparedTarget", prediction: Tensor
    ) -> PreparedTarget:
        tensor = target.tensor if isinstance(target, PreparedTarget) else target
        if not isinstance(tensor, Tensor):
            raise TypeError(
                f"target is {type(target).__name__}; wanted a Tensor or PreparedTarget"
            )
        if isinstance(target, Tensor):
            check_images(target, "target")
        if tensor.shape != prediction.shape:
            raise ValueError(
                f"target has shape {tuple(tensor.shape)}; wanted that of prediction, "
                f"{tuple(prediction.shape)}"
            )
        if not isinstance(target, PreparedTarget):
            return self.prepare(target)
        if target.made_with != self._made_with():
            raise ValueError(
                "target was prepared by a loss with other options; prepare it with this one"
            )
        return target

    def _diagrams_of(self, images: Tensor) -> list[Diagram]:
        """Compute the diagrams of images and channels, on the CPU and on threads."""
        values = as_array(images)
        return self._persistence(values.reshape(-1, *values.shape[2:]))

    def _persistence(self, images: NDArray) -> list[Diagram]:
        return persistence_batch(
            images,
            list(self.weights),
            superlevel=self.superlevel,
            construction=self.construction,
            frame=self.frame,
            min_persistence=self.min_persistence,
        )

    def _explanation(self, prediction: Diagram, target: Diagram) -> Explanation:
        dots, wanted = _dots([prediction]), _dots([target])
        pairs, removed, missing = self._matched(dots, wanted)
        apart = np.abs(dots.points[pairs[:, 0]] - wanted.points[pairs[:, 1]]).max(axis=1)
        return Explanation(prediction, target, pairs[apart > FIXED], removed, missing)

    def _matched(
        self, dots: "_Dots", wanted: "_Dots"
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Return pairs of rows, and the rows of either that go to the diagonal."""
        mine, other = (np.flatnonzero(d.death_pixel != ESSENTIAL) for d in (dots, wanted))
        pairs = match_groups(
            dots.points[mine],
            dots.group[mine],
            wanted.points[other],
            wanted.group[other],
            every_second=self.every_target,
        )
        pairs = np.column_stack([mine[pairs[:, 0]], other[pairs[:, 1]]])
        return pairs, _without(mine, pairs[:, 0]), _without(other, pairs[:, 1])

    def _plan(self, predictions: list[Diagram], targets: list[Diagram]) -> "_Plan":
        """Put down which pixels take part in which squares, for all images together."""
        dots, wanted = _dots(predictions), _dots(targets)
        pairs, removed, missing = self._matched(dots, wanted)
        moved, goal = pairs.T
        stays, stays_goal = (np.flatnonzero(d.death_pixel == ESSENTIAL) for d in (dots, wanted))

        weight = np.array([self.weights.get(d, 0.0) for d in range(3)])
        half, nothing = np.full(removed.size, np.sqrt(0.5)), np.zeros(removed.size)
        plan = _joined(
            # (f[birth] - birth')^2, of dots that are moved and of essential components
            _squares(dots, moved, dots.birth_pixel, wanted.points[goal, 0]),
            _squares(dots, stays, dots.birth_pixel, wanted.points[stays_goal, 0]),
            # (f[death] - death')^2
            _squares(dots, moved, dots.death_pixel, wanted.points[goal, 1]),
            # (f[death] - f[birth])^2 / 2
            _squares(dots, removed, dots.death_pixel, nothing, half, dots.birth_pixel),
        )
        birth, death = wanted.points[missing].T
        cost = weight[wanted.dim[missing]] * (death - birth) ** 2 / 2
        constant = np.bincount(wanted.image[missing], cost, len(predictions)).astype(np.float64)
        plan = plan._replace(weight=weight[plan.dim], constant=constant)
        return plan if self.frame is None else _framed(plan, self.frame)


def _without(rows: NDArray[np.int64], taken: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the ascending rows that are not taken."""
    left = np.ones(rows.max(initial=-1) + 1, bool)
    left[taken] = False
    return rows[left[rows]]


class _Dots(NamedTuple):
    """The points of the diagrams of a batch, one row a point, image by image."""

    image: NDArray[np.int64]
    dim: NDArray[np.int64]
    group: NDArray[np.int64]  # ascending: one number for each image and dimension
    points: NDArray[np.float64]
    birth_pixel: NDArray[np.int64]  # into all images in a row; -2 for the frame
    death_pixel: NDArray[np.int64]  # and -1 for never


def _dots(diagrams: list[Diagram]) -> _Dots:
    image = np.repeat(np.arange(len(diagrams)), [len(d) for d in diagrams])
    dim = np.concatenate([d.dim for d in diagrams]).astype(np.int64)
    birth = np.concatenate([d.birth for d in diagrams])
    death = np.concatenate([d.death for d in diagrams])
    pixels = [
        np.concatenate([getattr(d, name) for d in diagrams])
        for name in ("birth_pixel", "death_pixel")
    ]
    offset = image * int(np.prod(diagrams[0].shape))
    birth_pixel, death_pixel = (np.where(p < 0, p, p + offset) for p in pixels)
    points = np.column_stack([birth, death]).astype(np.float64)
    return _Dots(image, dim, 3 * image + dim, points, birth_pixel, death_pixel)


class _Plan(NamedTuple):
    """The squares that make up the loss, one row each: weight (a f[p] - b f[q] - goal)^2."""

    image: NDArray[np.int64]
    dim: NDArray[np.int64]
    p: NDArray[np.int64]
    q: NDArray[np.int64]
    a: NDArray[np.float64]
    b: NDArray[np.float64]
    goal: NDArray[np.float64]
    weight: NDArray[np.float64]
    constant: NDArray[np.float64]  # one entry an image: the cost of what has no match


def _squares(
    dots: _Dots,
    rows: NDArray[np.int64],
    p: NDArray[np.int64],
    goal: NDArray[np.float64],
    factor: NDArray[np.float64] | None = None,
    q: NDArray[np.int64] | None = None,
) -> _Plan:
    """Return the squares of some dots: of one pixel, or of two and a factor."""
    one, none = np.ones(rows.size), np.zeros(rows.size)
    return _Plan(
        dots.image[rows],
        dots.dim[rows],
        p[rows],
        p[rows] if q is None else q[rows],
        one if factor is None else factor,
        none if factor is None else factor,
        goal,
        one,
        none,
    )


def _joined(*plans: _Plan) -> _Plan:
    return _Plan(*(np.concatenate(columns) for columns in zip(*plans)))


def _framed(plan: _Plan, frame: float) -> _Plan:
    """Move what is known of the frame to the goals: its value has no gradient."""
    p_known, q_known = plan.p == FRAME, plan.q == FRAME
    known = frame * (plan.a * p_known - plan.b * q_known)
    return plan._replace(
        p=np.where(p_known, 0, plan.p),
        q=np.where(q_known, 0, plan.q),
        a=np.where(p_known, 0, plan.a),
        b=np.where(q_known, 0, plan.b),
        goal=plan.goal - known,
    )


def _added_squares(likelihood: Tensor, plan: _Plan) -> Tensor:
    """Add up the squares of a plan, image by image, on the CPU in float64."""
    # torch sees only a gather from here on: pixels are fixed, values move.
    pixels = torch.from_numpy(np.stack([plan.p, plan.q])).to(likelihood.device)
    f_p, f_q = likelihood.reshape(-1)[pixels].to("cpu", torch.float64)
    image, a, b, goal, weight, constant = (
        torch.from_numpy(column)
        for column in (plan.image, plan.a, plan.b, plan.goal, plan.weight, plan.constant)
    )
    return constant.index_add(0, image, weight * (a * f_p - b * f_q - goal) ** 2)


def _flag(name: str, flag: object) -> bool:
    if not isinstance(flag, (bool, np.bool_)):
        raise TypeError(f"{name} is {flag!r}; wanted True or False")
    return bool(flag)


def _frame(frame: float | bool | None, superlevel: bool) -> float | None:
    """Return the value of the frame: foreground is bright, or dark in sublevel."""
    if frame is None or isinstance(frame, (bool, np.bool_)):
        return float(superlevel) if frame else None
    if not isinstance(frame, Real):
        raise TypeError(f"frame is {frame!r}; wanted a number, True, False or None")
    if not np.isfinite(frame):
        raise ValueError(f"frame is {frame!r}; expected a finite number, like those of images")
    return float(frame)


def _weights(dims: int | Iterable[int] | Mapping[int, float]) -> dict[int, float]:
    """Return the weight of each dimension, by ascending dimension."""
    if isinstance(dims, Mapping):
        weights = dict(dims)
    else:
        weights = dict.fromkeys(dims if isinstance(dims, Iterable) else [dims], 1.0)
    if not weights or not all(isinstance(d, Integral) and int(d) in (0, 1, 2) for d in weights):
        raise ValueError(f"dims is {dims!r}; wanted some of 0, 1, 2, or a weight for each")
    if not all(_is_weight(w) for w in weights.values()):
        raise ValueError(f"dims is {dims!r}; wanted weights that are finite and at least 0")
    return {int(d): float(weights[d]) for d in sorted(weights)}


def _is_weight(weight: object) -> bool:
    return isinstance(weight, Real) and 0 <= float(weight) < np.inf


class SegmentationLoss(nn.Module):
    """Per-pixel cross-entropy + ``topo_weight`` * topological loss, of logits.

    Parameters
    ----------
    topo_weight : float
        Weight of the topological loss, which is a sum over dots and a mean over images,
        beside the mean over pixels of the cross-entropy.
    softmax : bool
        ``False``: binary cross-entropy of the sigmoid of each channel.  ``True``:
        cross-entropy of the softmax over channels, and ``target`` is one-hot.
    **options
        Of `TopologicalLoss`, but for ``sigmoid`` and ``reduction``.

    Examples
    --------
    >>> import torch
    >>> criterion = SegmentationLoss(topo_weight=0.01, frame=True)
    >>> truth = torch.zeros(2, 1, 8, 8)
    >>> truth[:, :, 2] = 1
    >>> terms = criterion.terms(8 * truth - 4, truth)
    >>> sorted(terms)
    ['pixel', 'topological', 'total']
    >>> round(terms["pixel"].item(), 3)
    0.018
    """

    def __init__(self, topo_weight: float, *, softmax: bool = False, **options: object) -> None:
        super().__init__()
        if not _is_weight(topo_weight):
            raise ValueError(f"topo_weight is {topo_weight!r}; wanted a number of at least 0")
        self.topo_weight = float(topo_weight)
        self.topological = TopologicalLoss(sigmoid=not softmax, softmax=softmax, **options)  # type: ignore[arg-type]

    def forward(self, prediction: Tensor, target: "Tensor | PreparedTarget") -> Tensor:
        """Return the weighted sum, a scalar; see `terms`."""
        return self.terms(prediction, target)["total"]

    def terms(self, prediction: Tensor, target: "Tensor | PreparedTarget") -> dict[str, Tensor]:
        """Return each term and their weighted sum, all with gradient.

        Returns
        -------
        dict of str to scalar Tensor
            "pixel", "topological" and "total" = pixel + topo_weight * topological.
        """
        topological = self.topological(prediction, target)
        truth = target.tensor if isinstance(target, PreparedTarget) else target
        truth = truth.to(prediction.device, torch.float32)
        if self.topological.softmax:
            pixel = F.cross_entropy(prediction.float(), truth)
        else:
            pixel = F.binary_cross_entropy_with_logits(prediction.float(), truth)
        total = pixel + self.topo_weight * topological
        return {"pixel": pixel, "topological": topological, "total": total}

    def prepare(self, target: Tensor) -> PreparedTarget:
        """Compute the diagrams of a truth once; see `TopologicalLoss.prepare`."""
        return self.topological.prepare(target)
