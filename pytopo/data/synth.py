"""Synthetic electron microscopy: cells, their membranes, and what makes these hard to see.

    tissue.py        seeds, bent coordinates -> ids of cells
    microscope.py    ids -> distance to the next border -> dark membranes
                                                         + clutter, blur, noise

The image shows less than the ids contain: membranes fade, some stretches of them are
invisible, and inside cells lie vesicles, mitochondria and reticulum that are as dark as
membranes.  A network that uses the brightness of pixels alone leaves gaps and draws loops
that do not exist.
"""

from collections.abc import Iterator
from operator import index
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pytopo.data.borders import Borders
from pytopo.data.microscope import Camera, Contents, Membranes, distance_to_border
from pytopo.data.sections import ArraySections, Sections
from pytopo.data.tissue import Tissue


class SyntheticVolume(NamedTuple):
    """A volume of synthetic sections.

    Attributes
    ----------
    raw : (D, H, W) uint8
        The image; membranes are dark.
    neuron_ids : (D, H, W) uint64
        The cell that each pixel belongs to, numbered from 1.
    """

    raw: NDArray[np.uint8]
    neuron_ids: NDArray[np.uint64]


class Plane(NamedTuple):
    """One section of a `SyntheticVolume`: (H, W) each."""

    raw: NDArray[np.uint8]
    neuron_ids: NDArray[np.uint64]


def synthetic_volume(
    sections: int = 30,
    size: int = 256,
    *,
    seed: int = 0,
    noise: float = 1.0,
    gaps: float = 0.08,
    clutter: float = 1.0,
) -> SyntheticVolume:
    """Generate a volume of sections that look like electron microscopy of neurons.

    Parameters
    ----------
    sections : int
        How many, at least 1; the first ones are the same however many are generated.
    size : int
        Number of rows and of columns, at least 16.
    seed : int
        Of the random numbers, at least 0; the same seed gives the same volume, and the
        same cells with any of the options below.
    noise : float
        Strength of the grain, 0 for none.
    gaps : float
        Approximate share of the membranes that is invisible, in [0, 1).
    clutter : float
        Amount of vesicles, mitochondria and reticulum in the cells; 0 for none.

    Returns
    -------
    volume : SyntheticVolume

    Raises
    ------
    ValueError
        If one of the numbers is out of its range.

    Examples
    --------
    >>> volume = synthetic_volume(2, 64, seed=1)
    >>> volume.raw.shape, volume.raw.dtype, volume.neuron_ids.dtype
    ((2, 64, 64), dtype('uint8'), dtype('uint64'))

    Most pixels belong to the same cell in the next section:

    >>> bool((volume.neuron_ids[0] == volume.neuron_ids[1]).mean() > 0.7)
    True
    """
    planes = synthetic_planes(
        sections, size, seed=seed, noise=noise, gaps=gaps, clutter=clutter
    )
    return stacked(list(planes))


def stacked(planes: list[Plane]) -> SyntheticVolume:
    """Return planes as a volume."""
    return SyntheticVolume(
        np.stack([plane.raw for plane in planes]),
        np.stack([plane.neuron_ids for plane in planes]),
    )


def synthetic_planes(
    sections: int,
    size: int,
    *,
    seed: int,
    noise: float,
    gaps: float,
    clutter: float,
) -> Iterator[Plane]:
    """Generate one section after the other; parameters are those of `synthetic_volume`."""
    _check(sections, size, seed, noise, gaps, clutter)
    sections, size, seed = index(sections), index(size), index(seed)
    # A random stream each: the options of the image do not change the cells.
    streams = np.random.default_rng(seed).spawn(4)
    tissue = Tissue(size, streams[0])
    membranes = Membranes(size, gaps, streams[1])
    contents = Contents(tissue, clutter, streams[2])
    camera = Camera(size, noise, streams[3])
    for _ in range(sections):
        tissue.advance()
        to_border = distance_to_border(tissue.ids)
        light = tissue.ground() - membranes.darkness(to_border)
        light -= contents.darkness(tissue, to_border)
        yield Plane(camera.exposed(light), tissue.ids.astype(np.uint64) + 1)


def _check(
    sections: int, size: int, seed: int, noise: float, gaps: float, clutter: float
) -> None:
    for name, value, least in (
        ("sections", sections, 1),
        ("size", size, 16),
        ("seed", seed, 0),
    ):
        if index(value) < least:
            raise ValueError(f"{name}={value}; expected a whole number, at least {least}")
    for name, amount in (("noise", noise), ("clutter", clutter)):
        if not 0 <= amount < np.inf:
            raise ValueError(f"{name}={amount}; expected a finite number of at least 0")
    if not 0 <= gaps < 1:
        raise ValueError(f"gaps={gaps}; expected a share of the membranes, in [0, 1)")


def synthetic_sections(
    sections: int = 30,
    size: int = 256,
    *,
    seed: int = 0,
    noise: float = 1.0,
    gaps: float = 0.08,
    clutter: float = 1.0,
    border: float = 1.0,
) -> Sections:
    """Generate a volume and return its sections, in memory.

    Parameters are those of `synthetic_volume`, and:

    Parameters
    ----------
    border : float
        Up to which distance from a border of two cells pixels are membrane, see
        `border_mask`.

    Raises
    ------
    ValueError
        If one of the numbers is out of its range.

    Examples
    --------
    >>> sections = synthetic_sections(2, 64)
    >>> len(sections), sections[0].image.shape, sections.name(1)
    (2, (64, 64), 'synthetic volume section 1')
    """
    borders = Borders(border).checked()
    raw, neuron_ids = synthetic_volume(
        sections, size, seed=seed, noise=noise, gaps=gaps, clutter=clutter
    )
    truths = [borders.membranes(ids, (1.0, 1.0)) for ids in neuron_ids]
    return ArraySections(raw, truths, "synthetic volume")
