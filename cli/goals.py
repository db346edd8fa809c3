"""What the developers hold pytopo to: the column "goal" of `pytopo bench`.

`bench.py` measures, for anybody; this table says which result is good enough, for those who
change the source.  A goal is the largest ratio of our best time to the best time of the other,
or milliseconds for a job that nobody else does.
"""

from fnmatch import fnmatchcase

# The first row whose patterns fit a job and what it is measured against holds its goal.
GOALS: tuple[tuple[str, str, float], ...] = (
    # persistence
    ("*x* smooth, T", "GUDHI rectangle engine*", 0.6),
    ("*x* noise, T", "GUDHI rectangle engine*", 0.7),
    ("*x* smooth, V", "CubicalRipser*", 0.08),
    ("*x* noise, V", "CubicalRipser*", 0.2),
    ("*x* smooth, V", "GUDHI general engine*", 0.012),
    ("*x* noise, V", "GUDHI general engine*", 0.02),
    ("*x* smooth, V", "numpy.sort*", 0.35),
    ("64 smooth 65x65, V, threads=2", "loop over CubicalRipser", 0.07),
    ("64 smooth 65x65, V, threads=1", "loop over CubicalRipser", 0.13),
    # volumes
    ("*x*x* smooth float64, V", "CubicalRipser*", 0.09),
    ("*x*x* smooth float64, V", "GUDHI*", 0.015),
    ("*x*x* smooth float32, V", "CubicalRipser*", 0.06),
    ("*x*x* smooth float32, V", "GUDHI*", 0.015),
    ("*x*x* noise float64, V", "CubicalRipser*", 0.1),
    ("*x*x* noise float64, V", "GUDHI*", 0.035),
    ("*x*x* noise float32, V", "CubicalRipser*", 0.06),
    ("*x*x* noise float32, V", "GUDHI*", 0.035),
    ("*x*x* membranes float32, V", "CubicalRipser*", 0.12),
    ("*x*x* membranes float32, V", "GUDHI*", 0.016),
    ("*x*x* binary, V", "CubicalRipser*", 0.05),
    ("*x*x* binary, V", "GUDHI*", 0.005),
    ("*x*x* labels given > 0, V", "CubicalRipser*", 0.05),
    ("*x*x* labels given > 0, V", "GUDHI*", 0.005),
    ("*x*x* volume given, *, V", "CubicalRipser*", 0.12),
    ("*x*x* volume given, *, V", "GUDHI*", 0.016),
    # the textbook, threads, metrics, simplification
    ("*, V, reduction", "GUDHI general engine*", 3.0),
    ("*x*x* V, threads=2", "pytopo, threads=1", 0.7),
    ("*x* smooth, V, threads=2", "pytopo, threads=1", 0.6),
    ("*x* noise, V, threads=2", "pytopo, threads=1", 0.62),
    ("*x* cells, *", "scikit-image", 1.0),
    ("*, simplify, *", "its diagram", 2.0),
    ("* noise uint8, tiles of *", "the whole in memory", 1.6),
    ("* uint8, tiles of *", "the whole in memory", 1.3),
    ("* uint8, tiles of *", "peak bytes per pixel of a tile", 40.0),
    ("* uint8, regions of *", "bytes moved per pixel of their sides", 50.0),
    ("* uint8*", "*, factor between estimate and result", 2.0),
    ("* 2 processes", "peak MB of a worker", 400.0),
    # the matching and the loss
    ("match 14669 with 427 points anywhere", "", 2000),
    ("match 14669 with 427 coinciding points", "", 10),
    ("2 x 64x64x64, loss and gradient", "topolosses *", 0.1),
    ("*, loss and gradient", "topolosses *", 0.035),
    ("*, loss and gradient", "loop over GUDHI and POT", 0.035),
    ("*, loss and gradient", "a whole step of a small U-Net", 0.15),
    # matching by place
    ("1 x *x*x*, Betti matching", "topolosses *", 0.25),
    ("*, Betti matching", 'matching="wasserstein"', 1.7),
    ("* EM-like, Betti matching", "topolosses *", 0.08),
    ("* noise, Betti matching", "topolosses *", 0.22),
    ("*, Betti matching", "a whole step of a small U-Net", 0.1),
    # growth and start
    ("*x*x*, V", "peak bytes per pixel", 80.0),
    ("*x*, V", "peak bytes per pixel", 40.0),
    ("* axes, *, V", "exponent of time in pixels", 1.1),
    ("pytopo diagram, empty cache", "", 15000.0),
    ("pytopo diagram, warm, less its work", "import numba, matplotlib.pyplot", 1.5),
    ("import pytopo", "", 50.0),
)


def goal_of(job: str, against: str = "") -> float | None:
    """Return the goal of a job, None where there is none.

    Parameters
    ----------
    job : str
    against : str
        What it is measured against; empty if the result is a time.

    Examples
    --------
    >>> goal_of("1024x1024 noise, V", "CubicalRipser, locations"), goal_of("import pytopo")
    (0.2, 50.0)
    >>> goal_of("1024x1024 noise, V") is None
    True
    """
    for pattern, other, goal in GOALS:
        if fnmatchcase(job, pattern) and fnmatchcase(against, other):
            return goal
    return None
