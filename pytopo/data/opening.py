"""From names on a command line to sections: a folder, a file, or a pair of files."""

import os
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from pytopo.data.cremi import CremiVolume
from pytopo.data.hdf5 import HDF5Pair
from pytopo.data.pairs import ImagePairs, PicturePair
from pytopo.data.remarks import Remarks
from pytopo.data.sections import Sections, joined
from pytopo.images.readers.address import parsed_address
from pytopo.images.readers.choice import chosen_reader
from pytopo.notes import one_line

Source = str | os.PathLike[str]

EXPECTED = (
    "a folder with image/ and label/, an HDF5 file in the CREMI layout, or a pair IMAGE,LABEL "
    "like raw.h5:/raw,labels.h5:/labels"
)


def open_sections(
    sources: Source | Sequence[Source],
    *,
    invert: bool = False,
    ids: bool = False,
    border: float | None = 1.0,
    border_unit: str = "pixels",
    background: int | Iterable[int] | None = None,
    ignore: int | Iterable[int] | None = None,
    colour: bool = False,
) -> Sections:
    """Open sections with their ground truth; several sources are joined.

    Parameters
    ----------
    sources : str, path-like, or a sequence of these
        Each of them a folder (`ImagePairs`), an HDF5 file in the CREMI layout
        (`CremiVolume`), or a pair with a comma between: two data sets
        ``raw.h5:/raw,labels.h5:/labels`` (`HDF5Pair`) or two pictures
        ``stack.tif,labels.tif`` (`PicturePair`).  If a file or folder has the whole name,
        comma included, it is meant.
    invert : bool
        For labels that are masks: they mark cells, and 0 is membrane.
    ids : bool
        Labels of folders and pairs are ids of cells, as those of CREMI always are.
    border, border_unit, background
        How ids become membranes, see `CremiVolume`; a background of None is 2**64 - 1 for
        files in the CREMI layout, and otherwise 0 and 2**64 - 1.
    ignore : int, iterable of int or None
        Labels that mark pixels without ground truth: the truth of sections is int8 then, -1
        in such pixels.
    colour : bool
        Images of pictures are (H, W, 3), not their luminance.

    Raises
    ------
    FileNotFoundError
        If something is missing.
    ValueError
        If a source is none of these, and as the classes raise it.
    TypeError
        As the classes raise it.

    Warns
    -----
    InputWarning
        While sections are read, once for each kind: what was done to pixels, an image that
        uses little of the range of its dtype, a ground truth without membrane, ids whose
        meaning is doubtful.

    Examples
    --------
    >>> import tempfile
    >>> from pytopo.data import synthetic_volume, write_cremi
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("a.h5", "b.h5"):
    ...         write_cremi(f"{folder}/{name}", *synthetic_volume(2, 64))
    ...     sections = open_sections([f"{folder}/a.h5", f"{folder}/b.h5"])
    ...     len(sections), sections[3].image.shape
    (4, (64, 64))
    """
    labels = _Labels(invert, ids, border, border_unit, background, ignore, colour)
    several = [sources] if isinstance(sources, (str, os.PathLike)) else list(sources)
    parts = [labels.of(os.fspath(source)) for source in several]
    remarks = Remarks()
    for part in parts:
        part._share(remarks)
    return parts[0] if len(parts) == 1 else joined(parts)


class _Labels(NamedTuple):
    """The options of `open_sections`: how labels and images are read."""

    invert: bool
    ids: bool
    border: float | None
    border_unit: str
    background: int | Iterable[int] | None
    ignore: int | Iterable[int] | None
    colour: bool

    def of(self, source: str) -> Sections:
        image, comma, label = source.partition(",")
        if os.path.isdir(source):
            return ImagePairs(source, **self._of_pictures(source))
        if os.path.exists(source) or not comma:
            return self._of_cremi(source)
        match _is_hdf5(image), _is_hdf5(label):
            case True, True:
                return HDF5Pair(image, label, **self._of_hdf5(source))
            case False, False:
                return PicturePair(image, label, **self._of_pictures(source))
        raise ValueError(one_line(f"{source}: HDF5 and a picture; expected two of one kind"))

    def _of_cremi(self, source: str) -> CremiVolume:
        if not os.path.exists(source):
            raise FileNotFoundError(one_line(f"{source}: no such file; expected {EXPECTED}"))
        if not _is_hdf5(source):
            raise ValueError(
                one_line(f"{source}: a file that is not HDF5; expected {EXPECTED}")
            )
        if self.invert:
            raise ValueError(one_line(f"{source}: invert is for masks; a CREMI file holds ids"))
        self._of_hdf5(source)
        return CremiVolume(
            source,
            border=self.border,
            border_unit=self.border_unit,
            background=self.background,
            ignore=self.ignore,
        )

    def _of_hdf5(self, source: str) -> dict[str, Any]:
        options = self._asdict()
        if options.pop("colour"):
            raise ValueError(one_line(f"{source}: HDF5 holds grey images; expected pictures"))
        return options

    def _of_pictures(self, source: str) -> dict[str, Any]:
        options = self._asdict()
        if options.pop("border_unit") == "nm" and self.ids:
            raise ValueError(
                one_line(
                    f"{source}: pictures state no resolution; expected the border in pixels"
                )
            )
        return options


def _is_hdf5(path: str) -> bool:
    return chosen_reader(parsed_address(path)).__name__ == "read_hdf5"
