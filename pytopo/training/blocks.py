"""The sections of a run in three blocks, and the patches that are cut from the first.

    training     patches of these are learned from
    validation   measured after each epoch; all choices are made on these
    test         held-out: used for the report alone

Blocks are disjoint, and each consists of neighbouring sections.
"""

from dataclasses import dataclass

from pytopo.data import (
    Patches,
    Sections,
    open_sections,
    split_blocks,
    synthetic_sections,
)
from pytopo.training.config import DataConfig, RunConfig


@dataclass(frozen=True)
class Blocks:
    """Sections to learn from, to choose by and to report on."""

    train: Sections
    validation: Sections
    test: Sections


def open_blocks(data: DataConfig) -> Blocks:
    """Open the sections of a configuration, in three blocks.

    Raises
    ------
    OSError, TypeError, ValueError
        If the data cannot be read, or a block is empty or shares a section with another.
    """
    sections = _opened(data)
    texts = {name: getattr(data, name) for name in ("train", "validation", "test")}
    if not any(texts.values()):
        return Blocks(*split_blocks(sections, 0.6, 0.2, 0.2))
    ranges = {name: _range(name, text, len(sections)) for name, text in texts.items()}
    for one, other in (("train", "validation"), ("train", "test"), ("validation", "test")):
        shared = set(ranges[one]) & set(ranges[other])
        if shared:
            raise ValueError(
                f"data.{one} and data.{other} share section {min(shared)}; expected disjoint "
                "blocks"
            )
    return Blocks(*(sections[r.start : r.stop] for r in ranges.values()))


def _opened(data: DataConfig) -> Sections:
    if not data.paths:
        return synthetic_sections(data.sections, data.side, seed=data.seed, border=data.border)
    return open_sections(
        data.paths,
        invert=data.invert,
        ids=data.ids,
        background=data.background or None,
        ignore=data.ignore,
        border=data.border,
        border_unit=data.border_unit,
        colour=data.colour,
    )


def _range(name: str, text: str, count: int) -> range:
    start, colon, stop = text.partition(":")
    if colon and start.isdecimal() and stop.isdecimal() and int(start) < int(stop) <= count:
        return range(int(start), int(stop))
    raise ValueError(
        f'data.{name} is {text!r}; expected a block of sections like "0:{max(1, count // 2)}", '
        f"out of {count}"
    )


def training_patches(sections: Sections, config: RunConfig) -> Patches:
    """Return the random patches of sections that a run learns from.

    Raises
    ------
    ValueError
        If a section is smaller than a patch.
    """
    training = config.training
    return Patches(
        sections,
        size=training.size,
        seed=training.seed,
        per_section=training.per_section,
        augment=training.augment,
        augmentation=training.augmentation,
    )
