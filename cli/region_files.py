"""The options ``--regions`` and ``--geojson``: the pixels of features, as labels and outlines.

image, Diagram, cut -> labels of one dimension   .tif .npy .png
                    -> outlines of all           .geojson
"""

import argparse
import io
import json
import math
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytopo.cli.files import size_text, write
from pytopo.cli.kernels import run_kernels
from pytopo.cli.report import InputError, say

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pytopo.diagram import Diagram

LABEL_ENDINGS = (".tif", ".tiff", ".png", ".npy")
OUTLINE_ENDINGS = (".geojson", ".json")


def add_region_files(group: "argparse._ArgumentGroup") -> None:
    """Add the options that name the files of the regions."""
    group.add_argument(
        "--regions", type=_label_path, metavar="FILE",
        help="the pixels of each feature of one dimension as a label image, .tif, .png or "
        ".npy, of 16 bits, or of 32 if there are more labels; with --dims 0, or --dims 1 (2 in "
        "a volume)",
    )  # fmt: skip
    group.add_argument(
        "--geojson", type=_outline_path, metavar="FILE",
        help="the outline of each feature as a polygon, with its birth and death, .geojson; "
        "coordinates are (column, row) in pixels, counted from the upper left corner of the "
        "image",
    )  # fmt: skip


def region_paths(args: argparse.Namespace) -> list[str]:
    """Return the files that these options name."""
    return [path for path in (args.regions, args.geojson) if path is not None]


def check_regions(
    name: str, image: "NDArray", dims: tuple[int, ...] | None, args: argparse.Namespace
) -> None:
    """Refuse, before the work, what these files cannot hold.

    Parameters
    ----------
    name : str
        Of the image.
    image : ndarray
    dims : tuple of int or None
        The dimensions of the diagram; None for all.
    args : argparse.Namespace
    """
    from pytopo.diagram import FEATURES

    axes = image.ndim
    if args.geojson is not None and axes != 2:
        advice = "take a section, like IMAGE[0]" if axes == 3 else "expected 2"
        raise InputError(
            f"{name}: an image of {axes} axes has no outlines for --geojson; {advice}"
        )
    if args.regions is None:
        return
    possible = sorted({0, axes - 1})
    chosen = dims or tuple(range(axes))
    if len(chosen) != 1 or chosen[0] not in possible:
        choice = " or ".join(f"--dims {d} ({FEATURES[axes][d]})" for d in possible)
        raise InputError(f"--regions labels the features of one dimension; add {choice}")
    kind = Path(args.regions).suffix.lower()
    if (axes == 3 and kind == ".png") or (axes == 1 and kind != ".npy"):
        holds = "holds one section" if axes == 3 else "holds rows and columns"
        raise InputError(
            f"{args.regions}: a {kind} {holds}, and {name} is {size_text(image)}; "
            f"expected {'.tif or .npy' if axes == 3 else '.npy'}"
        )


def write_regions(
    name: str, image: "NDArray", diagram: "Diagram", cut: float, args: argparse.Namespace
) -> None:
    """Write the regions of the features that are persistent enough.

    Parameters
    ----------
    name : str
        Of the image.
    image : ndarray
    diagram : Diagram
        Of this image; it has all features of at least the cut.
    cut : float
        The least persistence of a feature that gets a region.
    args : argparse.Namespace
    """
    if not region_paths(args):
        return
    from pytopo.diagram import FEATURES
    from pytopo.features import labels_of

    labelled = []
    for dim in sorted({0, image.ndim - 1} & set(diagram.dims)):
        persistent = diagram.select(dim, cut)
        labels = run_kernels(partial(labels_of, image, persistent))
        labelled.append((labels, persistent))
    if args.regions is not None:
        ((labels, persistent),) = labelled
        write(args.regions, _label_file(labels, args.regions))
        what = FEATURES[image.ndim][persistent.dims[0]]
        say(f"{args.regions}: label i is row i of the {len(persistent)} {what}, 0 is none")
    if args.geojson is not None:
        about = {"image": name, "min_persistence": cut if math.isfinite(cut) else None}
        write(args.geojson, _outline_file(labelled, about))


# ---- files -------------------------------------------------------------------------------


def _label_file(labels: "NDArray[np.int32]", path: str) -> bytes:
    """Return the content of a label image, of the kind that the path names."""
    import numpy as np

    kind, most = Path(path).suffix.lower(), int(labels.max())
    narrow = most <= np.iinfo(np.uint16).max
    values = labels.astype(np.uint16 if narrow else np.uint32)
    stream = io.BytesIO()
    if kind == ".npy":
        np.save(stream, values)
    elif kind == ".png":
        from PIL import Image

        if not narrow:
            raise InputError(
                f"{path}: a .png holds labels up to 65535, and there are {most}; expected .tif "
                "or .npy, or a larger --min-persistence"
            )
        Image.fromarray(values).save(stream, format="PNG")
    else:
        import tifffile

        tifffile.imwrite(
            stream, values, photometric="minisblack", compression="zlib", metadata=None
        )
    return stream.getvalue()


def _outline_file(
    labelled: "list[tuple[NDArray[np.int32], Diagram]]", about: dict[str, Any]
) -> str:
    """Return the content of a GeoJSON file, a line for each feature."""
    from pytopo.features import feature_collection

    collection = feature_collection(labelled)
    features = [json.dumps(feature, allow_nan=False) for feature in collection.pop("features")]
    collection["pytopo"] |= about
    head = json.dumps(collection, allow_nan=False).removesuffix("}")
    lines = ",\n".join(features)
    return f'{head}, "features": [\n{lines}\n]}}\n'


# ---- paths -------------------------------------------------------------------------------


def _label_path(text: str) -> str:
    return _with_ending(text, LABEL_ENDINGS, "label image")


def _outline_path(text: str) -> str:
    return _with_ending(text, OUTLINE_ENDINGS, "GeoJSON file")


def _with_ending(text: str, endings: tuple[str, ...], what: str) -> str:
    if Path(text).suffix.lower() not in endings:
        raise argparse.ArgumentTypeError(
            f"{text!r} names no {what}; expected an ending {', '.join(endings)}"
        )
    return text
