"""``persistence``: choose a route, get pairs of pixels, look up their values.

Both routes answer with pixels, so everything that has to do with values happens here and
once: pairs of equal value are dropped, births and deaths are gathered from the image.
"""

import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pytopo.diagram import ESSENTIAL, Diagram
from pytopo.order import FRAME, checked_image, frame_value, total_order, value_dtype
from pytopo.textbook import filtration_of_order, reduce_filtration

ALGORITHMS = ("auto", "reduction")


def persistence(
    image: ArrayLike,
    dims: int | Iterable[int] | None = None,
    *,
    superlevel: bool = False,
    construction: str = "V",
    frame: float | bool | None = None,
    min_persistence: float = 0.0,
    algorithm: str = "auto",
) -> Diagram:
    """Compute the persistence diagram of an image.

    Parameters
    ----------
    image : array_like, (W,), (H, W) or (D, H, W)
        Any real dtype and memory layout; infinities are values like others, NaN is not.
    dims : int, iterable of int or None
        Dimensions of homology wanted: 0 components, 1 holes (2D) or tunnels (3D),
        2 voids.  ``None`` means all, 0 to the number of axes - 1.
    superlevel : bool
        Sweep the threshold downwards: bright things are born first.  Values stay in the
        image's units, so then birth >= death.
    construction : {"V", "T"}
        What a pixel is.  "V", a vertex: foreground neighbours share a side (4 in 2D, 6 in
        3D), background neighbours also a corner (8, 26).  "T", a top-dimensional cell: the
        other way round.
    frame : float, bool or None
        Pad the image by one layer of pixels of this value, which come before image pixels
        of equal value; ``True`` for the value of the earliest pixel.  What runs off the
        border is then closed by the frame.
    min_persistence : float
        Keep points whose birth and death differ by at least this much, in units of the
        image.  Points whose pixels have equal values are never listed.
    algorithm : {"auto", "reduction"}
        "reduction" is the textbook.  All algorithms give the same diagram.

    Returns
    -------
    Diagram
        One row a point, sorted by (dim, birth pixel, death pixel).

    Raises
    ------
    TypeError
        If the image is not made of booleans, integers or floats, or an option has the
        wrong type.
    ValueError
        If the image has no axis or more than three, no pixel or a NaN, or an option has
        an impossible value.

    References
    ----------
    Edelsbrunner and Harer (2010), "Computational Topology", VII.1.  Wagner, Chen, Vuçini
    (2012), "Efficient computation of persistent homology for cubical data", section 4.

    Examples
    --------
    A dark ring around a bright pixel is one hole, filled at that pixel:

    >>> import numpy as np, pytopo
    >>> ring = np.array([[0, 0, 0], [0, 9, 0], [0, 0, 0]])
    >>> d = pytopo.persistence(ring)
    >>> d.points(1)
    array([[0., 9.]])
    >>> d.death_index[d.dim == 1]
    array([[1, 1]])
    >>> d.points(0)
    array([[ 0., inf]])
    """
    options = _Options(dims, superlevel, construction, frame, min_persistence, algorithm)
    return _diagram_of(_checked(image, "image", options), options)


def persistence_batch(
    images: NDArray | Sequence[ArrayLike],
    dims: int | Iterable[int] | None = None,
    *,
    superlevel: bool = False,
    construction: str = "V",
    frame: float | bool | None = None,
    min_persistence: float = 0.0,
    algorithm: str = "auto",
    threads: int | None = None,
) -> list[Diagram]:
    """Compute the persistence diagrams of many images, on several threads.

    Parameters
    ----------
    images : ndarray (B, H, W) or (B, D, H, W), or list of images
        The images of a list may differ in shape and dtype.
    dims, superlevel, construction, frame, min_persistence, algorithm
        As in `persistence`, the same for all images.
    threads : int or None
        Number of threads; ``None`` for as many as there are cores to run on.

    Returns
    -------
    list of Diagram
        In the order of the images, whatever the number of threads.

    Raises
    ------
    TypeError, ValueError
        As `persistence`, naming the image as ``images[i]``; before any work is done.

    Examples
    --------
    >>> import numpy as np, pytopo
    >>> images = np.zeros((2, 3, 3))
    >>> images[1, 1, 1] = 9
    >>> [len(d.points(1)) for d in pytopo.persistence_batch(images)]
    [0, 1]
    """
    options = _Options(dims, superlevel, construction, frame, min_persistence, algorithm)
    if isinstance(images, np.ndarray) and images.ndim not in (3, 4):
        raise ValueError(
            f"images has shape {images.shape}; wanted (B, H, W), (B, D, H, W) or a list of "
            "images (for a single image: persistence)"
        )
    if threads is None:
        threads = len(os.sched_getaffinity(0))
    if not isinstance(threads, Integral) or threads < 1:
        raise ValueError(
            f"threads is {threads!r}; wanted a whole number of at least 1, or None"
        )
    checked = [_checked(image, f"images[{i}]", options) for i, image in enumerate(images)]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(partial(_diagram_of, options=options), checked))


@dataclass(frozen=True)
class _Options:
    """The options that all images of a batch share, checked once."""

    dims: int | Iterable[int] | None
    superlevel: bool
    construction: str
    frame: float | bool | None
    min_persistence: float
    algorithm: str

    def __post_init__(self) -> None:
        if not isinstance(self.superlevel, (bool, np.bool_)):
            raise TypeError(f"superlevel is {self.superlevel!r}; wanted True or False")
        if self.construction not in ("V", "T"):
            raise ValueError(f'construction is {self.construction!r}; wanted "V" or "T"')
        if not isinstance(self.min_persistence, (Real, np.number)):
            raise TypeError(f"min_persistence is {self.min_persistence!r}; wanted a number")
        if not self.min_persistence >= 0:
            raise ValueError(
                f"min_persistence is {self.min_persistence!r}; wanted a number of at least 0"
            )
        if self.algorithm not in ALGORITHMS:
            known = " or ".join(f'"{name}"' for name in ALGORITHMS)
            raise ValueError(f"algorithm is {self.algorithm!r}; wanted {known}")


@dataclass(frozen=True, eq=False)
class _Checked:
    """An image and what of the options depends on it, all checked."""

    values: NDArray
    dims: tuple[int, ...]
    frame: int | np.floating | None


def _checked(image: ArrayLike, name: str, options: _Options) -> _Checked:
    values = np.ascontiguousarray(checked_image(image, name))
    frame = frame_value(values, options.frame, options.superlevel)
    return _Checked(values, _checked_dims(options.dims, values, name), frame)


def _checked_dims(
    dims: int | Iterable[int] | None, values: NDArray, name: str
) -> tuple[int, ...]:
    """Return the wanted dimensions in ascending order."""
    if dims is None:
        return tuple(range(values.ndim))
    wanted = list(dims) if isinstance(dims, Iterable) else [dims]
    if not wanted or not all(_is_dimension(d, values.ndim) for d in wanted):
        raise ValueError(
            f"dims is {dims!r}; wanted dimensions from 0 to {values.ndim - 1}, "
            f"because {name} has shape {values.shape}"
        )
    return tuple(sorted({int(d) for d in wanted}))


def _is_dimension(d: object, ndim: int) -> bool:
    return isinstance(d, int | np.integer) and not isinstance(d, bool) and 0 <= d < ndim


def _diagram_of(image: _Checked, options: _Options) -> Diagram:
    """Compute the diagram of a checked image: pairs of pixels first, values afterwards."""
    dim, birth_pixel, death_pixel = _pixel_pairs(image, options)

    listed = np.isin(dim, image.dims) & ~_same_value(image, birth_pixel, death_pixel)
    rows = np.flatnonzero(listed)
    rows = rows[np.lexsort((death_pixel[rows], birth_pixel[rows], dim[rows]))]
    birth_pixel, death_pixel = birth_pixel[rows], death_pixel[rows]

    never = -np.inf if options.superlevel else np.inf
    diagram = Diagram(
        dim=dim[rows],
        birth=_gathered(image, birth_pixel, never),
        death=_gathered(image, death_pixel, never),
        birth_pixel=birth_pixel,
        death_pixel=death_pixel,
        shape=image.values.shape,
        superlevel=bool(options.superlevel),
        construction=options.construction,
        frame=None if image.frame is None else float(image.frame),
        dims=image.dims,
    )
    if options.min_persistence > 0:
        return diagram.select(min_persistence=options.min_persistence)
    return diagram


def _pixel_pairs(
    image: _Checked, options: _Options
) -> tuple[NDArray[np.int8], NDArray[np.int64], NDArray[np.int64]]:
    """Return dim, birth pixel and death pixel of every point by the textbook route."""
    pixels = total_order(image.values, bool(options.superlevel), image.frame)
    filtration = filtration_of_order(pixels, options.construction)
    reduction = reduce_filtration(filtration)

    birth_cell = np.concatenate([reduction.pairs[:, 0], reduction.essential])
    death_pixel = np.full(birth_cell.size, ESSENTIAL)
    death_pixel[: len(reduction.pairs)] = filtration.pixel[reduction.pairs[:, 1]]
    return (
        filtration.dimension[birth_cell].astype(np.int8),
        filtration.pixel[birth_cell],
        death_pixel,
    )


def _same_value(
    image: _Checked, birth_pixel: NDArray[np.int64], death_pixel: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Tell which pairs have no persistence, comparing in the dtype of the image."""
    flat = image.values.ravel()
    same = (death_pixel != ESSENTIAL) & (birth_pixel == death_pixel)
    inside = (birth_pixel >= 0) & (death_pixel >= 0)
    same[inside] = flat[birth_pixel[inside]] == flat[death_pixel[inside]]
    for framed, other in ((birth_pixel, death_pixel), (death_pixel, birth_pixel)):
        mixed = (framed == FRAME) & (other >= 0)
        same[mixed] = flat[other[mixed]] == image.frame
    return same


def _gathered(image: _Checked, pixel: NDArray[np.int64], never: float) -> NDArray[Any]:
    """Return the values of pixels; of the frame its value, of the end of time ``never``."""
    value = image.values.ravel()[np.maximum(pixel, 0)].astype(value_dtype(image.values))
    value[pixel == ESSENTIAL] = never
    if image.frame is not None:
        value[pixel == FRAME] = image.frame
    return value
