"""Docstrings of the package as reStructuredText.

They are written to be read in the source: an indented block is a drawing, a formula or a piece
of code, and bars and stars are what they look like.  In reStructuredText such a block would be
a quotation, bars and stars would be marks, so the blocks are declared literal here and the
marks escaped.
"""

import re

SECTION = re.compile(r"-{3,}$")  # what numpydoc draws below the name of a section


def as_restructured_text(lines: list[str]) -> list[str]:
    """Return the lines of a docstring with its drawings declared literal.

    Sections of numpydoc are left alone, but for bars and stars.

    Examples
    --------
    >>> for line in as_restructured_text(["The size |x|:", "", "    |x| = 1", "", "Done."]):
    ...     print(line)
    The size \\|x\\|:
    <BLANKLINE>
    ::
    <BLANKLINE>
        |x| = 1
    <BLANKLINE>
    Done.
    """
    text, literal, in_sections = [], False, False
    for k, line in enumerate(lines):
        in_sections = in_sections or SECTION.match(line) is not None
        if literal and line.strip() and not line.startswith("    "):
            literal = False
            text += [] if not lines[k - 1].strip() else [""]
        starts = line.startswith("    ") and k > 0 and not lines[k - 1].strip()
        if starts and not literal and not in_sections:
            literal = True
            before = next((b for b in reversed(lines[:k]) if b.strip()), "")
            if not before.endswith("::"):
                text += ["::", ""]
        text.append(line if literal or is_code(line) else escaped(line))
    return text


def is_code(line: str) -> bool:
    """Tell whether a line is a part of an example."""
    return line.lstrip().startswith((">>>", "..."))


def escaped(line: str) -> str:
    """Return a line of prose with bars and stars escaped, but for literals and emphasis.

    Examples
    --------
    >>> print(escaped("``a|b`` of *all* files *.py, |x|"))
    ``a|b`` of *all* files \\*.py, \\|x\\|
    """
    parts = re.split(r"(``.*?``|(?<!\S)\*{1,2}\w(?:[^*]*\w)?\*{1,2}(?!\w))", line)
    return "".join(
        part if k % 2 else re.sub(r"([|*])", r"\\\1", part) for k, part in enumerate(parts)
    )


def sections_as_rubrics(lines: list[str]) -> list[str]:
    """Return the lines of the docstring of a module, which numpydoc leaves alone.

    Examples
    --------
    >>> sections_as_rubrics(["Examples", "--------", ">>> 1"])
    ['.. rubric:: Examples', '', '>>> 1']
    """
    text = list(lines)
    for k, line in enumerate(text[1:], 1):
        if SECTION.match(line):
            text[k - 1 : k + 1] = [f".. rubric:: {text[k - 1]}", ""]
    return text
