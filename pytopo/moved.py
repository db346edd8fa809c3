"""Modules that bear another name than they did: the old one leads to the same module.

>>> import pytopo.image, pytopo.images.image
>>> pytopo.image is pytopo.images.image
True
"""

from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from types import ModuleType

MOVED = {
    "pytopo.arcs": "pytopo.morse.links_2d",
    "pytopo.checkpoint": "pytopo.training.checkpoint",
    "pytopo.config": "pytopo.training.config",
    "pytopo.distributed": "pytopo.training.distributed",
    "pytopo.dots": "pytopo.loss.points",
    "pytopo.evaluation": "pytopo.metrics.evaluation",
    "pytopo.experiment": "pytopo.training.experiment",
    "pytopo.experiment_report": "pytopo.training.report",
    "pytopo.group_matching": "pytopo.matching.groups",
    "pytopo.image": "pytopo.images.image",
    "pytopo.kernels.link_sweep": "pytopo.kernels.sweep_3d",
    "pytopo.kernels.lower_link": "pytopo.kernels.links_3d",
    "pytopo.kernels.morse": "pytopo.kernels.sweep_2d",
    "pytopo.kernels.neighbours": "pytopo.kernels.links_2d",
    "pytopo.kernels.overlap": "pytopo.kernels.contingency",
    "pytopo.kernels.voxel_heap": "pytopo.kernels.heap",
    "pytopo.loss_input": "pytopo.loss.inputs",
    "pytopo.masks": "pytopo.images.masks",
    "pytopo.octahedron": "pytopo.morse.links_3d",
    "pytopo.plot.reduction": "pytopo.plot.walk",
    "pytopo.prediction": "pytopo.training.prediction",
    "pytopo.prepared_target": "pytopo.loss.prepared_target",
    "pytopo.readers": "pytopo.images.readers",
    "pytopo.readers.address": "pytopo.images.readers.address",
    "pytopo.readers.arrays": "pytopo.images.readers.arrays",
    "pytopo.readers.choice": "pytopo.images.readers.choice",
    "pytopo.readers.colour": "pytopo.images.readers.colour",
    "pytopo.readers.foreign": "pytopo.images.readers.foreign",
    "pytopo.readers.hdf5": "pytopo.images.readers.hdf5",
    "pytopo.readers.picture": "pytopo.images.readers.picture",
    "pytopo.readers.tiff": "pytopo.images.readers.tiff",
    "pytopo.replacing": "pytopo.files",
    "pytopo.run": "pytopo.training.run",
    "pytopo.run_figures": "pytopo.training.figures",
    "pytopo.squares": "pytopo.loss.squares",
    "pytopo.steps": "pytopo.textbook.walk",
    "pytopo.textbook_loss": "pytopo.loss.textbook",
    "pytopo.volume": "pytopo.morse.pairs_3d",
    "pytopo.workspace": "pytopo.morse.workspace",
}


class Moved(MetaPathFinder, Loader):
    """Imports a module by the name that it had."""

    def find_spec(
        self, fullname: str, path: object = None, target: object = None
    ) -> ModuleSpec | None:
        """Return how to import a module that has moved; None for all others."""
        return spec_from_loader(fullname, self) if fullname in MOVED else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Return the module under its new name, to be registered under the old one too."""
        module = import_module(MOVED[spec.name])
        spec.loader_state = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Give the module its own specification back, which the import has replaced."""
        assert module.__spec__ is not None
        module.__spec__ = module.__spec__.loader_state
