"""Checks before anything is written: what would fail after minutes is refused at once."""

import torch
from torch import nn

from pytopo.data import Sections
from pytopo.notes import one_line
from pytopo.training.blocks import Blocks, training_patches
from pytopo.training.config import RunConfig
from pytopo.training.distributed import World
from pytopo.training.network import build_network, initial_network
from pytopo.training.objective import other_loss
from pytopo.training.prediction import checked_image, image_channels


def check_run(
    config: RunConfig, blocks: Blocks, world: World, *, begun: bool = False
) -> tuple[str, ...]:
    """Check that a run can be completed, before anything is written.

    Parameters
    ----------
    config : RunConfig
    blocks : Blocks
    world : World
    begun : bool
        The run has a checkpoint, so the weights to start from are not needed.

    Returns
    -------
    notes : tuple of str
        What will differ from what one might expect.

    Raises
    ------
    FileNotFoundError, TypeError, ValueError
        If the network cannot be built or takes no patches of that size, its weights cannot
        be read or are of another network, the batch cannot be shared, or sections are too
        small or cannot be evaluated.
    """
    network = build_network(config) if begun else initial_network(config)
    _check_losses(config)
    _check_patch_size(network, config, world)
    training_patches(blocks.train, config)
    for name, sections in (("validation", blocks.validation), ("test", blocks.test)):
        _check_measurable(name, sections, config, network)
    notes = []
    if world.splits_normalisation(network):
        notes.append(
            "batch normalisation uses the share of its process only, on CPUs; with norm=none "
            "or group the result is that of one process"
        )
    if config.loss.topo_weight > 0 and config.loss.min_persistence >= 1:
        notes.append(
            f"loss.min_persistence is {config.loss.min_persistence:g}, and points of a "
            "likelihood are less persistent than 1: the topological loss will be 0"
        )
    return tuple(notes)


def _check_losses(config: RunConfig) -> None:
    """Check that the losses can be imported, and that each takes logits and truth."""
    logits = torch.zeros(2, 1, 16, 16)
    truth = (torch.arange(2 * 16 * 16) % 3 == 0).float().reshape(logits.shape)
    for i, other in enumerate(config.loss.others):
        loss = other_loss(f"loss.others[{i}]", other)
        try:
            value = loss(logits, truth)
            float(value)
        except Exception as error:  # of somebody else's code
            raise ValueError(
                f"loss.others[{i}]: {other['loss']} fails on logits and truth of shape "
                f"{tuple(logits.shape)}: {one_line(str(error))[:200]}"
            ) from None


def _check_patch_size(network: nn.Module, config: RunConfig, world: World) -> None:
    """Check that a network can learn from patches of that size, by applying it to some."""
    size, batch = config.training.size, config.training.batch
    if network.patch_size not in (None, size):
        raise ValueError(
            f"training.size is {size}; expected {network.patch_size}, the only one that "
            f"network {config.network.name!r} takes"
        )
    share = world.share(batch)
    count = share.stop - share.start
    try:
        with torch.no_grad():
            network(torch.zeros(min(count, 2), image_channels(network), size, size))
    except (RuntimeError, ValueError) as error:
        raise ValueError(
            f"network {config.network.name!r} cannot learn from {count} patches of {size} x "
            f"{size} at a time: {str(error).splitlines()[0]}; expected a larger training.size "
            "or training.batch, or a shallower network"
        ) from None


def _check_measurable(
    name: str, sections: Sections, config: RunConfig, network: nn.Module
) -> None:
    """Check that sections can be predicted, and evaluated against their ground truth."""
    size = config.training.size
    for i in range(len(sections)):
        where, shape = f"{sections.name(i)}, of data.{name}", sections.shape_of(i)
        if min(shape) < size:
            raise ValueError(
                f"{where}: {shape[0]} x {shape[1]} pixels; expected at least {size} x {size}, "
                "the size of a patch (training.size)"
            )
        section = sections[i]
        if section.truth.all():
            raise ValueError(
                f"{where}: membrane everywhere, so there is no cell to evaluate; expected some "
                "background (a smaller data.border, or data.invert)"
            )
        try:
            checked_image(section.image, image_channels(network))
        except ValueError as error:
            raise ValueError(f"{where}: {error}") from None
