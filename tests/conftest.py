"""Set-up shared by all tests: a throw-away Numba cache, small sizes without the JIT."""

import os
import sys
import tempfile
from pathlib import Path

# Numba's disk cache does not notice edits in a file that a kernel calls into, so each
# test run compiles afresh.  It must be set before numba is imported.  Workers of one run
# share it, and a core each.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")
else:
    _cache = tempfile.TemporaryDirectory(prefix="pytopo-test-cache-")
    os.environ["NUMBA_CACHE_DIR"] = _cache.name
os.environ["MPLBACKEND"] = "agg"

import pytest
from hypothesis import settings

INTERPRETED = os.environ.get("NUMBA_DISABLE_JIT") == "1"

settings.register_profile("pytopo", deadline=None, max_examples=15 if INTERPRETED else 150)
settings.load_profile("pytopo")


def pytest_collection_modifyitems(items):
    if INTERPRETED:
        skip = pytest.mark.skip(reason="about compiled code, or too large to interpret")
        for item in items:
            if "compiled" in item.keywords:
                item.add_marker(skip)


@pytest.fixture(autouse=True)
def close_figures():
    """pyplot keeps every figure until it is closed, and warns of more than twenty."""
    yield
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None:
        pyplot.close("all")


@pytest.fixture
def no_pictures(monkeypatch):
    """Runs write empty files in place of their pictures, which take most of their time."""
    monkeypatch.setattr("pytopo.training.figures.save", lambda figure, path: path.touch())


@pytest.fixture(scope="session")
def real_data():
    """The folder of real images that PYTOPO_TEST_DATA names."""
    folder = os.environ.get("PYTOPO_TEST_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("PYTOPO_TEST_DATA names no folder with real images")
    return Path(folder)


@pytest.fixture(scope="module")
def cluster():
    """A cluster of Dask of two processes; one that ends is started again.

    It ends with its file of tests, for even one that waits takes processor time.
    """
    distributed = pytest.importorskip("distributed")
    import dask

    quiet = dask.config.set({"distributed.logging.distributed": "critical"})
    with (
        quiet,
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0"
        ) as started,
    ):
        yield started
