"""Images that are larger than memory: exact diagrams, tile by tile.

    source -> tiles -> regions, merged two by two -> Diagram, or parts in a folder

=============  ====================================================================
`region_of_tile` and `merged` are all it consists of; a loop calls them for what lies on disk,
and Dask notes them as tasks (extra ``dask``).  `docs/large.md` has the proof and the cost.
"""

from pytopo.large.batch import map_images
from pytopo.large.diagrams import persistence
from pytopo.large.masks import betti_error, betti_numbers
from pytopo.large.parts import DiagramParts, open_parts
from pytopo.large.sources.opening import open_source

__all__ = [
    "DiagramParts",
    "betti_error",
    "betti_numbers",
    "map_images",
    "open_parts",
    "open_source",
    "persistence",
]
