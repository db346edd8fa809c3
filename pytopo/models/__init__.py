"""Networks that turn an image into the logits of a likelihood, each in one file.

====================  ===========================================================
file                  network
====================  ===========================================================
plain.py              ``PlainCNN``, "plain": convolutions and nothing else
base.py               ``BaseCNN``, "base": four convolutions, two fully connected
enhanced.py           ``EnhancedCNN``, "enhanced": deeper, with normalisation
vgg19.py              ``VGG19Net``, "vgg19": the VGG19 features, published or not
unet.py               ``UNet``, "unet": down, up, and across
convolution.py        two convolutions with their normalisation
checks.py             options and inputs that a network refuses
initial.py            weights to start from
saved.py              reading what torch saved, without running code in it
====================  ===========================================================

All take (B, channels, H, W) float images on [0, 1] and return logits (B, 1, H, W); the
likelihood is their sigmoid.  Each network has these attributes:

``name``, ``options``
    ``build(name, **options)`` makes another one of the same shape.
``channels``
    Of its images: 1 for grey, 3 for colour.
``patch_size``
    H and W if it takes no other size, ``None`` if it takes any.
``receptive_field``
    Side of the square of pixels, around its own, that a logit depends on; ``None`` if that
    is all of the input.
``stride``
    A part of an image that starts at a multiple of it has the same grid of pooled cells as
    in the whole image.
"""

import inspect
from typing import Any

import torch
from torch import nn
from torch.nn.utils import convert_conv2d_weight_memory_format

from pytopo.models.base import BaseCNN
from pytopo.models.enhanced import EnhancedCNN
from pytopo.models.plain import PlainCNN
from pytopo.models.unet import UNet
from pytopo.models.vgg19 import VGG19Net

__all__ = ["NAMES", "BaseCNN", "EnhancedCNN", "PlainCNN", "UNet", "VGG19Net", "build"]

NAMES: dict[str, type[nn.Module]] = {
    network.name: network for network in (PlainCNN, BaseCNN, EnhancedCNN, VGG19Net, UNet)
}


def build(name: str, **options: Any) -> nn.Module:
    """Build a network with random weights; `torch.manual_seed` decides which.

    Parameters
    ----------
    name : {"plain", "base", "enhanced", "vgg19", "unet"}
    **options
        Numbers and strings: those of the class.

    Returns
    -------
    network : nn.Module
        On the CPU, in training mode.

    Raises
    ------
    ValueError
        If there is no such network, if it has no such option, or if the option cannot have
        that value.

    Examples
    --------
    >>> import torch
    >>> network = build("unet", width=8)
    >>> network(torch.rand(2, 1, 65, 65)).shape
    torch.Size([2, 1, 65, 65])
    >>> network.options
    {'width': 8, 'depth': 3, 'norm': 'batch', 'channels': 1}
    """
    if name not in NAMES:
        raise ValueError(f"network {name!r}; expected one of {', '.join(NAMES)}")
    network = NAMES[name]
    known = list(inspect.signature(network).parameters)
    for option in options:
        if option not in known:
            raise ValueError(
                f"network {name!r} has no option {option!r}; it has {', '.join(known)}"
            )
    # Channels last in memory: training and prediction take less time, on CPUs too.
    return convert_conv2d_weight_memory_format(network(**options), torch.channels_last)
