"""Files appear whole or not at all: on full disks, after kills, and after Ctrl-C."""

import errno
import io
import os
import subprocess
import sys
import threading

import h5py
import numpy as np
import pytest

from pytopo.files import clear_left_over, hdf5_file, replacing, withdraw


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def ended_process():
    """Return the number of a process that is no more."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_a_block_that_raises_leaves_the_old_file_and_nothing_beside_it(tmp_path):
    (tmp_path / "a.txt").write_text("old")

    def fail():
        with replacing(tmp_path / "a.txt") as stream:
            stream.write("new")
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert (tmp_path / "a.txt").read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


def test_an_error_of_writing_names_the_file(tmp_path):
    with pytest.raises(OSError, match="full") as caught, replacing(tmp_path / "a.txt"):
        raise OSError(errno.ENOSPC, "full")
    assert caught.value.filename == str(tmp_path / "a.txt")


def test_an_error_that_names_another_file_keeps_its_name(tmp_path):
    with pytest.raises(FileNotFoundError) as caught, replacing(tmp_path / "a.txt"):
        (tmp_path / "none.txt").read_text()
    assert caught.value.filename == str(tmp_path / "none.txt")


# ---- left over ---------------------------------------------------------------------------


def test_what_an_ended_process_was_writing_is_cleared(tmp_path):
    dead, alive = ended_process(), os.getppid()
    for name in (f".last.pt.{dead}.part", f".last.pt.{os.getpid()}.part"):
        (tmp_path / name).write_text("half")
    kept = [".hidden", f".last.pt.{alive}.part", "a.1.part", "last.pt"]
    for name in kept:
        (tmp_path / name).write_text("whole")
    clear_left_over(tmp_path)
    assert names(tmp_path) == sorted(kept)


def test_what_this_process_is_writing_is_not_cleared(tmp_path):
    with replacing(tmp_path / "a.txt") as stream:
        stream.write("all of it")
        clear_left_over(tmp_path)
    assert (tmp_path / "a.txt").read_text() == "all of it"


def test_there_is_nothing_to_clear_where_there_is_no_folder(tmp_path):
    clear_left_over(tmp_path / "none")
    assert not (tmp_path / "none").exists()


# ---- a thread that is abandoned ------------------------------------------------------------


def test_a_thread_that_is_given_up_finishes_no_file_and_begins_none(tmp_path):
    begun, given_up, raised = threading.Event(), threading.Event(), []

    def work():
        for name in ("first.txt", "second.txt"):
            try:
                with replacing(tmp_path / name) as stream:
                    stream.write("half")
                    begun.set()
                    given_up.wait(10)
            except RuntimeError as error:
                raised.append(str(error))

    thread = threading.Thread(target=work)
    thread.start()
    begun.wait(10)
    withdraw(thread)
    if os.name == "posix":  # Windows removes no file that is open
        assert names(tmp_path) == []
    given_up.set()
    thread.join(10)
    assert len(raised) == 2
    assert raised[0].startswith("this thread was abandoned")
    assert names(tmp_path) == []


def test_other_threads_go_on_writing(tmp_path):
    withdraw(threading.Thread())
    with replacing(tmp_path / "a.txt") as stream:
        stream.write("whole")
    assert (tmp_path / "a.txt").read_text() == "whole"


# ---- HDF5 ----------------------------------------------------------------------------------


class Disk(io.BytesIO):
    """A disk with room for so many bytes, and none that comes back."""

    def __init__(self, room):
        super().__init__()
        self.room = room
        self.tried_when_full = 0

    def write(self, data):
        if self.room < len(data):
            self.room = 0
            self.tried_when_full += 1
            raise OSError(errno.ENOSPC, "No space left on device")
        self.room -= len(data)
        return super().write(data)


PLANES = np.random.default_rng(0).random((6, 64, 64))


def write_planes(stream):
    """Write planes until one does not arrive."""
    with hdf5_file(stream) as (file, arrived):
        stored = file.create_dataset(
            "a", PLANES.shape, "f8", chunks=(1, 64, 64), compression="gzip"
        )
        for number, plane in enumerate(PLANES):
            stored[number] = plane
            file.flush()
            arrived()


def test_what_is_written_through_a_stream_is_read_by_name(tmp_path):
    with replacing(tmp_path / "a.h5", "w+b") as stream:
        write_planes(stream)
    with h5py.File(tmp_path / "a.h5") as file:
        np.testing.assert_array_equal(file["a"], PLANES)


@pytest.mark.parametrize("room", [0, 100, 3000, 30_000, 80_000])
def test_the_first_error_of_a_full_disk_comes_out_and_the_disk_is_left_alone(room):
    disk = Disk(room)
    with pytest.raises(OSError, match="No space left on device"):
        write_planes(disk)
    assert disk.tried_when_full == 1


@pytest.mark.skipif(os.name != "posix", reason="limits the size of files as POSIX does")
def test_a_process_survives_an_hdf5_file_that_cannot_be_written(tmp_path):
    pytest.importorskip("resource")
    script = (
        "import resource, sys; from pytopo.cli.main import main\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))\n"
        "sys.exit(main(['synth', 'v.h5', '--sections', '6', '--size', '128']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 1, done.stderr
    assert done.stderr == f"pytopo synth: v.h5: {os.strerror(errno.EFBIG)}\n"
    assert names(tmp_path) == []
