"""Compare Betti matching with that of topolosses, which runs the C++ of Stucki et al. (2024).

    python tests/peers_betti.py losses        a likelihood against a mask: loss and gradient
    python tests/peers_betti.py matches 100   grey images against grey ones: which bars match

topolosses matches bars whose image bar is empty as well, leaves out the essential class and
counts every square twice.  So its empty matches are undone, found by labelling and not by us,
and our loss is taken without the essential class, twice.  Its package imports torchvision and
OpenCV, so it is in no extra of the tests.
"""

import argparse
import sys
import warnings
from collections import Counter
from types import SimpleNamespace

import numpy as np
from scipy.ndimage import label

import pytopo
from pytopo.cli.bench_images import likelihood_batch, noise_batch
from pytopo.kernels.links_2d import earlier_neighbours
from pytopo.kernels.sweep_2d import saddles

SHAPES = (64, 65), (4, 256), (1, 512)
ENDS = ("birth", "death")
BARS = ("input1_matched", "input2_matched", "input1_unmatched", "input2_unmatched")


# --- what topolosses returns -----------------------------------------------------------


def pixels(result, bars, dim, shape):
    """Return birth and death pixels of bars of a result of topolosses, (n, 2)."""
    ends = [np.asarray(getattr(result, f"{bars}_{end}_coordinates")[dim]) for end in ENDS]
    if ends[0].size == 0:
        return np.empty((0, 2), np.int64)
    return np.stack([np.ravel_multi_index(e.T, shape) for e in ends], axis=1)


def without_empty_matches(result, first, second):
    """Return a result of topolosses whose matches of empty image bars are undone."""
    c, shape, undone = np.minimum(first, second), first.shape, 0
    bars = {name: [pixels(result, name, dim, shape) for dim in (0, 1)] for name in BARS}
    for dim in (0, 1):
        one, other = bars["input1_matched"][dim], bars["input2_matched"][dim]
        empty = np.array(
            [
                is_empty(first, c, dim, *a) or is_empty(second, c, dim, *b)
                for a, b in zip(one.tolist(), other.tolist())
            ],
            bool,
        )
        for side, some in (("input1", one), ("input2", other)):
            bars[f"{side}_matched"][dim] = some[~empty]
            alone = bars[f"{side}_unmatched"]
            alone[dim] = np.concatenate([alone[dim], some[empty]])
        undone += np.count_nonzero(empty)
    changed = SimpleNamespace(
        **{
            f"{name}_{end}_coordinates": [
                np.stack(np.unravel_index(some[:, k], shape), axis=1) for some in bars[name]
            ]
            for name in BARS
            for k, end in enumerate(ENDS)
        },
        num_matched=result.num_matched,
        num_unmatched_input1=result.num_unmatched_input1,
    )
    return changed, undone


def is_empty(image, c, dim, birth, death):
    """Tell whether the image bar of a bar is empty, by labelling; sublevel, construction V.

    A component is dead from the start if something older is connected to it in c by then.  A
    hole is if c has nothing higher than its birth on one of the sides that its birth separates.
    """
    value = image.flat[birth]
    index = np.arange(image.size).reshape(image.shape)
    if dim == 0:
        component = label(c <= value)[0]
        older = (image < value) | ((image == value) & (index < birth))
        return bool((older & (component == component.flat[birth])).any())
    later = (image > value) | ((image == value) & (index > birth))
    sides = label(np.pad(later, 1, constant_values=True), structure=np.ones((3, 3)))[0]
    row, column = np.unravel_index(birth, image.shape)
    around = np.unique(sides[row : row + 3, column : column + 3])
    above = np.unique(sides[np.pad(c > value, 1, constant_values=True)])
    return not set(around[around > 0].tolist()) <= set(above.tolist())


# --- losses ----------------------------------------------------------------------------


def their_loss(prediction, truth, empty_too):
    """Return the loss of topolosses, its gradient, and how many empty matches are undone."""
    from topolosses.losses import BettiMatchingLoss
    from topolosses.losses.utils import FiltrationType

    undone = [0]

    class Undone(BettiMatchingLoss):
        def _single_betti_loss(self, prediction, target, result):
            if not empty_too:
                images = (x.detach().numpy().astype(np.float64) for x in (prediction, target))
                result, count = without_empty_matches(result, *images)
                undone[0] += count
            return super()._single_betti_loss(prediction, target, result)

    prediction = prediction.clone().requires_grad_()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        peer = Undone(
            filtration_type=FiltrationType.SUPERLEVEL,
            use_base_loss=False,
            include_background=True,
            num_processes=2,
        )
        loss = peer(prediction, truth)
    loss.backward()
    return loss.item(), prediction.grad, undone[0]


def our_loss(prediction, truth):
    """Return our loss in their scale, without the essential class, and its gradient."""
    prediction = prediction.clone().requires_grad_()
    loss = pytopo.TopologicalLoss(matching="betti")(prediction, truth)
    essential = (prediction.amax((1, 2, 3)) - truth.amax((1, 2, 3))) ** 2
    loss = 2 * (loss - essential.mean())
    loss.backward()
    return loss.item(), prediction.grad


def compare_losses(_):
    """Compare losses and gradients of a likelihood against a mask, at three shapes.

    Of white noise a part of the matches is decided at pixels with several merge events, where
    the two have different conventions; see ``matches``.
    """
    worst = 0.0
    for kind, make in (("EM-like", likelihood_batch), ("noise", noise_batch)):
        for count, side in SHAPES:
            pair = make(count, side)
            loss, gradient = our_loss(*pair)
            as_it_is, *_ = their_loss(*pair, empty_too=True)
            there, gradient_there, undone = their_loss(*pair, empty_too=False)
            off = abs(loss - there) / there
            steepest = (gradient - gradient_there).abs().max() / gradient.abs().max()
            if kind == "EM-like":
                worst = max(worst, off, steepest.item())
            print(
                f"{count} x {side}x{side} {kind}: {loss:.4f} and {there:.4f}, relative "
                f"difference {off:.0e}, of gradients {steepest:.0e}; {undone} empty matches "
                f"undone, {as_it_is:.4f} with them",
                flush=True,
            )
    return int(worst > 1e-5)


# --- matches ---------------------------------------------------------------------------


def matched_bars(first, second, dim):
    """Return the bars that match here and there, as four pixels, without empty image bars."""
    from topolosses.losses.betti_matching.src.betti_matching import compute_matching

    m = pytopo.betti_matching(first, second, dim)
    i, j = m.pairs[~m.first.essential[m.pairs[:, 0]]].T
    ours = [m.first.birth_pixel[i], m.first.death_pixel[i]]
    ours += [m.second.birth_pixel[j], m.second.death_pixel[j]]
    (result,) = compute_matching([first], [second])
    result, _ = without_empty_matches(result, first, second)
    theirs = [pixels(result, bars, dim, first.shape) for bars in BARS[:2]]
    return set(zip(*(p.tolist() for p in ours))), set(map(tuple, np.hstack(theirs).tolist()))


def shared_pixels(image):
    """Return the pixels with two merge events or more."""
    ranks = np.argsort(np.argsort(image, axis=None, kind="stable")).reshape(image.shape)
    keys = np.pad(ranks.astype(np.int32), 1, constant_values=np.iinfo(np.int32).max)
    earlier = np.empty(keys.shape, np.uint8)
    earlier_neighbours(keys, len(keys) - 1, 0, len(keys), earlier)
    pixel, count = np.unique(saddles(earlier, 0, len(keys), 0), return_counts=True)
    row, column = np.unravel_index(pixel[count > 1], keys.shape)
    return set(np.ravel_multi_index((row - 1, column - 1), image.shape).tolist())


def death_in_c(image, c, birth):
    """Return the pixel at which a component of the image dies in c, by labelling."""
    order = np.argsort(c, axis=None, kind="stable")
    time = np.empty(c.size, np.int64)
    time[order] = np.arange(c.size)
    time, low, high = time.reshape(c.shape), 0, c.size - 1
    older = image < image.flat[birth]
    while low < high:  # the first time at which something older is connected to it
        middle = (low + high) // 2
        component = label(time <= middle)[0]
        own = component.flat[birth]
        if own and (older & (component == own)).any():
            high = middle
        else:
            low = middle + 1
    return int(order[low])


def compare_matches(number):
    """Compare which bars of grey images match, and look for the reason where they differ."""
    counts = Counter()
    rng = np.random.default_rng(0)
    for _ in range(number):
        first, second = rng.random((2, 40, 40))
        c = np.minimum(first, second)
        shared = [shared_pixels(image) for image in (first, second, c)]
        for dim in (0, 1):
            ours, theirs = matched_bars(first, second, dim)
            counts["both"] += len(ours & theirs)
            counts["here"] += len(ours - theirs)
            counts["there"] += len(theirs - ours)
            for birth, _, other_birth, _ in ours ^ theirs:
                if dim == 0:
                    ends = death_in_c(first, c, birth), death_in_c(second, c, other_birth)
                    counts["shared"] += not shared[2].isdisjoint(ends)
                else:
                    counts["shared"] += birth in shared[0] or other_birth in shared[1]
    differ = counts["here"] + counts["there"]
    print(
        f"{number} pairs of 40x40 noise: {counts['both']} matches here and there, "
        f"{counts['here']} only here, {counts['there']} only there; {counts['shared']} of "
        f"these {differ} are decided at a pixel with several merge events"
    )
    return int(counts["shared"] < differ)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("losses", "matches"))
    parser.add_argument("number", type=int, nargs="?", default=20, help="pairs of images (20)")
    args = parser.parse_args()
    compare = {"losses": compare_losses, "matches": compare_matches}[args.what]
    return compare(args.number)


if __name__ == "__main__":
    sys.exit(main())
