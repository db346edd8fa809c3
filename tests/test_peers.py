"""GUDHI and CubicalRipser give the same values: both constructions, directions, all dimensions.

`python tests/peers.py 10000` compares many more.
"""

import numpy as np
import pytest
from peers import PEERS, difference, random_case, sublevel_image

import pytopo

pytestmark = pytest.mark.compiled


@pytest.mark.parametrize("peer", PEERS)
@pytest.mark.parametrize("superlevel", [False, True])
@pytest.mark.parametrize("construction", ["V", "T"])
@pytest.mark.parametrize(
    "shape", [(2, 3), (6, 9), (9, 6), (1, 7), (40, 3), (2, 3, 5), (5, 4, 3)]
)
def test_non_square_images_agree(peer, superlevel, construction, shape):
    rng = np.random.default_rng(0)
    for image in (np.arange(np.prod(shape)).reshape(shape), rng.integers(0, 6, shape)):
        for frame in (None, True, 3):
            options = {"superlevel": superlevel, "construction": construction, "frame": frame}
            assert difference(peer, image, options) is None


@pytest.mark.parametrize("peer", PEERS)
def test_random_images_agree(peer):
    rng = np.random.default_rng(1)
    for _ in range(500):
        assert difference(peer, *random_case(rng)) is None


@pytest.mark.parametrize("peer", PEERS)
@pytest.mark.parametrize("construction", ["V", "T"])
def test_large_images_agree(peer, construction):
    rng = np.random.default_rng(2)
    for shape in ((120, 150), (20, 16, 24)):
        options = {"superlevel": False, "construction": construction, "frame": None}
        assert difference(peer, rng.standard_normal(shape), options) is None


@pytest.mark.parametrize("peer", PEERS)
def test_a_real_section_agrees(peer, real_data):
    image = pytopo.read_image(real_data / "isbi2012/image/0.png", raw=True)
    for construction in "VT":
        options = {"superlevel": True, "construction": construction, "frame": None}
        assert difference(peer, image, options) is None


def test_the_comparison_can_fail():
    options = {"superlevel": False, "construction": "V", "frame": None}
    image = np.arange(6).reshape(2, 3)
    found = PEERS["gudhi"](sublevel_image(image.T + 1, False, None), "V")
    assert found != PEERS["gudhi"](sublevel_image(image, False, None), "V")
    PEERS["wrong"] = lambda image, construction: []
    try:
        assert difference("wrong", image, options).startswith(
            "wrong differs on array([[0, 1, 2]"
        )
    finally:
        del PEERS["wrong"]
