"""Compare the topological loss with that of topolosses on random images.

    python tests/peers_loss.py 200

topolosses leaves the essential component out, so its square is taken off ours.  Its package
imports torchvision and OpenCV, so it is in no extra of the tests.
"""

import argparse
import sys
import warnings

import torch

from pytopo import TopologicalLoss


def ours(prediction, truth):
    """Return our loss of finite dots, and its gradient."""
    prediction = prediction.clone().requires_grad_()
    essential = (prediction.amax() - truth.amax()) ** 2
    loss = TopologicalLoss()(prediction, truth) - essential
    loss.backward()
    return loss.item(), prediction.grad


def theirs(prediction, truth):
    """Return the loss of topolosses, and its gradient."""
    from topolosses.losses import HutopoLoss
    from topolosses.losses.utils import FiltrationType

    prediction = prediction.clone().requires_grad_()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        peer = HutopoLoss(
            filtration_type=FiltrationType.SUPERLEVEL,
            use_base_loss=False,
            include_background=True,
        )
        loss = peer(prediction, truth)
    loss.backward()
    return loss.item(), prediction.grad


def random_pair(generator):
    """Return a likelihood and a binary truth, of a random shape."""
    height, width = torch.randint(2, 13, (2,), generator=generator).tolist()
    likelihood, noise = torch.rand(2, 1, 1, height, width, generator=generator)
    return likelihood, (noise > 0.5).float()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("number", type=int, help="how many random images")
    args = parser.parse_args()
    generator = torch.Generator().manual_seed(0)
    most, steepest = 0.0, 0.0
    for _ in range(args.number):
        pair = random_pair(generator)
        (loss, gradient), (loss_there, gradient_there) = ours(*pair), theirs(*pair)
        most = max(most, abs(loss - loss_there))
        steepest = max(steepest, (gradient - gradient_there).abs().max().item())
    print(f"{args.number} images: losses within {most:.1e}, gradients within {steepest:.1e}")
    return int(most > 1e-5)


if __name__ == "__main__":
    sys.exit(main())
