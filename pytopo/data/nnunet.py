"""Sections as a data set of nnU-Net: a picture and a label picture each, and ``dataset.json``.

Dataset001_Membranes/imagesTr/section_000_0000.png    the image, channel 0
                     labelsTr/section_000.png         0 cells, 1 membranes
                     dataset.json                     written last
"""

import json
import os
import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pytopo.files import replacing

NAME = re.compile(r"Dataset[0-9]{3}_\w+")


def write_nnunet(
    folder: str | os.PathLike[str],
    sections: Iterable[tuple[NDArray[np.uint8], NDArray[np.bool_]]],
) -> int:
    """Write sections with their masks as a training set of nnU-Net v2.

    Parameters
    ----------
    folder : path-like
        New or empty, named as nnU-Net expects, like ``nnUNet_raw/Dataset001_Membranes``.
    sections : iterable of ((H, W) uint8, (H, W) bool)
        Images, and masks of the foreground.

    Returns
    -------
    count : int
        How many sections have been written.

    Raises
    ------
    ValueError
        If the folder has another name, or something is in it.
    """
    from PIL import Image

    path = Path(folder)
    if not NAME.fullmatch(path.name):
        raise ValueError(f"{path}: expected a name like Dataset001_Membranes")
    if path.exists() and any(path.iterdir()):
        raise ValueError(f"{path}: not empty; expected a new folder")
    for name in ("imagesTr", "labelsTr"):
        (path / name).mkdir(parents=True, exist_ok=True)
    count = 0
    for image, mask in sections:
        pictures = {
            f"imagesTr/section_{count:03}_0000.png": image,
            f"labelsTr/section_{count:03}.png": mask.astype(np.uint8),
        }
        for name, picture in pictures.items():
            with replacing(path / name, "wb") as stream:
                Image.fromarray(picture).save(stream, format="PNG")
        count += 1
    description = {
        "channel_names": {"0": "electron microscopy"},
        "labels": {"background": 0, "membrane": 1},
        "numTraining": count,
        "file_ending": ".png",
    }
    with replacing(path / "dataset.json") as stream:
        json.dump(description, stream, indent=1)
        stream.write("\n")
    return count
