"""Diagrams of images: by hand, against brute force, and what must hold for all."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from oracles import betti_numbers, euler_number, pixel_pairs
from strategies import constructions, frames, images, images_without_ties

import pytopo


def rows(diagram):
    """Return (dim, birth pixel, death pixel) of every point, sorted."""
    columns = (diagram.dim, diagram.birth_pixel, diagram.death_pixel)
    return sorted(zip(*(c.tolist() for c in columns)))


def box(shape, value=1):
    return np.full(shape, value)


# --- by hand ---------------------------------------------------------------------------


def test_a_valley_is_one_component():
    d = pytopo.persistence([5, 1, 3])
    assert rows(d) == [(0, 1, -1)]
    assert d.points(0).tolist() == [[1, np.inf]]


def test_the_younger_of_two_valleys_dies_at_the_pass():
    d = pytopo.persistence([0, 5, 1, 9])
    assert rows(d) == [(0, 0, -1), (0, 2, 1)]
    assert d.points(0).tolist() == [[0, np.inf], [1, 5]]


def test_peaks_are_born_first_in_superlevel():
    d = pytopo.persistence([9, 2, 7, 0], superlevel=True)
    assert rows(d) == [(0, 0, -1), (0, 2, 1)]
    assert d.points(0).tolist() == [[9, -np.inf], [7, 2]]


def test_of_two_equal_valleys_the_one_of_smaller_index_is_the_elder():
    assert rows(pytopo.persistence([1, 5, 1])) == [(0, 0, -1), (0, 2, 1)]


def test_of_two_equal_peaks_the_one_of_smaller_index_is_the_elder_in_superlevel():
    assert rows(pytopo.persistence([1, 0, 1], superlevel=True)) == [(0, 0, -1), (0, 2, 1)]


@pytest.mark.parametrize("construction", ["V", "T"])
def test_a_ring_is_one_hole(construction):
    ring = box((3, 3), 0)
    ring[1, 1] = 9
    d = pytopo.persistence(ring, construction=construction)
    assert d.points(1).tolist() == [[0, 9]]
    assert d.death_index[d.dim == 1].tolist() == [[1, 1]]


def test_a_diamond_is_a_ring_only_for_top_cells():
    diamond = np.array([[9, 0, 9], [0, 5, 0], [9, 0, 9]])
    assert pytopo.persistence(diamond, construction="T").points(1).tolist() == [[0, 5]]
    assert pytopo.persistence(diamond, construction="V").points(1).tolist() == []
    assert pytopo.persistence(diamond, construction="T").points(0).tolist() == [[0, np.inf]]
    assert pytopo.persistence(diamond, construction="V").points(0).tolist() == [
        [0, np.inf],
        [0, 5],
        [0, 5],
        [0, 5],
    ]


def test_two_rings_are_two_holes_and_two_components():
    image = box((5, 11), 7)
    image[1:4, 1:4] = 0
    image[1:4, 7:10] = 0
    image[2, 2], image[2, 8] = 5, 6
    d = pytopo.persistence(image)
    assert d.points(1).tolist() == [[0, 5], [0, 6]]
    assert d.points(0).tolist() == [[0, np.inf], [0, 7]]


def test_a_figure_eight_is_one_component_with_two_holes():
    eight = box((3, 5), 0)
    eight[1, 1], eight[1, 3] = 4, 8
    d = pytopo.persistence(eight)
    assert d.points(0).tolist() == [[0, np.inf]]
    assert d.points(1).tolist() == [[0, 4], [0, 8]]
    assert d.death_index[d.dim == 1].tolist() == [[1, 1], [1, 3]]


def test_a_shell_is_one_void():
    shell = box((3, 3, 3), 0)
    shell[1, 1, 1] = 9
    d = pytopo.persistence(shell)
    assert d.points(0).tolist() == [[0, np.inf]]
    assert d.points(1).tolist() == []
    assert d.points(2).tolist() == [[0, 9]]


@pytest.mark.parametrize("construction", ["V", "T"])
def test_a_solid_torus_is_one_tunnel(construction):
    torus = box((3, 5, 5), 9)
    torus[1, 1:4, 1:4] = 0
    torus[1, 2, 2] = 9
    d = pytopo.persistence(torus, construction=construction)
    assert d.points(0).tolist() == [[0, np.inf]]
    assert d.points(1).tolist() == [[0, 9]]
    assert d.points(2).tolist() == []


def test_a_hollow_torus_is_two_tunnels_and_a_void():
    torus = box((5, 9, 9), 9)
    torus[1:4, 1:8, 1:8] = 0
    torus[2, 2:7, 2:7] = 7  # the cavity, one pixel wide, ...
    torus[2, 3:6, 3:6] = 0  # ... runs around ...
    torus[1:4, 4, 4] = 9  # ... the hole
    d = pytopo.persistence(torus)
    assert d.betti(0) == (1, 2, 1)
    assert sorted(d.points(1).tolist()) == [[0, 7], [0, 9]]
    assert d.points(2).tolist() == [[0, 7]]


def test_a_frame_closes_what_runs_off_the_border():
    cross = np.array([[9, 0, 9], [0, 0, 0], [9, 0, 9]])
    assert pytopo.persistence(cross).points(1).tolist() == []
    framed = pytopo.persistence(cross, frame=True)
    assert framed.points(1).tolist() == [[0, 9]] * 4
    corners = framed.death_index[framed.dim == 1].tolist()
    assert sorted(corners) == [[0, 0], [0, 2], [2, 0], [2, 2]]


def test_the_frame_has_a_component_of_its_own():
    image = np.array([[5, 5, 5], [5, 1, 5], [5, 5, 5]])
    d = pytopo.persistence(image, frame=0)
    assert d.points(0).tolist() == [[0, np.inf], [1, 5]]
    assert d.birth_pixel[d.dim == 0].tolist() == [-2, 4]
    assert d.points(1).tolist() == [[0, 5]]
    assert d.birth_pixel[d.dim == 1].tolist() == [-2]


def test_a_late_frame_may_be_born_as_a_shell():
    image = np.zeros((1, 1, 1))
    d = pytopo.persistence(image, frame=-1)
    assert d.points(2).tolist() == [[-1, 0]]
    assert (d.birth_pixel[d.dim == 2].tolist(), d.death_pixel[d.dim == 2].tolist()) == (
        [-2],
        [0],
    )


def test_true_frames_with_the_value_of_the_earliest_pixel():
    image = np.array([[3, 8], [5, 4]])
    assert pytopo.persistence(image, frame=True).frame == 3
    assert pytopo.persistence(image, superlevel=True, frame=True).frame == 8
    assert pytopo.persistence(image, frame=True) == pytopo.persistence(image, frame=3)


def test_no_frame_is_no_frame():
    image = np.array([[3, 8], [5, 4]])
    assert pytopo.persistence(image, frame=False) == pytopo.persistence(image)
    assert pytopo.persistence(image).frame is None


def test_a_frame_of_zero_is_a_frame():
    assert pytopo.persistence([[1]], frame=0).frame == 0
    assert len(pytopo.persistence([[1]], frame=0)) == 2


# --- brute force -----------------------------------------------------------------------


@given(images(), st.booleans(), constructions, frames)
def test_the_pixels_are_those_of_brute_force(image, superlevel, construction, frame):
    assume(not (image.dtype == np.float16 and frame == 2.5))
    d = pytopo.persistence(image, superlevel=superlevel, construction=construction, frame=frame)
    assert rows(d) == pixel_pairs(image, superlevel, construction, frame)


@given(images(dtypes=["uint8"]), st.booleans(), constructions)
def test_betti_numbers_are_those_of_the_thresholded_image(image, superlevel, construction):
    d = pytopo.persistence(image, superlevel=superlevel, construction=construction)
    for threshold in range(-1, 11):
        mask = image >= threshold if superlevel else image <= threshold
        assert d.betti(threshold) == betti_numbers(mask, construction)


@given(images(dtypes=["uint8"]), constructions)
def test_the_alternating_sum_of_betti_numbers_is_the_euler_number(image, construction):
    d = pytopo.persistence(image, construction=construction)
    for threshold in range(10):
        signs = [b * (-1) ** k for k, b in enumerate(d.betti(threshold))]
        assert sum(signs) == euler_number(image <= threshold, construction)


# --- invariants ------------------------------------------------------------------------


@given(images(), st.booleans(), constructions)
def test_the_pixels_carry_the_values(image, superlevel, construction):
    d = pytopo.persistence(image, superlevel=superlevel, construction=construction)
    finite = d.death_pixel >= 0
    assert np.array_equal(image.ravel()[d.birth_pixel], d.birth)
    assert np.array_equal(image.ravel()[d.death_pixel[finite]], d.death[finite])
    assert d.death[~finite].tolist() == [-np.inf if superlevel else np.inf]
    assert (d.birth > d.death if superlevel else d.birth < d.death)[finite].all()


@given(images_without_ties(), constructions, st.booleans(), st.booleans())
def test_monotone_relabelling_moves_no_pixel(image, construction, superlevel, frame):
    options = {"construction": construction, "superlevel": superlevel, "frame": frame}
    stretched = pytopo.persistence(np.exp(image / 10), **options)
    assert rows(stretched) == rows(pytopo.persistence(image, **options))


@given(images_without_ties(), constructions, st.booleans())
def test_turning_values_around_turns_the_sweep_around(image, construction, frame):
    up = pytopo.persistence(image, construction=construction, frame=frame)
    down = pytopo.persistence(-image, construction=construction, frame=frame, superlevel=True)
    assert rows(up) == rows(down)


@given(images_without_ties(), constructions)
def test_turning_the_image_turns_the_pixels(image, construction):
    d = pytopo.persistence(image, construction=construction)
    turned = pytopo.persistence(np.ascontiguousarray(image.T), construction=construction)
    there = [(k, image.ravel()[p], image.ravel()[q] if q >= 0 else -1) for k, p, q in rows(d)]
    back = [
        (k, image.T.ravel()[p], image.T.ravel()[q] if q >= 0 else -1)
        for k, p, q in rows(turned)
    ]
    assert sorted(there) == sorted(back)


@given(images_without_ties())
def test_v_and_t_are_dual(image):
    """Holes of the foreground are components of the background, seen from the other side.

    A k-dimensional class of the upward sweep with V is an (axes - 1 - k)-dimensional class
    of the downward sweep with T inside an earlier frame, birth and death exchanged.
    """
    top = image.ndim - 1
    up = pytopo.persistence(image, construction="V")
    down = pytopo.persistence(image, construction="T", superlevel=True, frame=np.inf)
    there = [(k, p, q) for k, p, q in rows(up) if q != -1]
    back = [(top - k, q, p) for k, p, q in rows(down) if min(p, q) >= 0]
    assert sorted(there) == sorted(back)


@given(images_without_ties(), constructions, st.integers(0, 2**32 - 1))
def test_a_small_change_of_values_changes_the_diagram_little(image, construction, seed):
    """Stability: without a change of order, every value moves as far as its pixel."""
    nudge = np.random.default_rng(seed).uniform(-0.4, 0.4, image.shape)
    d, moved = (
        pytopo.persistence(a, construction=construction) for a in (image, image + nudge)
    )
    assert rows(d) == rows(moved)
    assert np.abs(d.birth - moved.birth).max() <= 0.4


# --- dtypes and layouts ----------------------------------------------------------------


@pytest.mark.parametrize("dtype", "?bBhHiIlLqQefdg")
def test_every_real_dtype_gives_the_same_pixels(dtype):
    image = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]])
    d = pytopo.persistence(image.astype(dtype))
    assert rows(d) == [(0, 0, -1), (0, 2, 1), (0, 6, 3), (0, 8, 5)]
    assert d.birth.dtype == (np.float32 if dtype == "f" else np.float64)


def test_integers_beyond_two_to_the_53_are_told_apart():
    big = 2**60
    d = pytopo.persistence(np.array([big, big + 2, big + 1]))
    assert rows(d) == [(0, 0, -1), (0, 2, 1)]


@given(images(), constructions)
def test_memory_layout_does_not_matter(image, construction):
    want = pytopo.persistence(image, construction=construction)
    padded = np.zeros(tuple(2 * n for n in image.shape), image.dtype)
    strided = padded[tuple(slice(None, None, -2) for _ in image.shape)]
    strided[...] = image
    for same in (np.asfortranarray(image), strided, image.astype(image.dtype.newbyteorder())):
        assert pytopo.persistence(same, construction=construction) == want


def test_read_only_images_and_memory_maps_are_images(tmp_path):
    image = np.random.default_rng(0).integers(0, 9, (6, 7))
    want = pytopo.persistence(image)
    np.save(tmp_path / "image.npy", image)
    image.setflags(write=False)
    assert pytopo.persistence(image) == want
    assert pytopo.persistence(np.load(tmp_path / "image.npy", mmap_mode="r")) == want


def test_the_image_is_left_as_it_was():
    image = np.random.default_rng(0).random((6, 7))
    before = image.copy()
    pytopo.persistence(image, frame=True, superlevel=True)
    assert np.array_equal(image, before)


@pytest.mark.parametrize("shape", [(1,), (1, 1), (1, 1, 1), (1, 5), (5, 1), (1, 5, 1), (4, 4)])
@pytest.mark.parametrize("construction", ["V", "T"])
def test_a_constant_image_is_one_component(shape, construction):
    for value in (0, np.inf, -np.inf):
        d = pytopo.persistence(np.full(shape, value), construction=construction)
        assert rows(d) == [(0, 0, -1)]
        assert d.birth.tolist() == [value]


def test_thin_images_have_the_persistence_of_their_only_row():
    line = np.array([4, 0, 3, 1, 9, 1, 2])
    want = pytopo.persistence(line).points(0)
    for shape in ((1, 7), (7, 1), (1, 1, 7), (1, 7, 1), (7, 1, 1)):
        for construction in "VT":
            d = pytopo.persistence(line.reshape(shape), construction=construction)
            assert np.array_equal(d.points(0), want)
            assert len(d) == len(want)


# --- options ---------------------------------------------------------------------------


@given(images(), constructions)
def test_some_dimensions_are_a_part_of_all(image, construction):
    everything = pytopo.persistence(image, construction=construction)
    for k in range(image.ndim):
        for expected in (k, [k], np.int8(k), {k}):
            d = pytopo.persistence(image, expected, construction=construction)
            assert d == everything.select(dim=k)
            assert d.dims == (k,)


def test_a_point_of_exactly_the_least_persistence_is_kept():
    image = [0, 5, 1, 9, 8, 10]
    assert pytopo.persistence(image, min_persistence=4).points(0).tolist() == [
        [0, np.inf],
        [1, 5],
    ]
    assert pytopo.persistence(image, min_persistence=4.01).points(0).tolist() == [[0, np.inf]]


def test_rows_are_sorted_by_dimension_and_pixels():
    d = pytopo.persistence(np.random.default_rng(0).random((20, 20)))
    keys = list(zip(d.dim, d.birth_pixel, d.death_pixel))
    assert keys == sorted(keys)


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        (
            {"superlevel": "superlevel"},
            TypeError,
            "superlevel is 'superlevel'; expected True or",
        ),
        ({"superlevel": 1}, TypeError, "superlevel is 1; expected True or False"),
        ({"construction": "v"}, ValueError, 'construction is \'v\'; expected "V" or "T"'),
        ({"frame": "black"}, TypeError, "frame is 'black'; expected a number"),
        ({"min_persistence": -1}, ValueError, "min_persistence is -1; expected a number of at"),
        ({"min_persistence": np.nan}, ValueError, "min_persistence is nan"),
        ({"min_persistence": "0"}, TypeError, "min_persistence is '0'; expected a number"),
        ({"algorithm": "fast"}, ValueError, "algorithm is 'fast'; expected \"auto\" or"),
        (
            {"dims": 2},
            ValueError,
            r"dims is 2; expected dimensions from 0 to 1, because image has",
        ),
        ({"dims": [0, -1]}, ValueError, r"dims is \[0, -1\]; expected dimensions from 0 to 1"),
        ({"dims": True}, ValueError, "dims is True"),
        ({"dims": ()}, ValueError, r"dims is \(\)"),
        ({"dims": "01"}, ValueError, "dims is '01'"),
        ({"dims": 0.0}, ValueError, "dims is 0.0"),
    ],
)
def test_impossible_options_are_refused_by_name(options, error, text):
    with pytest.raises(error, match=text):
        pytopo.persistence(np.zeros((2, 2)), **options)


# --- batches ---------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", ["morse", "reduction"])
@pytest.mark.parametrize("threads", [None, 1, 2, np.int64(5)])
def test_one_image_may_be_worked_on_by_several_threads(threads, algorithm):
    for shape in ((40,), (20, 30), (6, 7, 8)):
        image = np.random.default_rng(0).integers(0, 9, shape)
        d = pytopo.persistence(image, algorithm=algorithm, threads=threads)
        assert d == pytopo.persistence(image)


@pytest.mark.parametrize("threads", [0, -1, 1.0, "2", True])
def test_what_is_no_number_of_threads_for_one_image_is_refused(threads):
    with pytest.raises(ValueError, match=r"threads is .*; expected a whole number of"):
        pytopo.persistence([[0, 1]], threads=threads)


@pytest.mark.compiled
def test_keys_are_the_same_whoever_fills_them():
    """Of dtypes whose keys may be filled in parts, and of those whose may not."""
    numbers = np.random.default_rng(0).integers(-30, 30, (300, 250))
    numbers += np.arange(300)[:, None] // 10  # parts do not have the same values
    for dtype in ("f2", "f4", ">f8", "longdouble", "i1", "u2", "i8", "u8"):
        image = numbers.astype(dtype)
        if dtype in ("i8", "u8"):  # near the largest, in one part only
            image[:100] += np.iinfo(dtype).max - image[:100].max()
        for superlevel in (False, True):
            one, two = (
                pytopo.persistence(image, superlevel=superlevel, threads=t) for t in (1, 2)
            )
            assert one == two


@pytest.mark.parametrize("threads", [None, 1, 3])
def test_a_batch_is_its_images_one_by_one(threads):
    images = np.random.default_rng(0).integers(0, 9, (7, 5, 6))
    options = {"dims": 1, "superlevel": True, "construction": "T", "frame": 4}
    batch = pytopo.persistence_batch(images, threads=threads, **options)
    assert batch == [pytopo.persistence(image, **options) for image in images]


def test_a_batch_of_volumes_has_four_axes():
    volumes = np.random.default_rng(0).random((2, 3, 4, 5))
    assert [d.shape for d in pytopo.persistence_batch(volumes)] == [(3, 4, 5)] * 2


def test_a_list_may_mix_shapes_and_dtypes():
    images = [[3, 1, 2], np.zeros((2, 3), np.uint8), np.ones((2, 2, 2), np.float32)]
    batch = pytopo.persistence_batch(images)
    assert [d.shape for d in batch] == [(3,), (2, 3), (2, 2, 2)]
    assert [d.birth.dtype for d in batch] == [np.float64, np.float64, np.float32]


def test_an_empty_batch_is_an_empty_list():
    assert pytopo.persistence_batch([]) == []


@pytest.mark.parametrize(
    ("images", "options", "error", "text"),
    [
        (np.zeros((4, 4)), {}, ValueError, r"images has shape \(4, 4\); expected \(B, H, W\)"),
        ([[0, 1], [np.nan, 1]], {}, ValueError, r"images\[1\]\[0\] is NaN"),
        ([[0, 1], np.zeros((2, 0))], {}, ValueError, r"images\[1\] has shape \(2, 0\)"),
        ([[0, 1]], {"dims": 1}, ValueError, r"dims is 1; .* because images\[0\] has shape"),
        ([[0, 1]], {"threads": 0}, ValueError, "threads is 0; expected a whole number of at"),
        ([[0, 1]], {"threads": 1.5}, ValueError, "threads is 1.5"),
    ],
)
def test_what_is_wrong_with_a_batch_is_said_by_index(images, options, error, text):
    with pytest.raises(error, match=text):
        pytopo.persistence_batch(images, **options)
