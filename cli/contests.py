"""What ``pytopo bench`` measures: each contest is one job, done by us and by others.

A peer that is not installed is left out of its contest, and said to be missing.
"""

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, zoom

import pytopo
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
    goal : float or None
        Ratio of our best time to the peer's that we want not to exceed.
    contenders : dict of name to function
        Ours is called `OURS`.
    missing : list of str
        Packages that would take part if they were installed.
    """

    job: str
    goal: float | None = None
    contenders: dict[str, Callable[[], object]] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)

    def against(
        self, name: str, package: str, prepare: Callable[[], Callable[[], object]]
    ) -> None:
        """Add a peer, if its package is there and can be loaded."""
        if find_spec(package) is None:
            self.missing.append(package)
            return
        try:
            self.contenders[name] = prepare()
        except (ImportError, RuntimeError):  # it is there, and something that it needs is not
            self.missing.append(package)


def smooth(*shape: int, seed: int = 0) -> NDArray[np.float64]:
    """Return uniform noise, blurred by a Gaussian of 2 pixels."""
    return gaussian_filter(np.random.default_rng(seed).random(shape), 2)


def noise(*shape: int, seed: int = 0) -> NDArray[np.float64]:
    """Return uniform noise."""
    return np.random.default_rng(seed).random(shape)


def persistence_contests(image: NDArray | None, size: int) -> Iterator[Contest]:
    """Yield the contests of the fast route; ``image`` is an 8-bit picture, or None."""
    for name, make, goal in (("smooth", smooth, 0.6), ("noise", noise, 0.7)):
        a = make(size, size)
        contest = Contest(f"{size}x{size} {name}, T", goal=goal)
        contest.contenders[OURS] = partial(pytopo.persistence, a, construction="T")
        contest.against(
            "GUDHI rectangle engine, values only", "sklearn", partial(_rectangle, a)
        )
        yield contest
    for name, make, goal in (("smooth", smooth, 0.08), ("noise", noise, 0.2)):
        a = make(size, size)
        contest = Contest(f"{size}x{size} {name}, V", goal=goal)
        contest.contenders[OURS] = partial(pytopo.persistence, a)
        contest.against("CubicalRipser, locations", "cripser", partial(_ripser, a))
        yield contest
    for name, make, goal in (("smooth", smooth, 0.012), ("noise", noise, 0.02)):
        a = make(size, size)
        contest = Contest(f"{size}x{size} {name}, V", goal=goal)
        contest.contenders[OURS] = partial(pytopo.persistence, a)
        contest.against("GUDHI general engine, pixels", "gudhi", partial(_gudhi, a))
        yield contest

    a = smooth(size, size)
    contest = Contest(f"{size}x{size} smooth, V", goal=0.35)
    contest.contenders[OURS] = partial(pytopo.persistence, a)
    contest.contenders["numpy.sort of the pixels"] = partial(np.sort, a.ravel())
    yield contest

    patches = np.stack([smooth(65, 65, seed=k) for k in range(64)])
    for threads, goal in ((2, 0.07), (1, 0.13)):
        contest = Contest(f"64 smooth 65x65, V, threads={threads}", goal)
        contest.contenders[OURS] = partial(pytopo.persistence_batch, patches, threads=threads)
        contest.against("loop over CubicalRipser", "cripser", partial(_ripser_loop, patches))
        yield contest

    name = "image given"
    if image is None:
        name, image = "example", np.uint8(255 * likelihood_map(max(64, size // 2)))
    for size_name, picture in (
        (name, image),
        (f"{name}, twice as large", zoom(image, 2, order=1)),
    ):
        rows, columns = picture.shape
        for peer, package, prepare in (
            ("CubicalRipser, locations", "cripser", _ripser),
            ("GUDHI general engine, pixels", "gudhi", _gudhi),
        ):
            contest = Contest(f"{rows}x{columns} uint8, {size_name}, V")
            contest.contenders[OURS] = partial(pytopo.persistence, picture)
            contest.against(peer, package, partial(prepare, picture))
            yield contest


def membranes(*shape: int, seed: int = 0) -> NDArray[np.float32]:
    """Return a likelihood like that of membranes in EM: thin walls, and faint noise."""
    field = smooth(*shape, seed=seed) - 0.5
    faint = noise(*shape, seed=seed + 1)
    return np.exp(-((field / field.std() / 0.4) ** 2) + 0.1 * (faint - 1)).astype(np.float32)


def volume_contests(volume: NDArray | None, size: int) -> Iterator[Contest]:
    """Yield the contests of the fast route for volumes, and of its threads.

    Parameters
    ----------
    volume : (D, H, W) ndarray or None
        Measured too; whole numbers of more than 8 bits are labels, and stand for a binary
        volume, true where there is one.
    size : int
        Side of the volumes that are made up.
    """
    cube = (size, size, size)
    jobs = [
        ("smooth float64", smooth(*cube), 0.09, 0.015),
        ("smooth float32", smooth(*cube).astype(np.float32), 0.06, 0.015),
        ("noise float64", noise(*cube), 0.1, 0.035),
        ("noise float32", noise(*cube).astype(np.float32), 0.06, 0.035),
        ("membranes float32", membranes(*cube), 0.12, 0.016),
        ("binary", membranes(*cube) > 0.5, 0.05, 0.005),
    ]
    if volume is not None and volume.dtype.kind in "iu" and volume.dtype.itemsize > 1:
        jobs.append(("labels given > 0", volume > 0, 0.05, 0.005))
    elif volume is not None:
        jobs.append((f"volume given, {volume.dtype}", volume, 0.12, 0.016))

    for name, a, ripser_goal, gudhi_goal in jobs:
        job = f"{'x'.join(map(str, a.shape))} {name}, V"
        for peer, package, prepare, goal in (
            ("CubicalRipser, locations", "cripser", _ripser, ripser_goal),
            ("GUDHI general engine, pixels", "gudhi", _gudhi, gudhi_goal),
        ):
            contest = Contest(job, goal)
            contest.contenders[OURS] = partial(pytopo.persistence, a)
            contest.against(peer, package, partial(prepare, a))
            yield contest
        yield _two_threads(job, a, goal=0.7)


def textbook_contests() -> Iterator[Contest]:
    """Yield the contests of the textbook route."""
    for name, make in (("smooth", smooth), ("noise", noise)):
        a = make(256, 256)
        contest = Contest(f"256x256 {name}, V, reduction", goal=3.0)
        contest.contenders[OURS] = partial(pytopo.persistence, a, algorithm="reduction")
        contest.against("GUDHI general engine, pixels", "gudhi", partial(_gudhi, a))
        yield contest


def thread_contests(size: int) -> Iterator[Contest]:
    """Yield contests of ourselves with two threads against ourselves with one."""
    for name, make, goal in (("smooth", smooth, 0.6), ("noise", noise, 0.62)):
        yield _two_threads(f"{size}x{size} {name}, V", make(size, size), goal)


def _two_threads(job: str, a: NDArray, goal: float) -> Contest:
    contest = Contest(f"{job}, threads=2", goal)
    contest.contenders[OURS] = partial(pytopo.persistence, a, threads=2)
    contest.contenders["pytopo, threads=1"] = partial(pytopo.persistence, a, threads=1)
    return contest


def simplify_contests(size: int) -> Iterator[Contest]:
    """Yield contests of simplification against the diagram of both dimensions."""
    for name, make in (("smooth", smooth), ("noise", noise)):
        a = make(size, size)
        least = 0.1 * float(a.std())
        for dims, words in ((0, "components"), (1, "holes"), (None, "both")):
            contest = Contest(f"{size}x{size} {name}, simplify, {words}", goal=2.0)
            contest.contenders[OURS] = partial(pytopo.simplify, a, least, dims)
            contest.contenders["its diagram"] = partial(pytopo.persistence, a)
            yield contest


def loss_contests() -> Iterator[Contest]:
    """Yield the contests of the loss, forward and backward, and its share of a step.

    A call is measured whole, with the check of both tensors and the diagrams of the truth.
    """
    pair = _likelihoods(64, 65)
    contest = Contest("64 x 65x65, loss and gradient")
    contest.contenders[OURS] = _step(pytopo.TopologicalLoss(), *pair)
    contest.contenders["the same, target prepared"] = _prepared_step(*pair)
    contest.contenders["the textbook, image by image"] = _step(_textbook, *pair)
    yield contest

    for count, side in ((64, 65), (4, 256), (1, 512), (1, 1024)):
        pair = _likelihoods(count, side)
        contest = Contest(f"{count} x {side}x{side}, loss and gradient", goal=0.035)
        contest.contenders[OURS] = _step(pytopo.TopologicalLoss(), *pair)
        for peer in ("HutopoLoss", "BettiMatchingLoss"):  # the second matches by place
            contest.against(
                f"topolosses {peer}", "topolosses", partial(_topolosses, peer, *pair)
            )
        contest.against("loop over GUDHI and POT", "ot", partial(_gudhi_loop, *pair))
        yield contest

    pair = _likely_volumes(2, 64)
    contest = Contest("2 x 64x64x64, loss and gradient", goal=0.1)
    contest.contenders[OURS] = _step(pytopo.TopologicalLoss((0, 1, 2)), *pair)
    contest.against(
        "topolosses HutopoLoss", "topolosses", partial(_topolosses, "HutopoLoss", *pair)
    )
    yield contest

    pair = _likelihoods(16, 65)
    contest = Contest("16 x 65x65, loss and gradient", goal=0.15)
    contest.contenders[OURS] = _step(pytopo.TopologicalLoss(frame=True), *pair)
    contest.contenders["a whole step of a small U-Net"] = _training_step(*pair)
    yield contest


def metric_contests(size: int) -> Iterator[Contest]:
    """Yield comparisons of two sections of made-up cells, each with an id of 64 bits."""
    first, second = pytopo.data.synthetic_volume(2, size).neuron_ids
    for name, ours in (
        ("variation_of_information", pytopo.metrics.variation_of_information),
        ("adapted_rand_error", pytopo.metrics.adapted_rand_error),
    ):
        contest = Contest(f"{size}x{size} cells, {name.replace('_', ' ')}", goal=1.0)
        contest.contenders[OURS] = partial(ours, first, second)
        contest.against("scikit-image", "skimage", partial(_skimage, name, first, second))
        yield contest


def matching_contests() -> Iterator[Contest]:
    """Yield matchings of the size of the paper's example; the goals are milliseconds."""
    random = np.random.default_rng(0)
    birth, target = random.random(14669), random.random((427, 2))
    likelihood = np.column_stack([birth, birth + random.exponential(0.05, birth.size)])
    for name, truth, goal in (
        ("points anywhere", target, 2000),
        ("coinciding points", np.tile([0.0, 1.0], (427, 1)), 10),
    ):
        contest = Contest(f"match 14669 with 427 {name}", goal=goal)
        contest.contenders[OURS] = partial(pytopo.match, likelihood, truth)
        yield contest


def _likelihoods(count: int, side: int) -> tuple["Tensor", "Tensor"]:
    """Return likelihood maps and their truth, with about 17,000 and 400 dots a megapixel."""
    import torch

    clean = np.stack(
        [likelihood_map(side, max(4, side**2 // 2700), seed=k) for k in range(count)]
    )
    faint = np.random.default_rng(0).standard_normal((count, side, side))
    faint = gaussian_filter(faint, (0, 1.5, 1.5))
    likelihood = np.clip(clean + 0.18 * faint, 0, 1)
    truth = torch.from_numpy(clean > 0.4).float()[:, None]
    return torch.from_numpy(likelihood).float()[:, None], truth


def _likely_volumes(count: int, side: int) -> tuple["Tensor", "Tensor"]:
    """Return faint likelihood volumes of membranes and their truth."""
    import torch

    clean = np.stack([membranes(side, side, side, seed=k) for k in range(count)])
    faint = np.random.default_rng(0).standard_normal(clean.shape)
    faint = gaussian_filter(faint, (0, 1.5, 1.5, 1.5))
    likelihood = np.clip(clean + 0.5 * faint, 0, 1)
    return (
        torch.from_numpy(likelihood).float()[:, None],
        torch.from_numpy(clean > 0.5).float()[:, None],
    )


def _step(loss: Callable[..., "Tensor"], likelihood: "Tensor", truth: "Tensor") -> Callable:
    """Return what computes a loss and its gradient."""

    def step() -> object:
        prediction = likelihood.clone().requires_grad_()
        loss(prediction, truth).backward()
        return prediction.grad

    return step


def _prepared_step(likelihood: "Tensor", truth: "Tensor") -> Callable[[], object]:
    """Return what computes a loss and its gradient where the truth is prepared."""
    loss = pytopo.TopologicalLoss()
    prepared = loss.prepare(truth)
    return _step(lambda prediction, _: loss(prediction, prepared), likelihood, truth)


def _textbook(prediction: "Tensor", target: "Tensor") -> "Tensor":
    """Return the loss of a batch as the textbook computes it."""
    import torch

    from pytopo.loss.textbook import textbook_loss

    images = zip(prediction.flatten(0, 1), target.flatten(0, 1))
    return torch.stack([textbook_loss(f, g, {0: 1.0, 1: 1.0}) for f, g in images]).mean()


def _training_step(image: "Tensor", truth: "Tensor") -> Callable[[], object]:
    """Return a step that trains a U-Net of three levels by cross-entropy and our loss."""
    import torch

    network = pytopo.models.build("unet")
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    criterion = pytopo.SegmentationLoss(0.001, frame=True)

    def step() -> object:
        optimizer.zero_grad()
        loss = criterion(network(image), truth)
        loss.backward()
        return optimizer.step()

    return step


def _topolosses(name: str, likelihood: "Tensor", truth: "Tensor") -> Callable[[], object]:
    from topolosses import losses
    from topolosses.losses.utils import FiltrationType

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        peer = getattr(losses, name)(
            filtration_type=FiltrationType.SUPERLEVEL,
            use_base_loss=False,
            include_background=True,
            num_processes=2,
        )
    return _step(peer, likelihood, truth)


def _gudhi_loop(likelihood: "Tensor", truth: "Tensor") -> Callable[[], object]:
    """Return the loss as one writes it with GUDHI and POT: image by image, dim by dim."""
    import gudhi
    import torch
    from gudhi.wasserstein import wasserstein_distance

    def pairs(image: NDArray) -> list[NDArray]:
        complex = gudhi.CubicalComplex(vertices=np.asfortranarray(-image, np.float64))
        complex.compute_persistence()
        finite = complex.vertices_of_persistence_pairs()[0]
        return [np.asarray(p, np.int64).reshape(-1, 2) for p in [*finite, [], []][:2]]

    def loss(prediction: "Tensor", target: "Tensor") -> "Tensor":
        total = prediction.sum() * 0
        for f, g in zip(prediction[:, 0], target[:, 0]):
            flat, expected = f.T.reshape(-1), g.T.reshape(-1)  # GUDHI counts rows first
            for mine, other in zip(pairs(f.detach().numpy()), pairs(g.numpy())):
                dots, goals = flat[torch.from_numpy(mine)], expected[torch.from_numpy(other)]
                _, matched = wasserstein_distance(
                    dots.detach().numpy(), goals.numpy(), order=2, internal_p=2, matching=True
                )
                moved = matched[(matched >= 0).all(axis=1)]
                gone = dots[matched[matched[:, 1] < 0, 0]]
                total = total + ((dots[moved[:, 0]] - goals[moved[:, 1]]) ** 2).sum()
                total = total + (gone[:, 1] - gone[:, 0]).square().sum() / 2
        return total

    return _step(loss, likelihood, truth)


def _skimage(name: str, first: NDArray, second: NDArray) -> Callable[[], object]:
    from skimage import metrics

    return partial(getattr(metrics, name), second, first, ignore_labels=(0,))


def _rectangle(a: NDArray) -> Callable[[], object]:
    from gudhi.sklearn import CubicalPersistence

    engine = CubicalPersistence(homology_dimensions=[0, 1])
    return lambda: engine.fit_transform([a])


def _ripser(a: NDArray) -> Callable[[], object]:
    import cripser

    doubles = a.astype(np.float64)
    return lambda: cripser.computePH(doubles, maxdim=a.ndim - 1)


def _ripser_loop(patches: NDArray) -> Callable[[], object]:
    import cripser

    return lambda: [cripser.computePH(patch, maxdim=1) for patch in patches]


def _gudhi(a: NDArray) -> Callable[[], object]:
    import gudhi

    doubles = a.astype(np.float64)

    def pairs() -> object:
        complex = gudhi.CubicalComplex(vertices=doubles)
        complex.compute_persistence(homology_coeff_field=2)
        return complex.vertices_of_persistence_pairs()

    return pairs
