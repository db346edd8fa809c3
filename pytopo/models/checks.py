"""What a network refuses: options and inputs that it cannot take.

Options may come from a checkpoint of unknown origin, so every number has an upper limit too.
"""

from collections.abc import Sequence

from torch import Tensor

from pytopo.options import integer


def checked_number(name: str, value: object, least: int, most: int) -> int:
    """Return a whole number in a range as an int, which a checkpoint can hold.

    Raises
    ------
    ValueError
        If an option is something else.

    Examples
    --------
    >>> checked_number("width", 8, 1, 1024)
    8
    >>> checked_number("width", 0, 1, 1024)
    Traceback (most recent call last):
    ValueError: width=0; expected a whole number from 1 to 1024
    """
    number = integer(value)
    if number is None or not least <= number <= most:
        raise ValueError(f"{name}={value!r}; expected a whole number from {least} to {most}")
    return number


def check_choice(name: str, value: object, choices: Sequence[object]) -> None:
    """Raise ValueError if an option is none of its choices."""
    if value not in choices:
        raise ValueError(f"{name}={value!r}; expected one of {', '.join(map(str, choices))}")


def check_images(images: Tensor, size: int | None = None, channels: int = 1) -> None:
    """Raise ValueError if this is not a batch of images of the right size and channels."""
    side = ("H", "W") if size is None else (size, size)
    _, found, height, width = images.shape if images.ndim == 4 else (0, 0, 0, 0)
    fits = size is None or (height, width) == side
    if found != channels or not (fits and height and width):
        raise ValueError(
            f"images of shape {tuple(images.shape)}; expected "
            f"(B, {channels}, {side[0]}, {side[1]})"
        )
