"""Images that are larger than memory: exact diagrams, tile by tile.

    source -> tiles -> regions, merged two by two -> Diagram, or parts in a folder

=============  ===========================================================================
file           what it does
=============  ===========================================================================
ages.py        when a pixel comes, in numbers that mean the same in every tile
pixels.py      how components and holes merge inside a tile of an image
sides.py       what lies around a tile, and where other regions are met
places.py      where the pixels of a tile are in the image
tiles.py       ``region_of_tile``: points that are finished in a tile, and what is open
pieces.py      a large tile in pieces that fit into the cache
gluing.py      ``merged``: two regions become one
grid.py        in which order the tiles of a grid are merged
parts.py       points in the files of a folder
loop.py        one tile after the other
counts.py      what a tile adds to the Betti numbers of a mask
tasks.py       the chunks of a `dask.array`, as tasks
scheduling.py  whoever does the tasks
diagrams.py    ``persistence``
cost.py        what it will cost, from a sample of tiles
masks.py       ``betti_numbers``, ``betti_error``
summary.py     a diagram of many points in numbers
textbook.py    the same in plain Python: components of two tiles
batch.py       ``map_images``: a function of each of many images
sources/       ``open_source``: files that are read box by box
=============  ===========================================================================

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
