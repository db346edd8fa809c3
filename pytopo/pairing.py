"""``persistence``: choose a route, get pairs of pixels, look up their values.

Both routes answer with pixels, so everything that has to do with values happens here and
once: pairs of equal value are dropped, births and deaths are gathered from the image.
"""

import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pytopo import morse
from pytopo.diagram import ESSENTIAL, Diagram
from pytopo.order import FRAME, checked_image, frame_value, total_order, value_dtype
from pytopo.textbook import filtration_of_order, reduce_filtration

ALGORITHMS = ("auto", "reduction", "morse")
BATCH_PIXELS = 2**20  # images are taken together up to this many pixels

Pairs = tuple[NDArray[np.int64], NDArray[np.int64]]  # birth pixels, death pixels


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
    algorithm : {"auto", "reduction", "morse"}
        "reduction" is the textbook.  "morse" is the fast one, for one and two axes.  "auto"
        is the fast one where it can be had.  All give the same diagram.

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
    return _diagrams_of([_checked(image, "image", options)], options, threads=1)[0]


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
    batches = _batches(checked, threads)
    inner = max(1, threads // max(1, len(batches)))

    def diagrams_of(batch: list[int]) -> list[Diagram]:
        return _diagrams_of([checked[i] for i in batch], options, inner)

    with ThreadPoolExecutor(threads) as pool:
        found = list(pool.map(diagrams_of, batches))
    diagrams = {i: d for batch, ds in zip(batches, found) for i, d in zip(batch, ds)}
    return [diagrams[i] for i in range(len(checked))]


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
    algorithm: str


def _checked(image: ArrayLike, name: str, options: _Options) -> _Checked:
    values = np.ascontiguousarray(checked_image(image, name))
    frame = frame_value(values, options.frame, options.superlevel)
    dims = _checked_dims(options.dims, values, name)
    return _Checked(values, dims, frame, _route(options.algorithm, values, name))


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


def _route(algorithm: str, values: NDArray, name: str) -> str:
    """Return the algorithm to use: the fast route takes one or two axes, and int32 pixels."""
    fast = values.ndim <= 2 and values.size < 2**30
    if algorithm == "morse" and not fast:
        raise ValueError(
            f'algorithm is "morse", which takes one or two axes and less than 2^30 pixels, and '
            f'{name} has shape {values.shape}; wanted "auto" or "reduction"'
        )
    if algorithm == "auto":
        return "morse" if fast else "reduction"
    return algorithm


def _batches(images: list[_Checked], threads: int) -> list[list[int]]:
    """Divide images into batches, by index: each for one thread, of one shape and dtype."""
    alike: dict[object, list[int]] = {}
    for i, image in enumerate(images):
        alone = i if image.algorithm == "reduction" else None
        alike.setdefault((image.values.shape, image.values.dtype, alone), []).append(i)
    batches = []
    for group in alike.values():
        pixels = len(group) * images[group[0]].values.size
        parts = min(len(group), max(threads, pixels // BATCH_PIXELS))
        batches += [part.tolist() for part in np.array_split(group, parts)]
    return batches


def _diagrams_of(images: list[_Checked], options: _Options, threads: int) -> list[Diagram]:
    """Compute the diagrams of checked images of one shape and dtype."""
    first = images[0]
    superlevel = bool(options.superlevel)
    if first.algorithm == "reduction":
        pairs = [_textbook_pairs(image, superlevel, options.construction) for image in images]
    else:
        pairs = morse.pixel_pairs(
            [image.values for image in images],
            [image.frame for image in images],
            first.dims,
            superlevel,
            options.construction,
            threads,
        )
        if first.frame is not None:
            pairs = [_settled(image, found) for image, found in zip(images, pairs)]
    return [_diagram(image, found, options) for image, found in zip(images, pairs)]


def _textbook_pairs(image: _Checked, superlevel: bool, construction: str) -> list[Pairs]:
    """Pair the pixels of an image by the textbook route, for each of its dimensions."""
    pixels = total_order(image.values, superlevel, image.frame)
    filtration = filtration_of_order(pixels, construction)
    reduction = reduce_filtration(filtration)

    birth_cell = np.concatenate([reduction.pairs[:, 0], reduction.essential])
    birth_pixel = filtration.pixel[birth_cell]
    death_pixel = np.full(birth_cell.size, ESSENTIAL)
    death_pixel[: len(reduction.pairs)] = filtration.pixel[reduction.pairs[:, 1]]
    dim = filtration.dimension[birth_cell]
    return _settled(image, [(birth_pixel[dim == d], death_pixel[dim == d]) for d in image.dims])


def _settled(image: _Checked, pairs: list[Pairs]) -> list[Pairs]:
    """Drop pairs of equal value, and sort the others by birth pixel, then death pixel."""
    settled = []
    for birth_pixel, death_pixel in pairs:
        lasting = ~_same_value(image, birth_pixel, death_pixel)
        birth_pixel, death_pixel = birth_pixel[lasting], death_pixel[lasting]
        rows = np.lexsort((death_pixel, birth_pixel))
        settled.append((birth_pixel[rows], death_pixel[rows]))
    return settled


def _same_value(
    image: _Checked, birth_pixel: NDArray[np.int64], death_pixel: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Tell which pairs have no persistence, comparing in the dtype of the image."""
    flat = image.values.reshape(-1)
    same = birth_pixel == death_pixel
    inside = (birth_pixel >= 0) & (death_pixel >= 0)
    same[inside] = flat[birth_pixel[inside]] == flat[death_pixel[inside]]
    for framed, other in ((birth_pixel, death_pixel), (death_pixel, birth_pixel)):
        mixed = (framed == FRAME) & (other >= 0)
        same[mixed] = flat[other[mixed]] == image.frame
    return same


def _diagram(image: _Checked, pairs: list[Pairs], options: _Options) -> Diagram:
    """Look up the values of paired pixels."""
    birth_pixel = np.concatenate([birth for birth, _ in pairs])
    death_pixel = np.concatenate([death for _, death in pairs])
    never = -np.inf if options.superlevel else np.inf
    diagram = Diagram(
        dim=np.repeat(np.array(image.dims, np.int8), [birth.size for birth, _ in pairs]),
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


def _gathered(image: _Checked, pixel: NDArray[np.int64], never: float) -> NDArray[Any]:
    """Return the values of pixels; of the frame its value, of the end of time ``never``."""
    # Negative pixels stand for no pixel: whatever they pick up is replaced below.
    value = image.values.reshape(-1).take(pixel, mode="wrap")
    value = value.astype(value_dtype(image.values), copy=False)
    value[pixel == ESSENTIAL] = never
    if image.frame is not None:
        value[pixel == FRAME] = image.frame
    return value
