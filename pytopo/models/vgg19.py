"""The features of VGG19, random or as published, followed by layers of our own.

VGG19 is sixteen 3x3 convolutions with a 2x2 max pooling after each block (Simonyan, Zisserman
(2015), "Very deep convolutional networks for large-scale image recognition", table 1, column
E).  The modules of ``features`` are numbered as in the weights that torchvision publishes, so
that these load by name:

    block                  channels   convolutions        pooling
    1                            64   0, 2                      4
    2                           128   5, 7                      9
    3                           256   10, 12, 14, 16           18
    4                           512   19, 21, 23, 25           27
    5                           512   28, 30, 32, 34           36

The rest of that file, three fully connected layers that classify photographs into a thousand
classes, is not used.  No weights are downloaded unless `download_weights` is called.
"""

import os
from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pytopo.models.checks import check_images, checked_number
from pytopo.models.initial import initialise
from pytopo.models.saved import load_saved
from pytopo.notes import one_line

URL = "https://download.pytorch.org/models/vgg19-dcbb9e9d.pth"

BLOCKS = ((64, 2), (128, 2), (256, 4), (512, 4), (512, 4))  # channels, convolutions

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet: red, green, blue


class VGG19Net(nn.Module):
    """VGG19 features, one more convolution, two fully connected layers; patches of one size.

    With the default options 23 896 513 parameters, 20 024 384 of them in ``features``; every
    logit depends on all of the patch.

    Parameters
    ----------
    frozen : int
        How many of the 37 modules of ``features``, from the first, are not trained.  28
        freezes blocks 1 to 4, 37 all; useful with published weights.
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
    Weights are random; ``network.load_published(published_weights("vgg19-dcbb9e9d.pth"))``
    makes them the published ones.

    >>> import torch
    >>> network = VGG19Net(frozen=28)
    >>> network.features[25].weight.requires_grad, network.features[28].weight.requires_grad
    (False, True)
    """

    name = "vgg19"
    channels = 1
    receptive_field = None
    stride = 1
    mean: Tensor
    std: Tensor

    def __init__(self, *, frozen: int = 0, hidden: int = 512, size: int = 65) -> None:
        super().__init__()
        frozen = checked_number("frozen", frozen, 0, 37)
        hidden = checked_number("hidden", hidden, 1, 8192)
        size = checked_number("size", size, 32, 512)
        self.options = {"frozen": frozen, "hidden": hidden, "size": size}
        self.patch_size = size

        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(STD).view(1, 3, 1, 1))
        self.features = features()
        self.conv = nn.Conv2d(512, 256, 3, padding=1)
        self.full1 = nn.Linear(256 * (size // 32) ** 2, hidden)
        self.full2 = nn.Linear(hidden, size**2)
        initialise(self, self.full2)
        self.features[:frozen].requires_grad_(False)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (B, 1, size, size) for images (B, 1, size, size)."""
        check_images(images, self.patch_size)
        x = (images - self.mean) / self.std  # (B, 3, 65, 65): grey is red, green and blue
        x = self.features(x)  # (B, 512, 2, 2)
        x = F.relu(self.conv(x))  # (B, 256, 2, 2)
        x = F.relu(self.full1(x.flatten(1)))  # (B, 512)
        return self.full2(x).view_as(images)  # (B, 4225) as (B, 1, 65, 65)

    def load_published(self, weights: Mapping[str, Tensor]) -> None:
        """Load the weights of ``features``, all of them, and ignore ``classifier``.

        Parameters
        ----------
        weights : mapping of str to Tensor
            As `published_weights` and `download_weights` return them.

        Raises
        ------
        ValueError
            If a weight is missing, has another shape, or is not one of VGG19; then none is
            loaded.
        """
        expected = self.features.state_dict()
        found = {}
        for name, value in weights.items():
            part, _, key = name.partition(".")
            if part == "features" and key in expected:
                found[key] = value
            elif part != "classifier":
                raise ValueError(
                    f"{name!r} is not a weight of VGG19; expected the published ones"
                )
        for key, tensor in expected.items():
            shape = tuple(found[key].shape) if key in found else "nothing"
            if shape != tuple(tensor.shape):
                raise ValueError(
                    f"features.{key}: {shape}; expected {tuple(tensor.shape)}, as in VGG19"
                )
        self.features.load_state_dict(found)


def features() -> nn.Sequential:
    """Return the convolutions, ReLUs and poolings, numbered as published."""
    layers: list[nn.Module] = []
    channels = 3
    for width, count in BLOCKS:
        for _ in range(count):
            layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU(inplace=True)]
            channels = width
        layers.append(nn.MaxPool2d(2, stride=2))
    return nn.Sequential(*layers)


def published_weights(path: str | os.PathLike[str]) -> dict[str, Tensor]:
    """Read the published weights from a file.

    Parameters
    ----------
    path : path-like
        A state dict that torch saved, such as ``vgg19-dcbb9e9d.pth`` (575 MB).

    Raises
    ------
    FileNotFoundError
        If there is none.
    ValueError
        If the file is damaged, or holds anything but named tensors; no code in it is run.
    """
    expected = f"the weights of {URL}"
    weights = load_saved(path, expected)
    if not _are_named_tensors(weights):
        name = one_line(os.fsdecode(path))
        raise ValueError(f"{name}: not a state dict; expected {expected}")
    return weights


def download_weights() -> dict[str, Tensor]:
    """Download the published weights, 575 MB, or read them from torch's cache.

    The SHA-256 of a download must begin with the digits in its name.

    Raises
    ------
    OSError
        If they cannot be downloaded.
    RuntimeError
        If the download is a different file.
    """
    return torch.hub.load_state_dict_from_url(
        URL, map_location="cpu", check_hash=True, weights_only=True
    )


def _are_named_tensors(weights: Any) -> bool:
    return isinstance(weights, dict) and all(
        isinstance(name, str) and isinstance(value, Tensor) for name, value in weights.items()
    )
