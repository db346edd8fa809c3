"""``PreparedTarget``: a target whose points are known, on its way through a data loader.

    worker: prepare -> pickle -> main process: collate -> pin -> to the device -> loss

Only the tensor moves.  The points are arrays of NumPy, and are used where they are.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data._utils.collate import default_collate_fn_map

from pytopo.diagram import Diagram
from pytopo.loss.in_place import swept_points
from pytopo.loss.inputs import check_images
from pytopo.loss.points import PointGroups, Sweep, joined_groups, point_groups
from pytopo.loss.targets import Truth, read_target
from pytopo.morse.swept_images import SweptImages, joined_sweeps
from pytopo.stacks import even_parts
from pytopo.threads import number_of_threads, on_threads


class PreparedTarget:
    """A target whose points are known: `TopologicalLoss.prepare` makes it, `forward` takes it.

    It moves like a tensor, so that data loaders and trainers can move it: ``to`` a device,
    ``pin_memory``, and concatenated by ``torch.utils.data.default_collate``.

    Attributes
    ----------
    truth : Truth
        The target itself, as one channel a class, and its pixels to ignore.
    groups : PointGroups
        The points of all images and channels, channels fastest.
    sweep : Sweep
        How they were computed.
    include_background : bool
        Whether those of channel 0 are among them.
    swept : SweptImages or None
        What matching by place needs besides, of two-dimensional images.

    Examples
    --------
    >>> import torch
    >>> from pytopo import TopologicalLoss
    >>> loss = TopologicalLoss()
    >>> first, second = (loss.prepare(torch.ones(1, 1, 5, 5)) for _ in range(2))
    >>> torch.utils.data.default_collate([first, second])
    <PreparedTarget of shape (2, 1, 5, 5) on cpu>
    """

    def __init__(
        self,
        truth: Truth,
        groups: PointGroups,
        sweep: Sweep,
        include_background: bool,
        swept: SweptImages | None = None,
    ) -> None:
        self.truth = truth
        self.groups = groups
        self.sweep = sweep
        self.include_background = include_background
        self.swept = swept

    @property
    def tensor(self) -> Tensor:
        """The target, (B, C, H, W) or (B, C, D, H, W); 0 in ignored pixels."""
        return self.truth.images

    @property
    def ignored(self) -> Tensor | None:
        """Its ignored pixels, with one channel; None if there are none."""
        return self.truth.ignored

    @property
    def diagrams(self) -> list[Diagram]:
        """The diagrams, one per image and channel, channels fastest."""
        dtype = np.float64 if self.tensor.dtype == torch.float64 else np.float32
        return self.groups.diagrams(self.sweep, tuple(self.tensor.shape[2:]), dtype)

    def to(self, *args: Any, **kwargs: Any) -> "PreparedTarget":
        """Return the same with its tensor elsewhere; the arguments are those of `Tensor.to`."""
        images, ignored = self.tensor.to(*args, **kwargs), self.ignored
        return self._with(images, ignored if ignored is None else ignored.to(images.device))

    def pin_memory(self) -> "PreparedTarget":
        """Return the same with its tensor in page-locked memory."""
        ignored = self.ignored
        pinned = ignored if ignored is None else ignored.pin_memory()
        return self._with(self.tensor.pin_memory(), pinned)

    def _with(self, images: Tensor, ignored: Tensor | None) -> "PreparedTarget":
        kept = self.groups, self.sweep, self.include_background, self.swept
        return PreparedTarget(Truth(images, ignored), *kept)

    def __repr__(self) -> str:
        where = f"{tuple(self.tensor.shape)} on {self.tensor.device}"
        return f"<PreparedTarget of shape {where}>"


def prepared(
    truth: Truth,
    images: NDArray[np.floating],
    sweep: Sweep,
    include_background: bool,
    in_place: bool,
) -> PreparedTarget:
    """Compute the points of a target, part by part.

    Parameters
    ----------
    truth : Truth
        Of (B, C, H, W) or (B, C, D, H, W) images.
    images : (n, H, W) or (n, D, H, W) float32 or float64
        Its channels that count, with a value in ignored pixels.
    sweep : Sweep
    include_background : bool
        Whether channel 0 is among them.
    in_place : bool
        Keep what matching by place needs, too; images of two axes only.
    """
    threads = number_of_threads(None)

    def points_of(part: tuple[int, int]) -> tuple[PointGroups, SweptImages | None]:
        some = images[slice(*part)]
        return swept_points(some, sweep) if in_place else (point_groups(some, sweep, 1), None)

    parts = on_threads(points_of, even_parts(len(images), threads), threads)
    return PreparedTarget(
        truth,
        joined_groups([groups for groups, _ in parts]),
        sweep,
        include_background,
        _joined_sweeps(parts),
    )


def truth_of(
    target: object, prediction: Tensor, ignore: Tensor | None, ignore_index: int | None
) -> Truth:
    """Return the target of a prediction, prepared or not, as `read_target` reads it."""
    if not isinstance(target, PreparedTarget):
        if not isinstance(target, Tensor):
            raise TypeError(
                f"target is {type(target).__name__}; expected a Tensor or PreparedTarget"
            )
        check_images(prediction, "prediction")
        return read_target(target, tuple(prediction.shape), ignore, ignore_index)
    if ignore is not None:
        raise ValueError(
            "ignore is given, and target is prepared; expected prepare(target, ignore)"
        )
    if target.tensor.shape != prediction.shape:
        raise ValueError(
            f"target has shape {tuple(target.tensor.shape)}; expected that of prediction, "
            f"{tuple(prediction.shape)}"
        )
    return target.truth


def _joined_sweeps(
    parts: Sequence[tuple[PointGroups, SweptImages | None]],
) -> SweptImages | None:
    """Return what has been kept of all parts, or None if some have kept nothing."""
    swept = [kept for _, kept in parts if kept is not None]
    if len(swept) < len(parts):
        return None
    return joined_sweeps(swept, [len(groups.points) for groups, _ in parts])


def joined(targets: Sequence[PreparedTarget], **_: object) -> PreparedTarget:
    """Return several prepared targets as one, along the first axis, B.

    Raises
    ------
    ValueError
        If losses with different options made them, or their images differ in shape.
    """
    first = targets[0]
    options = (first.sweep, first.include_background)
    if any((target.sweep, target.include_background) != options for target in targets):
        raise ValueError(
            "targets were prepared by losses with different options; prepare all with one"
        )
    shapes = {tuple(target.tensor.shape[1:]) for target in targets}
    if len(shapes) > 1:
        raise ValueError(
            f"targets have images of shapes {', '.join(map(str, sorted(shapes)))}; "
            "expected one shape in a batch"
        )
    return PreparedTarget(
        Truth(torch.cat([target.tensor for target in targets]), _joined_masks(targets)),
        joined_groups([target.groups for target in targets]),
        *options,
        _joined_sweeps([(target.groups, target.swept) for target in targets]),
    )


def _joined_masks(targets: Sequence[PreparedTarget]) -> Tensor | None:
    """Return the ignored pixels of all targets, or None if there are none."""
    if all(target.ignored is None for target in targets):
        return None
    return torch.cat(
        [
            torch.zeros_like(target.tensor[:, :1], dtype=torch.bool)
            if target.ignored is None
            else target.ignored
            for target in targets
        ]
    )


default_collate_fn_map[PreparedTarget] = joined
