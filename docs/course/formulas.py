r"""Formulas of pages and slides: LaTeX in the Markdown, MathML in the HTML.

    $\beta_0 - \beta_1$   ->   <math><msub><mi>β</mi><mn>0</mn></msub>…</math>

Browsers show MathML by themselves.  MathJax, which Sphinx and notebooks would load, comes from
another server, and a lecture room without a network would see the LaTeX.  Docutils converts;
what it does not know ends the build.
"""

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.application import Sphinx
from sphinx.writers.html5 import HTML5Translator


def mathml(formula: str, *, block: bool = False) -> str:
    r"""Return a LaTeX formula as MathML, on a line of its own if it is a block.

    Raises
    ------
    ValueError
        If docutils cannot convert it.  The message has the formula.

    Examples
    --------
    >>> print("".join(line.strip() for line in mathml("d_2").splitlines()))
    <math xmlns="http://www.w3.org/1998/Math/MathML"><msub><mi>d</mi><mn>2</mn></msub></math>
    """
    try:
        converted = tex2mathml(formula.strip(), as_block=block)
    except ValueError as error:
        raise ValueError(f"the formula {formula.strip()!r}: {error}") from error
    # Without a form browsers space the bars of an absolute value like an operator.
    opened = converted.replace('<mo class="mathopen">|</mo>', '<mo form="prefix">|</mo>')
    return opened.replace("<mo>|</mo>", '<mo form="postfix">|</mo>')


def add_to(app: Sphinx) -> None:
    """Make MathML of the formulas of a site; its ``html_math_renderer`` is ``"mathml"``."""
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))


def _inline(page: HTML5Translator, formula: nodes.math) -> None:
    page.body.append(mathml(formula.astext()))
    raise nodes.SkipNode


def _block(page: HTML5Translator, formula: nodes.math_block) -> None:
    page.body.append(f'<div class="math">{mathml(formula.astext(), block=True)}</div>\n')
    raise nodes.SkipNode
