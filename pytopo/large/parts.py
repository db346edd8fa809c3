"""A diagram in a folder: parts that are read one after the other.

    FOLDER/tile-0-0.npz           the points that were finished in a tile: a `Diagram` file
           tile-0-2048.npz
           seam-0-0-...npz        and where two regions were merged
           rest.npz
           parts.json             written last: which parts there are, and how many points

Every part is a diagram of the whole image, with some of its points.  A folder without
``parts.json`` is that of a computation that has not been completed.
"""

import heapq
import json
import math
import os
import shutil
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pytopo.diagram import Diagram
from pytopo.diagram_file import COLUMNS, load, write_npz
from pytopo.files import replacing
from pytopo.kernels.dealing import BEFORE, count_rows, deal_rows
from pytopo.options import at_least, whole_number

INDEX = "parts.json"
UNFINISHED = ".part"
LINE = 512  # pixels that are put in order together, at least: less than a line of most tiles


@dataclass(frozen=True)
class DiagramParts:
    """A persistence diagram that need not fit into memory; see `open_parts`.

    Attributes
    ----------
    folder : Path
    names : tuple of str
        The files of the parts.
    counts : tuple of int
        How many points each has.
    frame : float or None
        Value of the frame around the image, if there was one.
    """

    folder: Path
    names: tuple[str, ...]
    counts: tuple[int, ...]
    frame: float | None

    def __len__(self) -> int:
        return sum(self.counts)

    def __iter__(self) -> Iterator[Diagram]:
        """Yield the parts, a `Diagram` of the whole image each, with some of its points.

        Raises
        ------
        OSError, ValueError
            If a part cannot be read, or has not as many points as it had.
        """
        for name, count in zip(self.names, self.counts):
            part = load(self.folder / name)
            if len(part) != count:
                raise ValueError(f"{self.folder / name}: {len(part)} points; expected {count}")
            yield replace(part, frame=self.frame)

    def betti(self, threshold: float) -> tuple[int, ...]:
        """Count the features that are alive at a threshold, as `Diagram.betti` does.

        Of a volume whose tunnels were not computed, ValueError.
        """
        return tuple(np.sum([part.betti(threshold) for part in self], axis=0).tolist())

    def histogram(
        self, dim: int, bins: int | ArrayLike = 100, span: tuple[float, float] | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Count the points of one dimension by their persistence.

        Parameters
        ----------
        dim : int
        bins : int or sequence of edges
        span : tuple of 2 float
            From where to where; needed if ``bins`` is a number.

        Returns
        -------
        counts : (n_bins,) int64
            Essential points are in no bin.
        edges : (n_bins + 1,) float64
        """
        if span is None and np.ndim(bins) == 0:
            raise ValueError("span is None; expected the ends of the histogram, like (0, 255)")
        edges = np.histogram_bin_edges([], bins, span)
        counts = np.zeros(edges.size - 1, np.int64)
        for part in self:
            counts += np.histogram(part.persistence[part.dim == dim], edges)[0]
        return counts, edges

    def most_persistent(self, count: int, dim: int | None = None) -> Diagram:
        """Return the most persistent points, essential ones first, equals by pixel.

        Parameters
        ----------
        count : int
            How many at most.
        dim : int or None
            Of which dimension; of all by default.
        """
        count = whole_number(count, "count")
        best: list[tuple] = []  # a heap: the least of them first
        for k, part in enumerate(self):
            some = part if dim is None else part.select(dim)
            persistence = some.persistence
            top = np.argsort(-persistence, kind="stable")[:count]
            for row in top.tolist():
                pixels = int(some.birth_pixel[row]), int(some.death_pixel[row])
                key = float(persistence[row]), -int(some.dim[row]), *(-p for p in pixels)
                entry = (key, k, some, row)
                if len(best) < count:
                    heapq.heappush(best, entry)
                elif best and key > best[0][0]:
                    heapq.heapreplace(best, entry)
        chosen = sorted(best, key=lambda entry: entry[0], reverse=True)
        return _diagram([(some, np.array([row])) for _, _, some, row in chosen] or self._none())

    def select(
        self,
        dim: int | None = None,
        min_persistence: float = 0.0,
        finite: bool | None = None,
    ) -> Diagram:
        """Return the points that pass, as one diagram in its usual order.

        Arguments as of `Diagram.select`.
        """
        at_least(min_persistence, "min_persistence", 0)
        some = [part.select(dim, min_persistence, finite) for part in self]
        columns = ([getattr(part, name) for name in COLUMNS] for part in some)
        return _like(some[0], rows_in_order(columns, math.prod(some[0].shape)))

    def _none(self) -> list[tuple[Diagram, NDArray]]:
        return [(next(iter(self)), np.array([], np.int64))]


def _diagram(parts: Sequence[tuple[Diagram, NDArray]]) -> Diagram:
    """Return a diagram of some rows of several, one after the other."""
    columns = (
        np.concatenate([getattr(part, name)[rows] for part, rows in parts]) for name in COLUMNS
    )
    return _like(parts[0][0], tuple(columns))


def _like(first: Diagram, columns: Sequence[NDArray]) -> Diagram:
    """Return a diagram of other points of the same image."""
    return Diagram(
        **dict(zip(COLUMNS, columns)),
        shape=first.shape,
        superlevel=first.superlevel,
        construction=first.construction,
        frame=first.frame,
        dims=first.dims,
    )


def open_parts(folder: str | PathLike[str]) -> DiagramParts:
    """Open a diagram that `persistence` wrote to a folder.

    Raises
    ------
    OSError
        If there is none, or it cannot be read.
    ValueError
        If the folder does not hold a complete diagram.
    """
    path = Path(folder)
    index = path / INDEX
    if path.is_dir() and not index.exists():
        raise ValueError(f"{path}: no {INDEX}; the diagram in it was not completed")
    try:
        found = json.loads(index.read_text("utf-8"))
        counts, frame = found["parts"], found["frame"]
        good = isinstance(counts, dict) and all(
            Path(name).name == name and type(n) is int and n >= 0 for name, n in counts.items()
        )
        good = good and bool(counts) and (frame is None or isinstance(frame, str))
        frame = None if frame is None else float(frame)
    except (ValueError, KeyError, TypeError, RecursionError):
        good = False
    if not good:
        raise ValueError(f"{index}: not the list of parts that pytopo wrote")
    return DiagramParts(path, tuple(counts), tuple(counts.values()), frame)


def write_part(folder: Path, name: str, part: Diagram) -> int:
    """Write a part and return how many points it has.

    Dask may run a task twice, and at the same time on two machines: each writes a file of its
    own beside the part, and renames it; both contain the same.
    """
    beside = folder / f".{name}.{uuid.uuid4().hex}{UNFINISHED}"
    try:
        with open(beside, "wb") as stream:
            write_npz(part, stream, compressed=False)
        os.replace(beside, folder / name)
    finally:
        beside.unlink(missing_ok=True)
    return len(part)


def write_index(folder: Path, counts: dict[str, int], frame: float | None) -> None:
    """Write which parts there are and the value of the frame, once all are there."""
    for left_over in folder.glob(f".*{UNFINISHED}"):  # of killed workers
        left_over.unlink(missing_ok=True)
    value = None if frame is None else str(frame)  # as text: it may be infinite
    with replacing(folder / INDEX) as stream:
        json.dump({"parts": counts, "frame": value}, stream)
        stream.write("\n")


def discard(folder: Path) -> None:
    """Remove a folder of parts that will not be completed.

    Without the folder, tasks that are still running can write nothing into it.
    """
    for _ in range(2):  # one of them may write in between
        shutil.rmtree(folder, ignore_errors=True)


def rows_in_order(parts: Iterable[Sequence[NDArray]], n_pixels: int) -> tuple[NDArray, ...]:
    """Put the rows of several parts in order: by dimension, birth pixel and death pixel.

    Parameters
    ----------
    parts : iterable of 5 columns
        As `Diagram` has them: dim, birth, death, birth_pixel, death_pixel.  One part or more.
    n_pixels : int
        Of the whole image.

    Returns
    -------
    columns : tuple of 5 ndarray

    Examples
    --------
    >>> values, pixels = np.array([0.1, 0.2]), np.array([4, 9])
    >>> parts = [(np.array([d, 0], np.int8), *2 * [values], *2 * [pixels + d]) for d in (0, 1)]
    >>> dim, *_, birth_pixel, _ = rows_in_order(parts, 16)
    >>> dim.tolist(), birth_pixel.tolist()
    ([0, 0, 0, 1], [4, 9, 10, 5])
    """
    parts = list(parts)
    n = sum(part[0].size for part in parts)
    width = max(LINE, n_pixels // max(n, 1))
    count = np.zeros((3, (n_pixels + BEFORE) // width + 1), np.int64)
    for dim, _, _, birth_pixel, _ in parts:
        count_rows(dim, birth_pixel, width, count)
    first = count.cumsum().reshape(count.shape) - count
    free = first.copy()
    values, pixels = np.empty((2, n), parts[0][1].dtype), np.empty((2, n), np.int64)
    for dim, *both, birth_pixel, death_pixel in parts:
        places = birth_pixel, death_pixel
        deal_rows(dim, tuple(both), places, width, first, free, values, pixels)
    dims = np.repeat(np.arange(3, dtype=np.int8), count.sum(axis=1))
    return dims, *values, *pixels
