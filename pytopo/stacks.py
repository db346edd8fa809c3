"""Images of one shape and dtype form a stack: what the algorithms take in one call.

    images, options -> checked -> stacks -> parts for threads

The options that hold for a whole batch are checked once, those that depend on the shape of an
image, dimensions and the algorithm, once per stack.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pytopo.options import at_least, checked_construction, flag, integers
from pytopo.order import checked_image, checked_values, frame_value

ALGORITHMS = ("auto", "reduction", "morse")
PART_PIXELS = 2**20  # about how many pixels of a batch are processed together


@dataclass(frozen=True)
class Options:
    """The options that all images of a batch share, checked once."""

    dims: int | Iterable[int] | None
    superlevel: bool
    construction: str
    frame: float | bool | None
    min_persistence: float
    algorithm: str

    def __post_init__(self) -> None:
        if isinstance(self.dims, Iterator):  # to be gone through once for each shape
            object.__setattr__(self, "dims", tuple(self.dims))
        flag(self.superlevel, "superlevel")
        checked_construction(self.construction)
        at_least(self.min_persistence, "min_persistence", 0)
        if not isinstance(self.algorithm, str) or self.algorithm not in ALGORITHMS:
            known = " or ".join(f'"{name}"' for name in ALGORITHMS)
            raise ValueError(f"algorithm is {self.algorithm!r}; expected {known}")


@dataclass(frozen=True, eq=False)
class Stack:
    """Images of one shape and dtype, and what of the options depends on them, all checked."""

    values: NDArray  # (B, W), (B, H, W) or (B, D, H, W), C-contiguous
    frames: list[int | np.floating | None]
    dims: tuple[int, ...]
    algorithm: str


def stack_of(values: NDArray, name: str, options: Options) -> Stack:
    """Return images of one shape as a stack.

    Parameters
    ----------
    values : (B, W), (B, H, W) or (B, D, H, W) ndarray
        C-contiguous, checked by `pytopo.order.checked_image` or `checked_values`.
    name : str
        What an error calls the first image.
    options : Options

    Raises
    ------
    TypeError, ValueError
        If an option is impossible for images of this shape or dtype.
    """
    shape = values.shape[1:]
    return Stack(
        values,
        [frame_value(image, options.frame, options.superlevel) for image in values],
        checked_dims(options.dims, shape, name),
        chosen_algorithm(options.algorithm, shape, name),
    )


def stacks_of(
    images: NDArray | Sequence[ArrayLike], options: Options
) -> tuple[list[int], list[Stack]]:
    """Group the images of a batch by shape and dtype.

    Returns
    -------
    places : list of int
        The place in the batch of each image of each stack, in order.
    stacks : list of Stack

    Raises
    ------
    TypeError, ValueError
        As `pytopo.persistence_batch`.
    """
    if isinstance(images, np.ndarray):
        if images.ndim not in (3, 4):
            raise ValueError(
                f"images has shape {images.shape}; expected (B, H, W), (B, D, H, W) or a list "
                "of images (for a single image: persistence)"
            )
        if images.size == 0 and len(images) > 0:
            raise ValueError(f"images has shape {images.shape} and no pixel; expected some")
        values = np.ascontiguousarray(checked_values(images, "images"))
        stacks = [stack_of(values, "images[0]", options)] if len(images) else []
        return list(range(len(images))), stacks

    checked = [checked_image(image, f"images[{i}]") for i, image in enumerate(images)]
    alike: dict[object, list[int]] = {}
    for i, values in enumerate(checked):
        alike.setdefault((values.shape, values.dtype), []).append(i)
    stacks = [
        stack_of(np.stack([checked[i] for i in group]), f"images[{group[0]}]", options)
        for group in alike.values()
    ]
    return [i for group in alike.values() for i in group], stacks


def parts_of(stack: Stack, threads: int) -> list[Stack]:
    """Divide a stack into parts of about equal size, for threads."""
    count = len(stack.values)
    parts = count if stack.algorithm == "reduction" else stack.values.size // PART_PIXELS
    return [
        replace(stack, values=stack.values[a:b], frames=stack.frames[a:b])
        for a, b in even_parts(count, max(threads, parts))
    ]


def even_parts(count: int, parts: int) -> list[tuple[int, int]]:
    """Divide a number of images into parts of about equal size, none empty.

    Examples
    --------
    >>> even_parts(5, 2), even_parts(2, 3)
    ([(0, 2), (2, 5)], [(0, 1), (1, 2)])
    """
    bounds = np.linspace(0, count, min(count, parts) + 1).astype(int)
    return list(pairwise(bounds.tolist()))


def checked_dims(
    dims: int | Iterable[int] | None, shape: tuple[int, ...], name: str
) -> tuple[int, ...]:
    """Return the dimensions in ascending order, checked."""
    if dims is None:
        return tuple(range(len(shape)))
    several = integers(dims)
    if not several or not all(0 <= d < len(shape) for d in several):
        raise ValueError(
            f"dims is {dims!r}; expected dimensions from 0 to {len(shape) - 1}, "
            f"because {name} has shape {shape}"
        )
    return tuple(sorted(set(several)))


def chosen_algorithm(algorithm: str, shape: tuple[int, ...], name: str) -> str:
    """Return "morse" or "reduction".

    The fast algorithm numbers pixels in 32 bits, its margin included: exterior and frame add up
    to four to each axis.
    """
    rows = 3 if len(shape) == 1 else 1  # a single axis lies between two rows of exterior
    fast = math.prod(shape) < 2**30 and rows * math.prod(n + 4 for n in shape) < 2**31
    if algorithm == "morse" and not fast:
        raise ValueError(
            f'algorithm is "morse", which takes less than 2^30 pixels, and {name} has shape '
            f'{shape}; expected "auto" or "reduction"'
        )
    if algorithm == "auto":
        return "morse" if fast else "reduction"
    return algorithm
