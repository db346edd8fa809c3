"""Rows of a diagram that come in parts: dealt out to where they belong, in one pass.

    parts    5 9 30   2 7 31   6 33        birth pixels, mostly ascending in each part
    buckets  2 5 6 7 9 . . .   30 31 33    of some pixels each, with room for what is counted

First the rows of each bucket are counted, which says where each begins; then every row goes
straight to its bucket, where insertion puts it behind its elders.  Parts are tiles, and the
rows of one lie side by side there, so that there is little to insert, and both what is read
and what is written comes in long runs.
"""

from pytopo.kernels.jit import njit

BEFORE = 2  # a frame has the pixel -2


@njit(cache=True, nogil=True)
def count_rows(dim, birth_pixel, width, out_count):
    """Count the rows of a part.

    Parameters
    ----------
    dim : (n,) int8
    birth_pixel : (n,) int64
        -2 or more.
    width : int
        Pixels of a bucket.
    out_count : (3, n_buckets) int64
        Of each dimension and bucket; what is there is added to.
    """
    for k in range(dim.size):
        out_count[dim[k], (birth_pixel[k] + BEFORE) // width] += 1


@njit(cache=True, nogil=True)
def deal_rows(dim, values, pixels, width, first, out_stop, out_values, out_pixels):
    """Deal out the rows of a part, in ascending order of birth pixel, then death pixel.

    Parameters
    ----------
    dim : (n,) int8
    values : tuple of 2 (n,) float32 or float64
        Births and deaths.
    pixels : tuple of 2 (n,) int64
        Of the births and of the deaths.
    width : int
        Pixels of a bucket.
    first : (3, n_buckets) int64
        Where each bucket begins.
    out_stop : (3, n_buckets) int64
        Behind the rows that are there already; behind these afterwards.
    out_values : (2, n_rows) float32 or float64
    out_pixels : (2, n_rows) int64
        Receive the rows.
    """
    for k in range(dim.size):
        birth, death = pixels[0][k], pixels[1][k]
        d, bucket = dim[k], (birth + BEFORE) // width
        place = out_stop[d, bucket]
        out_stop[d, bucket] += 1
        while place > first[d, bucket]:
            b = out_pixels[0, place - 1]
            if b < birth or (b == birth and out_pixels[1, place - 1] <= death):
                break
            for side in range(2):
                out_values[side, place] = out_values[side, place - 1]
                out_pixels[side, place] = out_pixels[side, place - 1]
            place -= 1
        out_pixels[0, place], out_pixels[1, place] = birth, death
        out_values[0, place], out_values[1, place] = values[0][k], values[1][k]
