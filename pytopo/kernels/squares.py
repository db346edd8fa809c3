"""The topological loss of matched dots: squares, added up, and their gradient.

A dot costs its squared way, and pulls at the pixels that it comes from:

    matched    (f[birth] - birth')^2 + (f[death] - death')^2
    removed    (f[death] - f[birth])^2 / 2
    missing    (death' - birth')^2 / 2             a dot of the truth: pulls at nothing
    essential  (f[birth] - birth')^2

The twin is `pytopo.loss.textbook`, where torch finds the gradient.  Here the dots of many
images lie one behind the other, by image and dimension: a *group* is what one image has in
one dimension, and ``points[start[group]:start[group + 1]]`` are its dots.
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
        The dots of image b and dimension ``dims[j]`` are in rows ``start[b * k + j]`` to
        ``start[b * k + j + 1]``.
    """
    start = np.empty(n_images * dims.size + 1, np.int64)
    row = 0
    for group in range(start.size - 1):
        start[group] = row
        b, d = group // dims.size, dims[group % dims.size]
        while row < image.size and image[row] == b and dim[row] == d:
            row += 1
    start[-1] = row
    return start


@njit(cache=True, nogil=True)
def pixel_values(start, birth_pixel, death_pixel, images, frame, never):
    """Look the values of birth and death pixels up.

    Parameters
    ----------
    start : (n_images * k + 1,) int64
        As `group_starts` returns it.
    birth_pixel, death_pixel : (n,) int64
        Pixels of the image that a dot is of; -1 for never, -2 for the frame.
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
    start,
    points,
    birth_pixel,
    death_pixel,
    partner,
    goal_start,
    goals,
    weight,
    out_loss,
    out_gradient,
):
    """Add up the squares of each image, and pull at its pixels.

    Parameters
    ----------
    start, goal_start : (n_images * k + 1,) int64
        Where the dots, and the goals, of each group begin.
    points : (n, 2) float64
        Birth and death of the dots: the values of their pixels.
    birth_pixel, death_pixel : (n,) int64
        Pixels of the image that a dot is of; -1 for never, -2 for the frame, at which nothing
        pulls.
    partner : (n,) int64
        The goal of each dot, of its group; none twice; -1 for the diagonal.  Dots that never
        die have a goal, and goals that never die have a dot.
    goals : (m, 2) float64
        Birth and death of the dots of the truth.
    weight : (k,) float64
        Of each dimension.
    out_loss : (n_images,) float64
        Receives the loss of each image.
    out_gradient : (n_images, p) float32 or float64
        The gradient is added to it, so it starts with zeros.
    """
    missing = np.ones(len(goals), np.bool_)
    for b in range(out_loss.size):
        loss, gradient = 0.0, out_gradient[b]
        for j in range(weight.size):
            group, w = b * weight.size + j, weight[j]
            for row in range(start[group], start[group + 1]):
                goal = partner[row]
                if goal < 0:
                    way = points[row, 1] - points[row, 0]
                    loss += w * way**2 / 2
                    pull(birth_pixel[row], -w * way, gradient)
                    pull(death_pixel[row], w * way, gradient)
                    continue
                missing[goal] = False
                way = points[row, 0] - goals[goal, 0]
                loss += w * way**2
                pull(birth_pixel[row], 2 * w * way, gradient)
                if death_pixel[row] != NEVER:
                    way = points[row, 1] - goals[goal, 1]
                    loss += w * way**2
                    pull(death_pixel[row], 2 * w * way, gradient)
            for goal in range(goal_start[group], goal_start[group + 1]):
                if missing[goal]:
                    loss += w * (goals[goal, 1] - goals[goal, 0]) ** 2 / 2
        out_loss[b] = loss


@njit(cache=True, nogil=True)
def pull(pixel, amount, out_gradient):
    """Add to the gradient at a pixel, unless it is the frame.

    Parameters
    ----------
    pixel : int
    amount : float
    out_gradient : (p,) float32 or float64
    """
    if pixel >= 0:
        out_gradient[pixel] += amount
