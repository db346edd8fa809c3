"""How Sphinx makes the site of these documents: `python -m sphinx -W docs FOLDER`.

The documents are plain Markdown with links to files of the repository, so that they can be
read without Sphinx.  Links to modules are turned into links to their highlighted source.
"""

import os
import pkgutil
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar

# Without the JIT a kernel is a function, with a signature and a docstring.
os.environ["NUMBA_DISABLE_JIT"] = "1"
sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent / "course"))

import formulas
from docstrings import as_restructured_text, sections_as_rubrics
from docutils import nodes
from docutils.parsers.rst import directives
from solutions import with_solutions
from sphinx.addnodes import download_reference, pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.transforms import SphinxTransform
from sphinx.util.docutils import SphinxDirective

import pytopo

HERE = Path(__file__).parent
FIGURE = re.compile(r"!\[([^\]]*)\]\(figures/([\w-]+\.png)\)")
CHART = re.compile(r"!\[[^\]]*\]\([\w-]+\.png\)")  # of a page of results, beside it
REPORT = re.compile(r"^<!-- report ([\w-]+) -->$", re.M)

project = "pytopo"
version = release = pytopo.__version__
project_copyright = "the pytopo authors"
extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.viewcode",
    "numpydoc",
    "sphinx_reredirects",
]
redirects = {"fast-2d": "lesson-6-fast-2d.html", "matching": "lesson-7-matching.html"}
exclude_patterns = ["course", "experiments", "**.ipynb_checkpoints"]

html_theme = "furo"
html_title = "pytopo"
html_show_sourcelink = False
html_static_path = ["course/static"]
html_css_files = ["site.css"]
html_math_renderer = "mathml"  # needs no network, as MathJax would

myst_heading_anchors = 3
myst_enable_extensions = ["attrs_inline", "dollarmath"]

# Names in single backticks in docstrings are names of Python.
default_role = "py:obj"
highlight_language = "none"  # what is no Python session is a drawing or a formula
add_module_names = False
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # numpydoc says more
numpydoc_show_class_members = False


class Modules(SphinxDirective):
    """Document all modules of a package, but for those left out.

    A name that ends in a dot leaves all modules below it out.  What the package of a module
    offers under a shorter name is documented under that name, and not here.
    """

    required_arguments = 1
    option_spec: ClassVar = {"except": directives.unchanged}

    def run(self) -> list[nodes.Node]:
        left_out = tuple(self.options.get("except", "").split())
        prefixes = tuple(name for name in left_out if name.endswith("."))
        text = "".join(
            f".. rubric:: {name}\n\n.. automodule:: {name}\n   :members:\n"
            f"   :exclude-members: {', '.join(sorted(names_elsewhere(name)))}\n\n"
            for name in module_names(self.arguments[0])
            if name not in left_out and not f"{name}.".startswith(prefixes or "-")
        )
        return self.parse_text_to_nodes(text)


def module_names(package: str) -> list[str]:
    """Return the names of the modules of a package, and of the packages in it."""
    found = pkgutil.walk_packages(import_module(package).__path__, f"{package}.")
    return [module.name for module in found]


def names_elsewhere(name: str) -> set[str]:
    """Return names in a module that it imports, or that its package offers as its own."""
    module, around = import_module(name), import_module(name.rpartition(".")[0])
    offered = getattr(around, "__all__", ())
    return {
        member
        for member, value in vars(module).items()
        if getattr(value, "__module__", name) != name or member in offered
    }


class LinkToSource(SphinxTransform):
    """Turn links to modules of the repository into links to their highlighted source.

    A link to a folder, which the site has not, becomes plain text.
    """

    default_priority = 900

    def apply(self, **kwargs: Any) -> None:
        here = (HERE / self.env.docname).parent
        for link in list(self.document.findall(pending_xref)):
            if link.get("reftype") == "myst" and (here / str(link["reftarget"])).is_dir():
                link.replace_self(link.children)
        for link in list(self.document.findall(download_reference)):
            page = source_page(str(link.get("reftarget")))
            if page is not None:
                up = "../" * self.env.docname.count("/")
                link.replace_self(
                    nodes.reference("", "", *link.children, refuri=up + page, internal=True)
                )


def source_page(target: str) -> str | None:
    """Return the page that shows a module of the package, None if the target is none."""
    found = re.fullmatch(r"(?:\.\./|/)*(pytopo|cli)/(.*)\.py", target)
    if found is None:
        return None
    folder = "pytopo/cli" if found[1] == "cli" else "pytopo"
    return f"_modules/{folder}/{found[2]}".removesuffix("/__init__") + ".html"


def link_by_name(
    app: Sphinx, env: BuildEnvironment, node: nodes.Element, content: nodes.Element
) -> nodes.Element | None:
    """Resolve names in docstrings: `docs/loss.md`, `pytopo/order.py`, `pytopo.match`."""
    target = str(node.get("reftarget", ""))
    package, _, name = target.rpartition(".")
    if package == "pytopo" and name in pytopo.__all__:
        home = getattr(pytopo, name).__module__
        docname, builder = str(node["refdoc"]), app.builder
        return env.domains.python_domain.resolve_xref(
            env, docname, builder, "obj", f"{home}.{name}", node, content
        )
    document = re.fullmatch(r"docs/([\w-]+)\.md", target)
    page = f"{document[1]}.html" if document else source_page(target)
    if page is None:
        return None
    up = "../" * str(node.get("refdoc", "")).count("/")
    return nodes.reference("", "", content, refuri=up + page, internal=True)


def drop_empty_globs(app: Sphinx, docname: str, source: list[str]) -> None:
    """Drop toctree entries with a star that match nothing: pages that commands write."""
    source[0] = re.sub(
        r"^([\w/-]+\*)\n",
        lambda entry: entry[0] if list(HERE.glob(f"{entry[1]}.md")) else "",
        source[0],
        flags=re.MULTILINE,
    )


def add_live_parts(app: Sphinx, docname: str, source: list[str]) -> None:
    """Show the reports that a page names, and its solutions; drop what only notebooks have."""
    page = re.sub(r"^<!-- notebook\n.*?^-->\n", "", source[0], flags=re.M | re.S)
    source[0] = REPORT.sub(
        r'<iframe class="report" src="_reports/\1.html" title="\1"></iframe>',
        with_solutions(page),
    )


def copy_reports(app: Sphinx, error: Exception | None) -> None:
    """Make the reports beside the pages that show them."""
    if error is None and app.builder.name == "html":
        run_with_jit(HERE / "course" / "reports.py", app.outdir / "_reports")


def skip_fields(
    app: Sphinx, kind: str, name: str, value: object, skip: bool, options: object
) -> bool | None:
    """Leave out the fields of named tuples: the class has described them."""
    return True if type(value).__name__ == "_tuplegetter" else None


def mark_drawings(
    app: Sphinx, kind: str, name: str, value: object, options: object, lines: list[str]
) -> None:
    """Mark the drawings of a docstring, before numpydoc reads it."""
    if kind == "module":
        written = str(value.__doc__).splitlines()  # Sphinx would move a drawing to the margin
        lines[:] = [*sections_as_rubrics(as_restructured_text(written)), ""]
    else:
        lines[:] = as_restructured_text(lines)


def make_figures(app: Sphinx) -> None:
    """Draw the figures, for light and for dark pages."""
    (HERE / "figures" / "dark").mkdir(exist_ok=True)
    run_with_jit(HERE / "figures" / "make.py", HERE / "figures")


def show_dark_figures(app: Sphinx, docname: str, source: list[str]) -> None:
    """Show the figure for dark pages on dark pages, where there is one; charts are inverted."""

    def both(figure: re.Match[str]) -> str:
        alt, name = figure.groups()
        if not (HERE / "figures" / "dark" / name).exists():
            return figure[0]
        light = f"![{alt}](figures/{name}){{.only-light}}"
        return f"{light}\n![{alt}](figures/dark/{name}){{.only-dark}}"

    source[0] = FIGURE.sub(both, source[0])
    if docname.startswith("results/"):
        source[0] = CHART.sub(r"\g<0>{.chart}", source[0])


def run_with_jit(script: Path, folder: Path) -> None:
    """Run a script that writes into a folder, in a process of its own that has the JIT."""
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "0", "MPLBACKEND": "agg"}
    subprocess.run([sys.executable, str(script), str(folder)], env=environment, check=True)


def setup(app: Sphinx) -> None:
    formulas.add_to(app)
    app.add_directive("modules", Modules)
    app.add_transform(LinkToSource)
    app.connect("source-read", drop_empty_globs)
    app.connect("source-read", add_live_parts)
    app.connect("source-read", show_dark_figures)
    app.connect("build-finished", copy_reports)
    app.connect("missing-reference", link_by_name)
    app.connect("autodoc-skip-member", skip_fields)
    app.connect("autodoc-process-docstring", mark_drawings, priority=400)
    app.connect("builder-inited", make_figures)
