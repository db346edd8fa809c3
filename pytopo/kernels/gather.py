"""Taking entries by number, where NumPy would turn 32-bit numbers into 64-bit ones first."""

import numpy as np

from pytopo.kernels.jit import njit


@njit(cache=True, nogil=True)
def taken(values, index):
    """Return ``values[index]``.

    Parameters
    ----------
    values : (n,) int32 or int64
    index : (m,) int32
        0 <= index < n.
    """
    some = np.empty(index.size, values.dtype)
    for k in range(index.size):
        some[k] = values[index[k]]
    return some
