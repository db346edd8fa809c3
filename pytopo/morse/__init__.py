"""The fast algorithm: what a lower star decides by itself never becomes a column.

    values -> keys -> links of all pixels -> saddles, extrema -> pairs of pixels

The files come in pairs, for images and for volumes, like `docs/lesson-6-fast-2d.md` and
`docs/fast-3d.md`, and so do the kernels.

==================  ==================================================================
file                what it does
==================  ==================================================================
links_2d, links_3d  tables: how each set of neighbours of a pixel is connected
pairs_2d, pairs_3d  from values to pairs of pixels
image_pairs.py      two images: which features live on together in a third
image_pairs_2d.py   the same with the pairs of both, for images, in one go
merges.py           extrema and saddles of volumes, and what each saddle merges
swept_images.py     what is kept of an image that others are matched with
critical.py         critical cells of a volume: minima, edges, squares
cylinder.py         the mapping cylinder of two volumes, from critical cells
image_tunnels.py    two volumes: which tunnels live on together in a third
workspace.py        memory that is kept for the next image
==================  ==================================================================
"""

from pytopo.morse.pairs_2d import Rows, pixel_pairs
from pytopo.morse.pairs_3d import voxel_pairs

__all__ = ["Rows", "pixel_pairs", "voxel_pairs"]
