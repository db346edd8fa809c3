"""An address names a file, what to take out of it, and which part of that.

    volume.h5 : /volumes/raw [0:8, ..., 100:200]
      file         member        slice

The readers share what is here: `checked_part` fits the slice to the shape that a file
claims, and refuses what cannot become an image; `decoding` and the other refusals say in
one line what came and what was expected.
"""

import errno
import math
import os
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import EllipsisType

import numpy as np

from pytopo.images.readers.foreign import store_text

Stored = tuple[np.ndarray, tuple[str, ...]]  # pixels as stored, and notes: what readers return
Pick = int | slice | EllipsisType  # an entry of a slice
Part = tuple[int | slice, ...]  # one entry for each axis, none of them negative or open

CHANNELS = ("C", "S")  # letters of axes: channel, sample
WINDOWS = (4096, 512)  # rows and columns of a part that will do
SMALL_ENOUGH = 2**31  # bytes that any file may ask for, scaling included
MOST_PACKED = 1000  # times that compression makes an image smaller; more is suspicious


@dataclass(frozen=True)
class Address:
    """Where an image lies; `checked_part` says what the slice means there.

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
        Whether integers will be scaled, which takes memory of its own.
    """

    text: str
    file: str
    member: str
    picks: tuple[Pick, ...]
    scaled: bool = False

    def refusal(self, reason: str, error: type[Exception] = ValueError) -> Exception:
        return error(one_line(f"{self.text}: {reason}"))

    @property
    def unsliced(self) -> str:
        return f"{self.file}:{self.member}" if self.member else self.file


def parsed_address(text: str, scaled: bool = False) -> Address:
    """Return the address that a text means, given which files there are."""
    file, member, brackets = _split(text)
    if os.path.isdir(file):
        came = store_text(file) or "a directory; expected an image file"
        raise IsADirectoryError(one_line(f"{file}: {came}"))
    if not os.path.exists(file):
        expected = "PATH or PATH:MEMBER, with an optional [slice]"
        raise FileNotFoundError(one_line(f"{file}: no such file; expected {expected}"))
    if not os.path.isfile(file):
        raise ValueError(one_line(f"{file}: a pipe or device; expected a file, save it as one"))
    return Address(text, file, member, _picks(text, brackets), scaled)


def _split(text: str) -> tuple[str, str, str]:
    """File, member and bracketed slice; the longest name of a file that exists wins."""
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
    """The entries of ``[0:8, ..., -1]``."""
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
    """One entry of a slice, or None where it is not understood."""
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


# ---- part: the slice, fitted to the shape that the file claims ---------------------------


def checked_part(
    address: Address, shape: Sequence[int], dtype: np.dtype, axes: str = ""
) -> Part:
    """Return what to take of a stored array, once it is certain to make an image.

    Parameters
    ----------
    address : Address
    shape, dtype
        Of the array, as the file claims them.
    axes : str
        A letter for each axis, where the file names them: C and S are channels.

    Raises
    ------
    TypeError
        If the dtype is not bool, integer or float.
    ValueError
        If the slice does not fit the shape, or what it leaves is empty, has not 1 to 3
        axes, has channels for planes, or takes more bytes than this machine has.
    """
    _refuse_unreal(address, dtype)
    picks = pick_per_axis(address, len(shape))
    part = tuple(
        bounded(address, pick, axis, length)
        for axis, (pick, length) in enumerate(zip(picks, shape))
    )
    # Who writes 0:3 along channels knows that they are planes.
    axes = "".join("Z" if _has_ends(pick) else axis for axis, pick in zip(axes, picks))
    left = shape_of(part)
    if 0 in left:
        raise address.refusal(f"shape {shown(left)} is empty; expected pixels")
    fault = _fault(part, shape, axes)
    if fault:
        advice = _smaller_part(address, part, shape, dtype, axes)
        raise address.refusal(f"{fault}, {advice}")
    if not fits(address, left, dtype):
        refuse_giant(address, left, dtype, _smaller_part(address, part, shape, dtype, axes))
    return part


def _has_ends(pick: int | slice) -> bool:
    return isinstance(pick, slice) and (pick.start, pick.stop) != (None, None)


def _fault(part: Part, shape: Sequence[int], axes: str) -> str:
    """Why what a slice leaves is no image; empty if it is one."""
    left = shape_of(part)
    kept = [k for k, pick in enumerate(part) if isinstance(pick, slice)]
    named = f", axes ({', '.join(axes[k] for k in kept)})," if axes else ""
    if not 1 <= len(left) <= 3:
        return f"shape {shown(left)}{named} has {len(left)} axes; expected an image of 1 to 3"
    if any(axes[k : k + 1] in CHANNELS for k in kept):
        return f"shape {shown(left)}{named} has channels; expected an image of one"
    if len(left) == 3 and left[-1] == 1 == shape[kept[-1]]:
        return f"shape {shown(left)} ends in an axis of length 1; expected an image without it"
    return ""


def _smaller_part(
    address: Address, part: Part, shape: Sequence[int], dtype: np.dtype, axes: str
) -> str:
    """Advice on what to take instead, tried before it is given."""
    kept = [k for k, pick in enumerate(part) if isinstance(pick, slice)]
    if not kept:
        return "take more of it"

    last = max((k for k in kept if shape[k] > 1), default=kept[-1])

    def cost(k: int) -> int:
        """What is taken one of first: a channel, then an axis of one, ..., rows at last."""
        if axes[k : k + 1] in CHANNELS:
            return 0
        if shape[k] == 1:
            return 1
        if axes[k : k + 1] == "T":
            return 2
        if k == last and shape[k] <= 4:  # like channels
            return 3
        return 4 + k + (100 if k in kept[-2:] else 0)

    order = sorted(kept, key=cost)
    for k in range(1, len(order) - 1):
        chosen = order[:k]
        smaller = _narrowed(part, chosen, 1)
        left = shape_of(smaller)
        good = not _fault(smaller, shape, axes) and not looks_like_colour(left)
        if good and fits(address, left, dtype):
            channel = axes[chosen[-1] : chosen[-1] + 1] in CHANNELS
            word = "channel" if channel else "section"
            advice = f"take one {word}, like {_sliced(address, smaller, shape)}"
            if not channel or len(kept) > 3 or shape[chosen[-1]] == 1:
                return advice
            given = _sliced(address, part, shape, full=chosen[-1])
            return f"{advice}, or {given} if they are planes"
    plane = _narrowed(part, order[:-2], 1)
    for length in WINDOWS:
        window = _narrowed(plane, order[-2:], length)
        if window != part and fits(address, shape_of(window), dtype):
            return f"take a window, like {_sliced(address, window, shape)}"
    return "take less of it"


def _narrowed(part: Part, chosen: Sequence[int], length: int) -> Part:
    """The same part with no more than a length of the chosen axes; of 1, the axis goes."""
    picks = list(part)
    for k in chosen:
        pick = picks[k]
        if isinstance(pick, slice):
            first, most = pick.start, pick.start + length * pick.step
            picks[k] = first if length == 1 else slice(first, min(pick.stop, most), pick.step)
    return tuple(picks)


def _sliced(address: Address, part: Part, shape: Sequence[int], full: int | None = None) -> str:
    """The address of a part, as one writes it; the axis `full` with its ends."""
    entries = []
    for k, (pick, length) in enumerate(zip(part, shape)):
        if isinstance(pick, int):
            entries.append(str(pick))
            continue
        start, stop = str(pick.start or ""), "" if pick.stop >= length else str(pick.stop)
        if k == full:
            start, stop = str(pick.start), str(pick.stop)
        entries.append(f"{start}:{stop}" + (f":{pick.step}" if pick.step > 1 else ""))
    while len(entries) > 1 and entries[-1] == ":":
        entries.pop()
    return f"{address.unsliced}[{', '.join(entries)}]"


def looks_like_colour(shape: Sequence[int]) -> bool:
    """Axes are never guessed, but a last axis of 2 to 4 looks like channels."""
    return len(shape) == 3 and shape[-1] in (2, 3, 4) and min(shape[:2]) > 4


def pick_per_axis(address: Address, axes: int) -> Part:
    """Return one pick for each axis: an ellipsis, written or not, stands for whole axes."""
    picks = address.picks if ... in address.picks else (*address.picks, ...)
    given, gap = len(picks) - 1, picks.index(...)
    if given > axes:
        raise address.refusal(f"slice of {given} entries; what is stored has {axes} axes")
    filled = picks[:gap] + (slice(None),) * (axes - given) + picks[gap + 1 :]
    return tuple(pick for pick in filled if not isinstance(pick, EllipsisType))


def bounded(address: Address, pick: int | slice, axis: int, length: int) -> int | slice:
    """Return the same pick with no number negative, missing or past the end."""
    if isinstance(pick, slice):
        start, stop, step = pick.indices(length)
        return slice(start, max(start, stop), step)
    if not -length <= pick < length:
        raise address.refusal(f"index {pick} is off axis {axis}, which is {length} long")
    return pick % length


def shape_of(part: Part) -> tuple[int, ...]:
    slices = [pick for pick in part if isinstance(pick, slice)]
    return tuple(len(range(pick.start, pick.stop, pick.step)) for pick in slices)


def _refuse_unreal(address: Address, dtype: np.dtype) -> None:
    if dtype.kind in "biuf":
        return
    held = f"records of {', '.join(dtype.names)}" if dtype.names else f"dtype {dtype}"
    advice = (
        "save the magnitude or the real part" if dtype.kind == "c" else "save plain numbers"
    )
    raise address.refusal(
        f"holds {held}; expected bool, integers or floats, {advice}", TypeError
    )


def fits(address: Address, shape: Sequence[int], dtype: np.dtype) -> bool:
    """Return whether an array fits into the memory, and the floats that scaling makes of it."""
    return math.prod(shape) * _bytes_needed(address, dtype) <= machine_memory()


def refuse_giant(address: Address, shape: Sequence[int], dtype: np.dtype, advice: str) -> None:
    """Refuse what does not fit into the memory, before any of it is taken."""
    if fits(address, shape, dtype):
        return
    needed = _bytes_needed(address, dtype)
    size = math.prod(shape) * needed / 1e9
    scaled = " and its scaling" if needed > dtype.itemsize else ""
    raise address.refusal(
        f"shape {shown(shape)} of {dtype}{scaled} is {size:.1f} GB, more than this "
        f"machine's {machine_memory() / 1e9:.1f} GB of memory; {advice}"
    )


def _bytes_needed(address: Address, dtype: np.dtype) -> int:
    """Bytes that a value takes: as stored, and as the float that scaling makes of it."""
    if not address.scaled or dtype.kind == "f":
        return dtype.itemsize
    if dtype.itemsize == 8:  # sorted as well, to see whether two become one
        return 3 * dtype.itemsize
    return dtype.itemsize + (4 if dtype.itemsize <= 2 else 8)


def too_many_pixels(address: Address, limit: int | None) -> Exception:
    """Return the refusal of a picture that Pillow does not trust."""
    return address.refusal(
        f"more than {limit} pixels, Pillow's limit against decompression bombs; if you trust "
        "the file, raise PIL.Image.MAX_IMAGE_PIXELS, or save it as .npy or HDF5"
    )


def refuse_unpacking(
    address: Address,
    shape: Sequence[int],
    dtype: np.dtype,
    advice: str = "save it as .npy or HDF5 and take a part",
) -> None:
    """Refuse a small file that unpacks to a huge image."""
    packed, count = os.path.getsize(address.file), math.prod(shape)
    needed = count * _bytes_needed(address, dtype)
    if needed > SMALL_ENOUGH and count * dtype.itemsize > MOST_PACKED * packed:
        raise address.refusal(
            f"claims shape {shown(shape)} of {dtype}, which takes {needed / 1e9:.1f} GB, in a "
            f"file of {packed} bytes; if you trust it, {advice}"
        )


LIMITS = (  # of the memory of a container, by control groups of version 2 and 1
    "/sys/fs/cgroup/memory.max",
    "/sys/fs/cgroup/memory/memory.limit_in_bytes",
)


def machine_memory() -> int:
    """Bytes of memory that this machine, or container, has; endless if nothing says."""
    try:
        least = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        least = 2**63
    for limit in LIMITS:
        try:
            with open(limit, encoding="ascii") as stream:
                least = min(least, int(stream.read()))
        except (OSError, ValueError):  # not there, or "max"
            continue
    return least


# ---- refusals that several readers share -------------------------------------------------


@contextmanager
def decoding(address: Address, kind: str) -> Iterator[None]:
    """Go around what reads bytes and tags, and little else: all it throws means damage."""
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
    if address.member:
        raise address.refusal(
            f"a {kind} has no members; expected {address.file} without {address.member!r}"
        )


def member_expected(
    address: Address, kind: str, listed: Sequence[str], elsewhere: Sequence[str] = ()
) -> Exception:
    """Return the refusal of a member that is not there, or of none where one is needed.

    Parameters
    ----------
    address : Address
    kind : str
        What members are called.
    listed : sequence of str
        The members that there are.
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


# ---- words -------------------------------------------------------------------------------


def one_line(text: str) -> str:
    """Text that may quote a file: on one line, and with nothing a terminal would obey."""
    return "".join(c if c.isprintable() else "?" for c in " ".join(text.split()))


def shown(shape: Sequence[int]) -> str:
    return f"({', '.join(map(str, shape))})"
