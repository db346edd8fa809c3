"""Pictures in pairs: an image, and a label that says where the membranes are.

    folder/image/0.png  1.png  2.png ... 10.png     numbers in names are ordered as numbers
    folder/label/0.png  1.png  2.png ... 10.png     the same names, except for the ending

A picture of several pages (a TIFF stack) has a section on each page.  Pictures cannot be read
in part, so the most recently decoded pages are kept.
"""

import os
import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from numpy.typing import NDArray

from pytopo.data.borders import Borders
from pytopo.data.ignored import Truth, checked_ignored, read_mask
from pytopo.data.labelled import LabelledSections
from pytopo.data.remarks import Remarks
from pytopo.data.sections import Joined
from pytopo.images.background import BACKGROUND, checked_background
from pytopo.images.colour import open_colour
from pytopo.images.image import ImageFile, image_shape, open_image, open_labels

ENDINGS = (".png", ".tif", ".tiff", ".bmp", ".pgm", ".jpg", ".jpeg")
KEPT = 128  # decoded pages, in each process


class PicturePair(LabelledSections):
    """Sections of two pictures: the pages of an image, and of a label.

    Parameters
    ----------
    image, label : str or path-like
        PNG, TIFF or another picture, with the same number of pages and one shape.  In a label
        with ids each palette entry or colour is an id; in a mask and in an image it is a
        brightness.
    invert : bool
        The label marks cells, and 0 is membrane.
    ids : bool
        The label holds ids of cells, not a mask; membranes are their borders.
    border : float or None
        For ids: up to which distance from a border pixels are membrane, in pixels, see
        `border_mask`.  ``None``: only background is membrane.
    background : int, iterable of int or None
        For ids: those that mean no cell and are membrane.  None: 0 and 2**64 - 1.
    ignore : int, iterable of int or None
        Labels that mark pixels without ground truth.
    colour : bool
        Images are (H, W, 3), red, green and blue, and not their luminance; of one page.

    Raises
    ------
    FileNotFoundError, IsADirectoryError
        If a file is missing or is a directory.
    ValueError
        If a file is damaged, if pages or shapes differ, or if an option does not apply.

    Examples
    --------
    >>> import tempfile
    >>> from PIL import Image
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     Image.new("L", (3, 2), 51).save(f"{folder}/image.png")
    ...     Image.new("L", (3, 2), 255).save(f"{folder}/label.png")
    ...     pair = PicturePair(f"{folder}/image.png", f"{folder}/label.png")
    ...     image, truth = pair[0]
    >>> image[0], truth[0]
    (array([0.2, 0.2, 0.2], dtype=float32), array([ True,  True,  True]))
    """

    def __init__(
        self,
        image: str | os.PathLike[str],
        label: str | os.PathLike[str],
        *,
        invert: bool = False,
        ids: bool = False,
        border: float | None = 1.0,
        background: int | Iterable[int] | None = None,
        ignore: int | Iterable[int] | None = None,
        colour: bool = False,
    ) -> None:
        self._image, self._label = os.fspath(image), os.fspath(label)
        self._kind = "colour" if colour else "image"
        known = checked_background(BACKGROUND if background is None else background)
        super().__init__(
            self._image,
            self._label,
            invert=invert,
            borders=Borders(border, "pixels", known).checked() if ids else None,
            background_given=background is not None,
            ignore=checked_ignored(ignore),
        )
        self._pages, *self._size = _stated_size(self._image)
        pages, *size = _stated_size(self._label)
        if (pages, size) != (self._pages, self._size):
            raise ValueError(
                f"{self._label} has {_counted(pages, size)}, {self._image} has "
                f"{_counted(self._pages, self._size)}; expected the same of both"
            )

    def __len__(self) -> int:
        return self._pages

    def _shape(self, i: int) -> tuple[int, int]:
        height, width = self._size
        return height, width

    def _name(self, i: int) -> str:
        return self._page_name(self._image, i)

    def _page_name(self, path: str, i: int) -> str:
        return f"{path} page {i}" if self._pages > 1 else path

    def _pixels(self, i: int, rows: slice, columns: slice) -> NDArray:
        return self._page(self._image, i, self._kind)[rows, columns]

    def _mask(self, i: int, rows: slice, columns: slice) -> Truth:
        return self._page(self._label, i, "mask")[rows, columns]

    def _cell_ids(self, i: int, rows: slice, columns: slice) -> NDArray:
        page = self._page(self._label, i, "ids")
        if page.dtype.kind not in "iu":
            where = self._page_name(self._label, i)
            raise ValueError(f"{where}: ids of dtype {page.dtype}; expected integers")
        return page[rows, columns]

    def _page(self, path: str, i: int, kind: str) -> NDArray:
        """Return a page (H, W), read as an "image", in "colour", as a "mask" or "ids"."""
        address = f"{path}[{i}]" if self._pages > 1 else path
        file = _decoded(address, os.stat(path).st_mtime_ns, kind, self._ignore)
        self._watch.remarks.warn(path, file.notes)
        pixels = file.array
        if pixels.shape[:2] != self._shape(i):
            raise ValueError(
                f"{address}: shape {pixels.shape}; expected {self._shape(i)} as of the first "
                "page"
            )
        return pixels


def _stated_size(path: str) -> tuple[int, int, int]:
    """Pages, rows and columns of a picture, from its header."""
    shape = image_shape(path)
    if len(shape) < 2:
        raise ValueError(f"{path}: shape {shape}; expected pages of rows and columns")
    height, width = shape[-2:]
    return shape[0] if len(shape) == 3 else 1, height, width


def _counted(pages: int, size: list[int]) -> str:
    height, width = size
    return f"{pages} pages of {height} x {width} pixels"


@lru_cache(maxsize=KEPT)
def _decoded(address: str, changed: int, kind: str, ignore: tuple[int, ...]) -> ImageFile:
    """A page of some kind, read-only; `changed` is when its file was modified."""
    if kind == "colour":
        file = open_colour(address)
    else:
        file = open_labels(address) if kind == "ids" else open_image(address, raw=True)
    pixels, notes = file.array, file.notes
    if kind == "mask":
        pixels, mask = read_mask(pixels, f"{address}: the label", ignore)
        notes = notes + mask.notes
    pixels.setflags(write=False)
    return ImageFile(pixels, notes)


# ---- folders -----------------------------------------------------------------------------


class ImagePairs(Joined):
    """Sections of a folder with the pictures ``image/NAME`` and ``label/NAME``.

    Labels are masks: 0 and one other value, which is membrane, or with `ids` the ids of
    cells.  Sections come in the order of the names, with numbers in them taken as numbers:
    2 before 10.

    Parameters
    ----------
    folder : str or path-like
    invert, ids, border, background, ignore, colour
        As in `PicturePair`.

    Raises
    ------
    FileNotFoundError
        If the folder, or ``image`` or ``label`` in it, is missing.
    ValueError
        If there are no pictures; if an image has no label or a label no image; if two
        pictures have the same name except for the ending; and as `PicturePair`.

    Examples
    --------
    >>> import tempfile
    >>> from PIL import Image
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for kind, value in (("image", 51), ("label", 0)):
    ...         os.mkdir(f"{folder}/{kind}")
    ...         for number in (10, 9):
    ...             Image.new("L", (3, 2), value).save(f"{folder}/{kind}/{number}.png")
    ...     pairs = ImagePairs(folder, invert=True)
    ...     [Path(pairs.name(i)).name for i in range(len(pairs))], int(pairs[0].truth.sum())
    (['9.png', '10.png'], 6)
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        *,
        invert: bool = False,
        ids: bool = False,
        border: float | None = 1.0,
        background: int | Iterable[int] | None = None,
        ignore: int | Iterable[int] | None = None,
        colour: bool = False,
    ) -> None:
        images, labels = (_pictures(Path(folder) / kind) for kind in ("image", "label"))
        alone = sorted(images.keys() ^ labels.keys(), key=_natural)
        if alone:
            lone = images.get(alone[0]) or labels[alone[0]]
            other = "label" if alone[0] in images else "image"
            raise ValueError(
                f"{lone}: no picture of this name in {Path(folder) / other}; expected one"
            )
        super().__init__(
            [
                PicturePair(
                    images[stem], labels[stem],
                    invert=invert, ids=ids, border=border, background=background,
                    ignore=ignore, colour=colour,
                )
                for stem in sorted(images, key=_natural)
            ]
        )  # fmt: skip
        self._share(Remarks())


def _pictures(folder: Path) -> dict[str, Path]:
    """The pictures of a folder by their names without ending."""
    if not folder.is_dir():
        raise FileNotFoundError(
            f"{folder}: no such folder; expected pictures in image/ and as many in label/"
        )
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in ENDINGS or path.name.startswith("."):
            continue
        if path.stem in found:
            raise ValueError(
                f"{path}: there is {found[path.stem].name} too; expected one of them"
            )
        found[path.stem] = path
    if not found:
        raise ValueError(
            f"{folder}: no pictures; expected names that end in {', '.join(ENDINGS)}"
        )
    return found


def _natural(name: str) -> list[tuple[int, str]]:
    """A key to sort names by: digits as numbers, and before letters.

    Examples
    --------
    >>> sorted(["z10", "z9", "1"], key=_natural)
    ['1', 'z9', 'z10']
    """
    parts = re.findall(r"([0-9]+)|([^0-9]+)", name)
    return [(int(digits), "") if digits else (10**18, letters) for digits, letters in parts]
