"""Whoever does the tasks: their results arrive one by one, and an error cancels the rest.

With a client of `distributed`, results are fetched as they are finished, and then forgotten by
the worker, so that neither has to hold all of them.  With threads and processes, Dask returns
everything at the end.
"""

import sys
from collections.abc import Callable, Sequence
from typing import Any

import dask
from dask.base import get_scheduler
from dask.callbacks import Callback
from dask.delayed import Delayed


def gathered(
    parts: Sequence[Delayed],
    last: Delayed,
    take: Callable[..., None],
    finished: Callable[[str], None],
) -> Any:
    """Compute tasks, and hand over what each of some returns, in any order.

    Parameters
    ----------
    parts : sequence of Delayed
        Each returns a tuple, the arguments of ``take``.
    last : Delayed
    take : function
    finished : function
        Called with the key of each task that is finished, unless a client of `distributed` has
        them run, of which only ``parts`` are heard of.

    Returns
    -------
    result : object
        What ``last`` returns.
    """
    client = getattr(get_scheduler(), "__self__", None)
    distributed = sys.modules.get("distributed")
    if distributed is not None and isinstance(client, distributed.Client):
        return _by_client(client, parts, last, take)
    with Callback(posttask=lambda key, *_: finished(str(key))):
        found, result = dask.compute(list(parts), last)
    for arguments in found:
        take(*arguments)
    return result


def _by_client(
    client: Any, parts: Sequence[Delayed], last: Delayed, take: Callable[..., None]
) -> Any:
    from distributed import as_completed

    *futures, end = client.compute([*parts, last])
    try:
        for future, arguments in as_completed(futures, with_results=True):
            take(*arguments)
            future.release()
        return end.result()
    except BaseException:
        client.cancel([*futures, end])
        raise
