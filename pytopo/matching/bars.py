"""Bars that are known by the pixels of their ends: which rows of a list they are."""

import numpy as np
from numpy.typing import NDArray


def rows_of_bars(known: NDArray[np.int64], wanted: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return where each wanted bar is in a list of bars; of equals the next one.

    Parameters
    ----------
    known, wanted : (n, 3), (m, 3) int64
        Number of the image, birth pixel, death pixel.

    Returns
    -------
    rows : (m,) int64
        -1 where it is not in the list, or not so often.

    Examples
    --------
    >>> known = np.array([[0, 5, 7], [0, 2, 9], [0, 2, 9]])
    >>> rows_of_bars(known, np.array([[0, 2, 9], [0, 5, 7], [0, 2, 9], [1, 2, 9]]))
    array([ 1,  0,  2, -1])
    """
    code = np.zeros(len(known) + len(wanted), np.int64)
    for column in np.concatenate([known, wanted]).T:  # so that no product is too large
        column = column - column.min(initial=0)
        code = np.unique(code * (column.max(initial=0) + 1) + column, return_inverse=True)[1]
    of_known, of_wanted = code[: len(known)], code[len(known) :]
    order, sequence = (np.argsort(some, kind="stable") for some in (of_known, of_wanted))
    sorted_known, in_order = of_known[order], of_wanted[sequence]
    nth = np.arange(in_order.size) - np.searchsorted(in_order, in_order)
    place = np.searchsorted(sorted_known, in_order) + nth
    found = np.append(sorted_known, -1)[np.minimum(place, sorted_known.size)] == in_order
    rows = np.full(len(wanted), -1)
    rows[sequence[found]] = order[place[found]]
    return rows
