"""The network of a run, and the weights that it starts with: random, published or trained."""

from torch import nn

from pytopo import models
from pytopo.training.checkpoint import load_checkpoint, network_of
from pytopo.training.config import RunConfig


def build_network(config: RunConfig) -> nn.Module:
    """Build the network of a run, with random weights.

    Raises
    ------
    ValueError
        If there is no such network, or it has no such options.
    """
    return models.build(config.network.name, **config.network.options)


def initial_network(config: RunConfig) -> nn.Module:
    """Build the network of a run, with the weights that it starts with.

    Raises
    ------
    FileNotFoundError
        If there is no file of weights.
    ValueError
        As `build_network`; and if the weights cannot be read or are of another network.
    OSError, RuntimeError
        If published weights cannot be downloaded.
    """
    network = build_network(config)
    if config.network.published:
        _load_published(network, config.network.published)
    if config.network.weights:
        _load_trained(network, config.network.weights)
    return network


def _load_published(network: nn.Module, source: str) -> None:
    """Load the published weights from a file, or download them."""
    if not isinstance(network, models.VGG19Net):
        raise ValueError(
            f"network.published is {source!r}; expected an empty text, only vgg19 has "
            "published weights"
        )
    if source == "download":
        network.load_published(models.vgg19.download_weights())
    else:
        network.load_published(models.vgg19.published_weights(source))


def _load_trained(network: nn.Module, path: str) -> None:
    """Load the weights of a checkpoint of the same network with the same options."""
    trained = network_of(load_checkpoint(path), path)
    if trained.name != network.name:
        raise ValueError(
            f"{path}: weights of {trained.name!r}; expected those of {network.name!r}"
        )
    if weight_shapes(trained) != weight_shapes(network):
        raise ValueError(
            f"{path}: weights of {network.name!r} with {trained.options}; expected those "
            f"with {network.options}, as network.options says"
        )
    network.load_state_dict(trained.state_dict())


def weight_shapes(network: nn.Module) -> dict[str, tuple[int, ...]]:
    """Return the shape of each weight; where all agree, networks can exchange weights."""
    return {name: tuple(weight.shape) for name, weight in network.state_dict().items()}
