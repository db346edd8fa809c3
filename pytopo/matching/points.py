"""The points of a diagram: an (n, 2) array of births and deaths, checked."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pytopo.notes import number_text

LIMIT = 1e150  # values below it have finite squares


def points_of(points: ArrayLike, name: str) -> NDArray[np.float64]:
    """Return points as (n, 2) float64, or say what is wrong with them."""
    try:
        array = np.asarray(points)
    except ValueError as error:
        raise ValueError(f"{name} has rows of unequal length; expected (n, 2)") from error
    if array.dtype.kind not in "biuf":
        kind = type(points).__name__ if array.dtype == object else array.dtype
        raise TypeError(f"{name} is made of {kind}; expected numbers, like diagram.points(1)")
    if array.shape == (0,):
        return np.empty((0, 2))
    if array.ndim != 2 or array.shape[1] != 2:
        raise ValueError(f"{name} has shape {array.shape}; expected (n, 2), birth and death")
    array = array.astype(np.float64)
    if np.isnan(array).any():
        row = np.isnan(array).any(axis=1).argmax()
        raise ValueError(f"{name}[{row}] is {_text(array[row])}; expected birth and death")
    return array


def finite_points(points: ArrayLike, name: str) -> NDArray[np.float64]:
    """Return finite points as (n, 2) float64, or say what is wrong with them."""
    array = points_of(points, name)
    beyond = (np.abs(array) >= LIMIT).any(axis=1)
    if beyond.any():
        row = beyond.argmax()
        raise ValueError(
            f"{name}[{row}] is {_text(array[row])}; expected finite values below {LIMIT:g}, "
            "like those of diagram.select(finite=True)"
        )
    return array


def _text(point: NDArray) -> str:
    return f"({', '.join(map(number_text, point))})"
