"""The theorem of the topological loss, by experiment.

    python docs/theorem.py 100
    python docs/theorem.py 20 --volumes

If the loss of a likelihood is zero, the pixels above 0.5 have the Betti numbers of the ground
truth (Hu et al. 2019, theorem 1).  Starting from noise, this minimises the topological loss
alone towards random ground truths, and counts how often the loss comes near zero, and whether
the Betti numbers agree wherever it does.
"""

import argparse
import sys

import numpy as np
import torch
from scipy.ndimage import gaussian_filter

import pytopo

NEAR, DONE = 0.05, 1e-4
STEPS = 400


def random_truth(shape: tuple[int, ...], seed: int) -> torch.Tensor:
    """Return a binary image of blobs and holes, or a volume of blobs, tunnels and voids."""
    width = 1.5 if len(shape) == 2 else 1.0
    smooth = gaussian_filter(np.random.default_rng(seed).standard_normal(shape), width)
    return torch.from_numpy(smooth > np.quantile(smooth, 0.5)).double()[None, None]


def betti_at_half(image: torch.Tensor, frame: float | None) -> tuple[int, ...]:
    """Return the Betti numbers of the pixels of at least 0.5."""
    return pytopo.persistence(image[0, 0].numpy(), superlevel=True, frame=frame).betti(0.5)


def descend(loss: pytopo.TopologicalLoss, truth: torch.Tensor, seed: int) -> torch.Tensor:
    """Minimise the loss from noise, and return the likelihood."""
    generator = torch.Generator().manual_seed(seed)
    likelihood = torch.rand(truth.shape, generator=generator, dtype=torch.float64)
    prepared = loss.prepare(truth)
    likelihood.requires_grad_()
    optimizer = torch.optim.Adam([likelihood], lr=0.02)
    for _ in range(STEPS):
        optimizer.zero_grad()
        value = loss(likelihood, prepared)
        if value < DONE:
            break
        value.backward()
        optimizer.step()
        with torch.no_grad():
            likelihood.clamp_(0, 1)
    return likelihood.detach()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("number", type=int, help="how many random truths")
    parser.add_argument("--side", type=int, help="16, and 8 of volumes")
    parser.add_argument("--volumes", action="store_true", help="volumes instead of images")
    args = parser.parse_args()
    torch.set_num_threads(1)
    axes = 3 if args.volumes else 2
    shape = (args.side or (8 if args.volumes else 16),) * axes
    size = "x".join(map(str, shape))
    print(f"{args.number} truths, {size}, at most {STEPS} steps of Adam from noise")
    print("dims       frame  every_target  loss < 0.05  of these, equal Betti numbers")
    wrong = 0
    for dims in (*((d,) for d in range(axes)), tuple(range(axes))):
        for frame in (None, 1.0):
            for every in (False, True):
                loss = pytopo.TopologicalLoss(dims, frame=frame, every_target=every)
                near = equal = 0
                for k in range(args.number):
                    truth = random_truth(shape, k)
                    found = descend(loss, truth, k)
                    if loss(found, truth) < NEAR:
                        near += 1
                        pair = [betti_at_half(image, frame) for image in (found, truth)]
                        equal += all(pair[0][d] == pair[1][d] for d in dims)
                wrong += near - equal
                line = (f"{dims!s:10}", f"{'yes' if frame else 'no':5}", f"{every!s:12}")
                print("  ".join(line), f"{near:11}  {equal:>8}", flush=True)
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
