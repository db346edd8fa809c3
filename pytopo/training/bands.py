"""Likelihoods from top to bottom: rows are final once no further tile touches them.

rows 0 ... 479    final, and handed out          tiles of 512 rows that overlap by 32:
rows 480 ... 511  wait for the next tiles        what is kept is one row of tiles
rows 512 ...      not read yet
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from pytopo.training.tiles import Plan, batches, spans, tiles_of


def likelihood_bands(
    network: nn.Module, image: Any, plan: Plan, batch_size: int
) -> Iterator[NDArray[np.float32]]:
    """Yield the likelihood of an image, a band of rows at a time, without gaps.

    Parameters
    ----------
    network : nn.Module
    image : (H, W) or (H, W, channels)
        Anything with a shape, whose slices of rows are float32 arrays on [0, 1].
    plan : Plan
    batch_size : int
    """
    height, width = image.shape[:2]
    starts = [row.start for row in spans(height, plan)]
    left = Counter({start: len(spans(width, plan)) for start in starts})
    band = _Band(image)
    with evaluating(network), torch.inference_mode():
        for batch in batches(tiles_of((height, width), plan), batch_size):
            band.read_to(max(part.place[0].stop for part in batch))
            found = probabilities(network, np.stack([band.pixels(p.place) for p in batch]))
            for part, probability in zip(batch, found):
                band.add(part.place, part.weight, probability)
                left[part.place[0].start] -= 1
            unfinished = [start for start in starts if left[start]]
            bottom = unfinished[0] if unfinished else height
            if bottom > band.top:
                yield band.final_rows(bottom)


class _Band:
    """The rows of an image that are read and not final, and what is known of them."""

    def __init__(self, image: Any) -> None:
        self._image, self.top = image, 0
        self._rows = np.asarray(image[0:0])
        self._sum = np.empty((0, image.shape[1]), np.float32)
        self._weight = self._sum.copy()

    def read_to(self, stop: int) -> None:
        start = self.top + len(self._rows)
        if stop > start:
            more = np.zeros((stop - start, self._image.shape[1]), np.float32)
            self._rows = np.concatenate([self._rows, np.asarray(self._image[start:stop])])
            self._sum = np.concatenate([self._sum, more])
            self._weight = np.concatenate([self._weight, more])

    def pixels(self, place: tuple[slice, slice]) -> NDArray[np.float32]:
        return self._rows[self._inside(place)]

    def add(
        self,
        place: tuple[slice, slice],
        weight: NDArray[np.float32],
        probability: NDArray[np.float32],
    ) -> None:
        inside = self._inside(place)
        self._sum[inside] += weight * probability
        self._weight[inside] += weight

    def final_rows(self, bottom: int) -> NDArray[np.float32]:
        """Return the likelihood of the rows above one, and forget them."""
        count = bottom - self.top
        likelihood = np.divide(self._sum[:count], self._weight[:count], dtype=np.float32)
        np.clip(likelihood, 0, 1, out=likelihood)
        # Copies: views would keep what is above alive.
        self._rows, self._sum, self._weight = (
            array[count:].copy() for array in (self._rows, self._sum, self._weight)
        )
        self.top = bottom
        return likelihood

    def _inside(self, place: tuple[slice, slice]) -> tuple[slice, slice]:
        rows, columns = place
        return slice(rows.start - self.top, rows.stop - self.top), columns


# ---- the network -------------------------------------------------------------------------


@contextmanager
def evaluating(network: nn.Module) -> Iterator[None]:
    """Put a network into evaluation mode, and then each module back into its own mode."""
    modes = [(module, module.training) for module in network.modules()]
    network.eval()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training


def probabilities(network: nn.Module, tiles: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the likelihoods (B, h, w) that a network predicts for tiles (B, h, w, ...)."""
    parameter = next(network.parameters(), torch.empty(0))
    count, height, width = tiles.shape[:3]
    images = torch.from_numpy(tiles.reshape(count, height, width, -1)).movedim(-1, 1)
    logits = network(images.to(parameter.device))
    if logits.shape != (count, 1, height, width):
        raise ValueError(
            f"the network returned {tuple(logits.shape)} for {tuple(images.shape)}; expected "
            f"logits of shape {(count, 1, height, width)}"
        )
    if logits.isnan().any():
        raise ValueError("the network returns NaN; its weights are not usable, train again")
    return logits[:, 0].float().sigmoid().cpu().numpy()
