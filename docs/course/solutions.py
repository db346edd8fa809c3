"""The solutions of the exercises: a test each, read from ``tests/test_lessons.py``."""

import ast
import re
import textwrap
from pathlib import Path
from typing import NamedTuple

TESTS = Path(__file__).parents[2] / "tests" / "test_lessons.py"
FOLDED = """\
<details>
<summary>Solution of exercise {number}</summary>

{answer}

```{language}
{code}
```

</details>
"""


class Solution(NamedTuple):
    """What the answer is in words, and code that checks it."""

    answer: str
    code: str


def solutions_of(page: str, tests: Path = TESTS) -> dict[int, Solution]:
    """Return the solutions of a page, such as "lesson_1", by the number of the exercise.

    Examples
    --------
    >>> found = solutions_of("lesson_1")
    >>> sorted(found)
    [1, 2, 3]
    >>> found[2].answer
    'Count the superlevel set at 7.5: components, and holes of what is bright.'
    >>> print(found[2].code.splitlines()[0])
    assert pytopo.persistence(IMAGE, superlevel=True).betti(7.5) == (2, 0)
    >>> print(solutions_of("lesson_3")[1].code.splitlines()[0])  # what the test calls is first
    def reduce_by_hand(matrix):
    """
    text = tests.read_text(encoding="utf-8")
    functions = {
        node.name: node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)
    }
    found = {}
    for name, node in functions.items():
        if named := re.fullmatch(rf"test_{page}_exercise_(\d+)", name):
            helpers = [
                ast.get_source_segment(text, functions[word])
                for word in functions
                if not word.startswith("test_") and word in _names(node)
            ]
            code = "\n\n\n".join([*helpers, _body(text, node)])
            found[int(named[1])] = Solution(ast.get_docstring(node) or "", code)
    return found


def _names(node: ast.AST) -> set[str]:
    return {child.id for child in ast.walk(node) if isinstance(child, ast.Name)}


def _body(text: str, function: ast.FunctionDef) -> str:
    """Return what a function does after its docstring, comments included."""
    lines = text.splitlines()[function.body[0].end_lineno : function.end_lineno]
    return textwrap.dedent("\n".join(lines)).strip("\n")


def with_solutions(page: str, language: str = "python3") -> str:
    """Return a lesson with the solutions of its exercises, folded, after the exercises.

    A page that is no lesson, or has no exercises, stays as it is.

    Examples
    --------
    >>> page = "# Lesson 1: sets" + chr(10) + "## Exercises" + chr(10) + "1. Count." + chr(10)
    >>> with_solutions(page).count("<details>")
    3
    >>> with_solutions("# Matching") == "# Matching"
    True
    """
    title = re.match(r"# (Lesson \d+|[\w ]+)", page)
    exercises = re.search(r"^## Exercises\n.*?(?=^Next: |^## |\Z)", page, re.M | re.S)
    if not (title and exercises):
        return page
    folded = "\n".join(
        FOLDED.format(number=number, answer=one.answer, code=one.code, language=language)
        for number, one in sorted(solutions_of(title[1].lower().replace(" ", "_")).items())
    )
    end = exercises.end()
    return f"{page[:end].rstrip()}\n\n{folded}\n{page[end:]}"
