"""The walkthrough: the reduction of a small image, with every step of it kept.

    a cell enters -> its faces are a column -> earlier columns are added -> 0: a feature is born
                                                                        \\-> low i: the feature
                                                                            of cell i dies

`pytopo.textbook.reduction` returns the reduced matrix only; here each column also records
which columns were added to it and which cells its cycle consists of.  Each step can be put
into words (`pytopo.textbook.sentences`) and drawn (`pytopo.plot.steps`); ``pytopo explain``
does both.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pytopo.diagram import ESSENTIAL, Diagram
from pytopo.options import checked_construction, flag
from pytopo.order import FRAME, checked_image, frame_value, total_order, value_dtype
from pytopo.textbook import sentences
from pytopo.textbook.filtration import Filtration, filtration_of_order
from pytopo.textbook.reduction import Reduction, reduce_filtration

__all__ = ["CELLS", "Column", "Feature", "Step", "Walkthrough", "walkthrough"]

CELLS = 400  # the most that are walked through: the matrix has the square of that many entries


@dataclass(frozen=True)
class Column:
    """A column of the boundary matrix, and how it was reduced.

    Attributes
    ----------
    cell : int
        The cell whose boundary it is: position in the filtration, and index of the column.
    faces : tuple of int
        Rows of the boundary matrix, ascending.
    added : tuple of int
        The columns that were added, in that sequence.
    sums : tuple of tuple of int
        The rows after each addition.
    chain : tuple of int
        The cells whose boundary is `rows`, ascending; `cell` is the last.  If `rows` is empty,
        they are a cycle.
    """

    cell: int
    faces: tuple[int, ...]
    added: tuple[int, ...]
    sums: tuple[tuple[int, ...], ...]
    chain: tuple[int, ...]

    @property
    def rows(self) -> tuple[int, ...]:
        """Rows of the reduced column."""
        return self.sums[-1] if self.sums else self.faces

    @property
    def low(self) -> int | None:
        """The last row of the reduced column, its pivot; None if it is empty."""
        return self.rows[-1] if self.rows else None


@dataclass(frozen=True)
class Feature:
    """A component, hole or void: created by one cell, destroyed by another or never.

    Attributes
    ----------
    dim : int
        Dimension of homology.
    begin : int
        The cell that creates it.
    end : int or None
        The cell that destroys it; None if it is essential.
    """

    dim: int
    begin: int
    end: int | None


@dataclass(frozen=True, eq=False)
class Walkthrough:
    """The whole reduction of an image, column by column.

    Attributes
    ----------
    image : (W,), (H, W) or (D, H, W) ndarray
    superlevel : bool
    construction : {"V", "T"}
    frame : int, numpy float or None
        Value of the frame.
    filtration : Filtration
        The cells; wherever a cell is an integer, that is its position here.
    columns : tuple of Column
        One for each cell.
    features : tuple of Feature
        All that are born, including those that die at once; ascending in ``begin``.
    """

    image: NDArray
    superlevel: bool
    construction: str
    frame: int | np.floating | None
    filtration: Filtration
    columns: tuple[Column, ...]
    features: tuple[Feature, ...]

    def steps(self, by: str = "cell") -> list["Step"]:
        """Cut the reduction into steps.

        Parameters
        ----------
        by : {"cell", "pixel"}
            A step for each cell, or for each pixel with all the cells of its lower star.
            The last step is the end, when no cell is left.

        Raises
        ------
        ValueError
            If ``by`` is neither.

        Examples
        --------
        >>> for step in walkthrough([0, 2, 1]).steps("pixel"):
        ...     print(step.title)
        pixel (0), value 0
        pixel (2), value 1
        pixel (1), value 2
        the end
        """
        if not isinstance(by, str) or by not in ("cell", "pixel"):
            raise ValueError(f'by is {by!r}; expected "cell" or "pixel"')
        everyone = range(len(self.columns))
        if by == "cell":
            groups = [[cell] for cell in everyone]
        else:  # the cells of a pixel, and those of the frame, come one after another
            groups = [list(group) for _, group in groupby(everyone, self.filtration.pixel.item)]
        starts = [group[0] for group in groups] + [len(self.columns)] * 2
        last = len(groups)
        return [Step(self, k, last, by, *starts[k : k + 2]) for k in range(last + 1)]

    def value(self, cell: int) -> float:
        """Return the value with which a cell enters, as precisely as the image has it."""
        pixel = self.filtration.pixel[cell]
        return np.asarray(self.frame if pixel == FRAME else self.image.flat[pixel]).item()

    def index(self, cell: int) -> list[int]:
        """Return the coordinates of the pixel with which a cell enters; -2 for the frame."""
        pixel = self.filtration.pixel[cell]
        if pixel == FRAME:
            return [FRAME] * self.image.ndim
        return [int(i) for i in np.unravel_index(pixel, self.image.shape)]

    def lasts(self, feature: Feature) -> bool:
        """Tell whether a feature is a point of the diagram: its birth and death differ."""
        return feature.end is None or self.value(feature.begin) != self.value(feature.end)

    @cached_property
    def feature_of(self) -> dict[int, Feature]:
        """The feature that each cell creates or destroys."""
        created = {feature.begin: feature for feature in self.features}
        return created | {f.end: f for f in self.features if f.end is not None}

    def diagram(self) -> Diagram:
        """Return the diagram, equal to that of `pytopo.persistence`.

        Examples
        --------
        >>> walkthrough([0, 2, 1]).diagram().points(0)
        array([[ 0., inf],
               [ 1.,  2.]])
        """
        pixel = self.filtration.pixel
        never = -np.inf if self.superlevel else np.inf
        rows = sorted(
            (f.dim, pixel[f.begin], ESSENTIAL if f.end is None else pixel[f.end],
             self.value(f.begin), never if f.end is None else self.value(f.end))
            for f in self.features if self.lasts(f)
        )  # fmt: skip
        dim, birth_pixel, death_pixel, birth, death = zip(*rows)
        dtype = value_dtype(self.image)
        return Diagram(
            np.array(dim, np.int8),
            np.array(birth, dtype),
            np.array(death, dtype),
            np.array(birth_pixel, np.int64),
            np.array(death_pixel, np.int64),
            shape=self.image.shape,
            superlevel=self.superlevel,
            construction=self.construction,
            frame=None if self.frame is None else float(self.frame),
            dims=tuple(range(self.image.ndim)),
        )


def walkthrough(
    image: ArrayLike,
    *,
    superlevel: bool = False,
    construction: str = "V",
    frame: float | bool | None = None,
) -> Walkthrough:
    """Reduce the boundary matrix of a small image from left to right, and keep every step.

    Parameters
    ----------
    image : array_like, (W,), (H, W) or (D, H, W)
        Any real dtype, without NaN.
    superlevel, construction, frame
        As in `pytopo.persistence`.

    Raises
    ------
    TypeError, ValueError
        If the image or an option is not what `pytopo.persistence` takes, or if the image has
        more than 400 cells; take a part of it.

    References
    ----------
    Edelsbrunner and Harer (2010), "Computational Topology", VII.1.

    Examples
    --------
    Two valleys meet in the edge that enters last.  Its column has the same low as that of the
    edge before it, which is added:

    >>> walk = walkthrough([0, 2, 1])
    >>> walk.columns[4]
    Column(cell=4, faces=(1, 2), added=(3,), sums=((0, 1),), chain=(3, 4))
    >>> print(walk.steps()[4].text)
    cell 4, edge at (3), enters with pixel (1), value 2: boundary {1, 2} + column 3 = {0, 1}, \
low 1: a pair with vertex 1; the component born at 1 in (2) dies: point (1, 2)
    """
    superlevel = flag(superlevel, "superlevel")
    checked_construction(construction)
    values = checked_image(image)
    around = frame_value(values, frame, superlevel)
    check_size(values, construction, framed=around is not None)

    filtration = filtration_of_order(total_order(values, superlevel, around), construction)
    reduction = reduce_filtration(filtration, clearing=False)
    ends = dict(reduction.pairs.tolist())
    created = sorted([*ends, *reduction.essential.tolist()])
    features = [Feature(int(filtration.dimension[i]), i, ends.get(i)) for i in created]
    return Walkthrough(
        values, superlevel, construction, around, filtration,
        tuple(_columns(filtration, reduction)), tuple(features),
    )  # fmt: skip


def check_size(values: NDArray, construction: str, framed: bool) -> None:
    """Refuse an image of too many cells before they are built."""
    n_cells = 1
    for n in values.shape:
        n_cells *= 2 * (n + 2 * framed) + (1 if construction == "T" else -1)
    if n_cells > CELLS:
        shape = " x ".join(map(str, values.shape))
        crop = {1: "0:9", 2: "0:5, 0:5", 3: "0:3, 0:3, 0:3"}[values.ndim]
        raise ValueError(
            f"{shape} pixels are {n_cells} cells, too many to explain one by one; expected at "
            f"most {CELLS}; take a part, like [{crop}]"
        )


def _columns(filtration: Filtration, reduction: Reduction) -> Iterator[Column]:
    """Yield the columns from left to right, with what is added to each."""
    ends = dict(reduction.pairs.tolist())
    chains: list[set[int]] = []
    for j in range(filtration.cell.size):
        faces = filtration.rows[filtration.start[j] : filtration.start[j + 1]].tolist()
        rows, chain = set(faces), {j}
        added, sums = [], []
        # While an earlier column k has the same low as column j, column k is added.
        while rows and ends[max(rows)] < j:
            k = ends[max(rows)]
            # A sum modulo 2 is the symmetric difference: rows that both columns have vanish,
            # and so do cells that are in both chains.
            rows ^= set(reduction.cycle(k).tolist())
            chain ^= chains[k]
            added.append(k)
            sums.append(tuple(sorted(rows)))
        chains.append(chain)
        yield Column(j, tuple(faces), tuple(added), tuple(sums), tuple(sorted(chain)))


# ---- a step ----------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Step:
    """What happens in one step: some cells enter, their columns are reduced.

    Attributes
    ----------
    walk : Walkthrough
        The walkthrough of which it is a step.
    number, last : int
        Which step it is, and which is the last one; counted from 0.
    by : {"cell", "pixel"}
        Whether a step is a cell, or a pixel with its lower star.
    first, end : int
        The cells ``first`` to ``end - 1`` enter; none in the last step.
    """

    walk: Walkthrough
    number: int
    last: int
    by: str
    first: int
    end: int

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns of the cells that enter."""
        return self.walk.columns[self.first : self.end]

    @property
    def notable(self) -> tuple[Column, ...]:
        """The columns except for those of features that are born and die within the step."""
        within = [
            f.begin >= self.first and f.end is not None and f.end < self.end
            for f in (self.walk.feature_of[column.cell] for column in self.columns)
        ]
        return tuple(column for column, inside in zip(self.columns, within) if not inside)

    @property
    def title(self) -> str:
        """Which cells enter, and with which pixel."""
        return sentences.title(self)

    @property
    def story(self) -> str:
        """How their columns are reduced, and what follows from it."""
        return sentences.story(self)

    @property
    def text(self) -> str:
        """The title and the story in one line.

        Examples
        --------
        >>> print(walkthrough([0, 2, 1]).steps()[5].text)
        the end: cell 0 is the low of no column: the component born at 0 in (0) never dies
        """
        return f"{self.title}: {self.story}"

    def additions(self) -> list[str]:
        """Return every addition to the notable columns with its sum, a line each.

        Examples
        --------
        >>> print("\\n".join(walkthrough([0, 2, 1]).steps()[4].additions()))
        column 4 is the boundary of edge 4  {1, 2}
        low 2, + column 3                   {0, 1}
        low 1: a pair with vertex 1; the component born at 1 in (2) dies: point (1, 2)
        edges {3, 4} have this boundary
        """
        return sentences.additions(self)
