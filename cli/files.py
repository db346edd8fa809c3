"""What commands read and write: images, figures, tables; each file is written atomically."""

import io
import os
import re
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pytopo.cli.memory import check_memory
from pytopo.cli.report import InputError, printable, reporting_errors, say
from pytopo.progress import progress

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from pytopo.images.image import ImageFile
    from pytopo.images.masks import Advice


def opened(path: str, raw: bool | None = None) -> "ImageFile":
    """Read an image file, and print what was done to its pixels.

    Parameters
    ----------
    path : str
    raw : bool or None
        Whether integers stay as stored; None for a command that has no option ``--raw``.
    """
    from pytopo.images.image import open_image

    with progress(f"reading {path}"), _advising(raw), reporting_errors():
        file = open_image(path, raw=bool(raw))
    say_of(path, file.notes)
    return file


@contextmanager
def _advising(raw: bool | None) -> Iterator[None]:
    """Name the option of the command in an error of `pytopo.images`, where there is one.

    Such an error says that scaling would make two values of 64 bits one.
    """
    from pytopo.images.image import RAW_ADVICE

    try:
        yield
    except InputError as error:
        advice = "save fewer bits" if raw is None else "take --raw, or save fewer bits"
        raise InputError(str(error).replace(RAW_ADVICE, advice)) from None


def read(path: str, raw: bool | None = None) -> "NDArray":
    """Read an image, and print what was done to its pixels, and if they use little of [0, 1].

    Parameters
    ----------
    path, raw
        As of `opened`.
    """
    file = opened(path, raw)
    if not raw:
        _say_of_range(path, file.array, file.stored_dtype)
    return file.array


def _say_of_range(path: str, image: "NDArray", stored_dtype: "np.dtype | None") -> None:
    """Print a note if a scaled image uses little of [0, 1]."""
    from pytopo.images.scaling import range_notes

    share = float(image.max()) - float(image.min())
    say_of(path, range_notes(share, stored_dtype))


def check_axes(path: str, image: "NDArray") -> None:
    """Refuse what is neither an image of rows and columns nor a volume."""
    if image.ndim not in (2, 3):
        raise InputError(
            f"{path}: an image of {image.ndim} axes; expected 2, or 3 for a volume"
        )


def check_room(path: str, by_section: bool = False) -> None:
    """Refuse an image whose diagram would not fit into memory, before it is read.

    With `by_section` that is the diagram of one plane of a volume.
    """
    from pytopo.images.image import image_shape

    with reporting_errors():
        shape = image_shape(path)
    check_memory(path, shape[1:] if by_section and len(shape) == 3 else shape)


def read_grey(path: str, raw: bool | None = None) -> "NDArray":
    """Read an image that may be a mask, which becomes 0 and 1 whatever its dtype.

    A mask holds 0 and one other value; floats on [0, 1] stay as they are all the same.
    Any other image is as `read` returns it.

    Parameters
    ----------
    path, raw
        As of `opened`; what is raw is no mask.
    """
    from pytopo.images.image import open_image
    from pytopo.images.masks import two_valued

    if raw:
        return read(path, raw)
    with progress(f"reading {path}"), reporting_errors():
        file = open_image(path, raw=True)  # as stored: scaling would hide which is a mask
    stored = file.array
    likelihood = stored.dtype.kind == "f" and not (stored.min() < 0 or stored.max() > 1)
    if likelihood or not two_valued(stored):
        image = _scaled(path, stored, raw)
        say_of(path, file.notes)
        _say_of_range(path, image, file.stored_dtype)
        return image
    say_of(path, file.notes)
    return mask_in(path, stored).astype("float32")


def _scaled(path: str, stored: "NDArray", raw: bool | None) -> "NDArray":
    """Return stored values as `pytopo.read_image` scales them to [0, 1]."""
    from pytopo.images.image import MORE_MEMORY, RAW_ADVICE
    from pytopo.images.scaling import scaled

    with _advising(raw):
        try:
            return scaled(stored)
        except ValueError as error:
            raise InputError(f"{path}: {error}; {RAW_ADVICE}") from None
        except MemoryError as error:
            raise InputError(f"{path}: {error or 'out of memory'}; {MORE_MEMORY}") from None


def read_likelihood(path: str) -> "NDArray":
    """Read an image, or a mask, of values from 0 to 1; rounding errors are clipped."""
    import numpy as np

    from pytopo.images.scaling import clipped_to_unit
    from pytopo.notes import number_text

    image = read_grey(path)
    clipped = clipped_to_unit(image)
    if clipped is None:
        inside = (image >= 0) & (image <= 1)  # NaN is not
        index = np.argwhere(~inside)[0].tolist()
        raise InputError(
            f"{path}: image{index} is {number_text(image[tuple(index)])}; expected a "
            "likelihood, 0 to 1"
        )
    return clipped


def read_mask(
    path: str, advice: "Advice", threshold: float | None = None
) -> "NDArray[np.bool_]":
    """Read a mask, True where it is not 0, and print how.

    Parameters
    ----------
    path : str
    advice : Advice
        What the command offers for values that are no mask.
    threshold : float or None
        The file holds grey values, on [0, 1] once they are scaled, and the mask is where
        they are greater; None if it holds a mask.
    """
    if threshold is None:
        return mask_in(path, opened(path, raw=True).array, advice)
    return read_likelihood(path) > threshold


def mask_in(
    path: str, stored: "NDArray", advice: "Advice | None" = None
) -> "NDArray[np.bool_]":
    """Return the mask that stored values are, and print how they were read."""
    from pytopo.images.masks import mask_of

    with reporting_errors():
        mask = mask_of(stored, f"{path}: image", advice)
    say_of(path, mask.notes)
    if stored.dtype.kind in "iu" and not mask.notes and stored.max() == 1:
        say(f"{path}: holds 0 and 1 only, which are taken as they are, not scaled")
    return mask.array


def read_ids(path: str) -> "NDArray":
    """Read ids of segments, colours as ids and not as brightness, and print how."""
    from pytopo.images.image import open_labels

    with reporting_errors():
        file = open_labels(path)
    say_of(path, file.notes)
    if file.array.dtype.kind not in "biu":
        raise InputError(f"{path}: values of {file.array.dtype}; expected labels of integers")
    return file.array


def say_of(path: str, notes: Iterable[str]) -> None:
    """Print the notes on a file, one line each."""
    for note in notes:
        say(f"{path}: {note}")


def check_places(files: Sequence[str]) -> None:
    """Check before the work whether files can be written."""
    for path in files:
        folder = os.path.dirname(os.path.realpath(path))
        if os.path.isdir(path):
            raise InputError(f"{path}: a folder; name a file in it")
        if os.path.exists(path) and not os.path.isfile(path):
            continue  # a pipe or a device
        if not os.path.isdir(folder):
            raise InputError(f"{path}: there is no folder {folder}; create it first")
        if not os.access(folder, os.W_OK):
            raise InputError(
                f"{path}: no permission to write in {folder}; name a file elsewhere"
            )


def write(path: str, content: str | bytes) -> None:
    """Write a file, whole or not at all, and print its name."""
    from pytopo.files import replacing

    with (
        reporting_errors(path),
        replacing(path, "wb" if isinstance(content, bytes) else "w") as stream,
    ):
        stream.write(content)
    say(f"wrote {path}")


# ---- figures: what lies in the image to the left, its diagram to the right -----------------


def figure_name(image: str | None) -> str:
    """Return a name for the figure of an image, which may be a part of a file.

    Examples
    --------
    >>> figure_name("cells/a.png"), figure_name("vol.h5:/volumes/raw[3]")
    ('a', 'vol-volumes-raw-3')
    """
    if image is None:
        return "example"
    path = Path(image)
    part = re.fullmatch(r"(.*?)(\.\w+)?([:\[].*)", os.path.splitdrive(image)[1])
    if part is None or path.exists():
        return path.stem
    inside = re.sub(r"[^\w.]+", "-", part[3]).strip("-.")
    return "-".join(filter(None, [Path(part[1]).name, inside]))


def two_axes() -> "tuple[Figure, Axes, Axes]":
    """Return a figure with room for an image and for a diagram, and the Axes of both."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 5.8), dpi=150)
    left, right = figure.subplots(1, 2)
    figure.subplots_adjust(left=0.07, right=0.98, bottom=0.15, top=0.87, wspace=0.18)
    return figure, left, right


def figure_content(figure: "Figure", title: str, path: str) -> bytes:
    """Return the content of the file of a figure, of the kind that the path names."""
    title = printable(title)
    title = title if len(title) <= 60 else f"… {title[-58:]}"
    figure.suptitle(title, fontweight="bold", parse_math=False)

    content, kind = io.BytesIO(), Path(path).suffix[1:].lower()
    # Level 3 makes a PNG no larger than 6 does, and takes three quarters of the time.
    options = {"pil_kwargs": {"compress_level": 3}} if kind == "png" else {}
    with progress(f"figure of {title}"), warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"Glyph \d+ .* missing from font")  # of the name
        figure.savefig(content, format=kind, **options)
    return content.getvalue()


# ---- words ---------------------------------------------------------------------------------


def size_text(image: "NDArray") -> str:
    """Return a shape as text, like ``3 x 4``."""
    return " x ".join(map(str, image.shape))


def aligned(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Return the rows of a table as lines, all columns to the right.

    Examples
    --------
    >>> aligned([("dim", "number"), ("0", "12")])
    ['dim  number', '  0      12']
    """
    widths = [max(map(len, column)) for column in zip(*rows)]
    return ["  ".join(map(str.rjust, row, widths)) for row in rows]


def sweep_text(
    superlevel: bool, construction: str, frame: float | None, min_persistence: float = 0
) -> str:
    """Return the options of persistence as text, the defaults that matter included.

    Examples
    --------
    >>> sweep_text(True, "V", None, 0.1)
    'superlevel, construction V, persistence at least 0.1'
    """
    options = ["superlevel" if superlevel else "sublevel", f"construction {construction}"]
    if frame is not None:
        options.append(f"frame {frame:.6g}")
    if min_persistence > 0:
        options.append(f"persistence at least {min_persistence:.6g}")
    return ", ".join(options)
