"""Diagrams on disk: .npz for programs, .csv for spreadsheets, .json for the web.

All three contain the same: one row per point, and a header with what was computed and the
number of points, so that a truncated file is noticed.  A diagram that is read back equals the
one that was written, to the last bit and dtype.
"""

import csv
import json
import math
import re
import textwrap
import zipfile
from collections.abc import Callable
from io import BytesIO
from os import PathLike
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pytopo.diagram import ESSENTIAL, Diagram
from pytopo.files import replacing
from pytopo.options import real
from pytopo.order import FRAME

COLUMNS = ("dim", "birth", "death", "birth_pixel", "death_pixel")
CSV_MARK = "# pytopo diagram "

# What numpy.save writes before the bytes of an array: the magic, the version, the length of
# this Python dict, and the dict.
NPY = re.compile(
    rb"\x93NUMPY\x01\x00..\{'descr': '([<>|=]?[a-zA-Z][0-9]{0,9})', "
    rb"'fortran_order': (?:True|False), 'shape': (\([0-9, ]{0,99}\)), \} *\n",
    re.DOTALL,
)
WHOLE = re.compile("-?[0-9]{1,20}")
VALUE = re.compile(r"-?([0-9]+\.?[0-9]*(e[-+]?[0-9]+)?|inf)", re.IGNORECASE)


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
    except UnicodeDecodeError as error:
        reason = f"byte {error.start} is not {error.encoding} text"
    except RecursionError:
        reason = "nested too deeply"
    except MemoryError:
        reason = "more than memory can hold"
    except ValueError as error:
        reason = textwrap.shorten(str(error), 300)
    raise ValueError(f"{path}: not a diagram that pytopo wrote: {reason}")


class Format(NamedTuple):
    """How one kind of file is opened, written and read."""

    mode: str
    write: Callable[[Diagram, IO[Any]], None]
    read: Callable[[bytes], Diagram]


def _format(path: str | PathLike[str]) -> Format:
    ending = Path(path).suffix.lower()
    if ending not in FORMATS:
        raise ValueError(
            f"{path}: no format has the ending {ending!r}; expected {', '.join(FORMATS)}"
        )
    return FORMATS[ending]


def write_npz(diagram: Diagram, stream: IO[bytes], compressed: bool = True) -> None:
    """Write a NumPy archive: the five columns, and the header as JSON text."""
    columns = {name: getattr(diagram, name) for name in COLUMNS}
    save = np.savez_compressed if compressed else np.savez
    save(stream, header=json.dumps(_header(diagram)), **columns)


def write_csv(diagram: Diagram, stream: IO[str]) -> None:
    """Write a table: the header as a comment line, then one line per point.

    Coordinates of the pixels have columns of their own after the flat indices.
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


# ---- reading: nothing in a file is trusted -------------------------------------------------


class _Header(NamedTuple):
    """The header of a file, checked."""

    shape: tuple[int, ...]
    dims: tuple[int, ...]
    superlevel: bool
    construction: str
    frame: float | None
    dtype: str
    points: int

    def dtype_of(self, column: str) -> np.dtype:
        """Return the dtype of a column."""
        dtypes = {"dim": "int8", "birth": self.dtype, "death": self.dtype}
        return np.dtype(dtypes.get(column, "int64"))


def _read_npz(content: bytes) -> Diagram:
    members = ["header.npy", *(f"{name}.npy" for name in COLUMNS)]
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            names = archive.namelist()
            if sorted(names) != sorted(members):
                raise ValueError(f"members are {_brief(names)}; expected {members}")
            header = _checked(_parsed(_npy_text(_member(archive, "header.npy", 2**20))))
            columns = {
                name: _npy_column(archive, name, header.dtype_of(name), header.points)
                for name in COLUMNS
            }
    except (ValueError, RecursionError, MemoryError):
        raise
    except Exception as error:  # a damaged archive makes zipfile raise almost anything
        raise ValueError(f"damaged archive ({error})") from None
    return _diagram(header, columns)


def _member(archive: zipfile.ZipFile, name: str, most: int) -> bytes:
    """Return a member of an archive, but at most ``most`` bytes and one."""
    with archive.open(name) as stream:
        return stream.read(most + 1)


def _npy(content: bytes, name: str) -> tuple[np.dtype, tuple[int, ...], bytes]:
    """Return the dtype, the shape and the bytes of an array as `numpy.save` writes it."""
    found = NPY.match(content)
    if found is None:
        raise ValueError(f"{name} is not an array as numpy.save writes it")
    dtype, shape = (part.decode() for part in found.groups())
    if "O" in dtype:
        raise ValueError(f"{name}: Object arrays cannot be loaded")
    lengths = tuple(int(n) for n in re.findall(r"[0-9]+", shape))
    return np.dtype(dtype), lengths, content[found.end() :]


def _npy_text(content: bytes) -> str:
    dtype, shape, data = _npy(content, "header")
    if dtype.kind != "U" or shape != () or len(data) != dtype.itemsize:
        raise ValueError(f"header is {dtype} of shape {shape}; expected one text")
    return data.decode("utf-32-be" if dtype.byteorder == ">" else "utf-32-le")


def _npy_column(
    archive: zipfile.ZipFile, name: str, expected: np.dtype, points: int
) -> NDArray:
    """Return a column of an archive, if its dtype and its length are those expected."""
    size = points * expected.itemsize
    dtype, shape, data = _npy(_member(archive, f"{name}.npy", size + 2**16), name)
    if dtype.newbyteorder("=") != expected:
        raise ValueError(f"{name} is {dtype}; expected {expected}")
    if shape != (points,):
        raise ValueError(f"{name} has shape {shape}; expected ({points},)")
    if len(data) != size:
        raise ValueError(f"{name} has {len(data)} bytes; expected {size}")
    return np.frombuffer(data, dtype).astype(expected)


def _read_csv(content: bytes) -> Diagram:
    first, *lines = content.decode("utf-8").split("\n")
    if not first.startswith(CSV_MARK):
        raise ValueError(f"the first line does not start with {CSV_MARK.strip()!r}")
    if not lines or lines.pop():
        raise ValueError("the last line does not end")
    header = _checked(_parsed(first.removeprefix(CSV_MARK)))
    try:
        names, *rows = csv.reader(lines, strict=True)
    except (csv.Error, ValueError) as error:
        raise ValueError(f"not a table ({error})") from None
    if not set(COLUMNS) <= set(names) or len(set(names)) < len(names):
        raise ValueError(f"columns are {_brief(names)}; expected at least {list(COLUMNS)}")
    for row in rows:
        if len(row) != len(names):
            raise ValueError(f"a line has {len(row)} fields; expected {len(names)}")
    texts = dict(zip(names, zip(*rows))) if rows else dict.fromkeys(names, ())
    columns = {name: [_number_of(text, name) for text in texts[name]] for name in COLUMNS}
    return _diagram(header, _arrays(columns, header))


def _number_of(text: str, name: str) -> object:
    """Return the number in a field; of infinity, the text."""
    value = name in ("birth", "death")
    if not (VALUE if value else WHOLE).fullmatch(text):
        raise ValueError(f"{name} is {_brief(text)}; expected a number")
    if text.endswith("inf"):
        return text
    return float(text) if value else int(text)


def _read_json(content: bytes) -> Diagram:
    whole = _parsed(content.decode("utf-8"))
    columns = {name: whole.pop(name, None) for name in COLUMNS}
    for name, values in columns.items():
        if not isinstance(values, list):
            raise ValueError(f"{name} is {_brief(values)}; expected a list of numbers")
    header = _checked(whole)
    return _diagram(header, _arrays(columns, header))


def _parsed(text: str) -> dict[str, Any]:
    """Return the object that a JSON text contains."""

    def distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in pairs]
        if len(set(names)) < len(names):
            raise ValueError(f"a name occurs twice in {_brief(names)}")
        return dict(pairs)

    def no_constant(name: str) -> None:
        raise ValueError(f"{name} is not a number in JSON")

    found = json.loads(text, object_pairs_hook=distinct, parse_constant=no_constant)
    if not isinstance(found, dict):
        raise ValueError(f"JSON is {_brief(found)}; expected an object")
    return found


def _checked(found: dict[str, Any]) -> _Header:
    """Return the header of a file, if it is that of a diagram."""
    if set(found) != set(_Header._fields):
        names = _brief(sorted(found))
        raise ValueError(f"the header has {names}; expected {sorted(_Header._fields)}")
    shape, dims = (_whole_numbers(found[name], name) for name in ("shape", "dims"))
    size = math.prod(shape)
    known = dims and list(dims) == sorted({*dims} & {*range(len(shape))})
    if not (1 <= len(shape) <= 3 and min(shape) >= 1 and size < 2**62 and known):
        raise ValueError(f"shape {shape} and dims {dims} are not those of an image")
    construction, superlevel = found["construction"], found["superlevel"]
    if construction not in ("V", "T") or not isinstance(superlevel, bool):
        raise ValueError('construction is not "V" or "T", or superlevel not true or false')
    if found["dtype"] not in ("float32", "float64"):
        raise ValueError(f"dtype is {_brief(found['dtype'])}; expected float32 or float64")
    frame = None if found["frame"] is None else _value(found["frame"], "frame")
    (points,) = _whole_numbers([found["points"]], "points")
    if not 0 <= points <= len(dims) * math.prod(2 * n + 5 for n in shape):
        raise ValueError(f"points is {points}, more than an image of shape {shape} has")
    return _Header(shape, dims, superlevel, construction, frame, found["dtype"], points)


def _whole_numbers(values: object, name: str) -> tuple[int, ...]:
    if not isinstance(values, list) or any(type(value) is not int for value in values):
        raise ValueError(f"{name} is {_brief(values)}; expected whole numbers")
    return tuple(values)


def _value(value: object, name: str) -> float:
    """Return a birth, a death or the value of a frame; infinities are texts."""
    if value in ("inf", "-inf"):
        return float(str(value))
    number = real(value) if isinstance(value, int | float) else None
    if number is None or not math.isfinite(number):
        raise ValueError(f"{name} is {_brief(value)}; expected a number, 'inf' or '-inf'")
    return number


def _arrays(columns: dict[str, list], header: _Header) -> dict[str, NDArray]:
    """Return columns of numbers in their dtypes, unless a number does not fit."""
    arrays = {}
    for name, values in columns.items():
        dtype = header.dtype_of(name)
        if dtype.kind == "f":
            if None in values:
                raise ValueError("a birth or death is NaN")
            exact = np.array([_value(value, name) for value in values], np.float64)
            with np.errstate(over="ignore"):
                arrays[name] = exact.astype(dtype)
            fits = np.isfinite(arrays[name]) == np.isfinite(exact)
        else:
            least, most = np.iinfo(dtype).min, np.iinfo(dtype).max
            fits = np.array([least <= n <= most for n in _whole_numbers(values, name)], bool)
            arrays[name] = np.array(values if fits.all() else [], dtype)
        if not fits.all():
            raise ValueError(f"{name} is {_brief(values[fits.argmin()])}, beyond {dtype}")
    return arrays


def _brief(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}..."


def _diagram(header: _Header, columns: dict[str, NDArray]) -> Diagram:
    """Build a diagram, if its rows are possible for the image that the header describes."""
    if {a.shape for a in columns.values()} != {(len(columns["dim"]),)}:
        raise ValueError(f"columns have shapes {[a.shape for a in columns.values()]}")
    if len(columns["dim"]) != header.points:
        raise ValueError(f"{len(columns['dim'])} points are there; expected {header.points}")
    dim, birth, death, birth_pixel, death_pixel = (columns[name] for name in COLUMNS)
    if np.isnan(birth).any() or np.isnan(death).any():
        raise ValueError("a birth or death is NaN")
    if not np.isin(dim, header.dims).all():
        raise ValueError(f"a point has a dimension that is not among {header.dims}")

    pixels = np.concatenate([birth_pixel, death_pixel])
    if np.any(pixels < FRAME) or np.any(pixels >= math.prod(header.shape)):
        raise ValueError(f"a pixel lies outside an image of shape {header.shape}")
    if header.frame is None and np.any(pixels == FRAME):
        raise ValueError("a pixel lies in the frame, but the diagram has no frame")
    essential = death_pixel == ESSENTIAL
    if np.any(birth_pixel == ESSENTIAL):
        raise ValueError(f"a birth pixel is {ESSENTIAL}, which stands for no pixel")
    if np.any(dim[essential] > 0) or essential.sum() > 1:
        raise ValueError("points never die; expected at most one, in dimension 0")
    never = -np.inf if header.superlevel else np.inf
    early, late = (death, birth) if header.superlevel else (birth, death)
    if np.any(death[essential] != never) or np.any((early > late) & ~essential):
        order = "superlevel" if header.superlevel else "sublevel"
        raise ValueError(f"a point of a {order} diagram dies before it is born")
    return Diagram(
        **columns,
        shape=header.shape,
        superlevel=header.superlevel,
        construction=header.construction,
        frame=header.frame,
        dims=header.dims,
    )


FORMATS = {
    ".npz": Format("wb", write_npz, _read_npz),
    ".csv": Format("w", write_csv, _read_csv),
    ".json": Format("w", write_json, _read_json),
}
