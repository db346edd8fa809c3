"""Slides of the lessons, made from the same Markdown as the pages and the notebooks.

    python docs/course/slides.py FOLDER [PAGE ...]

A section of a lesson is a column of slides: its heading with its first sentence and those with
a word in bold, then each figure, table, list, formula and Python session with what it prints.
The prose is what the lecturer says.  Nbconvert makes HTML of it, with formulas as MathML, and
reveal.js shows it; the copy that comes with sphinx-revealjs is put beside the slides, so they
need no network.
"""

import argparse
import re
import shutil
import sys
from html import escape
from importlib.resources import as_file, files
from pathlib import Path

from formulas import mathml
from jinja2 import pass_context
from jinja2.runtime import Context
from nbconvert import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell, new_notebook
from notebooks import DOCS, HIDDEN, execute, notebook_of

LESSONS = tuple(path.stem for path in sorted(DOCS.glob("lesson-*.md")))
SENTENCE = re.compile(r"\s*(.+?(?:[.?](?:\*\*)?|:\Z))(?=\s|\Z)", re.S)
LONG = 21  # lines; more of them are written smaller
PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{title}</title>
<link rel="stylesheet" href="reveal.js/dist/reveal.css">
<link rel="stylesheet" href="reveal.js/dist/theme/white.css">
<link rel="stylesheet" href="slides.css">
</head>
<body>
<div class="reveal"><div class="slides">
{columns}
</div></div>
<script src="reveal.js/dist/reveal.js"></script>
<script>Reveal.initialize({{hash: true, slideNumber: true, width: 1280, height: 720}});</script>
</body>
</html>
"""
SHOWN = ("![", "|", "- ", "1. ", "    ", "$$")  # how what is shown as a whole begins


def slides_of(page: str, text: str) -> list[list[NotebookNode]]:
    """Return the slides of a lesson, executed, in columns: a cell each."""
    lesson = re.split(r"^## (?:Exercises|References)$", HIDDEN.sub("", text), flags=re.M)[0]
    notebook = notebook_of(page, lesson)
    execute(notebook)
    title, _install, *cells = notebook.cells
    columns = [[title]]
    for cell in cells:
        for piece in [cell] if cell.cell_type == "code" else _pieces(cell):
            if piece.source.startswith("## "):
                columns.append([])
            columns[-1].append(piece)
    return columns


def page_of(columns: list[list[NotebookNode]]) -> str:
    """Return the HTML of slides in columns."""
    title = columns[0][0].source.removeprefix("# ")
    return PAGE.format(title=escape(title), columns="\n".join(map(_column, columns)))


def _column(cells: list[NotebookNode]) -> str:
    """Return the HTML of a column; slides below the first repeat its heading, small."""
    first, *rest = map(_html, cells)
    heading = escape(cells[0].source.partition("\n")[0].lstrip("# "))
    below = [
        f"<section{_size(cell)}><h3>{heading}</h3>{html}</section>"
        for cell, html in zip(cells[1:], rest)
    ]
    return "\n".join(["<section>", f"<section>{first}</section>", *below, "</section>"])


class _Renderer(IPythonRenderer):
    """HTML of Markdown as nbconvert makes it, but for formulas: it leaves them to MathJax."""

    def inline_math(self, body: str) -> str:
        return mathml(body)

    def block_math(self, body: str) -> str:
        return mathml(body, block=True)


class _Exporter(HTMLExporter):
    @pass_context
    def markdown2html(self, context: Context, source: str) -> str:
        attachments = context["cell"].get("attachments", {})
        renderer = _Renderer(escape=False, attachments=attachments)
        return MarkdownWithMath(renderer=renderer).render(source)


def _size(cell: NotebookNode) -> str:
    """Return the class of a slide of many lines, which is written smaller."""
    shown = [output.get("text", "") for output in cell.get("outputs", [])]
    lines = sum(len(text.splitlines()) for text in [cell.source, *shown])
    return ' class="long"' if lines > LONG else ""


def _html(cell: NotebookNode) -> str:
    exporter = _Exporter(template_name="basic", exclude_input_prompt=True)
    return exporter.from_notebook_node(new_notebook(cells=[cell]))[0]


def _pieces(cell: NotebookNode) -> list[NotebookNode]:
    """Return a slide for each thing that a cell shows, with the sentence that introduces it."""
    pieces: list[str] = []
    heading = sentence = False  # whether the last piece may take a sentence, or a thing to show
    for paragraph in re.split(r"\n\s*\n", cell.source.strip("\n")):
        if paragraph.startswith("#"):
            pieces.append(paragraph)
            heading = sentence = True
        elif paragraph.startswith(SHOWN):
            if heading:
                pieces[-1] += f"\n\n{paragraph}"
            else:
                pieces.append(paragraph)
            heading = sentence = False
        elif sentence and (first := SENTENCE.match(paragraph)):
            pieces[-1] += "\n\n" + " ".join([first[1], *_bold(paragraph[first.end() :])])
            sentence = False
        else:
            pieces += _bold(paragraph)
    return [_with_attachments(piece, cell) for piece in pieces]


def _bold(paragraph: str) -> list[str]:
    """Return the sentences with a word in bold.

    Examples
    --------
    >>> _bold("One has to end. It is the younger: the **elder rule**. The table is unique.")
    ['It is the younger: the **elder rule**.']
    """
    return [sentence for sentence in SENTENCE.findall(paragraph) if "**" in sentence]


def _with_attachments(piece: str, cell: NotebookNode) -> NotebookNode:
    made = new_markdown_cell(piece)
    names = re.findall(r"\(attachment:([^)]+)\)", piece)
    if names:
        made["attachments"] = {name: cell.attachments[name] for name in names}
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("pages", nargs="*", metavar="PAGE", default=LESSONS)
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(Path(__file__).parent / "slides.css", args.folder)
    with as_file(files("sphinx_revealjs") / "_static" / "revealjs") as reveal:
        for part in ("reveal.js", "reveal.css", "theme"):
            source, target = reveal / "dist" / part, args.folder / "reveal.js" / "dist" / part
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, target, dirs_exist_ok=True)
            else:
                shutil.copy(source, target)
    for page in args.pages:
        text = (DOCS / f"{page}.md").read_text(encoding="utf-8")
        html = page_of(slides_of(page, text))
        (args.folder / f"{page}.html").write_text(html, encoding="utf-8")
        print(f"wrote {args.folder / page}.html", file=sys.stderr)


if __name__ == "__main__":
    main()
