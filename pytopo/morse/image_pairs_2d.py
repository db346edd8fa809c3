"""Two images of two axes: the pairs of pixels of both, and which of them match, in one go.

    first, second -> keys -> critical pixels -> components -> holes -> pairs, matches
                     and c      of all three      of all     of both

The idea is in `pytopo.morse.image_pairs`, the kernels in `pytopo.kernels.two_images`.  A loss
needs the pairs of both images too, and a sweep of each is most of what matching takes, so each
is swept once.  What is known of images that others are matched with again and again, like the
ground truth of a data set, can be kept (`SweptImages`).  c depends on both, and cannot.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pytopo.kernels.links_2d import earlier_neighbours
from pytopo.kernels.pixels import pixels_of_pairs
from pytopo.kernels.sweep_2d import extrema, saddles
from pytopo.kernels.two_images import (
    components,
    holes,
    matched_holes,
    rows_of_pairs,
    shared_components,
)
from pytopo.morse.pairs_2d import Arcs, Rows, arcs_of
from pytopo.morse.swept_images import SweptImages
from pytopo.morse.workspace import Workspace, workspace
from pytopo.order import fill_keys, key_dtype, make_room_for_frame
from pytopo.threads import Workers

NONE = -1
Keys = NDArray[np.signedinteger]
Numbers = NDArray[np.int32]

NOTHING = np.empty(0, np.int32)
NO_PAIRS = np.empty((0, 2), np.int32), NOTHING


class JointRows(NamedTuple):
    """The points of images, those of the images they are matched with, and the matches.

    Attributes
    ----------
    first, second : Rows
        No rows of the second images if they were known before.
    partner : (n,) int64
        For each row of the first the row of the second that it matches, or -1.  Essential
        components, which always match, are not matched here.
    """

    first: Rows
    second: Rows
    partner: NDArray[np.int64]


def joint_rows(
    first: NDArray,
    second: NDArray,
    dims: tuple[int, ...],
    *,
    superlevel: bool,
    construction: str,
    frame: int | np.floating | None,
    threads: int = 1,
    known: SweptImages | None = None,
) -> JointRows:
    """Pair the pixels of images and of the images they are matched with, and match the pairs.

    Parameters
    ----------
    first, second : (B, H, W) ndarray
        Of one shape and dtype, C-contiguous, without NaN, with a pixel.
    dims : tuple of int
        (0,), (1,) or (0, 1).
    superlevel, construction
        As in `pytopo.persistence`.
    frame : int, numpy float or None
        Value of the frame of all images, as `pytopo.order.frame_value` returns it.
    threads : int
        Number of threads to use for these images together.
    known : SweptImages or None
        What `swept_images` has kept of ``second``, with the same options.

    Returns
    -------
    JointRows
        Rows as `pytopo.morse.pairs_2d.pixel_pairs` returns them.
    """
    with workspace() as space, Workers(threads) as workers:
        plan, (one_keys, other_keys) = _planned(
            np.stack([first, second]), dims, superlevel, construction, frame, space
        )
        c_keys = np.minimum(
            one_keys, other_keys, out=space.empty(one_keys.shape, one_keys.dtype)
        )
        rooms = [_Room.of(c_keys.shape, space) for _ in range(3)]

        def sweep(k: int) -> _Swept:
            if k == 1 and known is not None:
                critical = known.earlier, known.saddle, known.minimum, known.maximum
                return _Swept(other_keys, rooms[1].root, *critical, NO_PAIRS)
            swept = _critical(plan, (one_keys, other_keys, c_keys)[k], rooms[k])
            return swept if k == 2 else _with_components(plan, swept)

        one, other, c = workers.each(sweep, range(3))

        def merge(k: int) -> Any:
            if k == 2:
                return _shared_components(plan, c, one, other)
            return _holes(plan, (one, other)[k], c)

        one_holes, other_holes, shared = workers.each(merge, range(3))
        rows, numbered = _sorted_rows(plan, one, one_holes)
        if known is None:
            other_rows, other_numbered = _sorted_rows(plan, other, other_holes)
        else:
            other_rows = rows.take(slice(0))
            other_numbered = known.component_row, known.hole_row
        partner = np.full(len(rows.image), NONE, np.int64)
        matched = shared, matched_holes(one_holes.shared, other_holes.shared)
        for row, other_row, number in zip(numbered, other_numbered, matched):
            partner[row[number[:, 0]]] = other_row[number[:, 1]]
    return JointRows(rows, other_rows, partner)


def swept_images(
    images: NDArray,
    dims: tuple[int, ...],
    *,
    superlevel: bool,
    construction: str,
    frame: int | np.floating | None,
) -> tuple[Rows, SweptImages]:
    """Pair the pixels of images, and keep what it takes to match others with them.

    Parameters are those of `joint_rows`.
    """
    with workspace() as space:
        plan, (keys,) = _planned(images[None], dims, superlevel, construction, frame, space)
        swept = _with_components(plan, _critical(plan, keys, _Room.of(keys.shape, space)))
        no_c = swept._replace(maximum=np.empty(0, np.int32))
        rows, numbered = _sorted_rows(plan, swept, _holes(plan, swept, no_c))
        kept = swept.earlier.copy(), swept.saddle, swept.minimum, swept.maximum
    return rows, SweptImages(plan.stride, *kept, *numbered)


class _Plan(NamedTuple):
    """What all steps read."""

    shape: tuple[int, int, int]  # of the images, without frame
    margin: int  # on each side of an image: exterior, and frame if there is one
    border: int  # as `pytopo.kernels.two_images.is_before` takes it
    dims: tuple[int, ...]
    arcs: Arcs

    @property
    def stride(self) -> int:
        return self.shape[1] + 2 * self.margin - 1


class _Room(NamedTuple):
    """Arrays to be filled in a sweep."""

    earlier: NDArray[np.uint8]
    root: Numbers

    @classmethod
    def of(cls, shape: tuple[int, ...], space: Workspace) -> "_Room":
        return cls(space.empty(shape, np.uint8), space.empty(shape, np.int32))


class _Swept(NamedTuple):
    """Images on top of each other after a sweep; saddles are those that create holes.

    ``components`` are their pairs, and the numbers of their minima.
    """

    keys: Keys
    root: Numbers
    earlier: NDArray[np.uint8]
    saddle: Numbers
    minimum: Numbers
    maximum: Numbers
    components: tuple[Numbers, Numbers]


class _Holes(NamedTuple):
    """As `pytopo.kernels.two_images.holes` returns them."""

    pairs: Numbers
    number: Numbers
    shared: Numbers


def _planned(
    images: NDArray,
    dims: tuple[int, ...],
    superlevel: bool,
    construction: str,
    frame: int | np.floating | None,
    space: Workspace,
) -> tuple[_Plan, list[Keys]]:
    """Write the keys of (k, B, H, W) images, which share one scale, with exterior between."""
    sets, count, height, width = images.shape
    values = images.reshape(-1, height, width)
    margin = 1 if frame is None else 2
    stride = height + 2 * margin - 1
    dtype = key_dtype(values.dtype)
    exterior = np.iinfo(dtype).max
    tall = space.empty((len(values) * stride + 1, width + 2 * margin), dtype)
    tall[::stride] = tall[:, :1] = tall[:, -1:] = exterior
    framed = tall[1:].reshape(len(values), stride, -1)[:, :-1, 1:-1]
    border = exterior
    if frame is None:
        fill_keys(values, superlevel, [None] * len(values), framed)
    else:
        inner = framed[:, 1:-1, 1:-1]
        fill_keys(values, superlevel, [None] * len(values), inner)
        key = make_room_for_frame(values, frame, superlevel, inner)
        framed[:, [0, -1]] = framed[:, :, [0, -1]] = key
        if (values == frame).any():
            border = key
    plan = _Plan(
        (count, height, width),
        margin,
        int(border),
        dims,
        arcs_of(construction, tall.shape[1]),
    )
    rows = count * stride  # the exterior below one set is that above the next
    return plan, [tall[k * rows : (k + 1) * rows + 1] for k in range(sets)]


def _critical(plan: _Plan, keys: Keys, room: _Room) -> _Swept:
    """Find the critical pixels; all saddles."""
    height, arcs = len(keys), plan.arcs
    earlier_neighbours(keys, plan.stride, 0, height, room.earlier)
    minimum, maximum = (
        extrema(room.earlier, 0, height, arcs.flip[dim], arcs.reach[dim])
        if dim in plan.dims
        else NOTHING
        for dim in (0, 1)
    )
    saddle = saddles(room.earlier, 0, height, arcs.through_sides)
    return _Swept(keys, room.root, room.earlier, saddle, minimum, maximum, NO_PAIRS)


def _with_components(plan: _Plan, swept: _Swept) -> _Swept:
    """Pair the components, and keep the saddles that create holes."""
    if 0 not in plan.dims:
        return swept
    keys, root, earlier, saddle, minimum, *_ = swept
    arcs = plan.arcs.onward[0], plan.arcs.across[0]
    *pairs, closing = components(keys, plan.stride, earlier, saddle, minimum, *arcs, root)
    return swept._replace(saddle=closing, components=tuple(pairs))


def _holes(plan: _Plan, swept: _Swept, c: _Swept) -> _Holes:
    """Pair the holes, and find where they end in c."""
    if 1 not in plan.dims:
        return _Holes(*NO_PAIRS, NOTHING)
    keys, root, earlier, saddle, _, maximum, _ = swept
    arcs = plan.arcs.onward[1], plan.arcs.across[1]
    joint = c.keys, c.maximum, plan.border
    return _Holes(*holes(keys, plan.stride, earlier, saddle, maximum, *joint, *arcs, root))


def _shared_components(plan: _Plan, c: _Swept, one: _Swept, other: _Swept) -> Numbers:
    """Return numbers of minima whose components end together in c, (n, 2)."""
    if 0 not in plan.dims:
        return NO_PAIRS[0]
    arcs = plan.arcs.onward[0], plan.arcs.across[0]
    both = one.keys, one.minimum, other.keys, other.minimum, plan.border
    joint = c.keys, plan.stride, c.earlier, c.saddle, c.minimum
    return shared_components(*joint, *both, *arcs, c.root)


def _sorted_rows(
    plan: _Plan, swept: _Swept, of_holes: _Holes
) -> tuple[Rows, tuple[Numbers, Numbers]]:
    """Return pairs as rows, and the row of the pair of each minimum and of each maximum."""
    _, height, width = plan.shape
    found = [(0, *swept.components), (1, *of_holes[:2])]
    dims, pairs, numbers = zip(*(some for some in found if some[0] in plan.dims))
    whole = np.concatenate(pairs)
    stops = np.cumsum([0, *map(len, pairs)])
    n = len(whole)
    rows = Rows(np.empty(n, np.int32), np.empty(n, np.int8), *np.empty((2, n), np.int64))
    layout = height, width, plan.margin, plan.margin
    pixels_of_pairs(whole, np.array(dims, np.int8), stops, layout, *rows)

    size = plan.stride * swept.keys.shape[1]
    row = rows_of_pairs(whole, stops, size)
    numbered = [
        np.full(extremum.size, NONE, np.int32) for extremum in (swept.minimum, swept.maximum)
    ]
    for dim, number, a, b in zip(dims, numbers, stops, stops[1:]):
        numbered[dim][number] = row[a:b]
    return rows, (numbered[0], numbered[1])
