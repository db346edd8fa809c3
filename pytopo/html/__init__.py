"""Interactive reports for the browser: one file, no network, an image beside its diagram.

A report is made with Bokeh, which the extra ``html`` brings.  Everything that a slider can
show is computed here and put into the page, so the browser only looks things up:

    Diagram, image -> stops of the sliders -> when points are born and die, pixels enter
                   -> columns of points    -> two figures on one linked source -> page

======================  =========================================================
file                    what it does
======================  =========================================================
stops.py                values become the stops of a slider
points.py               a diagram becomes the columns of a linked source
marks.py                what a point looks like, at rest and under the pointer
cuts.py                 the stops of the slider of persistence
regions.py              the regions of persistent points, as polygons
pixels.py               the figure to the left: the image, where points are born and die
plane.py                the figure to the right: birth and death
controls.py             the sliders and the texts, connected to the figures
scripts.py, *.js        the few lines of JavaScript between them
page.py, page.html      everything becomes one file
report.py               `diagram_report`, `loss_report`
======================  =========================================================

Examples
--------
>>> import numpy as np, pytopo
>>> from pytopo.html import diagram_report
>>> ring = np.array([[0, 0, 0], [0, 9, 0], [0, 0, 0]])
>>> report = diagram_report(ring, pytopo.persistence(ring), title="A ring")
>>> report
<Report: A ring>
"""

from importlib.util import find_spec

if find_spec("bokeh") is None:
    raise ImportError("a report requires the extra html: pip install 'pytopo-toolkit[html]'")

from pytopo.html.page import Report
from pytopo.html.report import diagram_report, loss_report

__all__ = ["Report", "diagram_report", "loss_report"]
