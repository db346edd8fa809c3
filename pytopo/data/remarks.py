"""Notes on data while it is read: each kind once, as a warning.

For a folder of a thousand colour pictures there is one warning, not a thousand.  Whether
images use little of their range, and whether there is any membrane, cannot be judged from a
single patch.
"""

import re
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from pytopo.images.scaling import range_notes
from pytopo.notes import warn_of

ENOUGH = 2**18  # pixels of windows to judge from; a whole section is enough, too


class Remarks:
    """The notes that have been given on the sections of one or several sources.

    Examples
    --------
    >>> import warnings
    >>> remarks = Remarks()
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     remarks.warn("1.png", ["16 of 64 pixels dropped"])
    ...     remarks.warn("2.png", ["9 of 64 pixels dropped", "alpha dropped"])
    >>> [str(warning.message) for warning in caught]
    ['1.png: 16 of 64 pixels dropped', '2.png: alpha dropped']
    """

    def __init__(self) -> None:
        self._given: set[str] = set()

    def warn(self, where: str, notes: Iterable[str]) -> None:
        """Warn of the notes that differ from all earlier ones by more than numbers."""
        for note in notes:
            kind = re.sub(r"-?[0-9]+(\.[0-9]+)?", "#", note)
            if kind not in self._given:
                self._given.add(kind)
                warn_of([note], where, stacklevel=4)


class Watch:
    """Statistics of the sections of one source, collected window by window.

    Parameters
    ----------
    remarks : Remarks
        Through which notes are given.

    Examples
    --------
    >>> import warnings
    >>> watch = Watch(Remarks())
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     watch.truth("cells.h5", np.zeros((8, 8), bool), whole=True)
    >>> [str(warning.message) for warning in caught]
    ['cells.h5: a ground truth without membrane, in all of 64 pixels']
    """

    def __init__(self, remarks: Remarks) -> None:
        self.remarks = remarks
        self._low, self._high = np.inf, -np.inf
        self._range_pixels = 0
        self._truth_pixels = 0
        self._has_membrane = False

    def image(self, where: str, image: NDArray, dtype: np.dtype, whole: bool) -> None:
        """Add pixels on [0, 1] that were stored in a dtype; `whole`: of a whole section."""
        if dtype.kind not in "iu" or self._range_pixels >= ENOUGH:
            return
        self._low = min(self._low, float(image.min()))
        self._high = max(self._high, float(image.max()))
        self._range_pixels += image.size
        if whole or self._range_pixels >= ENOUGH:
            self._range_pixels = ENOUGH if self._high > self._low else 0
            self.remarks.warn(where, range_notes(self._high - self._low, dtype))

    def truth(self, where: str, truth: NDArray, whole: bool) -> None:
        """Add membranes; `whole`: of a whole section, which is enough to judge."""
        if self._has_membrane:
            return
        self._has_membrane = bool((truth > 0).any())
        self._truth_pixels += truth.size
        if not self._has_membrane and (whole or self._truth_pixels >= ENOUGH):
            self.remarks.warn(
                where,
                [f"a ground truth without membrane, in all of {self._truth_pixels} pixels"],
            )
