"""The sides of a tile: what lies around its keys, and at which pixels other regions are met.

exterior or unknown    ? ? ? ? ?      ? is unknown for components, so it never comes, and
frame, if the image    f k k k ?      is there from the start for holes and voids
ends here              f k k k ?
keys of the tile       f f f f f      and the exterior around the frame
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pytopo.kernels.v_paths import UNKNOWN
from pytopo.large.ages import Sweep
from pytopo.morse.merges import Merges
from pytopo.morse.workspace import Workspace
from pytopo.order import fill_keys, key_dtype, make_room_for_frame


def keys_with_margin(
    values: NDArray, shared: Sequence[bool], sweep: Sweep, space: Workspace
) -> tuple[NDArray[np.signedinteger], tuple[int, ...]]:
    """Return keys with a margin, and where in them the first pixel lies.

    The margin is one layer, and one more for the frame where the image ends.
    """
    layers = [1 + (sweep.frame is not None and not side) for side in shared]
    before, behind = layers[::2], layers[1::2]
    shape = tuple(n + b + a for n, b, a in zip(values.shape, before, behind))
    keys = space.empty(shape, key_dtype(values.dtype))
    own = keys[tuple(slice(b, b + n) for b, n in zip(before, values.shape))]
    planes, out = (a if a.ndim == 3 else a[np.newaxis] for a in (values, own))
    fill_keys(planes, sweep.superlevel, [None] * len(planes), out)
    if sweep.frame is not None:
        frame = sweep.frame
        if isinstance(frame, str):
            frame = (values.max() if sweep.superlevel else values.min()).item()
        key = make_room_for_frame(values, frame, sweep.superlevel, own)
        for side, is_shared in enumerate(shared):
            if not is_shared:
                keys[_layer(keys.ndim, side, 1)] = key
    return keys, tuple(before)


def fill_beyond(keys: NDArray[np.signedinteger], shared: Sequence[bool], dim: int) -> None:
    """Write the outermost layer: the exterior, and what is unknown beyond shared sides."""
    info = np.iinfo(keys.dtype)
    unknown = info.min if dim else info.max
    for beyond, key in ((True, unknown), (False, info.max)):  # at corners the exterior wins
        for side, is_shared in enumerate(shared):
            if is_shared == beyond:
                keys[_layer(keys.ndim, side, 0)] = key


def met_pixels(
    keys: NDArray[np.signedinteger],
    dim: int,
    met: Sequence[bool],
    merges: Merges,
    extremum: NDArray[np.int32],
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.bool_]]:
    """Return the pixels at which other regions are met.

    Of the pixels of a side only those count that come before their neighbours *on that side*
    (for holes and voids, after them): at all others both regions have the edge to such a
    neighbour, and are connected there already.

    Returns
    -------
    other, end : (k,) int32
        Those that are no extrema, in the order of the sweep, and the extrema that they lead to.
    is_met : (n + 1,) bool
        Which extrema are met.
    """
    sides = [_first_of_side(keys, side, dim) for side, is_met in enumerate(met) if is_met]
    pixel = np.sort(np.concatenate([np.empty(0, np.int32), *sides]))
    pixel = pixel[np.append(True, pixel[1:] != pixel[:-1])[: pixel.size]]  # corners: once
    end = merges.reached(pixel)
    is_extremum = np.append(extremum, np.int32(UNKNOWN))[end] == pixel
    is_met = np.zeros(extremum.size + 1, bool)
    is_met[end[is_extremum]] = True
    other, other_end = pixel[~is_extremum], end[~is_extremum]
    in_order = np.argsort(keys.reshape(-1)[other], kind="stable")
    in_order = in_order[::-1] if dim else in_order
    return other[in_order], other_end[in_order], is_met


def _first_of_side(keys: NDArray, side: int, dim: int) -> NDArray[np.int32]:
    """Return the flat indices of the pixels of a side that come before those beside them."""
    axis = side // 2
    inner = [slice(1, -1)] * keys.ndim
    at = keys.shape[axis] - 2 if side % 2 else 1
    inner[axis] = slice(at, at + 1)
    line = keys[tuple(inner)]
    first = np.ones(line.shape, bool)
    for along in range(keys.ndim):
        a = line.swapaxes(0, along)
        out = first.swapaxes(0, along)
        is_before = a[:-1] <= a[1:]  # of equals, the one of smaller index
        if dim:
            out[1:] &= is_before
            out[:-1] &= ~is_before
        else:
            out[1:] &= ~is_before
            out[:-1] &= is_before
    index = [i + (at if k == axis else 1) for k, i in enumerate(np.nonzero(first))]
    index[axis] = np.full(index[axis].size, at)
    return np.ravel_multi_index(tuple(index), keys.shape).astype(np.int32)


def _layer(ndim: int, side: int, depth: int) -> tuple[slice, ...]:
    """Return the index of a layer of an array: the outermost of a side, or further inside."""
    layer = [slice(None)] * ndim
    at = -1 - depth if side % 2 else depth
    layer[side // 2] = slice(at, at + 1 or None)
    return tuple(layer)
