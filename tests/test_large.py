"""Persistence by tiles: by hand, against the engine in memory, and on Dask.

``python tests/test_large.py 10000`` compares that many random images, and prints the number
of differences; ``python tests/test_large.py 0 --size 4096`` an image of that size like electron
microscopy, in tiles of 512, of 1024 and of random sides, and the CPU time as well.
"""

import argparse
import gc
import math
import os
import sys
import time
import weakref

import numpy as np
import pytest

import pytopo
import pytopo.large
from pytopo.cli.bench_made import KINDS, MadeImage
from pytopo.large import loop, pieces
from pytopo.large import parts as parts_module
from pytopo.large.ages import EARLIEST, Sweep, keys_of, values_of
from pytopo.large.gluing import merged
from pytopo.large.grid import divided
from pytopo.large.loop import Collector, box_of, checked_sweep, chunk_lengths
from pytopo.large.parts import rows_in_order
from pytopo.large.pieces import region_in_pieces
from pytopo.large.textbook import components_by_two_tiles
from pytopo.large.tiles import region_of_tile
from pytopo.order import frame_value

DTYPES = (
    "bool", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64",
    "float16", "float32", "float64",
)  # fmt: skip
FRAMES = (None, None, True, 0, 1, 2.5, 9, -1, 300, np.inf, -np.inf)


def by_chunks(image, chunks, *, min_persistence=0.0, **options):
    """The diagram of an image that is cut into chunks of any lengths."""
    frame = options.get("frame")
    if frame is True:
        frame = EARLIEST
    elif frame is not None:
        frame = frame_value(np.empty(0, image.dtype), frame, options["superlevel"])
    sweep = Sweep(
        image.shape, image.dtype, (0, image.ndim - 1), options["superlevel"],
        options["construction"], frame, min_persistence,
    )  # fmt: skip
    collector = Collector(sweep, None)

    def region(at):
        box = box_of(chunks, at)
        values = image[tuple(slice(*extent) for extent in box)]
        found, points = region_in_pieces(values, [start for start, _ in box], sweep)
        collector.take("", points)
        return found

    def union(first, second, axis):
        found, points = merged(first, second, axis, sweep)
        collector.take("", points)
        return found

    return collector.finished(divided([len(c) for c in chunks], region, union).ends)


def random_chunks(n, random):
    lengths = []
    while n > 0:
        lengths.append(int(random.integers(1, min(n, 4) + 1)))
        n -= lengths[-1]
    return tuple(lengths)


def random_case(seed):
    """An image with many ties, chunks of 1 to 4 pixels, and options."""
    random = np.random.default_rng(seed)
    ndim = 2 if seed % 4 else 3
    shape = tuple(random.integers(1, 8 if ndim == 2 else 5, ndim).tolist())
    dtype = np.dtype(random.choice(DTYPES))
    most = 2 if dtype.kind == "b" else int(random.choice([2, 4, 10, 100]))
    image = random.integers(0, most, shape).astype(dtype)
    some = random.random((2, *shape)) < 0.2
    if dtype.kind == "f" and random.random() < 0.5:
        image -= 3
        image[some[0]], image[some[1]] = np.inf, -np.inf
    if dtype.kind in "iu" and random.random() < 0.3:
        image[some[0]], image[some[1]] = np.iinfo(dtype).max, np.iinfo(dtype).min
    options = {
        "superlevel": bool(random.integers(2)),
        "construction": str(random.choice(["V", "T"])),
        "frame": FRAMES[random.integers(len(FRAMES))],
        "min_persistence": float(random.choice([0, 0, 2])),
    }
    return image, tuple(random_chunks(n, random) for n in shape), options


def differs(seed):
    image, chunks, options = random_case(seed)
    dims = (0, image.ndim - 1)
    return by_chunks(image, chunks, **options) != pytopo.persistence(image, dims, **options)


# --- by hand ---------------------------------------------------------------------------


def test_a_component_that_touches_no_shared_side_is_finished_in_its_tile():
    row = np.array([[9, 1, 9, 5, 9, 6]])
    sweep = Sweep((1, 9), row.dtype, (0,))  # three more pixels to the right
    region, points = region_of_tile(row, (0, 0), sweep)
    # 1 is the eldest here, but beyond 6 there may be an elder; 5 dies at 9 for certain.
    assert points.birth_pixel.tolist() == [3]
    assert points.death_pixel.tolist() == [2]
    (branches,) = region.branches
    assert branches.pixel.tolist() == [5, 1]  # 6 ends at 7, in the component of 1, the root
    assert branches.death_pixel.tolist() == [4]
    assert branches.elder.tolist() == [1]
    assert [None if f is None else f.tolist() for f in region.faces] == [None, None, None, [6]]


def test_the_elder_beyond_the_side_decides():
    row = np.array([[4, 8, 5, 9, 1]])
    d = pytopo.large.persistence(row, 0, tile=2)
    assert d.points(0).tolist() == [[4, 9], [5, 8], [1, np.inf]]
    assert d.birth_pixel.tolist() == [0, 2, 4]


def test_a_hole_that_four_tiles_share():
    image = np.zeros((4, 4), int)
    image[1:3, 1:3] = [[5, 6], [7, 8]]
    d = pytopo.large.persistence(image, 1, tile=2)
    assert d.points(1).tolist() == [[0, 8]]
    assert d.death_index.tolist() == [[2, 2]]


def test_a_void_that_eight_tiles_share():
    volume = np.zeros((4, 4, 4), np.uint8)
    volume[1:3, 1:3, 1:3] = 7
    volume[2, 2, 2] = 9
    d = pytopo.large.persistence(volume, tile=2)
    assert d.points(2).tolist() == [[0, 9]]
    assert d.points(0).tolist() == [[0, np.inf]]


@pytest.mark.parametrize("dtype", ["int8", "uint64", "float16", "float32", "float64"])
def test_keys_sort_like_the_values_and_lead_back_to_them(dtype):
    info = np.iinfo(dtype) if np.dtype(dtype).kind in "iu" else np.finfo(dtype)
    values = np.unique(np.array([info.min, 0, 1, 3, info.max], dtype))
    for superlevel in (False, True):
        keys = keys_of(values, superlevel)
        assert (keys[1:] > keys[:-1]).all() != superlevel
        assert (
            values_of(keys, values.dtype, superlevel).tolist()
            == values.astype("float32" if dtype == "float32" else "float64").tolist()
        )


# --- against the engine and the textbook -----------------------------------------------


def test_random_images_in_random_chunks():
    assert [seed for seed in range(150) if differs(seed)] == []


def test_large_tiles_in_pieces(monkeypatch):
    monkeypatch.setattr(pieces, "PIECE", 2)
    assert [seed for seed in range(1000, 1040) if differs(seed)] == []


def test_rows_of_parts_are_put_in_order_by_dimension_birth_and_death():
    random = np.random.default_rng(0)
    dim = random.integers(0, 3, 400).astype(np.int8)
    birth_pixel, death_pixel = random.integers(-2, 3000, 400), random.integers(-2, 9, 400)
    birth_pixel[::3] //= 200  # many holes of one birth pixel, and the frame among them
    columns = dim, birth_pixel / 7, death_pixel / 7, birth_pixel, death_pixel
    parts = [
        tuple(column[start : start + 100] for column in columns) for start in range(0, 400, 100)
    ]
    order = np.lexsort((death_pixel, birth_pixel, dim))
    for n_pixels in (3000, 10**12):
        found = rows_in_order(parts, n_pixels)
        for one, other in zip(found, columns):
            assert one.tolist() == other[order].tolist()


@pytest.mark.parametrize("construction", ["V", "T"])
def test_two_tiles_in_plain_python(construction):
    random = np.random.default_rng(3)
    for _ in range(20):
        image = random.integers(0, 9, random.integers(2, 7, 2))
        column = int(random.integers(1, image.shape[1]))
        pairs, eldest = components_by_two_tiles(image, column, construction)
        d = pytopo.persistence(image, 0, construction=construction)
        rows = zip(map(tuple, d.birth_index.tolist()), map(tuple, d.death_index.tolist()))
        flat = [pair for pair in pairs if image[pair[0]] != image[pair[1]]]
        assert flat == sorted(pair for pair in rows if pair[1] != (-1, -1))
        assert eldest[1] == tuple(d.birth_index[d.essential][0])


@pytest.mark.compiled
@pytest.mark.parametrize("superlevel", [False, True])
def test_a_larger_image_in_ragged_tiles(superlevel):
    random = np.random.default_rng(1)
    image = random.integers(0, 256, (300, 410)).astype(np.uint8)
    image[:, 100:200] //= 32
    options = {"superlevel": superlevel, "frame": True}
    assert pytopo.large.persistence(image, tile=64, **options) == pytopo.persistence(
        image, **options
    )


def test_a_memory_map_is_read_tile_by_tile(tmp_path):
    image = np.random.default_rng(0).random((20, 30)).astype(np.float32)
    np.save(tmp_path / "image.npy", image)
    seen = []
    source = np.load(tmp_path / "image.npy", mmap_mode="r")
    d = pytopo.large.persistence(source, tile=16, progress=lambda *n: seen.append(n))
    assert d == pytopo.persistence(image)
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]


class Watched:
    """A source that knows which of the arrays that it has returned are still alive."""

    def __init__(self, image):
        self.image, self.shape, self.dtype, self.returned = image, image.shape, image.dtype, []

    def __getitem__(self, window):
        part = self.image[window].copy()
        self.returned.append(weakref.ref(part))
        return part

    def alive(self):
        return sum(part() is not None for part in self.returned)


def test_no_tile_stays_in_memory_until_the_garbage_collector_comes(monkeypatch):
    monkeypatch.setattr(pieces, "PIECE", 8)
    source = Watched(np.random.default_rng(0).integers(0, 256, (60, 60)))
    seen = []
    gc.disable()
    try:
        pytopo.large.persistence(
            source, tile=20, progress=lambda *_: seen.append(source.alive())
        )
        seen.append(source.alive())
    finally:
        gc.enable()
    assert seen == [1] * 9 + [0]


# --- masks -----------------------------------------------------------------------------


def test_betti_numbers_of_masks():
    random = np.random.default_rng(0)
    for k in range(48):
        shape = tuple(random.integers(1, (12, 7)[k % 2], 2 + k % 2))
        mask = random.random(shape) < random.choice([0.0, 0.3, 0.5, 0.7, 1.0])
        options = {"construction": "VT"[k // 2 % 2], "frame": bool(k // 4 % 2)}
        tile = int(random.integers(1, 8))
        found = pytopo.large.betti_numbers(mask, tile=tile, **options)
        assert found == pytopo.metrics.betti_numbers(mask, **options)


def test_betti_error_of_masks():
    one, other = np.zeros((2, 9, 9), bool)
    one[2:5, 2:5], other[2:5, 2:5] = True, True
    one[3, 3] = False
    assert pytopo.large.betti_error(one, other, tile=3).per_dim == (0, 1)


# --- parts in a folder -----------------------------------------------------------------


@pytest.mark.parametrize("frame", [None, True, 100])
def test_parts_are_the_diagram(tmp_path, frame):
    image = np.random.default_rng(0).integers(0, 256, (40, 50)).astype(np.uint8)
    whole = pytopo.persistence(image, frame=frame)
    parts = pytopo.large.persistence(image, frame=frame, tile=16, folder=tmp_path / "parts")
    assert len(parts) == len(whole)
    assert parts.select() == whole
    assert parts.select(1, 50).birth_pixel.tolist() == whole.select(1, 50).birth_pixel.tolist()
    assert parts.betti(99) == whole.betti(99)
    best = whole.sorted().birth_pixel[:7].tolist()
    assert parts.most_persistent(7).birth_pixel.tolist() == best
    counts, edges = parts.histogram(1, 8, (0, 256))
    expected = np.histogram(whole.select(1).persistence, 8, (0, 256))
    assert counts.tolist() == expected[0].tolist()
    assert edges.tolist() == expected[1].tolist()


def test_a_folder_without_its_list_is_not_complete(tmp_path):
    image = np.random.default_rng(0).integers(0, 256, (40, 50))
    pytopo.large.persistence(image, tile=16, folder=tmp_path / "parts")
    assert not list((tmp_path / "parts").glob(".*"))
    (tmp_path / "parts" / parts_module.INDEX).unlink()
    with pytest.raises(ValueError, match=r"no parts\.json; the diagram in it was not"):
        pytopo.large.open_parts(tmp_path / "parts")


def test_a_list_of_parts_that_leads_elsewhere_is_refused(tmp_path):
    (tmp_path / "parts.json").write_text('{"parts": {"../other.npz": 3}, "frame": null}')
    with pytest.raises(ValueError, match="not the list of parts that pytopo wrote"):
        pytopo.large.open_parts(tmp_path)


def test_a_part_with_another_number_of_points_is_refused(tmp_path):
    image = np.random.default_rng(0).integers(0, 256, (10, 10))
    parts = pytopo.large.persistence(image, folder=tmp_path / "parts")
    pytopo.persistence(image[:5]).save(tmp_path / "parts" / parts.names[0])
    with pytest.raises(ValueError, match="points; expected"):
        parts.select()


# --- what is refused -------------------------------------------------------------------


def test_nan_is_named_by_its_pixel_in_the_image():
    image = np.zeros((9, 9))
    image[7, 5] = np.nan
    with pytest.raises(ValueError, match=r"image\[7, 5\] is NaN"):
        pytopo.large.persistence(image, tile=4)


@pytest.mark.parametrize(
    ("image", "options", "message"),
    [
        (np.zeros((3, 3, 3)), {"dims": 1}, r"expected some of \(0, 2\) .*tunnels need"),
        (np.zeros(3), {}, r"shape \(3,\), 1 axes; expected \(H, W\) or \(D, H, W\)"),
        (np.zeros((0, 3)), {}, "expected sizes of at least 1"),
        (np.zeros((3, 3)), {"tile": 0}, "tile is 0; expected a whole number of at least 1"),
        (np.zeros((3, 3)), {"frame": np.nan}, "frame is NaN"),
        (np.zeros((3, 3)), {"tile": 2**15}, r"expected tiles of less than 2\^30 pixels"),
    ],
)
def test_impossible_options(image, options, message):
    with pytest.raises(ValueError, match=message):
        pytopo.large.persistence(image, **options)


def test_a_folder_with_something_in_it_is_refused(tmp_path):
    (tmp_path / "notes.txt").touch()
    with pytest.raises(ValueError, match="not empty"):
        pytopo.large.persistence(np.zeros((3, 3)), folder=tmp_path)


def test_masks_are_booleans():
    with pytest.raises(TypeError, match=r"expected booleans, like likelihood > 0\.5"):
        pytopo.large.betti_numbers(np.zeros((3, 3)))


# --- on Dask ---------------------------------------------------------------------------


def test_a_dask_array_is_swept_by_chunks(tmp_path):
    da = pytest.importorskip("dask.array")
    image = np.random.default_rng(0).integers(0, 256, (50, 70)).astype(np.uint8)
    array = da.from_array(image, chunks=(13, (0, 20, 0, 50)))
    for frame in (None, True, 2.5):
        whole = pytopo.persistence(image, frame=frame)
        assert pytopo.large.persistence(array, frame=frame) == whole
        assert pytopo.large.persistence(array, frame=frame, tile=11) == whole
    folder = tmp_path / "parts"
    assert pytopo.large.persistence(array, tile=11, folder=folder).select() == (
        pytopo.persistence(image)
    )


def test_masks_in_dask_arrays():
    da = pytest.importorskip("dask.array")
    for shape in ((12, 15), (6, 7, 9)):
        mask = np.random.default_rng(2).random(shape) < 0.5
        found = pytopo.large.betti_numbers(da.from_array(mask, chunks=4), tile=4)
        assert found == pytopo.metrics.betti_numbers(mask)


def test_chunks_of_unknown_size_are_refused():
    da = pytest.importorskip("dask.array")
    array = da.from_array(np.zeros((4, 4)), chunks=2)
    with pytest.raises(ValueError, match="expected known sizes"):
        pytopo.large.persistence(array[array[:, 0] > 1])


def test_nan_in_a_chunk_is_named_and_leaves_no_folder(tmp_path):
    da = pytest.importorskip("dask.array")
    image = np.zeros((50, 70))
    image[41, 66] = np.nan
    for source in (image, da.from_array(image, chunks=20)):
        with pytest.raises(ValueError, match=r"image\[41, 66\] is NaN"):
            pytopo.large.persistence(source, tile=20, folder=tmp_path / "parts")
        assert not (tmp_path / "parts").exists()


def test_a_task_that_runs_twice_writes_the_same_part(tmp_path):
    tasks = pytest.importorskip("pytopo.large.tasks")
    image = np.random.default_rng(0).integers(0, 256, (20, 30)).astype(np.uint8)
    sweep = checked_sweep(image, None, False, "V", None, 0.0)
    box = ((0, 20), (0, 15))
    found = []
    for _ in range(2):
        _, (name, count, _) = tasks._tile(image[:, :15], box, sweep, str(tmp_path))
        found.append(pytopo.Diagram.load(tmp_path / name))
    assert found[0] == found[1]
    assert len(found[0]) == count > 0
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_more_points_than_memory_are_refused(monkeypatch):
    monkeypatch.setattr(loop, "CHECKED", 100)
    monkeypatch.setattr(loop, "free_memory", lambda: 20_000)
    image = np.random.default_rng(0).integers(0, 256, (60, 60)).astype(np.uint8)
    with pytest.raises(MemoryError, match=r"points so far .* write them to a folder"):
        pytopo.large.persistence(image, tile=16)


def test_parts_that_the_client_does_not_see_are_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(loop, "write_part", lambda folder, name, part: len(part))
    image = np.random.default_rng(0).integers(0, 256, (60, 60)).astype(np.uint8)
    with pytest.raises(FileNotFoundError, match=r"not here, like tile-0_32-0_32\.npz"):
        pytopo.large.persistence(image, tile=32, folder=tmp_path / "parts")


def test_progress_of_tasks():
    da = pytest.importorskip("dask.array")
    image = np.random.default_rng(0).random((20, 30)).astype(np.float32)
    seen = []
    array = da.from_array(image, chunks=10)
    pytopo.large.persistence(array, tile=10, progress=lambda *n: seen.append(n))
    assert seen == [(k, 6) for k in range(1, 7)]


def dies(block, mark):
    """A block, but the first worker that makes it does not live to tell; without mark, none."""
    if mark is None or not os.path.exists(mark):
        if mark is not None:
            open(mark, "w").close()
        os._exit(1)
    return block


@pytest.mark.compiled
def test_a_cluster_of_processes_one_of_which_is_killed(tmp_path, cluster):
    import dask.array as da
    import h5py
    from distributed import Client

    image = np.random.default_rng(0).integers(0, 256, (200, 300)).astype(np.uint8)
    with h5py.File(tmp_path / "image.h5", "w") as file:
        file.create_dataset("raw", data=image, chunks=(64, 64))
    source = pytopo.large.open_source(tmp_path / "image.h5")
    mark = str(tmp_path / "killed")
    meta = np.empty((0, 0), image.dtype)  # or Dask calls the function here, to find it out
    array = da.from_array(source, chunks=(100, 100), meta=meta)
    mortal = array.map_blocks(dies, mark, meta=meta)
    seen, allowed = [], cluster.scheduler.allowed_failures
    with Client(cluster.scheduler_address):
        found = pytopo.large.persistence(
            mortal, tile=100, folder=tmp_path / "parts", progress=lambda *n: seen.append(n)
        )
        cluster.scheduler.allowed_failures = 0
        try:
            with pytest.raises(Exception, match="workers died while running it"):
                pytopo.large.persistence(
                    array.map_blocks(dies, None, meta=meta), tile=100, folder=tmp_path / "other"
                )
        finally:
            cluster.scheduler.allowed_failures = allowed
    assert os.path.exists(mark)
    assert found.select() == pytopo.persistence(image)
    assert seen == [(k, 6) for k in range(1, 7)]
    assert not (tmp_path / "other").exists()


# --- as a command ----------------------------------------------------------------------


def random_sides(n, random):
    """Divide an axis at random, into sides of 1 to 1024."""
    lengths = []
    while n > 0:
        lengths.append(min(n, int(2 ** random.uniform(0, 10))))
        n -= lengths[-1]
    return tuple(lengths)


def compare_large_image(kind, size, sides):
    """Print for each way to divide an image whether the diagram differs, and its CPU time.

    A side of 0 stands for tiles of random sides.
    """
    random, n_wrong = np.random.default_rng(0), 0
    image = MadeImage(kind, (size, size))[:, :]
    for superlevel in (False, True):
        options = {"superlevel": superlevel, "construction": "V", "frame": None}
        part = image[:1024, :1024]  # compiles
        pytopo.persistence(part, **options)
        by_chunks(part, (chunk_lengths(len(part), 512),) * 2, **options)
        started = time.process_time()
        whole = pytopo.persistence(image, **options, threads=1)
        seconds = time.process_time() - started
        for side in sides:
            chunks = tuple(
                chunk_lengths(size, side) if side else random_sides(size, random)
                for _ in range(2)
            )
            started = time.process_time()
            found = by_chunks(image, chunks, **options)
            ratio = (time.process_time() - started) / seconds
            equal = found == whole
            n_wrong += not equal
            print(
                f"{size}x{size} {kind}, superlevel={superlevel}, "
                f"{math.prod(map(len, chunks))} tiles ({side or 'random sides'}), "
                f"{len(whole)} points: {'equal' if equal else 'DIFFERENT'}, "
                f"CPU time {ratio:.2f} of that of the whole in memory",
                flush=True,
            )
    return n_wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("count", type=int, help="how many random images")
    parser.add_argument("--seed", type=int, default=0, help="of the first of them")
    parser.add_argument("--size", type=int, help="side of a larger image to compare, too")
    parser.add_argument("--kind", choices=KINDS, default="membranes", help="what is in it")
    parser.add_argument(
        "--sides", type=int, nargs="+", default=[512, 1024, 0],
        help="of its tiles; 0: at random",
    )  # fmt: skip
    args = parser.parse_args()
    start, tiles, wrong = time.perf_counter(), 0, []
    for seed in range(args.seed, args.seed + args.count):
        tiles += int(np.prod([len(c) for c in random_case(seed)[1]]))
        if differs(seed):
            wrong.append(seed)
    seconds = time.perf_counter() - start
    print(f"{args.count} images in {tiles} tiles: {len(wrong)} differ ({seconds:.0f} s)")
    for seed in wrong[:10]:
        print(f"seed {seed}")
    n_wrong = compare_large_image(args.kind, args.size, args.sides) if args.size else 0
    return 1 if wrong or n_wrong else 0


if __name__ == "__main__":
    sys.exit(main())
