"""From likelihood to mask: what is small goes, by persistence or by size, beside a threshold.

    likelihood -> simplified -> above the threshold -> without small objects -> mask

Both are cheap, and strong competitors of every topological loss.  By size a speck goes if it
has few pixels, by persistence if it hardly stands out from what is around it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pytopo.features.simplification import simplify
from pytopo.metrics.evaluation import cleaned


@dataclass(frozen=True)
class Decision:
    """How a likelihood becomes a mask.

    Attributes
    ----------
    threshold : float
        The mask is where the likelihood is greater.
    smallest : int
        Then components of the foreground, and of the background, with fewer pixels go.
    min_persistence : float
        Before, components and holes of the likelihood with less persistence go.

    Examples
    --------
    A speck of 0.8 on a background of 0.6 goes by persistence, and the bright wall stays:

    >>> likelihood = np.full((3, 4), 0.6)
    >>> likelihood[1, 1], likelihood[:, 3] = 0.8, 0.9
    >>> Decision(threshold=0.7).mask(likelihood).astype(int)
    array([[0, 0, 0, 1],
           [0, 1, 0, 1],
           [0, 0, 0, 1]])
    >>> Decision(threshold=0.7, min_persistence=0.25).mask(likelihood).astype(int)
    array([[0, 0, 0, 1],
           [0, 0, 0, 1],
           [0, 0, 0, 1]])
    """

    threshold: float = 0.5
    smallest: int = 0
    min_persistence: float = 0.0

    def mask(
        self, likelihood: NDArray, construction: str = "V", *, frame: bool = True
    ) -> NDArray[np.bool_]:
        """Return the mask of a likelihood.

        Parameters
        ----------
        likelihood : (H, W) or (D, H, W) ndarray of floats in [0, 1]
        construction : {"V", "T"}
            How foreground and background are connected, as in `pytopo.persistence`.
        frame : bool
            A frame of foreground closes what runs off the border, so that it has persistence.

        Raises
        ------
        TypeError, ValueError
            As `pytopo.simplify` and `pytopo.metrics.evaluation.cleaned`.
        """
        simple = self.simplified(likelihood, construction, frame=frame)
        return self.cut(simple, construction)

    def simplified(
        self, likelihood: NDArray, construction: str = "V", *, frame: bool = True
    ) -> NDArray:
        """Return the likelihood without what is less persistent: the first step of `mask`."""
        if self.min_persistence == 0:
            return likelihood
        return simplify(
            likelihood, self.min_persistence, superlevel=True, construction=construction,
            frame=1.0 if frame else None,
        )  # fmt: skip

    def cut(self, simple: NDArray, construction: str = "V") -> NDArray[np.bool_]:
        """Return the mask of what `simplified` returned: the other steps of `mask`."""
        mask = simple > self.threshold
        if self.smallest == 0:
            return mask
        return cleaned(mask, smallest=self.smallest, construction=construction)
