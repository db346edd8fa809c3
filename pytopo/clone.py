"""The command in a clone that is not installed: `pytopo.cli` is the folder ``cli/``.

An installation puts `pytopo.cli` where Python finds it by itself.  In a clone the folder lies
beside the package, so ``python -m pytopo.cli`` needs this finder, which is asked last.
"""

import os
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_file_location

FOLDER = os.path.join(os.path.dirname(os.path.dirname(__file__)), "cli")


class Clone(MetaPathFinder):
    """Finds `pytopo.cli` in a clone."""

    def find_spec(
        self, fullname: str, path: object = None, target: object = None
    ) -> ModuleSpec | None:
        """Return how to import `pytopo.cli`; None for all others, and outside a clone."""
        package = os.path.join(FOLDER, "__init__.py")
        if fullname != "pytopo.cli" or not os.path.isfile(package):
            return None
        return spec_from_file_location(fullname, package, submodule_search_locations=[FOLDER])
