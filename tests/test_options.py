"""Options: NumPy's numbers are accepted like Python's, and booleans are not numbers."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

import pytopo
from pytopo import options
from pytopo.notes import number_text
from pytopo.textbook import lower_star_filtration, reduce_filtration
from pytopo.textbook.walk import walkthrough

RING = np.zeros((3, 3))
RING[1, 1] = 9
BALL = np.pad(np.full((1, 1, 1), 9.0), 1)
A, B = [[0, 4], [1, 2]], [[0, 3]]

ONES = [np.int8(1), np.uint8(1), np.int64(1), np.uint64(1), np.array(1), np.array(1, np.uint16)]

of_ring = cache(lambda: pytopo.persistence(RING))
of_ball = cache(lambda: pytopo.persistence(BALL))

INTEGERS = {
    "persistence dims": lambda n: pytopo.persistence(RING, n),
    "persistence dims, several": lambda n: pytopo.persistence(RING, [0, n]),
    "persistence_batch dims": lambda n: pytopo.persistence_batch([RING], n),
    "persistence_batch threads": lambda n: pytopo.persistence_batch([RING], threads=n),
    "points": lambda n: of_ring().points(n).tolist(),
    "select": lambda n: of_ring().select(n),
    "select, several": lambda n: of_ring().select((n,)),
    "barcode top": lambda n: texts(pytopo.plot.barcode(of_ring(), top=n)),
    "betti_curve dim": lambda n: texts(pytopo.plot.betti_curve(of_ring(), dim=n)),
    "diagram dots": lambda n: texts(pytopo.plot.diagram(of_ring(), dots=n)),
    "image top": lambda n: texts(pytopo.plot.image(RING, of_ring(), top=n)),
    "image section": lambda n: texts(pytopo.plot.image(BALL, of_ball(), section=n)),
    "sections at": lambda n: texts(*pytopo.plot.sections(BALL, of_ball(), at=(n, 0, n))),
    "sections top": lambda n: texts(*pytopo.plot.sections(BALL, of_ball(), top=n)),
    "sections reach": lambda n: texts(*pytopo.plot.sections(BALL, of_ball(), reach=n)),
}

NUMBERS = {
    "persistence min_persistence": lambda x: pytopo.persistence(RING, min_persistence=x),
    "persistence frame": lambda x: pytopo.persistence(RING, frame=x),
    "lower_star_filtration frame": lambda x: lower_star_filtration(
        RING, frame=x
    ).pixel.tolist(),
    "walkthrough frame": lambda x: walkthrough(RING, frame=x).diagram(),
    "select min_persistence": lambda x: of_ring().select(min_persistence=x),
    "betti": lambda x: of_ring().betti(x),
    "wasserstein order": lambda x: pytopo.wasserstein(A, B, order=x),
    "wasserstein ground": lambda x: pytopo.wasserstein(A, B, ground=x),
}

FLAGS = {
    "persistence superlevel": lambda b: pytopo.persistence(RING, superlevel=b),
    "lower_star_filtration superlevel": lambda b: lower_star_filtration(
        RING, superlevel=b
    ).pixel.tolist(),
    "walkthrough superlevel": lambda b: walkthrough(RING, superlevel=b).diagram(),
    "reduce_filtration clearing": lambda b: reduce_filtration(
        lower_star_filtration(RING), clearing=b
    ).pairs.tolist(),
    "select finite": lambda b: of_ring().select(finite=b),
    "match every_second": lambda b: pytopo.match(A, B, every_second=b).pairs.tolist(),
    "textbook_match every_second": lambda b: pytopo.matching.textbook_match(
        A, B, every_second=b
    ).pairs.tolist(),
}


def texts(*axes):
    """What a picture says: titles, legends and how much is drawn."""
    return [
        [ax.get_title(), len(ax.lines), len(ax.collections)]
        + [text.get_text() for text in getattr(ax.get_legend(), "texts", [])]
        for ax in axes
    ]


@pytest.mark.parametrize("name", INTEGERS)
def test_integers_of_numpy_are_integers(name):
    function = INTEGERS[name]
    expected = function(1)
    for one in ONES:
        assert function(one) == expected, repr(one)


@pytest.mark.parametrize("name", INTEGERS)
@pytest.mark.parametrize("wrong", [True, np.True_, np.array(True), "1", 1.5, [[1]]])
def test_what_is_no_integer_is_refused(name, wrong):
    with pytest.raises((TypeError, ValueError), match=r"is |no section|no voxel"):
        INTEGERS[name](wrong)


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize(
    "two", [2.0, np.int8(2), np.uint64(2), np.float16(2), np.float64(2), np.array(2.0)]
)
def test_numbers_of_numpy_are_numbers(name, two):
    assert NUMBERS[name](two) == NUMBERS[name](2)


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("wrong", ["2", 2j, np.complex128(2), [2, 3], np.array([2.0])])
def test_what_is_no_number_is_refused(name, wrong):
    with pytest.raises(TypeError, match=r"expected a number|expected a number"):
        NUMBERS[name](wrong)


@pytest.mark.parametrize("name", [name for name in NUMBERS if "frame" not in name])
@pytest.mark.parametrize("wrong", [True, np.False_])
def test_a_boolean_is_no_number(name, wrong):
    with pytest.raises(TypeError, match=r"expected a number|expected a number"):
        NUMBERS[name](wrong)


@pytest.mark.parametrize("name", FLAGS)
def test_booleans_of_numpy_are_booleans(name):
    for value in (True, False):
        expected = FLAGS[name](value)
        assert FLAGS[name](np.bool_(value)) == expected
        assert FLAGS[name](np.array(value)) == expected


@pytest.mark.parametrize("name", FLAGS)
@pytest.mark.parametrize("wrong", [0, 1, 1.0, "yes", np.array([True])])
def test_what_is_no_boolean_is_refused(name, wrong):
    with pytest.raises(TypeError, match="expected True or False"):
        FLAGS[name](wrong)


# ---- the textbook takes what persistence takes ----------------------------------------------


@pytest.mark.parametrize("function", [pytopo.persistence, lower_star_filtration, walkthrough])
@pytest.mark.parametrize(
    ("option", "error", "text"),
    [
        ({"construction": "X"}, ValueError, 'construction is \'X\'; expected "V" or "T"'),
        ({"construction": "v"}, ValueError, "construction is 'v'"),
        ({"construction": None}, ValueError, "construction is None"),
        ({"construction": ["V"]}, ValueError, "construction is .'V'.;"),
        ({"superlevel": 1}, TypeError, "superlevel is 1; expected True or False"),
        ({"superlevel": "no"}, TypeError, "superlevel is 'no'"),
        ({"frame": "0"}, TypeError, "frame is '0'; expected a number, True, False or None"),
        ({"frame": np.nan}, ValueError, "frame is NaN"),
        ({"frame": 10**400}, ValueError, "frame is 1000*, which float64 cannot hold"),
    ],
)
def test_every_way_to_a_filtration_checks_its_options(function, option, error, text):
    with pytest.raises(error, match=text):
        function(RING, **option)


def test_a_frame_beyond_the_dtype_of_the_image_is_refused_and_an_infinite_one_is_not():
    image = RING.astype(np.float32)
    for frame in (1e300, 10**39, np.float64(-1e39)):
        with pytest.raises(ValueError, match="float32 cannot hold"):
            pytopo.persistence(image, frame=frame)
    framed = pytopo.persistence(image, superlevel=True, frame=np.inf)
    assert framed.frame == np.inf
    half = RING.astype(np.float16)  # whose births and deaths are float64
    assert pytopo.persistence(half, frame=10**39) == pytopo.persistence(half, frame=1e39)


def test_dimensions_may_be_drawn_from_a_generator_for_images_of_several_shapes():
    images = [RING, RING[:2], BALL]
    drawn = pytopo.persistence_batch(images, (d for d in (0, 1)))
    assert drawn == pytopo.persistence_batch(images, (0, 1))


# ---- what is shared ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "number"),
    [(3, 3), (np.uint8(3), 3), (np.array(3), 3), (2**70, 2**70), (-1, -1)],
)
def test_an_integer_is_taken_as_it_is(value, number):
    found = options.integer(value)
    assert found == number
    assert type(found) is int


@pytest.mark.parametrize(
    "value", [True, np.True_, np.array(True), 3.0, np.float64(3), "3", None]
)
def test_others_are_no_integers(value):
    assert options.integer(value) is None


def test_a_whole_number_says_what_came():
    with pytest.raises(TypeError, match=r"top is 1\.5; expected a whole number of at least 0"):
        options.whole_number(1.5, "top")
    with pytest.raises(ValueError, match="top is -1; expected a whole number of at least 0"):
        options.whole_number(-1, "top")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.0000002, "1.0000002"),
        (np.float32(1.0000001), "1.0000001"),
        (np.float64(1.0000001), "1.0000001"),
        (np.float16(0.1), "0.1"),
        (1.0, "1"),
        (np.float32(255), "255"),
        (16777217, "16777217"),
        (np.int8(-3), "-3"),
        (0.1 + 0.2, "0.30000000000000004"),
        (1e300, "1e+300"),
        (np.inf, "inf"),
        (np.nan, "nan"),
    ],
)
def test_a_number_is_shown_with_the_digits_that_tell_it_apart(value, text):
    assert number_text(value) == text


def test_a_point_that_is_not_finite_is_shown_with_its_digits():
    with pytest.raises(ValueError, match=r"first\[0\] is \(1.0000002, inf\); expected finite"):
        pytopo.match([[1.0000002, np.inf]], [])


def test_a_frame_is_shown_with_its_digits():
    assert "V, frame=1.0000002: " in repr(replace(of_ring(), frame=1.0000002))
    assert "V, frame=1: " in repr(replace(of_ring(), frame=1.0))
    framed = pytopo.persistence(RING.astype(np.float32), frame=0.1)
    assert "V, frame=0.1: " in repr(framed)
