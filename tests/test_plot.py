"""Pictures: what is drawn where, read off the artists; nothing is compared by eye here."""

import io

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.collections import LineCollection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from strategies import constructions, frames, images

import pytopo
from pytopo import plot

BLUE, VERMILION, GREEN = plot.COLOURS

# One component, and a hole that closes with pixel 8 and is filled by pixel 4.
RING = np.array([[0, 0, 0], [0, 9, 0], [0, 0, 0]])

# Three components, born at 0, 2 and 1, that meet at 5 and 3.
VALLEYS = np.array([0, 5, 2, 3, 1])


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


@pytest.fixture
def ax():
    return Figure().subplots()


def made_diagram(birth, death, dim=None, shape=(100, 100), superlevel=False):
    """A diagram of given values; infinite deaths are essential only for dimension 0."""
    birth, death = np.asarray(birth, float), np.asarray(death, float)
    dim = np.zeros(birth.size, np.int8) if dim is None else np.asarray(dim, np.int8)
    never = -np.inf if superlevel else np.inf
    return pytopo.Diagram(
        dim=dim,
        birth=birth,
        death=death,
        birth_pixel=np.arange(birth.size),
        death_pixel=np.where((death == never) & (dim == 0), -1, np.arange(birth.size)),
        shape=shape,
        superlevel=superlevel,
        construction="V",
        frame=None,
        dims=tuple(range(len(shape))),
    )


def draw(ax, kind="png"):
    """Draw for good, so that what Matplotlib would complain about is complained about."""
    stream = io.BytesIO()
    ax.figure.savefig(stream, format=kind)
    return stream.getvalue()


def legend(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def points(ax):
    """Offsets of the scatter collections, one array each."""
    return [np.asarray(c.get_offsets()) for c in ax.collections]


def colours(ax):
    return [to_hex(c.get_facecolor()[0]).upper() for c in ax.collections]


def tick_labels(axis):
    return [text.get_text() for text in axis.get_ticklabels()]


# ---- diagram -----------------------------------------------------------------------------


def test_a_point_lies_at_birth_and_death(ax):
    plot.diagram(pytopo.persistence(RING), ax)
    component, hole = points(ax)
    assert hole.tolist() == [[0, 9]]
    assert component[0, 0] == 0
    assert component[0, 1] > 9
    assert colours(ax) == [BLUE, VERMILION]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("birth", "death")


def test_the_essential_point_lies_on_a_dashed_line_labelled_infinity(ax):
    plot.diagram(pytopo.persistence(VALLEYS), ax)
    essential = points(ax)[0][-1]  # the most persistent is drawn last
    assert essential.tolist() == [0, 5.5]  # a tenth of the range above the largest value
    (line,) = [line for line in ax.lines if line.get_linestyle() == "--"]
    assert line.get_ydata() == [5.5, 5.5]
    draw(ax)
    assert tick_labels(ax.yaxis) == ["0", "1", "2", "3", "4", "5", "∞"]
    assert tick_labels(ax.xaxis) == ["0", "1", "2", "3", "4", "5"]


def test_for_superlevel_the_points_lie_below_the_diagonal_and_infinity_at_the_bottom(ax):
    plot.diagram(pytopo.persistence(VALLEYS, superlevel=True), ax)
    assert points(ax)[0].tolist() == [[3, 2], [5, 1.7]]
    draw(ax)
    assert tick_labels(ax.yaxis)[-1] == "\N{MINUS SIGN}∞"
    assert ax.get_xlabel() == "birth (threshold falls)"
    assert ax.get_ylabel() == "death (threshold falls)"


def test_both_axes_have_the_same_limits_and_the_diagonal_connects_their_ends(ax):
    plot.diagram(pytopo.persistence(VALLEYS), ax)
    assert ax.get_xlim() == ax.get_ylim() == (-0.25, 5.75)
    assert ax.get_aspect() == 1
    assert any(
        np.array_equal(line.get_xydata(), [[-0.25] * 2, [5.75] * 2]) for line in ax.lines
    )


@pytest.mark.parametrize(
    ("superlevel", "corner"), [(False, [5.75, -0.25]), (True, [1.55, 5.15])]
)
def test_the_half_where_nothing_can_lie_is_grey_and_holds_the_legend(ax, superlevel, corner):
    plot.diagram(pytopo.persistence(VALLEYS, superlevel=superlevel), ax)
    (half,) = ax.patches
    assert half.get_xy()[1] == pytest.approx(corner)
    draw(ax)
    box = ax.get_legend().get_window_extent().transformed(ax.transAxes.inverted())
    assert (box.x1 < box.y0) if superlevel else (box.x0 > box.y1)


def test_the_legend_counts(ax):
    plot.diagram(pytopo.persistence(VALLEYS), ax)
    assert legend(ax) == ["components (dim 0): 3, 1 essential"]
    assert ax.get_legend().get_title().get_text() == ""


def test_dimensions_are_named_after_what_they_are(ax):
    plot.diagram(made_diagram([0, 1, 1, 2], [np.inf, 2, 3, 3], [0, 1, 2, 2], (9, 9, 9)), ax)
    assert legend(ax) == [
        "components (dim 0): 1, 1 essential",
        "tunnels (dim 1): 1",
        "voids (dim 2): 2",
    ]
    assert colours(ax) == [BLUE, VERMILION, GREEN]


def test_points_grow_with_persistence_and_the_largest_lie_on_top(ax):
    plot.diagram(made_diagram([0, 0, 0, 0], [4, 1, np.inf, 2]), ax)
    assert points(ax)[0][:, 1].tolist() == [1, 2, 4, 4.4]
    areas = ax.collections[0].get_sizes()
    assert (np.diff(areas)[:2] > 0).all()
    assert areas[2] == areas[3]  # nothing is drawn larger than the largest finite one


def test_beyond_so_many_points_the_least_persistent_become_a_density(ax):
    random = np.random.default_rng(0)
    birth = random.integers(0, 50, 3000)
    death = birth + random.integers(1, 50, 3000)
    plot.diagram(made_diagram(birth, death, shape=(100,)), ax, dots=20)

    shown = points(ax)[0]
    assert len(shown) == 20
    assert (shown[:, 1] - shown[:, 0]).min() == np.sort(death - birth)[-20]
    (density,) = ax.images
    rgba = density.get_array()
    assert to_hex(rgba[0, 0, :3]).upper() == BLUE
    # Whole numbers get a cell each, so cells with a colour are the distinct other points.
    others = np.argsort(birth - death, kind="stable")[20:]
    assert np.count_nonzero(rgba[..., 3]) == len({(birth[i], death[i]) for i in others})
    # Row 0 is at the bottom: a cell has a colour where a point lies.
    left, right, bottom, _ = density.get_extent()
    cell = (right - left) / len(rgba)
    i = others[0]
    row, column = int((death[i] - bottom) / cell), int((birth[i] - left) / cell)
    assert rgba[row, column, 3] > 0
    assert rgba[column, row, 3] == 0
    assert "20 most persistent" in ax.get_legend().get_title().get_text()


def test_the_density_is_darker_where_there_are_more_points(ax):
    birth, death = [0] * 9 + [5] * 3 + [0], [1] * 9 + [6] * 3 + [9]
    plot.diagram(made_diagram(birth, death, shape=(100,)), ax, dots=1)
    alpha = ax.images[0].get_array()[..., 3]
    few, many = np.unique(alpha[alpha > 0])
    assert few == pytest.approx(0.3 + 0.6 * np.log(1 + 3) / np.log(1 + 9))
    assert many == pytest.approx(0.9)


@pytest.mark.parametrize("step", [1 / 255, 0.01, 1, 3])
def test_cells_of_the_density_hold_equally_many_values_of_an_8_bit_image(ax, step):
    birth = np.arange(255) * np.float32(step)
    plot.diagram(made_diagram(birth, birth + np.float32(step), shape=(500,)), ax, dots=0)
    left, right, *_ = ax.images[0].get_extent()
    cell = (right - left) / ax.images[0].get_array().shape[0]
    assert cell / step == pytest.approx(1, abs=1e-3)
    assert (0 - left) / cell % 1 == pytest.approx(0.5, abs=1e-2)  # values amid their cells


def test_cells_of_the_density_do_not_shrink_to_rounding_errors(ax):
    birth = np.arange(100) * np.float32(0.01)
    birth[1:50] = np.nextafter(birth[1:50], 2)
    birth = np.concatenate([birth, np.arange(100) * np.float32(0.01)])
    plot.diagram(made_diagram(birth, np.ones(200), shape=(500,)), ax, dots=0)
    left, right, *_ = ax.images[0].get_extent()
    assert (right - left) / len(ax.images[0].get_array()) == pytest.approx(0.01, rel=1e-3)


def test_a_huge_diagram_makes_a_small_file_in_no_time():
    random = np.random.default_rng(0)
    birth = random.random(300_000)
    d = made_diagram(birth, birth + random.random(300_000) ** 4, random.integers(0, 2, 300_000))
    ax = plot.diagram(d, Figure().subplots())
    assert len(draw(ax, "svg")) < 400_000
    assert len(draw(ax, "pdf")) < 400_000


def test_infinite_births_and_deaths_lie_on_lines_of_their_own(ax):
    d = pytopo.persistence(np.array([-np.inf, 2, 1, np.inf, 0]))
    assert d.points(0).tolist() == [[-np.inf, np.inf], [1, 2], [0, np.inf]]
    plot.diagram(d, ax)
    low, high = -0.2, 2.2
    assert sorted(points(ax)[0].tolist()) == [[low, high], [0, high], [1, 2]]
    draw(ax)
    assert tick_labels(ax.xaxis)[-1] == "\N{MINUS SIGN}∞"
    assert tick_labels(ax.yaxis)[-1] == "∞"


@pytest.mark.parametrize(
    "image",
    [
        np.full((4, 4), 7.0),
        np.zeros((1, 1)),
        np.full(3, np.inf),
        np.full((2, 2), -np.inf),
        np.array([[0.0, 1e-300, 0.0]]),
        np.array([[-1.7e308, 1.7e308, 0.0]]),
        np.array([1e17, 1e17 + 64, 1e17 + 16]),
        np.array([[3, 0.1, 2, 0.1]], np.float32),
        np.array([[True, False, True]]),
        np.array([[0, 2**64 - 1, 5]], np.uint64),
        np.array([[5e-324, 1e-323, 5e-324]]),
        np.array([[1.0, 1.0 + 1e-15, 1.0]]),
        np.zeros((2, 2, 2)),
        np.array([[np.inf, -np.inf, np.inf, 0, np.inf]]),
    ],
    ids=str,
)
@pytest.mark.parametrize("superlevel", [False, True])
def test_every_range_of_values_can_be_drawn(image, superlevel):
    d = pytopo.persistence(image, superlevel=superlevel)
    drawn = [f(d, Figure().subplots()) for f in (plot.diagram, plot.barcode, plot.betti_curve)]
    drawn.append(plot.image(image, d, Figure().subplots()))
    for ax in drawn:
        draw(ax)
        assert np.isfinite([ax.get_xlim(), ax.get_ylim()]).all()
    (low, high), offsets = drawn[0].get_xlim(), np.concatenate(points(drawn[0]))
    assert ((low < offsets) & (offsets < high)).all()


def test_an_empty_diagram_can_be_drawn():
    d = pytopo.persistence(np.zeros((3, 3)), dims=1)
    for f in (plot.diagram, plot.barcode, plot.betti_curve):
        draw(f(d, Figure().subplots()))
    ax = plot.diagram(d, Figure().subplots())
    assert legend(ax) == ["holes (dim 1): 0"]


# ---- barcode -----------------------------------------------------------------------------


def bars(ax):
    """(birth, death, height) of all bars, one list a dimension."""
    return [
        [(*sorted(s[:, 0]), s[0, 1]) for s in c.get_segments()]
        for c in ax.collections
        if hasattr(c, "get_segments")
    ]


def test_a_bar_goes_from_birth_to_death_the_longest_on_top(ax):
    plot.barcode(made_diagram([0, 1, 0, 2], [4, 2, 3, 4], [0, 0, 0, 1]), ax)
    holes, components = bars(ax)  # from the bottom up
    assert holes == [(2, 4, 0)]
    assert components == [(0, 4, 4), (0, 3, 3), (1, 2, 2)]
    assert [to_hex(c.get_color()[0]).upper() for c in ax.collections] == [VERMILION, BLUE]
    assert legend(ax) == ["components (dim 0): 3", "holes (dim 1): 1"]
    assert ax.get_xlabel() == "threshold"


@pytest.mark.parametrize(
    ("superlevel", "marker", "edge"), [(False, ">", 5.25), (True, "<", 1.85)]
)
def test_the_bar_that_never_ends_has_an_arrow(ax, superlevel, marker, edge):
    plot.barcode(pytopo.persistence(VALLEYS, superlevel=superlevel), ax)
    (arrow,) = ax.lines
    assert arrow.get_marker() == marker
    top = len(bars(ax)[0]) - 1
    assert arrow.get_xydata().tolist() == [[edge, top]]


def test_only_the_longest_bars_are_drawn_and_the_others_counted(ax):
    plot.barcode(made_diagram(np.zeros(9), np.arange(1, 10)), ax, top=2)
    assert [bar[:2] for bar in bars(ax)[1]] == [(0, 9), (0, 8)]
    assert legend(ax)[0] == "components (dim 0): 9; 7 shorter left out"


# ---- betti_curve -------------------------------------------------------------------------


def height(line, t):
    """The height of a step curve, as it is drawn, at t."""
    x, y = line.get_data()
    if line.get_drawstyle() == "steps-post":  # (x0, y0) holds on [x0, x1)
        return y[np.searchsorted(x, t, "right") - 1]
    assert line.get_drawstyle() == "steps-pre"  # (x1, y1) holds on (x0, x1]
    return y[np.searchsorted(x, t, "left")]


@settings(max_examples=60, deadline=None)
@given(images(), st.booleans(), constructions, frames)
def test_the_curve_has_the_height_that_betti_counts(image, superlevel, construction, frame):
    d = pytopo.persistence(image, superlevel=superlevel, construction=construction, frame=frame)
    ax = plot.betti_curve(d, Figure().subplots())
    values = np.concatenate([d.birth, d.death])
    values = np.unique(values[np.isfinite(values)])
    low, high = ax.get_xlim()
    between = (np.append(values, high) + np.insert(values, 0, low)) / 2
    for t in (low, *values, *between, high):
        assert tuple(height(line, t) for line in ax.lines) == d.betti(t)


def test_the_curve_of_one_dimension_is_drawn_alone(ax):
    plot.betti_curve(pytopo.persistence(RING), ax, dim=1)
    (line,) = ax.lines
    assert line.get_xydata()[1:-1].tolist() == [[0, 1], [9, 0]]
    assert to_hex(line.get_color()).upper() == VERMILION
    assert legend(ax) == ["holes (dim 1)"]


def test_a_curve_of_a_dimension_left_out_is_an_error(ax):
    with pytest.raises(ValueError, match="no dimension 1"):
        plot.betti_curve(pytopo.persistence(RING, dims=0), ax, dim=1)


def test_superlevel_curves_say_that_the_threshold_falls(ax):
    plot.betti_curve(pytopo.persistence(RING, superlevel=True), ax)
    assert ax.get_xlabel() == "threshold (falling)"


# ---- image -------------------------------------------------------------------------------


def marks(ax):
    """(births, deaths, path) of the dimensions drawn, each as lists of (x, y)."""
    offsets = [c.tolist() for c in points(ax)]
    lines = [line for line in ax.lines if line.get_path_effects() and line.get_zorder() == 3]
    paths = [line.get_xydata() for line in lines]
    return [
        (births, deaths, path[~np.isnan(path[:, 0])].tolist())
        for births, deaths, path in zip(offsets[::2], offsets[1::2], paths)
    ]


def test_x_is_the_column_and_y_the_row_and_row_0_is_on_top(ax):
    image = np.array([[0, 3, 1, 4]])  # components 0 and 2, which meet at pixel 1
    plot.image(image.reshape(1, 4), pytopo.persistence(image.reshape(1, 4)), ax)
    births, deaths, path = marks(ax)[0]
    assert births == [[0, 0], [2, 0]]  # most persistent first
    assert deaths == [[1, 0]]
    assert path == [[2, 0], [1, 0]]

    column = Figure().subplots()
    plot.image(image.reshape(4, 1), pytopo.persistence(image.reshape(4, 1)), column)
    assert marks(column)[0][0] == [[0, 0], [0, 2]]
    assert column.get_ylim()[0] > 3 > 0 > column.get_ylim()[1]
    assert (column.get_xlabel(), column.get_ylabel()) == ("column", "row")


def test_the_image_is_drawn_pixel_for_pixel_in_grey(ax):
    plot.image(RING, pytopo.persistence(RING), ax)
    (picture,) = ax.images
    assert picture.get_array().tolist() == RING.tolist()
    assert picture.get_clim() == (0, 9)
    assert picture.cmap.name == "gray"
    assert picture.get_extent() == [-0.5, 2.5, 2.5, -0.5]


def test_births_are_discs_and_deaths_hollow_triangles_in_the_colour_of_the_dimension(ax):
    plot.image(RING, pytopo.persistence(RING), ax)
    component, hole = marks(ax)
    assert component == ([[0, 0]], [], [])  # the essential component only has a birth
    assert hole == ([[2, 2]], [[1, 1]], [[2, 2], [1, 1]])
    births, deaths = ax.collections[2:]
    assert to_hex(births.get_facecolor()[0]).upper() == VERMILION
    assert deaths.get_facecolor().size == 0
    assert to_hex(deaths.get_edgecolor()[0]).upper() == VERMILION
    assert len(births.get_paths()[0].vertices) > len(deaths.get_paths()[0].vertices) == 4
    assert legend(ax) == ["components (dim 0)", "holes (dim 1)", "birth", "death"]


def test_only_the_most_persistent_are_marked(ax):
    plot.image(VALLEYS, pytopo.persistence(VALLEYS), ax, top=2)
    assert marks(ax)[0] == ([[0, 0], [4, 1]], [[1, 5]], [[4, 1], [1, 5]])
    plain = plot.image(VALLEYS, pytopo.persistence(VALLEYS), Figure().subplots(), top=0)
    assert marks(plain)[0] == ([], [], [])
    assert plain.get_legend() is None


def test_what_happens_in_the_frame_is_not_marked(ax):
    d = pytopo.persistence(RING, frame=-1)
    assert d.birth_pixel.tolist() == [-2, -2]
    plot.image(RING, d, ax)
    assert marks(ax) == [([], [], []), ([], [[1, 1]], [])]
    assert legend(ax) == ["holes (dim 1)", "death"]


def test_of_one_pixel_between_two_of_the_frame_the_death_is_marked(ax):
    d = pytopo.persistence(np.zeros(1), frame=-1)
    assert (d.birth_pixel.tolist(), d.death_pixel.tolist()) == ([-2, -2], [-1, 0])
    plot.image(np.zeros(1), d, ax)
    assert marks(ax)[0] == ([], [[0, 0]], [])


def test_infinite_pixels_are_black_and_white(ax):
    image = np.array([[-np.inf, 2.0], [4.0, np.inf]])
    plot.image(image, pytopo.persistence(image), ax)
    (picture,) = ax.images
    (black, _), (_, white) = picture.cmap(picture.norm(picture.get_array())).tolist()
    assert (black, white) == ([0, 0, 0, 1], [1, 1, 1, 1])


def test_one_axis_is_drawn_as_a_curve(ax):
    plot.image(VALLEYS, pytopo.persistence(VALLEYS), ax)
    curve = ax.lines[0]
    assert curve.get_xydata().tolist() == [[0, 0], [1, 5], [2, 2], [3, 3], [4, 1]]
    assert curve.get_drawstyle() == "default"
    assert marks(ax)[0][:2] == ([[0, 0], [4, 1], [2, 2]], [[1, 5], [3, 3]])
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("column", "value")


def test_for_construction_t_the_curve_has_steps(ax):
    plot.image(VALLEYS, pytopo.persistence(VALLEYS, construction="T"), ax)
    assert ax.lines[0].get_drawstyle() == "steps-mid"


VOLUME = np.full((5, 4, 4), 9)
VOLUME[2, 1, 1:3] = 0, 1  # born and dead in the middle ...
VOLUME[2, 1, 3] = 0
VOLUME[2, 3, 0] = 2  # ... born there, dead below ...
VOLUME[3, 3, 0] = 8
VOLUME[4, 3, 0] = -3  # ... where an older one lives


def test_of_a_volume_the_middle_section_is_drawn(ax):
    plot.image(VOLUME, pytopo.persistence(VOLUME), ax)
    assert ax.get_title() == "section 2 of 5"
    assert ax.images[0].get_array().tolist() == VOLUME[2].tolist()


def test_of_a_volume_marks_are_drawn_where_their_pixels_are():
    d = pytopo.persistence(VOLUME, dims=0)
    index = np.column_stack([d.birth_index, d.death_index]).tolist()
    assert [2, 1, 3, 2, 1, 2] in index
    assert [2, 3, 0, 3, 3, 0] in index
    middle = plot.image(VOLUME, d, Figure().subplots())
    births, deaths, path = marks(middle)[0]
    assert [3, 1] in births
    assert [0, 3] in births
    assert deaths == [[2, 1]]
    assert path == [[3, 1], [2, 1]]
    below = plot.image(VOLUME, d, Figure().subplots(), section=3)
    assert below.get_title() == "section 3 of 5"
    births, deaths, path = marks(below)[0]
    assert (births, path) == ([], [])
    assert [0, 3] in deaths


def test_of_a_volume_the_most_persistent_of_the_section_are_marked():
    d = pytopo.persistence(VOLUME, dims=0)
    assert d.birth_index[np.argmax(d.persistence)].tolist() == [4, 3, 0]  # not in section 2
    births, *_ = marks(plot.image(VOLUME, d, Figure().subplots(), top=1))[0]
    assert births == [[1, 1]]


def test_an_image_of_another_shape_is_an_error(ax):
    with pytest.raises(ValueError, match=r"image has shape \(3,\); expected \(3, 3\)"):
        plot.image(RING[0], pytopo.persistence(RING), ax)


@pytest.mark.parametrize(("image", "section"), [(VOLUME, 5), (VOLUME, -1), (RING, 0)])
def test_a_section_that_is_not_there_is_an_error(ax, image, section):
    with pytest.raises(ValueError, match="has no section"):
        plot.image(image, pytopo.persistence(image, dims=0), ax, section=section)


def test_pixels_are_square_but_for_ribbons(ax):
    plot.image(RING, pytopo.persistence(RING), ax)
    ribbon = np.arange(60).reshape(2, 30)
    square = plot.image(ribbon, pytopo.persistence(ribbon), Figure().subplots())
    ribbon = np.arange(60).reshape(1, 60)
    stretched = plot.image(ribbon, pytopo.persistence(ribbon), Figure().subplots())
    assert [a.get_aspect() for a in (ax, square, stretched)] == [1, 1, "auto"]


# ---- matching and critical ---------------------------------------------------------------

# A ring with a gap of 0.7, a bright speck of 0.3 and a faint one of 0.1.
RING_TRUTH = np.zeros((7, 7))
RING_TRUTH[:3, :3] = 1
RING_TRUTH[1, 1] = 0
BROKEN = RING_TRUTH.copy()
BROKEN[0, 1], BROKEN[5, 5], BROKEN[5, 1] = 0.7, 0.3, 0.1


def explained(likelihood, truth, **options):
    likelihood, truth = (torch.tensor(a)[None, None] for a in (likelihood, truth))
    (explanation,) = pytopo.TopologicalLoss(**options).explain(likelihood, truth)
    return explanation


def lines(ax):
    """The lines of a matching from points: (to remove, to fix), each as lists of ends."""
    collections = [c for c in ax.collections if isinstance(c, LineCollection)]
    return [[s.round(6).tolist() for s in c.get_segments()] for c in collections]


def crosses(ax):
    """Offsets of the crosses over missing points."""
    return points(ax)[5].tolist()


def test_lines_lead_to_the_match_and_to_the_diagonal(ax):
    plot.matching(explained(BROKEN, RING_TRUTH), ax)
    remove, fix = lines(ax)
    assert remove == [[[0.1, 0], [0.05, 0.05]], [[0.3, 0], [0.15, 0.15]]]
    assert fix == [[[0.7, 0], [1, 0]], [[1, -0.1], [1, -0.1]]]  # the latter is essential
    faint, bright, hole, essential = [
        to_hex(c).upper() for lines in ax.collections[:2] for c in lines.get_colors()
    ]
    assert faint == bright == essential == BLUE
    assert hole == VERMILION
    alpha = ax.collections[0].get_colors()[:, 3]
    assert alpha.tolist() == pytest.approx([0.6 + 0.2 / 3, 0.8])
    assert ax.collections[0].get_linewidth() < ax.collections[1].get_linewidth()


def test_every_point_of_both_diagrams_is_drawn(ax):
    explanation = explained(BROKEN, RING_TRUTH)
    plot.matching(explanation, ax)
    _, _, removed, others, target, _ = points(ax)
    assert removed.tolist() == [[0.1, 0], [0.3, 0]]
    assert sorted(others.tolist()) == [[0.7, 0], [1, -0.1]]
    assert sorted(target.tolist()) == [[1, -0.1], [1, 0]]
    low, high = ax.get_xlim()
    assert all(low < v < high for c in points(ax) for v in c.ravel())


def test_the_legend_of_a_matching_counts(ax):
    plot.matching(explained(BROKEN, RING_TRUTH), ax)
    assert legend(ax) == [
        "components (dim 0)",
        "holes (dim 1)",
        "to fix: 1",
        "to remove: 2",
        "target",
    ]
    assert crosses(ax) == []


def test_points_that_are_in_place_are_counted_as_such(ax):
    plot.matching(explained(RING_TRUTH, RING_TRUTH), ax)
    assert legend(ax)[2:] == ["to fix: 0", "to remove: 0", "in place: 1", "target"]


def test_what_has_no_match_is_crossed_and_counted(ax):
    plot.matching(explained(np.zeros((7, 7)), RING_TRUTH), ax)
    assert crosses(ax) == [[1, 0]]
    assert legend(ax)[2:] == ["to fix: 0", "to remove: 0", "target", "missing: 1"]
    assert lines(ax)[1] == [[[0, -0.1], [1, -0.1]]]  # the essential component


def test_a_flipped_matching_is_that_of_one_minus_the_values(ax):
    plot.matching(explained(BROKEN, RING_TRUTH), ax, flipped=True)
    remove, fix = lines(ax)
    assert remove == [[[0.9, 1], [0.95, 0.95]], [[0.7, 1], [0.85, 0.85]]]
    assert fix == [[[0.3, 1], [0, 1]], [[0, 1.1], [0, 1.1]]]
    assert (ax.get_xlabel(), ax.get_ylabel()) == (
        "1 \N{MINUS SIGN} birth",
        "1 \N{MINUS SIGN} death",
    )
    draw(ax)
    assert tick_labels(ax.yaxis)[-1] == "∞"


def test_squares_of_several_dimensions_in_one_corner_lie_in_each_other(ax):
    plot.matching(explained(BROKEN, RING_TRUTH), ax)
    sizes = ax.collections[4].get_sizes()
    edges = [to_hex(c).upper() for c in ax.collections[4].get_edgecolor()]
    assert sizes[edges.index(BLUE)] > sizes[edges.index(VERMILION)]


@pytest.mark.compiled
def test_a_matching_of_thousands_is_a_small_file():
    random = np.random.default_rng(0)
    likelihood, truth = random.random((150, 150)), RING_TRUTH.repeat(20, 0).repeat(20, 1)
    explanation = explained(likelihood, np.pad(truth, 5))
    assert len(explanation.remove) > 4000
    ax = plot.matching(explanation, Figure().subplots())
    assert len(draw(ax, "svg")) < 500_000
    assert len(draw(ax, "pdf")) < 500_000


@pytest.mark.parametrize("options", [{"dims": 1}, {"frame": True}, {"superlevel": False}])
def test_matchings_of_all_options_can_be_drawn(ax, options):
    explanation = explained(BROKEN, RING_TRUTH, **options)
    draw(plot.matching(explanation, ax))
    draw(plot.critical(BROKEN, explanation, Figure().subplots()))


def marked_pixels(ax):
    """Births and deaths that are marked, by marker and colour: crosses have 12 corners."""
    found = {}
    marks = [c for c in ax.collections if not isinstance(c, LineCollection)]
    for births, deaths in zip(marks[::2], marks[1::2]):
        sides = len(births.get_paths()[0].vertices)
        kind = "cross" if sides == 13 else "circle"
        found[kind, to_hex(deaths.get_edgecolor()[0]).upper()] = (
            births.get_offsets().tolist(),
            deaths.get_offsets().tolist(),
        )
    return found


def test_pixels_to_fix_are_circles_and_those_to_remove_crosses(ax):
    plot.critical(BROKEN, explained(BROKEN, RING_TRUTH), ax)
    marked = {key: births for key, (births, _) in marked_pixels(ax).items() if births}
    assert marked == {("circle", VERMILION): [[1, 0]], ("cross", BLUE): [[5, 5], [1, 5]]}
    assert ax.images[0].get_array().tolist() == BROKEN.tolist()
    assert legend(ax) == [
        "components (dim 0)",
        "holes (dim 1)",
        "to fix (filled): 1",
        "to remove (hatched): 2",
        "birth",
        "death",
    ]


def test_only_the_most_expensive_are_marked_and_the_legend_says_of_how_many(ax):
    plot.critical(BROKEN, explained(BROKEN, RING_TRUTH), ax, top=1)
    assert marked_pixels(ax)["cross", BLUE][0] == [[5, 5]]
    assert "to remove (hatched): 1 of 2" in legend(ax)
    plain = plot.critical(BROKEN, explained(BROKEN, RING_TRUTH), Figure().subplots(), top=0)
    assert plain.get_legend() is None


def test_of_the_points_to_fix_the_farthest_from_its_match_comes_first(ax):
    truth, likelihood = np.zeros((3, 9)), np.zeros((3, 9))
    truth[1, [1, 4, 7]], likelihood[1, [1, 4, 7]] = 1, [1, 0.9, 0.8]
    plot.critical(likelihood, explained(likelihood, truth), ax, top=1)
    assert marked_pixels(ax)["circle", BLUE][0] == [[7, 1]]


def test_critical_pixels_in_the_frame_are_not_marked(ax):
    likelihood, truth = np.full((5, 5), 0.5), np.zeros((5, 5))
    likelihood[2, 2] = 0.2  # a hole, born in the frame if there is no other order
    explanation = explained(likelihood, truth, frame=True)
    assert -2 in explanation.prediction.birth_pixel
    plot.critical(likelihood, explanation, ax)
    assert all((np.asarray(offsets) >= 0).all() for offsets in points(ax) if len(offsets))


def test_of_a_volume_critical_pixels_of_one_section_are_marked(ax):
    likelihood, truth = np.zeros((5, 7, 7)), np.zeros((5, 7, 7))
    truth[0], likelihood[0, 0] = 1, 1
    truth[0, 1:], likelihood[2, 3, 4], likelihood[4, 1, 1] = 0, 0.4, 0.6
    explanation = explained(likelihood, truth, dims=0)
    plot.critical(likelihood, explanation, ax)
    assert ax.get_title() == "section 2 of 5"
    assert marked_pixels(ax)["cross", BLUE][0] == [[4, 3]]
    last = plot.critical(likelihood, explanation, Figure().subplots(), section=4)
    assert marked_pixels(last)["cross", BLUE][0] == [[1, 1]]
    with pytest.raises(ValueError, match="has no section 5"):
        plot.critical(likelihood, explanation, Figure().subplots(), section=5)


def test_critical_refuses_a_likelihood_of_another_shape(ax):
    with pytest.raises(ValueError, match=r"likelihood has shape \(3, 3\); expected \(7, 7\)"):
        plot.critical(RING, explained(BROKEN, RING_TRUTH), ax)


# ---- sections ----------------------------------------------------------------------------

# A void that is born at (2, 3, 3), the last voxel of its shell, and dies in its middle, in a
# volume of different sides; and a component far away, born at (4, 0, 8), at the border.
SHELL = np.full((5, 6, 9), 5.0)
SHELL[1:4, 1:4, 1:4] = 0
SHELL[2, 2, 2] = 4
SHELL[4, 0, 8] = 3


def three():
    return list(Figure().subplots(1, 3))


def all_marks(axes, dim):
    """(births, deaths) of one dimension in each of the sections."""
    return [marks(ax)[dim][:2] for ax in axes]


def test_the_three_sections_pass_through_the_voxel():
    volume = np.arange(5 * 6 * 9).reshape(5, 6, 9)
    plane, row, column = plot.sections(
        volume, pytopo.persistence(volume), three(), at=(1, 2, 3)
    )
    assert plane.images[0].get_array().tolist() == volume[1].tolist()
    assert row.images[0].get_array().tolist() == volume[:, 2].tolist()
    assert column.images[0].get_array().tolist() == volume[:, :, 3].T.tolist()
    assert [ax.get_title() for ax in (plane, row, column)] == ["plane 1", "row 2", "column 3"]
    assert (plane.get_ylabel(), row.get_xlabel()) == ("row", "column")
    assert (row.get_ylabel(), column.get_xlabel()) == ("plane", "plane")


def test_thin_lines_cross_at_the_voxel():
    axes = plot.sections(SHELL, pytopo.persistence(SHELL), three(), at=(1, 2, 3))
    crosses = [
        (line_of_x.get_xdata()[0], line_of_y.get_ydata()[0])
        for line_of_y, line_of_x in (ax.lines[:2] for ax in axes)
    ]
    assert crosses == [(3, 2), (3, 1), (1, 2)]


def test_critical_voxels_are_marked_in_every_section_that_they_lie_in():
    d = pytopo.persistence(SHELL, dims=2)
    assert np.column_stack([d.birth_index, d.death_index]).tolist() == [[3, 3, 3, 2, 2, 2]]
    axes = plot.sections(SHELL, d, three(), at=(3, 2, 0), reach=0)
    assert all_marks(axes, 0) == [([[3, 3]], []), ([], [[2, 2]]), ([], [])]
    axes = plot.sections(SHELL, d, three(), at=(4, 3, 1), reach=0)
    assert all_marks(axes, 0) == [([], []), ([[3, 3]], []), ([], [])]


@pytest.mark.parametrize(("reach", "born"), [(0, False), (1, True)])
def test_voxels_within_reach_of_a_section_are_marked_too(reach, born):
    d = pytopo.persistence(SHELL, dims=2)
    plane, row, column = plot.sections(SHELL, d, three(), at=(2, 5, 8), reach=reach)
    assert marks(plane)[0] == (
        ([[3, 3]], [[2, 2]], [[3, 3], [2, 2]]) if born else ([], [[2, 2]], [])
    )
    assert all_marks([row, column], 0) == [([], []), ([], [])]
    title = plane.get_legend() or row.get_legend().get_title().get_text()
    assert title == ("in a section or up to 1 voxel beside it" if born else "")


def test_sections_of_a_volume_count_together_for_the_most_persistent():
    d = pytopo.persistence(SHELL)
    axes = plot.sections(SHELL, d, three(), at=(4, 2, 2), top=1, reach=0)
    assert all_marks(axes, 2) == [([], []), ([], [[2, 2]]), ([], [[2, 2]])]
    assert all_marks(axes, 0)[0] == ([], [])
    axes = plot.sections(SHELL, d, three(), at=(4, 2, 2), top=2, reach=0)
    assert all_marks(axes, 0)[0][0] == [[8, 0]]


def titles(volume, diagram, **options):
    axes = plot.sections(volume, diagram, three(), **options)
    return [int(ax.get_title().split()[1]) for ax in axes]


def test_by_default_the_sections_show_where_the_void_dies():
    assert titles(SHELL, pytopo.persistence(SHELL)) == [2, 2, 2]


def test_by_default_the_sections_show_where_the_component_is_born():
    d = pytopo.persistence(SHELL, dims=0)
    assert d.death_index[1].tolist() != [4, 0, 8]
    assert titles(SHELL, d) == [4, 0, 8]


def test_of_equals_the_sections_show_the_one_in_the_middle():
    volume = np.full((3, 9, 9), 9.0)
    volume[0, 0, 0] = -1
    volume[[0, 1, 2], [8, 4, 0], [4, 5, 8]] = 1
    assert titles(volume, pytopo.persistence(volume, dims=0)) == [1, 4, 5]


def test_without_other_features_the_sections_show_the_essential_component():
    volume = np.arange(27.0)[::-1].reshape(3, 3, 3)
    assert titles(volume, pytopo.persistence(volume)) == [2, 2, 2]
    assert titles(volume, pytopo.persistence(-volume)) == [0, 0, 0]


def test_without_any_feature_the_sections_show_the_middle():
    volume = np.zeros((3, 5, 8))
    axes = plot.sections(volume, pytopo.persistence(volume, dims=1), three())
    assert [ax.get_title() for ax in axes] == ["plane 1", "row 2", "column 4"]
    assert axes[1].get_legend() is None


def test_a_feature_that_the_frame_begins_is_shown_where_it_ends():
    volume = np.ones((3, 3, 4))
    volume[1, 2, 3] = 2
    d = pytopo.persistence(volume, dims=2, frame=0)
    assert (d.birth_pixel.tolist(), d.death_index.tolist()) == ([-2], [[1, 2, 3]])
    axes = plot.sections(volume, d, three())
    assert [ax.get_title() for ax in axes] == ["plane 1", "row 2", "column 3"]
    assert all_marks(axes, 0) == [([], [[3, 2]]), ([], [[3, 1]]), ([], [[1, 2]])]
    volume = np.ones((3, 3, 4))
    volume[1, 1, 1] = 0
    d = pytopo.persistence(volume, dims=0, frame=0.5)  # the frame is a component, too
    assert (d.birth_pixel.tolist(), d.death_index[0].tolist()) == ([-2, 17], [0, 1, 1])
    assert titles(volume, d) == [0, 1, 1]


def test_what_never_dies_or_begins_in_the_frame_is_not_marked_beside_the_first_section():
    d = pytopo.persistence(SHELL, dims=(0, 2), frame=-1)
    assert {-1, -2} <= {*d.birth_pixel.tolist(), *d.death_pixel.tolist()}
    for ax in plot.sections(SHELL, d, three(), at=(0, 0, 0), reach=2):
        assert all((offsets >= 0).all() for offsets in points(ax))


def sides(axes):
    """Width and height in dots of a voxel in each section, as it is drawn."""
    draw(axes[0])
    return [abs(np.subtract(*ax.transData.transform([(0, 0), (1, 1)]))) for ax in axes]


@pytest.mark.parametrize("shape", [(5, 10, 20), (20, 10, 5), (8, 30, 9), (6, 6, 6), (1, 1, 1)])
def test_voxels_have_equal_sides_in_all_sections(shape):
    volume = np.zeros(shape)
    axes = plot.sections(volume, pytopo.persistence(volume))
    assert np.ptp(sides(axes)) < 0.02 * np.mean(sides(axes))


def test_sections_lie_so_that_they_share_their_axes():
    axes = plot.sections(SHELL, pytopo.persistence(SHELL))
    draw(axes[0])
    plane, row, column = (ax.get_window_extent() for ax in axes)
    assert (row.x0, row.x1) == pytest.approx((plane.x0, plane.x1))
    assert (column.y0, column.y1) == pytest.approx((plane.y0, plane.y1))
    assert row.y1 < plane.y0
    assert column.x0 > plane.x1
    axes[0].set_xlim(1, 2)
    axes[0].set_ylim(4, 3)
    assert axes[1].get_xlim() == (1, 2)
    assert axes[2].get_ylim() == (4, 3)


def test_a_very_thin_volume_is_drawn_an_eighth_as_thick_as_it_is_long():
    volume = np.zeros((2, 40, 80))
    plane, row, column = sides(plot.sections(volume, pytopo.persistence(volume)))
    assert plane[0] == pytest.approx(plane[1], rel=0.02)
    assert row == pytest.approx([plane[0], 5 * plane[0]], rel=0.02)
    assert column == pytest.approx([5 * plane[0], plane[0]], rel=0.02)


def test_a_grey_means_the_same_in_all_sections():
    axes = plot.sections(SHELL, pytopo.persistence(SHELL), three(), at=(4, 0, 0))
    assert [ax.images[0].get_clim() for ax in axes] == [(3, 5)] * 3


def test_the_legend_of_sections_says_what_is_marked():
    _, row, _ = plot.sections(SHELL, pytopo.persistence(SHELL), three(), at=(2, 2, 2))
    assert legend(row) == ["components (dim 0)", "voids (dim 2)", "birth", "death"]
    _, row, _ = plot.sections(SHELL, pytopo.persistence(SHELL), three(), top=0)
    assert row.get_legend() is None


@pytest.mark.parametrize("at", [(5, 0, 0), (0, -1, 0), (0, 0), (0, 0, 1.5), (0, 0, 9)])
def test_a_voxel_that_is_not_there_is_an_error(at):
    message = r"shape \(5, 6, 9\) has no voxel .*from \(0, 0, 0\) to \(4, 5, 8\)"
    with pytest.raises(ValueError, match=message):
        plot.sections(SHELL, pytopo.persistence(SHELL), three(), at=at)


def test_sections_refuse_what_is_no_volume_of_the_diagram():
    with pytest.raises(ValueError, match=r"volume has shape \(3, 3\); expected a volume"):
        plot.sections(RING, pytopo.persistence(RING))
    with pytest.raises(ValueError, match=r"\(5, 6, 9\); .* shape \(5, 4, 4\)"):
        plot.sections(SHELL, pytopo.persistence(VOLUME))
    assert plt.get_fignums() == []


def test_sections_refuse_other_than_three_axes():
    with pytest.raises(ValueError, match="ax has 2 Axes; expected three"):
        plot.sections(SHELL, pytopo.persistence(SHELL), three()[:2])


def test_sections_are_drawn_into_given_axes_or_a_new_figure():
    given = three()
    assert plot.sections(SHELL, pytopo.persistence(SHELL), given) == given
    assert plt.get_fignums() == []
    first = plot.sections(SHELL, pytopo.persistence(SHELL))
    second = plot.sections(SHELL, pytopo.persistence(SHELL))
    assert first[0].figure is first[2].figure
    assert first[0].figure is not second[0].figure


@pytest.mark.parametrize(
    "values", [[np.inf] * 8, [-np.inf, np.inf] * 4, [7] * 8, [-1.7e308, 1.7e308] * 4], ids=str
)
def test_sections_of_every_range_of_values_can_be_drawn(values):
    volume = np.reshape(values, (2, 2, 2)).astype(float)
    draw(plot.sections(volume, pytopo.persistence(volume))[0])


def test_sections_of_a_likelihood_show_the_point_that_costs_most():
    likelihood, truth = np.zeros((5, 7, 9)), np.zeros((5, 7, 9))
    truth[0, 0, 0] = likelihood[0, 0, 0] = 1  # in place
    truth[4, 6, 0], likelihood[4, 6, 0] = 1, 0.9  # to fix, for 0.01
    likelihood[2, 3, 4], likelihood[2, 1, 8] = 0.6, 0.4  # to remove, for 0.18 and 0.08
    explanation = explained(likelihood, truth, dims=0)
    axes = plot.critical_sections(likelihood, explanation, three(), reach=0)
    assert [ax.get_title() for ax in axes] == ["plane 2", "row 3", "column 4"]
    found = [marked_pixels(ax)["cross", BLUE][0] for ax in axes]
    assert found == [[[4, 3], [8, 1]], [[4, 2]], [[2, 3]]]
    assert legend(axes[1])[:2] == ["components (dim 0)", "to remove: 2"]
    axes = plot.critical_sections(likelihood, explanation, three(), top=1, reach=0)
    assert marked_pixels(axes[0])["cross", BLUE][0] == [[4, 3]]
    assert "to remove: 1 of 2" in legend(axes[1])
    axes = plot.critical_sections(likelihood, explanation, three(), at=(4, 5, 0), reach=1)
    assert marked_pixels(axes[1])["circle", BLUE][0] == [[0, 4]]
    assert axes[1].get_legend().get_title().get_text().endswith("up to 1 voxel beside it")


def test_critical_sections_refuse_what_was_not_explained():
    explanation = explained(BROKEN, RING_TRUTH)
    with pytest.raises(ValueError, match=r"likelihood has shape \(7, 7\); expected a volume"):
        plot.critical_sections(BROKEN, explanation)


# ---- every function ----------------------------------------------------------------------

FUNCTIONS = {
    "diagram": plot.diagram,
    "barcode": plot.barcode,
    "betti_curve": plot.betti_curve,
    "image": lambda d, *args: plot.image(RING, d, *args),
    "matching": lambda d, *args: plot.matching(explained(BROKEN, RING_TRUTH), *args),
    "critical": lambda d, *args: plot.critical(BROKEN, explained(BROKEN, RING_TRUTH), *args),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_given_axes_are_returned_and_no_figure_is_opened(name, ax):
    assert FUNCTIONS[name](pytopo.persistence(RING), ax) is ax
    assert plt.get_fignums() == []


@pytest.mark.parametrize("name", FUNCTIONS)
def test_without_axes_a_new_figure_is_opened(name):
    first = FUNCTIONS[name](pytopo.persistence(RING))
    second = FUNCTIONS[name](pytopo.persistence(RING))
    assert len(plt.get_fignums()) == 2
    assert first.figure is not second.figure
