"""An address names a file, what to take out of it, and which part of that.

    volume.h5 : /volumes/raw [0:8, ..., 100:200]
      file         member        slice

Here the text is parsed (`parsed_address`), and all readers refuse a file in the same words:
``Address.refusal``, `decoding` and `member_expected` say in one line what came and what was
expected.  What the slice means for an array of some shape is found out in `part.py`.
"""

import errno
import os
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import EllipsisType

import numpy as np

from pytopo.images.readers.foreign import store_text
from pytopo.notes import one_line

Stored = tuple[np.ndarray, tuple[str, ...]]  # pixels as stored, and notes: what readers return
Pick = int | slice | EllipsisType  # an entry of a slice


@dataclass(frozen=True)
class Address:
    """Where an image lies; `pytopo.images.readers.part` says what the slice means there.

    Attributes
    ----------
    text : str
        All of it, as given.
    file : str
    member : str
        Empty where none is named.
    picks : tuple of int, slice or Ellipsis
        The entries of the slice; empty where none is given.
    scaled : bool
        Whether integers will be scaled, which takes additional memory.
    """

    text: str
    file: str
    member: str
    picks: tuple[Pick, ...]
    scaled: bool = False

    def refusal(self, reason: str, error: type[Exception] = ValueError) -> Exception:
        """Return an error that names the address and says in one line what is wrong."""
        return error(one_line(f"{self.text}: {reason}"))

    @property
    def unsliced(self) -> str:
        """The address without its slice."""
        return f"{self.file}:{self.member}" if self.member else self.file


def parsed_address(text: str, scaled: bool = False, folders: bool = False) -> Address:
    """Return the address that a text means, which depends on which files exist.

    With `folders` it may name a folder, as of a Zarr store.

    Raises
    ------
    FileNotFoundError, IsADirectoryError
        If there is no such file, or if it is a directory.
    ValueError
        If it is a pipe or device, or the slice is not understood.
    """
    file, member, brackets = _split(text)
    is_folder = os.path.isdir(file)
    if is_folder and not folders:
        came = store_text(file) or "a directory; expected an image file"
        raise IsADirectoryError(one_line(f"{file}: {came}"))
    if not os.path.exists(file):
        expected = "PATH or PATH:MEMBER, with an optional [slice]"
        raise FileNotFoundError(one_line(f"{file}: no such file; expected {expected}"))
    if not is_folder and not os.path.isfile(file):
        raise ValueError(one_line(f"{file}: a pipe or device; expected a file, save it as one"))
    return Address(text, file, member, _picks(text, brackets), scaled)


def _split(text: str) -> tuple[str, str, str]:
    """Return file, member and bracketed slice; the longest name of an existing file wins."""
    if os.path.exists(text):
        return text, "", ""
    cut = text.rfind("[") if text.endswith("]") else -1
    body, brackets = (text[:cut], text[cut:]) if cut >= 0 else (text, "")
    if os.path.exists(body):
        return body, "", brackets
    drive, rest = os.path.splitdrive(body)  # C: of Windows names no file
    colons = [len(drive) + k for k, letter in enumerate(rest) if letter == ":"]
    for colon in reversed(colons):
        if os.path.exists(body[:colon]):
            return body[:colon], body[colon + 1 :], brackets
    return drive + rest.partition(":")[0], "", brackets


def _picks(text: str, brackets: str) -> tuple[Pick, ...]:
    """Return the entries of brackets like ``[0:8, ..., -1]``."""
    entries = brackets[1:-1].split(",") if brackets else []
    picks = [_pick(entry.strip()) for entry in entries]
    understood = tuple(pick for pick in picks if pick is not None)
    if len(understood) < len(picks) or picks.count(...) > 1:
        expected = (
            "integers, start:stop:step with step > 0, at most one ..., like [0:8, ..., -1]"
        )
        raise ValueError(
            one_line(f"{text}: slice {brackets} not understood; expected {expected}")
        )
    return understood


def _pick(entry: str) -> Pick | None:
    """Return one entry of a slice, or None where it is not understood."""
    if entry == "...":
        return ...
    numbers = [number.strip() for number in entry.split(":")]
    if not all(re.fullmatch(r"(-?[0-9]{1,18})?", number) for number in numbers):
        return None
    match [int(number) if number else None for number in numbers]:
        case [int(index)]:
            return index
        case [start, stop]:
            return slice(start, stop)
        case [start, stop, step] if step is None or step > 0:
            return slice(start, stop, step)
    return None


# ---- refusals that several readers share -------------------------------------------------


@contextmanager
def decoding(address: Address, kind: str) -> Iterator[None]:
    """Turn every error into a refusal: the file is damaged.

    To be used around what reads bytes and tags, and around as little else as possible.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except MemoryError:
        raise
    except Exception as err:
        if isinstance(err, OSError) and err.errno == errno.ENOMEM:
            raise MemoryError(err.strerror) from None
        reason = str(err) or type(err).__name__
        raise address.refusal(f"damaged, or not a readable {kind}: {reason}") from None


def refuse_member(address: Address, kind: str) -> None:
    """Refuse an address that names a member of a file that has none."""
    if address.member:
        raise address.refusal(
            f"a {kind} has no members; expected {address.file} without {address.member!r}"
        )


def member_expected(
    address: Address, kind: str, listed: Sequence[str], elsewhere: Sequence[str] = ()
) -> Exception:
    """Return the refusal of a member that does not exist, or is not named where it must be.

    Parameters
    ----------
    address : Address
    kind : str
        What members are called.
    listed : sequence of str
        The members that exist.
    elsewhere : sequence of str
        Links to other files, like ``/raw -> b.h5:/raw``.
    """
    came = f"no {kind} {address.member!r}" if address.member else f"no {kind} named"
    links = f"links to other files, which are not read: {_some(elsewhere)}" if elsewhere else ""
    if not listed and not links:
        return address.refusal(f"{came}; the file holds none")
    if not listed:
        return address.refusal(f"{came}; the file holds none of its own, only {links}")
    expected = f"{came}; expected {address.file}:NAME with one of {_some(listed)}"
    return address.refusal(f"{expected}; and {links}" if links else expected)


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - 10} more" if len(names) > 10 else ""
    return f"{'; '.join(names[:10])}{more}"


def shown(shape: Sequence[int]) -> str:
    """Return a shape as text, as Python writes a tuple of more than one entry."""
    return f"({', '.join(map(str, shape))})"
