"""Made-up electron microscopy: cells, their membranes, and what makes membranes hard to see.

The cells of a section are a power diagram: scattered seeds, each pixel to the seed with the
least |pixel - seed|^2 - weight, in coordinates that smooth noise bends.  From one section to
the next the seeds drift and the noise changes a little, so that cells keep their ids and
change their outlines.

    seeds, bent coordinates -> ids -> distance to the next border -> dark membranes
                                                                   + clutter, blur, noise

The image shows less than the ids know: membranes fade, some stretches of them cannot be seen
at all, and inside cells lie vesicles, mitochondria and reticulum that are as dark as
membranes.  A network that looks at pixels alone leaves gaps and draws loops that are none.
"""

import os
from collections.abc import Iterator
from operator import index
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, find_objects, gaussian_filter
from scipy.spatial import cKDTree

from pytopo.data.borders import Borders, label_changes
from pytopo.data.sections import ArraySections, Sections
from pytopo.files import hdf5_file, replacing

CELL = 38.0  # pixels from one cell to the next, about as in an image of 4 nm a pixel
RESOLUTION = (40.0, 4.0, 4.0)  # nm of a voxel: plane, row, column


class SyntheticVolume(NamedTuple):
    """A volume of made-up sections.

    Attributes
    ----------
    raw : (D, H, W) uint8
        What the microscope shows; membranes are dark.
    neuron_ids : (D, H, W) uint64
        Which cell each pixel belongs to, from 1 on.
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
    """Make up a volume of sections that look like electron microscopy of neurons.

    Parameters
    ----------
    sections : int
        How many, at least 1; the first of them are the same however many are made.
    size : int
        Number of rows and of columns, at least 16.
    seed : int
        Of the random numbers, at least 0; the same seed gives the same volume, and the
        same cells whatever the options below.
    noise : float
        Strength of the grain, 0 for none.
    gaps : float
        About how much of the membranes cannot be seen, in [0, 1).
    clutter : float
        How much lies in the cells: vesicles, mitochondria and reticulum; 0 for none.

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
    """Make up one section after the other; parameters are those of `synthetic_volume`."""
    _check(sections, size, seed, noise, gaps, clutter)
    sections, size, seed = index(sections), index(size), index(seed)
    # A stream for each: how the cells are seen does not change the cells.
    streams = np.random.default_rng(seed).spawn(4)
    tissue = _Tissue(size, streams[0])
    membranes = _Membranes(size, gaps, streams[1])
    contents = _Contents(tissue, clutter, streams[2])
    camera = _Camera(size, noise, streams[3])
    for _ in range(sections):
        tissue.advance()
        to_border = _distance_to_border(tissue.ids)
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
        raise ValueError(f"gaps={gaps}; expected a part of the membranes, in [0, 1)")


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
    """Make up a volume and return its sections, in memory.

    Parameters are those of `synthetic_volume`, and:

    Parameters
    ----------
    border : float
        How far from a border of two cells pixels are membrane, see `border_mask`.

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


def write_cremi(
    path: str | os.PathLike[str],
    raw: NDArray,
    neuron_ids: NDArray,
    *,
    resolution: tuple[float, float, float] = RESOLUTION,
    offset: tuple[float, float, float] | None = None,
) -> None:
    """Write a volume to an HDF5 file in the CREMI layout, whole or not at all.

    Parameters
    ----------
    path : path-like
    raw : (D, H, W) ndarray
        Stored as ``volumes/raw``, of its own dtype.
    neuron_ids : (d, h, w) ndarray of integers
        Stored as ``volumes/labels/neuron_ids``, uint64.
    resolution : tuple of float
        Size of a voxel in nm: plane, row, column.
    offset : tuple of float or None
        Where the first label lies in `raw`, in nm; ``None`` if both cover the same volume.

    Raises
    ------
    ValueError
        If one of the arrays has not three axes, if the ids are not integers of at least
        0, or if `path` is something else than a file.

    Examples
    --------
    >>> import tempfile
    >>> from pytopo.data import CremiVolume
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_cremi(f"{folder}/cells.h5", *synthetic_volume(2, 64))
    ...     volume = CremiVolume(f"{folder}/cells.h5")
    ...     len(volume), volume.shape_of(0), volume.resolution
    (2, (64, 64), (40.0, 4.0, 4.0))
    """
    for name, array in (("raw", raw), ("neuron_ids", neuron_ids)):
        if array.ndim != 3:
            raise ValueError(f"{name} has {array.ndim} axes; expected (planes, rows, columns)")
    if neuron_ids.dtype.kind not in "iu" or (neuron_ids < 0).any():
        raise ValueError("neuron_ids hold something else than integers of at least 0")
    if os.path.exists(path) and not os.path.isfile(path):
        raise ValueError(
            f"{os.fspath(path)}: a folder, pipe or device; expected a file to write"
        )
    with replacing(path, "w+b") as stream, hdf5_file(stream) as (file, arrived):
        file.attrs["file_format"] = "0.2"
        for name, array, dtype in (
            ("volumes/raw", raw, raw.dtype),
            ("volumes/labels/neuron_ids", neuron_ids, np.uint64),
        ):
            chunks = (1, *(min(length, 128) for length in array.shape[1:]))
            stored = file.create_dataset(
                name, data=array, dtype=dtype, chunks=chunks, compression="gzip"
            )
            stored.attrs["resolution"] = resolution
            arrived()
        if offset is not None:
            stored.attrs["offset"] = offset


# ---- tissue: which cell each pixel belongs to --------------------------------------------


class _Clouds:
    """Smooth noise of deviation 1 that changes from section to section.

    White noise is blurred by a Gaussian of `scale` pixels.  The next section is `memory`
    times this one, and new noise for the rest (an autoregressive process of order 1).
    """

    def __init__(
        self, size: int, scale: float, memory: float, random: np.random.Generator
    ) -> None:
        frequency = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size))
        blur = np.exp(-2 * (np.pi * scale * frequency) ** 2)
        blur[0, 0] = 0  # no cloud is over all of the section
        self._blur = blur
        self._memory = memory
        self._random = random
        self._shape = (size, size)
        self._now = self._fresh()

    def next(self) -> NDArray[np.float64]:
        rest = np.sqrt(1 - self._memory**2)
        self._now = self._memory * self._now + rest * self._fresh()
        return self._now

    def _fresh(self) -> NDArray[np.float64]:
        white = np.fft.rfft2(self._random.normal(size=self._shape))
        field = np.fft.irfft2(white * self._blur, self._shape)
        return field / field.std()


class _Tissue:
    """Cells, large ones and bundles of small ones, that drift through the sections."""

    def __init__(self, size: int, random: np.random.Generator) -> None:
        self.size = size
        self._random = random
        self._grid = np.mgrid[:size, :size].astype(np.float64)  # (2, H, W)
        self._reach = (-1.5 * CELL, size + 1.5 * CELL)  # seeds lie around the image too
        side = size + 3 * CELL
        number = round((side / CELL) ** 2)
        self.lone = max(number // 3, 2)  # the first of the seeds
        self.seeds, self._weights = self._scattered(number)
        self._drift = random.normal(0, 1.2, self.seeds.shape)
        self._grey = random.normal(0, 0.035, len(self.seeds))
        self._bends = [
            (amplitude, [_Clouds(size, scale, memory, random) for _ in range(2)])
            for amplitude, scale, memory in ((9.0, 24.0, 0.97), (1.8, 6.0, 0.9))
        ]
        self._shade = _Clouds(size, 30, 0.6, random)
        self.bent = self._grid
        self.ids = np.zeros((size, size), np.int64)

    def _scattered(self, number: int) -> tuple[NDArray, NDArray]:
        """Seeds (n, 2) and weights: a third lone and heavy, the others in bundles."""
        random = self._random
        lone = random.uniform(*self._reach, (self.lone, 2))
        bundles = random.uniform(*self._reach, (max(number // 9, 1), 2))
        of_bundle = random.integers(len(bundles), size=number - self.lone)
        bundled = bundles[of_bundle] + random.normal(0, 0.75 * CELL, (len(of_bundle), 2))
        heavy = random.uniform(0.2, 1.0, len(lone)) * CELL**2
        light = random.uniform(0.0, 0.2, len(bundled)) * CELL**2
        return np.concatenate([lone, bundled]), np.concatenate([heavy, light])

    def advance(self) -> None:
        """Go on to the next section."""
        self._drift = 0.93 * self._drift + self._random.normal(0, 0.45, self.seeds.shape)
        self.seeds = np.clip(self.seeds + self._drift, *self._reach)
        self.bent = self._grid + sum(
            amplitude * np.stack([clouds.next() for clouds in pair])
            for amplitude, pair in self._bends
        )
        self.ids = self._nearest(self.bent)

    def _nearest(self, place: NDArray) -> NDArray[np.int64]:
        """The seed of least |place - seed|^2 - weight: a third axis makes that a distance."""
        height = np.sqrt(self._weights.max() - self._weights)
        tree = cKDTree(np.column_stack([self.seeds, height]))
        flat = place.reshape(2, -1).T
        _, nearest = tree.query(np.column_stack([flat, np.zeros(len(flat))]))
        return nearest.reshape(self.size, self.size)

    def ground(self) -> NDArray[np.float64]:
        """The grey of the cells."""
        return 0.68 + self._grey[self.ids] + 0.025 * self._shade.next()


def _distance_to_border(ids: NDArray[np.int64]) -> NDArray[np.float64]:
    """Pixels to the line between two cells, which runs half a pixel beside a pixel."""
    changes = label_changes(ids)
    if not changes.any():
        return np.full(ids.shape, np.inf)
    return distance_transform_edt(~changes) + 0.5


# ---- what is dark ------------------------------------------------------------------------


class _Membranes:
    """Dark lines along the borders, of changing contrast and width, with gaps."""

    def __init__(self, size: int, gaps: float, random: np.random.Generator) -> None:
        self._gaps = gaps
        self._contrast = _Clouds(size, 14, 0.7, random)
        self._slant = _Clouds(size, 20, 0.8, random)
        self._gap = _Clouds(size, 4.5, 0.4, random)
        self._stain = _Clouds(size, 9, 0.5, random)

    def darkness(self, to_border: NDArray) -> NDArray[np.float64]:
        contrast = np.clip(0.46 + 0.09 * self._contrast.next(), 0.12, 0.6)
        slanted = np.clip(self._slant.next() - 0.8, 0, 2)  # cut at a slant: wide and pale
        width = 1.9 + 2.2 * slanted
        line = contrast / (1 + 0.7 * slanted) * np.exp(-((to_border / width) ** 2))

        gap = self._gap.next()
        threshold = np.quantile(gap, 1 - self._gaps) if self._gaps else np.inf
        seen = np.clip((threshold - gap) / 0.25, 0, 1)
        stained = np.clip(self._stain.next() - 2.0, 0, 1)  # dense stuff at synapses
        return line * seen + 0.5 * stained * np.exp(-((to_border / 6) ** 2))


class _Contents:
    """What lies in cells: vesicles, mitochondria that follow their cell, and reticulum."""

    def __init__(self, tissue: _Tissue, clutter: float, random: np.random.Generator) -> None:
        size = tissue.size
        self._clutter = clutter
        self._random = random
        self._thread = _Clouds(size, 8, 0.75, random)
        self._where = _Clouds(size, 16, 0.75, random)
        self._crowd = _Clouds(size, 18, 0.8, random)
        count = random.poisson(0.22 * clutter * len(tissue.seeds))
        self._host = random.integers(tissue.lone, size=count)
        self._from_seed = random.normal(0, 9, (count, 2))
        self._radius = random.uniform(7, 13, count)
        self._long = random.uniform(1, 1.9, count)
        self._angle = random.uniform(0, np.pi, count)

    def darkness(self, tissue: _Tissue, to_border: NDArray) -> NDArray[np.float64]:
        inside = np.clip((to_border - 3) / 2, 0, 1)
        dark = self._reticulum() + self._vesicles(to_border)
        return inside * np.maximum(dark, self._mitochondria(tissue))

    def _reticulum(self) -> NDArray[np.float64]:
        """Threads with open ends: pieces of the zero line of smooth noise."""
        thread = self._thread.next()
        slope = np.hypot(*np.gradient(thread)) + 1e-6
        pieces = np.clip((self._where.next() - 1.6 + 0.5 * self._clutter) * 2, 0, 1)
        pieces *= min(self._clutter, 1)
        return 0.24 * pieces * np.exp(-((thread / slope / 1.2) ** 2))

    def _vesicles(self, to_border: NDArray) -> NDArray[np.float64]:
        """Small rings, most of them in crowds."""
        reach = 7
        row, column = np.mgrid[-reach : reach + 1, -reach : reach + 1]
        distance = np.hypot(row, column)
        dark = np.zeros(np.add(to_border.shape, 2 * reach))
        crowd = np.exp(1.6 * self._crowd.next()) * (to_border > 4)
        if not crowd.any():
            return np.zeros(to_border.shape)
        count = self._random.poisson(self._clutter * crowd.size / 450)
        places = self._random.choice(crowd.size, count, p=crowd.ravel() / crowd.sum())
        radii = self._random.uniform(2.0, 4.2, count)
        depths = self._random.uniform(0.08, 0.34, count)
        for place, radius, depth in zip(places, radii, depths):
            r, c = divmod(int(place), crowd.shape[1])
            window = dark[r : r + 2 * reach + 1, c : c + 2 * reach + 1]
            np.maximum(window, depth * np.exp(-((distance - radius) ** 2)), out=window)
        return dark[reach:-reach, reach:-reach]

    def _mitochondria(self, tissue: _Tissue) -> NDArray[np.float64]:
        """Long bodies with a wall and folds, where their cell has room for them."""
        dark = np.zeros(tissue.ids.shape)
        boxes = dict(enumerate(find_objects(tissue.ids + 1)))  # None where there is no cell
        for host, beside, radius, long, angle in zip(
            self._host, self._from_seed, self._radius, self._long, self._angle
        ):
            box = boxes.get(host)
            if box is None:
                continue
            mine = tissue.ids[box] == host
            away = tissue.bent[:, *box][:, mine] - (tissue.seeds[host] + beside)[:, None]
            along = (np.cos(angle) * away[0] + np.sin(angle) * away[1]) / long
            across = np.cos(angle) * away[1] - np.sin(angle) * away[0]
            distance = np.hypot(along, across)
            wall = np.exp(-(((distance - radius) / 1.5) ** 2))
            folds = np.cos(along * 1.5 + 0.15 * across) ** 2
            body = (distance < radius) * (0.06 + 0.14 * folds)
            dark[box][mine] = np.maximum(dark[box][mine], np.maximum(0.3 * wall, body))
        return dark


# ---- the camera --------------------------------------------------------------------------


class _Camera:
    """Blur, grain, and an exposure that differs from section to section."""

    def __init__(self, size: int, noise: float, random: np.random.Generator) -> None:
        self._noise = noise
        self._random = random
        self._grain = _Clouds(size, 1.1, 0, random)
        self._fine = _Clouds(size, 0.4, 0, random)

    def exposed(self, light: NDArray) -> NDArray[np.uint8]:
        grain = 0.06 * self._grain.next() + 0.03 * self._fine.next()
        gain, bias = 1 + self._random.normal(0, 0.04), self._random.normal(0, 0.015)
        grey = gain * gaussian_filter(light, 0.9) + bias + self._noise * grain
        return np.rint(255 * np.clip(grey, 0, 1)).astype(np.uint8)
