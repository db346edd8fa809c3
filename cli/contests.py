"""What `pytopo bench` measures: each contest is one job, done by us and by our peers.

A peer that is not installed is left out of its contest and listed as missing.  How peers do
the jobs is in `peers.py`, which results are good enough in `goals.py`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import zoom

import pytopo
from pytopo.cli import peers
from pytopo.cli.bench_images import (
    likelihood_batch,
    likelihood_volumes,
    membranes,
    noise,
    smooth,
)
from pytopo.cli.bench_made import KINDS, MadeImage
from pytopo.cli.bench_tiles import tile_sides
from pytopo.cli.example import likelihood_map

if TYPE_CHECKING:
    from torch import Tensor

OURS = "pytopo"


@dataclass
class Contest:
    """One job and who can do it.

    Attributes
    ----------
    job : str
        What is computed.
    contenders : dict of name to function
        Ours is called `OURS`.
    missing : list of str
        Packages that would take part if they were installed.
    """

    job: str
    contenders: dict[str, Callable[[], object]] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)

    def against(
        self, name: str, package: str, prepare: Callable[[], Callable[[], object]]
    ) -> None:
        """Add a peer, if its package is installed and can be loaded."""
        if find_spec(package) is None:
            self.missing.append(package)
            return
        try:
            self.contenders[name] = prepare()
        except (ImportError, RuntimeError):  # installed, but something it depends on is not
            self.missing.append(package)


ENGINES = (  # peers that compute the pixels of pairs too: name, package, how they do it
    ("CubicalRipser, locations", "cripser", peers.cripser_pairs),
    ("GUDHI general engine, pixels", "gudhi", peers.gudhi_pairs),
)


def persistence_contests(image: NDArray | None, size: int) -> Iterator[Contest]:
    """Yield the contests of the fast algorithm; ``image`` is an 8-bit picture, or None."""
    for name, make in (("smooth", smooth), ("noise", noise)):
        a = make(size, size)
        contest = Contest(f"{size}x{size} {name}, T")
        contest.contenders[OURS] = partial(pytopo.persistence, a, construction="T")
        contest.against(
            "GUDHI rectangle engine, values only",
            "sklearn",
            partial(peers.gudhi_rectangle, a),
        )
        yield contest
    for engine in ENGINES:
        for name, make in (("smooth", smooth), ("noise", noise)):
            yield _beside(engine, f"{size}x{size} {name}, V", make(size, size))

    a = smooth(size, size)
    contest = Contest(f"{size}x{size} smooth, V")
    contest.contenders[OURS] = partial(pytopo.persistence, a)
    contest.contenders["numpy.sort of the pixels"] = partial(np.sort, a.ravel())
    yield contest

    patches = np.stack([smooth(65, 65, seed=k) for k in range(64)])
    for threads in (2, 1):
        contest = Contest(f"64 smooth 65x65, V, threads={threads}")
        contest.contenders[OURS] = partial(pytopo.persistence_batch, patches, threads=threads)
        contest.against(
            "loop over CubicalRipser", "cripser", partial(peers.cripser_loop, patches)
        )
        yield contest

    name = "image given"
    if image is None:
        name, image = "example", np.uint8(255 * likelihood_map(max(64, size // 2)))
    for size_name, picture in (
        (name, image),
        (f"{name}, twice as large", zoom(image, 2, order=1)),
    ):
        rows, columns = picture.shape
        for engine in ENGINES:
            yield _beside(engine, f"{rows}x{columns} uint8, {size_name}, V", picture)


def _beside(
    engine: tuple[str, str, Callable[[NDArray], Callable]], job: str, a: NDArray
) -> Contest:
    """Return the contest of our persistence with another engine."""
    peer, package, prepare = engine
    contest = Contest(job)
    contest.contenders[OURS] = partial(pytopo.persistence, a)
    contest.against(peer, package, partial(prepare, a))
    return contest


def volume_contests(volume: NDArray | None, size: int) -> Iterator[Contest]:
    """Yield the contests of the fast algorithm for volumes, and of its threads.

    Parameters
    ----------
    volume : (D, H, W) ndarray or None
        Measured too; integers of more than 8 bits are labels, measured as the binary volume
        of where there is one.
    size : int
        Side of the synthetic volumes.
    """
    cube = (size, size, size)
    jobs = [
        ("smooth float64", smooth(*cube)),
        ("smooth float32", smooth(*cube).astype(np.float32)),
        ("noise float64", noise(*cube)),
        ("noise float32", noise(*cube).astype(np.float32)),
        ("membranes float32", membranes(*cube)),
        ("binary", membranes(*cube) > 0.5),
    ]
    if volume is not None and volume.dtype.kind in "iu" and volume.dtype.itemsize > 1:
        jobs.append(("labels given > 0", volume > 0))
    elif volume is not None:
        jobs.append((f"volume given, {volume.dtype}", volume))

    for name, a in jobs:
        job = f"{'x'.join(map(str, a.shape))} {name}, V"
        for engine in ENGINES:
            yield _beside(engine, job, a)
        yield _two_threads(job, a)


def textbook_contests() -> Iterator[Contest]:
    """Yield the contests of the textbook algorithm."""
    for name, make in (("smooth", smooth), ("noise", noise)):
        a = make(256, 256)
        contest = Contest(f"256x256 {name}, V, reduction")
        contest.contenders[OURS] = partial(pytopo.persistence, a, algorithm="reduction")
        contest.against("GUDHI general engine, pixels", "gudhi", partial(peers.gudhi_pairs, a))
        yield contest


def thread_contests(size: int) -> Iterator[Contest]:
    """Yield contests of ourselves with two threads against ourselves with one."""
    for name, make in (("smooth", smooth), ("noise", noise)):
        yield _two_threads(f"{size}x{size} {name}, V", make(size, size))


def _two_threads(job: str, a: NDArray) -> Contest:
    contest = Contest(f"{job}, threads=2")
    contest.contenders[OURS] = partial(pytopo.persistence, a, threads=2)
    contest.contenders["pytopo, threads=1"] = partial(pytopo.persistence, a, threads=1)
    return contest


def simplify_contests(size: int) -> Iterator[Contest]:
    """Yield contests of simplification against the diagram of both dimensions."""
    for name, make in (("smooth", smooth), ("noise", noise)):
        a = make(size, size)
        least = 0.1 * float(a.std())
        for dims, words in ((0, "components"), (1, "holes"), (None, "both")):
            contest = Contest(f"{size}x{size} {name}, simplify, {words}")
            contest.contenders[OURS] = partial(pytopo.simplify, a, least, dims)
            contest.contenders["its diagram"] = partial(pytopo.persistence, a)
            yield contest


def tile_contests(size: int) -> Iterator[Contest]:
    """Yield contests of persistence tile by tile against that of the whole image in memory."""
    import pytopo.large

    for kind in KINDS:
        a = MadeImage(kind, (size, size))[:, :]
        for tile in tile_sides(size):
            contest = Contest(f"{size}x{size} {kind} uint8, tiles of {tile}")
            contest.contenders[OURS] = partial(pytopo.large.persistence, a, tile=tile)
            contest.contenders["the whole in memory"] = partial(pytopo.persistence, a)
            yield contest


def loss_contests() -> Iterator[Contest]:
    """Yield the contests of the loss, forward and backward, and its share of a step.

    A whole call is measured: the checks of both tensors and the diagrams of the ground truth
    included.
    """
    pair = likelihood_batch(64, 65)
    contest = Contest("64 x 65x65, loss and gradient")
    contest.contenders[OURS] = peers.loss_step(pytopo.TopologicalLoss(), *pair)
    contest.contenders["the same, target prepared"] = prepared_step(
        pytopo.TopologicalLoss(), *pair
    )
    contest.contenders["the textbook, image by image"] = peers.loss_step(_textbook_batch, *pair)
    yield contest

    for count, side in ((64, 65), (4, 256), (1, 512), (1, 1024)):
        pair = likelihood_batch(count, side)
        contest = Contest(f"{count} x {side}x{side}, loss and gradient")
        contest.contenders[OURS] = peers.loss_step(pytopo.TopologicalLoss(), *pair)
        for peer in ("HutopoLoss", "BettiMatchingLoss"):  # the second matches by location
            contest.against(
                f"topolosses {peer}", "topolosses", partial(peers.topolosses_step, peer, *pair)
            )
        contest.against("loop over GUDHI and POT", "ot", partial(peers.gudhi_loss_step, *pair))
        yield contest

    pair = likelihood_volumes(2, 64)
    contest = Contest("2 x 64x64x64, loss and gradient")
    contest.contenders[OURS] = peers.loss_step(pytopo.TopologicalLoss((0, 1, 2)), *pair)
    contest.against(
        "topolosses HutopoLoss",
        "topolosses",
        partial(peers.topolosses_step, "HutopoLoss", *pair),
    )
    yield contest

    pair = likelihood_batch(16, 65)
    contest = Contest("16 x 65x65, loss and gradient")
    contest.contenders[OURS] = peers.loss_step(pytopo.TopologicalLoss(frame=True), *pair)
    contest.contenders["a whole step of a small U-Net"] = training_step(*pair)
    yield contest


def loss_step(count: int, side: int) -> Callable[[], object]:
    """Return what computes the loss of a batch of patches, and its gradient."""
    return peers.loss_step(pytopo.TopologicalLoss(), *likelihood_batch(count, side))


def metric_contests(size: int) -> Iterator[Contest]:
    """Yield comparisons of two sections of synthetic cells, with ids of 64 bits."""
    first, second = pytopo.data.synthetic_volume(2, size).neuron_ids
    for name, ours in (
        ("variation_of_information", pytopo.metrics.variation_of_information),
        ("adapted_rand_error", pytopo.metrics.adapted_rand_error),
    ):
        contest = Contest(f"{size}x{size} cells, {name.replace('_', ' ')}")
        contest.contenders[OURS] = partial(ours, first, second)
        contest.against(
            "scikit-image", "skimage", partial(peers.skimage_metric, name, first, second)
        )
        yield contest


def matching_contests() -> Iterator[Contest]:
    """Yield matchings of the size of the paper's example, measured alone."""
    random = np.random.default_rng(0)
    birth, target = random.random(14669), random.random((427, 2))
    likelihood = np.column_stack([birth, birth + random.exponential(0.05, birth.size)])
    for name, truth in (
        ("points anywhere", target),
        ("coinciding points", np.tile([0.0, 1.0], (427, 1))),
    ):
        contest = Contest(f"match 14669 with 427 {name}")
        contest.contenders[OURS] = partial(pytopo.match, likelihood, truth)
        yield contest


def prepared_step(
    loss: pytopo.TopologicalLoss, likelihood: "Tensor", truth: "Tensor"
) -> Callable[[], object]:
    """Return a step that computes a loss and its gradient with a prepared target."""
    prepared = loss.prepare(truth)
    return peers.loss_step(lambda prediction, _: loss(prediction, prepared), likelihood, truth)


def _textbook_batch(prediction: "Tensor", target: "Tensor") -> "Tensor":
    """Return the loss of a batch as the textbook computes it, image by image."""
    import torch

    from pytopo.loss.textbook import textbook_loss

    images = zip(prediction.flatten(0, 1), target.flatten(0, 1))
    return torch.stack([textbook_loss(f, g, {0: 1.0, 1: 1.0}) for f, g in images]).mean()


def training_step(
    image: "Tensor", truth: "Tensor", matching: str = "wasserstein"
) -> Callable[[], object]:
    """Return a training step of a small U-Net: cross-entropy and our loss."""
    import torch

    network = pytopo.models.build("unet")
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    criterion = pytopo.SegmentationLoss(0.001, frame=True, matching=matching)

    def step() -> object:
        optimizer.zero_grad()
        loss = criterion(network(image), truth)
        loss.backward()
        return optimizer.step()

    return step
