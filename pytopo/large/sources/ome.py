"""OME-Zarr: what the metadata of a group says about the levels and axes of an image.

    {"multiscales": [{"axes": [{"name": "c"}, {"name": "y"}, {"name": "x"}],
                      "datasets": [{"path": "0"}, {"path": "1"}]}]}

Versions 0.1 to 0.4 have it among the attributes of the group, from 0.5 on they are in "ome".

References
----------
Moore et al. (2023), "OME-Zarr", doi:10.1007/s00418-023-02209-1.  https://ngff.openmicroscopy.org
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from pytopo.images.readers.address import Address, shown
from pytopo.images.readers.part import pick_per_axis

EARLY = ("t", "c", "z", "y", "x")  # the axes of version 0.2, which does not name them
SPACE = "zyx"


class Multiscales(NamedTuple):
    """A pyramid.

    Attributes
    ----------
    paths : tuple of str
        Of the arrays of its levels in the group, the finest first.
    axes : tuple of str
        Their names, like ("c", "y", "x"); empty if they are not named.
    channels : tuple of str
        Labels of the channels, as far as there are any.
    """

    paths: tuple[str, ...]
    axes: tuple[str, ...]
    channels: tuple[str, ...]


def multiscales_of(address: Address, attributes: Mapping[str, Any]) -> Multiscales | None:
    """Return the pyramid that the attributes of a group describe, None if they do not.

    Raises
    ------
    ValueError
        If the description is not understood.
    """
    held = attributes.get("ome", attributes)
    if not isinstance(held, Mapping) or "multiscales" not in held:
        return None
    try:
        first = held["multiscales"][0]
        paths = tuple(dataset["path"] for dataset in first["datasets"])
        axes = tuple(
            axis["name"] if isinstance(axis, Mapping) else axis
            for axis in first.get("axes", ())
        )
        good = bool(paths) and all(isinstance(text, str) for text in paths + axes)
    except (TypeError, KeyError, IndexError, AttributeError):
        good = False
    if not good:
        raise address.refusal(
            "damaged: its multiscales are no list of levels, like "
            '[{"axes": [{"name": "y"}, {"name": "x"}], "datasets": [{"path": "0"}]}]'
        )
    return Multiscales(paths, axes, _channels(held))


def _channels(held: Mapping[str, Any]) -> tuple[str, ...]:
    try:
        return tuple(str(channel["label"]) for channel in held["omero"]["channels"])
    except (TypeError, KeyError):
        return ()


def with_one_channel(
    address: Address, shape: Sequence[int], image: Multiscales
) -> tuple[Address, str]:
    """Return the address with axes of length 1 left out, and a letter for each axis.

    Raises
    ------
    ValueError
        If there are several channels or times, and the address takes more than one of them.
    """
    axes = image.axes or EARLY[-len(shape) :]
    if len(axes) != len(shape) or len(set(axes)) < len(axes):
        raise address.refusal(
            f"damaged: axes ({', '.join(axes)}) are named for shape {shown(shape)}"
        )
    picks = list(pick_per_axis(address, len(shape)))
    for k, (name, length) in enumerate(zip(axes, shape)):
        if length == 1 and name not in ("y", "x") and picks[k] == slice(None):
            picks[k] = 0
    several = [
        k for k, name in enumerate(axes) if name not in SPACE and isinstance(picks[k], slice)
    ]
    if several:
        like = ", ".join(
            "0" if k in several or isinstance(pick, int) else ":"
            for k, pick in enumerate(picks[: several[-1] + 1])
        )
        named = f"; channels are {', '.join(image.channels[:10])}" if image.channels else ""
        words = {"c": "channel", "t": "time"}
        wanted = " and ".join(f"one {words.get(axes[k], axes[k])}" for k in several)
        raise address.refusal(
            f"shape {shown(shape)}, axes ({', '.join(axes)}); expected {wanted}, like "
            f"{address.unsliced}[{like}]{named}"
        )
    letters = "".join(name.upper() if len(name) == 1 else "Q" for name in axes)
    return replace(address, picks=tuple(picks)), letters
