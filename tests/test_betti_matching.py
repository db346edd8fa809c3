"""Betti matching: by hand, against its reference implementation, and against two oracles."""

import argparse
import sys
import time

import numpy as np
import oracles
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from strategies import constructions, fewer_examples, shapes

import pytopo
from pytopo.kernels.flags import common_basis
from pytopo.matching import by_place, textbook_betti_matching
from pytopo.morse.image_pairs import matched_pixels
from pytopo.morse.image_tunnels import matched_tunnels
from pytopo.textbook import boundary_columns, image_bars, joint_filtrations, reduce_filtration

DTYPES = ("bool", "uint8", "int64", "float16", "float32", "float64", "longdouble")
joint_frames = st.sampled_from([None, True, 0, 1, 2.5, 9, -1, 300])


@st.composite
def image_pairs(draw, axes=(1, 2, 2, 3)):
    """Two images of one shape and dtype with many ties, the second often like the first."""
    dtype = np.dtype(draw(st.sampled_from(DTYPES)))
    n_axes = draw(st.sampled_from(axes))
    shape = draw(shapes().filter(lambda shape: len(shape) == n_axes))
    most = 1 if dtype.kind == "b" else draw(st.sampled_from([1, 2, 9]))
    values = hnp.arrays(np.uint8, (2, *shape), elements=st.integers(0, most))
    first, second = draw(values).astype(dtype)
    same = draw(hnp.arrays(bool, shape)) if draw(st.booleans()) else np.zeros(shape, bool)
    return first, np.where(same, first, second)


def both(first, second, dims=None, **options):
    match = pytopo.betti_matching, textbook_betti_matching
    return [function(first, second, dims, **options) for function in match]


def dims_of_union_find(image):
    return (0, 2) if image.ndim == 3 else None


def agree(one, other):
    same = one.first == other.first and one.second == other.second
    return same and all(
        np.array_equal(getattr(one, name), getattr(other, name))
        for name in ("pairs", "first_only", "second_only")
    )


def features(m):
    """Return (dim, pixel, pixel) of pairs that are not essential, as the first oracle does."""

    def pixel(diagram, row):
        return int((diagram.death_pixel if diagram.dim[row] else diagram.birth_pixel)[row])

    return sorted(
        (int(m.first.dim[i]), pixel(m.first, i), pixel(m.second, j))
        for i, j in m.pairs
        if not m.first.essential[i]
    )


def bars(m):
    """Return the pixels of pairs that are not essential, as the second oracle does."""
    sides = ((m.first, m.pairs[:, 0]), (m.second, m.pairs[:, 1]))
    pixels = [p[rows] for d, rows in sides for p in (d.birth_pixel, d.death_pixel)]
    return sorted(bar for bar in zip(*(p.tolist() for p in pixels)) if bar[1] != -1)


# --- by hand ---------------------------------------------------------------------------


def test_valleys_in_the_same_place_match_whatever_their_depth():
    m = pytopo.betti_matching([0, 9, 7, 9, 3, 9, 9], [1, 9, 8, 9, 2, 9, 5])
    assert m.first.birth[m.pairs[:, 0]].tolist() == [0, 7, 3]
    assert m.second.birth[m.pairs[:, 1]].tolist() == [1, 8, 2]
    assert m.second.birth[m.second_only].tolist() == [5]


def test_where_two_valleys_meet_the_younger_of_either_image_match_wherever_they_are():
    m = pytopo.betti_matching([0, 9, 1], [1, 9, 0])
    assert m.first.birth[m.pairs[:, 0]].tolist() == [0, 1]
    assert m.second.birth[m.pairs[:, 1]].tolist() == [0, 1]


def test_a_bar_whose_image_bar_is_empty_does_not_match():
    """The valley 8 of the first image is born when both valleys of c have met, at 5."""
    m = pytopo.betti_matching([6, 9, 8], [0, 5, 1])
    assert m.first.points(0).tolist() == [[6, np.inf], [8, 9]]
    assert m.second.points(0).tolist() == [[0, np.inf], [1, 5]]
    assert (m.pairs.tolist(), m.first_only.tolist(), m.second_only.tolist()) == (
        [[0, 0]],
        [1],
        [1],
    )


def test_a_bar_that_is_born_at_the_value_at_which_its_image_bar_ends_does_not_match():
    assert pytopo.betti_matching([3, 9, 5], [0, 5, 1]).pairs.tolist() == [[0, 0]]
    assert pytopo.betti_matching([3, 9, 4], [0, 5, 1]).pairs.tolist() == [[0, 0], [1, 1]]


@pytest.fixture
def two_rings():
    rings = np.full((5, 9), 9)
    rings[1:4, 1:4] = rings[1:4, 5:8] = 1
    rings[2, 2] = rings[2, 6] = 7
    return rings


def test_holes_match_where_they_overlap(two_rings):
    left = two_rings.copy()
    left[:, 4:] = 9
    m = pytopo.betti_matching(left, two_rings, dims=1)
    ((i, j),) = m.pairs
    assert m.first.death_index[i].tolist() == m.second.death_index[j].tolist() == [2, 2]
    assert m.second.death_index[m.second_only].tolist() == [[2, 6]]


def test_a_hole_and_one_beside_it_of_the_same_cost_do_not_match(two_rings):
    left, right = two_rings.copy(), two_rings.copy()
    left[:, 4:] = right[:, :5] = 9
    assert pytopo.match(*(pytopo.persistence(x).points(1) for x in (left, right))).cost == 0
    m = pytopo.betti_matching(left, right, dims=1)
    assert (len(m.pairs), len(m.first_only), len(m.second_only)) == (0, 1, 1)


@pytest.mark.parametrize("superlevel", [False, True])
def test_a_void_matches_the_void_in_the_same_place(superlevel):
    shell = np.ones((3, 3, 7), int)
    shell[1, 1, 1] = shell[1, 1, 5] = 4
    shell[:, :, 3] = 9
    other = shell.copy()
    other[1, 1, 1] = 1
    if superlevel:
        shell, other = -shell, -other
    m = pytopo.betti_matching(shell, other, dims=(0, 2), superlevel=superlevel)
    voids = m.first.dim[m.pairs[:, 0]] == 2
    assert m.first.death_index[m.pairs[voids, 0]].tolist() == [[1, 1, 5]]
    assert m.first.death_index[m.first_only].tolist() == [[1, 1, 1]]


def test_tunnels_match_where_they_overlap():
    ring = np.full((3, 4, 8), 9)
    ring[1, :3, :3] = 0
    ring[1, 1, 1] = 9
    other = np.roll(ring, 5, axis=2)
    assert len(pytopo.betti_matching(ring, np.minimum(ring, other), dims=1).pairs) == 1
    m = pytopo.betti_matching(ring, other, dims=1)
    assert (len(m.first), len(m.second), len(m.pairs)) == (1, 1, 0)


def test_three_components_that_meet_at_one_pixel_match_in_the_order_of_age():
    """Ages are 0, 2, 4 in the first image and 5, 3, 1 in the second; 9 is the last but corners.

    The two eldest of the first merge first, so 2 ends with 5, and then 4 with 3.
    """
    first = np.array([[11, 0, 11], [4, 9, 2], [11, 11, 11]])
    second = np.array([[11, 5, 11], [1, 9, 3], [11, 11, 11]])
    m = pytopo.betti_matching(first, second, dims=0)
    born = zip(m.first.birth[m.pairs[:, 0]], m.second.birth[m.pairs[:, 1]])
    assert sorted(born) == [(0, 1), (2, 5), (4, 3)]


def test_three_images_share_one_frame():
    first, second = np.array([[5, 9, 5]]), np.array([[3, 9, 4]])
    m = pytopo.betti_matching(first, second, frame=True)
    assert m.first.frame == m.second.frame == 3
    assert m.first == pytopo.persistence(first, frame=3)


def test_images_of_two_dtypes_are_compared_in_both():
    first, second = np.array([0, 250, 3], np.uint8), np.array([0.5, 250.5, 1], np.float32)
    m = pytopo.betti_matching(first, second)
    assert m.first.birth.dtype == m.second.birth.dtype == np.float32
    assert len(m.pairs) == 2


# --- the reference implementation and the fast one -------------------------------------


@given(image_pairs(), st.booleans(), constructions, joint_frames)
def test_the_fast_algorithm_matches_what_the_matrices_match(
    pair, superlevel, construction, frame
):
    options = {"superlevel": superlevel, "construction": construction, "frame": frame}
    assert agree(*both(*pair, **options))


@given(
    hnp.arrays(np.float64, (2, 5, 5), elements=st.integers(0, 999), unique=True),
    st.booleans(),
    constructions,
)
def test_union_find_matches_it_without_ties_too(pair, superlevel, construction):
    assert agree(*both(*pair, superlevel=superlevel, construction=construction))


@given(st.sampled_from(["V", "T"]), st.data())
def test_union_find_matches_it_where_saddles_are_many(construction, data):
    values = data.draw(hnp.arrays(np.uint8, (2, 2, 2), elements=st.integers(0, 3)))
    shape = data.draw(shapes(2).filter(lambda shape: len(shape) == 2))
    parity = tuple(np.indices(shape) % 2)
    pair = [image[parity].astype(int) for image in values]
    other = data.draw(hnp.arrays(np.uint8, (2, *shape), elements=st.integers(0, 20)))
    pair = [np.where(o == 0, 4, image) for o, image in zip(other, pair)]
    assert agree(*both(*pair, construction=construction))


@given(image_pairs(), st.booleans(), constructions)
@settings(max_examples=40)
def test_each_dimension_alone_matches_as_all_do(pair, superlevel, construction):
    options = {"superlevel": superlevel, "construction": construction}
    every = pytopo.betti_matching(*pair, **options)
    for dim in range(pair[0].ndim):
        m = pytopo.betti_matching(*pair, dim, **options)
        rows = every.pairs[every.first.dim[every.pairs[:, 0]] == dim]
        starts = [np.count_nonzero(d.dim < dim) for d in (every.first, every.second)]
        assert np.array_equal(rows - starts, m.pairs)


@given(
    st.integers(1, 5).flatmap(
        lambda n: hnp.arrays(np.uint8, (2, n, 4, 3), elements=st.integers(0, 4))
    ),
    st.booleans(),
    constructions,
    st.sampled_from([None, 2]),
    st.sampled_from([1, 2, 3, 8]),
)
def test_a_batch_is_its_images_one_by_one(pair, superlevel, construction, frame, threads):
    options = {"superlevel": superlevel, "construction": construction, "frame": frame}
    found = matched_pixels(*pair, (0, 1), threads=threads, **options)
    rows = list(zip(*(column.tolist() for column in found)))
    assert rows == sorted(rows, key=lambda row: row[:2])
    for b, (first, second) in enumerate(zip(*pair)):
        m = pytopo.betti_matching(first, second, **options)
        assert sorted(row[1:] for row in rows if row[0] == b) == features(m)


@fewer_examples
@given(
    hnp.arrays(np.uint8, (2, 3, 2, 3, 3), elements=st.integers(0, 4)),
    constructions,
    st.sampled_from([None, 2]),
)
def test_volumes_do_not_touch_in_their_stacked_array(pair, construction, frame):
    options = {"superlevel": False, "construction": construction, "frame": frame}
    tunnels = matched_tunnels(*pair, threads=2, **options)
    assert np.array_equal(tunnels.image, np.sort(tunnels.image))
    found = matched_pixels(*pair, (0, 2), threads=2, **options)
    rows = list(zip(*(column.tolist() for column in found)))
    for b, (first, second) in enumerate(zip(*pair)):
        m = pytopo.betti_matching(first, second, (0, 2), **options)
        assert sorted(row[1:] for row in rows if row[0] == b) == features(m)
        of_volume = np.column_stack([tunnels.first, tunnels.second])[tunnels.image == b]
        assert sorted(map(tuple, of_volume.tolist())) == bars(
            pytopo.betti_matching(first, second, 1, **options)
        )


@pytest.mark.compiled
def test_large_images_agree():
    rng = np.random.default_rng(0)
    row, column = np.mgrid[:60, :50]
    waves = np.sin(row / 4) * np.cos(column / 3)
    for first, second in (
        rng.standard_normal((2, 60, 50)),
        (waves, waves + 0.3 * rng.standard_normal((60, 50))),
        rng.integers(0, 2, (2, 60, 50)),
    ):
        for construction in "VT":
            assert agree(*both(first, second, construction=construction))


@pytest.mark.compiled
def test_tunnels_of_larger_volumes_agree():
    rng = np.random.default_rng(0)
    plane, row, column = np.mgrid[:9, :8, :10]
    waves = np.sin(plane) * np.cos(row) + np.sin(column / 2)
    noise, other = rng.random((2, *waves.shape))
    mask, changed = noise < 0.4, rng.random(waves.shape) < 0.1
    found = 0
    for first, second in (
        (waves, waves + 0.4 * other),  # long paths
        (noise, np.where(changed, other, noise)),  # many tunnels
        (mask, mask ^ changed),  # plateaus
        (noise, mask.astype(float)),
    ):
        for construction in "VT":
            m, ref = both(first, second, 1, superlevel=True, construction=construction)
            assert agree(m, ref)
            found += len(m.pairs)
    assert found == 232


# --- oracles ---------------------------------------------------------------------------


@given(image_pairs((2, 2, 3)), st.booleans(), constructions, joint_frames)
@settings(max_examples=60)
def test_components_and_cavities_are_those_of_labelling(pair, superlevel, construction, frame):
    if frame is True:
        frame = float(np.max(pair) if superlevel else np.min(pair))
    options = {"superlevel": superlevel, "construction": construction, "frame": frame}
    m = pytopo.betti_matching(*pair, dims_of_union_find(pair[0]), **options)
    assert features(m) == oracles.matched_features(*pair, **options)


@pytest.mark.parametrize(
    ("shape", "superlevel", "frame"),
    [((3, 3, 2), False, None), ((2, 3, 3), True, None), ((4, 3), False, 1), ((5,), True, 3)],
)
def test_bars_of_every_dimension_are_those_of_linear_algebra(shape, superlevel, frame):
    rng = np.random.default_rng(0)
    found = 0
    for k in range(4):
        options = {"superlevel": superlevel, "construction": "VT"[k % 2], "frame": frame}
        first, second = rng.integers(0, 9, (2, *shape))
        second = np.where(rng.random(shape) < 0.6, first, second)
        for dim in range(len(shape)):
            m = textbook_betti_matching(first, second, dim, **options)
            assert bars(m) == oracles.matched_bars(first, second, dim, **options)
            found += len(bars(m))
    assert found > 0


@pytest.mark.parametrize(
    ("construction", "first", "second"),
    [
        (
            "V",
            "20 8 12 17 8 26 8 6 2 15 1 18 1 16 10 14 24 3 26 0 9 0 15 23 22 14 0",
            "20 8 12 17 8 26 8 6 2 11 1 18 11 16 10 14 14 3 26 1 9 0 20 9 22 14 0",
        ),
        (
            "T",
            "16 18 7 23 11 4 24 19 2 14 10 25 22 26 16 12 9 25 10 25 17 1 21 3 9 25 24",
            "16 18 7 23 11 22 24 19 15 14 10 25 22 16 20 12 9 26 20 25 7 1 21 3 9 25 5",
        ),
    ],
)
def test_tunnels_with_one_image_bar_match_in_the_order_of_death_and_of_age(
    construction, first, second
):
    pair = [np.array(text.split(), int).reshape(3, 3, 3) for text in (first, second)]
    m = pytopo.betti_matching(*pair, 1, construction=construction)
    assert len(m.pairs) == 2
    assert bars(m) == oracles.matched_bars(*pair, 1, construction=construction)
    assert agree(m, textbook_betti_matching(*pair, 1, construction=construction))


def spanned(vectors):
    """Return all sums of some vectors, which are sets of bits."""
    sums = {0}
    for vector in vectors:
        sums |= {vector ^ other for other in sums}
    return sums


@given(st.integers(1, 4), st.data())
def test_a_common_basis_spans_what_two_flags_have_in_common(n, data):
    """The first i vectors of a and the first j of b: as many pairs as common dimensions."""
    every = st.lists(st.integers(1, 2**n - 1), min_size=n, max_size=n, unique=True)
    flags = [data.draw(every.filter(lambda v: len(spanned(v)) == 2**n)) for _ in "ab"]
    start = np.array([0, n], np.int64)
    partner = common_basis(start, *(np.array(flag, np.uint8) for flag in flags))
    for i in range(n + 1):
        for j in range(n + 1):
            common = spanned(flags[0][:i]) & spanned(flags[1][:j])
            assert np.count_nonzero(partner[:i] < j) == len(common).bit_length() - 1


# --- invariants ------------------------------------------------------------------------


@given(image_pairs(), st.booleans(), constructions, joint_frames)
def test_an_image_matches_itself_bar_by_bar(pair, superlevel, construction, frame):
    options = {"superlevel": superlevel, "construction": construction, "frame": frame}
    m = pytopo.betti_matching(pair[0], pair[0], **options)
    assert np.array_equal(m.pairs, np.repeat(np.arange(len(m.first))[:, None], 2, axis=1))


@given(image_pairs(), st.booleans(), constructions, joint_frames)
def test_exchanging_the_images_exchanges_the_rows(pair, superlevel, construction, frame):
    options = {"superlevel": superlevel, "construction": construction, "frame": frame}
    m = pytopo.betti_matching(*pair, **options)
    turned = pytopo.betti_matching(*pair[::-1], **options)
    assert bars(m) == sorted((*bar[2:], *bar[:2]) for bar in bars(turned))
    assert np.array_equal(m.first_only, turned.second_only)


@given(image_pairs(), st.booleans(), constructions, joint_frames)
def test_the_diagrams_are_those_of_persistence(pair, superlevel, construction, frame):
    options = {"superlevel": superlevel, "construction": construction}
    m = pytopo.betti_matching(*pair, frame=frame, **options)
    for image, diagram in zip(pair, (m.first, m.second)):
        assert diagram == pytopo.persistence(image, frame=m.first.frame, **options)
        assert diagram.frame == m.first.frame


@given(image_pairs(), constructions)
def test_only_the_order_of_values_counts(pair, construction):
    pair = [x.astype(np.float64) for x in pair]
    m = pytopo.betti_matching(*pair, construction=construction)
    moved = pytopo.betti_matching(*(np.exp(x) for x in pair), construction=construction)
    assert np.array_equal(m.pairs, moved.pairs)


@given(image_pairs(), constructions)
def test_image_bars_of_an_image_in_itself_are_its_bars(pair, construction):
    joint = joint_filtrations(pair[0], pair[0], construction=construction)
    reduction = reduce_filtration(joint.first)
    for dim in range(pair[0].ndim):
        of_dim = joint.first.dimension[reduction.pairs[:, 0]] == dim
        found = image_bars(joint.first, joint.comparison, dim)
        assert np.array_equal(found, reduction.pairs[of_dim])


def test_a_boundary_matrix_of_two_orders_has_the_entries_of_one():
    joint = joint_filtrations([[3, 1], [0, 2]], [[0, 1], [2, 3]])
    matrix = boundary_columns(joint.first, joint.comparison, 0)
    ends = joint.first.pixel[matrix.rows].reshape(-1, 2)
    assert sorted(map(sorted, ends.tolist())) == [[0, 1], [0, 2], [1, 3], [2, 3]]
    assert (np.diff(matrix.rows.reshape(-1, 2)) > 0).all()


# --- errors ----------------------------------------------------------------------------


def test_images_must_have_one_shape():
    with pytest.raises(ValueError, match=r"first has shape \(2, 3\), second \(3, 2\)"):
        pytopo.betti_matching(np.zeros((2, 3)), np.zeros((3, 2)))
    with pytest.raises(ValueError, match="first has shape"):
        joint_filtrations(np.zeros((2, 3)), np.zeros((3, 2)))


def test_options_are_checked_as_those_of_persistence():
    flat = np.zeros((2, 2))
    with pytest.raises(ValueError, match="dims is 2; expected dimensions from 0 to 1"):
        pytopo.betti_matching(flat, flat, 2)
    with pytest.raises(ValueError, match="construction is 'W'"):
        pytopo.betti_matching(flat, flat, construction="W")
    with pytest.raises(TypeError, match="superlevel is 1"):
        pytopo.betti_matching(flat, flat, superlevel=1)
    with pytest.raises(ValueError, match="frame is NaN"):
        pytopo.betti_matching(flat, flat, frame=np.nan)
    with pytest.raises(ValueError, match=r"second\[1, 1\] is NaN"):
        pytopo.betti_matching(flat, [[0, 0], [0, np.nan]])


def test_integers_that_a_float_would_round_are_refused():
    large, half = np.array([2**53 + 1, 2**53]), np.array([0.5, 1])
    with pytest.raises(ValueError, match="int64 cannot be compared in float64 without round"):
        pytopo.betti_matching(large, half)
    with pytest.raises(ValueError, match="int64 cannot be compared in float64 without round"):
        pytopo.betti_matching(np.array([2**63 - 1, 0]), half)
    assert len(pytopo.betti_matching(large, large - 1).pairs) == 1


def test_large_rows_with_a_frame_are_refused_and_nothing_else_is(monkeypatch):
    monkeypatch.setattr(by_place, "MOST_PIXELS", 26)
    large = np.zeros((3, 3, 3))
    row = large.ravel()
    with pytest.raises(
        ValueError, match=r"first has shape \(27,\); expected at most 26 pixels"
    ):
        pytopo.betti_matching(row, row, frame=1)
    for image in (row, large):
        assert len(pytopo.betti_matching(image, image).pairs) == 1
    assert len(pytopo.betti_matching(row[1:], row[1:], frame=1).pairs) == 1


def test_a_matching_says_what_it_holds():
    m = pytopo.betti_matching([0, 9, 1], [0, 0, 0])
    assert repr(m) == "<BettiMatching: 1 matched, 1 of the first only, 0 of the second only>"


def random_pair(rng, axes, most):
    """Return two images of random shape, dtype and ties, and options."""
    shape = tuple(rng.integers(1, most + 1, axes))
    dtype = rng.choice(["bool", "uint8", "int64", "float32", "float64"])
    levels = 2 if dtype == "bool" else rng.choice([2, 3, 10, 100])
    first, second = rng.integers(0, levels, (2, *shape)).astype(dtype)
    if rng.random() < 0.5:
        second = np.where(rng.random(shape) < 0.6, first, second)
    options = {
        "superlevel": bool(rng.integers(2)),
        "construction": "VT"[rng.integers(2)],
        "frame": [None, 0, 1, float(rng.integers(-1, levels + 1))][rng.integers(4)],
    }
    return first, second, options


def differs(first, second, options):
    """Return which of the reference implementation and the oracle disagrees, if one does."""
    m, ref = both(first, second, **options)
    if not agree(m, ref):
        return "the reference implementation"
    m = pytopo.betti_matching(first, second, dims_of_union_find(first), **options)
    if features(m) != oracles.matched_features(first, second, **options):
        return "labelling"
    return None


def main():
    """Compare the fast algorithm with matrices and labelling, on random pairs of images."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("number", type=int, help="how many pairs; a fifth as many of volumes")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    rng = np.random.default_rng(args.seed)
    started, matched = time.perf_counter(), 0
    for axes, most, count in ((2, 8, args.number), (3, 4, args.number // 5)):
        for k in range(count):
            first, second, options = random_pair(rng, axes, most)
            other = differs(first, second, options)
            if other:
                print(f"pair {k} with {axes} axes of seed {args.seed}: {other} differs on")
                print(f"{first!r}, {second!r}, {options}")
                return 1
            matched += len(features(pytopo.betti_matching(first, second, **options)))
    seconds = time.perf_counter() - started
    print(
        f"{args.number} pairs of images, {args.number // 5} of volumes, seed {args.seed}: "
        f"{matched} matches besides the essential ones, the same by the fast algorithm and by "
        f"matrices, and all but tunnels by labelling ({seconds:.0f} s)"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
