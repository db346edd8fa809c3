"""What ``pytopo bench`` measures: each contest is one job, done by us and by others.

A peer that is not installed is left out of its contest, and said to be missing.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, zoom

import pytopo
from pytopo.cli.example import likelihood_map

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
        """Add a peer, if its package is there."""
        if find_spec(package) is None:
            self.missing.append(package)
        else:
            self.contenders[name] = prepare()


def smooth(*shape: int, seed: int = 0) -> NDArray[np.float64]:
    """Return uniform noise, blurred by a Gaussian of 2 pixels."""
    return gaussian_filter(np.random.default_rng(seed).random(shape), 2)


def noise(*shape: int, seed: int = 0) -> NDArray[np.float64]:
    """Return uniform noise."""
    return np.random.default_rng(seed).random(shape)


def persistence_contests(image: NDArray | None, size: int) -> Iterator[Contest]:
    """Yield the contests of the fast route; ``image`` is an 8-bit picture, or None."""
    for name, make in (("smooth", smooth), ("noise", noise)):
        a = make(size, size)
        contest = Contest(f"{size}x{size} {name}, T", goal=1.0)
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
    contest = Contest("64 smooth 65x65, V, threads=2", goal=0.06)
    contest.contenders[OURS] = partial(pytopo.persistence_batch, patches, threads=2)
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
    for name, make in (("smooth", smooth), ("noise", noise)):
        a = make(size, size)
        contest = Contest(f"{size}x{size} {name}, V, threads=2", goal=0.6)
        contest.contenders[OURS] = partial(pytopo.persistence_batch, [a], threads=2)
        contest.contenders["pytopo, threads=1"] = partial(
            pytopo.persistence_batch, [a], threads=1
        )
        yield contest


def _rectangle(a: NDArray) -> Callable[[], object]:
    from gudhi.sklearn import CubicalPersistence

    engine = CubicalPersistence(homology_dimensions=[0, 1])
    return lambda: engine.fit_transform([a])


def _ripser(a: NDArray) -> Callable[[], object]:
    import cripser

    doubles = a.astype(np.float64)
    return lambda: cripser.computePH(doubles, maxdim=1)


def _ripser_loop(patches: NDArray) -> Callable[[], object]:
    import cripser

    return lambda: [cripser.computePH(patch, maxdim=1) for patch in patches]


def _gudhi(a: NDArray) -> Callable[[], object]:
    import gudhi

    doubles = a.astype(np.float64)

    def pairs() -> object:
        complex = gudhi.CubicalComplex(vertices=doubles)
        complex.compute_persistence()
        return complex.vertices_of_persistence_pairs()

    return pairs
