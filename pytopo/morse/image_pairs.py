"""Image persistence by union-find: which features of two images live on together in a third.

    first, second          c, the comparison image: at each pixel the earlier of both

Whatever is there in the first image or in the second is there in c as well.  So a feature of
the first can be followed in c, and there it may die sooner: it has an *image bar*, from its
birth in the first image to a death in c.  Two features match if their image bars end together.

Components.  The saddles of c merge components of c.  Each carries the eldest minimum of the
first image and the eldest of the second, and where the younger of both kinds get off together,
those two match.  That is image persistence in dimension 0: rows in the order of the first or
the second image, columns in the order of c.

Holes, and voids.  The same upside down, and since births and deaths change places, so do the
images: the saddles of the *first* merge components of its complement, and each carries the
latest maximum of the first image and the latest of c.  Where two get off together, the one is
the death of a hole in the first image and the other the death of its image bar.  The second
image gets the same treatment, and holes match that were given the same maximum of c.

Both are `pytopo.kernels.passengers`.  No matrix is built, and c needs no pairs of its own.
Of two-dimensional images `pytopo.morse.image_pairs_2d` finds the pairs in the same go.
Dimension 1 of volumes is neither: `pytopo.morse.image_tunnels`.  What an image bar is in
general says the reference implementation, `pytopo.textbook.image_persistence`.

Bauer and Schmahl (2023), "Efficient computation of image persistence", section 2; Stucki,
Bürgin, Paetzold, Bauer (2024), "Efficient Betti matching enables topology-aware 3D segmentation
via persistent homology", section 4.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pytopo.kernels.gather import taken
from pytopo.kernels.passengers import NONE, boarded, merge_passengers
from pytopo.morse.image_pairs_2d import JointRows, joint_rows
from pytopo.morse.merges import Merges, Voxels
from pytopo.morse.workspace import Workspace, workspace
from pytopo.order import FRAME, fill_keys, key_dtype, make_room_for_frame
from pytopo.threads import on_threads

Keys = NDArray[np.signedinteger]


class Matched(NamedTuple):
    """Features that match, one row a pair, sorted by image and by dimension.

    A component is known by the pixel of its birth, a hole or void by that of its death: no two
    of an image have the same.
    """

    image: NDArray[np.int64]
    dim: NDArray[np.int8]
    first_pixel: NDArray[np.int64]
    second_pixel: NDArray[np.int64]


def matched_pixels(
    first: NDArray,
    second: NDArray,
    dims: tuple[int, ...],
    *,
    superlevel: bool,
    construction: str,
    frame: int | np.floating | None,
    threads: int = 1,
) -> Matched:
    """Match the features of images with those of other images, pair by pair.

    Parameters
    ----------
    first, second : (B, H, W) or (B, D, H, W) ndarray
        Of one shape and dtype, C-contiguous, without NaN, with a pixel.
    dims : tuple of int
        0 and the number of axes of an image less 1, one of them, or none.
    superlevel, construction
        As in `pytopo.persistence`.
    frame : int, numpy float or None
        Value of the frame of all images, as `pytopo.order.frame_value` returns it.
    threads : int
        Number of threads to use for these images together.

    Returns
    -------
    Matched
        The essential components, which always match, are not among them.  Pixels are flat
        indices into an image, -2 in the frame.
    """
    count = len(first)
    parts = min(count, threads)
    bounds = np.linspace(0, count, parts + 1).astype(int).tolist()
    inner = max(1, threads // parts)

    def match(part: tuple[int, int]) -> Matched:
        some = slice(*part)
        if first.ndim == 3:
            joint = joint_rows(
                first[some],
                second[some],
                dims,
                superlevel=superlevel,
                construction=construction,
                frame=frame,
                threads=inner,
            )
            return _of_rows(joint, part[0])
        with workspace() as space:
            stack = stack_of_images(first[some], second[some], superlevel, frame, space)
            found = _matched(stack, dims, construction, inner, space)
        return found._replace(image=found.image + part[0])

    found = on_threads(match, pairwise(bounds), threads)
    return Matched(*(np.concatenate(column) for column in zip(*found)))


def _of_rows(joint: JointRows, image: int) -> Matched:
    """Return the matches of rows by pixel, from some image on."""
    rows = np.flatnonzero(joint.partner != NONE)
    sides = joint.first.take(rows), joint.second.take(joint.partner[rows])
    dim = sides[0].dim
    pixels = (np.where(dim == 0, side.birth_pixel, side.death_pixel) for side in sides)
    return Matched(sides[0].image + np.int64(image), dim, *pixels)


@dataclass(frozen=True, eq=False)
class Stack:
    """Images on top of each other: their keys, and where an image and its pixels are.

    The keys of all images are on one scale, so that they can be compared.
    """

    first: Keys
    second: Keys
    comparison: Keys
    shape: tuple[int, ...]  # of an image, of two or three axes
    margin: int  # on each side: exterior, and frame if there is one
    border: int | None  # the key of the frame, if pixels have the same value

    @property
    def stride(self) -> int:
        return self.shape[0] + 2 * self.margin - 1

    def before(
        self, keys: Keys, pixel: NDArray, other_keys: Keys, other: NDArray
    ) -> NDArray[np.bool_]:
        """Tell which pixels have earlier values than others, not only earlier keys."""
        one, two = (taken(k.reshape(-1), p) for k, p in ((keys, pixel), (other_keys, other)))
        if self.border is not None:  # the frame has a key of its own before its equals
            one, two = (key - (key > self.border) for key in (one, two))
        return one < two

    def places(self, pixel: NDArray[np.int32]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the image in which each pixel lies, and its index there, -2 in the frame."""
        row, *others = np.unravel_index(pixel, self.first.shape)
        image = row // self.stride
        index = [i - self.margin for i in (row - image * self.stride, *others)]
        inside = np.logical_and.reduce([(i >= 0) & (i < n) for i, n in zip(index, self.shape)])
        place = np.ravel_multi_index(index, self.shape, mode="clip")
        return image, np.where(inside, place, FRAME)


def stack_of_images(
    first: NDArray,
    second: NDArray,
    superlevel: bool,
    frame: int | np.floating | None,
    space: Workspace,
) -> Stack:
    """Write the keys of both images, which share one scale, with exterior between."""
    count, *shape = first.shape
    values = np.concatenate([first, second], out=space.empty((2 * count, *shape), first.dtype))
    keys = space.empty(values.shape, key_dtype(values.dtype))
    planes = values.reshape(-1, *shape[-2:])
    fill_keys(planes, superlevel, [None] * len(planes), keys.reshape(planes.shape))
    border, equals = np.iinfo(keys.dtype).max, False
    if frame is not None:
        border = make_room_for_frame(values, frame, superlevel, keys)
        equals = bool((values == frame).any())

    margin = 1 if frame is None else 2
    stride = shape[0] + 2 * margin - 1
    whole_shape = count * stride + 1, *(n + 2 * margin for n in shape[1:])
    framed = slice(None), slice(-1), *[slice(1, -1)] * (len(shape) - 1)
    inner = slice(None), *(slice(margin - 1, margin - 1 + n) for n in shape)

    def stacked(images: Keys) -> Keys:
        stack = space.full(whole_shape, np.iinfo(keys.dtype).max, keys.dtype)
        whole = stack[1:].reshape(count, stride, *whole_shape[1:])[framed]
        whole[...] = border
        whole[inner] = images
        return stack

    both = stacked(keys[:count]), stacked(keys[count:])
    comparison = np.minimum(*both, out=space.empty(whole_shape, keys.dtype))
    return Stack(*both, comparison, tuple(shape), margin, int(border) if equals else None)


def _matched(
    stack: Stack, dims: tuple[int, ...], construction: str, threads: int, space: Workspace
) -> Matched:
    """Match the features of the images of a stack, dimension by dimension."""
    first, second, c = (
        Voxels(keys, stack.stride, construction, space)
        for keys in (stack.first, stack.second, stack.comparison)
    )
    top = len(stack.shape) - 1
    found = []
    if 0 in dims:
        found.append((0, _matched_components(stack, first, second, c)))
    if top in dims:
        found.append((top, _matched_holes(stack, first, second, c, top, threads)))
    pixels = np.concatenate([np.empty((0, 2), np.int32), *(pairs for _, pairs in found)])
    dim = np.repeat(np.array([d for d, _ in found], np.int8), [len(p) for _, p in found])
    image, first_pixel = stack.places(pixels[:, 0])
    second_pixel = stack.places(pixels[:, 1])[1]
    order = np.lexsort((dim, image))
    return Matched(image[order], dim[order], first_pixel[order], second_pixel[order])


def _matched_components(
    stack: Stack, first: Voxels, second: Voxels, c: Voxels
) -> NDArray[np.int32]:
    """Return the minima of both images whose components get off together in c, (n, 2)."""
    dead, minimum, other_minimum = _events(c.merges(0), 0, first, second)
    lives = stack.before(first.keys, minimum, c.keys, dead)
    lives &= stack.before(second.keys, other_minimum, c.keys, dead)
    return np.column_stack([minimum[lives], other_minimum[lives]])


def _matched_holes(
    stack: Stack, first: Voxels, second: Voxels, c: Voxels, top: int, threads: int
) -> NDArray[np.int32]:
    """Return the maxima of both images whose holes were given the same maximum of c, (n, 2)."""

    def image_deaths(image: Voxels) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        born, maximum, dead = _events(image.merges(top), top, image, c)
        lives = stack.before(image.keys, born, c.keys, dead)
        return dead[lives], maximum[lives]

    deaths = on_threads(image_deaths, (first, second), threads)
    (dead, maximum), (other_dead, other_maximum) = deaths
    _, k, other_k = np.intersect1d(dead, other_dead, assume_unique=True, return_indices=True)
    return np.column_stack([maximum[k], other_maximum[other_k]])


def _events(merges: Merges, dim: int, one: Voxels, other: Voxels) -> NDArray[np.int32]:
    """Return saddles, and the extrema of two images that get off there together, (3, n)."""
    passengers = []
    for image in (one, other):
        extremum, keys = image.extrema(dim), image.keys.reshape(-1)
        info = np.iinfo(keys.dtype)
        key = np.append(taken(keys, extremum), info.max if merges.flip else info.min)
        on_board = boarded(merges.reached(extremum), key, merges.flip, merges.n)
        passengers.append((extremum, key, on_board))
    (first, key_a, a), (second, key_b, b) = passengers
    off_a, off_b = merge_passengers(
        merges.saddle, merges.order, merges.ends, merges.flip, key_a, key_b, a, b
    )
    both = np.flatnonzero((off_a != NONE) & (off_b != NONE))
    return np.stack([merges.saddle[both], first[off_a[both]], second[off_b[both]]])
