"""How pytopo does alone: time and memory as the size grows, and what a start costs.

`pytopo bench growth`, `memory`, `volume` and `start` print these rows beside the contests.
"""

import itertools
import math
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

import pytopo
from pytopo.cli import bench_images
from pytopo.cli.goals import goal_of
from pytopo.cli.report import say

Row = dict[str, object]

KINDS = ("smooth", "noise")  # functions of `bench_images`


def growth_rows(size: int, seconds: float) -> Iterator[Row]:
    """Yield time and peak memory for images of 1/2 to 8 times the size, and the exponent."""
    for kind in KINDS:
        yield from _growth(kind, [(n, n) for n in _doublings(size, 8)], seconds)


def volume_growth_rows(size: int, seconds: float) -> Iterator[Row]:
    """Yield time and peak memory for volumes of 1/2 to 2 times the size, and the exponent."""
    for kind in KINDS:
        yield from _growth(kind, [(n, n, n) for n in _doublings(size, 2)], seconds)


def _doublings(size: int, most: int) -> list[int]:
    """Return half the size, the size, twice the size, ..., `most` times the size."""
    return [size // 2, *(size * 2**k for k in range(most.bit_length()))]


def _growth(kind: str, shapes: list[tuple[int, ...]], seconds: float) -> Iterator[Row]:
    """Yield a row of time and peak memory for each shape, and one that sums the times up.

    If the time grows as pixels^e, then log(time) = e log(pixels) + constant: the exponent e
    is the slope of the straight line through the measured times on logarithmic axes.
    """
    pixels = [math.prod(shape) for shape in shapes]
    times = []
    for shape, n in zip(shapes, pixels):
        job = f"{'x'.join(map(str, shape))} {kind}, V"
        times.append(_best_time(kind, shape, seconds))
        row: Row = {"job": job, "pytopo ms": 1e3 * times[-1]}
        memory = _peak_memory(kind, shape)
        if memory is None:
            say("this system does not report peak memory: left out")
        else:
            against = "peak bytes per pixel"
            row |= {"against": against, "ratio": memory / n, "goal": goal_of(job, against)}
        yield row
    job, against = f"{len(shapes[0])} axes, {kind}, V", "exponent of time in pixels"
    exponent, _ = np.polyfit(np.log(pixels), np.log(times), 1)
    yield {
        "job": job, "against": against, "ratio": float(exponent), "goal": goal_of(job, against)
    }  # fmt: skip


def _best_time(kind: str, shape: tuple[int, ...], seconds: float) -> float:
    """Return the best time of the persistence of an image of a kind and shape, in seconds."""
    from pytopo.cli.stopwatch import in_turns

    a = getattr(bench_images, kind)(*shape)
    return in_turns({"": lambda: pytopo.persistence(a)}, seconds, lambda: None)[""].best


def memory_rows(size: int) -> Iterator[Row]:
    """Yield the peak memory of noise: axes, dtypes, constructions, one thread and two.

    The goal is what `pytopo.cli.memory` counts with.
    """
    from pytopo.cli.memory import diagram_bytes

    side = 4 * size
    for shape in ((side * side,), (side, side), (size // 4,) * 3):
        n = math.prod(shape)
        for dtype, construction, threads in itertools.product(
            ("float32", "float64"), ("V", "T"), (1, 2)
        ):
            options = f"construction={construction!r}, threads={threads}"
            memory = _peak_memory("noise", shape, dtype, options)
            if memory is None:
                say("this system does not report peak memory: left out")
                return
            yield {
                "job": f"{'x'.join(map(str, shape))} noise {dtype}, {construction}, "
                f"threads={threads}",
                "against": "peak bytes per pixel",
                "ratio": memory / n,
                "goal": diagram_bytes(shape, np.dtype(dtype).itemsize, threads) / n,
            }


def _peak_memory(
    kind: str, shape: tuple[int, ...], dtype: str = "float32", options: str = ""
) -> int | None:
    """Return how many bytes the persistence of an image takes at its peak, in a new process.

    A small image before it compiles the kernels, so that their memory is not counted.
    """
    from pytopo.cli.stopwatch import peak_memory

    warm_up = (32,) * len(shape)
    return peak_memory(
        "import pytopo; from pytopo.cli import bench_images\n"
        f"w = bench_images.noise(*{warm_up}).astype('{dtype}')\n"
        f"pytopo.persistence(w, {options})\n"
        f"a = bench_images.{kind}(*{shape}).astype('{dtype}')",
        f"pytopo.persistence(a, {options})",
    )


def patch_rows(seconds: float) -> Iterator[Row]:
    """Yield how many patches a second go through the loss, forward and backward, on a core."""
    from pytopo.cli import contests
    from pytopo.cli.stopwatch import in_turns, one_core

    count = 64
    step = contests.loss_step(count, 65)
    with one_core() as alone:
        if not alone:
            say("this system cannot keep a process on one core: left out")
            return
        taken = in_turns({"": step}, seconds, lambda: None)[""]
    yield {
        "job": f"{count} x 65x65, loss and gradient, one core",
        "pytopo ms": 1e3 * taken.best,
        "pytopo median ms": 1e3 * taken.median,
        "against": "patches of 65x65 per second",
        "ratio": count / taken.best,
        "runs": taken.runs,
    }


def start_rows() -> Iterator[Row]:
    """Yield times of the command as a process: cold, warm, and what its imports take."""
    from pytopo.cli.stopwatch import process_seconds

    with tempfile.TemporaryDirectory() as folder:
        cache = {"NUMBA_CACHE_DIR": folder}
        line = ["diagram", "-o", str(Path(folder) / "figure.png")]
        command = ["-m", "pytopo.cli", *line]
        once = f"from pytopo.cli.main import main; main({line})"
        cold = process_seconds(command, 1, **cache)
        warm = process_seconds(command, 5, **cache)
        twice = process_seconds(["-c", f"{once}; main({line})"], 5, **cache)
    imports = process_seconds(["-c", "import numba, matplotlib.pyplot"], 5)
    empty = process_seconds(["-c", ""], 5)
    ours = process_seconds(["-c", "import pytopo"], 5)
    yield _alone("pytopo diagram, empty cache", cold)
    # One process does the work once, the other twice: the difference is the work alone.
    work = twice - warm
    job, against = "pytopo diagram, warm, less its work", "import numba, matplotlib.pyplot"
    yield {
        "job": job,
        "pytopo ms": 1e3 * (warm - work),
        "against": against,
        "its ms": 1e3 * imports,
        "ratio": (warm - work) / imports,
        "goal": goal_of(job, against),
    }
    yield {"job": "its work: compute, draw, write", "pytopo ms": 1e3 * work}
    yield _alone("import pytopo", ours - empty)


def _alone(job: str, seconds: float) -> Row:
    return {"job": job, "pytopo ms": 1e3 * seconds, "goal": goal_of(job)}
