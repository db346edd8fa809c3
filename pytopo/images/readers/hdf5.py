"""HDF5: data sets in a tree of groups.  Only the requested part is read.

A file may refer to any other file of the user's as the place of its pixels, so references to
other files are not followed.  A path is therefore resolved link by link, without opening a
file that a link names: it may be a pipe that never answers.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import h5py
import numpy as np

from pytopo.images.readers.address import Address, Stored, decoding, member_expected, shown
from pytopo.images.readers.memory import refuse_unpacking
from pytopo.images.readers.part import Part, checked_part, shape_of

AXES = {name: name.upper() for name in "zyxct"} | {"channel": "C", "channels": "C", "time": "T"}
MOST_LINKS = 100  # that a path may follow; more are taken for a cycle

# Compressions that HDF5 itself does not include: their registered numbers, and whether the
# package hdf5plugin has them.
FILTERS = {
    4: ("SZIP", False),
    305: ("LZO", False),
    307: ("bzip2", True),
    32000: ("LZF", False),
    32001: ("Blosc", True),
    32004: ("LZ4", True),
    32008: ("Bitshuffle", True),
    32013: ("ZFP", True),
    32015: ("Zstandard", True),
    32017: ("SZ", True),
    32018: ("FCIDECOMP", True),
    32024: ("SZ3", True),
    32026: ("Blosc2", True),
    32028: ("SPERR", True),
}


def read_hdf5(address: Address, labels: bool = False) -> Stored:
    """Read a data set of an HDF5 file; nothing in it is colour, so labels are the same."""
    with opened_data_set(address) as data_set:
        return stored_part(address, data_set, _part(address, data_set)), ()


def stored_part(address: Address, data_set: Any, part: Part) -> np.ndarray:
    """Read a part of a data set that is open."""
    with decoding(address, "data set"):
        lacking = _lacking_filters(data_set)
    if not lacking:
        with decoding(address, "data set"):
            return data_set[part]
    try:
        return data_set[part]  # chunks that were stored uncompressed can be read
    except MemoryError:
        raise
    except Exception:
        raise address.refusal(_advice(lacking)) from None


def hdf5_shape(address: Address) -> tuple[int, ...]:
    """Return the shape of what `read_hdf5` reads."""
    with opened_data_set(address) as data_set:
        return shape_of(_part(address, data_set))


def stored_shape(address: Address, data_set: Any) -> tuple[tuple[int, ...], np.dtype, str]:
    """Return shape, dtype and the letters of the axes of a data set that is open."""
    with decoding(address, "data set"):
        shape, dtype = data_set.shape, data_set.dtype
        axes = _axes(data_set) if shape else ""
    return (0,) if shape is None else shape, dtype, axes


def _part(address: Address, data_set: Any) -> Part:
    shape, dtype, axes = stored_shape(address, data_set)
    part = checked_part(address, shape, dtype, axes)
    # Chunks that were never written take no room in the file.
    refuse_unpacking(address, shape_of(part), dtype, "take a part of it")
    return part


def _axes(data_set: Any) -> str:
    """Return a letter per axis, where they are named in the way of HDF5 or of ilastik."""
    names = [dim.label for dim in data_set.dims]
    tags = data_set.attrs.get("axistags")
    if isinstance(tags, str):
        try:
            names = [str(axis["key"]) for axis in json.loads(tags)["axes"]]
        except (ValueError, KeyError, TypeError):  # some other attribute of this name
            names = []
    if len(names) != data_set.ndim or not any(names):
        return ""
    return "".join(AXES.get(name.lower(), "Q") for name in names)


@contextmanager
def opened_data_set(address: Address) -> Iterator[Any]:
    """Open the data set that an address names, or the only one of the file if it names none.

    Parameters
    ----------
    address : Address

    Yields
    ------
    data_set : h5py.Dataset
        Its pixels lie in this file.  It is closed when the context ends.

    Raises
    ------
    ValueError
        If the file is damaged or locked; if there is no such data set; if none is named and
        there are several; if its pixels lie in other files.
    """
    with _opened(address) as file:
        data_set = _data_set(address, file)
        with decoding(address, "data set"):
            elsewhere = data_set.is_virtual or data_set.external is not None
        if elsewhere:
            raise _lies_elsewhere(address)
        yield data_set


def _opened(address: Address) -> Any:
    try:
        return h5py.File(address.file, "r")
    except OSError as err:
        if "lock file" in str(err) or "already open for write" in str(err):
            raise address.refusal(
                "locked: another program has it open for writing, or did not close it; close "
                "it there, or copy the file and read the copy"
            ) from None
        with decoding(address, "HDF5 file"):
            raise


def _lies_elsewhere(address: Address, link: Any = None) -> Exception:
    other = f" ({link.filename}:{link.path})" if link is not None else ""
    return address.refusal(
        "its pixels lie in other files, which are not read; expected them in this one, "
        f"name the other{other} or copy them"
    )


# ---- paths: link by link -----------------------------------------------------------------


def _data_set(address: Address, file: Any) -> Any:
    """Return the data set that the address names, or the only one if it names none."""
    if address.member:
        found = _followed(address, file)
        if isinstance(found, h5py.ExternalLink):
            raise _lies_elsewhere(address, found)
        if isinstance(found, h5py.Dataset):
            return found
    data_sets, elsewhere = _listed(address, file)
    if not address.member and len(data_sets) == 1:
        return data_sets[0]
    listed = [_described(data_set) for data_set in data_sets]
    raise member_expected(address, "data set", listed, elsewhere)


def _followed(address: Address, file: Any) -> Any:
    """Return what the path leads to: an object, a link to another file, or None."""
    at, names, links = file["/"], _names(address.member), 0
    while names:
        name = names.pop(0)
        if not isinstance(at, h5py.Group) or links > MOST_LINKS:
            return None
        try:
            link = at.get(name, getlink=True)
            if isinstance(link, h5py.ExternalLink):
                path = "/".join([link.path.rstrip("/"), *names])
                return h5py.ExternalLink(link.filename, path)
            if isinstance(link, h5py.SoftLink):
                links += 1
                names = _names(link.path) + names
                at = file["/"] if link.path.startswith("/") else at
            else:
                at = None if link is None else at[name]
        except Exception:  # a name, a link or an object that HDF5 cannot read
            return None
    return at


def _names(path: str) -> list[str]:
    return [name for name in path.split("/") if name not in ("", ".")]


def _listed(address: Address, file: Any) -> tuple[list[Any], list[str]]:
    """Return all data sets of a file, and its links to others as text.

    Soft links are skipped, so broken ones do no harm.
    """
    found, elsewhere = [], []

    def collect(_: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            found.append(item)

    def collect_link(name: str, link: Any) -> None:
        if isinstance(link, h5py.ExternalLink):
            elsewhere.append(f"/{name} -> {link.filename}:{link.path}")

    with decoding(address, "HDF5 file"):
        file.visititems(collect)
        file.visititems_links(collect_link)
    return found, elsewhere


def _described(data_set: Any) -> str:
    try:
        return f"{data_set.name} {shown(data_set.shape or ())} {data_set.dtype}"
    except Exception:  # a type that NumPy does not have
        return f"{data_set.name} of unknown type"


# ---- filters -----------------------------------------------------------------------------


def _lacking_filters(data_set: Any) -> list[int]:
    """Return the numbers of the compressions of a data set that are not available here."""
    properties = data_set.id.get_create_plist()
    numbers = [properties.get_filter(k)[0] for k in range(properties.get_nfilters())]
    lacking = [number for number in numbers if not h5py.h5z.filter_avail(number)]
    if lacking:
        try:
            import_module("hdf5plugin")
        except ImportError:
            return lacking
    return [number for number in lacking if not h5py.h5z.filter_avail(number)]


def _advice(lacking: list[int]) -> str:
    """Return which compressions are not available, and where to get them."""
    known = [FILTERS.get(number, ("an unregistered filter", False)) for number in lacking]
    named = ", ".join(f"{name} (filter {k})" for k, (name, _) in zip(lacking, known))
    if all(in_plugin for _, in_plugin in known):
        advice = "pip install hdf5plugin"
    else:
        advice = "write the file anew without it, by h5repack -f NONE where it can be read"
    return f"not available: its compression {named}; {advice}"
