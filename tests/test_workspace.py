"""Room for large arrays: handed out once at a time, and used again."""

import threading
from contextlib import ExitStack

import numpy as np
import pytest

import pytopo
from pytopo.morse.workspace import BLOCK_BYTES, MOST_KEPT, _kept, workspace


def test_arrays_do_not_overlap():
    with workspace() as space:
        arrays = [
            space.full((3, k), k, dtype) for k in range(9) for dtype in ("i4", "u1", "i8")
        ]
        assert all((array == array.shape[1]).all() for array in arrays)
        assert {array.ctypes.data % 64 for array in arrays} == {arrays[0].ctypes.data % 64}


def test_a_block_is_used_again_by_the_next_computation_only():
    with workspace() as space:
        first = space.empty(8, np.int64)
        with workspace() as inner:
            assert not np.shares_memory(first, inner.empty(8, np.int64))
    with workspace() as space:
        assert space.empty(8, np.int64).ctypes.data == first.ctypes.data


def test_a_block_is_kept_when_a_computation_fails():
    with workspace() as space:
        first = space.empty(8, np.int64)

    def fail():
        with workspace():
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    with workspace() as space:
        assert space.empty(8, np.int64).ctypes.data == first.ctypes.data


def test_more_than_a_block_is_had_from_another():
    with workspace() as space:
        arrays = [space.full(BLOCK_BYTES // 2 + 1, k, np.uint8) for k in range(3)]
        arrays.append(space.full(BLOCK_BYTES + 1, 3, np.uint8))
        assert [int(array[-1]) for array in arrays] == [0, 1, 2, 3]


def test_a_block_outlives_the_thread_that_took_it():
    found = []

    def look():
        with workspace() as space:
            found.append(space.empty(8, np.int64).ctypes.data)

    for _ in range(3):
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()
    assert found[0] == found[1] == found[2]


def test_no_more_blocks_are_kept_than_said():
    with ExitStack() as stack:
        for _ in range(MOST_KEPT + 3):
            stack.enter_context(workspace())
    assert len(_kept) == MOST_KEPT


def test_threads_have_blocks_of_their_own():
    found = []

    def look():
        with workspace() as space:
            found.append(space.empty(8, np.int64))

    with workspace() as space:
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()
        assert not np.shares_memory(space.empty(8, np.int64), found[0])


@pytest.mark.parametrize("dims", [None, 0, 1])
@pytest.mark.parametrize("shape", [(40, 40), (9, 10, 11)])
def test_a_diagram_is_not_changed_by_the_next(shape, dims):
    rng = np.random.default_rng(0)
    image, other = rng.random((2, *shape))
    d = pytopo.persistence(image, dims)
    before = {name: getattr(d, name).copy() for name in ("birth", "death_pixel", "dim")}
    pytopo.persistence(other, dims)
    for name, array in before.items():
        assert np.array_equal(getattr(d, name), array)
