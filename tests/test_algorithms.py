"""The fast algorithm finds the pairs of the textbook: integers, no tolerance."""

import argparse
import sys
import time
from collections import Counter
from itertools import product
from unittest import mock

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import constructions, frames, images, images_without_ties, lattices

import pytopo
from pytopo.kernels.one_band import order_of_kept
from pytopo.kernels.sorting import sorted_order
from pytopo.morse import pairs_2d
from pytopo.morse.links_2d import COUNT, MEMBER, TOWARD, arc_table
from pytopo.stacks import chosen_algorithm


def both(image, **options):
    return [pytopo.persistence(image, algorithm=a, **options) for a in ("morse", "reduction")]


@given(images(), st.booleans(), constructions, frames)
def test_morse_finds_the_pairs_of_the_reduction(image, superlevel, construction, frame):
    fast, ref = both(image, superlevel=superlevel, construction=construction, frame=frame)
    assert fast == ref


@given(images_without_ties(), st.booleans(), constructions, frames)
def test_morse_finds_them_without_ties_too(image, superlevel, construction, frame):
    fast, ref = both(image, superlevel=superlevel, construction=construction, frame=frame)
    assert fast == ref


@given(lattices(), st.booleans(), constructions, frames)
def test_morse_finds_them_where_saddles_are_many(image, superlevel, construction, frame):
    fast, ref = both(image, superlevel=superlevel, construction=construction, frame=frame)
    assert fast == ref


@given(images(), constructions, st.sampled_from([0, 1, 2]))
def test_morse_finds_each_dimension_alone(image, construction, dim):
    assume(dim < image.ndim)
    fast, ref = both(image, construction=construction, dims=dim)
    assert fast == ref


@given(st.lists(images(), max_size=6), constructions, frames, st.sampled_from([1, 2, 5]))
def test_a_batch_of_any_images_is_its_images_one_by_one(batch, construction, frame, threads):
    options = {"construction": construction, "frame": frame}
    found = pytopo.persistence_batch(batch, threads=threads, **options)
    want = [pytopo.persistence(i, algorithm="reduction", **options) for i in batch]
    assert found == want


@pytest.fixture(autouse=True)
def nothing_is_too_small(monkeypatch):
    """Let several threads take bands of any size."""
    monkeypatch.setattr(pairs_2d, "THREAD_PIXELS", 1)


def any_threads(image):
    """Return numbers of threads: one, bands of one row with frame and outside, and more."""
    return range(1, len(np.atleast_2d(image)) + 6)


@given(
    st.one_of(images(2), lattices(2)),
    constructions,
    st.sampled_from([None, True, 2]),
    st.data(),
)
def test_any_number_of_threads_finds_the_pairs_of_the_reduction(
    image, construction, frame, data
):
    options = {"construction": construction, "frame": frame}
    ref = pytopo.persistence(image, algorithm="reduction", **options)
    some = st.sets(st.sampled_from(any_threads(image)), min_size=3, max_size=3)
    for threads in data.draw(some):
        assert pytopo.persistence(image, threads=threads, **options) == ref


@given(st.one_of(images(2), lattices(2)), constructions, st.sampled_from([1, 2, 7, 30]))
def test_bands_of_one_thread_find_the_pairs_of_the_reduction(image, construction, pixels):
    ref = pytopo.persistence(image, algorithm="reduction", construction=construction)
    with mock.patch.object(pairs_2d, "BAND_PIXELS", pixels):
        assert pytopo.persistence(image, construction=construction) == ref


@pytest.mark.parametrize("construction", ["V", "T"])
@pytest.mark.parametrize("shape", [(3, 31), (4, 9), (1, 9), (9, 1), (1, 1), (17,), (1,)])
def test_bands_of_one_row_find_each_dimension_alone(shape, construction):
    noise = np.random.default_rng(0).integers(0, 4, shape, np.uint8)
    parity = np.indices(shape) % 2
    saddles = np.array([[0, 3], [2, 0]])[parity[-2] if len(shape) == 2 else 0, parity[-1]]
    for image, dim in product((noise, saddles, 3 - saddles), range(len(shape))):
        options = {"dims": dim, "construction": construction}
        ref = pytopo.persistence(image, algorithm="reduction", **options)
        for threads in any_threads(image):
            assert pytopo.persistence_batch([image], threads=threads, **options) == [ref]


@given(images(), st.integers(1, 9), constructions, st.sampled_from([None, True, 3]))
def test_images_do_not_touch_in_their_stacked_array(image, copies, construction, frame):
    stack = [np.roll(image, k) for k in range(copies)]
    options = {"construction": construction, "frame": frame}
    found = pytopo.persistence_batch(stack, threads=1, **options)
    assert found == [pytopo.persistence(i, algorithm="reduction", **options) for i in stack]


@pytest.mark.parametrize("dtype", ["int64", "uint64"])
@pytest.mark.parametrize("frame", [None, True])
@pytest.mark.parametrize("superlevel", [False, True])
def test_extreme_integers_leave_room_for_frame_and_outside(dtype, frame, superlevel):
    info = np.iinfo(dtype)
    image = np.array([[info.min, info.max, 5], [info.max, info.max - 1, info.min + 1]], dtype)
    fast, ref = both(image, frame=frame, superlevel=superlevel)
    assert fast == ref


def test_negative_zero_is_zero():
    image = np.array([[0.0, -0.0, 0.0], [-0.0, 1.0, -1.0]])
    fast, ref = both(image)
    assert fast == ref


@pytest.mark.parametrize("dtype", ["f4", "f8", ">f8"])
def test_extreme_floats_are_ordered(dtype):
    tiny = np.finfo(dtype).smallest_subnormal
    image = np.array([[np.inf, tiny, -tiny, 0.0], [-np.inf, 1e30, -1e30, -0.0]], dtype)
    for superlevel in (False, True):
        fast, ref = both(image, superlevel=superlevel)
        assert fast == ref


def test_more_critical_pixels_than_a_byte_can_count():
    fast, ref = both(np.random.default_rng(0).random((40, 40)))
    assert fast == ref
    assert len(fast) > 400


def test_more_pixels_than_32_bits_can_count_are_the_textbooks():
    assert chosen_algorithm("auto", (2**10, 2**10, 2**10), "image") == "reduction"
    assert (
        chosen_algorithm("auto", (2**28, 1, 1), "image") == "reduction"
    )  # 25 times as many with margin
    assert chosen_algorithm("auto", (2**10, 2**10, 2**9), "image") == "morse"
    assert (
        chosen_algorithm("auto", (2**31 // 3 - 4,), "image") == "morse"
    )  # three rows with margin
    assert chosen_algorithm("auto", (2**31 // 3 - 3,), "image") == "reduction"
    with pytest.raises(ValueError, match=r"less than 2\^30 pixels, and image has shape \(3276"):
        chosen_algorithm("morse", (2**15, 2**15), "image")


@pytest.mark.compiled
@pytest.mark.parametrize("construction", ["V", "T"])
@pytest.mark.parametrize("threads", [1, 2])
def test_large_images_of_every_kind_agree(construction, threads):
    rng = np.random.default_rng(0)
    row, column = np.mgrid[:150, :130]
    for image in (
        rng.standard_normal((150, 130)),
        rng.integers(0, 3, (150, 130), np.uint8),
        np.sin(row / 9) * np.cos(column / 7),
        row * 130.0 + column,
        np.zeros((150, 130), bool),
        (row // 10 + column // 10) % 2,
    ):
        ref = pytopo.persistence(image, construction=construction, algorithm="reduction")
        with mock.patch.object(pairs_2d, "BAND_PIXELS", 2**12):
            fast = pytopo.persistence(image, construction=construction, threads=threads)
        assert fast == ref


@pytest.mark.parametrize(
    ("shape", "threads", "bands"),
    [
        ((65, 65), 1, 1),
        ((65, 65), 8, 1),
        ((256, 256), 8, 2),
        ((512, 512), 2, 2),
        ((1024, 1024), 1, 2),
        ((2048, 1024), 3, 6),
        ((3, 2**20), 8, 3),
        ((1, 2**20), 8, 1),
    ],
)
def test_small_images_are_one_band_and_large_ones_are_shared_evenly(
    shape, threads, bands, monkeypatch
):
    monkeypatch.undo()
    found = pairs_2d._bands(*shape, threads)
    assert len(found) == bands
    assert [found[0][0], *(stop for _, stop in found)] == sorted({i for b in found for i in b})
    assert (found[0][0], found[-1][1]) == (0, shape[0])


# --- sorting ---------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.int32, np.int64])
@given(data=st.data())
def test_the_order_of_keys_is_that_of_a_stable_sort(dtype, data):
    info = np.iinfo(dtype)
    numbers = st.one_of(st.integers(-3, 3), st.integers(int(info.min), int(info.max)))
    keys = np.array(data.draw(st.lists(numbers)), dtype)
    assert np.array_equal(sorted_order(keys), np.argsort(keys, kind="stable"))


def test_merge_events_that_are_kept_keep_their_order():
    saddle, kept = np.array([2, 2, 5, 7, 7, 9], np.int32), np.array([2, 2, 7, 7], np.int32)
    order = np.array([3, 4, 5, 0, 1, 2], np.int32)
    assert order_of_kept(order, saddle, kept).tolist() == [2, 3, 0, 1]


# --- the table of arcs -----------------------------------------------------------------


@pytest.mark.parametrize("corners", [False, True])
def test_arcs_are_counted_as_components_of_the_eight_neighbours(corners):
    from scipy.ndimage import generate_binary_structure, label

    ring = [(1, 2), (2, 2), (2, 1), (2, 0), (1, 0), (0, 0), (0, 1), (0, 2)]
    for there in range(256):
        patch = np.zeros((3, 3), bool)
        for d, place in enumerate(ring):
            patch[place] = there >> d & 1
        labels, _ = label(patch, generate_binary_structure(2, 2 if corners else 1))
        sides = [ring[d] for d in range(0, 8, 1 if corners else 2)]
        components = {labels[place] for place in sides} - {0}
        row = arc_table(corners)[there].tolist()
        assert row[COUNT] == len(components)
        members = [labels[ring[d]] for d in row[MEMBER : MEMBER + row[COUNT]]]
        assert set(members) == components
        if components:
            assert labels[ring[row[TOWARD]]] in components


def test_as_many_arcs_are_there_as_are_missing():
    earlier, later = arc_table(False)[:, COUNT], arc_table(True)[::-1, COUNT]
    both_sides = (earlier > 0) & (later > 0)
    assert np.array_equal(earlier[both_sides], later[both_sides])
    assert (earlier[~both_sides] + later[~both_sides] == 1).all()


def main():
    """Compare the algorithms on random images, the fast one on varying numbers of threads."""
    from peers import random_case

    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("number", type=int, help="how many random images")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    rng = np.random.default_rng(args.seed)
    started = time.perf_counter()
    compared, by_axes = 0, Counter()
    while compared < args.number:
        image, options = random_case(rng)
        threads = int(rng.choice(any_threads(image)))
        pairs_2d.THREAD_PIXELS = 1
        pairs_2d.BAND_PIXELS = int(rng.choice([1, 10, 2**18]))
        ref = pytopo.persistence(image, algorithm="reduction", **options)
        fast = pytopo.persistence(image, threads=threads, **options)
        if fast != ref:
            print(
                f"image {compared} of seed {args.seed} differs: {image!r} with {options} on "
                f"{threads} threads, bands of {pairs_2d.BAND_PIXELS} pixels: {fast} {ref}"
            )
            return 1
        by_axes[image.ndim] += 1
        compared += 1
    seconds = time.perf_counter() - started
    shares = ", ".join(f"{by_axes[axes]} of {axes}" for axes in sorted(by_axes))
    print(
        f"{compared} images of seed {args.seed}, by axes {shares}; on 1 to rows + 5 threads, "
        f"in bands; no difference ({seconds:.0f} s)"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
