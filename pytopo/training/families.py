"""Families of methods: the same but for the weight of the topological loss.

A method without the topological loss belongs to each family that differs from it in nothing
but that loss: it has the weight 0.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from pytopo.training.methods import Method

# What says nothing where the weight is 0.
OF_TOPOLOGY = ("warmup", "ramp", "dims", "matching", "frame", "min_persistence", "every_target")
MATCHINGS = {"wasserstein": "by cost", "betti": "by place"}


class Family(NamedTuple):
    """Methods by the weight of their topological loss, ascending, and their name."""

    name: str
    methods: dict[float, Method]


def families(methods: Sequence[Method]) -> list[Family]:
    """Return the families of which at least two members have a weight above 0.

    Examples
    --------
    >>> from pytopo.training.config import config_of
    >>> losses = {
    ...     "bce": {"topo_weight": 0},
    ...     "weak": {"topo_weight": 0.1, "warmup": 0},
    ...     "strong": {"topo_weight": 0.3, "warmup": 0},
    ... }
    >>> methods = [Method(n, n, config_of({"loss": loss})) for n, loss in losses.items()]
    >>> (found,) = families(methods)
    >>> {weight: method.name for weight, method in found.methods.items()}
    {0.0: 'bce', 0.1: 'weak', 0.3: 'strong'}
    """
    grouped: list[list[Method]] = []
    for method in methods:
        if method.config.loss.topo_weight > 0:
            group = next((g for g in grouped if _alike(g[0], method, ())), None)
            if group is None:
                grouped.append([method])
            else:
                group.append(method)
    several = [g for g in grouped if len({m.config.loss.topo_weight for m in g}) > 1]
    without = [m for m in methods if m.config.loss.topo_weight == 0]
    return [
        Family(name, _by_weight([*(m for m in without if _alike(m, g[0], OF_TOPOLOGY)), *g]))
        for name, g in zip(_names([g[0] for g in several]), several)
    ]


def _alike(one: Method, other: Method, ignored: Sequence[str]) -> bool:
    """Return whether methods differ in the weight and in what is ignored at most."""
    known = {name: getattr(other.config.loss, name) for name in ("topo_weight", *ignored)}
    config = replace(one.config, loss=replace(one.config.loss, **known))
    return (one.start, config) == (other.start, other.config)


def _by_weight(methods: Sequence[Method]) -> dict[float, Method]:
    return {
        method.config.loss.topo_weight: method
        for method in sorted(methods, key=lambda method: method.config.loss.topo_weight)
    }


def _names(firsts: Sequence[Method]) -> list[str]:
    """Return what distinguishes families, of each of which the first method is given."""
    losses = [vars(method.config.loss) for method in firsts]
    apart = [
        [
            f"{name} = {value}"
            for name, value in loss.items()
            if name not in ("topo_weight", "matching")
            and any(value != other[name] for other in losses)
        ]
        for loss in losses
    ]
    names = [
        ", ".join([MATCHINGS[loss["matching"]], *words]) for loss, words in zip(losses, apart)
    ]
    return [
        name if names.count(name) == 1 else f"{name} (as {method.name})"
        for name, method in zip(names, firsts)
    ]
