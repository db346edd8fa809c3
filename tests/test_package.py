"""What is shipped, and what an import costs."""

import ast
import re
import subprocess
import sys
import zipfile
from configparser import ConfigParser
from importlib import import_module
from importlib.metadata import requires
from pathlib import Path

import pytest

import pytopo
from pytopo.clone import Clone
from pytopo.moved import MOVED

ROOT = Path(__file__).parents[1]
HEAVY = ("numba", "torch", "matplotlib", "numpy", "scipy", "h5py")


def modules_after(statement):
    """Return the heavy modules that a fresh interpreter has loaded after a statement."""
    show = f"import sys; {statement}; print(*(m for m in {HEAVY} if m in sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", show], capture_output=True, text=True, check=True
    )
    return done.stdout.split()


def test_importing_the_package_loads_nothing_heavy():
    assert modules_after("import pytopo") == []


def test_a_public_name_loads_what_it_needs_and_no_more():
    assert modules_after("from pytopo import Diagram") == ["numpy"]
    assert modules_after("from pytopo import read_image") == ["numpy"]
    loaded = modules_after("from pytopo import persistence")
    assert "numba" in loaded
    assert not {"torch", "matplotlib", "h5py"} & set(loaded)


def test_every_public_name_resolves():
    assert [name for name in pytopo.__all__ if not hasattr(pytopo, name)] == []
    assert set(pytopo.__all__) <= set(dir(pytopo))
    with pytest.raises(AttributeError, match="module 'pytopo' has no attribute 'nonsense'"):
        pytopo.nonsense


# --- modules that have moved -----------------------------------------------------------


def test_a_module_is_found_by_the_name_that_it_had():
    for old, new in MOVED.items():
        assert import_module(old) is import_module(new), old
        assert import_module(new).__name__ == import_module(new).__spec__.name == new


def test_the_old_name_comes_first_in_a_fresh_interpreter():
    show = "import pytopo.steps; print(pytopo.steps.__name__, pytopo.steps.__spec__.name)"
    done = subprocess.run(
        [sys.executable, "-c", show], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["pytopo.textbook.walk"] * 2
    assert modules_after("import pytopo.replacing") == modules_after("import pytopo.files")


@pytest.mark.parametrize(
    ("module", "names"),
    [
        ("textbook", "Filtration Reduction lower_star_filtration reduce_filtration"),
        ("morse", "Rows pixel_pairs"),
        ("matching", "Matching bottleneck match textbook_match wasserstein"),
        ("loss", "Explanation SegmentationLoss TopologicalLoss topological_loss"),
        ("metrics", "betti_error betti_numbers dice patch_shape segments"),
        ("training", "LossConfig NotFinite Step TrainingConfig learning_rate train"),
    ],
)
def test_modules_that_became_packages_have_the_names_that_they_had(module, names):
    for name in names.split():
        assert hasattr(import_module(f"pytopo.{module}"), name), name


def test_a_module_that_never_was_is_not_found():
    with pytest.raises(ModuleNotFoundError, match=r"pytopo\.nonsense"):
        import_module("pytopo.nonsense")


# --- a clone that is not installed -----------------------------------------------------


def test_the_command_runs_in_a_clone_that_is_not_installed(tmp_path):
    for name in ("pytopo", "cli"):
        (tmp_path / name).symlink_to(ROOT / name)
    uninstalled = (
        "import runpy, sys; from importlib import machinery as m; sys.path.insert(0, '.')\n"
        "sys.meta_path[:] = [m.BuiltinImporter, m.FrozenImporter, m.PathFinder]\n"
        "sys.argv = ['pytopo', '--version']\n"
        "runpy.run_module('pytopo.cli', run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-c", uninstalled], capture_output=True, text=True, cwd=tmp_path
    )
    assert (done.stdout, done.stderr) == (f"pytopo {pytopo.__version__}\n", "")


def test_citation_and_changelog_name_the_version_of_the_package():
    citation = re.search(r"^version: (\S+)$", (ROOT / "CITATION.cff").read_text(), re.M)
    newest = re.search(r"^## (\S+), ", (ROOT / "CHANGELOG.md").read_text(), re.M)
    assert citation[1] == newest[1] == pytopo.__version__


def test_no_other_folder_of_a_clone_becomes_a_part_of_the_package():
    assert Clone().find_spec("pytopo.tests") is Clone().find_spec("cli") is None
    assert Clone().find_spec("pytopo.cli").origin == str(ROOT / "cli" / "__init__.py")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    build = "import setuptools.build_meta as b, sys; b.build_wheel(sys.argv[1])"
    source = folder / "source"
    source.mkdir()
    for name in ("setup.cfg", "pyproject.toml", "README.md", "LICENSE"):
        (source / name).write_bytes((ROOT / name).read_bytes())
    for name in ("pytopo", "cli"):
        (source / name).symlink_to(ROOT / name)
    subprocess.run(
        [sys.executable, "-c", build, str(folder)], cwd=source, check=True, capture_output=True
    )
    (path,) = folder.glob("*.whl")
    return path


def test_the_wheel_is_pure_python_and_puts_nothing_but_pytopo_into_site_packages(wheel):
    assert wheel.name == f"pytopo_toolkit-{pytopo.__version__}-py3-none-any.whl"
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names} == {
        "pytopo",
        f"pytopo_toolkit-{pytopo.__version__}.dist-info",
    }
    assert {Path(name).suffix for name in names if name.startswith("pytopo/")} == {
        ".html",
        ".js",
        ".py",
        ".typed",
    }


def test_the_wheel_holds_every_module_and_the_command(wheel):
    shipped = set(zipfile.ZipFile(wheel).namelist())
    ours = {f"pytopo/{p.relative_to(ROOT / 'pytopo')}" for p in (ROOT / "pytopo").rglob("*.py")}
    ours |= {f"pytopo/cli/{p.name}" for p in (ROOT / "cli").glob("*.py")}
    assert ours <= shipped
    entry = next(n for n in shipped if n.endswith("entry_points.txt"))
    text = zipfile.ZipFile(wheel).read(entry).decode()
    assert "pytopo = pytopo.cli.__main__:start" in text


def test_the_wheel_works_where_it_is_unpacked(wheel, tmp_path):
    zipfile.ZipFile(wheel).extractall(tmp_path)
    show = "import pytopo.cli.main as m; print(m.__file__); m.main(['--version'])"
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r}); {show}"],
        capture_output=True,
        text=True,
    )
    assert done.stdout.splitlines() == [
        str(tmp_path / "pytopo/cli/main.py"),
        f"pytopo {pytopo.__version__}",
    ]


def test_every_dependency_has_a_tested_version():
    pinned = {
        re.split("==", line)[0].lower()
        for line in (ROOT / "constraints.txt").read_text().splitlines()
        if line and not line.startswith("#")
    }
    assert "torch==2.13.0" in (ROOT / "constraints.txt").read_text().splitlines()
    needed = {re.match(r"[\w.-]+", need)[0].lower() for need in requires("pytopo-toolkit")}
    assert needed <= pinned


def kernel_files():
    others = ("__init__.py", "jit.py")
    return sorted(p for p in (ROOT / "pytopo/kernels").glob("*.py") if p.name not in others)


@pytest.mark.parametrize("path", kernel_files(), ids=lambda p: p.stem)
def test_every_kernel_is_compiled_cached_and_free_of_checks(path):
    tree = ast.parse(path.read_text())
    assert not [node for node in ast.walk(tree) if isinstance(node, (ast.Raise, ast.Try))]
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            assert ast.get_docstring(node), f"{node.name} has no contract"
            (decorator,) = node.decorator_list
            assert ast.unparse(decorator) == "njit(cache=True, nogil=True)", node.name


@pytest.mark.parametrize("path", kernel_files(), ids=lambda p: p.stem)
def test_kernels_call_only_kernels(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            several_arrays = ast.unparse(node) == "from typing import NamedTuple"
            assert node.module.startswith("pytopo.kernels.") or several_arrays
        elif isinstance(node, ast.Import):
            assert {alias.name for alias in node.names} <= {"numpy"}


@pytest.mark.compiled
def test_each_kernel_is_compiled_for_one_signature():
    check = """
import numpy as np, pytopo, itertools, sys
from numba.core.registry import CPUDispatcher
for dtype, c, s, f in itertools.product("?Hqefd", "VT", (False, True), (None, 0)):
    for shape in ((5,), (3, 4), (2, 3, 4)):
        image = np.arange(np.prod(shape)).reshape(shape)
        for a in (image.astype(dtype), image.T.astype(dtype)):
            pytopo.persistence(a, construction=c, superlevel=s, frame=f, algorithm="reduction")
for name, module in sorted(sys.modules.items()):
    if name.startswith("pytopo.kernels."):
        for kernel in vars(module).values():
            if isinstance(kernel, CPUDispatcher) and kernel.py_func.__module__ == name:
                print(kernel.py_func.__qualname__, len(kernel.signatures))
"""
    done = subprocess.run(
        [sys.executable, "-c", check], capture_output=True, text=True, check=True
    )
    counted = dict(line.split() for line in done.stdout.splitlines())
    for entry in ("cells", "lower_star_order", "boundary_matrix", "highest_dimension_first",
                  "reduce_columns"):  # fmt: skip
        assert counted[entry] == "1", entry


def test_the_one_way_pipeline_is_a_contract():
    config = ConfigParser()
    config.read(ROOT / "setup.cfg")
    layers = config["importlinter:contract:pipeline"]["layers"].split()
    assert layers.index("pairing") < layers.index("textbook") < layers.index("order")
