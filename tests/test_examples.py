"""Every example is run: docstrings of all modules, and the code blocks of the documents.

A Python block of a document is run as a doctest; all blocks of one document share their
names, as a reader who types them in would.
"""

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
    return [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("name", sorted(set(modules())))
def test_the_examples_of_a_module_print_what_they_say(name):
    failed, _ = doctest.testmod(import_module(name), optionflags=FLAGS)
    assert failed == 0


def python_blocks(text):
    """Return the Python blocks of a document; their line numbers are those of the document."""
    blocks = re.finditer(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    return [(text.count("\n", 0, block.start(1)), block[1]) for block in blocks]


@pytest.mark.parametrize("path", documents(), ids=lambda path: path.name)
def test_the_code_of_a_document_prints_what_it_says(path):
    blocks = python_blocks(path.read_text())
    parser, runner = doctest.DocTestParser(), doctest.DocTestRunner(optionflags=FLAGS)
    names = {"np": np, "pytopo": pytopo}
    for line, block in blocks:
        test = parser.get_doctest(block, names, path.name, str(path), line)
        assert test.examples, f"{path.name}:{line} has a Python block without an example"
        runner.run(test, clear_globs=False)
        names.update(test.globs)
    assert runner.failures == 0


def test_a_wrong_document_would_be_noticed():
    ((line, block),) = python_blocks("text\n\n```python\n>>> 1 + 1\n3\n```\n")
    assert line == 3
    test = doctest.DocTestParser().get_doctest(block, {}, "wrong", None, line)
    assert doctest.DocTestRunner().run(test, out=lambda text: None).failed == 1


def links(text):
    return [
        target for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text) if "://" not in target
    ]


@pytest.mark.parametrize("path", documents(), ids=lambda path: path.name)
def test_the_links_of_a_document_lead_somewhere(path):
    assert [
        target for target in links(path.read_text()) if not (path.parent / target).exists()
    ] == []


def test_the_documents_that_the_source_names_exist():
    for folder in ("pytopo", "cli"):
        for source in (ROOT / folder).rglob("*.py"):
            for name in re.findall(r"`(docs/[\w-]+\.md)`", source.read_text()):
                assert (ROOT / name).exists(), f"{source.name} names {name}"
