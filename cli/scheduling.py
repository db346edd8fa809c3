"""``--scheduler`` and ``--workers``: where the images of a command are computed."""

import argparse
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from pytopo.cli import options
from pytopo.cli.report import reporting_system_errors
from pytopo.cli.workers import client_of

OF_PARSER = ("run", "usage_error", "default_of")  # what no other process needs


def add_scheduler(group: "argparse._ArgumentGroup", what: str) -> None:
    """Add the options that share out images, called ``what``, among workers."""
    group.add_argument(
        "--scheduler", metavar="WHERE",
        help=f"compute {what} at the same time: on threads, on processes, or on the cluster "
        "of a Dask scheduler by its address, tcp://HOST:8786 (extra dask)",
    )  # fmt: skip
    group.add_argument(
        "--workers", type=options.positive, metavar="N",
        help="how many threads or processes; alone, it means processes (default: as many as "
        "there are cores)",
    )  # fmt: skip


def check_scheduler(args: argparse.Namespace) -> None:
    """End with a usage error if there is no such scheduler."""
    where = args.scheduler
    if where in (None, "threads", "processes"):
        return
    if "://" not in where:
        args.usage_error(
            f"--scheduler {where}: expected threads, processes or an address like "
            "tcp://host:8786"
        )
    if args.workers is not None:
        args.usage_error(f"--workers: the scheduler {where} has workers of its own")


def is_shared(args: argparse.Namespace) -> bool:
    """Return whether several images are computed at the same time."""
    return args.scheduler is not None or args.workers is not None


def shared_out(
    function: Callable[..., Any], images: Iterable[Any], args: argparse.Namespace
) -> Iterator[Any]:
    """Yield ``function(image, options)`` of each image, computed where the options say."""
    known = {name: value for name, value in vars(args).items() if name not in OF_PARSER}
    alone = argparse.Namespace(**known)
    if not is_shared(args):
        yield from (function(image, alone) for image in images)
        return
    from pytopo.large import map_images

    of_options = _OfOptions(function, alone)
    if args.scheduler == "threads":
        yield from map_images(of_options, images, workers=args.workers)
        return
    with client_of(_place(args)) as client, reporting_system_errors():
        yield from map_images(of_options, images, scheduler=client)


def _place(args: argparse.Namespace) -> argparse.Namespace:
    """Return the options of processes: their number, and no scheduler."""
    from pytopo.threads import number_of_threads

    if args.scheduler not in (None, "processes"):
        return args
    workers = number_of_threads(args.workers)
    return argparse.Namespace(scheduler=None, workers=workers, memory=args.memory)


class _OfOptions:
    """A function of an image and options, with the options filled in; it can be sent."""

    def __init__(self, function: Callable[..., Any], args: argparse.Namespace) -> None:
        self._function, self._args = function, args

    def __call__(self, image: Any) -> Any:
        return self._function(image, self._args)
