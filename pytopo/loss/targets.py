"""Targets as people have them: likelihoods, masks, class indices, marks of pixels to ignore.

    (B, C, H, W)   one channel a class, in [0, 1]    as it is      -> Truth.images
    (B, H, W)      indices of C classes              -> one-hot    -> Truth.images
    (B, 1, H, W)   the same
    ignore_index, ignore                                           -> Truth.ignored

Volumes have one axis more.  Ignored pixels are 0 in the images; what a loss makes of them is
its own business.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from pytopo.images.masks import IGNORE_LABELS
from pytopo.loss.inputs import (
    NO_MINIMUM,
    check_images,
    check_target,
    check_tensor,
    value_range,
)

Shape = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Truth:
    """A target that was read and checked.

    Attributes
    ----------
    images : (B, C, H, W) or (B, C, D, H, W) Tensor
        In [0, 1].
    ignored : (B, 1, H, W) or (B, 1, D, H, W) bool Tensor, or None
        Pixels without ground truth; None if there are none.
    """

    images: Tensor
    ignored: Tensor | None = None

    @property
    def counted(self) -> Tensor | None:
        """How many pixels of each image are not ignored, (B, 1), or None for all."""
        return None if self.ignored is None else (~self.ignored).flatten(2).sum(2)


def filled(images: Tensor, ignored: Tensor | None, value: float) -> Tensor:
    """Return images with one value, which has no gradient, in the ignored pixels."""
    if ignored is None:
        return images
    if not images.is_floating_point():
        images = images.float()
    fill = torch.tensor(value, dtype=images.dtype, device=images.device)
    return torch.where(ignored.to(images.device), fill, images)


def read_target(
    target: object,
    shape: Shape | None,
    ignore: Tensor | None,
    ignore_index: int | None,
    channels: int | None = None,
) -> Truth:
    """Read a target.

    Parameters
    ----------
    target : object
        To be a Tensor as above.
    shape : tuple of int or None
        Of the prediction; None if there is none yet.
    ignore : (B, H, W), (B, 1, H, W), or with one axis more, bool Tensor, or None
        True where there is no ground truth.
    ignore_index : int or None
        The value of the target that means the same.
    channels : int or None
        Without prediction: the target holds indices of so many classes.

    Raises
    ------
    TypeError, ValueError
        If the target is none of these, or holds other values.
    """
    check_tensor(target, "target")
    assert isinstance(target, Tensor)
    wanted = _shape_of(target, channels) if shape is None else shape
    is_index = tuple(target.shape) != wanted
    if is_index and not _has_indices(target, wanted):
        raise ValueError(_other_shape(target, wanted))
    images = target.reshape(wanted[0], 1, *wanted[2:]) if is_index else target
    if shape is None and channels is None and target.ndim == 3:
        raise ValueError(
            f"target has shape {tuple(target.shape)}; expected (B, C, H, W) or "
            "(B, C, D, H, W), or class indices (B, H, W) with channels=C"
        )
    check_images(images, "target")
    images, ignored = _without_marks(images, ignore_index)
    if ignore is not None:
        mask = _mask(ignore, wanted).to(images.device)
        ignored = mask if ignored is None else mask | ignored
    if is_index:
        images = _one_hot(images, wanted[1], ignored)
    check_target(images)
    return Truth(images, ignored)


def _shape_of(target: Tensor, channels: int | None) -> Shape:
    """Return the shape of predictions that a target is for."""
    if channels is None:
        return tuple(target.shape)
    has_channel = target.ndim > 3 and target.shape[1] == 1
    return (target.shape[0], channels, *target.shape[1 + has_channel :])


def _has_indices(target: Tensor, wanted: Shape) -> bool:
    """Return whether a target may hold one index of a class for each pixel."""
    places = wanted[2:]
    shapes = ((wanted[0], *places), (wanted[0], 1, *places))
    return wanted[1] > 1 and tuple(target.shape) in shapes


def _other_shape(target: Tensor, wanted: Shape) -> str:
    batch, channels, *places = wanted
    advice = ""
    if tuple(target.shape) == (batch, *places):
        advice = ": target.unsqueeze(1)"
    elif channels > 1:
        advice = f", or class indices of shape {(batch, *places)}"
    return (
        f"target has shape {tuple(target.shape)}; expected that of prediction, {wanted}{advice}"
    )


def _without_marks(images: Tensor, ignore_index: int | None) -> tuple[Tensor, Tensor | None]:
    """Return a target with 0 for its marks, and where they are, if there are some."""
    if ignore_index is None or images.dtype == torch.bool:
        return images, None
    if images.dtype in NO_MINIMUM:
        images = images.to(torch.int64)
    if not images.dtype.is_signed and ignore_index < 0:
        return images, None
    marked = images == ignore_index
    somewhere = marked.any(dim=1, keepdim=True)
    if not somewhere.any():
        return images, None
    return images.masked_fill(marked, 0), somewhere


def _mask(ignore: object, wanted: Shape) -> Tensor:
    """Return a mask of pixels to ignore with one channel."""
    check_tensor(ignore, "ignore")
    assert isinstance(ignore, Tensor)
    if ignore.dtype != torch.bool:
        raise TypeError(f"ignore has dtype {ignore.dtype}; expected torch.bool")
    batch, _, *places = wanted
    shapes = (batch, *places), (batch, 1, *places)
    if tuple(ignore.shape) not in shapes:
        raise ValueError(
            f"ignore has shape {tuple(ignore.shape)}; expected {shapes[0]} or {shapes[1]}"
        )
    return ignore.reshape(shapes[1])


def _one_hot(indices: Tensor, channels: int, ignored: Tensor | None) -> Tensor:
    """Return (B, 1, ...) class indices as one channel a class, 0 in all where ignored."""
    if indices.dtype in NO_MINIMUM:
        indices = indices.to(torch.int64)
    low, high = value_range(indices)
    if not (low >= 0 and high < channels) or (indices != indices.long()).any():
        raise ValueError(_no_indices(indices, channels, low, high))
    shape = (indices.shape[0], channels, *indices.shape[2:])
    images = torch.zeros(shape, dtype=torch.float32, device=indices.device)
    images.scatter_(1, indices.long(), 1.0)
    return images if ignored is None else images.masked_fill(ignored, 0)


def _no_indices(indices: Tensor, channels: int, low: float, high: float) -> str:
    said = f"target holds values from {low:.8g} to {high:.8g} in one channel"
    marks = [mark for mark in (low, high) if mark in IGNORE_LABELS]
    advice = f"; ignore_index={marks[0]:.0f} leaves those pixels out" if marks else ""
    return f"{said}; expected class indices from 0 to {channels - 1}, whole numbers{advice}"
