"""Kernels whose buffers are as large as some bound, on what comes nearest to the bound.

Compiled code does not notice an index out of bounds: run these with NUMBA_BOUNDSCHECK=1 or
NUMBA_DISABLE_JIT=1 as well, as `.ci/run` does.  There each fails where a buffer is too short.
"""

from collections import Counter
from itertools import permutations, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import constructions, images, lattices

import pytopo
from pytopo.kernels.contingency import overlaps
from pytopo.kernels.heap import push, remove_latest, with_room
from pytopo.kernels.kruskal import foreign_merges, merge, merges_of_band
from pytopo.kernels.links_2d import REGULAR, earlier_neighbours
from pytopo.kernels.links_3d import lower_links
from pytopo.kernels.morse_boundary import MOST_PUSHED, Stars, morse_boundaries
from pytopo.kernels.pixels import pixels_of_pairs
from pytopo.kernels.reduction import grown, reduce_columns
from pytopo.kernels.sorting import sort_bytes, sorted_order
from pytopo.kernels.sweep_2d import closing_loops, extrema, number_extrema, saddles
from pytopo.kernels.sweep_3d import extrema_and_merges
from pytopo.kernels.v_paths import UNKNOWN
from pytopo.kernels.voxels import voxels_of_pairs
from pytopo.morse import links_3d, pairs_2d, pairs_3d

EXTERIOR = np.iinfo(np.int32).max


def in_exterior(image):
    return np.pad(np.asarray(image, np.int32), 1, constant_values=EXTERIOR)


def earlier_of(image):
    """Return the bytes of one image, the exterior included."""
    keys = in_exterior(image)
    earlier = np.empty(keys.shape, np.uint8)
    earlier_neighbours(keys, len(keys) - 1, 0, len(keys), earlier)
    return earlier


def merges_of_row(image, i, flip):
    return len(saddles(earlier_of(image), i + 1, i + 2, flip))


def most_merges(n, flip):
    """Return how many merge events a row of n pixels has at most.

    Seen from side to side an arc begins at each of the n - 1 neighbours within the row (n + 1
    where the exterior counts as well) and at each run of neighbours above, and of those below:
    two beside each other are linked by the corner.  Every pixel with arcs has one to spare.
    """
    if flip == 0:
        return n - 1 + (n + 1) // 2
    return 1 if n == 1 else n - 2 + (n + 1) // 2


def crowns(n, flip=0):
    """Return three rows, the middle one with as many merge events as a row can have.

    0 3 0 3 0        every second pixel, 2, has sides that come before it and corners
    2 0 2 0 2        that come after it: four arcs.  For arcs of later neighbours the same
    0 3 0 3 0        upside down, and one pixel on, where the exterior is no neighbour
    """
    odd = (np.arange(n) + (flip == 255)) % 2
    rows = np.array([3 * odd, 2 - 2 * odd, 3 * odd], np.uint8)
    return rows if flip == 0 else 3 - rows


@pytest.fixture(autouse=True)
def nothing_is_too_small(monkeypatch):
    """Let several threads take bands of any size."""
    monkeypatch.setattr(pairs_2d, "THREAD_PIXELS", 1)


def agrees_on_any_threads(image, **options):
    """Compare the fast algorithm with the textbook, with bands of one row too."""
    ref = pytopo.persistence(image, algorithm="reduction", **options)
    rows = 1 if image.ndim == 1 else len(image)
    return all(
        pytopo.persistence(image, threads=threads, **options) == ref
        for threads in range(1, rows + 6)
    )


# --- two dimensions --------------------------------------------------------------------


@pytest.mark.parametrize("flip", [0, 255])
@pytest.mark.parametrize("n", [1, 3, 5, 7, 8, 9, 15, 16, 17, 101])
def test_a_row_of_crowns_holds_three_merge_events_per_two_pixels(n, flip):
    if flip and n % 2 == 0:
        n += 1  # the exterior makes the merge events of the last pixel
    assert merges_of_row(crowns(n, flip), 1, flip) == most_merges(n, flip)


@pytest.mark.compiled
@pytest.mark.parametrize("flip", [0, 255])
@pytest.mark.parametrize("n", range(1, 8))
def test_no_row_holds_more(n, flip):
    """Climb from random orders of three rows, swapping two pixels at a time."""
    rng = np.random.default_rng(n)
    most = 0
    for _ in range(20):
        rows = rng.permutation(3 * n)
        merges = 0
        for a, b in rng.integers(0, 3 * n, (200, 2)):
            rows[[a, b]] = rows[[b, a]]
            swapped = merges_of_row(rows.reshape(3, n), 1, flip)
            if swapped >= merges:
                merges = swapped
            else:
                rows[[a, b]] = rows[[b, a]]
        most = max(most, merges)
    assert most == most_merges(n, flip)


@pytest.mark.parametrize("construction", ["V", "T"])
@pytest.mark.parametrize("superlevel", [False, True])
@pytest.mark.parametrize("frame", [None, True])
def test_bands_of_crowns_have_room(construction, superlevel, frame):
    options = {"construction": construction, "superlevel": superlevel, "frame": frame}
    for image in (crowns(31), crowns(31, 255), np.vstack([crowns(9)] * 3)):
        assert agrees_on_any_threads(image, **options)


@pytest.mark.compiled
@pytest.mark.parametrize("width", [1001, 20001])
def test_a_wide_band_of_crowns_has_room(width):
    one, many = (pytopo.persistence(crowns(width), threads=t) for t in (1, 5))
    assert one == many
    assert len(one.points(0)) == 3 * (width // 2) + 2


@pytest.mark.parametrize("copies", [1, 2, 5])
@pytest.mark.parametrize(
    "shape", [(1, 1), (1, 8), (1, 9), (9, 1), (8, 1), (3, 3), (5, 4), (7, 8)]
)
def test_every_second_pixel_of_a_checkerboard_is_a_minimum(shape, copies):
    board = np.indices(shape).sum(0) % 2
    keys = np.vstack([in_exterior(board)[:-1]] * copies + [in_exterior(board)[:1]])
    earlier, stride = np.empty(keys.shape, np.uint8), shape[0] + 1
    earlier_neighbours(keys, stride, 0, len(keys), earlier)
    assert (earlier[keys == EXTERIOR] == REGULAR).all()
    minimum = extrema(earlier, 0, len(keys), 0, pairs_2d.SIDES)
    assert len(minimum) == copies * ((board.size + 1) // 2)
    root = np.empty(keys.shape, np.int32)
    for first in range(len(keys)):  # row by row
        some = minimum[minimum // keys.shape[1] == first]
        number = np.count_nonzero(minimum // keys.shape[1] < first)
        number_extrema(some, number, len(minimum), stride, first, first + 1, root)
    assert root.reshape(-1)[minimum].tolist() == list(range(len(minimum)))
    assert (root[keys == EXTERIOR] == len(minimum)).all()
    assert np.count_nonzero(root == UNKNOWN) == copies * board.size - len(minimum)
    maximum = extrema(earlier, 0, len(keys), 255, pairs_2d.SIDES)
    inner = board[1:-1, 1:-1]  # the exterior never enters, so no pixel beside it is a maximum
    assert len(maximum) == copies * np.count_nonzero(inner)


@pytest.mark.parametrize("construction", ["V", "T"])
@pytest.mark.parametrize("fillings", list(permutations([3, 4, 5, 6]))[::3])
def test_a_crossing_creates_three_holes_at_once(construction, fillings):
    image = np.zeros((5, 5), int)
    image[1::2, 1::2] = np.reshape(fillings, (2, 2))
    image[2, 2] = 2 if construction == "V" else 0
    d = pytopo.persistence(image, 1, construction=construction, algorithm="morse")
    assert sorted(d.death.tolist()) == [3, 4, 5, 6]
    if construction == "V":
        assert np.count_nonzero(d.birth_pixel == 12) == 3
    assert agrees_on_any_threads(image, construction=construction)


@pytest.mark.parametrize("copies", [0, 1, 3])
def test_all_loops_close_or_none(copies):
    saddle = np.repeat(np.arange(copies, dtype=np.int32), 3)
    loops = np.full(saddle.size, UNKNOWN, np.int32)
    assert closing_loops(saddle, loops).tolist() == saddle.tolist()
    assert closing_loops(saddle, np.zeros_like(loops)).size == 0


@given(st.one_of(images(2), lattices(2)), st.integers(1, 3), constructions)
def test_bands_of_several_images_change_nothing(image, copies, construction):
    stack = np.stack([np.roll(image, k) for k in range(copies)])
    dims = tuple(range(image.ndim))
    frames = [None] * copies
    options = frames, dims, False, construction
    one = pairs_2d.pixel_pairs(stack, *options, threads=1)
    for threads in (2, 3, stack[0].size + copies + 2):
        many = pairs_2d.pixel_pairs(stack, *options, threads=threads)
        assert all(np.array_equal(a, b) for a, b in zip(many, one))


def test_a_band_without_rows_is_empty_and_reads_nothing():
    keys = in_exterior(np.arange(6).reshape(2, 3))
    for end in range(len(keys) + 1):
        earlier = np.full(keys.shape, 77, np.uint8)
        earlier_neighbours(keys, len(keys) - 1, end, end, earlier)
        assert (earlier == 77).all()
        assert saddles(earlier, end, end, 0).size == 0
        assert extrema(earlier, end, end, 0, pairs_2d.SIDES).size == 0


# --- bands of merge events -------------------------------------------------------------


def test_a_touched_component_does_not_die_before_the_last_pass():
    """Extrema 0 to 2 are one band, 3 is another; the exterior is 4.

    time  0: 1-2        1 is younger, untouched, and dies
          1: 2-3        foreign: 2 may have become part of something older
          2: 0-2        so it is left for the last pass, and touches 0
          3: 0-exterior  left as well
    """
    key = np.array([10, 30, 20, 0, -EXTERIOR], np.int32)
    ends = np.array([[1, 2], [2, 3], [0, 2], [0, 4]], np.int32)
    order, parent = np.arange(4, dtype=np.int32), np.arange(5, dtype=np.int32)
    younger = np.full(4, UNKNOWN, np.int32)
    foreign = foreign_merges(ends, 0, 3, 4)
    assert foreign.tolist() == [1]
    left = merge(order, ends, key, 0, 0, 3, parent, younger)
    assert (left.tolist(), younger.tolist()) == ([2, 3], [1, -1, -1, -1])
    merge(order[1:], ends, key, 0, 0, 4, parent, younger)
    assert younger.tolist() == [1, 2, 0, 3]


def test_merge_events_of_a_band_are_its_own_and_the_foreign_that_lead_to_it():
    ends = np.array([[0, 3], [0, 1], [2, 3], [1, 2], [3, 5], [3, 6], [6, 0]], np.int32)
    foreign = np.array([0, 3, 5, 6], np.int32)
    assert merges_of_band(1, 4, foreign, ends, 2, 4).tolist() == [0, 1, 2, 3, 5]
    assert merges_of_band(0, 0, foreign, ends, 6, 7).tolist() == [5, 6]
    assert merges_of_band(7, 7, foreign, ends, 0, 1).tolist() == [0, 6]
    assert merges_of_band(2, 2, foreign[:0], ends, 0, 9).size == 0


@pytest.mark.parametrize("n", [1, 4, 5])
def test_all_merge_events_of_a_band_may_be_foreign(n):
    ends = np.column_stack([np.zeros(n), np.ones(n)]).astype(np.int32)
    foreign = foreign_merges(ends, 0, 1, 2)
    assert foreign.tolist() == list(range(n))
    assert merges_of_band(n, n, foreign, ends, 1, 2).tolist() == list(range(n))


# --- three dimensions ------------------------------------------------------------------


def crossings(side):
    """Return a volume with voxels whose eight corners are all that comes after them.

    Those at odd places on all three axes: 1, and their corners, at even places, are 2.
    """
    odd = np.indices((side,) * 3) % 2
    return np.choose(odd.sum(0), [2, 0, 0, 1])


def spikes(side):
    """Return a volume with voxels whose six faces are all that comes before them."""
    odd = np.indices((side,) * 3) % 2
    return np.choose(odd.sum(0), [0, 3, 0, 1])


def links_of(image, exterior=EXTERIOR):
    keys = np.pad(np.asarray(image, np.int32), 1, constant_values=exterior)
    links = np.zeros(keys.shape, np.uint32)
    lower_links(keys, len(keys) - 1, 0, len(keys), links)
    return keys, links


def merges_of(links, dim):
    side = pairs_3d.side_of(dim)
    reading = side.flip, side.shift, side.representatives
    return extrema_and_merges(links, len(links) - 1, 0, len(links), *reading)


@pytest.mark.parametrize("side", [3, 5, 9])
def test_a_voxel_makes_seven_merge_events_of_voids_and_five_of_components(side):
    voxels = (side // 2) ** 3
    for image, dim, each in ((crossings(side), 2, 7), (spikes(side), 0, 5)):
        keys, links = links_of(image)
        _, saddle, _ = merges_of(links, dim)
        times = Counter(keys.reshape(-1)[saddle].tolist())
        assert times[1] == each * voxels
        assert max(Counter(saddle.tolist()).values()) == each


@pytest.mark.parametrize("width", [3, 5, 20])
@pytest.mark.parametrize(
    ("link", "dim", "extrema", "merges"),
    [(0, 0, 1, 0), (0b111111, 0, 0, 5), (2**18 - 1, 2, 0, 7), (2**26 - 1, 2, 1, 0)],
)
def test_every_voxel_of_a_row_may_be_critical(link, dim, extrema, merges, width):
    """More than an image can have: what the lists of the sweep must have room for."""
    links = np.zeros((7, 8, width), np.uint32)
    links[1:-1, 1:-1, 1:-1] = link
    extremum, saddle, representative = merges_of(links, dim)
    inner = np.flatnonzero(np.pad(np.ones((5, 6, width - 2)), 1))
    assert extremum.tolist() == np.repeat(inner, extrema).tolist()
    assert saddle.tolist() == np.repeat(inner, merges).tolist()
    assert representative.tolist() == list(range(1, merges + 1)) * inner.size


@pytest.mark.parametrize("construction", ["V", "T"])
@pytest.mark.parametrize("frame", [None, True])
def test_volumes_of_many_merge_events_agree_with_the_textbook(construction, frame):
    for image in (crossings(5), spikes(5), crossings(4), spikes(4)):
        for superlevel in (False, True):
            options = {"construction": construction, "frame": frame, "superlevel": superlevel}
            assert agrees_on_any_threads(image, **options)


def test_a_voxel_creates_seven_voids_at_once():
    rng = np.random.default_rng(0)
    image = np.zeros((5, 5, 5), int)
    image[2, 2, 2] = 1
    for _ in range(5):
        image[1::2, 1::2, 1::2] = 2 + rng.permutation(8).reshape(2, 2, 2)
        d = pytopo.persistence(image, 2)
        assert np.count_nonzero(d.birth_pixel == 62) == 7
        assert agrees_on_any_threads(image)


def test_a_voxel_starts_five_tunnels_at_once():
    rng = np.random.default_rng(1)
    image = np.zeros((7, 7, 7), int)
    image[1:6, 1:6, 1:6] = 9
    image[3, 3], image[3, :, 3], image[:, 3, 3] = 0, 0, 0
    image[3, 3, 3] = 1
    for _ in range(5):
        walls = image == 9
        image[walls] = 2 + rng.permutation(np.count_nonzero(walls))
        d = pytopo.persistence(image, 1)
        assert np.count_nonzero(d.birth_pixel == 171) == 5
        assert agrees_on_any_threads(image)
        image[walls] = 9


@given(lattices(), st.booleans())
def test_a_voxel_makes_less_than_two_merge_events_on_average(image, turned):
    """Joins are numbered in 32 bits, and there may be 2^30 voxels."""
    image = np.atleast_3d(image)
    _, links = links_of(image, -1 if turned else EXTERIOR)
    for dim in (0, 2):
        assert merges_of(links, dim)[1].size < 2 * image.size


@pytest.mark.parametrize("most_steps", [0, 1, 3])
def test_a_path_has_room_for_all_that_wait(most_steps):
    rng = np.random.default_rng(2)
    for image in (rng.random((9, 9, 9)), crossings(9), rng.integers(0, 2, (9, 9, 9))):
        ranks = np.argsort(np.argsort(image, axis=None)).reshape(image.shape)
        keys, links = links_of(ranks)
        keys, flat = keys.astype(np.int64), links.reshape(-1)
        square = np.flatnonzero(flat).astype(np.int32)
        outline = ((flat[square] >> 6) & 4095).astype(np.int16)  # the most that there can be
        creators, first_creator = (
            np.full(keys.size, 63, np.uint8),
            np.zeros(keys.size, np.int32),
        )
        tables = links_3d.paths(), np.array(links_3d.EDGES)
        steps = links_3d.offsets() @ np.array([keys[0].size, keys.shape[2], 1])
        stars = Stars(flat, keys.reshape(-1), creators, first_creator, *tables, steps)
        start, voxel, _ = morse_boundaries(square, outline, most_steps, stars)
        kept = np.diff(start)
        assert kept.min() >= 0
        assert kept.max() <= most_steps + MOST_PUSHED * (most_steps + 1)
        assert start[-1] == voxel.size > 1024  # the lists have grown


@pytest.mark.compiled
@pytest.mark.parametrize("most_steps", [0, 32, 4500])
def test_a_path_may_be_longer_than_the_heap_is_at_first(most_steps, monkeypatch):
    """The path around the top of a pyramid grows to eight times its height on its way down."""
    monkeypatch.setattr(pairs_3d, "STEPS_ON_PLATEAUS", most_steps)
    row, column = np.indices((81, 81)) - 40
    pyramid = 40 - np.maximum(abs(row), abs(column))
    for construction in "VT":
        d = pytopo.persistence(pyramid[None], 1, construction=construction, algorithm="morse")
        assert d.points(1).tolist() == [[0, 40]]


@pytest.mark.parametrize("more", [0, 1, 24, 1000])
def test_a_heap_has_room_for_as_many_as_were_asked_for(more):
    heap = np.zeros((2, 2), np.int64)
    for _ in range(3):
        heap = with_room(heap, more)
        for _ in range(more):
            push(7, int(heap[0, 0]), heap)
    assert heap[0, 0] == 3 * more
    for voxel in reversed(range(3 * more)):
        assert heap[1].tolist() == [7, voxel]
        remove_latest(heap)


@given(st.one_of(images(), lattices()), st.integers(1, 3), constructions)
def test_bands_of_several_volumes_change_nothing(image, copies, construction):
    image = np.atleast_3d(image)
    stack = np.stack([np.roll(image, k) for k in range(copies)])
    options = [None] * copies, (0, 1, 2), False, construction
    one = pairs_3d.voxel_pairs(stack, *options, threads=1)
    for threads in (2, 3, len(image) * copies + 3):
        many = pairs_3d.voxel_pairs(stack, *options, threads=threads)
        assert all(np.array_equal(a, b) for a, b in zip(many, one))


def test_a_band_without_planes_is_empty():
    keys = np.pad(np.arange(8, dtype=np.int32).reshape(2, 2, 2), 1, constant_values=EXTERIOR)
    for end in range(len(keys) + 1):
        links = np.full(keys.shape, 77, np.uint32)
        lower_links(keys, len(keys) - 1, end, end, links)
        assert (links == 77).all()
        for dim in (0, 2):
            side = pairs_3d.side_of(dim)
            found = extrema_and_merges(
                links, len(keys) - 1, end, end, side.flip, side.shift, side.representatives
            )
            assert [some.size for some in found] == [0, 0, 0]


# --- indices of 31 bits ----------------------------------------------------------------


@pytest.mark.parametrize("width", [3, 46341, 2**30])
def test_the_last_indices_of_31_bits_are_rows_and_columns(width):
    last = 2**31 - 1
    flat = np.arange(last - 4, last + 1)
    pairs = np.column_stack([flat, flat - width]).astype(np.int32)
    height = last // width + 1
    stops = np.array([0, 5])
    image, dim, pixel = np.empty(5, np.int32), np.empty(5, np.int8), np.empty((2, 5), np.int64)
    layout = height, width - 2, 1, 1
    pixels_of_pairs(pairs, np.zeros(1, np.int8), stops, layout, image, dim, *pixel)
    row, column = np.divmod(np.stack([flat, flat - width]), width)
    inside = (row >= 1) & (row <= height) & (column >= 1) & (column <= width - 2)
    expected = np.where(inside, (row - 1) * (width - 2) + column - 1, -2)
    assert image.tolist() == [0] * 5
    assert pixel.tolist() == expected.tolist()


def test_the_last_indices_of_31_bits_are_voxels():
    plane, row, stride = 2**20, 2**10, 2**11 - 1
    last = 2**31 - 1
    flat = last - np.array([[0, 1], [row, row + 1], [plane + row + 2, 2 * plane + 3 * row + 1]])
    shape = stride - 1, plane // row - 2, row - 2
    image, voxel = voxels_of_pairs(flat.astype(np.int32), plane, row, stride, 1, *shape)
    z, rest = np.divmod(flat.T, plane)
    y, x = np.divmod(rest, row)
    within = [(c > 0) & (c <= n) for c, n in zip((z % stride, y, x), shape)]
    expected = ((z % stride - 1) * shape[1] + y - 1) * shape[2] + x - 1
    assert image.tolist() == ((z[0] - 1) // stride).tolist()
    assert voxel.tolist() == np.where(np.logical_and.reduce(within), expected, -2).tolist()


# --- shared ----------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.int32, np.int64])
@pytest.mark.parametrize("n", [0, 1, 2, 2047, 2048, 2049, 5000])
def test_every_digit_is_sorted(dtype, n):
    info = np.iinfo(dtype)
    keys = np.concatenate([np.arange(n), [info.max, info.min] * (n % 2)])[::-1].astype(dtype)
    assert np.array_equal(sorted_order(keys), np.argsort(keys, kind="stable"))


@pytest.mark.parametrize("n", [2, 64, 65, 66, 67, 300])
@pytest.mark.parametrize("spread", [2**62, 2**64 - 1])
def test_keys_that_agree_in_their_leading_bytes_are_sorted_by_the_others(n, spread):
    """One far key leaves no room for the last bits of the others: short runs, and long ones."""
    near = np.arange(n, 0, -1)
    for keys in (near, np.repeat(near, 3), near // 3):
        keys = np.append(keys + (spread - 2**63 - n), -(2**63))
        assert np.array_equal(sorted_order(keys), np.argsort(keys, kind="stable"))


@pytest.mark.parametrize("n_bytes", range(9))
def test_bytes_are_sorted_up_to_the_last(n_bytes):
    entries = np.random.default_rng(0).integers(0, 2**63, 500).astype(np.uint64) << np.uint64(1)
    for lowest in {0, 64 - 8 * n_bytes, min(63, 71 - 8 * n_bytes)}:
        by_bytes = sort_bytes(entries.copy(), lowest, n_bytes)
        leading = entries >> np.uint64(lowest) & np.uint64(2 ** (8 * n_bytes) - 1)
        assert by_bytes.tolist() == entries[np.argsort(leading, kind="stable")].tolist()


@pytest.mark.parametrize("n", [0, 1, 63, 64, 65, 128, 129, 1000])
def test_as_many_pairs_of_labels_as_pixels_are_counted(n):
    first, second = np.arange(n, dtype=np.uint64), np.full(n, 2**64 - 1, np.uint64)
    pairs, counts = overlaps(first, second)
    assert pairs.tolist() == np.column_stack([first, second]).tolist()
    assert counts.tolist() == [1] * n


def test_reduced_columns_outgrow_their_matrix():
    """Each column ends where the one before it ends, takes over what that has, and has more."""
    columns = [{156, 157, 158, 159}]
    columns += [{156 - 3 * k, 157 - 3 * k, 158 - 3 * k, 160 - k} for k in range(1, 53)]
    length = np.append(np.zeros(160, int), [len(column) for column in columns])
    start = np.append(0, np.cumsum(length))
    rows = np.array([row for column in columns for row in sorted(column)])
    pivot, begin, end, reduced = reduce_columns(start, rows, np.arange(length.size))
    for k in range(53):
        column = reduced[begin[160 + k] : end[160 + k]]
        assert column.tolist() == list(range(156 - 3 * k, 160 - k))
        assert pivot[159 - k] == 160 + k
    assert column.size > 64
    assert reduced.size > 2 * rows.size


@pytest.mark.parametrize(("size", "room"), [(0, 0), (1, 1), (4, 4), (5, 8), (9, 9)])
def test_an_array_grows_to_what_is_asked_for_or_twice_its_length(size, room):
    array = np.arange(min(size, 4))
    larger = grown(array, size)
    assert larger.size == room
    assert larger[: array.size].tolist() == array.tolist()


@pytest.mark.parametrize(
    "shape",
    [(1,), (2,), (9,), (1, 1), (1, 9), (9, 1), (1, 1, 1), (1, 1, 5), (1, 5, 1), (5, 1, 1)],
)
@pytest.mark.parametrize("construction", ["V", "T"])
@pytest.mark.parametrize("frame", [None, True, 2])
def test_the_thinnest_images_have_room(shape, construction, frame):
    # Only beside a frame between the two does the order differ otherwise.
    patterns = [(0, 0), (0, 3), (3, 0)] if frame != 2 else product([0, 3], repeat=2)
    for pattern, superlevel in product(patterns, (False, True) if frame == 2 else (False,)):
        image = np.array(pattern)[np.indices(shape).sum(0) % 2]
        options = {"construction": construction, "frame": frame, "superlevel": superlevel}
        assert agrees_on_any_threads(image, **options)
