"""Deeper than the base network: eight convolutions, four poolings, and normalisation.

Batch normalisation after each convolution keeps a deep network trainable (Ioffe, Szegedy
(2015), "Batch normalization", section 3); dropout before both fully connected layers keeps
them from memorising patches (Srivastava et al. (2014), "Dropout", section 4).
"""

import torch.nn.functional as F
from torch import Tensor, nn

from pytopo.models.checks import check_images, checked_number
from pytopo.models.convolution import double_convolution
from pytopo.models.initial import initialise
from pytopo.options import real


class EnhancedCNN(nn.Module):
    """Eight normalised convolutions and two fully connected layers; patches of one size.

    With the default options 5 437 729 parameters; every logit depends on all of the patch.

    Parameters
    ----------
    width : int
        Channels of the first two convolutions; each pooling doubles them.
    hidden : int
        Units between the fully connected layers.
    dropout : float
        Fraction of the units that training drops before each fully connected layer.
    size : int
        Rows and columns of a patch.

    Raises
    ------
    ValueError
        If an option is out of range.

    Examples
    --------
    >>> import torch
    >>> EnhancedCNN().eval()(torch.rand(2, 1, 65, 65)).shape
    torch.Size([2, 1, 65, 65])
    """

    name = "enhanced"
    channels = 1
    receptive_field = None
    stride = 1

    def __init__(
        self, *, width: int = 32, hidden: int = 512, dropout: float = 0.5, size: int = 65
    ) -> None:
        super().__init__()
        width = checked_number("width", width, 1, 256)
        hidden = checked_number("hidden", hidden, 1, 8192)
        size = checked_number("size", size, 16, 512)
        rate = real(dropout)
        if rate is None or not 0 <= rate < 1:
            raise ValueError(f"dropout={dropout!r}; expected a number from 0 to below 1")
        self.options = {"width": width, "hidden": hidden, "dropout": rate, "size": size}
        self.patch_size = size

        self.block1 = double_convolution(1, width, "batch")
        self.block2 = double_convolution(width, 2 * width, "batch")
        self.block3 = double_convolution(2 * width, 4 * width, "batch")
        self.block4 = double_convolution(4 * width, 8 * width, "batch")
        self.drop1 = nn.Dropout(rate)
        self.full1 = nn.Linear(8 * width * (size // 16) ** 2, hidden)
        self.drop2 = nn.Dropout(rate)
        self.full2 = nn.Linear(hidden, size**2)
        initialise(self, self.full2)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (B, 1, size, size) for images (B, 1, size, size)."""
        check_images(images, self.patch_size)
        x = F.max_pool2d(self.block1(images), 2)  # (B, 32, 32, 32)
        x = F.max_pool2d(self.block2(x), 2)  # (B, 64, 16, 16)
        x = F.max_pool2d(self.block3(x), 2)  # (B, 128, 8, 8)
        x = F.max_pool2d(self.block4(x), 2)  # (B, 256, 4, 4)
        x = F.relu(self.full1(self.drop1(x.flatten(1))))  # (B, 512)
        return self.full2(self.drop2(x)).view_as(images)  # (B, 4225) as (B, 1, 65, 65)
