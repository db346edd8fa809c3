"""Arguments, checked the same way wherever they are taken.

NumPy's scalars, and arrays without axes, are accepted like Python's own numbers.  True and
False are not numbers.
"""

import math
import operator
from numbers import Real

import numpy as np
from numpy.typing import ArrayLike, NDArray


def integer(value: object) -> int | None:
    """Return an integer as an int, and None for anything else.

    Examples
    --------
    >>> integer(np.uint8(3)), integer(np.array(3)), integer(3.0), integer(True)
    (3, 3, None, None)
    """
    try:
        number = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        return None
    return None if np.asarray(value).dtype == bool else number


def integers(value: object) -> list[int] | None:
    """Return one integer or several as a list, and None if something else is among them.

    Examples
    --------
    >>> integers(1), integers((np.int8(0), 2)), integers([0, 0.5]), integers("01")
    ([1], [0, 2], None, None)
    """
    one = integer(value)
    if one is not None:
        return [one]
    try:
        numbers = [integer(item) for item in value]  # type: ignore[attr-defined]
    except TypeError:
        return None
    found = [number for number in numbers if number is not None]
    return found if len(found) == len(numbers) else None


def real(value: object) -> float | None:
    """Return a real number as a float, infinite if it is too large, and None for others.

    Examples
    --------
    >>> real(np.float32(0.5)), real(np.array(2)), real(10**400), real(1j), real(False)
    (0.5, 2.0, inf, None, None)
    """
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value[()]
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, Real):
        return None
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf  # type: ignore[operator]


def whole_number(value: object, name: str, least: int | None = 0) -> int:
    """Return an integer as an int; ``least`` is None where any will do.

    Raises
    ------
    TypeError
        If it is not an integer.
    ValueError
        If it is less than ``least``.
    """
    number = integer(value)
    if number is None or (least is not None and number < least):
        error = TypeError if number is None else ValueError
        limit = "" if least is None else f" of at least {least}"
        raise error(f"{name} is {value!r}; expected a whole number{limit}")
    return number


def flag(value: object, name: str) -> bool:
    """Return a bool of Python or NumPy as a bool.

    Raises
    ------
    TypeError
        If it is not a bool.
    """
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value[()]
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name} is {value!r}; expected True or False")
    return bool(value)


def at_least(value: object, name: str, least: float) -> float:
    """Return a real number as a float.

    Raises
    ------
    TypeError
        If it is not a number.
    ValueError
        If it is less than ``least``, or NaN.
    """
    number = real(value)
    if number is None:
        raise TypeError(f"{name} is {value!r}; expected a number")
    if not number >= least:
        raise ValueError(f"{name} is {value!r}; expected a number of at least {least:g}")
    return number


def is_weight(value: object) -> bool:
    """Return whether something is a finite number of at least 0.

    Examples
    --------
    >>> is_weight(np.float32(0.5)), is_weight(-1), is_weight(math.inf), is_weight("1")
    (True, False, False, False)
    """
    number = real(value)
    return number is not None and 0 <= number < math.inf


def checked_construction(value: object) -> str:
    """Return "V" or "T".

    Raises
    ------
    ValueError
        If it is neither.
    """
    if not isinstance(value, str) or value not in ("V", "T"):
        raise ValueError(f'construction is {value!r}; expected "V" or "T"')
    return value


def unmasked(values: ArrayLike, name: str) -> NDArray:
    """Return values as an array, unless some are masked; not copied if they are an array.

    Raises
    ------
    TypeError
        If some are masked.
    """
    if np.ma.is_masked(values):
        raise TypeError(f"{name} has masked pixels; fill them first, e.g. {name}.filled(0)")
    return np.asarray(values)
