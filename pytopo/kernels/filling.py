"""Fill basins: raise what lies around a pixel, and below a level, to that level.

    level  3 - - - - - -            5 . . . . . 4        5 . . . . . 4
                                    . 2 . . 3 . .   ->   . 3 3 3 3 . .
                                    . . 1 2 . . .        . . . . . . .

A flood from the lowest pixel stops by itself where the values reach the level.  Peaks are
shaved by the same kernel: upside down they are basins.
"""

import numpy as np

from pytopo.kernels.jit import njit


@njit(cache=True, nogil=True)
def fill(seed, level, step, out_height):
    """Raise the basin of each seed to its level.

    Parameters
    ----------
    seed : (n,) int64
        Flat indices, none of them in the margin.
    level : (n,) int32, int64, float32 or float64
        Descending: then a basin that lies in another one has been raised with it when its
        turn comes, no pixel is raised twice, and the work is linear in what is raised.
    step : (k,) int64
        From a pixel to its neighbours.
    out_height : (size,), of the same dtype
        Heights, with a margin as high as the highest level at least.  Receives what is
        raised.
    """
    waiting = np.empty(64, np.int64)
    for i in range(seed.size):
        if out_height[seed[i]] >= level[i]:
            continue
        out_height[seed[i]] = level[i]
        waiting[0] = seed[i]
        count = 1
        while count > 0:
            count -= 1
            p = waiting[count]
            if count + step.size > waiting.size:
                larger = np.empty(2 * waiting.size, np.int64)  # 64 > 26, so this is enough
                for k in range(count):
                    larger[k] = waiting[k]
                waiting = larger
            for s in step:
                if out_height[p + s] < level[i]:
                    out_height[p + s] = level[i]  # raised, and so never found again
                    waiting[count] = p + s
                    count += 1
