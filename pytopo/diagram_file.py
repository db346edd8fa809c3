"""Diagrams on disk: .npz for programs, .csv for spreadsheets, .json for the web.

All three hold the same: one row a point, and a header with what was computed and how many
points there are, so that a file that was cut short is noticed.  A diagram that is read back
equals the one that was written, to the last bit and dtype.
"""

import csv
import json
import zipfile
import zlib
from collections.abc import Callable
from io import BytesIO
from os import PathLike
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pytopo.diagram import Diagram
from pytopo.order import FRAME
from pytopo.replacing import replacing

COLUMNS = ("dim", "birth", "death", "birth_pixel", "death_pixel")
CSV_MARK = "# pytopo diagram "


def save(diagram: Diagram, path: str | PathLike[str]) -> None:
    """Write a diagram to a file in the format that its ending names."""
    form = _format(path)
    with replacing(path, form.mode) as stream:
        form.write(diagram, stream)


def load(path: str | PathLike[str]) -> Diagram:
    """Read a diagram from a file in the format that its ending names."""
    form = _format(path)
    with open(path, "rb") as stream:
        content = stream.read()
    try:
        return form.read(content)
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ValueError(f"{path}: not a diagram that pytopo wrote: {reason}") from None


class Format(NamedTuple):
    """How one kind of file is opened, written and read."""

    mode: str
    write: Callable[[Diagram, IO[Any]], None]
    read: Callable[[bytes], Diagram]


def _format(path: str | PathLike[str]) -> Format:
    ending = Path(path).suffix.lower()
    if ending not in FORMATS:
        raise ValueError(
            f"{path}: no format has the ending {ending!r}; wanted {', '.join(FORMATS)}"
        )
    return FORMATS[ending]


def write_npz(diagram: Diagram, stream: IO[bytes]) -> None:
    """Write a NumPy archive: the five columns, and the header as JSON text."""
    archive = BytesIO()
    columns = {name: getattr(diagram, name) for name in COLUMNS}
    np.savez_compressed(archive, header=json.dumps(_header(diagram)), **columns)
    stream.write(archive.getvalue())


def write_csv(diagram: Diagram, stream: IO[str]) -> None:
    """Write a table: the header as a comment line, then one line a point.

    Coordinates of the pixels stand in columns of their own behind the flat indices.
    """
    axes = ("plane", "row", "column")[-len(diagram.shape) :]
    stream.write(f"{CSV_MARK}{json.dumps(_header(diagram))}\n")
    table = csv.writer(stream, lineterminator="\n")
    table.writerow([*COLUMNS, *(f"birth_{a}" for a in axes), *(f"death_{a}" for a in axes)])
    # str of a NumPy float is the shortest text that reads back the same in its dtype
    columns = [map(str, getattr(diagram, name)) for name in COLUMNS]
    coordinates = np.hstack([diagram.birth_index, diagram.death_index])
    table.writerows(zip(*columns, *coordinates.T.tolist()))


def write_json(diagram: Diagram, stream: IO[str]) -> None:
    """Write one object: the header and the columns as lists; infinities as strings."""
    columns = {name: getattr(diagram, name).tolist() for name in COLUMNS}
    for name in ("birth", "death"):
        values = getattr(diagram, name)
        columns[name] = [v if np.isfinite(v) else str(v) for v in values.tolist()]
    json.dump({**_header(diagram), **columns}, stream, allow_nan=False)
    stream.write("\n")


def _header(diagram: Diagram) -> dict[str, Any]:
    frame = diagram.frame
    return {
        "shape": list(diagram.shape),
        "dims": list(diagram.dims),
        "superlevel": diagram.superlevel,
        "construction": diagram.construction,
        "frame": frame if frame is None or np.isfinite(frame) else str(frame),
        "dtype": str(diagram.birth.dtype),
        "points": len(diagram),
    }


def _read_npz(content: bytes) -> Diagram:
    try:
        with np.load(BytesIO(content), allow_pickle=False) as archive:
            header = json.loads(archive["header"].item())
            columns = {name: archive[name] for name in COLUMNS}
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError) as error:
        raise ValueError(f"damaged archive ({error})") from None
    return _diagram(header, columns)


def _read_csv(content: bytes) -> Diagram:
    lines = content.decode("utf-8").splitlines()
    if not lines or not lines[0].startswith(CSV_MARK):
        raise ValueError(f"the first line does not start with {CSV_MARK.strip()!r}")
    header = json.loads(lines[0].removeprefix(CSV_MARK))
    table = csv.DictReader(lines[1:])
    rows = list(table)
    if not set(COLUMNS) <= set(table.fieldnames or ()):
        raise ValueError(f"columns are {table.fieldnames}; wanted at least {list(COLUMNS)}")
    dtypes = (np.int8, np.float64, np.float64, np.int64, np.int64)
    return _diagram(
        header,
        {name: np.array([row[name] for row in rows], t) for name, t in zip(COLUMNS, dtypes)},
    )


def _read_json(content: bytes) -> Diagram:
    whole = json.loads(content)
    return _diagram(whole, {name: np.array(whole[name]) for name in COLUMNS})


def _diagram(header: dict[str, Any], columns: dict[str, NDArray]) -> Diagram:
    """Build a diagram out of what a file holds, believing nothing."""
    shape = tuple(int(n) for n in header["shape"])
    dims = tuple(int(d) for d in header["dims"])
    if not 1 <= len(shape) <= 3 or min(shape) < 1 or not set(dims) <= set(range(len(shape))):
        raise ValueError(f"shape {shape} and dims {dims} are not those of an image")
    if header["construction"] not in ("V", "T") or not isinstance(header["superlevel"], bool):
        raise ValueError('construction is not "V" or "T", or superlevel not true or false')
    if header["dtype"] not in ("float32", "float64"):
        raise ValueError(f"dtype is {header['dtype']!r}; wanted float32 or float64")

    frame = header["frame"]
    columns = _typed_columns(columns, header["dtype"])
    if len(columns["dim"]) != header["points"]:
        raise ValueError(f"{len(columns['dim'])} of {header['points']} points are there")
    pixels = np.concatenate([columns["birth_pixel"], columns["death_pixel"]])
    if not np.isin(columns["dim"], dims).all():
        raise ValueError(f"a point has a dimension that is not among {dims}")
    if np.any(pixels < FRAME) or np.any(pixels >= np.prod(shape, dtype=object)):
        raise ValueError(f"a pixel lies outside an image of shape {shape}")
    return Diagram(
        **columns,
        shape=shape,
        superlevel=header["superlevel"],
        construction=header["construction"],
        frame=None if frame is None else float(frame),
        dims=dims,
    )


def _typed_columns(columns: dict[str, NDArray], values: str) -> dict[str, NDArray]:
    """Return the columns in their dtypes, all of one length and without NaN."""
    dtypes = {"dim": "int8", "birth": values, "death": values}
    typed = {name: a.astype(dtypes.get(name, "int64")) for name, a in columns.items()}
    if {a.shape for a in typed.values()} != {(len(typed["dim"]),)}:
        raise ValueError(f"columns have shapes {[a.shape for a in typed.values()]}")
    if np.isnan(typed["birth"]).any() or np.isnan(typed["death"]).any():
        raise ValueError("a birth or death is NaN")
    return typed


FORMATS = {
    ".npz": Format("wb", write_npz, _read_npz),
    ".csv": Format("w", write_csv, _read_csv),
    ".json": Format("w", write_json, _read_json),
}
