"""Who computes the tiles: this process, worker processes here, or a cluster that Dask knows.

nothing asked           one tile after the other, in this process
--workers 4             processes on this machine
--scheduler tcp://...   the workers of a scheduler that runs already
"""

import argparse
import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from pytopo.cli import options
from pytopo.cli.interrupt import deaf, undone_at_interrupt
from pytopo.cli.report import InputError

if TYPE_CHECKING:
    from pytopo.large.sources.source import Source

WAIT = 10  # seconds for a scheduler to answer
SETTINGS = {
    "distributed.logging.distributed": "critical",
    "distributed.comm.timeouts.connect": "120s",  # on a busy machine processes start slowly
    # Dask pauses a worker near its limit until memory gets free.  Tiles leave little to free,
    # so all workers could wait forever; at the limit they are replaced, as before.
    "distributed.worker.memory.pause": False,
}


def add_workers(group: "argparse._ArgumentGroup") -> None:
    """Add the options that say who computes."""
    group.add_argument(
        "--workers", type=options.positive, metavar="N",
        help="compute tiles in N processes (extra dask)",
    )  # fmt: skip
    group.add_argument(
        "--scheduler", metavar="ADDRESS",
        help="have the workers of a Dask scheduler compute, like tcp://host:8786; IMAGE and "
        "--out have to be in places that all of them see (extra dask)",
    )  # fmt: skip


@contextmanager
def working(args: argparse.Namespace) -> Iterator[bool]:
    """Start what computes, and end it; yields whether that is Dask."""
    if args.workers is None and args.scheduler is None:
        yield False
        return
    with client_of(args), one_line_of_dead_workers():
        yield True


@contextmanager
def client_of(args: argparse.Namespace) -> Iterator[Any]:
    """Connect to a scheduler, or start processes and connect to theirs, and end it all."""
    with ExitStack() as ending:
        client = _client(args, ending)
        with undone_at_interrupt(lambda: _abandon(client)):
            yield client


def _abandon(client: Any) -> None:
    """Cancel all tasks: a scheduler drops those of a client that is gone."""
    from multiprocessing import util

    try:
        client.close(timeout=2)
    finally:
        finalize = util._run_finalizers  # type: ignore[attr-defined]
        finalize(0)  # or its semaphores are reported as leaked


def _client(args: argparse.Namespace, ending: ExitStack) -> Any:
    try:
        import dask
        import distributed
    except ImportError:
        raise InputError(
            "--workers and --scheduler need the package distributed: "
            "pip install 'pytopo-toolkit[dask]'"
        ) from None
    ending.enter_context(dask.config.set(SETTINGS))
    if args.scheduler is not None:
        try:
            client = distributed.Client(args.scheduler, timeout=WAIT)
        except (OSError, ValueError, TypeError) as error:
            raise InputError(
                f"--scheduler {args.scheduler}: no Dask scheduler answers there ({error})"
            ) from None
        return ending.enter_context(client)
    limit = "auto" if args.memory is None else args.memory // args.workers
    with deaf():
        cluster = ending.enter_context(
            distributed.LocalCluster(
                n_workers=args.workers, threads_per_worker=1, processes=True,
                dashboard_address=":0", memory_limit=limit, silence_logs=logging.CRITICAL,
            )
        )  # fmt: skip
    return ending.enter_context(distributed.Client(cluster))


@contextmanager
def one_line_of_dead_workers() -> Iterator[None]:
    """Say in one line that workers died again and again at the same tile."""
    from distributed.scheduler import KilledWorker

    try:
        yield
    except KilledWorker as error:
        raise InputError(
            f"{error.allowed_failures + 1} workers died at the same tile, {error.task}; it may "
            "take more memory than they have, try smaller --chunks"
        ) from None


def array_of(source: "Source", side: int) -> Any:
    """Return a source as a `dask.array` whose chunks are tiles."""
    import dask.array as da
    import numpy as np

    meta = np.empty((0,) * source.ndim, source.dtype)
    return da.from_array(source, chunks=side, meta=meta)


def counted(line: Any) -> Callable[[int, int], None]:
    """Return a function that sets how much of a line of progress is done."""

    def count(done: int, total: int) -> None:
        line.total, line.done = total, done

    return count
