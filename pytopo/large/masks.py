"""Betti numbers of masks that are larger than memory.

Components, and holes or voids, are counted as the points of the mask's own diagram.  Tunnels
of a volume follow from the Euler number, which is a sum over cells and so over tiles.
"""

from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytopo.large.ages import Points
from pytopo.large.counts import count_of, euler_number_of_tile, with_layer_before
from pytopo.large.loop import (
    box_of,
    checked_sweep,
    chunk_lengths,
    read_box,
    sweep_tiles,
    tile_side,
)
from pytopo.metrics.betti import BettiError
from pytopo.options import flag


def betti_numbers(
    source: Any, *, construction: str = "V", frame: bool = False, tile: int | None = None
) -> tuple[int, ...]:
    """Count components and holes of a mask; in 3D components, tunnels and voids.

    Parameters
    ----------
    source : array_like of bool, (H, W) or (D, H, W)
        Anything with ``shape``, ``dtype`` and slices, or a `dask.array`.
    construction, frame
        As in `pytopo.metrics.betti_numbers`, whose numbers these are.
    tile : int or None
        Pixels along each side of a tile.

    Raises
    ------
    TypeError, ValueError
        If the source is not made of booleans, or an option is impossible.

    Examples
    --------
    >>> import numpy as np, pytopo, pytopo.large
    >>> mask = np.random.default_rng(0).random((20, 30, 40)) < 0.5
    >>> pytopo.large.betti_numbers(mask, tile=16) == pytopo.metrics.betti_numbers(mask)
    True
    """
    around = 1 if flag(frame, "frame") else None
    sweep = checked_sweep(source, None, True, construction, around, 0.0)
    if sweep.dtype != bool:
        raise TypeError(
            f"source has dtype {sweep.dtype}; expected booleans, like likelihood > 0.5"
        )
    if hasattr(source, "__dask_graph__"):
        from pytopo.large.tasks import counts_of_chunks

        return with_tunnels(*counts_of_chunks(source, sweep, tile))
    counts = np.zeros(len(sweep.shape), np.int64)

    def take(_: str, points: Points) -> None:
        counts[:] += count_of(points, sweep)

    sweep_tiles(source, sweep, tile, take)
    euler = 0
    if len(sweep.shape) == 3:
        chunks = tuple(chunk_lengths(n, tile_side(tile, sweep.shape)) for n in sweep.shape)
        for at in product(*(range(len(lengths)) for lengths in chunks)):
            box = box_of(chunks, at)
            mask = read_box(source, with_layer_before(box), sweep)
            euler += euler_number_of_tile(mask, box, sweep)
    return with_tunnels(counts, euler)


def with_tunnels(counts: NDArray[np.int64], euler: int) -> tuple[int, ...]:
    """Return Betti numbers; in 3D that of dimension 1 follows from the Euler number."""
    if counts.size == 3:
        counts = np.array([counts[0], counts[0] + counts[2] - euler, counts[2]])
    return tuple(counts.tolist())


def betti_error(
    prediction: Any,
    target: Any,
    *,
    construction: str = "V",
    frame: bool = False,
    tile: int | None = None,
) -> BettiError:
    """Compare the Betti numbers of two masks.

    Arguments as of `betti_numbers`, result as of `pytopo.metrics.betti_error`.

    Raises
    ------
    TypeError, ValueError
        As in `betti_numbers`; ValueError if the shapes differ.

    Examples
    --------
    >>> import numpy as np, pytopo.large
    >>> two_holes = np.array([[1, 1, 1, 1, 1], [1, 0, 1, 0, 1], [1, 1, 1, 1, 1]]) > 0
    >>> pytopo.large.betti_error(two_holes, np.ones((3, 5), bool))
    BettiError(per_dim=(0.0, 2.0))
    """
    if tuple(prediction.shape) != tuple(target.shape):
        raise ValueError(
            f"prediction has shape {tuple(prediction.shape)}, target {tuple(target.shape)}; "
            "expected the same"
        )
    first, second = (
        betti_numbers(mask, construction=construction, frame=frame, tile=tile)
        for mask in (prediction, target)
    )
    return BettiError(tuple(float(abs(a - b)) for a, b in zip(first, second)))
