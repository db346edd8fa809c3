"""The walkthrough: its facts against the textbook, its sentences, its pictures."""

import io
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from strategies import constructions, frames, images

import pytopo
from pytopo import plot, steps, textbook
from pytopo.order import frame_value
from pytopo.plot.cells import YELLOW
from pytopo.textbook.walk import walkthrough

BLUE, VERMILION, _ = plot.COLOURS

LESSON = np.array(
    [
        [1, 2, 3, 12, 15],
        [4, 19, 5, 14, 8],
        [6, 7, 10, 13, 9],
        [16, 17, 18, 20, 11],
        [21, 22, 23, 24, 25],
    ]
)


@pytest.fixture(scope="module")
def lesson():
    return walkthrough(LESSON)


def without_a_limit(image, **options):
    """Explain an image that may be too large for people."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(steps, "CELLS", 10_000)
        return walkthrough(image, **options)


# ---- the walkthrough is what the textbook does -------------------------------------------


@settings(max_examples=100, deadline=None)
@given(images(), st.booleans(), constructions, frames)
def test_the_walkthrough_has_the_diagram_that_persistence_finds(image, superlevel, c, frame):
    options = {"superlevel": superlevel, "construction": c, "frame": frame}
    diagram = without_a_limit(image, **options).diagram()
    assert diagram == pytopo.persistence(image, algorithm="reduction", **options)


@settings(max_examples=100, deadline=None)
@given(images(), st.booleans(), constructions, frames)
def test_the_columns_are_reduced_as_the_textbook_reduces_them(image, superlevel, c, frame):
    options = {"superlevel": superlevel, "construction": c, "frame": frame}
    walk = without_a_limit(image, **options)
    f = textbook.lower_star_filtration(image, **options)
    for clearing in (False, True):
        r = textbook.reduce_filtration(f, clearing=clearing)
        assert [column.rows for column in walk.columns] == [
            tuple(r.cycle(j)) for j in range(f.cell.size)
        ]
        pairs = [(x.begin, x.end) for x in walk.features if x.end is not None]
        assert pairs == [tuple(pair) for pair in r.pairs.tolist()]
        never = [x.begin for x in walk.features if x.end is None]
        assert never == r.essential.tolist()


@settings(max_examples=50, deadline=None)
@given(images(), constructions)
def test_every_addition_is_of_an_earlier_column_with_the_same_low(image, construction):
    walk = without_a_limit(image, construction=construction)
    for column in walk.columns:
        rows = set(column.faces)
        for k, after in zip(column.added, column.sums, strict=True):
            assert k < column.cell
            assert walk.columns[k].low == max(rows)
            rows ^= set(walk.columns[k].rows)
            assert after == tuple(sorted(rows))
        lows = [other.low for other in walk.columns[: column.cell] if other.rows]
        assert column.low not in lows  # nothing more can be added


@settings(max_examples=50, deadline=None)
@given(images(), constructions)
def test_the_faces_of_a_chain_add_up_to_the_column(image, construction):
    walk = without_a_limit(image, construction=construction)
    matrix = walk.filtration.boundary().toarray()
    for column in walk.columns:
        assert column.chain[-1] == column.cell
        total = matrix[:, list(column.chain)].sum(axis=1) % 2
        assert tuple(np.flatnonzero(total)) == column.rows
        assert tuple(np.flatnonzero(matrix[:, column.cell])) == column.faces


@settings(max_examples=50, deadline=None)
@given(images(), constructions, frames)
def test_steps_by_pixel_take_the_cells_of_one_pixel_each(image, construction, frame):
    walk = without_a_limit(image, construction=construction, frame=frame)
    *taken, end = walk.steps("pixel")
    assert [c.cell for step in taken for c in step.columns] == list(range(len(walk.columns)))
    pixels = [set(walk.filtration.pixel[step.first : step.end]) for step in taken]
    framed = frame_value(image, frame, False) is not None
    assert len(taken) == image.size + framed
    assert all(len(own) == 1 for own in pixels)
    assert end.columns == ()


def test_a_ring_closes_in_eight_edges_and_four_squares_fill_it(lesson):
    closes, fills = lesson.columns[18], lesson.columns[56]
    assert closes.added == (17, 12, 10, 8, 6, 4, 2)
    assert closes.sums[0] == (7, 11)
    assert closes.rows == ()
    assert closes.chain == (2, 4, 6, 8, 10, 12, 17, 18)
    assert fills.chain == (53, 54, 55, 56)
    assert fills.rows == closes.chain


def test_values_that_differ_only_as_integers_make_a_point():
    image = np.array([2**63, 2**63 + 2, 2**63 + 1], np.uint64)
    walk = walkthrough(image)
    assert sum(walk.lasts(feature) for feature in walk.features) == 2
    assert walk.diagram() == pytopo.persistence(image, algorithm="reduction")


# ---- sentences -------------------------------------------------------------------------------


def test_a_step_says_what_enters_what_is_added_and_what_follows(lesson):
    by_cell = lesson.steps()
    assert by_cell[25].text == (
        "cell 25, edge at (4, 7), enters with pixel (2, 3), value 13: boundary {14, 23} + "
        "columns 24, 17, 15 = {7, 13}, low 13: a pair with vertex 13; the component born at 8 "
        "in (1, 4) dies: point (8, 13)"
    )
    assert by_cell[18].story == (
        "boundary {11, 16} + columns 17, 12, 10, 8, 6, 4, 2 = 0: a hole is born at 10"
    )
    assert by_cell[2].story == (
        "boundary {0, 1}, low 1: a pair with vertex 1; the component dies at once"
    )
    assert by_cell[81].text == (
        "the end: cell 0 is the low of no column: the component born at 1 in (0, 0) never dies"
    )
    assert len(by_cell) == 82
    assert {step.last for step in by_cell} == {81}


def test_a_step_of_a_pixel_says_what_is_left_of_its_cells(lesson):
    by_pixel = lesson.steps("pixel")
    assert by_pixel[9].text == (
        "pixel (2, 2), value 10: 1 vertex, 2 edges, 1 pair among them; edge 18: boundary "
        "{11, 16} + columns 17, 12, 10, 8, 6, 4, 2 = 0: a hole is born at 10"
    )
    assert by_pixel[13].story == "1 vertex, 4 edges, 3 squares, 4 pairs among them"
    assert by_pixel[0].story == "1 vertex; vertex 0: boundary 0: a component is born at 1"
    assert len(by_pixel) == 26


def test_the_column_of_a_cell_is_always_notable(lesson):
    assert all(step.notable == step.columns for step in lesson.steps())
    notable = [step.title for step in lesson.steps("pixel") if step.notable]
    assert [int(title.split()[-1]) for title in notable] == [1, 8, 10, 13, 19]


def test_a_death_at_the_value_of_the_birth_is_no_point():
    walk = walkthrough([3, 3, 0])
    assert walk.steps()[4].story.endswith(
        "; the component born at 3 in (0) dies at the same value: no point"
    )
    assert walk.diagram().points(0).tolist() == [[0, np.inf]]


def test_the_frame_is_called_the_frame():
    by_pixel = walkthrough([[5]], frame=0).steps("pixel")
    assert by_pixel[0].title == "the frame, value 0"
    assert by_pixel[1].story.endswith("the hole born at 0 in the frame dies: point (0, 5)")


def test_features_of_a_volume_are_tunnels_and_voids():
    ball = np.zeros((3, 3, 3), int)
    ball[1, 1, 1] = 9
    text = " ".join(step.story for step in walkthrough(ball).steps())
    assert "a void is born at 0" in text
    assert "a tunnel is born at 0" in text
    assert "hole" not in text
    assert "the void born at 0 in (2, 2, 2) dies: point (0, 9)" in text


def test_all_additions_of_a_step_are_listed_with_their_sums(lesson):
    assert lesson.steps()[56].additions() == [
        "column 56 is the boundary of square 56  {17, 18, 51, 52}",
        "low 52, + column 55                     {10, 12, 17, 18, 50, 51}",
        "low 51, + column 54                     {4, 8, 10, 12, 17, 18, 49, 50}",
        "low 50, + column 53                     {2, 4, 6, 8, 10, 12, 17, 18}",
        "low 18: a pair with edge 18; the hole born at 10 in (2, 2) dies: point (10, 19)",
        "squares {53, 54, 55, 56} have this boundary",
    ]
    assert lesson.steps()[18].additions()[-3:] == [
        "low 1, + column 2                     0",
        "a hole is born at 10",
        "edges {2, 4, 6, 8, 10, 12, 17, 18} are its cycle",
    ]
    assert lesson.steps()[81].additions() == []


# ---- errors ------------------------------------------------------------------------------


def test_an_image_of_too_many_cells_is_refused_before_the_work(monkeypatch):
    monkeypatch.setattr(steps, "filtration_of_order", None)
    with pytest.raises(
        ValueError, match=r"^12 x 9 pixels are 475 cells, .* 400; .* \[0:5, 0:5\]"
    ):
        walkthrough(np.zeros((12, 9)), construction="T")
    with pytest.raises(ValueError, match=r"^500000000 pixels are 999999999 cells, .* \[0:9\]"):
        walkthrough(np.broadcast_to(0, 500_000_000))


def test_the_frame_counts_among_the_cells():
    assert len(walkthrough(np.zeros((10, 10))).columns) == 361
    with pytest.raises(ValueError, match=r"^10 x 10 pixels are 529 cells"):
        walkthrough(np.zeros((10, 10)), frame=True)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"construction": "v"}, ValueError, 'construction is \'v\'; expected "V" or "T"'),
        ({"superlevel": 1}, TypeError, "superlevel is 1; expected True or False"),
        ({"frame": "a"}, TypeError, "frame is 'a'; expected"),
        ({"frame": np.nan}, ValueError, "frame is NaN"),
    ],
)
def test_an_impossible_option_is_refused(options, error, message):
    with pytest.raises(error, match=message):
        walkthrough(LESSON, **options)


def test_nan_is_refused():
    with pytest.raises(ValueError, match=r"image\[0, 1\] is NaN"):
        walkthrough([[0, np.nan]])


def test_steps_are_by_cell_or_by_pixel(lesson):
    with pytest.raises(ValueError, match='by is \'voxel\'; expected "cell" or "pixel"'):
        lesson.steps("voxel")


# ---- pictures ----------------------------------------------------------------------------


def drawn(step):
    """The three Axes of a step, and see that they can be drawn for good."""
    axes = plot.step(step)
    axes[0].figure.savefig(io.BytesIO())
    return axes


def written(ax):
    """What is written where, of the texts that lie in the data."""
    return {text.get_text(): text.get_position() for text in ax.texts}


def test_values_are_written_into_pixels_row_0_on_top(lesson):
    cells, _, _ = drawn(lesson.steps()[18])
    places = written(cells)
    assert places["1"] == (0, 0)
    assert places["15"] == (4, 0)  # (x, y): column 4, row 0
    assert places["21"] == (0, 4)
    low, high = cells.get_ylim()
    assert low > high
    assert cells.get_ylabel() == "row"


def test_values_of_pixels_that_are_not_in_are_fainter(lesson):
    cells, _, _ = drawn(lesson.steps()[18])
    colours = {text.get_text(): text.get_color() for text in cells.texts}
    assert {colours[str(value)] for value in range(1, 11)} == {"k"}
    assert len({colours[str(value)] for value in range(11, 26)} - {"k"}) == 1


def test_values_are_written_as_short_as_they_must_and_as_large_as_they_can():
    few, _, _ = drawn(walkthrough([[0.123456, -12345, 2.71828]]).steps()[-1])
    assert {*written(few)} == {"0.123", "-12345", "2.72"}
    long, _, _ = drawn(walkthrough([[1234567.8, 123456.7]]).steps()[-1])
    assert {*written(long)} == {"1.2e+06", "123457"}
    many, _, _ = drawn(walkthrough(np.full((8, 8), 0.123456)).steps()[-1])
    assert {*written(many)} == {"0.12"}
    assert min(text.get_fontsize() for text in many.texts) > 5.5


def coloured_lines(ax, colour):
    """Ends of the lines of a colour."""
    found = set()
    for lines in ax.collections:
        if isinstance(lines, LineCollection):
            colours = np.broadcast_to(lines.get_colors(), (len(lines.get_segments()), 4))
            for segment, own in zip(lines.get_segments(), colours):
                if to_hex(own).upper() == colour.upper():
                    found.add(tuple(map(tuple, np.sort(segment, axis=0).tolist())))
    return found


RING = {
    ((0, 0), (1, 0)), ((1, 0), (2, 0)), ((0, 2), (1, 2)), ((1, 2), (2, 2)),
    ((0, 0), (0, 1)), ((0, 1), (0, 2)), ((2, 0), (2, 1)), ((2, 1), (2, 2)),
}  # fmt: skip


def test_the_ring_is_drawn_in_the_colour_of_holes_when_it_closes_and_when_it_is_filled(lesson):
    closes, _, _ = drawn(lesson.steps()[18])
    assert coloured_lines(closes, VERMILION) == RING
    assert coloured_lines(closes, YELLOW) == RING
    fills, _, _ = drawn(lesson.steps()[56])
    assert coloured_lines(fills, VERMILION) == RING
    (areas,) = [c for c in fills.collections if type(c) is PolyCollection]
    yellow = [to_hex(c).upper() == YELLOW for c in areas.get_facecolor()]
    centres = [path.vertices[:-1].mean(axis=0).tolist() for path in areas.get_paths()]
    assert sorted(c for c, is_yellow in zip(centres, yellow) if is_yellow) == [
        pytest.approx([x, y]) for x in (0.5, 1.5) for y in (0.5, 1.5)
    ]
    assert sum(yellow) == 4 < len(yellow)
    (new,) = np.flatnonzero(areas.get_edgecolor()[:, 3])
    assert centres[new] == pytest.approx([1.5, 1.5])


def test_in_v_pixels_are_vertices_and_in_t_squares():
    image = [[0, 1], [2, 3]]
    for construction, n_circles, n_squares in (("V", 4, 1), ("T", 9, 4)):
        cells, _, _ = drawn(walkthrough(image, construction=construction).steps()[-1])
        areas, circles = cells.collections[0], cells.collections[-1]
        assert len(areas.get_paths()) == n_squares
        assert len(circles.get_offsets()) == n_circles
        low, high = np.min(circles.get_offsets(), axis=0), np.max(circles.get_offsets(), axis=0)
        margin = 0.5 if construction == "T" else 0
        assert low.tolist() == [-margin, -margin]
        assert high.tolist() == [1 + margin, 1 + margin]
        assert written(cells)["2"] == (0, 1)


def test_the_frame_lies_around_the_image():
    cells, _, _ = drawn(walkthrough([[7]], frame=3, construction="T").steps("pixel")[0])
    places = [text.get_position() for text in cells.texts if text.get_text() == "3"]
    assert sorted(places) == [(x, y) for x in (-1, 0, 1) for y in (-1, 0, 1) if x or y]
    assert written(cells)["7"] == (0, 0)


def test_the_matrix_shows_a_square_for_each_one_and_what_has_cancelled(lesson):
    _, matrix, _ = drawn(lesson.steps()[25])
    ones, cancelled = matrix.collections
    place = {
        tuple(p): to_hex(c).upper() for p, c in zip(ones.get_offsets(), ones.get_facecolor())
    }
    expected = {(c.cell, row) for c in lesson.columns[:26] for row in c.rows}
    assert set(place) == expected
    assert place[25, 13] == BLUE  # the low of a column that ends a component
    assert place[25, 7] == "#000000"
    assert sorted(map(tuple, cancelled.get_offsets())) == [(25, 14), (25, 23)]
    _, matrix_of_33, _ = drawn(lesson.steps()[33])  # {15, 25, 29, 30} keeps all but 30
    assert matrix_of_33.collections[-1].get_offsets().tolist() == [[33, 30]]
    (bands,) = matrix.images
    shade = bands.get_array()[0]
    assert {j for j in range(26) if tuple(shade[j]) == to_rgb("0.93")} == {15, 17, 24}
    assert tuple(shade[25]) == to_rgb("#FAF7C9")


def points(ax):
    """(birth, death): filled? of the points of a diagram, the halo left out."""
    return {
        tuple(c.get_offsets()[0].tolist()): to_hex(c.get_facecolor()[0]).upper()
        for c in ax.collections
        if c.get_sizes()[0] == 70
    }


def test_what_is_alive_rises_with_the_threshold_until_its_pair_is_found(lesson):
    by_cell = lesson.steps()
    _, _, before = drawn(by_cell[24])
    assert points(before) == {(1, 13): "#FFFFFF", (8, 13): "#FFFFFF", (10, 13): "#FFFFFF"}
    _, _, found = drawn(by_cell[25])
    assert points(found) == {(1, 13): "#FFFFFF", (8, 13): BLUE, (10, 13): "#FFFFFF"}
    (halo,) = [c for c in found.collections if c.get_sizes()[0] == 260]
    assert halo.get_offsets().tolist() == [[8, 13]]
    _, _, later = drawn(by_cell[56])
    (halo,) = [c for c in later.collections if c.get_sizes()[0] == 260]
    assert halo.get_offsets().tolist() == [[10, 19]]
    _, _, end = drawn(by_cell[81])
    assert points(end) == {(1, 27.4): BLUE, (8, 13): BLUE, (10, 19): VERMILION}


def test_the_figures_are_those_of_the_steps_and_headed_by_their_words(lesson):
    figures = plot.steps(LESSON[:2, :2], by="pixel")
    heads = [[text.get_text() for text in figure.texts] for figure in figures]
    steps_by_pixel = walkthrough(LESSON[:2, :2]).steps("pixel")
    assert heads == [[f"{s.number} of 4: {s.title}", s.story] for s in steps_by_pixel]


def test_an_impossible_image_is_refused_before_a_figure_is_made():
    with pytest.raises(ValueError, match="too many to explain"):
        plot.steps(np.zeros((99, 99)))


def test_a_step_is_drawn_into_three_axes_of_yours(lesson):
    axes = Figure().subplots(1, 3)
    assert plot.step(lesson.steps()[3], axes) == list(axes)
    assert all(ax.has_data() for ax in axes)
    with pytest.raises(ValueError, match="ax has 2 Axes; expected three"):
        plot.step(lesson.steps()[3], axes[:2])


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((1, 1)),
        np.array([3, 1, 4, 1.5, 9, 2.6]),
        np.array([[True, False], [False, True]]),
        np.array([[np.inf, -np.inf, 2]]),
        np.array([[1e300, -1e300], [1e-300, 123456.789]]),
        np.arange(8).reshape(2, 2, 2) * 3 % 7,
    ],
    ids=str,
)
@pytest.mark.parametrize(("superlevel", "construction"), [(False, "V"), (True, "T")])
def test_every_small_image_can_be_drawn(image, superlevel, construction):
    walk = walkthrough(image, superlevel=superlevel, construction=construction)
    by_pixel = walk.steps("pixel")
    for step in (by_pixel[0], by_pixel[-1]):
        plot.step(step, Figure().subplots(1, 3))
    drawn(by_pixel[-2])


MEETING = np.array([[90, 11.1111, 90], [22.2222, 55.5555, 33.3333], [90, 44.4444, 90]]) / 99.9


@pytest.mark.parametrize(
    ("image", "lines"),
    [(LESSON, 2), (np.arange(8).reshape(2, 2, 2), 1), (MEETING, 3)],
    ids=["2D", "3D", "long"],
)
def test_words_lie_on_the_figure_and_not_on_each_other(image, lines):
    walk = walkthrough(image)
    longest = max(walk.steps("pixel"), key=lambda step: len(step.story))
    cells, matrix, diagram = drawn(longest)
    figure = cells.figure
    page = figure.bbox
    legends = [ax.get_legend().get_window_extent() for ax in (cells, matrix)]
    titles = [ax.title.get_window_extent() for ax in (cells, matrix, diagram)]
    heading = [text.get_window_extent() for text in figure.texts]
    assert figure.texts[1].get_text().count("\n") == lines - 1
    labels = [ax.xaxis.label.get_window_extent() for ax in (cells, matrix)]
    boxes = [*legends, *titles, *heading, *labels]
    for k, box in enumerate(boxes):
        assert page.x0 <= box.x0 <= box.x1 <= page.x1
        assert page.y0 <= box.y0 <= box.y1 <= page.y1
        assert not any(box.overlaps(other) for other in boxes[:k])
    size = max(text.get_window_extent().width for text in cells.texts)
    pixel = np.ptp(cells.transData.transform([(0, 0), (1, 0)])[:, 0])
    assert size < 0.58 * pixel  # the diameter of a circle


def test_a_cube_is_drawn_as_the_hexagon_that_its_corners_span():
    cells, _, _ = drawn(walkthrough([[[0]]], construction="T").steps()[-1])
    *squares, cube = cells.collections[0].get_paths()
    assert len(squares) == 6
    corners = cube.vertices[:-1]
    x, y = corners.T
    assert len(corners) == 6
    area = abs(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1))) / 2
    assert area == pytest.approx(0.8**2 * (1 + 0.4 + 0.3))


def test_pictures_are_imported_without_the_kernels():
    show = "import sys, pytopo.plot; print({'numba', 'torch', 'scipy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", show], capture_output=True, text=True)
    assert done.stdout == "set()\n"
