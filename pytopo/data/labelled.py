"""Images beside labels, of whatever kind of file: how labels become the ground truth.

    mask     0 and one other value, which is membrane; or inverted, the interior of cells
    ids      integers that name cells; membranes are their borders

A class that reads some kind of file reads windows of pixels, masks and ids.  The rest is
here: scaling, borders, and the notes on what was read.
"""

from abc import abstractmethod

from numpy.typing import NDArray

from pytopo.data.borders import Borders
from pytopo.data.ignored import Truth, inverted, marked
from pytopo.data.remarks import Remarks, Watch
from pytopo.data.sections import Section, Sections, unit_image
from pytopo.images.background import background_notes, is_background


class LabelledSections(Sections):
    """Sections of one source of images and one of labels.

    Parameters
    ----------
    image, label : str
        Names of the sources, for messages.
    invert : bool
        For masks: 0 is membrane.
    borders : Borders or None
        How ids of cells become membranes; ``None`` if the labels are masks.
    spacing : tuple of float
        Height and width of a pixel, in the unit of the borders.
    background_given : bool
        The user has said which ids are background, so no note is needed.
    ignore : tuple of int
        Labels of pixels without ground truth.

    Raises
    ------
    ValueError
        If ids are to be inverted.
    """

    def __init__(
        self,
        image: str,
        label: str,
        *,
        invert: bool,
        borders: Borders | None,
        spacing: tuple[float, float] = (1.0, 1.0),
        background_given: bool,
        ignore: tuple[int, ...] = (),
    ) -> None:
        if borders is not None and invert:
            raise ValueError(f"{label}: invert is for masks; these labels are ids")
        self._image_name, self._label_name = image, label
        self._invert = invert
        self._borders = borders
        self._spacing = spacing
        self._background_given = background_given
        self._ignore = ignore
        self._watch = Watch(Remarks())

    @abstractmethod
    def _pixels(self, i: int, rows: slice, columns: slice) -> NDArray:
        """A window of the image of section ``i``, as stored."""

    @abstractmethod
    def _mask(self, i: int, rows: slice, columns: slice) -> Truth:
        """A window of the label of section ``i``: where the mask is not 0, as a truth."""

    @abstractmethod
    def _cell_ids(self, i: int, rows: slice, columns: slice) -> NDArray:
        """A window of the label of section ``i``, as stored; it may end beyond the section."""

    def _share(self, remarks: Remarks) -> None:
        self._watch.remarks = remarks

    def _window(self, i: int, rows: slice, columns: slice) -> Section:
        pixels = self._pixels(i, rows, columns)
        image, truth = unit_image(pixels, self._name(i)), self._truth(i, rows, columns)
        whole = truth.shape == self._shape(i)
        self._watch.image(self._image_name, image, pixels.dtype, whole)
        if whole:  # windows are watched by `Patches`
            self._watch.truth(self._label_name, truth, whole)
        return Section(image, truth)

    def _truth(self, i: int, rows: slice, columns: slice) -> Truth:
        if self._borders is None:
            mask = self._mask(i, rows, columns)
            return inverted(mask) if self._invert else mask.copy()
        # A membrane may come from a border outside the window: read as far as it may reach.
        above, left = self._borders.margin(self._spacing)
        wide_rows, wide_columns = _widened(rows, above), _widened(columns, left)
        ids = self._cell_ids(i, wide_rows, wide_columns)
        if not self._background_given:
            notes = background_notes(ids, self._borders.background)
            self._watch.remarks.warn(self._label_name, notes)
        mask = self._borders.membranes(ids, self._spacing)
        inner = moved(rows, -wide_rows.start), moved(columns, -wide_columns.start)
        if self._ignore:
            return marked(mask[inner], is_background(ids[inner], self._ignore))
        return mask[inner].copy()


def moved(window: slice, by: int) -> slice:
    """Return a window moved by a number of pixels."""
    return slice(window.start + by, window.stop + by)


def _widened(window: slice, margin: int) -> slice:
    return slice(max(window.start - margin, 0), window.stop + margin)
