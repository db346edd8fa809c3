"""Sections: a sequence of images with their ground truth, read when they are used.

    Sections[i]            the section i, a Section
    Sections[a:b]          some of them, again Sections; nothing is read
    Sections.read(i, r, c) a window of a section: no more is read than it needs
    joined([a, b])         those of a, then those of b
    split_blocks(a)        blocks to train on, to choose by, to report on

A class that reads some kind of file provides the number of sections, their shapes and names,
and a way to read a window.  The rest is here.
"""

from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from operator import index
from typing import NamedTuple, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pytopo.data.ignored import Truth, checked_ignored, read_mask
from pytopo.data.remarks import Remarks
from pytopo.images.scaling import clipped_to_unit, scaled
from pytopo.notes import number_text

WHOLE = slice(None)


class Section(NamedTuple):
    """An image and its ground truth.

    Attributes
    ----------
    image : (H, W) float32
        In [0, 1]; in colour (H, W, 3).
    truth : (H, W) bool or int8
        True where there is membrane: the foreground that a network learns.  Where labels may
        mark pixels to ignore, int8: 1, 0, and -1 for pixels without ground truth.
    """

    image: NDArray[np.float32]
    truth: Truth


class Sections(ABC):
    """A sequence of sections of tissue, which may differ in shape."""

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def _shape(self, i: int) -> tuple[int, int]:
        """The shape of section ``i``, from 0 on, without reading pixels."""

    @abstractmethod
    def _name(self, i: int) -> str:
        """The name of section ``i`` in messages."""

    @abstractmethod
    def _window(self, i: int, rows: slice, columns: slice) -> Section:
        """A window of section ``i``; the slices are bounded and not empty."""

    def _share(self, remarks: Remarks) -> None:  # noqa: B027 - arrays have no remarks
        """Share notes with other sections, so that each kind is given once."""

    def shape_of(self, i: int) -> tuple[int, int]:
        """Return rows and columns of a section, without reading its pixels."""
        return self._shape(self._index(i))

    def name(self, i: int) -> str:
        """Return the name of a section in messages, like ``cells.h5 section 3``."""
        return self._name(self._index(i))

    def read(self, i: int, rows: slice = WHOLE, columns: slice = WHOLE) -> Section:
        """Read a section, or a window of it.

        Parameters
        ----------
        i : int
            Number of the section; negative numbers count from the end.
        rows, columns : slice
            Of the window, without steps; the result is that part of the whole section.

        Raises
        ------
        IndexError
            If there is no section ``i``.
        ValueError
            If the window is empty or has steps, or if the file holds no image in [0, 1] or
            no ground truth there.
        """
        i = self._index(i)
        window = [
            _bounded(pick, length) for pick, length in zip((rows, columns), self._shape(i))
        ]
        if None in window:
            height, width = self._shape(i)
            raise ValueError(
                f"{self._name(i)}: the window rows {_shown(rows)}, columns {_shown(columns)} "
                f"has steps or no pixel; expected a part of {height} x {width} pixels"
            )
        return self._window(i, *(pick for pick in window if pick is not None))

    @overload
    def __getitem__(self, key: int) -> Section: ...
    @overload
    def __getitem__(self, key: slice) -> "Sections": ...
    def __getitem__(self, key: int | slice) -> "Section | Sections":
        if isinstance(key, slice):
            return _Chosen(self, range(*key.indices(len(self))))
        return self.read(key)

    def __iter__(self) -> Iterator[Section]:
        return (self.read(i) for i in range(len(self)))

    def _index(self, i: int) -> int:
        i = index(i)
        if not -len(self) <= i < len(self):
            raise IndexError(f"no section {i}; there are {len(self)}, counted from 0")
        return i % len(self)


def _bounded(pick: slice, length: int) -> slice | None:
    start, stop, step = pick.indices(length)
    return slice(start, stop) if step == 1 and start < stop else None


def _shown(pick: slice) -> str:
    ends = ["" if end is None else str(end) for end in (pick.start, pick.stop)]
    return ":".join(ends if pick.step is None else [*ends, str(pick.step)])


# ---- sections made of sections -----------------------------------------------------------


class _Chosen(Sections):
    """Some sections of others."""

    def __init__(self, sections: Sections, numbers: range) -> None:
        self._sections = sections
        self._numbers = numbers

    def __len__(self) -> int:
        return len(self._numbers)

    def _shape(self, i: int) -> tuple[int, int]:
        return self._sections.shape_of(self._numbers[i])

    def _name(self, i: int) -> str:
        return self._sections.name(self._numbers[i])

    def _window(self, i: int, rows: slice, columns: slice) -> Section:
        return self._sections.read(self._numbers[i], rows, columns)


class Joined(Sections):
    """The sections of several sources, one source after the other."""

    def __init__(self, parts: Sequence[Sections]) -> None:
        self._parts = list(parts)
        self._starts = [0, *accumulate(map(len, parts))]

    def __len__(self) -> int:
        return self._starts[-1]

    def _share(self, remarks: Remarks) -> None:
        for part in self._parts:
            part._share(remarks)

    def _place(self, i: int) -> tuple[Sections, int]:
        part = bisect_right(self._starts, i) - 1
        return self._parts[part], i - self._starts[part]

    def _shape(self, i: int) -> tuple[int, int]:
        part, number = self._place(i)
        return part.shape_of(number)

    def _name(self, i: int) -> str:
        part, number = self._place(i)
        return part.name(number)

    def _window(self, i: int, rows: slice, columns: slice) -> Section:
        part, number = self._place(i)
        return part.read(number, rows, columns)


def joined(parts: Sequence[Sections]) -> Sections:
    """Return the sections of several sources, one source after the other; nothing is read.

    Raises
    ------
    ValueError
        If there are none to join.

    Examples
    --------
    >>> one = ArraySections(np.zeros((2, 8, 8)), np.zeros((2, 8, 8), bool))
    >>> two = ArraySections(np.ones((3, 9, 9)), np.ones((3, 9, 9), bool))
    >>> both = joined([one, two])
    >>> len(both), both.shape_of(1), both.shape_of(2)
    (5, (8, 8), (9, 9))
    """
    if not parts:
        raise ValueError("nothing to join; expected at least one sequence of sections")
    return Joined(parts)


def split_blocks(
    sections: Sections, train: float = 0.7, validation: float = 0.15, test: float = 0.15
) -> tuple[Sections, Sections, Sections]:
    """Split into three blocks of neighbouring sections, in this order.

    Neighbours look alike: if sections were picked at random, the held-out ones would resemble
    those of training.  For blocks from each of several volumes, split each and join.

    Parameters
    ----------
    sections : Sections
    train, validation, test : float
        Shares, at least 0, with the sum 1.  Each block with a share above 0 has at least one
        section.

    Raises
    ------
    ValueError
        If a share is negative or their sum is not 1, or if there are fewer sections than
        blocks.

    Examples
    --------
    >>> volume = ArraySections(np.zeros((30, 4, 4)), np.zeros((30, 4, 4), bool))
    >>> [len(block) for block in split_blocks(volume)]
    [21, 5, 4]
    """
    shares = (train, validation, test)
    if not (all(share >= 0 for share in shares) and abs(sum(shares) - 1) < 1e-6):
        raise ValueError(
            f"train={train}, validation={validation}, test={test}; expected shares of at "
            "least 0 that sum to 1"
        )
    total = len(sections)
    counts = [int(share > 0) for share in shares]
    if total < sum(counts):
        raise ValueError(
            f"{total} sections for {sum(counts)} blocks; expected at least one for each, "
            "use more sections or give a block the share 0"
        )
    while sum(counts) < total:  # to the block that is furthest below its share
        missing = [share * total - count for share, count in zip(shares, counts)]
        counts[missing.index(max(missing))] += 1
    _, one, two, _ = accumulate(counts, initial=0)
    return sections[:one], sections[one:two], sections[two:]


# ---- sections in memory ------------------------------------------------------------------


class ArraySections(Sections):
    """Sections of arrays in memory.

    Parameters
    ----------
    images : (D, H, W) ndarray or sequence of (H, W) ndarray
        Integers and bools are scaled to [0, 1] by the range of their dtype; floats must be
        in [0, 1].  In colour (D, H, W, 3) or a sequence of (H, W, 3).
    truths : (D, H, W) ndarray or sequence of (H, W) ndarray
        Masks.  Membrane is what is not 0, see `pytopo.images.masks.mask_of`.
    name : str
        Their name in messages.
    ignore : int, iterable of int or None
        Values of truths that mark pixels without ground truth.

    Raises
    ------
    ValueError
        If there are none, if an image and its ground truth have different shapes or not two
        axes, or if a ground truth is not a mask.
    TypeError
        If an image or a ground truth holds values other than real numbers.

    Examples
    --------
    >>> sections = ArraySections(np.full((1, 2, 2), 51, np.uint8), np.eye(2, dtype=bool)[None])
    >>> sections[0].image
    array([[0.2, 0.2],
           [0.2, 0.2]], dtype=float32)
    """

    def __init__(
        self,
        images: Sequence[ArrayLike] | NDArray,
        truths: Sequence[ArrayLike] | NDArray,
        name: str = "array",
        *,
        ignore: int | Iterable[int] | None = None,
    ) -> None:
        left_out = checked_ignored(ignore)
        self._images = [np.asarray(image) for image in images]
        masks = [np.asarray(truth) for truth in truths]
        self._label = name
        if not self._images or len(self._images) != len(masks):
            raise ValueError(
                f"{name}: {len(self._images)} images and {len(masks)} truths; expected the "
                "same number of both, and at least one"
            )
        for i, (image, truth) in enumerate(zip(self._images, masks)):
            flat = image.ndim == 2 or image.shape[2:] == (3,)
            if not flat or image.shape[:2] != truth.shape or not image.size:
                raise ValueError(
                    f"{self._name(i)}: image of shape {image.shape}, truth of {truth.shape}; "
                    "expected the same shape (H, W) for both"
                )
        self._truths = [
            read_mask(truth, f"{self._name(i)}: truth", left_out)[0]
            for i, truth in enumerate(masks)
        ]

    def __len__(self) -> int:
        return len(self._images)

    def _shape(self, i: int) -> tuple[int, int]:
        height, width = self._images[i].shape[:2]
        return height, width

    def _name(self, i: int) -> str:
        return f"{self._label} section {i}"

    def _window(self, i: int, rows: slice, columns: slice) -> Section:
        image = unit_image(self._images[i][rows, columns], self._name(i))
        return Section(image, self._truths[i][rows, columns].copy())


# ---- from stored pixels to an image ------------------------------------------------------


def unit_image(stored: NDArray, where: str) -> NDArray[np.float32]:
    """Return stored pixels as float32 in [0, 1], a copy.

    Parameters
    ----------
    stored : ndarray
        Integers and bools are scaled by the range of their dtype, as by
        `pytopo.read_image`; floats must be in [0, 1], but for a rounding error.
    where : str
        Their name in messages.

    Raises
    ------
    ValueError
        If a float is not in [0, 1]; if scaling would merge two values of 64 bits.
    TypeError
        If they are not real numbers.

    Examples
    --------
    >>> unit_image(np.array([[0, 51, 255]], np.uint8), "here")
    array([[0. , 0.2, 1. ]], dtype=float32)
    """
    if stored.dtype.kind not in "biuf":
        raise TypeError(f"{where}: image of dtype {stored.dtype}; expected integers or floats")
    if stored.dtype.kind != "f":
        try:
            return scaled(stored).astype(np.float32)
        except ValueError as error:
            raise ValueError(f"{where}: {error}; save fewer bits") from None
    clipped = clipped_to_unit(stored)
    if clipped is None:
        outside = stored[~((stored >= 0) & (stored <= 1))]
        value = outside[np.abs(outside - 0.5).argmax()]  # NaN, or what is furthest away
        raise ValueError(
            f"{where}: a pixel of a float image is {number_text(value)}; expected [0, 1], "
            "scale it or store it as uint8"
        )
    return clipped.astype(np.float32)
