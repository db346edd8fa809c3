"""A file becomes an array: an image, a label image or a mask.

=============  =======================================================================
file           what it does
=============  =======================================================================
readers/       one reader per format: TIFF, pictures, HDF5, NumPy
image.py       an address like ``stack.tif[3]`` becomes an image or labels
colour.py      a picture in colour, for networks
scaling.py     grey values on [0, 1]
masks.py       what the stored numbers of a mask mean
background.py  which ids of a label image mean background
=============  =======================================================================
"""

from pytopo.images.image import image_shape, open_image, open_labels, read_image

__all__ = ["image_shape", "open_image", "open_labels", "read_image"]
