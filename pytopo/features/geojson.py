"""Features with their outlines as GeoJSON, which programs for maps and microscopy read.

labels, Diagram of each dimension -> outlines -> FeatureCollection

GeoJSON is made for the earth, and has no word for pixels: a foreign member of the collection
says what the coordinates are.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytopo.diagram import Diagram
from pytopo.features.polygons import Polygon, outlines
from pytopo.notes import number_text

COORDINATES = (
    "pixels, as [column, row], of corners: the pixel of row r and column c is the square from "
    "[c, r] to [c + 1, r + 1]; birth_pixel and death_pixel are [row, column]"
)


def feature_collection(labelled: Iterable[tuple[NDArray, Diagram]]) -> dict[str, Any]:
    """Return features as a FeatureCollection of GeoJSON, ready for `json.dump`.

    Parameters
    ----------
    labelled : iterable of ((H, W) ndarray of integers, Diagram)
        Labels and their diagram as from `pytopo.regions`, for each dimension.

    Returns
    -------
    collection : dict
        One Feature for each row of the diagrams.  Its geometry is what `outlines` returns, a
        Polygon or a MultiPolygon; null if the feature has no pixel in the image.  Its
        properties are ``label``, ``dim``, ``birth``, ``death``, ``persistence``,
        ``birth_pixel`` and ``death_pixel``; null stands for an infinite number, and for a
        pixel of the frame, or of a death that never comes.  The member ``pytopo`` says what
        the coordinates are, and how the persistence was computed.

    Raises
    ------
    ValueError
        If there is no diagram, or the labels have not the shape of its image, (H, W).

    References
    ----------
    Butler et al. (2016), "The GeoJSON format", RFC 7946, sections 3.1.6, 3.2 and 6.1.

    Examples
    --------
    >>> import numpy as np, pytopo
    >>> image = np.array([[1, 1, 1, 1],
    ...                   [1, 9, 8, 1],
    ...                   [1, 1, 1, 1]])
    >>> collection = feature_collection([pytopo.regions(image, 1, min_persistence=3)])
    >>> (feature,) = collection["features"]
    >>> feature["geometry"]
    {'type': 'Polygon', 'coordinates': [[[1, 1], [3, 1], [3, 2], [1, 2], [1, 1]]]}
    >>> feature["properties"]["persistence"], feature["properties"]["death_pixel"]
    (8.0, [1, 1])
    """
    about: dict[str, Any] = {}
    features = []
    for labels, diagram in labelled:
        if len(diagram.shape) != 2 or labels.shape != diagram.shape:
            raise ValueError(
                f"labels has shape {labels.shape}, and the diagram is of an image of shape "
                f"{diagram.shape}; expected the same (H, W)"
            )
        about = about or _about(diagram)
        found = outlines(labels)
        features += [
            {
                "type": "Feature",
                "geometry": _geometry(found.get(row + 1, [])),
                "properties": {"label": row + 1, **properties},
            }
            for row, properties in enumerate(_properties(diagram))
        ]
    if not about:
        raise ValueError("labelled is empty; expected labels and a diagram")
    return {"type": "FeatureCollection", "pytopo": about, "features": features}


def _about(diagram: Diagram) -> dict[str, Any]:
    frame = None if diagram.frame is None else _number(diagram.birth.dtype.type(diagram.frame))
    return {
        "coordinates": COORDINATES,
        "shape": list(diagram.shape),
        "superlevel": diagram.superlevel,
        "construction": diagram.construction,
        "frame": frame,
    }


def _geometry(polygons: list[Polygon]) -> dict[str, Any] | None:
    if not polygons:
        return None
    coordinates = [[ring.tolist() for ring in polygon] for polygon in polygons]
    if len(coordinates) == 1:
        return {"type": "Polygon", "coordinates": coordinates[0]}
    return {"type": "MultiPolygon", "coordinates": coordinates}


def _properties(diagram: Diagram) -> list[dict[str, Any]]:
    """Return what there is to say about each row."""
    columns: dict[str, list] = {"dim": diagram.dim.tolist()}
    for name in ("birth", "death", "persistence"):
        columns[name] = [_number(value) for value in getattr(diagram, name)]
    for end in ("birth", "death"):
        index = getattr(diagram, f"{end}_index").tolist()
        columns[f"{end}_pixel"] = [pixel if pixel[0] >= 0 else None for pixel in index]
    return [dict(zip(columns, values)) for values in zip(*columns.values())]


def _number(value: np.floating) -> float | None:
    """Return the shortest number that reads back as the same; infinity has none in JSON."""
    return float(number_text(value)) if np.isfinite(value) else None
