"""Zarr, versions 2 and 3: an array of a store, or the levels of an OME-Zarr image in it.

big.zarr               the array, the only array of the group, or the image of the group
big.zarr:labels/cells  what lies there in the group
"""

import os
from contextlib import suppress
from dataclasses import replace
from typing import Any

from numpy.typing import NDArray

from pytopo.images.readers.address import Address, decoding, member_expected, shown
from pytopo.images.readers.hdf5 import AXES
from pytopo.images.readers.part import Part
from pytopo.large.sources.levels import chosen_level
from pytopo.large.sources.ome import multiscales_of, with_one_channel
from pytopo.large.sources.source import Level, Source, Stored, source_of

MARKS = (".zarray", ".zgroup", "zarr.json")
DEEPEST = 4  # groups in groups whose arrays are listed


def is_zarr(folder: str) -> bool:
    """Return whether a folder is an array or a group of a Zarr store."""
    return any(os.path.exists(os.path.join(folder, mark)) for mark in MARKS)


def open_zarr(address: Address, level: str | int | None) -> Source:
    """Open an array of a store, or a level of the image that it holds.

    Raises
    ------
    ImportError
        If zarr is not installed.
    ValueError
        If the store is damaged, or holds no such array or level, or several channels.
    """
    node = _node(address, address.member)
    if not hasattr(node, "shape"):
        with decoding(address, "Zarr store"):
            image = multiscales_of(address, dict(node.attrs))
        if image is None:
            node, address = _only_array(address, node)
    else:
        image = None
    if image is None:
        chosen_level(address, (), level)
        return source_of("Zarr array", address, _stored(address, node), _read)

    places = [_joined(address.member, path) for path in image.paths]
    arrays = [_array(address, place) for place in places]
    with decoding(address, "Zarr store"):
        levels = tuple(Level(p, tuple(a.shape)) for p, a in zip(image.paths, arrays))
    if len({len(level.shape) for level in levels}) > 1:
        raise address.refusal("damaged: its levels differ in their number of axes")
    chosen = chosen_level(address, levels, level)
    address, axes = with_one_channel(address, levels[chosen].shape, image)
    stored = replace(_stored(address, arrays[chosen]), axes=axes)
    return source_of("OME-Zarr image", address, stored, _read, levels, chosen)


def _read(source: Source, part: Part) -> NDArray:
    path = source.levels[source.level].name if source.levels else ""
    array = _array(source.address, _joined(source.address.member, path))
    with decoding(source.address, "Zarr array"):
        return array[part]


def _joined(*parts: str) -> str:
    return "/".join(part.strip("/") for part in parts if part.strip("/"))


def _node(address: Address, path: str) -> Any:
    """Return the array or group at a path."""
    try:
        import zarr
    except ImportError:
        raise address.refusal(
            "a Zarr store, which needs the package zarr: pip install 'pytopo-toolkit[dask]'",
            ImportError,
        ) from None
    with decoding(address, "Zarr store"), suppress(FileNotFoundError):
        return zarr.open(address.file, mode="r", path=_joined(path))
    if path:
        raise member_expected(address, "array", _described(_node(address, "")))
    raise address.refusal("damaged, or not a readable Zarr store: its metadata is missing")


def _array(address: Address, path: str) -> Any:
    """Return the array at a path."""
    node = _node(address, path)
    if not hasattr(node, "shape"):
        raise address.refusal(f"damaged: {path!r} is a group; expected an array")
    return node


def _only_array(address: Address, group: Any) -> tuple[Any, Address]:
    """Return the only array of a group, and its address."""
    with decoding(address, "Zarr store"):
        found = [node for _, node in group.members(max_depth=DEEPEST) if hasattr(node, "shape")]
    if len(found) != 1:
        raise member_expected(replace(address, member=""), "array", _described(group))
    return found[0], replace(address, member=found[0].path)


def _described(group: Any) -> list[str]:
    """Return the arrays of a group as text."""
    if hasattr(group, "shape"):
        return []
    members = sorted(group.members(max_depth=DEEPEST), key=lambda item: item[0])
    return [
        f"{node.path} {shown(node.shape)} {node.dtype}"
        for _, node in members
        if hasattr(node, "shape")
    ]


def _stored(address: Address, array: Any) -> Stored:
    """Return what the metadata says about an array."""
    with decoding(address, "Zarr array"):
        names = getattr(array.metadata, "dimension_names", None) or ()
        axes = "".join(AXES.get(str(name).lower(), "Q") for name in names) if any(names) else ""
        return Stored(tuple(array.shape), array.dtype, tuple(array.chunks), axes)
