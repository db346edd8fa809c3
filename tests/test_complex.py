"""The cells of an image on the doubled grid, and the filtration of their lower stars."""

import numpy as np
import pytest
from hypothesis import given
from strategies import constructions, images

from pytopo.kernels.complex import cells, faces
from pytopo.kernels.lower_star import lower_star_order
from pytopo.order import checked_image, total_order
from pytopo.textbook import lower_star_filtration


def test_a_row_of_two_vertices_is_joined_by_an_edge_that_waits_for_the_later():
    dimension, owner = cells(np.array([[[1, 0]]]), np.array([1, 1, 3]), 0)
    assert dimension.tolist() == [0, 1, 0]
    assert owner.tolist() == [0, 0, 1]


def test_a_row_of_two_top_cells_shares_a_point_that_comes_with_the_earlier():
    dimension, owner = cells(np.array([[[1, 0]]]), np.array([1, 1, 5]), 1)
    assert dimension.tolist() == [0, 1, 0, 1, 0]
    assert owner.tolist() == [0, 0, 1, 1, 1]


def test_four_vertices_span_a_square_that_waits_for_the_last():
    dimension, owner = cells(np.array([[[0, 1], [2, 3]]]), np.array([1, 3, 3]), 0)
    assert dimension.reshape(3, 3).tolist() == [[0, 1, 0], [1, 2, 1], [0, 1, 0]]
    assert owner.reshape(3, 3).tolist() == [[0, 1, 1], [2, 3, 3], [2, 3, 3]]


def test_one_pixel_as_a_top_cell_brings_its_four_sides_and_corners():
    dimension, owner = cells(np.array([[[0]]]), np.array([1, 3, 3]), 1)
    assert dimension.reshape(3, 3).tolist() == [[0, 1, 0], [1, 2, 1], [0, 1, 0]]
    assert owner.tolist() == [0] * 9


def test_the_faces_of_a_square_are_its_four_edges():
    out = np.zeros(6, np.int64)
    assert faces(4, np.array([1, 3, 3]), out) == 4
    assert sorted(out[:4].tolist()) == [1, 3, 5, 7]


def test_the_faces_of_a_cube_are_its_six_squares():
    out = np.zeros(6, np.int64)
    assert faces(13, np.array([3, 3, 3]), out) == 6
    assert sorted(out.tolist()) == [4, 10, 12, 14, 16, 22]


def test_a_vertex_has_no_face():
    assert faces(0, np.array([3, 3, 3]), np.zeros(6, np.int64)) == 0


def test_cells_are_sorted_by_pixel_then_dimension_then_place():
    rank = np.array([1, 0])
    owner = np.array([0, 1, 0, 1, 0])
    dimension = np.array([1, 2, 0, 0, 1], np.uint8)
    filtration, position = lower_star_order(rank, owner, dimension)
    assert filtration.tolist() == [3, 1, 2, 0, 4]
    assert position.tolist() == [3, 1, 2, 0, 4]


@given(images(), constructions)
def test_every_cell_comes_after_its_faces(image, construction):
    f = lower_star_filtration(image, construction=construction)
    column = np.repeat(np.arange(f.cell.size), np.diff(f.start))
    assert (f.rows < column).all()
    assert (f.dimension[f.rows] + 1 == f.dimension[column]).all()
    assert (np.diff(f.start) == 2 * f.dimension).all()


@given(images(), constructions)
def test_the_sorted_cells_are_those_of_a_comparison_sort(image, construction):
    f = lower_star_filtration(image, construction=construction)
    rank = total_order(checked_image(image)).rank.ravel()
    keys = list(zip(rank[f.pixel].tolist(), f.dimension.tolist(), f.cell.tolist()))
    assert keys == sorted(keys)
    assert sorted(f.cell.tolist()) == list(range(f.cell.size))


@given(images(), constructions)
def test_the_boundary_of_a_boundary_is_empty(image, construction):
    boundary = lower_star_filtration(image, construction=construction).boundary().astype(int)
    assert not ((boundary @ boundary).toarray() % 2).any()


@pytest.mark.parametrize(("construction", "grid"), [("V", (3, 5)), ("T", (5, 7))])
def test_the_doubled_grid_of_a_two_by_three_image(construction, grid):
    f = lower_star_filtration(np.zeros((2, 3)), construction=construction)
    assert f.grid == grid
    assert f.coordinates([0]).tolist() == [[0, 0]]
    assert f.coordinates([f.cell.size - 1])[0].max() < max(grid)


def test_a_frame_makes_the_grid_larger_and_its_cells_belong_to_no_pixel():
    f = lower_star_filtration(np.full((1, 1), 5), frame=0)
    assert f.grid == (5, 5)
    assert np.count_nonzero(f.pixel == -2) == 16  # 8 vertices and 8 edges of the ring
    assert np.count_nonzero(f.pixel == 0) == 9  # the vertex in it, 4 edges, 4 squares
