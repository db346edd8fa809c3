"""Many images: a function of each, on threads, on processes, or on a cluster.

    images -> function(image), several at a time -> results, in the order of the images

`Sections` are sent as what they are, names of files and numbers, so each worker opens files of
its own; any other image is read here, when its turn comes, and sent.  No more are under way
than keep the workers busy.
"""

import pickle
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from pytopo.data.sections import Sections
from pytopo.options import whole_number
from pytopo.threads import number_of_threads

if TYPE_CHECKING:
    from distributed import Client

Result = TypeVar("Result")
Submit = Callable[..., Any]  # as of an executor: returns a future

AHEAD = 2  # images for each worker that are begun before their results are asked for
MISSING = "needs Dask, which is not installed: pip install 'pytopo-toolkit[dask]'"


def map_images(
    function: Callable[[Any], Result],
    images: Sections | Iterable[Any],
    *,
    scheduler: "str | Client" = "threads",
    workers: int | None = None,
) -> Iterator[Result]:
    """Call a function on each of many images, several at a time.

    Parameters
    ----------
    function : function
        Of one image.  Processes import it, or receive its code; what it returns comes back
        to this process, so let it return diagrams or numbers rather than images.
    images : Sections or iterable
        Of `pytopo.data.Sections` the function takes a `Section`, image and ground truth, and
        each worker opens the files itself: it must find them under the same names.  Of
        anything else the items are taken one after the other, and sent to the workers: the
        planes of an array, a memory map, an HDF5 data set or a zarr array; pairs of images;
        or names of files, which the function then reads.
    scheduler : {"threads", "processes"}, str or distributed.Client
        Threads of this process.  Processes of this machine, or the address of a Dask
        scheduler, ``tcp://host:8786``, or a client that is connected to one (extra ``dask``).
    workers : int or None
        How many threads or processes; None for as many as there are cores.  A scheduler
        that runs already has its own.

    Yields
    ------
    result
        Of each image, in their order.  Once it is not asked for more, what has begun is
        cancelled, and the processes that were started here end.

    Raises
    ------
    TypeError, ValueError
        If there is no such scheduler, ``workers`` is not a whole number of at least 1 or is
        given for a scheduler that runs already, or ``images`` is a text.
    ImportError
        If Dask is not installed and needed.
    OSError
        If the scheduler does not answer; if workers end again and again at the same image,
        as they do for lack of memory.  A worker that ends once changes nothing: its images
        go to another one.
    Exception
        What the function raises, when the turn of that image comes.

    Examples
    --------
    Cells of each section, and the Betti number error of each prediction:

    >>> import pytopo.large
    >>> from pytopo.data import synthetic_sections
    >>> sections = synthetic_sections(3, 64)
    >>> def cells(section):
    ...     return pytopo.metrics.betti_numbers(section.truth, frame=True)[1]
    >>> all(n > 0 for n in pytopo.large.map_images(cells, sections, workers=2))
    True
    >>> volume = np.random.default_rng(0).random((3, 20, 30))
    >>> list(pytopo.large.map_images(pytopo.persistence, volume)) == (
    ...     pytopo.persistence_batch(volume)
    ... )
    True
    """
    if isinstance(images, (str, bytes)):
        raise TypeError(
            f"images is the text {images!r}; expected Sections, as pytopo.data.open_sections "
            "returns them, or several images"
        )
    count = None if workers is None else whole_number(workers, "workers", 1)
    if scheduler == "threads":
        return _on_threads(function, images, number_of_threads(count))
    _check_scheduler(scheduler, count)
    return _on_dask(function, images, scheduler, count)


def _on_threads(
    function: Callable[[Any], Result], images: Sections | Iterable[Any], threads: int
) -> Iterator[Result]:
    with ThreadPoolExecutor(threads) as pool:
        for future in _in_order(pool.submit, _tasks(function, images), lambda: threads):
            yield future.result()


def _on_dask(
    function: Callable[[Any], Result],
    images: Sections | Iterable[Any],
    scheduler: "str | Client",
    workers: int | None,
) -> Iterator[Result]:
    with connected(scheduler, workers) as client:
        from distributed.scheduler import KilledWorker

        if isinstance(images, Sections):  # once to each worker, and again if it dies
            shared = client.submit(pickle.loads, pickle.dumps(images), pure=False)
            tasks: Iterable[tuple] = (
                (_of_section, function, shared, k) for k in range(len(images))
            )
        else:
            tasks = _tasks(function, images)

        def threads() -> int:  # workers come and go
            return max(sum(client.nthreads().values()), 1)

        for number, future in enumerate(_in_order(_submit(client), tasks, threads)):
            try:
                yield future.result()
            except KilledWorker:
                raise ChildProcessError(
                    f"image {number}: each worker that took it ended; expected more memory "
                    "for each, as with fewer workers, or smaller images"
                ) from None
            except CancelledError:
                raise ConnectionError(
                    f"image {number}: the scheduler is gone; expected it to run until the end"
                ) from None


def _submit(client: "Client") -> Submit:
    """Return the method that submits tasks, without Dask's advice against large ones."""
    import dask

    def submit(*task: Any) -> Any:
        with dask.config.set({"distributed.admin.large-graph-warning-threshold": "1 PiB"}):
            return client.submit(*task, pure=False)

    return submit


def _tasks(
    function: Callable[[Any], Result], images: Sections | Iterable[Any]
) -> Iterator[tuple]:
    """Yield a function and its arguments for each image."""
    if isinstance(images, Sections):
        yield from ((_of_section, function, images, k) for k in range(len(images)))
        return
    yield from ((function, image) for image in _planes(images))


def _planes(images: Any) -> Iterable[Any]:
    if not hasattr(images, "shape"):
        return images
    return (np.asarray(images[k]) for k in range(images.shape[0]))  # zarr's are no iterables


def _of_section(function: Callable[[Any], Result], sections: Sections, k: int) -> Result:
    return function(sections[k])


def _in_order(
    submit: Submit, tasks: Iterable[tuple], workers: Callable[[], int]
) -> Iterator[Any]:
    """Yield the futures of tasks in their order, and submit others while they are awaited."""
    running: deque[Any] = deque()
    try:
        for task in tasks:
            running.append(submit(*task))
            if len(running) >= AHEAD * workers():
                yield running.popleft()
        while running:
            yield running.popleft()
    finally:
        for future in running:
            future.cancel()


# ---- Dask ----------------------------------------------------------------------------------


def _check_scheduler(scheduler: "str | Client", workers: int | None) -> None:
    """Refuse what is no scheduler; errors as `map_images`."""
    if isinstance(scheduler, str) and scheduler != "processes" and "://" not in scheduler:
        raise ValueError(
            f"scheduler is {scheduler!r}; expected 'threads', 'processes' or an address like "
            "tcp://host:8786"
        )
    try:
        from distributed import Client
    except ImportError:
        raise ImportError(f"scheduler {scheduler!r} {MISSING}") from None
    if not isinstance(scheduler, (str, Client)):
        raise TypeError(
            f"scheduler is {type(scheduler).__name__}; expected a text or a distributed.Client"
        )
    if workers is not None and scheduler != "processes":
        raise ValueError(
            f"workers is {workers}, for a scheduler that has workers of its own; expected None"
        )


@contextmanager
def connected(scheduler: "str | Client", workers: int | None = None) -> "Iterator[Client]":
    """Provide a client of a scheduler, and for ``"processes"`` the processes themselves."""
    from distributed import Client, LocalCluster

    if isinstance(scheduler, Client):
        yield scheduler
    elif scheduler == "processes":
        with (
            LocalCluster(
                n_workers=number_of_threads(workers),
                threads_per_worker=1,
                processes=True,
                dashboard_address=":0",
            ) as cluster,
            Client(cluster, set_as_default=False) as client,
        ):
            yield client
    else:
        with Client(scheduler, set_as_default=False) as client:
            yield client
