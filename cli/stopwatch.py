"""Measuring side by side: contenders take turns in one process, and the best time counts.

Machines are shared and noisy, so a single time means little.  Contenders measured in turns meet
the same noise, so the ratio of their best times is a result.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Timing:
    """Seconds of one contender: the best and the median of its runs."""

    best: float
    median: float
    runs: int


def in_turns(
    contenders: Mapping[str, Callable[[], object]],
    seconds: float,
    progress: Callable[[], None],
    clock: Callable[[], float] | None = None,
) -> dict[str, Timing]:
    """Time functions in turns.

    Parameters
    ----------
    contenders : mapping of name to function
        Each is called once before anything is timed, to compile and to warm up.
    seconds : float
        Measure for this long in total, but run each at least three times and at most fifty.
    progress : function
        Called after each run.
    clock : function or None
        What the runs are timed by; ``None`` for `time.perf_counter`.

    Returns
    -------
    dict of name to Timing
    """
    clock = clock or time.perf_counter
    for function in contenders.values():
        function()
        progress()
    taken: dict[str, list[float]] = {name: [] for name in contenders}
    started = time.perf_counter()
    for turn in range(50):
        if turn >= 3 and time.perf_counter() - started > seconds:
            break
        for name, function in contenders.items():
            before = clock()
            function()
            taken[name].append(clock() - before)
            progress()
    return {
        name: Timing(min(times), float(np.median(times)), len(times))
        for name, times in taken.items()
    }


@contextmanager
def one_core() -> Iterator[bool]:
    """Keep what this thread does, and torch for it, on one core; False where that cannot be."""
    if not hasattr(os, "sched_setaffinity"):  # neither macOS nor Windows has it
        yield False
        return
    import torch

    cores, threads = os.sched_getaffinity(0), torch.get_num_threads()
    os.sched_setaffinity(0, {max(cores)})
    torch.set_num_threads(1)
    try:
        yield True
    finally:
        torch.set_num_threads(threads)
        os.sched_setaffinity(0, cores)


PEAK_MEMORY = """
def peak():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))

def forget_peak():
    with open("/proc/self/clear_refs", "w") as control:
        control.write("5")
"""


def peak_memory(before: str, measured: str) -> int | None:
    """Return by how many bytes a statement raises the memory of a fresh process at its peak.

    Linux only: read from ``/proc``, where the peak can be reset before the statement.  ``None``
    on other systems, and in a container that hides this.

    Parameters
    ----------
    before : str
        Python statements that are not measured.
    measured : str
        Those that are.
    """
    if not os.access("/proc/self/clear_refs", os.W_OK):
        return None
    program = (
        f"{PEAK_MEMORY}\n{before}\nforget_peak()\nstart = peak()\n"
        f"{measured}\nprint(peak() - start)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return 1024 * int(done.stdout)


def process_seconds(arguments: list[str], times: int = 3, **environment: str) -> float:
    """Return the best time of some runs of ``python arguments...`` as a process."""
    taken = []
    for _ in range(times):
        before = time.perf_counter()
        subprocess.run(
            [sys.executable, *arguments],
            check=True,
            capture_output=True,
            env={**os.environ, **environment},
        )
        taken.append(time.perf_counter() - before)
    return min(taken)


def peak_of_process() -> int:
    """Return the peak memory of this process so far, in bytes; 0 where that is not known."""
    try:
        with open("/proc/self/status") as status:
            return 1024 * next(int(s.split()[1]) for s in status if s.startswith("VmHWM"))
    except (OSError, StopIteration):
        return 0


def forget_peak() -> None:
    """Let `peak_of_process` begin anew, where the system allows it."""
    if os.access("/proc/self/clear_refs", os.W_OK):
        with open("/proc/self/clear_refs", "w") as control:
            control.write("5")
