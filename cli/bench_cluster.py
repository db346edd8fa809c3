"""``pytopo bench cluster``: an image that is made chunk by chunk, on worker processes.

MadeImage -> dask.array -> two processes of limited memory -> parts in a folder
                             peak memory, CPU time
"""

import logging
import os
import tempfile
import time
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

from pytopo.cli.bench_made import MadeImage
from pytopo.cli.bench_tiles import tile_sides
from pytopo.cli.goals import goal_of
from pytopo.cli.report import say
from pytopo.cli.stopwatch import peak_of_process
from pytopo.cli.workers import SETTINGS

Row = dict[str, object]

WORKERS = 2
LIMIT = 400  # MB of each


def cluster_rows(size: int) -> Iterator[Row]:
    """Yield time, CPU time and peak memory of the diagram of an image, and what it consists of.

    Parameters
    ----------
    size : int
        Side of the image.
    """
    if find_spec("distributed") is None or find_spec("dask") is None:
        say("Dask is not installed (extra: dask): no cluster to measure")
        return
    import dask
    import dask.array as da
    from distributed import Client, LocalCluster

    import pytopo.large

    tile = tile_sides(size)[1]
    name = f"{size}x{size} membranes uint8, chunks of {tile}, {WORKERS} processes"
    settings = dask.config.set(SETTINGS)
    cluster = LocalCluster(
        n_workers=WORKERS, threads_per_worker=1, processes=True, dashboard_address=":0",
        memory_limit=f"{LIMIT}MB",
        silence_logs=logging.ERROR,  # a worker near its limit says so again and again
    )  # fmt: skip
    with settings, cluster, Client(cluster) as client, tempfile.TemporaryDirectory() as folder:
        small = da.from_array(MadeImage("membranes", (600, 600)), chunks=300)
        pytopo.large.persistence(small, tile=300, folder=f"{folder}/small")  # compiles
        base = _of_workers(client)
        image = da.from_array(MadeImage("membranes", (size, size)), chunks=tile)
        start = time.perf_counter()
        parts = pytopo.large.persistence(image, folder=f"{folder}/parts")
        assert isinstance(parts, pytopo.large.DiagramParts)
        seconds = time.perf_counter() - start
        after = _of_workers(client)
        written = sum(entry.stat().st_size for entry in os.scandir(f"{folder}/parts"))
    yield {"job": name, "pytopo ms": 1e3 * seconds}
    yield _row(name, "CPU ns per pixel", 1e9 * _gained(base, after, "cpu") / size**2)
    yield _row(name, "peak MB of a worker", _largest(after, "peak") / 1e6)
    yield _row(name, "peak MB of a worker before it", _largest(base, "peak") / 1e6)
    yield _row(name, "workers that had to be replaced", len(base.keys() - after.keys()))
    yield _row(name, "points", len(parts))
    yield _row(name, "parts", len(parts.names))
    yield _row(name, "MB written", written / 1e6)


def _row(job: str, against: str, value: float) -> Row:
    return {"job": job, "against": against, "ratio": value, "goal": goal_of(job, against)}


def _of_workers(client: Any) -> dict[int, dict[str, float]]:
    """Return CPU seconds and peak bytes of each worker, by its process."""
    return {found["pid"]: found for found in client.run(_of_this_process).values()}


def _of_this_process() -> dict[str, float]:
    return {"pid": os.getpid(), "cpu": time.process_time(), "peak": peak_of_process()}


def _largest(workers: dict[int, dict[str, float]], name: str) -> float:
    return max(found[name] for found in workers.values())


def _gained(before: dict, after: dict, name: str) -> float:
    return sum(found[name] - before.get(pid, {name: 0})[name] for pid, found in after.items())
