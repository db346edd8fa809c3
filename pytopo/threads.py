"""Calling a function on several threads; kernels release the interpreter while they run."""

import math
import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path, PurePosixPath
from typing import TypeVar

from pytopo.options import integer

Argument = TypeVar("Argument")
Result = TypeVar("Result")

MOST_THREADS = 1024  # more have no core of their own, and an image is cut for each


def number_of_threads(threads: int | None) -> int:
    """Return the number of threads to use; ``None`` for as many as there are cores.

    Cores are those that this process may run on, as far as the system says: as restricted by
    ``taskset``, a scheduler, or the limits of a container.  More than `MOST_THREADS` count as
    `MOST_THREADS`; the result is the same.

    Raises
    ------
    ValueError
        If it is not a whole number, or less than 1.

    Examples
    --------
    >>> number_of_threads(3)
    3
    """
    if threads is None:
        return int(min(_cores(), _cores_of_container()))
    number = integer(threads)
    if number is None or number < 1:
        raise ValueError(
            f"threads is {threads!r}; expected a whole number of at least 1, or None"
        )
    return min(number, MOST_THREADS)


def _cores() -> int:
    """Return how many cores the system lets this process run on."""
    if hasattr(os, "process_cpu_count"):  # since Python 3.13
        return os.process_cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):  # neither macOS nor Windows has it
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@cache
def _cores_of_container(
    groups: Path = Path("/proc/self/cgroup"), mounts: Path = Path("/sys/fs/cgroup")
) -> float:
    """Return how many cores the control groups of Linux leave to this process, rounded up.

    A group may use ``quota`` microseconds of CPU time in each ``period``, and so may each
    group that contains it.  Version 2 has both in one file, version 1 in two.  Files that
    cannot be read, as on other systems, set no limit.
    """
    try:
        lines = groups.read_text().splitlines()
    except (OSError, ValueError):
        return math.inf
    least = math.inf
    for line in lines:
        _, controllers, path = [*line.split(":", 2), "", ""][:3]
        if controllers and "cpu" not in controllers.split(","):
            continue
        group = PurePosixPath(path.lstrip("/"))
        for place in (group, *group.parents):
            for mount in {"", "cpu", controllers} if controllers else {"", "unified"}:
                least = min(least, _quota(mounts / mount / place))
    return max(1, math.ceil(least)) if least < math.inf else least


def _quota(group: Path) -> float:
    """Return how many cores a control group may keep busy."""
    for names in (("cpu.max",), ("cpu.cfs_quota_us", "cpu.cfs_period_us")):
        try:
            quota, period = " ".join((group / name).read_text() for name in names).split()
            if int(quota) > 0:  # -1, in version 1, is no limit
                return int(quota) / int(period)
        except (OSError, ValueError, ZeroDivisionError):  # not there, or "max"
            continue
    return math.inf


class Workers:
    """Threads that are started once and used several times.

    Examples
    --------
    >>> with Workers(2) as workers:
    ...     workers.each(abs, [-1, 2, -3])
    [1, 2, 3]
    """

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self._pool = ThreadPoolExecutor(threads) if threads > 1 else None

    def __enter__(self) -> "Workers":
        return self

    def __exit__(self, *exception: object) -> None:
        if self._pool is not None:
            self._pool.shutdown()

    def each(
        self, function: Callable[[Argument], Result], arguments: Iterable[Argument]
    ) -> list[Result]:
        """Return what a function returns for each argument, in their order.

        With one thread, the caller's own is used and none is started.
        """
        if self._pool is None:
            return [function(argument) for argument in arguments]
        return list(self._pool.map(function, arguments))


def on_threads(
    function: Callable[[Argument], Result], arguments: Iterable[Argument], threads: int
) -> list[Result]:
    """Return what a function returns for each argument, in their order.

    Examples
    --------
    >>> on_threads(abs, [-1, 2, -3], threads=2)
    [1, 2, 3]
    """
    with Workers(threads) as workers:
        return workers.each(function, arguments)
