"""The options of the topological loss, checked: frame, weights of the dimensions, scale."""

from collections.abc import Iterable, Mapping

import numpy as np

from pytopo.options import integers, is_weight, real

REDUCTIONS = ("mean", "sum", "none")
MATCHINGS = ("wasserstein", "betti")
NORMALIZATIONS = (None, "pixels", "targets")

Dims = int | Iterable[int] | Mapping[int, float] | None


def checked_frame(frame: float | bool | None, superlevel: bool) -> float | None:
    """Return the value of the frame: foreground is bright, or dark in sublevel."""
    if frame is None or isinstance(frame, (bool, np.bool_)):
        return float(superlevel) if frame else None
    number = real(frame)
    if number is None:
        raise TypeError(f"frame is {frame!r}; expected a number, True, False or None")
    if not np.isfinite(number):
        raise ValueError(f"frame is {frame!r}; expected a finite number, like those of images")
    return number


def checked_weights(dims: Dims) -> dict[int, float] | None:
    """Return the weight of each dimension, by ascending dimension; None if all have 1."""
    if dims is None:
        return None
    if isinstance(dims, Mapping):
        weights = dict(dims)
    else:
        weights = dict.fromkeys(dims if isinstance(dims, Iterable) else [dims], 1.0)
    known = integers(list(weights))
    if not known or not set(known) <= {0, 1, 2}:
        raise ValueError(f"dims is {dims!r}; expected some of 0, 1, 2, or a weight for each")
    if not all(is_weight(w) for w in weights.values()):
        raise ValueError(f"dims is {dims!r}; expected weights that are finite and at least 0")
    return {int(d): float(weights[d]) for d in sorted(weights)}


def one_of(value: object, name: str, choices: tuple[object, ...]) -> None:
    """Refuse a value that is none of the choices.

    Raises
    ------
    ValueError
    """
    if value not in choices:
        raise ValueError(f"{name} is {value!r}; expected one of {', '.join(map(str, choices))}")
