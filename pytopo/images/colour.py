"""A picture in colour: red, green and blue side by side, for networks that look at colour.

Everything else in pytopo is of one number for each pixel, so `read_image` returns luminance.
"""

import os
import warnings

import numpy as np
from PIL import Image

from pytopo.images.image import ImageFile, image_shape
from pytopo.notes import one_line

WIDE = ("I", "F")  # Pillow's modes of more than 8 bits begin so


def open_colour(path: str | os.PathLike[str]) -> ImageFile:
    """Read a picture of one page in colour; a grey one has three equal channels.

    Returns
    -------
    file : ImageFile
        ``array`` is (H, W, 3) uint8: red, green, blue.

    Raises
    ------
    FileNotFoundError, IsADirectoryError, PermissionError
        If the file is missing, is a directory, or may not be read.
    ValueError
        If it is no picture or damaged, has several pages, or more than 8 bits a channel.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     Image.new("RGB", (2, 1), (200, 100, 0)).save(f"{folder}/brick.png")
    ...     open_colour(f"{folder}/brick.png").array.tolist()
    [[[200, 100, 0], [200, 100, 0]]]
    """
    name = one_line(os.fsdecode(path))
    shape = image_shape(path)  # refuses what is no image, and too many pixels
    if len(shape) != 2:
        raise ValueError(f"{name}: shape {shape}; expected one page of rows and columns")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(path) as page:
                if page.mode.startswith(WIDE):
                    raise ValueError(f"{page.mode} pixels; expected 8 bits a channel")
                has_alpha = page.mode in ("RGBA", "LA", "PA") or "transparency" in page.info
                colour = np.array(page.convert("RGB"))
    except (OSError, ValueError, SyntaxError) as error:
        raise ValueError(f"{name}: not read in colour: {one_line(str(error))}") from None
    notes = ("alpha channel dropped",) if has_alpha else ()
    return ImageFile(colour, notes, colour.dtype)
