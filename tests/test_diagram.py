"""Diagram: points, selections, Betti numbers, coordinates, texts."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from strategies import images

import pytopo
from pytopo.diagram import pixel_text


@pytest.fixture
def diagram():
    return pytopo.persistence(np.array([[0, 3, 1], [2, 9, 4], [5, 2, 6]]))


def test_points_are_birth_and_death(diagram):
    assert diagram.points(0).tolist() == [[0, np.inf], [1, 3], [2, 5]]
    assert diagram.points(1).tolist() == [[6, 9]]


def test_points_of_a_dimension_without_points_have_two_columns():
    d = pytopo.persistence(np.zeros((3, 3)))
    assert d.points(1).shape == (0, 2)


def test_points_of_a_dimension_that_was_not_computed_are_refused():
    d = pytopo.persistence(np.zeros((3, 3)), dims=0)
    with pytest.raises(ValueError, match=r"no dimension 1; it was computed for dims=\(0,\)"):
        d.points(1)


def test_persistence_is_the_length_of_life(diagram):
    assert diagram.persistence.tolist() == [np.inf, 2, 3, 3]


def test_the_essential_component_persists_for_ever_even_in_an_infinite_image():
    d = pytopo.persistence(np.full(3, np.inf))
    assert d.persistence.tolist() == [np.inf]


def test_select_by_dimension_persistence_and_finiteness(diagram):
    assert diagram.select(dim=1).points(1).tolist() == [[6, 9]]
    assert diagram.select(dim=1).dims == (1,)
    assert diagram.select(dim=[1, 0]) == diagram
    assert diagram.select(min_persistence=3).birth.tolist() == [0, 2, 6]
    assert diagram.select(finite=True).birth.tolist() == [1, 2, 6]
    assert diagram.select(finite=False).birth.tolist() == [0]
    assert diagram.select(0, min_persistence=2.5, finite=True).points(0).tolist() == [[2, 5]]


def test_a_birth_at_infinity_is_not_finite():
    d = pytopo.persistence([0, np.inf, -np.inf, 5, 3])
    assert d.select(finite=True).points(0).tolist() == [[3, 5]]
    assert d.select(finite=False).points(0).tolist() == [[0, np.inf], [-np.inf, np.inf]]


def test_sorted_puts_the_most_persistent_first_and_keeps_ties_in_order(diagram):
    assert diagram.sorted().birth.tolist() == [0, 2, 6, 1]


def test_betti_numbers_count_what_is_alive(diagram):
    assert [diagram.betti(t) for t in (-1, 0, 1, 2, 3, 5, 6, 9)] == [
        (0, 0), (1, 0), (2, 0), (3, 0), (2, 0), (1, 0), (1, 1), (1, 0),
    ]  # fmt: skip


def test_betti_numbers_count_downwards_in_superlevel():
    d = pytopo.persistence([9, 2, 7, 0], superlevel=True)
    assert [d.betti(t) for t in (10, 9, 7, 3, 2, 0)] == [(0,), (1,), (2,), (2,), (1,), (1,)]


@pytest.mark.parametrize("threshold", [np.inf, 1e300])
def test_only_the_essential_component_is_alive_in_the_end(diagram, threshold):
    assert diagram.betti(threshold) == (1, 0)


def test_betti_numbers_need_all_dimensions(diagram):
    with pytest.raises(ValueError, match="no dimension 0"):
        diagram.select(dim=1).betti(0)
    with pytest.raises(ValueError, match="threshold is NaN"):
        diagram.betti(np.nan)


def test_coordinates_are_row_and_column(diagram):
    assert diagram.birth_index.tolist() == [[0, 0], [0, 2], [2, 1], [2, 2]]
    assert diagram.death_index.tolist() == [[-1, -1], [0, 1], [2, 0], [1, 1]]


def test_coordinates_of_a_volume_are_plane_row_and_column():
    volume = np.zeros((2, 3, 4))
    volume[1, 2, 3] = -5
    assert pytopo.persistence(volume).birth_index.tolist() == [[1, 2, 3]]


def test_coordinates_in_the_frame_are_minus_two():
    d = pytopo.persistence([[5]], frame=0)
    assert d.birth_index.tolist() == [[-2, -2], [-2, -2]]
    assert d.death_index.tolist() == [[-1, -1], [0, 0]]


@given(images())
def test_coordinates_point_at_the_values(image):
    d = pytopo.persistence(image)
    assert np.array_equal(image[tuple(d.birth_index.T)], d.birth)


def test_equality_looks_at_every_field(diagram):
    assert diagram == replace(diagram)
    for change in (
        {"superlevel": True},
        {"construction": "T"},
        {"frame": 0.0},
        {"shape": (9, 1)},
        {"dims": (0,)},
        {"birth": diagram.birth + 1},
        {"birth": diagram.birth.astype(np.float32)},
        {"death_pixel": diagram.death_pixel[::-1]},
    ):
        assert diagram != replace(diagram, **change)
    assert diagram != "a diagram"


def test_a_diagram_cannot_be_assigned_to(diagram):
    with pytest.raises(AttributeError):
        diagram.dim = None


def test_length_is_the_number_of_points(diagram):
    assert len(diagram) == 4


def test_the_text_names_image_options_and_counts(diagram):
    want = "<Diagram of 3x3 image, sublevel, V: 3 in dim 0 (1 essential), 1 in dim 1>"
    assert repr(diagram) == want
    framed = pytopo.persistence([[5]], superlevel=True, construction="T", frame=7.5)
    assert repr(framed) == (
        "<Diagram of 1x1 image, superlevel, T, frame=7.5: 1 in dim 0 (1 essential), 1 in dim 1>"
    )


def test_the_table_of_a_notebook_lists_the_most_persistent(diagram):
    html = diagram._repr_html_()
    assert html.count("<tr>") == 5
    assert "<td>0</td><td>0</td><td>inf</td><td>inf</td><td>0, 0</td><td>never</td>" in html
    assert html.index("<td>2</td><td>5</td><td>3</td>") < html.index(
        "<td>1</td><td>3</td><td>2</td>"
    )


def test_the_table_of_a_notebook_stops_at_ten():
    line = list(itertools.chain(*((k, 100 + k) for k in range(30))))
    assert pytopo.persistence(line)._repr_html_().count("<tr>") == 11


def test_pixels_have_a_text():
    assert pixel_text((1, 2, 3)) == "1, 2, 3"
    assert pixel_text((-1, -1)) == "never"
    assert pixel_text((-2,)) == "frame"
