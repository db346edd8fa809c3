"""What `pytopo train` and `pytopo experiment` share: their options, and what goes wrong.

``--set TABLE.NAME=VALUE`` reaches any value of a configuration from the command line.
"""

import argparse
import copy
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from pytopo.cli.options import count, positive
from pytopo.cli.report import InputError, reporting_errors, reporting_system_errors

Setting = tuple[list[str], Any]  # the names that lead to a value, and the value


def add_settings(parser: argparse.ArgumentParser) -> None:
    """Add the options that both commands have in common."""
    parser.add_argument(
        "--set", action="append", metavar="KEY=VALUE", type=setting,
        help="a value of [data], [network], [training] or [loss], like loss.warmup=3",
    )  # fmt: skip
    parser.add_argument(
        "--data", action="append", metavar="PATH",
        help="file in the CREMI layout, folder with image/ and label/, or "
        "raw.h5:/raw,labels.h5:/labels; several are joined",
    )  # fmt: skip
    parser.add_argument(
        "--invert", action="store_true", default=None, help="labels mark the interior of cells"
    )
    parser.add_argument("--epochs", type=positive, metavar="N", help="of each run (10)")
    parser.add_argument(
        "--device", metavar="NAME",
        help="cpu or cuda (that of --config, or a GPU where there is one)",
    )  # fmt: skip
    parser.add_argument(
        "--workers", type=count, default=0, metavar="N", help="processes that cut patches (0)"
    )


def configured(
    args: argparse.Namespace, default: Mapping[str, Any], options: Mapping[str, tuple[str, str]]
) -> dict[str, Any]:
    """Return tables of values: of ``--config``, then ``--set``, then the options.

    Parameters
    ----------
    args : argparse.Namespace
    default : mapping
        The tables without ``--config``.
    options : mapping of str to (str, str)
        The table and the name of each value that has an option of its own.
    """
    from pytopo.training.config import read_tables

    tables = read_tables(args.config) if args.config else dict(default)
    tables.pop("device", None)  # of this machine, see `device_of`
    given: list[Setting] = [
        ([table, name], getattr(args, option))
        for option, (table, name) in options.items()
        if getattr(args, option) is not None
    ]
    return with_settings(tables, [*(args.set or []), *given])


def setting(text: str) -> Setting:
    """Parse ``table.name=value``; a value that is not TOML is text.

    Examples
    --------
    >>> setting("loss.dims=[1]"), setting("network.name=plain")
    ((['loss', 'dims'], [1]), (['network', 'name'], 'plain'))
    """
    key, equals, value = text.partition("=")
    names = key.split(".")
    if not equals or len(names) < 2 or not all(names):
        raise argparse.ArgumentTypeError(f"{text!r}; expected TABLE.NAME=VALUE")
    try:
        return names, tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return names, value


def with_settings(tables: Mapping[str, Any], settings: Iterable[Setting]) -> dict[str, Any]:
    """Return tables in which values are set; the given tables stay as they are.

    Raises
    ------
    ValueError
        If a name that should lead to a value is itself a value, not a table.

    Examples
    --------
    >>> with_settings({"loss": {"ramp": 1}}, [(["loss", "warmup"], 2)])
    {'loss': {'ramp': 1, 'warmup': 2}}
    """
    result = copy.deepcopy(dict(tables))
    for names, value in settings:
        table = result
        for name in names[:-1]:
            table = table.setdefault(name, {})
            if not isinstance(table, dict):
                raise ValueError(f"--set {'.'.join(names)}: {name} is a value, not a table")
        table[names[-1]] = value
    return result


def device_of(args: argparse.Namespace) -> str | None:
    """Return the device of ``--device``, else of ``--config``; refuse one that is missing here.

    ``None`` stands for a GPU where there is one.
    """
    from pytopo.training.config import read_tables
    from pytopo.training.prediction import checked_device

    name = args.device
    with reporting_errors():
        if name is None and args.config:
            name = read_tables(args.config).get("device")
        if name is not None:
            checked_device(name)
    return name


@contextmanager
def reporting_training_errors(where: str = "", advice: str = "") -> Iterator[None]:
    """Turn the errors of a training run into a `InputError`.

    These are errors of the system, of sections that only training reads, and a loss that is
    not finite; the message of the last one stands between ``where`` and ``advice``.
    """
    from pytopo.data.patches import PatchError
    from pytopo.training.loop import NotFinite

    try:
        with reporting_system_errors():
            yield
    except PatchError as error:
        raise InputError(error.reason) from None
    except NotFinite as error:
        raise InputError(f"{where}{error}{advice}") from None
