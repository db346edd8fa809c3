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
    '(2, 0): 19 alone in its moat, and all the rest; the moat meets the border: no hole.'
    >>> print(found[2].code.splitlines()[-3])
    assert pytopo.persistence(IMAGE, superlevel=True).betti(7.5) == (2, 0)
    >>> print(*found[2].code.splitlines()[:5], sep=chr(10))  # what it uses comes first
    import numpy as np
    from scipy import ndimage
    import pytopo
    <BLANKLINE>
    IMAGE = np.array(
    """
    text = tests.read_text(encoding="utf-8")
    module = ast.parse(text)
    found = {}
    for node in module.body:
        if isinstance(node, ast.FunctionDef) and (
            named := re.fullmatch(rf"test_{page}_exercise_(\d+)", node.name)
        ):
            code = f"{_used(text, module, node)}{_body(text, node)}"
            found[int(named[1])] = Solution(ast.get_docstring(node) or "", code)
    return found


def _used(text: str, module: ast.Module, function: ast.FunctionDef) -> str:
    """Return what a function uses of its module, and what that uses: a solution runs alone."""
    names, known = _names(function), set()
    while names != known:
        known = names
        used = [node for node in module.body if node is not function and _bound(node) & names]
        names = names.union(*map(_names, used))
    kinds = (ast.Import, ast.ImportFrom), ast.Assign, ast.FunctionDef
    parts = [[node for node in used if isinstance(node, kind)] for kind in kinds]
    ends = "\n", "\n", "\n\n\n"  # between two of a kind
    blocks = [
        end.join(str(ast.get_source_segment(text, node)) for node in part)
        for part, end in zip(parts, ends)
    ]
    return "".join(f"{block}\n\n" for block in blocks if block)


def _bound(node: ast.stmt) -> set[str]:
    """Return the names that a statement of a module binds, or changes."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        return {name.asname or name.name for name in node.names}
    if isinstance(node, ast.Assign):
        return set().union(*map(_names, node.targets))
    return {node.name} if isinstance(node, ast.FunctionDef) else set()


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
