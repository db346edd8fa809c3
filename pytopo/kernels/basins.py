"""Watershed in the order of the pixels, from given seeds, each as far as it reaches.

Pixels come one after another, and each joins the basin of a neighbour that is there already:

    order   1 5 3 6 2      seeds at 1 and 2.  The basin at 3 has none: it stays without a label
    label   A . . . B      until 5 comes and touches both A and it; then all of it is A's
    label   A A A . B      6 touches A and B: it goes to the neighbour that came first

A feature reaches only so far, to the pixel at which its component dies.  What its basin takes
from then on is part of the basin and not of the feature: it hangs on another root.
"""

import numpy as np

from pytopo.kernels.jit import njit
from pytopo.kernels.union_find import find


@njit(cache=True, nogil=True)
def flood(order, time, step, seed, stop, out_parent, out_label):
    """Label the pixels of each basin, as far as its feature reaches.

    Parameters
    ----------
    order : (n,) int64
        Flat indices of the pixels, margin left out, in the order in which they come.
    time : (size,) int64
        ``time[order[t]] == t``; in the margin n if it never comes, -1 if it is there first.
    step : (k,) int64
        From a pixel to its neighbours.
    seed : (n_seeds,) int64
        Pixels without earlier neighbours.  The last one is the margin's, any pixel of it.
    stop : (n_seeds,) int64
        The time from which on pixels are beyond reach; n if there is none.
    out_parent : (size,) int32
        A forest as `find` takes it: every pixel alone, but the margin one tree, whose root is
        the last seed.
    out_label : (size,) int32, zeros
        Receives i + 1 for the pixels of seed i, 0 for those of the margin's and beyond reach.
    """
    n_seeds = seed.size
    beyond = np.full(n_seeds, -1, np.int64)  # the root of what is beyond reach
    for i in range(n_seeds):
        out_label[seed[i]] = i + 1  # of roots; the other pixels follow at the end

    for t in range(order.size):
        p = order[t]
        basin, came_first = -1, t
        for s in step:
            if time[p + s] < came_first:
                label = out_label[find(out_parent, p + s)]
                if label > 0:
                    basin, came_first = label - 1, time[p + s]

        # Basins without a label that meet here belong together from now on, and to the one
        # with a label, if there is one.  By the elder rule they are the younger ones: an
        # older one would outlive a persistent feature, and be persistent itself.
        root = p
        if basin >= 0:
            root = seed[basin]
            if t >= stop[basin]:
                if beyond[basin] < 0:
                    beyond[basin] = p
                    out_label[p] = basin + 1
                root = beyond[basin]
            out_parent[p] = root
        for s in step:
            if time[p + s] < t:
                other = find(out_parent, p + s)
                if out_label[other] == 0:
                    out_parent[other] = root

    for t in range(order.size):
        p = order[t]
        root = find(out_parent, p)
        label = out_label[root]
        # Roots keep their labels until the others have read them: only they are read.
        if root != p:
            out_label[p] = label if label > 0 and root == seed[label - 1] else 0
    for i in range(n_seeds):
        if beyond[i] >= 0:
            out_label[beyond[i]] = 0
    for p in range(out_label.size):
        if out_label[p] == n_seeds:
            out_label[p] = 0
