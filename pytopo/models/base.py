"""Four convolutions and two fully connected layers: a patch in, all its logits out.

Six layers have weights, and the first, second and fourth convolution are followed by 2x2
max pooling, as in Hu, Li, Samaras, Chen (2019), "Topology-preserving deep image
segmentation", section 3, who follow DIVE (Fakhry, Peng, Ji (2016), "Deep models for brain EM
image segmentation").  The last layer gives one logit per pixel.
"""

import torch.nn.functional as F
from torch import Tensor, nn

from pytopo.models.checks import check_images, checked_number
from pytopo.models.initial import initialise


class BaseCNN(nn.Module):
    """Six layers, the last two fully connected; patches of one size.

    With the default options 3 803 633 parameters; every logit depends on all of the patch.

    Parameters
    ----------
    width : int
        Channels of the convolutions.
    hidden : int
        Units between the fully connected layers.
    size : int
        Rows and columns of a patch.

    Raises
    ------
    ValueError
        If an option is out of range.

    Examples
    --------
    >>> import torch
    >>> BaseCNN()(torch.rand(2, 1, 65, 65)).shape
    torch.Size([2, 1, 65, 65])
    """

    name = "base"
    channels = 1
    receptive_field = None
    stride = 1

    def __init__(self, *, width: int = 48, hidden: int = 512, size: int = 65) -> None:
        super().__init__()
        width = checked_number("width", width, 1, 1024)
        hidden = checked_number("hidden", hidden, 1, 8192)
        size = checked_number("size", size, 8, 512)
        self.options = {"width": width, "hidden": hidden, "size": size}
        self.patch_size = size

        self.conv1 = nn.Conv2d(1, width, 3, padding=1)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1)
        self.conv3 = nn.Conv2d(width, width, 3, padding=1)
        self.conv4 = nn.Conv2d(width, width, 3, padding=1)
        self.full1 = nn.Linear(width * (size // 8) ** 2, hidden)
        self.full2 = nn.Linear(hidden, size**2)
        initialise(self, self.full2)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (B, 1, size, size) for images (B, 1, size, size)."""
        check_images(images, self.patch_size)
        x = F.max_pool2d(F.relu(self.conv1(images)), 2)  # (B, 48, 32, 32)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)  # (B, 48, 16, 16)
        x = F.relu(self.conv3(x))
        x = F.max_pool2d(F.relu(self.conv4(x)), 2)  # (B, 48, 8, 8)
        x = F.relu(self.full1(x.flatten(1)))  # (B, 512)
        return self.full2(x).view_as(images)  # (B, 4225) as (B, 1, 65, 65)
