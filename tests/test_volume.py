"""The fast algorithm for volumes: tables by brute force, structured volumes, threads, limits.

That it finds the pairs of the textbook on random images of all kinds is in
`test_algorithms.py`; that the values are those of other libraries, in `test_peers.py` and
below.
"""

from collections import Counter
from itertools import combinations, product

import gudhi
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from peers import gudhi_points, pytopo_points
from scipy import ndimage
from strategies import constructions, images

import pytopo
from pytopo.kernels.bits import count_ones, highest_one, lowest_one
from pytopo.kernels.heap import push, remove_latest, with_room
from pytopo.kernels.links_3d import lower_links
from pytopo.morse import links_3d, pairs_3d
from pytopo.morse.workspace import workspace


def both_algorithms(image, **options):
    return [pytopo.persistence(image, algorithm=a, **options) for a in ("morse", "reduction")]


def betti(image, t, **options):
    return pytopo.persistence(image, algorithm="morse", **options).betti(t)


# --- by hand ---------------------------------------------------------------------------


def test_a_hollow_cube_is_one_void():
    shell = np.zeros((3, 3, 3))
    shell[1, 1, 1] = 9
    d = pytopo.persistence(shell)
    assert d.points(2).tolist() == [[0, 9]]
    assert d.death_index[d.dim == 2].tolist() == [[1, 1, 1]]
    assert len(d.points(1)) == 0


def test_a_ring_is_one_tunnel():
    ring = np.full((3, 5, 5), 9.0)
    ring[1, 1:4, 1:4] = 1
    ring[1, 2, 2] = 5
    d = pytopo.persistence(ring)
    assert d.points(1).tolist() == [[1, 5]]
    assert d.death_index[d.dim == 1].tolist() == [[1, 2, 2]]
    assert len(d.points(2)) == 0


def test_the_last_voxel_of_a_shell_makes_its_void():
    shell = np.zeros((3, 3, 3))
    shell[1, 1, 1], shell[0, 1, 1] = 9, 4
    d = pytopo.persistence(shell)
    assert d.points(2).tolist() == [[4, 9]]
    assert d.birth_index[d.dim == 2].tolist() == [[0, 1, 1]]
    assert len(d.points(1)) == 0  # a sphere with a gap has no tunnel


def test_two_linked_rings_are_two_tunnels():
    flat, upright = np.ones((2, 9, 9, 12), bool)
    flat[4, 1:8, 1:8], flat[4, 2:7, 2:7] = False, True
    upright[1:8, 4, 4:11], upright[2:7, 4, 5:10] = False, True
    assert betti(flat, 0) == betti(upright, 0) == (1, 1, 0)
    assert betti(flat & upright, 0) == (2, 2, 0)


def test_a_frame_is_a_shell_around_the_volume():
    d = pytopo.persistence(np.full((2, 2, 2), 3.0), frame=0, algorithm="morse")
    assert d.points(2).tolist() == [[0, 3]]
    assert d.birth_pixel[d.dim == 2].tolist() == [-2]


# --- structured volumes ----------------------------------------------------------------


def oracle_betti(image, t, construction="V"):
    from oracles import betti_numbers

    return betti_numbers(image <= t, construction)


def grid(n):
    return np.mgrid[:n, :n, :n] - (n - 1) / 2


def structured(n):
    """Yield volumes with a name, of side n."""
    z, y, x = grid(n)
    radius = np.sqrt(z**2 + y**2 + x**2)
    around = np.hypot(np.hypot(y, x) - n / 3.5, z)
    rng = np.random.default_rng(0)
    yield "torus", around
    yield "solid torus of a few levels", np.floor(around)
    yield "nested shells", np.cos(radius * 2)
    yield "shells of two values", (np.floor(radius) % 2).astype(np.uint8)
    yield "checkerboard", (np.indices((n, n, n)).sum(0) % 2).astype(bool)
    yield "ramp along rows", x
    yield "ramp against the order", -(z * n * n + y * n + x)
    yield "plateaus", np.floor(ndimage.gaussian_filter(rng.random((n, n, n)), 1) * 20)
    yield "distance transform", ndimage.distance_transform_edt(rng.random((n, n, n)) < 0.9)
    for density in (0.1, 0.31, 0.5, 0.69, 0.9):
        yield f"percolation at {density}", rng.random((n, n, n)) < density
    yield "labels", ndimage.label(rng.random((n, n, n)) < 0.2)[0]
    yield "one ulp apart", 1 + rng.integers(0, 9, (n, n, n)) * np.finfo(float).eps
    yield "huge and tiny", rng.choice([1e200, -1e200, 1e-200, -1e-200, 0.0, -0.0], (n, n, n))
    yield "infinite", rng.choice([np.inf, -np.inf, 0.0, 1.0], (n, n, n))
    yield "gyroid", np.sin(z) * np.cos(y) + np.sin(y) * np.cos(x) + np.sin(x) * np.cos(z)


@pytest.mark.parametrize("construction", ["V", "T"])
@pytest.mark.parametrize("name", [name for name, _ in structured(3)])
def test_structured_volumes_agree_with_the_textbook(name, construction):
    small = dict(structured(5))[name]
    for superlevel, frame in product((False, True), (None, True)):
        fast, ref = both_algorithms(
            small, superlevel=superlevel, frame=frame, construction=construction
        )
        assert fast == ref


@pytest.mark.compiled
@pytest.mark.parametrize("construction", ["V", "T"])
@pytest.mark.parametrize("name", [name for name, _ in structured(3)])
def test_larger_structured_volumes_agree_with_the_textbook(name, construction):
    fast, ref = both_algorithms(dict(structured(17))[name], construction=construction)
    assert fast == ref


@pytest.mark.parametrize("name", [name for name, _ in structured(3) if name != "infinite"])
def test_betti_numbers_are_those_of_labelling(name):
    image = dict(structured(6))[name]
    for t in np.quantile(image.astype(float), [0.1, 0.5, 0.9]):
        assert betti(image, t) == oracle_betti(image, t)


@pytest.mark.parametrize(
    "shape", [(1, 1, 1), (1, 1, 9), (1, 9, 1), (9, 1, 1), (1, 5, 7), (6, 1, 5)]
)
@pytest.mark.parametrize("construction", ["V", "T"])
def test_thin_volumes_agree_with_the_textbook(shape, construction):
    image = np.random.default_rng(0).integers(0, 5, shape)
    for frame in (None, 2):
        fast, ref = both_algorithms(image, construction=construction, frame=frame)
        assert fast == ref


@pytest.mark.compiled
@pytest.mark.parametrize("construction", ["V", "T"])
@pytest.mark.parametrize("superlevel", [False, True])
def test_values_are_those_of_gudhi(construction, superlevel):
    rng = np.random.default_rng(1)
    for image in (
        rng.random((24, 20, 28)),
        ndimage.gaussian_filter(rng.random((32, 32, 32)), 2),
        np.round(ndimage.gaussian_filter(rng.random((24, 24, 24)), 1) * 30),
    ):
        theirs = gudhi_points(-image if superlevel else image, construction)
        assert pytopo_points(image, superlevel, construction, None) == theirs


@pytest.mark.compiled
def test_tunnels_depend_on_the_coefficients_and_ours_are_modulo_2():
    # A loop that another one runs around twice is nothing modulo 2, and something modulo 3.
    noise = np.random.default_rng(8).random((24, 24, 24))
    complex_ = gudhi.CubicalComplex(vertices=noise)
    tunnels = {}
    for field in (2, 3):
        complex_.compute_persistence(homology_coeff_field=field)
        found = complex_.persistence_intervals_in_dimension(1)
        tunnels[field] = set(map(tuple, found.tolist()))
    ours = pytopo.persistence(noise, dims=1).points(1)
    assert set(map(tuple, ours.tolist())) == tunnels[2]
    assert len(tunnels[2] - tunnels[3]) == 2


def test_a_real_volume_has_the_values_of_gudhi(real_data):
    path = f"{real_data}/gala/gala_train_in_cremi_layout.h5:/volumes/"
    for name in ("membrane_probability[:20, :60, :60]", "raw[:20, :60, :60]"):
        image = pytopo.read_image(path + name, raw=True)
        theirs = gudhi_points(-image.astype(float), "V")
        assert pytopo_points(image, True, "V", None) == theirs


# --- options ---------------------------------------------------------------------------


@given(images(), constructions, st.sets(st.sampled_from([0, 1, 2]), min_size=1))
def test_some_dimensions_are_those_of_all(image, construction, dims):
    dims = sorted(d for d in dims if d < image.ndim) or [0]
    every = pytopo.persistence(image, construction=construction)
    some = pytopo.persistence(image, dims, construction=construction)
    assert some.dims == tuple(dims)
    for d in dims:
        assert np.array_equal(some.points(d), every.points(d))


@pytest.mark.parametrize("dims", [(0,), (2,), (0, 2)])
def test_tunnels_are_computed_only_if_required(dims, monkeypatch):
    monkeypatch.setattr(pairs_3d, "pair_squares", None)
    pytopo.persistence(np.random.default_rng(0).random((4, 5, 6)), dims)


@pytest.mark.compiled
@pytest.mark.parametrize("construction", ["V", "T"])
@pytest.mark.parametrize("threads", [2, 3, 7])
def test_threads_change_nothing(construction, threads):
    rng = np.random.default_rng(2)
    for image in (
        rng.random((17, 18, 19)),
        rng.integers(0, 3, (9, 30, 10)),
        np.zeros((3, 4, 5)),
    ):
        one = pytopo.persistence(image, construction=construction)
        (many,) = pytopo.persistence_batch([image], construction=construction, threads=threads)
        assert many == one


@pytest.mark.parametrize("construction", ["V", "T"])
@pytest.mark.parametrize("frame", [None, True])
@pytest.mark.parametrize("shape", [(3, 4, 3), (5, 2, 2), (1, 4, 5), (1, 1, 1), (4, 1, 1)])
def test_bands_of_one_plane_change_nothing(shape, construction, frame):
    rng = np.random.default_rng(6)
    parity = tuple(np.indices(shape) % 2)
    options = {"construction": construction, "frame": frame}
    for image in (rng.integers(0, 2, shape), rng.integers(0, 3, (2, 2, 2))[parity]):
        ref = pytopo.persistence(image, algorithm="reduction", **options)
        for threads in range(1, shape[0] + 6):
            assert pytopo.persistence_batch([image], threads=threads, **options) == [ref]


@pytest.mark.parametrize("construction", ["V", "T"])
@pytest.mark.parametrize("frame", [None, 1])
def test_volumes_of_a_batch_do_not_touch(construction, frame):
    batch = np.random.default_rng(3).integers(0, 4, (5, 3, 4, 3))
    options = {"construction": construction, "frame": frame}
    found = pytopo.persistence_batch(batch, threads=1, **options)
    assert found == [pytopo.persistence(i, algorithm="reduction", **options) for i in batch]


@pytest.mark.parametrize("most_steps", [0, 1, 2, 5, 30])
def test_how_far_paths_are_pushed_at_first_changes_nothing(most_steps, monkeypatch):
    rng = np.random.default_rng(4)
    for image in (rng.random((6, 7, 6)), rng.integers(0, 2, (6, 7, 6))):
        want = pytopo.persistence(image, algorithm="reduction")
        monkeypatch.setattr(pairs_3d, "MOST_STEPS", most_steps)
        monkeypatch.setattr(pairs_3d, "STEPS_ON_PLATEAUS", most_steps)
        assert pytopo.persistence(image) == want
        monkeypatch.undo()


def test_volumes_of_few_values_have_plateaus():
    rng = np.random.default_rng(0)
    for image, plateaus in (
        (rng.random((6, 7, 8)), False),
        (rng.integers(0, 256, (6, 7, 8), np.uint8), False),
        (rng.random((6, 7, 8)) < 0.5, True),
        (np.zeros((1, 1, 9)), True),
        (np.zeros((2, 3, 1)), False),  # nothing to compare
    ):
        with workspace() as space:
            keys = pairs_3d._stacked_keys(image[None], [None], False, space)
            assert pairs_3d._has_plateaus(keys) == plateaus


@pytest.mark.compiled
def test_paths_outgrow_every_buffer(monkeypatch):
    """A large flat tunnel wall: its path is far longer than the heap is to begin with."""
    monkeypatch.setattr(pairs_3d, "STEPS_ON_PLATEAUS", 0)
    rng = np.random.default_rng(5)
    image = rng.random((40, 40, 40)) < 0.2
    fast, ref = both_algorithms(image)
    assert fast == ref
    heap = np.zeros((4, 2), np.int64)
    heap[0, 0] = 3
    assert len(with_room(heap, 0)) == 4
    assert len(with_room(heap, 1)) > 4


# --- the octahedron --------------------------------------------------------------------

SIGNS = [tuple(sign) for sign in links_3d.offsets().tolist()]


def test_the_26_neighbours_are_all_there_are():
    assert set(SIGNS) == set(product((-1, 0, 1), repeat=3)) - {(0, 0, 0)}
    assert [np.abs(sign).sum() for sign in SIGNS] == [1] * 6 + [2] * 12 + [3] * 8


def test_a_lower_link_is_closed_and_complete():
    rng = np.random.default_rng(0)
    for _ in range(20):
        keys = np.full((5, 5, 5), 99, np.int32)
        keys[1:4, 1:4, 1:4] = rng.integers(0, 4, (3, 3, 3))
        links = np.zeros(keys.shape, np.uint32)
        lower_links(keys, 4, 0, 5, links)
        place = {p: (keys[p], p) for p in np.ndindex(5, 5, 5)}
        here = (2, 2, 2)
        for bit, sign in enumerate(SIGNS):
            beside = product(*({0, s} for s in sign))  # the corners of the cell to that side
            last = max(place[tuple(np.add(here, b).tolist())] for b in beside)
            assert bool(int(links[here]) >> bit & 1) == (last == place[here])


def connected(parts, links):
    """Return the sets of connected parts, by brute force."""
    groups = [{p} for p in parts]
    for a, b in links:
        touched = [g for g in groups if a in g or b in g]
        groups = [g for g in groups if g not in touched] + [set().union(*touched)]
    return groups


def test_components_of_links_are_connected_parts():
    faces, octants = links_3d.face_components(), links_3d.octant_components()
    for there in range(0, 4096, 37):
        present = [pair for e, pair in enumerate(links_3d.EDGES) if there >> e & 1]
        absent = [pair for pair in links_3d.EDGES if pair not in present]
        for group in connected(range(6), present):
            for d in group:
                assert faces[there, d] == sum(1 << i for i in group)
        across = [
            [t for t, octant in enumerate(links_3d.OCTANTS) if set(pair) <= set(octant)]
            for pair in absent
        ]
        for group in connected(range(8), across):
            for t in group:
                assert octants[there, t] == sum(1 << i for i in group)


def test_paths_lead_from_face_to_face_and_are_shortest():
    paths, components = links_3d.paths(), links_3d.face_components()
    for there, faces in product(range(0, 4096, 101), range(64)):
        entry = int(paths[64 * there + faces])
        path, changed = entry & 4095, entry >> 12
        assert path & ~there == 0
        assert boundary(path) == faces ^ changed
        odd = 0
        for component in {int(c) for c in components[there]}:
            if (component & faces).bit_count() % 2:
                odd |= component & -component
        assert changed == odd
    for a, b in combinations(range(6), 2):
        entry = int(paths[64 * 4095 + (1 << a | 1 << b)])
        assert entry.bit_count() == (2 if a ^ 1 == b else 1)


def boundary(edges):
    ends = Counter(d for e, pair in enumerate(links_3d.EDGES) if edges >> e & 1 for d in pair)
    return sum(1 << d for d, times in ends.items() if times % 2)


def test_outlines_are_closed():
    for octants in range(256):
        assert boundary(int(links_3d.edges_of_octants()[octants])) == 0


# --- small kernels ---------------------------------------------------------------------


@given(st.integers(1, 2**40))
def test_bits_are_found(number):
    assert count_ones(number) == number.bit_count()
    assert lowest_one(number) == (number & -number).bit_length() - 1
    assert highest_one(np.uint64(number)) == number.bit_length() - 1


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 99)), unique=True, max_size=40))
def test_a_heap_hands_out_the_latest_first(voxels):
    heap = np.zeros((2, 2), np.int64)
    for key, voxel in voxels:
        heap = with_room(heap, 1)
        push(key, voxel, heap)
    out = []
    while heap[0, 0] > 0:
        out.append(tuple(heap[1].tolist()))
        remove_latest(heap)
    assert out == sorted(voxels, reverse=True)
