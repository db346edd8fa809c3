"""Entries of an array by 32-bit numbers, which NumPy would convert to 64 bits first."""

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
