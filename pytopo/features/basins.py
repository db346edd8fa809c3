"""``regions``: a label for every feature that is persistent enough, and 0 between them.

image -> total order -> Diagram of one dimension -> seeds, and how far each reaches -> labels

The merge tree is cut at a persistence: less persistent basins are merged into those that they
join, and what is left is a watershed of the persistent ones ("dynamics", Grimaud 1992).  Holes
and voids are basins of the complement, with the pixels in reverse and the exterior as one more
basin:

    image  (ring of 1s, cells at 9 and 7)     labels of dim 1
    1 1 1 1 1 1                               . . . . . .
    1 9 8 4 7 1                               . 1 1 . 2 .      4 is where the hole at 7 is born
    1 1 1 1 1 1                               . . . . . .
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pytopo.diagram import ESSENTIAL, Diagram
from pytopo.features.mask import checked_origin, frame_dies_on_the_right
from pytopo.features.neighbours import inside, steps, touch_at_corners
from pytopo.kernels.basins import flood
from pytopo.options import at_least, integer
from pytopo.order import FRAME, PixelOrder, checked_image, frame_value, total_order
from pytopo.pairing import persistence

MOST_PIXELS = 2**31 - 1  # margin included; the kernel's forest is of 32-bit integers


def regions(
    image: ArrayLike,
    dim: int,
    *,
    min_persistence: float,
    superlevel: bool = False,
    construction: str = "V",
    frame: float | bool | None = None,
) -> tuple[NDArray[np.int32], Diagram]:
    """Label the pixels of all features of one dimension that are persistent enough.

    Every pixel belongs to the basin (components) or the peak (holes, voids) that it joins once
    everything less persistent has been merged away, as far as that feature reaches: a
    component until it dies, a hole or a void from its birth.  So the region of a feature lies
    in its `feature_mask`, and regions are disjoint.  Of several basins a pixel joins that of
    the neighbour that comes first in the order of the pixels.

    In a section of electron microscopy with dark membranes, the holes of the sublevel sets
    are the cells: one label each, and membranes are 0.

    Parameters
    ----------
    image : array_like, (W,), (H, W) or (D, H, W)
        As in `pytopo.persistence`.
    dim : int
        0, components; or the number of axes - 1, holes of an image and voids of a volume.
    min_persistence : float
        Label features whose birth and death differ by at least this much.
    superlevel, construction, frame
        As in `pytopo.persistence`.

    Returns
    -------
    labels : int32 ndarray, of the shape of the image
        i + 1 in the pixels of row i of the diagram, 0 elsewhere.  A feature of the frame may
        have no pixel of the image.
    diagram : Diagram
        The labelled features: ``persistence(image, dim, ...).select(dim, min_persistence)``.

    Raises
    ------
    TypeError
        If the image or an option has the wrong type.
    ValueError
        If the image is not what `pytopo.persistence` takes, an option has an impossible
        value, or ``dim`` is 1 for a volume: tunnels have no inside to label.

    References
    ----------
    Grimaud (1992), "New measure of contrast: the dynamics", Image Algebra and Morphological
    Image Processing III, doi:10.1117/12.60650.  Najman and Schmitt (1996), "Geodesic saliency
    of watershed contours and hierarchical segmentation", section 3,
    doi:10.1109/34.546254.

    Examples
    --------
    Two cells, and between them a membrane with a gap:

    >>> import numpy as np, pytopo
    >>> image = np.array([[1, 1, 1, 1, 1, 1],
    ...                   [1, 9, 8, 4, 7, 1],
    ...                   [1, 1, 1, 1, 1, 1]])
    >>> labels, d = pytopo.regions(image, 1, min_persistence=3)
    >>> labels
    array([[0, 0, 0, 0, 0, 0],
           [0, 2, 2, 2, 1, 0],
           [0, 0, 0, 0, 0, 0]], dtype=int32)
    >>> d.points(1)
    array([[4., 7.],
           [1., 9.]])
    >>> labels, d = pytopo.regions(image, 1, min_persistence=5)  # one cell, then
    >>> labels[1]
    array([0, 1, 1, 1, 1, 0], dtype=int32)
    """
    values = checked_image(image)
    number = integer(dim)
    if number is None or number not in (0, values.ndim - 1):
        no_inside = " (tunnels have no inside to label)" if number == 1 else ""
        choice = " or ".join(str(d) for d in sorted({0, values.ndim - 1}))
        raise ValueError(
            f"dim is {dim!r}; expected {choice} for an image of shape {values.shape}{no_inside}"
        )
    at_least(min_persistence, "min_persistence", 0)
    diagram = persistence(
        values, number, superlevel=superlevel, construction=construction, frame=frame,
        min_persistence=min_persistence,
    )  # fmt: skip
    return flooded(values, frame_value(values, frame, bool(superlevel)), diagram), diagram


def labels_of(image: ArrayLike, diagram: Diagram) -> NDArray[np.int32]:
    """Label the pixels of the points of a diagram, as `regions` does.

    Parameters
    ----------
    image : array_like, (W,), (H, W) or (D, H, W)
        The image that the diagram was computed from.
    diagram : Diagram
        All features of one dimension from a persistence on, as `Diagram.select` returns them.
        Superlevel, construction and frame are taken from it.

    Returns
    -------
    labels : int32 ndarray, of the shape of the image
        i + 1 in the pixels of row i, 0 elsewhere.

    Raises
    ------
    TypeError
        If the image or the diagram has the wrong type.
    ValueError
        If the diagram is not one of this image, or not of one dimension with an inside.

    Examples
    --------
    >>> import numpy as np, pytopo
    >>> image = np.array([[1, 1, 1, 1, 1, 1],
    ...                   [1, 9, 8, 4, 7, 1],
    ...                   [1, 1, 1, 1, 1, 1]])
    >>> d = pytopo.persistence(image)
    >>> labels_of(image, d.select(1, min_persistence=5))[1]
    array([0, 1, 1, 1, 1, 0], dtype=int32)
    """
    values = checked_image(image)
    around = checked_origin(values, diagram)
    if diagram.dims not in ((0,), (values.ndim - 1,)):
        raise ValueError(
            f"the diagram is of dims={diagram.dims}; expected one dimension, 0 or "
            f"{values.ndim - 1}, like diagram.select(0)"
        )
    return flooded(values, around, diagram)


def flooded(
    values: NDArray, around: int | np.floating | None, diagram: Diagram
) -> NDArray[np.int32]:
    """Return the labels of an image, flooded with its frame if it has one."""
    (dim,) = diagram.dims
    pixels = total_order(values, diagram.superlevel, around)
    n = pixels.rank.size
    # Holes and voids are components of the complement: the same, with the pixels in reverse.
    rank = pixels.rank if dim == 0 else n - 1 - pixels.rank
    time = np.pad(rank, 1, constant_values=n if dim == 0 else -1)
    if time.size > MOST_PIXELS:
        raise ValueError(
            f"image has {n} pixels with its frame; regions takes less than {MOST_PIXELS}, "
            "with one more layer around them"
        )
    place = np.arange(time.size).reshape(time.shape)
    order = np.empty(n, np.int64)
    order[rank.ravel()] = inside(place).ravel()

    parent = place.astype(np.int32)
    parent[time == (n if dim == 0 else -1)] = 0  # the margin is one tree, with root 0
    starts, ends = diagram.birth_pixel, diagram.death_pixel
    if dim > 0:
        starts, ends = ends, starts
    seed_time, stop = _time_of(starts, rank, pixels), _time_of(ends, rank, pixels)
    for i in np.flatnonzero(starts == FRAME):
        if frame_dies_on_the_right(values, int(ends[i]), diagram.superlevel, around):
            seed_time[i] = rank[-1]
    labels = np.zeros(time.size, np.int32)
    flood(
        order,
        time.reshape(-1),
        steps(time.shape, touch_at_corners(dim, time.ndim, diagram.construction)),
        np.append(order[seed_time], 0),
        np.append(stop, n),
        parent.reshape(-1),
        labels,
    )
    layers = 1 if around is None else 2
    return inside(labels.reshape(time.shape), layers).copy()


def _time_of(
    pixel: NDArray[np.int64], rank: NDArray[np.int64], pixels: PixelOrder
) -> NDArray[np.int64]:
    """Return when pixels come: those of the frame together, with the first; -1 never."""
    flat = rank.reshape(-1)
    of_image = pixels.pixel != FRAME
    time = np.empty(np.count_nonzero(of_image) + 2, np.int64)
    time[:-2] = flat[of_image]  # the pixels of the image are in their own order
    time[ESSENTIAL] = flat.size
    time[FRAME] = flat[~of_image].min(initial=flat.size)
    return time[pixel]
