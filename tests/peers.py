"""Compare pytopo with GUDHI and CubicalRipser on random images.

    python tests/peers.py 10000
    python tests/peers.py 10 --size 1024

Every image has random axes, shape, ties and dtype, and is taken with a random construction,
direction and frame; one in three repeats every second pixel, which makes more saddles than
noise does; with --size all are square and white noise of float64.  Prints how many
were compared and stops at the first difference.
Libraries break ties in their own ways, so values are compared, not pixels.
"""

import argparse
import sys
import time

import cripser
import gudhi
import numpy as np

import pytopo

DTYPES = ("bool", "uint8", "int8", "uint16", "int32", "int64", "float16", "float32", "float64")


def random_case(rng, size=None):
    """Return an image and options for `pytopo.persistence`."""
    if size is not None:
        options = {"superlevel": bool(rng.integers(2)), "construction": "VT"[rng.integers(2)]}
        return rng.standard_normal((size, size)), {**options, "frame": None}
    axes = rng.integers(1, 4)
    shape = tuple(rng.integers(1, (40, 15, 7)[axes - 1] + 1, axes))
    dtype = np.dtype(rng.choice(DTYPES))
    levels = 2 if dtype.kind == "b" else rng.choice([2, 3, 10, 100])
    if dtype.kind == "f" and rng.random() < 0.5:
        image = rng.standard_normal(shape).astype(dtype)
    elif rng.random() < 0.4:
        image = rng.integers(0, levels, (2,) * axes)[tuple(np.indices(shape) % 2)].astype(dtype)
        other = rng.random(shape) < rng.choice([0, 0.05, 0.2])
        image[other] = rng.integers(0, levels, np.count_nonzero(other))
    else:
        image = rng.integers(0, levels, shape).astype(dtype)
    frames = [None, True, 0, 1, float(rng.integers(-1, levels + 1))]
    return image, {
        "superlevel": bool(rng.integers(2)),
        "construction": "VT"[rng.integers(2)],
        "frame": frames[rng.integers(len(frames))],
    }


def sublevel_image(image, superlevel, frame):
    """Return a float64 image whose plain sublevel persistence is what was asked for."""
    image = np.asarray(image, np.float64)
    if frame is True:
        frame = image.max() if superlevel else image.min()
    if frame is not None:
        image = np.pad(image, 1, constant_values=frame)
    return -image if superlevel else image


def gudhi_points(image, construction):
    """Return the points of GUDHI's diagram as sorted (dim, birth, death)."""
    # The first axis of the array is GUDHI's first axis only if the array itself is passed:
    # a flattened C-order array is read with the axes exchanged.
    cells = {"vertices" if construction == "V" else "top_dimensional_cells": image}
    found = gudhi.CubicalComplex(**cells).persistence(homology_coeff_field=2)
    return sorted((dim, birth, death) for dim, (birth, death) in found)


def cripser_points(image, construction):
    """Return the points of CubicalRipser's diagram as sorted (dim, birth, death)."""
    image = np.atleast_1d(image.squeeze())  # it takes the pixels of a 1xN image for apart
    compute = cripser.computePH if construction == "V" else cripser.computePH_T
    found = compute(image, maxdim=image.ndim - 1)
    death = np.where(found[:, 2] > 1e300, np.inf, found[:, 2])
    return sorted(zip(found[:, 0].astype(int).tolist(), found[:, 1].tolist(), death.tolist()))


def pytopo_points(image, superlevel, construction, frame):
    """Return our points, turned around if superlevel, as sorted (dim, birth, death)."""
    d = pytopo.persistence(image, superlevel=superlevel, construction=construction, frame=frame)
    sign = -1.0 if superlevel else 1.0
    return sorted(
        zip(
            d.dim.tolist(),
            (sign * d.birth.astype(np.float64)).tolist(),
            (sign * d.death.astype(np.float64)).tolist(),
        )
    )


PEERS = {"gudhi": gudhi_points, "cripser": cripser_points}


def difference(peer, image, options):
    """Return what differs between our points and a peer's, or None."""
    sublevel = sublevel_image(image, options["superlevel"], options["frame"])
    theirs = PEERS[peer](sublevel, options["construction"])
    ours = pytopo_points(image, **options)
    if ours == theirs:
        return None
    return f"{peer} differs on {image!r} with {options}:\nours   {ours}\ntheirs {theirs}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("number", type=int, help="how many random images")
    parser.add_argument("--peer", choices=PEERS, default="gudhi")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--size", type=int, help="take squares of this side")
    args = parser.parse_args()

    rng = np.random.default_rng(args.seed)
    started = time.perf_counter()
    for k in range(args.number):
        found = difference(args.peer, *random_case(rng, args.size))
        if found:
            print(f"image {k}: {found}")
            return 1
    seconds = time.perf_counter() - started
    print(f"{args.number} images, no difference from {args.peer} ({seconds:.0f} s)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
