"""Numba's cache of the kernels: where it cannot be had, kernels are compiled in memory."""

import os
import subprocess
import sys

import numba
import numpy as np
import pytest

from pytopo.kernels.jit import njit
from pytopo.kernels.union_find import find

pytestmark = pytest.mark.compiled

NOWHERE = {"NUMBA_CACHE_LOCATOR_CLASSES": "IPythonCacheLocator"}  # it serves notebooks only
FACT = "so kernels are compiled in memory, anew in each process; set NUMBA_CACHE_DIR"
FIND = """
import numpy as np
from pytopo.kernels.union_find import find
print(find(np.array([0, 0, 1], np.int32), 2))
"""
ANOTHER = """
from pytopo.kernels.bits import count_ones
print(count_ones(np.int64(5)))
"""


def run(code, *options, cache="", cwd=None, **environment):
    done = subprocess.run(
        [sys.executable, *options, "-c", code],
        env={**os.environ, "NUMBA_CACHE_DIR": str(cache), **environment},
        capture_output=True,
        text=True,
        cwd=cwd,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split(), done.stderr


def test_without_a_folder_kernels_are_compiled_in_memory_and_that_is_said_once():
    printed, said = run(FIND + ANOTHER, **NOWHERE)
    assert printed == ["0", "2"]
    assert said.count("CacheWarning") == 1
    assert f"Numba finds no folder that it can write its cache to, {FACT}" in said


def test_the_warning_about_the_cache_can_be_silenced():
    ignored = "import warnings\nwarnings.simplefilter('ignore', pytopo.notes.CacheWarning)"
    assert run(f"import pytopo.notes\n{ignored}\n{FIND}", **NOWHERE) == (["0"], "")
    assert run(FIND, "-W", "ignore::RuntimeWarning", **NOWHERE) == (["0"], "")


def test_where_warnings_are_errors_the_first_kernel_raises_and_the_next_works():
    twice = f"""
try:
    {FIND.strip().replace(chr(10), chr(10) + "    ")}
except RuntimeWarning as warning:
    print(type(warning).__name__)
{FIND}{ANOTHER}"""
    assert run(twice, "-W", "error", **NOWHERE) == (["CacheWarning", "0", "2"], "")


def test_where_a_kernel_cannot_be_written_it_is_compiled_in_memory(tmp_path):
    cache = tmp_path / "cache"
    lost = f"""
import pathlib, shutil, pytopo.kernels.union_find, pytopo.kernels.bits
shutil.rmtree({str(cache)!r})
pathlib.Path({str(cache)!r}).touch()
"""
    printed, said = run(lost + FIND + ANOTHER, cache=cache)
    assert printed == ["0", "2"]
    assert said.count("CacheWarning") == 1
    assert f"Numba cannot write its cache in {cache}" in said
    assert FACT in said


@pytest.mark.parametrize(
    ("ending", "damage"),
    [("nbi", "half"), ("nbi", "other bytes"), ("nbc", "empty"), ("nbc", "a flipped bit")],
)
def test_a_damaged_file_of_the_cache_is_replaced(tmp_path, monkeypatch, ending, damage):
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))

    def loaded():
        """Run the kernel as a process does that has not run it before: was it in the cache?"""
        anew = njit(cache=True, nogil=True)(find.py_func)
        assert anew(np.array([0, 0, 1], np.int32), 2) == 0
        return anew.stats.cache_hits.total() == 1

    assert not loaded()
    (path,) = tmp_path.glob(f"*/*.{ending}")
    sound = path.read_bytes()
    middle = len(sound) // 2
    flipped = bytes([sound[middle] ^ 64])
    path.write_bytes(
        {
            "empty": b"",
            "half": sound[:middle],
            "a flipped bit": sound[:middle] + flipped + sound[middle + 1 :],
            "other bytes": b"\x80\x05other",
        }[damage]
    )
    assert not loaded()
    assert loaded()


def test_without_a_home_no_folder_called_tilde_is_made(tmp_path):
    homeless = """
import os
os.environ.pop("XDG_CACHE_HOME", None)
from numba.core.caching import InTreeCacheLocator
InTreeCacheLocator.from_function = classmethod(lambda *_: None)
os.path.expanduser = lambda path: path  # no HOME, and a user of no name
"""
    printed, said = run(homeless + FIND, cwd=tmp_path)
    assert printed == ["0"]
    assert "finds no folder" in said
    assert list(tmp_path.iterdir()) == []
