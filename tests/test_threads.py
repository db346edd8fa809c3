"""How many threads to work on, and what else differs from system to system."""

import ntpath
import os
import subprocess
import sys

import numpy as np
import pytest

from pytopo import threads
from pytopo.images.readers.address import _split
from pytopo.threads import number_of_threads


@pytest.fixture(autouse=True)
def no_container(monkeypatch):
    monkeypatch.setattr(threads, "_cores_of_container", lambda: float("inf"))


def test_affinity_is_respected(monkeypatch):
    monkeypatch.delattr(os, "process_cpu_count", raising=False)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 2, 5}, raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    assert number_of_threads(None) == 3


def test_a_newer_python_is_asked_itself(monkeypatch):
    monkeypatch.setattr(os, "process_cpu_count", lambda: 5, raising=False)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0}, raising=False)
    assert number_of_threads(None) == 5


@pytest.mark.parametrize(("told", "used"), [(7, 7), (None, 1)])
def test_without_affinity_the_cores_of_the_machine_count(monkeypatch, told, used):
    monkeypatch.delattr(os, "process_cpu_count", raising=False)
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: told)
    assert number_of_threads(None) == used


def test_a_container_leaves_fewer_threads(monkeypatch):
    monkeypatch.setattr(threads, "_cores", lambda: 64)
    monkeypatch.setattr(threads, "_cores_of_container", lambda: 3)
    assert number_of_threads(None) == 3
    assert number_of_threads(8) == 8


cores_of_container = threads._cores_of_container.__wrapped__  # without the memory


@pytest.mark.parametrize(
    ("quota", "cores"),
    [
        ("200000 100000", 2),
        ("150000 100000", 2),
        ("1000 100000", 1),
        ("max 100000", float("inf")),
        ("50000 0", float("inf")),
        ("rubbish", float("inf")),
    ],
)
def test_a_quota_is_rounded_up_to_cores(tmp_path, quota, cores):
    (tmp_path / "cgroup").write_text("0::/pod/box\n")
    (tmp_path / "pod" / "box").mkdir(parents=True)
    (tmp_path / "pod" / "box" / "cpu.max").write_text(quota + "\n")
    assert cores_of_container(tmp_path / "cgroup", tmp_path) == cores


def test_the_quota_of_an_outer_group_counts_too(tmp_path):
    (tmp_path / "cgroup").write_text("0::/pod/box\n")
    (tmp_path / "pod" / "box").mkdir(parents=True)
    (tmp_path / "pod" / "box" / "cpu.max").write_text("800000 100000\n")
    (tmp_path / "pod" / "cpu.max").write_text("300000 100000\n")
    (tmp_path / "cpu.max").write_text("max 100000\n")
    assert cores_of_container(tmp_path / "cgroup", tmp_path) == 3


@pytest.mark.parametrize("mount", ["cpu", "cpu,cpuacct"])
@pytest.mark.parametrize("place", ["docker/box", ""])
def test_groups_of_version_1_are_read(tmp_path, mount, place):
    (tmp_path / "cgroup").write_text("7:memory:/docker/box\n3:cpu,cpuacct:/docker/box\n")
    group = tmp_path / mount / place  # in a container the group itself may be mounted
    group.mkdir(parents=True)
    (group / "cpu.cfs_period_us").write_text("100000\n")
    (group / "cpu.cfs_quota_us").write_text("250000\n")
    assert cores_of_container(tmp_path / "cgroup", tmp_path) == 3
    (group / "cpu.cfs_quota_us").write_text("-1\n")
    assert cores_of_container(tmp_path / "cgroup", tmp_path) == float("inf")


@pytest.mark.parametrize("content", [None, b"", b"rubbish", b"\xff", b"0::/pod/../../..\n"])
def test_where_there_are_no_groups_nothing_is_limited(tmp_path, content):
    if content is not None:
        (tmp_path / "cgroup").write_bytes(content)
    assert cores_of_container(tmp_path / "cgroup", tmp_path / "none") == float("inf")


@pytest.mark.parametrize("wrong", [0, -1, 1.0, "2", True, np.True_, [2], np.array([2])])
def test_what_is_no_number_of_threads_is_refused(wrong):
    with pytest.raises(ValueError, match="expected a whole number of at least 1, or None"):
        number_of_threads(wrong)


# ---- names that not every system has -------------------------------------------------------

ELSEWHERE = """
import contextlib, importlib, io, os, pkgutil, signal, sys
import filelock, h5py, matplotlib.pyplot, numba, scipy.optimize, torch, tqdm

for module, names in (
    (os, "sched_getaffinity process_cpu_count sysconf getuid geteuid fork mkfifo getpgid "
         "O_NONBLOCK O_DIRECTORY statvfs posix_fallocate sendfile killpg"),
    (signal, "SIGALRM SIGPIPE SIGHUP SIGKILL SIGUSR1 alarm setitimer pthread_kill"),
):
    for name in names.split():
        if hasattr(module, name):
            delattr(module, name)
for name in ("fcntl", "resource", "pwd", "grp", "termios", "tty", "pty", "syslog"):
    sys.modules[name] = None

import numpy, pytopo, pytopo.cli

for package in (pytopo, pytopo.cli):
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if not any(name in module.name for name in ("__main__", "monai", "torchmetrics")):
            importlib.import_module(module.name)

ring = numpy.zeros((3, 3))
ring[1, 1] = 9
print(pytopo.persistence(ring).points(1).tolist())
print(len(pytopo.persistence_batch([ring, ring, ring])))
truth = torch.from_numpy(ring / 9)[None, None]
print(pytopo.TopologicalLoss()(truth, truth).item())
numpy.save("ring.npy", ring)
from pytopo.cli.main import main
with contextlib.redirect_stdout(io.StringIO()) as out:
    status = main(["diagram", "ring.npy", "--json", "-"])
print(status, '"points": 2' in out.getvalue())
"""


@pytest.mark.compiled
def test_nothing_needs_a_name_that_only_linux_has(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", ELSEWHERE], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.stdout.splitlines() == ["[[0.0, 9.0]]", "3", "0.0", "0 True"], done.stderr


@pytest.mark.parametrize(
    ("text", "file"),
    [
        (r"C:\cells\a.png", r"C:\cells\a.png"),
        (r"C:\v.h5:/volumes/raw[3]", r"C:\v.h5"),
        (r"\\host\share\v.h5:/raw", r"\\host\share\v.h5"),
        ("v.h5:/raw", "v.h5"),
    ],
)
def test_the_colon_of_a_windows_drive_ends_no_file_name(monkeypatch, text, file):
    monkeypatch.setattr(os.path, "splitdrive", ntpath.splitdrive)
    assert _split(text)[0] == file


def test_no_image_is_cut_for_a_million_threads():
    assert number_of_threads(1024) == 1024
    assert number_of_threads(10**30) == 1024
