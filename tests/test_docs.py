"""The documents hold together: lessons, figures, the way from the paper to the source."""

import ast
import doctest
import importlib.util
import pkgutil
import re
import sys
from collections import deque
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import matplotlib.image
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from test_examples import FLAGS, ROOT, documents, links

import pytopo

DOCS = ROOT / "docs"
LESSONS = (
    "lesson-1-sublevel-sets.md",
    "lesson-2-cells.md",
    "lesson-3-reduction.md",
    "lesson-4-pairs.md",
    "lesson-5-diagram.md",
    "lesson-6-fast-2d.md",
    "lesson-7-matching.md",
    "lesson-8-loss.md",
    "lesson-9-training.md",
    "lesson-10-volumes.md",
    "lesson-11-simplification.md",
    "lesson-12-tiles.md",
)


@pytest.fixture(scope="module")
def make():
    """Return the module that makes the figures."""
    sys.path.insert(0, str(DOCS / "figures"))
    yield import_module("make")
    sys.path.remove(str(DOCS / "figures"))


def heading(name):
    return (DOCS / name).read_text().splitlines()[0]


# --- lessons ---------------------------------------------------------------------------


@pytest.mark.parametrize(("number", "name"), list(enumerate(LESSONS, 1)))
def test_a_lesson_has_three_exercises_and_each_a_solution(number, name):
    text = (DOCS / name).read_text()
    assert heading(name).startswith(f"# Lesson {number}: ")
    exercises = text.split("## Exercises")[1].split("\n## ")[0]
    assert re.findall(r"^(\d)\. ", exercises, re.MULTILINE) == ["1", "2", "3"]
    solutions = (ROOT / "tests" / "test_lessons.py").read_text()
    for k in (1, 2, 3):
        assert f"def test_lesson_{number}_exercise_{k}():" in solutions


def test_the_lessons_lead_from_one_to_the_next():
    for name, following in pairwise(LESSONS):
        last = (DOCS / name).read_text().split("\nNext: ")[1]
        assert links(last)[0] == following


def test_all_lessons_have_one_image():
    images = [
        [int(value) for value in re.findall(r"\d+", rest)[:25]]
        for name in ("conventions.md", *LESSONS)
        for rest in (DOCS / name).read_text().split(">>> image = np.array(")[1:]
    ]
    assert len(images) > 6
    assert all(sorted(image) == list(range(1, 26)) and image == images[0] for image in images)


# --- figures ---------------------------------------------------------------------------


def pictures():
    """Return the pictures that documents show, by the name of their file."""
    return {
        Path(target).name
        for path in documents()
        for target in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", path.read_text())
    }


def test_every_picture_of_a_lesson_is_made_by_the_code_of_the_documents(make):
    prefixes = ("lesson-", "regions-", "betti-matching-", "metrics-", "compare-", "large-")
    of_lessons = {name for name in pictures() if name.startswith(prefixes)}
    assert of_lessons == set(make.figures())
    of_gallery = {name for name in pictures() if name.startswith("gallery-")}
    assert of_gallery == set(make.pictures())


def test_a_black_marker_is_light_on_a_dark_page(make):
    figure = Figure()
    (line,) = figure.subplots().plot([0, 1], "s-", color="black", markerfacecolor="none")
    make.darken(figure)
    for colour in (line.get_color(), line.get_markeredgecolor()):
        assert min(to_rgb(colour)) > 0.9


@pytest.mark.compiled
def test_figures_are_drawn_and_not_blank(make, tmp_path):
    names = ["lesson-1-image.png", "lesson-3-column-15.png", "lesson-8-one-step.png"]
    make.main(tmp_path, *names)
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    for name in names:
        assert np.ptp(matplotlib.image.imread(tmp_path / name)) > 0.5


def test_every_picture_that_is_shown_is_a_picture():
    for path in documents():
        for target in re.findall(r"!\[[^\]]*\]\(([^):]+\.png)\)", path.read_text()):
            start = (path.parent / target).read_bytes()[:8]
            assert start == b"\x89PNG\r\n\x1a\n", target


# --- from the paper to the source ------------------------------------------------------


def test_every_function_and_test_named_beside_the_paper_exists():
    text = (DOCS / "from-paper-to-source.md").read_text()
    functions = set(re.findall(r"`(pytopo\.[\w.]+)`", text))
    tests = set(re.findall(r"(test_\w+\.py)::(test_\w+)", text))
    assert len(functions) > 15
    assert len(tests) > 25
    for name in functions:
        assert resolved(name) is not None, name
    for file, test in tests:
        assert re.search(rf"^def {test}\(", (ROOT / "tests" / file).read_text(), re.M), test


def resolved(name):
    """Return what a dotted name names, None if there is no such thing."""
    parts = name.split(".")
    for k in range(len(parts), 0, -1):
        module = ".".join(parts[:k])
        try:
            found = importlib.util.find_spec(module)
        except ModuleNotFoundError:
            continue
        if found is not None:
            thing = import_module(module)
            for part in parts[k:]:
                thing = getattr(thing, part, None)
            return thing
    return None


def test_a_name_that_does_not_exist_is_noticed():
    assert resolved("pytopo.matching.assignment.nonsense") is None
    assert resolved("pytopo.nonsense.match") is None
    assert resolved("pytopo.matching.assignment.match") is pytopo.match


# --- numbers of the experiments --------------------------------------------------------


def test_the_weights_that_are_advised_have_the_numbers_of_the_results():
    """An experiment that is repeated changes its page; the advice has to follow."""
    text = (DOCS / "loss.md").read_text()
    rows = [
        line for line in text.splitlines() if re.search(r"\| \d[\d.]+ to \d|wrong holes", line)
    ]
    assert len(rows) == 6
    page = ""
    for row in rows:
        found = re.search(r"\((results/[\w-]+\.md)\)", row)
        page = (DOCS / found[1]).read_text() if found else page
        numbers = re.findall(r"\b\d\.\d{3,4}\b", row.split("|")[4])
        assert len(numbers) == 4
        for number in numbers:
            assert re.search(rf"\| {re.escape(number)} ±", page), (row, number)


# --- finding one's way -----------------------------------------------------------------


def clicks_from(start):
    """Return how many links lead from a document to each file, by the shortest way."""
    clicks, todo = {start: 0}, deque([start])
    while todo:
        path = todo.popleft()
        if path.suffix != ".md":
            continue
        for target in links(path.read_text()):
            reached = (path.parent / target).resolve()
            if reached.exists() and reached not in clicks:
                clicks[reached] = clicks[path] + 1
                todo.append(reached)
    return clicks


@pytest.mark.parametrize(
    ("idea", "page", "source"),
    [
        ("the reduction", "lesson-3-reduction.md", "pytopo/kernels/reduction.py"),
        ("the elder rule", "lesson-6-fast-2d.md", "pytopo/kernels/kruskal.py"),
        ("the matching", "lesson-7-matching.md", "pytopo/matching/assignment.py"),
        ("the gradient", "lesson-8-loss.md", "pytopo/kernels/squares.py"),
    ],
)
def test_an_idea_and_its_source_are_three_clicks_from_the_readme(idea, page, source):
    clicks = clicks_from(ROOT / "README.md")
    assert clicks[DOCS / page] <= 2, idea
    assert ROOT / source in {
        (DOCS / target).resolve() for target in links((DOCS / page).read_text())
    }
    assert clicks[ROOT / source] <= 3, idea


def test_clicks_are_counted_along_the_shortest_way(tmp_path):
    for name, text in {
        "a.md": "[b](b.md), [gone](gone.md), [away](https://a.md)",
        "b.md": "[c](c.md#part) [d](d.py)",
        "c.md": "[a](a.md), [d](d.py)",
        "d.py": "[e](e.md)",
        "e.md": "",
    }.items():
        (tmp_path / name).write_text(text)
    clicks = clicks_from(tmp_path / "a.md")
    assert {path.name: n for path, n in clicks.items()} == {
        "a.md": 0,
        "b.md": 1,
        "c.md": 2,
        "d.py": 2,
    }


# --- the glossary ----------------------------------------------------------------------


def glossary():
    """Return the rows of the tables of the glossary, by heading: term, meaning, links."""
    sections = (DOCS / "glossary.md").read_text().split("\n## ")[1:]
    return [
        [re.split(r" (?<!\\)\| ", line.strip("| ")) for line in section.splitlines()[4:]]
        for section in sections
    ]


def test_every_term_of_the_glossary_stands_there_once_and_says_where_it_is_explained():
    tables = glossary()
    terms = [row[0] for table in tables for row in table]
    assert len(terms) == len(set(terms)) > 60
    for table in tables:
        assert [row[0].lower() for row in table] == sorted(row[0].lower() for row in table)
        assert all(len(row) == 3 and links(row[2]) for row in table)


def anchors(path):
    """Return the anchors that the headings of a document have."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", documents(), ids=lambda path: path.name)
def test_every_link_to_a_section_finds_it(path):
    found = re.findall(r"\]\(([^)#\s]*\.md|)#([^)\s]+)\)", path.read_text())
    for target, anchor in found:
        there = (path.parent / target).resolve() if target else path
        assert anchor in anchors(there), f"{target}#{anchor}"


def prose(text):
    """Return a document without its code: neither blocks nor spans nor targets of links."""
    text = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    text = re.sub(r"^    .*$", "", text, flags=re.MULTILINE)
    return re.sub(r"`[^`]*`|\]\([^)]*\)", "", text)


@pytest.mark.parametrize(
    ("retired", "term"),
    [
        ("victim", "younger component"),
        ("hangs? together", "connected"),
        ("twins?", "reference implementation, algorithm"),
        ("routes?", "algorithm"),
        ("made[- ]up", "synthetic"),
        ("source document", "Datta (2024)"),
        ("nothing was chosen by", "held-out"),
        ("slots? (?:is|are) filled", "creator edge"),
    ],
)
def test_a_retired_word_does_not_come_back(retired, term):
    for path in [*documents(), ROOT / "CONTRIBUTING.md"]:
        found = re.search(rf"\b{retired}\b", prose(path.read_text()), re.IGNORECASE)
        assert found is None, f"{path.name} has {found[0]!r}; the term is {term}"


def test_prose_is_what_is_not_code():
    text = "a `route`\n\n    twin\n```sh\nvictim\n```\n[b](made-up.md)"
    assert not re.search("route|twin|victim|made-up", prose(text))
    assert prose(text).split() == ["a", "[b"]


# --- the site --------------------------------------------------------------------------


def test_every_document_is_on_the_site():
    entries = re.findall(
        r"^([\w/*-]+)$",
        "".join(re.findall(r"```{toctree}(.*?)```", all_text(), re.DOTALL)),
        re.MULTILINE,
    )
    listed = {path for entry in entries for path in DOCS.glob(f"{entry}.md")}
    alone = {path for path in DOCS.rglob("*.md") if path.read_text().startswith("---\norphan")}
    assert {p.name for p in set(DOCS.rglob("*.md")) - listed - alone} == {"index.md"}


def test_redirects_lead_to_pages_and_nothing_leads_to_the_old_ones():
    redirects = redirects_of((DOCS / "conf.py").read_text())
    assert {"fast-2d", "matching"} <= set(redirects)
    for old, target in redirects.items():
        assert not (DOCS / f"{old}.md").exists()
        assert (DOCS / target).with_suffix(".md").exists(), target
    for path in documents():
        for target in links(path.read_text()):
            there = Path(target)
            if there.suffix in {".md", ".html"} and (path.parent / there).parent == DOCS:
                assert there.stem not in redirects, f"{path.name} links to {target}"


def redirects_of(configuration):
    """Return the redirects that a configuration of Sphinx sets, without running it."""
    for node in ast.parse(configuration).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "redirects":
            return ast.literal_eval(node.value)
    return {}


def all_text():
    return "".join(path.read_text() for path in sorted(DOCS.rglob("*.md")))


def test_every_public_name_has_a_place_in_the_reference():
    reference = (DOCS / "reference.md").read_text()
    for name in pytopo.__all__:
        is_module = isinstance(getattr(pytopo, name), ModuleType)
        assert is_module or re.search(rf"^\.\. auto\w+:: {name}$", reference, re.M), name


def test_every_kernel_is_named_by_its_package():
    """The page of kernels lists the modules of the package, so each has to have a docstring."""
    package = import_module("pytopo.kernels")
    for found in pkgutil.iter_modules(package.__path__):
        assert import_module(f"pytopo.kernels.{found.name}").__doc__


def test_no_number_about_speed_stands_in_a_document():
    """Times and ratios are written by `pytopo bench` and `pytopo experiment`, into results/."""
    claim = re.compile(r"\b\d[\d.,]*\s*(?:ms|µs|us|seconds?|times faster|x faster)\b")
    for path in documents():
        if "results" not in path.parts:
            assert claim.findall(path.read_text()) == [], path.name
    assert claim.findall("it takes 3 ms, 2.5 seconds, and is 12 times faster")


# --- how docstrings are shown ----------------------------------------------------------


def test_the_examples_of_the_site_itself_print_what_they_say():
    sys.path.insert(0, str(DOCS))
    try:
        failed, tried = doctest.testmod(import_module("docstrings"), optionflags=FLAGS)
    finally:
        sys.path.remove(str(DOCS))
    assert (failed, tried > 0) == (0, True)
