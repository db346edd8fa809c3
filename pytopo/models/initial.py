"""Weights to start from: signals keep their size, and the first likelihoods are near 1/2.

Each layer before a ReLU gets normal weights of variance 2 / fan-in, so that the size of the
signal is the same after it as before it (He, Zhang, Ren, Sun (2015), "Delving deep into
rectifiers", section 2.2).  The last layer gets a tenth of what would keep the size: logits
start near 0, where the sigmoid is steepest.
"""

from torch import nn

LAST = 0.1  # size of the first logits, relative to the signal after the last ReLU


def initialise(network: nn.Module, last: nn.Linear | nn.Conv2d) -> None:
    """Draw the weights of all layers anew.

    Parameters
    ----------
    network : nn.Module
        Every convolution and fully connected layer in it, except ``last``, is followed by a
        ReLU.
    last : nn.Linear or nn.Conv2d
        The layer that gives the logits.
    """
    for layer in network.modules():
        if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    fan_in = last.weight[0].numel()
    nn.init.normal_(last.weight, std=LAST / fan_in**0.5)
