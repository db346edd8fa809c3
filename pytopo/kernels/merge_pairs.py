"""From merge events to pairs: what ended at each, and where it was born or is filled.

    merge events of the ascending sweep    -> deaths of minima -> components
    merge events of the descending sweep   -> their maxima     -> holes, in volumes voids

The sweeps are in `pytopo/kernels/sweep_2d.py` and `pytopo/kernels/sweep_3d.py`.
"""

import numpy as np

from pytopo.kernels.jit import njit
from pytopo.kernels.v_paths import UNKNOWN


@njit(cache=True, nogil=True)
def note_deaths(saddle, younger, out_death):
    """Note for each component the saddle at which it dies.

    Parameters
    ----------
    saddle : (n_merges,) int32
    younger : (n_merges,) int32
        As `pytopo.kernels.kruskal.merge` fills it.
    out_death : (n_minima,) int32
        By number of the minimum; the others are left as they are.
    """
    for k in range(saddle.size):
        if younger[k] != UNKNOWN:
            out_death[younger[k]] = saddle[k]


@njit(cache=True, nogil=True)
def component_pairs(minimum, death, keys):
    """List the components: born at a minimum, dead at a saddle or never.

    Parameters
    ----------
    minimum, death : (n_minima,) int32
        Some minima, and the saddles that `note_deaths` notes for them; -1 for none.
    keys : (n,) int32 or int64
        Keys of all pixels.

    Returns
    -------
    pairs : (n_pairs, 2) int32
        (birth pixel, death pixel), by ascending birth pixel; -1 for never.  Pairs of
        equal keys are left out.
    """
    pairs = np.empty((minimum.size, 2), np.int32)  # each is born once
    count = 0
    for m in range(minimum.size):
        # Born and dead at one value: no pair.
        if death[m] == -1 or keys[minimum[m]] != keys[death[m]]:
            pairs[count, 0] = minimum[m]
            pairs[count, 1] = death[m]
            count += 1
    return pairs[:count]


@njit(cache=True, nogil=True)
def hole_pairs(maximum, saddle, younger, keys):
    """List the holes: born at a saddle, filled at a maximum.

    Parameters
    ----------
    maximum : (n_maxima,) int32
    saddle, younger : (n_merges,) int32
        Some merge events, ascending, and what `pytopo.kernels.kruskal.merge` fills in for
        them: in the reversed order, the maximum of the component that ended there.
    keys : (n,) int32 or int64
        Keys of all pixels.

    Returns
    -------
    pairs : (n_pairs, 2) int32
        As `component_pairs`, by ascending birth pixel, then death pixel.
    """
    pairs = np.empty((saddle.size, 2), np.int32)  # each merge event creates one at most
    count = 0
    for k in range(saddle.size):
        if younger[k] != UNKNOWN and keys[saddle[k]] != keys[maximum[younger[k]]]:
            birth, death = saddle[k], maximum[younger[k]]
            # Insertion sort by death: a saddle creates three holes at most, in 3D seven.
            place = count
            while place > 0 and pairs[place - 1, 0] == birth and pairs[place - 1, 1] > death:
                pairs[place, 0], pairs[place, 1] = birth, pairs[place - 1, 1]
                place -= 1
            pairs[place, 0] = birth
            pairs[place, 1] = death
            count += 1
    return pairs[:count]
