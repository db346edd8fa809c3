"""The part of a stored array that an address takes: its slice, fitted to the shape.

    [0:8, ..., 5], shape (100, 64, 64)  ->  0:8, 0:64, 5  ->  an image of shape (8, 64)

`checked_part` refuses whatever cannot become an image while that is cheap, before a pixel is
read, and suggests a smaller part that can.
"""

from collections.abc import Sequence
from types import EllipsisType

import numpy as np

from pytopo.images.readers.address import Address, shown
from pytopo.images.readers.memory import fits, refuse_giant

Part = tuple[int | slice, ...]  # one entry for each axis, none of them negative or open

CHANNELS = ("C", "S")  # letters of axes: channel, sample
WINDOWS = (4096, 512)  # rows and columns of a window to suggest, if it fits


def checked_part(
    address: Address,
    shape: Sequence[int],
    dtype: np.dtype,
    axes: str = "",
    in_memory: bool = True,
) -> Part:
    """Return what to take of a stored array, after checking that it makes an image.

    Parameters
    ----------
    address : Address
    shape, dtype
        Of the array, as the file claims them.
    axes : str
        A letter for each axis, where the file names them: C and S are channels.
    in_memory : bool
        Whether all that is left has to fit into memory.

    Raises
    ------
    TypeError
        If the dtype is not bool, integer or float.
    ValueError
        If the slice does not fit the shape, or if what it leaves is empty, does not have 1 to
        3 axes, has channels, or takes more bytes than this machine has.
    """
    _refuse_unreal(address, dtype)
    picks = pick_per_axis(address, len(shape))
    part = tuple(
        bounded(address, pick, axis, length)
        for axis, (pick, length) in enumerate(zip(picks, shape))
    )
    # A slice with ends along channels, like 0:3, declares them to be planes.
    axes = "".join("Z" if _has_ends(pick) else axis for axis, pick in zip(axes, picks))
    left = shape_of(part)
    if 0 in left:
        raise address.refusal(f"shape {shown(left)} is empty; expected pixels")
    fault = _fault(part, shape, axes)
    if fault:
        advice = _smaller_part(address, part, shape, dtype, axes)
        raise address.refusal(f"{fault}, {advice}")
    if in_memory and not fits(address, left, dtype):
        refuse_giant(address, left, dtype, _smaller_part(address, part, shape, dtype, axes))
    return part


def _has_ends(pick: int | slice) -> bool:
    """Return whether a pick is a slice with a start or a stop."""
    return isinstance(pick, slice) and (pick.start, pick.stop) != (None, None)


def _fault(part: Part, shape: Sequence[int], axes: str) -> str:
    """Return why what a slice leaves is not an image; empty if it is one."""
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
    """Return advice on what to take instead; the part that it names has been checked."""
    kept = [k for k, pick in enumerate(part) if isinstance(pick, slice)]
    if not kept:
        return "take more of it"

    last = max((k for k in kept if shape[k] > 1), default=kept[-1])

    def cost(k: int) -> int:
        """Rank the axes to index: channels first, then axes of length 1, ..., rows last."""
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
    """Return the part with at most a length of the chosen axes; an axis of 1 is indexed."""
    picks = list(part)
    for k in chosen:
        pick = picks[k]
        if isinstance(pick, slice):
            first, most = pick.start, pick.start + length * pick.step
            picks[k] = first if length == 1 else slice(first, min(pick.stop, most), pick.step)
    return tuple(picks)


def _sliced(address: Address, part: Part, shape: Sequence[int], full: int | None = None) -> str:
    """Return the address of a part as text; the axis `full` with both ends."""
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
    """Return whether the last axis may be channels; that is noted, and never assumed."""
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
    """Return the same pick with its numbers resolved: none negative, missing or too large."""
    if isinstance(pick, slice):
        start, stop, step = pick.indices(length)
        return slice(start, max(start, stop), step)
    if not -length <= pick < length:
        raise address.refusal(f"index {pick} is off axis {axis}, which is {length} long")
    return pick % length


def shape_of(part: Part) -> tuple[int, ...]:
    """Return the shape of what a part takes: an axis that is indexed is gone."""
    slices = [pick for pick in part if isinstance(pick, slice)]
    return tuple(len(range(pick.start, pick.stop, pick.step)) for pick in slices)


def _refuse_unreal(address: Address, dtype: np.dtype) -> None:
    """Refuse whatever is not made of real numbers or bools."""
    if dtype.kind in "biuf":
        return
    held = f"records of {', '.join(dtype.names)}" if dtype.names else f"dtype {dtype}"
    advice = (
        "save the magnitude or the real part" if dtype.kind == "c" else "save plain numbers"
    )
    raise address.refusal(
        f"holds {held}; expected bool, integers or floats, {advice}", TypeError
    )
