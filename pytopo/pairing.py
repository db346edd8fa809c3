"""``persistence``: choose an algorithm, get pairs of pixels, look up their values.

Both algorithms return pixels, so everything that has to do with values happens here and once:
pairs of equal value are dropped, births and deaths are gathered from the image.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pytopo.diagram import ESSENTIAL, Diagram
from pytopo.morse.pairs_2d import Rows, pixel_pairs
from pytopo.morse.pairs_3d import voxel_pairs
from pytopo.order import FRAME, checked_image, total_order, value_dtype
from pytopo.stacks import Options, Stack, parts_of, stack_of, stacks_of
from pytopo.textbook import filtration_of_order, reduce_filtration
from pytopo.threads import number_of_threads, on_threads


def persistence(
    image: ArrayLike,
    dims: int | Iterable[int] | None = None,
    *,
    superlevel: bool = False,
    construction: str = "V",
    frame: float | bool | None = None,
    min_persistence: float = 0.0,
    algorithm: str = "auto",
    threads: int | None = 1,
) -> Diagram:
    """Compute the persistence diagram of an image.

    Parameters
    ----------
    image : array_like, (W,), (H, W) or (D, H, W)
        Any real dtype and memory layout; infinities are values like others, NaN is not.
    dims : int, iterable of int or None
        Dimensions of homology: 0 components, 1 holes (2D) or tunnels (3D),
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
        "reduction" is the textbook.  "morse" is the fast one, for less than 2^30 pixels.
        "auto" is the fast one where it is available.  All give the same diagram.
    threads : int or None
        Number of threads to work on this image; ``None`` for as many as there are cores.
        They pay from about 512x512 pixels on.  The default of one is right where images are
        already worked on in parallel, as in the workers of a ``DataLoader``.

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
    options = Options(dims, superlevel, construction, frame, min_persistence, algorithm)
    threads = number_of_threads(threads)
    values = np.ascontiguousarray(checked_image(image))
    return _diagrams_of(stack_of(values[None], "image", options), options, threads)[0]


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
    options = Options(dims, superlevel, construction, frame, min_persistence, algorithm)
    threads = number_of_threads(threads)
    places, stacks = stacks_of(images, options)

    parts = [part for stack in stacks for part in parts_of(stack, threads)]
    inner = max(1, threads // max(1, len(parts)))
    found = on_threads(lambda part: _diagrams_of(part, options, inner), parts, threads)
    diagrams = [diagram for some in found for diagram in some]
    return [diagrams[i] for i in np.argsort(places)]


def pixel_rows(
    images: NDArray,
    dims: Sequence[int],
    *,
    superlevel: bool,
    construction: str,
    frame: float | None,
    threads: int,
) -> Rows:
    """Pair the pixels of images of one shape, for callers that look up values themselves.

    Parameters
    ----------
    images : (B, H, W) or (B, D, H, W) ndarray
        C-contiguous, without NaN, with a pixel.
    dims, superlevel, construction, frame
        As in `persistence`.
    threads : int
        Number of threads to use for these images together.

    Returns
    -------
    Rows
        Pairs of different values, sorted by image, then by dimension.

    Raises
    ------
    TypeError, ValueError
        If an option is impossible, as in `persistence`.
    """
    options = Options(dims, superlevel, construction, frame, 0.0, "auto")
    return _rows_of(stack_of(images, "images[0]", options), options, threads)


def _rows_of(stack: Stack, options: Options, threads: int) -> Rows:
    """Pair the pixels of a stack."""
    superlevel, construction = bool(options.superlevel), options.construction
    if stack.algorithm == "morse":
        pairs_of = voxel_pairs if stack.values.ndim == 4 else pixel_pairs
        rows = pairs_of(
            stack.values, stack.frames, stack.dims, superlevel, construction, threads
        )
    else:
        rows = _textbook_pairs(stack, superlevel, construction)
    if stack.algorithm == "reduction" or stack.frames[0] is not None:
        rows = rows.take(settled(rows, stack))
    return rows


def _diagrams_of(stack: Stack, options: Options, threads: int) -> list[Diagram]:
    """Compute the diagrams of a stack: pairs of pixels first, values afterwards."""
    superlevel, construction = bool(options.superlevel), options.construction
    rows = _rows_of(stack, options, threads)
    values = np.empty((2, len(rows.image)), value_dtype(stack.values))
    on_threads(
        lambda side: _gather(stack, rows.image, *side),
        zip((rows.birth_pixel, rows.death_pixel), values),
        threads,
    )
    birth, death = values
    death[rows.death_pixel == ESSENTIAL] = -np.inf if superlevel else np.inf
    starts = np.searchsorted(rows.image, np.arange(len(stack.values) + 1)).tolist()
    diagrams = [
        Diagram(
            dim=rows.dim[a:b],
            birth=birth[a:b],
            death=death[a:b],
            birth_pixel=rows.birth_pixel[a:b],
            death_pixel=rows.death_pixel[a:b],
            shape=stack.values.shape[1:],
            superlevel=superlevel,
            construction=construction,
            frame=None if frame is None else float(frame),
            dims=stack.dims,
        )
        for (a, b), frame in zip(pairwise(starts), stack.frames)
    ]
    if options.min_persistence > 0:
        return [d.select(min_persistence=options.min_persistence) for d in diagrams]
    return diagrams


def _textbook_pairs(stack: Stack, superlevel: bool, construction: str) -> Rows:
    """Pair the pixels of images by the reduction of the textbook."""
    found = []
    for b, (image, frame) in enumerate(zip(stack.values, stack.frames)):
        filtration = filtration_of_order(total_order(image, superlevel, frame), construction)
        reduction = reduce_filtration(filtration)
        birth_cell = np.concatenate([reduction.pairs[:, 0], reduction.essential])
        death_pixel = np.full(birth_cell.size, ESSENTIAL)
        death_pixel[: len(reduction.pairs)] = filtration.pixel[reduction.pairs[:, 1]]
        dim = filtration.dimension[birth_cell].astype(np.int8)
        image_number = np.full(dim.size, b, np.int32)
        rows = Rows(image_number, dim, filtration.pixel[birth_cell], death_pixel)
        found.append(rows.take(np.isin(dim, stack.dims)))
    return Rows(*(np.concatenate(column) for column in zip(*found)))


def settled(rows: Rows, stack: Stack) -> NDArray[np.int64]:
    """Return which pairs are of different values, sorted by birth pixel, then death pixel."""
    kept = np.flatnonzero(~_same_value(rows, stack))
    rows = rows.take(kept)
    order = np.lexsort((rows.death_pixel, rows.birth_pixel, rows.dim, rows.image))
    return kept[order]


def _same_value(rows: Rows, stack: Stack) -> NDArray[np.bool_]:
    """Return which pairs have no persistence, comparing in the dtype of the image."""
    images = stack.values.reshape(len(stack.values), -1)
    birth, death = rows.birth_pixel, rows.death_pixel
    same = birth == death
    inside = (birth >= 0) & (death >= 0)
    image = rows.image[inside]
    same[inside] = images[image, birth[inside]] == images[image, death[inside]]
    for b, frame in enumerate(stack.frames):
        if frame is not None:
            for framed, other in ((birth, death), (death, birth)):
                mixed = (rows.image == b) & (framed == FRAME) & (other >= 0)
                same[mixed] = images[b, other[mixed]] == frame
    return same


def _gather(
    stack: Stack,
    image: NDArray[np.int32],
    pixel: NDArray[np.int64],
    out_value: NDArray[np.floating],
) -> None:
    """Write the values of pixels, and of the frame; of no pixel anything."""
    place = pixel
    if len(stack.values) > 1:
        place = np.maximum(pixel, 0)
        place += image * np.int64(stack.values[0].size)
    flat = stack.values.reshape(-1)
    if flat.dtype == out_value.dtype:
        flat.take(place, mode="clip", out=out_value)
    else:
        out_value[...] = flat.take(place, mode="clip")
    if stack.frames[0] is not None:
        framed = pixel == FRAME
        out_value[framed] = np.array(stack.frames, out_value.dtype)[image[framed]]
