"""The smallest network that learns: a chain of 3x3 convolutions, at half resolution.

The first convolution has stride 2, so that the others see twice as far for a quarter of the
work.  Their logits lie on every second pixel, and the pixels between are interpolated:

    o . o . o      o  logit of the last convolution, at pixel (2i, 2j)
    . . . . .      .  linear between its neighbours
    o . o . o
"""

import torch.nn.functional as F
from torch import Tensor, nn

from pytopo.models.checks import check_images, checked_number
from pytopo.models.initial import initialise


class PlainCNN(nn.Module):
    """Convolutions and nothing else; any size of image.

    With the default options 14 097 parameters and a receptive field of 29 pixels.

    Parameters
    ----------
    width : int
        Channels between the layers.
    layers : int
        3x3 convolutions, the first of which has the stride.
    stride : {1, 2}
        2 to compute at half resolution and interpolate, 1 at full.
    channels : int
        Of the images: 1 for grey, 3 for colour.

    Raises
    ------
    ValueError
        If an option is out of range.

    Examples
    --------
    >>> import torch
    >>> network = PlainCNN(layers=4, stride=1)
    >>> network.receptive_field
    9
    >>> network(torch.rand(1, 1, 30, 47)).shape
    torch.Size([1, 1, 30, 47])
    """

    name = "plain"
    patch_size = None

    def __init__(
        self, *, width: int = 16, layers: int = 7, stride: int = 2, channels: int = 1
    ) -> None:
        super().__init__()
        width = checked_number("width", width, 1, 1024)
        layers = checked_number("layers", layers, 1, 100)
        stride = checked_number("stride", stride, 1, 2)
        self.channels = channels = checked_number("channels", channels, 1, 256)
        self.options = {
            "width": width, "layers": layers, "stride": stride, "channels": channels,
        }  # fmt: skip
        self.stride = stride
        # a pixel on each side for the first layer and the interpolation, `stride` for others
        self.receptive_field = 1 + 2 * (1 + stride * (layers - 1) + (stride - 1))

        self.first = nn.Conv2d(channels, width, 3, stride=stride, padding=1)
        self.others = nn.ModuleList(
            nn.Conv2d(width, width, 3, padding=1) for _ in range(layers - 1)
        )
        self.last = nn.Conv2d(width, 1, 1)
        initialise(self, self.last)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (B, 1, H, W) for images (B, channels, H, W)."""
        check_images(images, channels=self.channels)
        x = F.relu(self.first(images))  # (B, width, H/2, W/2), rounded up
        for layer in self.others:
            x = F.relu(layer(x))
        return between(self.last(x), self.stride, images.shape[2:])  # (B, 1, H, W)


def between(logits: Tensor, stride: int, shape: tuple[int, ...]) -> Tensor:
    """Interpolate logits that lie on every ``stride``-th pixel; the last are repeated."""
    rows, columns = (stride * (n - 1) + 1 for n in logits.shape[2:])
    x = F.interpolate(logits, (rows, columns), mode="bilinear", align_corners=True)
    return F.pad(x, (0, shape[1] - columns, 0, shape[0] - rows), mode="replicate")
