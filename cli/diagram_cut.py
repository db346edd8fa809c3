"""Which features stand out: the cut of ``pytopo diagram``, asked for or suggested; in words."""

import argparse
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytopo.diagram import Diagram

LISTED = 10  # features in the table, and marks in a volume, unless --top says otherwise


@dataclass(frozen=True)
class Cut:
    """Which features of a diagram stand out, and how many of them are marked.

    Attributes
    ----------
    value : float
        The least persistence that stands out; 0 if everything does.
    top : int or None
        No more than this are marked, the most persistent; None for all that stand out.
    origin : {"asked", "suggested", "few", "no gap"}
        Where the value comes from: the command line, `pytopo.features.suggested_cut`, a
        diagram with so few points that all are shown, or one in which nothing stands out, of
        which the most persistent are shown.
    """

    value: float
    top: int | None
    origin: str


def chosen_cut(diagram: "Diagram", args: argparse.Namespace) -> Cut:
    """Return the cut that the options ask for, or else the one that is suggested."""
    from pytopo.features.cut import suggested_cut

    of_image = len(diagram.shape) == 2  # others have marks, of which there is room for few
    top = args.top if args.top is not None or of_image else LISTED
    if args.min_persistence is not None:
        return Cut(args.min_persistence, top, "asked")
    if args.top is not None:
        return Cut(_least_of(diagram, args.top), top, "asked")
    suggested = suggested_cut(diagram)
    if suggested is None:
        return Cut(_least_of(diagram, LISTED), LISTED, "no gap")
    return Cut(suggested, top, "suggested" if suggested > 0 else "few")


def _least_of(diagram: "Diagram", number: int) -> float:
    """Return the least persistence of so many features, the most persistent; a round number."""
    import numpy as np

    from pytopo.features.cut import roundest

    largest = np.append(np.sort(diagram.persistence)[::-1], 0.0).tolist()
    if number == 0 or largest[0] == 0:
        return float("inf")
    above, below = largest[: number + 1][-2:]
    return above if above in (below, float("inf")) else roundest(below, above)


def cut_text(diagram: "Diagram", cut: Cut) -> str:
    """Return in words what stands out, as one line."""
    import numpy as np

    above = diagram.persistence >= cut.value
    stand, below = np.count_nonzero(above), np.count_nonzero(~above)
    by_dim = {d: np.count_nonzero(above & (diagram.dim == d)) for d in diagram.dims}
    features = _listed(diagram, by_dim)
    marked = stand if cut.top is None else min(stand, cut.top)
    remark = f"; {marked:,} of {stand:,} {_are(stand)} marked" if marked < stand else ""
    if cut.origin == "few":
        return f"{features}: all are shown{remark}"
    rest = f"{below:,} {_are(below)} below{remark}" if below else f"none is below{remark}"
    if cut.value == float("inf"):
        return f"{features} with infinite persistence; {rest}"
    if cut.origin == "no gap":
        return (
            "no gap between large and small persistences; the largest, from "
            f"{cut.value:.6g} on, are {features}; {rest}"
        )
    verb = "stands" if stand <= 1 else "stand"
    return f"{features} {verb} out at a persistence of {cut.value:.6g}; {rest}"


def _are(number: int) -> str:
    return "is" if number == 1 else "are"


def _listed(diagram: "Diagram", number: dict[int, int]) -> str:
    """Return how many features there are, like ``87 holes and 20 components``."""
    from pytopo.diagram import FEATURES

    names = FEATURES[len(diagram.shape)]
    parts = [
        f"{k:,} {names[d] if k != 1 else names[d].removesuffix('s')}"
        for d, k in sorted(number.items(), key=lambda item: -item[1])
        if k
    ]
    if not parts:
        return "nothing"
    return " and ".join(filter(None, [", ".join(parts[:-1]), parts[-1]]))
