"""scikit-image, MONAI and topolosses give the same values of the metrics.

`python tests/peers_metrics.py 50` compares many more, and prints a table.
"""

import numpy as np
import pytest
from peers_metrics import COMPARISONS, is_possible, largest_difference


# What MONAI warns of while it is imported is its own.
@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("name", COMPARISONS)
def test_the_values_are_those_of_the_peer(name):
    peer, compare = COMPARISONS[name]
    if not is_possible(peer, compare):
        pytest.skip(f"{peer}, or MONAI, is not installed")
    assert largest_difference(compare, 3, seed=1) < 1e-5


def test_the_comparison_can_fail():
    def wrong(prediction, target):
        return [np.count_nonzero(prediction)], [np.count_nonzero(target)]

    assert largest_difference(wrong, 1) > 0
