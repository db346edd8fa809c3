"""Calling a function on several threads; kernels release the interpreter while they run."""

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Argument = TypeVar("Argument")
Result = TypeVar("Result")


def number_of_threads(threads: int | None) -> int:
    """Return how many threads to work on; ``None`` for as many as there are cores to run on."""
    return len(os.sched_getaffinity(0)) if threads is None else threads


def on_threads(
    function: Callable[[Argument], Result], arguments: Iterable[Argument], threads: int
) -> list[Result]:
    """Return what a function returns for each argument, in their order.

    One thread is this one, and none is started.

    Examples
    --------
    >>> on_threads(abs, [-1, 2, -3], threads=2)
    [1, 2, 3]
    """
    if threads == 1:
        return [function(argument) for argument in arguments]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(function, arguments))
