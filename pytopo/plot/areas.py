"""The pixels of some features, painted over an image: filled or hatched, and outlined.

    image, diagram, rows -> label image -> runs of pixels -> a patch for each feature

Matplotlib hatches patches and not pixels, so each feature becomes a path: one rectangle for
each run of its pixels in a row.
"""

from dataclasses import replace
from itertools import compress

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgb
from matplotlib.patches import Patch, PathPatch
from matplotlib.path import Path
from numpy.typing import NDArray

from pytopo.diagram import Diagram
from pytopo.plot.marks import Marks
from pytopo.plot.outlines import OPACITY, outlines_of

HATCH = "/////"
_CROWDED = 2000  # runs of pixels; more are drawn as pixels in a vector graphic
_CORNERS = np.array([Path.MOVETO, Path.LINETO, Path.LINETO, Path.LINETO, Path.CLOSEPOLY])


def label_images(
    values: NDArray,
    diagram: Diagram,
    rows: NDArray[np.int64],
    beside: NDArray[np.int64] | None = None,
) -> list[NDArray[np.int64]]:
    """Label the pixels of some features of an image, a label image for each dimension.

    Parameters
    ----------
    values : (H, W) or (D, H, W) ndarray
    diagram : Diagram
        Of it.
    rows : (k,) int64
        Which features.  The essential component and tunnels of volumes have no area.
    beside : (m,) int64 or None
        Features that keep their pixels for themselves, without being labelled.

    Returns
    -------
    list of int64 ndarray, of the shape of the image
        i + 1 in the pixels of ``rows[i]``, 0 elsewhere.
    """
    # Loads kernels, which pictures without areas do without.
    from pytopo.features.basins import flooded
    from pytopo.order import frame_value

    images = []
    there = rows if beside is None else np.union1d(rows, beside)
    for dim in sorted({0, values.ndim - 1} & set(diagram.dims)):
        of_dim = there[(diagram.dim[there] == dim) & ~diagram.essential[there]]
        if not np.isin(rows, of_dim).any():
            continue
        number = np.zeros(len(of_dim) + 1, np.int64)
        _, place, label = np.intersect1d(of_dim, rows, return_indices=True)
        number[place + 1] = label + 1
        part = part_of(diagram, of_dim, (dim,))
        around = frame_value(values, diagram.frame, diagram.superlevel)
        labels = flooded(values, around, part)
        images.append(number[np.where(_inside(values, labels, part), labels, 0)])
    return images


def _inside(values: NDArray, labels: NDArray, diagram: Diagram) -> NDArray[np.bool_]:
    """Tell where an image is below the death of its component, or above the birth of its hole.

    Labels are exact in the order of the pixels.  Of a mask they hold pixels of the foreground,
    too: those that come after the pixel that closes a hole, with the same value.
    """
    is_component = diagram.dims == (0,)
    bound = np.append(0, diagram.death if is_component else diagram.birth)[labels]
    return values < bound if is_component != diagram.superlevel else values > bound


def part_of(diagram: Diagram, rows: NDArray[np.int64], dims: tuple[int, ...]) -> Diagram:
    """Return some rows of a diagram as one of these dimensions."""
    return replace(
        diagram, dim=diagram.dim[rows], dims=dims,
        birth=diagram.birth[rows], death=diagram.death[rows],
        birth_pixel=diagram.birth_pixel[rows], death_pixel=diagram.death_pixel[rows],
    )  # fmt: skip


def paint(
    ax: Axes,
    labels: NDArray[np.int64],
    colours: list[str],
    hatched: bool = False,
    ground: float = 0,
) -> None:
    """Paint the pixels of label i in colour i - 1, and outline them.

    Parameters
    ----------
    ax : Axes
        Of an image as `pytopo.plot.images.draw_pixels` draws it.
    labels : (H, W) int64
    colours : list of str
    hatched : bool
        Hatch the pixels in place of filling them.
    ground : float
        How opaque the white under a hatching is.
    """
    row, start, stop, label = _runs(labels)
    for i in np.unique(label):
        of_label = label == i
        y, left, right = row[of_label], start[of_label], stop[of_label]
        colour = to_rgb(colours[i - 1])
        ax.add_patch(
            PathPatch(
                _path(y - 0.5, left - 0.5, right - 0.5),
                fc=(1, 1, 1, ground) if hatched else (*colour, OPACITY),
                hatch=HATCH if hatched else None,
                ec=colour,
                lw=0,
                zorder=2,
                rasterized=len(row) > _CROWDED,
            )
        )
    segments, owner = outlines_of(labels)
    ax.add_collection(
        LineCollection(
            list(segments), colors=[colours[i - 1] for i in owner], lw=1, zorder=2,
            rasterized=len(segments) > _CROWDED,
        ),
        autolim=False,
    )  # fmt: skip


def seeds_seen(marks: Marks) -> NDArray[np.bool_]:
    """Tell whether the pixel in which a feature begins is in the picture, (n,)."""
    return np.where(marks.diagram.dim == 0, marks.born, marks.dies)


def seeds_of(marks: Marks, rows: NDArray[np.int64]) -> NDArray:
    """Return where some features begin, (k, 2) as (x, y)."""
    component = marks.diagram.dim[rows, None] == 0
    return np.where(component, marks.birth[rows], marks.death[rows])


def draw_seeds(
    ax: Axes, marks: Marks, rows: NDArray[np.int64], marker: str, colours: list[str]
) -> None:
    """Mark the pixels in which features begin, if they are in the picture.

    A component grows from the pixel of its birth, and all others shrink to that of their death.
    """
    there = seeds_seen(marks)[rows]
    x, y = seeds_of(marks, rows)[there].T
    shades = list(compress(colours, there))
    ax.scatter(x, y, 30, shades, marker=marker, ec="white", lw=0.8, zorder=4)


def area_handle(colour: str, label: str, hatched: bool = False) -> Artist:
    """Return the entry of a legend for painted pixels."""
    if hatched:
        return Patch(fc="white", ec=colour, hatch=HATCH, lw=1, label=label)
    return Patch(fc=(*to_rgb(colour), OPACITY), ec=colour, lw=1, label=label)


def _runs(labels: NDArray[np.int64]) -> tuple[NDArray, NDArray, NDArray, NDArray]:
    """Return the row, first column, column behind the last and label of runs of one label.

    Examples
    --------
    >>> [found.tolist() for found in _runs(np.array([[0, 2, 2], [1, 2, 0]]))]
    [[0, 1, 1], [1, 0, 1], [3, 1, 2], [2, 1, 2]]
    """
    padded = np.pad(labels, ((0, 0), (1, 1)))
    changes = padded[:, 1:] != padded[:, :-1]
    begins = changes & (padded[:, 1:] > 0)
    ends = changes & (padded[:, :-1] > 0)
    row, start = np.nonzero(begins)
    return row, start, np.nonzero(ends)[1], labels[row, start]


def _path(top: NDArray, left: NDArray, right: NDArray) -> Path:
    """Return rectangles of height 1 as one path."""
    x = np.stack([left, right, right, left, left], axis=1)
    y = np.stack([top, top, top + 1, top + 1, top], axis=1)
    corners = np.stack([x, y], axis=2).reshape(-1, 2)
    return Path(corners, np.tile(_CORNERS, len(top)))
