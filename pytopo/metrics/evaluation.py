"""All metrics of one prediction, as training and the command report them.

    prediction, truth   masks of the membranes
        -> pixels, Betti numbers of the whole and of patches      pytopo.metrics
        -> cells between the membranes -> VOI, Rand error
        -> Evaluation

Several evaluations have a mean.  `cleaned` is a simple baseline for every topological method:
it removes small components.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from pytopo.images.background import BACKGROUND
from pytopo.metrics.betti import betti_error, neighbours, patch_betti_error
from pytopo.metrics.inputs import checked_mask, checked_masks
from pytopo.metrics.label_images import adapted_rand_error, segments, variation_of_information
from pytopo.metrics.pixels import dice, pixel_accuracy
from pytopo.options import checked_construction, flag, whole_number

__all__ = ["Evaluation", "cleaned", "evaluate", "mean_evaluation"]


COLUMNS = (
    "pixel_accuracy", "dice",
    "betti_0", "betti_1", "betti_2", "betti",
    "patch_betti_0", "patch_betti_1", "patch_betti_2", "patch_betti",
    "voi_split", "voi_merge", "voi", "adapted_rand",
)  # fmt: skip


@dataclass(frozen=True)
class Evaluation:
    """The metrics of a prediction, as plain numbers.

    Attributes
    ----------
    pixel_accuracy, dice : float
        Of the masks; the best value is 1, for all other metrics 0.
    betti_0, betti_1 : float
        Betti number error of the whole image: components, and holes or tunnels.
    patch_betti_0, patch_betti_1 : float
        The same as a mean over random patches.
    voi_split, voi_merge : float
        Variation of Information of the cells, in bits.
    adapted_rand : float
        Adapted Rand error of the cells.
    betti_2, patch_betti_2 : float or None
        Of volumes: voids.
    """

    pixel_accuracy: float
    dice: float
    betti_0: float
    betti_1: float
    patch_betti_0: float
    patch_betti_1: float
    voi_split: float
    voi_merge: float
    adapted_rand: float
    betti_2: float | None = None
    patch_betti_2: float | None = None

    @property
    def betti(self) -> float:
        """Betti number error of the whole image, all dimensions."""
        return self.betti_0 + self.betti_1 + (self.betti_2 or 0)

    @property
    def patch_betti(self) -> float:
        """Mean Betti number error of the patches, all dimensions."""
        return self.patch_betti_0 + self.patch_betti_1 + (self.patch_betti_2 or 0)

    @property
    def voi(self) -> float:
        """Variation of Information of the cells, in bits."""
        return self.voi_split + self.voi_merge

    def row(self) -> dict[str, float]:
        """Return all numbers by name, sums included, in the order of a table.

        Examples
        --------
        >>> ring = np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]])
        >>> found = evaluate(ring, ring).row()
        >>> list(found)[:5]
        ['pixel_accuracy', 'dice', 'betti_0', 'betti_1', 'betti']
        >>> found["dice"], found["betti"], found["voi"]
        (1.0, 0.0, 0.0)
        """
        named = {name: getattr(self, name) for name in COLUMNS}
        return {name: value for name, value in named.items() if value is not None}


def evaluate(
    prediction: ArrayLike,
    truth: ArrayLike,
    *,
    labels: ArrayLike | None = None,
    background: int | Iterable[int] | None = None,
    construction: str = "V",
    patch: int = 65,
    patches: int = 100,
    seed: int = 0,
    frame: bool = True,
    ignore: ArrayLike | None = None,
    ignore_index: int | None = None,
) -> Evaluation:
    """Evaluate a mask of membranes against the ground truth.

    Variation of Information and Rand error compare the cells, the components between the
    membranes; pixels on the membranes of the ground truth do not count, and the membranes of
    the prediction are one more segment.

    Parameters
    ----------
    prediction, truth : array_like, (H, W) or (D, H, W)
        Membranes are the foreground: booleans, or 0 and one other value; one shape.
    labels : array_like of integers or None
        The true cells where they are known; None for the components of ``truth``.
    background : int, iterable of int or None
        Ids of ``labels`` on membranes, as in `pytopo.metrics.variation_of_information`.
    construction : {"V", "T"}
        Membranes are connected over sides (V) or over corners too (T), and cells the other
        way round.
    patch, patches, seed : int
        Side, number and seed of the patches, as in `pytopo.metrics.patch_betti_error`.
    frame : bool
        Take the Betti numbers, of the whole image and of the patches, with a frame of
        foreground.
    ignore : array_like of bool, or None
        True where there is no ground truth.  Such pixels do not count; between cells and in
        Betti numbers both masks get the same value there, foreground with a frame, background
        without.
    ignore_index : int or None
        The value of ``truth`` that means the same.

    Raises
    ------
    TypeError, ValueError
        As the functions of `pytopo.metrics`; ValueError if the ground truth has no cell.

    Examples
    --------
    A wall between two cells has a gap:

    >>> truth = np.ones((5, 9), int)
    >>> truth[1:4, 1:4] = truth[1:4, 5:8] = 0
    >>> prediction = truth.copy()
    >>> prediction[2, 4] = 0
    >>> found = evaluate(prediction, truth)
    >>> found.betti_0, found.betti_1, found.voi_split, found.voi_merge
    (0.0, 1.0, 0.0, 1.0)
    """
    masks = checked_masks(prediction, truth, ignore, ignore_index, "truth")
    filled = masks.filled(flag(frame, "frame"))
    whole = betti_error(*filled, construction=construction, frame=frame)
    local = patch_betti_error(
        *filled,
        size=patch,
        patches=patches,
        seed=seed,
        construction=construction,
        frame=frame,
    )
    found, true = (segments(mask, construction=construction) for mask in filled)
    if labels is not None:
        true = np.asarray(labels)
    elif not true.any():
        raise ValueError(
            "truth has no cell, it is membrane everywhere; expected some background"
        )
    counted: dict[str, Any] = {"ignore": masks.ignored}
    information = variation_of_information(found, true, background=background, **counted)
    named = BACKGROUND if background is None else background  # so that notes come only once
    by_dim = {f"betti_{dim}": error for dim, error in enumerate(whole.per_dim)}
    by_dim |= {f"patch_betti_{dim}": error for dim, error in enumerate(local.per_dim)}
    return Evaluation(
        pixel_accuracy=pixel_accuracy(masks.prediction, masks.target, **counted),
        dice=dice(masks.prediction, masks.target, **counted),
        voi_split=information.split,
        voi_merge=information.merge,
        adapted_rand=adapted_rand_error(found, true, background=named, **counted).error,
        **by_dim,
    )


def mean_evaluation(evaluations: Iterable[Evaluation]) -> Evaluation:
    """Return the mean of each number.

    Raises
    ------
    ValueError
        If there is none, or images and volumes are mixed.

    Examples
    --------
    >>> ring = np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]])
    >>> perfect, filled = evaluate(ring, ring), evaluate(np.ones((3, 3)), ring)
    >>> mean_evaluation([perfect, filled]).betti_1
    0.5
    """
    rows = list(evaluations)
    if not rows:
        raise ValueError("no evaluation to take the mean of; expected at least one")
    if len({row.betti_2 is None for row in rows}) > 1:
        raise ValueError("evaluations of images and of volumes; expected one kind")
    means: dict[str, Any] = {}
    for field in fields(Evaluation):
        values = [getattr(row, field.name) for row in rows]
        means[field.name] = None if None in values else float(np.mean(values))
    return Evaluation(**means)


def cleaned(mask: ArrayLike, *, smallest: int, construction: str = "V") -> NDArray[np.bool_]:
    """Remove small components: of the foreground, then of the background.

    Parameters
    ----------
    mask : array_like, (H, W) or (D, H, W)
        Booleans, or 0 and one other value.
    smallest : int
        Components of fewer pixels are removed: of the foreground first, then of the
        background that results.
    construction : {"V", "T"}
        How foreground and background are connected, as in `pytopo.metrics.betti_numbers`.

    Returns
    -------
    bool ndarray of the shape of the mask
        A new one, without foreground or background components of fewer pixels.

    Raises
    ------
    TypeError, ValueError
        As in `pytopo.metrics.betti_numbers`; also if ``smallest`` is not a whole number of at
        least 0.

    Examples
    --------
    >>> mask = np.array([[1, 1, 1, 0, 0], [1, 0, 1, 0, 1], [1, 1, 1, 0, 0]])
    >>> cleaned(mask, smallest=2).astype(int)
    array([[1, 1, 1, 0, 0],
           [1, 1, 1, 0, 0],
           [1, 1, 1, 0, 0]])
    """
    kept = checked_mask(mask, "mask")
    checked_construction(construction)
    smallest = whole_number(smallest, "smallest")
    foreground, background = neighbours(kept.ndim, construction)
    kept = kept & ~_small(kept, foreground, smallest)
    return kept | _small(~kept, background, smallest)


def _small(
    mask: NDArray[np.bool_], connected: NDArray[np.bool_], smallest: int
) -> NDArray[np.bool_]:
    """Return the pixels of the components of a mask that have fewer than ``smallest``."""
    labels, _ = ndimage.label(mask, connected)
    small = np.bincount(labels.ravel()) < smallest
    return mask & small[labels]
