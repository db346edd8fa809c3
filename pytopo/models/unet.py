"""The U-Net: down to see far, up to see sharp, and across so that nothing is lost.

    images -> block ------------------------------> block -> logits     16 channels
                 \\ pool                         up /
                  block ------------------> block                       32
                     \\ pool             up /
                      block --------------'                             64

A block is two 3x3 convolutions.  On the way up, the channels from below are concatenated
with those from across.  Sizes need not be even: pooling rounds up, and the surplus row or
column is cut off on the way up.
Ronneberger, Fischer, Brox (2015), "U-Net: convolutional networks for biomedical image
segmentation", section 2.
"""

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pytopo.models.checks import check_choice, check_images, checked_number
from pytopo.models.convolution import NORMS, double_convolution
from pytopo.models.initial import initialise


class UNet(nn.Module):
    """A U-Net; any size of image.

    With the default options 117 073 parameters and a receptive field of 47 pixels.

    Parameters
    ----------
    width : int
        Channels of the top level; each level below has twice as many.
    depth : int
        Levels, the top one included.
    norm : {"batch", "group", "none"}
        Normalisation after each convolution.  With "group", every logit depends on all of
        the image, so a part of it is not predicted as it is in the whole.
    channels : int
        Of the images: 1 for grey, 3 for colour.

    Raises
    ------
    ValueError
        If an option is out of range.

    Examples
    --------
    >>> import torch
    >>> network = UNet(width=8, depth=4)
    >>> network(torch.rand(2, 1, 65, 47)).shape
    torch.Size([2, 1, 65, 47])
    """

    name = "unet"
    patch_size = None

    def __init__(
        self, *, width: int = 16, depth: int = 3, norm: str = "batch", channels: int = 1
    ) -> None:
        super().__init__()
        width = checked_number("width", width, 1, 256)
        depth = checked_number("depth", depth, 1, 6)
        check_choice("norm", norm, NORMS)
        self.channels = channels = checked_number("channels", channels, 1, 256)
        self.options = {"width": width, "depth": depth, "norm": norm, "channels": channels}
        self.stride = 2 ** (depth - 1)
        self.receptive_field = None if norm == "group" else 1 + 2 * reach(depth)

        widths = [width * 2**level for level in range(depth)]
        down, up = list(pairwise([channels, *widths])), list(pairwise(reversed(widths)))
        self.down = nn.ModuleList(double_convolution(above, here, norm) for above, here in down)
        self.up = nn.ModuleList(
            nn.ConvTranspose2d(below, here, 2, stride=2) for below, here in up
        )
        self.merge = nn.ModuleList(double_convolution(2 * here, here, norm) for _, here in up)
        self.last = nn.Conv2d(width, 1, 1)
        initialise(self, self.last)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (B, 1, H, W) for images (B, channels, H, W)."""
        check_images(images, channels=self.channels)
        x = self.down[0](images)  # (B, 16, H, W)
        across = []
        for level in self.down[1:]:
            across.append(x)
            x = F.max_pool2d(x, 2, ceil_mode=True)
            x = level(x)  # (B, 32, H/2, W/2), then (B, 64, H/4, W/4)
        for up, merge in zip(self.up, self.merge):
            beside = across.pop()
            x = up(x)[:, :, : beside.shape[2], : beside.shape[3]]
            x = merge(torch.cat([beside, x], dim=1))  # (B, 32, H/2, W/2), then (B, 16, H, W)
        return self.last(x)  # (B, 1, H, W)


def reach(depth: int) -> int:
    """Return how many pixels to each side a logit can depend on.

    Each convolution reaches one cell of its level, which is ``2**level`` pixels.  There are
    four of them on each level, and two on the lowest; and a pixel may lie at either end of
    its cell on the lowest level.
    """
    cell = 2 ** (depth - 1)
    return 4 * (cell - 1) + 2 * cell + (cell - 1)
