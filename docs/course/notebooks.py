"""The pages as Jupyter notebooks, each made from its Markdown.

    python docs/course/notebooks.py FOLDER [PAGE ...] [--run] [--colab REPOSITORY]

    a Python session      ->  code cells, without prompts and without what was printed
    a figure              ->  an attachment, so that a notebook is one file
    a link to a page      ->  the notebook beside it; other files are on GitHub
    exercises             ->  their solutions after them, folded
    <!-- notebook ... -->     a code cell that only the notebook has: something to move

Jupytext turns what comes out into cells.  With ``--run`` every notebook is executed from top to
bottom, and an error in a cell ends the command; ``--colab OWNER/NAME/blob/BRANCH/FOLDER`` says
where the notebooks will be on GitHub, and each begins with a link that opens it in Colab.
"""

import argparse
import base64
import doctest
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import jupytext
import nbformat
from nbformat import NotebookNode
from solutions import with_solutions

DOCS = Path(__file__).parents[1]
PAGES = tuple(
    path.stem
    for pattern in (
        "lesson-*.md",
        "fast-?d.md",
        "lesson-7-matching.md",
        "how-to-*.md",
        "loss*.md",
    )
    for path in sorted(DOCS.glob(pattern))
)
INSTALL = """\
try:
    import pytopo
except ModuleNotFoundError:
    %pip install --quiet "pytopo-toolkit[html]" ipywidgets
import numpy as np, pytopo"""
COLAB = "https://colab.research.google.com/github"
BADGE = "[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]({})"
BLOCK = re.compile(r"^```python\n(.*?)^```\n", re.M | re.S)
HIDDEN = re.compile(r"^<!-- notebook\n(.*?)^-->\n", re.M | re.S)
FIGURE = re.compile(r"!\[([^\]]*)\]\((figures/[^)]+)\)")
LINK = re.compile(r"(?<!!)\[([^\]]*)\]\((?!https?:|#|attachment:)([^)#]+)(#[^)]*)?\)")
RAISES = "raises-exception"  # the tag of a cell whose error is part of the page


def notebook_of(page: str, text: str, colab: str = "") -> NotebookNode:
    """Return the notebook of a page, not executed.

    Parameters
    ----------
    page : str
        Its name, without ``.md``.
    text : str
        Its Markdown.
    colab : str
        OWNER/NAME/blob/BRANCH/FOLDER; empty for no link.
    """
    text = with_solutions(text, language="py")
    text = BLOCK.sub(lambda block: "\n".join(_cells(block[1])), text)
    text = HIDDEN.sub(lambda cell: _fenced(cell[1].rstrip()), text)
    text = LINK.sub(lambda link: _linked(link[1], link[2], link[3] or "", colab), text)
    first = _fenced(INSTALL)
    if colab:
        first = f"{BADGE.format(f'{COLAB}/{colab}/{page}.ipynb')}\n\n{first}"
    title, _, rest = text.partition("\n")
    notebook = jupytext.reads(f"{title}\n\n{first}\n{rest}", fmt="md")
    notebook.metadata["kernelspec"] = {
        "display_name": "Python 3",
        "language": "python",
        "name": "python3",
    }
    for k, cell in enumerate(notebook.cells):
        cell["id"] = f"{page}-{k}"
        if cell.cell_type == "markdown":
            _attach_figures(cell)
        elif cell.source.endswith(f"# {RAISES}"):
            cell.source = cell.source.removesuffix(f"# {RAISES}").rstrip()
            cell.metadata["tags"] = [RAISES]
    return notebook


def _cells(session: str) -> Iterator[str]:
    """Yield the cells of a Python session: each ends with the first line that shows something.

    Examples
    --------
    >>> print(*_cells(">>> a = 1" + chr(10) + ">>> a" + chr(10) + "1" + chr(10)))
    ```python
    a = 1
    a
    ```
    <BLANKLINE>
    """
    lines: list[str] = []
    for example in doctest.DocTestParser().get_examples(session):
        lines.append(re.sub(r"\s*# doctest:.*", "", example.source.rstrip()))
        if example.exc_msg is not None:
            lines.append(f"# {RAISES}")
        if example.want:
            yield _fenced("\n".join(lines))
            lines = []
    if lines:
        yield _fenced("\n".join(lines))


def _linked(words: str, target: str, part: str, colab: str) -> str:
    """Return a link as a notebook can follow it, or only its words.

    Examples
    --------
    >>> _linked("pairs", "lesson-4-pairs.md", "#1-order", "")
    '[pairs](lesson-4-pairs.ipynb#1-order)'
    >>> _linked("here", "../pytopo/order.py", "", "")
    'here'
    >>> _linked("here", "../pytopo/order.py", "", "me/it/blob/main/notebooks")
    '[here](https://github.com/me/it/blob/main/pytopo/order.py)'
    """
    page = target.removesuffix(".md")
    if page in PAGES:
        return f"[{words}]({page}.ipynb{part})"
    if not colab:
        return words
    branch = "/".join(colab.split("/")[:4])
    path = (DOCS / target).resolve().relative_to(DOCS.parent).as_posix()
    return f"[{words}](https://github.com/{branch}/{path}{part})"


def _fenced(code: str) -> str:
    return f"```python\n{code}\n```\n"


def _attach_figures(cell: NotebookNode) -> None:
    """Put the figures that a cell shows into the cell."""
    for name in {match[2] for match in FIGURE.finditer(cell.source)}:
        data = base64.b64encode((DOCS / name).read_bytes()).decode()
        cell.setdefault("attachments", {})[Path(name).name] = {"image/png": data}
    cell.source = FIGURE.sub(
        lambda figure: f"![{figure[1]}](attachment:{Path(figure[2]).name})", cell.source
    )


def execute(notebook: NotebookNode) -> None:
    """Run all cells of a notebook in an empty folder, and keep what they show.

    Raises
    ------
    nbclient.exceptions.CellExecutionError
        If a cell fails.
    """
    from nbclient import NotebookClient

    with TemporaryDirectory() as folder:
        NotebookClient(
            notebook,
            timeout=600,
            resources={"metadata": {"path": folder}},
            extra_arguments=["--log-level=ERROR"],
        ).execute()


def write_notebooks(
    folder: Path, pages: Iterable[str], *, run: bool = False, colab: str = ""
) -> None:
    """Write the notebooks of pages into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for page in pages:
        notebook = notebook_of(page, (DOCS / f"{page}.md").read_text(encoding="utf-8"), colab)
        if run:
            execute(notebook)
        nbformat.validate(notebook)
        nbformat.write(notebook, folder / f"{page}.ipynb")
        print(f"wrote {folder / page}.ipynb", file=sys.stderr)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("pages", nargs="*", metavar="PAGE", default=PAGES)
    parser.add_argument("--run", action="store_true", help="execute them from top to bottom")
    parser.add_argument("--colab", default="", metavar="OWNER/NAME/blob/BRANCH/FOLDER")
    args = parser.parse_args()
    write_notebooks(args.folder, args.pages, run=args.run, colab=args.colab)


if __name__ == "__main__":
    main()
