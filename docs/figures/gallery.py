"""The pictures of the gallery: each block of its page draws one, and is run here."""

import ast
import contextlib
import doctest
import io
import os
import re
from pathlib import Path
from tempfile import TemporaryDirectory

from dark import darken
from matplotlib import pyplot as plt

PAGE = Path(__file__).parents[1] / "gallery.md"
PICTURE = re.compile(r"figures/(gallery-[\w-]+\.png)")


def pictures() -> list[str]:
    """Return the names of the pictures, in the order of the page."""
    return PICTURE.findall(PAGE.read_text(encoding="utf-8"))


def draw_gallery(folder: Path) -> None:
    """Run the page; its pictures go into a folder, and into its ``dark`` if there is one."""
    folder, names, home = folder.resolve(), {}, Path.cwd()
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.M | re.S)
    with TemporaryDirectory() as work, contextlib.redirect_stdout(io.StringIO()):
        os.chdir(work)
        try:
            for block in blocks:
                for example in doctest.DocTestParser().get_examples(block):
                    exec(compile(ast.parse(example.source), str(PAGE), "exec"), names)
                for picture in Path(work).glob("gallery-*.png"):
                    picture.rename(folder / picture.name)
                    if (folder / "dark").is_dir():
                        darken(plt.gcf())
                        plt.savefig(folder / "dark" / picture.name, facecolor="#121212")
                plt.close("all")
        finally:
            os.chdir(home)
