"""Several processes train one network: each takes its share of every batch.

`torchrun` starts the processes and gives each its rank; without it there is one process.
Gradients are averaged over the processes, and as all shares are equally large, that is the
gradient of the whole batch.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel


@dataclass(frozen=True)
class World:
    """The processes that train together, and which of them this is.

    Attributes
    ----------
    rank, size : int
        This is process ``rank`` of ``size``.
    device : torch.device
        Where this process computes.
    """

    rank: int
    size: int
    device: torch.device

    @property
    def is_first(self) -> bool:
        """Whether this is the process that writes files and prints."""
        return self.rank == 0

    def share(self, batch: int) -> slice:
        """Return the part of a batch of this process.

        Raises
        ------
        ValueError
            If the batch cannot be shared equally.
        """
        if batch % self.size:
            raise ValueError(
                f"batch is {batch}; expected a multiple of the number of processes, {self.size}"
            )
        part = batch // self.size
        return slice(self.rank * part, (self.rank + 1) * part)

    def wrapped(self, network: nn.Module) -> nn.Module:
        """Return the network, so that its gradients are averaged over the processes."""
        if self.size == 1:
            return network
        if self.device.type == "cuda":
            network = nn.SyncBatchNorm.convert_sync_batchnorm(network)
            return DistributedDataParallel(network, device_ids=[self.device.index])
        return DistributedDataParallel(network)

    def splits_normalisation(self, network: nn.Module) -> bool:
        """Return whether batch normalisation uses only a part of the batch; not on GPUs."""
        normalised = any(isinstance(m, nn.BatchNorm2d) for m in network.modules())
        return self.size > 1 and self.device.type == "cpu" and normalised

    def mean(self, values: list[float]) -> list[float]:
        """Return the means of numbers over the processes."""
        if self.size == 1:
            return values
        total = torch.tensor(values, dtype=torch.float64, device=self.device)
        distributed.all_reduce(total)
        return (total / self.size).tolist()

    def gathered(self, state: Tensor) -> list[Tensor]:
        """Return the tensors of all processes, equally large, by rank."""
        if self.size == 1:
            return [state]
        mine = state.to(self.device)
        states = [torch.empty_like(mine) for _ in range(self.size)]
        distributed.all_gather(states, mine)
        return [one.cpu() for one in states]

    def wait(self) -> None:
        """Wait until all processes have come to this point."""
        if self.size > 1:
            distributed.barrier()


@contextmanager
def joined_world(device: str | None = None) -> Iterator[World]:
    """Join the processes that `torchrun` started, or be the only one.

    Parameters
    ----------
    device : str or None
        "cpu" or "cuda"; ``None`` for a GPU where there is one.
    """
    kind = device or ("cuda" if torch.cuda.is_available() else "cpu")
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        yield World(0, 1, torch.device(kind))
        return

    place = torch.device(kind)
    if place.type == "cuda":
        place = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
        torch.cuda.set_device(place)
    distributed.init_process_group("nccl" if place.type == "cuda" else "gloo")
    try:
        yield World(distributed.get_rank(), size, place)
    finally:
        distributed.destroy_process_group()
