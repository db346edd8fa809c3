"""Every example is run: docstrings of all modules, and the code blocks of the documents.

A block marked ``python`` is run as a doctest; all blocks of one document share their names, as
a reader who types them in would.  A block marked ``py`` wants a package that the tests do not
install, so it is run where that package is there, and compiled in any case.
"""

import ast
import doctest
import pkgutil
import re
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

import pytopo
import pytopo.cli

ROOT = Path(__file__).parents[1]
FLAGS = doctest.NORMALIZE_WHITESPACE


def modules():
    for package in (pytopo, pytopo.cli):
        yield package.__name__
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not found.name.endswith("__main__"):
                yield found.name


def documents():
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def name_of(path):
    return str(path.relative_to(ROOT))


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.filterwarnings("default::DeprecationWarning:torch")
@pytest.mark.parametrize("name", sorted(set(modules())))
def test_the_examples_of_a_module_print_what_they_say(name):
    for package in ("monai", "torchmetrics"):
        if name.startswith(f"pytopo.integrations.{package}"):
            pytest.importorskip(package)
    failed, _ = doctest.testmod(import_module(name), optionflags=FLAGS)
    assert failed == 0


def blocks_of(text, language="python"):
    """Return the blocks of a language; their line numbers are those of the document."""
    blocks = re.finditer(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    return [(text.count("\n", 0, block.start(1)), block[1]) for block in blocks]


def names_after(path, blocks):
    """Run blocks as doctests, and return the names that they leave."""
    parser, runner = doctest.DocTestParser(), doctest.DocTestRunner(optionflags=FLAGS)
    names = {"np": np, "pytopo": pytopo}
    for line, block in blocks:
        test = parser.get_doctest(block, names, path.name, str(path), line)
        assert test.examples, f"{path.name}:{line} has a Python block without an example"
        runner.run(test, clear_globs=False)
        names.update(test.globs)
    assert runner.failures == 0
    return names


@pytest.mark.parametrize("path", documents(), ids=name_of)
def test_the_code_of_a_document_prints_what_it_says(path):
    if path.name == "gallery.md":
        pytest.importorskip("jupytext")  # takes long: run with the rest of the course
        pytest.importorskip("sklearn")
    names_after(path, blocks_of(path.read_text()))


def blocks_with_packages():
    """Return the blocks that want a package: their document, line and code."""
    return [
        pytest.param(path, line, block, id=f"{name_of(path)}:{line}")
        for path in documents()
        for line, block in blocks_of(path.read_text(), "py")
    ]


# What other packages warn of while they are imported and run is theirs.
@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize(("path", "line", "block"), blocks_with_packages())
def test_a_block_that_wants_a_package_runs_where_it_is_installed(path, line, block):
    examples = doctest.DocTestParser().get_examples(block)
    source = "".join(example.source for example in examples) if examples else block
    tree = ast.parse(source, f"{path.name}:{line}")
    for package in sorted(packages_of(tree)):
        pytest.importorskip(package, exc_type=ImportError)
    before = [b for b in blocks_of(path.read_text()) if b[0] < line]
    if examples:
        names_after(path, [*before, (line, block)])
    else:
        exec(compile(tree, f"{path.name}:{line}", "exec"), {"__name__": "document"})


def packages_of(tree):
    """Return the modules that a piece of code imports."""
    imports = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    return imports | {
        node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)
    }


def test_a_wrong_document_would_be_noticed():
    ((line, block),) = blocks_of("text\n\n```python\n>>> 1 + 1\n3\n```\n")
    assert line == 3
    test = doctest.DocTestParser().get_doctest(block, {}, "wrong", None, line)
    assert doctest.DocTestRunner().run(test, out=lambda text: None).failed == 1


def links(text):
    return [
        target for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text) if "://" not in target
    ]


@pytest.mark.parametrize("path", documents(), ids=name_of)
def test_the_links_of_a_document_lead_somewhere(path):
    assert [
        target for target in links(path.read_text()) if not (path.parent / target).exists()
    ] == []


def test_the_documents_that_the_source_names_exist():
    for folder in ("pytopo", "cli"):
        for source in (ROOT / folder).rglob("*.py"):
            for name in re.findall(r"`(docs/[\w-]+\.md)`", source.read_text()):
                assert (ROOT / name).exists(), f"{source.name} names {name}"
