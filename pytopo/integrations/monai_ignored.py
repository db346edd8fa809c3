"""Pixels without ground truth, as ``ignore_index`` of MONAI's losses and metrics names them.

    target (B, 1, ...)   pixels of that value
    target (B, C, ...)   a class from 0 to C - 1: the pixels of that class
                         any other number: the pixels of no class, 0 in all channels,
                         and those that a channel marks with the number

For the last MONAI requires a target of 0 and 1; a mark in it would count 255 times.
"""

from torch import Tensor


def ignored_pixels(target: Tensor, index: int) -> Tensor:
    """Return where a target has no ground truth, (B, 1, ...) bool.

    Examples
    --------
    The first pixel is of class 0, the third of none:

    >>> import torch
    >>> one_hot = torch.tensor([[[[1, 0, 0]], [[0, 1, 0]]]])
    >>> ignored_pixels(one_hot, 0).tolist(), ignored_pixels(one_hot, 255).tolist()
    ([[[[True, False, False]]]], [[[[False, False, True]]]])
    """
    values = _signed(target)
    if values.shape[1] == 1:
        return values == index
    if 0 <= index < values.shape[1]:
        return values[:, index : index + 1] > 0
    return _marked(values, index) | (values == 0).all(dim=1, keepdim=True)


def without_marks(target: Tensor, index: int) -> Tensor:
    """Return a target whose marked pixels are of no class, if it has one channel a class."""
    if target.shape[1] == 1 or 0 <= index < target.shape[1]:
        return target
    return target.masked_fill(_marked(_signed(target), index), 0)


def _marked(values: Tensor, index: int) -> Tensor:
    return (values == index).any(dim=1, keepdim=True)


def _signed(target: Tensor) -> Tensor:
    """Return a target that can be compared with -1: 255 would be equal to it in uint8."""
    return target if target.is_floating_point() else target.long()
