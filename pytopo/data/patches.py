"""Patches: small windows of sections at random places, image and ground truth together.

Patch ``k`` depends only on the seed and on ``k``, the number of the patch in the whole run.
It is the same in every process and in every order:

    k -> visit = k // per_section -> (epoch, turn) = divmod(visit, sections)
                                  -> section = order of the epoch [turn]
    k -> place, symmetry and other changes

So the patches of an epoch are a range of numbers, a run that is resumed gets the same
patches, and the number of workers of a DataLoader makes no difference.
"""

from collections.abc import Iterator
from operator import index

import numpy as np
from numpy.typing import NDArray

from pytopo.data.augmentation import Augmentation
from pytopo.data.remarks import Remarks, Watch
from pytopo.data.sections import Sections

ORDER, PLACE = 0, 1  # two streams of random numbers


class PatchError(ValueError):
    """A section cannot be read where a patch lies, which may be found late in a run."""

    @property
    def reason(self) -> str:
        """The last line: a data loader puts the traceback of its worker before it."""
        return str(self).splitlines()[-1].removeprefix(f"{__name__}.{type(self).__name__}: ")


class Patches:
    """Random patches of sections, a data set for a torch DataLoader.

    Every epoch visits every section once, in a random order.  All places of a section are
    equally likely, blank ones too.

    Parameters
    ----------
    sections : Sections
    size : int
        Rows and columns of a patch.
    seed : int
        At least 0.
    per_section : int
        Patches of each visit to a section.
    augment : bool
        Rotate and flip: all 8 symmetries of the square, equally likely.
    augmentation : Augmentation or None
        What else is changed at random; None for nothing.

    Raises
    ------
    ValueError
        If there are no sections, if one is smaller than a patch, or if a number is out of
        its range.

    Warns
    -----
    InputWarning
        Once, when many patches have been cut and none of them has membrane.

    Examples
    --------
    >>> from pytopo.data import ArraySections
    >>> noise = np.random.default_rng(0).random((3, 80, 90))
    >>> patches = Patches(ArraySections(noise, noise > 0.5), size=65, per_section=2)
    >>> image, truth = patches[4]
    >>> image.shape, image.dtype, bool(((image > 0.5) == truth).all())
    ((1, 65, 65), dtype('float32'), True)
    >>> len(patches), patches.epoch(1)
    (6, range(6, 12))
    """

    def __init__(
        self,
        sections: Sections,
        *,
        size: int = 65,
        seed: int = 0,
        per_section: int = 1,
        augment: bool = True,
        augmentation: Augmentation | None = None,
    ) -> None:
        for name, number, least in (
            ("size", size, 1), ("per_section", per_section, 1), ("seed", seed, 0),
        ):  # fmt: skip
            if isinstance(number, bool) or index(number) < least:
                raise ValueError(f"{name}={number}; expected a whole number, at least {least}")
        if not len(sections):
            raise ValueError("no sections to cut patches from; expected at least one")
        for i in range(len(sections)):
            height, width = sections.shape_of(i)
            if min(height, width) < size:
                raise ValueError(
                    f"{sections.name(i)} has {height} x {width} pixels; expected at least "
                    f"{size} x {size} for a patch, use a smaller size"
                )
        self.sections = sections
        self.size = index(size)
        self.seed = index(seed)
        self.per_section = index(per_section)
        self.augment = augment
        self.augmentation = augmentation or Augmentation()
        self._watch = Watch(Remarks())

    def __len__(self) -> int:
        """Return the number of patches per epoch."""
        return len(self.sections) * self.per_section

    def epoch(self, number: int) -> range:
        """Return the numbers of the patches of an epoch, counted from 0."""
        number = index(number)
        return range(number * len(self), (number + 1) * len(self))

    def __iter__(self) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32]]]:
        """Go through the first epoch."""
        return (self[k] for k in self.epoch(0))

    def section_of(self, k: int) -> int:
        """Return the number of the section that contains patch ``k``."""
        epoch, turn = divmod(index(k) // self.per_section, len(self.sections))
        return int(self._random(ORDER, epoch).permutation(len(self.sections))[turn])

    def __getitem__(self, k: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return a patch.

        Parameters
        ----------
        k : int
            Its number in the whole run, at least 0 and without upper limit.

        Returns
        -------
        image, truth : (1, size, size) float32
            In [0, 1]; the ground truth is 1 where there is membrane, and -1 where it is to be
            ignored.  An image in colour is
            (3, size, size).
        """
        k = index(k)
        if k < 0:
            raise IndexError(f"patch {k}; expected a number of at least 0")
        i, random = self.section_of(k), self._random(PLACE, k)
        height, width = self.sections.shape_of(i)
        row = int(random.integers(height - self.size + 1))
        column = int(random.integers(width - self.size + 1))
        window = slice(row, row + self.size), slice(column, column + self.size)
        try:
            section = self.sections.read(i, *window)
        except (TypeError, ValueError) as error:
            raise PatchError(str(error)) from None
        self._watch.truth("patches", section.truth, whole=False)
        symmetry = int(random.integers(8)) if self.augment else 0
        changed = self.augmentation.applied(*section, random)
        image, truth = (_turned(pixels, symmetry) for pixels in changed)
        return image, truth

    def _random(self, stream: int, number: int) -> np.random.Generator:
        return np.random.default_rng(
            np.random.SeedSequence(self.seed, spawn_key=(stream, number))
        )


def _turned(pixels: NDArray, symmetry: int) -> NDArray[np.float32]:
    """Pixels after 0 to 3 quarter turns, and flipped from symmetry 4 on, (channels, s, s)."""
    turned = np.rot90(pixels, symmetry % 4)
    flipped = turned[:, ::-1] if symmetry >= 4 else turned
    channels = np.moveaxis(flipped.reshape(*flipped.shape[:2], -1), -1, 0)
    # Of one pixel a view has negative strides and is contiguous all the same.
    return np.array(channels, np.float32, order="C")
