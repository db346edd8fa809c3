"""``pytopo bench sparse``: a zarr array of 10^10 pixels, as far as the time reaches.

chunks, most of them empty -> estimated cost -> sweep until the time is over
                                             -> what was done, beside the estimate
"""

import contextlib
import os
import tempfile
import time
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import numpy as np

from pytopo.cli.bench_made import MadeImage
from pytopo.cli.bench_tiles import TILE, off
from pytopo.cli.report import say
from pytopo.cli.stopwatch import forget_peak, peak_of_process

Row = dict[str, object]

CHUNK = 1024
EVERY = 16  # chunks, of which one is not empty


class _TimeIsOver(Exception):
    pass


def sparse_rows(seconds: float, side: int = 100_000) -> Iterator[Row]:
    """Yield how far a sweep came, and how far the estimate is off.

    Parameters
    ----------
    seconds : float
        Time for the sweep.
    side : int
        Of the image.
    """
    if find_spec("zarr") is None:
        say("zarr is not installed (extra: dask): no array to measure")
        return
    import zarr

    from pytopo.large.cost import estimated_cost
    from pytopo.large.loop import checked_sweep

    job = f"{side}x{side} uint8 in zarr, one chunk of {EVERY} not empty"
    with tempfile.TemporaryDirectory() as folder:
        array = zarr.create_array(
            f"{folder}/image.zarr", shape=(side, side), chunks=(CHUNK, CHUNK), dtype=np.uint8
        )
        _fill(array)
        sweep = checked_sweep(array, None, False, "V", None, 0.0)
        cost = estimated_cost(array, sweep, TILE, pairs=32)
        forget_peak()
        base = peak_of_process()
        done, n_points, taken = _swept(array, sweep, seconds, f"{folder}/parts")
        memory = peak_of_process() - base
        n_parts = len(os.listdir(f"{folder}/parts"))
    share = done / cost.tiles
    yield {"job": job, "against": "CPU minutes, estimated", "ratio": cost.cpu_seconds / 60}
    yield {"job": job, "against": "share of the tiles that is done", "ratio": share}
    yield off(job, "CPU time with reading and writing", cost.cpu_seconds, taken / share)
    yield off(job, "points", cost.points, n_points / share)
    yield off(job, "parts", cost.parts, n_parts / share)
    if memory > 0:
        yield off(job, "peak memory", cost.memory, memory)


def _fill(array: Any) -> None:
    """Write one of some chunks, which ones at random but always the same."""
    image = MadeImage("membranes", array.shape)
    filled = np.random.default_rng(0).random(array.cdata_shape) < 1 / EVERY
    for at in np.argwhere(filled):
        rows, columns = (
            slice(CHUNK * i, min(CHUNK * (i + 1), n)) for i, n in zip(at, array.shape)
        )
        array[rows, columns] = image[rows, columns]


def _swept(array: Any, sweep: Any, seconds: float, folder: str) -> tuple[int, int, float]:
    """Return how many tiles were done in some time, their points, and the CPU time."""
    from pytopo.large.ages import Points
    from pytopo.large.loop import Collector, sweep_tiles

    collector = Collector(sweep, folder)
    done, n_points, start = 0, 0, time.perf_counter()

    def take(name: str, points: Points) -> None:
        nonlocal n_points
        n_points += points.dim.size
        collector.take(name, points)

    def progress(now: int, of: int) -> None:
        nonlocal done
        done = now
        if time.perf_counter() - start > seconds:
            raise _TimeIsOver

    before = time.process_time()
    with contextlib.suppress(_TimeIsOver):
        sweep_tiles(array, sweep, TILE, take, progress)
    return done, n_points, time.process_time() - before
