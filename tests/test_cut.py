"""The suggested cut: diagrams of known persistences, and images whose answer is known."""

from pathlib import Path

import numpy as np
import pytest

import pytopo
from pytopo.cli.example import likelihood_map
from pytopo.features import suggested_cut
from pytopo.features.cut import roundest


def of_sizes(*by_dim):
    """A diagram of given persistences, one sequence for each dimension, all born at 0."""
    size = np.concatenate([np.asarray(sizes, float) for sizes in by_dim])
    n = size.size
    return pytopo.Diagram(
        dim=np.repeat(np.arange(len(by_dim), dtype=np.int8), [len(sizes) for sizes in by_dim]),
        birth=np.zeros(n),
        death=size,
        birth_pixel=np.zeros(n, np.int64),
        death_pixel=np.where(np.isinf(size), -1, 0),
        shape=(4, 4),
        superlevel=False,
        construction="V",
        frame=None,
        dims=tuple(range(len(by_dim))),
    )


def noise(n, scale=1.0, seed=0):
    return np.random.default_rng(seed).exponential(scale, n)


def test_the_cut_is_the_roundest_number_between_noise_and_features():
    sizes = [*noise(1000), *np.linspace(80, 120, 30)]
    assert np.sort(sizes)[-31] < 9
    assert suggested_cut(of_sizes(sizes)) == 40  # nearest to the middle of 8.4 and 80


def test_one_feature_far_from_noise_is_enough():
    assert suggested_cut(of_sizes([*noise(1000), 100])) == 50


def test_features_of_another_dimension_are_cut_at_the_same_persistence():
    holes = [*noise(500, seed=1), *np.linspace(80, 120, 30)]
    cut = suggested_cut(of_sizes(noise(1000), holes))
    assert cut == suggested_cut(of_sizes([], holes))
    assert 5 < cut < 80


def test_noise_alone_has_no_gap():
    assert suggested_cut(of_sizes(noise(3000), noise(2000, 2))) is None
    white = np.random.default_rng(0).normal(size=(64, 64))
    assert suggested_cut(pytopo.persistence(white)) is None
    grey = (128 + 20 * white).round()
    assert suggested_cut(pytopo.persistence(grey, construction="T")) is None


def test_what_is_all_alike_stands_out_as_a_whole():
    assert suggested_cut(of_sizes([255] * 100)) == 100
    assert suggested_cut(of_sizes(np.linspace(90, 110, 50), [np.inf])) == 40


def test_steps_between_grey_values_are_no_gaps():
    grey = np.ceil(noise(5000, 2))
    assert suggested_cut(of_sizes(grey)) is None
    assert suggested_cut(of_sizes([*grey, *range(80, 120)])) == 50
    scaled = np.float32(1) / 255 * np.array([*grey, *range(80, 120)], np.float32)
    assert suggested_cut(of_sizes(scaled)) == 0.2


def test_a_few_points_stand_out_unless_they_are_tiny():
    assert suggested_cut(of_sizes([])) == 0
    assert suggested_cut(of_sizes([np.inf])) == 0
    assert suggested_cut(of_sizes([9, 2, np.inf], [1])) == 0
    assert suggested_cut(of_sizes([22, 2, np.inf], [89])) == 10


@pytest.mark.parametrize("factor", [1e-9, 1, 1e9])
def test_the_cut_has_the_unit_of_the_image(factor):
    sizes = np.array([*noise(1000), *np.linspace(80, 120, 30)])
    cut = suggested_cut(of_sizes(sizes * factor))
    assert np.count_nonzero(sizes * factor >= cut) == 30


def test_the_readme_says_how_many_cells_of_the_example_stand_out():
    d = pytopo.persistence(likelihood_map())
    chosen = d.select(min_persistence=suggested_cut(d))
    assert (len(chosen.points(0)), len(chosen.points(1))) == (26, 0)
    readme = Path(__file__).parent.parent / "README.md"
    assert "26 components stand out" in " ".join(readme.read_text().split())


@pytest.mark.parametrize(
    ("low", "high", "number"),
    [
        (29, 87, 60),
        (92, 93, 93),
        (0.1961, 0.2471, 0.2),
        (0, 255, 100),
        (17.4535, 17.4543, 17.454),
    ],
)
def test_a_round_number_lies_in_the_gap(low, high, number):
    assert roundest(low, high) == number
