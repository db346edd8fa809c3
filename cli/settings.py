"""``--set TABLE.NAME=VALUE``: reach any value of a configuration from the command line."""

import argparse
import copy
import tomllib
from collections.abc import Iterable, Mapping
from typing import Any

Setting = tuple[list[str], Any]  # the names on the way to a value, and the value


def setting(text: str) -> Setting:
    """Take ``table.name=value``; a value that is not TOML is text.

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
    """Return tables in which values are set; the tables given stay as they are.

    Raises
    ------
    ValueError
        If a name on the way is a value, not a table.

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
