"""Losses compared on a volume: a small 3D U-Net that finds the membranes between cells.

raw, ids -> training block -> patches -> warm-up -> one run for each loss
            validation block                         -> threshold, clean-up
            test block                               -> tables.md, figure.png

The blocks lie one behind the other along the longest axis, with a gap in between.  All losses
of a seed start from the same weights and see the same patches.  Run it on a volume in the
CREMI layout, or without one on synthetic cells:

    python docs/experiments/gala_volume.py --data gala.h5 --seeds 0 1 2 --out gala
    python docs/experiments/gala_volume.py --out synthetic

Runs that are in the folder already are not repeated.
"""

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import torch
import torch.nn.functional as F
from gala_tables import write_tables
from numpy.typing import NDArray
from torch import Tensor, nn

import pytopo
from pytopo.data import synthetic_volume
from pytopo.files import replacing
from pytopo.metrics import betti_matching_error, cldice, pixel_accuracy
from pytopo.metrics.decision import Decision
from pytopo.metrics.evaluation import cleaned, evaluate
from pytopo.training.rivals import SoftClDice, SoftDice

BLOCKS = {"train": (0.0, 0.5), "validation": (0.55, 0.75), "test": (0.8, 1.0)}
SMALLEST_CELL = 30  # voxels; what is smaller in the truth is a rest between two membranes
THRESHOLDS = (0.3, 0.4, 0.5, 0.6, 0.7)
SMALLEST = (20, 100, 500)
PERSISTENCES = (0.1, 0.2, 0.4)
ACCURACY_LOSS = 0.005
CLEANUPS = {
    "threshold": [Decision(t) for t in THRESHOLDS],
    "size": [Decision(t, smallest=n) for n in (0, *SMALLEST) for t in THRESHOLDS],
    "persistence": [
        Decision(t, min_persistence=p) for p in (0.0, *PERSISTENCES) for t in THRESHOLDS
    ],
}
WARMUP = "warm-up"
ARMS = ("ce", "dice:1", "cldice:0.5", "cost:0.03", "place:0.03")

Extra = Callable[[Tensor, Tensor], Tensor]
EXTRAS: dict[str, Callable[[], Extra]] = {
    "dice": SoftDice,
    "cldice": SoftClDice,
    "cost": lambda: pytopo.TopologicalLoss(frame=True, sigmoid=True),
    "place": lambda: pytopo.TopologicalLoss(frame=True, sigmoid=True, matching="betti"),
}


@dataclass(frozen=True)
class Settings:
    """What all runs of a folder share; the shape is that of the volume."""

    warmup: int
    steps: int
    patch: int
    width: int
    shape: tuple[int, ...]
    batch: int = 2
    rate: float = 3e-3


@dataclass(frozen=True)
class Block:
    """Part of a volume: grey values on [0, 1] and membranes, (D, H, W) each."""

    image: NDArray[np.float32]
    truth: NDArray[np.bool_]


# ---- data --------------------------------------------------------------------------------


def opened(path: str | None, side: int) -> Block:
    """Return a volume of a file, or a synthetic one, with its longest axis last."""
    if path is None:
        raw, ids = synthetic_volume(side // 2, 2 * side, gaps=0.02, clutter=0.3)
        raw, ids = raw[:, :side], ids[:, :side]
    else:
        with h5py.File(path) as file:
            raw, ids = file["volumes/raw"][:], file["volumes/labels/neuron_ids"][:]
    axes = np.argsort(raw.shape, kind="stable")
    raw, ids = (np.ascontiguousarray(array.transpose(axes)) for array in (raw, ids))
    return Block(np.float32(raw) / np.float32(255), membranes(ids))


def membranes(ids: NDArray) -> NDArray[np.bool_]:
    """Return the voxels without a cell, and those with another id over one of their sides."""
    wall = ids == 0
    for axis in range(3):
        along = np.moveaxis(ids, axis, 0)
        changes = along[1:] != along[:-1]
        out = np.moveaxis(wall, axis, 0)
        out[1:] |= changes
        out[:-1] |= changes
    return cleaned(wall, smallest=SMALLEST_CELL)


def block_of(volume: Block, name: str) -> Block:
    """Return one of the blocks along the last axis."""
    start, stop = (round(share * volume.truth.shape[2]) for share in BLOCKS[name])
    return Block(volume.image[:, :, start:stop], volume.truth[:, :, start:stop])


def batch_of(block: Block, settings: Settings, seed: int, step: int) -> tuple[Tensor, Tensor]:
    """Return random patches (B, 1, d, h, w) in random symmetries, contrasts and shades."""
    random = np.random.default_rng((seed, step))
    images, truths = [], []
    for _ in range(settings.batch):
        corner = [random.integers(n - settings.patch + 1) for n in block.truth.shape]
        place = tuple(slice(a, a + settings.patch) for a in corner)
        axes = random.permutation(3)
        flips = [axis for axis in range(3) if random.random() < 0.5]
        image, truth = (
            np.flip(array[place].transpose(axes), flips) for array in (block.image, block.truth)
        )
        contrast, shade = random.uniform(0.8, 1.2), random.uniform(-0.1, 0.1)
        images.append(np.clip((image - 0.5) * contrast + 0.5 + shade, 0, 1))
        truths.append(truth)
    return (
        torch.from_numpy(np.stack(images)[:, None].astype(np.float32)),
        torch.from_numpy(np.stack(truths)[:, None].astype(np.float32)),
    )


# ---- network -----------------------------------------------------------------------------


def convolutions(channels: int, out: int) -> nn.Sequential:
    """Return two convolutions 3 x 3 x 3, normalised and rectified."""
    return nn.Sequential(
        *(
            layer
            for a, b in ((channels, out), (out, out))
            for layer in (
                nn.Conv3d(a, b, 3, padding=1, bias=False), nn.BatchNorm3d(b), nn.ReLU(),
            )
        )
    )  # fmt: skip


class UNet3D(nn.Module):
    """A U-Net of three levels for volumes (B, 1, D, H, W)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        widths = [width, 2 * width, 4 * width]
        self.down = nn.ModuleList(convolutions(a, b) for a, b in pairwise([1, *widths]))
        ups = list(pairwise(reversed(widths)))
        self.up = nn.ModuleList(nn.ConvTranspose3d(a, b, 2, stride=2) for a, b in ups)
        self.merge = nn.ModuleList(convolutions(2 * b, b) for _, b in ups)
        self.last = nn.Conv3d(width, 1, 1)

    def forward(self, volumes: Tensor) -> Tensor:
        """Return logits of the shape of the volumes."""
        x = self.down[0](volumes)
        across = []
        for level in self.down[1:]:
            across.append(x)
            x = level(F.max_pool3d(x, 2, ceil_mode=True))
        for up, merge in zip(self.up, self.merge):
            beside = across.pop()
            planes, rows, columns = beside.shape[2:]
            x = merge(torch.cat([beside, up(x)[:, :, :planes, :rows, :columns]], dim=1))
        return self.last(x)


def likelihood(network: nn.Module, image: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the likelihood of membrane in a whole volume."""
    network.eval()
    with torch.inference_mode():
        return network(torch.from_numpy(image)[None, None]).sigmoid()[0, 0].numpy()


# ---- training ----------------------------------------------------------------------------


def train(
    network: nn.Module, arm: str, block: Block, settings: Settings, seed: int
) -> dict[str, float]:
    """Train with the loss of an arm; return seconds of CPU time per step, by what took them."""
    name, _, weight = arm.partition(":")
    extra = EXTRAS[name]() if name in EXTRAS else None
    warmup = name == WARMUP
    first, steps = (0, settings.warmup) if warmup else (settings.warmup, settings.steps)
    optimizer = torch.optim.Adam(network.parameters())
    network.train()
    times = []
    for step in range(steps):
        volumes, truth = batch_of(block, settings, seed, first + step)
        fall = 1.0 if warmup else (1 + np.cos(np.pi * step / steps)) / 2
        optimizer.param_groups[0]["lr"] = settings.rate * fall
        begin = time.process_time()
        logits = network(volumes)
        before = time.process_time()
        loss = F.binary_cross_entropy_with_logits(logits, truth)
        if extra is not None:
            loss = loss + float(weight) * extra(logits, truth)
        (gradient,) = torch.autograd.grad(loss, logits, retain_graph=True)
        after = time.process_time()
        optimizer.zero_grad()
        logits.backward(gradient)
        optimizer.step()
        times.append((after - before, time.process_time() - begin))
    of_loss, whole = np.median(times, axis=0)
    return {"loss_seconds": float(of_loss), "step_seconds": float(whole)}


def run(folder: Path, arm: str, volume: Block, settings: Settings, seed: int) -> None:
    """Train an arm of a seed, evaluate it, and write the result and the likelihood."""
    torch.manual_seed(seed)
    network = UNet3D(settings.width)
    if arm != WARMUP:
        network.load_state_dict(torch.load(stored(folder, WARMUP, seed, "pt")))
    result: dict[str, Any] = {"arm": arm, "seed": seed, "settings": asdict(settings)}
    result |= train(network, arm, block_of(volume, "train"), settings, seed)
    found = Block(likelihood(network, volume.image), volume.truth)
    validation, test = (block_of(found, name) for name in ("validation", "test"))
    chosen = decisions_of(validation)
    measured = {
        decision: measures(test, decision, settings) for decision in set(chosen.values())
    }
    result["decisions"] = {
        name: {"decision": asdict(one), **measured[one]} for name, one in chosen.items()
    }
    if arm == WARMUP:
        with replacing(stored(folder, arm, seed, "pt"), "w+b") as stream:
            torch.save(network.state_dict(), stream)
    with replacing(stored(folder, arm, seed, "npy"), "w+b") as stream:
        np.save(stream, test.image)
    with replacing(stored(folder, arm, seed, "json")) as stream:
        json.dump(result, stream, indent=1)


def stored(folder: Path, arm: str, seed: int, ending: str) -> Path:
    """Return the path of a file of a run."""
    return folder / f"{arm.replace(':', '-')}-{seed}.{ending}"


# ---- evaluation --------------------------------------------------------------------------


def decisions_of(block: Block) -> dict[str, Decision]:
    """Return the plain decision, and each clean-up tuned by each criterion."""
    known = {}
    simple: dict[float, NDArray] = {}
    for decision in (one for several in CLEANUPS.values() for one in several):
        if decision in known:
            continue
        least = decision.min_persistence
        if least not in simple:
            simple[least] = decision.simplified(block.image)
        mask = decision.cut(simple[least])
        error = betti_matching_error(mask, block.truth, frame=True)
        apart = np.abs(np.subtract(error.false, error.missed)).sum()
        known[decision] = pixel_accuracy(mask, block.truth), error.total, int(apart)
    accurate = max(known[one][0] for one in CLEANUPS["threshold"]) - ACCURACY_LOSS
    chosen = {"plain": Decision()}
    for name, several in CLEANUPS.items():
        allowed = [one for one in several if known[one][0] >= accurate]
        chosen[f"{name} by matching"] = min(several, key=lambda one: known[one][1])
        chosen[f"{name} by betti"] = min(allowed, key=lambda one: known[one][2])
    return chosen


def measures(block: Block, decision: Decision, settings: Settings) -> dict[str, float]:
    """Return what is reported of the mask of a block."""
    mask = decision.mask(block.image)
    error = betti_matching_error(mask, block.truth, frame=True)
    row = evaluate(mask, block.truth, patch=settings.patch).row()
    row |= {f"matching_{dim}": float(one) for dim, one in enumerate(error.per_dim)}
    return {**row, "matching": float(error.total), "cldice": cldice(mask, block.truth)}


# ---- command line ------------------------------------------------------------------------


def known_arm(text: str) -> str:
    """Return the name of an arm: ``ce``, or another loss with its weight."""
    name, _, weight = text.partition(":")
    if text == "ce" or (name in EXTRAS and weight.replace(".", "", 1).isdecimal()):
        return text
    raise argparse.ArgumentTypeError(f"{text!r}; expected ce, or NAME:WEIGHT of {list(EXTRAS)}")


def is_done(folder: Path, arm: str, seed: int, settings: Settings) -> bool:
    """Return whether a run is in the folder; refuse one with other settings."""
    path = stored(folder, arm, seed, "json")
    if not path.exists():
        return False
    if json.loads(path.read_text())["settings"] != json.loads(json.dumps(asdict(settings))):
        raise SystemExit(f"{path} has other settings; expected the same, or another --out")
    return True


def main() -> None:
    """Read the command line, do the runs that are missing, and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", help="file in the CREMI layout; id 0 is membrane")
    parser.add_argument("--out", type=Path, required=True, help="folder of the results")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0], help="(0)")
    parser.add_argument(
        "--arms", type=known_arm, nargs="+", default=list(ARMS),
        help=f"ce, or a loss beside it and its weight ({' '.join(ARMS)})",
    )  # fmt: skip
    parser.add_argument("--warmup", type=int, default=300, help="shared steps (300)")
    parser.add_argument("--steps", type=int, default=120, help="steps of each arm (120)")
    parser.add_argument("--patch", type=int, default=24, help="side of a cube, voxels (24)")
    parser.add_argument("--width", type=int, default=8, help="channels of the first level (8)")
    parser.add_argument(
        "--side",
        type=int,
        default=64,
        help="rows of the synthetic volume, half its length (64)",
    )
    args = parser.parse_args()
    torch.set_num_threads(1)
    volume = opened(args.data, args.side)
    settings = Settings(args.warmup, args.steps, args.patch, args.width, volume.truth.shape)
    smallest = min(block_of(volume, "train").truth.shape)
    if not 1 <= args.patch <= smallest:
        parser.error(f"--patch {args.patch}: expected 1 to {smallest}, the training block")
    args.out.mkdir(parents=True, exist_ok=True)
    arms = [WARMUP, *args.arms]
    for seed in args.seeds:
        for arm in arms:
            if not is_done(args.out, arm, seed, settings):
                run(args.out, arm, volume, settings, seed)
                print(f"seed {seed}: {arm}", flush=True)
    results = {
        arm: [
            json.loads(stored(args.out, arm, seed, "json").read_text()) for seed in args.seeds
        ]
        for arm in arms
    }
    test = block_of(volume, "test")
    print(write_tables(args.out, results, test.image, test.truth))


if __name__ == "__main__":
    main()
