"""Cells of an EM section without any training: `pytopo.regions` beside a watershed.

section -> blurred -> regions of its holes                    -> labels -.
                   -> h-maxima -> scikit-image's watershed    -> labels -+-> VOI, Rand error

Run it on a folder of sections with their ground truth, such as ISBI 2012:

    python docs/experiments/em_regions.py isbi2012 20:30
"""

import argparse
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from skimage.measure import label
from skimage.morphology import h_maxima
from skimage.segmentation import watershed

import pytopo
from pytopo.data import Section, open_sections
from pytopo.metrics import adapted_rand_error, segments, variation_of_information

COLUMNS = ("height", "cells from", "cells", "VOI split", "VOI merge", "VOI", "Rand error")


def by_regions(section: NDArray, height: float) -> NDArray:
    """Return the holes of the sublevel sets; the frame closes what runs off the border."""
    return pytopo.regions(section, 1, min_persistence=height, frame=True)[0]


def by_watershed(section: NDArray, height: float) -> NDArray:
    """Return the basins of the negative, flooded from the maxima of at least that height."""
    markers = label(h_maxima(section, height), connectivity=2)
    return watershed(-section, markers, connectivity=2)


def by_watershed_in_regions(section: NDArray, height: float) -> NDArray:
    """Return the same basins, but only where there are regions."""
    return by_watershed(section, height) * (by_regions(section, height) > 0)


def by_flooded_regions(section: NDArray, height: float) -> NDArray:
    """Return the regions, grown by the watershed until no pixel is left over."""
    return watershed(-section, by_regions(section, height), connectivity=2)


METHODS: dict[str, Callable[[NDArray, float], NDArray]] = {
    "regions": by_regions,
    "watershed": by_watershed,
    "watershed where regions are": by_watershed_in_regions,
    "regions, then watershed": by_flooded_regions,
}


def rows(
    sections: list[Section], sigma: float, heights: list[float]
) -> Iterator[tuple[object, ...]]:
    """Yield a row for each height and method: means over the sections."""
    blurred = [gaussian_filter(255 * section.image, sigma) for section in sections]
    truths = [segments(section.truth) for section in sections]
    for height in heights:
        for name, method in METHODS.items():
            found = [method(image, height) for image in blurred]
            voi = [
                variation_of_information(labels, truth, background=0)
                for labels, truth in zip(found, truths)
            ]
            rand = [
                adapted_rand_error(labels, truth, background=0).error
                for labels, truth in zip(found, truths)
            ]
            yield (
                f"{height:g}", name,
                f"{np.mean([len(np.unique(labels[labels > 0])) for labels in found]):.0f}",
                f"{np.mean([one.split for one in voi]):.3f}",
                f"{np.mean([one.merge for one in voi]):.3f}",
                f"{np.mean([one.total for one in voi]):.3f}",
                f"{np.mean(rand):.3f}",
            )  # fmt: skip


def main() -> None:
    """Read the command line, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", help="with image/ and label/; labels mark the cells")
    parser.add_argument("block", help="of sections, like 20:30")
    parser.add_argument("--sigma", type=float, default=2.0, help="blur, in pixels (2)")
    parser.add_argument(
        "--heights", type=float, nargs="+", default=[20, 30, 45, 60, 80],
        help="persistences, in grey levels of 255 (20 30 45 60 80)",
    )  # fmt: skip
    args = parser.parse_args()
    start, stop = map(int, args.block.split(":"))
    sections = list(open_sections(args.folder, invert=True)[start:stop])
    cells = np.mean([segments(section.truth).max() for section in sections])
    print(
        f"{len(sections)} sections, blurred by {args.sigma:g} pixels; {cells:.0f} cells each\n"
    )
    print(f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}")
    for row in rows(sections, args.sigma, args.heights):
        print(f"| {' | '.join(map(str, row))} |", flush=True)


if __name__ == "__main__":
    main()
