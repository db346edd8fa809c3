"""A run is described by four tables of plain values, read from and written as TOML.

    [data]      the sections, in blocks   [training]  seed, epochs, batches, learning rate
    [network]   which network             [loss]      weights of the terms, warm-up

Every value has a default; an unknown name is refused.
"""

import dataclasses
import json
import math
import os
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, get_type_hints

import numpy as np

from pytopo.notes import one_line
from pytopo.training.loop import TrainingConfig
from pytopo.training.objective import LossConfig


@dataclass(frozen=True)
class DataConfig:
    """The sections to learn from, to choose by and to report on.

    Attributes
    ----------
    paths : list of str
        As `pytopo.data.open_sections` takes them; an empty list for a synthetic volume.
    invert : bool
        Labels are masks of the interior of cells, not of the membranes.
    ids : bool
        Labels of folders and pairs are ids of cells, as those of CREMI always are.
    background : list of int
        Ids that mean no cell, such as 0 or -1; an empty list for 2^64 - 1 in CREMI files, and
        0 and 2^64 - 1 elsewhere.
    ignore : list of int
        Labels that mark pixels without ground truth, such as 255; an empty list for none.
    colour : bool
        Pictures in colour stay red, green and blue, for a network with ``channels = 3``;
        otherwise their luminance is taken.
    border : float
        Width of membranes derived from labels: greatest distance to a label boundary.
    border_unit : {"pixels", "nm"}
    train, validation, test : str
        Blocks of sections, like "0:20".  All three, or none: then the last fifth is held out
        for the report, and the fifth before it is for choosing.
    sections, side, seed : int
        Of the synthetic volume.
    """

    paths: list[str] = field(default_factory=list)
    invert: bool = False
    ids: bool = False
    background: list[int] = field(default_factory=list)
    ignore: list[int] = field(default_factory=list)
    colour: bool = False
    border: float = 1.0
    border_unit: str = "pixels"
    train: str = ""
    validation: str = ""
    test: str = ""
    sections: int = 30
    side: int = 256
    seed: int = 0

    def __post_init__(self) -> None:
        if self.border < 0:
            raise ValueError(f"border is {self.border!r}; expected at least 0")
        if self.border_unit not in ("pixels", "nm"):
            raise ValueError(f'border_unit is {self.border_unit!r}; expected "pixels" or "nm"')
        if self.seed < 0:
            raise ValueError(f"seed is {self.seed!r}; expected at least 0")
        for name, least in (("sections", 1), ("side", 16)):
            if getattr(self, name) < least:
                raise ValueError(
                    f"{name} is {getattr(self, name)!r}; expected at least {least}"
                )


@dataclass(frozen=True)
class NetworkConfig:
    """Which network, see `pytopo.models.build`.

    Attributes
    ----------
    name : str
    options : dict
        Of that network.
    weights : str
        A checkpoint whose weights it starts with; empty for random weights.
    published : str
        For "vgg19": the file of the published ImageNet weights, or "download";
        empty for random weights.
    """

    name: str = "unet"
    options: dict[str, Any] = field(default_factory=dict)
    weights: str = ""
    published: str = ""


@dataclass(frozen=True)
class RunConfig:
    """The configuration of a run: all of its values."""

    data: DataConfig = field(default_factory=DataConfig)
    network: NetworkConfig = field(default_factory=NetworkConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)
    loss: LossConfig = field(default_factory=LossConfig)


Tables = Mapping[str, Mapping[str, Any]]


def config_of(tables: Tables) -> RunConfig:
    """Return the configuration that tables of values describe.

    Raises
    ------
    TypeError, ValueError
        If a table or a name is unknown, or a value has the wrong type or is impossible.

    Examples
    --------
    >>> config_of({"training": {"epochs": 3}}).training.epochs
    3
    >>> config_of({"training": {"epoch": 3}})  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    ValueError: training.epoch is unknown; expected one of seed, epochs, patches, ...
    """
    kinds = get_type_hints(RunConfig)
    for name, table in tables.items():
        if name not in kinds:
            raise ValueError(f"[{name}] is unknown; expected {', '.join(kinds)}")
        if not isinstance(table, Mapping):
            raise TypeError(f"{name} is {table!r}; expected a table, [{name}]")
    return RunConfig(**{name: _table(name, kinds[name], tables[name]) for name in tables})


def _table(name: str, kind: type, values: Mapping[str, Any]) -> Any:
    types = get_type_hints(kind)
    checked = {}
    for key, value in values.items():
        if key not in types:
            raise ValueError(f"{name}.{key} is unknown; expected one of {', '.join(types)}")
        checked[key] = _value(f"{name}.{key}", types[key], value)
    try:
        return kind(**checked)
    except (TypeError, ValueError) as error:
        raise type(error)(f"[{name}] {error}") from None


def _value(name: str, kind: Any, value: Any) -> Any:
    """Return a value as the type that is expected; a whole number is a float too."""
    origin = getattr(kind, "__origin__", kind)
    if isinstance(value, np.generic):
        value = value.item()
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{name} is {value}; expected a finite number")
    if not isinstance(value, origin) or (kind is int and isinstance(value, bool)):
        raise TypeError(f"{name} is {value!r}; expected {_WORDS[origin]}")
    if origin is list:
        (item,) = kind.__args__
        return [_value(f"{name}[{i}]", item, v) for i, v in enumerate(value)]
    return dict(value) if origin is dict else value


_WORDS = {
    int: "a whole number",
    float: "a number",
    str: "text",
    bool: "true or false",
    list: "a list",
    dict: "a table",
}


def read_tables(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read the tables of a TOML file.

    Raises
    ------
    OSError
        If it cannot be read.
    ValueError
        If it is not TOML.
    """
    try:
        with open(path, "rb") as stream:
            return tomllib.load(stream)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(one_line(f"{os.fsdecode(path)}: not TOML: {error}")) from None


def merged(*parts: Tables) -> dict[str, dict[str, Any]]:
    """Return tables in which later parts win, value by value.

    Examples
    --------
    >>> merged({"loss": {"ramp": 1, "warmup": 2}}, {"loss": {"ramp": 3}})
    {'loss': {'ramp': 3, 'warmup': 2}}
    """
    result: dict[str, dict[str, Any]] = {}
    for part in parts:
        for name, table in part.items():
            result.setdefault(name, {}).update(table)
    return result


def tables_of(config: RunConfig) -> dict[str, dict[str, Any]]:
    """Return the tables of a configuration, defaults included: the inverse of `config_of`."""
    return dataclasses.asdict(config)


MAY_CHANGE = ("training.epochs",)  # when a run is resumed


def changes(
    before: RunConfig, now: RunConfig, may_change: Collection[str] = MAY_CHANGE
) -> list[str]:
    """Return the differences of two configurations of a run that are not allowed.

    Examples
    --------
    >>> before = config_of({"training": {"seed": 3}})
    >>> changes(before, config_of({"training": {"epochs": 99}}))
    ['training.seed is 0 and was 3']
    """
    old, new = tables_of(before), tables_of(now)
    return [
        f"{table}.{name} is {_toml(value)} and was {_toml(old[table][name])}"
        for table, values in new.items()
        for name, value in values.items()
        if value != old[table][name] and f"{table}.{name}" not in may_change
    ]


def as_toml(tables: Tables) -> str:
    """Return tables as TOML; what `tomllib` reads back is equal.

    Examples
    --------
    >>> print(as_toml({"network": {"name": "unet", "options": {"width": 8}}}))
    [network]
    name = "unet"
    options = {width = 8}
    <BLANKLINE>
    """
    blocks = []
    for name, table in tables.items():
        lines = [f"{key} = {_toml(value)}" for key, value in table.items()]
        blocks.append("\n".join([f"[{name}]", *lines]) + "\n")
    return "\n".join(blocks)


def _toml(value: Any) -> str:
    if isinstance(value, Mapping):
        inside = ", ".join(f"{key} = {_toml(item)}" for key, item in value.items())
        return f"{{{inside}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    # JSON writes text, numbers and booleans as TOML does, except for this character
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
