"""Notebooks, slides and solutions are made from the pages, and say what the pages say."""

import doctest
import re
import sys
from importlib import import_module
from types import SimpleNamespace

import pytest
from test_docs import LESSONS
from test_examples import ROOT, blocks_of, documents

COURSE = ROOT / "docs" / "course"
PAGE = """\
# A page

Text with [a page](lesson-2-cells.md#1-cells) and [a file](../pytopo/order.py).

![The image](figures/lesson-1-image.png)

```python
>>> a = 1
>>> a
1
>>> int("one")  # doctest: +ELLIPSIS
Traceback (most recent call last):
    ...
ValueError: invalid literal for int() with base 10: 'one'

```

<!-- notebook
a + 1
-->

```py
>>> import monai
```
"""


@pytest.fixture(scope="module")
def course():
    """Return how to import a module of the course."""
    sys.path.insert(0, str(COURSE))
    sys.path.insert(0, str(ROOT / "docs" / "figures"))
    yield import_module
    for _ in range(2):
        sys.path.pop(0)


@pytest.fixture(scope="module")
def notebooks(course):
    pytest.importorskip("jupytext")
    pytest.importorskip("nbclient")
    return course("notebooks")


def page(name):
    return (ROOT / "docs" / name).read_text()


# --- solutions ---------------------------------------------------------------------------


def test_the_examples_of_the_solutions_print_what_they_say(course):
    assert doctest.testmod(course("solutions")).failed == 0


def test_the_solution_of_an_exercise_is_its_test_in_the_words_of_the_test(course):
    found = course("solutions").solutions_of("lesson_3")
    assert sorted(found) == [1, 2, 3]
    assert found[1].answer == "The reduction in ten lines has the lows of the kernel."
    assert "def reduce_by_hand(matrix):" in found[1].code
    text = (ROOT / "tests" / "test_lessons.py").read_text()
    for line in found[1].code.splitlines():
        assert line.strip() in text


@pytest.mark.parametrize("lesson", range(1, 5))
def test_a_solution_runs_by_itself(course, lesson):
    for solution in course("solutions").solutions_of(f"lesson_{lesson}").values():
        exec(solution.code, {"__name__": "by_itself"})


@pytest.mark.parametrize("name", [*LESSONS, "lesson-betti-matching.md"])
def test_solutions_are_folded_between_the_exercises_and_what_follows(course, name):
    text = course("solutions").with_solutions(page(name))
    exercises = re.split("\nNext: |\n## Ref", text.split("## Exercises\n")[1])[0]
    assert exercises.count("<details>") == exercises.count("</details>") == 3
    assert text.count("<details>") == 3
    assert exercises.index("\n3. ") < exercises.index("<details>")


# --- notebooks ---------------------------------------------------------------------------


def test_a_session_becomes_cells_and_each_ends_with_what_it_shows(notebooks):
    cells = [c for c in notebooks.notebook_of("page", PAGE).cells if c.cell_type == "code"]
    install, first, second, hidden = cells
    assert "%pip install" in install.source
    assert (first.source, hidden.source) == ("a = 1\na", "a + 1")
    assert (second.source, second.metadata.tags) == ('int("one")', ["raises-exception"])


def test_figures_are_in_the_notebook_and_links_lead_to_notebooks(notebooks):
    cells = notebooks.notebook_of("page", PAGE).cells
    (text,) = (c for c in cells if "Text with" in c.source)
    assert "[a page](lesson-2-cells.ipynb#1-cells) and a file." in text.source
    assert "![The image](attachment:lesson-1-image.png)" in text.source
    assert list(text.attachments) == ["lesson-1-image.png"]
    assert "```py\n>>> import monai" in cells[-1].source  # wants a package: not a cell


def test_a_notebook_on_github_opens_in_colab(notebooks):
    place = "me/pytopo/blob/main/notebooks"
    cells = notebooks.notebook_of("page", PAGE, place).cells
    assert f"https://colab.research.google.com/github/{place}/page.ipynb" in cells[0].source
    order = "https://github.com/me/pytopo/blob/main/pytopo/order.py"
    assert any(f"[a file]({order})" in cell.source for cell in cells)


@pytest.mark.compiled
def test_a_notebook_that_is_run_prints_what_the_page_says(notebooks):
    notebook = notebooks.notebook_of("lesson-1-sublevel-sets", page(LESSONS[0]))
    notebooks.execute(notebook)
    printed = "".join(
        output.get("text") or output["data"]["text/plain"] + "\n"
        for cell in notebook.cells
        if cell.cell_type == "code" and "interact" not in cell.source
        for output in cell.outputs
    )
    said = "".join(
        example.want
        for _, block in blocks_of(page(LESSONS[0]))
        for example in doctest.DocTestParser().get_examples(block)
    )
    assert printed.split() == said.split()
    assert len(said) > 300


# --- formulas ----------------------------------------------------------------------------

MATH = '<math xmlns="http://www.w3.org/1998/Math/MathML">'
BLOCK = MATH.replace(">", ' display="block">')
SQUARED = """\
<msub><mi>x</mi><mi>i</mi></msub><mo>≤</mo><msup><mi>ε</mi><mn>2</mn></msup></math>"""


@pytest.fixture(scope="module")
def formulas(course):
    pytest.importorskip("sphinx")
    return course("formulas")


def joined(html):
    """Return HTML without the indentation of its elements."""
    return "".join(line.strip() for line in html.splitlines())


def test_a_formula_of_a_page_is_mathml(formulas):
    nodes = import_module("docutils.nodes")
    renderers = {}

    class App:
        def add_html_math_renderer(self, name, inline, block):
            renderers[name] = {"inline": inline[0], "block": block[0]}

    formulas.add_to(App())
    translator = SimpleNamespace(body=[])
    for kind, node in (("inline", nodes.math), ("block", nodes.math_block)):
        with pytest.raises(nodes.SkipNode):
            renderers["mathml"][kind](translator, node("", r"x_i \le \varepsilon^2"))
    inline, block = map(joined, translator.body)
    assert inline == MATH + SQUARED
    assert block == f'<div class="math">{BLOCK}{SQUARED}</div>'


def test_formulas_of_a_slide_are_mathml(notebooks, course):
    pytest.importorskip("nbconvert")
    text = "# A slide\n\nLet $x_i \\le \\varepsilon^2$.\n\n$$\nx_i \\le \\varepsilon^2\n$$"
    cell = import_module("nbformat").v4.new_markdown_cell(text)
    html = joined(course("slides").page_of([[cell]]))
    assert f"<p>Let {MATH}{SQUARED}.</p>" in html
    assert re.search(rf'<p><math [^>]*display="block"[^>]*>{SQUARED}</p>', html)
    assert "MathJax" not in html


def test_the_bars_of_an_absolute_value_open_and_close(formulas):
    sum_of_two = formulas.mathml(r"\lvert a \rvert + \lvert b \rvert")
    bars = re.findall(r"<mo[^>]*>\|</mo>", sum_of_two)
    assert bars == 2 * ['<mo form="prefix">|</mo>', '<mo form="postfix">|</mo>']


def test_a_formula_that_is_not_known_ends_the_build(formulas):
    with pytest.raises(ValueError, match=r"the formula 'a \\\\persists b': .*persists"):
        formulas.mathml(r"a \persists b ")


FORMULA = re.compile(
    r"\$\$(.+?)\$\$|^```.*?^```|`[^`]*`|^ {4}[^\n]*|\$([^$]+)\$",  # or code, which has none
    re.MULTILINE | re.DOTALL,
)


@pytest.mark.parametrize("path", documents(), ids=lambda path: path.name)
def test_every_formula_of_a_document_can_be_converted(formulas, path):
    for block, inline in FORMULA.findall(path.read_text()):
        if block or inline:
            assert formulas.mathml(block or inline, block=bool(block)).startswith("<math")


def test_formulas_are_told_from_code():
    text = "$a$ `$b$`\n\n    $c\n\n$$d\n    e$$\n\n```sh\n$ f $\n```\n"
    assert [found for found in FORMULA.findall(text) if any(found)] == [
        ("", "a"),
        ("d\n    e", ""),
    ]


# --- slides ------------------------------------------------------------------------------


def test_the_examples_of_the_slides_print_what_they_say(course):
    pytest.importorskip("nbconvert")
    assert doctest.testmod(course("slides")).failed == 0


@pytest.mark.compiled
def test_slides_have_a_column_for_each_section_and_its_figures(notebooks, course):
    pytest.importorskip("nbconvert")
    slides = course("slides")
    columns = slides.slides_of("lesson-3-reduction", page("lesson-3-reduction.md"))
    headings = [column[0].source.splitlines()[0] for column in columns]
    assert headings[0].startswith("# Lesson 3")
    assert [h.split(".")[0] for h in headings[1:]] == [f"## {k}" for k in range(1, 8)]
    assert "attachment:lesson-3-boundary.png" in columns[1][1].source
    assert "for j from left to right" in columns[2][0].source
    html = slides.page_of(columns[:3])
    assert html.count("<section>") == 3 + sum(map(len, columns[:3])) - 1
    assert html.count('<section class="long">') == 1  # the matrix of 25 rows
    assert "data:image/png;base64," in html
