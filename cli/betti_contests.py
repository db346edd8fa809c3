"""What `pytopo bench betti` measures: the loss that matches by place, forward and backward.

The same loss by cost, the same with a prepared target, topolosses, and a step of training that
the loss is a part of.
"""

from collections.abc import Iterator
from functools import partial

import pytopo
from pytopo.cli import peers
from pytopo.cli.bench_images import (
    likelihood_batch,
    likelihood_volumes,
    noise_batch,
    noise_volumes,
)
from pytopo.cli.contests import OURS, Contest, prepared_step, training_step

SHAPES = (64, 65), (4, 256), (1, 512)
SIDE_3D = 64
STEPS = (16, 65), (8, 128)


def betti_contests() -> Iterator[Contest]:
    """Yield the contests of the loss, and its share of a training step.

    A whole call is measured: the checks of both tensors and the diagrams of the ground truth
    included.
    """
    loss = partial(pytopo.TopologicalLoss, matching="betti")
    for kind, make in (("EM-like", likelihood_batch), ("noise", noise_batch)):
        for count, side in SHAPES:
            pair = make(count, side)
            contest = Contest(f"{count} x {side}x{side} {kind}, Betti matching")
            contest.contenders[OURS] = peers.loss_step(loss(), *pair)
            by_cost = peers.loss_step(pytopo.TopologicalLoss(), *pair)
            contest.contenders['matching="wasserstein"'] = by_cost
            contest.contenders["the same, target prepared"] = prepared_step(loss(), *pair)
            contest.against(
                "topolosses BettiMatchingLoss",
                "topolosses",
                partial(peers.topolosses_step, "BettiMatchingLoss", *pair),
            )
            yield contest

    for kind, volumes in (("EM-like", likelihood_volumes), ("noise", noise_volumes)):
        prediction, truth = volumes(1, SIDE_3D)
        shape = "x".join(3 * [str(SIDE_3D)])
        contest = Contest(f"1 x {shape} {kind}, Betti matching")
        volume = loss((0, 1, 2))
        contest.contenders[OURS] = peers.loss_step(volume, prediction, truth)
        by_cost = peers.loss_step(pytopo.TopologicalLoss((0, 1, 2)), prediction, truth)
        contest.contenders['matching="wasserstein"'] = by_cost
        contest.against(
            "topolosses BettiMatchingLoss",
            "topolosses",
            partial(peers.topolosses_step, "BettiMatchingLoss", prediction, truth),
        )
        yield contest

    for count, side in STEPS:
        pair = likelihood_batch(count, side)
        contest = Contest(f"{count} x {side}x{side}, Betti matching")
        contest.contenders[OURS] = peers.loss_step(loss(frame=True), *pair)
        step = training_step(*pair, matching="betti")
        contest.contenders["a whole step of a small U-Net"] = step
        yield contest
