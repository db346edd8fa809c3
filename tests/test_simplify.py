"""Images without the points of less persistence: exact, near, and with nothing left over."""

import argparse
import sys
import time
from collections import Counter

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from skimage.morphology import h_minima, reconstruction
from strategies import constructions, images, images_without_ties, lattices

import pytopo
from pytopo.kernels.filling import fill
from pytopo.order import checked_image, frame_value

pytestmark = pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning")
any_image = st.one_of(images(), images_without_ties(), lattices())
thresholds = st.sampled_from([0, 0.5, 1, 2, 3, 5, 8, 100])
whole_frames = st.sampled_from([None, True, 0, 1])


def own_frame(diagram):
    """Return which points are components of the frame, which pixels cannot move."""
    return (diagram.dim == 0) & (diagram.birth_pixel == -2)


def values_of(diagram):
    keep = ~own_frame(diagram)
    return sorted(zip(diagram.birth[keep].tolist(), diagram.death[keep].tolist()))


def faults(image, least, dims, algorithm="auto", **options):
    """Yield what of the promises of `pytopo.simplify` does not hold."""
    simple = pytopo.simplify(image, least, dims, **options)
    if simple.dtype != image.dtype or simple.shape != image.shape:
        yield "kind", simple
    around = frame_value(checked_image(image), options["frame"], options["superlevel"])
    options = {**options, "frame": around}
    before = pytopo.persistence(image, **options)
    after = pytopo.persistence(simple, algorithm=algorithm, **options)

    wide = np.float32 if image.dtype == np.float32 else np.float64
    new, old = simple[simple != image].astype(wide), image[simple != image].astype(wide)
    if new.size and not np.abs(new - old).max() < least:
        yield "moved", np.abs(new - old).max()
    for dim in {0, image.ndim - 1} if dims is None else {dims}:
        found, was = after.select(dim), before.select(dim)
        if ((found.persistence < least) & ~own_frame(found)).any():
            yield "left over", dim, found.points(dim)
        expected = values_of(was.select(dim, least))
        if dims is not None and values_of(found) != expected:
            yield "changed", dim, values_of(found), expected
        # Components keep their births, and others their deaths; none is added.
        column = 0 if dim == 0 else 1
        kept, all_of_them = (Counter(p[column] for p in values_of(d)) for d in (found, was))
        if not kept <= all_of_them:
            yield "added", dim, kept - all_of_them
        sure = was.select(dim, 2 * least)
        if len(values_of(found)) < len(values_of(sure)):
            yield "lost", dim, values_of(sure)
    again = pytopo.simplify(simple, least, dims, **options)
    if not np.array_equal(again, simple):
        yield "again", again


@given(any_image, thresholds, st.booleans(), constructions, whole_frames)
def test_what_is_promised_of_one_dimension_and_of_two(
    image, least, superlevel, construction, frame
):
    options = {"superlevel": superlevel, "construction": construction, "frame": frame}
    for dims in (None, 0, image.ndim - 1):
        for algorithm in ("morse", "reduction"):
            assert list(faults(image, least, dims, algorithm, **options)) == []


@pytest.mark.parametrize("construction", ["V", "T"])
@pytest.mark.parametrize("shape", [(9, 11), (4, 5, 6)])
def test_gudhi_finds_the_same_points_and_no_others(shape, construction):
    from peers import gudhi_points

    for seed in range(5):
        image = np.random.default_rng(seed).integers(0, 12, shape).astype(float)
        top = len(shape) - 1
        points = gudhi_points(image, construction)
        for dim in (0, top):
            simple = pytopo.simplify(image, 4, dim, construction=construction)
            found = [p for p in gudhi_points(simple, construction) if p[0] == dim]
            assert found == [p for p in points if p[0] == dim and p[2] - p[1] >= 4]
        simple = pytopo.simplify(image, 4, construction=construction)
        found = gudhi_points(simple, construction)
        assert all(death - birth >= 4 for dim, birth, death in found if dim in (0, top))


# --- with morphology -------------------------------------------------------------------


@given(st.one_of(images_without_ties(), lattices()), thresholds, constructions)
def test_filling_is_reconstruction_from_the_minima_that_stay(image, least, construction):
    image = image.astype(float)
    d = pytopo.persistence(image, 0, construction=construction, min_persistence=least)
    minima = np.full(image.shape, image.max())
    minima.flat[d.birth_pixel] = d.birth
    near = np.ones((3,) * image.ndim)
    if construction == "V":
        near = (np.abs(np.indices(near.shape) - 1).sum(0) <= 1).astype(float)
    expected = reconstruction(minima, image, method="erosion", footprint=near)
    simple = pytopo.simplify(image, least, 0, construction=construction)
    assert np.array_equal(simple, expected)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("construction", ["V", "T"])
def test_noise_without_ties_is_filled_by_reconstruction_too(dtype, construction):
    image = np.random.default_rng(0).random((40, 50)).astype(dtype)
    d = pytopo.persistence(image, 0, construction=construction, min_persistence=0.3)
    minima = np.full_like(image, 1)
    minima.flat[d.birth_pixel] = d.birth
    near = (
        np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]]) if construction == "V" else np.ones((3, 3))
    )
    expected = reconstruction(minima, image, method="erosion", footprint=near)
    simple = pytopo.simplify(image, 0.3, 0, construction=construction)
    assert np.array_equal(simple, expected)


@given(images_without_ties(2), st.sampled_from([1, 2, 3, 5, 8]))
def test_the_minima_that_stay_are_the_h_minima(image, h):
    assume(np.ptp(image) >= h)  # of a flatter image scikit-image finds none
    footprint = np.ones((3,) * image.ndim)
    deep = h_minima(image.astype(int), h, footprint)
    d = pytopo.persistence(image, 0, construction="T", min_persistence=h)
    assert deep.flat[d.birth_pixel].all()
    simple = pytopo.simplify(image, h, 0, construction="T")
    labels, kept = pytopo.regions(simple, 0, min_persistence=0, construction="T")
    assert set(labels[deep > 0]) == set(range(1, len(kept) + 1))


# --- by hand ---------------------------------------------------------------------------

# A ring of 1s with a gap at 3 around a peak, in a basin that dies at 4.
DELAYED = np.array(
    [
        [9, 9, 9, 9, 9, 9, 9],
        [9, 1, 1, 1, 9, 0, 9],
        [9, 1, 8, 1, 4, 0, 9],
        [9, 1, 1, 3, 9, 0, 9],
        [9, 9, 9, 9, 9, 9, 9],
    ]
)


def test_filling_a_basin_delays_the_hole_in_it():
    assert pytopo.persistence(DELAYED, 1).points(1).tolist() == [[3, 8]]
    filled = pytopo.simplify(DELAYED, 4, dims=0)
    assert pytopo.persistence(filled, 1).points(1).tolist() == [[4, 8]]
    filled = pytopo.simplify(DELAYED, 5, dims=0)
    assert (filled == np.where((DELAYED > 0) & (DELAYED < 4), 4, DELAYED)).all()
    both = pytopo.simplify(DELAYED, 5)
    assert both[1:4, 1:4].tolist() == [[4, 4, 4]] * 3  # 8 - 3 was enough, 8 - 4 is not
    assert len(pytopo.persistence(both)) == 1


# A pit of 2 within a crest of 9 and 8, which a ridge of 5 joins to a peak of 20.
ANNULUS = np.array(
    [
        [0, 0, 0, 0, 0, 0, 0],
        [0, 9, 9, 9, 0, 0, 0],
        [0, 9, 2, 9, 5, 20, 0],
        [0, 9, 8, 9, 0, 0, 0],
        [0, 0, 0, 0, 0, 0, 0],
    ]
)


def test_a_pit_within_a_shaved_crest_is_filled_after_all():
    d = pytopo.persistence(ANNULUS)
    assert sorted(d.points(0).tolist()) == [[0, np.inf], [2, 8]]
    assert sorted(d.points(1).tolist()) == [[0, 20], [5, 9]]
    assert np.array_equal(pytopo.simplify(ANNULUS, 5, dims=0), ANNULUS)
    shaved = pytopo.simplify(ANNULUS, 5, dims=1)
    assert shaved[1:4, 1:5].tolist() == [[5, 5, 5, 0], [5, 2, 5, 5], [5, 5, 5, 0]]
    assert sorted(pytopo.persistence(shaved, 0).points(0).tolist()) == [[0, np.inf], [2, 5]]
    both = pytopo.simplify(ANNULUS, 5)
    assert both[1:4, 1:5].tolist() == [[5, 5, 5, 0], [5, 5, 5, 5], [5, 5, 5, 0]]


def test_a_basin_is_filled_to_the_frame_and_a_peak_shaved_to_it():
    image = np.array([[5, 5, 5], [5, 1, 5], [5, 5, 5]])
    assert pytopo.simplify(image, 5, 1, frame=3).tolist() == [[3, 3, 3], [3, 1, 3], [3, 3, 3]]


@pytest.mark.parametrize("dtype", ["u1", "i8", "u8", ">u8", "f2", "f8", "g"])
def test_a_basin_is_filled_to_the_frame_whatever_its_dtype(dtype):
    low = np.array([[3, 1, 9, 0]], dtype)
    simple = pytopo.simplify(low, 2.5, 0, frame=2)
    assert simple.tolist() == [[3, 2, 9, 0]]
    assert simple.dtype == low.dtype


def test_the_frame_of_a_mask_is_one_of_its_values():
    mask = np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]], bool)
    assert np.array_equal(pytopo.simplify(mask, 2, 1, frame=1), mask)
    assert not pytopo.simplify(mask, 2, 1, frame=0).any()  # a ring of 0 around the 1s


def test_the_component_of_the_frame_stays():
    image = np.array([[5, 5, 5], [5, 0, 5], [5, 5, 5]])
    simple = pytopo.simplify(image, 3, 0, frame=4)
    assert np.array_equal(simple, image)
    corner = np.array([[4, 5, 5], [5, 0, 5], [5, 5, 5]])  # 4 belongs to the frame, and stays
    assert np.array_equal(pytopo.simplify(corner, 3, 0, frame=4), corner)
    assert pytopo.persistence(simple, 0, frame=4).points(0).tolist() == [[4, 5], [0, np.inf]]


@pytest.mark.parametrize("shape", [(30, 40), (9, 9, 9)])
@pytest.mark.parametrize("construction", ["V", "T"])
def test_a_wide_basin_has_more_pixels_waiting_than_there_was_room_for(shape, construction):
    image = np.pad(np.full(shape, 1), 1, constant_values=5)
    image = np.pad(image, 1)
    simple = pytopo.simplify(image, 5, 0, construction=construction)
    assert np.array_equal(simple, np.where(image == 1, 5, image))


def test_infinite_values_stay_where_they_are():
    image = np.array([[0, np.inf, 1, 2, 1.5, -np.inf]])
    assert pytopo.simplify(image, 1.5, 0).tolist() == [[0, np.inf, 2, 2, 1.5, -np.inf]]
    assert pytopo.simplify(image, np.inf, 0).tolist() == [[0, np.inf, 2, 2, 1.5, -np.inf]]


def test_the_image_is_not_changed_and_its_layout_does_not_matter():
    image = np.asfortranarray(np.random.default_rng(0).integers(0, 9, (6, 7)).astype(">i2"))
    before = image.copy()
    simple = pytopo.simplify(image, 3)
    assert np.array_equal(image, before)
    assert simple.dtype == image.dtype
    assert np.array_equal(simple, pytopo.simplify(before.astype(int), 3))
    assert not np.shares_memory(pytopo.simplify(image, 0), image)


@pytest.mark.parametrize("dtype", ["int64", "uint64"])
def test_integers_beyond_the_doubles_stay_exact(dtype):
    info = np.iinfo(dtype)
    image = np.array([[info.min, info.max, info.max - 3, info.max - 1, info.min]], dtype)
    simple = pytopo.simplify(image, 5000, 0)
    assert simple.tolist() == [[info.min, info.max, info.max - 1, info.max - 1, info.min]]
    simple = pytopo.simplify(image, 5000, 0, superlevel=True)
    assert simple.tolist() == [[info.min, info.max, info.max - 3, info.max - 3, info.min]]


@pytest.mark.parametrize(
    ("image", "options", "error", "message"),
    [
        (
            np.zeros((3, 3, 3)),
            {"dims": 1},
            ValueError,
            r"\[0, 2\] .* 3 axes \(tunnels can be n",
        ),
        (np.zeros((3, 3)), {"dims": 2}, ValueError, r"dims is 2; expected some of \[0, 1\]"),
        (np.zeros((3, 3)), {"dims": ()}, ValueError, r"dims is \(\)"),
        (np.zeros(3, np.uint8), {"frame": 2.5}, ValueError, "frame is 2.5, which uint8 cannot"),
        (np.zeros(3, np.uint8), {"frame": 256}, ValueError, "frame is 256, which uint8 cannot"),
        (np.zeros(3), {"superlevel": 1}, TypeError, "superlevel is 1"),
        (np.zeros((3, 3)), {"construction": "v"}, ValueError, "construction is 'v'"),
        (np.zeros(3), {"threads": 0}, ValueError, "threads is 0"),
        (np.array([0, np.nan]), {}, ValueError, r"image\[1\] is NaN"),
    ],
)
def test_what_cannot_be_simplified_is_refused(image, options, error, message):
    with pytest.raises(error, match=message):
        pytopo.simplify(image, 1, **options)


def test_the_least_persistence_is_a_number():
    with pytest.raises(ValueError, match="min_persistence is -1; expected a number"):
        pytopo.simplify(np.zeros(3), -1)
    with pytest.raises(TypeError, match="min_persistence is 'a little'"):
        pytopo.simplify(np.zeros(3), "a little")


@pytest.mark.compiled
def test_the_kernel_is_compiled_for_four_dtypes_at_most():
    for name in ("?", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f2", "f4", "f8", "g"):
        for superlevel in (False, True):
            image = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]]).astype(name)
            pytopo.simplify(image, 2, superlevel=superlevel)
    assert len(fill.signatures) <= 4


def main():
    """Check masks, regions and simplification on random images, and print differences."""
    from peers import random_case
    from test_regions import differences

    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("number", type=int, help="how many random images")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    rng = np.random.default_rng(args.seed)
    started = time.perf_counter()
    by_axes = Counter()
    for k in range(args.number):
        image, options = random_case(rng)
        around = frame_value(image, options["frame"], options["superlevel"])
        if around is not None and np.array(around).astype(image.dtype) != around:
            options["frame"] = True
        persistence = pytopo.persistence(image, **options).persistence
        choice = [0, 1, *persistence[np.isfinite(persistence)]]
        least = float(rng.choice(choice))
        algorithm = ("morse", "reduction")[k % 2]
        found = [
            fault
            for dims in (None, 0, image.ndim - 1)
            for fault in faults(image, least, dims, algorithm, **options)
        ]
        corner = image[(slice(5),) * image.ndim]  # brute force labels once a pixel
        found += differences(corner, least, **options)
        if found:
            print(f"image {k} of seed {args.seed}: {image!r}, {least}, {options}: {found}")
            return 1
        by_axes[image.ndim] += 1
    seconds = time.perf_counter() - started
    shares = ", ".join(f"{by_axes[axes]} of {axes}" for axes in sorted(by_axes))
    print(f"{args.number} images, by axes {shares}; no difference ({seconds:.0f} s)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
