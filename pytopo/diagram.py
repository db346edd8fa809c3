"""``Diagram``: the points of a persistence diagram, with their values and their pixels."""

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from html import escape
from os import PathLike

import numpy as np
from numpy.typing import NDArray

from pytopo.notes import number_text
from pytopo.options import at_least, flag, integer, integers, real

ESSENTIAL = -1  # death pixel of the component that never dies
FEATURES = {  # what a dimension is called, by the number of axes of the image
    1: ("components",),
    2: ("components", "holes"),
    3: ("components", "tunnels", "voids"),
}


@dataclass(frozen=True, eq=False, repr=False)
class Diagram:
    """Points of a persistence diagram, one row per point.

    Attributes
    ----------
    dim : (n,) int8
        Dimension of homology: 0 components, 1 holes or tunnels, 2 voids.
    birth, death : (n,) float64, or float32 for float32 images
        In units of the image.  The essential component has death +inf, or -inf for
        superlevel, where birth >= death.
    birth_pixel, death_pixel : (n,) int64
        Flat C-order indices of the pixels of birth and death.  A death pixel of -1 marks the
        essential component, -2 stands for the frame.
    shape : tuple of int
        Shape of the image.
    superlevel : bool
        Whether the filtration is by superlevel sets, the threshold falling.
    construction : {"V", "T"}
        Whether pixels were vertices or top cells.
    frame : float or None
        Value of the frame around the image, if there was one.
    dims : tuple of int
        Dimensions that were computed, ascending.

    Examples
    --------
    >>> import numpy as np, pytopo
    >>> d = pytopo.persistence(np.array([[0, 3, 1], [2, 9, 4], [5, 2, 6]]))
    >>> d
    <Diagram of 3x3 image, sublevel, V: 3 in dim 0 (1 essential), 1 in dim 1>
    >>> d.points(0)
    array([[ 0., inf],
           [ 1.,  3.],
           [ 2.,  5.]])
    >>> d.betti(4)
    (2, 0)
    """

    dim: NDArray[np.int8]
    birth: NDArray
    death: NDArray
    birth_pixel: NDArray[np.int64]
    death_pixel: NDArray[np.int64]
    shape: tuple[int, ...]
    superlevel: bool
    construction: str
    frame: float | None
    dims: tuple[int, ...]

    def __len__(self) -> int:
        return self.dim.size

    def __eq__(self, other: object) -> bool:
        """Return whether everything agrees: each row, dtypes, and the options."""
        if not isinstance(other, Diagram):
            return NotImplemented
        for field in fields(self):
            mine, theirs = getattr(self, field.name), getattr(other, field.name)
            if isinstance(mine, np.ndarray):
                if mine.dtype != theirs.dtype or not np.array_equal(mine, theirs):
                    return False
            elif mine != theirs:
                return False
        return True

    __hash__ = None  # type: ignore[assignment]

    @property
    def persistence(self) -> NDArray:
        """|death - birth| of each point, (n,); +inf for the essential component."""
        with np.errstate(invalid="ignore", over="ignore"):
            persistence = np.abs(self.death - self.birth)
        persistence[self.essential] = np.inf
        return persistence

    @property
    def essential(self) -> NDArray[np.bool_]:
        """Which points are the component that never dies, (n,)."""
        return self.death_pixel == ESSENTIAL

    @property
    def birth_index(self) -> NDArray[np.int64]:
        """Coordinates of the birth pixels, (n, ndim): (plane, row, column).

        Every coordinate is -2 where the birth is in the frame.
        """
        return self._index(self.birth_pixel)

    @property
    def death_index(self) -> NDArray[np.int64]:
        """Coordinates of the death pixels, (n, ndim): (plane, row, column).

        Every coordinate is -1 for the essential component, -2 where the death is in the
        frame.
        """
        return self._index(self.death_pixel)

    def _index(self, pixel: NDArray[np.int64]) -> NDArray[np.int64]:
        inside = np.maximum(pixel, 0)
        index = np.stack(np.unravel_index(inside, self.shape), axis=1)
        return np.where(pixel[:, None] < 0, pixel[:, None], index)

    def points(self, dim: int) -> NDArray:
        """Return birth and death of the points of one dimension, (k, 2)."""
        if integer(dim) is None:
            raise ValueError(f"dim is {dim!r}; expected one of {self.dims}")
        chosen = self.dim == self._checked_dims(dim)
        return np.stack([self.birth[chosen], self.death[chosen]], axis=1)

    def select(
        self,
        dim: int | Iterable[int] | None = None,
        min_persistence: float = 0.0,
        finite: bool | None = None,
    ) -> "Diagram":
        """Return the diagram of some of the points, in the same order.

        Parameters
        ----------
        dim : int, iterable of int or None
            Dimensions to keep.
        min_persistence : float
            Keep points of at least this persistence.
        finite : bool or None
            ``True`` keeps points whose birth and death are finite numbers, ``False`` the
            others.

        Raises
        ------
        TypeError
            If an option has the wrong type.
        ValueError
            If a dimension was not computed, or ``min_persistence`` is negative or NaN.
        """
        chosen = self.persistence >= at_least(min_persistence, "min_persistence", 0)
        dims = self.dims
        if dim is not None:
            kept = self._checked_dims(dim)
            chosen &= np.isin(self.dim, kept)
            dims = tuple(d for d in self.dims if d in kept)
        if finite is not None:
            finite = flag(finite, "finite")
            chosen &= (np.isfinite(self.birth) & np.isfinite(self.death)) == finite
        return self._rows(np.flatnonzero(chosen), dims)

    def sorted(self) -> "Diagram":
        """Return the same points, most persistent first; equals keep their order."""
        return self._rows(np.argsort(-self.persistence, kind="stable"), self.dims)

    def _rows(self, rows: NDArray[np.int64], dims: tuple[int, ...]) -> "Diagram":
        return replace(
            self,
            dim=self.dim[rows],
            birth=self.birth[rows],
            death=self.death[rows],
            birth_pixel=self.birth_pixel[rows],
            death_pixel=self.death_pixel[rows],
            dims=dims,
        )

    def betti(self, threshold: float) -> tuple[int, ...]:
        """Count the features that are alive at a threshold, one number per dimension.

        These are the Betti numbers of the pixels with value <= threshold (superlevel:
        >= threshold), connected as the construction says.

        Raises
        ------
        ValueError
            If the threshold is NaN, or dimensions of the image were left out.

        Examples
        --------
        >>> import numpy as np, pytopo
        >>> ring = np.array([[0, 0, 0], [0, 9, 0], [0, 0, 0]])
        >>> pytopo.persistence(ring).betti(5)
        (1, 1)
        """
        level = real(threshold)
        if level is None:
            raise TypeError(f"threshold is {threshold!r}; expected a number")
        if isinstance(threshold, np.floating):  # compare in its dtype, as NumPy does
            level = threshold
        if np.isnan(level):
            raise ValueError("threshold is NaN; expected a number")
        self._checked_dims(range(len(self.shape)))
        if self.superlevel:
            alive = (self.birth >= level) & (self.death < level)
            alive |= self.essential & (self.birth >= level)
        else:
            alive = (self.birth <= level) & (self.death > level)
            alive |= self.essential & (self.birth <= level)
        counts = np.bincount(self.dim[alive], minlength=len(self.shape))
        return tuple(counts.tolist())

    def _checked_dims(self, dim: int | Iterable[int]) -> list[int]:
        found = integers(dim)
        if found is None:
            raise ValueError(f"dim is {dim!r}; expected some of {self.dims}")
        missing = [d for d in found if d not in self.dims]
        if missing:
            raise ValueError(
                f"the diagram has no dimension {missing[0]}; it was computed for "
                f"dims={self.dims} of an image with {len(self.shape)} axes"
            )
        return found

    def save(self, path: str | PathLike[str]) -> None:
        """Write the diagram to a file in the format of its ending: .npz, .csv or .json.

        The file appears whole or not at all.  `docs/reference-files.md` describes it.
        """
        from pytopo.diagram_file import save

        save(self, path)

    @staticmethod
    def load(path: str | PathLike[str]) -> "Diagram":
        """Read a diagram that `save` wrote, equal to the one that was saved.

        Raises
        ------
        ValueError
            If the file is not such a diagram; one line says what is wrong.
        """
        from pytopo.diagram_file import load

        return load(path)

    def __repr__(self) -> str:
        return f"<Diagram of {self._source()}: {', '.join(self._counts())}>"

    def _source(self) -> str:
        size = "x".join(str(n) for n in self.shape)
        direction = "superlevel" if self.superlevel else "sublevel"
        frame = ""
        if self.frame is not None:
            frame = f", frame={number_text(self.birth.dtype.type(self.frame))}"
        return f"{size} image, {direction}, {self.construction}{frame}"

    def _counts(self) -> list[str]:
        counts = []
        for d in self.dims:
            chosen = self.dim == d
            essential = np.count_nonzero(self.essential & chosen)
            remark = f" ({essential} essential)" if essential else ""
            counts.append(f"{np.count_nonzero(chosen)} in dim {d}{remark}")
        return counts

    def _repr_html_(self) -> str:
        """Show the counts and the ten most persistent points as a table, for notebooks."""
        top = self.sorted()._rows(np.arange(min(10, len(self))), self.dims)
        head = ("dim", "birth", "death", "persistence", "birth pixel", "death pixel")
        rows = zip(
            top.dim.tolist(),
            (f"{v:.6g}" for v in top.birth),
            (f"{v:.6g}" for v in top.death),
            (f"{v:.6g}" for v in top.persistence),
            (pixel_text(index) for index in top.birth_index.tolist()),
            (pixel_text(index) for index in top.death_index.tolist()),
        )
        cells = "".join(
            "<tr>" + "".join(f"<td>{escape(str(value))}</td>" for value in row) + "</tr>"
            for row in rows
        )
        titles = "".join(f"<th>{title}</th>" for title in head)
        caption = escape(f"Diagram of {self._source()}: {', '.join(self._counts())}")
        return (
            f"<table><caption>{caption}</caption><thead><tr>{titles}</tr></thead>"
            f"<tbody>{cells}</tbody></table>"
        )


def pixel_text(index: Iterable[int]) -> str:
    """Return the coordinates of a pixel as text; of the frame, or of no death, a word.

    Examples
    --------
    >>> pixel_text([3, 14]), pixel_text([-1, -1]), pixel_text([-2, -2])
    ('3, 14', 'never', 'frame')
    """
    coordinates = list(index)
    if coordinates[0] < 0:
        return "never" if coordinates[0] == ESSENTIAL else "frame"
    return ", ".join(str(c) for c in coordinates)
