"""Can a network learn a few patches by heart?  Where it cannot, more patches will not help.

    patches, the same again and again -> network -> cross-entropy -> step

First, with random weights: how alike different patches are for the last layer (the mean cosine
of what enters it), and how much gradient is left in the first layer.  Then, for each learning
rate, the same patches after some steps, and as many patches of other sections, never seen.
"plain", which is all convolutions, is there to compare with.

    python docs/experiments/datta_learning.py isbi2012 base --steps 200
"""

import argparse
from collections.abc import Iterator
from itertools import cycle, islice

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pytopo import models
from pytopo.data import Patches, open_sections
from pytopo.training import LossConfig, TrainingConfig, train

SEEN, UNSEEN = slice(0, 20), slice(20, 22)  # sections: training and validation
COLUMNS = ("rate", "cross-entropy", "accuracy", "accuracy, unseen", "alike", "dead units")


def fixed_patches(folder: str, block: slice, count: int) -> tuple[Tensor, Tensor]:
    """Return the first patches of a block, images and ground truth (count, 1, 65, 65)."""
    sections = open_sections([folder], invert=True)[block]
    patches = Patches(sections, augment=False)
    images, truth = zip(*(patches[k] for k in range(count)))
    return torch.from_numpy(np.stack(images)), torch.from_numpy(np.stack(truth))


def predicted(network: nn.Module, images: Tensor) -> tuple[Tensor, Tensor]:
    """Return the logits of images, and what enters the last layer, a row per image."""
    last = list(network.modules())[-1]
    seen: list[Tensor] = []
    hook = last.register_forward_hook(lambda _, given, __: seen.append(given[0]))
    network.eval()
    with torch.no_grad():
        logits = torch.cat([network(part) for part in images.split(16)])
    hook.remove()
    network.train()
    return logits, torch.cat(seen).flatten(1)


def likeness(features: Tensor) -> float:
    """Return the mean cosine of the features of two images; 1: no difference is left."""
    rows = F.normalize(features)
    cosines, count = rows @ rows.T, len(rows)
    return ((cosines.sum() - cosines.trace()) / (count * (count - 1))).item()


def gradient_norms(network: nn.Module, images: Tensor, truth: Tensor) -> tuple[float, float]:
    """Return the norms of the gradient of the weights of the first and of the last layer."""
    F.binary_cross_entropy_with_logits(network(images), truth).backward()
    found = [p.grad for p in network.parameters() if p.grad is not None and p.ndim > 1]
    network.zero_grad()
    return found[0].norm().item(), found[-1].norm().item()


def accuracy(logits: Tensor, truth: Tensor) -> float:
    """Return the share of pixels on the right side of the likelihood 1/2."""
    return ((logits > 0) == (truth > 0)).float().mean().item()


def entropy(likelihood: Tensor) -> float:
    """Return the least cross-entropy of this likelihood, which is that of a share of ones."""
    return F.binary_cross_entropy(likelihood, likelihood).item()


def trained(args: argparse.Namespace, rate: float, images: Tensor, truth: Tensor) -> nn.Module:
    """Return the network after the steps, with the same random weights for each rate."""
    torch.manual_seed(0)
    network = models.build(args.network)
    config = TrainingConfig(
        epochs=args.steps, patches=args.batch, batch=args.batch, learning_rate=rate,
        schedule="constant",
    )  # fmt: skip
    batches = cycle(list(zip(images.split(args.batch), truth.split(args.batch))))
    loss = LossConfig(topo_weight=0.0)
    for _ in train(network, islice(batches, args.steps), config, loss):
        pass
    return network


def rows(args: argparse.Namespace, images: Tensor, truth: Tensor) -> Iterator[tuple[str, ...]]:
    """Yield a row for each learning rate."""
    others, truth_of_others = fixed_patches(args.folder, UNSEEN, args.patches)
    for rate in args.rates:
        network = trained(args, rate, images, truth)
        logits, features = predicted(network, images)
        yield (
            f"{rate:g}",
            f"{F.binary_cross_entropy_with_logits(logits, truth):.4f}",
            f"{accuracy(logits, truth):.4f}",
            f"{accuracy(predicted(network, others)[0], truth_of_others):.4f}",
            f"{likeness(features):.4f}",
            f"{(features <= 0).all(0).float().mean():.2f}",
        )


def main() -> None:
    """Read the command line, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", help="with image/ and label/; labels mark the cells")
    parser.add_argument("network", choices=["base", "vgg19", "enhanced", "plain"])
    parser.add_argument("--patches", type=int, default=16, help="to be learned (16)")
    parser.add_argument("--batch", type=int, default=16, help="patches of a step (16)")
    parser.add_argument("--steps", type=int, default=200, help="(200)")
    parser.add_argument(
        "--rates", type=float, nargs="+", default=[1e-2, 1e-3, 1e-4], help="(1e-2 1e-3 1e-4)"
    )
    args = parser.parse_args()

    images, truth = fixed_patches(args.folder, SEEN, args.patches)
    torch.manual_seed(0)
    network = models.build(args.network)
    first, last = gradient_norms(network, images[: args.batch], truth[: args.batch])
    alike = likeness(predicted(network, images)[1])
    _, truth_of_others = fixed_patches(args.folder, UNSEEN, args.patches)
    print(
        f"{args.network}, random weights: patches alike {alike:.4f}; gradient {first:.1e} in "
        f"the first layer, {last:.1e} in the last\n"
        f"one likelihood for all pixels: cross-entropy {entropy(truth.mean()):.4f}, accuracy "
        f"{1 - truth.mean():.4f}, unseen {1 - truth_of_others.mean():.4f}\n"
        f"one for each place: cross-entropy {entropy(truth.mean(0)):.4f}\n"
        f"{args.steps} steps on {args.patches} patches, {args.batch} at a time:\n"
    )
    print(f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}")
    for row in rows(args, images, truth):
        print(f"| {' | '.join(row)} |", flush=True)


if __name__ == "__main__":
    main()
