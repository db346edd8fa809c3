"""The points of a diagram as files of ``pytopo diagram``: .csv, .json and .npz."""

import io
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytopo.diagram import Diagram

DATA_KINDS = ("csv", "json", "npz")


def points_file(diagram: "Diagram", kind: str) -> str | bytes:
    """Return the content of a file of the points of a diagram."""
    from pytopo import diagram_file

    stream: IO[Any] = io.BytesIO() if kind == "npz" else io.StringIO()
    getattr(diagram_file, f"write_{kind}")(diagram, stream)
    return stream.getvalue()  # type: ignore[attr-defined]
