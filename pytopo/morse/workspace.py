"""Memory for the large arrays of a computation: parts of a few blocks, some of which are kept.

The system allocates memory in pages and clears each when it is first touched.  For arrays that
are allocated in every call that is up to a third of the time.  Blocks are so large that NumPy
requests pages of 2 MB instead of 4 KB, and the first block of a computation is kept for the
next, which may run on another thread: those of a batch live as long as its call.
"""

import math
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import DTypeLike, NDArray

BLOCK_BYTES = 2**25  # of these the system allocates only the pages that are touched
ALIGNMENT = 64

MOST_KEPT = 4  # blocks, for as many threads

_kept: deque[NDArray[np.uint8]] = deque(maxlen=MOST_KEPT)


class Workspace:
    """Allocates arrays in a block until it is full, and then in a new one."""

    def __init__(self, block: NDArray[np.uint8]) -> None:
        self._block = block
        self._used = 0

    def empty(self, shape: int | tuple[int, ...], dtype: DTypeLike) -> NDArray:
        """Return an array like `numpy.empty`, which must not outlive the computation."""
        dtype = np.dtype(dtype)
        size = (shape if isinstance(shape, int) else math.prod(shape)) * dtype.itemsize
        if self._used + size > self._block.size:
            self._block = np.empty(max(size, BLOCK_BYTES), np.uint8)
            self._used = 0
        part = self._block[self._used : self._used + size]
        self._used += size + -size % ALIGNMENT
        return part.view(dtype).reshape(shape)

    def full(self, shape: int | tuple[int, ...], value: int, dtype: DTypeLike) -> NDArray:
        """Return an array like `numpy.full`."""
        array = self.empty(shape, dtype)
        array.fill(value)
        return array

    @contextmanager
    def lent(self) -> Iterator[None]:
        """Return a context at whose end the room that was taken in it is free again."""
        block, used = self._block, self._used
        yield
        self._block, self._used = block, used


@contextmanager
def workspace() -> Iterator[Workspace]:
    """Return a context with memory for one computation; its arrays must not outlive it.

    Examples
    --------
    >>> with workspace() as space:
    ...     space.full((2, 3), 7, "int32").sum()
    np.int64(42)
    """
    # Taken out as long as it is used, so that no other computation gets the same block.
    try:
        block = _kept.pop()  # atomic: no other thread can get the same
    except IndexError:
        block = np.empty(BLOCK_BYTES, np.uint8)
    try:
        yield Workspace(block)
    finally:
        _kept.append(block)
