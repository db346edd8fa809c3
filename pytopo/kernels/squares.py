"""The topological loss of matched points: squares, added up, and their gradient.

A point costs its squared distance to its match, and its gradient is at the two pixels that it
comes from.  f is the image, b and d are the birth and the death pixel, b' and d' are the birth
and the death of the *goal*, the point of the target that it is matched with:

                 loss                                gradient
    matched      (f[b] - b')^2 + (f[d] - d')^2       2 (f[b] - b')  at b,  2 (f[d] - d')  at d
    removed      (f[d] - f[b])^2 / 2                 f[b] - f[d]    at b,  f[d] - f[b]    at d
    missing      (d' - b')^2 / 2                     none: no pixel of the image is involved
    essential    (f[b] - b')^2                       2 (f[b] - b')  at b

A removed point goes to the nearest point of the diagonal, at the middle of its birth and
death: half the persistence away on both axes, 2 ((f[d] - f[b]) / 2)^2.

The reference implementation is `pytopo.loss.textbook`, where torch finds the gradient.  Here
the points of many images are in one array, sorted by image and dimension: a *group* is what
one image has in one dimension, and ``points[start[group]:start[group + 1]]`` are its points.
"""

import numpy as np

from pytopo.kernels.jit import njit

NEVER = -1  # death pixel of the essential component


@njit(cache=True, nogil=True)
def group_starts(image, dim, n_images, dims):
    """Return where the rows of each group begin.

    Parameters
    ----------
    image : (n,) int32
        Ascending.
    dim : (n,) int8
        Ascending within an image; each is one of ``dims``.
    n_images : int
    dims : (k,) int8
        Ascending.

    Returns
    -------
    start : (n_images * k + 1,) int64
        The points of image b and dimension ``dims[j]`` are in rows ``start[b * k + j]`` to
        ``start[b * k + j + 1]``.
    """
    start = np.empty(n_images * dims.size + 1, np.int64)
    row = 0
    for group in range(start.size - 1):
        start[group] = row  # also if the group has no rows
        b, d = group // dims.size, dims[group % dims.size]
        while row < image.size and image[row] == b and dim[row] == d:
            row += 1
    start[-1] = row
    return start


@njit(cache=True, nogil=True)
def pixel_values(start, birth_pixel, death_pixel, images, frame, never):
    """Look up the values of birth and death pixels.

    Parameters
    ----------
    start : (n_images * k + 1,) int64
        As `group_starts` returns it.
    birth_pixel, death_pixel : (n,) int64
        Pixels of the image that a point is of; -1 for never, -2 for the frame.
    images : (n_images, p) float32 or float64
    frame, never : float
        Value of the frame, and of what has no pixel.

    Returns
    -------
    points : (n, 2) float64
    """
    k = (start.size - 1) // len(images)
    points = np.empty((birth_pixel.size, 2), np.float64)
    for b in range(len(images)):
        for row in range(start[b * k], start[(b + 1) * k]):
            points[row, 0] = value_at(birth_pixel[row], images[b], frame, never)
            points[row, 1] = value_at(death_pixel[row], images[b], frame, never)
    return points


@njit(cache=True, nogil=True)
def value_at(pixel, values, frame, never):
    """Return the value of a pixel, or that of the frame or of never.

    Parameters
    ----------
    pixel : int
    values : (p,) float32 or float64
    frame, never : float
    """
    if pixel >= 0:
        return np.float64(values[pixel])
    return never if pixel == NEVER else frame


@njit(cache=True, nogil=True)
def add_squares(
    start, points, birth_pixel, death_pixel, partner, goal_start, goals, weight,
    out_loss, out_gradient,
):  # fmt: skip
    """Add up the squares of each image, and the gradient at its pixels.

    Parameters
    ----------
    start, goal_start : (n_images * k + 1,) int64
        Where the points, and the goals, of each group begin.
    points : (n, 2) float64
        Birth and death of the points: the values of their pixels.
    birth_pixel, death_pixel : (n,) int64
        Pixels of the image that a point is of; -1 for never, -2 for the frame, neither of
        which has a gradient.
    partner : (n,) int64
        The goal of each point, of its group; none twice; -1 for the diagonal.  Points that
        never die have a goal, and goals that never die have a point.
    goals : (m, 2) float64
        Birth and death of the points of the target.
    weight : (k,) float64
        Of each dimension.
    out_loss : (n_images,) float64
        Receives the loss of each image.
    out_gradient : (n_images, p) float32 or float64
        The gradient is added to it, so it starts with zeros.
    """
    missing = np.ones(len(goals), np.bool_)  # until a point has it as its goal
    for b in range(out_loss.size):
        loss, gradient = 0.0, out_gradient[b]
        for j in range(weight.size):
            group, w = b * weight.size + j, weight[j]
            for row in range(start[group], start[group + 1]):
                birth, death = points[row, 0], points[row, 1]
                goal = partner[row]
                if goal < 0:  # removed: to the diagonal
                    loss += w * (death - birth) ** 2 / 2
                    add_at(birth_pixel[row], w * (birth - death), gradient)
                    add_at(death_pixel[row], w * (death - birth), gradient)
                    continue
                missing[goal] = False
                goal_birth, goal_death = goals[goal, 0], goals[goal, 1]
                loss += w * (birth - goal_birth) ** 2
                add_at(birth_pixel[row], 2 * w * (birth - goal_birth), gradient)
                if death_pixel[row] != NEVER:  # the essential component has a birth only
                    loss += w * (death - goal_death) ** 2
                    add_at(death_pixel[row], 2 * w * (death - goal_death), gradient)
            for goal in range(goal_start[group], goal_start[group + 1]):
                if missing[goal]:
                    loss += w * (goals[goal, 1] - goals[goal, 0]) ** 2 / 2
        out_loss[b] = loss


@njit(cache=True, nogil=True)
def add_at(pixel, amount, out_gradient):
    """Add to the gradient at a pixel, unless it is the frame.

    Parameters
    ----------
    pixel : int
    amount : float
    out_gradient : (p,) float32 or float64
    """
    if pixel >= 0:
        out_gradient[pixel] += amount
