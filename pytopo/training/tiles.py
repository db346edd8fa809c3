"""Tiles that overlap, and the weights with which their predictions are blended.

A network sees an image through tiles, and near an edge where a tile is cut out of the image
it sees only a part of its receptive field.  So tiles overlap, and each has less weight
towards such an edge:

    weight of a tile      1 |          .-------------.
                            |        /                 \\
                          0 |-------'                   '-------
                               margin  ramp     ramp  margin

At the edge of the image itself nothing is missing, and the weight is 1.  The margin is half
the receptive field of the network: the rest does not depend on where the image was cut, so
tiles agree where they are blended, and the likelihood is that of the whole image, up to
rounding.  A network that sees all of its input (fully connected, or with group normalisation)
has no margin, and the ramps blend its tiles without a seam.
"""

import itertools
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import nn

TILE = 512  # rows and columns, of networks that take any size
DIRECT = 2 * TILE**2  # pixels of an image to which they are applied as a whole


class Plan(NamedTuple):
    """How an image is cut into tiles: in pixels, the same for rows and columns."""

    tile: int
    overlap: int
    margin: int  # pixels at a cut edge that have weight 0
    stride: int  # tiles start at multiples of it


class Span(NamedTuple):
    """A tile along one axis: its first pixel, the one after its last, and their weights."""

    start: int
    stop: int
    weight: NDArray[np.float32]


class Tile(NamedTuple):
    """Where a tile lies, and the weight of each of its pixels."""

    place: tuple[slice, slice]
    weight: NDArray[np.float32]


def planned(
    network: nn.Module, shape: tuple[int, ...], tile: int | None, overlap: int | None
) -> Plan:
    """Return how an image of this shape is cut for a network."""
    patch_size = getattr(network, "patch_size", None)
    field = getattr(network, "receptive_field", None)
    stride = getattr(network, "stride", 1)
    if patch_size is not None and tile not in (None, patch_size):
        raise ValueError(
            f"tile={tile}; expected {patch_size}, the only size that the network takes"
        )
    if tile is None:
        direct = shape[0] * shape[1] <= DIRECT
        tile = patch_size or (max(*shape, stride) if direct else TILE)
    if overlap is None:
        overlap = min(tile // 2 if field is None else field, tile // 2, max(tile - stride, 0))
    if not 0 <= overlap <= tile - stride:
        larger = f", and a tile of at least {stride}" if tile < stride else ""
        raise ValueError(
            f"tile={tile}, overlap={overlap}; expected an overlap from 0 to {stride} less than "
            f"the tile{larger}"
        )
    margin = 0 if field is None else min(field // 2, overlap // 2)
    return Plan(tile, overlap, margin, stride)


def tiles_of(shape: tuple[int, ...], plan: Plan) -> Iterator[Tile]:
    """Yield the tiles of an image, row by row."""
    rows, columns = (spans(length, plan) for length in shape)
    for row, column in itertools.product(rows, columns):
        place = (slice(row.start, row.stop), slice(column.start, column.stop))
        yield Tile(place, row.weight[:, None] * column.weight)


def spans(length: int, plan: Plan) -> list[Span]:
    """Return the tiles along an axis, as evenly spread as their stride allows.

    The last one ends where the axis ends, and is longer than the others by less than the
    stride.

    Examples
    --------
    >>> plan = Plan(tile=6, overlap=4, margin=1, stride=1)
    >>> for span in spans(8, plan):
    ...     print(span.start, span.stop, span.weight)
    0 6 [1.   1.   1.   0.75 0.25 0.  ]
    2 8 [0.   0.25 0.75 1.   1.   1.  ]
    """
    room = max(length - plan.tile, 0) // plan.stride  # starts, in strides
    step = (plan.tile - plan.overlap) // plan.stride
    count = -(-room // step) + 1
    starts = [k * room // max(count - 1, 1) * plan.stride for k in range(count)]
    stops = [start + plan.tile for start in starts[:-1]] + [length]
    ramp = plan.overlap - 2 * plan.margin
    return [
        Span(start, stop, weights(start, stop, length, plan.margin, ramp))
        for start, stop in zip(starts, stops)
    ]


def weights(start: int, stop: int, length: int, margin: int, ramp: int) -> NDArray[np.float32]:
    """Return the weight of each pixel of a tile: see the drawing above."""
    pixel = np.arange(start, stop)
    before = np.inf if start == 0 else pixel - start + 0.5  # pixels from a cut edge
    after = np.inf if stop == length else stop - pixel - 0.5
    inside = np.minimum(before, after) - margin + np.zeros(stop - start)
    return np.clip(inside / max(ramp, 1), 0, 1).astype(np.float32)


def reflected(image: NDArray[np.float32], least: int) -> NDArray[np.float32]:
    """Reflect an image at its lower and right edge until it has the size of a patch."""
    missing = [(0, max(least - length, 0)) for length in image.shape[:2]]
    missing += [(0, 0)] * (image.ndim - 2)  # channels
    return np.pad(image, missing, mode="reflect")


def batches(tiles: Iterable[Tile], size: int) -> Iterator[list[Tile]]:
    """Yield up to ``size`` tiles of the same shape at a time."""
    waiting: dict[tuple[int, ...], list[Tile]] = {}
    for tile in tiles:
        same_shape = waiting.setdefault(tile.weight.shape, [])
        same_shape.append(tile)
        if len(same_shape) == size:
            yield waiting.pop(tile.weight.shape)
    yield from waiting.values()
