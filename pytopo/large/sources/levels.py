"""Which level of a pyramid is meant, by its name or its number."""

from collections.abc import Sequence

from pytopo.images.readers.address import Address, shown
from pytopo.large.sources.source import Level


def chosen_level(address: Address, levels: Sequence[Level], level: str | int | None) -> int:
    """Return the number of a level; a name counts before a number.

    Raises
    ------
    ValueError
        If there is no such level; lists those that there are.
    """
    if level is None:
        return 0
    names = [known.name for known in levels]
    if str(level) in names:
        return names.index(str(level))
    if str(level) in map(str, range(len(levels))):
        return int(level)
    if len(levels) < 2:
        raise address.refusal(f"no level {level!r}; it has one resolution")
    listed = ", ".join(f"{known.name} {shown(known.shape)}" for known in levels)
    raise address.refusal(f"no level {level!r}; expected one of {listed}")
