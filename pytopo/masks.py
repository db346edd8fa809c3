"""Reading masks: what the values of an array say that it is."""

import numpy as np
from numpy.typing import ArrayLike

SHOWN = 6  # so many values are listed


def value_counts_text(values: ArrayLike) -> str:
    """Return the distinct values of an array and how often each occurs, as text.

    Parameters
    ----------
    values : array_like
        Of any shape, of numbers.

    Examples
    --------
    >>> value_counts_text([[0, 0, 255], [0, 8, 255]])
    '0 (3 pixels), 8 (1), 255 (2)'
    """
    distinct, counts = np.unique(np.asarray(values), return_counts=True)
    unit = "pixel" if counts[:1].tolist() == [1] else "pixels"
    texts = [
        f"{value!s} ({count}{f' {unit}' if k == 0 else ''})"
        for k, (value, count) in enumerate(zip(distinct[:SHOWN], counts))
    ]
    if distinct.size > SHOWN:
        texts.append(f"and {distinct.size - SHOWN} more up to {distinct[-1]!s}")
    return ", ".join(texts)
