"""The building block of the deeper networks: two 3x3 convolutions with their normalisation."""

from torch import nn

NORMS = ("batch", "group", "none")


def double_convolution(channels: int, width: int, norm: str) -> nn.Sequential:
    """Return two 3x3 convolutions, each followed by its normalisation and ReLU.

    Parameters
    ----------
    channels, width : int
        Before the first convolution, and after both.
    norm : {"batch", "group", "none"}
        With a normalisation, which has a bias of its own, the convolutions have none.
    """
    layers: list[nn.Module] = []
    for count in (channels, width):
        layers.append(nn.Conv2d(count, width, 3, padding=1, bias=norm == "none"))
        if norm == "batch":
            layers.append(nn.BatchNorm2d(width))
        if norm == "group":
            layers.append(nn.GroupNorm(8 if width % 8 == 0 else 1, width))
        layers.append(nn.ReLU(inplace=True))
    return nn.Sequential(*layers)
